from io import StringIO

import pytest
from rich.console import Console

from plangate.cli.run_tree import RunTree
from plangate.executor.base import ExecutionEvent
from plangate.model.aws_plan import AWS_PLAN_SCHEMA, AwsPlan, Change, Template


def a_plan(needs: dict[str, tuple[str, ...]]) -> AwsPlan:
    changes = tuple(
        Change(logical_id=name, type="AWS::EC2::VPC", action="create", after={}, depends_on=wanted)
        for name, wanted in needs.items()
    )
    stays = Change(
        logical_id="Old", type="AWS::EC2::VPC", action="no-op", identifier="vpc-1", before={}, after={}
    )
    return AwsPlan(
        schema=AWS_PLAN_SCHEMA,
        environment="prod",
        stack="shop",
        account="1",
        region="eu-central-1",
        tool="",
        template=Template(name="", sha256="", text=""),
        parameters={},
        zones={},
        changes=(*changes, stays),
    )


def a_tree(needs: dict[str, tuple[str, ...]], height: int = 40) -> RunTree:
    return RunTree(a_plan(needs), Console(file=StringIO(), height=height))


def test_each_change_stands_below_the_deepest_that_it_needs() -> None:
    tree = a_tree({"Vpc": ("Old",), "Subnet": ("Vpc",), "Key": (), "Web": ("Key", "Subnet")})
    shown = [(depth, name) for depth, name, _ in tree.lines()]
    assert shown == [(0, "Key"), (0, "Vpc"), (1, "Subnet"), (2, "Web")]


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("apply_start", "running"),
        ("apply_resume", "running"),
        ("apply_complete", "done"),
        ("apply_errored", "failed"),
    ],
)
def test_an_event_moves_its_change_on(event: str, state: str) -> None:
    tree = a_tree({"Vpc": ()})
    assert tree.lines() == [(0, "Vpc", "waiting")]
    tree(ExecutionEvent(type=event, address="Vpc"))
    tree(ExecutionEvent(type=event, address="what nobody knows"))
    assert tree.lines() == [(0, "Vpc", state)]


def test_without_room_only_what_runs_or_failed_is_shown() -> None:
    tree = a_tree({f"Vpc{number:02}": () for number in range(40)}, height=20)
    tree(ExecutionEvent(type="apply_start", address="Vpc07"))
    tree(ExecutionEvent(type="apply_errored", address="Vpc30"))
    assert tree.lines() == [(0, "Vpc07", "running"), (0, "Vpc30", "failed")]


def test_needs_in_a_circle_end() -> None:
    assert len(a_tree({"A": ("B",), "B": ("A",)}).lines()) == 2
