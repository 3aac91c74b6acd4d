"""The shipped policies about Kubernetes say the same of a manifest and of the Terraform resource that makes it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from plangate.facts.registry import plan_with_facts
from plangate.policy.base import PolicySet
from plangate.policy.load import load, shipped_policies
from plangate.policy.rule_settings import with_settings
from tests.unit.policy.builders import a_plan, a_resource, judged

Object = tuple[str, Mapping[str, Any], str, Mapping[str, Any]]
"""A manifest's type and body, and the provider's type and attributes."""

RBAC: Final = "rbac.authorization.k8s.io"
RULES: Final = frozenset(
    {"image-registries", "ingress-tls", "namespace-isolated", "role-no-escalation", "service-account-token"}
)


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return with_settings(
        load([shipped_policies()]), {"image-registries": {"allowed": ["ghcr.io/acme"]}}, "plangate.yaml"
    )


def an_object(native: str, provider: str, body: Mapping[str, Any], attributes: Mapping[str, Any]) -> Object:
    place = {"name": "shop", "namespace": "web"}
    return (
        native,
        {"metadata": {**place, **body.get("metadata", {})}, **{k: v for k, v in body.items() if k != "metadata"}},
        provider,
        {
            "metadata": [{**place, **attributes.get("metadata", {})}],
            **{k: v for k, v in attributes.items() if k != "metadata"},
        },
    )  # fmt: skip


def a_workload(token: bool, image: str = "ghcr.io/acme/shop:1", account: str = "shop") -> Object:
    return an_object(
        "apps/v1/Deployment",
        "kubernetes_deployment_v1",
        {"spec": {"template": {"spec": {
            "automountServiceAccountToken": token, "serviceAccountName": account,
            "containers": [{"name": "app", "image": image}],
        }}}},
        {"spec": [{"template": [{"spec": [{
            "automount_service_account_token": token, "service_account_name": account,
            "container": [{"name": "app", "image": image}],
        }]}]}]},
    )  # fmt: skip


def a_policy(labels: Mapping[str, str]) -> Object:
    return an_object(
        "networking.k8s.io/v1/NetworkPolicy",
        "kubernetes_network_policy_v1",
        {"spec": {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"]}},
        {"spec": [{"pod_selector": [{"match_labels": labels}], "policy_types": ["Ingress"]}]},
    )


def an_ingress(names: Sequence[str], annotations: Mapping[str, str]) -> Object:
    return an_object(
        "networking.k8s.io/v1/Ingress",
        "kubernetes_ingress_v1",
        {
            "metadata": {"annotations": annotations},
            "spec": {"rules": [{"host": "shop.example.com"}], "tls": [{"hosts": names}] if names else []},
        },
        {
            "metadata": {"annotations": annotations},
            "spec": [{"rule": [{"host": "shop.example.com"}], "tls": [{"hosts": names}] if names else []}],
        },
    )


def a_role(resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()) -> Object:
    return an_object(
        f"{RBAC}/v1/ClusterRole",
        "kubernetes_cluster_role_v1",
        {"rules": [
            {"apiGroups": [RBAC], "resources": resources, "verbs": verbs, "resourceNames": list(names)}
        ]},
        {"rule": [
            {"api_groups": [RBAC], "resources": resources, "verbs": verbs, "resource_names": list(names)}
        ]},
    )  # fmt: skip


NAMESPACE: Final = ("v1/Namespace", {"metadata": {"name": "web"}},
                    "kubernetes_namespace_v1", {"metadata": [{"name": "web"}]})  # fmt: skip

CASES: Final[Mapping[str, tuple[Sequence[Object], set[tuple[str, str]]]]] = {
    "a token that is asked for": ([a_workload(token=True)], {("service-account-token", "fail")}),
    "a token that is declined": ([a_workload(token=False)], set()),
    "an image of another registry": ([a_workload(token=False, image="nginx")], {("image-registries", "fail")}),
    "no network policy": ([NAMESPACE, a_workload(token=False)], {("namespace-isolated", "fail")}),
    "a network policy for some pods": (
        [NAMESPACE, a_workload(token=False), a_policy({"app": "shop"})], {("namespace-isolated", "fail")}
    ),
    "a network policy for all pods": ([NAMESPACE, a_workload(token=False), a_policy({})], set()),
    "an ingress without a certificate": ([an_ingress([], {})], {("ingress-tls", "fail")}),
    "an ingress with a certificate": ([an_ingress(["shop.example.com"], {})], set()),
    "an ingress with a certificate of the cloud": (
        [an_ingress([], {"networking.gke.io/managed-certificates": "shop"})], set()
    ),
    "a role that binds": ([a_role(["roles"], ["bind"])], {("role-no-escalation", "fail")}),
    "a role that binds one role": ([a_role(["roles"], ["bind"], ["view"])], set()),
    "a role that reads": ([a_role(["roles"], ["get"])], set()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_manifest_and_the_resource_that_makes_it_are_judged_alike(case: str, policies: PolicySet) -> None:
    objects, expected = CASES[case]
    manifests = a_plan(
        *(a_resource(f"m{number}", type=native, kind="", facts={}, after=dict(body))
          for number, (native, body, _, _) in enumerate(objects))
    )  # fmt: skip
    resources = a_plan(
        *(a_resource(f"{provider}.r{number}", type=provider, kind="", facts={}, after=dict(attributes))
          for number, (_, _, provider, attributes) in enumerate(objects))
    )  # fmt: skip
    found = [
        {
            (outcome.rule, outcome.status.value)
            for outcome in judged(policies, plan_with_facts(plan)).outcomes
            if outcome.rule in RULES and outcome.status.value != "pass"
        }
        for plan in (manifests, resources)
    ]
    assert found == [expected, expected]
