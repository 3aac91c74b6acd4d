"""Real Terraform plans of many versions and makers: each is read in full, or refused for a reason listed here."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec
import pytest

from plangate.errors import PlanParseError
from plangate.facts.registry import with_facts
from plangate.gate import encode_plan
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN, at_pointer
from tests.plan_documents import read
from tests.plan_oracle import expected, found
from tests.tools import ROOT, SHARED

FOLDER: Final = "terraform-plan/"
REFUSED: Final = {
    # Plans whose changes were taken out (INDEX: "no resource_changes"): they plan resources, and list no change.
    "aquasecurity__trivy/pkg/iac/scanners/terraformplan/tfjson/testdata/plan_no_resource_changes.json":
        "line 1 (/resource_changes): no entry for null_resource.a, which planned_values lists",
    "bridgecrewio__checkov/tests/terraform/runner/resources/plan_with_resource_reference/tfplan_graph.json":
        "/resource_changes: no entry for aws_s3_bucket.example, which planned_values lists",
    "infracost__infracost/internal/providers/terraform/testdata/hcl_provider_test/renders_module_resources/expected.json":
        "/resource_changes: no entry for aws_vpn_connection.example, which planned_values lists",
    "infracost__infracost/internal/providers/terraform/testdata/hcl_provider_test/renders_multiple_count_resources_correctly/expected.json":
        "/resource_changes: no entry for aws_eip.constant_string[0], which planned_values lists",
    "terraform-compliance__cli/tests/functional/test_issue-132/plan.out.json":
        "/resource_changes: no entry for aws_sagemaker_notebook_instance.foo, which planned_values lists",
    # Cut out of a plan by hand (INDEX: format_version=None).
    "bridgecrewio__checkov/tests/terraform/parser/resources/plan_vpc_endpoint/tfplan.json":
        "/format_version: missing, so this is no plan we can trust (supported: 0.1 to 1.x)",
    "hieven__terraform-visual/gh-pages/src/data/examples/aws-s3.json":
        "/format_version: missing, so this is no plan we can trust (supported: 0.1 to 1.x)",
    # Not plans, and not JSON (INDEX: "malformed").
    "bridgecrewio__checkov/tests/terraform/runner/resources/plan/corrupted-tfplan.json":
        "this is a state, not a plan",
    "cycloidio__terracost/testdata/aws/terraform-plan-noprovider.json":
        "line 190 column 1: not JSON: extra data",
    "hashicorp__terraform-json/testdata/invalid/plan.json":
        "line 676 column 29: not JSON: extra data",
    "tenable__terrascan/pkg/iac-providers/tfplan/v1/testdata/invalid-json.json":
        "line 1 column 1: not JSON: expecting value",
    "tenable__terrascan/pkg/iac-providers/tfplan/v1/testdata/invalid-tfplan.json":
        "empty document (expected a plan)",
    # What a remote run shows to people who may not see its values (INDEX: "redacted cloud plan").
    "opentofu__opentofu/internal/cloud/testdata/apply-json-with-outputs/plan-redacted.json":
        "this is a redacted plan of a remote run, which hides values and configuration",
    "opentofu__opentofu/internal/cloud/testdata/apply-json-with-provisioner-error/plan-redacted.json":
        "this is a redacted plan of a remote run, which hides values and configuration",
    "opentofu__opentofu/internal/cloud/testdata/plan-json-no-changes/plan-redacted.json":
        "this is a redacted plan of a remote run, which hides values and configuration",
}  # fmt: skip


def plan_files() -> Iterator[tuple[str, Path]]:
    corpus = SHARED / "corpus"
    with (corpus / "INDEX.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["path"].startswith(FOLDER):
                yield row["path"].removeprefix(FOLDER), corpus / row["path"]


@cache
def readings() -> dict[str, Plan | str]:
    """Each file's plan, or the sentence that it is refused with."""
    said: dict[str, Plan | str] = {}
    for name, path in plan_files():
        try:
            said[name] = read(path.read_bytes())
        except PlanParseError as error:
            said[name] = str(error).removeprefix("plan.json: ")
    return said


