from collections.abc import Mapping
from typing import Any, Final

import pytest

from plangate.decision.outcome import Status
from plangate.facts.kubernetes_terraform import ADAPTERS, Places, manifest_of
from plangate.facts.registry import ADAPTER_ERROR, with_facts
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN, AllUnknown
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan, a_resource

POD: Final = {
    "automount_service_account_token": True,
    "container": [
        {
            "name": "web",
            "image": "web:1",
            "env": [{"name": "DB_PASSWORD", "value": "correct-horse", "value_from": []}],
            "env_from": [],
            "liveness_probe": [{"http_get": [{"host": "10.0.0.1", "port": "80"}], "tcp_socket": []}],
            "port": [{"container_port": 80, "host_port": 80}],
            "resources": [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {}}],
            "security_context": [
                {
                    "privileged": True,
                    "allow_privilege_escalation": True,
                    "read_only_root_filesystem": False,
                    "run_as_user": "0",
                    "run_as_non_root": None,
                    "capabilities": [{"add": ["NET_ADMIN"], "drop": ["ALL"]}],
                    "se_linux_options": [],
                    "seccomp_profile": [{"type": "RuntimeDefault", "localhost_profile": ""}],
                }
            ],
        }
    ],
    "init_container": [{"name": "setup", "image": "setup:1", "security_context": []}],
    "host_network": True,
    "host_pid": False,
    "host_ipc": False,
    "security_context": [{"run_as_user": "", "run_as_non_root": True, "sysctl": [{"name": "kernel.msgmax"}]}],
    "service_account_name": UNKNOWN,
    "volume": [
        {"name": "host", "host_path": [{"path": "/etc", "type": ""}], "empty_dir": []},
        {"name": "work", "host_path": [], "empty_dir": [{"medium": "", "size_limit": None}]},
    ],
}
METADATA: Final = [{"name": "web", "namespace": "shop", "annotations": None, "labels": {"app_name": "web"}}]
DEPLOYMENT: Final = {
    "metadata": METADATA,
    "spec": [{"replicas": "1", "template": [{"metadata": [{"annotations": {}}], "spec": [POD]}]}],
}
AT: Final = "/spec/0/template/0/spec/0"


