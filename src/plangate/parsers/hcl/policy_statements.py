"""Statements of policy documents as hashicorp/aws 5.100.0 keeps them, from blocks and from text.

What the provider sorts is sorted as it does: actions, resources and identifiers fall, conditions keep their order.
Blocks of one kind are a set, whose order is that of their checksums.

Source: https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/iam_policy_document
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

_WITHOUT_VARIABLES: Final = "2008-10-17"
_ELEMENTS: Final = (
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
)  # fmt: skip
"""Of a statement, in the order in which they are written."""


class UnclearError(ValueError):
    """What a policy document says cannot be told."""


def written_statement(row: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A statement that is a block.

    Args:
        row: Its arguments, and its blocks as lists of theirs; without what is not set.
        version: Of the document.

    Raises:
        UnclearError: The provider refuses it, or keeps less than what it says.
    """
    effect = row.get("effect", "Allow")
    if effect not in {"Allow", "Deny"}:
        raise UnclearError("an effect that the provider refuses")
    made = {
        "Sid": row.get("sid", ""),
        "Effect": effect,
        "Action": _one_or_all(_falling(row.get("actions", []))),
        "NotAction": _one_or_all(_falling(row.get("not_actions", []))),
        "Resource": _one_or_all(_filled(_falling(row.get("resources", [])), version)),
        "NotResource": _one_or_all(_filled(_falling(row.get("not_resources", [])), version)),
        "Principal": _principals(row.get("principals", []), version),
        "NotPrincipal": _principals(row.get("not_principals", []), version),
        "Condition": _conditions(row.get("condition", []), version),
    }
    return {name: value for name, value in made.items() if value or (name != "Sid" and value == "")}


def _principals(rows: list[dict[str, Any]], version: str) -> Any:
    found: dict[str, list[list[str]]] = {}
    for row in _in_set(rows, lambda r: f"identifiers:{{{_joined(r['identifiers'])}}};type:{r['type']};"):
        filled = _filled(_falling(row["identifiers"]), version)
        found.setdefault(row["type"], []).append(sorted(filled, reverse=True))
    made = {
        kind: _one_or_all(lists[0]) if len(lists) == 1 else [item for each in lists for item in each]
        for kind, lists in sorted(found.items())
    }
    return _without_star(made) if len(found.get("*", ())) == 1 else made


def _conditions(rows: list[dict[str, Any]], version: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, list[str]]] = {}
    for row in _in_set(
        rows,
        lambda r: (
            f"test:{r['test']};values:({''.join(f'{v};' for v in r['values'])});variable:{r['variable']};"
        ),
    ):
        values = found.setdefault(row["test"], {}).setdefault(row["variable"], [])
        values += _filled(row["values"], version)
    return {
        test: {variable: _one_or_all(values) for variable, values in sorted(tested.items())}
        for test, tested in sorted(found.items())
    }


def _in_set(items: list[Any], serialized: Callable[[Any], str]) -> list[Any]:
    """The different ones, in the order in which the provider keeps them.

    It keeps them by a checksum. Of two that share one it loses one, and it is not for us to say which.
    """
    found: dict[str, Any] = {}
    for item in items:
        if found.setdefault(str(crc32(serialized(item).encode())), item) != item:
            raise UnclearError("two that the provider takes for one")
    return [found[code] for code in sorted(found)]


def _joined(items: list[str]) -> str:
    return "".join(f"{item};" for item in _in_set(items, "{};".format))


def _falling(items: list[str]) -> list[str]:
    return sorted(_in_set(items, "{};".format), reverse=True)


def _filled(items: list[str], version: str) -> list[str]:
    """With IAM's variables, for which one writes ``&{…}`` because ``${…}`` is Terraform's."""
    if version == _WITHOUT_VARIABLES and any("&{" in item for item in items):
        raise UnclearError("variables in a version that has none, which the provider refuses")
    return [item.replace("&{", "${") for item in items]


def _one_or_all(items: list[str]) -> Any:
    return items[0] if len(items) == 1 else items


def _without_star(principals: dict[str, Any]) -> Any:
    return "*" if principals in ({"*": "*"}, {"*": ["*"]}) else principals


# Documents that are text


def read_document(text: str) -> dict[str, Any]:
    """A document that is text, as the provider reads it.

    Raises:
        UnclearError: The provider refuses it, or reads it in another way than it is written.
    """
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise UnclearError("nested too deeply") from error
    if not isinstance(found, dict) or not found.keys() <= {"Version", "Id", "Statement"}:
        raise UnclearError("not a policy document")
    statements = found.get("Statement", [])
    if not isinstance(statements, list) or not _is_text(found.get("Version", ""), found.get("Id", "")):
        raise UnclearError("not a policy document")
    return found | {"Statement": [_read_statement(statement) for statement in statements]}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnclearError("the same name twice")
    return found


def _read_statement(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not given.keys() <= set(_ELEMENTS):
        raise UnclearError("not a statement")
    made = {name: _READ[name](given[name]) for name in _ELEMENTS if name in given}
    return {name: value for name, value in made.items() if value != "" or name not in {"Sid", "Effect"}}


def _is_text(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnclearError("not text")
    return value


def _read_texts(value: Any) -> Any:
    if not isinstance(value, str) and not (isinstance(value, list) and _is_text(*value)):
        raise UnclearError("not text or a list of it")
    return value


def _read_principals(value: Any) -> Any:
    if value == "*":
        return value
    if not isinstance(value, dict) or not value:
        raise UnclearError("a principal that the provider takes for another")
    read = {kind: _read_texts(value[kind]) for kind in sorted(value)}
    return _without_star({k: sorted(v, reverse=True) if isinstance(v, list) else v for k, v in read.items()})


def _read_conditions(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not value or not all(isinstance(v, dict) and v for v in value.values()):
        raise UnclearError("conditions that the provider takes for others")
    return {
        test: {variable: _read_condition(tested[variable]) for variable in sorted(tested)}
        for test, tested in sorted(value.items())
    }


def _read_condition(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    read = _read_texts(value)
    return _one_or_all(read) if isinstance(read, list) else read


_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "Sid": _read_text,
        "Effect": _read_text,
        **dict.fromkeys(("Action", "NotAction", "Resource", "NotResource"), _read_texts),
        **dict.fromkeys(("Principal", "NotPrincipal"), _read_principals),
        "Condition": _read_conditions,
    }
)
