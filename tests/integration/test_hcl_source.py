"""Terraform source to the plan: values, instances, modules, edges, places."""

from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.facts.registry import with_facts
from plangate.model.plan import Action, Location, OutputChange, Provisioner, Reference
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree, is_module
from plangate.parsers.hcl.plan import locations, parse, parse_with_modules
from tests.hcl_source import a_folder, plan_of, plan_of_text, resources_of, value_of

UNSET = 'variable "u" { type = string }\n'
UNSET_V = 'variable "v" { type = string }\nvariable "w" { type = string }\n'


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("var.u", UNKNOWN),
        ('"a-${var.u}"', UNKNOWN),
        ('var.u == "x"', UNKNOWN),
        ("false && var.u", False),
        ("var.u && false", False),
        ("true || var.u", True),
        ("true && tobool(var.u)", UNKNOWN),
        ('var.u == "x" ? "same" : "same"', "same"),
        ('var.u == "x" ? "one" : "other"', UNKNOWN),
        ("[1, var.u]", [1, UNKNOWN]),
        ("{ a = 1, b = var.u }", {"a": 1, "b": UNKNOWN}),
        ("{ (var.u) = 1 }", UNKNOWN),
        ("{ a = 1, b = var.u }.a", 1),
        ("length([1, var.u])", 2),
        ("[for x in [1, 2] : x if var.u == x]", UNKNOWN),
        ("[for x in [1, var.u] : x]", [1, UNKNOWN]),
        ("[1, 2][var.u]", UNKNOWN),
        ("try(var.u.x, 1)", UNKNOWN),
        ("can(var.u)", UNKNOWN),
        ('try(["a"][5], "fallback")', "fallback"),
        ("no_such_function(1)", UNKNOWN),
        ("provider::aws::arn_parse(1)", UNKNOWN),
        ("timestamp()", UNKNOWN),
        ("terraform.workspace", UNKNOWN),
        ("path.cwd", UNKNOWN),
        ("path.module", "."),
        ("local.nowhere", UNKNOWN),
        ("1 / 0", UNKNOWN),
        ("aws_nowhere.x.id", UNKNOWN),
        ("true ? 1 : var.u", "1"),
        ('templatestring("x$${a}", { a = 1 })', "x1"),
        ("nonsensitive(sensitive(1))", 1),
    ],
)
def test_what_hangs_on_something_unknown_is_unknown_and_the_rest_is_not(
    tmp_path: Path, expression: str, value: Any
) -> None:
    assert value_of(tmp_path, expression, UNSET) == value


def test_variables_come_from_where_terraform_takes_them_and_later_ones_win(tmp_path: Path) -> None:
    names = ("default", "env", "tfvars", "json", "auto", "file", "given")
    source = "".join(f'variable "{name}" {{ default = "default" }}\n' for name in names)
    rising = {name: "".join(f'{n} = "{name}"\n' for n in names[i:]) for i, name in enumerate(names)}
    files = {
        "main.tf": source
        + 'resource "terraform_data" "it" {\n  input = ['
        + ", ".join(f"var.{n}" for n in names)
        + "]\n}\n",
        "terraform.tfvars": rising["tfvars"],
        "terraform.tfvars.json": '{"json": "json", "auto": "json", "file": "json", "given": "json"}',
        "x.auto.tfvars": rising["auto"],
        "other.tfvars": 'default = "never"',
    }
    given = tmp_path / "outside.tfvars"
    given.write_text('file = "file"\n')
    plan = plan_of(
        tmp_path / "root",
        files,
        environ={f"TF_VAR_{name}": "env" for name in names[1:]} | {"HOME": "x"},
        variable_files=(given,),
        variables={"given": "given"},
    )
    assert resources_of(plan)["terraform_data.it"].planned["input"] == list(names)


