"""The load-time check: refuse what the embedded engine would get wrong, before it can be judged with.

Each refusal says where, what is wrong and what to do. The list was made by trying the same policies on regorus and
on OPA; docs/adr/0004-embedded-rego.md has the findings. ``not`` is judged in `plangate.policy.negation`, which needs
to know what is surely defined.
"""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from plangate.errors import PolicyLoadError
from plangate.policy.base import EMBEDDED, OPA
from plangate.policy.builtin_table import BUILTINS
from plangate.policy.builtins import WITH_OPA, argument_problem, arity_problem, builtin_problem
from plangate.policy.differences import check_differences
from plangate.policy.guard_edits import module_edits
from plangate.policy.parse import prepare
from plangate.policy.problems import Problems
from plangate.policy.program import Definition, Path, Program, head_path
from plangate.policy.safety import unsafe_variable
from plangate.policy.scopes import GlobalUse, UseFinder, pattern_names
from plangate.policy.syntax import (
    Module,
    Rule,
    rule_statements,
)


def check_program(
    program: Program,
    problems: Problems,
    *,
    whole: bool = True,
    engine: str = EMBEDDED,
    rego_v0: bool = False,
) -> frozenset[Path]:
    """Note the hazards in all modules: the first of each kind in each rule, and each wrong name.

    Args:
        program: All modules that could be read.
        problems: Takes the hazards.
        whole: Every module could be read. Otherwise nothing is said of names that lead nowhere; something is in
            ``problems`` already then.
        engine: What is going to judge. With OPA, what only the embedded engine would get wrong is no hazard.
        rego_v0: They are written in Rego v0.

    Returns:
        Rules that cannot be gone through, because of what is wrong with them or with a rule that they use.
    """
    notes = Notes(problems, whole=whole, engine=engine)
    uses: dict[Path, set[Path]] = {}
    for module in program.modules:
        for error in import_errors(program, module):
            notes.note(error, "import")
        finder = UseFinder(program, module)
        for rule in module.rules:
            path = (*module.package, *head_path(rule)[0])
            check_rule(program, module, rule, notes, path)
            for use in finder.rule(rule):
                check = check_call if use.call else check_reference
                try:
                    target = check(program, module, use)
                except PolicyLoadError as error:
                    notes.note(error, "undefined", path)
                else:
                    uses.setdefault(path, set()).update((target,) if target else ())
    check_recursion(program, uses, notes)
    if not problems.errors and engine == EMBEDDED:
        with problems.part("engine"):
            prepare(program.modules, rego_v0=rego_v0)
        with problems.part("engine-difference"):
            # What is found is kept for the engine, which needs the same.
            tuple(module_edits([(module.file, module.text) for module in program.modules], rego_v0=rego_v0))
    return _and_users(notes.broken, uses)


def is_given(path: Path, given: Collection[Path]) -> bool:
    """One of these is this path, or is above or below it."""
    return any(path[: len(other)] == other[: len(path)] for other in given)


def replaces_input(module: Module) -> bool:
    """The module has a ``with``, so what its rules read cannot be followed."""
    return any(statement.mods for rule in module.rules for statement in rule_statements(rule))


class Notes:
    """Where hazards go, and the rules that they break. In ``tests``, ``with`` is none."""

    def __init__(self, problems: Problems, *, whole: bool, engine: str, tests: bool = False) -> None:
        self.problems = problems
        self.engine = engine
        self.tests = tests
        self.whole = whole
        self.broken: set[Path] = set()

    def note(self, error: PolicyLoadError, code: str, path: Path | None = None) -> None:
        """Keep a hazard of the rule at a path, unless it is none for the engine."""
        if self.engine == OPA and error.hint.endswith(WITH_OPA):
            return  # it works there
        if path is not None and (error.code or code) in _ENDLESS_OR_ODD:
            self.broken.add(path)
        if self.whole or error.code != "undefined":
            self.problems.note(error, code)


