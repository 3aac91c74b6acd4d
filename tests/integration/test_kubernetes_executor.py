"""What the Kubernetes executor refuses, and how it ends, against a real API server."""

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import CannotDecideError, ExecutionError, UsageError
from plangate.executor.base import ExecutionStatus, Found, Standing
from plangate.executor.kubernetes.connection import ApiLimits, Cluster, ClusterRefusedError
from tests.kubernetes_place import Object, Place, a_config_map, a_deployment, a_service
from tests.kubernetes_server import kubernetes_server
from tests.terraform_project import Told, hearing_signals

pytestmark = pytest.mark.kubernetes


def changed(plan: bytes, **members: Any) -> bytes:
    """A plan with other members in its last object."""
    document = json.loads(plan)
    document["objects"][-1] |= members
    return json.dumps(document).encode()


def the_last(plan: bytes) -> Object:
    found: Object = json.loads(plan)["objects"][-1]
    return found


# --- Drift between judgement and apply ----------------------------------------------------------------------


def patched(place: Place) -> None:
    place.server.patch(place.path("ConfigMap", "settings"), {"data": {"other": "x"}}, manager="kubectl")


def deleted(place: Place) -> None:
    place.server.delete(place.path("ConfigMap", "settings"))


def replaced(place: Place) -> None:
    deleted(place)
    place.server.apply(place.path("ConfigMap", "settings"), a_config_map(a="1"), manager="plangate")


def taken_over(place: Place) -> None:
    place.server.apply(place.path("ConfigMap", "settings"), a_config_map(a="1"), manager="other")


@pytest.mark.parametrize(
    ("drift", "problem"),
    [
        (patched, "ConfigMap/settings: was changed since it was judged: /data/other; nothing ran"),
        (deleted, "ConfigMap/settings: is gone since it was judged; nothing ran"),
        (replaced, "ConfigMap/settings: is another object than the one that was judged; nothing ran"),
        (
            taken_over,
            (
                'ConfigMap/settings: conflict: field manager "other" has .data.a (plangate takes no field away from '
                "another manager); nothing ran"
            ),
        ),
    ],
)
def test_drift_is_refused_before_the_first_change(
    place: Place, drift: Callable[[Place], None], problem: str
) -> None:
    place.server.apply(place.path("ConfigMap", "settings"), a_config_map(a="1"), manager="plangate")
    plan = place.plan(a_config_map("another"), a_config_map(a="2"))
    drift(place)
    told = Told()

    with pytest.raises(ExecutionError) as raised:
        place.execute(plan, told)

    assert str(raised.value) == problem.replace("/settings", f"/{place.namespace}/settings", 1)
    assert (told.events, place.is_there("ConfigMap", "another")) == ([], False)


def test_an_object_that_somebody_made_meanwhile_is_refused_before_the_first_change(place: Place) -> None:
    plan = place.plan(a_config_map("another"), a_config_map())
    place.server.create(place.path("ConfigMap"), a_config_map(a="1"), manager="plangate")

    with pytest.raises(ExecutionError, match="settings: was made by somebody since it was judged"):
        place.execute(plan)

    assert not place.is_there("ConfigMap", "another")


def test_a_status_that_moves_on_is_no_drift(place: Place) -> None:
    path = place.path("Deployment", "web")
    place.server.apply(path, a_deployment(), manager="plangate")
    plan = place.plan(a_deployment(labels={"team": "shop"}))

    def observed(replicas: int) -> None:
        place.server.patch(f"{path}/status", {"status": {"replicas": replicas}}, manager="controller")

    observed(1)
    report, changes = place.execute(plan, before_change=lambda: observed(2))

    assert (report.status, report.problems) == (ExecutionStatus.SUCCEEDED, ())
    assert changes == [path, path]  # refused once, for the version that it no longer was


