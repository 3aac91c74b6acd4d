"""Why an apply did not succeed, as far as terraform's own words go: success has to be shown, not assumed."""

from collections import Counter
from typing import Final

from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.terraform_events import Listener
from plangate.executor.terraform_json import ShownPlan
from plangate.executor.terraform_state import UNSAVED
from plangate.terraform_cli import Ending, Finished

MAX_LISTED: Final = 20


class Applied(Struct, frozen=True, kw_only=True):
    """One apply that is over.

    Attributes:
        name: The program's.
        shown: What was applied.
        listener: What was heard.
        finished: How the program ended.
        stopped_by: What the observer failed with, if that stopped it.
        unchanged: The private copy of the plan is what it was.
        unsaved: Terraform left a state that it could not save.
    """

    name: str
    shown: ShownPlan
    listener: Listener
    finished: Finished
    stopped_by: Exception | None
    unchanged: bool
    unsaved: bool

    @property
    def interrupted(self) -> bool:
        """The user asked to stop."""
        return self.finished.ending is Ending.INTERRUPTED


def problems_of(applied: Applied) -> list[str]:
    """Sentences for people; empty when it succeeded.

    Raises:
        ExecutionError: It failed, and it is certain that nothing ran.
        KeyboardInterrupt: The user stopped it, and it is certain that nothing ran.
    """
    _raise_if_refused(applied)
    finished, heard, name = applied.finished, applied.listener.heard, applied.name
    problems = []
    if applied.stopped_by is not None:
        problems.append(
            f"an event could not be recorded ({type(applied.stopped_by).__name__}), so {name} was stopped"
        )
    elif finished.ending is not Ending.EXITED:
        problems.append(f"{name} was stopped: {finished.ending.value}")
    if finished.killed:
        problems.append(
            f"{name} did not end in time and was killed: its state may lack what was done last, and may stay locked"
        )
    if finished.ending is Ending.EXITED and finished.exit_code:
        problems.append(f"{name} ended with exit code {finished.exit_code}")
    if applied.unsaved:
        problems.append(
            f"{name} could not save its state and left it in {UNSAVED}: `{name} state push {UNSAVED}` saves it"
        )
    problems += [f"failed: {address}" for address in dict.fromkeys(heard.errored) if address][:MAX_LISTED]
    problems += heard.errors[:MAX_LISTED]
    if not problems:
        problems += _not_shown(applied)
    if not applied.unchanged:
        problems.append("the private copy of the plan was changed while it was applied")
    return problems


def _raise_if_refused(applied: Applied) -> None:
    finished, heard = applied.finished, applied.listener.heard
    if finished.killed or finished.exit_code != 1 or not heard.refused or applied.stopped_by is not None:
        return
    if finished.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    raise ExecutionError(f"{applied.name} refused the plan: {'; '.join(heard.errors[:3])}; nothing ran")


def _not_shown(applied: Applied) -> list[str]:
    """What a program that ended with exit code 0 should have said, and did not."""
    listener, problems = applied.listener, []
    if listener.heard.summary is None:
        problems.append(f"{applied.name} ended with exit code 0, but without the summary of what it did")
    if missing := Counter(applied.shown.steps()) - listener.heard.completed:
        first = [f"{listener.clean(address)} ({step})" for address, step in list(missing)[:MAX_LISTED]]
        problems.append(
            f"{applied.name} did not report {missing.total()} planned steps as done: {', '.join(first)}"
        )
    return problems
