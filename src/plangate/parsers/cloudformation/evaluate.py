"""Values of a template: what its functions make of what is known.

Rules this module keeps:
1. A value is known only if it is the same whatever the unknown parts turn out to be.
2. What is unknown says why: an edge to a resource of the template, or "lost", which nothing can follow.
3. A function that is not here, or that is used in a way that is not described, is `UNKNOWN`.
4. Everything that is made is counted.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from plangate.model.values import ABSENT, UNKNOWN, Tri
from plangate.parsers.cloudformation import functions
from plangate.parsers.cloudformation.loops import expanded_members
from plangate.parsers.cloudformation.merge import Branch, merged
from plangate.parsers.cloudformation.scope import Scope
from plangate.parsers.cloudformation.texts import is_dynamic, managed_policy, pieces, text_of
from plangate.parsers.cloudformation.trace import MAYBE, Budget, Spot, Trace

Part = tuple[Any, Trace]
"""A value and what went into it."""

_SELF: Final = "Ref"


class Evaluator:
    """Reads values of one template.

    Args:
        scope: What names stand for.
        condition: Whether a condition holds, by name.
        budget: Counts what is made.
        assumed: Conditions that hold wherever this evaluator reads.
    """

    def __init__(
        self,
        scope: Scope,
        condition: Callable[[str], Tri],
        budget: Budget,
        assumed: frozenset[str] = frozenset(),
    ) -> None:
        self.scope = scope
        self._condition = condition
        self._budget = budget
        self._assumed = assumed
        self._functions: dict[str, Callable[[Any, Spot, Trace], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Split": self._split,
            "Fn::Base64": self._made_by(functions.base64_text),
            "Fn::GetAZs": self._zones,
            "Fn::Cidr": self._made_by(functions.cidr),
            "Fn::Length": self._made_by(functions.length),
            "Fn::ToJsonString": self._made_by(functions.json_text),
        }

    def given(self, assumed: str) -> "Evaluator":
        """The same where a condition is known to hold."""
        return Evaluator(self.scope, self._condition, self._budget, self._assumed | {assumed})

    def read(self, node: Any, spot: Spot, trace: Trace) -> Any:
        """The value of a part of the template, with `UNKNOWN` leaves; `ABSENT` for ``AWS::NoValue``."""
        value = self._raw(node, spot, trace)
        return UNKNOWN if value is MAYBE else value

    def aside(self, node: Any, spot: Spot) -> Part:
        """A value that is only an argument, with its own trace."""
        trace = Trace()
        return self._raw(node, spot, trace), trace

    def _raw(self, node: Any, spot: Spot, trace: Trace) -> Any:
        self._budget.spend(len(spot.exact))
        if isinstance(node, str):
            return self._settled(node, spot, trace)
        if isinstance(node, list):
            return self._list(node, spot, trace)
        if isinstance(node, Mapping):
            name = next(iter(node), "")
            if len(node) == 1 and (name == _SELF or (name.startswith("Fn::") and not _is_loop(name))):
                return self._call(name, node[name], spot, trace)
            return self._object(node, spot, trace)
        return node

    def _list(self, node: Sequence[Any], spot: Spot, trace: Trace) -> list[Any]:
        items = [self.read(item, spot.item(index), trace) for index, item in enumerate(node)]
        return [item for item in items if item is not ABSENT]

    def _object(self, node: Mapping[str, Any], spot: Spot, trace: Trace) -> Any:
        members = node
        if any(name.startswith("Fn::") for name in node):
            # Loops make members; anything else beside members (`Fn::Transform`) may change them all.
            expanded = expanded_members(node, self.items, self._budget)
            if expanded is None or any(name.startswith("Fn::") for name in expanded):
                trace.lost.add(spot.plain)
                return UNKNOWN
            members = expanded
        found = {}
        for key, item in members.items():
            value = self.read(item, spot.member(key), trace)
            if value is not ABSENT:
                found[key] = value
        return found

    def items(self, node: Any) -> list[str] | None:
        """The items of a loop; ``None`` when they are not known."""
        value, _ = self.aside(node, Spot())
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            return None
        texts = [text_of(item) for item in value]
        return None if None in texts else [item for item in texts if item is not None]

    def _call(self, name: str, argument: Any, spot: Spot, trace: Trace) -> Any:
        # Not known here, or not before it is deployed (Fn::ImportValue, Fn::Transform).
        return self._functions.get(name, self._unknown)(argument, spot, trace)

    def _unknown(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        _, inner = self._argument(argument, spot)
        return self._made(UNKNOWN, inner, spot, trace)

    def _made(self, value: Any, inner: Trace, spot: Spot, trace: Trace) -> Any:
        """A value that a function made."""
        if isinstance(value, str):
            self._budget.spend(len(value))
            if is_dynamic(value):
                value = UNKNOWN
        elif isinstance(value, list):
            self._budget.spend(nodes=len(value))
            if any(isinstance(item, str) and is_dynamic(item) for item in value):
                value = UNKNOWN
        trace.blur(inner, spot, value)
        return value

    def _made_by(self, make: Callable[[Any], Any]) -> Callable[[Any, Spot, Trace], Any]:
        """A function that needs nothing but its argument."""

        def call(argument: Any, spot: Spot, trace: Trace) -> Any:
            value, inner = self._argument(argument, spot)
            return self._made(make(value), inner, spot, trace)

        return call

    def _argument(self, argument: Any, spot: Spot) -> Part:
        """An argument; of a list whose length is not known, `UNKNOWN`."""
        if not isinstance(argument, list):
            value, inner = self.aside(argument, spot)
            return (UNKNOWN if value in (ABSENT, MAYBE) else value), inner
        parts, inner = self._parts(argument, spot)
        return (UNKNOWN if parts is None else [value for value, _ in parts]), inner

    def _parts(self, node: Sequence[Any], spot: Spot) -> tuple[list[Part] | None, Trace]:
        """Items of a list that is written out, without absent ones, and all that went into them.

        ``None`` for the items when one may be absent.
        """
        parts: list[Part] = []
        whole = Trace()
        sure = True
        for item in node:
            value, inner = self._argument(item, spot) if isinstance(item, list) else self.aside(item, spot)
            whole.add(inner)
            sure = sure and value is not MAYBE
            if value is not ABSENT:
                parts.append((value, inner))
        return (parts if sure else None), whole

    def _settled(self, text: str, spot: Spot, trace: Trace) -> Any:
        self._budget.spend(len(text), nodes=0)
        if is_dynamic(text):
            trace.lost.add(spot.plain)
            return UNKNOWN
        return text

    # --- what names stand for ---

    def _ref(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        name, inner = (argument, Trace()) if isinstance(argument, str) else self.aside(argument, spot)
        if name == "AWS::NoValue":
            return ABSENT
        if not isinstance(name, str):
            return self._made(UNKNOWN, inner, spot, trace)
        return self._named(name, "", spot, trace)

    def _named(self, name: str, attribute: str, spot: Spot, trace: Trace) -> Any:
        """The value of a parameter, or of a resource's attribute."""
        parameters = self.scope.parameters
        if not attribute and name in parameters:
            value = parameters[name]
            if name in self.scope.secret:
                trace.secret.add(spot.exact)
            if value is UNKNOWN:
                trace.lost.add(spot.plain)
                trace.partition = name == "AWS::Partition"
            else:
                self._budget.spend(len(value), nodes=len(value) if isinstance(value, list) else 0)
            return value
        if name in self.scope.resources:
            trace.edges.setdefault((spot.plain, name, attribute or _SELF), True)
            return self._known_of(name, attribute or _SELF)
        # A resource that a macro adds, or one whose condition is false.
        trace.lost.add(spot.plain)
        return UNKNOWN

    def _known_of(self, name: str, attribute: str) -> Any:
        value = self.scope.attributes.get(name, {}).get(attribute, UNKNOWN)
        if isinstance(value, str):
            self._budget.spend(len(value))
        return value

    def _zones(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        """``Fn::GetAZs``: the zones of a region, of this one when it is empty."""
        value, inner = self._argument(argument, spot)
        region = self.scope.parameters.get("AWS::Region") if value == "" else value
        zones = self.scope.zones.get(region) if isinstance(region, str) else None
        return self._made(UNKNOWN if zones is None else list(zones), inner, spot, trace)

    def _get_att(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        value, inner = self._argument(argument, spot)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return self._named(value[0], ".".join(value[1:]) or "?", spot, trace)
        return self._made(UNKNOWN, inner, spot, trace)

    def _find_in_map(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        default: Part | None = None
        if isinstance(argument, list) and len(argument) == functions.FIND_WITH_DEFAULT:
            options = argument[-1]
            if isinstance(options, Mapping) and "DefaultValue" in options:
                default = self.aside(options["DefaultValue"], spot)
            argument = argument[:-1]
        keys, inner = self._argument(argument, spot)
        found = functions.find_in_map(self.scope.mappings, keys)
        if found is ABSENT and default is not None:
            inner.add(default[1])
            found = default[0] if default[0] not in (ABSENT, MAYBE) else UNKNOWN
        return self._made(UNKNOWN if found is ABSENT else found, inner, spot, trace)

    # --- text and lists ---

    def _sub(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        names: Mapping[str, Any] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):  # noqa: PLR2004
            argument, names = argument
        if isinstance(argument, Mapping):
            # Other transforms may put a function where the text belongs.
            argument, inner = self.aside(argument, spot)
            if not isinstance(argument, str):
                return self._made(UNKNOWN, inner, spot, trace)
        if not isinstance(argument, str):
            trace.lost.add(spot.plain)
            return UNKNOWN
        self._budget.spend(len(argument))
        parts: list[Part] = []
        for literal, name in pieces(argument):
            parts.append((literal, Trace()))
            if name in names:
                parts.append(self.aside(names[name], spot))
            elif name:
                inner = Trace()
                parts.append((self._named(*_split_name(name, self.scope), spot, inner), inner))
        return self._joined("", parts, spot, trace)

    def _join(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004
            return self._unknown(argument, spot, trace)
        delimiter, items = argument
        if isinstance(items, list):
            parts, inner = self._parts(items, spot)
        else:
            value, inner = self._argument(items, spot)
            parts = [(item, inner) for item in value] if isinstance(value, list) else None
        if parts is None or not isinstance(delimiter, str):
            return self._made(UNKNOWN, inner, spot, trace)
        return self._joined(delimiter, parts, spot, trace)

    def _joined(self, delimiter: str, parts: Sequence[Part], spot: Spot, trace: Trace) -> Any:
        texts = [text_of(value) for value, _ in parts]
        self._budget.spend(
            sum(len(text) + len(delimiter) for text in texts if text is not None), nodes=len(texts)
        )
        if None not in texts:
            value: Any = delimiter.join(text for text in texts if text is not None)
        elif (arn := self._managed_policy(delimiter, texts, parts)) is not None:
            return arn
        else:
            value = UNKNOWN
            if delimiter == "" or len(parts) == 1:
                # One resource's attribute with nothing around it is exactly that.
                only = [part for text, part in zip(texts, parts, strict=True) if text != ""]
                if len(only) == 1 and only[0][0] is UNKNOWN:
                    trace.add(only[0][1])
                    return UNKNOWN
        inner = Trace()
        for _, each in parts:
            inner.add(each)
        return self._made(value, inner, spot, trace)

    def _managed_policy(
        self, delimiter: str, texts: Sequence[str | None], parts: Sequence[Part]
    ) -> str | None:
        """The ARN of a policy that AWS manages when all that is not known of it is its partition."""
        holes = [index for index, text in enumerate(texts) if text is None]
        if len(holes) != 1 or not parts[holes[0]][1].partition:
            return None
        around = [*texts[: holes[0]], "\0", *texts[holes[0] + 1 :]]
        before, _, after = delimiter.join(text or "" for text in around).partition("\0")
        return managed_policy(before, after)

    def _split(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        value, inner = self._argument(argument, spot)
        self._budget.spend(nodes=functions.splits(value))
        return self._made(functions.split(value), inner, spot, trace)

    def _select(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):  # noqa: PLR2004
            index, inner = self.aside(argument[0], spot)
            parts, whole = self._parts(argument[1], spot)
            at = functions.index_of(index)
            if parts is not None and at is not None and at < len(parts):
                if inner.secret:
                    trace.secret.add(spot.exact)
                trace.add(parts[at][1])
                return parts[at][0]
            whole.add(inner)
            return self._made(UNKNOWN, whole, spot, trace)
        value, inner = self._argument(argument, spot)
        return self._made(functions.select(value), inner, spot, trace)

    # --- choices ---

    def _if(self, argument: Any, spot: Spot, trace: Trace) -> Any:
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):  # noqa: PLR2004
            return self._unknown(argument, spot, trace)
        name, yes, no = argument
        holds = True if name in self._assumed else self._condition(name)
        if holds is not UNKNOWN:
            return self._raw(yes if holds else no, spot, trace)
        one, other = Trace(), Trace()
        value = merged(
            Branch(self._raw(yes, spot, one), one), Branch(self._raw(no, spot, other), other), spot, trace
        )
        trace.secret |= one.secret | other.secret
        return value


def _is_loop(name: str) -> bool:
    return name.startswith("Fn::ForEach::")


def _split_name(name: str, scope: Scope) -> tuple[str, str]:
    """A name in ``Fn::Sub``: a parameter, a logical id, or an attribute of one."""
    if name in scope.parameters or name in scope.resources:
        return name, ""
    logical, _, attribute = name.partition(".")
    return logical, attribute
