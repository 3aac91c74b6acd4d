"""The steps that a plan's changes are made of, and what each needs to be done before it.

Rules this module keeps:
1. What is made comes after all that it refers to; what goes comes after all that referred to it.
2. A replacement makes the new one first, then everything that refers to it is changed, then the old one goes. Where old
   and new cannot be there together, the old one goes first, which nothing that stays may refer to.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from msgspec import Struct

from plangate.errors import UsageError
from plangate.executor.aws.base import REF
from plangate.model.aws_plan import Change
from plangate.model.plan import Action, ReplaceOrder

_UP = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})


class Task(Struct, frozen=True, kw_only=True):
    """One step of one change.

    Attributes:
        key: ``create:NAME``, ``update:NAME``, ``delete:NAME`` or ``forget:NAME``.
        verb: The first half of the key.
        change: Of the plan.
        needs: Keys of the tasks that come before.
    """

    key: str
    verb: str
    change: Change
    needs: frozenset[str]


def tasks_of(changes: Sequence[Change]) -> list[Task]:
    """All steps of a plan, by key.

    Raises:
        UsageError: There is no order in which they could be done.
    """
    up = {change.logical_id: _up(change) for change in changes if change.action in _UP}
    down = {key: change for change in changes if (key := _down(change))}
    needs: dict[str, set[str]] = defaultdict(set)
    users = _users(changes)
    for change in changes:
        mine = up.get(change.logical_id)
        if mine is not None and not change.deposed:
            needs[mine] |= {up[name] for name in change.depends_on if name in up}
    for key, change in down.items():
        for user in users[change.key]:
            # Whatever refers to the old one has to be gone, or changed, before it.
            needs[key] |= {other for other in (_down(user), up.get(user.logical_id)) if other} - {key}
        mine = up.get(change.logical_id)
        if change.replace_order == ReplaceOrder.CREATE_FIRST and mine:
            needs[key].add(mine)
        elif change.replace_order == ReplaceOrder.DESTROY_FIRST and mine:
            needs[key].discard(mine)
            needs[mine].add(key)
    tasks = {
        key: Task(key=key, verb=key.partition(":")[0], change=change, needs=frozenset(needs[key]))
        for key, change in [*((up[c.logical_id], c) for c in changes if c.action in _UP), *down.items()]
    }
    _refuse_circles(tasks)
    return [tasks[key] for key in sorted(tasks)]


def _up(change: Change) -> str:
    return f"{'update' if change.action == Action.UPDATE else 'create'}:{change.logical_id}"


def _down(change: Change) -> str:
    """The step that takes something away; empty when the change takes nothing away."""
    if change.action == Action.DELETE:
        return f"delete:{change.key}"
    if change.action == Action.FORGET or (change.action == Action.REPLACE and change.keep):
        return f"forget:{change.key}"
    return f"delete:{change.key}" if change.action == Action.REPLACE else ""


def _users(changes: Sequence[Change]) -> Mapping[str, list[Change]]:
    """Who refers to what is there now: by what the template said, and by identifiers among the values."""
    by_name: dict[str, list[Change]] = defaultdict(list)
    names: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.identifier and _down(change):
            for text in _names(change):
                names[text].append(change)
        by_name[change.logical_id].append(change)
    users: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.before is None:
            continue
        targets = {other.key: other for text in _texts(change.before) for other in names.get(text, ())}
        targets = {key: other for key, other in targets.items() if not _belongs(other, change)}
        for name in change.depends_on:
            targets |= {other.key: other for other in by_name.get(name, ()) if _down(other)}
        for key in targets:
            if key != change.key:
                users[key].append(change)
    return users


def _belongs(part: Change, whole: Change) -> bool:
    """Whether one is a part of the other, which goes by the same name: a bucket's policy, say."""
    if whole.logical_id in part.depends_on:
        return True
    return (
        part.identifier == whole.identifier and part.type != whole.type and part.type.startswith(whole.type)
    )


def _names(change: Change) -> set[str]:
    """What others may call it: its identifier, ``Ref``, and attributes that hold the identifier, as an ARN does."""
    told = {value for value in change.attributes.values() if isinstance(value, str)}
    holding = {text for text in told if change.identifier in text}
    ref = change.attributes.get(REF)
    return {change.identifier, *holding, *([ref] if isinstance(ref, str) else [])}


def _texts(value: Any) -> set[str]:
    """Texts in a value, and the parts of those that are lists in disguise."""
    if isinstance(value, str):
        return {value, *value.split("|")} if len(value) > 3 else set()  # noqa: PLR2004 - shorter ones name nothing
    if isinstance(value, Mapping):
        return set().union(*(_texts(each) for each in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(_texts(each) for each in value))
    return set()


def _refuse_circles(tasks: Mapping[str, Task]) -> None:
    try:
        TopologicalSorter({key: sorted(task.needs) for key, task in tasks.items()}).prepare()
    except CycleError as error:
        circle = ", ".join(error.args[1])
        raise UsageError(
            f"there is no order for these steps: {circle}",
            hint="what has to go first is still in use: make two plans, or give the new one another name",
        ) from error
