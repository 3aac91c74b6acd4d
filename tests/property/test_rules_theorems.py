"""What no value that a plan may hold can make a built-in rule do."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.decision.outcome import Outcome, Status
from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS, with_facts
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN, AllUnknown, pointer
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan, a_plan_from, a_resource, case_file

FIXTURES: Final = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
Case = tuple[str, Mapping[str, Any], Plan]


def _cases() -> Iterator[Case]:
    for index in sorted(FIXTURES.glob("*/cases.json")):
        rule = index.parent.name.replace("_", "-")
        for name, case in json.loads(index.read_text(encoding="utf-8")).items():
            yield rule, case["settings"], a_plan_from(case_file(index.parent, name))


ALL: Final = tuple(_cases())


def judged(rule: str, settings: Mapping[str, Any], plan: Plan) -> list[Outcome]:
    outcomes, _ = evaluate(plan, {rule: RULES[rule]}, {rule: settings})
    return list(outcomes)


def failing(outcomes: list[Outcome]) -> set[str]:
    return {outcome.address for outcome in outcomes if outcome.status is Status.FAIL}


FAILING: Final = tuple(
    (case, fails) for case in ALL if (fails := failing(judged(*case))) and RULES[case[0]].spec.kinds
)


BY_KIND: Final = tuple(case for case in ALL if RULES[case[0]].spec.kinds and case[2].resources)
POINTING: Final = frozenset({
    "bucket", "security_group_id", "subnet_id", "vpc_zone_identifier", "policy_arn", "instance", "instance_id",
    "network_interface_id", "listener_arn", "load_balancer_arn", "launch_configuration", "cluster_identifier",
    "prefix_list_id", "launch_template",
    "network_interface_ids", "ip_configuration", "network_security_group_name", "resource_group_name",
    "storage_account_id", "storage_account_name", "server_id", "managed_instance_id", "managed_hsm_key_id",
    "delegated_subnet_id", "role_definition_id", "scope", "role", "url_map", "network", "project",
    "source_instance_template", "version", "dataset_id", "encryption",
})  # fmt: skip
TELLING: Final[tuple[Any, ...]] = (
    True, False, None, "", "true", "false", "0.0.0.0/0", "::/0", "-1", "all", "tcp", 0, 22, 443, "optional", "required",
    "enabled", "disabled", "HTTP", "HTTPS", "forward", "redirect", "*", "public-read", "Suspended", "Enabled", "AES256",
    "serverless", "network", "ingress", "arn:aws:iam::aws:policy/AdministratorAccess", [], [{}], {}, ["0.0.0.0/0"],
    "Internet", "Inbound", "Allow", "Deny", "Owner", "blob", "enforced", "allUsers", "roles/owner", "INGRESS", "22",
    100, ["allUsers"], "Disabled", "Http", "INTERNAL", "EXTERNAL", "ASYMMETRIC_SIGN", "P",
    '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}',
)  # fmt: skip


def places(value: Any, *tokens: str | int) -> Iterator[tuple[str | int, ...]]:
    """Tokens of every value in a document, the parents first."""
    if tokens:
        yield tokens
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in items:
        yield from places(inner, *tokens, key)


def put(document: Any, tokens: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a document with another value at one place."""
    if not tokens:
        return value
    first, rest = tokens[0], tokens[1:]
    changed: Any = dict(document) if isinstance(document, Mapping) else list(document)
    changed[first] = put(changed[first], rest, value)
    return changed


@st.composite
def changed_plans(draw: st.DrawFn, plan: Plan, values: st.SearchStrategy[Any]) -> Plan:
    """A plan in which a few planned values of one resource are replaced."""
    candidates = [index for index, resource in enumerate(plan.resources) if resource.planned]
    if not candidates:
        return plan
    index = draw(st.sampled_from(candidates))
    resource = plan.resources[index]
    planned: Any = resource.planned
    for _ in range(draw(st.integers(1, 3))):
        tokens = draw(st.sampled_from(list(places(planned))))
        planned = put(planned, tokens, draw(values))
    changed = replace(resource, planned=planned, unknown=(pointer("changed"),))
    return replace(
        plan, resources=with_facts((*plan.resources[:index], changed, *plan.resources[index + 1 :]))
    )


