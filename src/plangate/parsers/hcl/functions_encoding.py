"""Functions that encode and decode text, and hashes of it."""

import base64
import binascii
import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Final
from urllib.parse import quote_plus

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import TEXT, Function, check_size
from plangate.parsers.hcl.values import Value, text

_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "latin-1",
}
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NAMESPACES: Final = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FIELD: Final = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",\n]*+))(,|\n|\Z)')


def _unbase64(source: str) -> bytes:
    joined = source.replace("\r", "").replace("\n", "")
    if not _BASE64.fullmatch(joined):
        raise ValueError("not base64")
    try:
        return base64.b64decode(joined, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _base64decode(source: str) -> Value:
    try:
        return _unbase64(source).decode()
    except UnicodeDecodeError as error:
        raise ValueError("the decoded bytes are not UTF-8") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _textencodebase64(source: str, encoding: str) -> Value:
    codec = _ENCODINGS.get(encoding.lower())
    if codec is None:
        return UNKNOWN
    try:
        return _base64(source.encode(codec))
    except UnicodeEncodeError as error:
        raise ValueError("the string has characters that the encoding has not") from error


def _textdecodebase64(source: str, encoding: str) -> Value:
    codec = _ENCODINGS.get(encoding.lower())
    data = _unbase64(source)
    if codec is None:
        return UNKNOWN
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return UNKNOWN  # some encodings replace what they cannot read


def _csvdecode(source: str) -> Value:
    rows = list(_rows(source.replace("\r\n", "\n")))
    if not rows:
        raise ValueError("a header line is required")
    header = [text(name) for name in rows[0]]
    if len(set(header)) != len(header):
        raise ValueError("two columns have the same name")
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a line with another number of fields than the first")
    check_size(len(rows) * len(header))
    return [dict(zip(header, map(text, row), strict=True)) for row in rows[1:]]


def _rows(source: str) -> "list[list[str]]":
    rows: list[list[str]] = []
    row: list[str] = []
    at = 0
    while at < len(source):
        if not row and source[at] == "\n":
            at += 1
            continue
        match = _FIELD.match(source, at)
        if match is None:
            raise ValueError("a quote in the wrong place")
        at = match.end()
        row.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        if match[3] != ",":
            rows.append(row)
            row = []
        elif at == len(source):
            rows.append([*row, ""])
            row = []
    return rows


def _uuidv5(namespace: str, name: str) -> Value:
    space = _NAMESPACES.get(namespace)
    if space is None:
        if not _UUID.fullmatch(namespace):
            # Terraform reads a few more spellings of a UUID; what has no 32 digits is none.
            if len(re.findall("[0-9a-fA-F]", namespace)) < 32:  # noqa: PLR2004 -- digits of a UUID
                raise ValueError("the namespace is neither known nor a UUID")
            return UNKNOWN
        space = uuid.UUID(namespace)
    return str(
        uuid.UUID(
            bytes=hashlib.sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:16], version=5
        )
    )


def _hex(name: str) -> Callable[[str], Value]:
    return lambda source: hashlib.new(name, source.encode(), usedforsecurity=False).hexdigest()


def _digest(name: str) -> Callable[[str], Value]:
    return lambda source: _base64(hashlib.new(name, source.encode()).digest())


FUNCTIONS: Final = (
    Function(name="base64decode", run=_base64decode, parameters=(TEXT,)),
    Function(name="base64encode", run=lambda source: _base64(source.encode()), parameters=(TEXT,)),
    Function(name="base64sha256", run=_digest("sha256"), parameters=(TEXT,)),
    Function(name="base64sha512", run=_digest("sha512"), parameters=(TEXT,)),
    Function(name="csvdecode", run=_csvdecode, parameters=(TEXT,)),
    Function(name="md5", run=_hex("md5"), parameters=(TEXT,)),
    Function(name="sha1", run=_hex("sha1"), parameters=(TEXT,)),
    Function(name="sha256", run=_hex("sha256"), parameters=(TEXT,)),
    Function(name="sha512", run=_hex("sha512"), parameters=(TEXT,)),
    Function(name="textdecodebase64", run=_textdecodebase64, parameters=(TEXT, TEXT)),
    Function(name="textencodebase64", run=_textencodebase64, parameters=(TEXT, TEXT)),
    Function(name="urlencode", run=lambda source: quote_plus(source, safe=""), parameters=(TEXT,)),
    Function(name="uuidv5", run=_uuidv5, parameters=(TEXT, TEXT)),
)
