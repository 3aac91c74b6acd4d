"""What a case is."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from plangate.executor.aws.base import Handler
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import handler_for


class Case(Struct, frozen=True, kw_only=True):
    """One handler in one circumstance.

    Attributes:
        type: Of the resource.
        prepare: Makes what the resource needs, with boto3, and gives the resource's properties.
        changes: Changes in place, one after the other; ``None`` takes a property away.
        tagged: Resources of this type carry our marks.
        many_calls: Calls that reading any number of them takes at most; ``None`` when AWS tells them one by one.
        absent: Identifiers that do not exist.
        name: Tells two cases of a type apart.
    """

    type: str
    prepare: Callable[[Aws], dict[str, Any]]
    changes: tuple[Mapping[str, Any], ...] = ()
    tagged: bool = True
    many_calls: int | None = 1
    absent: tuple[str, ...] = ()
    name: str = ""

    @property
    def handler(self) -> Handler:
        """What is tested."""
        found = handler_for(self.type)
        assert found is not None, f"{self.type} has no handler"
        return found

    def __str__(self) -> str:
        return f"{self.type}-{self.name}" if self.name else self.type
