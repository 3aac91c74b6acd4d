"""What every executor keeps, the double included."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec import Struct

from plangate.audit.memory import InMemoryLog
from plangate.decision.approved import ApprovedPlan
from plangate.errors import ReceiptError
from plangate.executor.aws.base import Owner
from plangate.executor.base import ExecutionStatus, Executor
from plangate.executor.kubernetes.apply import KubernetesExecutor
from plangate.executor.kubernetes.connection import Cluster
from plangate.executor.memory import MemoryExecutor
from plangate.gate.execution import Execution, execute
from plangate.model.aws_plan import encode_plan
from tests.aws_stack import Stack, census
from tests.change_sets import GOOD_EVENTS, Script, change, recorded
from tests.kubernetes_place import Place, a_config_map
from tests.terraform_project import NAMES, Told, a_project, an_approval, scrub, the_tool
from tests.unit.gate.doubles import a_gate, a_log, a_plan


class Case(Struct, frozen=True, kw_only=True):
    """An executor, a plan that it can run once, and whether that has run."""

    executor: Executor
    plan: bytes
    has_run: Callable[[], bool]


@pytest.fixture(
    params=[
        "memory",
        "change set",
        pytest.param("aws", marks=pytest.mark.aws),
        *(pytest.param(name, marks=pytest.mark.terraform) for name in NAMES),
        pytest.param("kubernetes", marks=pytest.mark.kubernetes),
    ]
)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with ExitStack() as stack:
        yield _case(request, tmp_path, stack)


def _case(request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack) -> Case:
    if request.param == "kubernetes":
        place: Place = request.getfixturevalue("place")
        cluster = Cluster(place.where())
        stack.callback(cluster.close)
        return Case(
            executor=KubernetesExecutor(cluster),
            plan=place.plan(a_config_map()),
            has_run=lambda: place.is_there("ConfigMap", "settings"),
        )
    if request.param == "change set":
        script = Script().before(change()).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS).after()
        ran: list[str] = []
        script.client.meta.events.register(
            "provide-client-params.cloudformation.ExecuteChangeSet", lambda **_: ran.append("x")
        )
        return Case(executor=script.executor(), plan=recorded(change()).encode(), has_run=lambda: bool(ran))
    if request.param == "aws":
        server = request.getfixturevalue("aws_account")
        shop = Stack(server, tmp_path, Owner(environment="test", stack="shop"))
        wanted = {"Resources": {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}}}
        return Case(
            executor=stack.enter_context(shop.executor()),
            plan=encode_plan(shop.plan(wanted)),
            has_run=lambda: bool(census(server.aws())["vpcs"]),
        )
    if request.param == "memory":
        memory = MemoryExecutor()
        return Case(executor=memory, plan=b"any bytes", has_run=lambda: bool(memory.ran))
    project = a_project(
        the_tool(request.param),
        tmp_path,
        'resource "terraform_data" "x" {\n  provisioner "local-exec" { command = "touch ran" }\n}\n',
    )
    plan = project.plan()
    return Case(executor=project.executor(), plan=plan, has_run=lambda: project.has("ran"))


def test_runs_what_was_approved_and_tells_every_event_in_order(case: Case) -> None:
    told = Told()

    report = case.executor.apply(an_approval(case.plan), case.plan, observe=told, scrub=scrub)

    assert (report.status, report.problems, case.has_run()) == (ExecutionStatus.SUCCEEDED, (), True)
    counted = Counter(event.type for event in told.events)
    assert {kind: report.events[kind] for kind in counted} == counted
    starts = [e.address for e in told.events if e.type == "apply_start"]
    assert starts == [e.address for e in told.events if e.type == "apply_complete"]


@pytest.mark.parametrize("change", [b"", b"x"], ids=["shorter", "longer"])
def test_runs_nothing_else(case: Case, change: bytes) -> None:
    other = case.plan + change if change else case.plan[:-1]
    told = Told()

    with pytest.raises(ReceiptError):
        case.executor.apply(an_approval(case.plan), other, observe=told, scrub=scrub)

    assert (told.events, case.has_run()) == ([], False)


def test_an_event_that_cannot_be_recorded_is_the_last_and_no_success(case: Case) -> None:
    told = Told("apply_start")

    report = case.executor.apply(an_approval(case.plan), case.plan, observe=told, scrub=scrub)

    assert report.status is ExecutionStatus.FAILED
    assert "an event could not be recorded" in report.problems[0]
    before = [event.type for event in told.events if not event.address]
    assert [event.type for event in told.events] == [*before, "apply_start"]


def test_every_text_is_scrubbed(case: Case) -> None:
    told = Told()

    report = case.executor.apply(an_approval(case.plan), case.plan, observe=told, scrub=lambda _: "(gone)")

    assert {event.address for event in told.events} <= {"(gone)", ""}
    assert "terraform_data" not in repr(report)


def _through_the_gate(case: Case, log: InMemoryLog, approved: ApprovedPlan, plan: bytes) -> Execution:
    gate = a_gate(None, a_plan(), log)
    return execute(
        gate,
        case.executor,
        approved,
        plan,
        executor_name="any",
        receipt_sha256=None,
        scrub=scrub,
        follow_up=lambda _: a_plan(),
        watch=lambda _: None,
    )


def _types(log: InMemoryLog) -> list[str]:
    return [json.loads(entry.record)["type"] for entry in log.entries()]


def test_through_the_gate_it_runs_once_between_two_records(case: Case) -> None:
    log, approved = a_log(), an_approval(case.plan)
    assert _through_the_gate(case, log, approved, case.plan).succeeded
    first, *events, last = _types(log)
    assert (first, set(events), last) == ("execution.started", {"execution.event"}, "execution.finished")

    with pytest.raises(ReceiptError):
        _through_the_gate(case, log, approved, case.plan)

    assert _types(log) == [first, *events, last]


def test_through_the_gate_a_changed_document_leaves_no_start(case: Case) -> None:
    log = a_log()
    with pytest.raises(ReceiptError, match="not the one that was approved"):
        _through_the_gate(case, log, an_approval(case.plan), case.plan + b" ")
    assert (_types(log), case.has_run()) == ([], False)
