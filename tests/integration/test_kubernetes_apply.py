"""`plangate apply` of Kubernetes manifests from end to end, against a real API server."""

import json
import signal
import subprocess
import sys

import pytest

from tests.command_line import environment
from tests.kubernetes_place import Place, a_config_map, a_deployment, a_service
from tests.kubernetes_server import CONTEXT
from tests.terraform_project import hearing_signals

pytestmark = pytest.mark.kubernetes

POLICY = """# METADATA
# title: Services have addresses of the right range
# description: A test.
# custom:
#   id: service-range
#   severity: high
#   enforcement: mandatory
#   on_unknown: oblige
#   types: [v1/Service]
#   remediation: None.
package policies.test.service_range

import data.plangate.lib

deny contains lib.finding(service, "its address is of the wrong range") if {
	some service in lib.of_type("v1/Service")
	startswith(service.after.spec.clusterIP, "RANGE")
}

undetermined contains lib.finding(service, "its address is not known yet") if {
	some service in lib.of_type("v1/Service")
	"/spec/clusterIP" in service.unknown
}
"""


def version(place: Place, kind: str, name: str) -> str:
    found: str = place.live(kind, name)["metadata"]["resourceVersion"]
    return found


# --- What is applied ----------------------------------------------------------------------------------------


def test_what_is_not_there_is_made_in_order_and_every_step_is_in_the_log(place: Place) -> None:
    place.write(a_deployment(), a_service(), a_config_map())

    ran = place.apply()

    assert (ran.code, ran.last.partition(";")[0]) == (
        0,
        "applied: 3 changes made, a new plan finds nothing left to do",
    ), ran.err
    records = [record for record in place.records() if record["type"].startswith(("decision", "execution"))]
    assert [
        (r["type"], r.get("event"), r.get("address"))
        for r in (record | record.get("body", {}) for record in records)
    ] == [
        ("decision", None, None),
        ("execution.started", None, None),
        *(
            ("execution.event", event, f"{kind}/{place.namespace}/{name}")
            for kind, name in (("ConfigMap", "settings"), ("Service", "web"), ("Deployment", "web"))
            for event in ("apply_start", "apply_complete")
        ),
        ("execution.finished", None, None),
    ]
    managers = place.live("Deployment", "web")["metadata"]["managedFields"]
    assert [(each["manager"], each["operation"]) for each in managers] == [("plangate", "Apply")]


def test_a_second_run_changes_nothing(place: Place) -> None:
    names = (("Deployment", "web"), ("Service", "web"), ("ConfigMap", "settings"))
    place.write(a_deployment(), a_service(), a_config_map())
    assert place.apply().code == 0
    before = [version(place, *each) for each in names]

    runs = [place.apply(), place.apply()]

    assert [(ran.code, ran.last.partition(",")[0]) for ran in runs] == [(0, "applied: 0 changes made")] * 2
    assert [version(place, *each) for each in names] == before


def test_an_update_changes_what_is_different_and_nothing_else(place: Place) -> None:
    place.write(a_config_map(a="1"), a_service())
    assert place.apply().code == 0
    before = version(place, "Service", "web")
    place.write(a_config_map(a="2"), a_service())

    ran = place.apply()

    assert (ran.code, ran.last.partition(",")[0]) == (0, "applied: 1 change made"), ran.err
    assert place.live("ConfigMap", "settings")["data"] == {"a": "2"}
    assert version(place, "Service", "web") == before


def test_a_field_that_left_the_manifest_leaves_the_object(place: Place) -> None:
    place.write(a_config_map(a="1", b="2"))
    assert place.apply().code == 0
    place.write(a_config_map(a="1"))

    assert place.apply().code == 0
    assert place.live("ConfigMap", "settings")["data"] == {"a": "1"}


# --- What is judged -----------------------------------------------------------------------------------------


def test_what_is_denied_is_not_made(place: Place) -> None:
    place.write(a_config_map(), a_deployment(privileged=True))

    ran = place.apply()

    assert (ran.code, ran.last) == (1, "denied: 4 failed, 29 passed; nothing was executed"), ran.out
    assert not place.is_there("ConfigMap", "settings")


