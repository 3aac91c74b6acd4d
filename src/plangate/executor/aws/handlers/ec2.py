"""What the handlers of EC2's types have in common."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from msgspec import Struct

from plangate.executor.aws import calls
from plangate.executor.aws.base import BaseHandler, Found, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.tags import as_mapping, changed_tags, wanted_tags

_FILTERS: Final = {"describe_flow_logs": "Filter", "describe_nat_gateways": "Filter"}
"""What an operation calls its filters, where that is not ``Filters``."""


class Listing(Struct, frozen=True, kw_only=True):
    """How EC2 tells about things of one kind.

    Attributes:
        operation: That lists them, e.g. ``describe_subnets``.
        result: Where its answer has them, e.g. ``Subnets``.
        key: Where each has its id, e.g. ``SubnetId``.
        filter: The filter for that id, e.g. ``subnet-id``.
        kind: What tags call it, e.g. ``subnet``.
    """

    operation: str
    result: str
    key: str
    filter: str
    kind: str


class Ec2Handler(BaseHandler):
    """A type of EC2 with an id and tags: read, listed and found through one describe operation."""

    listing: ClassVar[Listing]

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all."""
        listing = self.listing
        items = described(aws, listing.operation, listing.result, listing.filter, identifiers)
        return {found.identifier: found for found in self._all(aws, items)}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return self._all(aws, owned_by(aws, self.listing.operation, self.listing.result, owner))

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """By the token's tag."""
        items = _tagged(aws, self.listing.operation, self.listing.result, mark.tags)
        return next((found.identifier for found in self._all(aws, items)), None)

    def tagging(self, properties: Properties, mark: Mark) -> dict[str, Any]:
        """The argument of a creating call that puts tags and mark on what it makes."""
        return {"TagSpecifications": tag_specifications(self.listing.kind, properties, mark)}

    def _all(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> list[Found]:
        told = self.found(aws, items)
        return [each for each in told if each is not None]

    def found(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> Sequence[Found | None]:
        """What EC2's words on some mean; ``None`` for what only looks as if it were there.

        A type that has to ask more asks here, once for all of them.
        """
        return [self.found_one(aws, item) for item in items]

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found | None:
        """The same for one."""
        raise NotImplementedError


def described(aws: Aws, operation: str, result: str, argument: str, identifiers: Sequence[str]) -> list[Any]:
    """These things, in one call for up to 200 of them; those that do not exist are left out.

    A describe call fails as a whole when one of its ids does not exist, and a filter on the id does not.
    """
    found: list[Any] = []
    for start in range(0, len(identifiers), 200):
        some = list(identifiers[start : start + 200])
        found += _listed(aws, operation, result, {argument: some})
    return found


def owned_by(aws: Aws, operation: str, result: str, owner: Owner) -> list[Any]:
    """Everything that carries the owner's tags."""
    return _tagged(aws, operation, result, owner.tags)


def marked(aws: Aws, operation: str, result: str, identifier: str, mark: Mark) -> str | None:
    """The id of the one thing that carries this mark."""
    found = _tagged(aws, operation, result, mark.tags)
    return None if not found else str(found[0][identifier])


def _tagged(aws: Aws, operation: str, result: str, tags: Mapping[str, str]) -> list[Any]:
    found = _listed(aws, operation, result, {f"tag:{key}": [value] for key, value in tags.items()})
    # Filters take wildcards, and a name may hold one; a thing of somebody else must not get through.
    return [item for item in found if tags.items() <= as_mapping(item.get("Tags")).items()]


def _listed(aws: Aws, operation: str, result: str, filters: Mapping[str, list[str]]) -> list[Any]:
    given = [{"Name": name, "Values": values} for name, values in filters.items()]
    found = aws.pages("ec2", operation, result, **{_FILTERS.get(operation, "Filters"): given})
    if result == "Reservations":
        return [each for reservation in found for each in reservation.get("Instances") or ()]
    return found


def tag_specifications(kind: str, properties: Properties, mark: Mark) -> list[Any]:
    """Tags for a creating call."""
    return [{"ResourceType": kind, "Tags": wanted_tags(properties, mark)}]


def retag(aws: Aws, found: Found, properties: Properties, identifier: str = "") -> None:
    """Bring the tags to what the template says; ``identifier`` where EC2's differs from ours."""
    put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
    client = aws.client("ec2")
    if put:
        client.create_tags(Resources=[identifier or found.identifier], Tags=put)
    if gone:
        client.delete_tags(Resources=[identifier or found.identifier], Tags=[{"Key": key} for key in gone])


def call(aws: Aws, operation: str, **arguments: Any) -> dict[str, Any]:
    """EC2's answer; see `plangate.executor.aws.calls.call`."""
    return calls.call(aws, "ec2", operation, **arguments)


def quietly_gone(aws: Aws, operation: str, **arguments: Any) -> None:
    """A deletion for which it is fine that there is nothing to delete."""
    try:
        call(aws, operation, **arguments)
    except Exception as error:
        if not is_gone(error):
            raise


def network(value: Any) -> str:
    """An address range as EC2 tells it: without bits after the prefix; anything else as it is."""
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        return str(value)


def told(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of an answer's members that say something."""
    return {name: item[name] for name in names if item.get(name) not in (None, "", [], {})}


def chosen(properties: Properties, *names: str) -> dict[str, Any]:
    """Those properties that a template sets, as arguments of a call."""
    return {name: properties[name] for name in names if name in properties}
