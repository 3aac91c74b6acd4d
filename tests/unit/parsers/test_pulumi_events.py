from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Check, ReplaceOrder
from plangate.parsers import pulumi_events, pulumi_preview
from tests.pulumi_documents import a_state, a_summary, an_event, events_of, read_events, urn

OLD = a_state("web", {"ami": "ami-1"}, id="i-1", outputs={"ami": "ami-1"})
NEW = a_state("web", {"ami": "ami-2"})
WEB = "aws:ec2/instance:Instance::web"
CREATION = events_of("create", None, NEW)


def test_a_stream_that_ends_well_is_a_whole_plan() -> None:
    plan = read_events([*CREATION, a_summary(create=1), an_event("cancelEvent")])
    assert [(r.address, r.action) for r in plan.resources] == [(WEB, Action.CREATE)]
    assert (plan.complete, plan.errored, plan.opaque, plan.applyable) == (True, False, (), None)


@pytest.mark.parametrize(
    "events",
    [
        CREATION,
        [*CREATION, an_event("cancelEvent")],
        [CREATION[0], a_summary(create=1)],
        [*CREATION, an_event("summaryEvent", resourceChanges={"create": 1}, result="canceled")],
        [*CREATION, an_event("summaryEvent", resourceChanges={"create": 1}, result="?")],
    ],
)
def test_a_stream_that_is_cut_off_or_cancelled_is_incomplete(events: list[Any]) -> None:
    assert not read_events(events).complete


@pytest.mark.parametrize(
    "event",
    [
        an_event("diagnosticEvent", severity="error", message="no"),
        an_event("errorEvent", error="no"),
        an_event("policyEvent", enforcementLevel="mandatory", message="no"),
        an_event("resOpFailedEvent", metadata={"op": "create", "urn": urn("web"), "old": None, "new": NEW}),
    ],
)
def test_a_stream_with_a_failure_is_errored(event: dict[str, Any]) -> None:
    assert read_events([*CREATION, event, a_summary(create=1)]).errored


@pytest.mark.parametrize("more", [{"result": "failed"}, {"maybeCorrupt": True}])
def test_a_stream_whose_summary_says_so_is_errored(more: dict[str, Any]) -> None:
    assert read_events([*CREATION, an_event("summaryEvent", resourceChanges={"create": 1}, **more)]).errored


def test_a_warning_is_no_failure() -> None:
    events = [*CREATION, an_event("diagnosticEvent", severity="warning"), a_summary(create=1)]
    assert not read_events(events).errored


def test_the_end_of_a_step_has_the_values() -> None:
    events = [
        *events_of("create", None, NEW)[:1],
        *events_of("create", None, {**NEW, "outputs": {"arn": "a"}})[1:],
        a_summary(create=1),
    ]
    assert read_events(events).resources[0].after == {"ami": "ami-2", "arn": "a"}


def test_the_steps_of_one_replacement_are_one_replacement() -> None:
    events = [
        *events_of("delete-replaced", OLD),
        *events_of("replace", OLD, NEW),
        *events_of("create-replacement", OLD, NEW),
        a_summary(replace=1),
    ]
    plan = read_events(events)
    assert [(r.address, r.action, r.replace_order) for r in plan.resources] == [
        (WEB, Action.REPLACE, ReplaceOrder.DESTROY_FIRST)
    ]


def test_what_a_refresh_finds_is_no_step_of_the_change() -> None:
    events = [
        events_of("refresh", OLD, OLD)[0],
        events_of("update", OLD, OLD)[1],
        *events_of("same", OLD, OLD),
        a_summary(same=1, update=1),
    ]
    plan = read_events(events)
    assert [(r.address, r.action) for r in plan.resources] == [(WEB, Action.NO_OP)]
    assert plan.complete


def test_a_component_needs_no_end() -> None:
    component = {"urn": urn("c", "shop:web:Server"), "type": "shop:web:Server"}
    assert read_events([events_of("create", None, component)[0], a_summary(create=1)]).complete


def test_what_a_policy_pack_found_is_a_failed_check() -> None:
    event = an_event("policyEvent", resourceUrn=urn("web"), message="too big", enforcementLevel="advisory")
    assert read_events([*CREATION, event, a_summary(create=1)]).checks == (
        Check(address=urn("web"), kind="policy", status="fail", problems=("too big",)),
    )


def test_the_stream_of_a_change_that_was_made_says_that_it_cannot_be_made() -> None:
    assert read_events([*CREATION, a_summary(preview=False, create=1)]).applyable is False


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([CREATION[0], 1], r"line 2 column 1: a line that is not an engine event"),
        ([{"sequence": 1, "timestamp": 1}], "not one engine event that is known: none"),
        ([an_event("resourceGoneEvent")], "not one engine event that is known: resourceGoneEvent"),
        ([{**CREATION[0], **a_summary()}], "not one engine event that is known"),
        ([an_event("resourcePreEvent", metadata={"op": "destroy"})], "unknown operation 'destroy'"),
        ([{"timestamp": 0, "summaryEvent": []}], "an event that is not an object"),
        ([a_summary(), a_summary()], "a second summary"),
        ([a_summary(create=1)], "it counts 1 of create and lists 0"),
        ([CREATION[0], CREATION[0], a_summary()], "the step create of .* comes twice"),
    ],
)
def test_what_is_not_a_stream_is_refused_with_its_line(events: list[Any], problem: str) -> None:
    with pytest.raises(PlanParseError, match=problem) as caught:
        read_events(events)
    assert caught.value.at.startswith("line ")


def test_streams_are_recognized_and_other_lines_are_not() -> None:
    assert pulumi_events.recognizes(CREATION)
    assert not pulumi_preview.recognizes(CREATION)
    others: list[list[Any]] = [
        [],
        [1],
        [{"@level": "info"}],
        [{"steps": []}],
        [{"timestamp": 1, "message": "x"}],
    ]
    for values in others:
        assert not pulumi_events.recognizes(values)
