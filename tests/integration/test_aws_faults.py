"""AWS refuses, fails, or does not answer: nothing is made twice, and nothing is left that nobody knows.

100 runs against a double of AWS, each with its own seed; a run that failed is gone on with until it ends well.
"""

from collections import Counter
from pathlib import Path

import pytest

from plangate.executor.aws.journal import Journal
from tests.aws_faults import KINDS, Faults, at_random, once, without_pauses
from tests.aws_server import AwsServer
from tests.aws_stack import SMALL, Hook, Stack, census, small

pytestmark = pytest.mark.aws
SHARE = 0.12
"""Of calls that meet a fault."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


@pytest.fixture
def stack(aws_account: AwsServer, tmp_path: Path) -> Stack:
    return Stack(aws_account, tmp_path)


def _with(monkeypatch: pytest.MonkeyPatch, faults: Faults | None) -> None:
    monkeypatch.setattr(Hook, "before", faults)


LOST = [
    "CreateVpc", "CreateSubnet", "CreateRouteTable", "AssociateRouteTable", "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress", "CreateRole", "PutRolePolicy", "CreateLogGroup", "PutRetentionPolicy",
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        *((operation, "lost") for operation in LOST),
        *((operation, kind) for kind in KINDS if kind != "lost" for operation in ("CreateVpc", "CreateRole")),
    ],
)
def test_a_call_that_went_wrong_once_makes_one_thing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, operation: str, kind: str
) -> None:
    plan = stack.plan(small())
    faults = Faults(once(operation, kind))
    _with(monkeypatch, faults)
    report = stack.apply(plan)
    _with(monkeypatch, None)
    assert (report.status, report.problems) == ("succeeded", ())
    assert faults.injected == {kind: 1}
    assert census(stack.aws()) == SMALL


@pytest.mark.parametrize("operation", ["DeleteVpc", "DeleteRole", "DisassociateRouteTable", "DeleteLogGroup"])
def test_a_deletion_of_which_nothing_was_heard_is_done(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    assert stack.up(small()).status == "succeeded"
    plan = stack.plan(None)
    _with(monkeypatch, Faults(once(operation, "lost")))
    assert stack.apply(plan).problems == ()
    _with(monkeypatch, None)
    assert census(stack.aws()).total() == 0


FEW = small(Sub=None, Table=None, Joined=None, Log=None)
FEW_THINGS = Counter(vpcs=1, groups=1, rules=1, roles=1, policies=1)


@pytest.mark.parametrize("seed", range(100))
def test_after_any_faults_everything_is_there_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    plan = stack.plan(FEW)
    faults = Faults(at_random(seed, SHARE))
    _with(monkeypatch, faults)
    report = stack.apply(plan)
    tries = 0
    while report.status != "succeeded":
        tries += 1
        assert report.status == "failed" or report.converged is None, report.problems
        assert tries < 20, report.problems
        report = stack.apply(plan, resume=report.status == "failed")
    _with(monkeypatch, None)
    assert +census(stack.aws()) == FEW_THINGS
    assert stack.told(stack.plan(FEW)) == {}
    with Journal(stack.folder) as journal:
        assert {known.logical_id for known in journal.known(stack.owner)} == set(FEW["Resources"])
