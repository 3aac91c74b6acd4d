"""Variables in a compose file: ``$NAME``, ``${NAME}`` and ``${NAME:-default}`` and its kin.

What a variable holds is known only where the project is started, so that text with a variable that nobody gave is
`UNKNOWN`, also when it has a default. ``$$`` is a dollar sign.

Source: https://docs.docker.com/reference/compose-file/interpolation/
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

from plangate.model.values import UNKNOWN, Unknown, pointer

MAX_NESTING: Final = 10
"""Variables in the defaults of variables."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_OPERATOR: Final = re.compile(r":?[-?+]")


class Interpolation(Struct):
    """Replaces the variables of one document.

    Attributes:
        variables: Variables that the user gave.
        clear: JSON Pointers of unknown texts of which a part stands there in clear: a default, or what is around.
        left: Characters that may still be made.
    """

    variables: Mapping[str, str]
    left: int
    clear: set[str] = field(default_factory=set)

    def value(self, value: Any, at: str) -> Any:
        """The value with every text in it replaced."""
        if isinstance(value, str):
            return self.text(value, at) if "$" in value else value
        if isinstance(value, dict):
            return {key: self.value(item, at + pointer(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._item(item, f"{at}/{index}") for index, item in enumerate(value)]
        return value

    def text(self, text: str, at: str) -> str | Unknown:
        """One text replaced, or `UNKNOWN`."""
        found = self._replaced(text, 0)
        if found is UNKNOWN and not _is_bare(text):
            self.clear.add(at)
        return found

    def _item(self, item: Any, at: str) -> Any:
        """An item of a list; of ``NAME=value`` with an unknown value, at least the name is known."""
        if not isinstance(item, str) or "$" not in item:
            return self.value(item, at)
        name, equals, value = item.partition("=")
        if equals and _NAME.fullmatch(name):
            read = self.text(value, at + pointer(name))
            return {name: UNKNOWN} if read is UNKNOWN else f"{name}={read}"
        return self.text(item, at)

    def _replaced(self, text: str, depth: int) -> str | Unknown:
        parts: list[str] = []
        position = 0
        while (dollar := text.find("$", position)) >= 0:
            parts.append(text[position:dollar])
            if text.startswith("$$", dollar):
                parts.append("$")
                position = dollar + 2
                continue
            read, position = self._variable(text, dollar + 1, depth)
            if read is UNKNOWN:
                return UNKNOWN
            parts.append(read)
        parts.append(text[position:])
        made = "".join(parts)
        self.left -= len(made)
        return made if self.left >= 0 else UNKNOWN

    def _variable(self, text: str, start: int, depth: int) -> tuple[str | Unknown, int]:
        """What stands for the variable at a place, and where the text goes on."""
        braces = text.startswith("{", start)
        name = _NAME.match(text, start + braces)
        if name is None:
            return UNKNOWN, len(text)
        if not braces:
            return self.variables.get(name.group(), UNKNOWN), name.end()
        end = _closing(text, name.end())
        if end < 0 or depth > MAX_NESTING:
            return UNKNOWN, len(text)
        return self._braced(name.group(), text[name.end() : end], depth), end + 1

    def _braced(self, name: str, rest: str, depth: int) -> str | Unknown:
        """What stands for ``${name}``, where the rest is an operator and another text, or nothing."""
        given = self.variables.get(name)
        operator = _OPERATOR.match(rest)
        if given is None or (rest and operator is None):
            return UNKNOWN
        if operator is None:
            return given
        sign, other = operator.group(), rest[operator.end() :]
        is_set = given != "" or not sign.startswith(":")
        if sign.endswith("+"):
            return self._replaced(other, depth + 1) if is_set else ""
        if is_set:
            return given
        return self._replaced(other, depth + 1) if sign.endswith("-") else UNKNOWN


def _closing(text: str, start: int) -> int:
    """Index of the brace that closes the one before ``start``; -1 without any."""
    depth = 1
    for index in range(start, len(text)):
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        elif text.startswith("${", index):
            depth += 1
    return -1


def _is_bare(text: str) -> bool:
    """Whether a text is one variable and nothing else."""
    plain = text.strip()
    inner = plain[2:-1] if plain.startswith("${") and plain.endswith("}") else plain[1:]
    name, _, demand = inner.partition("?")
    return plain.startswith("$") and _NAME.fullmatch(name.removesuffix(":") if demand else name) is not None
