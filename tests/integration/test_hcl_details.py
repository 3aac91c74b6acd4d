"""Terraform source in detail: what Terraform refuses is unknown, origins survive functions, odd sources are read."""

from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Reference
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits
from plangate.parsers.hcl.folder import SourceTree, is_module
from tests.hcl_source import a_folder, plan_of, plan_of_text, resources_of, value_of

SOURCE = """
variable "u" { type = string }
variable "list" {
  type    = list(string)
  default = ["a"]
}
resource "aws_vpc" "a" {
  cidr = "c"
  rule {
    port = 1
    deep { x = "y" }
  }
  dynamic "more" {
    for_each = var.u
    content {}
  }
  lifecycle {}
}
resource "aws_vpc" "n" {
  count = var.u
  cidr  = "n"
}
resource "aws_vpc" "e" {
  for_each = toset(["k"])
}
"""


@pytest.mark.parametrize(
    "expression",
    [
        '{ a = 1 }["b"]', "{ a = 1 }.b", "[1].a", '"text".a', '"text"[0]', "[1][1]", "[1][0.5]", "null.a", "true[0]",
        '"x${null}"', '"x${[1]}"', '"%{ for x in 1 }x%{ endfor }"', '"%{ for x in var.u }x%{ endfor }"',
        "{ (null) = 1 }",
        "[for x in 5 : x]", '{ for x in ["a", "a"] : x => 1 }', "{ for x in [null] : x => 1 }",
        "[for x in [1] : x if null]",
        "null ? 1 : 2", "-null", "!null", "null + 1", "true + 1", "null && true", '"a" > 1', "1 % 0", "max([]...)",
        "max(5...)", "max(var.u...)", "upper()", "try(1 / 0)", "can()", "sensitive()", "type(1)", "templatefile()",
        'templatefile("nope.tpl", {})', "templatefile(var.u, {})", "templatestring(var.u, {})", "templatestring(1)",
        'file("nope.txt")', "file()", "file(1)", "file(var.u)", "fileexists(1)", "fileexists(var.u)", "fileset()",
        'fileset(var.u, "*")', 'fileset(".", "[ab]*")', "basename(1)", "basename(var.u)", "dirname()", 'abspath(".")',
        'pathexpand("~")', "each.key", "count.index", "self.id", "data.a_b.c.id", "module.nowhere.x", "var.nowhere",
        "aws_vpc.a[0]", "aws_vpc.e[*].id", "aws_vpc.a.lifecycle", "aws_vpc.a.more", "aws_vpc.a.rule[0].none",
        "aws_vpc.a.rule[0].deep[0].none", "aws_vpc.n[0].id", "aws_vpc.n[*].cidr", "aws_vpc.n.x.id", "aws_vpc.n",
        "[for v in aws_vpc.n : v.id]", "[for v in var.u : v.x]", "[for v in aws_vpc.a : v]", "var", "var.u[var.u]",
        "var.u[*].x", "{ a = var.u }[var.u]", "range(2000)", "path.other", 'tolist(["a", var.u])[5]', "aws_vpc.a + 1",
        "aws_vpc.e[var.u].id", "aws_vpc.a.rule[0].deep", "timestamp() == null ? 1 : 2", "nonsensitive(var.u)",
        "issensitive(var.u)", "aws_vpc.n[0] == null", "{ for k, v in { a = 1 } : var.u => v }",
    ],
)  # fmt: skip
def test_what_terraform_refuses_or_does_not_know_is_unknown(tmp_path: Path, expression: str) -> None:
    value = value_of(tmp_path, expression, SOURCE)
    assert value in (UNKNOWN, [UNKNOWN])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("aws_vpc.a.rule[0].port", 1),
        ("aws_vpc.a.rule[0].deep[0].x", "y"),
        ('aws_vpc.a["cidr"]', "c"),
        ("aws_vpc.n[0].cidr", "n"),
        ("aws_vpc.a == null", False),
        ("aws_vpc.a != null", True),
        ('aws_vpc.e["k"] != null', True),
        ('basename("a/b.txt")', "b.txt"),
        ('dirname("a/b.txt")', "a"),
        ("issensitive(1)", False),
        ("can(1)", True),
        ('can(["a"][3])', False),
        ("null[*]", None),
        ("keys({ b = 1, a = 2 })", ["a", "b"]),
        ("values({ b = 1, a = 2 })", [2, 1]),
        ("merge({ a = 1 }, null, { b = var.u })", {"a": 1, "b": UNKNOWN}),
        ('lookup({ a = var.u }, "b", 1)', 1),
        ("element([1, var.u], 2)", 1),
        ("one([])", None),
        ("reverse([1, var.u])", [UNKNOWN, 1]),
        ("flatten([[1], [2, [3]]])", [1, 2, 3]),
        ("length(aws_vpc.e)", 1),
        ('core::upper("a")', "A"),
        ("[for k, v in aws_vpc.e : k]", ["k"]),
        ('{ for x in toset(["b", "a"]) : x => 1 }', {"a": 1, "b": 1}),
        ('toset(["b", "a"])[*]', ["a", "b"]),
        ("1 == 1.0", True),
        ('"1" == 1', UNKNOWN),
        ('"a" == 1', False),
        ("[aws_vpc.a.id] == []", False),
        ("false ? var.u : 5", "5"),
        ("true ? 5 : aws_vpc.a.id", 5),
        ("true ? 5 : [1][3]", 5),
    ],
)  # fmt: skip
def test_what_is_known_is_known(tmp_path: Path, expression: str, value: Any) -> None:
    found = value_of(tmp_path, expression, SOURCE)
    assert found == value or (value is None and found == [])
    assert type(found) is type(value) or value is None


