"""Functions of strings, but for patterns and formats."""

import posixpath
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import MAX_TEXT_CHARS, NUM, TEXT, TEXTS, Function, check_size, whole
from plangate.parsers.hcl.functions_graphemes import clusters
from plangate.parsers.hcl.functions_regex import replace_pattern
from plangate.parsers.hcl.values import Value

_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Their other case is more than one letter, and Terraform, which goes letter by letter, leaves them alone.
_NO_SINGLE_UPPER: Final = frozenset("\u00df\u0149\u01f0\u0390\u03b0\u0587")


def _chomp(text: str) -> Value:
    return text.rstrip("\r\n")


def _indent(spaces: int | Decimal, text: str) -> Value:
    width = whole(spaces, "number of spaces")
    if width < 0:
        raise ValueError("number of spaces must not be negative")
    check_size(len(text) + (text.count("\n") + 1) * width, MAX_TEXT_CHARS)
    return text.replace("\n", "\n" + " " * width)


def _join(separator: str, *lists: list[str | None]) -> Value:
    items = [item for items in lists for item in items]
    texts = [item for item in items if item is not None]
    if len(texts) != len(items):
        raise ValueError("a null item cannot be joined")
    check_size(sum(map(len, texts)) + len(separator) * len(texts), MAX_TEXT_CHARS)
    return separator.join(texts)


def _cased(change: Callable[[str], str]) -> Callable[[str], Value]:
    """Letter by letter, without looking at neighbours; unknown where a letter's other case is not one letter."""

    def run(text: str) -> Value:
        if text.isascii():
            return change(text)
        made = [c if c in _NO_SINGLE_UPPER else change(c) for c in text]
        return "".join(made) if all(len(c) == 1 for c in made) else UNKNOWN

    return run


def _replace(text: str, old: str, new: str) -> Value:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return replace_pattern(text, old[1:-1], new)
    count = text.count(old)
    check_size(len(text) + count * len(new), MAX_TEXT_CHARS)
    return text.replace(old, new)


def _split(separator: str, text: str) -> Value:
    parts = text.split(separator) if separator else list(text)
    check_size(len(parts))
    return parts


def _strrev(text: str) -> Value:
    found = clusters(text)
    return UNKNOWN if found is None else "".join(reversed(found))


def _substr(text: str, offset: int | Decimal, length: int | Decimal) -> Value:
    start, size = whole(offset, "offset"), whole(length, "length")
    found = clusters(text)
    if found is None or (start < 0 and not size):
        return UNKNOWN  # no characters from the end is more than none in Terraform
    if start < 0:
        start = max(start + len(found), 0)
    return "".join(found[start:] if size < 0 else found[start : start + size])


def _title(text: str) -> Value:
    made = []
    inside = False
    for character in text:
        made.append(character if inside else character.title())
        if len(made[-1]) != 1:
            return UNKNOWN
        word = character.isalnum() or character == "_"
        # Beyond ASCII only white space parts words.
        inside = word if character.isascii() else character not in _SPACE
    return "".join(made)


def _basename(path: str) -> Value:
    if not path:
        return "."
    stripped = path.rstrip("/")
    return posixpath.basename(stripped) if stripped else "/"


def _dirname(path: str) -> Value:
    cleaned = posixpath.normpath(path[: path.rfind("/") + 1] or ".")
    # Two slashes in front mean something to POSIX, and nothing to Terraform.
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


FUNCTIONS: Final = (
    Function(name="basename", run=_basename, parameters=(TEXT,)),
    Function(name="chomp", run=_chomp, parameters=(TEXT,)),
    Function(name="dirname", run=_dirname, parameters=(TEXT,)),
    Function(name="endswith", run=lambda text, end: text.endswith(end), parameters=(TEXT, TEXT)),
    Function(name="indent", run=_indent, parameters=(NUM, TEXT)),
    Function(name="join", run=_join, parameters=(TEXT,), rest=TEXTS, least=2),
    Function(name="lower", run=_cased(str.lower), parameters=(TEXT,)),
    Function(name="replace", run=_replace, parameters=(TEXT, TEXT, TEXT)),
    Function(name="split", run=_split, parameters=(TEXT, TEXT)),
    Function(name="startswith", run=lambda text, start: text.startswith(start), parameters=(TEXT, TEXT)),
    Function(name="strcontains", run=lambda text, part: part in text, parameters=(TEXT, TEXT)),
    Function(name="strrev", run=_strrev, parameters=(TEXT,)),
    Function(name="substr", run=_substr, parameters=(TEXT, NUM, NUM)),
    Function(name="title", run=_title, parameters=(TEXT,)),
    Function(name="trim", run=lambda text, cut: text.strip(cut) if cut else text, parameters=(TEXT, TEXT)),
    Function(name="trimprefix", run=lambda text, start: text.removeprefix(start), parameters=(TEXT, TEXT)),
    Function(name="trimspace", run=lambda text: text.strip(_SPACE), parameters=(TEXT,)),
    Function(name="trimsuffix", run=lambda text, end: text.removesuffix(end), parameters=(TEXT, TEXT)),
    Function(name="upper", run=_cased(str.upper), parameters=(TEXT,)),
)
