"""Where called modules are: local folders, and what ``terraform init`` has put into ``.terraform/modules``.

Nothing is fetched. A module that is not there is said in one sentence, and what it gives is unknown.

Source: https://developer.hashicorp.com/terraform/language/modules/sources
"""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.errors import PlanParseError
from plangate.parsers.documents import read_json
from plangate.parsers.hcl.configuration import Configuration, read_configuration
from plangate.parsers.hcl.folder import is_source
from plangate.parsers.hcl.module_versions import allows
from plangate.parsers.hcl.run import Run
from plangate.parsers.hcl.syntax import NULL, Block, Literal

_INSTALLED: Final = ".terraform/modules/modules.json"
_USER: Final = re.compile(r"//[^/@]*+@")


class _Installed(Struct, frozen=True):
    """What was put into ``.terraform/modules`` for one call."""

    folder: str
    source: str
    version: str


_NOT_INSTALLED: Final = _Installed("", "", "")


class Sources:
    """Finds and reads modules, each folder once.

    Args:
        run: The evaluation that they are for.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._read: dict[str, Configuration] = {}
        self._installed: Mapping[str, _Installed] | None = None
        self.folders: set[str] = set()

    def at(self, folder: str) -> Configuration:
        """The module in a folder.

        Raises:
            PlanParseError: See `read_configuration`.
        """
        found = self._read.get(folder)
        if found is None:
            found = self._read[folder] = read_configuration(self._run.tree, folder, self._run.limits)
            names = [name for name in self._run.tree.names(folder) if is_source(name)]
            ours = [name for name in names if name.endswith((".tofu", ".tofu.json"))]
            if ours and len(ours) < len(names):
                shown = self._run.tree.shown(folder)
                self._run.opaque[
                    f"{shown}: Terraform leaves out the .tofu files, and OpenTofu reads them"
                ] = None
        return found

    def called(
        self, caller: Configuration, call: Block, names: tuple[str, ...], ancestors: tuple[str, ...]
    ) -> Configuration | None:
        """The module that a call names, or `None` when it is not there.

        Raises:
            PlanParseError: Outside of the tree, inside of itself, or not well-formed.
        """
        run = self._run
        source = call.body.attributes.get("source")
        text = source.value.value if source is not None and isinstance(source.value, Literal) else None
        if not isinstance(text, str):
            self._missing(names, call, "its source is not plain text")
            return None
        if text.startswith(("./", "../", "/")) or text in {".", ".."}:
            folder = posixpath.normpath(posixpath.join(caller.folder or ".", text))
        else:
            installed = self._folders().get(".".join(names), _NOT_INSTALLED)
            shown = _USER.sub("//", text.partition("?")[0])[:200]
            # What is installed from elsewhere, or in another version, is what `terraform init` replaces.
            if not installed.folder or not _same_source(text, installed.source):
                self._missing(names, call, f"{shown} is not in .terraform/modules")
                return None
            if not _same_version(call, installed.version):
                why = f"{shown} is in .terraform/modules in another version than the call asks for"
                self._missing(names, call, why)
                return None
            folder = installed.folder
        folder = "" if folder == "." else folder
        if folder in ancestors:
            run.refuse(call.place, f"module {call.labels[0][:100]} is inside of itself")
        try:
            if not any(is_source(name) for name in run.tree.names(folder)):
                self._missing(names, call, f"no Terraform source in {run.tree.shown(folder)[:200]}")
                return None
        except PlanParseError as error:
            run.refuse(call.place, f"module source {text[:200]!r}: {error.problem}", hint=error.hint)
        self.folders.add(folder)
        return self.at(folder)

    def _missing(self, names: tuple[str, ...], call: Block, why: str) -> None:
        place = call.place
        address = ".".join(f"module.{name}" for name in names)
        self._run.opaque[f"{address} ({place.file}:{place.line}) could not be read: {why}"] = None

    def _folders(self) -> Mapping[str, _Installed]:
        """Installed modules by the calls that lead to them."""
        if self._installed is None:
            run = self._run
            path = run.tree.join(run.root_folder, _INSTALLED)
            self._installed = {}
            if run.tree.exists(path):
                file = run.tree.read(path)
                value, _ = read_json(file.data, file.name, run.limits)
                found = _entries(value, run)
                # Terraform refuses a file that says two things of one call.
                once = Counter(key for key, _ in found)
                self._installed = {key: entry for key, entry in found if once[key] == 1}
        return self._installed


def _same_source(written: str, installed: str) -> bool:
    """Whether what is installed is what the call names, in the longer form that Terraform gives it."""
    return _short(written) == _short(installed)


def _same_version(call: Block, installed: str) -> bool:
    """Whether the call asks for no version, or for what is installed."""
    asked = call.body.attributes.get("version")
    if asked is None or asked.value == NULL:
        return True
    text = asked.value.value if isinstance(asked.value, Literal) else None
    return isinstance(text, str) and allows(text, installed)


def _short(source: str) -> str:
    address, question, query = source.removeprefix("git::").partition("?")
    for prefix in ("https://", "ssh://", "git@", "registry.terraform.io/", "registry.opentofu.org/"):
        address = address.removeprefix(prefix)
    address = address.replace(":", "/").replace(".git//", "//").removesuffix(".git")
    return f"{address}{question}{query}"


def _entries(value: Any, run: Run) -> list[tuple[str, _Installed]]:
    listed = value.get("Modules") if isinstance(value, dict) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        key, folder, source = item.get("Key"), item.get("Dir"), item.get("Source")
        version = item.get("Version", "")
        if isinstance(key, str) and isinstance(folder, str) and isinstance(source, str) and key:
            path = posixpath.normpath(posixpath.join(run.root_folder or ".", folder))
            found.append((key, _Installed(path, source, version if isinstance(version, str) else "")))
    return found
