"""Which resources belong together: certainly, possibly, or with something outside of the plan."""

from typing import Any

from plangate.model.graph import MAX_JOINED, Graph, Links, identifiers
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN, AllUnknown
from tests.builders import a_reference, a_resource

SUBNETS = ("aws_subnet",)


def a_subnet(address: str = "aws_subnet.a", subnet_id: Any = UNKNOWN, **changes: Any) -> Resource:
    return a_resource(address, {"id": subnet_id}, **{"type": "aws_subnet"} | changes)


def an_instance(subnet: Any, *references: Any, **changes: Any) -> Resource:
    return a_resource("aws_instance.web", {"subnet_id": subnet}, references=references, **changes)


def targets(instance: Resource, *others: Resource) -> Links:
    return Graph([instance, *others]).targets(instance, "/subnet_id", SUBNETS)


# --- What an attribute points at -----------------------------------------------------------------------------


def test_an_attribute_that_is_not_set_points_at_nothing() -> None:
    nothing: tuple[Any, ...] = (None, "", [], ())
    for value in nothing:
        assert targets(an_instance(value), a_subnet()) == Links()
    assert targets(a_resource("aws_instance.web"), a_subnet()) == Links()


def test_a_known_id_names_its_resource_exactly() -> None:
    subnet = a_subnet(subnet_id="subnet-1")
    assert targets(an_instance("subnet-1"), subnet, a_subnet("aws_subnet.b", "subnet-2")) == Links(
        exact=(subnet,)
    )


def test_a_known_id_that_no_resource_has_is_outside() -> None:
    assert targets(an_instance("subnet-9"), a_subnet(subnet_id="subnet-1")) == Links(outside=True)


def test_the_id_of_another_type_does_not_count() -> None:
    vpc = a_resource("aws_vpc.v", {"id": "x-1"})
    assert targets(an_instance("x-1"), vpc) == Links(outside=True)


def test_an_unknown_id_is_followed_by_its_reference() -> None:
    subnet = a_subnet()
    assert targets(an_instance(UNKNOWN, a_reference("/subnet_id", "aws_subnet.a")), subnet) == Links(
        exact=(subnet,)
    )


def test_a_reference_to_any_instance_possibly_means_each() -> None:
    subnets = tuple(a_subnet(f"aws_subnet.a[{i}]") for i in range(3))
    found = targets(an_instance(UNKNOWN, a_reference("/subnet_id", "aws_subnet.a", exact=False)), *subnets)
    assert found == Links(possible=subnets)


def test_an_unknown_id_without_a_reference_may_be_anything() -> None:
    assert targets(an_instance(UNKNOWN), a_subnet()) == Links(outside=True)


def test_a_reference_that_cannot_be_followed_may_lead_outside() -> None:
    subnet = a_subnet()
    instance = an_instance(UNKNOWN, a_reference("/subnet_id", "aws_subnet.a"), unresolved=("/subnet_id",))
    assert targets(instance, subnet) == Links(exact=(subnet,), outside=True)


def test_reading_another_attribute_of_a_resource_does_not_point_at_it() -> None:
    instance = an_instance(UNKNOWN, a_reference("/subnet_id", "aws_subnet.a", attribute="vpc_id"))
    assert targets(instance, a_subnet()) == Links(outside=True)


def test_a_list_may_point_at_known_and_unknown_ones() -> None:
    known, unknown = a_subnet(subnet_id="subnet-1"), a_subnet("aws_subnet.b")
    instance = an_instance(["subnet-1", UNKNOWN], a_reference("/subnet_id", "aws_subnet.b"))
    assert targets(instance, known, unknown) == Links(exact=(known, unknown))


def test_what_does_not_exist_after_the_change_is_not_pointed_at() -> None:
    gone = a_subnet(subnet_id="subnet-1", after=None, action=Action.DELETE)
    deposed = a_subnet(subnet_id="subnet-1", deposed="ab")
    assert targets(an_instance("subnet-1"), gone, deposed) == Links(outside=True)


