"""A module outside of the library must be a rule: registered by its METADATA, or refused."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.outcome import RuleSpec
from plangate.errors import PolicyLoadError
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.policy.base import RuleScope
from plangate.policy.metadata import read_metadata
from plangate.policy.program import head_name
from plangate.policy.reads import ANY, Reads
from plangate.policy.syntax import Module

LIBRARY: Final = ("plangate", "lib")
"""The library's package. Others may add ``plangate.lib.<name>``."""

_WORDS: Final = ("deny", "undetermined")


class RulePackage(Struct, frozen=True, kw_only=True):
    """A registered rule and the module that it is written in."""

    spec: RuleSpec
    scope: RuleScope
    module: Module
    handles_unknowns: bool
    settings: Mapping[str, Mapping[str, Any]]


def register(module: Module) -> RulePackage:
    """The rule that a module outside of the library must be."""
    package = module.package
    if package[0] != "policies" or len(package) != 3:  # noqa: PLR2004 - policies.<domain>.<slug>
        raise module.error(
            module.package_start,
            f"package {'.'.join(package)} is neither policies.<domain>.<slug> nor {'.'.join(LIBRARY)}.<name>, "
            "so no rule claims this file",
        )
    line, _ = module.position(module.package_start)
    spec, scope, settings = read_metadata(module.file, module.text, line)
    slug = package[2].replace("_", "-")
    if spec.id != slug:
        raise PolicyLoadError(
            module.file, f'METADATA: custom.id is "{spec.id}" but the package says "{slug}"', line=line
        )
    defined = set()
    for rule in module.rules:
        name = head_name(rule)
        defined.add(name)
        if name in _WORDS and (rule.form != "set" or rule.ref.form != "var"):
            raise module.error(
                rule.start, f"{name} must be a set", hint=f"write `{name} contains finding if {{ … }}`"
            )
        close = _near_miss(name)
        if close and rule.form in {"set", "value"}:
            raise module.error(
                rule.start,
                f'"{name}" looks like a misspelt "{close}"',
                hint=f"call it {close}, or something else",
            )
    if "deny" not in defined:
        raise module.error(
            module.package_start, "this rule has no deny", hint="write `deny contains finding if …`"
        )
    return RulePackage(
        spec=replace(spec, source=module.file), scope=scope, module=module,
        handles_unknowns="undetermined" in defined, settings=settings,
    )  # fmt: skip


def check_facts(rule: RulePackage, reads: Reads) -> None:
    """Refuse a fact that no kind has: the line that reads it would never hold."""
    known = COMMON_FACTS.keys() | {name for facts in KINDS.values() for name in facts}
    for read in sorted(reads.own.union(*(found for _, found in reads.others)), key=lambda read: read.path):
        if read.path[:1] == ("facts",) and len(read.path) > 1 and read.path[1] not in {ANY, *known}:
            raise rule.module.error(
                rule.module.package_start, f'this rule reads the fact "{read.path[1]}", which no kind has',
                hint=f"facts of {', '.join(rule.spec.kinds)}: "
                + ", ".join(sorted({name for kind in rule.spec.kinds for name in KINDS[kind]}))
                if rule.spec.kinds else "see the kinds in docs/rules/index.md",
            )  # fmt: skip


def _near_miss(name: str) -> str:
    """The word of the rule contract that a name is one slip away from, or an empty string."""
    lowered = name.lower()
    for word in (*_WORDS, "violation", "warn"):
        if name == word and word in _WORDS:
            return ""
        if word in {"violation", "warn"}:
            if lowered == word:
                return "deny"
        elif lowered == word or _one_slip(lowered, word) or lowered in _INFLECTED[word]:
            return word
    return ""


_INFLECTED: Final = {
    "deny": frozenset({"denies", "denied", "denys", "denial", "denials"}),
    "undetermined": frozenset({"indetermined", "undetermine", "undecided", "not_determined"}),
}


def _one_slip(name: str, word: str) -> bool:
    """One letter added, missing, changed, or two neighbours swapped."""
    if abs(len(name) - len(word)) > 1:
        return False
    start = 0
    while start < min(len(name), len(word)) and name[start] == word[start]:
        start += 1
    mine, theirs = name[start:], word[start:]
    return (
        mine[1:] == theirs[1:]
        or mine[1:] == theirs
        or mine == theirs[1:]
        or (mine[:2] == theirs[1::-1] and len(mine) > 1 and mine[2:] == theirs[2:])
    )
