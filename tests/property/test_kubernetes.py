"""What no manifest that anybody may write can do."""

import json
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.decision.outcome import Status
from plangate.errors import PlanParseError
from plangate.facts.containers import _SECRET_VALUE, _sounds_secret, looks_secret, sounds_secret
from plangate.facts.kubernetes_types import MODELLED, WORKLOADS
from plangate.facts.registry import ADAPTER_ERROR, with_facts
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.model.plan import Action, Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.kubernetes import FORMAT
from plangate.parsers.yaml_documents import read_yaml
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan

OWN: Final = {rule: RULES[rule] for rule in RULES if RULES[rule].language == "yaml"}
WORDS: Final = (
    "apiVersion", "kind", "metadata", "name", "namespace", "annotations", "labels", "spec", "template", "items",
    "request", "operation", "object", "oldObject", "containers", "initContainers", "env", "envFrom", "value", "volumes",
    "hostPath", "securityContext", "privileged", "capabilities", "add", "drop", "rules", "verbs", "roleRef", "data",
    "stringData", "ports", "port", "type", "image", "resources", "limits", "hostNetwork", "seccompProfile", "sysctls",
    "path",
)  # fmt: skip
TEXTS: Final = (
    "v1",
    "apps/v1",
    "Pod",
    "Deployment",
    "List",
    "Secret",
    "Service",
    "AdmissionReview",
    "ALL",
    "*",
    "web",
    "",
)
leaves = st.none() | st.booleans() | st.integers(-3, 70000) | st.sampled_from(TEXTS) | st.text(max_size=4)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
unknowable = st.recursive(
    leaves | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
objects = st.builds(
    lambda native_type, members: {
        "apiVersion": native_type.rpartition("/")[0],
        "kind": native_type.rpartition("/")[2],
        **{key: value for key, value in members.items() if key not in {"apiVersion", "kind"}},
    },
    st.sampled_from(sorted(MODELLED)),
    st.dictionaries(st.sampled_from(WORDS), values, max_size=4),
)


def documents(data: bytes) -> Documents:
    source = Input(name="a", data=data, sha256="", size=len(data))
    return read_json_document(source, Limits()) if data[:1] in b"{[" else read_yaml(source, Limits())


def parsed(data: bytes) -> Plan | None:
    try:
        found = documents(data)
        return FORMAT.parse(found, Options(), Limits())
    except PlanParseError:
        return None


@given(st.lists(objects | values, min_size=1, max_size=3))
def test_any_documents_give_a_plan_or_a_refusal(listed: list[Any]) -> None:
    parsed("\n---\n".join(json.dumps(value) for value in listed).encode())


@given(st.binary(max_size=200))
def test_any_bytes_give_a_plan_or_a_refusal(data: bytes) -> None:
    parsed(data)


@given(st.lists(objects, min_size=1, max_size=4))
def test_every_object_of_a_plan_has_an_address_of_its_own_and_none_is_lost(
    listed: list[dict[str, Any]],
) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": listed})
    plan = parsed(text.encode())
    # What has items of its own is a list as well, and holds more objects.
    if plan is not None and not any(isinstance(value.get("items"), list) for value in listed):
        addresses = [resource.address for resource in plan.resources]
        assert len(set(addresses)) == len(addresses) == len(listed)
        assert [resource.after for resource in plan.resources] == listed


@given(st.lists(objects, min_size=1, max_size=3))
def test_yaml_and_json_of_the_same_objects_are_the_same_plan(listed: list[dict[str, Any]]) -> None:
    whole = parsed(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}).encode())
    stream = parsed(("---\n" + "\n---\n".join(json.dumps(value) for value in listed)).encode())
    if whole is not None and stream is not None:
        assert [(r.address, r.after) for r in whole.resources] == [
            (r.address, r.after) for r in stream.resources
        ]
        assert whole.secrets == stream.secrets


@given(st.sampled_from(sorted(MODELLED)), st.dictionaries(st.sampled_from(WORDS), unknowable, max_size=5))
def test_no_value_breaks_an_adapter_or_a_rule(native_type: str, members: Mapping[str, Any]) -> None:
    resource = Resource(
        address="a",
        type=native_type,
        name="a",
        provider="kubernetes",
        action=Action.CREATE,
        after={},
        planned=members,
    )
    (found,) = with_facts([resource])
    assert ADAPTER_ERROR not in found.facts
    assert set(found.facts) == {*COMMON_FACTS, *KINDS[found.kind]}
    said, _ = evaluate(a_plan(resources=(found,)), OWN, {"pod-security": {"level": "restricted"}})
    assert [outcome for outcome in said if outcome.status is Status.ERROR] == []


