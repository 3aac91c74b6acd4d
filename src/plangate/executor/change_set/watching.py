"""Watches a stack while its change set is executed, to the end or as far as it can be watched.

Rules this module keeps:
1. The end is an event of this execution, and a status of the stack that says the same.
2. Whoever asks to stop, and whatever makes stopping necessary, leads to one request to cancel. What follows is watched.
"""

from typing import Final

from msgspec import Struct, field

from plangate.executor.base import Observe
from plangate.executor.change_set.calls import CallError, call
from plangate.executor.change_set.creating import Waiting
from plangate.executor.change_set.describing import Describer
from plangate.executor.change_set.events import Events
from plangate.executor.change_set.recorded import RecordedChangeSet
from plangate.executor.stopping import Requests

MAX_FAILED_POLLS: Final = 5
"""Questions in a row without an answer (each was tried several times) until the stack is no longer watched."""


class Course(Struct, kw_only=True):
    """How an execution goes.

    Attributes:
        status: The stack's last status that AWS told.
        problems: Sentences.
        failure: What the observer failed with.
        cancelled: It was asked to stop.
        ended: The stack came to an end.
        deadline: By the clock.
        failed_polls: Questions in a row without an answer.
    """

    status: str = ""
    problems: list[str] = field(default_factory=list)
    failure: Exception | None = None
    cancelled: bool = False
    ended: bool = False
    deadline: float
    failed_polls: int = 0


class Watch:
    """Follows one execution.

    Args:
        describer: Reads the stack.
        waiting: How long a change may take, and how often AWS is asked.
        stop_grace_s: Seconds that a cancelled update gets to roll back.
    """

    def __init__(self, describer: Describer, waiting: Waiting, stop_grace_s: float) -> None:
        self._describer = describer
        self._waiting = waiting
        self._stop_grace_s = stop_grace_s

    def follow(
        self,
        recorded: RecordedChangeSet,
        token: str,
        events: Events,
        course: Course,
        observe: Observe,
        requests: Requests,
    ) -> None:
        """Watch until the stack has come to an end, or can no longer be watched; tell every event on the way.

        Args:
            recorded: What is executed.
            token: The client token of the execution.
            events: The stack's, from the execution on.
            course: Told how it goes.
            observe: Told of every event, until it fails.
            requests: Requests to stop.
        """
        clock = self._waiting.clock
        while True:
            self._poll(recorded, events, course, observe)
            if course.ended:
                return
            if course.failed_polls >= MAX_FAILED_POLLS:
                course.problems.append("AWS no longer tells what becomes of the stack")
                return
            late = clock() >= course.deadline
            if course.cancelled and (late or requests.count > 1):
                course.problems.append(f"the stack was still {course.status} when it was left alone")
                return
            if not course.cancelled and (late or requests.count or course.failure is not None):
                self._cancel(recorded, token, course, late=late)
                course.deadline = clock() + self._stop_grace_s
            if self._waiting.poll_s:
                requests.wait(self._waiting.poll_s)

    def _poll(self, recorded: RecordedChangeSet, events: Events, course: Course, observe: Observe) -> None:
        try:
            stack = self._describer.stack(recorded.stack.id)
            for event in events.heard():
                if course.failure is None:
                    try:
                        observe(event)
                    except Exception as error:  # noqa: BLE001 - what is not recorded must not go on
                        course.failure = error
        except CallError:
            course.failed_polls += 1
            return
        course.failed_polls = 0
        course.status = "gone" if stack is None else str(stack["StackStatus"])
        # NOTE: right after the call the stack still has its old status, which may be a good one. The end is an event
        # of this execution, and a status that says the same.
        course.ended = events.stack_status == course.status and not course.status.endswith("_IN_PROGRESS")
        course.ended = course.ended or course.status == "gone"

    def _cancel(self, recorded: RecordedChangeSet, token: str, course: Course, *, late: bool) -> None:
        course.cancelled = True
        if course.failure is not None:
            why = f"an event could not be recorded ({type(course.failure).__name__})"
        else:
            why = f"it took longer than {self._waiting.timeout_s:g} s" if late else "somebody asked to stop"
        try:
            call(
                self._describer.client,
                "cancel_update_stack",
                StackName=recorded.stack.id,
                ClientRequestToken=cancel_token(token),
            )
            course.problems.append(f"{why}, so the update was cancelled")
        except CallError as error:
            course.problems.append(
                f"{why}, and CloudFormation did not let the change of a stack that is {course.status} be cancelled:"
                f" {error.code or 'no answer'}"
            )


def cancel_token(token: str) -> str:
    """The client token of the request to cancel."""
    return f"{token}-cancel"