def test_a_controller_that_writes_the_status_all_the_time_keeps_nobody_from_applying(place: Place) -> None:
    path = place.path("Deployment", "web")
    place.server.apply(path, a_deployment(), manager="plangate")
    stop = threading.Event()

    def control() -> None:
        replicas = 0
        while not stop.wait(0.02):
            replicas += 1
            place.server.patch(f"{path}/status", {"status": {"replicas": replicas}}, manager="controller")

    controller = threading.Thread(target=control)
    controller.start()
    try:
        reports = [
            place.execute(place.plan(a_deployment(labels={"round": str(number)})))[0] for number in range(5)
        ]
    finally:
        stop.set()
        controller.join()

    assert [(report.status, report.problems) for report in reports] == [(ExecutionStatus.SUCCEEDED, ())] * 5


def test_drift_between_the_last_look_and_the_change_stops_it(place: Place) -> None:
    place.server.apply(place.path("ConfigMap", "settings"), a_config_map(a="1"), manager="plangate")
    plan = place.plan(a_config_map(a="2"), a_config_map("later"))

    report, _ = place.execute(plan, before_change=lambda: patched(place))

    assert report.status is ExecutionStatus.FAILED
    assert report.problems == (
        f"ConfigMap/{place.namespace}/settings: was changed since it was judged: /data/other",
        f"not applied: ConfigMap/{place.namespace}/later",
    )
    assert report.found == (
        Found(address=f"ConfigMap/{place.namespace}/settings", standing=Standing.EXISTS),
        Found(address=f"ConfigMap/{place.namespace}/later", standing=Standing.ABSENT),
    )
    assert place.live("ConfigMap", "settings")["data"] == {"a": "1", "other": "x"}


def test_an_object_made_between_the_last_look_and_the_change_is_no_success(place: Place) -> None:
    plan = place.plan(a_config_map(a="1"), a_config_map("later"))

    def made() -> None:
        place.server.create(place.path("ConfigMap"), a_config_map(b="2"), manager="other")

    report, _ = place.execute(plan, before_change=made)

    assert report.status is ExecutionStatus.FAILED
    assert report.problems[0] == (
        f"ConfigMap/{place.namespace}/settings: was made or deleted by somebody while it was applied"
    )
    assert not place.is_there("ConfigMap", "later")


# --- Plans that are not what the server said ----------------------------------------------------------------


def test_a_plan_that_shows_the_judges_something_else_is_refused(place: Place) -> None:
    plan = place.plan(a_config_map(a="1"))
    shown = the_last(plan)["after"] | {"data": {"a": "harmless"}}

    with pytest.raises(ExecutionError, match="would now be stored otherwise than it was judged: /data/a"):
        place.execute(changed(plan, after=shown))

    assert not place.is_there("ConfigMap", "settings")


def test_a_plan_that_hides_something_as_unknown_is_refused(place: Place) -> None:
    plan = place.plan(a_config_map(a="1"))
    shown = {key: value for key, value in the_last(plan)["after"].items() if key != "data"}

    with pytest.raises(ExecutionError, match="stored otherwise than it was judged: /data"):
        place.execute(changed(plan, after=shown, unknown=["/data"]))

    assert not place.is_there("ConfigMap", "settings")


def test_a_plan_that_calls_a_change_none_is_refused(place: Place) -> None:
    place.server.apply(place.path("ConfigMap", "settings"), a_config_map(a="1"), manager="plangate")
    plan = place.plan(a_config_map(a="2"))

    with pytest.raises(ExecutionError, match="stored otherwise than it was judged"):
        place.execute(changed(plan, after=the_last(plan)["before"], change="no-op"))


def test_a_plan_that_is_judged_for_another_object_is_refused(place: Place) -> None:
    plan = place.plan(a_config_map(a="1"))

    with pytest.raises(ExecutionError, match="nothing ran"):
        place.execute(changed(plan, path=place.path("ConfigMap", "other")))

    assert not place.is_there("ConfigMap", "settings")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"schema":"plangate.dev/kubernetes-plan/v2"}'])
def test_anything_but_a_plan_runs_nothing(place: Place, data: bytes) -> None:
    with pytest.raises(ExecutionError, match="not a plan of Kubernetes objects"):
        place.execute(data)