def test_what_somebody_else_put_into_an_object_is_judged_too(place: Place) -> None:
    place.server.apply(place.path("Deployment", "web"), a_deployment(privileged=True), manager="kubectl")
    place.write({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"team": "shop"}},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
    })  # fmt: skip

    ran = place.apply()

    assert ran.code == 1, ran.out
    assert "as it is privileged" in ran.out
    assert "team" not in place.live("Deployment", "web")["metadata"].get("labels", {})


def test_what_the_server_adds_is_judged_too(place: Place) -> None:
    limits = {"default": {"memory": "32Mi"}, "type": "Container"}
    place.server.create(
        f"/api/v1/namespaces/{place.namespace}/limitranges",
        {"metadata": {"name": "limits"}, "spec": {"limits": [limits]}},
    )
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "registry.example/a:1"}]}
    plan = json.loads(place.plan({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod}))

    (planned,) = plan["objects"]
    (container,) = planned["after"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "32Mi"}
    assert planned["after"]["spec"]["dnsPolicy"] == "ClusterFirst"
    assert "resources" not in planned["manifest"]["spec"]["containers"][0]


@pytest.mark.parametrize(("wrong", "code", "result"), [("192.", 0, "met"), ("10.", 4, "broken")])
def test_what_the_server_makes_up_is_an_obligation_that_is_checked(
    place: Place, wrong: str, code: int, result: str
) -> None:
    policies = place.folder / "policies"
    policies.mkdir()
    (policies / "service_range.rego").write_text(POLICY.replace("RANGE", wrong))
    place.write(a_service())

    ran = place.apply("--policy", policies)

    assert ran.code == code, ran.out + ran.err
    assert f"obligation {result}: service-range at Service/{place.namespace}/web" in ran.out


# --- What the server refuses --------------------------------------------------------------------------------


def test_a_conflict_is_a_refusal_that_names_the_other_manager_and_the_fields(place: Place) -> None:
    place.write(a_deployment())
    assert place.apply().code == 0
    place.server.patch(place.path("Deployment", "web"), {"spec": {"replicas": 5}}, manager="scaler")
    before = version(place, "Deployment", "web")
    place.write(a_deployment(), a_config_map())

    ran = place.apply()

    assert ran.code == 3
    assert (
        'Deployment/web: conflict: field manager "scaler" using apps/v1 has .spec.replicas '
        "(plangate takes no field away from another manager)\n" in ran.err
    )
    assert (version(place, "Deployment", "web"), place.is_there("ConfigMap", "settings")) == (before, False)
    assert [r["type"] for r in place.records()][-1] == "decision"


def test_every_object_that_the_server_refuses_is_told_and_no_secret_is(place: Place) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"a": "hunter2-hunter2 "}},
    }
    place.write(
        a_config_map() | {"nonsense": 1},
        secret | {"stringData": {"p": "hunter2-hunter2"}},
        a_service() | {"spec": {"ports": [{"port": 99999}]}},
        a_config_map("fine"),
    )

    ran = place.apply()

    assert ran.code == 3
    assert "plangate: 3 objects cannot be applied: " in ran.err
    assert all(
        f"{name}: the API server refuses it: " in ran.err
        for name in ("ConfigMap/settings", "Secret/s", "Service/web")
    )
    assert "hunter2" not in ran.out + ran.err + json.dumps(place.records())
    assert not place.is_there("ConfigMap", "fine")


def test_an_object_that_is_being_deleted_is_left_alone(place: Place) -> None:
    kept = a_config_map()
    kept["metadata"]["finalizers"] = ["example.org/kept"]
    place.server.create(place.path("ConfigMap"), kept)
    place.server.delete(place.path("ConfigMap", "settings"))
    place.write(a_config_map(a="2"))

    ran = place.apply()

    assert (ran.code, "ConfigMap/settings: it is being deleted\n" in ran.err) == (3, True)
    place.server.patch(place.path("ConfigMap", "settings"), {"metadata": {"finalizers": None}})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"metadata": {"generateName": "a-"}}, "it has no metadata.name"),
        ({"apiVersion": "example.org/v7"}, "the API server has no type example.org/v7 ConfigMap"),
        (
            {"metadata": {"name": "x", "resourceVersion": "1"}},
            "metadata.resourceVersion is the server's to write",
        ),
    ],
)
def test_what_cannot_be_applied_is_said_before_anything_is(place: Place, change: dict, problem: str) -> None:  # type: ignore[type-arg]
    place.write(a_config_map("first"), a_config_map() | change)

    ran = place.apply()

    assert (ran.code, problem in ran.err, place.is_there("ConfigMap", "first")) == (3, True, False), ran.err


