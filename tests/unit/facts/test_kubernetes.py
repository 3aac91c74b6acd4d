from collections.abc import Mapping
from typing import Any, Final

import pytest

from plangate.facts.containers import limited, looks_secret, pinned_by
from plangate.facts.kubernetes_pod_security import CONTROLS
from plangate.facts.kubernetes_types import MODELLED, WORKLOADS, is_unreadable
from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS, with_facts
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN, AllUnknown

IMAGE: Final = "registry.example.com/web:5.0.2"
PLAIN: Final = {
    "name": "web",
    "role": "container",
    "path": "/spec/containers/0",
    "at": {"image": "/spec/containers/0/image"},
    "image": IMAGE,
    "image_pinned_by": "tag",
    "privileged": False,
    "host_process": False,
    "privilege_escalation": True,
    "run_as_non_root": None,
    "run_as_user": None,
    "read_only_root": False,
    "added_capabilities": (),
    "dropped_capabilities": (),
    "limits": (),
    "secrets_in_env": (),
}


def facts(native_type: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    name = native_type.rpartition("/")[2]
    resource = Resource(
        address=name, type=native_type, name=name, provider="kubernetes", action=Action.CREATE, after=values,
        planned=values,
    )  # fmt: skip
    (found,) = with_facts([resource])
    assert ADAPTER_ERROR not in found.facts
    assert set(found.facts) == {*COMMON_FACTS, *KINDS.get(found.kind, ())}
    return found.facts


def nested(way: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(way):
        value = {key: value}
    made: dict[str, Any] = value
    return made


def pod(spec: Any = None, **container: Any) -> Mapping[str, Any]:
    return facts(
        "v1/Pod", {"spec": {"containers": [{"name": "web", "image": IMAGE, **container}], **(spec or {})}}
    )


def container_of(spec: Any = None, **container: Any) -> Mapping[str, Any]:
    first: Mapping[str, Any] = pod(spec, **container)["containers"][0]
    return first


def controls(found: Mapping[str, Any]) -> set[tuple[str, str, Any]]:
    return {(v["level"], v["control"], v["violated"]) for v in found["pod_security"]}


@pytest.mark.parametrize("native_type", sorted(WORKLOADS))
def test_every_workload_of_every_version_shows_its_containers(native_type: str) -> None:
    way = WORKLOADS[native_type]
    spec = {"containers": [{"name": "web", "image": IMAGE}], "hostPID": True}
    found = facts(native_type, nested(way, spec))
    path = "/" + "/".join(way) + "/containers/0"
    assert found["containers"] == ({**PLAIN, "path": path, "at": {"image": f"{path}/image"}},)
    assert (found["host_pid"], found["host_network"], found["host_ipc"]) == (True, False, False)


@pytest.mark.parametrize("native_type", sorted(MODELLED))
def test_every_type_that_is_said_to_be_modelled_has_an_adapter_that_reads_anything(native_type: str) -> None:
    assert ADAPTERS[native_type].kind in KINDS
    for values in ({}, AllUnknown(), {"spec": 3, "metadata": [], "rules": {}, "roleRef": 1, "subjects": "x"}):
        assert facts(native_type, values)


def test_all_adapters_of_kubernetes_are_said_to_be_modelled() -> None:
    kinds = {"kubernetes.", "container."}
    own = {t for t, a in ADAPTERS.items() if a.kind.startswith(tuple(kinds)) and "/" in t}
    assert own == MODELLED


@pytest.mark.parametrize(
    ("native_type", "unreadable"),
    [
        ("apps/v9/Deployment", True), ("v1/pod", True), ("apps/v1/Pod", True), ("batch/v1/CronJob", False),
        ("example.com/v1/Deployment", False), ("v1/Endpoints", False), ("policy/v1/Eviction", False),
    ],
)  # fmt: skip
def test_a_type_of_kubernetes_itself_in_another_version_is_told_from_others(
    native_type: str, *, unreadable: bool
) -> None:
    assert is_unreadable(native_type) is unreadable


def test_containers_of_all_roles_are_there_in_order() -> None:
    spec = {"initContainers": [{"name": "setup"}], "ephemeralContainers": [{"name": "debug"}]}
    assert [(c["name"], c["role"], c["path"]) for c in pod(spec)["containers"]] == [
        ("web", "container", "/spec/containers/0"),
        ("setup", "init", "/spec/initContainers/0"),
        ("debug", "ephemeral", "/spec/ephemeralContainers/0"),
    ]


@pytest.mark.parametrize(
    "spec", [{"containers": None}, {"containers": []}, {"containers": "web"}, {"containers": UNKNOWN}]
)
def test_a_list_that_says_nothing_is_one_container_of_which_nothing_is_known(spec: dict[str, Any]) -> None:
    found = pod({**spec, "initContainers": [{"name": "setup", "securityContext": {"privileged": True}}]})
    assert [(c["name"], c["privileged"]) for c in found["containers"]] == [
        ("(not known)", UNKNOWN),
        ("setup", True),
    ]


@pytest.mark.parametrize("values", [{}, {"spec": None}, {"spec": "web"}, {"spec": UNKNOWN}])
def test_without_a_spec_nothing_is_known(values: dict[str, Any]) -> None:
    found = facts("v1/Pod", values)
    for name in ("containers", "host_network", "host_pid", "host_ipc", "host_paths", "pod_security"):
        assert found[name] is UNKNOWN


# What the pod says for its containers.


def test_a_container_has_what_its_pod_says_unless_it_says_so_itself() -> None:
    shared = {
        "securityContext": {"runAsUser": 1000, "runAsNonRoot": True, "windowsOptions": {"hostProcess": True}}
    }
    inherited = container_of(shared)
    assert (inherited["run_as_user"], inherited["run_as_non_root"], inherited["host_process"]) == (
        1000,
        True,
        True,
    )
    assert inherited["at"]["run_as_user"] == "/spec/securityContext/runAsUser"
    own = {"runAsUser": 0, "runAsNonRoot": False, "windowsOptions": {"hostProcess": False}}
    written = container_of(shared, securityContext=own)
    assert (written["run_as_user"], written["run_as_non_root"], written["host_process"]) == (0, False, False)
    assert written["at"]["run_as_user"] == "/spec/containers/0/securityContext/runAsUser"


def test_a_pod_cannot_say_for_its_containers_what_only_they_can() -> None:
    shared = {
        "securityContext": {
            "privileged": True,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    }
    found = container_of(shared)
    assert (found["privileged"], found["read_only_root"], found["dropped_capabilities"]) == (False, False, ())


@pytest.mark.parametrize(
    ("context", "escalation"),
    [
        ({}, True),
        ({"allowPrivilegeEscalation": False}, False),
        ({"allowPrivilegeEscalation": False, "privileged": True}, True),
        ({"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}, True),
        ({"allowPrivilegeEscalation": False, "capabilities": {"add": UNKNOWN}}, UNKNOWN),
        ({"allowPrivilegeEscalation": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_container_gains_rights_unless_it_is_said_that_it_cannot(
    context: dict[str, Any], escalation: Any
) -> None:
    assert container_of(securityContext=context)["privilege_escalation"] is escalation


@pytest.mark.parametrize(
    ("context", "fact", "value"),
    [
        ({"privileged": "perhaps"}, "privileged", UNKNOWN),
        (UNKNOWN, "privileged", UNKNOWN),
        ("text", "read_only_root", UNKNOWN),
        ({"runAsUser": "root"}, "run_as_user", UNKNOWN),
        ({"runAsNonRoot": 1}, "run_as_non_root", UNKNOWN),
        ({"capabilities": {"add": "ALL"}}, "added_capabilities", UNKNOWN),
        ({"capabilities": {"drop": [1, "cap_net_raw"]}}, "dropped_capabilities", (UNKNOWN, "NET_RAW")),
    ],
)
def test_what_has_another_type_is_not_known(context: Any, fact: str, value: Any) -> None:
    assert container_of(securityContext=context)[fact] == value


def test_limits_of_container_and_pod_add_up() -> None:
    spec = {"resources": {"limits": {"memory": "1Gi"}}}
    assert container_of(spec, resources={"limits": {"cpu": 1, "hugepages-2Mi": "0"}})["limits"] == (
        "cpu",
        "memory",
    )
    assert container_of(resources={"limits": {"cpu": UNKNOWN}})["limits"] is UNKNOWN
    assert container_of(resources=UNKNOWN)["limits"] is UNKNOWN


def test_null_and_zero_are_no_limits() -> None:
    assert limited({"a": None, "b": 0, "c": "0", "d": "", "e": "1m"}.items()) == {"e"}


def test_host_paths_are_listed_with_their_place() -> None:
    volumes = [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "hostPath": {"path": "/etc"}},
        {"hostPath": {"path": 3}},
    ]
    assert pod({"volumes": volumes})["host_paths"] == (
        {"source": "/etc", "path": "/spec/volumes/1/hostPath"},
        {"source": UNKNOWN, "path": "/spec/volumes/2/hostPath"},
    )
    assert pod({"volumes": "x"})["host_paths"] is UNKNOWN
    assert pod({"volumes": ["x"]})["host_paths"] is UNKNOWN


@pytest.mark.parametrize(
    ("spec", "account"),
    [
        ({}, "default"), ({"serviceAccountName": "a", "serviceAccount": "b"}, "a"), ({"serviceAccount": "b"}, "b"),
        ({"serviceAccountName": UNKNOWN}, UNKNOWN), ({"serviceAccountName": ""}, "default"),
    ],
)  # fmt: skip
def test_the_account_goes_by_its_new_or_its_old_name(spec: dict[str, Any], account: Any) -> None:
    assert pod(spec)["service_account"] == account


def test_a_silent_pod_leaves_the_token_to_its_account() -> None:
    assert pod()["token_mounted"] is UNKNOWN
    assert pod({"automountServiceAccountToken": False})["token_mounted"] is False


# Environment.


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "correct-horse", True), ("db-password", "x1", True), ("API_KEY", "x1", True),
        ("GITHUB_TOKEN", "x1", True), ("DB_PASSWORD_FILE", "/run/x", False), ("TOKEN_TTL", "30s", False),
        ("ALLOW_EMPTY_PASSWORD", "yes", False), ("DB_PASSWORD", "$(OTHER)", False), ("DB_PASSWORD", "${OTHER}", False),
        ("DB_PASSWORD", "", False), ("COLOUR", "blue", False), ("URL", "postgres://a:b@c/d", True),
        ("URL", "postgres://a:$(PASSWORD)@c/d", False), ("URL", "https://a/b:c@d", False),
        ("X", "AKIAABCDEFGHIJKLMNOP", True), ("X", "ghp_" + "a" * 36, True),
        ("X", "-----BEGIN EC PRIVATE KEY-----", True),
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_name_or_its_looks(name: str, value: str, *, secret: bool) -> None:
    assert looks_secret(name, value) is secret


def test_secrets_in_an_environment_are_listed_with_their_place_and_never_with_their_value() -> None:
    reference = {"secretKeyRef": {"name": "db", "key": "password"}}
    env = [
        {"name": "A_TOKEN", "value": "x1"},
        {"name": "B", "valueFrom": reference},
        {"name": "C", "value": UNKNOWN},
    ]
    sources = [{"configMapRef": {"name": "x"}}, {"secretRef": {"name": "db"}}, {"secretRef": {}}]
    at = "/spec/containers/0"
    assert container_of(env=env, envFrom=sources)["secrets_in_env"] == (
        {"name": "A_TOKEN", "path": f"{at}/env/0/value", "literal": True},
        {"name": "B", "path": f"{at}/env/1/valueFrom/secretKeyRef", "literal": False},
        {"name": "C", "path": f"{at}/env/2/value", "literal": UNKNOWN},
        {"name": "db", "path": f"{at}/envFrom/1/secretRef", "literal": False},
        {"name": UNKNOWN, "path": f"{at}/envFrom/2/secretRef", "literal": False},
    )


@pytest.mark.parametrize("env", [{"A": "b"}, ["A=b"], [{"name": 3}], UNKNOWN])
def test_an_environment_of_another_shape_is_not_known(env: Any) -> None:
    assert container_of(env=env)["secrets_in_env"] is UNKNOWN


def test_sources_of_another_shape_are_not_known() -> None:
    assert container_of(envFrom=["db"])["secrets_in_env"] is UNKNOWN
    assert container_of(envFrom={})["secrets_in_env"] is UNKNOWN
    assert container_of(env=[{"name": "DB_PASSWORD"}], envFrom=[])["secrets_in_env"] == ()


# Images.


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("web", ""), ("web:latest", ""), ("web:LATEST", ""), ("web:", ""), ("web:1", "tag"), ("r:5000/web", ""),
        ("r:5000/web:1", "tag"), ("web@sha256:0a", "digest"), ("web:latest@sha256:0a", "digest"), ("web@sha256:", ""),
        ("web@1", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_image_is_pinned_by_a_digest_or_a_tag_that_is_not_latest(image: str, pinned: str) -> None:
    assert pinned_by(image) == pinned


# Pod Security Standards.


def test_the_controls_are_those_of_the_published_page() -> None:
    assert [(level, name) for level, name, _ in CONTROLS] == [
        ("baseline", "HostProcess"), ("baseline", "Host Namespaces"), ("baseline", "Privileged Containers"),
        ("baseline", "Capabilities"), ("baseline", "HostPath Volumes"), ("baseline", "Host Ports"),
        ("baseline", "Host Probes / Lifecycle Hooks"), ("baseline", "AppArmor"), ("baseline", "SELinux"),
        ("baseline", "/proc Mount Type"), ("baseline", "Seccomp"), ("baseline", "Sysctls"),
        ("restricted", "Volume Types"), ("restricted", "Privilege Escalation"), ("restricted", "Running as Non-root"),
        ("restricted", "Running as Non-root user"), ("restricted", "Seccomp"), ("restricted", "Capabilities"),
    ]  # fmt: skip


RESTRICTED: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED_POD: Final = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def strict(
    context: Any = None, shared: Any = None, spec: Any = None, **container: Any
) -> set[tuple[str, str, Any]]:
    """What a pod violates that is restricted but for these changes."""
    found = pod(
        {"securityContext": {**RESTRICTED_POD, **(shared or {})}, **(spec or {})},
        securityContext={**RESTRICTED, **(context or {})},
        **container,
    )
    return controls(found)


def test_a_restricted_pod_violates_nothing() -> None:
    assert strict() == set()


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"context": {"windowsOptions": {"hostProcess": True}}}, "HostProcess"),
        ({"shared": {"windowsOptions": {"hostProcess": True}}}, "HostProcess"),
        ({"spec": {"hostNetwork": True}}, "Host Namespaces"),
        ({"spec": {"hostPID": True}}, "Host Namespaces"),
        ({"spec": {"hostIPC": True}}, "Host Namespaces"),
        ({"context": {"privileged": True}}, "Privileged Containers"),
        ({"ports": [{"hostPort": 80}]}, "Host Ports"),
        ({"livenessProbe": {"httpGet": {"host": "a"}}}, "Host Probes / Lifecycle Hooks"),
        ({"readinessProbe": {"tcpSocket": {"host": "a"}}}, "Host Probes / Lifecycle Hooks"),
        ({"startupProbe": {"httpGet": {"host": "a"}}}, "Host Probes / Lifecycle Hooks"),
        ({"lifecycle": {"postStart": {"httpGet": {"host": "a"}}}}, "Host Probes / Lifecycle Hooks"),
        ({"lifecycle": {"preStop": {"tcpSocket": {"host": "a"}}}}, "Host Probes / Lifecycle Hooks"),
        ({"context": {"appArmorProfile": {"type": "Unconfined"}}}, "AppArmor"),
        ({"shared": {"appArmorProfile": {"type": "Unconfined"}}}, "AppArmor"),
        ({"context": {"seLinuxOptions": {"type": "spc_t"}}}, "SELinux"),
        ({"shared": {"seLinuxOptions": {"user": "a"}}}, "SELinux"),
        ({"context": {"seLinuxOptions": {"role": "a"}}}, "SELinux"),
        ({"context": {"procMount": "Unmasked"}}, "/proc Mount Type"),
        ({"shared": {"sysctls": [{"name": "kernel.msgmax"}]}}, "Sysctls"),
    ],
)
def test_each_control_of_baseline_is_named_when_it_is_violated(change: dict[str, Any], control: str) -> None:
    assert strict(**change) == {("baseline", control, True)}


def test_controls_that_both_levels_have_are_named_at_both() -> None:
    both = {("baseline", "Capabilities", True), ("restricted", "Capabilities", True)}
    assert strict(context={"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}) == both
    unconfined = {"seccompProfile": {"type": "Unconfined"}}
    assert strict(context=unconfined) == {("baseline", "Seccomp", True), ("restricted", "Seccomp", True)}
    mounted = {"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}
    expected = {("baseline", "HostPath Volumes", True), ("restricted", "Volume Types", True)}
    assert strict(spec=mounted) == expected


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"spec": {"volumes": [{"name": "a", "nfs": {}}]}}, "Volume Types"),
        ({"context": {"allowPrivilegeEscalation": True}}, "Privilege Escalation"),
        ({"context": {"allowPrivilegeEscalation": None}}, "Privilege Escalation"),
        ({"shared": {"runAsNonRoot": None}}, "Running as Non-root"),
        ({"shared": {"runAsNonRoot": False}}, "Running as Non-root"),
        ({"context": {"runAsNonRoot": False}}, "Running as Non-root"),
        ({"context": {"runAsUser": 0}}, "Running as Non-root user"),
        ({"shared": {"runAsUser": 0}}, "Running as Non-root user"),
        ({"shared": {"seccompProfile": None}}, "Seccomp"),
        ({"context": {"capabilities": None}}, "Capabilities"),
        ({"context": {"capabilities": {"drop": ["all"]}}}, "Capabilities"),
        ({"context": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}}, "Capabilities"),
    ],
)
def test_each_control_of_restricted_is_named_when_it_is_violated(
    change: dict[str, Any], control: str
) -> None:
    assert strict(**change) == {("restricted", control, True)}


@pytest.mark.parametrize(
    "change",
    [
        {"context": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}},
        {"ports": [{"hostPort": 0}, {"containerPort": 80}]},
        {"livenessProbe": {"httpGet": {"host": "", "port": 80}}},
        {"context": {"seLinuxOptions": {"type": "container_engine_t", "level": "s0:c1", "user": ""}}},
        {"context": {"procMount": "Default", "privileged": False, "appArmorProfile": {"type": "Localhost"}}},
        {"shared": {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time"}]}},
        {"shared": {"runAsNonRoot": None}, "context": {"runAsNonRoot": True}},
        {"shared": {"seccompProfile": None}, "context": {"seccompProfile": {"type": "Localhost"}}},
        {"spec": {"volumes": [{"name": "a", "csi": {}}, {"name": "b"}, {"name": "c", "emptyDir": {}}]}},
    ],
)
def test_what_the_standards_allow_violates_nothing(change: dict[str, Any]) -> None:
    assert strict(**change) == set()


def test_pods_for_windows_are_not_asked_for_what_only_linux_has() -> None:
    silent = {"securityContext": {"runAsNonRoot": True}}
    asked = {("restricted", c, True) for c in ("Privilege Escalation", "Seccomp", "Capabilities")}
    assert controls(pod(silent)) == asked
    assert controls(pod({**silent, "os": {"name": "windows"}})) == set()
    assert controls(pod({**silent, "os": {"name": UNKNOWN}})) == asked


@pytest.mark.parametrize(
    ("annotation", "control"),
    [
        ({"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}, "AppArmor"),
        ({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, "Seccomp"),
        ({"container.seccomp.security.alpha.kubernetes.io/web": "unconfined"}, "Seccomp"),
    ],
)
def test_annotations_of_a_template_count_as_those_of_its_pods(
    annotation: dict[str, str], control: str
) -> None:
    template = {"metadata": {"annotations": annotation}, "spec": {"containers": [{"name": "web"}]}}
    found = facts("apps/v1/Deployment", {"spec": {"template": template}})["pod_security"]
    key = next(iter(annotation)).replace("/", "~1")
    assert [(v["control"], v["path"]) for v in found if v["level"] == "baseline"] == [
        (control, f"/spec/template/metadata/annotations/{key}")
    ]


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"spec": {"hostNetwork": UNKNOWN}}, "Host Namespaces"),
        ({"context": {"privileged": UNKNOWN}}, "Privileged Containers"),
        ({"ports": UNKNOWN}, "Host Ports"),
        ({"ports": [UNKNOWN]}, "Host Ports"),
        ({"shared": {"sysctls": UNKNOWN}}, "Sysctls"),
        ({"context": {"seLinuxOptions": {"type": UNKNOWN}}}, "SELinux"),
        ({"livenessProbe": {"httpGet": UNKNOWN}}, "Host Probes / Lifecycle Hooks"),
    ],
)
def test_what_is_not_known_may_violate(change: dict[str, Any], control: str) -> None:
    assert ("baseline", control, UNKNOWN) in strict(**change)
    assert all(violated is UNKNOWN for _, _, violated in strict(**change))


@pytest.mark.parametrize("annotations", [UNKNOWN, "text", AllUnknown()])
def test_annotations_that_are_not_known_may_turn_profiles_off(annotations: Any) -> None:
    values = {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "web"}]}}
    found = facts("v1/Pod", values)["pod_security"]
    assert {(v["control"], v["violated"], v["path"]) for v in found if v["level"] == "baseline"} == {
        ("AppArmor", UNKNOWN, "/metadata/annotations"),
        ("Seccomp", UNKNOWN, "/metadata/annotations"),
    }


