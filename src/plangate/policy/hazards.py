"""The load-time check: refuse what the embedded engine would get wrong, before it can be judged with.

Each refusal says where, what is wrong and what to do. The list was made by trying the same policies on regorus and
on OPA; docs/adr/0004-embedded-rego.md has the findings. ``not`` is judged in `plangate.policy.negation`, which needs
to know what is surely defined.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from plangate.errors import PolicyLoadError
from plangate.policy.base import EMBEDDED, OPA
from plangate.policy.builtins import WITH_OPA, argument_problem, arity_problem, builtin_problem
from plangate.policy.numbers import InexactNumberError, needs_exact_input
from plangate.policy.parse import prepare
from plangate.policy.program import Definition, Path, Program, head_path
from plangate.policy.safety import unsafe_variable
from plangate.policy.scopes import GlobalUse, UseFinder, pattern_names
from plangate.policy.syntax import Expr, Module, Rule, Statement, children, rule_exprs, statements

_ARITHMETIC: Final = frozenset("+-*/%")


def check_program(program: Program, engine: str = EMBEDDED) -> None:
    """Refuse the first hazard in any module.

    Args:
        program: All modules.
        engine: What is going to judge. With OPA, what only the embedded engine would get wrong is no hazard.

    Raises:
        PolicyLoadError: With file, line, column, what is wrong and what to do.
    """
    uses: dict[Path, set[Path]] = {}
    for module in program.modules:
        _check_imports(program, module)
        finder = UseFinder(program, module)
        for rule in module.rules:
            with _for(engine):
                _check_head(module, rule)
            with _for(engine):
                _check_forms(module, rule)
            if unsafe := unsafe_variable(program, module, rule):
                raise module.error(unsafe.start, f"`{unsafe.value}` gets no value in the body")
            path = (*module.package, *head_path(rule)[0])
            for use in finder.rule(rule):
                target = None
                with _for(engine):
                    check = _check_call if use.call else _check_reference
                    target = check(program, module, use)
                if target:
                    uses.setdefault(path, set()).add(target)
    _check_recursion(program, uses)
    if engine == EMBEDDED:
        prepare(program.modules)


@contextmanager
def _for(engine: str) -> Iterator[None]:
    """With OPA, let go what its hint says works there."""
    try:
        yield
    except PolicyLoadError as problem:
        if engine != OPA or not problem.hint.endswith(WITH_OPA):
            raise


def replaces_input(module: Module) -> bool:
    """The module has a ``with``, so what its rules read cannot be followed."""
    return any(
        statement.mods
        for rule in module.rules
        for query in (
            *(body.query for body in rule.bodies),
            *(expr.body for expr in rule_exprs(rule)),
        )
        for statement in statements(query)
    )


def _check_imports(program: Program, module: Module) -> None:
    names: set[str] = set()
    for item in module.imports:
        if item.path[0] in {"rego", "future"}:
            if item.path != ("rego", "v1") and item.path[:2] != ("future", "keywords"):
                raise module.error(item.start, f"unknown import {'.'.join(item.path)}")
            continue
        if item.path[0] not in {"data", "input"}:
            raise module.error(
                item.start, f"unknown import {'.'.join(item.path)}", hint="import data.… or input.…"
            )
        if item.path[0] == "data" and program.target(item.path[1:]).kind == "nothing":
            raise module.error(item.start, f"nothing is loaded as {'.'.join(item.path)}")
        if item.alias in names or item.alias in {"data", "input"}:
            raise module.error(
                item.start, f'two imports are called "{item.alias}"', hint="rename one with `as`"
            )
        if (*module.package, item.alias) in program.rules:
            raise module.error(item.start, f'the import "{item.alias}" has the name of a rule here')
        names.add(item.alias)


def _check_head(module: Module, rule: Rule) -> None:
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


def _check_forms(module: Module, rule: Rule) -> None:
    """Constructs that are wrong wherever they stand."""
    for index, body in enumerate(rule.bodies):
        if index and not body.is_else:
            raise module.error(
                body.start,
                "two bodies of one rule: regorus does not give the second the value of the first",
                hint=f"write the head again; {WITH_OPA}",
            )
        for statement in statements(body.query):
            _check_statement(module, statement)
    for arg in rule.args:
        _check_pattern(module, arg)
    for expr in rule_exprs(rule):
        _check_expr(module, expr)


def _check_statement(module: Module, statement: Statement) -> None:
    if statement.mods:
        raise module.error(
            statement.start,
            "`with` replaces what a rule reads: it is for tests only",
            hint=f"pass the value to a function; {WITH_OPA}",
        )
    if statement.form == "some-in":
        for pattern in statement.parts[:-1]:
            _check_pattern(module, pattern)


def _check_expr(module: Module, expr: Expr) -> None:
    if expr.form == "assign":
        for side in expr.parts if expr.value == "=" else expr.parts[:1]:
            _check_pattern(module, side)
    elif expr.form == "scalar":
        _check_number(module, expr)
    elif expr.form == "array-compr" and any(_is_walk(inner) for inner in children(expr)):
        raise module.error(
            expr.start,
            "walk has another order than in OPA, so an array of what it finds differs",
            hint="collect into a set: {x | …}",
        )
    elif expr.form == "operator" and expr.value in _ARITHMETIC and len(expr.parts) > 1:
        for side in expr.parts:
            if side.form == "scalar" and isinstance(side.value, float):
                raise module.error(
                    side.start,
                    "arithmetic with decimals gives other last digits than in OPA",
                    hint=f"calculate with whole numbers; {WITH_OPA}",
                )


def _is_walk(expr: Expr) -> bool:
    return expr.form == "call" and expr.parts[0].form == "var" and expr.parts[0].value == "walk"


def _check_pattern(module: Module, pattern: Expr) -> None:
    """An object pattern with variables matches objects with more keys in regorus, and not in OPA."""
    for expr in children(pattern):
        if expr.form == "object" and any(True for _ in pattern_names(expr)):
            raise module.error(
                expr.start, "an object pattern also matches objects with more keys, unlike in OPA",
                hint=f"read the keys one by one: `value := object.key`; {WITH_OPA}",
            )  # fmt: skip


def _check_number(module: Module, expr: Expr) -> None:
    if isinstance(expr.value, bool) or not isinstance(expr.value, int | float):
        return
    text = module.source(expr)
    try:
        needs_exact_input(f"[{text}]".encode())
    except (InexactNumberError, ValueError) as problem:
        raise module.error(
            expr.start, f"the engine cannot hold the number {text} exactly", hint=WITH_OPA
        ) from problem


def _check_call(program: Program, module: Module, use: GlobalUse) -> Path | None:
    """The function that is called, if it is one of the policies'."""
    call = use.expr
    given = len(call.parts) - 1
    if use.path[0] == "data":
        path = use.path[1:]
        definitions = program.rules.get(path)
        name = ".".join(path[-2:])
        if not definitions:
            raise module.error(call.start, f"undefined function {name}", hint=_closest(program, path))
        arities = {len(definition.rule.args) for definition in definitions if definition.rule.args}
        if not arities:
            raise module.error(call.start, f"{name} is a rule, not a function", hint="leave out the brackets")
        if given not in arities or len(arities) > 1:
            raise module.error(
                call.start, f"{name} takes {' or '.join(map(str, sorted(arities)))} arguments, not {given}"
            )
        return path
    name = ".".join(use.path)
    problem, hint = builtin_problem(name)
    if not problem:
        problem, hint = arity_problem(name, given)
    if not problem:
        problem, hint = argument_problem(name, call.parts[1:]), WITH_OPA
    if problem:
        raise module.error(call.start, problem, hint=hint)
    return None


