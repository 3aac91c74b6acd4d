"""What AWS says of a change set and of its stack, read whole or not at all."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from plangate.executor.change_set.calls import CallError, Client, call, pages
from plangate.executor.change_set.recorded import (
    RecordedChangeSet,
    StackIdentity,
    digest,
    plain,
    record,
)

NEW_STACK: Final = "REVIEW_IN_PROGRESS"
ReadTemplate = Callable[[str], Mapping[str, Any]]
"""A template's text, JSON or YAML, as a value with long forms (``Fn::Sub``); raises `PlanParseError`."""
_NOT_OURS: Final = frozenset({"Changes", "NextToken", "ResponseMetadata"})


class Describer:
    """Reads change sets and stacks of one region.

    Args:
        client: CloudFormation's.
        region: The client's.
        environment: Where changes are meant to be made, in the words of the settings.
        read_template: Reads a template's text.
    """

    def __init__(self, client: Client, *, region: str, environment: str, read_template: ReadTemplate) -> None:
        from botocore.handlers import json_decode_template_body  # noqa: PLC0415 - an extra

        # NOTE: botocore reads JSON templates by itself, and not exactly: numbers become floats, keys that come
        # twice go.
        client.meta.events.unregister("after-call.cloudformation.GetTemplate", json_decode_template_body)
        self.client = client
        self.region = region
        self.environment = environment
        self._read_template = read_template

    def stack(self, name: str) -> Mapping[str, Any] | None:
        """A stack by name or id; ``None`` when there is none of this name.

        Raises:
            CallError: AWS does not say.
        """
        try:
            found = call(self.client, "describe_stacks", StackName=name).get("Stacks") or []
        except CallError as error:
            if error.refused and error.code == "ValidationError" and "does not exist" in error.said:
                return None
            raise
        if len(found) != 1:
            raise CallError("describe_stacks", "", f"{len(found)} stacks (expected one)", refused=True)
        stack: Mapping[str, Any] = found[0]
        return stack

    def identity(self, stack_id: str) -> StackIdentity:
        """The stack as it is now.

        Raises:
            CallError: AWS does not say, or there is none.
        """
        stack = self.stack(stack_id)
        if stack is None:
            raise CallError("describe_stacks", "", "there is no such stack", refused=True)
        new = stack["StackStatus"] == NEW_STACK
        updated = plain(stack.get("LastUpdatedTime"))
        return StackIdentity(
            id=stack["StackId"],
            name=stack["StackName"],
            status=stack["StackStatus"],
            created=plain(stack["CreationTime"]),
            last_updated=updated,
            change_set=stack.get("ChangeSetId"),
            template_sha256=None
            if new
            else digest(self._template_text(StackName=stack["StackId"], TemplateStage="Original")),
        )

    def described(self, change_set: str) -> dict[str, Any]:
        """``describe-change-set`` with property values, all pages in one, times as texts.

        Raises:
            CallError: AWS does not say.
        """
        first, changes = pages(
            self.client,
            "describe_change_set",
            "Changes",
            ChangeSetName=change_set,
            IncludePropertyValues=True,
        )
        said = {key: value for key, value in first.items() if key not in _NOT_OURS}
        found: dict[str, Any] = plain({**said, "Changes": changes})
        return found

    def template(self, *, change_set: str, stage: str = "Processed") -> Mapping[str, Any]:
        """The template of a change set.

        Raises:
            CallError: AWS does not say.
            PlanParseError: It cannot be read.
        """
        return self._read_template(self._template_text(ChangeSetName=change_set, TemplateStage=stage))

    def stack_template(self, stack_id: str) -> Mapping[str, Any]:
        """The template that a stack has now, after transforms.

        Raises:
            CallError: AWS does not say.
            PlanParseError: It cannot be read.
        """
        return self._read_template(self._template_text(StackName=stack_id, TemplateStage="Processed"))

    def record(self, change_set: str) -> RecordedChangeSet:
        """Everything, as it is now.

        Raises:
            CallError: AWS does not say.
            PlanParseError: The template cannot be read.
        """
        described = self.described(change_set)
        return record(
            environment=self.environment,
            region=self.region,
            stack=self.identity(described["StackId"]),
            described=described,
            template=self.template(change_set=change_set),
        )

    def _template_text(self, **which: str) -> str:
        body = call(self.client, "get_template", **which).get("TemplateBody")
        if not isinstance(body, str):
            raise CallError("get_template", "", "there is no template", refused=True)
        return body
