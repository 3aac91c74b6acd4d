"""Tags as templates have them, as AWS has them, and our marks among them."""

from collections.abc import Iterable, Mapping
from typing import Any

from plangate.executor.aws.base import MARKS, Mark, Properties

Tags = list[dict[str, str]]
"""``[{"Key": …, "Value": …}]``, sorted by key, as templates and most of AWS have them."""


def wanted_tags(properties: Properties, mark: Mark) -> Tags:
    """The tags of a new resource: the template's and our marks."""
    return tag_list(as_mapping(properties.get("Tags")) | dict(mark.tags))


def template_tags(tags: Iterable[Mapping[str, Any]] | Mapping[str, str] | None) -> Tags:
    """The tags that AWS says, without our marks and without those that AWS itself sets."""
    return tag_list(
        {k: v for k, v in as_mapping(tags).items() if k not in MARKS and not k.startswith("aws:")}
    )


def marks_of(tags: Iterable[Mapping[str, Any]] | Mapping[str, str] | None) -> dict[str, str]:
    """Our marks among the tags that AWS says."""
    return {key: value for key, value in as_mapping(tags).items() if key in MARKS}


def tag_list(tags: Mapping[str, str]) -> Tags:
    """Sorted by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def as_mapping(tags: Iterable[Mapping[str, Any]] | Mapping[str, str] | None) -> dict[str, str]:
    """Key to value, whichever way the service writes them."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {
        str(tag.get("Key", tag.get("TagKey", ""))): str(tag.get("Value", tag.get("TagValue", "")))
        for tag in tags or ()
    }


def changed_tags(before: Any, after: Any) -> tuple[Tags, list[str]]:
    """The tags to set and the keys to remove, so that ``before`` becomes ``after``; marks are left alone."""
    old, new = as_mapping(before), as_mapping(after)
    put = {key: value for key, value in new.items() if old.get(key) != value}
    return tag_list(put), sorted(key for key in old if key not in new and key not in MARKS)