def test_a_variable_and_a_file_of_variables_must_not_contradict_each_other(tmp_path: Path) -> None:
    given = tmp_path / "given.tfvars"
    given.write_text('v = "b"\nw = "c"\n')
    options: dict[str, Any] = {"variable_files": (given,)}
    assert value_of(tmp_path / "same", "var.v", UNSET_V, variables={"v": "b"}, **options) == "b"
    with pytest.raises(PlanParseError, match="variable v: --var and --var-file say different values"):
        value_of(tmp_path / "other", "var.v", UNSET_V, variables={"v": "a"}, **options)


def test_variables_have_the_type_that_they_are_declared_with(tmp_path: Path) -> None:
    source = """
variable "n" { type = number }
variable "o" { type = object({ a = optional(string, "d"), b = optional(list(number)) }) }
variable "j" { type = any }
variable "wrong" { type = number }
variable "nn" {
  default  = "d"
  nullable = false
}
"""
    value = value_of(
        tmp_path,
        "[var.n, var.o, var.j, var.wrong, var.nn]",
        source,
        variables={"n": "5", "o": '{ b = ["1"] }', "j": '["x"]', "wrong": "five", "nn": "n"},
    )
    assert value == [5, {"a": "d", "b": [1]}, ["x"], UNKNOWN, "n"]


@pytest.mark.parametrize(
    ("declared", "planned"),
    [("", {}), ("nullable = true", {}), ("nullable = false", {"a": 1}), ("nullable = var.w", {"a": UNKNOWN})],
)
def test_null_stands_for_the_default_only_where_null_is_ruled_out(
    tmp_path: Path, declared: str, planned: dict[str, Any]
) -> None:
    inside = f'variable "v" {{\n  default = 1\n  {declared}\n}}\n' + 'resource "x_y" "z" { a = var.v }\n'
    plan = plan_of(
        tmp_path,
        {"main.tf": 'module "m" {\n  source = "./m"\n  v = null\n}\n' + inside, "m/main.tf": inside,
         "terraform.tfvars": "v = null\n"},
    )  # fmt: skip
    assert {address: r.planned for address, r in resources_of(plan).items()} == {
        "x_y.z": planned,
        "module.m.x_y.z": planned,
    }


