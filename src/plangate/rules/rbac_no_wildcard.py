"""Roles name what they allow."""

from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import NO_SETTINGS, PASS, Rule, Settings, Verdict, failed, undecided

_PARTS: Final = {"verbs": "verbs", "resources": "resources", "groups": "API groups", "urls": "URLs"}
_EVERYTHING: Final = "ClusterRole/cluster-admin"


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return _binding(resource) if resource.kind == "kubernetes.role_binding" else _role(resource)


def _binding(resource: Resource) -> Verdict:
    role = resource.fact("role")
    if role is UNKNOWN:
        return undecided("which role it gives is not known", "/roleRef")
    return (
        failed("it gives cluster-admin, which allows everything", "/roleRef") if role == _EVERYTHING else PASS
    )


def _role(resource: Resource) -> Verdict:
    rules = resource.fact("rules")
    if rules is UNKNOWN:
        return undecided("what it allows is not in this plan", "/rules")
    doubtful: Any = None
    for rule in rules:
        wide = [words for part, words in _PARTS.items() if _has_wildcard(rule[part])]
        if wide:
            return failed(f"it allows all {' and all '.join(wide)} in one rule", rule["path"])
        if doubtful is None and any(rule[part] is UNKNOWN or UNKNOWN in rule[part] for part in _PARTS):
            doubtful = rule
    return undecided("what a rule of it allows is not known", doubtful["path"]) if doubtful else PASS


def _has_wildcard(values: Any) -> bool:
    listed = () if values is UNKNOWN else values
    # "*/scale" is a subresource of every resource, and "/*" every URL; "/healthz/*" is a part of them.
    return any(
        isinstance(value, str) and (value in {"*", "/*"} or value.startswith("*/")) for value in listed
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="rbac-no-wildcard",
        title="Roles name what they allow",
        description="No role has a * for its verbs, resources, API groups or URLs, and no binding gives cluster-admin.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        kinds=("kubernetes.role", "kubernetes.role_binding"),
        remediation="List the verbs and resources that the program uses, and bind a role of its own.",
        frameworks=(("cis-kubernetes-1.8", ("5.1.1", "5.1.3")), ("nist-800-53-r5", ("AC-6",))),
    ),
    judge=_judge,
    rationale="A * also allows what does not exist yet: each new resource, each new verb, escalate and impersonate "
    "among them. cluster-admin is nothing but such a role. A role that the cluster puts together from "
    "others (aggregationRule) cannot be judged by its own text.",
    bad="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: deployer
rules:
  - apiGroups: ["apps"]
    resources: ["*"]
    verbs: ["*"]
""",
    good="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: deployer
rules:
  - apiGroups: ["apps"]
    resources: ["deployments"]
    verbs: ["get", "list", "patch"]
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
        "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    ),
    settings_schema=NO_SETTINGS,
)