def test_a_file_that_is_no_manifest_is_said_to_be_left_alone_and_a_kustomization_is_refused(
    place: Place,
) -> None:
    place.write(a_config_map())
    (place.folder / "manifests" / "values.yaml").write_text("replicas: 3\n")
    ran = place.apply()
    (place.folder / "manifests" / "kustomization.yaml").write_text("resources: [all.json]\n")
    refused = place.apply()

    assert (ran.code, refused.code) == (0, 3), ran.err
    assert "left alone, since it is no manifest: ../manifests/values.yaml\n" in ran.err
    assert "a kustomization, whose files are not applied as they are" in refused.err


def test_an_object_that_comes_twice_is_refused(place: Place) -> None:
    place.write(a_config_map(a="1"))
    place.write(a_config_map(a="2"), name="more.json")

    ran = place.apply()

    assert (ran.code, "comes twice (the first one: ../manifests/all.json)" in ran.err) == (3, True), ran.err


def test_what_the_server_warns_of_is_told_and_no_secret_is(place: Place) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "registry.example/a:1"}]}
    noted = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod}
    noted["metadata"] = {
        "name": "p",
        "annotations": {"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"},
    }
    place.write(noted)

    ran = place.apply()

    assert "warning of the API server: metadata.annotations[seccomp.security" in ran.err, ran.err


# --- Two rounds ---------------------------------------------------------------------------------------------


def in_a_new_namespace(place: Place, *, privileged: bool) -> str:
    name = f"{place.namespace}-new"
    place.write(
        a_deployment(namespace=name, privileged=privileged),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
    )
    return name


def test_a_namespace_of_the_same_manifests_comes_first_in_a_round_of_its_own(place: Place) -> None:
    name = in_a_new_namespace(place, privileged=False)

    ran = place.apply()

    assert ran.code == 0, ran.err + ran.out
    assert [line for line in ran.err.splitlines() if "apply complete" in line] == [
        f"  apply complete: Namespace/{name} create",
        f"  apply complete: Deployment/{name}/web create",
    ]
    assert [r["type"] for r in place.records()].count("decision") == 3
    place.server.delete(f"/api/v1/namespaces/{name}")


def test_two_rounds_of_standard_input_read_it_once(place: Place) -> None:
    name = in_a_new_namespace(place, privileged=False)
    text = (place.folder / "manifests" / "all.json").read_bytes()

    ran = place.plangate("apply", "-", "--context", CONTEXT, stdin=text)

    assert (ran.code, ran.last.partition(",")[0]) == (0, "applied: 1 change made"), ran.err
    place.server.delete(f"/api/v1/namespaces/{name}")


def test_no_namespace_is_made_for_what_is_denied_as_written(place: Place) -> None:
    name = in_a_new_namespace(place, privileged=True)

    ran = place.apply()

    assert (ran.code, place.server.ask("GET", f"/api/v1/namespaces/{name}").status_code) == (1, 404)


def test_a_type_of_the_same_manifests_is_defined_first(place: Place) -> None:
    kind = f"Widget{place.namespace.removeprefix('t-')}"
    group, plural = f"{place.namespace}.example.org", f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {"size": {"type": "integer"}, "colour": {"type": "string", "default": "blue"}},
    }
    widget = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "w"}, "spec": {"size": 3}}
    served = {"name": "v1", "served": True, "storage": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                served | {"schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}}
            ],
        },
    }
    place.write(widget, definition)

    ran = place.apply()
    again = place.apply()
    place.write(widget | {"spec": {"size": "three"}}, definition)
    refused = place.apply()

    assert (ran.code, again.code, refused.code) == (0, 0, 3), ran.err + again.err + refused.err
    stored = place.server.get(f"/apis/{group}/v1/namespaces/{place.namespace}/{plural}/w")
    assert stored["spec"] == {"size": 3, "colour": "blue"}
    assert again.last.startswith("applied: 0 changes made")
    place.server.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}")


# --- Plans that are checked first ---------------------------------------------------------------------------