def test_instances_have_the_keys_that_terraform_gives_them(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
resource "terraform_data" "c" {
  count = 2
  input = count.index
}
resource "terraform_data" "m" {
  for_each = { "we ird/\\"k\\"" = 1, b = 2 }
  input    = "${each.key}=${each.value}"
}
resource "terraform_data" "s" {
  for_each = toset(["y", "x"])
  input    = each.value
}
resource "terraform_data" "none" {
  count = 0
}
""",
    )
    assert {address: r.planned["input"] for address, r in resources_of(plan).items()} == {
        "terraform_data.c[0]": 0,
        "terraform_data.c[1]": 1,
        'terraform_data.m["b"]': "b=2",
        'terraform_data.m["we ird/\\"k\\""]': 'we ird/"k"=1',
        'terraform_data.s["x"]': "x",
        'terraform_data.s["y"]': "y",
    }
    assert [r.index for r in plan.resources] == [0, 1, "b", 'we ird/"k"', "x", "y"]


@pytest.mark.parametrize(
    "meta",
    [
        "lifecycle {\n    enabled = var.u\n  }",
        "count = var.u",
        "for_each = var.u",
        'for_each = ["list"]',
        "count = -1",
    ],
)
def test_an_unknown_number_of_instances_is_one_that_is_still_judged(tmp_path: Path, meta: str) -> None:
    plan = plan_of_text(
        tmp_path, UNSET + f'resource "aws_ebs_volume" "v" {{\n  {meta}\n  encrypted = false\n}}\n'
    )
    (volume,) = with_facts(plan.resources)
    assert (volume.address, volume.index, volume.facts["encrypted"]) == ("aws_ebs_volume.v", None, False)


def test_count_beside_for_each_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanParseError, match=r"main.tf: line 3 column 3: count and for_each together"):
        plan_of_text(tmp_path, 'resource "a_b" "c" {\n  for_each = {}\n  count = 1\n}\n')


def test_what_may_not_be_there_vouches_for_nothing(tmp_path: Path) -> None:
    block = """
resource "aws_s3_bucket" "b" { bucket = "known-name" }
resource "aws_s3_bucket_public_access_block" "p" {
  %s
  bucket                  = %s
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
"""
    for bucket in ("aws_s3_bucket.b.id", "aws_s3_bucket.b.bucket", '"known-name"'):
        facts = []
        for count in ("", "count = 1", "count = var.u"):
            plan = plan_of_text(tmp_path, UNSET + block % (count, bucket))
            facts.append(with_facts(plan.resources)[0].facts["public_access_blocked"])
        assert facts == [True, True, UNKNOWN], bucket


def test_a_setting_of_the_account_that_may_not_be_there_is_unknown(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        UNSET
        + """
resource "aws_s3_bucket" "b" {}
resource "aws_s3_account_public_access_block" "p" {
  count                   = var.u
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
""",
    )
    assert with_facts(plan.resources)[0].facts["public_access_blocked"] is UNKNOWN


def test_a_bucket_from_a_map_is_linked_exactly(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
resource "aws_s3_bucket" "a" {}
resource "aws_s3_bucket" "b" {}
locals { buckets = { a = aws_s3_bucket.a.id, b = aws_s3_bucket.b.id } }
resource "aws_s3_bucket_versioning" "v" {
  bucket = local.buckets["a"]
  versioning_configuration { status = "Enabled" }
}
""",
    )
    resources = resources_of(plan)
    assert resources["aws_s3_bucket_versioning.v"].references == (
        Reference(at="/bucket", address="aws_s3_bucket.a", exact=True, attribute="id"),
    )
    facts = {r.address: r.facts.get("versioned") for r in with_facts(plan.resources)}
    assert facts["aws_s3_bucket.a"] is True
    assert facts["aws_s3_bucket.b"] is False


@pytest.mark.parametrize(
    ("expression", "edges", "unresolved"),
    [
        ("aws_vpc.a.id", [("aws_vpc.a", True, "id")], False),
        ("[aws_vpc.a.id, aws_vpc.b.id]", [("aws_vpc.a", True, "id"), ("aws_vpc.b", True, "id")], False),
        ("concat([aws_vpc.a.id], [aws_vpc.b.id])[1]", [("aws_vpc.b", True, "id")], False),
        (
            "toset([aws_vpc.a.id, aws_vpc.b.id])",
            [("aws_vpc.a", True, "id"), ("aws_vpc.b", True, "id")],
            False,
        ),
        ('"${aws_vpc.a.id}-x"', [("aws_vpc.a", False, "id")], False),
        (
            "var.u == null ? aws_vpc.a.id : aws_vpc.b.id",
            [("aws_vpc.a", False, "id"), ("aws_vpc.b", False, "id")],
            True,
        ),
        ('aws_vpc.a.arn == "" ? "x" : "y"', [("aws_vpc.a", False, "arn")], True),
        ("var.u", [], True),
        ("aws_vpc.c[0].id", [("aws_vpc.c[0]", True, "id")], False),
        ("aws_vpc.c[*].id", [("aws_vpc.c[0]", True, "id"), ("aws_vpc.c[1]", True, "id")], False),
        ("aws_vpc.c[var.u].id", [("aws_vpc.c[0]", False, "id"), ("aws_vpc.c[1]", False, "id")], True),
        ("aws_vpc.n[0].id", [("aws_vpc.n", False, "id")], False),
        ("values({ x = aws_vpc.a })[*].id", [("aws_vpc.a", True, "id")], False),
        ("aws_vpc.a.cidr_block", [("aws_vpc.a", True, "cidr_block")], False),
        # A name that nobody knows is still that of this one.
        ("aws_vpc.d.name", [("aws_vpc.d", True, "name")], True),
        ('"${aws_vpc.d.name}-x"', [("aws_vpc.d", False, "name")], True),
        ("aws_vpc.d.id", [("aws_vpc.d", True, "id")], False),
    ],
)
def test_edges_lead_to_what_is_read(
    tmp_path: Path, expression: str, edges: list[tuple[str, bool, str]], *, unresolved: bool
) -> None:
    source = """
resource "aws_vpc" "a" { cidr_block = "10.0.0.0/8" }
resource "aws_vpc" "b" {}
resource "aws_vpc" "c" { count = 2 }
resource "aws_vpc" "n" { count = var.u }
resource "aws_vpc" "d" { name = var.u }
"""
    plan = plan_of_text(tmp_path, f'{UNSET}{source}resource "x_y" "it" {{\n  input = {expression}\n}}\n')
    it = resources_of(plan)["x_y.it"]
    assert [(r.at, r.address, r.exact, r.attribute) for r in it.references] == [
        ("/input", *edge) for edge in edges
    ]
    assert it.unresolved == (("/input",) if unresolved else ())


MODULES = {
    "main.tf": """
module "net" {
  source   = "./net"
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "aws_instance" "web" {
  subnet_id = module.net["a"].subnet
  tags      = module.net["b"].tags
}
resource "aws_instance" "all" {
  subnets = values(module.net)[*].subnet
}
""",
    "net/main.tf": """
variable "name" { type = string }
resource "aws_subnet" "s" {
  cidr_block = "10.0.0.0/24"
  tags       = { Name = var.name }
}
module "deep" {
  source = "../deep"
  id     = aws_subnet.s.id
}
output "subnet" { value = module.deep.id }
output "tags" { value = aws_subnet.s.tags }
""",
    "deep/main.tf": 'variable "id" { type = string }\noutput "id" { value = var.id }\n',
}


def test_values_and_edges_go_through_modules(tmp_path: Path) -> None:
    resources = resources_of(plan_of(tmp_path, MODULES))
    assert set(resources) == {
        "aws_instance.all",
        "aws_instance.web",
        'module.net["a"].aws_subnet.s',
        'module.net["b"].aws_subnet.s',
    }
    web = resources["aws_instance.web"]
    assert (
        Reference(at="/subnet_id", address='module.net["a"].aws_subnet.s', exact=True, attribute="id")
        in web.references
    )
    assert web.planned["tags"] == {"Name": "b"}
    assert [r.address for r in resources["aws_instance.all"].references] == [
        'module.net["a"].aws_subnet.s',
        'module.net["b"].aws_subnet.s',
    ]
    assert resources['module.net["b"].aws_subnet.s'].module_address == 'module.net["b"]'


def test_the_folders_that_are_used_as_modules_are_told(tmp_path: Path) -> None:
    tree = SourceTree(a_folder(tmp_path, MODULES), Limits())
    assert parse_with_modules(tree, "", "main", Options(), Limits())[1] == {"net", "deep"}
    assert [is_module(tmp_path / name) for name in ("", "net", "nowhere")] == [True, True, False]


def test_a_module_that_is_installed_is_read_and_one_that_is_not_is_said(tmp_path: Path) -> None:
    call = 'module "%s" {\n  source = "git::https://user:hunter2@example.com/%s?ref=v1"\n}\n'
    plan = plan_of(
        tmp_path,
        {
            "main.tf": call % ("here", "here")
            + call % ("gone", "gone")
            + 'resource "terraform_data" "it" {\n  input = [module.here.o, module.gone.o]\n}\n',
            ".terraform/modules/modules.json": '{"Modules": [{"Key": "", "Source": "", "Dir": "."}, '
            '{"Key": "here", "Source": "git::https://user:hunter2@example.com/here?ref=v1", "Dir": '
            '".terraform/modules/here"}]}',
            ".terraform/modules/here/main.tf": 'output "o" { value = 1 }\n',
        },
    )
    assert resources_of(plan)["terraform_data.it"].planned == {"input": [1, UNKNOWN]}
    assert plan.opaque == (
        "module.gone (main.tf:4) could not be read: git::https://example.com/gone is not in .terraform/modules",
    )


def test_a_module_that_is_installed_in_another_version_is_not_the_one_that_is_called(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "main.tf": 'module "m" {\n  source  = "corp/net/aws"\n  version = "~> 2.0"\n}\n',
            ".terraform/modules/modules.json": '{"Modules": [{"Key": "m", "Version": "1.9.0", '
            '"Source": "registry.terraform.io/corp/net/aws", "Dir": ".terraform/modules/m"}]}',
            ".terraform/modules/m/main.tf": 'resource "x_y" "z" {}\n',
        },
    )
    assert plan.resources == ()
    why = "corp/net/aws is in .terraform/modules in another version than the call asks for"
    assert plan.opaque == (f"module.m (main.tf:1) could not be read: {why}",)


def test_a_call_of_which_two_folders_are_installed_has_none(tmp_path: Path) -> None:
    entry = '{"Key": "m", "Source": "git::https://example.com/m", "Dir": "%s"}'
    plan = plan_of(
        tmp_path,
        {
            "main.tf": 'module "m" {\n  source = "git::https://example.com/m"\n}\n',
            ".terraform/modules/modules.json": f'{{"Modules": [{entry % "a"}, {entry % "b"}]}}',
            "a/main.tf": 'resource "x_y" "z" {}\n',
            "b/main.tf": 'resource "x_y" "z" {}\n',
        },
    )
    assert (plan.resources, len(plan.opaque)) == ((), 1)


def test_blocks_are_lists_of_objects_and_dynamic_ones_are_written_out(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        UNSET
        + """
resource "aws_security_group" "g" {
  ingress {
    from_port = 1
  }
  dynamic "ingress" {
    for_each = [22, 443]
    iterator = port
    content {
      from_port = port.value
      dynamic "inner" {
        for_each = { a = 1 }
        content { name = "${port.key}${inner.key}" }
      }
    }
  }
  dynamic "egress" {
    for_each = var.u
    content { from_port = egress.value }
  }
  lifecycle { ignore_changes = [tags] }
  timeouts { create = "5m" }
}
""",
    )
    (group,) = plan.resources
    assert group.planned["ingress"] == [
        {"from_port": 1},
        {"from_port": 22, "inner": [{"name": "0a"}]},
        {"from_port": 443, "inner": [{"name": "1a"}]},
    ]
    assert group.planned["egress"] is UNKNOWN
    assert "lifecycle" not in group.planned
    assert group.unknown == ("/egress",)
    assert group.configured == frozenset({"ingress", "egress", "timeouts"})
    assert group.place("/ingress/1/from_port") == Location(file="main.tf", line=11, column=7)
    assert group.place("/ingress/0") == Location(file="main.tf", line=4, column=3)
    assert group.location == Location(file="main.tf", line=3, column=1)


def test_null_is_not_set_and_an_unknown_item_is_null_in_after(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        UNSET + 'resource "x_y" "z" {\n  a = null\n  b = [1, var.u]\n  c = { d = var.u, e = 1 }\n}\n',
    )
    (resource,) = plan.resources
    assert resource.planned == {"b": [1, UNKNOWN], "c": {"d": UNKNOWN, "e": 1}}
    assert resource.after == {"b": [1, None], "c": {"e": 1}}
    assert resource.unknown == ("/b/1", "/c/d")
    assert resource.configured == frozenset({"b", "c"})
    assert (resource.action, resource.before, resource.mode) == (Action.CREATE, None, "managed")


def test_a_data_source_is_read_and_what_it_will_say_is_unknown(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        'data "aws_ami" "a" { owners = ["self"] }\nresource "aws_instance" "i" { ami = data.aws_ami.a.id }\n',
    )
    instance, ami = plan.resources
    assert (ami.address, ami.mode, ami.action) == ("data.aws_ami.a", "data", Action.READ)
    assert instance.planned["ami"] is UNKNOWN
    assert instance.references == (
        Reference(at="/ami", address="data.aws_ami.a", exact=True, attribute="id"),
    )


def test_sensitive_values_are_marked_and_remembered_member_by_member(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
variable "pw" {
  default   = "hunter2hunter2"
  sensitive = true
}
locals { dsn = "db:${var.pw}" }
resource "x_y" "z" {
  url  = local.dsn
  env  = { A = "open", B = var.pw }
  list = ["open", sensitive("s3cr3t-text")]
  open = nonsensitive(var.pw)
  block { password_hash = sha256(var.pw) }
}
output "o" {
  value     = "x"
  sensitive = true
}
""",
    )
    (resource,) = plan.resources
    assert resource.sensitive == ("/block/0/password_hash", "/env/B", "/list/1", "/url")
    assert {"hunter2hunter2", "db:hunter2hunter2", "s3cr3t-text"} <= plan.secrets
    assert "open" not in plan.secrets
    assert plan.outputs == (OutputChange(name="o", action=Action.CREATE, after="x", sensitive=True),)


def test_provider_alias_region_and_default_tags_are_applied(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "main.tf": """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
    my  = { source = "example.com/corp/my" }
  }
}
variable "r" { default = "eu-west-1" }
provider "aws" {
  region = var.r
  default_tags { tags = { owner = "team", cost = "1" } }
}
provider "aws" {
  alias  = "west"
  region = "us-west-2"
}
resource "aws_vpc" "a" { tags = { cost = "2" } }
resource "aws_vpc" "w" { provider = aws.west }
resource "aws_new_thing" "n" {}
resource "my_thing" "m" {}
module "m" {
  source    = "./m"
  providers = { aws = aws.west }
}
module "d" {
  source = "./m"
}
""",
            "m/main.tf": 'resource "aws_sqs_queue" "q" {}\n',
        },
    )
    found = {a: (r.provider, r.region, r.planned.get("tags_all")) for a, r in resources_of(plan).items()}
    aws = "registry.terraform.io/hashicorp/aws"
    defaults = {"owner": "team", "cost": "1"}
    assert found == {
        "aws_vpc.a": (aws, "eu-west-1", {"owner": "team", "cost": "2"}),
        "aws_vpc.w": (aws, "us-west-2", None),
        "aws_new_thing.n": (aws, "eu-west-1", None),
        "my_thing.m": ("example.com/corp/my", "", None),
        "module.m.aws_sqs_queue.q": (aws, "us-west-2", None),
        "module.d.aws_sqs_queue.q": (aws, "eu-west-1", defaults),
    }
    assert plan.providers == ("example.com/corp/my", aws)


def test_programs_that_the_source_would_run_are_listed(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
resource "terraform_data" "a" {
  count = 2
  provisioner "local-exec" { command = "true" }
}
resource "terraform_data" "none" {
  count = 0
  provisioner "remote-exec" {}
}
data "external" "e" {}
resource "terraform_data" "acts" {
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.aws_lambda_invoke.x]
    }
  }
}
""",
    )
    assert plan.provisioners == (
        Provisioner(address="terraform_data.a", type="local-exec", runs=True),
        Provisioner(address="terraform_data.none", type="remote-exec", runs=False),
        Provisioner(address="terraform_data.acts", type="action:aws_lambda_invoke", runs=True),
        Provisioner(address="data.external.e", type="external", runs=True),
    )


