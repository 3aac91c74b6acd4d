"""One holder at a time: what both locks of the AWS executor keep. The bucket is one of a double of AWS, over HTTP."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.locks import BucketLock, FileLock, Lock
from tests.aws_server import REGION, AwsServer

pytestmark = pytest.mark.aws
BUCKET = "locks"
Make = Callable[[], Lock]


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    aws = aws_account.aws()
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return aws


@pytest.fixture(params=["file", "bucket"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Locks of different runs that know the same place."""
    if request.param == "file":
        yield lambda: FileLock(tmp_path)
    else:
        aws = request.getfixturevalue("aws")
        yield lambda: BucketLock(aws, BUCKET)


def test_a_second_one_is_refused_and_told_who_holds_it(make: Make) -> None:
    with make().held("prod", 0) as check:
        check()
        with (
            pytest.raises(ExecutionError, match=r"prod is being changed by .*process \d+; nothing ran"),
            make().held("prod", 0),
        ):
            pass
        check()


def test_it_is_free_afterwards_also_after_a_failure(make: Make) -> None:
    with pytest.raises(ValueError, match="broken"), make().held("prod", 0):
        raise ValueError("broken")
    for _ in range(2):
        with make().held("prod", 0) as check:
            check()


def test_environments_have_locks_of_their_own(make: Make) -> None:
    with ExitStack() as stack:
        for name in ("prod", "test", "../prod", "prod/eu"):
            stack.enter_context(make().held(name, 0))


def test_one_that_waits_gets_it_when_it_is_free(make: Make) -> None:
    held, go = threading.Event(), threading.Event()

    def first() -> None:
        with make().held("prod", 0):
            held.set()
            go.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(30)
    threading.Timer(0.3, go.set).start()
    began = time.monotonic()
    with make().held("prod", 30):
        assert go.is_set()
        assert time.monotonic() - began < 25
    thread.join()


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    """Of files alone: the double looks whether an object is there, and then writes it, so that two may."""
    held: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        try:
            with FileLock(tmp_path).held("prod", 0):
                with lock:
                    held.append(number)
                    most.append(len(held))
                time.sleep(0.5)
                with lock:
                    held.remove(number)
        except ExecutionError:
            pass

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most
    assert set(most) == {1}


# --- The bucket's alone -----------------------------------------------------------------------------------------


def _body(aws: Aws) -> dict[str, object]:
    found = aws.client("s3").get_object(Bucket=BUCKET, Key="plangate/locks/prod")["Body"].read()
    told: dict[str, object] = json.loads(found)
    return told


def _clock() -> tuple[list[float], Callable[[], float]]:
    now = [1_000.0]
    return now, lambda: now[0]


def test_a_lock_whose_holder_is_silent_for_too_long_is_taken_over_with_a_higher_fence(aws: Aws) -> None:
    now, clock = _clock()
    first = BucketLock(aws, BUCKET, good_for_s=120, now=clock)
    second = BucketLock(aws, BUCKET, good_for_s=120, now=clock)
    with first.held("prod", 0) as check:
        assert _body(aws)["fence"] == 1
        now[0] += 119
        check()
        with pytest.raises(ExecutionError, match="is being changed by"), second.held("prod", 0):
            pass
        now[0] += 2
        with pytest.raises(ExecutionError, match="another run may hold prod now, so this one stops"):
            check()
        with second.held("prod", 0) as other:
            assert _body(aws)["fence"] == 2
            other()
    assert _body(aws)["fence"] == 2, "the first one leaves the second one's alone"


def test_the_fence_grows_with_every_holder(aws: Aws) -> None:
    fences = []
    for _ in range(3):
        with BucketLock(aws, BUCKET).held("prod", 0):
            fences.append(_body(aws)["fence"])
    assert fences == [1, 2, 3]


def test_a_holder_gives_signs_of_life(aws: Aws) -> None:
    lock = BucketLock(aws, BUCKET, good_for_s=1.5)
    with lock.held("prod", 0) as check:
        for _ in range(6):
            time.sleep(0.5)
            check()
        with pytest.raises(ExecutionError), BucketLock(aws, BUCKET).held("prod", 0):
            pass


def test_a_holder_whose_object_somebody_wrote_stops(aws: Aws) -> None:
    with BucketLock(aws, BUCKET, good_for_s=1.5).held("prod", 0) as check:
        body = json.dumps({"holder": "me", "expires": time.time() + 60, "fence": 9}).encode()
        aws.client("s3").put_object(Bucket=BUCKET, Key="plangate/locks/prod", Body=body)
        time.sleep(1)
        with pytest.raises(ExecutionError, match="so this one stops"):
            check()
    assert _body(aws)["fence"] == 9


@pytest.mark.parametrize("text", [b"", b"{}", b"no json", b'{"expires": "never", "fence": 1}', b"[]"])
def test_an_object_that_is_no_lock_is_refused(aws: Aws, text: bytes) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="plangate/locks/prod", Body=text)
    with (
        pytest.raises(ExecutionError, match="the lock in locks cannot be read"),
        BucketLock(aws, BUCKET).held("prod", 0),
    ):
        pass


def test_without_the_bucket_nothing_is_held(aws_account: AwsServer) -> None:
    with (
        pytest.raises(ExecutionError, match="the lock in nowhere cannot be taken"),
        BucketLock(aws_account.aws(), "nowhere").held("prod", 0),
    ):
        pass
