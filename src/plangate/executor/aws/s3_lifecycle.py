"""Rules of a bucket's life cycle: as templates and as AWS has them.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from plangate.executor.aws.arguments import is_true, only, present

_KNOWN: Final = (
    "AbortIncompleteMultipartUpload",
    "ExpirationDate",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "Id",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "ObjectSizeGreaterThan",
    "ObjectSizeLessThan",
    "Prefix",
    "Status",
    "TagFilters",
    "Transitions",
)
"""Not those that AWS keeps for old templates only, such as ``Transition``."""


def aws_rules(configuration: Any) -> list[dict[str, Any]]:
    """The rules as PutBucketLifecycleConfiguration takes them.

    Raises:
        ExecutionError: The template sets what is not supported.
    """
    given = only("LifecycleConfiguration", configuration or {}, "Rules")
    return [_to_aws(only("LifecycleConfiguration/Rules", rule, *_KNOWN)) for rule in given.get("Rules", ())]


def rule_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that AWS tells, as templates have it."""
    which = said.get("Filter") or {}
    both = which.get("And") or {}
    expiration = said.get("Expiration") or {}
    tags = both.get("Tags") or ([which["Tag"]] if which.get("Tag") else [])
    rule = present(
        {
            "Id": said.get("ID"),
            "Status": said.get("Status"),
            "Prefix": both.get("Prefix") or which.get("Prefix") or said.get("Prefix"),
            "TagFilters": [dict(tag) for tag in tags],
            "ExpirationInDays": expiration.get("Days"),
            "ExpirationDate": _instant(expiration.get("Date")),
            "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
            "Transitions": [_transition(each) for each in said.get("Transitions", ())],
            "NoncurrentVersionExpiration": present(said.get("NoncurrentVersionExpiration") or {}),
            "NoncurrentVersionTransitions": [
                present(
                    {
                        "StorageClass": each.get("StorageClass"),
                        "TransitionInDays": each.get("NoncurrentDays"),
                        "NewerNoncurrentVersions": each.get("NewerNoncurrentVersions"),
                    }
                )
                for each in said.get("NoncurrentVersionTransitions", ())
            ],
            "AbortIncompleteMultipartUpload": present(said.get("AbortIncompleteMultipartUpload") or {}),
        }
    )
    for size in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        bound = both.get(size, which.get(size))
        if bound is not None:
            rule[size] = str(bound)
    return rule


def same_rules(wanted: Any, actual: Any) -> bool:
    """Whether two configurations do the same; a rule without an id has any."""
    left = [_compared(rule) for rule in aws_rules(actual)]
    for rule in aws_rules(wanted):
        mine = _compared(rule)
        match = next((each for each in left if mine in (each, each | {"ID": None})), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _transition(said: Mapping[str, Any]) -> dict[str, Any]:
    found = {"StorageClass": said.get("StorageClass"), "TransitionDate": _instant(said.get("Date"))}
    return {**present(found), **({"TransitionInDays": said["Days"]} if "Days" in said else {})}


def _to_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    days, date = rule.get("ExpirationInDays"), rule.get("ExpirationDate")
    expiration: dict[str, Any] = {}
    if days is not None:
        expiration["Days"] = days
    if date is not None:
        expiration["Date"] = date
    if is_true(rule.get("ExpiredObjectDeleteMarker")):
        expiration["ExpiredObjectDeleteMarker"] = True
    made = {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Expiration": expiration,
        "Transitions": [
            _renamed(each, TransitionInDays="Days", TransitionDate="Date")
            for each in rule.get("Transitions", ())
        ],
        "NoncurrentVersionExpiration": dict(rule.get("NoncurrentVersionExpiration", {})),
        "NoncurrentVersionTransitions": [
            _renamed(each, TransitionInDays="NoncurrentDays")
            for each in rule.get("NoncurrentVersionTransitions", ())
        ],
        "AbortIncompleteMultipartUpload": dict(rule.get("AbortIncompleteMultipartUpload", {})),
    }
    return {**present(made), "Filter": _filter(rule)}


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    """One condition stands alone, several stand in ``And``."""
    sizes = {key: rule[key] for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule}
    tags = [dict(tag) for tag in rule.get("TagFilters", ())]
    prefix = {"Prefix": rule["Prefix"]} if rule.get("Prefix") else {}
    if len(prefix) + len(tags) + len(sizes) > 1:
        return {"And": {**prefix, **({"Tags": tags} if tags else {}), **sizes}}
    if tags:
        return {"Tag": tags[0]}
    return {**prefix, **sizes} or {"Prefix": ""}


def _renamed(given: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in given.items()}


def _compared(value: Any) -> Any:
    """A rule with numbers as texts, moments as moments and lists in one order; ``ID`` is always there."""
    compared = _plain(value)
    return {"ID": None, **compared}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _instant(each) if key == "Date" else _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=repr)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _instant(value: Any) -> str | None:
    """A moment as text in UTC, whichever way it is written."""
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
