"""A module outside of the library must be a rule: registered by its METADATA, or refused."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.outcome import RuleSpec
from plangate.errors import PolicyLoadError
from plangate.policy.base import RuleScope
from plangate.policy.metadata import read_metadata
from plangate.policy.problems import Problems
from plangate.policy.program import head_name
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


def register(module: Module, problems: Problems) -> RulePackage | None:
    """The rule that a module outside of the library must be, or ``None`` when it is none; ``problems`` says why."""
    package = module.package
    if package[0] != "policies" or len(package) != 3:  # noqa: PLR2004 - policies.<domain>.<slug>
        problem = (
            f"package {'.'.join(package)} is neither policies.<domain>.<slug> nor {'.'.join(LIBRARY)}.<name>, "
            "so no rule claims this file"
        )
        problems.note(module.error(module.package_start, problem), "unclaimed")
        return None
    line, _ = module.position(module.package_start)
    registered = read_metadata(module.file, module.text, line, problems)
    defined = _rule_sets(module, problems)
    if registered is None:
        return None
    spec, scope, settings = registered
    slug = package[2].replace("_", "-")
    if spec.id != slug:
        problem = f'METADATA: custom.id is "{spec.id}" but the package says "{slug}"'
        problems.note(PolicyLoadError(module.file, problem, line=line), "id")
        return None
    return RulePackage(
        spec=replace(spec, source=module.file), scope=scope, module=module,
        handles_unknowns="undetermined" in defined, settings=settings,
    )  # fmt: skip


def _rule_sets(module: Module, problems: Problems) -> frozenset[str]:
    """Names that a rule's module defines, after a look at those that the gate asks for."""
    defined = set()
    for rule in module.rules:
        name = head_name(rule)
        defined.add(name)
        if name in _WORDS and (rule.form != "set" or rule.ref.form != "var"):
            hint = f"write `{name} contains finding if {{ … }}`"
            problems.note(module.error(rule.start, f"{name} must be a set", hint=hint), "rule-set")
        close = near_miss(name)
        if close and rule.form in {"set", "value"}:
            problem = f'"{name}" looks like a misspelt "{close}"'
            hint = f"call it {close}, or something else"
            problems.note(module.error(rule.start, problem, hint=hint), "misspelt-rule-set")
    if "deny" not in defined:
        hint = "write `deny contains finding if …`"
        problems.note(module.error(module.package_start, "this rule has no deny", hint=hint), "no-deny")
    return frozenset(defined)


def near_miss(name: str) -> str:
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
