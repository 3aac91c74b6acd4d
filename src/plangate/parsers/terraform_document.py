"""Tells a Terraform plan document from all the others that people hand in by mistake."""

import re
from collections.abc import Mapping
from typing import Any, Final

from plangate.parsers.reader import Reader

SUPPORTED: Final = "0.1 to 1.x"
_HAND_IN: Final = "`terraform plan -out tfplan` and hand in tfplan, or `terraform show -json tfplan`"
MESSAGES: Final = "this is the message stream of `terraform plan -json`, not a plan"
MESSAGES_HINT: Final = f"save the plan with {_HAND_IN}"
_VERSION: Final = re.compile(r"0\.[1-9][0-9]{0,8}|1\.[0-9]{1,9}")


def recognize(reader: Reader, root: Mapping[str, Any]) -> str:
    """The format version of a plan.

    Raises:
        PlanParseError: Not a plan, with a sentence that says what it is, or not a version that we know.
    """
    version = root.get("format_version")
    if "planned_values" not in root and "resource_changes" not in root:
        _refuse_other(reader, root)
    if "plan_format_version" in root:
        reader.refuse(
            "",
            "this is a redacted plan of a remote run, which hides values and configuration",
            hint="hand in the plan itself: `terraform show -json tfplan`",
        )
    if not isinstance(version, str):
        reader.refuse("/format_version", f"missing, so this is no plan we can trust (supported: {SUPPORTED})")
    if not _VERSION.fullmatch(version):
        reader.refuse("/format_version", f'unsupported version "{version[:20]}" (supported: {SUPPORTED})')
    return str(version)


def _refuse_other(reader: Reader, root: Mapping[str, Any]) -> None:
    if not root:
        reader.refuse("", "empty document (expected a plan)")
    if "values" in root or {"serial", "lineage"} <= root.keys():
        reader.refuse("", "this is a state, not a plan", hint=f"make a plan with {_HAND_IN}")
    if "@level" in root:
        reader.refuse("", MESSAGES, hint=MESSAGES_HINT)
    if "action_invocations" not in root and "plan_format_version" not in root:
        keys = ", ".join(sorted(root)[:5])
        reader.refuse(
            "", f"not a Terraform plan: no planned_values and no resource_changes (found: {keys[:200]})"
        )
