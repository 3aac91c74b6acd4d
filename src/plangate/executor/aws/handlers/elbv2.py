"""What the handlers of Elastic Load Balancing (version 2) have in common.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from plangate.executor.aws import calls
from plangate.executor.aws.base import Found, Mark, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.tags import as_mapping, changed_tags

_AT_ONCE: Final = 20
"""Things that one call asks for."""
NAME_LENGTH: Final = 32


def call(aws: Aws, operation: str, **arguments: Any) -> dict[str, Any]:
    """The service's answer; see `plangate.executor.aws.calls.call`."""
    return calls.call(aws, "elbv2", operation, **arguments)


def described(aws: Aws, operation: str, result: str, argument: str, arns: Sequence[str]) -> list[Any]:
    """These things, in one call for twenty; those that do not exist are left out.

    The call fails as a whole when one does not exist, and takes no filters: then each is asked for alone.
    """
    found: list[Any] = []
    for start in range(0, len(arns), _AT_ONCE):
        found += _some(aws, operation, result, argument, list(arns[start : start + _AT_ONCE]))
    return found


def _some(aws: Aws, operation: str, result: str, argument: str, arns: list[str]) -> list[Any]:
    try:
        return aws.pages("elbv2", operation, result, **{argument: arns})
    except Exception as error:
        if not is_gone(error):
            raise
    if len(arns) == 1:
        return []
    return [item for arn in arns for item in _some(aws, operation, result, argument, [arn])]


def tags_of(aws: Aws, arns: Sequence[str]) -> dict[str, list[Any]]:
    """The tags of each, in one call for twenty."""
    told = described(aws, "describe_tags", "TagDescriptions", "ResourceArns", arns)
    return {str(each["ResourceArn"]): list(each.get("Tags") or ()) for each in told}


def with_mark(aws: Aws, arns: Sequence[str], mark: Mark) -> str | None:
    """The one of these that carries the mark."""
    tags = tags_of(aws, arns)
    return next((arn for arn in arns if mark.matches(as_mapping(tags.get(arn)))), None)


def retag(aws: Aws, found: Found, properties: Properties) -> None:
    """Bring the tags to what the template says."""
    put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
    if put:
        call(aws, "AddTags", ResourceArns=[found.identifier], Tags=put)
    if gone:
        call(aws, "RemoveTags", ResourceArns=[found.identifier], TagKeys=gone)


def quietly_gone(aws: Aws, operation: str, **arguments: Any) -> None:
    """A deletion for which it is fine that there is nothing to delete."""
    try:
        call(aws, operation, **arguments)
    except Exception as error:
        if not is_gone(error):
            raise


def attributes_of(aws: Aws, operation: str, argument: str, arn: str) -> list[dict[str, str]]:
    """The attributes of one, sorted by key."""
    told = as_mapping(call(aws, operation, **{argument: arn}).get("Attributes"))
    return [{"Key": key, "Value": told[key]} for key in sorted(told)]


def same_attributes(wanted: Iterable[Mapping[str, Any]], actual: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the attributes that a template says are as it says; AWS tells all that there are."""
    return _plain(wanted).items() <= _plain(actual).items()


def asked_attributes(attributes: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Attributes as an argument."""
    return [{"Key": key, "Value": value} for key, value in _plain(attributes).items()]


def _plain(attributes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found = ((str(each.get("Key", "")), each.get("Value", "")) for each in attributes)
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in found}
