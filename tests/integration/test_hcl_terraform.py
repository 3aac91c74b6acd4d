"""Source as it is read here against what the real program plans for it: the same addresses, the same known values."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.model.address import patterns
from plangate.model.plan import Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse
from plangate.parsers.terraform_plan import parse as parse_plan
from tests.terraform_project import Project, the_tool
from tests.tools import ROOT, SHARED, skip_or_fail

EXPRESSIONS: Final = ROOT / "fixtures" / "terraform-source" / "expressions" / "main.tf"
RUNS: Final = SHARED / "terraform-runs"
GENERATED: Final = SHARED / "corpus" / "terraform-hcl" / "generated-with-terraform-1.11.4"
_UNTOUCHED: Final = {
    # The plan has fewer resources than the source: destroyed, or left out by -target or by a failing condition.
    "03-destroy": {"terraform_data.a", "terraform_data.b"},
    "15-precondition-failing": {"terraform_data.a"},
    "17-target-incomplete": {"terraform_data.b"},
    "22-prevent-destroy": {"terraform_data.a"},
    "25-aws-destroy": {"aws_instance.i", "aws_security_group.w", "aws_subnet.s", "aws_vpc.v"},
    "27-aws-drift-refresh-only": {"aws_instance.i", "aws_security_group.w", "aws_subnet.s", "aws_vpc.v"},
}
_DIGITS: Final = 150
"""Terraform has 512 bits of mantissa, which are between 154 and 155 digits."""


def source_plan(folder: Path) -> Plan:
    return parse(SourceTree(folder, Limits()), "", folder.name, Options(), Limits())


def real_plan(data: bytes) -> Plan:
    return parse_plan(Input(name="plan.json", data=data, sha256="0" * 64, size=len(data)), Limits())


def planned_by(name: str, folder: Path, into: Path) -> Plan:
    """The plan that the real program makes of a copy of the folder."""
    tool = the_tool(name)
    shutil.copytree(folder, into, dirs_exist_ok=True)
    project = Project(folder=into, tool=tool)
    project.run("init", "-input=false")
    project.run("plan", "-input=false", "-out=tfplan")
    return real_plan(project.run("show", "-json", "tfplan").encode())


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where our value is known and theirs is another; what they know more is not wrong here."""
    if ours is UNKNOWN:
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{at}/{key}: only here" for key in ours.keys() - theirs.keys() if ours[key] is not None]
        shared = sorted(ours.keys() & theirs.keys())
        return missing + [d for key in shared for d in differences(ours[key], theirs[key], f"{at}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, f"{at}/{i}")]
    if isinstance(ours, Decimal) and isinstance(theirs, Decimal):
        return [] if abs(ours - theirs) < Decimal(10) ** -_DIGITS else [f"{at}: {ours} for {theirs}"]
    return [] if type(ours) is type(theirs) and ours == theirs else [f"{at}: {ours!r} for {theirs!r}"]


def unknown_but_known(ours: Resource, theirs: Resource) -> set[str]:
    return set(ours.unknown) - set(theirs.unknown)


def managed(plan: Plan) -> dict[str, Resource]:
    return {
        r.address: r for r in plan.resources if r.mode == "managed" and r.after is not None and not r.deposed
    }


def run_names() -> list[str]:
    return sorted(p.parent.name for p in RUNS.glob("*/plan.json") if (p.parent / "main.tf").exists())


def test_there_are_runs_to_compare_with(shared: Path) -> None:
    assert len(run_names()) >= 20
    assert (shared / "terraform-runs" / "INDEX.json").is_file()


@pytest.mark.parametrize("name", run_names())
def test_source_is_read_as_terraform_planned_it(name: str) -> None:
    ours = managed(source_plan(RUNS / name))
    theirs = managed(real_plan((RUNS / name / "plan.json").read_bytes()))
    assert ours.keys() - theirs.keys() == _UNTOUCHED.get(name, set())
    assert theirs.keys() <= ours.keys()
    for address, real in theirs.items():
        mine = ours[address]
        # The complete tags are known here; a provider leaves them to be computed when there are none by default.
        values = {key: value for key, value in mine.planned.items() if key != "tags_all"}
        assert differences(values, dict(real.planned)) == [], address
        assert mine.provider == real.provider
        assert mine.region == real.region
        assert mine.configured == real.configured
        assert mine.index == real.index
        assert {(r.at, r.address, r.attribute) for r in mine.references if r.exact} <= {
            (r.at, a, r.attribute) for r in real.references for a in _covered(r.address, ours)
        }


def _covered(pattern: str, addresses: dict[str, Resource]) -> set[str]:
    return {address for address in addresses if pattern in patterns(address)}


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("base", "terraform"),
        ("base", "tofu"),
        ("expr", "terraform"),  # its ephemeral variable is nothing that every OpenTofu reads
        ("nest", "terraform"),
        ("nest", "tofu"),
    ],
)
def test_source_is_read_as_the_real_program_plans_it_now(name: str, tool: str, tmp_path: Path) -> None:
    if not GENERATED.is_dir():
        skip_or_fail("shared", "the folder of shared inputs is not beside this repository")
    source = tmp_path / "work"
    shutil.copytree(GENERATED / name, source)
    main = source / "main.tf"
    # A remote state that is not there fails the plan, and is no resource.
    text = main.read_text()
    if "terraform_remote_state" in text:
        main.write_text(_without_remote_state(text))
    mine, real = source_plan(source), planned_by(tool, source, tmp_path / "real")
    ours, theirs = managed(mine), managed(real)
    assert ours.keys() == theirs.keys()
    for address, resource in theirs.items():
        assert differences(dict(ours[address].planned), dict(resource.planned)) == [], address
        assert unknown_but_known(ours[address], resource) == set(), address
        assert ours[address].sensitive == resource.sensitive
        assert ours[address].references == resource.references
    assert {(o.name, o.sensitive) for o in mine.outputs} == {(o.name, o.sensitive) for o in real.outputs}
    for one, other in zip(mine.outputs, real.outputs, strict=True):
        assert differences(one.after, other.after) == [], one.name


def _without_remote_state(text: str) -> str:
    start = text.index('data "terraform_remote_state"')
    return text[:start] + text[text.index("\n}\n", start) + 3 :]


@pytest.mark.terraform
@pytest.mark.parametrize("tool", ["terraform", "tofu"])
def test_every_kind_of_expression_has_the_value_that_the_real_program_gives(
    tool: str, tmp_path: Path
) -> None:
    real = planned_by(tool, EXPRESSIONS.parent, tmp_path)
    mine = source_plan(EXPRESSIONS.parent)
    (ours,), (theirs,) = mine.outputs, real.outputs
    assert ours.after.keys() == theirs.after.keys()
    for name, value in theirs.after.items():
        assert differences(ours.after[name], value) == [], name
        assert "UNKNOWN" not in repr(ours.after[name]), name
        # `true` and `1` are equal in Python.
        assert json.dumps(_sorted(ours.after[name])) == json.dumps(_sorted(value)), name


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value
