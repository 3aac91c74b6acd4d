"""Theorems about reading compose files."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR
from plangate.model.values import UNKNOWN
from tests.unit.parsers.test_compose import read

WORDS = st.sampled_from(
    ["host", "service:a", "service:b", "container:c", "$X", "${X:-y}", "a:1", "/etc:/e", "v:/d", "PASSWORD=hunter22",
     "root", "1000", "ALL", "no-new-privileges:true", "bind", "x"]
)  # fmt: skip
MEMBERS = st.sampled_from(
    ["image", "build", "privileged", "user", "cap_add", "cap_drop", "volumes", "volumes_from", "network_mode", "pid",
     "ipc", "environment", "security_opt", "read_only", "deploy", "devices", "extends", "labels", "env_file", "type",
     "source", "resources", "limits", "memory", "driver_opts", "device", "depends_on", "provider", "use_api_socket"]
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(-5, 70_000)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(MEMBERS, inner, max_size=3)),
    max_leaves=6,
)
SERVICES = st.dictionaries(
    st.sampled_from(["a", "b", "c[0]", "d.e"]),
    st.dictionaries(MEMBERS, VALUES, max_size=5),
    min_size=1,
    max_size=3,
)
VOLUMES = st.dictionaries(
    st.sampled_from(["v", "w"]), st.dictionaries(MEMBERS, VALUES, max_size=2), max_size=2
)


@given(SERVICES, VOLUMES)
def test_any_services_are_a_plan_without_a_failing_adapter(services: Any, volumes: Any) -> None:
    plan = read(json.dumps({"services": services, "volumes": volumes}))
    assert len(plan.resources) == len(services) + len(volumes)
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)


@given(VALUES)
def test_any_document_is_a_plan_or_is_refused(value: Any) -> None:
    try:
        plan = read(json.dumps({"services": value}))
    except PlanParseError:
        return
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)


@given(SERVICES, WORDS)
def test_a_variable_that_is_given_never_turns_a_known_fact_into_another(services: Any, value: str) -> None:
    text = json.dumps({"services": services})
    before, after = read(text), read(text, {"X": value.replace("$", "")})
    for one, other in zip(before.resources, after.resources, strict=True):
        for name in ("host_network", "host_pid", "host_ipc"):
            assert one.facts[name] is UNKNOWN or one.facts[name] is other.facts[name]
        (was,), (now,) = one.facts["containers"], other.facts["containers"]
        for name in ("privileged", "read_only_root", "privilege_escalation", "run_as_user", "limits"):
            known = was[name] is not UNKNOWN and UNKNOWN not in (
                was[name] if isinstance(was[name], tuple) else ()
            )
            assert not known or was[name] == now[name]


@given(st.text(alphabet="${}:-+?AB ", max_size=30))
def test_text_with_any_variables_is_read(text: str) -> None:
    plan = read(json.dumps({"services": {"a": {"image": "a", "hostname": text}}}), {"A": "1"})
    found = plan.resources[0].planned["hostname"]
    assert found is UNKNOWN or isinstance(found, str)
    if "$" not in text:
        assert found == text
