"""Words that a policy may use for the plan: the fields of its schema, the facts of each kind, and their values.

A field that does not exist is undefined, so the line that reads it never holds: a slip of the pen makes a rule that
says nothing and never fires. What the fields are is taken from the published schema (``schemas/plan.v1.json``), what
the facts are from `plangate.model.kinds`.

A function may be right for one of its callers and wrong for another, and a variable becomes clearer the longer a body
is looked at. So a place is wrong only if it was wrong each time it was come across.
"""

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Final

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.policy.aliases import MADE, OWN, PLAN, PLAN_ALIAS, SOME, Alias, Place
from plangate.policy.reads import ANY, Path
from plangate.policy.syntax import Expr, Import, Module

SCHEMA_FILE: Final = FilePath(__file__).resolve().parent.parent / "schemas" / "plan.v1.json"

_OPEN: Final[Mapping[str, Any]] = {}
"""The schema of what may hold anything."""


class Sighting(Struct, frozen=True, kw_only=True):
    """A place of the plan that a policy names, and where it does.

    Attributes:
        kinds: Kinds of the resource that it may be of; none when it may be any.
        path: From the resource down.
        told: It is only put into a text for people.
        negated: It stands behind a ``not``: where it is unknown, the line holds.
    """

    module: Module
    start: int
    kinds: frozenset[str]
    path: Path
    told: bool
    negated: bool


