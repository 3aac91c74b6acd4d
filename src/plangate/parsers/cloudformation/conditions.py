"""The ``Conditions`` of a template, in three values.

Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from plangate.model.values import UNKNOWN, Tri, all_of, any_of, negate, pointer
from plangate.parsers.cloudformation.evaluate import Evaluator
from plangate.parsers.cloudformation.loops import expanded_members
from plangate.parsers.cloudformation.scope import Refuse, Scope
from plangate.parsers.cloudformation.texts import text_of
from plangate.parsers.cloudformation.trace import Budget, Spot


class Conditions:
    """Whether each condition of a template holds, each found once.

    Args:
        section: The ``Conditions`` of the template.
        scope: What names stand for.
        budget: Counts what is made.
        refuse: Refuses conditions that depend on each other in a circle.
    """

    def __init__(self, section: Mapping[str, Any], scope: Scope, budget: Budget, refuse: Refuse) -> None:
        self._budget = budget
        self._refuse = refuse
        self.evaluator = Evaluator(scope, self.holds, budget)
        expanded = expanded_members(section, self.evaluator.items, budget)
        # With a loop that is not known, any other condition may be overridden: then none is known.
        self._section: Mapping[str, Any] = {} if expanded is None else expanded
        self._known: dict[str, Tri] = {}
        self._open: set[str] = set()
        self._operators: Mapping[str, Callable[[Any], Tri]] = {
            "Condition": self._named,
            "Fn::Equals": self._equals,
            "Fn::And": lambda items: all_of(self._each(items)),
            "Fn::Or": lambda items: any_of(self._each(items)),
            "Fn::Not": self._not,
        }

    def holds(self, name: str) -> Tri:
        """Whether a condition holds; one that is not there is `UNKNOWN`.

        Raises:
            PlanParseError: It depends on itself.
        """
        if name in self._known:
            return self._known[name]
        if name in self._open:
            self._refuse(pointer("Conditions", name), f"condition {name[:100]} depends on itself")
        self._open.add(name)
        value = self._of(self._section[name]) if name in self._section else UNKNOWN
        self._open.discard(name)
        self._known[name] = value
        return value

    def check(self) -> None:
        """Find the value of every condition.

        Raises:
            PlanParseError: One depends on itself.
        """
        for name in self._section:
            self.holds(name)

    def _of(self, node: Any) -> Tri:
        self._budget.spend()
        if isinstance(node, Mapping) and len(node) == 1:
            name, argument = next(iter(node.items()))
            operator = self._operators.get(name)
            if operator is not None:
                return operator(argument)
        return UNKNOWN

    def _each(self, items: Any) -> list[Tri]:
        # A list that is no list, or an empty one, which CloudFormation refuses, says nothing.
        return [self._of(item) for item in items] if isinstance(items, list) and items else [UNKNOWN]

    def _not(self, items: Any) -> Tri:
        listed = items if isinstance(items, list) else [items]
        return negate(self._of(listed[0])) if len(listed) == 1 else UNKNOWN

    def _named(self, name: Any) -> Tri:
        return self.holds(name) if isinstance(name, str) else UNKNOWN

    def _equals(self, items: Any) -> Tri:
        """Two values are compared as text, so that ``true`` is ``"true"``."""
        if not isinstance(items, list) or len(items) != 2:  # noqa: PLR2004
            return UNKNOWN
        one, other = (text_of(self.evaluator.aside(item, Spot())[0]) for item in items)
        return UNKNOWN if one is None or other is None else one == other
