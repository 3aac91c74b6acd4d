"""Whether a folder still holds the configuration that a saved plan was made from.

A plan carries the text of every configuration file it was made from. The follow-up plan is made from the
files in the folder, with the user's credentials, and planning can run programs (``data "external"``): so it
is made only from files that say what the judged plan says. Nothing is opened here but configuration files in
the folders that the plan names, and their bytes are only compared.

Source: https://github.com/hashicorp/terraform/blob/v1.11/internal/plans/planfile/config_snapshot.go
"""

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec

_MANIFEST: Final = "tfconfig/modules.json"
_MODULE: Final = "tfconfig/m-"
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    msgspec.MsgspecError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    OSError,
)
_CANNOT: Final = "the plan's copy of its configuration cannot be read"
_SUFFIXES: Final = (".tf", ".tf.json", ".tofu", ".tofu.json")


class _Module(msgspec.Struct, frozen=True):
    """One entry of the manifest: the module's path in the configuration, and its folder."""

    Key: str
    Dir: str


def changed_files(plan: bytes, working_dir: Path, *, max_bytes: int) -> tuple[str, ...]:
    """Names of files that are not as the plan has them: changed, gone or new; sorted, empty when none is.

    Args:
        plan: A saved plan.
        working_dir: Where it was made; module folders are relative to it.
        max_bytes: What all files together may have.

    Raises:
        ValueError: The plan's copy of its configuration cannot be read.
    """
    try:
        with zipfile.ZipFile(BytesIO(plan)) as archive:
            if sum(member.file_size for member in archive.infolist()) > max_bytes:
                raise ValueError(_CANNOT)
            modules = msgspec.json.decode(archive.read(_MANIFEST), type=list[_Module])
            if not any(module.Key == "" for module in modules):
                raise ValueError(_CANNOT)
            changed = {name for module in modules for name in _changed(archive, module, working_dir)}
    except _UNREADABLE as error:
        raise ValueError(_CANNOT) from error
    return tuple(sorted(changed))


def _changed(archive: zipfile.ZipFile, module: _Module, working_dir: Path) -> Iterator[str]:
    folder = working_dir / module.Dir
    prefix = f"{_MODULE}{module.Key}/"
    judged = {
        name.removeprefix(prefix): archive.read(name)
        for name in archive.namelist()
        if name.startswith(prefix) and "/" not in name.removeprefix(prefix)
    }
    if not judged and module.Key == "":
        raise ValueError(_CANNOT)
    there = set(_configuration_files(folder))
    for name in there - judged.keys():
        # OpenTofu leaves a .tf file out when a .tofu file of the same name stands beside it.
        if name.replace(".tf", ".tofu") not in judged:
            yield str(Path(module.Dir, name))
    for name, text in judged.items():
        if name not in there or (folder / name).read_bytes() != text:
            yield str(Path(module.Dir, name))


def _configuration_files(folder: Path) -> Iterator[str]:
    """File names that terraform or tofu would load from a folder.

    Source: https://developer.hashicorp.com/terraform/language/files
    """
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        name = path.name
        backup = name.startswith((".", "#")) or name.endswith(("~", "#"))
        if name.endswith(_SUFFIXES) and not backup and path.is_file():
            yield name