arbitrary: Final = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.just(UNKNOWN),
        st.sampled_from(["0.0.0.0/0", "::/0", "required", "-1", "aws:kms", "true", "{}", '{"Statement": 1}']),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.data())
def test_making_any_value_unknown_never_makes_a_failure_pass(data: st.DataObject) -> None:
    (rule, settings, plan), fails = data.draw(st.sampled_from(FAILING))
    changed = data.draw(changed_plans(plan, st.just(UNKNOWN)))
    answers = {outcome.address: outcome.status for outcome in judged(rule, settings, changed)}
    # A group that fails for what two rules open together is right to leave it to the rule that is now unknown.
    newly_unknown = {a for a, status in answers.items() if status is Status.UNKNOWN and a not in fails}
    assert newly_unknown or {answers[address] for address in fails} <= {Status.FAIL, Status.UNKNOWN}


def test_making_any_one_value_of_any_failing_case_unknown_never_makes_it_pass() -> None:
    """The theorem above for one value, without chance: every value of every resource in every failing case."""
    escaped = []
    for (rule, settings, plan), fails in FAILING:
        for index, resource in enumerate(plan.resources):
            rest = (plan.resources[:index], plan.resources[index + 1 :])
            for tokens in places(resource.planned):
                changed = replace(resource, planned=put(resource.planned, tokens, UNKNOWN))
                answers = judged(
                    rule, settings, replace(plan, resources=with_facts((*rest[0], changed, *rest[1])))
                )
                bad = {
                    outcome.address for outcome in answers if outcome.status in {Status.FAIL, Status.UNKNOWN}
                }
                if not fails <= bad and not bad - fails:
                    escaped.append((rule, resource.address, pointer(*tokens)))
    assert escaped == []


@given(st.data())
def test_any_json_anywhere_gives_an_answer_and_never_breaks_a_rule_or_an_adapter(data: st.DataObject) -> None:
    rule, settings, plan = data.draw(st.sampled_from(ALL))
    changed = data.draw(changed_plans(plan, arbitrary))
    assert [
        resource.facts[ADAPTER_ERROR] for resource in changed.resources if ADAPTER_ERROR in resource.facts
    ] == []
    assert Status.ERROR not in {outcome.status for outcome in judged(rule, settings, changed)}


@given(st.data())
def test_passing_while_a_value_is_unknown_means_passing_whatever_it_turns_out_to_be(
    data: st.DataObject,
) -> None:
    rule, settings, plan = data.draw(st.sampled_from(BY_KIND))
    index = data.draw(st.sampled_from(range(len(plan.resources))))
    resource = plan.resources[index]
    configured = resource.configured or frozenset()
    # An attribute that is only computed follows its default, and one that points somewhere follows its reference.
    wanted = [
        t
        for t in places(resource.planned)
        if t[0] in configured and t[-1] not in POINTING and t[0] not in POINTING
    ]
    if not wanted:
        return
    tokens = data.draw(st.sampled_from(wanted))

    def answers(value: Any) -> dict[str, Status]:
        changed = replace(resource, planned=put(resource.planned, tokens, value))
        resources = (*plan.resources[:index], changed, *plan.resources[index + 1 :])
        return {
            o.address: o.status
            for o in judged(rule, settings, replace(plan, resources=with_facts(resources)))
        }

    unknown, known = answers(UNKNOWN), answers(data.draw(st.sampled_from(TELLING)))
    assert {a for a, s in unknown.items() if s is Status.PASS and known[a] is Status.FAIL} == set()


@given(st.data())
def test_the_order_of_resources_does_not_matter(data: st.DataObject) -> None:
    rule, settings, plan = data.draw(st.sampled_from(ALL))
    shuffled = replace(plan, resources=with_facts(data.draw(st.permutations(plan.resources))))
    before, after = judged(rule, settings, plan), judged(rule, settings, shuffled)
    assert {(o.address, o.status) for o in before} == {(o.address, o.status) for o in after}


