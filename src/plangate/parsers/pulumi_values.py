"""Property values as Pulumi's engine writes them: unknowns, secrets, assets and references to plain values.

Rules this module keeps:
1. A placeholder for a value that is known only after apply is `UNKNOWN`, also in the middle of a longer text.
2. A secret that the engine hides is `UNKNOWN` and sensitive: it has a value, and nobody here knows it.
3. A secret that is shown is its value, sensitive, and remembered.
4. A signature that this module does not know is a `ValueProblemError`: it stands for something other than an object.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go (``UnknownStringValue`` …)
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from plangate.errors import PlanParseError
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits
from plangate.parsers.documents import read_json
from plangate.parsers.terraform_values import leaves

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key that makes an object something else than an object."""
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - it marks secrets, it is none
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_BYTES: Final = "803fd3297a5875dc03ca845dda5d2a98"
_ASSETS: Final = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})

HIDDEN: Final = "[secret]"
_UNKNOWN_WORDS: Final = frozenset({"[unknown]", "computed<unknown>"})
_UNKNOWN_INSIDE: Final = re.compile(
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # text
    "|1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"  # true or false
    "|3eeb2bf0-c639-47a8-9e75-3b44932eb421"  # number
    "|6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"  # list
    "|030794c1-ac77-496b-92df-f27374a8bd58"  # asset
    "|e48ece36-62e2-4504-bad9-02848725956a"  # archive
    "|dd056dcd-154b-4c76-9bd3-c8f88648b5ff"  # object
    # What a program gets that makes text of an output: the text of a complaint, instead of the value.
    r"|Calling __str__ on an Output\[T\]|Calling \[toString\] on an \[Output<T>\]"
)
_OUTPUT_WORD: Final = re.compile(r"output<[^<>]{0,100}+>")
_INTERNAL: Final = frozenset({"__defaults", "__meta", "__internal", "__pulumi_raw_state_delta"})
"""Notes that bridged providers keep beside the properties."""


class ValueProblemError(ValueError):
    """A value that is not written as the engine writes values, or whose paths would need too much memory."""


class Found(Struct):
    """What reading one tree of values has found beside the values.

    Attributes:
        sensitive: JSON Pointers of secrets.
        secrets: Their texts and numbers, as far as the document shows them.
        references: JSON Pointer of a value → URNs of the resources that it is made of, where the value says so.
    """

    sensitive: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    references: dict[str, tuple[str, ...]] = field(default_factory=dict)