def documents() -> Iterator[tuple[str, Plan, dict[str, Any]]]:
    for name, path in plan_files():
        plan = readings()[name]
        if isinstance(plan, Plan):
            data = path.read_bytes()
            yield (
                name,
                plan,
                json.loads(data.decode(json.detect_encoding(data)).lstrip("\ufeff"), parse_float=Decimal),
            )


@pytest.mark.usefixtures("shared")
def test_every_real_plan_is_read_or_refused_for_the_listed_reason() -> None:
    said = readings()
    refused = {name: reading for name, reading in said.items() if isinstance(reading, str)}
    read_in = Counter(plan.source.format_version for plan in said.values() if isinstance(plan, Plan))
    lines = [f"{len(said)} plan documents: {len(said) - len(refused)} read {dict(sorted(read_in.items()))}"]
    lines += [f"  {number} refused: {reason}" for reason, number in Counter(refused.values()).most_common()]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert refused == REFUSED
    assert len(said) - len(refused) == 343


@pytest.mark.usefixtures("shared")
def test_a_second_reading_of_every_plan_finds_the_same_resources_actions_unknowns_and_secrets() -> None:
    for name, plan, document in documents():
        entries = document.get("resource_changes") or []
        assert [found(resource) for resource in plan.resources] == [expected(entry) for entry in entries], (
            name
        )


@pytest.mark.usefixtures("shared")
def test_an_unknown_is_never_absent_in_any_real_plan() -> None:
    for name, plan, _ in documents():
        for resource in plan.resources:
            values = [at_pointer(resource.planned, pointer) for pointer in resource.unknown if pointer]
            assert all(value is UNKNOWN for value in values), (name, resource.address)


@pytest.mark.usefixtures("shared")
def test_flags_checks_outputs_and_drift_are_those_of_the_document() -> None:
    for name, plan, document in documents():
        assert (plan.complete, plan.errored, plan.applyable) == (
            document.get("complete", True) and not document.get("deferred_changes"),
            document.get("errored", False),
            document.get("applyable"),
        ), name
        assert [check.status for check in plan.checks] == [
            c["status"] for c in document.get("checks") or []
        ], name
        assert {output.name for output in plan.outputs} == set(document.get("output_changes") or {}), name
        drift = [(d["type"], d["change"]["before"]) for d in document.get("resource_drift") or []]
        assert [(d.type, d.before) for d in plan.drift] == drift, name


@pytest.mark.usefixtures("shared")
def test_every_exact_reference_of_a_real_plan_names_an_entry_of_it() -> None:
    exact = 0
    for name, plan, _ in documents():
        addresses = {resource.address for resource in plan.resources}
        for resource in plan.resources:
            targets = {reference.address for reference in resource.references if reference.exact}
            exact += len(targets)
            assert targets <= addresses, (name, resource.address)
    assert exact > 500


@pytest.mark.usefixtures("shared")
def test_no_resource_that_an_expression_of_a_root_module_names_is_lost() -> None:
    looked = 0
    for name, plan, document in documents():
        configured = document.get("configuration", {}).get("root_module", {}).get("resources", [])
        named = {
            (
                f"{'data.' if c['mode'] == 'data' else ''}{c['type']}.{c['name']}",
                f"/{attribute}",
                ".".join(parts[:2]),
            )
            for c in configured
            for attribute, expression in c.get("expressions", {}).items()
            if isinstance(expression, dict)
            for reference in expression.get("references", [])
            if len(parts := reference.split("[")[0].split(".")) >= 2
            and parts[0]
            not in {"var", "local", "module", "data", "each", "count", "path", "self", "terraform"}
        }
        for resource in plan.resources:
            own = resource.address.split("[")[0]
            wanted = {target for source, at, target in named if source == own and not resource.module_address}
            led_to = {reference.address.split("[")[0] for reference in resource.references}
            assert wanted <= led_to, (name, resource.address)
            looked += len(wanted)
    assert looked > 300


