"""The tags that an AWS resource ends up with: its own and the provider's default ones.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging
"""

from collections.abc import Mapping
from typing import Any

from plangate.facts.taggable import unwritten_tags
from plangate.model.values import UNKNOWN


def complete_tags(native_type: str, planned: Mapping[str, Any], defaults: Any) -> dict[str, Any]:
    """``tags_all`` as a plan would have it; empty for a type without tags, and where there are no tags at all.

    Args:
        native_type: An AWS type.
        planned: What the source sets.
        defaults: The provider's default tags, or `UNKNOWN`.
    """
    if "tags_all" in planned:
        return {}
    own = planned.get("tags")
    if own is None:
        if (defaults is not UNKNOWN and not defaults) or unwritten_tags(native_type)[0] is None:
            return {}
        own = {}
    if own is UNKNOWN or defaults is UNKNOWN or not isinstance(own, Mapping):
        return {"tags_all": UNKNOWN}
    return {"tags_all": {**defaults, **own}}