SECURE: Final[dict[str, Any]] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "web",
            "image": "registry.example.com/web:5.0.2",
            "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}


def workload(native_type: str, spec: Any) -> Plan:
    held = spec
    for key in reversed(WORKLOADS[native_type]):
        held = {key: held}
    held["metadata"] = {"name": "a", "namespace": "shop"}
    resource = Resource(
        address="a",
        type=native_type,
        name="a",
        provider="kubernetes",
        action=Action.CREATE,
        after=held,
        planned=held,
    )
    return a_plan(resources=with_facts([resource]))


def statuses(plan: Plan) -> dict[str, Status]:
    said, _ = evaluate(plan, OWN, {"pod-security": {"level": "restricted"}})
    return {outcome.rule: outcome.status for outcome in said}


@given(
    st.sampled_from(sorted(WORKLOADS)),
    st.sampled_from(["initContainers", "ephemeralContainers", "containers"]),
)
def test_every_workload_is_judged_alike_wherever_its_pod_stands(native_type: str, holder: str) -> None:
    assert set(statuses(workload(native_type, SECURE)).values()) == {Status.PASS}
    bad = {"name": "bad", "image": "bad", "securityContext": {"privileged": True, "runAsUser": 0}}
    listed = [*SECURE.get(holder, []), bad]
    found = statuses(workload(native_type, {**SECURE, holder: listed}))
    assert (
        found["workload-not-privileged"] is found["image-pinned"] is found["workload-non-root"] is Status.FAIL
    )
    assert found["pod-security"] is found["workload-drops-capabilities"] is Status.FAIL


def _unknown_somewhere(value: Any) -> st.SearchStrategy[Any]:
    """The value with one part of it not known."""
    here: st.SearchStrategy[Any] = st.just(UNKNOWN)
    if isinstance(value, dict) and value:
        inner = st.sampled_from(sorted(value)).flatmap(
            lambda key: _unknown_somewhere(value[key]).map(lambda part: {**value, key: part})
        )
        return here | inner
    if isinstance(value, list) and value:
        return here | _unknown_somewhere(value[0]).map(lambda part: [part, *value[1:]])
    return here


BAD: Final[dict[str, Any]] = {
    "hostNetwork": True,
    "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
    "securityContext": {"runAsUser": 0, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    "containers": [
        {
            "name": "web",
            "image": "web",
            "env": [{"name": "DB_PASSWORD", "value": "correct-horse"}],
            "ports": [{"hostPort": 80}],
            "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
        }
    ],
}
FAILS: Final = {r for r, status in statuses(workload("v1/Pod", BAD)).items() if status is Status.FAIL}


@settings(max_examples=300)
@given(_unknown_somewhere(BAD))
def test_an_unknown_part_never_turns_a_failure_into_a_pass(spec: Any) -> None:
    if isinstance(spec, dict):
        found = statuses(workload("v1/Pod", spec))
        assert {rule for rule in FAILS if found[rule] is Status.PASS} == set()


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=3, max_size=12), min_size=1, max_size=4)
)
def test_whatever_a_secret_holds_is_marked_and_remembered(data: dict[str, str]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": data})
    plan = parsed(text.encode())
    assert plan is not None
    assert len(plan.resources[0].sensitive) == len(data)
    assert set(data.values()) <= plan.secrets


def test_the_theorem_on_unknown_parts_is_about_most_rules() -> None:
    assert len(FAILS) >= 8
    assert replace(workload("v1/Pod", BAD)).resources


@given(value=st.from_regex(_SECRET_VALUE), name=st.sampled_from(["x", "COLOUR"]))
def test_no_value_that_looks_like_a_secret_is_passed_over(value: str, name: str) -> None:
    assert looks_secret(name, value)


@given(name=st.sampled_from(["DB_PASSWORD", "api-key", "COLOUR"]) | st.text(max_size=300))
def test_a_name_means_the_same_whenever_it_is_asked_about(name: str) -> None:
    assert sounds_secret(name) == sounds_secret(name) == _sounds_secret(name)
