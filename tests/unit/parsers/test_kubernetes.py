import json
import time
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, Plan, Resource
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.formats import parse
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.kubernetes import FORMAT
from plangate.parsers.yaml_documents import read_yaml


def documents(text: str) -> Documents:
    source = Input(name="web.yaml", data=text.encode(), sha256="ab" * 32, size=len(text))
    return read_json_document(source, Limits()) if text.startswith("{") else read_yaml(source, Limits())


def read(text: str, **limits: int) -> Plan:
    plan = parse(documents(text), Options(), Limits(**limits))
    assert plan is not None
    return plan


def only(text: str) -> Resource:
    (resource,) = read(text).resources
    return resource


def refusal(text: str, **limits: int) -> str:
    with pytest.raises(PlanParseError) as caught:
        read(text, **limits)
    return f"{caught.value}" + (f" [{caught.value.hint}]" if caught.value.hint else "")


def review(**request: Any) -> str:
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}


def test_an_object_is_something_to_be_created() -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 3}\n"
    )
    made = only("# a comment\n---\n" + text)
    values = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 3},
    }
    assert made == Resource(
        address="Deployment/shop/web",
        type="apps/v1/Deployment",
        name="web",
        provider="kubernetes",
        action=Action.CREATE,
        after=values,
        planned=values,
        configured=frozenset(values),
        location=Location(file="web.yaml", line=3, column=1),
    )


def test_the_plan_says_what_was_read() -> None:
    plan = read(json.dumps(POD))
    assert (plan.source.format, plan.source.name, plan.source.sha256) == ("kubernetes", "web.yaml", "ab" * 32)
    assert (plan.complete, plan.providers, plan.opaque) == (True, ("kubernetes",), ())


@pytest.mark.parametrize(
    ("text", "address", "native_type"),
    [
        ("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", "Namespace/shop", "v1/Namespace"),
        ("{apiVersion: v1, kind: Pod, metadata: {name: a}}", "Pod/a", "v1/Pod"),
        ("{apiVersion: batch/v1, kind: Job, metadata: {generateName: a-}}", "Job/a-*", "batch/v1/Job"),
        ("{apiVersion: v1, kind: Pod}", "Pod/(unnamed)", "v1/Pod"),
        (
            "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a, namespace: b}}",
            "Service.serving.knative.dev/b/a",
            "serving.knative.dev/v1/Service",
        ),
        (
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}}",
            "Ingress/a",
            "networking.k8s.io/v1/Ingress",
        ),
        (
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 'system:a'}}",
            "Role/system:a",
            "rbac.authorization.k8s.io/v1/Role",
        ),
    ],
)
def test_an_object_has_the_address_and_type_by_which_people_know_it(
    text: str, address: str, native_type: str
) -> None:
    resource = only("# x\n" + text)
    assert (resource.address, resource.type) == (address, native_type)


def test_one_that_comes_again_is_judged_again_under_a_number() -> None:
    text = "---\n".join(["apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"] * 3)
    assert [r.address for r in read(text).resources] == ["Pod/a", "Pod/a#2", "Pod/a#3"]


def test_documents_keep_their_order_and_empty_ones_do_not_count() -> None:
    text = (
        "---\n# Source: a\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n---\n---\n"
        "apiVersion: v1\nkind: Pod\n"
    )
    found = [(r.address, r.location.line if r.location else 0) for r in read(text).resources]
    assert found == [("Pod/b", 4), ("Pod/(unnamed)", 9)]


def test_lists_of_every_kind_are_opened_however_deep() -> None:
    text = """
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: a}
  - apiVersion: v1
    kind: List
    items:
      - {apiVersion: v1, kind: Pod, metadata: {name: b}}
  - apiVersion: apps/v1
    kind: DeploymentList
    items:
      - metadata: {name: c}
  - {apiVersion: v1, kind: List, items: null}
"""
    found = [(r.address, r.type, r.location.line if r.location else 0) for r in read(text).resources]
    assert found == [
        ("Pod/a", "v1/Pod", 5),
        ("Pod/b", "v1/Pod", 11),
        ("Deployment/c", "apps/v1/Deployment", 15),
    ]


