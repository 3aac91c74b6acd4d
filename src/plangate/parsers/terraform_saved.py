"""Saved plans (``terraform plan -out FILE``): from the binary to the JSON that `terraform_plan` parses.

Rules this module keeps:
1. What is hashed is what terraform reads: one copy in sealed memory, for the digest and for ``show``.
2. The JSON is derived by us. A saved plan is a zip; it is looked at before any program sees it.
3. ``show`` runs provider programs that nobody has judged, so it runs without credentials and without a home.

Two readers of one zip may see different members. It does not matter here: the digest covers every byte, and
the same terraform reads the same bytes again when they are applied.
"""

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final, NoReturn

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits
from plangate.terraform_cli import (
    LOCK_FILE,
    MAX_LOCK_BYTES,
    VARIABLE,
    Ending,
    Finished,
    Tool,
    private_copy,
    show_plan,
)

MEDIA_TYPE: Final = "application/vnd.plangate.terraform-plan"
MAX_MEMBERS: Final = 20_000
"""A plan has one member for every configuration file, and six more."""
MAX_RATIO: Final = 400
"""Unpacked to packed size of a member above `_RATIO_FROM_BYTES`; deflate ends at 1,032."""
_RATIO_FROM_BYTES: Final = 4 * 1024 * 1024
_ENTRY_MARK: Final = b"PK\x01\x02"
_HEADER_MARK: Final = b"PK\x03\x04"
_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1
_FILES: Final = frozenset({0, stat.S_IFREG, stat.S_IFDIR})
_CHUNK: Final = 256 * 1024
_PLAN: Final = "tfplan"
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""All that zipfile raises on damaged or unusual archives."""

_MARGIN: Final = "\N{BOX DRAWINGS LIGHT VERTICAL}"
_INIT: Final = "run `{name} init` in the folder where the plan was made, and name that folder with --chdir"
_ANSWERS: Final = (
    # What terraform and tofu say on standard error, the sentence for it, and what to do.
    (
        "cannot be transferred between",
        "made by another version of terraform or tofu than {tool}",
        f"use the one that made the plan: put it on PATH or into {VARIABLE}",
    ),
    (
        "checksums",
        "a provider that is installed in {folder} is not the program that the plan was made with",
        "run `{name} init` there, or make the plan again; if nobody changed that program, find out who did",
    ),
    (
        "no package for",
        "a provider that the plan needs is not installed in {folder}",
        _INIT,
    ),
    (
        "schema",
        "a provider that the plan needs is not installed in {folder}",
        _INIT,
    ),
    (
        "init",
        "{folder} is not initialized",
        _INIT,
    ),
    ("plan read error", "{name} cannot read it", "make the plan again"),
)


def is_saved_plan(data: bytes) -> bool:
    """It is a zip archive with a plan in it. Says nothing about whether it is a good one."""
    if not data.startswith(_HEADER_MARK) or data.count(_ENTRY_MARK) > MAX_MEMBERS:
        return False
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _PLAN in archive.namelist()
    except _UNREADABLE:
        return False


def inspect(data: bytes, name: str, limits: Limits) -> None:
    """Look at the archive without running anything.

    Raises:
        PlanParseError: Not a saved plan, or one with a member that has no place in it: a path that leads
            out, a link, a name that comes twice, encryption, or more bytes than the limits allow. Names the
            member.
    """
    if len(data) > limits.max_plan_bytes:
        raise PlanParseError(name, f"{len(data)} bytes (limit: {limits.max_plan_bytes})")
    if (members := data.count(_ENTRY_MARK)) > MAX_MEMBERS:
        raise PlanParseError(name, f"a zip of {members} members (limit: {MAX_MEMBERS})")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _inspect(archive, data, name, limits)
    except _UNREADABLE as error:
        raise PlanParseError(
            name, f"a damaged zip: {_printable(str(error))}", hint="make the plan again"
        ) from error


def made_by(data: bytes) -> str | None:
    """``terraform`` or ``tofu``, by the first line of the lock file inside; ``None`` when it does not say."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, archive.open(LOCK_FILE) as stream:
            lock = stream.read(MAX_LOCK_BYTES)
    except (*_UNREADABLE, KeyError):
        return None
    first = lock.split(b"\n", 1)[0]
    return "tofu" if b'"tofu init"' in first else "terraform" if b'"terraform init"' in first else None


def read_saved_plan(
    data: bytes,
    name: str,
    *,
    tool: Tool | None,
    working_dir: Path,
    limits: Limits,
    environ: Mapping[str, str],
) -> Input:
    """The plan's JSON, with the digest and the size of the binary.

    Args:
        data: The file's bytes, read once.
        name: As the user gave it.
        tool: What `find_terraform` found.
        working_dir: The initialized folder where the plan was made; its providers are used.
        limits: ``max_plan_bytes`` holds for the binary, for what it unpacks to, and for the JSON.
        environ: The user's environment; only what finds terraform's settings and providers is passed on.

    Raises:
        PlanParseError: It is not read, with one sentence and what to do.
        KeyboardInterrupt: The user asked to stop.
    """
    inspect(data, name, limits)
    if tool is None:
        raise PlanParseError(
            name,
            "a saved plan, and there is neither terraform nor tofu on PATH to read it",
            hint=f"install one, set {VARIABLE},"
            f" or hand in the output of `terraform show -json {_file_name(name)}`",
        )
    if not working_dir.is_dir():
        raise PlanParseError(
            name, f"no folder {working_dir}, where it was made", hint="name that folder with --chdir"
        )
    digest = hashlib.sha256(data).hexdigest()
    try:
        with private_copy(data) as copy:
            finished = show_plan(
                tool,
                copy,
                working_dir=working_dir,
                environ=environ,
                timeout_s=limits.show_timeout_s,
                max_bytes=limits.max_plan_bytes,
            )
            unchanged = copy.sha256() == digest
    except OSError as error:
        raise PlanParseError(name, f"{tool.name} cannot be run on it: {error.strerror}") from error
    if not unchanged:
        raise PlanParseError(
            name, "its private copy was changed while it was read", hint="find out who did that"
        )
    _refuse_unfinished(finished, name, tool, working_dir, limits)
    return Input(name=name, data=finished.stdout, sha256=digest, size=len(data), media_type=MEDIA_TYPE)


