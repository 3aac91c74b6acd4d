"""Cases for the contract of handlers: one file here for each file of handlers, with its ``CASES``."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from tests.aws_cases.base import Case

__all__ = ["CASES", "Case"]

CASES: Final[tuple[Case, ...]] = tuple(
    case
    for module in sorted(each.name for each in iter_modules(__path__))
    for case in getattr(import_module(f"{__name__}.{module}"), "CASES", ())
)