def test_a_kind_that_only_ends_like_a_list_is_an_object() -> None:
    text = "apiVersion: example.com/v1\nkind: WishList\nmetadata: {name: a}\nitems: 3\n"
    assert only(text).address == "WishList.example.com/a"


@pytest.mark.parametrize("kind", ["ConfigMap", "Deployment", "Thing"])
def test_what_hides_objects_in_items_is_judged_with_them(kind: str) -> None:
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\nitems:\n  - {{apiVersion: v1, kind: Pod}}\n"
    found = [(r.address, r.location.line if r.location else 0) for r in read(text).resources]
    assert found == [(f"{kind}/a", 1), ("Pod/(unnamed)", 5)]
    assert "line 5 column 5: not a Kubernetes object" in refusal(
        text.replace("{apiVersion: v1, kind: Pod}", "text")
    )


def test_items_without_a_kind_are_of_the_kind_that_holds_them() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nitems:\n  - metadata: {name: b}\n"
    assert [r.address for r in read(text).resources] == ["Pod/a", "Pod/b"]


def test_attributes_know_their_place_or_that_of_what_holds_them() -> None:
    pod = only("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  hostPID: true\n")
    file = "web.yaml"
    assert pod.place("/spec/hostPID") == Location(file=file, line=6, column=3)
    assert pod.place("/spec/containers/0/image") == Location(file=file, line=5, column=1)
    assert pod.place("/status") == Location(file=file, line=1, column=1)
    assert pod.place("") == Location(file=file, line=1, column=1)


def test_items_of_a_json_list_know_their_place() -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [POD, POD]}, indent=1)
    lines = [r.location.line if r.location else 0 for r in read(text).resources]
    assert lines == [5, 13]
    second = read(text).resources[1].place("/metadata/name")
    assert second == Location(file="web.yaml", line=17, column=13)


def test_a_long_list_in_one_document_gives_up_places_rather_than_time() -> None:
    items = [{**POD, "metadata": {"name": f"a{n}", "note": "x" * 100}} for n in range(2000)]
    resources = read(json.dumps({"apiVersion": "v1", "kind": "List", "items": items})).resources
    assert resources[-1].location is not None
    assert resources[-1].location.line == 1
    assert resources[-1].places == {}


@pytest.mark.parametrize("nested", [False, True])
def test_a_list_of_many_costs_little_more_than_reading_it(*, nested: bool) -> None:
    pod = {**POD, "metadata": {"name": "a", "note": "x" * 100}}
    item = {"apiVersion": "v1", "kind": "List", "items": [pod]} if nested else pod
    found = documents(json.dumps({"apiVersion": "v1", "kind": "List", "items": [item] * 20_000}, indent=1))
    started = time.process_time()
    plan = FORMAT.parse(found, Options(), Limits())
    assert time.process_time() - started < 5
    assert plan.resources[-1].address == "Pod/a#20000"
    assert plan.resources[-1].location is not None
    assert plan.resources[-1].location.line > 100_000


@pytest.mark.parametrize("native_type", ["v1/Secret", "v1/Pod", "apps/v1/Deployment"])
def test_a_long_key_above_many_values_is_not_written_out_for_each(native_type: str) -> None:
    version, _, kind = native_type.rpartition("/")
    held = {"k" * 1_000_000: ["a", {"b": None}] * 20_000}
    value = {"apiVersion": version, "kind": kind, "data": held, "spec": {"x": held}}
    found = documents(json.dumps(value))
    tracemalloc.start()
    FORMAT.parse(found, Options(), Limits())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


# What is refused.


