"""The decision for a person: what was decided, what is wrong and where, how to fix it, and one line that sums up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from plangate.report.base import Style, one_line

_WORDS: Final = {"allow": "ALLOWED", "deny": "DENIED", "error": "COULD NOT DECIDE"}
_COLOURS: Final = {"allow": "1;32", "deny": "1;31", "error": "1;35"}
_SECTIONS: Final = (
    # effect, heading, mark, colour
    ("blocks", "Could not be judged", "!", "35"),
    ("denies", "Denied", "✗", "31"),
    ("warns", "Warnings", "~", "33"),
    ("obliges", "Known only after apply: will be checked then", "?", "36"),
    ("approved", "Approved by a person", "+", "33"),
    ("waived", "Waived", "-", "33"),
    ("debt", "Already there, and not changed by this plan", "·", "2"),
)
_MOST_TOOLS: Final = 3
_SEVERITIES: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def render(decision: Mapping[str, Any], style: Style) -> str:
    """Text with a final newline."""
    return "\n".join([*_head(decision, style), *_body(decision, style), summary(decision)]) + "\n"


def summary(decision: Mapping[str, Any]) -> str:
    """The last line: ``denied: 2 failed, 1 unknown, 14 passed; nothing was executed``."""
    counts, result = decision["counts"], decision["result"]
    parts = [
        f"{counts[status]} {word}"
        for status, word in (
            ("fail", "failed"),
            ("error", "could not be judged"),
            ("unknown", "unknown"),
            ("pass", "passed"),
        )
        if counts[status] or status == "pass"
    ]
    word = {"allow": "allowed", "deny": "denied", "error": "could not decide"}[result]
    tail = "" if result == "allow" else "; nothing was executed"
    debt = sum(1 for outcome in decision["outcomes"] if outcome.get("effect") == "debt")
    if debt:
        parts.append(f"{debt} of these already there")
    if decision["unmodelled"]:
        types = len(decision["unmodelled"])
        parts.append(f"{types} type{'' if types == 1 else 's'} without an adapter")
    return f"{word}: {', '.join(parts)}{tail}"


def _head(decision: Mapping[str, Any], style: Style) -> list[str]:
    result, subject = decision["result"], decision["subject"]
    title = _paint(_WORDS[result], _COLOURS[result], style)
    lines = [
        f"{title}  {one_line(subject['name'])}  {_paint('sha256 ' + subject['sha256'][:16], '2', style)}"
    ]
    plan = decision["plan"]
    if plan is not None:
        changes = (
            ", ".join(f"{count} {action}" for action, count in plan["changes"].items() if count)
            or "no changes"
        )
        tools = plan["tool"].split(", ")
        more = f" and {len(tools) - _MOST_TOOLS} more" if len(tools) > _MOST_TOOLS else ""
        tool = f" by {one_line(', '.join(tools[:_MOST_TOOLS]))}{more}" if plan["tool"] else ""
        lines.append(f"  {plan['format']}{tool}, environment {one_line(decision['environment'])}: {changes}")
    unread = [each for each in decision["inputs"] if each["problem"]]
    if len(decision["inputs"]) > 1:
        read = Counter(each["format"] for each in decision["inputs"] if each["format"])
        listed = ", ".join(f"{count} {name}" for name, count in sorted(read.items()))
        lines.append(f"  read: {listed or 'nothing'}{f'; {len(unread)} could not be read' if unread else ''}")
    lines += [f"  {_paint('!', '35', style)} {one_line(reason)}" for reason in decision["reasons"]]
    return [*lines, ""]


def _body(decision: Mapping[str, Any], style: Style) -> Iterable[str]:
    outcomes = decision["outcomes"]
    for effect, heading, mark, colour in _SECTIONS:
        members = [outcome for outcome in outcomes if outcome.get("effect") == effect]
        if not members:
            continue
        yield _paint(heading, "1", style)
        members.sort(key=lambda o: (_SEVERITIES[o["severity"]], o["rule"]))
        for _, group in groupby(members, key=lambda o: (_SEVERITIES[o["severity"]], o["rule"])):
            yield from _rule(list(group), mark, colour, style)
        yield ""
    if decision["unmodelled"]:
        listed = ", ".join(one_line(name) for name in decision["unmodelled"][: style.most])
        more = len(decision["unmodelled"]) - style.most
        tail = f" and {more} more" if more > 0 else ""
        yield f"Types without an adapter, judged by general rules only: {listed}{tail}"
        yield ""


def _rule(members: Sequence[Mapping[str, Any]], mark: str, colour: str, style: Style) -> Iterable[str]:
    first = members[0]
    weight = f"{first['severity']}, {first['enforcement']}"
    yield f"  {_paint(mark, colour, style)} {_paint(first['rule'], '1', style)} ({weight}): {one_line(first['title'])}"
    for outcome in members[: style.most]:
        location = outcome["location"]
        where = f"  {one_line(location['file'])}:{location['line']}" if location else ""
        path = f"  {_paint(one_line(outcome['path']), '2', style)}" if outcome["path"] else ""
        name = outcome.get("input")
        within = "" if not name or (location and location["file"] == name) else f"  in {one_line(name)}"
        yield f"      {one_line(outcome['address']) or 'the plan'}{path}{where}{within}"
        if outcome.get("message"):
            yield f"        {one_line(outcome['message'])}"
    if len(members) > style.most:
        yield f"      … and {len(members) - style.most} more (--format json lists all)"
    if first["remediation"] and first["effect"] in {"denies", "warns"}:
        yield f"      fix: {one_line(first['remediation'])}"


def _paint(text: str, code: str, style: Style) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if style.colour else text