def _inspect(archive: zipfile.ZipFile, data: bytes, name: str, limits: Limits) -> None:
    seen: set[str] = set()
    total = 0
    for member in archive.infolist():
        if complaint := _complaint(member, seen):
            _refuse(name, member, complaint)
        seen.add(member.filename)
        total += member.file_size
        if total > limits.max_plan_bytes:
            _refuse(name, member, f"the archive unpacks to more than {limits.max_plan_bytes} bytes")
    if _PLAN not in seen:
        raise PlanParseError(name, f"a zip without a member named {_PLAN}, so not a saved plan")
    for member in archive.infolist():
        _unpack(memoryview(data), member, name)


def _complaint(member: zipfile.ZipInfo, seen: set[str]) -> str:
    # NOTE: zipfile cuts names at a NUL and turns the other separator round; judge the name as it is written.
    written = member.orig_filename
    if (
        not written.isprintable()
        or "\\" in written
        or written.startswith("/")
        or written[1:2] == ":"
        or any(part in {"", ".", ".."} for part in written.removesuffix("/").split("/"))
    ):
        return "a path that leads out of the archive, or hides where it leads"
    large = member.file_size > _RATIO_FROM_BYTES
    complaints = {
        "a link or a special file": stat.S_IFMT(member.external_attr >> 16) not in _FILES,
        "a name that comes twice": member.filename in seen,
        "encrypted": member.flag_bits & _ENCRYPTED,
        "an unusual compression": member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED},
        f"unpacks to more than {MAX_RATIO} times its size": large
        and member.file_size > MAX_RATIO * max(member.compress_size, 1),
    }
    return next((complaint for complaint, holds in complaints.items() if holds), "")


def _unpack(data: memoryview, member: zipfile.ZipInfo, name: str) -> None:
    """Unpack a member to nowhere: the sizes in a zip's index are only claims.

    NOTE: `zipfile` stops at the size that the index claims; terraform unpacks all that is there.

    Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7
    """
    header = data[member.header_offset : member.header_offset + _HEADER_BYTES]
    if len(header) < _HEADER_BYTES or bytes(header[:4]) != _HEADER_MARK:
        _refuse(name, member, "an index entry that leads nowhere")
    start = member.header_offset + _HEADER_BYTES + sum(struct.unpack("<HH", header[26:30]))
    packed = data[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        size, checksum, whole = len(packed), zlib.crc32(packed), True
    else:
        size, checksum, whole = _inflate(packed, limit=member.file_size)
    if not whole or size != member.file_size or checksum != member.CRC:
        _refuse(name, member, "its content is not what the index says")


def _inflate(packed: memoryview, *, limit: int) -> tuple[int, int, bool]:
    """Size and checksum of what is packed, and whether it ends where it should; stops a little above the limit."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    size = checksum = 0
    for at in range(0, len(packed), _CHUNK):
        rest: bytes | memoryview = packed[at : at + _CHUNK]
        while rest and not inflate.eof:
            chunk = inflate.decompress(rest, _CHUNK)
            size, checksum = size + len(chunk), zlib.crc32(chunk, checksum)
            if size > limit:
                return size, checksum, False
            rest = inflate.unconsumed_tail
        if inflate.eof:
            return size, checksum, not inflate.unused_data and at + _CHUNK >= len(packed)
    return size, checksum, False


def _refuse(name: str, member: zipfile.ZipInfo, problem: str) -> NoReturn:
    raise PlanParseError(
        name,
        problem,
        at=f"member {_printable(member.orig_filename)}",
        hint="terraform writes no such archive: find out where this file comes from",
    )


def _refuse_unfinished(finished: Finished, name: str, tool: Tool, folder: Path, limits: Limits) -> None:
    if finished.ok:
        if not finished.stdout.strip():
            raise PlanParseError(name, f"`{tool.name} show` succeeded and said nothing")
        return
    if finished.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if finished.ending is Ending.TIMED_OUT:
        raise PlanParseError(
            name,
            f"`{tool.name} show` took more than {limits.show_timeout_s:g} s",
            hint="raise limits.show_timeout_s, or look for a provider that hangs",
        )
    if finished.ending is Ending.TOO_MUCH:
        raise PlanParseError(
            name, f"its JSON is more than {limits.max_plan_bytes} bytes", hint="raise limits.max_plan_bytes"
        )
    # Terraform draws a line down the left, also where it breaks a sentence.
    said = " ".join(finished.stderr.decode("utf-8", "replace").replace(_MARGIN, " ").split())
    for part, sentence, hint in _ANSWERS:
        if part in said.lower():
            raise PlanParseError(
                name,
                sentence.format(tool=tool, name=tool.name, folder=folder),
                hint=hint.format(name=tool.name),
            )
    # NOTE: what it said is not repeated: it comes from a program and a plan that nobody has judged.
    raise PlanParseError(
        name,
        f"`{tool.name} show` failed with exit code {finished.exit_code}",
        hint=f"run `{tool.name} -chdir={folder} show {_file_name(name)}` to see why",
    )


def _file_name(name: str) -> str:
    return Path(name).name or "tfplan"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)[:200]
