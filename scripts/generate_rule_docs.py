# ruff: noqa: INP001, T201 - a script, not a package; it talks to its user
"""Writes docs/rules from the rules themselves; with ``--check`` it only says whether the pages are up to date.

python scripts/generate_rule_docs.py [--check]
"""

import json
import sys
from pathlib import Path
from typing import Final

from plangate.authoring import docs_markdown
from plangate.authoring.docs import rule_pages
from plangate.facts.registry import ADAPTERS
from plangate.model.kinds import KINDS
from plangate.policy.load import shipped_policies
from plangate.rules.base import Phase, Rule
from plangate.rules.registry import RULES

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "rules"
SHIPPED: Final = "policies"
"""The folder below with the pages of the shipped Rego policies."""
SCOPE: Final = {
    Phase.AFTER: "every resource that will exist after the change",
    Phase.GOING: "every resource that is deleted, replaced or dropped from management",
    Phase.PLAN: "the plan as a whole",
}
ON_UNKNOWN: Final = {
    "oblige": "the change may go on, and the executor checks the real resource afterwards",
    "deny": "counts as a failure, because nothing can be checked afterwards",
}
BUILT_IN: Final = "Built-in rules look at facts, which adapters make from the types of each cloud and format."


def pages() -> dict[str, str]:
    """Text by file name."""
    made = {f"{slug_of(rule)}.md": page(rule) for rule in RULES.values()}
    rego = rule_pages([shipped_policies()], fixtures=[ROOT / "fixtures" / "policies"])
    made |= {
        f"{SHIPPED}/{name}": text for name, text in docs_markdown.pages(rego, "Shipped policies").items()
    }
    return made | {"index.md": index(len(rego))}


def slug_of(rule: Rule) -> str:
    """The rule's name as a file name."""
    return rule.spec.id.replace("-", "_")


def page(rule: Rule) -> str:
    """One rule's page: what, for whom, bad, good, why, configuration, references."""
    spec = rule.spec
    table = [
        ("Severity", spec.severity.value),
        ("Enforcement", spec.enforcement.value),
        ("When unknown", f"{spec.on_unknown.value}: {ON_UNKNOWN[spec.on_unknown.value]}"),
        ("Judges", _judged(rule)),
        ("Controls", _controls(rule)),
    ]
    parts = [
        f"# {spec.id}",
        f"**{spec.title}.** {spec.description}",
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in table)]),
        f"## Fails\n\n```{rule.language}\n{rule.bad.strip()}\n```",
        f"## Passes\n\n```{rule.language}\n{rule.good.strip()}\n```",
        f"## How to fix\n\n{spec.remediation}",
        f"## Why\n\n{rule.rationale}",
        f"## Configuration\n\n{_configuration(rule)}",
    ]
    if spec.kinds:
        parts.append(f"## Types\n\n{_types(rule)}")
    parts.append("## References\n\n" + "\n".join(f"- <{url}>" for url in rule.references))
    return "\n\n".join(parts) + "\n"


def index(shipped: int) -> str:
    """The list of all built-in rules, and of what has adapters, and the way to the shipped policies."""
    rows = [
        f"| [{rule.spec.id}]({slug_of(rule)}.md) | {rule.spec.title} | {rule.spec.severity.value} "
        f"| {rule.spec.enforcement.value} |"
        for rule in RULES.values()
    ]
    kinds = [
        f"| `{kind}` | {', '.join(f'`{t}`' for t, a in ADAPTERS.items() if a.kind == kind) or 'none yet'} |"
        for kind in KINDS
    ]
    return "\n".join(
        [
            "# Built-in rules",
            "",
            f"{BUILT_IN} A type without an adapter is listed as unmodelled in every report.",
            "",
            f"The {shipped} rules in Rego that come with them have [pages of their own]({SHIPPED}/index.md).",
            "",
            "| Rule | The condition that must hold | Severity | Enforcement |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Kinds and the types that become them",
            "",
            "| Kind | Types |",
            "|---|---|",
            *kinds,
            "",
        ]
    )


def _judged(rule: Rule) -> str:
    if not rule.spec.kinds:
        return SCOPE[rule.phase]
    return f"{SCOPE[rule.phase]}, of kind {', '.join(f'`{kind}`' for kind in rule.spec.kinds)}"


def _controls(rule: Rule) -> str:
    return "; ".join(f"{name}: {', '.join(ids)}" for name, ids in rule.spec.frameworks) or "none"


def _configuration(rule: Rule) -> str:
    properties = rule.settings_schema.get("properties", {})
    if not properties:
        return "None."
    rows = [
        f"| `{name}` | {schema['description']} | `{json.dumps(schema['default'])}` |"
        for name, schema in properties.items()
    ]
    return "\n".join(["| Setting | Meaning | Default |", "|---|---|---|", *rows])


def _types(rule: Rule) -> str:
    rows = [
        f"| `{native_type}` | `{adapter.kind}` | <{adapter.docs}> |"
        for native_type, adapter in ADAPTERS.items()
        if adapter.kind in rule.spec.kinds
    ]
    return "\n".join(["| Type | Kind | Documentation |", "|---|---|---|", *rows])


def main() -> None:
    """Writes the pages, or checks them."""
    wanted = pages()
    present = {
        path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.md")
    }
    if "--check" in sys.argv[1:]:
        stale = sorted(
            name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
        )
        if stale:
            sys.exit(
                f"docs/rules is not up to date: {', '.join(stale)} (run python scripts/generate_rule_docs.py)"
            )
        return
    (FOLDER / SHIPPED).mkdir(parents=True, exist_ok=True)
    for name in present.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} pages")


if __name__ == "__main__":
    main()