class PropertyReader:
    """Reads the property values of one document.

    Args:
        limits: What a secret's text may hold, and the characters of all pointers that may be made.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.max_plan_bytes

    def read(self, values: Mapping[str, Any], found: Found) -> dict[str, Any]:
        """The plain properties of one resource; what is beside them goes to ``found``.

        Raises:
            ValueProblemError: See there.
        """
        return self._object(values, lambda: "", found)

    def unknown_in(self, value: Any) -> tuple[str, ...]:
        """JSON Pointers of everything `UNKNOWN`, sorted."""
        return tuple(sorted(self._unknown(value, "")))

    def _unknown(self, value: Any, at: str) -> Iterator[str]:
        if value is UNKNOWN:
            self._spend(at)
            yield at
        elif isinstance(value, dict):
            for key, item in value.items():
                if item is UNKNOWN or isinstance(item, dict | list):
                    yield from self._unknown(item, f"{at}/{_escaped(key)}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if item is UNKNOWN or isinstance(item, dict | list):
                    yield from self._unknown(item, f"{at}/{index}")

    def _value(self, value: Any, at: Callable[[], str], found: Found) -> Any:
        if isinstance(value, str):
            if value == HIDDEN:
                found.sensitive.add(self._spent(at))
                return UNKNOWN
            return UNKNOWN if is_unknown_text(value) else value
        if isinstance(value, dict):
            return self._special(value, at, found) if SIGNATURE in value else self._object(value, at, found)
        if isinstance(value, list):
            return [
                self._value(item, lambda index=index: f"{at()}/{index}", found)  # type: ignore[misc]
                for index, item in enumerate(value)
            ]
        return value

    def _object(self, value: Mapping[str, Any], at: Callable[[], str], found: Found) -> dict[str, Any]:
        return {
            key: self._value(item, lambda key=key: f"{at()}/{_escaped(key)}", found)  # type: ignore[misc]
            for key, item in value.items()
            if key not in _INTERNAL
        }

    def _special(self, value: Mapping[str, Any], at: Callable[[], str], found: Found) -> Any:
        signature = value[SIGNATURE]
        if signature == _SECRET:
            return self._secret(value, at, found)
        if signature == _REFERENCE:
            return self._reference(value, at, found)
        if signature == _OUTPUT:
            return self._output(value, at, found)
        if signature == _BYTES:
            return UNKNOWN
        if isinstance(signature, str) and signature in _ASSETS:
            plain = {key: item for key, item in value.items() if key != SIGNATURE}
            return self._object(plain, at, found)
        raise ValueProblemError("an object with a signature that is not known")

    def _secret(self, value: Mapping[str, Any], at: Callable[[], str], found: Found) -> Any:
        place = self._spent(at)
        found.sensitive.add(place)
        shown = value.get("plaintext")
        if isinstance(shown, str):
            try:
                inner, _ = read_json(shown.encode("utf-8", "surrogatepass"), "", self._limits)
            except PlanParseError:
                found.secrets |= leaves(shown)
                return UNKNOWN
        elif "value" in value:
            inner = value["value"]
        else:
            return UNKNOWN
        found.secrets |= leaves(inner)
        return self._value(inner, at, found)

    def _reference(self, value: Mapping[str, Any], at: Callable[[], str], found: Found) -> Any:
        urn, name = value.get("urn"), value.get("id")
        if not isinstance(urn, str):
            raise ValueProblemError("a reference to a resource without its URN")
        found.references[self._spent(at)] = (urn,)
        return name if isinstance(name, str) and name and not is_unknown_text(name) else UNKNOWN

    def _output(self, value: Mapping[str, Any], at: Callable[[], str], found: Found) -> Any:
        place = self._spent(at)
        depends = value.get("dependencies")
        if isinstance(depends, list):
            found.references[place] = tuple(urn for urn in depends if isinstance(urn, str))
        if value.get("secret") not in (None, False):
            found.sensitive.add(place)
            found.secrets |= leaves(value.get("value"))
        return self._value(value["value"], at, found) if "value" in value else UNKNOWN

    def _spent(self, at: Callable[[], str]) -> str:
        place = at()
        self._spend(place)
        return place

    def _spend(self, place: str) -> None:
        self._left -= len(place)
        if self._left < 0:
            raise ValueProblemError("marks more properties, by longer paths, than can be kept")


def is_unknown_text(text: str) -> bool:
    """Whether a text stands for, or was made of, a value that is known only after apply."""
    return (
        text in _UNKNOWN_WORDS
        or _UNKNOWN_INSIDE.search(text) is not None
        or _OUTPUT_WORD.fullmatch(text) is not None
    )


def overlaid(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What is in either; where both have a value, the one above, and in objects member by member.

    A list above stays as it is: its items cannot be told apart from those of the other.
    """
    found = dict(base)
    for key, value in above.items():
        below = found.get(key)
        found[key] = overlaid(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return found


def without_unknown(value: Any) -> Any:
    """The value without its unknown members (in lists they are ``None``); parts without any are shared."""
    if isinstance(value, dict):
        kept = {key: without_unknown(item) for key, item in value.items() if item is not UNKNOWN}
        same = len(kept) == len(value) and all(kept[key] is value[key] for key in kept)
        return value if same else kept
    if isinstance(value, list):
        items = [None if item is UNKNOWN else without_unknown(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
