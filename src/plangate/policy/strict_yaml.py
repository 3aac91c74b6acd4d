"""YAML as plain JSON values, with nothing that two YAML readers understand differently.

Aliases, tags, repeated keys and scalars that YAML 1.1 and 1.2 disagree on (``yes``, ``0777``, ``1_000``, dates)
are refused with their line: OPA and we must read the same thing.
"""

import re
from typing import Any, Final

import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}

MAX_DEPTH: Final = 50


class StrictYamlError(ValueError):
    """What is wrong, and on which line of the text (from 1)."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def parse(text: str) -> Any:
    """The document's only value, made of dict, list, str, int, float, bool and None.

    Raises:
        StrictYamlError: Not YAML, or ambiguous.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise StrictYamlError(str(problem.problem or problem), mark.line + 1 if mark else 1) from problem
    except yaml.YAMLError as problem:
        raise StrictYamlError(" ".join(str(problem).split()), 1) from problem
    except RecursionError as problem:
        raise StrictYamlError("nested too deeply", 1) from problem
    return None if node is None else _value(node, set(), 0)


def lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line (from 1) on which each key and each item stands, by its path; for the document, ``()``, it is 0.

    Args:
        text: What `parse` accepts.
    """
    found: dict[tuple[str | int, ...], int] = {}

    def visit(node: Any, path: tuple[str | int, ...], line: int) -> None:
        found[path] = line
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                visit(value, (*path, key.value), key.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                visit(item, (*path, index), item.start_mark.line + 1)

    visit(yaml.compose(text, Loader=_LOADER), (), 0)
    return found


def _value(node: Any, seen: set[int], depth: int) -> Any:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise StrictYamlError("aliases are not allowed", line)
    seen.add(id(node))
    if depth > MAX_DEPTH:
        raise StrictYamlError(f"nested more than {MAX_DEPTH} levels deep", line)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node.value, node.tag.removeprefix(_TAG), line)
    if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        return [_value(item, seen, depth + 1) for item in node.value]
    if not isinstance(node, yaml.MappingNode) or node.tag != _TAG + "map":
        raise StrictYamlError(f"the tag {node.tag} is not allowed", line)
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = _value(key, seen, depth + 1)
        if not isinstance(name, str):
            raise StrictYamlError(
                f"the key {name!r} must be a text: put it in quotes", key.start_mark.line + 1
            )
        if name in found:
            raise StrictYamlError(f'"{name}" is written twice', key.start_mark.line + 1)
        found[name] = _value(value, seen, depth + 1)
    return found


def _scalar(text: str, tag: str, line: int) -> Any:
    if tag == "str":
        return text
    if tag in {"bool", "null"} and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if tag == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if tag == "float" and _DECIMAL.fullmatch(text):
        return float(text)
    raise StrictYamlError(f"{text!r} is read differently by different YAML readers: put it in quotes", line)