def test_unknown_values_of_restricted_may_violate_it() -> None:
    assert ("restricted", "Privilege Escalation", UNKNOWN) in strict(
        context={"allowPrivilegeEscalation": UNKNOWN}
    )
    assert ("restricted", "Running as Non-root", UNKNOWN) in strict(shared={"runAsNonRoot": UNKNOWN})
    assert ("restricted", "Capabilities", UNKNOWN) in strict(context={"capabilities": {"drop": [UNKNOWN]}})
    assert ("restricted", "Volume Types", UNKNOWN) in strict(spec={"volumes": UNKNOWN})


# Services, ingresses, policies.


def service(annotations: Any = None, **spec: Any) -> Mapping[str, Any]:
    return facts("v1/Service", {"metadata": {"annotations": annotations}, "spec": spec})


@pytest.mark.parametrize(
    ("spec", "via"),
    [
        ({}, []), ({"type": "ClusterIP"}, []), ({"type": "ExternalName"}, []), ({"type": "NodePort"}, ["node-port"]),
        ({"type": "LoadBalancer"}, ["load-balancer"]), ({"externalIPs": ["203.0.113.7"]}, ["external-ip"]),
        ({"type": "NodePort", "externalIPs": ["203.0.113.7"]}, ["node-port", "external-ip"]),
    ],
)  # fmt: skip
def test_a_service_is_reached_as_its_type_and_addresses_say(spec: dict[str, Any], via: list[str]) -> None:
    assert [exposure["via"] for exposure in service(**spec)["exposures"]] == via


