"""What Pulumi means to do to each resource: the steps of a preview or of an event stream, one entry a resource.

Rules this module keeps:
1. A word for an operation that it does not know is refused, and so are steps that contradict each other.
2. The steps of one replacement (create-replacement, replace, delete-replaced, in any order) are one replacement,
   also when the resource had another name before.
3. What is left over from an earlier replacement and goes now is an entry of its own, as a deposed object.

Source: https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step.go (``StepOps``)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec import Struct

from plangate.model.plan import Action, ReplaceOrder

_CREATING: Final = ("create-replacement", "import-replacement", "read-replacement", "replace")
"""Steps of a replacement that have the new state; the first has it most exactly."""
_GOING: Final = ("delete-replaced", "discard-replaced", "remove-pending-replace")
_PLAIN: Final[Mapping[str, Action]] = {
    "same": Action.NO_OP,
    "create": Action.CREATE,
    "update": Action.UPDATE,
    "delete": Action.DELETE,
    "read": Action.READ,
    "discard": Action.FORGET,
    # An import takes what is there as it is: it is refused when the program says otherwise.
    "import": Action.NO_OP,
}
_REFRESH: Final = "refresh"
OPERATIONS: Final = frozenset({*_PLAIN, *_CREATING, *_GOING, _REFRESH})

Refuse = Callable[[str, str], NoReturn]
"""Refuses the document for what stands at a place: ``(place, problem)``."""


class Step(Struct, frozen=True, kw_only=True):
    """One step.

    Attributes:
        op: A word of `OPERATIONS`.
        urn: Of the resource.
        old: Its state before, as the document has it; ``None`` when there is none.
        new: Its state after, likewise.
        keys: Properties that force a replacement.
        at: Where the step stands, for complaints.
    """

    op: str
    urn: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    keys: tuple[str, ...]
    at: str


class Entry(Struct, frozen=True, kw_only=True):
    """What happens to one resource.

    Attributes:
        urn: Of the resource.
        action: What happens to it.
        order: For a replacement, which half is first, when the steps tell.
        old: State before.
        new: State after.
        keys: Properties that force a replacement.
        importing: It is taken over as it is.
        deposed: Id of a leftover object, or empty.
        at: Where its step stands.
    """

    urn: str
    action: Action
    order: ReplaceOrder | None = None
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    keys: tuple[str, ...] = ()
    importing: bool = False
    deposed: str = ""
    at: str


def entries(steps: Sequence[Step], refuse: Refuse) -> list[Entry]:
    """One entry for each resource that the steps name, in their order.

    Args:
        steps: In the order of the document, each with a word of `OPERATIONS`.
        refuse: Raises for steps that contradict each other.
    """
    renamed: dict[str, str] = {}
    created: set[str] = set()
    for step in steps:
        if step.op in _CREATING:
            created.add(step.urn)
            before = text_in(step.old, "urn")
            if before and before != step.urn:
                renamed[before] = step.urn
    groups: dict[str, list[tuple[int, Step]]] = {}
    for index, step in enumerate(steps):
        urn = step.urn
        if step.op in _GOING and urn not in created:
            urn = renamed.get(urn, urn)
        groups.setdefault(urn, []).append((index, step))
    return [entry for urn, group in groups.items() for entry in _of(urn, group, refuse)]


def _of(urn: str, group: Sequence[tuple[int, Step]], refuse: Refuse) -> Iterable[Entry]:
    creating = {step.op: (index, step) for index, step in group if step.op in _CREATING}
    going = [(index, step) for index, step in group if step.op in _GOING]
    plain = [step for _, step in group if step.op in _PLAIN]
    _check_once(group, refuse)
    plain = _without_refreshed(plain, creating)
    if len(plain) > 1 or (plain and creating):
        words = ", ".join(dict.fromkeys(step.op for _, step in group))
        refuse(plain[-1].at, f"contradicting steps for {urn[:200]}: {words}")
    if creating:
        yield _replacement(urn, creating, going)
        going = going[1:]
    elif plain:
        yield _plain(urn, plain[0])
    elif not going or group[0][1].op == _REFRESH:
        refreshed = group[0][1]
        state = refreshed.new or refreshed.old
        yield Entry(urn=urn, action=Action.NO_OP, old=state, new=state, at=refreshed.at)
    for _, step in going:
        if step.op != "remove-pending-replace":  # what it speaks of is gone already
            yield Entry(
                urn=step.urn,
                action=_removal(step.old) if step.op == "delete-replaced" else Action.FORGET,
                old=step.old,
                new=None,
                deposed=text_in(step.old, "id") or "replaced",
                at=step.at,
            )


def _without_refreshed(plain: list[Step], creating: Mapping[str, tuple[int, Step]]) -> list[Step]:
    """Without the step that tells what a refresh found, when another one says what is then done.

    A preview rewrites a refresh to the update or deletion of what is remembered, which changes nothing real.
    """
    after = {plain[1].op} if len(plain) == 2 else creating.keys() if len(plain) == 1 else frozenset()  # noqa: PLR2004
    if after and (plain[0].op == "update" or (plain[0].op == "delete" and after == {"create"})):
        return plain[1:]
    return plain


def _replacement(
    urn: str, creating: Mapping[str, tuple[int, Step]], going: Sequence[tuple[int, Step]]
) -> Entry:
    first = next(creating[op] for op in _CREATING if op in creating)
    steps = [creating[op][1] for op in _CREATING if op in creating]
    old = next((step.old for step in (*steps, *(step for _, step in going)) if step.old is not None), None)
    order = None
    if any(step.op == "remove-pending-replace" for _, step in going):
        order = ReplaceOrder.DESTROY_FIRST
    elif going and first[1].op != "replace":
        order = ReplaceOrder.DESTROY_FIRST if going[0][0] < first[0] else ReplaceOrder.CREATE_FIRST
    return Entry(
        urn=urn,
        action=Action.REPLACE,
        order=order,
        old=old,
        new=next((step.new for step in steps if step.new is not None), None),
        keys=tuple(sorted({key for step in steps for key in step.keys})),
        importing="import-replacement" in creating,
        at=first[1].at,
    )


def _plain(urn: str, step: Step) -> Entry:
    action = _PLAIN[step.op]
    if action is Action.DELETE:
        action = _removal(step.old)
    gone = action in {Action.DELETE, Action.FORGET}
    return Entry(
        urn=urn,
        action=action,
        old=step.old,
        new=None if gone else step.new,
        importing=step.op == "import",
        at=step.at,
    )


def _removal(old: Mapping[str, Any] | None) -> Action:
    """A resource that is to be retained is only dropped from management."""
    return Action.FORGET if old is not None and old.get("retainOnDelete") is True else Action.DELETE


def _check_once(group: Sequence[tuple[int, Step]], refuse: Refuse) -> None:
    """Only what is left over may go several times: there can be several leftovers."""
    seen: set[tuple[str, str]] = set()
    for _, step in group:
        key = step.op, text_in(step.old, "id") if step.op in _GOING else ""
        if key in seen and step.op not in (_REFRESH, "update"):
            refuse(step.at, f"the step {step.op} of {step.urn[:200]} comes twice")
        seen.add(key)


def text_in(state: Mapping[str, Any] | None, key: str) -> str:
    """A member that is text; empty when it is not there."""
    value = state.get(key) if state is not None else None
    return value if isinstance(value, str) else ""
