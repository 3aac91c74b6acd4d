"""``data.aws_iam_policy_document``: its text is made from its arguments alone, by the provider and here.

The text is the one that hashicorp/aws 5.100.0 writes. It is unknown as soon as anything in it is, or where the
provider refuses the arguments, or when an argument, a block or an element is not known here.

Source: https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/iam_policy_document
"""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.model.plan import Location
from plangate.model.values import UNKNOWN, Unknown
from plangate.parsers.hcl.blocks import RESOURCE_META, RESOURCE_META_BLOCKS, nested_blocks
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.functions_json import ESCAPES
from plangate.parsers.hcl.origins import Origins
from plangate.parsers.hcl.policy_statements import UnclearError, read_document, written_statement
from plangate.parsers.hcl.run import EvaluationError, Run
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Block, Body
from plangate.parsers.hcl.types import STRING, Type, collection, convert
from plangate.parsers.hcl.values import SetValue
from plangate.parsers.hcl.values import text as normal

DATA_SOURCE: Final = "data.aws_iam_policy_document."
COMPUTED: Final = frozenset({"json", "minified_json"})
_LIST: Final = collection("list", STRING)
_SET: Final = collection("set", STRING)
_PRINCIPALS: Final[Mapping[str, Type]] = {"identifiers": _SET, "type": STRING}
_ARGUMENTS: Final[Mapping[str, Mapping[str, Type]]] = MappingProxyType(
    {
        "": {"override_policy_documents": _LIST, "policy_id": STRING, "source_policy_documents": _LIST,
             "version": STRING},
        "statement": {"actions": _SET, "effect": STRING, "not_actions": _SET, "not_resources": _SET,
                      "resources": _SET, "sid": STRING},
        "principals": _PRINCIPALS,
        "not_principals": _PRINCIPALS,
        "condition": {"test": STRING, "values": _LIST, "variable": STRING},
    }
)  # fmt: skip
_BLOCKS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"": frozenset({"statement"}), "statement": frozenset({"principals", "not_principals", "condition"})}
)
_VERSIONS: Final = frozenset({"2008-10-17", "2012-10-17"})


def document_text(block: Block, scope: Scope, name: str) -> str | Unknown:
    """The text of a policy document.

    Args:
        block: The data source.
        scope: Of its expressions.
        name: ``json``, or ``minified_json`` without white space.

    Raises:
        PlanParseError: It costs too much, or depends on itself.
    """
    run = scope.run
    try:
        row = _row("", _written(block.body, scope, top=True), run, block.place)
        made = _merged(row, run, block.place)
        spaced = name == "json"
        shown = json.dumps(
            made, ensure_ascii=False, indent=2 if spaced else None, separators=(",", ": " if spaced else ":")
        ).translate(ESCAPES)
        shown.encode()  # half of a surrogate pair is no text
    except (EvaluationError, ValueError):
        return UNKNOWN
    return run.spend_text(normal(shown), block.place)


def _written(body: Body, scope: Scope, *, top: bool = False) -> dict[str, Any]:
    """Arguments and blocks as they are written: a block is an object in a list, as in the JSON syntax."""
    found = {
        name: evaluate(attribute.value, scope.within(attribute.place.file))
        for name, attribute in body.attributes.items()
        if not top or name not in RESOURCE_META
    }
    for block, inner in nested_blocks(body, scope):
        if inner is None or block.type in body.attributes:
            raise UnclearError("it is not known how many blocks there are")
        if top and block.type in RESOURCE_META_BLOCKS:
            continue
        scope.run.spend(1, block.place)
        found.setdefault(block.type, []).append(_written(block.body, inner))
    return found


def _row(kind: str, given: Any, run: Run, place: Location) -> dict[str, Any]:
    """A block with its arguments converted to their types; what is null is not there."""
    if not isinstance(given, dict):
        raise UnclearError("not a block")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _BLOCKS.get(kind, ()):
            rows = [value] if isinstance(value, dict) else value
            if not isinstance(rows, list | tuple):
                raise UnclearError("not a list of blocks")
            found[name] = [_row(name, row, run, place) for row in rows]
        elif name in _ARGUMENTS[kind]:
            found[name] = _converted(value, _ARGUMENTS[kind][name], run, place)
        else:
            raise UnclearError("an argument or a block that is not known here")
    if kind not in _BLOCKS and found.keys() != _ARGUMENTS[kind].keys():
        raise UnclearError("a required argument is not there")
    return found


def _converted(value: Any, wanted: Type, run: Run, place: Location) -> Any:
    """The value in its type, a set as a list; all of it is known."""
    origins = Origins()
    plain = origins.stripped(value)
    run.spend_walk(origins.size, place)
    if origins.found:
        raise UnclearError("not known")
    made = convert(plain, wanted)
    found = list(made.items) if isinstance(made, SetValue) else made
    if isinstance(found, list) and None in found:
        raise UnclearError("an item that is null")
    # Blocks may share a long text that each of them writes.
    for text in found if isinstance(found, list) else [found]:
        run.spend_text(text, place)
    return found


def _merged(row: Mapping[str, Any], run: Run, place: Location) -> dict[str, Any]:
    """The document: statements replace those before them with the same ``Sid``."""

    def parsed(name: str) -> list[dict[str, Any]]:
        return [read_document(run.spend_text(text, place)) for text in row.get(name, ()) if text]

    sources, overrides = parsed("source_policy_documents"), parsed("override_policy_documents")
    version = row.get("version", "2012-10-17")
    if version not in _VERSIONS:
        raise UnclearError("a version that the provider refuses")
    own = [written_statement(statement, version) for statement in row.get("statement", ())]
    _refuse_equals(s["Sid"] for source in sources for s in source["Statement"] if "Sid" in s)
    _refuse_equals(s["Sid"] for s in own if "Sid" in s)
    statements: dict[str | int, dict[str, Any]] = {}
    found = {"Version": "", "Id": ""}
    named = {"Version": version, "Id": row.get("policy_id", ""), "Statement": own}
    for document in (*sources, named, *overrides):
        found["Version"] = max(found["Version"], document.get("Version", ""))
        found["Id"] = document.get("Id", "") or found["Id"]
        for statement in document["Statement"]:
            statements[statement.get("Sid", len(statements))] = statement
    made = {**found, "Statement": list(statements.values())}
    return {name: value for name, value in made.items() if value}


def _refuse_equals(names: Iterable[str]) -> None:
    listed = list(names)
    if len(set(listed)) < len(listed):
        raise UnclearError("two statements with the same Sid, which the provider refuses")
