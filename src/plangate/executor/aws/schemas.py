"""What AWS says about each resource type: its schema, from the data files of cfn-lint. Its code is never imported.

The files are the schemas of the CloudFormation registry: ``providers/REGION.json`` names the types of a region, each
with its file in ``resources``.

Source: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import ExecutionError, UsageError
from plangate.executor.aws.base import Properties

_INSTALL: Final = "pip install 'plangate[aws]'"
_PREFIX: Final = "/properties/"


class Schema(Struct, frozen=True, dict=True):
    """The schema of one type.

    Attributes:
        document: As published.
    """

    document: Mapping[str, Any]

    @property
    def type(self) -> str:
        """E.g. ``AWS::EC2::VPC``."""
        return str(self.document["typeName"])

    @cached_property
    def read_only(self) -> frozenset[str]:
        """Pointers of what AWS sets, e.g. ``/VpcId``."""
        return self._pointers("readOnlyProperties")

    @cached_property
    def write_only(self) -> frozenset[str]:
        """Pointers of what AWS never tells again."""
        return self._pointers("writeOnlyProperties")

    @cached_property
    def create_only(self) -> frozenset[str]:
        """Pointers of what cannot be changed: another value is another resource."""
        return self._pointers("createOnlyProperties")

    @cached_property
    def conditional_create_only(self) -> frozenset[str]:
        """Pointers of what can be changed in place only sometimes."""
        return self._pointers("conditionalCreateOnlyProperties")

    @cached_property
    def unordered(self) -> frozenset[str]:
        """Pointers of lists whose order means nothing, with ``*`` for an item, e.g. ``/Tags``."""
        found: set[str] = set()
        self._walk(self.document, "", found, ())
        return frozenset(found)

    @cached_property
    def primary(self) -> tuple[str, ...]:
        """Names of the properties that make the identifier."""
        return tuple(at.removeprefix(_PREFIX) for at in self.document.get("primaryIdentifier", ()))

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Names that ``Fn::GetAtt`` takes, with dots, as far as the schema says."""
        return frozenset(at[1:].replace("/", ".") for at in self.read_only)

    def permissions(self, *operations: str) -> frozenset[str]:
        """IAM actions that these operations (``create``, ``read``, ``update``, ``delete``, ``list``) need."""
        handlers = self.document.get("handlers", {})
        return frozenset(
            action
            for operation in operations
            for action in handlers.get(operation, {}).get("permissions", ())
        )

    def top(self, pointers: frozenset[str]) -> frozenset[str]:
        """The top-level properties at or above these pointers."""
        return frozenset(at.split("/", 2)[1] for at in pointers)

    def _pointers(self, key: str) -> frozenset[str]:
        return frozenset("/" + at.removeprefix(_PREFIX) for at in self.document.get(key, ()))

    def _walk(self, node: Mapping[str, Any], at: str, found: set[str], through: tuple[str, ...]) -> None:
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in through:
                return  # a definition that holds itself
            name = reference.rpartition("/")[2]
            node, through = self.document.get("definitions", {}).get(name, {}), (*through, reference)
        if isinstance(node.get("items"), Mapping):
            # Many types forget to say it of their tags.
            if node.get("insertionOrder") is False or at.endswith("/Tags"):
                found.add(at)
            self._walk(node["items"], f"{at}/*", found, through)
        for name, child in (node.get("properties") or {}).items():
            if isinstance(child, Mapping):
                self._walk(child, f"{at}/{name}", found, through)

    def without_read_only(self, properties: Properties) -> tuple[Properties, Sequence[str]]:
        """Properties without what only AWS sets, and the names that were taken away."""
        taken = sorted(name for name in properties if f"/{name}" in self.read_only)
        return {name: value for name, value in properties.items() if name not in taken}, taken


class Schemas:
    """The schemas of one region, each read when it is asked for.

    Raises:
        UsageError: The data is not installed, or has no such region.
    """

    def __init__(self, region: str) -> None:
        spec = importlib.util.find_spec("cfnlint")
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(
                "plans for AWS need the resource schemas that cfn-lint brings, which is not installed",
                hint=_INSTALL,
            )
        self._folder = Path(spec.submodule_search_locations[0]) / "data" / "schemas"
        self._region = region
        self._known: dict[str, Schema | None] = {}

    @cached_property
    def _files(self) -> Mapping[str, str]:
        path = self._folder / "providers" / f"{self._region}.json"
        if not self._region.replace("-", "").isalnum() or not path.is_file():
            raise UsageError(f"the region {self._region[:40]!r} is not one that the resource schemas know")
        found: Mapping[str, str] = _read(path, dict[str, str])
        return found

    def of(self, type_name: str) -> Schema | None:
        """The schema of a type; ``None`` when the region has no such type."""
        if type_name not in self._known:
            file = self._files.get(type_name)
            found = (
                None
                if file is None
                else Schema(_read(self._folder / "resources" / f"{file}.json", dict[str, Any]))
            )
            self._known[type_name] = found
        return self._known[type_name]


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise ExecutionError(f"the resource schemas cannot be read: {path.name}: {error}") from error