CHECKED = (
    {
        "main.tf": 'check "health" {\n  data "external" "e" {\n    program = ["true"]\n  }\n}\n'
        'removed {\n  from = x_y.gone\n  provisioner "local-exec" {\n    when = destroy\n  }\n}\n'
    },
    {
        "main.tf.json": '{"check": {"health": {"data": {"external": {"e": {"program": ["true"]}}}}}, '
        '"removed": [{"from": "x_y.gone", "provisioner": {"local-exec": {"when": "destroy"}}}]}'
    },
)


@pytest.mark.parametrize("files", CHECKED, ids=["native", "json"])
def test_programs_of_checks_and_of_what_is_removed_are_listed(tmp_path: Path, files: dict[str, str]) -> None:
    plan = plan_of(tmp_path, files)
    assert [(r.address, r.action) for r in plan.resources] == [("data.external.e", Action.READ)]
    assert plan.provisioners == (
        Provisioner(address="x_y.gone", type="local-exec", runs=True),
        Provisioner(address="data.external.e", type="external", runs=True),
    )


def test_the_default_of_a_variable_in_the_json_syntax_is_what_stands_there(tmp_path: Path) -> None:
    text = '{"variable": {"v": {"default": "${1 + 1}"}}, "resource": {"x_y": {"z": {"a": "${var.v}"}}}}'
    plan = plan_of(tmp_path, {"main.tf.json": text})
    assert resources_of(plan)["x_y.z"].planned == {"a": "${1 + 1}"}


