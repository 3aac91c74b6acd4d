"""Load balancers of Google: forwarding rules, which face clients, and proxies, which speak with them."""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.base import GOOGLE, Adapter, Native, Raw, blocks_in, flag, has_text, text
from plangate.facts.links import read_target, targets
from plangate.model.values import UNKNOWN, Tri, all_of

_URL_MAPS: Final = ("google_compute_url_map", "google_compute_region_url_map")
_PARTS: Final = ("host_rule", "path_matcher")


def _forwarding(native: Native) -> dict[str, Any]:
    """A forwarding rule is on the internet unless its scheme is an internal one.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_forwarding_rule
    (``EXTERNAL``) and
    https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_global_forwarding_rule
    """
    scheme = native.values.get("load_balancing_scheme")
    given = text(scheme)
    if given is UNKNOWN:
        return {"public": UNKNOWN, "tls": None}
    # The empty scheme, written as such, is that of an endpoint for a private service.
    private = given.upper().startswith("INTERNAL") or scheme == ""
    return {"public": not private, "tls": None}


def _plain(native: Native) -> dict[str, Any]:
    """A proxy for HTTP, which may do nothing but send clients on to HTTPS.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_target_http_proxy
    """
    redirects: Tri = read_target(native, targets(native, "/url_map", _URL_MAPS), _only_redirects)
    return {
        "tls": redirects
        if has_text(native.values.get("url_map")) or native.values.get("url_map") is UNKNOWN
        else False,
        "protocol": "http",
    }


def _only_redirects(url_map: Native) -> Tri:
    """Whether a map sends every request to HTTPS. One with rules for hosts or paths is not taken apart.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_url_map
    """
    return all_of(
        [
            *(_is_empty(url_map.values.get(name)) for name in _PARTS),
            _redirects(url_map.values.get("default_url_redirect")),
        ]
    )


def _is_empty(value: Raw) -> Tri:
    blocks = blocks_in(value)
    return UNKNOWN if blocks is UNKNOWN else len(blocks) == 0


def _redirects(value: Raw) -> Tri:
    blocks = blocks_in(value)
    if blocks is UNKNOWN:
        return UNKNOWN
    if not blocks:
        return False
    return all_of(flag(block.get("https_redirect"), default=False) for block in blocks)


def _encrypted(protocol: str) -> Callable[[Native], dict[str, Any]]:
    return lambda _: {"tls": True, "protocol": protocol}


def _passed_on(_native: Native) -> dict[str, Any]:
    """A proxy for TCP leaves TLS to what is behind it."""
    return {"tls": None, "protocol": "tcp"}


_PAGES: Final[tuple[tuple[str, str, Callable[[Native], dict[str, Any]]], ...]] = (
    ("compute_forwarding_rule", "network.load_balancer", _forwarding),
    ("compute_global_forwarding_rule", "network.load_balancer", _forwarding),
    ("compute_target_http_proxy", "network.listener", _plain),
    ("compute_region_target_http_proxy", "network.listener", _plain),
    ("compute_target_https_proxy", "network.listener", _encrypted("https")),
    ("compute_region_target_https_proxy", "network.listener", _encrypted("https")),
    ("compute_target_ssl_proxy", "network.listener", _encrypted("ssl")),
    ("compute_target_tcp_proxy", "network.listener", _passed_on),
    ("compute_region_target_tcp_proxy", "network.listener", _passed_on),
)

ADAPTERS: Final = {
    f"google_{page}": Adapter(kind=kind, adapt=adapt, docs=GOOGLE + page) for page, kind, adapt in _PAGES
}
