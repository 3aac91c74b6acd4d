"""A file as conftest hands it to its policies: JSON and YAML, as its own parsers read them.

A file may be several inputs: a list is one input for each of its items, and so is a YAML stream for each of its
documents. Whatever conftest would read otherwise than we do (another parser, a tag, a number that it would round) is
refused. Behaviour: ``parser/`` and ``policy/engine.go`` of https://github.com/open-policy-agent/conftest, version 0.71.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits
from plangate.parsers.documents import read_json
from plangate.parsers.yaml_documents import read_yaml

_YAML: Final = (".yaml", ".yml")
_OTHERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("tf", "tfvars", "hcl", "hcl2"), "HCL2"),
    **dict.fromkeys(("gitignore", "dockerignore"), "ignore"),
    "dockerfile": "Dockerfile", "groovy": "Groovy", "env": "dotenv", "jsonc": "JSONC", "toml": "TOML",
    "jsonnet": "Jsonnet", "cue": "CUE", "edn": "EDN", "hocon": "HOCON", "ini": "INI", "xml": "XML", "spdx": "SPDX",
    "vcl": "VCL", "properties": "properties", "textproto": "textproto", "nginx": "nginx", "hcl1": "HCL1",
}  # fmt: skip
"""Endings that conftest has another parser for."""
_NAMES: Final = {"dockerfile": "Dockerfile", ".env": "dotenv", "jenkinsfile": "Groovy"}
"""Names, alone or before a dot, that choose a parser whatever the ending says."""
_HINT: Final = "conftest policies judge JSON and YAML here; for Terraform, judge the plan"
STANDARD_INPUT: Final = "-"
MAX_INPUTS: Final = 10_000
"""Inputs in one file, each of which is asked about by itself."""
_LONG_NUMBER: Final = re.compile(rb"[0-9.eE+-]{16}|[0-9][eE][+-]?[0-9]{3}")
_MAX_EXACT: Final = 1 << 53
_BEFORE_FIRST: Final = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*(?:---(?=\s|$))?")
_NEXT_DOCUMENT: Final = re.compile(rb"^(?:---(?:\s|$)|\.\.\.\s*[^\s.])", re.MULTILINE)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class RawInput(Struct, frozen=True, kw_only=True):
    """One input of conftest's policies: the value, and the same as JSON."""

    value: Any
    data: bytes


def read_raw(source: Input, limits: Limits) -> tuple[RawInput, ...]:
    """The inputs in a file, as many as conftest makes of it; at least one.

    Args:
        source: The file. Its name's ending says how it is read; ``-`` is YAML, as conftest has it.
        limits: As for any parser.

    Raises:
        PlanParseError: Conftest would read it with a parser that we do not have, or would read something else in it.
    """
    _refuse_other_parsers(source.name)
    if _is_json(source):
        value, text = read_json(source.data, source.name, limits)
        if not isinstance(value, list):
            data = text.encode()
            _check_numbers(source.name, value, data)
            return (RawInput(value=value, data=data),)
        values: Sequence[Any] = value
    else:
        values = _yaml_values(source, limits)
    if not values:
        raise PlanParseError(source.name, "an empty list, of which conftest judges nothing")
    if len(values) > MAX_INPUTS:
        raise PlanParseError(source.name, f"{len(values)} documents or list items (limit: {MAX_INPUTS})")
    return tuple(_encoded(source.name, value) for value in values)


def combined(files: Sequence[tuple[str, Sequence[RawInput]]]) -> RawInput:
    """All files as one input: ``[{"path": …, "contents": …}, …]``, sorted by path."""
    value = [
        {"path": name, "contents": each.value}
        for name, inputs in sorted(files, key=lambda file: file[0])
        for each in inputs
    ]
    return RawInput(value=value, data=_ENCODER.encode(value))


def _is_json(source: Input) -> bool:
    """JSON by its name, or by what it holds if conftest has no parser for its name at all."""
    lowered = source.name.lower()
    if lowered.endswith((".json", *_YAML)):
        return lowered.endswith(".json")
    is_json = source.data[:64].lstrip()[:1] in {b"{", b"["}
    if not is_json and source.name != STANDARD_INPUT:
        raise PlanParseError(source.name, "conftest has no parser for a file with this name", hint=_HINT)
    return is_json


def _refuse_other_parsers(name: str) -> None:
    base = name.rpartition("/")[2].lower()
    ending = base.rpartition(".")[2] if "." in base else ""
    first = next((word for word in _NAMES if base == word or base.startswith(f"{word}.")), "")
    parser = _NAMES[first] if first else _OTHERS.get(ending, "")
    if parser:
        raise PlanParseError(
            name, f"conftest reads this with its {parser} parser, which plangate does not have", hint=_HINT
        )


def _yaml_values(source: Input, limits: Limits) -> Sequence[Any]:
    """One value, or one for each part between lines of three dashes, which is how conftest splits a stream."""
    line_end = b"\r\n" if b"\r\n" in source.data else b"\n"
    separator = line_end + b"---" + line_end
    parts = source.data.split(separator)
    if source.data.startswith(b"%") and len(parts) > 1:
        parts[:2] = [separator.join(parts[:2])]
    values = [_yaml_value(source, part, limits) for part in parts]
    if len(values) > 1:
        return values
    (value,) = values
    return value if isinstance(value, list) else values


def _yaml_value(source: Input, part: bytes, limits: Limits) -> Any:
    first = _BEFORE_FIRST.match(part)
    if _NEXT_DOCUMENT.search(part, first.end() if first else 0):
        raise PlanParseError(
            source.name,
            "conftest would judge only the first of several documents",
            hint="put nothing but three dashes on the lines between documents",
        )
    own = Input(name=source.name, data=part, sha256=source.sha256, size=source.size)
    try:
        documents = read_yaml(own, limits)
    except PlanParseError as error:
        if error.problem.startswith("empty document"):
            return None
        raise
    if documents.tags:
        tag, (line, column) = next(iter(documents.tags.items()))
        raise PlanParseError(
            source.name,
            f"conftest leaves out the tag {tag}, and judges something else than what is applied",
            at=f"line {line} column {column}",
            hint="write its long form (`Fn::Sub: …`), or JSON",
        )
    return documents.values[0]


def _encoded(name: str, value: Any) -> RawInput:
    data = _ENCODER.encode(value)
    _check_numbers(name, value, data)
    return RawInput(value=value, data=data)


def _check_numbers(name: str, value: Any, data: bytes) -> None:
    """Refuse what does not fit a double: conftest would judge another number than is there."""
    if _LONG_NUMBER.search(data) is None:
        return
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack += item.values()
        elif isinstance(item, list):
            stack += item
        elif not isinstance(item, bool) and isinstance(item, int | Decimal) and not _fits(item):
            raise PlanParseError(name, f"conftest would round the number {str(item)[:60]}")


def _fits(number: int | Decimal) -> bool:
    if isinstance(number, int) and -_MAX_EXACT <= number <= _MAX_EXACT:
        return True
    try:
        double = float(number)
    except OverflowError:
        return False
    return Decimal(repr(double)) == Decimal(number)
