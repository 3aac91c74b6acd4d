"""METADATA: the comment block above a package that makes it a rule.

Validated by hand against the same rules as ``schemas/policy-metadata.v1.json`` because importing a schema
validator costs more than reading all shipped policies; a test keeps the two in agreement. Unknown fields are
refused: a misspelt ``enforcment`` must not quietly mean the default.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.errors import PolicyLoadError
from plangate.model.kinds import KINDS
from plangate.policy import strict_yaml
from plangate.policy.base import RuleScope
from plangate.policy.problems import Problems
from plangate.policy.rule_settings import schemas_problem

Where: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a field."""

Problem: TypeAlias = tuple[str, Where]

_TOP: Final = frozenset(
    {"title", "description", "scope", "related_resources", "authors", "organizations", "custom"}
)
_CUSTOM: Final = frozenset(
    """id severity enforcement kinds types remediation frameworks on_unknown scope settings""".split()  # noqa: SIM905
)
_REQUIRED_TOP: Final = ("title", "description", "custom")
_REQUIRED_CUSTOM: Final = ("id", "severity", "enforcement", "remediation")

_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SETTING: Final = re.compile(r"[a-z][a-z0-9_]*")


class MetadataError(ValueError):
    """What is wrong with a block, and on which line of the file (from 1)."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def package_block(text: str, package_line: int) -> tuple[int, str] | None:
    """The METADATA block above ``package``: the line it starts on and its YAML, or ``None``.

    Lines keep their place, so that positions in the YAML can be turned into positions in the file.

    Raises:
        MetadataError: There is more than one block.
    """
    above = text.split("\n")[: package_line - 1]
    starts = [number for number, line in enumerate(above) if line.strip() == "# METADATA"]
    if not starts:
        return None
    if len(starts) > 1:
        raise MetadataError("two METADATA blocks above one package", starts[1] + 1)
    lines: list[str] = []
    for line in above[starts[0] + 1 :]:
        if not line.startswith("#"):
            break
        # OPA takes the text after the first "#": the YAML is indented by one space throughout.
        lines.append(line[1:])
    return starts[0] + 1, "\n".join(lines)


def parse_block(start: int, block: str) -> Any:
    """The block's YAML as plain data.

    Raises:
        MetadataError: Not YAML, or not the same for every reader of YAML.
    """
    try:
        return strict_yaml.parse(block)
    except strict_yaml.StrictYamlError as problem:
        raise MetadataError(f"METADATA is not YAML: {problem}", start + problem.line) from problem


def validate(document: Any) -> str:
    """What is wrong first with a METADATA document, or an empty string.

    The same documents pass here and the published schema ``policy-metadata.v1.json``.
    """
    return next((problem for problem, _ in problems_of(document)), "")


def problems_of(document: Any) -> Iterator[Problem]:
    """Everything that is wrong with a METADATA document, each with the path of the field that it is about."""
    if not isinstance(document, dict):
        yield "METADATA must be a mapping", ()
        return
    yield from _fields(document, _TOP, _REQUIRED_TOP, ())
    yield from _text(document, ("title",))
    yield from _text(document, ("description",))
    yield from _choice(document, ("scope",), ("package",))
    if wrong := _related(document.get("related_resources", [])):
        yield wrong, ("related_resources",)
    if "custom" in document:
        yield from _custom(document["custom"])


def _fields(
    document: Mapping[Any, Any], allowed: frozenset[str], required: tuple[str, ...], where: Where
) -> Iterator[Problem]:
    for name in document:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), sorted(allowed), n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            known = ", ".join(sorted(allowed))
            yield (
                f'METADATA: unknown field "{_dotted((*where, name))}" (known: {known}{meant})',
                (*where, name),
            )
    for name in required:
        if name not in document:
            yield f'METADATA: field "{_dotted((*where, name))}" is missing', where


def _dotted(where: Where) -> str:
    return ".".join(map(str, where))


def _text(document: Mapping[Any, Any], where: Where) -> Iterator[Problem]:
    name = where[-1]
    if name not in document:
        return  # said already
    value = document[name]
    if not isinstance(value, str) or not value.strip():
        yield f'METADATA: "{_dotted(where)}" must be a text that is not empty', where


def _choice(document: Mapping[Any, Any], where: Where, allowed: tuple[str, ...]) -> Iterator[Problem]:
    name = where[-1]
    if name in document and document[name] not in allowed:
        known = ", ".join(allowed)
        yield f'METADATA: unknown {name} {document[name]!r} in "{_dotted(where)}" (known: {known})', where


def _related(entries: Any) -> str:
    wrong = 'METADATA: "related_resources" must be a list of links, or of {ref, description}'
    if not isinstance(entries, list):
        return wrong
    for entry in entries:
        link = entry.get("ref") if isinstance(entry, dict) else entry
        if not isinstance(link, str) or not link.startswith("https://"):
            return f"{wrong}, each https://"
        if isinstance(entry, dict) and (
            set(entry) - {"ref", "description"} or not isinstance(entry.get("description", ""), str)
        ):
            return wrong
    return ""


def _custom(custom: Any) -> Iterator[Problem]:
    if not isinstance(custom, dict):
        yield 'METADATA: "custom" must be a mapping', ("custom",)
        return
    yield from _fields(custom, _CUSTOM, _REQUIRED_CUSTOM, ("custom",))
    yield from _text(custom, ("custom", "id"))
    rule_id = custom.get("id")
    if isinstance(rule_id, str) and rule_id.strip() and not _ID.fullmatch(rule_id):
        yield "METADATA: custom.id must be lower-case words joined by dashes", ("custom", "id")
    yield from _choice(custom, ("custom", "severity"), tuple(Severity))
    yield from _choice(custom, ("custom", "enforcement"), tuple(Enforcement))
    yield from _choice(custom, ("custom", "on_unknown"), tuple(OnUnknown))
    yield from _choice(custom, ("custom", "scope"), tuple(RuleScope))
    yield from _text(custom, ("custom", "remediation"))
    yield from _kinds(custom.get("kinds", []))
    if wrong := _types(custom.get("types", [])):
        yield wrong, ("custom", "types")
    if custom.get("scope") == RuleScope.PLAN:
        for name in ("kinds", "types"):
            if custom.get(name):
                yield "METADATA: a rule with scope plan has no kinds and no types", ("custom", name)
    if wrong := _frameworks(custom.get("frameworks", {})):
        yield wrong, ("custom", "frameworks")
    yield from _settings(custom.get("settings", {}))


def _kinds(kinds: Any) -> Iterator[Problem]:
    where = ("custom", "kinds")
    if not isinstance(kinds, list) or len({repr(kind) for kind in kinds}) != len(kinds):
        yield 'METADATA: "custom.kinds" must be a list of different kinds', where
        return
    for index, kind in enumerate(kinds):
        if not isinstance(kind, str) or kind not in KINDS:
            near = difflib.get_close_matches(str(kind), KINDS, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            known = ", ".join(sorted(KINDS))
            yield (
                f'METADATA: unknown kind {kind!r} in "custom.kinds" ({meant}known: {known})',
                (*where, index),
            )


def _types(types: Any) -> str:
    if not isinstance(types, list) or not all(isinstance(name, str) and name.strip() for name in types):
        return 'METADATA: "custom.types" must be a list of native types, e.g. aws_cloudtrail'
    return "" if len(set(types)) == len(types) else 'METADATA: a type stands twice in "custom.types"'


def _settings(settings: Any) -> Iterator[Problem]:
    if not isinstance(settings, dict):
        yield 'METADATA: "custom.settings" must map names to JSON Schemas', ("custom", "settings")
        return
    for name, schema in settings.items():
        where = ("custom", "settings", name)
        if not isinstance(name, str) or _SETTING.fullmatch(name) is None:
            yield f'METADATA: the setting "{name}" must be lower-case words joined by underscores', where
        elif not isinstance(schema, dict):
            yield f'METADATA: "{_dotted(where)}" must be a JSON Schema', where
        else:
            for needed in ("default", "description"):
                if needed not in schema:
                    yield f'METADATA: field "{_dotted((*where, needed))}" is missing', where
            yield from _text(schema, (*where, "description"))


def _frameworks(frameworks: Any) -> str:
    wrong = 'METADATA: "custom.frameworks" must map a framework to a list of its controls, all texts'
    if not isinstance(frameworks, dict):
        return wrong
    for name, controls in frameworks.items():
        if not isinstance(name, str) or not isinstance(controls, list) or not controls:
            return wrong
        if not all(isinstance(control, str) and control for control in controls):
            return wrong
    return ""


def to_spec(document: Mapping[str, Any], file: str) -> tuple[RuleSpec, RuleScope]:
    """The registered rule and what it looks at, from a valid document."""
    custom = document["custom"]
    spec = RuleSpec(
        id=custom["id"],
        title=document["title"].strip(),
        description=document["description"].strip(),
        severity=Severity(custom["severity"]),
        enforcement=Enforcement(custom["enforcement"]),
        on_unknown=OnUnknown(custom.get("on_unknown", OnUnknown.DENY)),
        kinds=tuple(custom.get("kinds", ())),
        types=tuple(custom.get("types", ())),
        remediation=custom["remediation"].strip(),
        frameworks=tuple(
            (name, tuple(controls)) for name, controls in sorted(custom.get("frameworks", {}).items())
        ),
        source=file,
    )
    return spec, RuleScope(custom.get("scope", RuleScope.RESOURCES))


def read_metadata(
    file: str, text: str, package_line: int, problems: Problems
) -> tuple[RuleSpec, RuleScope, Mapping[str, Mapping[str, Any]]] | None:
    """The rule that the block above ``package`` registers, what it looks at, and the schemas of its settings by name.

    Args:
        file: Name of the policy.
        text: All of it.
        package_line: The line of ``package``.
        problems: Takes what is wrong: no block, not YAML, or not what the schema asks for, each with its line.

    Returns:
        ``None`` when something is wrong.
    """

    def wrong(problem: str, line: int) -> None:
        hint = "see docs/reference/policy-metadata.md"
        problems.note(PolicyLoadError(file, problem, line=line, hint=hint), "metadata")

    try:
        found = package_block(text, package_line)
        document: Any = parse_block(*found) if found is not None else None
    except MetadataError as problem:
        wrong(str(problem), problem.line)
        return None
    if found is None:
        wrong("no METADATA above the package", package_line)
        return None
    start, block = found
    bad = list(problems_of(document))
    settings = {} if bad else document["custom"].get("settings", {})
    if settings and (said := schemas_problem(settings)):
        bad.append(
            (f"METADATA: custom.settings.{said}", ("custom", "settings", *said.split(":")[0].split(".")))
        )
    if bad:
        places = strict_yaml.lines(block)
        for what, where in bad:
            wrong(what, start + _line(places, where))
        return None
    return *to_spec(document, file), settings


def _line(places: Mapping[Where, int], where: Where) -> int:
    """The line of a field or, where it is not there, of what it should be in."""
    while where not in places:
        where = where[:-1]
    return places[where]
