"""Load balancers of Azure: plain ones, application gateways and routes of its content network."""

from collections.abc import Mapping
from typing import Any, Final

from plangate.facts.base import AZURE, Adapter, Native, Raw, Values, blocks_in, flag, text, texts
from plangate.facts.links import points_somewhere
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate, pointer

_ADDRESSES: Final = ("azurerm_public_ip", "azurerm_public_ip_prefix")


def _is_public(native: Native) -> Tri:
    """A balancer is on the internet when one of its frontends has a public address.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/lb
    """
    frontends = native.blocks("frontend_ip_configuration")
    if frontends is UNKNOWN:
        return UNKNOWN
    as_list = isinstance(native.values.get("frontend_ip_configuration"), list | tuple)
    return any_of(
        points_somewhere(
            native, pointer("frontend_ip_configuration", *((index,) if as_list else ()), name), _ADDRESSES
        )
        for index in range(len(frontends))
        for name in ("public_ip_address_id", "public_ip_prefix_id")
    )


def _balancer(native: Native) -> dict[str, Any]:
    return {"public": _is_public(native), "tls": None}


def _forwarding(native: Native) -> dict[str, Any]:
    """A plain balancer passes bytes on.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/lb_rule
    """
    protocol = text(native.values.get("protocol"))
    return {"tls": None, "protocol": UNKNOWN if protocol is UNKNOWN else protocol.lower()}


def _gateway(native: Native) -> dict[str, Any]:
    """An application gateway, whose listeners are blocks of its own.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/application_gateway
    """
    return {"public": _is_public(native), "tls": _gateway_tls(native)}


def _gateway_tls(native: Native) -> Tri | None:
    listeners, others = native.blocks("http_listener"), blocks_in(native.values.get("listener"))
    rules, redirects = native.blocks("request_routing_rule"), native.blocks("redirect_configuration")
    if listeners is UNKNOWN or others is UNKNOWN:
        return UNKNOWN
    encrypted = {
        name
        for each in listeners
        if _is(each, "protocol", "https") is True and isinstance(name := each.get("name"), str)
    }
    to_https = {} if redirects is UNKNOWN else _sent_to_https(redirects, encrypted)
    sent_on = None if UNKNOWN in (rules, redirects) else _sent_on(rules, to_https)
    found: list[Tri] = []
    for listener in listeners:
        speaks = _is(listener, "protocol", "https")
        found.append(speaks if speaks is not False else _redirected(listener.get("name"), sent_on))
    # What passes TCP on has no say in this.
    found += (
        True if (tls := _is(each, "protocol", "tls")) is True else tls
        for each in others
        if _is(each, "protocol", "tcp") is not True
    )
    return all_of(found) if found else None


def _sent_to_https(redirects: Any, encrypted: set[str]) -> dict[str, Tri]:
    """Names of redirects, and whether each of them leads to HTTPS."""
    found: dict[str, Tri] = {}
    for each in redirects:
        name = each.get("name")
        if not isinstance(name, str):
            continue
        url, listener = text(each.get("target_url")), text(each.get("target_listener_name"))
        if UNKNOWN in (url, listener):
            found[name] = UNKNOWN
        else:
            found[name] = str(url).lower().startswith("https://") if url else listener in encrypted
    return found


def _sent_on(rules: Any, redirects: Mapping[str, Tri]) -> dict[str, Tri] | None:
    """Names of listeners, and whether all their rules lead to HTTPS; ``None`` when a rule's listener is not known."""
    found: dict[str, Tri] = {}
    for rule in rules:
        listener = rule.get("http_listener_name")
        if not isinstance(listener, str):
            return None
        target = text(rule.get("redirect_configuration_name"))
        leads: Tri = UNKNOWN if target is UNKNOWN else redirects.get(target, UNKNOWN) if target else False
        found[listener] = all_of([found.get(listener, True), leads])
    return found


def _redirected(name: Raw, sent_on: Mapping[str, Tri] | None) -> Tri:
    if not isinstance(name, str) or sent_on is None:
        return UNKNOWN
    return sent_on.get(name, False)


def _is(values: Values, name: str, wanted: str) -> Tri:
    given = text(values.get(name))
    return UNKNOWN if given is UNKNOWN else given.lower() == wanted


def _route(native: Native) -> dict[str, Any]:
    """A route of Front Door. It sends HTTP on to HTTPS unless told otherwise.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/cdn_frontdoor_route
    """
    spoken = texts(native.values.get("supported_protocols"))
    plain: Tri = UNKNOWN
    if spoken is not UNKNOWN and spoken:
        plain = any_of(UNKNOWN if word is UNKNOWN else word.lower() == "http" for word in spoken)
    redirects = flag(native.setting("https_redirect_enabled"), default=True)
    return {"tls": any_of([redirects, negate(plain)]), "protocol": _protocol(plain)}


def _protocol(plain: Tri) -> str | Unknown:
    return UNKNOWN if plain is UNKNOWN else "http" if plain else "https"


def _endpoint(native: Native) -> dict[str, Any]:
    """An endpoint of the older content network. HTTP is allowed unless told otherwise; its rules may redirect it.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/cdn_endpoint
    """
    plain = flag(native.setting("is_http_allowed"), default=True)
    rules = [blocks_in(native.values.get(name)) for name in ("delivery_rule", "global_delivery_rule")]
    bare = all(rule == () for rule in rules)
    return {"tls": negate(plain) if plain is not True or bare else UNKNOWN, "protocol": _protocol(plain)}


ADAPTERS: Final = {
    f"azurerm_{page}": Adapter(kind=kind, adapt=adapt, docs=AZURE + page)
    for page, kind, adapt in (
        ("lb", "network.load_balancer", _balancer),
        ("lb_rule", "network.listener", _forwarding),
        ("lb_nat_rule", "network.listener", _forwarding),
        ("application_gateway", "network.load_balancer", _gateway),
        ("cdn_frontdoor_route", "network.listener", _route),
        ("cdn_endpoint", "network.listener", _endpoint),
    )
}
