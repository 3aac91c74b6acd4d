"""The few fields of terraform's plan and state JSON that the executor compares; variables stay raw."""

from typing import Any, Final

import msgspec

_STEPS: Final = {
    ("create",): ("create",),
    ("update",): ("update",),
    ("delete",): ("delete",),
    ("delete", "create"): ("delete", "create"),
    ("create", "delete"): ("create", "delete"),
    ("create", "forget"): ("create",),
    ("forget", "create"): ("create",),
}
"""Action words of a change to the steps that apply reports."""
_NOTHING: Final = {("no-op",), ("read",)}


class Change(msgspec.Struct, frozen=True):
    """What is to be done with one resource or output."""

    actions: tuple[str, ...]
    after_unknown: Any = None
    importing: Any = None


class ResourceChange(msgspec.Struct, frozen=True):
    """One entry of ``resource_changes``."""

    address: str
    change: Change
    mode: str = "managed"
    previous_address: str = ""


class Variable(msgspec.Struct, frozen=True):
    """One entry of ``variables``."""

    value: msgspec.Raw = msgspec.Raw(b"null")


class CheckAddress(msgspec.Struct, frozen=True):
    """What is checked."""

    to_display: str = ""
    kind: str = ""


class CheckProblem(msgspec.Struct, frozen=True):
    """One failed assertion."""

    message: str = ""


class CheckInstance(msgspec.Struct, frozen=True):
    """One instance of a checked object."""

    problems: tuple[CheckProblem, ...] | None = None


class CheckResult(msgspec.Struct, frozen=True):
    """The status of one checked object: ``pass``, ``fail``, ``error`` or ``unknown``."""

    status: str
    address: CheckAddress = CheckAddress()
    instances: tuple[CheckInstance, ...] | None = None


class ShownPlan(msgspec.Struct, frozen=True):
    """``show -json PLAN``."""

    format_version: str
    variables: dict[str, Variable] | None = None
    resource_changes: tuple[ResourceChange, ...] | None = None
    output_changes: dict[str, Change] | None = None
    checks: tuple[CheckResult, ...] | None = None
    complete: bool = True

    def steps(self) -> list[tuple[str, str]]:
        """(address, step) that apply must report as complete.

        One for each object, so that an address comes twice when two objects stand behind it. An update with a
        value that is known only after apply is left out: terraform may find then that nothing changes, and
        says nothing about it. The follow-up plan judges those.
        """
        return [
            (entry.address, step)
            for entry in self.resource_changes or ()
            if entry.mode == "managed"
            for step in _STEPS.get(entry.change.actions, ())
            if not (step == "update" and _any_true(entry.change.after_unknown))
        ]

    def changed(self) -> list[ResourceChange]:
        """Every managed resource that the plan changes, in its order; not those that are forgotten."""
        return [
            entry
            for entry in self.resource_changes or ()
            if entry.mode == "managed" and entry.change.actions not in {*_NOTHING, ("forget",)}
        ]

    def wanted(self) -> list[tuple[str, str]]:
        """(address, actions) of everything that the plan would change; outputs as ``output NAME``."""
        return [
            (
                entry.address,
                "/".join(entry.change.actions) if entry.change.actions != ("no-op",) else "import",
            )
            for entry in self.resource_changes or ()
            if entry.change.actions not in _NOTHING or entry.change.importing is not None
        ] + [
            (f"output {name}", "/".join(change.actions))
            for name, change in sorted((self.output_changes or {}).items())
            if change.actions not in _NOTHING
        ]

    def variable_values(self) -> bytes:
        """A variables file in JSON."""
        return msgspec.json.encode(
            {name: variable.value for name, variable in (self.variables or {}).items()}
        )


class StateResource(msgspec.Struct, frozen=True):
    """One object of the state; its values are left where they are."""

    address: str
    mode: str = "managed"
    tainted: bool = False
    deposed_key: str = ""


class StateModule(msgspec.Struct, frozen=True):
    """One module's objects, and the modules in it."""

    resources: tuple[StateResource, ...] = ()
    child_modules: tuple["StateModule", ...] = ()


class StateValues(msgspec.Struct, frozen=True):
    """All objects."""

    root_module: StateModule = StateModule()


class ShownState(msgspec.Struct, frozen=True):
    """``show -json`` of the state."""

    format_version: str
    values: StateValues | None = None
    checks: tuple[CheckResult, ...] | None = None

    def resources(self) -> list[StateResource]:
        """Every managed object, from the outer modules to the inner ones."""
        waiting = [self.values.root_module] if self.values is not None else []
        found = []
        while waiting:
            module = waiting.pop(0)
            found += [resource for resource in module.resources if resource.mode == "managed"]
            waiting += module.child_modules
        return found


def _any_true(shadow: object) -> bool:
    if isinstance(shadow, dict):
        return any(_any_true(value) for value in shadow.values())
    if isinstance(shadow, list):
        return any(_any_true(value) for value in shadow)
    return shadow is True