@pytest.mark.parametrize(
    ("annotations", "via"),
    [
        ({"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}, "internal-load-balancer"),
        ({"service.beta.kubernetes.io/aws-load-balancer-internal": "false"}, "load-balancer"),
        ({"service.beta.kubernetes.io/azure-load-balancer-internal": "True"}, "load-balancer"),
        (
            {
                "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
                "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
            },
            "load-balancer",
        ),
        ({"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}, "internal-load-balancer"),
        ({"networking.gke.io/load-balancer-type": "Internal"}, "internal-load-balancer"),
        ({"example.com/internal": "true"}, "load-balancer"),
    ],
)
def test_a_load_balancer_is_internal_where_a_cloud_says_so(annotations: dict[str, str], via: str) -> None:
    assert [e["via"] for e in service(annotations, type="LoadBalancer")["exposures"]] == [via]


@pytest.mark.parametrize(
    ("ranges", "everyone"),
    [
        (None, True),
        ([], True),
        (["10.0.0.0/8"], False),
        (["0.0.0.0/0"], True),
        ([UNKNOWN], UNKNOWN),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_sources_that_are_not_everyone_limit_a_load_balancer(ranges: Any, everyone: Any) -> None:
    (exposure,) = service(type="LoadBalancer", loadBalancerSourceRanges=ranges)["exposures"]
    assert exposure["everyone"] is everyone


@pytest.mark.parametrize(
    "values",
    [
        {"spec": {"type": "Public"}}, {"spec": {"type": UNKNOWN}}, {"spec": UNKNOWN}, {"spec": {"externalIPs": 3}},
        {"spec": {"type": "LoadBalancer"}, "metadata": UNKNOWN},
        {"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": AllUnknown()}},
    ],
)  # fmt: skip
def test_a_service_of_which_something_is_not_known_may_be_exposed(values: dict[str, Any]) -> None:
    assert facts("v1/Service", values)["exposures"] is UNKNOWN


@pytest.mark.parametrize(
    ("spec", "hosts", "tls"),
    [
        ({"rules": [{"host": "a.example.com"}]}, ("a.example.com",), False),
        (
            {"rules": [{"host": "a.example.com"}], "tls": [{"hosts": ["a.example.com"]}]},
            ("a.example.com",),
            True,
        ),
        (
            {"rules": [{"host": "a.example.com"}], "tls": [{"hosts": ["*.example.com"]}]},
            ("a.example.com",),
            True,
        ),
        (
            {"rules": [{"host": "a.example.com"}], "tls": [{"hosts": ["b.example.com"]}]},
            ("a.example.com",),
            False,
        ),
        ({"rules": [{}], "tls": [{"secretName": "x"}]}, ("",), True),
        ({"defaultBackend": {}, "rules": [{"host": "a"}], "tls": [{"hosts": ["a"]}]}, ("a", ""), False),
        ({}, ("",), False),
        ({"rules": UNKNOWN, "tls": [{"hosts": ["a"]}]}, UNKNOWN, UNKNOWN),
        ({"rules": [{"host": UNKNOWN}], "tls": [{"hosts": ["a"]}]}, (UNKNOWN,), UNKNOWN),
        ({"rules": [{"host": "a"}], "tls": [{"hosts": [UNKNOWN]}]}, ("a",), UNKNOWN),
        ({"rules": [{"host": "a"}], "tls": UNKNOWN}, ("a",), UNKNOWN),
    ],
)
def test_an_ingress_is_encrypted_when_every_name_of_it_has_a_certificate(
    spec: Any, hosts: Any, tls: Any
) -> None:
    found = facts("networking.k8s.io/v1/Ingress", {"spec": spec})
    assert (found["hosts"], found["tls"]) == (hosts, tls)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"podSelector": {}}, (True, False, False)),
        ({"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{}]}, (False, True, False)),
        ({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, (True, False, True)),
        ({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}, (True, False, False)),
        ({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}, (True, False, False)),
        ({"podSelector": {}, "ingress": [{"from": UNKNOWN}]}, (True, UNKNOWN, False)),
        ({"podSelector": UNKNOWN, "ingress": UNKNOWN}, (UNKNOWN, UNKNOWN, False)),
        ({"podSelector": "x", "egress": ["x"]}, (UNKNOWN, False, UNKNOWN)),
    ],
)
def test_a_network_policy_is_open_where_a_rule_leaves_nobody_out(spec: Any, expected: Any) -> None:
    found = facts("networking.k8s.io/v1/NetworkPolicy", {"spec": spec})
    assert (found["selects_all"], found["open_ingress"], found["open_egress"]) == expected


# Rights and the rest.

RBAC: Final = "rbac.authorization.k8s.io/v1"


def test_rules_of_a_role_are_told_part_by_part() -> None:
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", UNKNOWN], "resourceNames": ["a"]},
        UNKNOWN,
    ]
    found = facts(f"{RBAC}/ClusterRole", {"rules": rules})
    unknown = dict.fromkeys(("groups", "resources", "verbs", "names", "urls"), UNKNOWN)
    assert found["rules"] == (
        {
            "groups": ("",), "resources": ("pods",), "verbs": ("get", UNKNOWN), "names": ("a",), "urls": (),
            "path": "/rules/0",
        },
        {**unknown, "path": "/rules/1"},
    )  # fmt: skip
    assert found["cluster_wide"] is True


def test_a_role_that_the_cluster_fills_in_is_not_known() -> None:
    values = {"aggregationRule": {"clusterRoleSelectors": []}, "rules": []}
    assert facts(f"{RBAC}/ClusterRole", values)["rules"] is UNKNOWN


def test_a_binding_tells_what_it_gives_to_whom() -> None:
    values = {
        "metadata": {"namespace": "shop"},
        "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "name": "all"}, "x"],
    }
    found = facts(f"{RBAC}/RoleBinding", values)
    assert (found["role"], found["namespace"], found["cluster_wide"]) == ("ClusterRole/view", "shop", False)
    assert found["subjects"] == (
        {"kind": "Group", "name": "all", "namespace": ""},
        {"kind": UNKNOWN, "name": UNKNOWN, "namespace": UNKNOWN},
    )


def test_accounts_and_namespaces_say_what_holds_for_their_pods() -> None:
    assert facts("v1/ServiceAccount", {})["token_mounted"] is True
    assert facts("v1/ServiceAccount", {"automountServiceAccountToken": False})["token_mounted"] is False
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert facts("v1/Namespace", {"metadata": {"labels": labels}})["pod_security"] == "restricted"
    assert facts("v1/Namespace", {})["pod_security"] == ""


def test_labels_are_tags_of_every_object() -> None:
    for native_type in ("v1/Pod", "example.com/v1/Thing"):
        found = facts(native_type, {"metadata": {"labels": {"owner": "shop"}}})
        assert (found["tags"], found["tags_complete"]) == ({"owner": "shop"}, True)
    assert facts("v1/ConfigMap", {})["tags"] == {}
    assert facts("v1/ConfigMap", {"metadata": {"labels": UNKNOWN}})["tags"] is UNKNOWN


@pytest.mark.parametrize(
    ("native_type", "stateful"),
    [
        ("v1/PersistentVolumeClaim", True), ("apps/v1/StatefulSet", True), ("v1/Namespace", True), ("v1/Secret", True),
        ("apiextensions.k8s.io/v1/CustomResourceDefinition", True), ("v1/Pod", False), ("apps/v1/Deployment", False),
        ("v1/Node", UNKNOWN), ("example.com/v1/Database", UNKNOWN), ("example.com/v1/Deployment", UNKNOWN),
    ],
)  # fmt: skip
def test_what_holds_data_is_known_for_types_of_kubernetes_itself(native_type: str, stateful: Any) -> None:
    assert facts(native_type, {})["stateful"] is stateful
    assert facts(native_type, {})["regional"] is False
