"""Evaluates expressions. Three-valued: what hangs on something unknown is unknown, never a guess.

Source: https://developer.hashicorp.com/terraform/language/expressions
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.calls import call
from plangate.parsers.hcl.operators import calculated, certainly_same, converted, equality
from plangate.parsers.hcl.origins import Opaque, Origins, Pending, is_unknown, merged_leaf
from plangate.parsers.hcl.run import EvaluationError
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import (
    SPLAT_ITEM,
    Attr,
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Splat,
    Template,
    TemplateFor,
    Tuple,
    Unary,
    wording,
)
from plangate.parsers.hcl.values import (
    SetValue,
    kind,
    number,
    to_bool,
    to_number,
    to_text,
)
from plangate.parsers.hcl.values import text as text_of


def evaluate(expression: Expression, scope: Scope) -> Any:
    """The value of an expression; its unknown parts are `UNKNOWN` or `Pending`.

    Raises:
        EvaluationError: Terraform would refuse it.
        PlanParseError: It costs too much, or depends on itself.
    """
    return _EVALUATE[expression.__class__](expression, scope)


def _literal(node: Literal, _scope: Scope) -> Any:
    return node.value


def _name(node: Name, scope: Scope) -> Any:
    return scope.name(node.name, node.at)


def _attr(node: Attr, scope: Scope) -> Any:
    return attribute_of(evaluate(node.of, scope), node.name)


def attribute_of(value: Any, name: str) -> Any:
    """``value.name``."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise EvaluationError("no such attribute or key")
    if isinstance(value, Opaque):
        return value.attribute(name)
    if value.__class__ is Pending:
        return value.attribute(name)
    if value is UNKNOWN:
        return UNKNOWN
    raise EvaluationError(f"no attribute {name[:100]!r} in a {kind(value)}")


def _index(node: Index, scope: Scope) -> Any:
    return item_of(evaluate(node.of, scope), evaluate(node.key, scope))


def item_of(value: Any, key: Any) -> Any:
    """``value[key]``."""
    if is_unknown(value):
        # Of several, it may be any.
        return value if value is UNKNOWN or len(value.targets) == 1 else merged_leaf([value])
    if is_unknown(key):
        return merged_leaf([value, key])
    if isinstance(value, Opaque):
        return value.item(key)
    if isinstance(value, list | tuple):
        place = converted(to_number, key)
        if not isinstance(place, int) or not 0 <= place < len(value):
            raise EvaluationError("an index that is out of range")
        return value[place]
    if isinstance(value, dict):
        return attribute_of(value, converted(to_text, key))
    raise EvaluationError(f"a {kind(value)} has no items")


def _splat(node: Splat, scope: Scope) -> Any:
    source = evaluate(node.of, scope)
    each = node.each
    if source is None:
        return ()
    if source is UNKNOWN:
        return UNKNOWN
    if isinstance(source, Pending) or (isinstance(source, Opaque) and source.is_counted):
        item = source if isinstance(source, Pending) else source.whole()
        return merged_leaf([evaluate(each, scope.child({SPLAT_ITEM: item}))])
    items = source if isinstance(source, list | tuple) else (source,)
    if isinstance(source, SetValue):
        items = source.items
    return tuple(evaluate(each, scope.child({SPLAT_ITEM: item})) for item in items)


def _tuple(node: Tuple, scope: Scope) -> Any:
    scope.spend(len(node.items))
    return tuple([evaluate(item, scope) for item in node.items])


def _object(node: Object, scope: Scope) -> Any:
    scope.spend(len(node.items))
    found: dict[str, Any] = {}
    unsure: list[Any] = []
    for key_node, value_node in node.items:
        key = converted(to_text, evaluate(key_node, scope))
        value = evaluate(value_node, scope)
        if is_unknown(key):
            unsure += [key, value]
        elif key is None:
            raise EvaluationError("a key that is null")
        else:
            found[key] = value
    return merged_leaf([*unsure, found]) if unsure else found


def _template(node: Template, scope: Scope) -> Any:
    texts: list[str] = []
    unsure: list[Any] = []
    for part in node.parts:
        text = converted(to_text, evaluate(part, scope))
        if is_unknown(text):
            unsure.append(text)
        elif text is None:
            raise EvaluationError("null in a template")
        else:
            texts.append(text)
    if unsure:
        return merged_leaf(unsure)
    return scope.spend_text(text_of("".join(texts)), node.at)


def _template_for(node: TemplateFor, scope: Scope) -> Any:
    source = evaluate(node.source, scope)
    texts: list[str] = []
    unsure: list[Any] = []
    members = _members(source)
    if members is None:
        return merged_leaf([source])
    for key, value in members:
        scope.spend(1)
        inner = scope.child({node.value: value} if not node.key else {node.key: key, node.value: value})
        text = converted(to_text, evaluate(node.body, inner))
        if is_unknown(text):
            unsure.append(text)
        else:
            texts.append(text)
    return merged_leaf(unsure) if unsure else scope.spend_text(text_of("".join(texts)), node.at)


def _members(source: Any) -> Iterator[tuple[Any, Any]] | None:
    """Keys and values to walk over, in Terraform's order; `None` when they are not known."""
    if isinstance(source, dict):
        return iter(sorted(source.items()))
    if isinstance(source, list | tuple):
        return iter(enumerate(source))
    if isinstance(source, SetValue):
        return ((item, item) for item in source.items)
    if is_unknown(source) or isinstance(source, Opaque):
        return None
    raise EvaluationError(f"a {kind(source)} cannot be walked over")


