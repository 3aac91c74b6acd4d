"""Whether an installed version of a module is one that its call asks for.

What is not understood is not allowed: the module counts as not installed then, which is said.

Source: https://developer.hashicorp.com/terraform/language/expressions/version-constraints
"""

import re
from typing import Final

_CONSTRAINT: Final = re.compile(r"\s*+(=|!=|>=|<=|>|<|~>)?\s*+v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})\s*+")
_VERSION: Final = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?:\+[0-9A-Za-z.-]{0,100}+)?")
_SEGMENTS: Final = 4


def allows(constraints: str, version: str) -> bool:
    """Whether each of the constraints, with commas between them, holds for a version.

    A version before a release is allowed by its own text alone.
    """
    if constraints.strip().removeprefix("=").strip() == version:
        return True
    found = _VERSION.fullmatch(version)
    if found is None:
        return False
    installed = _padded(found.group(1))
    return all(_holds(each, installed) for each in constraints.split(","))


def _holds(constraint: str, installed: tuple[int, ...]) -> bool:
    read = _CONSTRAINT.fullmatch(constraint)
    if read is None:
        return False
    sign, text = read.groups()
    asked = _padded(text)
    if sign == "~>":
        # The last number that is written may be higher, those before it may not.
        fixed = text.count(".")
        return installed >= asked and installed[:fixed] == asked[:fixed]
    return {
        "!=": installed != asked,
        ">": installed > asked,
        ">=": installed >= asked,
        "<": installed < asked,
        "<=": installed <= asked,
    }.get(sign or "=", installed == asked)


def _padded(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    return (*numbers, *[0] * (_SEGMENTS - len(numbers)))
