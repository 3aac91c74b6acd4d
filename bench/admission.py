"""What the server is measured with: ten Rego policies about workloads, and objects of 3 KB that they judge."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

OBJECT_BYTES: Final = 3_000
_DIGEST: Final = hashlib.sha256(b"web").hexdigest()[:56]
"""All of an image's digest but its end, which is the object's number."""

_HEADER: Final = """# METADATA
# title: Benchmark policy {name}
# description: One of ten ordinary policies that the server is measured with.
# custom:
#   id: {id}
#   severity: medium
#   enforcement: overridable
#   kinds: [kubernetes.workload]
#   remediation: Nothing; this is a benchmark.
package policies.bench.{name}

import data.plangate.lib

deny contains lib.finding(resource, "{message}") if {{
	some resource in lib.of_kind("kubernetes.workload")
	{body}
}}
"""

POLICIES: Final = {
    "owner_label": (
        'object.get(resource.after, ["metadata", "labels", "owner"], "") == ""',
        "has no owner label",
    ),
    "app_label": ('object.get(resource.after, ["metadata", "labels", "app"], "") == ""', "has no app label"),
    "replicas": ('object.get(resource.after, ["spec", "replicas"], 1) > 50', "has too many replicas"),
    "not_latest": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tendswith(object.get(container, "image", ""), ":latest")'
        ),
        "runs an image that changes",
    ),
    "registry": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tnot startswith(object.get(container, "image", ""), "registry.example.com/")'
        ),
        "runs an image from elsewhere",
    ),
    "limits": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tnot object.get(container, ["resources", "limits", "memory"], false)'
        ),
        "has a container without a limit",
    ),
    "ports": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tsome port in object.get(container, "ports", [])\n'
            "\tport.containerPort < 1024"
        ),
        "listens on a low port",
    ),
    "probes": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tobject.get(container, "readinessProbe", null) == null'
        ),
        "has a container without a probe",
    ),
    "no_secret_text": (
        (
            "some container in resource.after.spec.template.spec.containers\n"
            '\tsome variable in object.get(container, "env", [])\n'
            '\tregex.match(`(?i)password`, variable.name)\n\tobject.get(variable, "value", "") != ""'
        ),
        "has a password in its environment",
    ),
    "annotations": (
        (
            'some name, _ in object.get(resource.after, ["metadata", "annotations"], {})\n'
            '\tstartswith(name, "unsafe.example.com/")'
        ),
        "has an annotation that is not allowed",
    ),
}
"""Name to body and message."""


def write_policies(folder: Path) -> None:
    """Write the policies into a folder, which is theirs alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (body, message) in POLICIES.items():
        slug = f"admission_{name}"
        text = _HEADER.format(name=slug, id=slug.replace("_", "-"), body=body, message=message)
        (folder / f"{slug}.rego").write_text(text)


def deployment(number: int = 0) -> bytes:
    """A Deployment of about 3 KB that everything allows; each number is another one."""
    container: dict[str, Any] = {
        "name": "web",
        "image": f"registry.example.com/web@sha256:{_DIGEST}{number:08x}",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": f"SETTING_{n}", "value": f"value of the setting {n}"} for n in range(12)],
        "resources": {
            "limits": {"cpu": "1", "memory": "1Gi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    labels = {"app": "web", "owner": "team-a", "instance": f"web-{number}"}
    document: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": f"web-{number}",
            "uid": f"1f0e7c1a-52d4-4d0e-9e5b-{number:012x}",
            "namespace": "prod",
            "labels": labels,
            "annotations": {},
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "web",
                    "automountServiceAccountToken": False,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [container],
                },
            },
        },
    }
    missing = OBJECT_BYTES - len(json.dumps(document)) - 40
    document["metadata"]["annotations"]["example.com/note"] = "x" * max(0, missing)
    return json.dumps(document).encode()
