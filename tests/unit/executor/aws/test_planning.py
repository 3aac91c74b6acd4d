"""What has to be done so that what is there becomes what a template wants, with an account in memory."""

from collections.abc import Mapping
from typing import Any

import pytest

from plangate.errors import UsageError
from plangate.executor.aws.base import Condition
from plangate.executor.aws.planning import Known
from plangate.model.aws_plan import Change
from tests.aws_memory import World
from tests.aws_planned import planned

VPC, SUBNET, LOG, DATABASE = (
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBInstance",
)


def resource(kind: str, /, policies: Mapping[str, str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, **(policies or {})}


def plan(world: World, **resources: Any) -> dict[str, Change]:
    """Changes by key, for a template of these resources."""
    parameters = resources.pop("parameters", {})
    document: dict[str, Any] = {"Resources": resources}
    if parameters:
        document["Parameters"] = {name: {"Type": "String"} for name in parameters}
    given = {name: value for name, value in parameters.items() if value is not None}
    return {each.key: each for each in planned(world, document, **given).changes}


def actions(changes: Mapping[str, Change]) -> dict[str, str]:
    return {key: str(change.action) for key, change in changes.items()}


def known(name: str, kind: str, identifier: str, **more: Any) -> Known:
    return Known(logical_id=name, type=kind, identifier=identifier, **more)


@pytest.fixture
def world() -> World:
    return World()


NET = resource(VPC, CidrBlock="10.0.0.0/16")
SUB = resource(SUBNET, VpcId={"Ref": "Net"}, CidrBlock="10.0.1.0/24")


def test_what_is_not_there_is_created_and_what_refers_to_it_is_not_known(world: World) -> None:
    found = plan(world, Net=NET, Sub=SUB)
    assert actions(found) == {"Net": "create", "Sub": "create"}
    assert (found["Sub"].after, found["Sub"].unknown, found["Sub"].depends_on) == (
        {"CidrBlock": "10.0.1.0/24"},
        ("/VpcId",),
        ("Net",),
    )


def test_what_is_there_by_its_tags_stays_and_what_refers_to_it_is_known(world: World) -> None:
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    found = plan(world, Net=NET, Sub=SUB)
    assert actions(found) == {"Net": "no-op", "Sub": "create"}
    assert (found["Sub"].after, found["Sub"].unknown) == ({"CidrBlock": "10.0.1.0/24", "VpcId": "vpc-1"}, ())


def test_what_is_there_by_the_journal_alone_stays(world: World) -> None:
    world.net.add("vpc-1", CidrBlock="10.0.0.0/16")
    world.known = [known("Net", VPC, "vpc-1")]
    assert actions(plan(world, Net=NET)) == {"Net": "no-op"}


def test_what_neither_says_is_ours_is_not_looked_at(world: World) -> None:
    world.net.add("vpc-1", CidrBlock="10.0.0.0/16")
    assert actions(plan(world, Net=NET)) == {"Net": "create"}


def test_what_the_journal_knows_and_is_gone_is_created_again(world: World) -> None:
    world.known = [known("Net", VPC, "vpc-1")]
    assert actions(plan(world, Net=NET)) == {"Net": "create"}


def test_two_that_say_they_are_the_same_are_refused(world: World) -> None:
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    world.net.add("vpc-2", "Net", CidrBlock="10.0.0.0/16")
    with pytest.raises(UsageError, match="both vpc-1 and vpc-2 say that they are Net of shop"):
        plan(world, Net=NET)


def test_a_change_in_place_names_the_property(world: World) -> None:
    world.log.add("log", "Log", RetentionInDays=30)
    found = plan(world, Log=resource(LOG, RetentionInDays=60))["Log"]
    assert (found.action, found.changed, found.before, found.after) == (
        "update",
        ("RetentionInDays",),
        {"RetentionInDays": 30},
        {"RetentionInDays": 60},
    )


def test_a_text_of_a_number_is_the_number(world: World) -> None:
    world.log.add("log", "Log", RetentionInDays=30)
    assert actions(plan(world, Log=resource(LOG, RetentionInDays="30"))) == {"Log": "no-op"}


def test_what_cannot_be_changed_is_replaced_and_so_is_what_needs_another_one(world: World) -> None:
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    world.part.add("subnet-1", "Sub", VpcId="vpc-1", CidrBlock="10.0.1.0/24")
    found = plan(world, Net=resource(VPC, CidrBlock="10.0.0.0/20"), Sub=SUB)
    assert actions(found) == {"Net": "replace", "Sub": "replace"}
    assert (found["Net"].replace_order, found["Net"].replace_paths) == ("create-first", ("/CidrBlock",))
    assert found["Sub"].reason == "what decides it is known only when something else was made"


def test_what_keeps_its_name_is_deleted_before_it_is_made_again(world: World) -> None:
    world.log.add("web", "Log", LogGroupName="web", KmsKeyId="key-1")
    found = plan(world, Log=resource(LOG, LogGroupName="web", KmsKeyId="key-2"))["Log"]
    assert (found.action, found.replace_order) == ("replace", "destroy-first")


def test_what_is_broken_is_replaced(world: World) -> None:
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    world.net.change("vpc-1", condition=Condition.FAILED, detail="no room")
    world.known = [known("Net", VPC, "vpc-1")]
    found = plan(world, Net=NET)["Net"]
    assert (found.action, found.reason, found.replace_order) == (
        "replace",
        "it is broken: no room",
        "destroy-first",
    )


def test_what_leaves_the_template_is_deleted_or_kept_as_its_template_said(world: World) -> None:
    world.net.add("vpc-1", "Net", CidrBlock="10.0.0.0/16")
    world.log.add("log", "Log")
    world.known = [known("Net", VPC, "vpc-1"), known("Log", LOG, "log", deletion_policy="Retain")]
    assert actions(plan(world)) == {"Log": "forget", "Net": "delete"}


def test_what_a_replacement_left_over_is_deleted_beside_the_new_one(world: World) -> None:
    world.net.add("vpc-1", CidrBlock="10.0.0.0/20")
    world.net.add("vpc-2", "Net", CidrBlock="10.0.0.0/16")
    world.known = [known("Net", VPC, "vpc-1", leaving=True), known("Net", VPC, "vpc-2")]
    assert actions(plan(world, Net=NET)) == {"Net": "no-op", "Net (vpc-1)": "delete"}


def test_a_name_with_another_type_is_another_resource(world: World) -> None:
    world.log.add("log", "Net")
    world.known = [known("Net", LOG, "log")]
    assert actions(plan(world, Net=NET)) == {"Net": "create", "Net (log)": "delete"}


@pytest.mark.parametrize(("said", "action"), [("old", "no-op"), ("new", "update")])
def test_what_aws_never_tells_is_compared_with_what_was_set(world: World, said: str, action: str) -> None:
    world.database.add("db", "Data", DBInstanceClass="db.t4g.micro", Engine="postgres")
    world.known = [known("Data", DATABASE, "db", hidden={"MasterUserPassword": "digest of old"})]
    wanted = resource(DATABASE, DBInstanceClass="db.t4g.micro", Engine="postgres", MasterUserPassword=said)
    assert actions(plan(world, Data=wanted)) == {"Data": action}


# --- Refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            resource(VPC, CidrBlock="10.0.0.0/16", Ipv4NetmaskLength=20),
            r"Net/Ipv4NetmaskLength: is a property that",
        ),
        (resource(VPC, CidrBlok="10.0.0.0/16"), r"CidrBlok.*did you mean CidrBlock\?"),
        (resource(SUBNET, CidrBlock="10.0.1.0/24"), r"shop\.json:\d+: Net: VpcId is missing"),
        (resource(LOG, RetentionInDays=31), r"shop\.json:\d+: Net/RetentionInDays: expected one of 1, 3"),
        (resource("AWS::EC2::Nothing"), r"shop\.json:\d+: Net: the region has no type AWS::EC2::Nothing"),
        (resource("AWS::SQS::Queue"), r"shop\.json:\d+: Net: nothing can make AWS::SQS::Queue"),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_place(world: World, wanted: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan(world, Net=wanted)


def test_a_parameter_that_nobody_gave_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="Block"):
        plan(world, Net=resource(VPC, CidrBlock={"Ref": "Block"}), parameters={"Block": None})


def test_every_problem_is_named(world: World) -> None:
    with pytest.raises(UsageError) as caught:
        plan(world, A=resource("AWS::EC2::Nothing"), B=resource(LOG, RetentionInDays=31))
    assert len(str(caught.value).splitlines()) == 3


def test_resources_in_a_circle_are_refused(world: World) -> None:
    with pytest.raises(Exception, match=r"circle|depend"):
        plan(
            world,
            A=resource(SUBNET, VpcId={"Ref": "B"}, CidrBlock="10.0.1.0/24"),
            B=resource(SUBNET, VpcId={"Ref": "A"}, CidrBlock="10.0.1.0/24"),
        )
