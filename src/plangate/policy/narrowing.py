"""Rules that can say nothing of a plan, told by the first lines of their bodies: they need not be asked.

A body that begins with ``some x in lib.of_kind("k")`` comes to nothing in a plan without a resource of that kind: the
line waits for no other one, and nothing after it is evaluated. So a rule whose every body begins like this is silent
where all of those kinds and types are missing. METADATA's kinds say what a rule is about, not what it looks at, and so
are not asked here. What cannot be told is asked.
"""

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Final

from plangate.policy.base import PolicySet, Present
from plangate.policy.files import PolicyFile
from plangate.policy.parse import parse_modules
from plangate.policy.program import Definition, Program
from plangate.policy.syntax import Body

_BY_KIND: Final = frozenset({("plangate", "lib", "of_kind"), ("plangate", "lib", "all_of_kind")})
_BY_TYPE: Final = frozenset({("plangate", "lib", "of_type")})
_CALL_PARTS: Final = 2
"""A function and its one argument."""


_KNOWN: Final[dict[str, Mapping[str, Present]]] = {}
"""By digest of the policies: whoever starts processes by fork asks once, before."""


def needs_of(policies: PolicySet) -> Mapping[str, Present]:
    """Rule id to the kinds and types without any of which it is silent. A rule that is not there is always asked.

    Raises:
        PolicyLoadError: The policies are none that were loaded before.
    """
    if policies.sha256 in _KNOWN:
        return _KNOWN[policies.sha256]
    files = [
        PolicyFile(name=name, text=text, source="", path=FilePath(name)) for name, text in policies.modules
    ]
    program = Program(parse_modules(files), policies.data)
    found: dict[str, Present] = {}
    for rule in policies.rules:
        package = tuple(policies.packages[rule.id].split("."))
        sets = ("deny", "undetermined") if rule.id in policies.handles_unknowns else ("deny",)
        # `deny.x` is another way to write a part of `deny`.
        heads = [(*package, name) for name in sets]
        paths = [path for path in program.rules if path[: len(package) + 1] in heads]
        needs = [_needs(program, each) for path in paths for each in program.rules[path]]
        known = [each for each in needs if each is not None]
        if known and len(known) == len(needs):
            found[rule.id] = Present(
                kinds=frozenset().union(*(each.kinds for each in known)),
                types=frozenset().union(*(each.types for each in known)),
            )
    _KNOWN[policies.sha256] = found
    return found


def _needs(program: Program, definition: Definition) -> Present | None:
    rule = definition.rule
    if rule.form != "set" or rule.args or rule.ref.form != "var" or not rule.bodies:
        return None
    begun = [_first_line(program, definition, body) for body in rule.bodies]
    known = [each for each in begun if each is not None]
    if len(known) < len(begun):
        return None
    return Present(
        kinds=frozenset(name for is_kind, name in known if is_kind),
        types=frozenset(name for is_kind, name in known if not is_kind),
    )


def _first_line(program: Program, definition: Definition, body: Body) -> tuple[bool, str] | None:
    """Whether the first line goes through a kind, and the name of the kind or type; ``None`` when through neither."""
    if body.is_else or not body.query:
        return None
    first = body.query[0]
    if first.form != "some-in" or first.mods or any(part.form != "var" for part in first.parts[:-1]):
        return None
    call = first.parts[-1]
    if call.form != "call" or len(call.parts) != _CALL_PARTS:
        return None
    kind, path = program.callee(definition.module, call.parts[0])
    name = call.parts[1]
    if kind != "rule" or name.form != "scalar" or not isinstance(name.value, str):
        return None
    if path in _BY_KIND:
        return True, name.value
    return (False, name.value) if path in _BY_TYPE else None
