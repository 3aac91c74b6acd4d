"""Archives: what bundle tools write is read, and what could be read in two ways is refused."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.errors import PolicyLoadError
from plangate.policy.archive import read_archive
from plangate.policy.files import LoadLimits
from tests.unit.policy.bundles import Member, gz, member, tar

LIMITS = LoadLimits()


def read(*members: Member, limits: LoadLimits = LIMITS) -> tuple[tuple[str, bytes], ...]:
    return read_archive(gz(tar(members)), "b", limits)


def refusal(content: bytes, limits: LoadLimits = LIMITS) -> str:
    with pytest.raises(PolicyLoadError) as caught:
        read_archive(content, "b", limits)
    return str(caught.value)


def test_files_come_out_in_their_order_and_folders_do_not() -> None:
    found = read(
        member("z.rego", b"z"),
        member("a/", kind=tarfile.DIRTYPE),
        member("a/b.rego", b""),
        member("c", b"c" * 513),
    )
    assert found == (("z.rego", b"z"), ("a/b.rego", b""), ("c", b"c" * 513))


@pytest.mark.parametrize("name", ["/a/b.rego", "./a/b.rego", "a/b.rego"])
def test_a_name_means_the_same_as_opa_writes_it_as_tar_does_and_plainly(name: str) -> None:
    assert read(member(name, b"x")) == (("a/b.rego", b"x"),)


def test_what_tar_itself_writes_is_read() -> None:
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz", format=form) as archive:
            info = tarfile.TarInfo("./a.rego")
            info.size, info.mtime = 1, 1_700_000_000
            archive.addfile(info, io.BytesIO(b"x"))
        assert read_archive(made.getvalue(), "b", LIMITS) == (("a.rego", b"x"),)


def test_python_s_own_format_with_extended_headers_says_what_is_wrong() -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.rego")
        info.mtime = 1.5
        archive.addfile(info)
    said = refusal(made.getvalue())
    assert said == "b: an extended header, and a bundle holds plain files: '././@PaxHeader'"


def test_an_archive_without_files_has_none() -> None:
    assert read() == ()


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.CONTTYPE, "a contiguous file"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (tarfile.GNUTYPE_LONGNAME, "a name in a header of its own"),
        (tarfile.GNUTYPE_LONGLINK, "a link in a header of its own"),
        (tarfile.XHDTYPE, "an extended header"),
        (tarfile.XGLTYPE, "a global extended header"),
        (b"Z", "a member of an unknown type"),
    ],
)
def test_anything_but_plain_files_is_refused(kind: bytes, what: str) -> None:
    content = gz(tar([member("a.rego", kind=kind, linkname="/etc/passwd")]))
    assert refusal(content) == f"b: {what}, and a bundle holds plain files: 'a.rego'"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../a.rego", "a path that leads elsewhere"),
        ("a/../../b.rego", "a path that leads elsewhere"),
        ("a/./b.rego", "a path that leads elsewhere"),
        ("//a.rego", "a path that leads elsewhere"),
        (".//a.rego", "a path that leads elsewhere"),
        ("a//b.rego", "a path that leads elsewhere"),
        ("..", "a path that leads elsewhere"),
        ("a\\b.rego", "a name that reads differently elsewhere"),
        ("a\nb.rego", "a name that reads differently elsewhere"),
        ("a\u202eb.rego", "a name that reads differently elsewhere"),
        ("a\u00a0b.rego", "a name that reads differently elsewhere"),
        ("a /b.rego", "a name that reads differently elsewhere"),
        ("e\u0301.rego", "a name that is not in normal form (NFC)"),
        ("/".join("abcdefghijklmnopqrs"), "more than 16 folders (max_depth)"),
    ],
)
def test_a_name_that_leads_elsewhere_or_misleads_is_refused(name: str, problem: str) -> None:
    assert refusal(gz(tar([member(name, b"x")]))) == f"b: a member with {problem}: {name!r}"


def test_a_folder_may_not_lead_elsewhere_either() -> None:
    assert "leads elsewhere" in refusal(gz(tar([member("../x/", kind=tarfile.DIRTYPE)])))
    assert refusal(gz(tar([member("x", b"y", kind=tarfile.DIRTYPE)]))) == "b/x: a folder with content"


@pytest.mark.parametrize("name", ["", "/", "./", "a.rego/"])
def test_a_file_without_a_name_of_a_file_is_refused(name: str) -> None:
    assert refusal(gz(tar([member(name, b"x")]))) == f"b: a file with the name {name!r}"


@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        ("a.rego", "a.rego", "b/a.rego: is there twice"),
        ("a.rego", "/a.rego", "b/a.rego: is there twice"),
        ("./a.rego", "a.rego", "b/a.rego: is there twice"),
        ("a.rego", "A.rego", "b/A.rego: differs from a.rego in case alone"),
        ("straße.rego", "STRASSE.rego", "b/STRASSE.rego: differs from straße.rego in case alone"),
    ],
)
def test_a_name_that_is_there_twice_is_refused(one: str, other: str, problem: str) -> None:
    assert refusal(gz(tar([member(one, b"x"), member(other, b"y")]))) == problem


def test_names_that_are_not_utf_8_are_refused() -> None:
    broken = tar([member("a\udcff.rego", b"x")])
    assert refusal(gz(broken)) == "b: a member whose name is not UTF-8"


def header_with(at: int, content: bytes, **fields: Any) -> bytes:
    """An archive of one file whose header says something else at one place, with the right checksum."""
    block = bytearray(member("a.rego", b"x", **fields)[0].tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
    block[at : at + len(content)] = content
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return gz(bytes(block) + b"x" + bytes(511) + bytes(1024))


@pytest.mark.parametrize(
    ("at", "content", "problem"),
    [
        (124, b"0000000000_1", "a member whose size is not written in octal digits"),
        (124, b"\x80" + bytes(10) + b"\1", "a member whose size is not written in octal digits"),
        (124, b"\xff" * 12, "a member whose size is not written in octal digits"),
        (124, b"-0000000001\0", "a member whose size is not written in octal digits"),
        (257, b"ustar  \0", None),
        (7, b"b.rego", "a member with a NUL within its name"),
        (99, b"x", "a member with a NUL within its name"),
        (346, b"x", "a member with a NUL within its name"),
        (508, b"tar\0", "a member whose name is split in a way that readers disagree on"),
    ],
)
def test_headers_that_readers_disagree_on_are_refused(at: int, content: bytes, problem: str | None) -> None:
    if problem is None:
        assert read_archive(header_with(at, content), "b", LIMITS) == (("a.rego", b"x"),)
    else:
        assert refusal(header_with(at, content)) == f"b: {problem}"


def test_a_second_half_of_a_name_that_only_some_readers_see_is_refused() -> None:
    block = bytearray(member("a.rego", b"")[0].tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
    block[345:350] = b"other"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    assert "readers disagree on" in refusal(gz(bytes(block) + bytes(1024)))


def test_a_changed_header_is_no_end_of_the_archive() -> None:
    whole = bytearray(tar([member("a.rego", b"x"), member("b.rego", b"y")]))
    whole[1024] ^= (
        1  # the first letter of the second name: python's own reader would stop here without a word
    )
    assert refusal(gz(bytes(whole))) == "b: not a tar archive: bad checksum"


WHOLE = tar([member("a.rego", b"x" * 600)])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cut off: the gzip stream has no end"),
        (WHOLE, "not a gzip file, or a damaged one"),
        (gz(WHOLE)[:-1], "cut off: the gzip stream has no end"),
        (gz(WHOLE)[:-8], "cut off: the gzip stream has no end"),
        (gz(WHOLE) + b"\0", "something stands behind the end of the gzip stream"),
        (gz(WHOLE) + gz(WHOLE), "something stands behind the end of the gzip stream"),
        (gz(WHOLE[:700]), "cut off: the archive ends within a member"),
        (gz(WHOLE[:-1024]), "cut off: the archive ends within a member"),
        (gz(WHOLE[:-512]), "cut off: the archive ends within a member"),
        (gz(WHOLE + b"\1"), "something stands behind the end of the archive"),
        (gz(WHOLE + bytes(70_000) + WHOLE), "something stands behind the end of the archive"),
        (gz(b""), "cut off: the archive ends within a member"),
        (gz(b"x" * 512), "not a tar archive: "),
    ],
)
def test_a_file_that_is_not_one_whole_archive_is_refused(content: bytes, problem: str) -> None:
    assert refusal(content).startswith(f"b: {problem}")


def test_a_big_archive_is_read_piece_by_piece_and_what_stands_far_behind_its_end_is_seen() -> None:
    files = [(f"{number}.rego", hashlib.shake_256(bytes([number])).digest(900_000)) for number in range(5)]
    whole = gz(tar(member(name, content) for name, content in files), level=1)
    assert read_archive(whole, "b", LIMITS) == tuple(files)
    for more in (b"x", bytes(200_000), whole):
        assert refusal(whole + more) == "b: something stands behind the end of the gzip stream"
    for cut in (1, 9, 70_000, len(whole) - 20):
        assert refusal(whole[:-cut]) == "b: cut off: the gzip stream has no end"


def test_a_damaged_gzip_trailer_is_refused() -> None:
    for at in (-1, -5):
        damaged = bytearray(gz(WHOLE))
        damaged[at] ^= 1
        assert "damaged" in refusal(bytes(damaged))


def test_what_hides_in_the_padding_of_a_member_is_refused() -> None:
    whole = bytearray(WHOLE)
    whole[512 + 700] = 1
    assert refusal(gz(bytes(whole))) == "b/a.rego: something stands behind its end"


def test_zeros_behind_the_end_are_what_tar_writes() -> None:
    assert read_archive(gz(WHOLE + bytes(9_216)), "b", LIMITS) == (("a.rego", b"x" * 600),)


@pytest.mark.parametrize(
    ("limits", "make", "problem"),
    [
        (
            {"max_file_bytes": 9},
            lambda: tar([member("a", b"x" * 10)]),
            "b/a: larger than 9 bytes (max_file_bytes)",
        ),
        (
            {"max_members": 2},
            lambda: tar([member(f"{n}/", kind=tarfile.DIRTYPE) for n in range(3)]),
            "b: more than 2 members (max_members)",
        ),
        (
            {"max_unpacked_bytes": 4_000},
            lambda: tar([member(str(n), b"x" * 512) for n in range(9)]),
            "b: more than 4000 bytes unpacked (max_unpacked_bytes)",
        ),
    ],
)
def test_each_limit_is_kept(limits: dict[str, int], make: Callable[[], bytes], problem: str) -> None:
    assert refusal(gz(make()), replace(LIMITS, **limits)) == problem
    read_archive(gz(make()), "b", LIMITS)


def test_a_decompression_bomb_is_refused_for_its_ratio_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(40 << 20), mtime=0)
    assert len(bomb) < 50_000
    assert refusal(bomb) == "b: unpacks to more than 200 times its size (max_ratio)"
    files = [member(f"{n}.rego", bytes(1 << 20)) for n in range(40)]
    assert refusal(gz(tar(files))) == "b: unpacks to more than 200 times its size (max_ratio)"


def test_a_size_that_is_not_there_is_not_waited_for() -> None:
    lie = member("a.rego", b"")
    lie[0].size = 1 << 19
    assert refusal(gz(tar([lie]))) == "b: cut off: the archive ends within a member"
