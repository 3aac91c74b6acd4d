"""All built-in rules, by id. A rule that is not in this list does not exist; a test compares it with the folder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plangate.rules.base import Rule

_ALL: Final[tuple[Rule, ...]] = ()

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.spec.id: rule for rule in _ALL})