def test_a_plan_is_made_checked_and_applied_once_by_its_receipt(place: Place) -> None:
    place.write(a_config_map())

    made = place.plangate("kubernetes", "plan", "../manifests", "--context", CONTEXT, "--out", "plan.json")
    assert not place.is_there("ConfigMap", "settings")
    checked = place.plangate("check", "plan.json", "--receipt", "receipt.json")
    arguments = ("apply", "plan.json", "--context", CONTEXT, "--receipt", "receipt.json")
    ran, again = place.plangate(*arguments), place.plangate(*arguments)

    assert (made.code, made.out.partition(",")[0]) == (0, "plan.json: 1 create"), made.err
    assert (place.folder / "run" / "plan.json").stat().st_mode & 0o777 == 0o600
    assert [each.code for each in (checked, ran, again)] == [0, 0, 3], ran.err
    assert "has been executed, or begun" in again.err


def test_a_plan_is_not_made_for_what_the_server_cannot_foresee(place: Place) -> None:
    in_a_new_namespace(place, privileged=False)

    made = place.plangate("kubernetes", "plan", "../manifests", "--context", CONTEXT, "--out", "plan.json")

    assert (made.code, "cannot foresee" in made.err) == (2, True)
    assert not (place.folder / "run" / "plan.json").exists()


def test_a_receipt_is_for_a_plan_and_not_for_manifests(place: Place) -> None:
    place.write(a_config_map())

    ran = place.apply("--receipt", "receipt.json")

    assert (ran.code, "a receipt is for a plan" in ran.err, place.is_there("ConfigMap", "settings")) == (
        2,
        True,
        False,
    )


# --- Stopping -----------------------------------------------------------------------------------------------


def test_an_interrupt_stops_between_two_objects_and_the_log_says_how_it_ended(place: Place) -> None:
    place.write(*(a_config_map(f"c-{number}") for number in range(100)))
    with (
        hearing_signals(),  # a process that is started inherits what is ignored
        subprocess.Popen(
            [sys.executable, "-m", "plangate.cli.main", "apply", "../manifests", "--context", CONTEXT],
            cwd=place.folder / "run",
            env=environment(KUBECONFIG=str(place.kubeconfig)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if "apply complete: ConfigMap" in line:
                process.send_signal(signal.SIGINT)
                break
        process.stderr.read()
        said = process.stdout.read()

    there = sum(place.is_there("ConfigMap", f"c-{number}") for number in range(100))
    assert (process.returncode, "stopped by the user" in said) == (130, True), said
    assert 0 < there < 100
    finished = place.records()[-1]
    assert finished["type"] == "execution.finished"
    assert f"{there} exists, {100 - there} absent" in json.dumps(finished)
    again = place.apply()
    assert (again.code, again.last.partition(",")[0]) == (0, f"applied: {100 - there} changes made")


# --- Which cluster ------------------------------------------------------------------------------------------


def test_no_cluster_is_chosen_for_the_user(place: Place) -> None:
    place.write(a_config_map())

    ran = place.plangate("apply", "../manifests/all.json")

    assert (ran.code, "Kubernetes manifests need --context" in ran.err) == (2, True), ran.err
    assert not place.is_there("ConfigMap", "settings")


def test_checking_the_same_files_asks_no_cluster(place: Place) -> None:
    place.write(a_config_map())
    (place.folder / "kubeconfig").write_text("not a kubeconfig")

    assert place.plangate("check", "../manifests").code == 0


def test_a_program_that_the_kubeconfig_names_is_said_to_run(place: Place) -> None:
    script = place.folder / "token"
    answer = {"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential"}
    script.write_text(f"#!/bin/sh\necho '{json.dumps(answer | {'status': {'token': place.server.token}})}'\n")
    script.chmod(0o755)
    program = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(script)}
    place.server.kubeconfig(place.kubeconfig, namespace=place.namespace, exec=program)
    place.write(a_config_map())

    ran = place.apply()

    assert (ran.code, f"the kubeconfig says to run {str(script)!r}\n" in ran.err) == (0, True), ran.err


def test_a_namespace_of_the_command_line_wins_over_the_context(place: Place) -> None:
    place.server.kubeconfig(place.kubeconfig, namespace="default")
    place.write(a_config_map())

    assert place.apply("--namespace", place.namespace).code == 0
    assert place.is_there("ConfigMap", "settings")