def test_two_slashes_are_a_name_in_an_object_that_is_a_value(tmp_path: Path) -> None:
    text = '{"locals": {"m": {"//": 1}}, "resource": {"x_y": {"z": {"a": "${length(local.m)}", "//": "no"}}}}'
    plan = plan_of(tmp_path, {"main.tf.json": text})
    assert resources_of(plan)["x_y.z"].planned == {"a": 1}


def test_overrides_are_merged_as_terraform_does(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "main.tf": 'resource "x_y" "z" {\n  a = 1\n  b = 1\n  in { n = 1 }\n  in { n = 2 }\n  keep { n = 1 }\n}\n'
            'variable "v" { default = 1 }\nlocals { l = 1 }\n',
            "override.tf": 'resource "x_y" "z" {\n  b = 2\n  dynamic "in" {\n    for_each = [3]\n'
            "    content { n = in.value }\n  }\n}\n",
            "b_override.tf": 'variable "v" { default = 2 }\nlocals { l = 2 }\n'
            'resource "x_y" "z" {\n  c = [var.v, local.l]\n}\n',
        },
    )
    (resource,) = plan.resources
    assert resource.planned == {"a": 1, "b": 2, "c": [2, 2], "in": [{"n": 3}], "keep": [{"n": 1}]}
    assert resource.place("/b") == Location(file="override.tf", line=2, column=3)