@cache
def plan_schema() -> Mapping[str, Any]:
    """The published schema of a plan document."""
    schema: Mapping[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest word, or an empty string."""
    folded = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.lower(), sorted(folded), n=1, cutoff=0.6)
    return f"did you mean {folded[near[0]]}?" if near else ""


class Vocabulary:
    """Judges names as they are come across.

    Attributes:
        sightings: Every place of a resource that was named, in the order in which it was.
        pointers: Kinds of a resource and what of it is asked for being unknown.
        kinds: Of the resource that a finding is about, while one definition of a rule is gone through.
        told: What is gone through ends in a text for people.
        negated: It stands behind a ``not``.
    """

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, int], PolicyLoadError] = {}
        self._right: set[tuple[str, int]] = set()
        self.sightings: dict[Sighting, None] = {}
        self.pointers: set[tuple[frozenset[str], Path]] = set()
        self.kinds: frozenset[str] = frozenset()
        self.told = False
        self.negated = False

    @property
    def context(self) -> tuple[frozenset[str], bool, bool]:
        """What names are judged with: a function may be right for resources of one kind and wrong for another."""
        return self.kinds, self.told, self.negated

    def errors(self) -> Iterator[PolicyLoadError]:
        """What was wrong each time, in the order of places."""
        for place in sorted(self._wrong.keys() - self._right):
            yield self._wrong[place]

    def step(self, module: Module, alias: Alias, key: Expr) -> None:
        """A constant key is looked up in a value."""
        name = str(key.value)
        if alias.inside is not None or not alias.places:
            return
        for root, path in alias.places:
            if root not in (PLAN, MADE):
                sighting = Sighting(
                    module=module, start=key.start, kinds=self._kinds(root), path=(*path, name),
                    told=self.told, negated=self.negated,
                )  # fmt: skip
                self.sightings[sighting] = None
        problems = [self._missing(place, name) for place in sorted(alias.places)]
        self._judge(module, key, problems)

    def imported(self, module: Module, item: Import) -> None:
        """A part of the plan is imported."""
        alias = PLAN_ALIAS
        for key in item.path[1:] if item.path[0] == "input" else ():
            self.step(module, alias, Expr(form="scalar", start=item.start, end=item.start, value=key))
            alias = alias.at(key)

    def value(self, module: Module, alias: Alias, constant: Expr) -> None:
        """A value is compared with a text that is written out."""
        if constant.form != "scalar" or not isinstance(constant.value, str) or alias.inside is not None:
            return
        if not alias.places:
            return
        problems = [self._impossible(place, constant.value) for place in sorted(alias.places)]
        self._judge(module, constant, problems)

    def pointer(self, resource: Alias, pointer: Path) -> None:
        """It is asked whether one attribute of a resource is unknown."""
        for root, _ in resource.places:
            self.pointers.add((self._kinds(root), ("after", *pointer)))

    def kind(self, module: Module, constant: Expr) -> None:
        """The name of a kind."""
        if constant.form == "scalar" and isinstance(constant.value, str):
            self._judge(module, constant, [_no_such_value("kind", constant.value, KINDS)])

    def _judge(self, module: Module, at: Expr, problems: Collection[tuple[str, str, str]]) -> None:
        place = (module.file, at.start)
        if not all(problem for problem, _, _ in problems):
            self._right.add(place)
            return
        problem, hint, code = next(iter(problems))
        self._wrong.setdefault(place, module.error(at.start, problem, hint=hint, code=code))

    def _kinds(self, root: str) -> frozenset[str]:
        if root == OWN:
            return self.kinds
        kind = root.removeprefix(SOME)
        return frozenset({kind} if kind else ())

    def _schema_at(self, place: Place) -> Mapping[str, Any]:
        """The part of the plan's schema for a place; facts and what is open are an empty one."""
        root, path = place
        if root == MADE:
            return _OPEN
        schema = plan_schema()
        here: Mapping[str, Any] = schema if root == PLAN else schema["$defs"]["resource"]
        for key in path:
            here = _resolved(here)
            here = here.get("items", _OPEN) if key == ANY else here.get("properties", _OPEN).get(key, _OPEN)
        return _resolved(here)

    def _missing(self, place: Place, name: str) -> tuple[str, str, str]:
        """Problem, hint and code of a key that is not there; empty for one that may be."""
        root, path = place
        if path == ("facts",) and root not in (PLAN, MADE):
            return self._missing_fact(self._kinds(root), name)
        here = self._schema_at(place)
        what = ".".join(("input" if root == PLAN else "a resource", *(key for key in path if key != ANY)))
        never = "so this line would never hold"
        types = here.get("type", [])
        types = [types] if isinstance(types, str) else types
        if "enum" in here or "const" in here or (types and not {"object", "array"} & set(types)):
            return (
                f'{what} has no fields, so "{name}" is not there and this line would never hold',
                "",
                "unknown-field",
            )
        if "array" in types:
            return (
                f'{what} is a list, so it has no field "{name}"',
                f"go through it: `some x in {what if root == PLAN else path[-1]}`",
                "unknown-field",
            )
        known = here.get("properties")
        if known is None or name in known:
            return "", "", ""
        hint = did_you_mean(name, known) or f"fields: {', '.join(sorted(known))}"
        return f'{what} has no field "{name}", {never}', hint, "unknown-field"

    def _missing_fact(self, kinds: frozenset[str], name: str) -> tuple[str, str, str]:
        known = set(COMMON_FACTS)
        known.update(*(KINDS.get(kind, ()) for kind in kinds or KINDS))
        if name in known:
            return "", "", ""
        whose = f"{' or '.join(sorted(kinds))} has no fact" if kinds else "no kind has a fact"
        near = did_you_mean(name, known)
        listed = (
            f"facts: {', '.join(sorted(known))}"
            if kinds
            else "`plangate schema plan` and docs/rules/index.md"
        )
        return (
            f'{whose} "{name}", so this line would never hold',
            "; ".join(filter(None, (near, listed if kinds or not near else ""))),
            "unknown-fact",
        )

    def _impossible(self, place: Place, value: str) -> tuple[str, str, str]:
        root, path = place
        if root not in (PLAN, MADE) and path == ("kind",):
            return _no_such_value("kind", value, KINDS)
        here = self._schema_at(place)
        choices = [here["const"]] if "const" in here else here.get("enum")
        if choices is not None:
            return _no_such_value(path[-1], value, [choice for choice in choices if choice is not None])
        types = here.get("type")
        types = [types] if isinstance(types, str) else types
        if types and "string" not in types:
            text = f'{path[-1]} is never a text, so it is never "{value}"'
            return text, f"it is {' or '.join(types)}", "unknown-value"
        return "", "", ""


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = plan_schema()["$defs"][reference.rpartition("/")[2]]
    return found


def _no_such_value(name: str, value: str, choices: Collection[str]) -> tuple[str, str, str]:
    if value in choices:
        return "", "", ""
    hint = did_you_mean(value, choices) or f"known: {', '.join(choices)}"
    return f'no {name} is called "{value}"', hint, "unknown-value"
