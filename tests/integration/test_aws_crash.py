"""A run that was killed at any call of AWS is gone on with: nothing is there twice, and nothing that nobody knows.

Each point is a process that ends by itself, before a call is sent or when it was answered and nobody has heard of it.
Calls that only ask are no points of their own: what is there and what is written down is the same before and after.
"""

import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from plangate.executor.aws.clients import Aws
from plangate.executor.aws.journal import Journal
from plangate.model.aws_plan import AwsPlan
from tests.aws_crash import AFTER, BEFORE, CRASHED, crash_at
from tests.aws_server import AwsServer
from tests.aws_stack import Stack, census, connection, fresh_connection, small

pytestmark = [pytest.mark.aws, pytest.mark.slow]
FEW = small(Sub=None, Table=None, Joined=None, Log=None)
THINGS = Counter(vpcs=1, groups=1, rules=1, roles=1, policies=1)
MOST = 80
"""Calls of one run; a run with more never ends by itself here."""


@pytest.fixture
def stack(aws_account: AwsServer, tmp_path: Path) -> Stack:
    return Stack(aws_account, tmp_path)


@cache
def _unused(url: str) -> Aws:
    """Connections for processes that are forked from here: made once, and used by none but them."""
    made = fresh_connection(url)
    for service in connection(url)._clients:
        made.client(service)
    return made


def _killed(stack: Stack, plan: AwsPlan, where: str, number: int, *, resume: bool = False) -> bool:
    """Run a plan in a process that is killed; whether it was, and did not end before."""
    aws = _unused(stack.server.url)
    child = os.fork()
    if child == 0:
        try:
            crash_at(where, number, changes_only=True)
            report = stack.apply(plan, aws=aws, resume=resume)
            os._exit(0 if report.status == "succeeded" else 1)
        except BaseException:  # noqa: BLE001 - nothing gets out of here
            os._exit(2)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, CRASHED}
    return code == CRASHED


def _fresh(stack: Stack, number: int) -> Stack:
    stack.server.reset()
    folder = stack.folder / str(number)
    folder.mkdir()
    return Stack(stack.server, folder)


def _sound(stack: Stack, point: str) -> None:
    assert (point, +census(stack.aws())) == (point, THINGS)
    assert (point, stack.told(stack.plan(FEW))) == (point, {})
    with Journal(stack.folder) as journal:
        assert {known.logical_id for known in journal.known(stack.owner)} == set(FEW["Resources"])
        assert [row.ended for row in journal.runs("prod")] == ["succeeded"]


@pytest.mark.parametrize("where", [BEFORE, AFTER])
def test_a_run_that_was_killed_at_any_call_is_gone_on_with(stack: Stack, where: str) -> None:
    number = 0
    while True:
        number += 1
        assert number < MOST
        here = _fresh(stack, number)
        plan = here.plan(FEW)
        if not _killed(here, plan, where, number):
            break
        begun = _begun(here)
        report = here.apply(plan, resume=begun)
        assert (where, number, report.status, report.problems) == (where, number, "succeeded", ())
        _sound(here, f"{where} {number}")
    assert number > len(FEW["Resources"])


def _begun(stack: Stack) -> bool:
    with Journal(stack.folder) as journal:
        return bool(journal.runs("prod"))


def test_a_run_that_is_killed_again_and_again_ends_well(stack: Stack) -> None:
    plan = stack.plan(FEW)
    tries = 0
    while _killed(stack, plan, AFTER, 2, resume=_begun(stack)):
        tries += 1
        assert tries < MOST
    assert tries > 1
    _sound(stack, f"{tries} tries")


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_stack_whose_taking_down_was_killed_goes(stack: Stack, number: int) -> None:
    assert stack.up(FEW).status == "succeeded"
    plan = stack.plan(None)
    assert _killed(stack, plan, BEFORE, number)
    assert stack.apply(plan, resume=True).status == "succeeded"
    assert census(stack.aws()).total() == 0
    with Journal(stack.folder) as journal:
        assert journal.known(stack.owner) == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_replacement_that_was_killed_leaves_one(stack: Stack, number: int) -> None:
    assert stack.up(FEW).status == "succeeded"
    group = dict(FEW["Resources"]["Group"])
    group["Properties"] = group["Properties"] | {"GroupDescription": "other"}
    other = small(Sub=None, Table=None, Joined=None, Log=None, Group=group)
    plan = stack.plan(other)
    assert stack.told(plan) == {"Group": "replace"}
    assert _killed(stack, plan, AFTER, number)
    assert stack.apply(plan, resume=True).status == "succeeded"
    assert +census(stack.aws()) == THINGS
    assert stack.told(stack.plan(other)) == {}
