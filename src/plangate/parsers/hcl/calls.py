"""Function calls: those that need the evaluator or the files, those that only move values, and all others.

A function that is not known here, or that a provider brings, gives an unknown value.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.files import FILE_FUNCTIONS, template_file
from plangate.parsers.hcl.functions import FUNCTIONS
from plangate.parsers.hcl.functions_base import MAX_ITEMS, FunctionError, TooLargeError
from plangate.parsers.hcl.native_syntax import read_template
from plangate.parsers.hcl.origins import Opaque, Origins, is_unknown, merged_leaf, with_origins
from plangate.parsers.hcl.run import EvaluationError
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.structural import HOLDS_ALL, MOVES, WALKS
from plangate.parsers.hcl.syntax import Call, Expression
from plangate.parsers.hcl.values import is_sequence, items_of

Evaluate = Callable[[Expression, Scope], Any]


def call(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    """The value of a call.

    Raises:
        EvaluationError: Terraform would refuse it.
        PlanParseError: It leads outside of the folder, or costs too much.
    """
    name = node.name.removeprefix("core::")
    special = _SPECIAL.get(name)
    if special is not None and not node.expand:
        return special(node, scope, evaluate)
    arguments: list[Any] = [evaluate(argument, scope) for argument in node.arguments]
    if node.expand:
        last = arguments.pop()
        if is_unknown(last) or isinstance(last, Opaque):
            return merged_leaf([*arguments, last])
        if not is_sequence(last):
            raise EvaluationError("only a list can be spread over arguments")
        arguments += items_of(last)
    return apply(name, arguments, scope, node)


def apply(name: str, arguments: list[Any], scope: Scope, node: Call) -> Any:
    """The result of a function for arguments whose unknown parts may have origins."""
    scope.spend(len(arguments) + 1)
    moved = MOVES.get(name)
    if moved is not None and name not in WALKS:
        result = moved(arguments)
        if result is not NotImplemented:
            return result
    origins = Origins()
    plain = [origins.stripped(argument) for argument in arguments]
    origins.lost = origins.lost or (name not in FUNCTIONS and name not in FILE_FUNCTIONS)
    scope.spend_walk(origins.size)
    # Beyond what has been paid for, the general function has the bounds.
    if moved is not None and origins.found and origins.size < MAX_ITEMS:
        result = moved(arguments)
        if result is not NotImplemented:
            return result
    result = _result(name, plain, scope, node)
    if not origins.found:
        return result
    single = len(origins.targets) == 1 and name in _PASSES
    return with_origins(result, origins.leaf(exact=name in HOLDS_ALL or single))


def _result(name: str, arguments: list[Any], scope: Scope, node: Call) -> Any:
    """The result of a function for arguments without origins."""
    in_files = FILE_FUNCTIONS.get(name)
    function = FUNCTIONS.get(name)
    try:
        if in_files is not None:
            result = in_files(arguments, scope, node.at)
        else:
            result = UNKNOWN if function is None else function(*arguments)
    except TooLargeError as error:
        # Too large for us, not for Terraform: nothing may count on this having failed.
        raise EvaluationError(f"{name}: {error}", sure=False) from error
    except (FunctionError, ValueError) as error:
        raise EvaluationError(f"{name}: {error}") from error
    if isinstance(result, str):
        scope.spend_text(result, node.at)
    elif is_sequence(result) or isinstance(result, dict):
        scope.spend(len(items_of(result)) if is_sequence(result) else len(result))
    return result


_PASSES: Final = frozenset({"tostring", "one", "element", "coalesce", "lookup", "values", "try", "trimspace"})
"""What they give is one of the things that they are given."""


def _try(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    for argument in node.arguments:
        try:
            value = evaluate(argument, scope)
        except EvaluationError as error:
            if not error.sure:
                return UNKNOWN
            continue
        if not is_unknown(value):
            return value
        # What is not known yet may turn out to fail. An attribute of a resource is read without failing.
        return value if value is not UNKNOWN and not value.lost else UNKNOWN
    raise EvaluationError("try: every argument fails")


def _can(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    if len(node.arguments) != 1:
        raise EvaluationError("can: one argument is needed")
    try:
        value = evaluate(node.arguments[0], scope)
    except EvaluationError as error:
        return False if error.sure else UNKNOWN
    origins = Origins()
    origins.stripped(value)
    return merged_leaf([value]) if origins.found else True


def _sensitive(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    value = _only(node, scope, evaluate)
    scope.run.reads.sensitive = True
    scope.add_secrets(value, node.at)
    return value


def _nonsensitive(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    value, reads = scope.run.apart(lambda: _only(node, scope, evaluate))
    scope.run.reads.targets |= reads.targets
    return value


def _is_sensitive(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    value, reads = scope.run.apart(lambda: _only(node, scope, evaluate))
    # What a resource will say may be sensitive, and more is counted as sensitive here than Terraform does.
    return merged_leaf([value]) if reads.sensitive or reads.targets or is_unknown(value) else False


def _type(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    _only(node, scope, evaluate)
    return UNKNOWN


def _template_file(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    return template_file(arguments, scope, node.at, evaluate)


def _template_string(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    if len(node.arguments) != 2:  # noqa: PLR2004 - a template and its variables
        raise EvaluationError("templatestring: two arguments are needed")
    text, names = (evaluate(argument, scope) for argument in node.arguments)
    if not isinstance(text, str) or not isinstance(names, dict):
        return merged_leaf([text, names])
    template = read_template(text, "a template", scope.run.limits)
    return evaluate(template, scope.only(names, "a template"))


def _only(node: Call, scope: Scope, evaluate: Evaluate) -> Any:
    if len(node.arguments) != 1:
        raise EvaluationError(f"{node.name}: one argument is needed")
    return evaluate(node.arguments[0], scope)


_SPECIAL: Final[Mapping[str, Callable[[Call, Scope, Evaluate], Any]]] = MappingProxyType(
    {
        "try": _try,
        "can": _can,
        "sensitive": _sensitive,
        "nonsensitive": _nonsensitive,
        "issensitive": _is_sensitive,
        "type": _type,
        "templatefile": _template_file,
        "templatestring": _template_string,
    }
)
