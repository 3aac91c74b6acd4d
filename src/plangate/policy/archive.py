"""A gzipped tar archive as names and contents, read in one pass in memory; nothing is unpacked to disk.

Only what bundle tools write is taken: one gzip stream, plain files and folders, and the end of the archive. A tar
reader that is meant for people goes on after a bad header, follows links and lets a later member hide an earlier
one. Here all that is refused, so that two readers cannot see two bundles in one file.
"""

import re
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Final, NoReturn

from plangate.errors import PolicyLoadError
from plangate.policy.files import LoadLimits

_BLOCK: Final = 512
_GZIP: Final = 31  # zlib's word for "a gzip header and trailer, and check both"
_CHUNK: Final = 64 * 1024
_SIZE: Final = re.compile(rb" *[0-7]+[ \0]*")
_RATIO_FROM: Final = 1 << 20
"""Bytes that may come out whatever the ratio: short archives of similar files compress well."""
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_KINDS: Final = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CONTTYPE: "a contiguous file",
    tarfile.GNUTYPE_LONGNAME: "a name in a header of its own",
    tarfile.GNUTYPE_LONGLINK: "a link in a header of its own",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
    tarfile.XHDTYPE: "an extended header",
    tarfile.SOLARIS_XHDTYPE: "an extended header",
    tarfile.XGLTYPE: "a global extended header",
}


def read_archive(content: bytes, name: str, limits: LoadLimits) -> tuple[tuple[str, bytes], ...]:
    """Every file of an archive: its name without a leading slash, and its content, in the archive's order.

    Raises:
        PolicyLoadError: Not such an archive, more than the limits allow, or made to be read in two ways.
    """
    stream = _Stream(content, name, limits)
    found: list[tuple[str, bytes]] = []
    seen: dict[str, str] = {}
    members = 0
    while (header := stream.header()) is not None:
        members += 1
        if members > limits.max_members:
            raise PolicyLoadError(name, f"more than {limits.max_members} members (max_members)")
        if header.type not in _PLAIN:
            raise PolicyLoadError(
                name,
                f"{_KINDS.get(header.type, 'a member of an unknown type')}, and a bundle holds plain files: "
                f"{header.name[:100]!r}",
                hint="make it with `plangate policy bundle`, `opa build`, or GNU tar",
            )
        member = _clean(header.name, name, limits)
        if header.type == tarfile.DIRTYPE:
            if header.size:
                raise PolicyLoadError(f"{name}/{member}", "a folder with content")
            continue
        if not member or header.name.endswith("/"):
            raise PolicyLoadError(name, f"a file with the name {header.name!r}")
        folded = unicodedata.normalize("NFC", member).casefold()
        if folded in seen:
            twin = (
                "is there twice" if seen[folded] == member else f"differs from {seen[folded]} in case alone"
            )
            raise PolicyLoadError(f"{name}/{member}", twin)
        seen[folded] = member
        if not 0 <= header.size <= limits.max_file_bytes:
            raise PolicyLoadError(
                f"{name}/{member}", f"larger than {limits.max_file_bytes} bytes (max_file_bytes)"
            )
        found.append((member, stream.take(header.size)))
        if any(stream.take(-header.size % _BLOCK)):
            raise PolicyLoadError(f"{name}/{member}", "something stands behind its end")
    return tuple(found)


def _clean(raw: str, archive: str, limits: LoadLimits) -> str:
    """A member's name relative to the top, as OPA writes it (with a slash in front) or tar (with ``./``)."""

    def refuse(problem: str) -> NoReturn:
        raise PolicyLoadError(archive, f"a member with {problem}: {raw[:100]!r}")

    inner = raw.removesuffix("/")
    inner = inner[2:] if inner == "." or inner.startswith("./") else inner.removeprefix("/")
    if not inner:
        return ""
    parts = inner.split("/")
    if len(parts) - 1 > limits.max_depth:
        refuse(f"more than {limits.max_depth} folders (max_depth)")
    if any(part in {"", ".", ".."} for part in parts):
        refuse("a path that leads elsewhere")
    odd = any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in inner)
    if odd or "\\" in inner or any(part != part.strip() for part in parts):
        refuse("a name that reads differently elsewhere")
    if unicodedata.normalize("NFC", inner) != inner:
        refuse("a name that is not in normal form (NFC)")
    return inner


class _Stream:
    """Unpacks gzip piece by piece, and never more than the limits allow."""

    def __init__(self, content: bytes, name: str, limits: LoadLimits) -> None:
        self._name = name
        self._limits = limits
        self._packed = len(content)
        self._unpacked = 0
        self._buffer = bytearray()
        self._pieces = self._inflate(content)

    def take(self, count: int) -> bytes:
        """Exactly this many bytes."""
        while len(self._buffer) < count:
            piece = next(self._pieces, None)
            if piece is None:
                self._refuse("cut off: the archive ends within a member")
            self._buffer += piece
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def header(self) -> tarfile.TarInfo | None:
        """The next member's header, or ``None`` at the end of the archive, when nothing stands behind that."""
        block = self.take(_BLOCK)
        if not any(block):
            rest = self.take(_BLOCK)
            while not any(rest):
                rest = bytes(self._buffer) or next(self._pieces, b"")
                self._buffer.clear()
                if not rest:
                    return None
            self._refuse("something stands behind the end of the archive")
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except UnicodeDecodeError:
            self._refuse("a member whose name is not UTF-8")
        except (tarfile.HeaderError, ValueError, OverflowError) as problem:
            self._refuse(f"not a tar archive: {problem}")
        # Readers disagree on what these fields mean in other dialects of tar, and on how a size may be written.
        if not _SIZE.fullmatch(block[124:136]):
            self._refuse("a member whose size is not written in octal digits")
        if (block[257:265] != b"ustar\x0000" and any(block[345:500])) or block[508:512] == b"tar\0":
            self._refuse("a member whose name is split in a way that readers disagree on")
        if any(any(field.partition(b"\0")[2]) for field in (block[:100], block[345:500])):
            self._refuse("a member with a NUL within its name")
        return header

    def _inflate(self, content: bytes) -> Iterator[bytes]:
        machine = zlib.decompressobj(_GZIP)
        # In pieces: what zlib leaves over of its input is copied each time.
        rest, taken = b"", 0
        while not machine.eof:
            if not rest:
                rest, taken = content[taken : taken + _CHUNK], taken + _CHUNK
            try:
                piece = machine.decompress(rest, _CHUNK)
            except zlib.error as problem:
                self._refuse(f"not a gzip file, or a damaged one: {problem}")
            rest = machine.unconsumed_tail
            self._unpacked += len(piece)
            if self._unpacked > self._limits.max_unpacked_bytes:
                self._refuse(
                    f"more than {self._limits.max_unpacked_bytes} bytes unpacked (max_unpacked_bytes)"
                )
            if self._unpacked > max(_RATIO_FROM, self._packed * self._limits.max_ratio):
                self._refuse(f"unpacks to more than {self._limits.max_ratio} times its size (max_ratio)")
            if piece:
                yield piece
            elif taken >= len(content) and not rest and not machine.eof:
                self._refuse("cut off: the gzip stream has no end")
        if machine.unused_data or taken < len(content):
            self._refuse("something stands behind the end of the gzip stream")

    def _refuse(self, problem: str) -> NoReturn:
        raise PolicyLoadError(self._name, problem)