def test_an_attribute_in_a_block_is_found_with_its_index() -> None:
    subnet = a_subnet()
    instance = a_resource(
        "aws_instance.web",
        {"net": [{"subnet": UNKNOWN}]},
        references=(a_reference("/net/subnet", "aws_subnet.a"),),
    )
    assert Graph([instance, subnet]).targets(instance, "/net/0/subnet", SUBNETS) == Links(exact=(subnet,))


# --- What points at a resource -------------------------------------------------------------------------------


def a_rule(group: Any, *references: Any, **changes: Any) -> Resource:
    return a_resource(
        changes.pop("address", "aws_security_group_rule.r"),
        {"security_group_id": group},
        references=references,
        **{"type": "aws_security_group_rule"} | changes,
    )


def referrers(group: Resource, *others: Resource) -> Links:
    return Graph([group, *others]).referrers(group, "aws_security_group_rule", "/security_group_id")


GROUP = a_resource("aws_security_group.g", {"id": UNKNOWN})


def test_a_reference_back_is_exact_when_it_names_the_instance() -> None:
    rule = a_rule(UNKNOWN, a_reference("/security_group_id", "aws_security_group.g"))
    assert referrers(GROUP, rule) == Links(exact=(rule,))


def test_a_known_id_back_is_exact() -> None:
    group = a_resource("aws_security_group.g", {"id": "sg-1"})
    rule, other = a_rule("sg-1"), a_rule("sg-2", address="aws_security_group_rule.s")
    assert referrers(group, rule, other) == Links(exact=(rule,))


def test_a_list_of_ids_points_at_each() -> None:
    group = a_resource("aws_security_group.g", {"id": "sg-1"})
    rule = a_rule(["sg-0", "sg-1"])
    assert referrers(group, rule) == Links(exact=(rule,))
    unclear = a_rule(["sg-0", UNKNOWN])
    assert referrers(group, unclear) == Links(possible=(unclear,))


def test_a_reference_that_may_be_any_instance_is_possible_for_each() -> None:
    groups = [
        a_resource(f"aws_security_group.g[{i}]", {"id": UNKNOWN}, type="aws_security_group") for i in (0, 1)
    ]
    rule = a_rule(UNKNOWN, a_reference("/security_group_id", "aws_security_group.g", exact=False))
    graph = Graph([*groups, rule])
    for group in groups:
        assert graph.referrers(group, "aws_security_group_rule", "/security_group_id") == Links(
            possible=(rule,)
        )


def test_an_id_that_cannot_be_followed_is_possible_for_all() -> None:
    rule = a_rule(UNKNOWN, unresolved=("/security_group_id",))
    assert referrers(GROUP, rule) == Links(possible=(rule,))
    wholly_unknown = a_rule(None, planned=AllUnknown(), configured=None)
    assert referrers(GROUP, wholly_unknown) == Links(possible=(wholly_unknown,))


def test_an_attribute_that_nobody_set_on_a_new_object_points_at_nothing() -> None:
    assert referrers(GROUP, a_rule(UNKNOWN, configured=frozenset())) == Links()
    updated = a_rule(UNKNOWN, configured=frozenset(), action=Action.UPDATE)
    assert referrers(GROUP, updated) == Links(possible=(updated,))


def test_a_resource_goes_by_its_names_before_and_after() -> None:
    resource = a_resource(
        "aws_vpc.v", {"id": "new", "name": UNKNOWN, "arn": ""}, before={"id": "old", "name": 7}
    )
    assert identifiers(resource) == ("new", "old")


def test_entries_are_found_by_address_pattern_and_type() -> None:
    subnets = [a_subnet(f"aws_subnet.a[{i}]") for i in range(2)]
    gone = a_subnet("aws_subnet.b", after=None, action=Action.DELETE)
    graph = Graph([*subnets, gone])
    assert graph.at_address("aws_subnet.a") == tuple(subnets)
    assert graph.at_address("aws_subnet.a[1]") == (subnets[1],)
    assert graph.at_address("aws_subnet.b") == (gone,)
    assert graph.at_address("aws_subnet.c") == ()
    assert graph.of_type("aws_subnet") == tuple(subnets)