def test_an_override_of_nothing_and_a_second_declaration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanParseError, match=r"override.tf: line 1 column 1: overrides resource x_y.z"):
        plan_of(tmp_path / "a", {"main.tf": "", "override.tf": 'resource "x_y" "z" {}'})
    with pytest.raises(
        PlanParseError, match=r"b.tf: line 1 column 1: resource x_y.z is declared twice \(first at a.tf:1\)"
    ):
        plan_of(tmp_path / "b", {"a.tf": 'resource "x_y" "z" {}', "b.tf": 'resource "x_y" "z" {}'})


def test_opentofu_files_win_over_terraform_files_of_the_same_name(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "a.tf": 'resource "x_y" "tf" {}',
            "a.tofu": 'resource "x_y" "tofu" {}',
            "b.tf": 'resource "x_y" "b" {}',
            ".c.tf": "(",
        },
    )
    assert list(resources_of(plan)) == ["x_y.tofu", "x_y.b"]


def test_the_json_syntax_says_the_same(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        {
            "main.tf.json": """{
  "//": "a comment",
  "variable": {"n": {"type": "number", "default": "2"}},
  "locals": {"l": "${var.n + 1}"},
  "resource": {"x_y": {"z": {
    "count": "${var.n}",
    "name": "n-${count.index}-${local.l}",
    "tags": {"a": "${local.l}", "//": "no comment here"},
    "provider": "x.alias",
    "lifecycle": {"ignore_changes": ["name"]},
    "dynamic": {"in": {"for_each": [1], "content": {"v": "${in.value}"}}}
  }}}
}
"""
        },
    )
    first = resources_of(plan)["x_y.z[0]"]
    assert set(resources_of(plan)) == {"x_y.z[0]", "x_y.z[1]"}
    assert first.planned == {"name": "n-0-3", "tags": {"a": 3}, "in": [{"v": 1}]}
    assert first.location == Location(file="main.tf.json", line=5, column=24)
    assert first.place("/name") == Location(file="main.tf.json", line=7, column=5)


