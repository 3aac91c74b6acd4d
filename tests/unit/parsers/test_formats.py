"""Which format an input is of: one at most, and none that could be applied is left alone."""

import json

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Plan
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from tests.tools import SHARED


def parsed(text: str) -> Plan | None:
    data = text.encode()
    documents = formats.read_documents(Input(name="a.yaml", data=data, sha256="", size=len(data)), Limits())
    return formats.parse(documents, Options(), Limits())


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": []}}
TERRAFORM = {"format_version": "1.2", "resource_changes": [], "planned_values": {}}
STACK = {"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}
COMPOSE = {"services": {"web": {"image": "a"}}}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (TERRAFORM, POD, "a Terraform plan and a Kubernetes manifests at once"),
        (TERRAFORM, STACK, "a Terraform plan and a CloudFormation template at once"),
        (STACK, POD, "a CloudFormation template and a Kubernetes manifests at once"),
    ],
)
def test_what_could_be_applied_as_two_things_is_refused(
    one: dict[str, object], other: dict[str, object], said: str
) -> None:
    with pytest.raises(PlanParseError, match=said):
        parsed(json.dumps(one | other))


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {privileged: true}}\n",
        "services: {web: {image: a, privileged: true}}\n---\nvolumes: {}\n",
    ],
)
def test_what_compose_would_merge_is_a_compose_project(text: str) -> None:
    plan = parsed(text)
    assert plan is not None
    assert [(r.address, r.planned["privileged"]) for r in plan.resources] == [("services.web", True)]


@pytest.mark.parametrize("head", ["", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"])
@pytest.mark.parametrize(
    "change",
    [
        "patches: [{patch: '[]'}]",
        "images: [{name: a, newTag: latest}]",
        "components: [../c]",
        "patches: [{}]\nresources: 7",
    ],
)
def test_a_kustomization_that_changes_objects_is_not_fully_read(head: str, change: str) -> None:
    plan = parsed(f"{head}{change}\n")
    assert plan is not None
    assert "take effect only in what `kubectl kustomize` makes of it" in plan.opaque[0]


def test_a_kustomization_that_lists_files_changes_nothing() -> None:
    plan = parsed(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\nnamespace: b\n"
    )
    assert plan is not None
    assert plan.opaque == ()
    assert parsed("resources: [a.yaml]\n") is None


def test_a_kustomization_of_something_from_elsewhere_is_not_fully_read() -> None:
    plan = parsed(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "resources: ['https://example.com/a?ref=b']\n"
    )
    assert plan is not None
    assert len(plan.opaque) == 1


@pytest.mark.parametrize(
    "spec",
    [
        "template: {spec: {containers: [{name: c, image: a}]}}",
        "templates: [{container: {image: a}}]",
        "jobs: {one: {initContainers: [{image: a}]}}",
    ],
)
def test_an_unknown_type_that_runs_containers_is_not_fully_read(spec: str) -> None:
    text = f"apiVersion: example.com/v1\nkind: Runner\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
    plan = parsed(text)
    assert plan is not None
    assert plan.opaque == (
        "Runner.example.com/a: a Runner of example.com/v1 runs containers, and is not known here",
    )
    unread = parsed(text.replace("image", "picture"))
    assert unread is not None
    assert unread.opaque == ()


@pytest.mark.usefixtures("shared")
def test_what_is_not_imported_would_not_have_recognized_anything() -> None:
    seen = 0
    for path in sorted((SHARED / "corpus").rglob("*")):
        if path.suffix not in {".json", ".yaml", ".yml"} or path.stat().st_size > 200_000:
            continue
        data = path.read_bytes()
        try:
            documents = formats.read_documents(
                Input(name="a", data=data, sha256="", size=len(data)), Limits()
            )
        except PlanParseError:
            continue
        tried = {each.id for each in formats.formats(documents)}
        recognized = {each.id for each in formats.formats() if each.recognizes(documents.values)}
        assert recognized <= tried, path.name
        seen += bool(recognized)
    assert seen > 500