def test_a_plan_for_another_cluster_is_refused(place: Place, tmp_path: Path) -> None:
    plan = place.plan(a_config_map())
    (tmp_path / "other").mkdir()
    with kubernetes_server(tmp_path / "other") as other:
        other.kubeconfig(place.kubeconfig)

        with pytest.raises(ExecutionError, match="is not the cluster that the plan was made for"):
            place.execute(plan)


# --- How it ends --------------------------------------------------------------------------------------------


def test_what_is_applied_again_is_not_changed(place: Place) -> None:
    objects = [a_config_map(), a_service()]
    _, first = place.execute(place.plan(*objects))

    ran = [place.execute(place.plan(*objects)) for _ in range(5)]

    assert len(first) == 2
    assert [(report.status, changes) for report, changes in ran] == [(ExecutionStatus.SUCCEEDED, [])] * 5


def test_the_follow_up_holds_the_objects_as_they_are(place: Place) -> None:
    report, _ = place.execute(place.plan(a_service()))

    assert report.followup is not None
    assert (report.converged, report.look_again is None) == (True, False)
    (found,) = json.loads(report.followup)["objects"]
    assert found["after"]["spec"]["clusterIP"] == place.live("Service", "web")["spec"]["clusterIP"]
    assert (found["change"], found["unknown"]) == ("no-op", [])


def test_an_interrupt_leaves_the_rest_and_says_what_is_there(place: Place) -> None:
    plan = place.plan(a_config_map("a"), a_config_map("b"), a_config_map("c"))
    told = Told("apply_start", then=lambda: signal.raise_signal(signal.SIGINT))

    with hearing_signals():
        report, changes = place.execute(plan, told)

    assert (report.status, report.interrupted) == (ExecutionStatus.FAILED, True)
    assert changes == [place.path("ConfigMap", "a")]  # what was begun was finished
    addresses = [f"ConfigMap/{place.namespace}/{name}" for name in ("a", "b", "c")]
    assert report.problems == ("stopped by the user", f"not applied: {addresses[1]}, {addresses[2]}")
    assert report.found == tuple(
        Found(address=address, standing=standing)
        for address, standing in zip(
            addresses, (Standing.EXISTS, Standing.ABSENT, Standing.ABSENT), strict=True
        )
    )


def test_a_change_that_the_server_refuses_stops_the_rest(place: Place) -> None:
    plan = place.plan(a_config_map("a"), a_config_map("b"))
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "0"}}}

    def forbid() -> None:
        # A dry run counts against no quota that is made later.
        place.server.create(f"/api/v1/namespaces/{place.namespace}/resourcequotas", quota)
        place.server.patch(
            f"/api/v1/namespaces/{place.namespace}/resourcequotas/q/status",
            {"status": {"hard": {"count/configmaps": "0"}, "used": {"count/configmaps": "0"}}},
        )

    told = Told()
    report, _ = place.execute(plan, told, before_change=forbid)

    assert report.status is ExecutionStatus.FAILED
    assert report.failed == (f"ConfigMap/{place.namespace}/a",)
    assert "exceeded quota: q" in report.problems[0]
    assert [event.type for event in told.events] == ["apply_start", "apply_errored"]
    assert not place.is_there("ConfigMap", "b")


