"""One run: makes the calls of one plan, each after it is written down, until what is there is what was wanted.

Rules this module keeps:
1. What is there is read again right before it is changed; if it is not what was judged, nothing is done to it.
2. A creation of which nothing was heard is looked for before it is tried again.
3. A step is done when AWS tells of the resource what the template wants of it, and not before.
4. A value that is still not known when its step begins stops the step.
5. No call is sent by a step once the lock is lost, or the user has had enough.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Condition, Found, Handler, Mark, Owner, Properties, token_of
from plangate.executor.aws.clients import NotYetError, is_ambiguous, is_passing, said
from plangate.executor.aws.difference import changed_properties, holds_unknown
from plangate.executor.aws.journal import Journal, StepRow
from plangate.executor.aws.planning import Desired, Kit, Known
from plangate.executor.aws.scheduling import Pause, Say, Step
from plangate.executor.aws.schemas import Schema
from plangate.executor.aws.steps import Task
from plangate.executor.aws.validation import coerced
from plangate.executor.base import ExecutionEvent
from plangate.model.aws_plan import AwsPlan, Change
from plangate.model.values import known_part

_FIRST_LOOK_S: Final = 0.2
_LONGEST_LOOK_S: Final = 15.0
_TRIES: Final = 6
_SPREADING_S: Final = 120.0
"""Seconds until the rest of AWS has heard of what was made before, e.g. of a role."""
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number")


class DriftError(ExecutionError):
    """What is there is not what was judged."""


class Run(Struct, kw_only=True):
    """One run of one plan.

    Attributes:
        name: Names it in the journal: the digest of its plan and its environment.
        plan: What is run.
        desired: The plan's template, which reads ``attributes``.
        attributes: What is known of resources by now.
        kit: Connections, schemas, handlers.
        journal: Where steps are written down.
        hidden: Digest of a value that AWS never tells.
        resumed: Steps of an earlier try.
        check: Raises when the environment's lock is lost.
        patience: Multiplies the handlers' patience.
    """

    name: str
    plan: AwsPlan
    desired: Desired
    attributes: dict[str, Mapping[str, Any]]
    kit: Kit
    journal: Journal
    hidden: Callable[[Any], str]
    resumed: Mapping[str, StepRow]
    check: Callable[[], None]
    patience: float = 1.0
    reading: Any = msgspec.field(default_factory=threading.Lock)

    @property
    def owner(self) -> Owner:
        """Whose resources are changed."""
        return Owner(environment=self.plan.environment, stack=self.plan.stack)

    def step(self, task: Task) -> Step:
        """A task as the scheduler takes it."""
        acts = {
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
            "forget": self._forget,
        }

        def act(say: Say, pause: Pause) -> None:
            change = task.change
            self.check()
            row = self.journal.intend(self.name, task.key)
            started = time.monotonic()
            word = "resume" if row is not None else "start"
            say(ExecutionEvent(type=f"apply_{word}", address=change.key, action=task.verb))

            def check() -> None:
                pause(0.0)
                self.check()

            try:
                with self.kit.aws.guarded(check):
                    acts[task.verb](task, row, pause)
            except Exception as error:
                say(
                    ExecutionEvent(
                        type="apply_errored",
                        address=change.key,
                        action=task.verb,
                        message=said(error),
                        elapsed_s=round(time.monotonic() - started, 1),
                    )
                )
                raise
            self.journal.done(self.name, task.key)
            say(
                ExecutionEvent(
                    type="apply_complete",
                    address=change.key,
                    action=task.verb,
                    elapsed_s=round(time.monotonic() - started, 1),
                )
            )

        return Step(key=task.key, needs=task.needs, act=act)

    # --- the four verbs ---

    def _create(self, task: Task, row: StepRow | None, pause: Pause) -> None:
        change = task.change
        handler, schema = self._parts(change.type)
        wanted = self._wanted(change, schema)
        mark = Mark(
            owner=self.owner,
            logical_id=change.logical_id,
            token=token_of(self.name, task.key),
            keep=self.desired.policy(change.logical_id, "DeletionPolicy") in _KEPT,
        )
        identifier = row.identifier if row is not None else ""
        if row is not None and not identifier:
            identifier = handler.find(self.kit.aws, wanted, mark) or ""
        if not identifier:
            identifier = self._made(handler, wanted, mark, pause)
        old = None if not change.identifier else Known(
            logical_id=change.logical_id, type=change.type, identifier=change.identifier,
            depends_on=change.depends_on, leaving=True,
        )  # fmt: skip
        known = self._known(change, schema, wanted, identifier)
        self.journal.made(self.name, task.key, identifier, self.owner, known, old)
        found = self._settled(handler, identifier, pause)
        found = self._brought(handler, schema, found, wanted, pause, again=row is not None)
        self.attributes[change.logical_id] = found.attributes

    def _made(self, handler: Handler, wanted: Properties, mark: Mark, pause: Pause) -> str:
        """Make it once, however often that has to be tried."""
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                return handler.create(self.kit.aws, wanted, mark)
            except Exception as error:
                unclear = is_ambiguous(error) and attempt < _TRIES
                longest_s = handler.patience_s if isinstance(error, NotYetError) else _SPREADING_S
                late = time.monotonic() - started > longest_s * self.patience
                if late or not (unclear or is_passing(error)):
                    raise
                pause(min(_FIRST_LOOK_S * 2**attempt, _LONGEST_LOOK_S))
                attempt += 1
                found = handler.find(self.kit.aws, wanted, mark) if is_ambiguous(error) else None
                if found:
                    return found

    def _update(self, task: Task, row: StepRow | None, pause: Pause) -> None:
        change = task.change
        handler, schema = self._parts(change.type)
        wanted = self._wanted(change, schema)
        found = self._present(handler, change)
        if row is None:
            self._refuse_drift(change, found)
        before = self._known(change, schema, wanted, change.identifier)
        found = self._brought(
            handler, schema, found, wanted, pause, again=True, also=self._hidden_of(schema, change)
        )
        self.journal.remember(self.owner, before)
        self.attributes[change.logical_id] = found.attributes

    def _delete(self, task: Task, row: StepRow | None, pause: Pause) -> None:
        change = task.change
        handler, _ = self._parts(change.type)
        found = self._look(handler, change.identifier)
        if found is not None:
            if row is None:
                self._refuse_drift(change, found)
            self._patiently(handler, lambda: handler.delete(self.kit.aws, found), pause)
            self._gone(handler, change.identifier, pause)
        self.journal.forget(self.owner, change.type, change.identifier)

    def _forget(self, task: Task, _row: StepRow | None, _pause: Pause) -> None:
        change = task.change
        known = Known(logical_id=change.logical_id, type=change.type, identifier=change.identifier)
        self.journal.let_go(self.owner, known)

    # --- what they are made of ---

    def _wanted(self, change: Change, schema: Schema) -> Properties:
        """The properties to bring about: as judged, with what was not known then.

        Raises:
            ExecutionError: Something is still not known, or is another than what was judged.
        """
        with self.reading:
            resource = self.desired.resource(change.logical_id)
        if holds_unknown(resource.planned) or resource.unknown:
            still = ", ".join(resource.unknown[:5])
            raise ExecutionError(f"{change.logical_id}: not known even now: {still}")
        judged = dict(change.after or {})
        open_ = {at.split("/", 2)[1] for at in change.unknown}
        for name, value in resource.planned.items():
            if name not in open_ and _CANONICAL.encode(known_part({name: value})[0]) != _CANONICAL.encode(
                {name: judged.get(name, value if value in ({}, []) else None)}
            ):
                raise ExecutionError(f"{change.logical_id}: {name} is not what was judged")
        settable, _ = schema.without_read_only(resource.planned)
        return coerced(schema, settable)

    def _brought(
        self,
        handler: Handler,
        schema: Schema,
        found: Found,
        wanted: Properties,
        pause: Pause,
        *,
        again: bool,
        also: frozenset[str] = frozenset(),
    ) -> Found:
        """The resource once it is as wanted; ``also`` names properties to set that AWS does not tell."""
        if again and not also:
            also = frozenset(name for name in wanted if f"/{name}" in schema.write_only) & handler.updatable
        for _ in range(_TRIES):
            differ = changed_properties(handler, schema, found.properties, wanted) | also
            if not differ:
                return found
            if not differ <= handler.updatable:
                fixed = ", ".join(sorted(differ - handler.updatable))
                raise ExecutionError(
                    f"AWS made something else than was wanted: {fixed} cannot be changed in place"
                )
            now = found
            self._patiently(
                handler,
                lambda: handler.update(self.kit.aws, now, wanted, differ),  # noqa: B023
                pause,
            )
            also = frozenset()
            found = self._settled(handler, found.identifier, pause)
            if changed_properties(handler, schema, found.properties, wanted):
                pause(_FIRST_LOOK_S)
                found = self._settled(handler, found.identifier, pause)
        left = ", ".join(sorted(changed_properties(handler, schema, found.properties, wanted)))
        if left:
            raise ExecutionError(f"AWS took the change and says otherwise: {left}")
        return found

    def _settled(self, handler: Handler, identifier: str, pause: Pause) -> Found:
        """The resource when it is ready.

        Raises:
            ExecutionError: It failed, it is gone, or it took too long.
        """
        deadline = time.monotonic() + handler.patience_s * self.patience
        wait_s = _FIRST_LOOK_S
        while True:
            found = self._look(handler, identifier)
            if found is not None and found.condition is Condition.READY:
                return found
            if found is not None and found.condition is Condition.FAILED:
                raise ExecutionError(f"{identifier} is broken: {found.detail[:300]}")
            if time.monotonic() > deadline:
                state = "is not there" if found is None else f"is still {found.detail or 'busy'}"
                raise ExecutionError(f"{identifier} {state} after {handler.patience_s * self.patience:.0f} s")
            pause(wait_s)
            wait_s = min(wait_s * 1.6, _LONGEST_LOOK_S)

    def _gone(self, handler: Handler, identifier: str, pause: Pause) -> None:
        deadline = time.monotonic() + handler.patience_s * self.patience
        wait_s = _FIRST_LOOK_S
        while self._look(handler, identifier) is not None:
            if time.monotonic() > deadline:
                raise ExecutionError(
                    f"{identifier} is still there {handler.patience_s * self.patience:.0f} s after its deletion"
                )
            pause(wait_s)
            wait_s = min(wait_s * 1.6, _LONGEST_LOOK_S)

    def _patiently(self, handler: Handler, call: Callable[[], None], pause: Pause) -> None:
        """A change or deletion, which may be made again: until AWS has heard of everything before it."""
        deadline = time.monotonic() + handler.patience_s * self.patience
        attempt = 0
        while True:
            try:
                call()
            except Exception as error:
                unclear = is_ambiguous(error) and attempt < _TRIES
                if not (unclear or is_passing(error)) or time.monotonic() > deadline:
                    raise
                pause(min(_FIRST_LOOK_S * 2**attempt, _LONGEST_LOOK_S))
                attempt += 1
            else:
                return

    def _present(self, handler: Handler, change: Change) -> Found:
        found = self._look(handler, change.identifier)
        if found is None:
            raise DriftError(f"{change.logical_id}: {change.identifier} is not there any more")
        return found

    def _look(self, handler: Handler, identifier: str) -> Found | None:
        return handler.read(self.kit.aws, [identifier]).get(identifier)

    def _refuse_drift(self, change: Change, found: Found) -> None:
        names = drifted(change, found)
        if names:
            raise DriftError(f"{change.key}: {', '.join(names)} changed since the plan was made")

    def _hidden_of(self, schema: Schema, change: Change) -> frozenset[str]:
        return frozenset(name for name in change.changed if f"/{name}" in schema.write_only)

    def _known(self, change: Change, schema: Schema, wanted: Properties, identifier: str) -> Known:
        hidden = {
            name: self.hidden(value) for name, value in wanted.items() if f"/{name}" in schema.write_only
        }
        return Known(
            logical_id=change.logical_id,
            type=change.type,
            identifier=identifier,
            deletion_policy=self.desired.policy(change.logical_id, "DeletionPolicy"),
            depends_on=change.depends_on,
            hidden=hidden,
        )

    def _parts(self, type_name: str) -> tuple[Handler, Schema]:
        handler, schema = self.kit.handler(type_name), self.kit.schemas.of(type_name)
        if handler is None or schema is None:
            raise ExecutionError(f"nothing can make {type_name}")
        return handler, schema


def drifted(change: Change, found: Found) -> list[str]:
    """Names of properties that are not what they were when the plan was made, sorted."""
    before = change.before or {}
    return sorted(
        name
        for name in {*before, *found.properties}
        if _CANONICAL.encode(before.get(name)) != _CANONICAL.encode(found.properties.get(name))
    )
