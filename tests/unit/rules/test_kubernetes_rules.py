"""What people read when a rule about Kubernetes fails, and where it points them."""

from typing import Any

import pytest

from plangate.decision.outcome import Outcome, Status
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import manifests

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  template:
    spec:
      hostNetwork: true
      hostPID: true
      securityContext:
        runAsUser: 0
      containers:
        - name: web
          image: web:latest
          env:
            - name: DB_PASSWORD
              value: correct-horse
          securityContext:
            privileged: true
            capabilities:
              add: [SYS_ADMIN]
        - name: log
          image: log
          resources:
            limits: {cpu: 1}
      volumes:
        - name: host
          hostPath:
            path: /etc
"""


def asked(rule: str, text: str, **settings: Any) -> Outcome:
    (outcome,), _ = evaluate(manifests(text), {rule: RULES[rule]}, {rule: settings})
    return outcome


def line(outcome: Outcome) -> int:
    return outcome.location.line if outcome.location is not None else 0


@pytest.mark.parametrize(
    ("rule", "message", "where"),
    [
        ("workload-not-privileged", "container web is privileged: it can do on its host whatever the host can", 20),
        ("workload-no-host-namespaces", "it shares with its host: network, processes", 1),
        ("workload-no-host-path", "it mounts of its host: /etc", 29),
        ("workload-non-root", "container web runs as user 0; container log runs as user 0", 12),
        (
            "workload-drops-capabilities",
            "container web has all capabilities, as it is privileged; container log does not drop ALL capabilities",
            20,
        ),
        (
            "workload-read-only-root",
            "container web can write to its root file system; container log can write to its root file system",
            14,
        ),
        (
            "workload-resource-limits",
            "container web has no limit for cpu, memory; container log has no limit for memory",
            14,
        ),
        (
            "image-pinned",
            (
                "container web has the image 'web:latest', which names no version; "
                "container log has the image 'log', which names no version"
            ),
            15,
        ),
        ("secret-not-in-env", "container web has a secret in clear in its environment: DB_PASSWORD", 18),
        ("default-namespace-unused", "it is in the namespace default", 5),
        (
            "pod-security",
            (
                "it is not baseline: Host Namespaces (hostNetwork shares a namespace of the host); "
                "Privileged Containers (container web is privileged); "
                "Capabilities (container web adds the capability SYS_ADMIN); "
                "HostPath Volumes (volume host mounts a path of the host)"
            ),
            9,
        ),
    ],
)  # fmt: skip
def test_a_failure_names_the_container_and_the_line(rule: str, message: str, where: int) -> None:
    outcome = asked(rule, DEPLOYMENT)
    assert (outcome.status, outcome.message, line(outcome)) == (Status.FAIL, message, where)
    assert "correct-horse" not in outcome.message


def test_many_containers_are_named_in_part() -> None:
    containers = "".join(f"    - {{name: c{n}, image: x}}\n" for n in range(9))
    outcome = asked("image-pinned", f"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{containers}")
    assert outcome.message.endswith("container c4 has the image 'x', which names no version; 4 more")


def test_many_controls_are_named_in_part() -> None:
    text = DEPLOYMENT.replace("hostPID", "shareProcessNamespace")
    message = asked("pod-security", text, level="restricted").message
    assert message.startswith("it is not restricted: Host Namespaces")
    assert message.endswith("; 4 more")


def test_a_failure_of_one_container_outweighs_a_doubt_about_another() -> None:
    text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - 3\n    - {name: b, image: b}\n"
    outcome = asked("image-pinned", text)
    assert (outcome.status, outcome.message) == (
        Status.FAIL,
        "container b has the image 'b', which names no version",
    )
    assert asked("workload-not-privileged", text).message == "container 0 may be privileged"


def test_a_workload_without_containers_is_never_a_pass() -> None:
    for spec in ("{}", "{containers: []}", "{initContainers: [{name: a, image: 'a:1'}]}", "null"):
        outcome = asked("workload-not-privileged", f"apiVersion: v1\nkind: Pod\nspec: {spec}\n")
        assert outcome.status is Status.UNKNOWN


def test_exposures_are_told_in_words() -> None:
    text = "apiVersion: v1\nkind: Service\nspec:\n  type: NodePort\n  externalIPs: [203.0.113.7]\n"
    outcome = asked("service-not-exposed", text)
    assert (outcome.message, line(outcome)) == (
        "it is exposed by a port of every node, and by external addresses",
        4,
    )


def test_a_wildcard_is_shown_in_its_rule() -> None:
    text = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
rules:
  - {apiGroups: [apps], resources: [pods], verbs: [get]}
  - {apiGroups: ["*"], resources: [pods], verbs: ["*"]}
"""
    outcome = asked("rbac-no-wildcard", text)
    assert (outcome.message, line(outcome)) == ("it allows all verbs and all API groups in one rule", 5)


def test_deleted_objects_are_not_judged_as_if_they_stayed() -> None:
    text = "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  operation: DELETE\n  oldObject:\n"
    plan = manifests(text + "".join(f"    {part}\n" for part in DEPLOYMENT.splitlines()))
    own = {rule: RULES[rule] for rule in RULES if RULES[rule].language == "yaml"}
    outcomes, silent = evaluate(plan, own, {})
    assert (list(outcomes), set(silent)) == ([], set(own))


def test_data_that_goes_is_data_in_a_cluster_as_well() -> None:
    text = """apiVersion: admission.k8s.io/v1
kind: AdmissionReview
request:
  operation: DELETE
  oldObject: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: db}}
"""
    assert asked("no-stateful-destroy", text).status is Status.FAIL
    assert asked("no-stateful-destroy", text.replace("PersistentVolumeClaim", "Pod")).status is Status.PASS