def test_what_is_stored_otherwise_than_it_was_judged_stops_the_rest(place: Place) -> None:
    containers = [{"name": "a", "image": "registry.example/a:1"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    plan = place.plan(pod, pod | {"metadata": {"name": "q"}})
    limits = {"default": {"memory": "32Mi"}, "type": "Container"}

    def limit() -> None:
        place.server.create(
            f"/api/v1/namespaces/{place.namespace}/limitranges",
            {"metadata": {"name": "limits"}, "spec": {"limits": [limits]}},
        )
        time.sleep(2.0)  # until the server's admission knows of it

    report, _ = place.execute(plan, before_change=limit)

    assert report.status is ExecutionStatus.FAILED
    assert report.problems[0].startswith(
        f"Pod/{place.namespace}/p: was stored otherwise than it was judged: /metadata/annotations, "
    )
    assert (place.is_there("Pod", "p"), place.is_there("Pod", "q")) == (True, False)


# --- The connection -----------------------------------------------------------------------------------------


def test_an_answer_that_is_too_long_is_no_answer(place: Place) -> None:
    with (
        Cluster(place.where(), ApiLimits(max_answer_bytes=100)) as cluster,
        pytest.raises(ClusterRefusedError, match="more than 100 bytes"),
    ):
        cluster.version()


def test_a_server_that_is_not_there_is_no_answer(place: Place) -> None:
    text = place.kubeconfig.read_text().replace(place.server.url, "https://127.0.0.1:1")
    place.kubeconfig.write_text(text)

    with Cluster(place.where()) as cluster, pytest.raises(CannotDecideError, match="cannot be asked"):
        cluster.version()


def test_a_server_with_another_certificate_is_no_answer(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with kubernetes_server(tmp_path / "other") as other:
        text = place.kubeconfig.read_text().replace(str(place.server.ca_file), str(other.ca_file))
        place.kubeconfig.write_text(text)

        with Cluster(place.where()) as cluster, pytest.raises(CannotDecideError, match=r"(?i)certificate"):
            cluster.version()


@pytest.mark.parametrize(
    ("found", "put", "problem"),
    [
        (
            "certificate-authority:",
            "insecure-skip-tls-verify: true\n    x:",
            "whoever answers could be anybody",
        ),
        ("server: https://127.0.0.1", "server: http://192.0.2.1", "not named by an https URL"),
        ("name: test", "name: other", "Context 'test' not found"),
        ("user: u", "cluster: c", "the context names no user"),
        ("clusters:", "cluster:", "not a kubeconfig (KeyError)"),
        ("contexts:", "contexts: [", "not a kubeconfig"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_safe_is_refused(
    place: Place, found: str, put: str, problem: str
) -> None:
    text = place.kubeconfig.read_text()
    assert found in text
    place.kubeconfig.write_text(text.replace(found, put))

    with pytest.raises(UsageError) as raised:
        Cluster(place.where())

    assert problem in str(raised.value)
    assert place.server.token not in str(raised.value)


def test_a_cluster_that_does_not_show_itself_is_told_by_its_url(place: Place) -> None:
    plan = json.loads(place.plan(a_config_map())) | {"cluster": ""}
    other = plan | {"server": "https://192.0.2.1"}

    report, _ = place.execute(json.dumps(plan).encode())
    with pytest.raises(ExecutionError, match="is not the cluster"):
        place.execute(json.dumps(other).encode())

    assert report.status is ExecutionStatus.SUCCEEDED


# --- What a cluster makes of it -----------------------------------------------------------------------------


def test_what_a_policy_of_the_cluster_changes_is_judged(tmp_path: Path) -> None:
    """A mutating admission policy does what a mutating webhook does, without a server for the test to run."""
    group = "/apis/admissionregistration.k8s.io/v1beta1"
    (tmp_path / "server").mkdir()
    (tmp_path / "place").mkdir()
    with kubernetes_server(
        tmp_path / "server",
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
    ) as server:
        rule = {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "operations": ["*"],
            "resources": ["deployments"],
        }
        expression = (
            "Object{spec: Object.spec{template: Object.spec.template{spec: "
            "Object.spec.template.spec{hostNetwork: true}}}}"
        )
        server.create(
            f"{group}/mutatingadmissionpolicies",
            {
                "metadata": {"name": "host"},
                "spec": {
                    "matchConstraints": {"resourceRules": [rule]},
                    "failurePolicy": "Fail",
                    "reinvocationPolicy": "Never",
                    "mutations": [
                        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
                    ],
                },
            },
        )
        server.create(
            f"{group}/mutatingadmissionpolicybindings",
            {"metadata": {"name": "host"}, "spec": {"policyName": "host"}},
        )
        place = Place(server, tmp_path / "place")
        deadline = time.monotonic() + 30
        # The policy takes effect a moment after it was stored.
        while "hostNetwork" not in json.dumps(the_last(place.plan(a_deployment()))["after"]):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        place.write(a_deployment())

        checked, ran = place.plangate("check", "../manifests"), place.apply()

        assert (checked.code, ran.code, place.is_there("Deployment", "web")) == (0, 1, False), ran.out
        assert "/spec/template/spec/hostNetwork" in ran.out
