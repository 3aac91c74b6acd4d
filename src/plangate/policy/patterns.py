r"""Regular expressions that Go (OPA) and Rust (regorus) understand alike.

Both are linear-time engines with nearly one syntax, but Rust's ``\\d``, ``\\w``, ``\\s`` and ``\\b`` are Unicode ones,
its classes have set operators (``&&``, ``--``, ``~~``) and nest, it has more escapes and flags, and it takes
repeats of repeats. So this is an allow-list: what is not known to mean the same is refused.
"""

import re
from typing import Final

_ESCAPES: Final = frozenset("\\.+*?()|[]{}^$-/@_ #&~\"':;,<>=!%`nrtfv") - frozenset("<>")
"""What may follow a backslash: punctuation stands for itself, and these control characters."""

_GROUPS: Final = re.compile(r"\(\?(:|P<[A-Za-z_][A-Za-z0-9_]*>|[ism]+[:)])")
_REPEAT: Final = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_POSIX: Final = re.compile(
    r"\[:\^?(alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit):\]"
)

_MAX_REPEAT: Final = 1000
"""Go's limit."""


def regex_problem(pattern: str) -> str:
    """Why a pattern may not mean the same to both engines, or an empty string."""
    index, repeatable = 0, False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            problem, index = _escape(pattern, index)
            repeatable = True
        elif character == "[":
            problem, index = _class(pattern, index)
            repeatable = True
        elif character == "(":
            problem, index = _group(pattern, index)
            repeatable = False
        elif character in "*+?{":
            problem, index = (
                _repeat(pattern, index) if repeatable else (f"nothing to repeat before {character}", index)
            )
            repeatable = False
        elif character == "}":
            problem = "write } as \\}"
        else:
            problem, index, repeatable = "", index + 1, character not in "|^"
        if problem:
            return problem
    return ""


def _escape(pattern: str, index: int) -> tuple[str, int]:
    following = pattern[index + 1 : index + 2]
    if following and following in _ESCAPES:
        return "", index + 2
    ascii_class = {"d": "[0-9]", "w": "[0-9A-Za-z_]", "s": "[ \\t\\n\\f\\r]"}.get(following.lower())
    if ascii_class:
        inside = ascii_class if following.islower() else f"[^{ascii_class[1:]}"
        return f"\\{following} covers other letters and digits than in OPA: write {inside}", index
    return f"\\{following} does not mean the same in both engines", index


def _class(pattern: str, index: int) -> tuple[str, int]:  # noqa: PLR0911 - one way out for each problem
    start = index
    index += 2 if pattern[index + 1 : index + 2] == "^" else 1
    if pattern[index : index + 1] == "]":
        return "write ] as \\] in a class", index
    while index < len(pattern) and pattern[index] != "]":
        character = pattern[index]
        if character == "[":
            posix = _POSIX.match(pattern, index)
            if posix is None:
                return "write [ as \\[ in a class", index
            index = posix.end()
        elif character == "\\":
            problem, index = _escape(pattern, index)
            if problem:
                return problem, index
        elif character in "&~-" and pattern[index + 1 : index + 2] == character:
            return f"{character * 2} in a class is an operator in one engine and text in the other", index
        elif character in "&~":
            return f"write {character} as \\{character} in a class", index
        else:
            index += 1
    if index >= len(pattern):
        return f"the class at {start + 1} does not end", index
    return "", index + 1


def _group(pattern: str, index: int) -> tuple[str, int]:
    if pattern[index + 1 : index + 2] != "?":
        return "", index + 1
    found = _GROUPS.match(pattern, index)
    if found is None:
        return "only (?:, (?P<name> and the flags i, s and m mean the same in both engines", index
    return "", found.end()


def _repeat(pattern: str, index: int) -> tuple[str, int]:
    if pattern[index] != "{":
        end = index + 1
    else:
        found = _REPEAT.match(pattern, index)
        if found is None:
            return "write { as \\{", index
        bounds = [int(number) for number in (found[1], found[3]) if number]
        if max(bounds) > _MAX_REPEAT or bounds != sorted(bounds):
            return f"a repeat must be in order and at most {_MAX_REPEAT}", index
        end = found.end()
    return "", end + 1 if pattern[end : end + 1] == "?" else end
