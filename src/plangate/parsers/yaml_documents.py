"""YAML, read strictly and once: values and where they stand, from libyaml's events.

YAML 1.1 as the tools of Kubernetes and CloudFormation read it: ``yes`` and ``on`` are true, ``0777`` is octal, but a
date, ``22:22`` and ``=`` are text. Keys are text; two equal ones are refused. ``<<`` is expanded. An alias is the value
of its anchor, counted as often as it is used. Built from events with a stack of our own, because composing nodes is
recursive in C and ends the process on deep nesting.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

import yaml
from msgspec import Struct, field
from yaml._yaml import CParser

from plangate.errors import PlanParseError
from plangate.parsers.base import Documents, Input, Limits
from plangate.parsers.documents import decode_text
from plangate.parsers.yaml_places import YamlPlaces, packed
from plangate.parsers.yaml_scalars import TEXT_STARTS, ScalarError, key_text, plain_value

CORE_TAGS: Final = "tag:yaml.org,2002:"
SHORT_TAGS: Final = frozenset({
    "And", "Base64", "Cidr", "Condition", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If", "ImportValue",
    "Join", "Length", "Not", "Or", "Ref", "Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "Contains",
    "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOfAll",
})  # fmt: skip
"""CloudFormation's short tags: ``!Sub x`` is ``{"Fn::Sub": x}``.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""
OTHER_TAGS: Final = frozenset({"reset", "override"})
"""Compose's own: https://docs.docker.com/reference/compose-file/merge/"""

_PLAIN_NAMES: Final = frozenset({"Ref", "Condition"})
_TEMPLATE_HINT: Final = (
    "this looks like a template that has not been rendered; check its output, e.g. of `helm template`"
)

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, Decimal),
    "bool": (bool,),
    "null": (type(None),),
}


def read_yaml(source: Input, limits: Limits) -> Documents:
    """Every document of a YAML stream that is not empty.

    Raises:
        PlanParseError: Not well-formed, beyond a limit, or with a tag, key or number that we do not read.
    """
    if len(source.data) > limits.max_plan_bytes:
        raise PlanParseError(
            source.name,
            f"{len(source.data)} bytes (limit: {limits.max_plan_bytes})",
            hint="raise limits.max_plan_bytes in plangate.yaml if the input is meant to be this big",
        )
    return _Builder(source, limits).documents()


class _Open(Struct):
    """A mapping or list whose end has not come yet. ``value`` and ``places`` are both dicts or both lists."""

    value: Any
    is_mapping: bool
    line: int
    column: int
    anchor: str | None
    tag: str | None
    places: Any
    height: int = 1
    before: int = 0
    key: str | None = None
    key_place: int = 0
    merged: list[tuple[dict[str, Any], dict[str, int]]] = field(default_factory=list)


class _Anchored(Struct, frozen=True):
    value: Any
    nodes: int
    height: int


