"""A plan for AWS is judged as it will run: any other value in its document is refused, or judged as such."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.executor.aws.planning import Known
from plangate.facts.registry import plan_with_facts
from plangate.model.aws_plan import AwsPlan, decode_plan, encode_plan
from plangate.model.plan import Plan
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from plangate.wiring.aws import evaluated
from tests.aws_memory import World
from tests.aws_planned import planned
from tests.unit.executor.aws.test_planning import DATABASE, LOG, NET, SUB, SUBNET, VPC, resource


def _plan() -> AwsPlan:
    """A change of every kind."""
    world = World()
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    world.part.add("subnet-1", "Sub", VpcId="vpc-1", CidrBlock="10.0.9.0/24")
    world.log.add("log-1", "Log", RetentionInDays=30)
    world.log.add("log-2", "Old")
    world.log.add("log-3", "Kept")
    world.net.add("vpc-0", "")
    world.known = [
        Known(logical_id="Kept", type=LOG, identifier="log-3", deletion_policy="Retain"),
        Known(logical_id="Net", type=VPC, identifier="vpc-0", leaving=True),
    ]
    document = {
        "Parameters": {"Days": {"Type": "Number"}},
        "Resources": {
            "Net": NET,
            "Sub": SUB,
            "Log": resource(LOG, RetentionInDays={"Ref": "Days"}),
            "New": resource(VPC, CidrBlock="10.1.0.0/16"),
            "Within": resource(SUBNET, VpcId={"Ref": "New"}, CidrBlock="10.1.1.0/24"),
            "Data": resource(
                DATABASE, DBInstanceClass="db.t4g.micro", Engine="postgres", MasterUserPassword="x"
            ),
        },
    }
    return planned(world, document, Days="60")


PLAN = _plan()
DOCUMENT = json.loads(encode_plan(PLAN))


def judged(data: bytes) -> Plan:
    source = Input(name="p.json", data=data, sha256=sha256(data).hexdigest(), size=len(data))
    found = formats.parse(formats.read_documents(source, Limits()), Options(), Limits())
    if found is None:
        raise PlanParseError("p.json", "no plan")
    return found


def test_the_plan_has_a_change_of_every_kind() -> None:
    assert {str(change.action) for change in PLAN.changes} == {
        "create", "update", "replace", "delete", "forget", "no-op",
    }  # fmt: skip
    assert len(judged(encode_plan(PLAN)).resources) == len(PLAN.changes)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every value of a document, by its path."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in below for place in places(each, (*at, key)))]


PLACES = [place for place in places(DOCUMENT) if place]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place; ``...`` takes it out."""
    copy = json.loads(json.dumps(document))
    parent = copy
    for key in place[:-1]:
        parent = parent[key]
    if value is ...:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return copy


_VALUES = st.one_of(
    st.just(...), st.none(), st.booleans(), st.integers(0, 99), st.just(""), st.just("other"), st.just([]), st.just({}),
    st.sampled_from(["create", "update", "replace", "delete", "forget", "no-op", "10.0.0.0/8", "vpc-1", "Net", VPC]),
    st.just({"CidrBlock": "0.0.0.0/0"}), st.just(["/CidrBlock"]),
)  # fmt: skip


@given(st.sampled_from(PLACES), _VALUES)
def test_any_other_value_in_a_plan_is_refused_or_judged_as_what_runs(
    place: tuple[Any, ...], value: Any
) -> None:
    data = json.dumps(put(DOCUMENT, place, value)).encode()
    try:
        plan = judged(data)
    except PlanParseError:
        return
    try:
        runs = decode_plan(data)
    except ValueError:
        return
    template = evaluated(
        runs,
        {
            c.logical_id: c.attributes
            for c in runs.changes
            if c.action in {"update", "no-op"} and not c.deposed
        },
        Limits(),
    )
    seen = {(each.address, each.deposed or ""): each for each in plan.resources}
    assert len(seen) == len(plan.resources) == len(runs.changes)
    for change in runs.changes:
        resource_ = seen[change.logical_id, change.deposed]
        assert (resource_.type, resource_.action) == (change.type, change.action)
        assert (resource_.replace_order or "") == change.replace_order
        if change.before is not None:
            assert resource_.before is not None
            assert change.before.items() <= dict(resource_.before).items()
        if change.after is not None:
            assert resource_.after is not None
            assert set(resource_.unknown) == set(change.unknown)
            # What runs is what the template says, with every value that was not known then.
            for name, wanted in template.resource(change.logical_id).planned.items():
                assert resource_.planned[name] == wanted
            for name, said in change.after.items():
                assert resource_.after[name] == said


def _at(name: str, *keys: Any) -> tuple[Any, ...]:
    index = next(
        i for i, c in enumerate(DOCUMENT["changes"]) if c["logical_id"] == name and not c.get("deposed")
    )
    return ("changes", index, *keys)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (_at("Net", "after", "CidrBlock"), "10.0.0.0/8", "not what the template says"),
        (_at("Within", "unknown"), [], "not what the template leaves open"),
        (_at("Within", "after"), None, "does not go with the action create"),
        (_at("New", "action"), "destroy", "unknown action 'destroy'"),
        (_at("New", "action"), "delete", "has a before and an identifier, or neither"),
        (_at("Log", "type"), VPC, "the template has AWS::Logs::LogGroup"),
        (_at("Log", "after", "KmsKeyId"), "key", "neither in the template nor as it is now"),
        (_at("Old", "logical_id"), "Kept", "comes twice"),
        (_at("Old", "action"), "no-op", "does not go with the action no-op"),
        (_at("Sub", "replace_order"), "", "does not go with the action replace"),
        (_at("Sub", "replace_order"), "soon", "unknown order 'soon'"),
        (_at("Sub", "keep"), True, "not what the template says"),
        (_at("New"), ..., "the template's New is missing"),
        (("template", "text"), "{}", "is not the digest of the template's text"),
        (("parameters", "Days"), "90", "not what the template says"),
        (("rollback",), True, "a rollback takes away, and does nothing else"),
    ],
)  # fmt: skip
def test_a_tampered_plan_is_refused(place: tuple[Any, ...], value: Any, said: str) -> None:
    with pytest.raises(PlanParseError, match=said):
        judged(json.dumps(put(DOCUMENT, place, value)).encode())


@pytest.mark.parametrize(("kind", "saved"), [(DATABASE, True), ("AWS::RDS::DBCluster", False)])
def test_a_database_that_goes_leaves_a_snapshot_where_the_executor_makes_one(
    kind: str, *, saved: bool
) -> None:
    """Of all databases, that is done by the handler of instances; others go through Cloud Control."""
    gone = {"logical_id": "D", "type": kind, "action": "delete", "identifier": "d", "before": {}}
    document = json.loads(encode_plan(PLAN)) | {"changes": [*DOCUMENT["changes"], gone]}
    plan = plan_with_facts(judged(json.dumps(document).encode()))
    assert {each.address: each.fact("final_snapshot") for each in plan.resources}["D"] is saved
