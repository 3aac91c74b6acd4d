"""After an apply: what the check blocks say, and whether a new plan finds anything left to do.

Both are questions to the real world, so nothing here passes in silence: a question that could not be asked
is a problem.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from plangate.executor.terraform_events import Listener
from plangate.executor.terraform_json import CheckResult, ShownPlan
from plangate.executor.terraform_saved_plan import Making, Mode, how_it_was_made
from plangate.executor.terraform_state import Bounds, StateRead, read_state
from plangate.terraform_cli import (
    Ending,
    Finished,
    Tool,
    acting_environment,
    private_copy,
    run,
    show_plan,
)

_CHANGES: Final = 2
_STOP_GRACE_S: Final = 60.0
_BAD: Final = frozenset({"fail", "error"})
MAX_LISTED: Final = 20


class FollowUp(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        plan: JSON of the new plan, or ``None`` if there is none.
        differences: Why the change cannot be called done; empty when a new plan wants nothing.
        failed_checks: Checks that fail, or could not be asked.
        interrupted: The user asked to stop.
    """

    plan: bytes | None
    differences: tuple[str, ...]
    failed_checks: tuple[str, ...]
    interrupted: bool = False


class Afterwards:
    """Asks terraform about the result of one apply."""

    def __init__(
        self,
        *,
        tool: Tool,
        working_dir: Path,
        environ: Mapping[str, str],
        bounds: Bounds,
        applied: ShownPlan,
        changed: tuple[str, ...],
        making: Making | None,
        listener: Listener,
    ) -> None:
        self._tool = tool
        self._working_dir = working_dir
        self._environ = environ
        self._bounds = bounds
        self._applied = applied
        self._changed = changed
        self._making = making
        self._listener = listener
        self._acting = acting_environment(environ, workspace=making.workspace if making else "")

    def look(self) -> FollowUp:
        """Read the checks of the state, then make the follow-up plan and read its checks too."""
        failed_checks, interrupted = self._checks_of_state() if self._applied.checks else ([], False)
        if interrupted:
            found = _nothing("interrupted before a follow-up plan was made", interrupted=True)
        elif self._changed:
            found = _nothing(
                f"no follow-up plan was made: the configuration in {self._working_dir}"
                f" is not the one that was judged: {', '.join(self._changed)}"
            )
        else:
            try:
                found = self._follow_up()
            except OSError as error:
                found = _nothing(f"no follow-up plan could be made: {error.strerror}")
        return replace(found, failed_checks=tuple(dict.fromkeys([*failed_checks, *found.failed_checks])))

    def look_again(self) -> bytes | None:
        """JSON of another follow-up plan; ``None`` when it cannot be made."""
        try:
            return self._follow_up().plan
        except OSError:
            return None

    def read_state(self, file: str = "") -> StateRead:
        """The state that the apply left, or one that it could not save."""
        # NOTE: reading the state needs the backend's credentials, so this one runs in the acting environment.
        return read_state(
            self._tool, self._working_dir, environment=self._acting, bounds=self._bounds, file=file
        )

    def _follow_up(self) -> FollowUp:
        # 0700: the plan and the variables hold secrets.
        with tempfile.TemporaryDirectory(prefix="plangate-") as folder:
            plan = Path(folder, "followup.tfplan")
            finished, listener = self._make_plan(plan, Path(folder, "applied.tfvars.json"))
            if finished.ending is not Ending.EXITED or finished.exit_code not in {0, _CHANGES}:
                return _nothing(
                    _why_no_plan(finished, listener), interrupted=finished.ending is Ending.INTERRUPTED
                )
            made = plan.read_bytes()
            if self._of_another_state(made):
                return _nothing(
                    f"no follow-up plan was made of the same state: {self._working_dir} is initialized with"
                    " another backend than the one that the judged plan names"
                )
            with private_copy(made) as copy:
                shown = show_plan(
                    self._tool,
                    copy,
                    working_dir=self._working_dir,
                    environ=self._environ,
                    timeout_s=self._bounds.show_timeout_s,
                    max_bytes=self._bounds.max_json_bytes,
                )
        try:
            after = msgspec.json.decode(shown.stdout, type=ShownPlan) if shown.ok else None
        except msgspec.DecodeError:
            after = None
        if after is None:
            return _nothing(
                "the follow-up plan could not be read", interrupted=shown.ending is Ending.INTERRUPTED
            )
        return FollowUp(
            plan=shown.stdout,
            differences=tuple(self._differences(after, changes=finished.exit_code == _CHANGES)),
            failed_checks=tuple(self._failing(after.checks or (), planned=True)),
        )

    def _checks_of_state(self) -> tuple[list[str], bool]:
        """Failing checks by the state that the apply wrote, and whether the user interrupted."""
        read = self.read_state()
        if read.state is None:
            return ["the results of the check blocks could not be read"], read.interrupted
        return self._failing(read.state.checks or (), planned=False), read.interrupted

    def _of_another_state(self, plan: bytes) -> bool:
        """Another backend came into use in the folder since: what is there says nothing about what was applied."""
        making = how_it_was_made(plan, max_bytes=self._bounds.max_json_bytes)
        return making is not None and self._making is not None and making.backend != self._making.backend

    def _make_plan(self, plan: Path, variables: Path) -> tuple[Finished, Listener]:
        variables.touch(mode=0o600)
        variables.write_bytes(self._applied.variable_values())
        arguments = [
            f"-chdir={self._working_dir}",
            "plan",
            "-json",
            "-input=false",
            "-detailed-exitcode",
            self._bounds.lock_argument,
            f"-var-file={variables}",
            f"-out={plan}",
        ]
        if self._making:
            arguments += [self._making.mode.value] if self._making.mode is not Mode.NORMAL else []
            arguments += [f"-target={address}" for address in self._making.targets]
        listener = self._listener.another()

        def hear(line: bytes | None) -> bool:
            listener.hear(line)
            return True

        finished = run(
            self._tool.path,
            arguments,
            environment=self._acting,
            timeout_s=self._bounds.plan_timeout_s,
            max_stdout_bytes=self._bounds.max_json_bytes,
            stop_grace_s=_STOP_GRACE_S,
            on_line=hear,
        )
        return finished, listener

    def _differences(self, after: ShownPlan, *, changes: bool) -> list[str]:
        wanted = after.wanted()
        targeted = not self._applied.complete and not (self._making and self._making.targets)
        if targeted:
            # The plan left things out on purpose and does not say which: only what was in it can be held
            # against it.
            covered = {entry.address for entry in self._applied.resource_changes or ()}
            wanted = [(address, actions) for address, actions in wanted if address in covered]
        listed = [
            f"still to do: {self._listener.clean(address)} ({actions})"
            for address, actions in wanted[:MAX_LISTED]
        ]
        if len(wanted) > MAX_LISTED:
            listed.append(f"still to do: {len(wanted) - MAX_LISTED} more")
        if changes and not listed and not targeted:
            listed.append("a new plan is not empty")
        return listed

    def _failing(self, checks: tuple[CheckResult, ...], *, planned: bool) -> list[str]:
        """Sentences for checks that do not hold.

        A check block that is still unknown in a whole follow-up plan could not be asked, which is not a
        pass. With ``-destroy``, ``-refresh-only`` or ``-target`` terraform does not ask them all.
        """
        making = self._making
        whole = self._applied.complete and (
            making is None or (making.mode is Mode.NORMAL and not making.targets)
        )
        found = []
        for check in checks:
            name = self._listener.clean(check.address.to_display or "a check")
            messages = [p.message for i in check.instances or () for p in i.problems or () if p.message]
            if check.status in _BAD:
                why = self._listener.clean("; ".join(messages)) if messages else check.status
                found.append(f"{name}: {why}")
            elif check.status != "pass" and (
                check.status != "unknown" or (planned and whole and check.address.kind == "check")
            ):
                found.append(f"{name}: could not be evaluated")
        return found


def _nothing(why: str, *, interrupted: bool = False) -> FollowUp:
    return FollowUp(plan=None, differences=(why,), failed_checks=(), interrupted=interrupted)


def _why_no_plan(finished: Finished, listener: Listener) -> str:
    if finished.ending is not Ending.EXITED:
        return f"no follow-up plan could be made: {finished.ending.value}"
    errors = listener.heard.errors[:3] or [f"exit code {finished.exit_code}"]
    return "no follow-up plan could be made: " + "; ".join(errors)