def test_files_are_read_by_functions_and_count_for_the_digest(tmp_path: Path) -> None:
    files = {
        "main.tf": 'resource "x_y" "z" {\n'
        '  a = file("${path.module}/a.txt")\n  b = templatefile("t.tpl", { n = [1, 2] })\n'
        '  c = fileset("${path.module}", "d/**/*.txt")\n  d = fileexists("nope")\n  e = filesha256("a.txt")\n}\n',
        "a.txt": "text",
        "t.tpl": "%{ for x in n ~}\n<${x}>\n%{ endfor ~}\n",
        "d/1.txt": "",
        "d/e/2.txt": "",
    }
    plan = plan_of(tmp_path / "one", files)
    assert plan.resources[0].planned == {
        "a": "text",
        "b": "<1>\n<2>\n",
        "c": ["d/1.txt", "d/e/2.txt"],
        "d": False,
        "e": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1",
    }
    digests = {plan.source.sha256}
    for name, change in {"a.txt": "other", "t.tpl": "x", "d/3.txt": "", "nope": ""}.items():
        digests.add(plan_of(tmp_path / name, {**files, name: change}).source.sha256)
    digests.add(plan_of(tmp_path / "var", files, variables={"x": "1"}).source.sha256)
    assert len(digests) == 6
    assert plan_of(tmp_path / "again", files).source.sha256 == plan.source.sha256


