"""Traces without what is sensitive in them.

A plan marks sensitive values by path. So every expression that reads such a path is masked, with everything that was
made from it: variables that get their value in a line that reads it, expressions that name such a variable, and what
these call. So is what a function makes of a resource with something sensitive. What a `Redactor` knows as a secret is
replaced wherever it stands.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from plangate.authoring.trace import LineTrace, Trace, Value, Way
from plangate.authoring.trace_text import is_resource
from plangate.model.values import pointer_tokens

MASK: Final = "(sensitive)"

Redact = Callable[[Any], Any]
"""A value with the secrets in it replaced."""

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_VALUES: Final = re.compile(r'[.\["](?:after|before)\b')
_PATH: Final = re.compile(r"([A-Za-z_]\w*)((?:\.\w+|\[[^\]]*\])+)")


class Masking:
    """Masks traces.

    Args:
        redact: Replaces secrets in values.
    """

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def trace(self, trace: Trace) -> Trace:
        """The trace with nothing sensitive in it."""
        hidden: set[str] = set()
        lines = []
        for line in trace.lines:
            masked = self._line(line, hidden)
            if any(MASK in map(str, value.values) for way in masked.seen for value in way.values):
                hidden |= set(line.bound)
                masked = replace(masked, bound=dict.fromkeys(line.bound, MASK))
            lines.append(masked)
        return replace(trace, lines=tuple(lines), given=tuple(self._way(way, hidden) for way in trace.given))

    def _line(self, line: LineTrace, hidden: set[str]) -> LineTrace:
        bound = {name: MASK if name in hidden else self._value(value) for name, value in line.bound.items()}
        return replace(line, seen=tuple(self._way(way, hidden) for way in line.seen), bound=bound)

    def _way(self, way: Way, hidden: set[str]) -> Way:
        variables = {
            name: MASK if name in hidden else self._value(value) for name, value in way.variables.items()
        }
        return Way(variables=variables, values=tuple(self._seen(value, way, hidden) for value in way.values))

    def _seen(self, value: Value, way: Way, hidden: set[str]) -> Value:
        if hidden & set(_WORD.findall(value.source)) or _reads_sensitive(value.source, way.variables):
            masked = tuple(MASK for _ in value.values)
            return Value(source=value.source, values=masked)
        values = tuple(map(self._value, value.values))
        if _given_sensitive(value.source, way.variables):
            values = tuple(MASK for _ in values)
        return Value(
            source=value.source,
            values=values,
            traces=tuple(map(self.trace, value.traces)),
        )

    def _value(self, value: Any) -> Any:
        """A value without secrets. Of a resource only what leads nowhere sensitive is kept."""
        if is_resource(value):
            kept = ("address", "type", "kind", "action", "unknown", "sensitive")
            return {
                **{key: self._redact(value[key]) for key in kept if key in value},
                "after": {}, "before": {},
            }  # fmt: skip
        if isinstance(value, Mapping):
            return {self._redact(key): self._value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        return self._redact(value)


def _reads_sensitive(source: str, variables: Mapping[str, Any]) -> bool:
    """An expression reads something sensitive, or what it reads cannot be told."""
    rest = source
    for found in _PATH.finditer(source):
        head, path = found.groups()
        steps = [step for part in re.findall(r"\.(\w+)|\[([^\]]*)\]", path) for step in part if step]
        owner = variables.get(head)
        if owner is not None and is_resource(owner) and steps[0] in {"after", "before"}:
            if _meets(owner, steps[1:]):
                return True
            rest = rest.replace(found.group(), "", 1)
    # Not through a variable that is a resource: nobody knows whose value it is.
    return _VALUES.search(rest) is not None


def _given_sensitive(source: str, variables: Mapping[str, Any]) -> bool:
    """A function of the policies, other than the library's, gets a resource that has something sensitive."""
    if "(" not in source or source.startswith("lib."):
        return False
    return any(
        is_resource(variables.get(word)) and variables[word].get("sensitive")
        for word in _WORD.findall(source)
    )


def _meets(resource: Mapping[str, Any], steps: Sequence[str]) -> bool:
    """A sensitive pointer of the resource is this path, or above or below it; a computed key is any key."""
    path = [
        step.strip('"') if step.startswith('"') or step.isidentifier() or step.isdigit() else None
        for step in steps
    ]
    for pointer in resource.get("sensitive") or ():
        tokens = list(pointer_tokens(pointer))
        shared = min(len(tokens), len(path))
        if all(
            mine in (None, "_", theirs) for mine, theirs in zip(path[:shared], tokens[:shared], strict=True)
        ):
            return True
    return False
