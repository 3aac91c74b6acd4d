"""Attribute values of a generated plan, and the shadow documents that Terraform writes beside them.

A value is written once, with `Later` around what is known only after apply and `Secret` around what is
sensitive; `after`, `after_unknown` and `*_sensitive` follow from it.
Source: https://developer.hashicorp.com/terraform/internals/json-format, "Change Representation".
"""

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Later:
    """Known only after apply; ``value`` is what it will turn out to be."""

    value: Any


@dataclass(frozen=True, slots=True)
class Secret:
    """Sensitive."""

    value: Any


def made_id(prefix: str, *parts: object, length: int = 17) -> str:
    """An id that looks like a cloud's and is the same in every run, e.g. ``i-0f3a…``."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{prefix}{digest[:length]}"


def settled(value: Any) -> Any:
    """The value as it is once everything is known."""
    match value:
        case Later() | Secret():
            return settled(value.value)
        case dict():
            return {key: settled(member) for key, member in value.items()}
        case list():
            return [settled(member) for member in value]
    return value


def known(value: Any) -> Any:
    """``after``: unknown keys are missing, unknown list members are null."""
    match value:
        case Secret():
            return known(value.value)
        case Later():
            return None
        case dict():
            return {key: known(member) for key, member in value.items() if not isinstance(member, Later)}
        case list():
            return [known(member) for member in value]
    return value


def unknown(value: Any) -> Any:
    """``after_unknown``: true for each unknown leaf; known scalars show only as false in lists."""
    match value:
        case Later():
            return True
        case Secret():
            return unknown(value.value)
        case dict():
            shadows = {key: unknown(member) for key, member in value.items()}
            return {key: shadow for key, shadow in shadows.items() if shadow is not False}
        case list():
            return [unknown(member) for member in value]
    return False


def sensitive(value: Any) -> Any:
    """``after_sensitive`` and ``before_sensitive``: true for each sensitive leaf."""
    match value:
        case Secret():
            return True
        case Later():
            return False
        case dict():
            shadows = {key: sensitive(member) for key, member in value.items()}
            return {key: shadow for key, shadow in shadows.items() if shadow is not False}
        case list():
            return [sensitive(member) for member in value]
    return False