# --- Cost ----------------------------------------------------------------------------------------------------


def test_links_between_all_and_all_are_one_row_that_all_share() -> None:
    """A row of 20,000 for each of 20,000 would be 400,000,000 steps; nobody gets one of their own."""
    number = 20_000
    groups = [
        a_resource(f"aws_security_group.g[{i}]", {"id": UNKNOWN}, type="aws_security_group")
        for i in range(number)
    ]
    reference = a_reference("/security_group_id", "aws_security_group.g", exact=False)
    rules = [
        a_rule(
            UNKNOWN,
            reference,
            address=f"aws_security_group_rule.r[{i}]",
            unresolved=("/security_group_id",) if i % 2 else (),
        )
        for i in range(number)
    ]
    graph = Graph([*groups, *rules])
    back = [
        graph.referrers(group, "aws_security_group_rule", "/security_group_id").possible for group in groups
    ]
    there = [graph.targets(rule, "/security_group_id", ("aws_security_group",)).possible for rule in rules]
    assert {len(row) for row in (*back, *there)} == {number}
    assert len({id(row) for row in back}) == len({id(row) for row in there}) == 1


# --- Names that several have ---------------------------------------------------------------------------------


def test_a_name_that_several_have_may_mean_each_of_them() -> None:
    one, other = (a_subnet(f"aws_subnet.{name}", "subnet-1") for name in "ab")
    instance = an_instance("subnet-1")
    assert targets(instance, one, other) == Links(possible=(one, other))
    assert Graph([instance, one, other]).referrers(one, "aws_instance", "/subnet_id") == Links(
        possible=(instance,)
    )


def test_a_data_source_that_reads_what_the_plan_manages_does_not_make_its_name_doubtful() -> None:
    managed = a_subnet(subnet_id="subnet-1")
    read = a_subnet("data.aws_subnet.a", "subnet-1", mode="data", action=Action.READ)
    instance = an_instance("subnet-1")
    assert targets(instance, managed, read) == Links(exact=(managed, read))
    assert Graph([instance, managed, read]).referrers(managed, "aws_instance", "/subnet_id") == Links(
        exact=(instance,)
    )


def test_more_shared_names_than_are_joined_count_as_not_followed() -> None:
    subnets = [a_subnet(f"aws_subnet.s{i}", f"subnet-{i % 2}") for i in range(MAX_JOINED + 2)]
    found = targets(an_instance(["subnet-0", "subnet-1"]), *subnets)
    assert (found.possible, found.outside) == (tuple(subnets[::2]), True)
    few = targets(an_instance(["subnet-0", "subnet-1"]), *subnets[:4])
    assert (found.exact, few) == ((), Links(possible=(*subnets[:4:2], *subnets[1:4:2])))


def test_resources_that_share_a_name_share_one_row_of_links() -> None:
    subnets = [a_subnet(f"aws_subnet.s{i}", "subnet-1") for i in range(3)]
    instances = [a_resource(f"aws_instance.i{i}", {"subnet_id": "subnet-1"}) for i in range(3)]
    graph = Graph([*subnets, *instances])
    rows = {id(graph.referrers(subnet, "aws_instance", "/subnet_id").possible) for subnet in subnets}
    rows |= {-id(graph.targets(instance, "/subnet_id", SUBNETS).possible) for instance in instances}
    assert len(rows) == 2


def test_what_follows_from_a_graph_is_worked_out_once() -> None:
    asked: list[int] = []
    graph = Graph([])

    def work_out() -> int:
        asked.append(1)
        return len(asked)

    assert [graph.remembered(("a",), work_out) for _ in range(3)] == [1, 1, 1]
    assert graph.remembered(("b",), work_out) == 2
