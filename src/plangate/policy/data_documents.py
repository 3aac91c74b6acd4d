"""Data documents of policies: read strictly, and put where their folders say."""

import json
from functools import lru_cache
from typing import Any, NoReturn

from plangate.errors import PolicyLoadError
from plangate.policy.trust import BundleUsed, Roots


def parse_data(text: str, name: str) -> Any:
    """One document, with numbers that the embedded engine holds exactly.

    Raises:
        PolicyLoadError: It is none; names the line of YAML.
    """
    # Most policy folders hold no data, and YAML takes longer to import than they take to read.
    from plangate.policy import strict_yaml  # noqa: PLC0415
    from plangate.policy.numbers import InexactNumberError, needs_exact_input, with_whole_numbers  # noqa: PLC0415

    def repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise PolicyLoadError(name, "a key is written twice in one object")
        return dict(pairs)

    def constant(text: str) -> NoReturn:
        raise PolicyLoadError(name, f"{text} is not a number")

    try:
        if not name.endswith(".json"):
            document = strict_yaml.parse(text)
            # Numbers are judged by their text, so the one check below serves both.
            text = json.dumps(document)
        # Keys that are written twice are found below, and would be lost here.
        json.loads(text, object_pairs_hook=repeated, parse_constant=constant)
        text = with_whole_numbers(text.encode()).decode()
        document = json.loads(text, object_pairs_hook=repeated, parse_constant=constant)
        if needs_exact_input(text.encode()):
            raise PolicyLoadError(name, "the embedded engine cannot hold an integer beyond 64 bits exactly")
    except InexactNumberError as problem:
        raise PolicyLoadError(
            name, f"the embedded engine cannot hold the number {problem} exactly"
        ) from problem
    except strict_yaml.StrictYamlError as problem:
        raise PolicyLoadError(name, f"not a data document: {problem}", line=problem.line) from problem
    except (ValueError, RecursionError) as problem:
        said = " ".join(str(problem).split())[:200]
        raise PolicyLoadError(name, f"not a data document: {said}") from problem
    return document


def bundled(
    document: Any, folders: tuple[str, ...], bundle: BundleUsed | None, name: str
) -> tuple[Any, list[tuple[str, Any]]]:
    """A data document without the default settings that a bundle brings along for OPA, and those."""
    if bundle is None or not isinstance(document, dict):
        return document, []
    _refuse_outside(document, folders, _roots(bundle.roots), name)
    if folders or not isinstance(document.get("plangate"), dict) or set(document["plangate"]) != {"settings"}:
        return document, []
    rest = {key: value for key, value in document.items() if key != "plangate"}
    return rest, [(name, document["plangate"]["settings"])]


_roots = lru_cache(maxsize=8)(Roots)
"""A bundle has few roots or many, and few data documents or many."""


def _refuse_outside(value: Any, path: tuple[str, ...], roots: Roots, name: str) -> None:
    """Refuse data that a bundle's roots do not allow for."""
    if roots.hold(path):
        return
    if not (isinstance(value, dict) and roots.lie_below(path)):
        raise PolicyLoadError(name, f"data.{'.'.join(path)[:200]} is outside of the bundle's roots")
    for key, item in value.items():
        _refuse_outside(item, (*path, key), roots, name)


def merge(data: dict[str, Any], document: Any, folders: tuple[str, ...], name: str) -> None:
    """Put a document where its folder says; two documents may share folders but no key."""
    if not isinstance(document, dict):
        raise PolicyLoadError(name, "a data document must be an object")
    place = data
    for folder in folders:
        place = place.setdefault(folder, {})
        if not isinstance(place, dict):
            raise PolicyLoadError(name, f'"{folder}" is already a value in another data document')
    for key, value in document.items():
        if key in place:
            raise PolicyLoadError(name, f'"{key}" is already in another data document')
        place[key] = value
