"""What a module is read from: what Terraform would read, or it is not fully read."""

import json
from pathlib import Path

import pytest

from plangate.model.plan import Plan
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse

DATA = 'resource "terraform_data" "a" {}\n'


def planned(folder: Path, **files: str) -> Plan:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_tf", ".tf").replace("_tofu", ".tofu")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return parse(SourceTree(folder, Limits()), "", "source", Options(), Limits())


@pytest.mark.parametrize("tofu", ["main_tofu", "main_override_tofu", "other_tofu"])
def test_what_terraform_and_opentofu_read_differently_is_not_fully_read(tmp_path: Path, tofu: str) -> None:
    said = (".: Terraform leaves out the .tofu files, and OpenTofu reads them",)
    assert (
        planned(
            tmp_path, main_tf=DATA, **{tofu: DATA.replace("override", "a") if "other" not in tofu else ""}
        ).opaque
        == said
    )


def test_a_module_of_one_language_is_read(tmp_path: Path) -> None:
    assert planned(tmp_path, main_tofu=DATA).opaque == ()


@pytest.mark.parametrize(
    ("written", "installed", "is_read"),
    [
        ("acme/net/aws", "registry.terraform.io/acme/net/aws", True),
        ("acme/net/aws//modules/a", "registry.opentofu.org/acme/net/aws//modules/a", True),
        ("github.com/acme/net", "git::https://github.com/acme/net.git", True),
        ("git@github.com:acme/net.git", "git::ssh://git@github.com/acme/net.git", True),
        ("git::https://git.example/net.git//a?ref=v1", "git::https://git.example/net.git//a?ref=v1", True),
        ("git::https://git.example/net.git?ref=v2", "git::https://git.example/net.git?ref=v1", False),
        ("acme/net/aws", "./harmless", False),
        ("github.com/evil/net", "git::https://github.com/acme/net.git", False),
    ],
)
def test_an_installed_module_counts_only_for_the_source_that_it_is_from(
    tmp_path: Path, written: str, installed: str, is_read: bool
) -> None:
    entry = {"Key": "net", "Source": installed, "Dir": "harmless"}
    manifest = json.dumps({"Modules": [{"Key": "", "Source": "", "Dir": "."}, entry]})
    (tmp_path / ".terraform" / "modules").mkdir(parents=True)
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(manifest)
    plan = planned(tmp_path, main_tf=f'module "net" {{\n  source = "{written}"\n}}\n', harmless__main_tf=DATA)
    assert [r.address for r in plan.resources] == (["module.net.terraform_data.a"] if is_read else [])
    assert (plan.opaque == ()) is is_read
