"""The region that a resource of Azure or Google names itself, in the words of its provider."""

import re
from collections.abc import Mapping
from typing import Any, Final

from plangate.model.values import UNKNOWN, Unknown

REGION_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "azure": ("location",),
    "google": ("region", "location", "zone"),
}
"""Attributes that name a region or something in one, by cloud; the first that is set counts."""

_ZONE: Final = re.compile(r"([a-z]+-[a-z]+[0-9]+)-[a-z]")


def own_region(cloud: str, values: Mapping[str, Any]) -> str | Unknown:
    """The region that attributes of a resource name, normalized; empty when none is set.

    ``West Europe`` is ``westeurope``, as Azure has it; a zone (``europe-west1-b``) or a link that ends in one is its
    region (``europe-west1``).

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/resource_group#location,
    https://cloud.google.com/compute/docs/regions-zones
    """
    for name in REGION_ATTRIBUTES.get(cloud, ()):
        value: object = values.get(name)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, str) and value.strip():
            return _normalized(cloud, value.strip())
    return ""


def _normalized(cloud: str, given: str) -> str:
    if cloud == "azure":
        return given.replace(" ", "").lower()
    name = given.rpartition("/")[2].lower()
    zone = _ZONE.fullmatch(name)
    return zone.group(1) if zone else name