@pytest.mark.parametrize(
    ("expression", "exact"),
    [
        ("tolist([aws_vpc.a.id])", True),
        ('zipmap(["k"], [aws_vpc.a.id])', False),
        ("one([aws_vpc.a.id])", True),
        ("one(tolist([aws_vpc.a.id]))", True),
        ("element([aws_vpc.a.id], 0)", True),
        ('lookup({ a = aws_vpc.a.id }, "a", null)', True),
        ("merge({ a = aws_vpc.a.id }, {}).a", True),
        ("flatten([[aws_vpc.a.id]])", True),
        ("compact([aws_vpc.a.id])", True),
        ("distinct([aws_vpc.a.id])", True),
        ("coalesce(aws_vpc.a.id)", True),
        ("try(aws_vpc.a.id, null)", True),
        ("upper(aws_vpc.a.id)", False),
        ('join("-", [aws_vpc.a.id])', False),
        ("[for x in [aws_vpc.a] : x.id]", True),
        ("{ a = aws_vpc.a }.a.id", True),
        ("{ (aws_vpc.a.id) = 1 }", False),
        ("!aws_vpc.a.id", False),
        ("aws_vpc.a.id + 1", False),
        ('aws_vpc.a.id == "x"', False),
        ("module.m.ids[0]", True),
        ("module.m.set", True),
        ("module.m.object.id", True),
        ("module.m", True),
    ],
)  # fmt: skip
def test_an_unknown_value_keeps_its_origin_through_functions_and_variables(
    tmp_path: Path, expression: str, *, exact: bool
) -> None:
    module = """
variable "ids" { type = list(string) }
variable "set" { type = set(string) }
variable "object" { type = object({ id = string, n = optional(number, 1) }) }
output "ids" { value = var.ids }
output "set" { value = var.set }
output "object" { value = var.object }
"""
    call = """
module "m" {
  source = "./m"
  ids    = [aws_vpc.a.id]
  set    = [aws_vpc.a.id]
  object = { id = aws_vpc.a.id }
}
"""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": SOURCE + call + f'resource "x_y" "it" {{\n  input = {expression}\n}}\n',
            "m/main.tf": module,
        },
    )
    it = resources_of(plan)["x_y.it"]
    assert it.references == (Reference(at="/input", address="aws_vpc.a", exact=exact, attribute="id"),)
    assert it.unresolved == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('resource "a" {}', "resource has 1 labels"),
        ("mystery {}", "unknown block 'mystery'"),
        ("a = 1", "argument 'a' outside of any block"),
        ("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}", "local.a is declared twice"),
        ('provider "a" {}\nprovider "a" {}', "provider a is configured twice"),
        ('provider "a" {\n  alias = var.x\n}', "a provider's alias that is not plain text"),
        ('variable "v" {}\nvariable "v" {}', "variable v is declared twice"),
    ],
)
def test_a_module_that_contradicts_itself_is_refused(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(PlanParseError, match=message):
        plan_of_text(tmp_path, source)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("list(string)", ["1"]),
        ("set(number)", [1]),
        ("tuple([number])", [1]),
        ("any", [1]),
        ("list", [1]),
        ('"list(string)"', ["1"]),
        ("map(string)", UNKNOWN),
        ("object({ a = string })", UNKNOWN),
        ("no_type", UNKNOWN),
        ("list(string, string)", UNKNOWN),
        ("object({ (var.x) = string })", UNKNOWN),
        ("[string]", UNKNOWN),
        ('"not a type("', UNKNOWN),
        ("object({ a = optional(string, var.x) })", UNKNOWN),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_unknown(tmp_path: Path, kind: str, value: Any) -> None:
    assert value_of(tmp_path, "var.v", f'variable "v" {{\n  type    = {kind}\n  default = [1]\n}}') == value


@pytest.mark.parametrize("text", ["a = var.b", "a {}", "a = 1 +", "a = nope()"])
def test_a_file_of_variables_holds_values(tmp_path: Path, text: str) -> None:
    files = {
        "main.tf": 'variable "a" {}\nresource "x_y" "z" {\n  a = var.a\n}\n',
        "terraform.tfvars": text + "\n",
    }
    if text == "a = nope()":
        assert plan_of(tmp_path, files).resources[0].planned == {"a": UNKNOWN}
    else:
        with pytest.raises(PlanParseError):
            plan_of(tmp_path, files)


def test_a_variable_that_is_given_as_an_expression_is_one(tmp_path: Path) -> None:
    source = 'variable "v" { type = list(string) }'
    with pytest.raises(PlanParseError, match="not one expression"):
        value_of(tmp_path, "var.v", source, variables={"v": "1\nother = 2"})


def test_a_module_whose_source_cannot_be_read_is_said(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        'module "a" {\n  source = "./nowhere"\n}\nmodule "b" {\n  source = var.x\n}\nmodule "c" {}\n',
    )
    assert plan.opaque == (
        "module.a (main.tf:1) could not be read: no Terraform source in nowhere",
        "module.b (main.tf:4) could not be read: its source is not plain text",
        "module.c (main.tf:7) could not be read: its source is not plain text",
    )


def test_the_json_syntax_has_lists_of_blocks_and_default_tags_too(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "main.tf.json": """{
  "provider": {"aws": [{"region": "eu-west-1", "default_tags": [{"tags": {"a": "1"}}]}]},
  "resource": [{"aws_vpc": {"v": [{"tags": {"b": "2"}, "n": [1, 2.5, null, true]}]}}]
}"""
        },
    )
    (vpc,) = plan.resources
    assert vpc.region == "eu-west-1"
    assert vpc.planned["tags_all"] == {"a": "1", "b": "2"}
    for text in ('{"resource": 1}', '{"resource": {"a": {"b": {"c": "${"}}}}', "[1]"):
        with pytest.raises(PlanParseError):
            plan_of(tmp_path / "bad", {"bad.tf.json": text})


