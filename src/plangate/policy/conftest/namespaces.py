"""Namespaces: packages as conftest names them, and the patterns that choose some."""

import re
from collections.abc import Sequence
from typing import Final

from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.conftest.base import is_judged
from plangate.policy.program import head_name
from plangate.policy.syntax import Module

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAGIC: Final = frozenset("*?[")


def namespace_of(package: Sequence[str]) -> str:
    """A package's name: ``main.gke``, or ``main["x-y"]`` for parts that are no words."""
    first, *others = package
    return first + "".join(
        f".{part}" if _NAME.fullmatch(part) else f'["{part.translate(_ESCAPES)}"]' for part in others
    )


_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\"})


def matching(
    modules: Sequence[Module], tests: Sequence[Module], patterns: Sequence[str], *, everything: bool
) -> tuple[str, ...]:
    """The namespaces to judge, each once.

    Args:
        modules: The policies.
        tests: Files of tests: conftest reports their packages too, when it is asked for all.
        patterns: Names, in the order that is reported, or patterns; patterns choose in alphabetical order.
        everything: All namespaces instead.

    Raises:
        PolicyLoadError: A name, all patterns, or the whole folder stands for no rule.
        UsageError: A pattern is not well-formed.
    """
    judged = {
        namespace_of(module.package)
        for module in modules
        if any(map(is_judged, map(head_name, module.rules)))
    }
    known = sorted({namespace_of(module.package) for module in (*modules, *tests)})
    listed = f"rules are in: {', '.join(sorted(judged))}" if judged else "there are none in any namespace"
    if everything:
        chosen = known
    elif any(_MAGIC & set(pattern) for pattern in patterns):
        compiled = [_compiled(pattern) for pattern in patterns]
        chosen = [name for name in known if any(pattern.fullmatch(name) for pattern in compiled)]
    else:
        chosen = list(dict.fromkeys(patterns))
        for name in chosen:
            if name not in judged:
                raise PolicyLoadError(
                    f"namespace {name}", "no deny, violation or warn rule in it", hint=listed
                )
    if not judged & set(chosen):
        raise PolicyLoadError(
            f"namespaces {', '.join(patterns)}", "no deny, violation or warn rule in them", hint=listed
        )
    return tuple(chosen)


def _compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern of Go's path.Match, as far as it means the same everywhere: ``*``, ``?``, ``[a-z]``, ``[^a-z]``."""
    text, index = "", 0
    while index < len(pattern):
        character = pattern[index]
        if character == "*":
            text += "[^/]*"
        elif character == "?":
            text += "[^/]"
        elif character == "[":
            found = re.compile(r"\[(\^?)((?:[A-Za-z0-9_.](?:-[A-Za-z0-9_.])?)+)\]").match(pattern, index)
            if found is None:
                raise UsageError(f"--namespace {pattern}: not a pattern (expected [a-z] or [^a-z])")
            text += f"[{found[1]}{found[2]}]"
            index = found.end() - 1
        else:
            text += re.escape(character)
        index += 1
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"--namespace {pattern}: not a pattern ({error})") from error