@pytest.mark.parametrize(
    "odd", ["colour: blue", "- 1", "text", "{apiVersion: v1}", "{apiVersion: 1, kind: Pod}"]
)
def test_a_document_that_is_no_object_refuses_all_of_the_input(odd: str) -> None:
    text = f"apiVersion: v1\nkind: Pod\n---\n{odd}\n"
    assert FORMAT.recognizes(documents(text).values)
    assert refusal(text) == (
        "web.yaml: line 4 column 1: not a Kubernetes object (expected apiVersion and kind, as in the other documents) "
        "[check what is no manifest by itself]"
    )


@pytest.mark.parametrize(
    "text", ["a: 1", "- apiVersion: v1", "{apiVersion: v1, kind: 3}", "apiVersion: ''\nkind: ''"]
)
def test_what_has_no_object_at_all_is_not_recognized(text: str) -> None:
    assert not FORMAT.recognizes(documents("# x\n" + text).values)
    assert not FORMAT.recognizes([])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("apiVersion: v1\nkind: List\nitems: {a: 1}\n", "line 3 column 1: items is not a list"),
        ("apiVersion: v1\nkind: List\nitems:\n  - a: 1\n", "line 4 column 5: not a Kubernetes object"),
        ("apiVersion: v1\nkind: Pod\nmetadata: [a]\n", "line 3 column 1: metadata is not an object"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}\n", "line 3 column 12: name is not a name: 'a/b'"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 'a[0]'}\n", "line 3 column 12: name is not a name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a#2}\n", "line 3 column 12: name is not a name"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {namespace: [a]}\n",
            "line 3 column 12: namespace is not a name",
        ),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: true}\n", "line 3 column 12: name is not a name: True"),
        ("apiVersion: v1\nkind: 'Pod[0]'\n", "line 2 column 1: kind is not a name"),
        ("apiVersion: 'v 1'\nkind: Pod\n", "line 1 column 1: apiVersion is not a name"),
        ("apiVersion: v1\nkind: Pod\nspec:\n  - a\n", "line 3 column 1: spec is a list (expected an object)"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template: web\n",
            "line 4 column 3: template is text (expected an object)",
        ),
        (
            "apiVersion: v1\nkind: Service\nspec: 3\n",
            "line 3 column 1: spec is a number (expected an object)",
        ),
        ("apiVersion: v1\nkind: Secret\ndata: [a]\n", "line 3 column 1: data is a list (expected an object)"),
        (
            "apiVersion: v1\nkind: Service\nspec:\n  ports:\n    - port: ${PORT}\n",
            "line 5 column 7: port is text (expected a whole number)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: !Ref a}\n",
            "line 3 column 18: the tag !Ref means nothing in Kubernetes manifests",
        ),
    ],
)
def test_what_is_not_understood_is_refused_where_it_stands(text: str, problem: str) -> None:
    assert refusal(text).startswith(f"web.yaml: {problem}")


def test_more_objects_than_the_limit_are_refused() -> None:
    text = "---\n".join(["apiVersion: v1\nkind: Pod\n"] * 3)
    assert len(read(text, max_resources=3).resources) == 3
    assert refusal(text, max_resources=2) == "web.yaml: line 7 column 1: more than 2 objects"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("metadata: {labels: {chart: '{{ .Chart.Name }}'}}", "line 3 column 21"),
        ("spec: {containers: [{image: '{{ .Values.image }}'}]}", "line 3 column 22"),
        ("spec: {nodeName: '{{- include \"a.b\" . }}'}", "line 3 column 8"),
    ],
)
def test_a_template_that_happens_to_be_yaml_is_refused_as_one(line: str, at: str) -> None:
    assert refusal(f"apiVersion: v1\nkind: Pod\n{line}\n") == (
        f"web.yaml: {at}: a template that has not been rendered "
        "[render it first, e.g. with `helm template`, and check the output]"
    )


def test_a_template_that_is_data_is_none_of_ours() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {page: 'Hello {{ .Values.name }}'}\n"
    assert only(text).name == "a"
    workflow = (
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{args: ['{{ .Values.x }}'], name: '{{workflow}}'}]}\n"
    )
    assert only(workflow).address == "Pod/(unnamed)"


