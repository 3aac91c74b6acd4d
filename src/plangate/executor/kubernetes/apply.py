"""Applies a plan of Kubernetes objects: to the cluster that foresaw it, and with the result that was judged.

Rules this module keeps:
1. Before the first change, every object is read and dry-run again. Whatever is not as it was judged, nothing runs.
2. Each change names the object's UID and version as conditions, so that the server refuses it if something came
   between.
3. What the server stored is compared with what was judged, and the first difference stops the rest.
4. Success has to be shown: a new dry run of everything wants nothing.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.approved import ApprovedPlan
from plangate.errors import CannotDecideError, ExecutionError, ReceiptError
from plangate.executor.base import (
    ExecutionEvent,
    ExecutionReport,
    ExecutionStatus,
    Found,
    Observe,
    Scrub,
    Standing,
)
from plangate.executor.kubernetes.connection import FIELD_MANAGER, Cluster, ClusterRefusedError
from plangate.executor.kubernetes.document import (
    ClusterPlan,
    PlannedObject,
    decode,
    differences,
    encode,
    members,
    settled,
    without,
)
from plangate.executor.kubernetes.planning import (
    CONFLICT,
    DEFINITION,
    NO_OP,
    TRIES,
    Wanted,
    foresee,
    foreseen_all,
    refusal,
    version_of,
)
from plangate.executor.stopping import Requests, requests_to_stop

_MAX_LISTED: Final = 20
_ESTABLISH_S: Final = 60.0
_ESTABLISH_POLL_S: Final = 0.2


class _StoppedError(Exception):
    """What was changed is not what was judged, or could not be changed; the rest stays as it is."""


class KubernetesExecutor:
    """An `Executor` for plans of one cluster.

    Args:
        cluster: Where they run.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Apply the objects, then look at what became of them. See `plangate.executor.base.Executor.apply`.

        Raises:
            ReceiptError: ``plan`` is not what was approved; nothing ran.
            ExecutionError: The cluster is another one, or not as it was judged; nothing ran.
        """
        found = hashlib.sha256(plan).hexdigest()
        if found != approved.plan_sha256:
            raise ReceiptError(
                f"the plan's bytes are not those that were approved (approved: {approved.plan_sha256}, found: "
                f"{found}); nothing ran",
                hint="check the plan again: what runs is what was judged",
            )
        try:
            planned = decode(plan)
        except msgspec.MsgspecError as error:
            raise ExecutionError(f"not a plan of Kubernetes objects: {error}; nothing ran") from error
        self._check_cluster(planned)
        versions = self._check_all(planned, scrub)
        return _Run(self._cluster, planned, versions, observe, scrub).go()

    def _check_cluster(self, planned: ClusterPlan) -> None:
        if planned.field_manager != FIELD_MANAGER:
            raise ExecutionError(f"the plan is of field manager {planned.field_manager!r:.60}; nothing ran")
        try:
            identity = self._cluster.identity()
        except CannotDecideError as error:
            raise ExecutionError(f"{error}; nothing ran") from error
        known = bool(planned.cluster and identity)
        if planned.cluster != identity if known else planned.server != self._cluster.url:
            raise ExecutionError(
                f"{self._cluster.url} is not the cluster that the plan was made for ({planned.server}); nothing ran",
                hint="name its context with --context",
            )

    def _check_all(self, planned: ClusterPlan, scrub: Scrub) -> dict[str, tuple[str, str]]:
        """UID and version of every object, all of which are as they were judged."""
        problems: list[str] = []
        versions: dict[str, tuple[str, str]] = {}
        looks = foreseen_all(self._cluster, [Wanted.of(each) for each in planned.objects])
        for each, again in zip(planned.objects, looks, strict=True):
            if isinstance(again, CannotDecideError):
                problem = refusal(again)
            else:
                problem = _drift(each, again.before, again.uid) or _other_outcome(each, again)
                versions[each.path] = (again.uid, again.resource_version)
            if problem:
                problems.append(scrub(f"{each.address}: {problem}"))
        if problems:
            raise ExecutionError(
                f"{'; '.join(problems[:_MAX_LISTED])}; nothing ran",
                hint="make the plan again, and have it judged",
            )
        return versions


def _drift(each: PlannedObject, live: Mapping[str, Any] | None, uid: str) -> str:
    """How a live object is not what was judged; empty when it is. A status that moved on is no difference."""
    if live is None:
        return "" if each.before is None else "is gone since it was judged"
    if each.before is None:
        return "was made by somebody since it was judged"
    if uid != each.uid:
        return "is another object than the one that was judged"
    changed = members([*differences(each.before, live)])
    return f"was changed since it was judged: {_listed(changed)}" if changed else ""


def _other_outcome(each: PlannedObject, again: PlannedObject) -> str:
    """How the server would now store something else than what was judged; empty when it would not."""
    if again.path != each.path:
        return f"is not the object at {each.path}"
    changed = members([*differences(each.after, again.after)])
    # Nothing counts as unknown because the plan says so: what is unknown is not compared with what was judged.
    changed += tuple(sorted({*each.unknown} ^ {*again.unknown}))
    if changed or again.change != each.change:
        return f"would now be stored otherwise than it was judged: {_listed(changed) or again.change}"
    return ""


def _listed(pointers: Sequence[str]) -> str:
    more = len(pointers) - _MAX_LISTED
    return ", ".join(pointers[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


class _Ended(Struct, frozen=True, kw_only=True):
    """How a run ended before its last object: after so many, at one that failed or between two."""

    done: int
    problem: str
    failed: PlannedObject | None = None
    interrupted: bool = False


class _Run:
    """One run of a plan."""

    def __init__(
        self,
        cluster: Cluster,
        planned: ClusterPlan,
        versions: Mapping[str, tuple[str, str]],
        observe: Observe,
        scrub: Scrub,
    ) -> None:
        self._cluster = cluster
        self._planned = planned
        self._versions = versions
        self._observe = observe
        self._scrub = scrub
        self._events: Counter[str] = Counter()
        self._unheard: Exception | None = None

    def go(self) -> ExecutionReport:
        """Apply one object after the other, and look at all of them again."""
        todo = [each for each in self._planned.objects if each.change != NO_OP]
        if not todo:
            # The look before the first change was the last one too: everything is as it is wanted.
            return self._report(
                ExecutionStatus.SUCCEEDED, [], followup=self._as_found(self._planned), converged=True
            )
        with requests_to_stop() as stop:
            ended = self._change(todo, stop)
        return self._afterwards() if ended is None else self._broken_off(ended, todo)

    def _change(self, todo: Sequence[PlannedObject], stop: Requests) -> _Ended | None:
        """Apply one object after the other; how that ended before the last one, if it did."""
        for number, each in enumerate(todo):
            if stop.count:
                return _Ended(done=number, problem="stopped by the user", interrupted=True)
            try:
                self._tell("apply_start", each)
                self._apply(each, stop)
                self._tell("apply_complete", each)
            except (ClusterRefusedError, _StoppedError) as error:
                problem = refusal(error) if isinstance(error, ClusterRefusedError) else str(error)
                self._tell_failure(each, problem)
                return _Ended(done=number, failed=each, problem=problem)
            except Exception as error:
                if error is not self._unheard:
                    raise
                problem = (
                    f"an event could not be recorded ({type(error).__name__}), so the rest was not applied"
                )
                return _Ended(done=number, failed=each, problem=problem)
        return None

    def _apply(self, each: PlannedObject, stop: Requests) -> None:
        uid, version = self._versions[each.path]
        for left in reversed(range(TRIES)):
            try:
                applied = self._cluster.apply(
                    each.path, _on_condition(each.manifest, uid, version), dry_run=False
                )
                break
            except ClusterRefusedError as error:
                # Somebody was here: the status alone may move on, and everything else is drift.
                if not left or error.status != 409 or any(c.reason == CONFLICT for c in error.causes):  # noqa: PLR2004
                    raise
                live = self._cluster.read(each.path)
                if problem := _drift(
                    each, None if live is None else settled(live), version_of(live or {})[0]
                ):
                    raise _StoppedError(problem) from error
                uid, version = version_of(live or {})
        if applied.created != (each.before is None):
            raise _StoppedError("was made or deleted by somebody while it was applied")
        if changed := members([*differences(each.after, without(settled(applied.object), each.unknown))]):
            raise _StoppedError(f"was stored otherwise than it was judged: {_listed(changed)}")
        if each.manifest["kind"] == DEFINITION:
            self._await_established(each, stop)

    def _await_established(self, each: PlannedObject, stop: Requests) -> None:
        deadline = time.monotonic() + _ESTABLISH_S
        while time.monotonic() < deadline and not stop.count:
            found = self._cluster.read(each.path) or {}
            conditions = (found.get("status") or {}).get("conditions") or []
            if any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions):
                self._cluster.forget_types()
                return
            time.sleep(_ESTABLISH_POLL_S)
        waited = "before it was stopped" if stop.count else f"within {_ESTABLISH_S:.0f} seconds"
        raise _StoppedError(f"was not established {waited}")

    def _tell(self, event: str, each: PlannedObject, message: str = "") -> None:
        try:
            self._observe(
                ExecutionEvent(
                    type=event,
                    address=self._scrub(each.address),
                    action=each.change,
                    message=self._scrub(message)[:500],
                )
            )
        except Exception as error:
            self._unheard = error
            raise
        self._events[event] += 1

    def _tell_failure(self, each: PlannedObject, problem: str) -> None:
        try:
            self._tell("apply_errored", each, problem)
        except Exception as error:
            if error is not self._unheard:
                raise

    def _broken_off(self, ended: _Ended, todo: Sequence[PlannedObject]) -> ExecutionReport:
        failed = ended.failed
        problems = [ended.problem if failed is None else f"{failed.address}: {ended.problem}"]
        if left := [each.address for each in todo[ended.done + (failed is not None) :]]:
            problems.append(f"not applied: {_listed(left)}")
        return self._report(
            ExecutionStatus.FAILED,
            problems,
            interrupted=ended.interrupted,
            failed=() if failed is None else (self._scrub(failed.address),),
            found=tuple(self._found(each) for each in todo),
        )

    def _found(self, each: PlannedObject) -> Found:
        try:
            live = self._cluster.read(each.path)
            standing = Standing.ABSENT if live is None else Standing.EXISTS
        except (CannotDecideError, KeyboardInterrupt):
            standing = Standing.UNKNOWN
        return Found(address=self._scrub(each.address), standing=standing)

    def _read_back(self) -> bytes | None:
        """The objects as they are now, as a plan that changes nothing; ``None`` when they cannot be read."""
        objects = []
        try:
            for each in self._planned.objects:
                live = self._cluster.read(each.path)
                objects.append(replace(each, before=None if live is None else settled(live)))
        except (CannotDecideError, KeyboardInterrupt):
            return None
        return self._as_found(replace(self._planned, objects=tuple(objects)))

    def _as_found(self, planned: ClusterPlan) -> bytes:
        """The live objects of a plan, as a plan that changes nothing."""
        there = [each for each in planned.objects if each.before is not None]
        kept = [replace(e, after=e.before or {}, unknown=(), change=NO_OP) for e in there]
        return encode(replace(planned, objects=tuple(kept)))

    def _afterwards(self) -> ExecutionReport:
        wanted = [Wanted.of(each) for each in self._planned.objects]
        try:
            again = foresee(self._cluster, wanted, scrub=self._scrub, progress=lambda _: None)
        except CannotDecideError as error:
            problem = f"what it became of could not be read back: {error}"
            return self._report(ExecutionStatus.NOT_CONVERGED, [problem], followup=self._read_back())
        except KeyboardInterrupt:
            return self._report(
                ExecutionStatus.NOT_CONVERGED, ["interrupted while reading back"], interrupted=True
            )
        left = [each.address for each in again.objects if each.change != NO_OP]
        status = ExecutionStatus.NOT_CONVERGED if left else ExecutionStatus.SUCCEEDED
        problems = [f"a new dry run wants to change it again: {_listed(left)}"] if left else []
        return self._report(status, problems, followup=self._as_found(again), converged=not left)

    def _report(
        self,
        status: ExecutionStatus,
        problems: Sequence[str],
        *,
        followup: bytes | None = None,
        converged: bool | None = None,
        interrupted: bool = False,
        failed: tuple[str, ...] = (),
        found: tuple[Found, ...] = (),
    ) -> ExecutionReport:
        return ExecutionReport(
            status=status,
            problems=tuple(self._scrub(problem) for problem in problems),
            events=dict(sorted(self._events.items())),
            tool=f"kubernetes {self._planned.server_version}".rstrip(),
            followup=followup,
            converged=converged,
            interrupted=interrupted,
            failed=failed,
            found=found,
            look_again=None if followup is None else self._read_back,
        )


def _on_condition(manifest: Mapping[str, Any], uid: str, version: str) -> dict[str, Any]:
    """A manifest that counts only for the object and the version that were looked at."""
    if not version:
        return dict(manifest)
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid, "resourceVersion": version}}