def facts(native_type: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    (found,) = with_facts([a_resource(f"{native_type}.web", values)])
    assert ADAPTER_ERROR not in found.facts
    assert set(found.facts) == {*COMMON_FACTS, *KINDS[found.kind]}
    return found.facts


def test_blocks_become_the_manifest_that_the_provider_sends() -> None:
    made = manifest_of(POD)
    assert made["hostNetwork"] is True
    assert made["initContainers"] == [{"name": "setup", "image": "setup:1", "securityContext": None}]
    assert made["securityContext"] == {
        "runAsUser": None,
        "runAsNonRoot": True,
        "sysctls": [{"name": "kernel.msgmax"}],
    }
    assert made["volumes"] == [
        {"name": "host", "hostPath": {"path": "/etc", "type": None}, "emptyDir": None},
        {"name": "work", "hostPath": None, "emptyDir": {"medium": None, "sizeLimit": None}},
    ]
    web = made["containers"][0]
    assert web["livenessProbe"] == {"httpGet": {"host": "10.0.0.1", "port": "80"}, "tcpSocket": None}
    assert web["ports"] == [{"containerPort": 80, "hostPort": 80}]
    assert web["securityContext"]["seLinuxOptions"] is None
    assert web["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert manifest_of(DEPLOYMENT)["metadata"]["labels"] == {"app_name": "web"}


@pytest.mark.parametrize("native_type", ["kubernetes_deployment", "kubernetes_deployment_v1"])
def test_a_deployment_has_the_facts_of_its_manifest_at_the_places_of_its_blocks(native_type: str) -> None:
    found = facts(native_type, DEPLOYMENT)
    web, setup = found["containers"]
    assert (web["path"], setup["path"]) == (f"{AT}/container/0", f"{AT}/init_container/0")
    assert web["at"] == {
        "image": f"{AT}/container/0/image",
        "limits": f"{AT}/container/0/resources",
        "privileged": f"{AT}/container/0/security_context/0/privileged",
        "privilege_escalation": f"{AT}/container/0/security_context/0/allow_privilege_escalation",
        "read_only_root": f"{AT}/container/0/security_context/0/read_only_root_filesystem",
        "run_as_non_root": f"{AT}/security_context/0/run_as_non_root",
        "run_as_user": f"{AT}/container/0/security_context/0/run_as_user",
        "added_capabilities": f"{AT}/container/0/security_context/0/capabilities/0/add",
        "dropped_capabilities": f"{AT}/container/0/security_context/0/capabilities/0/drop",
    }
    assert (web["privileged"], web["run_as_user"], web["run_as_non_root"]) == (True, 0, True)
    assert (web["limits"], web["added_capabilities"]) == (("cpu", "memory"), ("NET_ADMIN",))
    env = f"{AT}/container/0/env/0/value"
    assert web["secrets_in_env"] == ({"name": "DB_PASSWORD", "path": env, "literal": True},)
    assert found["host_paths"] == ({"source": "/etc", "path": f"{AT}/volume/0/host_path"},)
    assert (found["namespace"], found["host_network"], found["service_account"]) == ("shop", True, UNKNOWN)
    assert {v["control"]: v["path"] for v in found["pod_security"] if v["level"] == "baseline"} == {
        "Host Namespaces": f"{AT}/host_network",
        "Privileged Containers": f"{AT}/container/0/security_context/0/privileged",
        "Capabilities": f"{AT}/container/0/security_context/0/capabilities/0/add",
        "HostPath Volumes": f"{AT}/volume/0/host_path",
        "Host Ports": f"{AT}/container/0/port/0/host_port",
        "Host Probes / Lifecycle Hooks": f"{AT}/container/0/liveness_probe/0/http_get/0/host",
        "Sysctls": f"{AT}/security_context/0/sysctl/0/name",
    }
    assert "Running as Non-root user" in {v["control"] for v in found["pod_security"]}


@pytest.mark.parametrize(
    ("native_type", "values"),
    [
        ("kubernetes_pod", {"spec": [POD]}),
        ("kubernetes_pod_v1", {"spec": [POD]}),
        ("kubernetes_daemonset", DEPLOYMENT),
        ("kubernetes_daemon_set_v1", DEPLOYMENT),
        ("kubernetes_stateful_set", DEPLOYMENT),
        ("kubernetes_stateful_set_v1", DEPLOYMENT),
        ("kubernetes_replication_controller", DEPLOYMENT),
        ("kubernetes_replication_controller_v1", DEPLOYMENT),
        ("kubernetes_job", DEPLOYMENT),
        ("kubernetes_job_v1", DEPLOYMENT),
        ("kubernetes_cron_job", {"spec": [{"job_template": [DEPLOYMENT]}]}),
        ("kubernetes_cron_job_v1", {"spec": [{"job_template": [DEPLOYMENT]}]}),
    ],
)
def test_every_workload_of_the_provider_is_judged_by_the_rules_for_workloads(
    native_type: str, values: Mapping[str, Any]
) -> None:
    wanted = (
        "workload-not-privileged", "workload-no-host-namespaces", "workload-no-host-path", "workload-non-root",
        "secret-not-in-env", "pod-security",
    )  # fmt: skip
    plan = a_plan(a_resource(f"{native_type}.web", values))
    said, _ = evaluate(plan, {rule: RULES[rule] for rule in wanted}, {})
    assert [(o.rule, o.status) for o in said] == [(rule, Status.FAIL) for rule in wanted]
    assert all(o.path.startswith("/spec/0/") or not o.path for o in said)


@pytest.mark.parametrize("native_type", sorted(ADAPTERS))
def test_every_type_reads_anything(native_type: str) -> None:
    values: Any
    for values in (
        {},
        {"spec": UNKNOWN, "metadata": UNKNOWN},
        {"spec": [UNKNOWN]},
        {"spec": 3, "rule": {}, "x": [[1]]},
    ):
        assert facts(native_type, values)
    unknown = Resource(
        address=f"{native_type}.web",
        type=native_type,
        name="web",
        action=Action.CREATE,
        after={},
        planned=AllUnknown(),
    )
    assert ADAPTER_ERROR not in with_facts([unknown])[0].facts


@pytest.mark.parametrize("spec", [UNKNOWN, [UNKNOWN], [{"container": UNKNOWN}], [POD, POD]])
def test_what_is_not_known_stays_so(spec: Any) -> None:
    found = facts("kubernetes_pod", {"metadata": METADATA, "spec": spec})
    containers = found["containers"]
    assert containers is UNKNOWN or containers[0]["privileged"] is UNKNOWN


def test_limits_that_the_cluster_fills_in_are_not_known() -> None:
    container = {"name": "web", "image": "web:1", "resources": UNKNOWN}
    found = facts("kubernetes_pod", {"spec": [{"container": [container]}]})
    assert found["containers"][0]["limits"] is UNKNOWN


def test_services_roles_and_the_rest_have_the_facts_of_their_manifests() -> None:
    service = {
        "metadata": METADATA,
        "spec": [{"type": "LoadBalancer", "external_ips": [], "port": [{"port": 443}]}],
    }
    assert facts("kubernetes_service", service)["exposures"] == (
        {"via": "load-balancer", "everyone": True, "path": "/spec/0/type"},
    )
    rule = {
        "api_groups": [""],
        "resources": ["*"],
        "verbs": ["get"],
        "resource_names": [],
        "non_resource_urls": [],
    }
    role = facts("kubernetes_cluster_role_v1", {"metadata": METADATA, "rule": [rule], "aggregation_rule": []})
    assert role["cluster_wide"] is True
    assert [(r["resources"], r["verbs"], r["groups"], r["path"]) for r in role["rules"]] == [
        (("*",), ("get",), ("",), "/rule/0")
    ]
    binding = {
        "metadata": METADATA,
        "role_ref": [{"api_group": "x", "kind": "ClusterRole", "name": "cluster-admin"}],
        "subject": [{"kind": "Group", "name": "all", "namespace": "", "api_group": ""}],
    }
    found = facts("kubernetes_role_binding", binding)
    assert (found["role"], found["subjects"][0]["name"]) == ("ClusterRole/cluster-admin", "all")
    policy = {
        "spec": [
            {"pod_selector": [{"match_labels": None, "match_expressions": []}], "ingress": [{"from": []}]}
        ]
    }
    assert facts("kubernetes_network_policy_v1", policy)["open_ingress"] is True
    ingress = {"spec": [{"rule": [{"host": "a"}], "tls": [{"hosts": ["a"], "secret_name": "x"}]}]}
    assert facts("kubernetes_ingress_v1", ingress)["tls"] is True
    labels = {"metadata": [{"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}]}
    assert facts("kubernetes_namespace_v1", labels)["pod_security"] == "baseline"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/spec/template/spec", "/spec/0/template/0/spec"),
        ("/spec/template/spec/containers/7/image", f"{AT}/container/7"),
        ("/spec/template/spec/nothing/here", f"{AT}/nothing"),
        ("/metadata/labels/app_name", "/metadata/0/labels/app_name"),
        ("", ""),
    ],
)
def test_a_place_in_a_manifest_is_one_in_the_blocks_as_far_as_they_go(path: str, written: str) -> None:
    assert Places(DEPLOYMENT).at(path) == written