# Azure and Google encrypt storage always, and their metadata services always ask for a header.
ENCRYPTED: Final = {"database-encrypted"}
PRIVATE: Final = {"database-encrypted", "database-not-public"}
MACHINE: Final = {"instance-metadata-v2", "volume-encrypted"}
BY_NATURE_ELSEWHERE: Final[Mapping[str, set[str]]] = {
    **{
        f"azurerm_{name}": ENCRYPTED
        for name in (
            "cosmosdb_account", "cosmosdb_postgresql_cluster", "managed_redis", "mariadb_server",
            "mysql_flexible_server", "mysql_server", "postgresql_flexible_server", "postgresql_server",
        )
    },
    # Whether an OS disk lies on the host may not be known.
    **{
        f"azurerm_{name}{kind}": {"instance-metadata-v2"}
        for name in ("linux_", "windows_", "orchestrated_", "")
        for kind in ("virtual_machine", "virtual_machine_scale_set")
    },
    "azurerm_managed_disk": {"volume-encrypted"},
    **{
        f"google_{name}": ENCRYPTED
        for name in ("alloydb_cluster", "alloydb_instance", "bigquery_dataset", "sql_database_instance")
    },
    **{
        f"google_{name}": PRIVATE
        for name in (
            "bigtable_instance", "firestore_database", "memcache_instance", "memorystore_instance", "redis_cluster",
            "redis_instance", "spanner_database", "spanner_instance",
        )
    },
    **{
        f"google_compute_{name}": MACHINE
        for name in (
            "instance", "instance_from_machine_image", "instance_from_template", "instance_group_manager",
            "instance_template", "region_instance_group_manager", "region_instance_template",
        )
    },
    **{f"google_compute_{name}": {"volume-encrypted"} for name in ("disk", "region_disk")},
    **{
        f"google_compute_{name}_proxy": {"listener-tls"}
        for name in ("target_https", "region_target_https", "target_ssl")
    },
}  # fmt: skip


@given(st.sampled_from(sorted(ADAPTERS)), st.booleans())
def test_a_resource_of_which_nothing_is_known_passes_only_what_is_true_of_its_type(
    name: str, configured: bool
) -> None:
    resource = a_resource(f"{name}.x", configured=None if configured else frozenset({"everything"}))
    resource = replace(resource, planned=AllUnknown())
    outcomes, _ = evaluate(a_plan(resource), {k: r for k, r in RULES.items() if r.spec.kinds}, {})
    passed = {outcome.rule for outcome in outcomes if outcome.status is Status.PASS}
    by_nature = {
        # A table of DynamoDB is always encrypted and never has an address; S3 encrypts every object.
        "aws_dynamodb_table": {"database-encrypted", "database-not-public"},
        "aws_s3_bucket": {"bucket-encrypted"},
        "aws_docdb_cluster": {"database-not-public"},
        "aws_elasticache_replication_group": {"database-not-public"},
        "aws_vpc_security_group_egress_rule": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
    }
    # Without its settings in the configuration, these follow a default that the provider documents as the safe one.
    by_default = {
        "aws_s3_bucket": {"bucket-encrypted"},
        "aws_db_instance": {"database-not-public"},
        "aws_neptune_cluster_instance": {"database-not-public"},
        "aws_security_group": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
        "aws_default_security_group": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
        "azurerm_cdn_frontdoor_route": {"listener-tls"},
        "azurerm_mssql_database": {"database-encrypted"},
        "azurerm_mssql_managed_instance": {"database-not-public"},
        "azurerm_network_security_group": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
        "azurerm_storage_container": {"bucket-no-public-access"},
    }
    allowed = by_nature.get(name, BY_NATURE_ELSEWHERE.get(name, set())) | (
        set() if configured else by_default.get(name, set())
    )
    assert passed <= allowed