def check_rule(program: Program, module: Module, rule: Rule, notes: Notes, path: Path) -> None:
    """Note the hazards of one rule, names apart."""
    checks: tuple[tuple[Callable[[Program, Module, Rule], None], str], ...] = (
        (_check_head, "rule-head"),
        (_check_test_forms if notes.tests else _check_forms, "engine-difference"),
    )
    for check, code in checks:
        try:
            check(program, module, rule)
        except PolicyLoadError as error:
            notes.note(error, code, path)
    if unsafe := unsafe_variable(program, module, rule):
        problem = f"`{unsafe.value}` gets no value in the body"
        hint = f"write `some item in …` in the body and use `item`; {WITH_OPA}" if unsafe.value == "_" else ""
        notes.note(module.error(unsafe.start, problem, hint=hint), "unsafe-variable", path)


def _and_users(broken: set[Path], uses: Mapping[Path, Collection[Path]]) -> frozenset[Path]:
    """These rules and all that use one of them."""
    users: dict[Path, set[Path]] = {}
    for user, used in uses.items():
        for path in used:
            users.setdefault(path, set()).add(user)
    found, waiting = set(broken), list(broken)
    while waiting:
        new = users.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return frozenset(found)


def import_errors(
    program: Program, module: Module, given: Collection[Path] = ()
) -> Iterator[PolicyLoadError]:
    """What is wrong with the imports of a module. What is ``given`` need not be loaded."""
    names: set[str] = set()
    for item in module.imports:
        written = ".".join(item.path)
        if item.path[0] in {"rego", "future"}:
            if item.path != ("rego", "v1") and item.path[:2] != ("future", "keywords"):
                yield module.error(item.start, f"unknown import {written}")
            continue
        if item.path[0] not in {"data", "input"}:
            yield module.error(item.start, f"unknown import {written}", hint="import data.… or input.…")
        elif (
            item.path[0] == "data"
            and program.target(item.path[1:]).kind == "nothing"
            and not is_given(item.path, given)
        ):
            yield module.error(item.start, f"nothing is loaded as {written}", code="undefined")
        elif item.alias in names or item.alias in {"data", "input"}:
            yield module.error(
                item.start, f'two imports are called "{item.alias}"', hint="rename one with `as`"
            )
        elif (*module.package, item.alias) in program.rules:
            yield module.error(item.start, f'the import "{item.alias}" has the name of a rule here')
        names.add(item.alias)


def _check_head(_program: Program, module: Module, rule: Rule) -> None:
    constant, computed = head_path(rule)
    if constant[0] in {"input", "data"}:
        raise module.error(rule.start, f"a rule must not be called {constant[0]}")
    if len(computed) > 1:
        raise module.error(
            rule.start, "a rule name with more than one computed key is not judged the same by both engines",
            hint=f"use one key, and an object or a set as value; {WITH_OPA}",
        )  # fmt: skip
    if rule.form == "function" and (computed or len(constant) > 1):
        raise module.error(rule.start, "a function's name must be one word")
    for arg in rule.args:
        for name in pattern_names(arg):
            if name in {"input", "data"}:
                raise module.error(arg.start, f"a parameter must not be called {name}")


def _check_forms(program: Program, module: Module, rule: Rule) -> None:
    """Constructs that are wrong wherever they stand in a policy."""
    for statement in rule_statements(rule):
        if statement.mods:
            raise module.error(
                statement.start,
                "`with` replaces what a rule reads: it is for tests only",
                hint=f"pass the value to a function; {WITH_OPA}",
                code="with",
            )
    _check_test_forms(program, module, rule)


def _check_test_forms(program: Program, module: Module, rule: Rule) -> None:
    """Constructs that are wrong wherever they stand."""
    for index, body in enumerate(rule.bodies):
        if index and not body.is_else:
            raise module.error(
                body.start,
                "two bodies of one rule: regorus does not give the second the value of the first",
                hint=f"write the head again; {WITH_OPA}",
            )
    check_differences(program, module, rule)


