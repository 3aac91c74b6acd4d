"""Services are not exposed outside of their cluster."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, setting, undecided

_WORDS: Final = {
    "load-balancer": "by a load balancer that is open to everyone",
    "internal-load-balancer": "by a load balancer for the network around the cluster",
    "node-port": "by a port of every node",
    "external-ip": "by external addresses",
}

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {
                "description": "Ways out of the cluster that a service may have.",
                "type": "array",
                "items": {"enum": list(_WORDS)},
                "default": ["internal-load-balancer"],
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    exposures = resource.fact("exposures")
    if exposures is UNKNOWN:
        return undecided("whether it is exposed is not known")
    allowed: Sequence[str] = setting(settings, SCHEMA, "allowed")
    counted = [e for e in exposures if e["via"] not in allowed and e["everyone"] is not False]
    certain = [e for e in counted if e["everyone"] is True]
    if certain:
        return failed(f"it is exposed {', and '.join(_WORDS[e['via']] for e in certain)}", certain[0]["path"])
    return (
        undecided(f"it may be exposed {_WORDS[counted[0]['via']]}", counted[0]["path"]) if counted else PASS
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="service-not-exposed",
        title="Services are not exposed outside of their cluster",
        description="No service has a public load balancer without a list of sources, a port on every node, or "
        "external addresses.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        kinds=("kubernetes.service",),
        remediation="Use ClusterIP behind an ingress, an internal load balancer, or loadBalancerSourceRanges.",
        frameworks=(("nist-800-53-r5", ("AC-4", "SC-7")),),
    ),
    judge=_judge,
    rationale="One word in a manifest gives a database an address on the internet. A way in should be there on "
    "purpose, with certificates and a log, at the one place that is made for it. Balancers count as internal by "
    "the annotations of AWS, Azure, Google, Oracle, IBM, Alibaba and OpenStack.",
    bad="""
apiVersion: v1
kind: Service
metadata:
  name: db
  namespace: shop
spec:
  type: LoadBalancer
  selector: {app: db}
  ports:
    - port: 5432
""",
    good="""
apiVersion: v1
kind: Service
metadata:
  name: db
  namespace: shop
spec:
  selector: {app: db}
  ports:
    - port: 5432
""",
    language="yaml",
    references=("https://kubernetes.io/docs/concepts/services-networking/service/",),
    settings_schema=SCHEMA,
)
