"""Which unknown values can make a rule deny a resource: questions to OPA's partial evaluation, and its answers.

A question is a probe (see `plangate.policy.opa.questions`) and a resource in which every value that the rule can
read and nobody knows is a *hole*. Each hole holds any value; or, where a key of an object may as well be missing, is
asked about without it too. What comes back is what is left when everything known is worked in. Nothing at all is
left: no value of a hole makes the rule deny. Anything that was not expected leaves the outcome unknown.
"""

import copy
import itertools
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from plangate.errors import EngineError
from plangate.policy.base import Doubt
from plangate.policy.opa.base import Deadline
from plangate.policy.opa.questions import ASKED, CANARY, SLOTS, UNKNOWN, Probe, Questions
from plangate.policy.opa.server import Server
from plangate.policy.opa.transport import EncodedDocument
from plangate.policy.reads import Path

MAX_HOLES: Final = 4
"""Unknown values of one resource that one question is about; each may double the number of questions."""
_LIST: Final[Path] = ("unknown",)
"""A hole of every resource: once values are known, the list of those that are not is another one."""
_ANY_HOLE: Final = -1
_HOLE_NAME: Final = re.compile(r"hole([0-9])x[0-9]*")
"""OPA appends numbers to names in what it leaves as it is."""

Query: TypeAlias = Sequence[Any]


class _Hole(msgspec.Struct, frozen=True):
    """Stands in a resource for the unknown value of that number."""

    number: int


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    doubt: int
    probe: Probe
    text: str


class _Number(msgspec.Struct, frozen=True):
    """A number as it is written."""

    text: str


class _Document(msgspec.Struct):
    resources: list[msgspec.Raw]


