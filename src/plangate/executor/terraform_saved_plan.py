"""What the executor has to know about a saved plan beside its JSON: how it was made.

The JSON that ``show`` gives leaves out the planning mode, the targets and the workspace, and a follow-up
plan made without them would compare with something else. They stand at the top level of the plan's protobuf
message, whose field numbers are read here and nothing else. The format is terraform's own: anything
unexpected gives ``None``, and the caller goes on as for a plain plan, which can only find more differences,
not fewer.

Source: https://github.com/hashicorp/terraform/blob/v1.11/internal/plans/planproto/planfile.proto
"""

import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from typing import Final

from msgspec import Struct

_MEMBER: Final = "tfplan"
_FORMAT: Final = 3
_FIELD_FORMAT, _FIELD_TARGET, _FIELD_BACKEND, _FIELD_MODE = 1, 5, 13, 17
_BACKEND_WORKSPACE: Final = 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BITS: Final = 64


class Mode(StrEnum):
    """The planning mode, by its flag."""

    NORMAL = ""
    DESTROY = "-destroy"
    REFRESH_ONLY = "-refresh-only"


_MODES: Final = {0: Mode.NORMAL, 1: Mode.DESTROY, 2: Mode.REFRESH_ONLY}


class Making(Struct, frozen=True, kw_only=True):
    """How a plan was made.

    Attributes:
        mode: Its planning mode.
        targets: Addresses of ``-target``, in order.
        workspace: Name of the workspace, or empty.
        backend: Where the state lies, workspace included, as the plan has it: for comparison only, it may hold secrets.
    """

    mode: Mode
    targets: tuple[str, ...]
    workspace: str
    backend: bytes = b""

    def __repr__(self) -> str:
        """Without ``backend``."""
        return f"Making(mode={self.mode!r}, targets={self.targets!r}, workspace={self.workspace!r})"


def how_it_was_made(plan: bytes, *, max_bytes: int) -> Making | None:
    """Read it from a saved plan's bytes, or ``None`` when it is not as expected."""
    try:
        with zipfile.ZipFile(BytesIO(plan)) as archive, archive.open(_MEMBER) as stream:
            message = stream.read(max_bytes + 1)
        return _making(message) if len(message) <= max_bytes else None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
    ):
        return None


def _making(message: bytes) -> Making | None:
    file_format: int | bytes = 0
    mode: int | bytes = 0
    targets: list[str] = []
    workspace, backend = "", b""
    for number, value in _fields(message):
        if number == _FIELD_FORMAT:
            file_format = value
        elif number == _FIELD_MODE:
            mode = value
        elif number == _FIELD_TARGET and isinstance(value, bytes):
            targets.append(value.decode())
        elif number == _FIELD_BACKEND and isinstance(value, bytes):
            backend = value
            workspace = next(
                (v.decode() for n, v in _fields(value) if n == _BACKEND_WORKSPACE and isinstance(v, bytes)),
                "",
            )
    if file_format != _FORMAT or not isinstance(mode, int) or mode not in _MODES:
        return None
    return Making(mode=_MODES[mode], targets=tuple(targets), workspace=workspace, backend=backend)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and value of each top-level field: whole numbers and byte strings; others are skipped.

    Raises:
        ValueError: It is cut short or no protobuf.

    Source: https://protobuf.dev/programming-guides/encoding/
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif wire == _BYTES:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("cut short")
            yield number, message[at : at + size]
            at += size
        elif wire in {_FIXED64, _FIXED32}:
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("not protobuf")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < _MAX_VARINT_BITS:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
        shift += 7
    raise ValueError("cut short")
