"""Applies a saved plan of terraform or OpenTofu: exactly the bytes that were judged.

Rules this module keeps:
1. The bytes are hashed, put where nobody can change them, and hashed again there; terraform opens that copy.
2. Nothing ran, or it may have: an error before the first step is an `ExecutionError`, anything later is in
   the report.
3. Success has to be shown: exit code 0, the final summary, every planned step reported complete, every check
   passing, and a new plan that wants nothing.
4. An event that cannot be recorded stops the change.

Single use is the caller's to enforce, with the log: terraform itself applies a plan twice when its state is
local.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from plangate.decision.approved import ApprovedPlan
from plangate.errors import ExecutionError, ReceiptError
from plangate.executor.base import ExecutionReport, ExecutionStatus, Observe, Scrub
from plangate.executor.terraform_configuration import changed_files
from plangate.executor.terraform_events import Listener
from plangate.executor.terraform_followup import Afterwards, Bounds
from plangate.executor.terraform_json import ShownPlan
from plangate.executor.terraform_saved_plan import Making, how_it_was_made
from plangate.terraform_cli import (
    Ending,
    Finished,
    PlanCopy,
    Tool,
    acting_environment,
    private_copy,
    run,
    show_plan,
)

_MAX_LISTED: Final = 20


class TerraformExecutor:
    """An `Executor` for saved plans.

    Args:
        tool: What runs them.
        working_dir: The initialized folder where the plan was made.
        environ: The user's environment, with the credentials that the change needs.
        apply_timeout_s: Seconds after which an apply is asked to stop.
        stop_grace_s: Seconds that a stopping apply gets to finish what it is doing and save its state.
        plan_timeout_s: Seconds for the follow-up plan.
        show_timeout_s: Seconds for one ``show``.
        max_json_bytes: Size of the JSON of a plan or a state.
    """

    def __init__(
        self,
        *,
        tool: Tool,
        working_dir: Path,
        environ: Mapping[str, str],
        apply_timeout_s: float = 6 * 3600.0,
        stop_grace_s: float = 300.0,
        plan_timeout_s: float = 3600.0,
        show_timeout_s: float = 120.0,
        max_json_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self._tool = tool
        self._working_dir = working_dir
        self._environ = environ
        self._apply_timeout_s = apply_timeout_s
        self._stop_grace_s = stop_grace_s
        self._bounds = Bounds(
            plan_timeout_s=plan_timeout_s, show_timeout_s=show_timeout_s, max_json_bytes=max_json_bytes
        )

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Run the plan, then look at what became of it. See `Executor.apply`.

        Raises:
            ReceiptError: ``plan`` is not what was approved; nothing ran.
            ExecutionError: It could not be started, or terraform refused it before its first step; nothing
                ran.
            KeyboardInterrupt: The user stopped it before it was started; nothing ran.
        """
        _insist(
            hashlib.sha256(plan).hexdigest(), approved, "the plan's bytes are not those that were approved"
        )
        listener = Listener(scrub)
        making = how_it_was_made(plan, max_bytes=self._bounds.max_json_bytes)
        try:
            with private_copy(plan) as copy:
                _insist(copy.sha256(), approved, "the private copy of the plan is not what was approved")
                shown = self._show(copy)
                _insist(
                    copy.sha256(), approved, "the private copy of the plan was changed before it was applied"
                )
                finished, stopped_by = self._run(copy, making, listener, observe)
                unchanged = copy.sha256() == approved.plan_sha256
        except OSError as error:
            raise ExecutionError(
                f"{self._tool.name} could not be started: {error.strerror}; nothing ran"
            ) from error
        problems = self._problems(finished, stopped_by, listener, shown)
        if not unchanged:
            problems.append("the private copy of the plan was changed while it was applied")
        if problems:
            return self._report(
                ExecutionStatus.FAILED, problems, listener, interrupted=finished.ending is Ending.INTERRUPTED
            )
        return self._afterwards(plan, shown, making, listener)

    def _show(self, copy: PlanCopy) -> ShownPlan:
        finished = show_plan(
            self._tool,
            copy,
            working_dir=self._working_dir,
            environ=self._environ,
            timeout_s=self._bounds.show_timeout_s,
            max_bytes=self._bounds.max_json_bytes,
        )
        if finished.ending is Ending.INTERRUPTED:
            raise KeyboardInterrupt
        try:
            if finished.ok:
                return msgspec.json.decode(finished.stdout, type=ShownPlan)
        except msgspec.DecodeError:
            pass
        raise ExecutionError(
            f"{self._tool} cannot read the plan in {self._working_dir}; nothing ran",
            hint=f"run `{self._tool.name} init` where the plan was made, and name that folder with --chdir",
        )

    def _run(
        self, copy: PlanCopy, making: Making | None, listener: Listener, observe: Observe
    ) -> tuple[Finished, Exception | None]:
        """Apply, telling every event; also what the observer failed with, which stops the apply."""
        failure: list[Exception] = []

        def on_line(line: bytes | None) -> bool:
            try:
                event = listener.hear(line)
                if event is not None and not failure:
                    observe(event)
            except Exception as error:  # noqa: BLE001 - whatever it was: what is not recorded must not go on
                failure.append(error)
            return not failure

        finished = run(
            self._tool.path,
            [f"-chdir={self._working_dir}", "apply", "-json", "-input=false", copy.path],
            # NOTE: with local state, terraform applies a plan to the workspace that happens to be selected, not
            # to the one that it was made in.
            environment=acting_environment(self._environ, workspace=making.workspace if making else ""),
            timeout_s=self._apply_timeout_s,
            max_stdout_bytes=0,
            stop_grace_s=self._stop_grace_s,
            on_line=on_line,
            pass_fds=copy.pass_fds,
        )
        return finished, failure[0] if failure else None

    def _problems(
        self, finished: Finished, stopped_by: Exception | None, listener: Listener, shown: ShownPlan
    ) -> list[str]:
        """Why the apply did not succeed; empty when it did as far as its own words go.

        Raises:
            ExecutionError: It failed, and it is certain that nothing ran.
        """
        heard, name = listener.heard, self._tool.name
        problems = []
        if stopped_by is not None:
            problems.append(
                f"an event could not be recorded ({type(stopped_by).__name__}), so {name} was stopped"
            )
        elif finished.ending is not Ending.EXITED:
            problems.append(f"{name} was stopped: {finished.ending.value}")
        if finished.killed:
            problems.append(
                f"{name} did not end in time and was killed: its state may lack what was done last"
            )
        if finished.ending is Ending.EXITED and finished.exit_code:
            if finished.exit_code == 1 and heard.refused:
                raise ExecutionError(f"{name} refused the plan: {'; '.join(heard.errors[:3])}; nothing ran")
            problems.append(f"{name} ended with exit code {finished.exit_code}")
        problems += [f"failed: {address}" for address in dict.fromkeys(heard.errored) if address][
            :_MAX_LISTED
        ]
        problems += heard.errors[:_MAX_LISTED]
        if problems:
            return problems
        if heard.summary is None:
            problems.append(f"{name} ended with exit code 0, but without the summary of what it did")
        if missing := Counter(shown.steps()) - heard.completed:
            first = [f"{listener.clean(address)} ({step})" for address, step in list(missing)[:_MAX_LISTED]]
            problems.append(
                f"{name} did not report {missing.total()} planned steps as done: {', '.join(first)}"
            )
        return problems

    def _afterwards(
        self, plan: bytes, shown: ShownPlan, making: Making | None, listener: Listener
    ) -> ExecutionReport:
        try:
            changed = changed_files(plan, self._working_dir, max_bytes=self._bounds.max_json_bytes)
        except ValueError:
            changed = ("its copy in the plan cannot be read",)
        afterwards = Afterwards(
            tool=self._tool,
            working_dir=self._working_dir,
            environ=self._environ,
            bounds=self._bounds,
            applied=shown,
            changed=tuple(listener.clean(name) for name in changed[:_MAX_LISTED]),
            making=making,
            listener=listener,
        )
        found = afterwards.look()
        structured = [*found.failed_checks]
        warned = dict.fromkeys(listener.heard.failed_checks)
        structured += [message for message in warned if not any(s.endswith(message) for s in structured)]
        checks = [f"check failed: {message}" for message in structured]
        status = (
            ExecutionStatus.CHECKS_FAILED
            if checks
            else ExecutionStatus.NOT_CONVERGED
            if found.differences or found.plan is None
            else ExecutionStatus.SUCCEEDED
        )
        return self._report(
            status,
            [*checks, *found.differences],
            listener,
            followup=found.plan,
            converged=None if found.plan is None else not found.differences,
            interrupted=found.interrupted,
        )

    def _report(
        self,
        status: ExecutionStatus,
        problems: list[str],
        listener: Listener,
        *,
        followup: bytes | None = None,
        converged: bool | None = None,
        interrupted: bool = False,
    ) -> ExecutionReport:
        return ExecutionReport(
            status=status,
            problems=tuple(problems),
            events=dict(sorted(listener.heard.events.items())),
            tool=str(self._tool),
            followup=followup,
            converged=converged,
            interrupted=interrupted,
        )


def _insist(sha256: str, approved: ApprovedPlan, problem: str) -> None:
    if sha256 != approved.plan_sha256:
        raise ReceiptError(
            f"{problem} (approved: {approved.plan_sha256}, found: {sha256}); nothing ran",
            hint="check the plan again: what runs is what was judged",
        )