class Asking:
    """Asks one OPA about one plan.

    Args:
        server: It holds the revision of the questions.
        questions: What can be asked.
        document: The plan.
        deadline: Holds for all requests together.
    """

    def __init__(self, server: Server, questions: Questions, document: bytes, deadline: Deadline) -> None:
        self._server: Final = server
        self._questions: Final = questions
        self._document: Final = document
        self._deadline: Final = deadline
        self._package: Final = f"{questions.revision.prefix}.plangate.probe"

    def settle(self, doubts: Sequence[Doubt]) -> dict[Doubt, tuple[Path, ...]]:
        """What still matters to each doubt that could be asked about; nothing where the rule cannot deny.

        A doubt that is missing from the answer is as it was.
        """
        resources = msgspec.json.decode(self._document, type=_Document).resources
        needed = {doubt.position for doubt in doubts}
        read = {
            position: json.loads(bytes(resources[position]), parse_float=_Number, parse_int=_Number)
            for position in needed
        }
        members = self._members({resource["address"] for resource in read.values()})
        matters: dict[int, set[int] | None] = {}
        asked: list[_Question] = []
        for number, doubt in enumerate(doubts):
            resource, probes = read[doubt.position], self._questions.probes.get(doubt.rule)
            if not probes or len(doubt.paths) > MAX_HOLES:
                continue
            try:
                texts = list(_texts(resource, (*doubt.paths, _LIST)))
            except (LookupError, TypeError, ValueError):
                continue  # an unknown value at a place that is not there
            matters[number] = set()
            mine = [probe for probe in probes if resource["address"] in members[str(probe.number)]]
            asked += [_Question(doubt=number, probe=probe, text=text) for probe in mine for text in texts]
        # A plan is large, and most definitions look at nothing of it but their subject.
        for document, some in (
            (b"{}", [question for question in asked if not question.probe.reads_input]),
            (self._document, [question for question in asked if question.probe.reads_input]),
        ):
            for start in range(0, len(some), SLOTS - 1):
                self._ask(some[start : start + SLOTS - 1], matters, document)
        return {
            doubts[number]: _named(doubts[number].paths, holes)
            for number, holes in matters.items()
            if holes is not None
        }

    def _members(self, addresses: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Number of each probe to those of these resources that are a subject of it."""
        wanted = json.dumps(dict.fromkeys(sorted(addresses), True)).encode()
        whole = self._document.rstrip()[:-1] + b', "' + ASKED.encode() + b'": ' + wanted + b"}"
        found = self._server.value(
            EncodedDocument(whole),
            self._package,
            "members",
            self._deadline,
            "asking what unknown values can change",
        )
        numbers = {str(probe.number) for probes in self._questions.probes.values() for probe in probes}
        if (
            not isinstance(found, dict)
            or found.keys() != numbers | {str(CANARY)}
            or set(found[str(CANARY)]) != set(addresses)
        ):
            raise EngineError("OPA does not say which resources are asked about")
        return {number: frozenset(of) for number, of in found.items()}

    def _ask(self, asked: Sequence[_Question], matters: dict[int, set[int] | None], document: bytes) -> None:
        """One request. What spoils it, a value of odd type for example, may be in one question alone."""
        try:
            if self._deadline.left <= 0:
                raise self._deadline.error("asking what unknown values can change")
            left = _read(self._answer(asked, document), len(asked))
        except EngineError:
            if len(asked) > 1 and self._deadline.left > 0:
                middle = len(asked) // 2
                self._ask(asked[:middle], matters, document)
                self._ask(asked[middle:], matters, document)
                return
            for question in asked:
                matters[question.doubt] = None
            return
        for slot, holes in left:
            known = matters[asked[slot].doubt]
            if known is not None:
                known |= holes or {_ANY_HOLE}

    def _answer(self, asked: Sequence[_Question], document: bytes) -> Mapping[str, Any]:
        slots = [f"{question.probe.number}, {question.text}" for question in asked]
        slots += [f"{CANARY}, null"] * (SLOTS - len(asked))
        holes = "".join(f"{_name(number)} = input.{UNKNOWN}[{number}]; " for number in range(MAX_HOLES + 1))
        # The canary stands in the slot behind the last question.
        numbers = json.dumps(list(range(len(asked) + 1)))
        query = f"{holes}{numbers}[slot]; data.{self._package}.ask(slot, {', '.join(slots)})"
        return self._server.residue(query, [f"input.{UNKNOWN}"], document, self._deadline)


# --- Resources with holes -----------------------------------------------------------------------------------------


def _texts(resource: Any, paths: Sequence[Path]) -> Iterator[str]:
    """The resource as Rego, once for each choice of which holes hold something.

    Raises:
        ValueError: A path leads nowhere.
    """
    resource = copy.deepcopy(resource)
    places = [(*_place(resource, path), path) for path in paths]
    may_miss = [isinstance(parent, dict) and len(path) > 1 for parent, _, path in places]
    for missing in itertools.product(*([False, True] if may else [False] for may in may_miss)):
        for number, (gone, (parent, key, _)) in enumerate(zip(missing, places, strict=True)):
            if gone:
                parent.pop(key, None)
            else:
                parent[key] = _Hole(number)
        yield _rego(resource)


def _name(hole: int) -> str:
    return f"hole{hole}x"


def _named(paths: Sequence[Path], holes: set[int]) -> tuple[Path, ...]:
    """The paths of these holes. All of them when something is left that speaks of none: it holds whatever they are."""
    named = tuple(path for hole, path in enumerate(paths) if hole in holes)
    return named or (tuple(paths) if holes else ())


def _place(resource: Any, path: Path) -> tuple[Any, Any]:
    parent = resource
    for token in path[:-1]:
        parent = parent[int(token)] if isinstance(parent, list) else parent[token]
    if isinstance(parent, list):
        parent[int(path[-1])]
        return parent, int(path[-1])
    if not isinstance(parent, dict):
        raise TypeError("no object")
    return parent, path[-1]


def _rego(value: Any) -> str:
    if isinstance(value, _Hole):
        return _name(value.number)
    if isinstance(value, _Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_rego(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_rego, value)) + "]"
    return json.dumps(value)


# --- Answers ------------------------------------------------------------------------------------------------------


def _read(result: Mapping[str, Any], asked: int) -> list[tuple[int, set[int]]]:
    """Slot and holes of everything that is left.

    Raises:
        EngineError: It is not an answer to so many questions.
    """
    try:
        support = result.get("support")
        found = [
            _of_query(query, support) for query in result["queries"] if not any(map(_never_holds, query))
        ]
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise EngineError("OPA gave garbage instead of what is left of a question") from problem
    if any(not 0 <= slot <= asked for slot, _ in found) or all(slot != asked for slot, _ in found):
        raise EngineError("OPA gave no answer to the question that always has one")
    return [(slot, holes) for slot, holes in found if slot != asked]


def _never_holds(expression: Mapping[str, Any]) -> bool:
    """``not true``, which is how OPA leaves a negation of what it knows."""
    return expression.get("negated") is True and expression["terms"] == {"type": "boolean", "value": True}


def _of_query(query: Query, support: Any) -> tuple[int, set[int]]:
    slot = -1
    holes: set[int] = set()
    conditional = False
    for expression in query:
        terms = expression["terms"]
        sides = terms[1:] if isinstance(terms, list) and _is_equality(terms[0]) else []
        if len(sides) == 2 and not expression.get("negated"):  # noqa: PLR2004 - an equation
            slots = [_value(other) for one, other in (sides, sides[::-1]) if _value(one, "var") == "slot"]
            if slots:
                slot = int(slots[0])
                continue
            if any(
                _variable(one) is not None and _variable(one) == _reference(other)
                for one, other in (sides, sides[::-1])
            ):
                continue  # the name of a hole
        conditional = True
        holes |= set(_mentioned(expression))
    if conditional and support:
        holes |= set(_mentioned(support))
    return slot, holes


def _is_equality(term: Any) -> bool:
    return bool(term == {"type": "ref", "value": [{"type": "var", "value": "eq"}]})


def _value(term: Mapping[str, Any], kind: str = "number") -> Any:
    return term["value"] if term["type"] == kind else None


def _variable(term: Mapping[str, Any]) -> int | None:
    name = _HOLE_NAME.fullmatch(str(_value(term, "var")))
    return int(name[1]) if name is not None else None


def _reference(term: Mapping[str, Any]) -> int | None:
    parts = _value(term, "ref")
    if not isinstance(parts, list) or [part["value"] for part in parts[:2]] != ["input", UNKNOWN]:
        return None
    return parts[2]["value"] if len(parts) > 2 and parts[2]["type"] == "number" else None  # noqa: PLR2004


def _mentioned(node: Any) -> Iterator[int]:
    """Every hole that is spoken of."""
    if isinstance(node, list):
        for item in node:
            yield from _mentioned(item)
    elif isinstance(node, dict):
        if "type" in node and "value" in node:
            hole = _variable(node) if node["type"] == "var" else _reference(node)
            if hole is not None:
                yield hole
        for item in node.values():
            yield from _mentioned(item)
