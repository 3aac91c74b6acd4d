"""METADATA: the comment block above a package that makes it a rule.

Validated by hand against the same rules as ``schemas/policy-metadata.v1.json`` because importing a schema
validator costs more than reading all shipped policies; a test keeps the two in agreement. Unknown fields are
refused: a misspelt ``enforcment`` must not quietly mean the default.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.errors import PolicyLoadError
from plangate.model.kinds import KINDS
from plangate.policy import strict_yaml
from plangate.policy.base import RuleScope
from plangate.policy.rule_settings import schemas_problem

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
    """What is wrong with a METADATA document, or an empty string.

    The same documents pass here and the published schema ``policy-metadata.v1.json``.
    """
    if not isinstance(document, dict):
        return "METADATA must be a mapping"
    return (
        _fields(document, _TOP, _REQUIRED_TOP, "")
        or _text(document, "title")
        or _text(document, "description")
        or _choice(document, "scope", ("package",), "")
        or _related(document.get("related_resources", []))
        or _custom(document["custom"])
    )


def _fields(
    document: Mapping[Any, Any], allowed: frozenset[str], required: tuple[str, ...], where: str
) -> str:
    for name in document:
        if name not in allowed:
            return f'METADATA: unknown field "{where}{name}" (known: {", ".join(sorted(allowed))})'
    for name in required:
        if name not in document:
            return f'METADATA: field "{where}{name}" is missing'
    return ""


def _text(document: Mapping[str, Any], name: str, where: str = "") -> str:
    value = document[name]
    if not isinstance(value, str) or not value.strip():
        return f'METADATA: "{where}{name}" must be a text that is not empty'
    return ""


def _choice(document: Mapping[str, Any], name: str, allowed: tuple[str, ...], where: str) -> str:
    if name not in document or document[name] in allowed:
        return ""
    return f'METADATA: unknown {name} {document[name]!r} in "{where}{name}" (known: {", ".join(allowed)})'


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


def _custom(custom: Any) -> str:
    if not isinstance(custom, dict):
        return 'METADATA: "custom" must be a mapping'
    return (
        _fields(custom, _CUSTOM, _REQUIRED_CUSTOM, "custom.")
        or _text(custom, "id", "custom.")
        or (
            ""
            if _ID.fullmatch(custom["id"])
            else "METADATA: custom.id must be lower-case words joined by dashes"
        )
        or _choice(custom, "severity", tuple(Severity), "custom.")
        or _choice(custom, "enforcement", tuple(Enforcement), "custom.")
        or _choice(custom, "on_unknown", tuple(OnUnknown), "custom.")
        or _choice(custom, "scope", tuple(RuleScope), "custom.")
        or _text(custom, "remediation", "custom.")
        or _kinds(custom.get("kinds", []))
        or _types(custom.get("types", []))
        or (
            "METADATA: a rule with scope plan has no kinds and no types"
            if _on_plan(custom) and (custom.get("kinds") or custom.get("types"))
            else ""
        )
        or _frameworks(custom.get("frameworks", {}))
        or _settings(custom.get("settings", {}))
    )


def _on_plan(custom: Mapping[str, Any]) -> bool:
    return bool(custom.get("scope") == RuleScope.PLAN)


def _kinds(kinds: Any) -> str:
    if not isinstance(kinds, list) or len({repr(kind) for kind in kinds}) != len(kinds):
        return 'METADATA: "custom.kinds" must be a list of different kinds'
    for kind in kinds:
        if not isinstance(kind, str) or kind not in KINDS:
            return f'METADATA: unknown kind {kind!r} in "custom.kinds" (known: {", ".join(sorted(KINDS))})'
    return ""


def _types(types: Any) -> str:
    if not isinstance(types, list) or not all(isinstance(name, str) and name.strip() for name in types):
        return 'METADATA: "custom.types" must be a list of native types, e.g. aws_cloudtrail'
    return "" if len(set(types)) == len(types) else 'METADATA: a type stands twice in "custom.types"'


def _settings(settings: Any) -> str:
    if not isinstance(settings, dict):
        return 'METADATA: "custom.settings" must map names to JSON Schemas'
    return next(filter(None, (_setting(name, schema) for name, schema in settings.items())), "")


def _setting(name: Any, schema: Any) -> str:
    where = f"custom.settings.{name}"
    if not isinstance(name, str) or _SETTING.fullmatch(name) is None:
        return f'METADATA: the setting "{name}" must be lower-case words joined by underscores'
    if not isinstance(schema, dict):
        return f'METADATA: "{where}" must be a JSON Schema'
    for needed in ("default", "description"):
        if needed not in schema:
            return f'METADATA: field "{where}.{needed}" is missing'
    return _text(schema, "description", f"{where}.")


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
    file: str, text: str, package_line: int
) -> tuple[RuleSpec, RuleScope, Mapping[str, Mapping[str, Any]]]:
    """The rule that the block above ``package`` registers, what it looks at, and the schemas of its settings by name.

    Raises:
        PolicyLoadError: No block, not YAML, or not what the schema asks for; with its line.
    """
    hint = "see docs/reference/policy-metadata.md"
    try:
        found = package_block(text, package_line)
        document: Any = parse_block(*found) if found is not None else None
    except MetadataError as problem:
        raise PolicyLoadError(file, str(problem), line=problem.line, hint=hint) from problem
    if found is None:
        raise PolicyLoadError(file, "no METADATA above the package", line=package_line, hint=hint)
    if wrong := validate(document):
        raise PolicyLoadError(file, wrong, line=found[0], hint=hint)
    settings = document["custom"].get("settings", {})
    if settings and (wrong := schemas_problem(settings)):
        raise PolicyLoadError(file, f"METADATA: custom.settings.{wrong}", line=found[0], hint=hint)
    return *to_spec(document, file), settings
