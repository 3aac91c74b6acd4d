"""Applies a saved plan of terraform or OpenTofu: exactly the bytes that were judged.

Rules this module keeps:
1. The bytes are hashed, put where nobody can change them, and hashed again there; terraform opens that copy.
2. Nothing ran, or it may have: an error before the first step is an `ExecutionError`, anything later is in
   the report.
3. Success has to be shown: exit code 0, the final summary, every planned step reported complete, every check
   passing, and a new plan that wants nothing.
4. An event that cannot be recorded stops the change.
5. What did not end well is looked at: which resources are there, which are not, and which nobody can speak for.

Single use is the caller's to enforce, with the log: terraform itself applies a plan twice when its state is
local.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from plangate.decision.approved import ApprovedPlan
from plangate.errors import ExecutionError, ReceiptError
from plangate.executor.base import ExecutionReport, ExecutionStatus, Found, Observe, Scrub
from plangate.executor.terraform_configuration import changed_files
from plangate.executor.terraform_events import MAX_ADDRESS, Listener
from plangate.executor.terraform_followup import Afterwards
from plangate.executor.terraform_found import what_is_there
from plangate.executor.terraform_json import ShownPlan
from plangate.executor.terraform_problems import MAX_LISTED, Applied, problems_of
from plangate.executor.terraform_saved_plan import Making, how_it_was_made
from plangate.executor.terraform_state import UNSAVED, Bounds, UnsavedState
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
        lock_timeout_s: Seconds to wait for somebody else's lock of the state.
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
        lock_timeout_s: float = 0.0,
    ) -> None:
        self._tool = tool
        self._working_dir = working_dir
        self._environ = environ
        self._apply_timeout_s = apply_timeout_s
        self._stop_grace_s = stop_grace_s
        self._bounds = Bounds(
            plan_timeout_s=plan_timeout_s,
            show_timeout_s=show_timeout_s,
            max_json_bytes=max_json_bytes,
            lock_timeout_s=lock_timeout_s,
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
        unsaved = UnsavedState(self._working_dir)
        try:
            with private_copy(plan) as copy:
                _insist(copy.sha256(), approved, "the private copy of the plan is not what was approved")
                shown = self._show(copy)
                _insist(
                    copy.sha256(), approved, "the private copy of the plan was changed before it was applied"
                )
                self._introduce(copy, listener, observe)
                finished, stopped_by = self._run(copy, making, listener, observe)
                unchanged = copy.sha256() == approved.plan_sha256
        except OSError as error:
            raise ExecutionError(
                f"{self._tool.name} could not be started: {error.strerror}; nothing ran"
            ) from error
        applied = Applied(
            name=self._tool.name,
            shown=shown,
            listener=listener,
            finished=finished,
            stopped_by=stopped_by,
            unchanged=unchanged,
            unsaved=unsaved.is_new(),
        )
        problems = problems_of(applied)
        afterwards = self._afterwards(plan, shown, making, listener)
        if problems:
            return self._failed(applied, problems, afterwards, approved, observe)
        return self._succeeded(applied, afterwards)

    def _show(self, copy: PlanCopy) -> ShownPlan:
        if not self._working_dir.is_dir():
            raise ExecutionError(
                f"{self._working_dir}: no such folder; nothing ran",
                hint="name the folder where the plan was made with --chdir",
            )
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
            [
                f"-chdir={self._working_dir}",
                "apply",
                "-json",
                "-input=false",
                self._bounds.lock_argument,
                copy.path,
            ],
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

    def _introduce(self, copy: PlanCopy, listener: Listener, observe: Observe) -> None:
        """Tell what is going to run, besides the plan: the program, and the providers' lock file in the plan.

        Terraform itself refuses a plan whose lock file is not that of the folder, and providers whose checksums are
        not in it.

        Raises:
            ExecutionError: It could not be recorded; nothing ran.
        """
        lock = copy.lock_file()
        digest = "none" if lock is None else f"sha256:{hashlib.sha256(lock).hexdigest()}"
        try:
            observe(listener.tell("tool", message=str(self._tool)))
            observe(listener.tell("provider_lock", message=digest))
        except Exception as error:
            raise ExecutionError(
                f"an event could not be recorded ({type(error).__name__}); nothing ran"
            ) from error

    def _afterwards(
        self, plan: bytes, shown: ShownPlan, making: Making | None, listener: Listener
    ) -> Afterwards:
        try:
            changed = changed_files(plan, self._working_dir, max_bytes=self._bounds.max_json_bytes)
        except ValueError:
            changed = ("its copy in the plan cannot be read",)
        return Afterwards(
            tool=self._tool,
            working_dir=self._working_dir,
            environ=self._environ,
            bounds=self._bounds,
            applied=shown,
            changed=tuple(listener.clean(name) for name in changed[:MAX_LISTED]),
            making=making,
            listener=listener,
        )

    def _succeeded(self, applied: Applied, afterwards: Afterwards) -> ExecutionReport:
        """What terraform calls a success: whether it is one."""
        seen = afterwards.look()
        structured = [*seen.failed_checks]
        warned = dict.fromkeys(applied.listener.heard.failed_checks)
        structured += [message for message in warned if not any(s.endswith(message) for s in structured)]
        checks = [f"check failed: {message}" for message in structured]
        status = (
            ExecutionStatus.CHECKS_FAILED
            if checks
            else ExecutionStatus.NOT_CONVERGED
            if seen.differences or seen.plan is None
            else ExecutionStatus.SUCCEEDED
        )
        return self._report(
            status,
            [*checks, *seen.differences],
            applied.listener,
            followup=seen.plan,
            converged=None if seen.plan is None else not seen.differences,
            interrupted=seen.interrupted,
            look_again=None if seen.plan is None else afterwards.look_again,
        )

    def _failed(
        self,
        applied: Applied,
        problems: list[str],
        afterwards: Afterwards,
        approved: ApprovedPlan,
        observe: Observe,
    ) -> ExecutionReport:
        """What is there now, told address by address. Only reads."""
        listener = applied.listener
        read = afterwards.read_state(UNSAVED if applied.unsaved else "")
        if read.state is None:
            problems.append("the state could not be read, so what exists is not known")
        clear = what_is_there(applied.shown, read.state, listener.heard)
        found = tuple(replace(each, address=listener.clean(each.address, MAX_ADDRESS)) for each in clear)
        try:
            for each in found if applied.stopped_by is None else ():
                observe(listener.tell("found", address=each.address, action=each.standing.value))
        except Exception as error:  # noqa: BLE001 - it is over; that its end is not recorded is the caller's to find
            problems.append(f"what exists could not be recorded ({type(error).__name__})")
        # What was made may break an obligation although the rest was not made.
        asked = approved.obligations and applied.finished.ending is Ending.EXITED and not applied.unsaved
        return self._report(
            ExecutionStatus.FAILED,
            problems,
            listener,
            followup=afterwards.look().plan if asked and not read.interrupted else None,
            interrupted=applied.interrupted or read.interrupted,
            found=found,
        )

    def _report(
        self,
        status: ExecutionStatus,
        problems: Sequence[str],
        listener: Listener,
        *,
        followup: bytes | None,
        interrupted: bool,
        converged: bool | None = None,
        found: tuple[Found, ...] = (),
        look_again: Callable[[], bytes | None] | None = None,
    ) -> ExecutionReport:
        return ExecutionReport(
            status=status,
            problems=tuple(problems),
            events=dict(sorted((listener.heard.events + listener.told).items())),
            tool=str(self._tool),
            followup=followup,
            converged=converged,
            interrupted=interrupted,
            failed=tuple(address for address in dict.fromkeys(listener.heard.errored) if address),
            found=found,
            look_again=look_again,
        )


def _insist(sha256: str, approved: ApprovedPlan, problem: str) -> None:
    if sha256 != approved.plan_sha256:
        raise ReceiptError(
            f"{problem} (approved: {approved.plan_sha256}, found: {sha256}); nothing ran",
            hint="check the plan again: what runs is what was judged",
        )
