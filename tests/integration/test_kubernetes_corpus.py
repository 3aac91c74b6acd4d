"""Real manifests of many makers: each is read in full, or refused for a reason listed here."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

import jsonschema
import pytest
import yaml
from msgspec.structs import replace

from plangate.decision.outcome import Outcome, Status
from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, with_facts
from plangate.gate import encode_plan
from plangate.model.plan import Plan, Resource
from plangate.model.redaction import Redactor
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.kubernetes import FORMAT
from plangate.parsers.yaml_documents import read_yaml
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan
from tests.tools import ROOT, SHARED

CORPUS: Final = SHARED / "corpus"
pytestmark = pytest.mark.skipif(not (CORPUS / "INDEX.tsv").exists(), reason="the corpus is not here")

REFUSED: Final = {
    # INDEX: "malformed / wrong types in spec".
    "rootContainersFAILED-malformed-spec.yaml": "line 5 column 1: spec is a list (expected an object)",
    "pod-container-FAILED_malformed_spec.yaml": "line 6 column 1: spec is a list (expected an object)",
    "invalid-duplicate.yaml": "line 7 column 5: duplicate key 'app'",
    "invalid.yaml": "line 3 column 1: not YAML: while parsing a flow mapping did not find expected ',' or '}'",
    "invalid.json": "line 1 column 1: not JSON: expecting value",
    "invalid-yaml.yaml": "line 9 column 5: port is text (expected a whole number)",
    # INDEX: hostile.
    "yaml-bomb-aliases.yaml": "line 10 column 29: more than 5000000 nodes with its aliases expanded",
    "yaml-duplicate-keys.yaml": "line 6 column 3: duplicate key 'hostNetwork'",
    "yaml-python-tag.yaml": "line 3 column 11: unknown tag tag:yaml.org,2002:python/object/apply:os.getcwd",
    "yaml-recursive-anchor.yaml": "line 4 column 9: alias inside of its own anchor: *x",
    # INDEX: "unrendered template: must be diagnosed".
    "albatross/templates/fail.yaml": "line 1 column 2: a key that is not text",
    "albatross/templates/svc.yaml": "line 8 column 36: a key that is not text",
    "badvaluesfile/templates/badvaluesfile.yaml": "line 2 column 10: a key that is not text",
    "goodone/templates/goodone.yaml": "line 2 column 10: a key that is not text",
    "v3-fail/templates/deployment.yaml": "line 4 column 10: a key that is not text",
    "v3-fail/templates/ingress.yaml": "line 1 column 2: a key that is not text",
    # INDEX: "may be empty".
    "output/all_off.golden.yaml": "empty document (expected a plan)",
    # Filled with the names of its fields: no operation of that name exists.
    "admission.k8s.io.v1.AdmissionReview.json": "line 30 column 18: unknown operation 'operationValue'",
    "admission.k8s.io.v1.AdmissionReview.yaml": "line 25 column 3: unknown operation 'operationValue'",
    "admission.k8s.io.v1beta1.AdmissionReview.json": "line 30 column 18: unknown operation 'operationValue'",
    "admission.k8s.io.v1beta1.AdmissionReview.yaml": "line 25 column 3: unknown operation 'operationValue'",
    # INDEX: a review of an empty object: it does not say what is done.
    "k8s_testdata/empty_object.json": "line 4 column 14: unknown operation None",
    # It has a key twice, which YAML forbids and the API server refuses.
    "scaleio/sc-pvc.yaml": "line 12 column 3: duplicate key 'storageClassName'",
}
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TEMPLATES: Final = "helm template SOURCE (not YAML)"


def rows() -> Iterator[tuple[str, str, str]]:
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["format"].startswith(("kubernetes", "helm")):
                yield row["path"], row["format"], row["interesting"]


ROWS: Final = tuple(rows()) if (CORPUS / "INDEX.tsv").exists() else ()


def expected_refusal(path: str) -> str | None:
    return next((said for end, said in REFUSED.items() if path.endswith(f"/{end}")), None)


@cache
def read(path: str) -> Plan | PlanParseError:
    data = (CORPUS / path).read_bytes()
    source = Input(name=path, data=data, sha256="", size=len(data))
    try:
        found = (read_json_document if path.endswith(".json") else read_yaml)(source, Limits())
        assert FORMAT.recognizes(found.values)
        return FORMAT.parse(found, Options(), Limits())
    except PlanParseError as error:
        return error


READABLE: Final = tuple(row for row in ROWS if expected_refusal(row[0]) is None)


@pytest.mark.parametrize(("path", "kind"), [row[:2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_file_is_read_or_refused_for_its_reason(path: str, kind: str) -> None:
    found, said = read(path), expected_refusal(path)
    if said is None:
        assert isinstance(found, Plan)
    else:
        assert isinstance(found, PlanParseError)
        assert str(found).startswith(f"{path}: {said}")
        assert ("has not been rendered" in found.hint) is (kind == TEMPLATES)


def independent(value: Any) -> Iterator[Any]:
    """Objects as another reader sees them, lists opened and reviews reduced to what they are about."""
    if (
        isinstance(value, dict)
        and str(value.get("kind")).endswith("List")
        and isinstance(value.get("items"), list)
    ):
        for item in value["items"]:
            yield from independent(item)
    elif isinstance(value, dict) and value.get("kind") == "AdmissionReview":
        request = value["request"]
        yield request["oldObject"] if request["operation"] == "DELETE" else request["object"]
    else:
        yield value


@pytest.mark.parametrize("path", [row[0] for row in READABLE])
def test_objects_are_those_that_another_reader_finds(path: str) -> None:
    data = (CORPUS / path).read_bytes()
    documents = [json.loads(data)] if path.endswith(".json") else yaml.load_all(data, Loader=LOADER)
    counted = Counter(
        f"{item['apiVersion']}/{item['kind']}"
        for value in documents
        if value is not None
        for item in independent(value)
    )
    plan = read(path)
    assert isinstance(plan, Plan)
    assert Counter(resource.type for resource in plan.resources) == counted
    addresses = [resource.address for resource in plan.resources]
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize(("path", "told"), [(row[0], row[2]) for row in READABLE])
def test_the_index_counts_the_same_objects(path: str, told: str) -> None:
    count = re.search(r"(\d+) objects", told)
    plan = read(path)
    assert isinstance(plan, Plan)
    assert count is None or len(plan.resources) == int(count.group(1))


@pytest.mark.parametrize("path", [row[0] for row in READABLE])
def test_every_object_knows_the_line_on_which_it_begins(path: str) -> None:
    plan = read(path)
    assert isinstance(plan, Plan)
    lines = (CORPUS / path).read_text(encoding="utf-8").splitlines()
    for resource in plan.resources:
        assert resource.location is not None
        line = lines[resource.location.line - 1].strip()
        assert line.startswith(("{", "- ", '"object"', '"oldObject"', "object:")) or ":" in line, (
            resource.address
        )


def outcomes(path: str, rules: Sequence[str], **settings: Any) -> list[Outcome]:
    plan = read(path)
    assert isinstance(plan, Plan)
    judged = a_plan(resources=with_facts(plan.resources, plan.source.format))
    found, _ = evaluate(judged, {rule: RULES[rule] for rule in rules}, settings)
    return list(found)


OWN: Final = tuple(rule for rule in RULES if RULES[rule].language == "yaml")


@pytest.mark.parametrize("path", [row[0] for row in READABLE])
def test_every_rule_has_an_answer_for_every_object_of_its_kind(path: str) -> None:
    found = outcomes(path, OWN, **{"pod-security": {"level": "restricted"}})
    assert [o for o in found if o.status is Status.ERROR] == []
    plan = read(path)
    assert isinstance(plan, Plan)
    for resource in with_facts(plan.resources, "kubernetes"):
        assert ADAPTER_ERROR not in resource.facts
        asked = {rule for rule in OWN if resource.kind in RULES[rule].spec.kinds and resource.exists_after}
        assert {o.rule for o in found if o.address == resource.address} == asked


@cache
def schema() -> jsonschema.Draft202012Validator:
    text = (ROOT / "src" / "plangate" / "schemas" / "plan.v1.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.mark.parametrize("path", [row[0] for row in READABLE])
def test_the_plan_document_fits_its_published_schema(path: str) -> None:
    plan = read(path)
    assert isinstance(plan, Plan)
    # Checking a schema is slow; the biggest file is a megabyte of definitions that nothing here reads.
    kept = tuple(r for r in plan.resources if not r.type.endswith("/CustomResourceDefinition"))
    judged = replace(
        plan, resources=with_facts(kept, plan.source.format), source=replace(plan.source, sha256="0" * 64)
    )
    assert list(schema().iter_errors(json.loads(encode_plan(judged)))) == []


KYVERNO: Final = "kubernetes/kyverno__policies/pod-security/"
JUDGED: Final = (
    (
        "baseline/disallow-capabilities/.chainsaw-test/podcontroller-good.yaml",
        "baseline",
        "Capabilities",
        False,
    ),
    (
        "baseline/disallow-host-path/.chainsaw-test/podcontroller-bad.yaml",
        "baseline",
        "HostPath Volumes",
        True,
    ),
    ("baseline/disallow-host-ports/.chainsaw-test/pod-good.yaml", "baseline", "Host Ports", False),
    ("baseline/disallow-privileged-containers/.chainsaw-test/pod-good.yaml", "baseline", "Privileged", False),
    ("baseline/disallow-selinux/.chainsaw-test/pod-bad.yaml", "baseline", "SELinux", True),
    (
        "restricted/disallow-privilege-escalation/.chainsaw-test/podcontroller-good.yaml",
        "restricted",
        "Escalation",
        False,
    ),
    (
        "restricted/require-run-as-nonroot/.chainsaw-test/podcontroller-bad.yaml",
        "restricted",
        "Running as Non-root",
        True,
    ),
    (
        "restricted/restrict-volume-types/.chainsaw-test/podcontroller-bad.yaml",
        "restricted",
        "Volume Types",
        True,
    ),
)
NEWER: Final = {"Pod/badpod01-new", "Pod/badpod03-new", "Pod/badpod04-new"}
"""They use the type container_engine_t, which is allowed since Kubernetes 1.31."""


@pytest.mark.parametrize(("path", "level", "control", "bad"), JUDGED, ids=[case[0] for case in JUDGED])
def test_pods_that_others_call_good_or_bad_are_that_here(
    path: str, level: str, control: str, *, bad: bool
) -> None:
    plan = read(KYVERNO + path)
    assert isinstance(plan, Plan)
    for resource in with_facts(plan.resources, "kubernetes"):
        violated = [v for v in resource.facts["pod_security"] if v["violated"] is True]
        found = any(control in v["control"] and v["level"] == level for v in violated)
        assert found is (bad and resource.address not in NEWER), resource.address


GATEKEEPER: Final = "kubernetes/open-policy-agent__gatekeeper-library/library/"
SAMPLES: Final = (
    ("pod-security-policy/host-process/samples/psp-host-process/example_disallowed_pod_level.yaml",
     "workload-not-privileged"),
    ("pod-security-policy/host-namespaces/samples/psp-host-namespace/update.yaml", "workload-no-host-namespaces"),
    ("pod-security-policy/capabilities/samples/psp-capabilities-baseline/update.yaml", "workload-drops-capabilities"),
    ("pod-security-policy/users/samples/psp-pods-allowed-user-ranges/update.yaml", "workload-non-root"),
    ("pod-security-policy/host-probes-lifecycle/samples/psp-host-probes-lifecycle/update.yaml", "pod-security"),
    ("pod-security-policy/proc-mount/samples/psp-proc-mount/update.yaml", "pod-security"),
    ("pod-security-policy/selinux/samples/psp-selinux-v2/update.yaml", "pod-security"),
    ("pod-security-policy/selinux/samples/psp-selinux-v2/disallowed_ephemeral.yaml", "pod-security"),
    ("pod-security-policy/forbidden-sysctls/samples/psp-forbidden-sysctls/update.yaml", "pod-security"),
    ("general/disallowedtags/samples/container-image-must-not-have-latest-tag/disallowed_tag_ephemeral.yaml",
     "image-pinned"),
    ("general/containerresources/samples/container-must-have-limits-and-requests/only-memory-limits-defined-disallowed.yaml",
     "workload-resource-limits"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "rule"), SAMPLES, ids=[case[0] for case in SAMPLES])
def test_samples_that_others_disallow_fail_here(path: str, rule: str) -> None:
    assert {outcome.status for outcome in outcomes(GATEKEEPER + path, [rule])} == {Status.FAIL}


def test_a_privileged_container_behind_a_merge_key_is_found() -> None:
    found = outcomes("other/generated-hostile/yaml-merge-keys.yaml", ["workload-not-privileged"])
    assert [(o.address, o.status) for o in found] == [("Pod/m", Status.FAIL)]


def test_no_secret_of_the_corpus_is_shown_in_a_message() -> None:
    for path, _, _ in READABLE:
        plan = read(path)
        assert isinstance(plan, Plan)
        redactor = Redactor(plan.secrets, b"0123456789abcdef")
        said = redactor.text(" ".join(o.message for o in outcomes(path, OWN)))
        values = {s for s in _secrets_in_clear(plan.resources) if len(s) > 5}
        assert [s for s in values if s in said] == []


def _secrets_in_clear(resources: Sequence[Resource]) -> Iterator[str]:
    for resource in resources:
        if resource.type == "v1/Secret":
            for key in ("data", "stringData"):
                yield from (str(v) for v in ((resource.after or {}).get(key) or {}).values())
