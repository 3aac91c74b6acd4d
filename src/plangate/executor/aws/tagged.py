"""Resources of one owner across services, by the Resource Groups Tagging API.

It follows changes after some seconds, and may still tell of what is gone. So its answer is where to look, and the
handler's `read` says what is there.

Source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from collections.abc import Callable, Sequence

from plangate.executor.aws.base import Found, Handler, Owner
from plangate.executor.aws.clients import Aws


def tagged_arns(aws: Aws, service: str, owner: Owner) -> list[str]:
    """ARNs of everything of a service that carries the owner's tags.

    Args:
        aws: Connections.
        service: As in ARNs, e.g. ``s3``; all of its resource types are told.
        owner: Whose.
    """
    filters = [{"Key": key, "Values": [value]} for key, value in owner.tags.items()]
    listed = aws.pages(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=[service],
    )
    return sorted(str(each["ResourceARN"]) for each in listed)


def owned_by_tag(
    aws: Aws, handler: Handler, service: str, owner: Owner, identifier: Callable[[str], str | None]
) -> Sequence[Found]:
    """What carries the owner's tags and is there.

    Args:
        aws: Connections.
        handler: Of the type.
        service: As in ARNs.
        owner: Whose.
        identifier: The identifier in an ARN; ``None`` when it is of another type.
    """
    names = [name for arn in tagged_arns(aws, service, owner) if (name := identifier(arn)) is not None]
    found = handler.read(aws, names) if names else {}
    return [each for each in found.values() if owner.tags.items() <= each.marks.items()]
