"""Many runs want the lock in S3 at the very same time: one gets it, and one that lost it changes nothing any more.

S3 is a double that writes conditionally in one step (tests/s3_double.py); what is changed is in moto.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.clients import Aws, Place
from plangate.executor.aws.locks import BucketLock
from tests.aws_server import ENVIRONMENT, REGION, AwsServer
from tests.aws_stack import Hook, Stack, mutating, small
from tests.s3_double import Store, s3_double

pytestmark = pytest.mark.aws
BUCKET: Final = "locks"
KEY: Final = f"/{BUCKET}/plangate/locks/prod"
RACERS: Final = 8
ROUNDS: Final = 100


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with s3_double() as store:
        yield store


def _aws(store: Store) -> Aws:
    return Aws(Place(region=REGION, endpoint=store.url), attempts=1)


def _body(store: Store) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(store.objects[KEY])
    return told


@pytest.mark.slow
def test_of_eight_at_the_very_same_time_one_gets_it_a_hundred_times_with_fences_that_rise(
    store: Store,
) -> None:
    start = threading.Barrier(RACERS)
    refused = [threading.Semaphore(0) for _ in range(ROUNDS)]
    holding = threading.Lock()
    fences: list[int] = []
    errors: list[str] = []

    def race(aws: Aws) -> None:
        for number in range(ROUNDS):
            start.wait(60)
            try:
                with BucketLock(aws, BUCKET).held("prod", 0) as check:
                    assert holding.acquire(blocking=False), "two hold it"
                    check()
                    fences.append(_body(store)["fence"])
                    # Held until all others were refused, so that a second holder would be one at the same time.
                    assert all(refused[number].acquire(timeout=60) for _ in range(RACERS - 1))
                    check()
                    holding.release()
            except ExecutionError as error:
                errors.append(str(error))
                refused[number].release()
            start.wait(60)

    with ThreadPoolExecutor(RACERS) as pool:
        for each in [pool.submit(race, _aws(store)) for _ in range(RACERS)]:
            each.result()
    assert fences == list(range(1, ROUNDS + 1))
    assert len(errors) == ROUNDS * (RACERS - 1)
    assert all(error.endswith("; nothing ran") for error in errors), set(errors)
    assert {200, 409, 412} == set(store.answers), "both refusals of S3 took place"


@pytest.mark.slow
def test_of_eight_who_find_a_silent_holder_one_takes_over(store: Store) -> None:
    for fence in range(1, 20):
        gone = {"holder": "gone", "expires": 0, "fence": fence}
        store.objects[KEY] = json.dumps(gone).encode()
        start = threading.Barrier(RACERS)
        got: list[int] = []

        def take(aws: Aws, start: threading.Barrier = start, got: list[int] = got) -> None:
            start.wait(60)
            try:
                with BucketLock(aws, BUCKET).held("prod", 0):
                    got.append(_body(store)["fence"])
                    start.wait(60)
            except ExecutionError:
                start.wait(60)

        with ThreadPoolExecutor(RACERS) as pool:
            list(pool.map(take, [_aws(store) for _ in range(RACERS)]))
        assert got == [fence + 1]


def test_a_write_that_was_carried_out_and_answered_with_an_error_is_known_as_ours(store: Store) -> None:
    store.unheard.append(500)
    with BucketLock(_aws(store), BUCKET).held("prod", 0) as check:
        check()
        assert _body(store)["fence"] == 1


def test_a_sign_of_life_that_was_carried_out_and_not_heard_of_loses_nothing(store: Store) -> None:
    lock = BucketLock(_aws(store), BUCKET, good_for_s=1.5)
    with lock.held("prod", 0) as check:
        before = _body(store)["expires"]
        store.unheard.append(500)
        deadline = threading.Event()
        for _ in range(6):
            deadline.wait(0.5)
            check()
        assert _body(store)["expires"] > before
    assert _body(store)["expires"] <= before + 3


def test_a_conflict_with_another_write_loses_nothing(store: Store) -> None:
    """Somebody writes the object without a condition at the same time, and S3 refuses the sign of life with 409."""
    lock = BucketLock(_aws(store), BUCKET, good_for_s=1.5)
    with lock.held("prod", 0) as check:
        store._written.add(KEY)
        threading.Event().wait(0.7)
        store._written.discard(KEY)
        for _ in range(4):
            threading.Event().wait(0.5)
            check()


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateRole", "CreateLogGroup"])
def test_a_holder_that_lost_its_lock_within_a_step_changes_nothing_more(
    store: Store,
    aws_account: AwsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    now = [1_000.0]
    stack = Stack(aws_account, tmp_path)
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}}
    plan = stack.plan(small(Log=log))
    aws = stack.aws()
    lost = threading.Event()

    def take_over(event_name: str, **_: Any) -> None:
        if event_name.endswith(f".{operation}"):
            now[0] += 121
            with BucketLock(_aws(store), BUCKET, now=lambda: now[0]).held("prod", 0):
                lost.set()
                assert _body(store)["fence"] == 2

    monkeypatch.setattr(Hook, "before", take_over)
    report = stack.apply(plan, aws=aws, workers=1, lock=BucketLock(_aws(store), BUCKET, now=lambda: now[0]))
    assert lost.is_set()
    assert report.status == "failed"
    assert any("another run may hold prod now, so this one stops" in each for each in report.problems)
    made = mutating(aws.calls)
    last = list(made)[-1]
    assert last.endswith(f":{operation}"), made
    assert made.total() == len(made)