class _Builder:
    """Values from events. Every mapping and list keeps the places of its members by its identity."""

    def __init__(self, source: Input, limits: Limits) -> None:
        self._name = source.name
        self._source = source
        self._limits = limits
        self._text = decode_text(source.data, source.name)
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._places: dict[int, dict[str, int] | list[int]] = {}
        self._nodes = 0
        self._tags: dict[str, tuple[int, int]] = {}
        self._done: list[tuple[Any, int]] = []

    def documents(self) -> Documents:
        scalar_event, stack, ordinary = yaml.ScalarEvent, self._stack, self._ordinary
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._new_document,
        }
        try:
            next_event: Callable[[], Any] = CParser(self._text).get_event
            for event in iter(next_event, None):
                kind = type(event)
                if kind is scalar_event and event.tag is None and event.anchor is None and stack:
                    ordinary(event, stack[-1])
                elif kind in handlers:
                    handlers[kind](event)
        except (yaml.YAMLError, ValueError) as error:
            raise self._refusal(error) from error
        kept = [(value, start) for value, start in self._done if value is not None]
        if not kept:
            raise PlanParseError(self._name, "empty document (expected a plan)")
        return Documents(
            source=self._source,
            values=tuple(value for value, _ in kept),
            places=tuple(YamlPlaces(value, self._places, start) for value, start in kept),
            tags=self._tags,
        )

    def _refusal(self, error: Exception) -> PlanParseError:
        """What libyaml says, with its place."""
        if isinstance(error, yaml.reader.ReaderError):
            line = self._text.count("\n", 0, error.position) + 1
            return PlanParseError(self._name, f"not YAML: {error.reason}", at=f"line {line}")
        if isinstance(error, yaml.MarkedYAMLError):
            mark = error.problem_mark or error.context_mark
            said = " ".join(part for part in (error.context, error.problem) if part)
            return PlanParseError(
                self._name,
                f"not YAML: {said or 'it cannot be read'}",
                at=f"line {mark.line + 1} column {mark.column + 1}" if mark is not None else "",
                hint=self._template_hint(),
            )
        return PlanParseError(self._name, "not YAML: it cannot be read")

    def _new_document(self, _event: Any) -> None:
        self._anchors = {}

    def _start_mapping(self, event: Any) -> None:
        self._open(event, {}, {}, is_mapping=True)

    def _start_list(self, event: Any) -> None:
        self._open(event, [], [], is_mapping=False)

    def _open(self, event: Any, value: Any, places: Any, *, is_mapping: bool) -> None:
        mark = event.start_mark
        if len(self._stack) >= self._limits.max_depth:
            self._refuse(
                mark,
                f"nested deeper than {self._limits.max_depth} levels",
                "see limits.max_depth in plangate.yaml",
            )
        self._nodes += 1  # the limit is looked at when it ends
        if self._wants_key():
            self._refuse(mark, "a key that is not text", "write the key as text")
        self._stack.append(
            _Open(
                value=value,
                is_mapping=is_mapping,
                line=mark.line + 1,
                column=mark.column + 1,
                anchor=event.anchor,
                tag=None if event.tag is None else self._tag(event, "map" if is_mapping else "seq"),
                places=places,
                before=self._nodes,
            )
        )
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # not to be used inside itself

    def _end(self, event: Any) -> None:
        done = self._stack.pop()
        self._count(0, event.start_mark)
        if done.merged:
            self._merge(done)
        value, height = done.value, done.height
        self._places[id(value)] = done.places
        if done.tag is not None:
            value = self._tagged(value, done.tag, done.line, done.column)
        if done.anchor is not None:
            self._anchors[done.anchor] = _Anchored(value, self._nodes - done.before + 1, height)
        self._add(value, packed(done.line, done.column), height, event.end_mark)

    def _merge(self, done: _Open) -> None:
        """Put what ``<<`` names behind what is written: written keys win, then earlier ones."""
        value, places = done.value, done.places
        for merged, where in done.merged:
            for key, item in merged.items():
                if key not in value:
                    value[key] = item
                    places[key] = where.get(key, 0)

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        self._count(1, mark)
        tag = self._tag(event, "str")
        text = event.value
        if self._wants_key():
            self._key(text, event, tag)
            return
        plain = tag is None and event.implicit[0]
        if plain:
            value = self._plain(text, mark)
        elif tag is None or not tag.startswith(CORE_TAGS):
            value = self._tagged(text, tag, mark.line + 1, mark.column + 1)
        else:
            value = self._core(text, tag.removeprefix(CORE_TAGS), mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        self._add(value, packed(mark.line + 1, mark.column + 1), 0, mark)

    def _ordinary(self, event: Any, top: _Open) -> None:
        """A scalar without a tag or an anchor, inside of something: nine nodes in ten, so this has to be quick."""
        self._nodes += 1  # the limit is looked at when what holds it ends
        text, key = event.value, top.key
        value: Any = text
        if event.implicit[0] and text[:1] not in TEXT_STARTS:
            if key is None and text == "<<" and top.is_mapping:
                top.key, top.key_place = "<<", 0
                return
            value = self._plain(text, event.start_mark)
        if key is not None:
            if key == "<<" and top.key_place == 0:
                self._take_merge(top, value, event.start_mark)
            else:
                top.value[key] = value
                top.places[key] = top.key_place
                top.key = None
            return
        mark = event.start_mark
        if not top.is_mapping:
            top.value.append(value)
            top.places.append(packed(mark.line + 1, mark.column + 1))
            return
        # Kubernetes' reader turns a key into JSON's text for it: `on:` is the key "true".
        name = value if isinstance(value, str) else key_text(value, text)
        if name in top.value:
            self._refuse(mark, f"duplicate key {name[:200]!r}")
        top.key, top.key_place = name, packed(mark.line + 1, mark.column + 1)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        if event.anchor not in self._anchors:
            self._refuse(mark, f"alias of an anchor that is not there: *{event.anchor[:100]}")
        found = self._anchors[event.anchor]
        if found is None:
            self._refuse(mark, f"alias inside of its own anchor: *{event.anchor[:100]}")
        self._count(found.nodes, mark)
        if len(self._stack) + found.height > self._limits.max_depth:
            self._refuse(mark, f"nested deeper than {self._limits.max_depth} levels")
        if self._wants_key():
            if not isinstance(found.value, str):
                self._refuse(mark, "a key that is not text", "write the key as text")
            self._take_key(found.value, mark)
            return
        self._add(found.value, packed(mark.line + 1, mark.column + 1), found.height, mark)

    def _wants_key(self) -> bool:
        stack = self._stack
        return bool(stack) and stack[-1].key is None and stack[-1].is_mapping

    def _key(self, text: str, event: Any, tag: str | None) -> None:
        if tag is None and event.implicit[0] and text == "<<":
            top = self._stack[-1]
            top.key, top.key_place = "<<", 0
            return
        if tag is not None and tag != f"{CORE_TAGS}str":
            self._refuse(event.start_mark, f"a key with the tag {tag[:100]}")
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(text, 1, 0)
        value = self._plain(text, event.start_mark) if tag is None and event.implicit[0] else text
        self._take_key(value if isinstance(value, str) else key_text(value, text), event.start_mark)

    def _take_key(self, key: str, mark: Any) -> None:
        top = self._stack[-1]
        if key in top.value:
            self._refuse(mark, f"duplicate key {key[:200]!r}")
        top.key, top.key_place = key, packed(mark.line + 1, mark.column + 1)

    def _add(self, value: Any, place: int, height: int, mark: Any) -> None:
        if not self._stack:
            self._done.append((value, place))
            return
        top = self._stack[-1]
        if height >= top.height:
            top.height = height + 1
        key = top.key
        if not top.is_mapping or key is None:
            top.value.append(value)
            top.places.append(place)
            return
        if key == "<<" and top.key_place == 0:
            self._take_merge(top, value, mark)
        else:
            top.value[key] = value
            top.places[key] = top.key_place
        top.key = None

    def _take_merge(self, top: _Open, value: Any, mark: Any) -> None:
        if top.merged:
            self._refuse(mark, "a second `<<` in one mapping", "merge a list of mappings")
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                self._refuse(mark, "`<<` expects a mapping, or a list of mappings")
            # What is written wins, says YAML; what comes later wins, says Kubernetes' reader.
            twice = next((key for key in each if key in top.value), None)
            if twice is not None:
                self._refuse(
                    mark,
                    f"`<<` after the key {twice[:200]!r} that it has too, which readers take differently",
                    "put `<<` before the keys that it does not replace",
                )
            # Every member is one more node here, so that merging cannot grow without bound.
            self._count(len(each), mark)
            places = self._places.get(id(each), {})
            top.merged.append((each, places if isinstance(places, dict) else {}))

    def _count(self, nodes: int, mark: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.max_yaml_nodes:
            self._refuse(
                mark,
                f"more than {self._limits.max_yaml_nodes} nodes with its aliases expanded",
                "see limits.max_yaml_nodes in plangate.yaml",
            )

    def _tag(self, event: Any, plain: str) -> str | None:
        """An explicit tag that means something; refuses those that we do not know."""
        tag: str | None = event.tag
        if tag is None or tag in {"!", f"{CORE_TAGS}{plain}"}:
            return f"{CORE_TAGS}str" if plain == "str" and tag is not None else None
        mark = event.start_mark
        if tag.startswith("!") and tag[1:] in SHORT_TAGS | OTHER_TAGS:
            self._tags.setdefault(tag, (mark.line + 1, mark.column + 1))
        elif plain != "str" or not tag.startswith(CORE_TAGS):
            self._refuse(mark, f"unknown tag {tag[:100]}")
        return tag

    def _tagged(self, value: Any, tag: str | None, line: int, column: int) -> Any:
        """A value with a short tag in its long form."""
        if tag is None or not tag.startswith("!"):
            return value
        name = tag[1:]
        if name in OTHER_TAGS:
            return None if name == "reset" else value
        self._count(1, None)
        if name == "GetAtt" and isinstance(value, str):
            logical, _, attribute = value.partition(".")
            value = [logical, attribute] if attribute else [logical]
        long = {name if name in _PLAIN_NAMES else f"Fn::{name}": value}
        self._places[id(long)] = dict.fromkeys(long, packed(line, column))
        return long

    def _core(self, text: str, tag: str, mark: Any) -> Any:
        if tag == "binary":
            # Some readers decode it and some do not: a kind, a type or a capability could hide in it.
            self._refuse(mark, "the tag !!binary, which readers take differently", "write the text itself")
        if tag in {"str", "timestamp"}:
            return text
        value = self._plain(text, mark)
        if type(value) not in _TYPES.get(tag, ()):
            self._refuse(mark, f"not a value for the tag !!{tag[:100]}")
        return value

    def _plain(self, text: str, mark: Any) -> Any:
        try:
            return plain_value(text, self._limits.max_number_digits)
        except ScalarError as error:
            self._refuse(mark, str(error))

    def _refuse(self, mark: Any, problem: str, hint: str = "") -> NoReturn:
        at = f"line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
        raise PlanParseError(self._name, problem, at=at, hint=self._template_hint() or hint)

    def _template_hint(self) -> str:
        return _TEMPLATE_HINT if "{{" in self._text else ""
