"""Coverage as files for other tools (lcov) and for a browser (static pages, without scripts)."""

import re
from collections.abc import Mapping
from html import escape
from typing import Final

from plangate.authoring.coverage import Coverage, FileCoverage
from plangate.authoring.examination_text import percent
from plangate.report.base import CONTROL

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem; } td.n { text-align: right; }
tr { border-bottom: 1px solid #d0d7de; }
pre { font: 13px/1.45 ui-monospace, monospace; tab-size: 4; overflow-x: auto; }
pre span { display: block; padding-left: .5rem; border-left: 4px solid transparent; }
pre b { display: inline-block; width: 4ch; margin-right: 1ch; color: #6e7781; font-weight: normal; text-align: right; }
.c { background: #e6f6e9; border-color: #2da44e; } .m { background: #ffebe9; border-color: #cf222e; }
"""


def lcov(coverage: Coverage) -> str:
    """A tracefile as ``genhtml`` and the services that show coverage read it."""
    lines = []
    for file in coverage.files:
        name = file.file.translate(CONTROL)
        counted = sorted(file.covered | file.missed)
        lines += ["TN:", f"SF:{name}"]
        lines += [f"DA:{line},{int(line in file.covered)}" for line in counted]
        lines += [f"LF:{len(counted)}", f"LH:{len(file.covered)}", "end_of_record"]
    return "\n".join((*lines, ""))


def pages(coverage: Coverage) -> Mapping[str, str]:
    """File name to page: ``index.html`` and one for each policy."""
    names = {file.file: f"{number:03}-{_safe(file.file)}.html" for number, file in enumerate(coverage.files)}
    rows = "\n".join(
        f'<tr><td><a href="{names[file.file]}">{_text(file.file)}</a></td>'
        f'<td class="n">{percent(file.percent)} %</td><td class="n">{len(file.covered)}</td>'
        f'<td class="n">{len(file.missed)}</td></tr>'
        for file in coverage.files
    )
    index = (
        f"<h1>Coverage of policies: {percent(coverage.percent)} %</h1>\n<table>\n"
        f"<tr><th>Policy</th><th>Reached</th><th>Lines reached</th><th>Not reached</th></tr>\n{rows}\n</table>"
    )
    found = {"index.html": _page("Coverage of policies", index)}
    return found | {names[file.file]: _file(file) for file in coverage.files}


def _file(file: FileCoverage) -> str:
    lines = []
    for number, line in enumerate(file.text.rstrip("\n").split("\n"), start=1):
        covered, missed = number in file.covered, number in file.missed
        kind = ' class="c"' if covered else ' class="m" title="not reached"' if missed else ""
        lines.append(f'<span{kind} id="L{number}"><b>{number}</b>{_text(line)}</span>')
    body = (
        f'<p><a href="index.html">All policies</a></p>\n<h1>{_text(file.file)}: {percent(file.percent)} %</h1>\n'
        f"<p>Green lines were reached by tests, red lines were not.</p>\n<pre>{''.join(lines)}</pre>"
    )
    return _page(file.file, body)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[-100:] or "policy"


def _text(text: str) -> str:
    return escape(text.translate(CONTROL))
