"""After an execution: whether the stack has the judged template, and whether a second change set finds anything to do.

Both are questions to AWS, so nothing here passes in silence: one that could not be asked is a difference.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.errors import CannotDecideError
from plangate.executor.change_set.calls import CallError, call
from plangate.executor.change_set.creating import Waiting, await_ready, is_empty
from plangate.executor.change_set.describing import Describer
from plangate.executor.change_set.read_back import ReadBack, resources_of
from plangate.executor.change_set.recorded import RecordedChangeSet, without_secrets

_MAX_LISTED: Final = 20


class Found(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        differences: Why the change cannot be called done; empty when nothing is left to do.
        converged: Whether a second change set is empty; ``None`` when it could not be made.
        resources: The resources as they are, when they were asked for and could be listed.
        look_again: Reads them again; ``None`` when they were not asked for.
    """

    differences: tuple[str, ...]
    converged: bool | None
    resources: bytes | None
    look_again: Callable[[], bytes | None] | None


class Afterwards:
    """Asks AWS about the result of one execution."""

    def __init__(self, describer: Describer, read_back: ReadBack, waiting: Waiting) -> None:
        self._describer = describer
        self._read_back = read_back
        self._waiting = waiting

    def look(self, recorded: RecordedChangeSet, token: str, *, obligations: bool) -> Found:
        """Everything that is to be known.

        Args:
            recorded: What was executed.
            token: Of the execution; the second change set is named after it.
            obligations: Read the resources.
        """
        differences = self._of_the_stack(recorded)
        left, converged = self._left_to_do(recorded, token)
        return Found(
            differences=(*differences, *left),
            converged=converged,
            resources=self.resources(recorded) if obligations else None,
            look_again=(lambda: self.resources(recorded)) if obligations else None,
        )

    def resources(self, recorded: RecordedChangeSet) -> bytes | None:
        """The resources as they are; ``None`` when they cannot be listed, and no obligation is met then."""
        try:
            return resources_of(self._describer.client, recorded, self._read_back)
        except CallError:
            return None

    def _of_the_stack(self, recorded: RecordedChangeSet) -> list[str]:
        try:
            stack = self._describer.stack(recorded.stack.id)
            template = without_secrets(self._describer.stack_template(recorded.stack.id))
        except CannotDecideError as error:
            return [f"the stack could not be read after it was changed: {error}"]
        found = []
        if template != recorded.template:
            found.append("the template of the stack is not the one that was judged")
        if stack is not None and stack.get("ChangeSetId") not in {None, recorded.change_set}:
            found.append("another change set was executed meanwhile")
        return found

    def _left_to_do(self, recorded: RecordedChangeSet, token: str) -> tuple[list[str], bool | None]:
        """What a change set with the same template and the same parameters would do."""
        client = self._describer.client
        parameters = recorded.described.get("Parameters") or ()
        try:
            made = call(
                client,
                "create_change_set",
                StackName=recorded.stack.name,
                ChangeSetName=f"{token}-after",
                ClientToken=f"{token}-after",
                ChangeSetType="UPDATE",
                UsePreviousTemplate=True,
                Parameters=[
                    {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True} for each in parameters
                ],
                Capabilities=recorded.described.get("Capabilities") or [],
                Description="made by plangate to see that nothing is left to do",
            )
        except CallError as error:
            if error.refused and is_empty(error.said):
                return [], True
            return [f"no second change set could be made: {error}"], None
        arn = str(made["Id"])
        try:
            if made.get("StackId") != recorded.stack.id:
                return ["the stack of this name is another one now"], None
            if not await_ready(self._describer, arn, self._waiting):
                return [], True
            changes = self._describer.described(arn)["Changes"]
        except CannotDecideError as error:
            return [f"the second change set could not be read: {error}"], None
        finally:
            self._delete(arn)
        return _listed(changes), False

    def _delete(self, arn: str) -> None:
        """It was made to be looked at. Whether it can be deleted changes nothing."""
        try:
            call(self._describer.client, "delete_change_set", ChangeSetName=arn)
        except CallError:
            return


def _listed(changes: list[Mapping[str, Any]]) -> list[str]:
    entries = [change.get("ResourceChange") or {} for change in changes]
    found = [f"still to do: {e.get('LogicalResourceId')} ({e.get('Action')})" for e in entries[:_MAX_LISTED]]
    if len(entries) > _MAX_LISTED:
        found.append(f"still to do: {len(entries) - _MAX_LISTED} more")
    return found or ["a second change set is not empty"]
