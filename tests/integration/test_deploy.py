"""What is in ``deploy/``: our own rules allow it, a real API server takes it, and it says what the server does."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from plangate.server.contracts.kubernetes import PATH
from tests.kubernetes_server import KubernetesServer
from tests.tools import ROOT

DEPLOY = ROOT / "deploy"
COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/plangate/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/plangate/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/plangate/persistentvolumeclaims",
    "Service": "/api/v1/namespaces/plangate/services",
    "Deployment": "/apis/apps/v1/namespaces/plangate/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/plangate/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/plangate/networkpolicies",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def test_our_own_rules_have_nothing_against_it(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "plangate.cli.main", "check", str(DEPLOY)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "14 create" in run.stdout
    assert "Warnings" not in run.stdout, run.stdout


def test_our_own_rules_would_notice(tmp_path: Path) -> None:
    worse = (DEPLOY / "kubernetes" / "gate.yaml").read_text()
    assert "allowPrivilegeEscalation: false" in worse
    (tmp_path / "gate.yaml").write_text(worse.replace("allowPrivilegeEscalation: false", "privileged: true"))
    command = [sys.executable, "-m", "plangate.cli.main", "check", "gate.yaml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert run.returncode == 1


@pytest.mark.kubernetes
def test_an_api_server_takes_every_object_without_a_warning(
    shared_kubernetes_server: KubernetesServer,
) -> None:
    listed = [*objects("gate.yaml"), *objects("webhook.yaml")]
    assert len(listed) == 10
    for each in listed:
        dry = {} if each["kind"] == "Namespace" else {"dryRun": "All"}
        answer = shared_kubernetes_server.ask(
            "POST", COLLECTIONS[each["kind"]], each, fieldValidation="Strict", **dry
        )
        assert answer.status_code == 201, answer.text
        assert "warning" not in answer.headers, answer.headers["warning"]


def test_the_webhook_asks_where_the_server_answers_and_lets_nothing_through_when_it_is_down() -> None:
    (hook,) = objects("webhook.yaml")[0]["webhooks"]
    service = next(each for each in objects("gate.yaml") if each["kind"] == "Service")
    assert hook["clientConfig"]["service"] == {
        "namespace": service["metadata"]["namespace"],
        "name": service["metadata"]["name"],
        "port": service["spec"]["ports"][0]["port"],
        "path": PATH,
    }
    assert (hook["failurePolicy"], hook["sideEffects"]) == ("Fail", "None")
    (excluded,) = hook["namespaceSelector"]["matchExpressions"]
    assert service["metadata"]["namespace"] in excluded["values"]


def test_the_settings_in_the_manifests_are_settings(tmp_path: Path) -> None:
    settings = next(each for each in objects("gate.yaml") if each["kind"] == "ConfigMap")["data"][
        "plangate.yaml"
    ]
    (tmp_path / "plangate.yaml").write_text(settings)
    run = subprocess.run(
        [sys.executable, "-m", "plangate.cli.main", "serve"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, "server.tls: /tls/tls.crt: no such file" in run.stderr) == (2, True), run.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "plangate.service"
    text = (DEPLOY / "systemd" / "plangate.service").read_text()
    unit.write_text(text.replace("/opt/plangate/bin/plangate", "/bin/true"))
    run = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (run.returncode, str(unit) in run.stderr) == (0, False), run.stderr