# Types that must not slip through.


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("apps/v9", "Deployment"), ("apps/v1", "deployment"), ("v2", "Pod"), ("batch/v3", "CronJob"),
        ("rbac.authorization.k8s.io/v2", "ClusterRole"), ("networking.k8s.io/v2", "NetworkPolicy"), ("v1", "POD"),
    ],
)  # fmt: skip
def test_a_version_without_an_adapter_makes_the_plan_not_fully_read(version: str, kind: str) -> None:
    plan = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    assert plan.opaque == (f"{kind}/a: a {kind} of {version} cannot be read; no version of it is known here",)
    assert [r.type for r in plan.resources] == [f"{version}/{kind}"]


@pytest.mark.parametrize(
    ("version", "kind"),
    [("example.com/v1", "Deployment"), ("v1", "Endpoints"), ("keda.sh/v1alpha1", "ScaledObject")],
)
def test_other_types_are_there_without_being_known(version: str, kind: str) -> None:
    plan = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    assert (plan.opaque, len(plan.resources)) == ((), 1)


# Admission reviews.


def test_a_review_says_what_is_done() -> None:
    old = {**POD, "spec": {"hostPID": True}}
    made = only(review(operation="CREATE", object=POD, oldObject=None))
    changed = only(review(operation="UPDATE", object=POD, oldObject=old))
    gone = only(review(operation="DELETE", object=None, oldObject=old))
    assert [(r.action, r.before, r.after) for r in (made, changed, gone)] == [
        (Action.CREATE, None, POD),
        (Action.UPDATE, old, POD),
        (Action.DELETE, old, None),
    ]
    assert [r.address for r in (made, changed, gone)] == ["Pod/shop/web"] * 3
    assert (gone.planned, gone.exists_after, gone.goes) == ({}, False, True)


def test_an_update_that_changes_nothing_is_judged_as_an_update() -> None:
    same = only(review(operation="UPDATE", object=POD, oldObject=POD))
    assert (same.action, same.existing) == (Action.UPDATE, False)


def test_the_request_knows_the_namespace_that_the_object_leaves_out() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    found = only(review(operation="CREATE", namespace="shop", object=pod))
    assert found.address == "Pod/shop/a"
    assert found.planned["metadata"] == {"name": "a", "namespace": "shop"}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}}
    assert only(review(operation="CREATE", namespace="shop", object=role)).address == "ClusterRole/a"


def test_an_object_without_its_kind_gets_it_from_the_request() -> None:
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    found = only(review(operation="CREATE", kind=kind, object={"metadata": {"name": "a"}}))
    assert (found.address, found.type) == ("Deployment/a", "apps/v1/Deployment")


def test_a_connection_is_no_change_and_not_fully_read() -> None:
    options = {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}
    request = {
        "operation": "CONNECT",
        "object": options,
        "resource": {"resource": "pods"},
        "subResource": "exec",
    }
    plan = read(review(**request))
    assert plan.opaque == (
        "PodExecOptions/(unnamed): a connection to pods/exec is no change, and cannot be judged",
    )


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({}, "unknown operation None (known: CREATE, UPDATE, DELETE, CONNECT)"),
        ({"operation": "PATCH", "object": POD}, "unknown operation 'PATCH'"),
        ({"operation": ["CREATE"], "object": POD}, "unknown operation ['CREATE']"),
        ({"operation": "CREATE"}, "a CREATE without the object that it is about"),
        ({"operation": "CREATE", "oldObject": POD}, "a CREATE without the object that it is about"),
        ({"operation": "UPDATE", "oldObject": POD}, "a UPDATE without the object that it is about"),
        ({"operation": "DELETE", "object": POD}, "a DELETE without the object that it is about"),
        ({"operation": "CREATE", "object": [POD]}, "not a Kubernetes object"),
        ({"operation": "CREATE", "object": {"metadata": {}}}, "not a Kubernetes object"),
        (
            {"operation": "CREATE", "object": POD, "kind": {"group": "", "version": "v1", "kind": "Secret"}},
            "a v1 Pod in a review of a v1 Secret",
        ),
    ],
)
def test_a_review_that_does_not_say_what_is_done_to_what_is_refused(
    request_: dict[str, Any], problem: str
) -> None:
    assert problem in refusal(review(**request_))


