"""Runs saved plans of terraform and OpenTofu."""

import os

from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.model.plan import Plan
from plangate.model.prior import prior_plan
from plangate.settings import MAX_LOCK_TIMEOUT_S
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
        stop_grace_s=session.settings.values.limits.stop_grace_s,
        show_timeout_s=session.limits.show_timeout_s,
        max_json_bytes=session.limits.max_plan_bytes,
        lock_timeout_s=_lock_timeout_s(session, choices),
    )

    def follow_up(data: bytes) -> Plan:
        # A new plan says how resources were found (before) and how they are wanted (after): what counts is the first.
        plan = parse_follow_up(data, session.limits)
        return replace(prior_plan(plan), secrets=plan.secrets)

    return Means(name="terraform", executor=executor, follow_up=follow_up, anywhere=True)


def _lock_timeout_s(session: Session, choices: Choices) -> float:
    """What the command line says, else the settings."""
    chosen = choices.aws.lock_timeout_s or session.settings.values.terraform.lock_timeout_s
    if not 0 <= chosen <= MAX_LOCK_TIMEOUT_S:
        raise UsageError(f"--lock-timeout: {chosen:g} (expected 0 to {MAX_LOCK_TIMEOUT_S} seconds)")
    return chosen