def check_call(program: Program, module: Module, use: GlobalUse) -> Path | None:
    """The function that is called, if it is one of the policies'."""
    call = use.expr
    given = len(call.parts) - 1
    if use.path[0] == "data":
        path = use.path[1:]
        definitions = program.rules.get(path)
        name = ".".join(path[-2:])
        if not definitions:
            raise module.error(
                call.start, f"undefined function {name}", hint=_closest(program, path), code="undefined"
            )
        arities = {len(definition.rule.args) for definition in definitions if definition.rule.args}
        if not arities:
            raise module.error(
                call.start,
                f"{name} is a rule, not a function",
                hint="leave out the brackets",
                code="arguments",
            )
        if given not in arities or len(arities) > 1:
            raise module.error(
                call.start,
                f"{name} takes {' or '.join(map(str, sorted(arities)))} arguments, not {given}",
                code="arguments",
            )
        return path
    name = ".".join(use.path)
    problem, hint = builtin_problem(name)
    if problem:
        code = "builtin" if name in BUILTINS else "undefined"
        raise module.error(call.start, problem, hint=hint, code=code)
    problem, hint = arity_problem(name, given)
    if problem:
        raise module.error(call.start, problem, hint=hint, code="arguments")
    if problem := argument_problem(name, call.parts[1:]):
        raise module.error(call.start, problem, hint=WITH_OPA, code="builtin")
    return None


def check_reference(program: Program, module: Module, use: GlobalUse) -> Path | None:
    """The rule that is referred to, if it is one."""
    if use.path[0] == "input":
        return None
    path = use.path[1:]
    target = program.target(path)
    written = ".".join(use.path)
    if target.kind == "package":
        raise module.error(
            use.expr.start, f"{written} is a whole package, this rule perhaps included",
            hint="name the rule that is meant", code="reference",
        )  # fmt: skip
    if target.kind == "nothing":
        raise module.error(
            use.expr.start, f"nothing is loaded as {written}, so this line would never hold",
            hint=_closest(program, path), code="undefined",
        )  # fmt: skip
    if target.kind == "rule":
        if any(definition.rule.args for definition in target.definitions):
            raise module.error(
                use.expr.start, f"{written} is a function, so it must be called", code="reference"
            )
        if not use.cut and not target.rest and any(map(_is_object_of_sets, target.definitions)):
            raise module.error(
                use.expr.start, f"{written} as a whole: while it has no members, it is {{}} in OPA and undefined here",
                hint=f"ask for one key, or for each: `{written.rpartition('.')[2]}[key]`; {WITH_OPA}",
            )  # fmt: skip
        return target.path
    return None


def _is_object_of_sets(definition: Definition) -> bool:
    """``p[key] contains member``: regorus makes it only when there is a member."""
    return definition.rule.form == "set" and bool(head_path(definition.rule)[1])


def _closest(program: Program, path: Path) -> str:
    """Names of the package that was meant, for a hint."""
    package = path[:-1]
    names = sorted({known[len(package)] for known in program.rules if known[: len(package)] == package})
    near = difflib.get_close_matches(path[-1], names, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}{'.'.join(package) or 'data'} has: {', '.join(names)}" if names else ""


def check_recursion(program: Program, uses: Mapping[Path, Collection[Path]], notes: Notes) -> None:
    """Regorus overflows its stack on recursion, which ends its process."""
    done: set[Path] = set()

    def visit(path: Path, trail: tuple[Path, ...]) -> bool:
        """True when this way was found to have no end."""
        if path in trail:
            circle = " → ".join(".".join(step[-2:]) for step in (*trail[trail.index(path) :], path))
            refuse(path, f"recursion: {circle}", trail)
            return True
        if path in done:
            return False
        if len(trail) > _MAX_CHAIN:
            refuse(path, f"more than {_MAX_CHAIN} rules that call each other in a row", trail)
            return True
        if any(visit(following, (*trail, path)) for following in sorted(uses.get(path, ()))):
            return True
        done.add(path)
        return False

    def refuse(path: Path, problem: str, trail: tuple[Path, ...]) -> None:
        at = _definitions(program, path)[0]
        notes.note(at.module.error(at.rule.start, problem), "recursion", path)
        done.update((*trail, path))

    for path in sorted(uses):
        visit(path, ())


_MAX_CHAIN = 100

_ENDLESS_OR_ODD: Final = frozenset({"arguments", "recursion", "rule-head"})
"""Problems with which a rule cannot be gone through with aliases (`plangate.policy.flow`)."""


def _definitions(program: Program, path: Path) -> list[Definition]:
    return program.rules[path]