def test_an_answer_to_a_review_is_refused() -> None:
    text = json.dumps(
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"allowed": True}}
    )
    assert "an admission review without a request" in refusal(text)


# Secrets.


def test_what_a_secret_holds_is_marked_and_remembered_as_written_and_decoded() -> None:
    text = """
apiVersion: v1
kind: Secret
metadata: {name: db}
data:
  password: aHVudGVyMmh1bnRlcjI=
  broken: "!!!"
stringData:
  a/b: correct-horse
"""
    plan = read(text)
    assert plan.resources[0].sensitive == ("/data/broken", "/data/password", "/stringData/a~1b")
    assert plan.secrets == {"aHVudGVyMmh1bnRlcjI=", "hunter2hunter2", "!!!", "correct-horse"}


def test_both_sides_of_a_changed_secret_are_secret() -> None:
    old = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"old": "b2xkLW9uZQ=="}}
    new = {**old, "data": {"new": "bmV3LW9uZQ=="}}
    plan = read(review(operation="UPDATE", object=new, oldObject=old))
    assert plan.resources[0].sensitive == ("/data/new", "/data/old")
    assert {"old-one", "new-one"} <= plan.secrets


APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
APPLIED_AT = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"


def applied(kind: str, text: str, **members: Any) -> Plan:
    return read(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"name": "a", "annotations": {APPLIED: text}},
                **members,
            }
        )
    )


def test_the_copy_that_kubectl_leaves_is_secret_with_what_it_copies() -> None:
    plan = applied("Secret", json.dumps({"data": {"password": "aHVudGVyMmh1bnRlcjI="}}))
    assert plan.resources[0].sensitive == (APPLIED_AT,)
    assert plan.secrets == {"aHVudGVyMmh1bnRlcjI=", "hunter2hunter2"}


@pytest.mark.parametrize("text", ["{not json", "[1]", "[" * 100_000])
def test_a_copy_that_cannot_be_read_is_secret_as_a_whole(text: str) -> None:
    plan = applied("Secret", text)
    assert plan.resources[0].sensitive == (APPLIED_AT,)
    assert plan.secrets == {text}


def test_a_copy_without_secrets_may_be_shown() -> None:
    plan = applied(
        "Pod", json.dumps({"spec": {"containers": [{"env": [{"name": "COLOUR", "value": "blue"}]}]}})
    )
    assert (plan.resources[0].sensitive, plan.secrets) == ((), frozenset())


def test_secrets_in_clear_in_an_environment_are_marked_also_in_its_copy() -> None:
    def spec(password: str) -> dict[str, Any]:
        return {"initContainers": [{"env": [{"name": "A"}, {"name": "DB_PASSWORD", "value": password}]}]}

    plan = applied("Pod", json.dumps({"spec": spec("old-horse")}), spec=spec("correct-horse"))
    assert plan.resources[0].sensitive == (APPLIED_AT, "/spec/initContainers/0/env/1/value")
    assert plan.secrets == {"correct-horse", "old-horse"}


def test_tokens_of_reviews_are_secret() -> None:
    text = "apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nspec: {token: abc.def}\n"
    plan = read(text)
    assert (plan.resources[0].sensitive, plan.secrets) == (("/spec/token",), frozenset({"abc.def"}))


def test_numbers_in_a_secret_are_secret_too() -> None:
    plan = read("apiVersion: v1\nkind: Secret\ndata: {pin: 123456, part: [1.5, {deep: x9x9}]}\n")
    assert plan.resources[0].sensitive == ("/data/part", "/data/pin")
    assert {"123456", "1.5", "x9x9"} <= plan.secrets
    assert plan.resources[0].planned["data"]["part"][0] == Decimal("1.5")
