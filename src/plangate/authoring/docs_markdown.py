"""Pages about policies as Markdown. Every text of an author is escaped: it shows, and it does nothing."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from plangate.authoring.docs import INDEX, MARKS, RulePage, by_framework
from plangate.authoring.docs_examples import Example

_SPECIAL: Final = re.compile(
    r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])|^(?:[#+=>-]|\d+(?=[.)](?: |$)))"
)
_URL_SAFE: Final = "%/:?#[]@!$&'*+,;=-._~"


def pages(rules: Sequence[RulePage], title: str = "Policies") -> dict[str, str]:
    """Text by file name: one page per rule, and an index."""
    return {f"{INDEX}.md": index(rules, title)} | {f"{rule.name}.md": page(rule) for rule in rules}


def page(rule: RulePage) -> str:
    """One rule's page."""
    spec = rule.spec
    facts = [
        ("Severity", spec.severity.value),
        ("Enforcement", spec.enforcement.value),
        ("When unknown", spec.on_unknown.value),
        ("Judges", rule.judged(code)),
        ("Package", code(rule.package)),
    ]
    parts = [
        f"# {spec.id}",
        f"**{escape(spec.title.rstrip('.'))}.**",
        table(("", ""), facts),
        f"## Why\n\n{escape(rule.why)}",
        *(f"## {heading}\n\n{_example(example, prefix)}" for heading, prefix, example in rule.shown),
        f"## How to fix\n\n{escape(spec.remediation)}",
        f"## Settings\n\n{_settings(rule)}",
        "## Unknown values\n\n" + " ".join((*rule.unknowns, rule.read(code))).strip(),
    ]
    if spec.frameworks:
        rows = [(escape(name), escape(", ".join(controls))) for name, controls in spec.frameworks]
        parts.append("## Frameworks\n\n" + table(("Framework", "Controls"), rows))
    if rule.examples.cases:
        cases = [
            (code(case), code(address) if address else "the plan", escape(said))
            for case, address, said in rule.examples.cases
        ]
        parts.append("## Cases\n\n" + table(("Case", "About", "Outcome"), cases))
    if rule.links:
        parts.append("## References\n\n" + "\n".join(f"- {link(item.url, item.text)}" for item in rule.links))
    return "\n\n".join([*parts, MARKS[".md"]]) + "\n"


def index(rules: Sequence[RulePage], title: str = "Policies") -> str:
    """The list of all rules by domain, and which controls they are for."""
    parts = [f"# {escape(title)}"]
    for domain in sorted({rule.domain for rule in rules}):
        rows = [
            (link_to(rule), escape(rule.spec.title), rule.spec.severity.value, rule.spec.enforcement.value)
            for rule in rules
            if rule.domain == domain
        ]
        head = ("Rule", "The condition that must hold", "Severity", "Enforcement")
        parts.append(f"## {escape(domain)}\n\n{table(head, rows)}")
    if controls := by_framework(rules):
        rows3 = [
            (escape(framework), escape(control), ", ".join(map(link_to, found)))
            for framework, control, found in controls
        ]
        parts.append("## Frameworks\n\n" + table(("Framework", "Control", "Rules"), rows3))
    return "\n\n".join([*parts, MARKS[".md"]]) + "\n"


def link_to(rule: RulePage, folder: str = "") -> str:
    """A link to a rule's page."""
    return f"[{rule.spec.id}]({folder}{rule.name}.md)"


def escape(text: str) -> str:
    """A text on one line that means itself wherever it stands."""
    clean = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
    return _SPECIAL.sub(_escaped, clean)


def _escaped(found: re.Match[str]) -> str:
    text = found.group()
    if text.isdigit():
        return text[:-1] + f"&#{ord(text[-1])};"
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(text, f"\\{text}")


def code(text: str) -> str:
    """A text as code, also within a table."""
    clean = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
    ticks = "`" * (max(map(len, re.findall("`+", clean)), default=0) + 1)
    pad = " " if "`" in clean else ""
    return f"{ticks}{pad}{clean}{pad}{ticks}".replace("|", "\\|")


def url_of(text: str) -> str:
    """An address in which nothing can end the link that it stands in."""
    return quote(text, safe=_URL_SAFE)


def link(url: str, text: str) -> str:
    """A link to another site."""
    target = url_of(url)
    return f"<{target}>" if text == url else f"[{escape(text)}]({target})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts that are escaped already."""
    line = "|" + "|".join("---" for _ in head) + "|"
    shown = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([shown[0] if any(head) else "| | |", line, *shown[1:]])


def _example(example: Example | None, prefix: str) -> str:
    if example is None:
        return f"There is no example: no case `{prefix}…` in the rule's fixtures."
    shown = f"Case {code(example.case)}, what the rule reads of it:\n\n```json\n{example.text}\n```"
    return shown + (f"\n\nWith the settings\n\n```json\n{example.settings}\n```" if example.settings else "")


def _settings(rule: RulePage) -> str:
    if not rule.settings:
        return "None."
    rows = [
        (
            code(name),
            escape(str(schema["description"])),
            code(json.dumps(schema["default"], ensure_ascii=False)),
        )
        for name, schema in rule.settings.items()
    ]
    return table(("Setting", "Meaning", "Default"), rows)
