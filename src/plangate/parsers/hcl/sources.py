"""Where called modules are: local folders, and what ``terraform init`` has put into ``.terraform/modules``.

Nothing is fetched. A module that is not there is said in one sentence, and what it gives is unknown.

Source: https://developer.hashicorp.com/terraform/language/modules/sources
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.parsers.documents import read_json
from plangate.parsers.hcl.configuration import Configuration, read_configuration
from plangate.parsers.hcl.folder import is_source
from plangate.parsers.hcl.run import Run
from plangate.parsers.hcl.syntax import Block, Literal

_INSTALLED: Final = ".terraform/modules/modules.json"
_USER: Final = re.compile(r"//[^/@]*+@")


class Sources:
    """Finds and reads modules, each folder once.

    Args:
        run: The evaluation that they are for.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._read: dict[str, Configuration] = {}
        self._installed: Mapping[str, str] | None = None
        self.folders: set[str] = set()

    def at(self, folder: str) -> Configuration:
        """The module in a folder.

        Raises:
            PlanParseError: See `read_configuration`.
        """
        found = self._read.get(folder)
        if found is None:
            found = self._read[folder] = read_configuration(self._run.tree, folder, self._run.limits)
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
            installed = self._folders().get(".".join(names))
            if installed is None:
                shown = _USER.sub("//", text.partition("?")[0])[:200]
                self._missing(names, call, f"{shown} is not in .terraform/modules")
                return None
            folder = installed
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

    def _folders(self) -> Mapping[str, str]:
        """Folders of installed modules by the calls that lead to them."""
        if self._installed is None:
            run = self._run
            path = run.tree.join(run.root_folder, _INSTALLED)
            self._installed = {}
            if run.tree.exists(path):
                file = run.tree.read(path)
                value, _ = read_json(file.data, file.name, run.limits)
                self._installed = dict(_entries(value, run))
        return self._installed


def _entries(value: Any, run: Run) -> list[tuple[str, str]]:
    listed = value.get("Modules") if isinstance(value, dict) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        key, folder = (item.get("Key"), item.get("Dir")) if isinstance(item, dict) else (None, None)
        if isinstance(key, str) and isinstance(folder, str) and key:
            found.append((key, posixpath.normpath(posixpath.join(run.root_folder or ".", folder))))
    return found
