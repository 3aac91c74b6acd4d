"""Source that wants out of its folder, or that costs more to evaluate than it is worth: refused, and soon."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.parsers.base import Limits
from plangate.parsers.hcl.folder import SourceTree
from tests.hcl_source import a_folder, plan_of, plan_of_text

SMALL = Limits(max_template_nodes=20_000)
R = 'resource "terraform_data" "x" {{\n  input = {}\n}}\n'
LAUGHS = (
    'locals {\n  a0 = ["x", "x"]\n'
    + "".join(f"  a{i} = [{', '.join([f'local.a{i - 1}'] * 10)}]\n" for i in range(1, 30))
    + "}\n"
)
TEXTS = (
    'locals {\n  a0 = "xxxxxxxxxx"\n'
    + "".join(f'  a{i} = "${{local.a{i - 1}}}${{local.a{i - 1}}}"\n' for i in range(1, 40))
    + "}\n"
)

BLOCKS = """
resource "x_y" "z" {
  dynamic "b" {
    for_each = range(1000)
    content {
      dynamic "c" {
        for_each = range(1000)
        content {}
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    "expression",
    [
        'file("/etc/hostname")',
        'file("../outside.txt")',
        'file("d/../../outside.txt")',
        'file("~/.ssh/id_rsa")',
        'file("link.txt")',
        'file("linked/outside.txt")',
        'try(file("/etc/hostname"), "x")',
        'can(file("../outside.txt"))',
        'filebase64("../outside.txt")',
        'filesha256("../outside.txt")',
        'fileexists("../outside.txt")',
        'fileset("..", "*")',
        'fileset("/", "**")',
        'templatefile("../outside.txt", {})',
        'templatefile("link.txt", {})',
        'file("a\\u0000b")',
    ],
)
def test_a_function_that_leads_outside_refuses_the_source(tmp_path: Path, expression: str) -> None:
    (tmp_path / "outside.txt").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "linked").symlink_to(tmp_path)
    with pytest.raises(PlanParseError, match=r"main.tf: line 2 column \d+: .*outside of the folder"):
        plan_of_text(root, R.format(expression))


@pytest.mark.parametrize(
    "source", ["../other", "/etc", "./linked", "../../../../../../../../etc", "registry/x/y", "registry/x/z"]
)
def test_a_module_outside_of_the_folder_is_refused(tmp_path: Path, source: str) -> None:
    a_folder(tmp_path / "other", {"main.tf": ""})
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "other")
    files = {
        "main.tf": f'module "{"a" if source[-1] != "z" else "b"}" {{\n  source = "{source}"\n}}\n',
        ".terraform/modules/modules.json": '{"Modules": [{"Key": "a", "Source": "registry/x/y", "Dir": "../other"}, '
        '{"Key": "b", "Source": "registry/x/z", "Dir": "/etc"}]}',
    }
    with pytest.raises(
        PlanParseError, match=r"main.tf: line 1 column 1: module source .* outside of the folder"
    ):
        plan_of(root, files)


def test_a_source_file_that_is_a_link_to_the_outside_is_refused(tmp_path: Path) -> None:
    a_folder(tmp_path, {"outside.tf": R.format("1")})
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.tf").symlink_to(tmp_path / "outside.tf")
    with pytest.raises(PlanParseError, match=r"link.tf: outside of the folder"):
        plan_of(root, {"main.tf": ""})


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(PlanParseError, match=r"not a regular file"):
        SourceTree(tmp_path, Limits()).read("pipe.txt")


def _self(_root: Path) -> dict[str, str]:
    return {"main.tf": 'module "a" {\n  source = "./"\n}\n'}


def _mutual(_root: Path) -> dict[str, str]:
    return {
        "main.tf": 'module "a" {\n  source = "./m"\n}\n',
        "m/main.tf": 'module "b" {\n  source = "../n"\n}\n',
        "n/main.tf": 'module "c" {\n  source = "../m"\n}\n',
    }


def _linked(root: Path) -> dict[str, str]:
    (root / "s").symlink_to(".")
    return {"main.tf": 'module "a" {\n  source = "./s"\n}\n'}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (_self, "module a is inside of itself"),
        (_mutual, "module c is inside of itself"),
        (_linked, "more than 31 modules inside of each other"),
    ],
)
def test_a_module_inside_of_itself_is_refused(
    tmp_path: Path, files: Callable[[Path], dict[str, str]], message: str
) -> None:
    with pytest.raises(PlanParseError, match=message):
        plan_of(tmp_path, files(tmp_path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("locals {\n  a = local.b\n  b = local.a\n}\n" + R.format("local.a"), "local.a depends on itself"),
        (R.format("terraform_data.x.input"), "terraform_data.x.input depends on itself"),
        ('variable "v" {\n  default = var.v\n}\n' + R.format("var.v"), "var.v depends on itself"),
        (
            'resource "terraform_data" "x" {\n  count = length(terraform_data.x)\n}\n',
            r"terraform_data.x \(its count or for_each\) depends on itself",
        ),
    ],
)
def test_what_depends_on_itself_is_refused(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(PlanParseError, match=message):
        plan_of_text(tmp_path, source)


@pytest.mark.parametrize(
    "source",
    [
        LAUGHS + R.format("local.a29"),
        LAUGHS + R.format("length(flatten(local.a29))"),
        LAUGHS + R.format("local.a29 == local.a29"),
        LAUGHS + R.format("sensitive(local.a29)"),
        LAUGHS + R.format("jsonencode([timestamp(), local.a29])"),
        LAUGHS + R.format("[for i in range(1000) : length(distinct(flatten(local.a4)))]"),
        LAUGHS + 'output "o" {\n  value = local.a29\n}\n',
        LAUGHS + 'variable "u" {}\n' + R.format("var.u ? local.a29 : local.a28"),
        TEXTS + R.format("local.a39"),
        R.format("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]"),
        R.format('"%{ for a in range(1000) }%{ for b in range(1000) }x%{ endfor }%{ endfor }"'),
        'resource "terraform_data" "x" {\n  count = 1000000000\n}\n',
        BLOCKS,
    ],
    ids=[
        "lists", "flatten", "equality", "sensitive", "function", "again", "output", "branches", "texts", "loops",
        "template", "count", "blocks",
    ],
)  # fmt: skip
def test_a_source_that_grows_without_bound_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(PlanParseError, match="evaluating this makes more than 20000 values"):
        plan_of(tmp_path, {"main.tf": source}, limits=SMALL)


def test_modules_that_double_at_each_level_are_refused(tmp_path: Path) -> None:
    calls = 'module "a" {{\n  source = "../m{0}"\n}}\nmodule "b" {{\n  source = "../m{0}"\n}}\n'
    files = {f"m{i}/main.tf": calls.format(i + 1) for i in range(25)} | {"m25/main.tf": R.format("1")}
    with pytest.raises(PlanParseError, match="evaluating this makes more than 20000 values"):
        plan_of(tmp_path, files, module="m0", limits=SMALL)


def test_a_template_inside_of_itself_is_refused(tmp_path: Path) -> None:
    files = {"main.tf": R.format('templatefile("t.tpl", {})'), "t.tpl": '${templatefile("t.tpl", {})}x'}
    with pytest.raises(PlanParseError, match="nested deeper than 120 levels"):
        plan_of(tmp_path, files)


def test_a_long_chain_of_names_is_followed_and_an_endless_one_refused(tmp_path: Path) -> None:
    def chain(links: int) -> str:
        return "locals {\n  a0 = 1\n" + "".join(f"  a{i} = local.a{i - 1}\n" for i in range(1, links)) + "}\n"

    plan = plan_of_text(tmp_path, chain(500) + R.format("local.a499"))
    assert plan.resources[0].planned == {"input": 1}
    with pytest.raises(PlanParseError, match="nested too deeply to be read"):
        plan_of_text(tmp_path, chain(50_000) + R.format("local.a49999"))


def test_more_files_or_bytes_than_the_limits_allow_are_refused(tmp_path: Path) -> None:
    files = {f"{i}.tf": "# a comment\n" for i in range(5)}
    with pytest.raises(PlanParseError, match="more than 4 files"):
        plan_of(tmp_path, files, limits=Limits(max_files=4))
    with pytest.raises(PlanParseError, match="have more than 40 bytes together"):
        plan_of(tmp_path, files, limits=Limits(max_plan_bytes=40))
    with pytest.raises(PlanParseError, match="more than 3 resources"):
        plan_of(tmp_path, {"r.tf": 'resource "x_y" "z" {\n  for_each = toset(["1", "2", "3", "4"])\n}'},
                limits=Limits(max_resources=3))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [("main.tf", ""), ("main.tf", "# nothing\n"), ("main.tf.json", "{}"), ("main.tf.json", "[]")],
)
def test_source_without_a_block_is_not_fully_read(tmp_path: Path, name: str, text: str) -> None:
    plan = plan_of(tmp_path, {name: text})
    assert plan.opaque == ("no file of this folder has a block; exclude it if nothing is meant to be there",)


