"""Pages about the built-in rules, for the site that has those about policies."""

from collections.abc import Mapping
from typing import Final

from plangate.authoring.docs import ON_UNKNOWN, SCOPES, Link, RulePage
from plangate.authoring.docs_examples import Example, Examples
from plangate.policy.base import RuleScope
from plangate.rules.base import Phase, Rule
from plangate.rules.registry import RULES

DOMAIN: Final = "built-in"
"""What stands in place of a policy's folder; it is no word of Rego, so no folder has this name."""

_JUDGES: Final[Mapping[Phase, str]] = {
    Phase.AFTER: SCOPES[RuleScope.RESOURCES],
    Phase.GOING: "every managed resource that is deleted, replaced or forgotten",
    Phase.PLAN: SCOPES[RuleScope.PLAN],
}


def built_in_pages() -> tuple[RulePage, ...]:
    """A page for each built-in rule, sorted by id."""
    return tuple(_page(RULES[name]) for name in sorted(RULES))


def _page(rule: Rule) -> RulePage:
    spec = rule.spec
    return RulePage(
        spec=spec,
        # An id has no dot, so no policy's page has this name.
        name=f"{DOMAIN}.{spec.id.replace('-', '_')}",
        domain=DOMAIN,
        package="",
        judges=_JUDGES[rule.phase],
        why=f"{spec.description} {rule.rationale}".strip(),
        settings=rule.settings_schema.get("properties", {}),
        unknowns=(ON_UNKNOWN[spec.on_unknown],),
        reads=(),
        links=tuple(Link(url=url, text=url) for url in rule.references),
        examples=Examples(bad=_example(rule.bad), good=_example(rule.good)),
    )


def _example(text: str) -> Example:
    return Example(case="", address="", text=text.strip())
