"""A bundle's ``.manifest``: its revision, what it may define, and what Plangate is to expect in it.

``metadata.plangate`` is ours: the bundle's name, a sequence number that only ever grows, and the ids of its rules.
OPA keeps it as it is. A key that is not known is refused, since it may change what the bundle means.
"""

from itertools import pairwise
from typing import Any, Final, NoReturn

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.policy import strict_json
from plangate.policy.trust import MAX_SEQUENCE

MANIFEST: Final = ".manifest"
BUNDLE_SCHEMA: Final = "plangate.dev/bundle/v1"
_MAX_TEXT: Final = 200
_MAX_ENTRIES: Final = 2_000
_KNOWN: Final = {"revision", "roots", "wasm", "rego_version", "file_rego_versions", "metadata"}
_OURS: Final = {"schema", "name", "sequence", "rules", "made_with"}


class Manifest(Struct, frozen=True, kw_only=True):
    """A manifest that was understood.

    Attributes:
        revision: For people; may be empty.
        roots: Paths below ``data`` that the bundle may define, without slashes around; ``""`` is all of it.
        name: The bundle's name, or empty.
        sequence: Its number, or ``None``.
        rules: Ids that it has to hold, or ``None``.
        made_with: The version of plangate that made it, or empty.
    """

    revision: str
    roots: tuple[str, ...]
    name: str = ""
    sequence: int | None = None
    rules: tuple[str, ...] | None = None
    made_with: str = ""


def read_manifest(content: bytes, place: str) -> Manifest:
    """The manifest.

    Raises:
        PolicyLoadError: Not JSON, or not a manifest that is wholly understood.
    """
    try:
        document = strict_json.parse(content)
    except strict_json.StrictJsonError as problem:
        raise PolicyLoadError(place, f"not JSON: {problem}") from problem
    if not isinstance(document, dict):
        _refuse(place, "expected an object")
    if unknown := sorted(set(document) - _KNOWN):
        _refuse(place, f"unknown key {unknown[0][:40]!r} (known: {', '.join(sorted(_KNOWN))})")
    if document.get("wasm"):
        _refuse(place, "lists WebAssembly modules, which plangate does not run")
    versions = document.get("file_rego_versions") or {}
    if not isinstance(versions, dict):
        _refuse(place, "file_rego_versions: expected an object")
    for found in (document.get("rego_version", strict_json.Number("1")), *versions.values()):
        if found != strict_json.Number("1") or not isinstance(found, strict_json.Number):
            _refuse(place, "has policies in Rego v0, which would be read as Rego v1", "build it with Rego v1")
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        _refuse(place, "metadata: expected an object")
    ours = metadata.get("plangate")
    return Manifest(
        revision=_text(document.get("revision", ""), "revision", place),
        roots=_roots(document.get("roots", [""]), place),
        **({} if ours is None else _ours(ours, place)),
    )


def _roots(found: Any, place: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or len(found) > _MAX_ENTRIES:
        _refuse(place, f"roots: expected a list of 1 to {_MAX_ENTRIES} paths")
    roots = tuple(_text(root, "roots", place).strip("/") for root in found)
    if any(part in {"", ".", ".."} for root in roots if root for part in root.split("/")):
        _refuse(place, "roots: expected paths such as policies/storage")
    ordered = sorted(roots, key=lambda root: root.split("/"))
    for above, below in pairwise(ordered):
        # In this order whatever is below a root follows right after it.
        if not above or below.split("/")[: above.count("/") + 1] == above.split("/"):
            _refuse(place, f"roots: {above!r} and {below!r} overlap")
    return roots


def _ours(found: Any, place: str) -> dict[str, Any]:
    where = "metadata.plangate"
    if not isinstance(found, dict) or found.get("schema") != BUNDLE_SCHEMA:
        _refuse(place, f"{where}.schema: expected {BUNDLE_SCHEMA!r}")
    if unknown := sorted(set(found) - _OURS):
        _refuse(place, f"{where}: unknown key {unknown[0][:40]!r} (known: {', '.join(sorted(_OURS))})")
    name = _text(found.get("name"), f"{where}.name", place)
    if not name:
        _refuse(place, f"{where}.name: empty")
    rules = found.get("rules")
    if not isinstance(rules, list) or not rules or len(rules) > _MAX_ENTRIES:
        _refuse(place, f"{where}.rules: expected a list of 1 to {_MAX_ENTRIES} rule ids")
    ids = tuple(_text(rule, f"{where}.rules", place) for rule in rules)
    if len(set(ids)) != len(ids):
        _refuse(place, f"{where}.rules: an id is there twice")
    return {
        "name": name,
        "rules": ids,
        "sequence": _sequence(found["sequence"], place) if "sequence" in found else None,
        "made_with": _text(found.get("made_with", ""), f"{where}.made_with", place),
    }


def _sequence(found: Any, place: str) -> int:
    if (
        not isinstance(found, strict_json.Number)
        or not found.isdecimal()
        or not found.isascii()
        or len(found) > len(str(MAX_SEQUENCE))
        or int(found) > MAX_SEQUENCE
    ):
        _refuse(place, f"metadata.plangate.sequence: expected a whole number from 0 to {MAX_SEQUENCE}")
    return int(found)


def _text(found: Any, where: str, place: str, longest: int = _MAX_TEXT) -> str:
    # A `Number` is a text in Python only.
    if type(found) is not str or len(found) > longest or not found.isprintable():
        _refuse(place, f"{where}: expected a text of at most {longest} characters in one line")
    return found


def _refuse(place: str, problem: str, hint: str = "") -> NoReturn:
    raise PolicyLoadError(place, problem, hint=hint)
