"""What of the policies the judged rules need. The rest is not asked, so what is wrong with it does not matter.

A conftest folder often holds a library of which a namespace uses a part, and other namespaces that are judged apart.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from plangate.policy.conftest.base import EXCEPTION, is_judged
from plangate.policy.conftest.namespaces import namespace_of
from plangate.policy.program import Path, Program, head_name, head_path
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Module, Rule, rule_exprs


def needed(program: Program, namespaces: tuple[str, ...]) -> tuple[Module, ...]:
    """The modules with the rules in them that judged rules and exceptions of these namespaces use, in their order.

    Imports that lead to nothing any more are left out with the rules that used them.
    """
    waiting = [
        (*module.package, head_name(rule))
        for module in program.modules
        if namespace_of(module.package) in namespaces
        for rule in module.rules
        if is_judged(head_name(rule)) or head_name(rule) == EXCEPTION
    ]
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        for known, definitions in program.rules.items():
            if known in reached or not _overlap(known, path):
                continue
            reached.add(known)
            for definition in definitions:
                waiting += used_paths(program, definition.module, definition.rule)
    kept = (_only(module, reached) for module in program.modules)
    return tuple(module for module in kept if module.rules)


def used_paths(program: Program, module: Module, rule: Rule) -> Iterator[Path]:
    """What a rule names below ``data``."""
    for use in UseFinder(program, module).rule(rule):
        if use.path[0] == "data":
            yield use.path[1:]


def _overlap(one: Path, other: Path) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _only(module: Module, reached: set[Path]) -> Module:
    rules = tuple(rule for rule in module.rules if (*module.package, *head_path(rule)[0]) in reached)
    if len(rules) == len(module.rules):
        return module
    names = {expr.value for rule in rules for expr in rule_exprs(rule) if expr.form == "var"}
    imports = tuple(
        item for item in module.imports if item.path[0] not in {"data", "input"} or item.alias in names
    )
    return replace(module, rules=rules, imports=imports)