@pytest.mark.usefixtures("shared")
def test_every_real_plan_with_its_facts_fits_the_published_schema() -> None:
    schema = json.loads((ROOT / "src/plangate/schemas/plan.v1.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for name, plan, _ in documents():
        if len(plan.resources) > 1_000:
            # The scale test's resources are all of one kind, and a schema check of each takes a minute.
            plan = plan.__class__(source=plan.source, resources=plan.resources[:100])  # noqa: PLW2901
        full = plan.__class__(**{f: getattr(plan, f) for f in plan.__struct_fields__} | {
            "resources": with_facts(plan.resources)
        })  # fmt: skip
        problems = [
            error.message[:200] for error in validator.iter_errors(msgspec.json.decode(encode_plan(full)))
        ]
        assert problems == [], name


# --- Runs of terraform 1.11.4 --------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared")
def test_the_runs_have_the_flags_actions_drift_checks_and_providers_that_their_index_gives() -> None:
    words = {"delete/create": "replace", "create/delete": "replace"}
    for case in json.loads((SHARED / "terraform-runs" / "INDEX.json").read_text()):
        plan = read((SHARED / "terraform-runs" / case["case"] / "plan.json").read_bytes())
        assert {
            "applyable": plan.applyable,
            "complete": plan.complete,
            "errored": plan.errored,
            "actions": sorted({resource.action.value for resource in plan.resources}),
            "drift": len(plan.drift),
            "checks": sorted(check.status for check in plan.checks),
        } == {
            "applyable": case["applyable"],
            "complete": case["complete"],
            "errored": case["errored"],
            "actions": sorted({words.get(word, word) for word in case["actions"]}),
            "drift": case["drift"],
            "checks": sorted(case["checks"]),
        }, case["case"]
        assert set(plan.providers) >= set(case["providers"]), case["case"]


def run_of(name: str) -> Plan:
    return read((SHARED / "terraform-runs" / name / "plan.json").read_bytes())


def generated(name: str) -> Plan:
    return read((SHARED / "corpus/terraform-plan/generated-with-terraform-1.11.4" / name).read_bytes())


@pytest.mark.usefixtures("shared")
def test_no_secret_of_the_runs_is_forgotten() -> None:
    for path in sorted((SHARED / "terraform-runs").glob("*/plan.json")):
        plan = read(path.read_bytes())
        assert ("hunter2hunter2" in plan.secrets) == (b'"hunter2hunter2"' in path.read_bytes()), path


@pytest.mark.usefixtures("shared")
def test_a_plan_of_every_action_is_read_as_its_index_describes_it() -> None:
    plan = generated("03-mixed-all-actions.json")
    changes = {word: number for word, number in plan.changes.items() if number}
    assert set(changes) == {"create", "update", "delete", "replace", "read", "no-op", "forget", "import"}
    assert {r.replace_order for r in plan.resources if r.replace_order} == {"destroy-first", "create-first"}
    assert any(r.previous_address for r in plan.resources)
    assert {r.reason for r in plan.resources if r.action == "delete"} >= {"delete_because_no_resource_config"}


@pytest.mark.usefixtures("shared")
def test_a_deposed_object_of_a_run_is_told_from_its_resource() -> None:
    deposed = [r for r in generated("10-deposed-object.json").resources if r.deposed]
    assert [(r.action.value, r.exists_after) for r in deposed] == [("delete", False)]


@pytest.mark.usefixtures("shared")
def test_references_of_a_real_three_tier_plan_lead_to_their_resources() -> None:
    plan = run_of("20-aws-three-tier-create")
    edges = {
        (resource.address, reference.at, reference.address)
        for resource in plan.resources
        for reference in resource.references
        if reference.exact
    }
    assert {pair for pair in edges if pair[0].startswith("aws_instance")} != set()
    assert all(reference in {r.address for r in plan.resources} for _, _, reference in edges)


@pytest.mark.usefixtures("shared")
def test_a_provisioner_of_a_real_plan_runs() -> None:
    assert [(p.type, p.runs) for p in run_of("19-provisioner-local-exec").provisioners] == [
        ("local-exec", True)
    ]
