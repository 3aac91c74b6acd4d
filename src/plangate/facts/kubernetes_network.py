"""How a cluster is reached: services, ingresses and network policies.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.facts.addresses import covers_everyone
from plangate.facts.base import Adapter, Native, Raw, texts
from plangate.facts.kubernetes_metadata import namespace_of
from plangate.facts.kubernetes_types import INGRESSES, NETWORK_POLICIES, SERVICES, inside
from plangate.model.values import UNKNOWN, Tri, Unknown, any_of

DOCS: Final = "https://kubernetes.io/docs/reference/kubernetes-api/"
_AWS_SCHEME: Final = "service.beta.kubernetes.io/aws-load-balancer-scheme"
_INTERNAL: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "service.beta.kubernetes.io/aws-load-balancer-internal": frozenset({"true", "0.0.0.0/0"}),
        _AWS_SCHEME: frozenset({"internal"}),
        "service.beta.kubernetes.io/azure-load-balancer-internal": frozenset({"true"}),
        "networking.gke.io/load-balancer-type": frozenset({"Internal", "internal"}),
        "cloud.google.com/load-balancer-type": frozenset({"Internal", "internal"}),
        "service.beta.kubernetes.io/oci-load-balancer-internal": frozenset({"true"}),
        "service.beta.kubernetes.io/openstack-internal-load-balancer": frozenset({"true"}),
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": frozenset({"private"}),
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": frozenset({"intranet"}),
    }
)
"""What clouds take for "only inside of our network", with the values that say so, to the letter as most compare them.
https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
"""


def _service(native: Native) -> dict[str, Any]:
    given = inside(native.values, "spec", "type")
    name = "ClusterIP" if given is None else given if isinstance(given, str) else UNKNOWN
    return {
        "namespace": namespace_of(native.values),
        "type": name,
        "exposures": _exposures(native.values, name),
    }


def _exposures(values: Raw, name: str | Unknown) -> tuple[Mapping[str, Any], ...] | Unknown:
    # What is no type of a service is none that we know to stay inside.
    if name not in {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}:
        return UNKNOWN
    found: list[Mapping[str, Any]] = []
    if name == "LoadBalancer":
        via = _balancer(inside(values, "metadata", "annotations"))
        if via is UNKNOWN:
            return UNKNOWN
        everyone = _everyone(values)
        found.append({"via": via, "everyone": everyone, "path": "/spec/type"})
    if name == "NodePort":
        found.append({"via": "node-port", "everyone": True, "path": "/spec/type"})
    addresses = texts(inside(values, "spec", "externalIPs"))
    if addresses is UNKNOWN:
        return UNKNOWN
    if addresses:
        found.append({"via": "external-ip", "everyone": True, "path": "/spec/externalIPs"})
    return tuple(found)


def _balancer(annotations: Raw) -> str | Unknown:
    if annotations is None:
        return "load-balancer"
    if not isinstance(annotations, Mapping):
        return UNKNOWN
    found = "load-balancer"
    for key, internal in _INTERNAL.items():
        value = annotations.get(key)
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, str) and value in internal:
            found = "internal-load-balancer"
    # On AWS the scheme overrules the older annotation.
    return found if annotations.get(_AWS_SCHEME, "internal") == "internal" else "load-balancer"


def _everyone(values: Raw) -> Tri:
    sources = texts(inside(values, "spec", "loadBalancerSourceRanges"))
    if sources is UNKNOWN:
        return UNKNOWN
    return covers_everyone(sources) if sources else True


def _ingress(native: Native) -> dict[str, Any]:
    spec = inside(native.values, "spec")
    hosts = _hosts(spec)
    return {"namespace": namespace_of(native.values), "hosts": hosts, "tls": _tls(spec, hosts)}


def _hosts(spec: Raw) -> tuple[str | Unknown, ...] | Unknown:
    rules = inside(spec, "rules")
    if rules is not None and not isinstance(rules, list | tuple):
        return UNKNOWN
    listed = [inside(rule, "host") for rule in rules or ()]
    # A default backend, or no rule at all, answers to any name.
    if not listed or inside(spec, "defaultBackend") is not None or inside(spec, "backend") is not None:
        listed.append("")
    return tuple("" if host is None else host if isinstance(host, str) else UNKNOWN for host in listed)


def _tls(spec: Raw, hosts: tuple[str | Unknown, ...] | Unknown) -> Tri:
    """Whether the names with a certificate are all names. An entry without names covers every one."""
    listed = inside(spec, "tls")
    if listed is None or listed in ([], ()):
        return False
    if not isinstance(listed, list | tuple) or hosts is UNKNOWN:
        return UNKNOWN
    covered: set[str] = set()
    for item in listed:
        names = texts(inside(item, "hosts"))
        if names is UNKNOWN or UNKNOWN in names:
            return UNKNOWN
        if not names:
            return True
        covered |= {name for name in names if isinstance(name, str)}
    if UNKNOWN in hosts:
        return UNKNOWN
    return all(host in covered or f"*.{str(host).partition('.')[2]}" in covered for host in hosts)


def _network_policy(native: Native) -> dict[str, Any]:
    spec = inside(native.values, "spec")
    selector = inside(spec, "podSelector")
    return {
        "namespace": namespace_of(native.values),
        "selects_all": UNKNOWN if selector is UNKNOWN else _is_empty_selector(selector),
        "open_ingress": any_of(_open(spec, "ingress", "from")),
        "open_egress": any_of(_open(spec, "egress", "to")),
    }


def _is_empty_selector(selector: Raw) -> Tri:
    if selector is None:
        return True
    if not isinstance(selector, Mapping):
        return UNKNOWN
    return all(value in (None, {}, [], ()) for value in selector.values())


def _open(spec: Raw, direction: str, peers: str) -> Iterator[Tri]:
    """Whether each rule lets everything through: it names neither peers nor ports, or a peer that is everyone."""
    rules = inside(spec, direction)
    if rules is not None and not isinstance(rules, list | tuple):
        yield UNKNOWN
        return
    for rule in rules or ():
        ports, listed = inside(rule, "ports"), inside(rule, peers)
        if ports is UNKNOWN or listed is UNKNOWN or not isinstance(listed, list | tuple | None):
            yield UNKNOWN
        elif ports:
            yield False
        elif not listed:
            yield True
        else:
            cidrs = [inside(peer, "ipBlock", "cidr") for peer in listed]
            yield covers_everyone(cidr for cidr in cidrs if cidr is not None)


def _adapters(kind: str, types: tuple[str, ...], adapt: Any, page: str) -> dict[str, Adapter]:
    return {native_type: Adapter(kind=kind, adapt=adapt, docs=DOCS + page) for native_type in types}


ADAPTERS: Final[dict[str, Adapter]] = (
    _adapters("kubernetes.service", SERVICES, _service, "service-resources/service-v1/")
    | _adapters("kubernetes.ingress", INGRESSES, _ingress, "service-resources/ingress-v1/")
    | _adapters(
        "kubernetes.network_policy", NETWORK_POLICIES, _network_policy, "policy-resources/network-policy-v1/"
    )
)
"""Ways into a cluster by native type."""