def test_a_module_without_a_block_may_be_used(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": "# later\n"})
    assert (plan.resources, plan.opaque) == ((), ())


def test_long_keys_do_not_multiply(tmp_path: Path) -> None:
    with pytest.raises(PlanParseError, match="an address of 100020 characters"):
        plan_of_text(
            tmp_path, f'resource "terraform_data" "x" {{\n  for_each = {{ {"n" * 100_000} = 1 }}\n}}\n'
        )
    with pytest.raises(PlanParseError, match="a name of 100000 characters"):
        plan_of(
            tmp_path,
            {"m.tf.json": '{"resource": {"x_y": {"z": {"%s": 1}}}}' % ("n" * 100_000), "main.tf": ""},
        )


def test_text_that_is_no_source_is_refused_without_guessing_on(tmp_path: Path) -> None:
    garbage = 'ab={}[]()"$%<>\n ,.:?~#/' * 30_000
    with pytest.raises(PlanParseError, match="syntax error, here or a little before"):
        plan_of_text(tmp_path, garbage)


@pytest.mark.parametrize(
    "file", ["variable file", "terraform.tfvars", "x.auto.tfvars.json", "main.tf.json", "modules.json"]
)
def test_an_unreadable_file_refuses_the_source(tmp_path: Path, file: str) -> None:
    files = {"main.tf": 'module "a" {\n  source = "x/y/z"\n}\n'}
    options: dict[str, Any] = {}
    if file == "variable file":
        options["variable_files"] = (tmp_path / "nowhere.tfvars",)
    elif file == "modules.json":
        files[".terraform/modules/modules.json"] = "{"
    else:
        files[file] = "a {\n}\n"
    with pytest.raises(PlanParseError):
        plan_of(tmp_path, files, **options)
