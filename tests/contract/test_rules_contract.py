"""What holds for every rule and every adapter, found through the registries."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

import plangate.facts
import plangate.rules
from plangate.decision.outcome import Status
from plangate.facts import compose, kubernetes_terraform, pulumi
from plangate.facts.kubernetes_types import MODELLED
from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.rules.base import Phase, Rule
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan_from, case_file

RBAC: Final = "rbac.authorization.k8s.io/v1"
REPOSITORY: Final = Path(__file__).resolve().parents[2]
FIXTURES: Final = REPOSITORY / "fixtures" / "rules"
PAGES: Final = REPOSITORY / "docs" / "rules"
NOT_RULES: Final = {"base", "registry", "evaluate"}
OTHER_VERSIONS: Final = (
    {
        # The same adapter as another version's; tests/unit/facts/test_kubernetes.py has them all.
        native_type
        for native_type in MODELLED
        if native_type.rpartition("/")[0] not in {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", RBAC}
    }
    | {"v1/DeploymentConfig", "v1/PodTemplate", "v1/ReplicationController"}
    | {f"apps/v1/{kind}" for kind in ("DaemonSet", "ReplicaSet", "StatefulSet")}
    | {"batch/v1/Job"}
)
CIRCUMSTANCES: Final = ("pass", "fail", "absent", "unknown")


def slug(rule: Rule) -> str:
    return rule.spec.id.replace("-", "_")


def cases_of(rule: Rule) -> dict[str, Any]:
    cases: dict[str, Any] = json.loads((FIXTURES / slug(rule) / "cases.json").read_text(encoding="utf-8"))
    return cases


CASES: Final = [(rule, name) for rule in RULES.values() for name in cases_of(rule)]
EVERY_RULE: Final = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
EVERY_CASE: Final = pytest.mark.parametrize(("rule", "name"), CASES, ids=[f"{slug(r)}-{n}" for r, n in CASES])


def test_the_registry_lists_every_file_in_the_folder_and_nothing_else() -> None:
    files = {path.stem for path in Path(plangate.rules.__path__[0]).glob("*.py")} - NOT_RULES - {"__init__"}
    assert {slug(rule) for rule in RULES.values()} == files


def test_every_adapter_file_is_in_the_registry() -> None:
    files = {
        path.stem
        for prefix in ("aws", "azurerm", "google", "kubernetes")
        for path in Path(plangate.facts.__path__[0]).glob(f"{prefix}_*.py")
    }
    listed = {adapter.adapt.__module__.rpartition(".")[2] for adapter in ADAPTERS.values()}
    # Shared by several adapters, and themselves adapters of no type.
    assert files - listed == {
        "aws_metadata",
        "google_members",
        "kubernetes_metadata",
        "kubernetes_pod_security",
        "kubernetes_types",
    }


@pytest.mark.parametrize("folder", [FIXTURES, PAGES], ids=["fixtures", "docs"])
def test_slug_file_fixtures_and_page_agree(folder: Path) -> None:
    names = {path.stem for path in folder.iterdir()} - {"README", "index", "modules", "policies"}
    assert names == {slug(rule) for rule in RULES.values()}


def test_the_rules_have_the_ids_that_others_refer_to() -> None:
    assert set(RULES) == {
        "instance-no-public-ip", "instance-metadata-v2", "ingress-no-open-admin-ports", "ingress-no-open-all",
        "bucket-no-public-access", "bucket-encrypted", "bucket-versioned", "database-not-public",
        "database-encrypted", "volume-encrypted", "iam-no-full-admin", "listener-tls", "key-rotation",
        "cluster-endpoint-private", "required-tags", "allowed-regions", "no-stateful-destroy", "blast-radius",
        "no-provisioners", "allowed-providers",
        "workload-not-privileged", "workload-no-host-namespaces", "workload-no-host-path", "workload-non-root",
        "workload-drops-capabilities", "workload-read-only-root", "workload-resource-limits", "image-pinned",
        "secret-not-in-env", "pod-security", "service-not-exposed", "rbac-no-wildcard", "default-namespace-unused",
    }  # fmt: skip


@EVERY_RULE
def test_a_rule_tells_all_that_its_page_shows(rule: Rule) -> None:
    spec = rule.spec
    texts = (
        spec.title,
        spec.description,
        spec.remediation,
        rule.rationale,
        rule.bad.strip(),
        rule.good.strip(),
    )
    assert all(texts)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", spec.id)
    assert spec.frameworks
    assert rule.references
    assert all(url.startswith("https://") for url in rule.references)
    assert not spec.title.endswith(".")
    assert spec.description.endswith(".")
    assert rule.bad != rule.good


@EVERY_RULE
def test_a_rule_judges_kinds_that_exist_and_some_type_becomes(rule: Rule) -> None:
    made = {adapter.kind for adapter in ADAPTERS.values()} | {"container.workload"}
    assert set(rule.spec.kinds) <= made & set(KINDS)
    assert rule.phase is not Phase.PLAN or not rule.spec.kinds


@EVERY_RULE
def test_the_settings_of_a_rule_fit_their_own_schema(rule: Rule) -> None:
    schema = dict(rule.settings_schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    defaults = {name: part["default"] for name, part in schema.get("properties", {}).items()}
    jsonschema.validate(defaults, schema)
    assert all(part["description"] for part in schema.get("properties", {}).values())
    assert rule.needs == "" or rule.needs in defaults


@EVERY_RULE
def test_a_rule_has_cases_for_every_circumstance(rule: Rule) -> None:
    seen = {name.partition("_")[0] for name in cases_of(rule)}
    assert seen == set(CIRCUMSTANCES)
    files = [path for path in (FIXTURES / slug(rule)).iterdir() if path.suffix in {".json", ".yaml"}]
    plans = {path.stem for path in files} - {"cases"}
    assert plans == set(cases_of(rule))


@EVERY_CASE
def test_a_case_comes_out_as_it_says(rule: Rule, name: str) -> None:
    case = cases_of(rule)[name]
    jsonschema.validate(case["settings"], dict(rule.settings_schema))
    plan = a_plan_from(case_file(FIXTURES / slug(rule), name))
    outcomes, silent = evaluate(plan, {rule.spec.id: rule}, {rule.spec.id: case["settings"]})
    assert {outcome.address: outcome.status.value for outcome in outcomes} == case["outcomes"]
    assert len({(outcome.address, outcome.message) for outcome in outcomes}) == len(outcomes)
    assert list(silent) == ([] if outcomes else [rule.spec.id])
    assert all(outcome.message for outcome in outcomes if outcome.status is not Status.PASS)


@EVERY_RULE
def test_cases_are_named_for_what_comes_out(rule: Rule) -> None:
    for name, case in cases_of(rule).items():
        answers = set(case["outcomes"].values())
        if name.startswith("pass_"):
            assert answers <= {"pass", "not_applicable"}, name
            assert answers, name
        if name.startswith("fail_"):
            assert "fail" in answers, name
    unknown = {
        a for n, c in cases_of(rule).items() if n.startswith("unknown_") for a in c["outcomes"].values()
    }
    # A count does not depend on values, and a program that is not known yet runs all the same.
    assert ("unknown" in unknown) is (rule.spec.id not in {"blast-radius", "no-provisioners"})


@EVERY_CASE
def test_each_adapter_gives_exactly_the_facts_of_its_kind(rule: Rule, name: str) -> None:
    plan = a_plan_from(case_file(FIXTURES / slug(rule), name))
    for resource in plan.resources:
        assert ADAPTER_ERROR not in resource.facts, resource.address
        if resource.mode == "managed":
            assert set(resource.facts) == {*COMMON_FACTS, *KINDS.get(resource.kind, ())}, resource.address


def test_every_adapter_is_exercised_by_a_fixture() -> None:
    seen = set()
    for path in FIXTURES.glob("*/*_*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        seen |= {change["type"] for change in document["resource_changes"]}
    for path in FIXTURES.glob("*/*.yaml"):
        seen |= {resource.type for resource in a_plan_from(path).resources}
    # What only other formats have: tests/unit has them.
    elsewhere = set(compose.ADAPTERS) | set(pulumi.ADAPTERS)
    # The same adapters as those of the manifests, of which each kind of rule has one in a plan.
    objects = set(kubernetes_terraform.ADAPTERS) - {
        f"kubernetes_{name}_v1" for name in ("pod", "deployment", "service", "role", "config_map")
    }
    without = OTHER_VERSIONS | objects | elsewhere | {
        # The same adapter as another type's, under an older or a rarer name.
        "aws_alb", "aws_alb_listener", "aws_elasticsearch_domain", "aws_kms_replica_external_key", "aws_default_vpc",
        "aws_iam_group_policy_attachment", "aws_iam_role_policy_attachments_exclusive",
        "aws_iam_user_policy_attachments_exclusive", "aws_iam_group_policy_attachments_exclusive",
        "aws_ssoadmin_permission_set_inline_policy", "aws_ssoadmin_managed_policy_attachment",
        # No rule is about these yet; tests/unit/facts has them.
        "aws_ebs_snapshot_copy", "aws_lambda_function", "aws_lambda_function_url", "aws_ecr_repository",
        "aws_neptune_cluster_instance",
        "azurerm_container_registry", "azurerm_log_analytics_workspace", "azurerm_log_analytics_linked_service",
        "azurerm_function_app", "azurerm_function_app_slot", "azurerm_function_app_flex_consumption",
        "azurerm_linux_function_app", "azurerm_linux_function_app_slot", "azurerm_windows_function_app",
        "azurerm_windows_function_app_slot", "azurerm_pim_active_role_assignment",
        "google_artifact_registry_repository", "google_container_registry", "google_cloud_run_service",
        "google_cloud_run_v2_service", "google_cloudfunctions_function", "google_cloudfunctions2_function",
        "google_logging_billing_account_bucket_config", "google_logging_folder_bucket_config",
        "google_logging_organization_bucket_config", "google_logging_project_bucket_config",
        "google_bigquery_dataset_iam_binding", "google_bigquery_dataset_iam_policy",
        *(
            f"google_{place}_iam_{giver}"
            for place in (
                "cloud_run_service", "cloud_run_v2_service", "cloudfunctions2_function", "cloudfunctions_function",
            )
            for giver in ("member", "binding", "policy")
        ),
    }  # fmt: skip
    assert set(ADAPTERS) - seen == without


def test_every_kind_of_an_adapter_exists_and_every_link_is_a_provider_page() -> None:
    assert {adapter.kind for adapter in ADAPTERS.values()} <= set(KINDS)
    pages = [adapter.docs for adapter in ADAPTERS.values()]
    home = "https://registry.terraform.io/providers/hashicorp/"
    providers = (
        *(f"{home}{name}/" for name in ("aws", "azurerm", "google", "kubernetes")),
        "https://kubernetes.io/docs/reference/kubernetes-api/",
        "https://docs.docker.com/reference/compose-file/",
        "https://www.pulumi.com/docs/",
    )
    assert all(page.startswith(providers) for page in pages)


@pytest.mark.parametrize(
    "name",
    [
        "generate_rule_docs.py",
        "make_cloud_fixtures.py",
        "make_pulumi_fixtures.py",
        "generate_format_matrix.py",
    ],
)
def test_pages_and_plans_are_what_they_are_made_from(name: str) -> None:
    script = REPOSITORY / "scripts" / name
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        env={"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
