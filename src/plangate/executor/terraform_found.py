"""What is there after an apply that did not end well, address by address.

Two witnesses are heard: the state that terraform saved, and what it said while it ran. Where they disagree, or where
neither knows, that is said: an address that nobody can speak for is never called absent.
"""

from collections.abc import Mapping, Sequence

from plangate.executor.base import Found, Standing
from plangate.executor.terraform_events import Heard
from plangate.executor.terraform_json import ShownPlan, ShownState, StateResource


def what_is_there(plan: ShownPlan, state: ShownState | None, heard: Heard) -> tuple[Found, ...]:
    """How every resource stands that the plan was to change, in the plan's order; addresses in clear.

    Args:
        plan: What was applied.
        state: What was read after it; ``None`` when it could not be.
        heard: What terraform said while it ran.
    """
    there: dict[str, list[StateResource]] = {}
    for resource in state.resources() if state is not None else ():
        there.setdefault(resource.address, []).append(resource)
    last = _last_steps(heard.completed)
    unanswered = heard.unanswered
    found = {}
    for change in plan.changed():
        address = change.address
        objects = there.get(address) or there.get(change.previous_address) or ()
        standing = _standing(objects, last.get(address, ""))
        if address in unanswered and standing is not Standing.TAINTED:
            standing = Standing.UNKNOWN  # a tainted one was made, and its provider said so
        if state is None or heard.started[address] > heard.ended[address]:
            standing = Standing.UNKNOWN
        found[address] = Found(address=address, standing=standing)
    return tuple(found.values())


def _standing(objects: Sequence[StateResource], last: str) -> Standing:
    current = [each for each in objects if not each.deposed_key]
    if (last in {"create", "update"} and not current) or (last == "delete" and current):
        return Standing.UNRECORDED
    if any(each.tainted for each in current):
        return Standing.TAINTED
    if len(current) < len(objects):
        return Standing.DEPOSED
    return Standing.EXISTS if current else Standing.ABSENT


def _last_steps(completed: Mapping[tuple[str, str], int]) -> Mapping[str, str]:
    """The completed step of each address that says most about what has to be there now.

    Of a replacement both steps may be done, in either order: something is there then.
    """
    last: dict[str, str] = {}
    for address, step in completed:
        if last.get(address) != "create":
            last[address] = step
    return last