def _check_reference(program: Program, module: Module, use: GlobalUse) -> Path | None:
    """The rule that is referred to, if it is one."""
    if use.path[0] == "input":
        return None
    path = use.path[1:]
    target = program.target(path)
    written = ".".join(use.path)
    if target.kind == "package":
        raise module.error(
            use.expr.start, f"{written} is a whole package, this rule perhaps included",
            hint="name the rule that is meant",
        )  # fmt: skip
    if target.kind == "nothing":
        raise module.error(
            use.expr.start, f"nothing is loaded as {written}, so this line would never hold",
            hint=_closest(program, path),
        )  # fmt: skip
    if target.kind == "rule":
        if any(definition.rule.args for definition in target.definitions):
            raise module.error(use.expr.start, f"{written} is a function, so it must be called")
        return target.path
    return None


def _closest(program: Program, path: Path) -> str:
    """Names of the package that was meant, for a hint."""
    package = path[:-1]
    names = sorted({known[len(package)] for known in program.rules if known[: len(package)] == package})
    return f"{'.'.join(package) or 'data'} has: {', '.join(names)}" if names else ""


def _check_recursion(program: Program, uses: dict[Path, set[Path]]) -> None:
    """Regorus overflows its stack on recursion, which ends its process."""
    done: set[Path] = set()

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        if path in trail:
            circle = " → ".join(".".join(step[-2:]) for step in (*trail[trail.index(path) :], path))
            at = _definitions(program, path)[0]
            raise at.module.error(at.rule.start, f"recursion: {circle}")
        if path in done:
            return
        if len(trail) > _MAX_CHAIN:
            at = _definitions(program, path)[0]
            raise at.module.error(
                at.rule.start, f"more than {_MAX_CHAIN} rules that call each other in a row"
            )
        for following in sorted(uses.get(path, ())):
            visit(following, (*trail, path))
        done.add(path)

    for path in sorted(uses):
        visit(path, ())


_MAX_CHAIN = 100


def _definitions(program: Program, path: Path) -> list[Definition]:
    return program.rules[path]
