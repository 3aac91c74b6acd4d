"""Values of a template as the arguments of AWS's operations: templates write numbers and truths as texts at will."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Properties
from plangate.executor.aws.clients import Client


def fitting(client: Client, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """These arguments, each of the kind that the operation wants.

    What does not fit is left as it is, for botocore to refuse by its name.

    Args:
        client: Of the service.
        operation: As AWS names it, e.g. ``CreateBucket``.
        given: Arguments by name.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    return {name: _fit(shape.members.get(name), value) for name, value in given.items()}


def _fit(shape: Any, value: Any) -> Any:
    kind = getattr(shape, "type_name", "")
    if isinstance(value, Mapping):
        members = getattr(shape, "members", {})
        of_all = shape.value if kind == "map" else None
        return {key: _fit(members.get(key, of_all), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(getattr(shape, "member", None), each) for each in value]
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind in {"integer", "long"} and not isinstance(value, bool):
        whole = _number(value)
        return value if whole is None or whole != whole.to_integral_value() else int(whole)
    if kind in {"float", "double"} and not isinstance(value, bool):
        number = _number(value)
        return value if number is None else float(number)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return value


def _number(value: Any) -> Decimal | None:
    if not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def is_true(value: Any) -> bool:
    """Whether a property is switched on, however the template writes it."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def present(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without what AWS left empty: nothing, no text, no items."""
    return {key: value for key, value in given.items() if value is not None and value not in ("", [], {}, ())}


def only(where: str, value: Any, *known: str) -> Properties:
    """An object of a template that has nothing else than these members.

    Raises:
        ExecutionError: It has another one, which would be dropped in silence, or is no object.
    """
    if not isinstance(value, Mapping):
        raise ExecutionError(f"{where}: expected an object, found {type(value).__name__}")
    other = sorted(set(value) - set(known))
    if other:
        raise ExecutionError(
            f"{where}: {other[0]} is not supported", hint=f"supported: {', '.join(sorted(known))}"
        )
    return value
