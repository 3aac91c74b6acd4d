"""Every built-in rule in every format: fixtures show what passes, fails and is not known, or there is a reason."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from plangate.facts.registry import ADAPTER_ERROR
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.model.plan import Plan
from plangate.parsers.base import Options
from plangate.rules.base import Phase
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.format_matrix import (
    FIXTURES,
    FOLDERS,
    FORMATS,
    SETTINGS,
    WORDS,
    Shown,
    cells,
    expected,
    fixtures,
    is_shown,
    outcomes,
    plan_of,
    read,
)

OBJECTS: Final = ("pod-security", "service-not-exposed", "rbac-no-wildcard", "default-namespace-unused")
"""Rules about objects of Kubernetes alone."""
CONTAINERS: Final = (
    "workload-not-privileged", "workload-no-host-namespaces", "workload-no-host-path", "workload-non-root",
    "workload-drops-capabilities", "workload-read-only-root", "workload-resource-limits", "image-pinned",
    "secret-not-in-env",
)  # fmt: skip
"""Rules about containers, of Kubernetes or not."""
CLOUD: Final = (
    "instance-no-public-ip", "instance-metadata-v2", "ingress-no-open-admin-ports", "ingress-no-open-all",
    "bucket-no-public-access", "bucket-encrypted", "bucket-versioned", "database-not-public", "database-encrypted",
    "volume-encrypted", "iam-no-full-admin", "listener-tls", "key-rotation", "cluster-endpoint-private",
)  # fmt: skip
"""Rules about what a cloud makes."""


def without() -> Iterator[tuple[tuple[str, str], str]]:
    """Cells that do not show both answers, each with the reason."""

    def each(
        rules: Iterable[str], columns: Iterable[str], reason: str
    ) -> Iterator[tuple[tuple[str, str], str]]:
        for rule in rules:
            for column in columns:
                yield (rule, column), reason

    yield from each(CLOUD, ["kubernetes", "compose"], "it makes nothing of a cloud's")
    yield from each(
        ["allowed-regions"], ["kubernetes", "compose"], "a cluster or a machine is in a region, not these"
    )
    yield from each(
        (*CONTAINERS, *OBJECTS), ["cloudformation", "azure-template"], "it makes no objects of Kubernetes"
    )
    yield from each(OBJECTS, ["compose"], "a service of a compose file is no object of Kubernetes")
    yield from each(
        ["allowed-providers"],
        ["cloudformation", "kubernetes", "compose", "azure-template"],
        "everything in it is made by one and the same",
    )
    yield from each(
        ["no-stateful-destroy", "blast-radius"],
        ["terraform-source", "compose", "azure-template"],
        "it says what shall be, not what goes or changes",
    )
    yield from each(
        ["no-provisioners"], ["cloudformation", "kubernetes"], "it starts nothing where it is applied from"
    )
    yield from each(
        ["instance-metadata-v2"], ["azure-template"], "the service of Azure always asks for a header"
    )
    yield from each(
        ["bucket-versioned"], ["azure-template"], "it is said inside of the account, which is not read"
    )
    yield from each(["iam-no-full-admin"], ["azure-template"], "assignments of roles are not read")
    yield from each(["listener-tls"], ["azure-template"], "gateways are not read")


NOT_SHOWN: Final = dict(without())
NEVER_UNKNOWN: Final = {
    **{("blast-radius", column): "what happens to a resource is always said" for column in FORMATS},
    **{
        ("no-provisioners", column): "a program that is not known yet runs all the same" for column in FORMATS
    },
    ("allowed-providers", "terraform-source"): "source always names a provider, if only by the type",
    ("allowed-providers", "pulumi"): "a type names its package",
    ("allowed-regions", "cloudformation"): "a change set is of one region, and says of which",
}
"""Cells with both answers in which nothing can be unknown."""

CELLS: Final = [(rule, column) for rule in RULES for column in FORMATS]
NAMED: Final = [shown for shown in fixtures() if shown.path.parent.parent.name in {*FOLDERS.values()}]


def name_of(shown: Shown) -> str:
    return f"{shown.column}-{shown.path.stem}"


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_a_rule_passes_fails_and_is_unknown_in_a_format_or_there_is_a_reason(cell: tuple[str, str]) -> None:
    if cell in NOT_SHOWN:
        assert not is_shown(cell), "the reason no longer holds"
        return
    assert cells()[cell] >= {"pass", "fail"}
    assert ("unknown" in cells()[cell]) is (cell not in NEVER_UNKNOWN)


def test_every_reason_is_about_a_cell_that_there_is() -> None:
    assert set(NOT_SHOWN) | set(NEVER_UNKNOWN) <= set(CELLS)
    assert {*CONTAINERS, *OBJECTS, *CLOUD} < set(RULES)


def test_no_fixture_makes_a_rule_fail_to_answer() -> None:
    assert not [cell for cell, seen in cells().items() if "error" in seen]


@pytest.mark.parametrize("column", FORMATS)
def test_every_fixture_is_taken_for_what_it_is(column: str) -> None:
    formats = {plan_of(shown.path).source.format for shown in fixtures() if shown.column == column}
    assert formats
    assert formats <= FORMATS[column]


@pytest.mark.parametrize("folder", FOLDERS.values())
def test_every_file_is_of_a_rule(folder: str) -> None:
    files = set((FIXTURES / folder / "rules").iterdir())
    assert files == {shown.path for shown in NAMED if shown.path.parent.parent.name == folder}


@pytest.mark.parametrize("shown", NAMED, ids=name_of)
def test_each_resource_comes_out_as_its_name_says(shown: Shown) -> None:
    found = outcomes(shown)
    _, dot, word = shown.path.stem.partition(".")
    if dot:
        # A rule about the plan as a whole, or of a thing that is the same in all of it: one file for each answer.
        assert set(found.values()) - {"not_applicable"} == {WORDS[word]}
        return
    assert RULES[shown.rule].phase is not Phase.PLAN
    named = {r.address: said for r in plan_of(shown.path).resources if (said := expected(r.name)) is not None}
    assert named
    assert {address: found.get(address) for address in named} == named


@pytest.mark.parametrize("shown", NAMED, ids=name_of)
def test_each_resource_has_exactly_the_facts_of_its_kind(shown: Shown) -> None:
    for resource in plan_of(shown.path).resources:
        assert ADAPTER_ERROR not in resource.facts, resource.address
        if resource.mode == "managed":
            assert set(resource.facts) == {*COMMON_FACTS, *KINDS.get(resource.kind, ())}, resource.address


MACHINE: Final = FIXTURES / "machine"
WRITTEN: Final = ("plan.json", "main.tf", "template.yaml", "preview.json")
HERE: Final = Options(parameters={"AWS::Region": "eu-central-1"})
"""A template does not say where it will be deployed."""


def answers(plan: Plan) -> set[tuple[str, str, str]]:
    """Rule, kind and answer of everything but the parts that only one format has."""
    kinds = {resource.address: resource.kind for resource in plan.resources}
    found, _ = evaluate(plan, RULES, {rule: given for rule, given in SETTINGS.items() if rule in RULES})
    return {
        (outcome.rule, kinds.get(outcome.address, ""), outcome.status.value)
        for outcome in found
        if kinds.get(outcome.address) != "resource.part"
    }


BAD: Final = {
    ("instance-no-public-ip", "compute.instance"),
    ("instance-metadata-v2", "compute.instance"),
    ("ingress-no-open-admin-ports", "network.security_group"),
    ("volume-encrypted", "compute.instance"),
    ("volume-encrypted", "disk.volume"),
    ("required-tags", "compute.instance"),
    ("required-tags", "network.security_group"),
    ("required-tags", "disk.volume"),
}
"""What is wrong with the open machine."""


@pytest.mark.parametrize("written", WRITTEN)
def test_the_same_machine_is_judged_alike_in_every_format(written: str) -> None:
    opened, closed = (answers(read(MACHINE / side / written, HERE)) for side in ("open", "closed"))
    assert opened == answers(plan_of(MACHINE / "open" / "plan.json"))
    assert closed == answers(plan_of(MACHINE / "closed" / "plan.json"))
    assert {(rule, kind) for rule, kind, answer in opened if answer != "pass"} == BAD
    assert {answer for rule, kind, answer in opened if (rule, kind) in BAD} == {"fail"}
    assert {answer for _, _, answer in closed} == {"pass"}


def test_the_machine_is_written_in_every_format_of_clouds() -> None:
    files: set[tuple[str, ...]] = {
        tuple(sorted(path.name for path in folder.iterdir()))
        for folder in MACHINE.iterdir()
        if folder.is_dir()
    }
    assert files == {tuple(sorted(WRITTEN))}


def test_a_fixture_that_nobody_judges_would_be_missed(tmp_path: Path) -> None:
    stray = tmp_path / "stray.json"
    stray.write_text('{"neither": "this nor that"}', encoding="utf-8")
    with pytest.raises(ValueError, match="stray"):
        plan_of(stray)


@pytest.mark.parametrize("rule", SETTINGS)
def test_what_the_rules_are_asked_with_is_what_a_user_may_say(rule: str) -> None:
    jsonschema.validate(dict(SETTINGS[rule]), dict(RULES[rule].settings_schema))