def test_many_instances_that_read_many_do_not_make_their_product(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
resource "x_y" "a" {
  count = 300
}
resource "x_y" "b" {
  count = 300
  all   = x_y.a[*].id
}
""",
    )
    assert resources_of(plan)["x_y.b[0]"].references == (
        Reference(at="/all", address="x_y.a", exact=False, attribute="id"),
    )


def test_places_serve_a_plan_of_the_same_source(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        UNSET
        + 'resource "x_y" "z" {\n  for_each = var.u\n  a = 1\n}\nresource "x_y" "c" {\n  count = 1\n}\n',
    )
    found = locations(plan)
    assert found["x_y.z"] == (
        Location(file="main.tf", line=2, column=1),
        {"/a": Location(file="main.tf", line=4, column=3)},
    )
    assert found["x_y.c"][0] == found["x_y.c[0]"][0] == Location(file="main.tf", line=6, column=1)


def test_imports_of_the_source_are_imports_of_the_plan(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
import {
  to = x_y.z["a"]
  id = "i-1"
}
resource "x_y" "z" {
  for_each = toset(["a"])
}
moved {
  from = x_y.o
  to   = x_y.z
}
removed {
  from = x_y.r
}
check "c" {
  assert {
    condition     = true
    error_message = "m"
  }
}
""",
    )
    assert [(r.address, r.importing) for r in plan.resources] == [('x_y.z["a"]', {"id": "i-1"})]


def test_files_are_named_as_the_folder_is_shown(tmp_path: Path) -> None:
    a_folder(tmp_path, {"infra/main.tf": 'resource "x_y" "z" {}'})
    plan = parse(SourceTree(tmp_path, Limits(), "repo/"), "infra", "infra", Options(), Limits())
    assert plan.resources[0].location == Location(file="repo/infra/main.tf", line=1, column=1)
