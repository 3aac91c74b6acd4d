"""Every format, and which of them an input is: told by what it holds, never by its name.

A format's module is imported only when an input may be of it: the plan that a hook judges pays for no other format.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from plangate.errors import PlanParseError
from plangate.model.plan import Plan
from plangate.parsers.base import Documents, Format, Input, Limits, Options
from plangate.parsers.json_documents import read_json_document, read_json_lines
from plangate.parsers.yaml_documents import read_yaml

_FORMATS: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    # Module, its name for the format, and keys of which one stands at the top of some document of the format. Without
    # any of them the module is not imported; without such keys it always is.
    ("terraform_plan", "FORMAT", frozenset()),
    ("aws_plan", "AWS_PLAN", frozenset({"schema"})),
    ("cloudformation", "CHANGE_SET", frozenset({"Changes"})),
    ("cloudformation", "RECORDED", frozenset({"described"})),
    ("cloudformation", "FORMAT", frozenset({"AWSTemplateFormatVersion", "Resources"})),
    ("pulumi_preview", "FORMAT", frozenset({"changeSummary", "steps", "diagnostics"})),
    ("pulumi_events", "FORMAT", frozenset({"timestamp"})),
    ("azure_template", "FORMAT", frozenset({"$schema"})),
    ("kubernetes_plan", "FORMAT", frozenset({"field_manager"})),
    ("kubernetes", "FORMAT", frozenset()),
    ("compose", "FORMAT", frozenset({"services", "include"})),
)

_OTHERS: Final = frozenset({
    "$schema", "AWSTemplateFormatVersion", "Changes", "Resources", "apiVersion", "changeSummary", "described",
    "field_manager",
    "patches", "services", "steps",
})  # fmt: skip
"""Members at the top of other formats, of which a Terraform plan has none."""
_SPACE: Final = b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"
"""What may stand before the first character: space, byte order marks, and the zeros of UTF-16."""
_TERRAFORM: Final = re.compile(
    rb"^(?:resource|data|module|provider|variable|output|locals|terraform)\b[^\n]{0,300}\{", re.MULTILINE
)
_HEAD_BYTES: Final = 4_000
_SOURCE_HINT: Final = "Terraform source is judged by its folder"
_PLAN_MARKS: Final = frozenset({"format_version", "planned_values", "resource_changes", "terraform_version"})
_SYNTAX: Final = "not JSON: "
_MORE: Final = "not JSON: extra data"


def formats(documents: Documents | None = None) -> Iterator[Format]:
    """All formats, or those that these documents may be of; each is imported when its turn comes."""
    for module, name, marks in _FORMATS:
        if documents is None or not marks or any(_has_any(value, marks) for value in documents.values):
            yield _format(module, name)


@cache
def _format(module: str, name: str) -> Format:
    found: Format = getattr(import_module(f"plangate.parsers.{module}"), name)
    return found


def _has_any(value: object, marks: frozenset[str]) -> bool:
    return isinstance(value, dict) and not marks.isdisjoint(value)


def read_documents(source: Input, limits: Limits) -> Documents:
    """The documents of an input: JSON, JSON Lines or YAML.

    Raises:
        PlanParseError: None of these, or beyond a limit.
    """
    if source.data[:64].lstrip(_SPACE)[:1] not in {b"{", b"["}:
        try:
            return read_yaml(source, limits)
        except PlanParseError as error:
            if not error.hint and _TERRAFORM.search(source.data[:_HEAD_BYTES]):
                raise PlanParseError(source.name, error.problem, at=error.at, hint=_SOURCE_HINT) from error
            raise
    try:
        return read_json_document(source, limits)
    except PlanParseError as error:
        if not error.problem.startswith(_SYNTAX):
            raise
        try:
            if error.problem.startswith(_MORE):
                return read_json_lines(source, limits)
            # YAML may begin with a bracket too. What is broken JSON is seldom good YAML, and says more as JSON.
            return read_yaml(source, limits)
        except PlanParseError:
            raise error from None


def format_of(documents: Documents) -> Format | None:
    """The format of these documents, or ``None`` when they are no plan of any kind.

    Raises:
        PlanParseError: They are two things at once: what is judged as one could be applied as the other.
    """
    found: Format | None = None
    for each in formats(documents):
        if not each.recognizes(documents.values):
            continue
        if found is not None:
            raise PlanParseError(documents.source.name, f"a {found.title} and a {each.title} at once")
        found = each
        if found.id == "terraform-plan" and all(_OTHERS.isdisjoint(value) for value in documents.values):
            break  # nothing else is imported for a plan
    return found


def parse(documents: Documents, options: Options, limits: Limits) -> Plan | None:
    """The plan in these documents; ``None`` when they are none.

    Raises:
        PlanParseError: They are one, and not one that we fully understand.
    """
    found = format_of(documents)
    if found is None:
        return None
    for tag, (line, column) in documents.tags.items():
        if tag not in found.tags:
            raise PlanParseError(
                documents.source.name,
                f"the tag {tag} means nothing in {found.title}",
                at=f"line {line} column {column}",
            )
    return found.parse(documents, options, limits)


def is_like_a_plan(documents: Documents) -> bool:
    """Documents that are no plan are nearly one, or nothing at all: they must not be taken for something else."""
    return any(not value or _has_any(value, _PLAN_MARKS) for value in documents.values)


def refuse(documents: Documents, limits: Limits) -> PlanParseError:
    """Why an input that somebody named is none of the formats."""
    from plangate.parsers.terraform_plan import parse_documents  # noqa: PLC0415

    if all(isinstance(value, dict) for value in documents.values):
        try:
            parse_documents(documents, Options(), limits)
        except PlanParseError as error:
            if "not a Terraform plan" not in error.problem:
                return error
    keys = sorted(documents.values[0])[:5] if isinstance(documents.values[0], dict) else []
    listed = f" (found: {', '.join(keys)})"[:200] if keys else ""
    hint = _SOURCE_HINT
    if not _TERRAFORM.search(documents.source.data[:_HEAD_BYTES]):
        hint = (
            f"what can be judged: {', '.join(each.title for each in formats())}, a folder of Terraform source"
        )
    return PlanParseError(documents.source.name, f"not a plan of any kind{listed}", hint=hint)
