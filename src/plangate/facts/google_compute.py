"""Virtual machines of Google, the templates they are made from, the groups that make them, and disks.

Two things hold for all of them and cannot be set otherwise: every disk is encrypted, and the metadata service answers
only to requests with the header ``Metadata-Flavor: Google``, which a forged request or a proxy does not send. Google
has no session tokens; its older endpoints, which asked for no header, are gone.

Source: https://cloud.google.com/compute/docs/disks/disk-encryption,
https://cloud.google.com/compute/docs/metadata/querying-metadata and
https://cloud.google.com/compute/docs/deprecations/v0.1-v1beta1-metadata-server
"""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.base import GOOGLE, Adapter, Native, Values, blocks_in
from plangate.facts.links import read_target, targets
from plangate.model.values import UNKNOWN, Tri, any_of, pointer

_TEMPLATES: Final = ("google_compute_instance_template", "google_compute_region_instance_template")
_ASKED: Final = "a network interface of it has an access configuration"
_BY_TEMPLATE: Final = "its template asks for one"


def _facts(public: Tri, source: str) -> dict[str, Any]:
    return {
        "public_ip": public,
        "public_ip_from": source if public is True else "",
        "metadata_tokens_required": True,
        "disks_encrypted": True,
    }


def _machine(native: Native) -> dict[str, Any]:
    return _facts(_interfaces_ask(native), _ASKED)


def _interfaces_ask(native: Native) -> Tri:
    """Whether a network interface asks for a public address; without an access configuration it has none.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_instance
    """
    blocks = native.blocks("network_interface")
    if blocks is UNKNOWN:
        return UNKNOWN
    return any_of(_has(block, name) for block in blocks for name in ("access_config", "ipv6_access_config"))


def _has(block: Values, name: str) -> Tri:
    inside = blocks_in(block.get(name))
    return UNKNOWN if inside is UNKNOWN else len(inside) > 0


def _machine_from_template(native: Native) -> dict[str, Any]:
    """A machine that leaves out its network interfaces has those of its template.

    Source:
    https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_instance_from_template
    """
    blocks = native.blocks("network_interface")
    if blocks is not UNKNOWN and blocks:
        return _machine(native)
    given: Tri = read_target(
        native, targets(native, "/source_instance_template", _TEMPLATES), _interfaces_ask
    )
    # Unknown interfaces may still be written with `dynamic`, and then they are not those of the template.
    return _facts(UNKNOWN if blocks is UNKNOWN and given is not True else given, _BY_TEMPLATE)


def _machine_from_image(native: Native) -> dict[str, Any]:
    """A machine that leaves out its network interfaces has those of an image, which no plan shows."""
    blocks = native.blocks("network_interface")
    return _facts(UNKNOWN if blocks is UNKNOWN or not blocks else _interfaces_ask(native), _ASKED)


def _group(native: Native) -> dict[str, Any]:
    """A group makes machines from one or more templates.

    Source:
    https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_instance_group_manager;
    before version 3 of the provider it named one template without a block.
    """
    versions = native.blocks("version")
    places = (
        []
        if versions is UNKNOWN
        else [pointer("version", *_at(native, i), "instance_template") for i in range(len(versions))]
    )
    if native.values.get("instance_template") not in (None, ""):
        places.append("/instance_template")
    found: list[Tri] = [
        read_target(native, targets(native, place, _TEMPLATES), _interfaces_ask) for place in places
    ]
    seen = bool(places) and versions is not UNKNOWN and all(_is_in_plan(native, place) for place in places)
    public = any_of([*found, False if seen else UNKNOWN])
    # What the plan's own templates say is judged there; for all others it holds all the same.
    return _facts(public, _BY_TEMPLATE) | (
        {"metadata_tokens_required": None, "disks_encrypted": None} if seen else {}
    )


def _at(native: Native, index: int) -> tuple[int, ...]:
    return (index,) if isinstance(native.values.get("version"), list | tuple) else ()


def _is_in_plan(native: Native, place: str) -> bool:
    links = targets(native, place, _TEMPLATES)
    return bool(links.all) and not links.outside


def _disk(_native: Native) -> dict[str, Any]:
    return {"encrypted": True}


def _network(native: Native) -> dict[str, Any]:
    """A project's default network is the one with that name.

    Source: https://cloud.google.com/vpc/docs/vpc#default-network
    """
    name = native.values.get("name")
    return {"default": name == "default" if isinstance(name, str) else UNKNOWN}


def _subnet(_native: Native) -> dict[str, Any]:
    """No subnet gives public addresses; a machine has one only when it asks.

    Source: https://cloud.google.com/compute/docs/ip-addresses
    """
    return {"public_ips": False}


_PAGES: Final[tuple[tuple[str, str, Callable[[Native], dict[str, Any]]], ...]] = (
    ("compute_instance", "compute.instance", _machine),
    ("compute_instance_from_template", "compute.instance", _machine_from_template),
    ("compute_instance_from_machine_image", "compute.instance", _machine_from_image),
    ("compute_instance_template", "compute.template", _machine),
    ("compute_region_instance_template", "compute.template", _machine),
    ("compute_instance_group_manager", "compute.group", _group),
    ("compute_region_instance_group_manager", "compute.group", _group),
    ("compute_disk", "disk.volume", _disk),
    ("compute_region_disk", "disk.volume", _disk),
    ("compute_network", "network.vpc", _network),
    ("compute_subnetwork", "network.subnet", _subnet),
)

ADAPTERS: Final = {
    f"google_{page}": Adapter(kind=kind, adapt=adapt, docs=GOOGLE + page) for page, kind, adapt in _PAGES
}
