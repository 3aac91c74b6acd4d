"""Load balancers of AWS and their listeners."""

from collections.abc import Iterable
from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Blocks, Native, Values, blocks_in, flag, text
from plangate.facts.links import any_referrer, read_target, targets
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate

_BALANCERS: Final = ("aws_lb", "aws_alb")
_ENCRYPTED: Final = frozenset({"https", "tls", "ssl"})
_PASSED_THROUGH: Final = frozenset({"tcp", "udp", "tcp_udp", "quic", "tcp_quic", "geneve"})


def _is_public(native: Native) -> Tri:
    """A balancer is on the internet unless it is internal.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb#internal (default
    ``false``)
    """
    if native.values.get("load_balancer_type") == "gateway":
        return False
    return negate(flag(native.setting("internal"), default=False))


def _balancer(native: Native) -> dict[str, Any]:
    return {"public": _is_public(native), "tls": None}


def _classic(native: Native) -> dict[str, Any]:
    """A classic balancer, whose listeners are blocks of its own.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elb
    """
    listeners = native.blocks("listener")
    values = (
        UNKNOWN
        if listeners is UNKNOWN
        else tuple(_tls_by_protocol(_protocol(b, "lb_protocol")) for b in listeners)
    )
    return {"public": _is_public(native), "tls": UNKNOWN if values is UNKNOWN else _all_known(values)}


def _all_known(values: Iterable[Tri | None]) -> Tri | None:
    """All of those that have an answer; ``None`` when none has."""
    listed = [value for value in values if value is not None]
    return all_of(listed) if listed else None


def _protocol(values: Values, name: str) -> str | Unknown:
    given = text(values.get(name))
    return UNKNOWN if given is UNKNOWN else given.lower()


def _tls_by_protocol(protocol: str | Unknown) -> Tri | None:
    if protocol is UNKNOWN:
        return UNKNOWN
    if protocol in _PASSED_THROUGH:
        return None
    return protocol in _ENCRYPTED


def _listener(native: Native) -> dict[str, Any]:
    protocol = _listener_protocol(native)
    tls = _tls_by_protocol(protocol)
    if protocol == "http":
        tls = all_of([_only_redirects(native.blocks("default_action")), negate(_has_open_rule(native))])
    return {"tls": tls, "protocol": protocol}


def _listener_protocol(native: Native) -> str | Unknown:
    """The protocol; when not set it is HTTP on an application balancer, and a gateway balancer has none.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_listener#protocol
    """
    given = text(native.setting("protocol"))
    if given is UNKNOWN or given:
        return UNKNOWN if given is UNKNOWN else given.lower()
    links = targets(native, "/load_balancer_arn", _BALANCERS)
    kind = read_target(native, links, lambda balancer: text(balancer.setting("load_balancer_type")))
    return "geneve" if kind == "gateway" else "http"


def _only_redirects(actions: Blocks | Unknown) -> Tri:
    """Whether all actions send the client to HTTPS."""
    if actions is UNKNOWN:
        return UNKNOWN
    return all_of(_redirects(action) for action in actions) if actions else False


def _redirects(action: Values) -> Tri:
    kind = text(action.get("type"))
    if kind is UNKNOWN:
        return UNKNOWN
    if kind != "redirect":
        return False
    redirect = blocks_in(action.get("redirect"))
    if redirect is UNKNOWN:
        return UNKNOWN
    # Left out, the protocol stays as it was: HTTP.
    protocol = text(redirect[0].get("protocol")) if redirect else ""
    return UNKNOWN if protocol is UNKNOWN else protocol.lower() == "https"


def _has_open_rule(native: Native) -> Tri:
    """Whether a rule of the listener answers without sending the client to HTTPS."""
    return any_of(
        any_referrer(
            native, rule, "/listener_arn", lambda found: negate(_only_redirects(found.blocks("action")))
        )
        for rule in ("aws_lb_listener_rule", "aws_alb_listener_rule")
    )


ADAPTERS: Final = {
    "aws_lb": Adapter(kind="network.load_balancer", adapt=_balancer, docs=REGISTRY + "lb"),
    "aws_alb": Adapter(kind="network.load_balancer", adapt=_balancer, docs=REGISTRY + "lb"),
    "aws_elb": Adapter(kind="network.load_balancer", adapt=_classic, docs=REGISTRY + "elb"),
    "aws_lb_listener": Adapter(kind="network.listener", adapt=_listener, docs=REGISTRY + "lb_listener"),
    "aws_alb_listener": Adapter(kind="network.listener", adapt=_listener, docs=REGISTRY + "lb_listener"),
}
