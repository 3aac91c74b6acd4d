"""Runs saved plans of terraform and OpenTofu."""

import os

from plangate.errors import UsageError
from plangate.wiring.choices import Choices
from plangate.wiring.documents import Document, parse_follow_up, terraform_tool, working_dir
from plangate.wiring.executors import Means
from plangate.wiring.session import Session


def fits(document: Document) -> bool:
    """Saved plans, which are zip archives of a certain kind."""
    from plangate.parsers import terraform_saved  # noqa: PLC0415

    return terraform_saved.is_saved_plan(document.data)


def means(session: Session, document: Document, choices: Choices) -> Means:
    """With the program that made the plan.

    Raises:
        UsageError: There is no terraform or tofu.
    """
    from plangate.executor.terraform import TerraformExecutor  # noqa: PLC0415

    tool = terraform_tool(session.settings, document.data)
    if tool is None:
        raise UsageError(
            "neither terraform nor tofu is on PATH",
            hint="install one, or name it: terraform.binary in plangate.yaml",
        )
    executor = TerraformExecutor(
        tool=tool,
        working_dir=working_dir(document, choices),
        environ=os.environ,
        apply_timeout_s=session.settings.values.limits.apply_timeout_s,
        show_timeout_s=session.limits.show_timeout_s,
        max_json_bytes=session.limits.max_plan_bytes,
    )
    return Means(
        name="terraform", executor=executor, follow_up=lambda data: parse_follow_up(data, session.limits)
    )