def _for(node: For, scope: Scope) -> Any:
    source = evaluate(node.source, scope)
    members = _members(source)
    if members is None:
        return _for_unknown(node, source, scope)
    results: list[tuple[Any, Any]] = []
    unsure: list[Any] = []
    for key, value in members:
        scope.spend(1)
        bound = (
            {node.value_name: value} if not node.key_name else {node.key_name: key, node.value_name: value}
        )
        _for_member(node, scope.child(bound), results, unsure)
    if unsure:
        return merged_leaf([*unsure, *(item for _, item in results)])
    if node.key is None:
        return tuple([item for _, item in results])
    return _grouped(results) if node.grouped else _unique(results)


def _for_member(node: For, scope: Scope, results: list[tuple[Any, Any]], unsure: list[Any]) -> None:
    """Add what one member gives to the results, or to what is not known for certain."""
    if node.condition is not None:
        wanted = converted(to_bool, evaluate(node.condition, scope))
        if wanted is None:
            raise EvaluationError("a condition that is null")
        if is_unknown(wanted):
            unsure += [wanted, evaluate(node.value, scope)]
            return
        if not wanted:
            return
    name = converted(to_text, evaluate(node.key, scope)) if node.key is not None else ""
    item = evaluate(node.value, scope)
    if name is None:
        raise EvaluationError("a key that is null")
    if is_unknown(name):
        unsure.append(name)
    results.append((name, item))


def _for_unknown(node: For, source: Any, scope: Scope) -> Any:
    """Over something unknown: what the values would be made from is still told."""
    item = source.whole() if isinstance(source, Opaque) else source
    names = {node.value_name: item_of(item, UNKNOWN), node.key_name or node.value_name: UNKNOWN}
    names[node.value_name] = item if item is UNKNOWN else names[node.value_name]
    try:
        return merged_leaf([evaluate(node.value, scope.child(names)), merged_leaf([source])])
    except EvaluationError:
        return merged_leaf([source])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EvaluationError("two items with the same key")
    return found


def _grouped(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, item in pairs:
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


def _conditional(node: Conditional, scope: Scope) -> Any:
    condition = converted(to_bool, evaluate(node.condition, scope))
    if condition is None:
        raise EvaluationError("a condition that is null")
    if not is_unknown(condition):
        chosen, other = (node.yes, node.no) if condition else (node.no, node.yes)
        value = evaluate(chosen, scope)
        return _like_other(value, other, scope) if value.__class__ in _CONVERTED else value
    branches = [_branch(branch, scope) for branch in (node.yes, node.no)]
    if certainly_same(branches[0], branches[1], scope):
        return branches[0]
    origins = Origins()
    for value in (condition, *branches):
        origins.stripped(value)
    # A branch that is known is not one of the attributes that the others are.
    origins.lost = origins.lost or not all(is_unknown(value) for value in branches)
    return origins.leaf(exact=False)


def _branch(branch: Expression, scope: Scope) -> Any:
    """A branch that may not be taken: if it fails, it is unknown."""
    try:
        return evaluate(branch, scope)
    except EvaluationError:
        return UNKNOWN


_CONVERTED: Final = frozenset({bool, int, Decimal})


def _like_other(value: Any, other: Expression, scope: Scope) -> Any:
    """A number or bool becomes text where the branch that was not chosen is text: both have one type."""
    try:
        beside, _ = scope.run.apart(lambda: evaluate(other, scope))
    except EvaluationError:
        return value
    if is_unknown(beside):
        return _like_unknown(value, other, beside, scope)
    return converted(to_text, value) if isinstance(beside, str) else value


def _like_unknown(value: Any, other: Expression, beside: Any, scope: Scope) -> Any:
    """Beside a variable without a value, its type decides; without a type, ``1`` may become ``"1"``."""
    names = wording(other)
    if beside is not UNKNOWN or len(names) != 2 or names[0] != "var":  # noqa: PLR2004
        return value
    declared = scope.type_of(names[1])
    if declared == "string":
        return converted(to_text, value)
    return value if declared in {"number", "bool"} else UNKNOWN


def _unary(node: Unary, scope: Scope) -> Any:
    value = evaluate(node.operand, scope)
    result = converted(to_bool if node.operator == "!" else to_number, value)
    if is_unknown(result):
        return merged_leaf([result])
    if result is None:
        raise EvaluationError(f"null after {node.operator}")
    return not result if node.operator == "!" else number(-result)


def _binary(node: Binary, scope: Scope) -> Any:
    operator = node.operator
    if operator in {"&&", "||"}:
        return _logic(node, scope, decisive=operator == "||")
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    if operator in {"==", "!="}:
        return equality(left, right, scope, negated=operator == "!=")
    return calculated(operator, left, right)


def _logic(node: Binary, scope: Scope, *, decisive: bool) -> Any:
    left = converted(to_bool, evaluate(node.left, scope))
    try:
        right = converted(to_bool, evaluate(node.right, scope))
    except EvaluationError as error:
        # Since 1.12 Terraform does not look at the right side when the left one decides.
        raise EvaluationError(str(error), sure=error.sure and left is not decisive) from error
    if left is None or right is None:
        raise EvaluationError(f"null beside {node.operator}", sure=left is not decisive)
    if left is decisive or right is decisive:
        return decisive
    if is_unknown(left) or is_unknown(right):
        return merged_leaf([left, right])
    return not decisive


def _call(node: Call, scope: Scope) -> Any:
    return call(node, scope, evaluate)


_EVALUATE: Final[Mapping[type, Callable[[Any, Scope], Any]]] = MappingProxyType(
    {
        Literal: _literal,
        Name: _name,
        Attr: _attr,
        Index: _index,
        Splat: _splat,
        Tuple: _tuple,
        Object: _object,
        Template: _template,
        TemplateFor: _template_for,
        For: _for,
        Conditional: _conditional,
        Unary: _unary,
        Binary: _binary,
        Call: _call,
    }
)
