"""Warnings about policies that the gate takes: what is missing beside them, and what can never matter in them."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from plangate.authoring.undetermined import gaps
from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.check import Examined
from plangate.policy.files import FIXTURES, PolicyFiles
from plangate.policy.metadata import package_block, parse_block
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Path as RegoPath
from plangate.policy.program import Program, head_path
from plangate.policy.register import RulePackage
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Expr, Module, Rule, Statement, rule_exprs, static_path


def lint(
    sources: Sequence[PolicySource],
    files: PolicyFiles,
    examined: Examined,
    own: Collection[str],
    *,
    sound: bool,
) -> Iterator[PolicyLoadError]:
    """Everything that looks wrong, as errors that are not raised.

    Args:
        sources: The folders that are asked about.
        files: All that was read.
        examined: What the check found out about it.
        own: Names of the files that are asked about.
        sound: The check found nothing wrong, so that everything that could be loaded is there.
    """
    refused = Problems()
    tests = parse_modules([file for file in files.tests if file.name in own], refused)
    for error in refused.errors:
        error.code = "test-syntax"
    yield from refused.errors
    rules = [rule for rule in examined.registered if rule.module.file in own]
    modules = [module for module in examined.program.modules if module.file in own]
    everything = Program((*examined.program.modules, *tests), examined.program.data)
    for rule in rules:
        yield from _no_references(rule)
        yield from _no_tests(rule, tests) if not refused.errors else ()
    for module in modules:
        yield from _unused_imports(module)
        for definition in module.rules:
            yield from _never_holds(module, definition)
    if not sound:
        return  # With something missing or misspelt, what seems to be unused or forgotten may not be.
    if not refused.errors:
        yield from _unused_rules(modules, everything)
    for rule in rules:
        yield from gaps(examined.program, rule) if rule.handles_unknowns else ()
    yield from _strange_fixtures(sources, {rule.module.package[-1] for rule in rules})


# --- Beside the rule ------------------------------------------------------------------------------------------


def _no_references(rule: RulePackage) -> Iterator[PolicyLoadError]:
    module = rule.module
    line, _ = module.position(module.package_start)
    found = package_block(module.text, line)
    if found is not None and not parse_block(*found).get("related_resources"):
        yield PolicyLoadError(
            module.file, "this rule names no documentation that it follows", line=found[0],
            hint="add related_resources with links", code="no-references",
        )  # fmt: skip


def _no_tests(rule: RulePackage, tests: Collection[Module]) -> Iterator[PolicyLoadError]:
    wanted = ("data", *rule.module.package)
    if not any(_mentions(test, wanted) for test in tests):
        problem = "no test looks at this rule"
        hint = f"write {Path(rule.module.file).stem}_test.rego; `plangate policy new` shows how"
        yield rule.module.error(rule.module.package_start, problem, hint=hint, code="no-tests")


def _mentions(test: Module, wanted: RegoPath) -> bool:
    if any(item.path[: len(wanted)] == wanted for item in test.imports):
        return True
    paths = (static_path(expr) for rule in test.rules for expr in rule_exprs(rule))
    return any(path is not None and path[: len(wanted)] == wanted for path in paths)


def _strange_fixtures(sources: Sequence[PolicySource], slugs: Collection[str]) -> Iterator[PolicyLoadError]:
    for source in sources:
        folder = source.root / FIXTURES
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            name = f"{source.name.rstrip('/')}/{FIXTURES}/{path.name}"
            if path.is_dir() and path.name in slugs:
                yield from _strange_cases(path, name)
            elif path.is_dir():
                problem = "plans to try a rule on, but there is no such rule"
                yield PolicyLoadError(name, problem, code="fixtures")


def _strange_cases(folder: Path, name: str) -> Iterator[PolicyLoadError]:
    try:
        cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        cases = None
    if not isinstance(cases, dict):
        problem = "no readable cases.json, which says what becomes of each plan here"
        yield PolicyLoadError(name, problem, code="fixtures")
        return
    there = {plan.stem for plan in folder.glob("*.json")} - {"cases", "settings"}
    for stray in sorted(there ^ cases.keys()):
        problem = "is not in cases.json" if stray in there else "is in cases.json, and there is no such plan"
        yield PolicyLoadError(f"{name}/{stray}.json", problem, code="fixtures")


# --- In the rule ----------------------------------------------------------------------------------------------


def _unused_imports(module: Module) -> Iterator[PolicyLoadError]:
    used = {expr.value for rule in module.rules for expr in rule_exprs(rule) if expr.form == "var"}
    for item in module.imports:
        if item.path[0] in {"data", "input"} and item.alias not in used:
            yield module.error(item.start, f'the import "{item.alias}" is not used', code="unused-import")


def _unused_rules(modules: Collection[Module], program: Program) -> Iterator[PolicyLoadError]:
    used: set[RegoPath] = set()
    for module in program.modules:
        finder = UseFinder(program, module)
        for rule in module.rules:
            mine = (*module.package, *head_path(rule)[0])
            for use in finder.rule(rule):
                target = program.target(use.path[1:])
                if use.path[0] == "data" and target.path != mine:
                    used.add(target.path)
    for module in modules:
        for rule in module.rules:
            path = (*module.package, *head_path(rule)[0])
            asked = module.package[0] == "policies" and path[-1] in {"deny", "undetermined"}
            if not asked and path not in used and not any(path[: len(other)] == other for other in used):
                used.add(path)  # said once, not for each definition
                yield module.error(rule.start, f'nothing uses "{path[-1]}"', code="unused-rule")


def _never_holds(module: Module, rule: Rule) -> Iterator[PolicyLoadError]:
    """Two lines of one body that ask one thing to be two values."""
    for body in rule.bodies:
        wanted: dict[tuple[str, ...], Expr] = {}
        for statement in body.query:
            for path, constant in _equalities(statement):
                before = wanted.setdefault(path, constant)
                if _constant(before) != _constant(constant):
                    line, _ = module.position(before.start)
                    what, one = ".".join(path), _constant(before)
                    yield module.error(
                        constant.start, f"this never holds: line {line} asks {what} to be {one}",
                        code="never-holds",
                    )  # fmt: skip
            if statement.form == "expr" and statement.parts[0].value is False:
                yield module.error(statement.start, "this never holds", code="never-holds")


def _equalities(statement: Statement) -> Iterator[tuple[tuple[str, ...], Expr]]:
    expr = statement.parts[0] if statement.form == "expr" else None
    if expr is None or expr.form not in {"operator", "assign"} or expr.value not in {"==", "=", ":="}:
        return
    left, right = expr.parts
    for name, constant in ((left, right), (right, left)):
        path = static_path(name)
        if path is not None and path != ("_",) and constant.form == "scalar":
            yield path, constant


def _constant(expr: Expr) -> str:
    return json.dumps(expr.value, ensure_ascii=False)
