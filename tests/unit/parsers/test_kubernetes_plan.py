"""The plan for a cluster: what is read, and what is refused."""

import hashlib
import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.executor.kubernetes import document
from plangate.model.plan import Action, Location, Plan
from plangate.model.values import UNKNOWN
from plangate.parsers import formats, kubernetes_plan
from plangate.parsers.base import Input, Limits, Options

SERVICE: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"ports": [{"port": 80}], "type": "NodePort"},
}
SECRET: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "pw", "namespace": "shop"},
    "data": {"password": "aHVudGVyMi1odW50ZXIy"},
}
UNKNOWNS: Final = ["/spec/clusterIP", "/spec/ports/0/nodePort"]


def planned(after: dict[str, Any], before: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    change = "create" if before is None else "no-op" if before == after else "update"
    return {
        "address": "x",
        "path": "/x",
        "file": "a.yaml",
        "line": 7,
        "manifest": {},
        "uid": "",
        "resource_version": "",
        "before": before,
        "after": after,
        "unknown": [],
        "change": change,
        "ownership": False,
    } | members


def a_plan(*objects: Any, **members: Any) -> bytes:
    content = {
        "schema": kubernetes_plan.SCHEMA,
        "id": "0",
        "server": "https://192.0.2.1",
        "server_version": "v1.34.4",
        "cluster": "u",
        "field_manager": "plangate",
        "objects": list(objects),
    }
    return json.dumps(content | members, separators=(",", ":")).encode()


def parsed(data: bytes, limits: Limits | None = None) -> Plan:
    source = Input(name="plan.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    found = formats.parse(formats.read_documents(source, limits or Limits()), Options(), limits or Limits())
    assert found is not None
    return found


def test_both_sides_of_an_object_are_read() -> None:
    other = SERVICE | {"spec": {"ports": [{"port": 81}]}}

    plan = parsed(
        a_plan(
            planned(SERVICE, before=other),
            planned(SECRET),
            planned(SECRET | {"metadata": {"name": "b"}}, SECRET | {"metadata": {"name": "b"}}),
        )
    )

    assert (plan.source.format, plan.source.tool) == ("kubernetes-plan", "kubernetes v1.34.4")
    assert [(r.address, r.action, r.before, r.after) for r in plan.resources] == [
        ("Service/shop/web", Action.UPDATE, other, SERVICE),
        ("Secret/shop/pw", Action.CREATE, None, SECRET),
        (
            "Secret/b",
            Action.NO_OP,
            SECRET | {"metadata": {"name": "b"}},
            SECRET | {"metadata": {"name": "b"}},
        ),
    ]
    assert plan.resources[0].location == Location(file="a.yaml", line=7)


def test_what_is_unknown_is_neither_absent_nor_there() -> None:
    (service,) = parsed(a_plan(planned(SERVICE, unknown=UNKNOWNS))).resources

    assert service.unknown == tuple(UNKNOWNS)
    assert service.planned["spec"] == {
        "ports": [{"port": 80, "nodePort": UNKNOWN}],
        "type": "NodePort",
        "clusterIP": UNKNOWN,
    }
    assert service.after == SERVICE


def test_secrets_are_marked_and_remembered() -> None:
    plan = parsed(a_plan(planned(SECRET)))

    assert plan.resources[0].sensitive == ("/data/password",)
    assert "hunter2-hunter2" in plan.secrets


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"objects": None}, "not a list of objects"),
        ({"objects": [[]]}, "not an object"),
        ({"objects": [planned(SERVICE, change="delete")]}, "unknown change 'delete'"),
        ({"objects": [planned(SERVICE, change=None)]}, "unknown change None"),
        ({"objects": [planned(SERVICE, change="no-op")]}, "no-op, with no object before"),
        ({"objects": [planned(SERVICE, change="update")]}, "update, with no object before"),
        ({"objects": [planned(SERVICE, SERVICE, change="create")]}, "create, with an object before"),
        ({"objects": [planned(SERVICE, SECRET, change="no-op")]}, "before and after are not the same"),
        ({"objects": [planned({})]}, "not a Kubernetes object"),
        ({"objects": [planned(SERVICE, before={"kind": "x"})]}, "not a Kubernetes object"),
        ({"objects": [planned(SERVICE, unknown=None)]}, "not a list of JSON Pointers"),
        ({"objects": [planned(SERVICE, unknown=[1])]}, "not a list of JSON Pointers"),
        ({"objects": [planned(SERVICE, unknown=[""])]}, "not a JSON Pointer of a member"),
        ({"objects": [planned(SERVICE, unknown=["spec"])]}, "not a JSON Pointer of a member"),
        ({"objects": [planned(SERVICE, unknown=["/spec"])]}, "is no member of an object, or is there"),
        ({"objects": [planned(SERVICE, unknown=["/spec/ports/1/x"])]}, "is no member of an object"),
        ({"objects": [planned(SERVICE, unknown=["/spec/ports/0"])]}, "is no member of an object"),
        ({"objects": [planned(SERVICE, unknown=["/spec/x", "/spec/x"])]}, "is no member of an object"),
        (
            {"objects": [planned(SERVICE, unknown=[f"/spec/ports/{'9' * 5000}/x"])]},
            "is no member of an object",
        ),
        ({"objects": [planned(SERVICE, unknown=["/x"] * 1001)]}, "more than 1000 unknown values"),
    ],
)
def test_what_is_not_fully_understood_is_refused(members: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanParseError) as raised:
        parsed(a_plan(**members))

    assert problem in str(raised.value)


def test_more_objects_than_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match="more than 1 objects"):
        parsed(a_plan(planned(SERVICE), planned(SECRET)), Limits(max_resources=1))


def test_another_version_of_the_schema_is_no_plan() -> None:
    source = a_plan(planned(SERVICE), schema="plangate.dev/kubernetes-plan/v2")
    documents = formats.read_documents(
        Input(name="p", data=source, sha256="0" * 64, size=len(source)), Limits()
    )

    assert formats.format_of(documents) is None


def test_what_the_executor_writes_is_what_is_read() -> None:
    written = document.encode(
        msgspec.json.decode(a_plan(planned(SERVICE, unknown=UNKNOWNS)), type=document.ClusterPlan)
    )

    assert parsed(written).resources == parsed(a_plan(planned(SERVICE, unknown=UNKNOWNS))).resources
    assert document.SCHEMA == kubernetes_plan.SCHEMA


# --- Differences --------------------------------------------------------------------------------------------

KEYS = st.text("ab/~0", min_size=1, max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text("xy", max_size=1),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_without_the_members_that_differ_two_objects_are_equal(first: Any, second: Any) -> None:
    cut = document.members([*document.differences(first, second)])

    assert document.without(first, cut) == document.without(second, cut)


@given(OBJECTS, OBJECTS)
def test_objects_differ_exactly_when_they_are_not_equal(first: Any, second: Any) -> None:
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)

    assert (not [*document.differences(first, second)]) == same


def test_what_the_server_keeps_for_itself_is_no_difference() -> None:
    metadata = {
        "name": "a",
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "managedFields": [],
        "labels": {},
    }

    assert document.settled({"kind": "X", "metadata": metadata, "status": {"a": 1}}) == {
        "kind": "X",
        "metadata": {"name": "a", "labels": {}},
    }