def test_default_tags_that_are_not_known_leave_all_tags_unknown(tmp_path: Path) -> None:
    for block in (
        "default_tags { tags = var.u }",
        'dynamic "default_tags" {\n    for_each = []\n    content {}\n  }',
    ):
        plan = plan_of_text(
            tmp_path,
            f'variable "u" {{}}\nprovider "aws" {{\n  region = var.u\n  {block}\n}}\n'
            'resource "aws_vpc" "v" {\n  tags = { a = "1" }\n}\nresource "aws_vpc" "own" {\n  tags_all = {}\n}\n',
        )
        vpc, own = plan.resources
        assert (vpc.planned["tags_all"], vpc.region, own.planned["tags_all"]) == (UNKNOWN, UNKNOWN, {})
        assert vpc.unknown == ("/tags_all",)


def test_a_folder_that_is_not_there_has_no_source(tmp_path: Path) -> None:
    tree = SourceTree(a_folder(tmp_path, {"a.tf": ""}), Limits(), "shown")
    assert tree.names("nowhere") == ()
    assert tree.shown("") == "shown"
    assert not is_module(tmp_path / "nowhere")
    with pytest.raises(PlanParseError, match=r"shown/nowhere.tf: cannot be read: No such file"):
        tree.read("nowhere.tf")
    assert tree.size == 0
    assert tree.read("a.tf") is tree.read("./a.tf")
