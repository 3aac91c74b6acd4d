"""What the handlers of EC2's types have in common."""

from collections.abc import Sequence
from typing import Any

from plangate.executor.aws.base import Found, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.tags import changed_tags, wanted_tags


def described(aws: Aws, operation: str, result: str, argument: str, identifiers: Sequence[str]) -> list[Any]:
    """These things, in one call for up to 200 of them; those that do not exist are left out.

    A describe call fails as a whole when one of its ids does not exist, and a filter on the id does not.
    """
    found: list[Any] = []
    for start in range(0, len(identifiers), 200):
        some = list(identifiers[start : start + 200])
        found += aws.pages("ec2", operation, result, Filters=[{"Name": argument, "Values": some}])
    return found


def owned_by(aws: Aws, operation: str, result: str, owner: Owner) -> list[Any]:
    """Everything that carries the owner's tags."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in owner.tags.items()]
    return aws.pages("ec2", operation, result, Filters=filters)


def marked(aws: Aws, operation: str, result: str, identifier: str, mark: Mark) -> str | None:
    """The id of the one thing that carries this mark."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in mark.tags.items()]
    found = aws.pages("ec2", operation, result, Filters=filters)
    return None if not found else str(found[0][identifier])


def tag_specifications(kind: str, properties: Properties, mark: Mark) -> list[Any]:
    """Tags for a creating call."""
    return [{"ResourceType": kind, "Tags": wanted_tags(properties, mark)}]


def retag(aws: Aws, found: Found, properties: Properties) -> None:
    """Bring the tags to what the template says."""
    put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
    client = aws.client("ec2")
    if put:
        client.create_tags(Resources=[found.identifier], Tags=put)
    if gone:
        client.delete_tags(Resources=[found.identifier], Tags=[{"Key": key} for key in gone])


def quietly_gone(call: Any, **arguments: Any) -> None:
    """A deletion for which it is fine that there is nothing to delete."""
    try:
        call(**arguments)
    except Exception as error:
        if not (is_gone(error) or code_of(error).endswith(".NotFound")):
            raise
