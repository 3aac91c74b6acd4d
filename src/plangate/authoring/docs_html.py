"""Pages about policies as a site that one opens from disk: one folder, and nothing is asked of any other place.

Every text of an author is escaped, and the policy in each page's head allows the one style and the one script that
come with it, and nothing else.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape as escape_html
from pathlib import Path
from typing import Final

from plangate.authoring.docs import INDEX, MARKS, RulePage, by_framework
from plangate.authoring.docs_examples import Example
from plangate.authoring.docs_markdown import url_of
from plangate.decision.outcome import Severity

_SITE: Final = Path(__file__).resolve().parent / "site"
_WORST_FIRST: Final = tuple(reversed(Severity))


def pages(rules: Sequence[RulePage], title: str = "Policies") -> dict[str, str]:
    """Text by file name: one page per rule, and an index with a search."""
    made = {f"{INDEX}.html": index(rules, title)}
    return made | {f"{rule.name}.html": page(rule, title) for rule in rules}


def page(rule: RulePage, title: str = "Policies") -> str:
    """One rule's page."""
    spec = rule.spec
    facts = [
        ("Severity", _severity(rule)),
        ("Enforcement", spec.enforcement.value),
        ("When unknown", spec.on_unknown.value),
        ("Judges", rule.judged(code)),
        *([("Package", code(rule.package))] if rule.package else []),
    ]
    parts = [
        f'<nav aria-label="Breadcrumb"><a href="{INDEX}.html">{escape(title)}</a> / {escape(rule.domain)}</nav>',
        f'<h1>{escape(spec.title)}</h1><p class="id">{code(spec.id)}</p>',
        "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts) + "</dl>",
        f"<h2>Why</h2><p>{escape(rule.why)}</p>",
        '<div class="pair">' + "".join(_example(*shown) for shown in rule.shown) + "</div>",
        f"<h2>How to fix</h2><p>{escape(spec.remediation)}</p>",
        f"<h2>Settings</h2>{_settings(rule)}",
        f"<h2>Unknown values</h2><p>{' '.join((*rule.unknowns, rule.read(code)))}</p>",
    ]
    if spec.frameworks:
        rows = [(escape(name), escape(", ".join(controls))) for name, controls in spec.frameworks]
        parts.append("<h2>Frameworks</h2>" + table(("Framework", "Controls"), rows))
    if rule.examples.cases:
        cases = [
            (code(case), code(address) if address else "the plan", escape(said))
            for case, address, said in rule.examples.cases
        ]
        parts.append("<h2>Cases</h2>" + table(("Case", "About", "Outcome"), cases))
    if rule.links:
        items = "".join(
            f'<li><a rel="noreferrer" href="{escape(url_of(item.url))}">{escape(item.text)}</a></li>'
            for item in rule.links
        )
        parts.append(f"<h2>References</h2><ul>{items}</ul>")
    return _document(f"{spec.id}: {spec.title}", parts)


def index(rules: Sequence[RulePage], title: str = "Policies") -> str:
    """All rules with a search over them, and which controls they are for."""
    domains = sorted({rule.domain for rule in rules})
    severities = [item.value for item in _WORST_FIRST if any(rule.spec.severity is item for rule in rules)]
    frameworks = sorted({name for rule in rules for name, _ in rule.spec.frameworks})
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Rule", "Domain", "Severity", "Enforcement"))
    parts = [
        f"<h1>{escape(title)}</h1>",
        '<form id="search" role="search" hidden>'
        '<label>Search <input type="search" name="text" autocomplete="off"></label>'
        + _choice("domain", "Domain", domains)
        + _choice("severity", "Severity", severities)
        + _choice("framework", "Framework", frameworks)
        + "</form>",
        f'<p id="count" role="status">Rules: {len(rules)}</p>',
        f'<table id="rules"><thead><tr>{head}</tr></thead><tbody>{"".join(map(_row, rules))}</tbody></table>',
    ]
    if controls := by_framework(rules):
        rows = [
            (escape(framework), escape(control), ", ".join(map(_link_to, found)))
            for framework, control, found in controls
        ]
        parts.append("<h2>Frameworks</h2>" + table(("Framework", "Control", "Rules"), rows))
    return _document(title, parts, script=_asset("search.js"))


def escape(text: str) -> str:
    """A text that shows as itself, also within an attribute; white space and what does not print do not count."""
    one_line = " ".join(text.split())
    return escape_html("".join(char if char.isprintable() else "\ufffd" for char in one_line))


def code(text: str) -> str:
    """A text as code."""
    return f"<code>{escape(text)}</code>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts that are escaped already."""
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _document(title: str, parts: Iterable[str], script: str = "") -> str:
    style = _asset("style.css")
    allowed = f"default-src 'none'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    if script:
        allowed += f"; script-src '{_digest(script)}'"
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        MARKS[".html"],
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style></head>",
        "<body><main>",
        *parts,
        "</main>" + (f"<script>{script}</script>" if script else "") + "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


@cache
def _asset(name: str) -> str:
    return (_SITE / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _choice(name: str, label: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)
    return f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>'


def _row(rule: RulePage) -> str:
    spec = rule.spec
    words = [spec.id, spec.title, rule.why, *spec.kinds, *spec.types]
    words += [word for name, controls in spec.frameworks for word in (name, *controls)]
    frameworks = json.dumps([" ".join(name.split()) for name, _ in spec.frameworks])
    return (
        f'<tr data-domain="{escape(rule.domain)}" data-severity="{spec.severity.value}" '
        f'data-frameworks="{escape(frameworks)}" data-text="{escape(" ".join(words).lower())}">'
        f'<th scope="row">{_link_to(rule)}<br><span>{escape(spec.title)}</span></th>'
        f"<td>{escape(rule.domain)}</td><td>{_severity(rule)}</td><td>{spec.enforcement.value}</td></tr>\n"
    )


def _link_to(rule: RulePage) -> str:
    return f'<a href="{rule.name}.html">{rule.spec.id}</a>'


def _severity(rule: RulePage) -> str:
    severity = rule.spec.severity.value
    return f'<span class="severity {severity}">{severity}</span>'


def _example(heading: str, prefix: str, example: Example | None) -> str:
    sign = "✗" if prefix == "fail_" else "✓"
    top = f'<section class="{prefix.strip("_")}"><h2><span aria-hidden="true">{sign}</span> {heading}</h2>'
    if example is None:
        return f"{top}<p>There is no example: no case <code>{prefix}…</code> in the rule's fixtures.</p></section>"
    said = f"<p>Case {code(example.case)}, what the rule reads of it:</p>" if example.case else ""
    shown = f"{top}{said}{_block(example.text)}"
    more = f"<p>With the settings</p>{_block(example.settings)}" if example.settings else ""
    return f"{shown}{more}</section>"


def _block(text: str) -> str:
    # Can be scrolled, so it has to be reached with the keyboard too.
    return f'<pre tabindex="0"><code>{escape_html(text)}</code></pre>'


def _settings(rule: RulePage) -> str:
    if not rule.settings:
        return "<p>None.</p>"
    rows = [
        (
            code(name),
            escape(str(schema["description"])),
            code(json.dumps(schema["default"], ensure_ascii=False)),
        )
        for name, schema in rule.settings.items()
    ]
    return table(("Setting", "Meaning", "Default"), rows)
