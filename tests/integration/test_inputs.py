"""Many inputs, one decision: files, folders, patterns and standard input, mixed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plangate import wiring
from plangate.gate import Decision, check
from plangate.wiring import pool
from tests.command_line import ALLOWED, DENIED, environment, run

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ClusterIP, ports: [{port: 80}]}
"""
PRIVILEGED = """\
apiVersion: v1
kind: Pod
metadata:
  name: tool
  namespace: shop
spec:
  containers:
    - name: tool
      image: registry.example/tool@sha256:{digest}
      securityContext:
        privileged: true
""".replace("{digest}", "a" * 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ALLOWED, tmp_path / "allowed.json")
    shutil.copy(DENIED, tmp_path / "denied.json")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "service.yaml").write_text(SERVICE)
    return tmp_path


def decided(*arguments: str, cwd: Path, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
    answer = run("check", "--format", "json", *arguments, cwd=cwd, stdin=stdin)
    return answer.code, json.loads(answer.out)


def outcomes(document: dict[str, Any], outcome: str) -> set[tuple[str, str, str]]:
    return {
        (o["rule"], o.get("input", ""), o["address"]) for o in document["outcomes"] if o["outcome"] == outcome
    }


def test_one_decision_is_over_all_inputs_each_with_its_digest(folder: Path) -> None:
    code, document = decided("allowed.json", "web", "-", cwd=folder, stdin=SERVICE.encode())
    assert code == 0
    assert [(i["name"], i["format"], i["resources"]) for i in document["inputs"]] == [
        ("allowed.json", "terraform-plan", 12),
        ("web/service.yaml", "kubernetes", 1),
        ("standard input", "kubernetes", 1),
    ]
    contents = (ALLOWED.read_bytes(), SERVICE.encode(), SERVICE.encode())
    assert [i["sha256"] for i in document["inputs"]] == [hashlib.sha256(c).hexdigest() for c in contents]
    lines = sorted(f"{i['sha256']}  {i['name']}\n" for i in document["inputs"])
    assert document["subject"]["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert document["subject"]["size"] == sum(map(len, contents))
    assert document["plan"]["resources"] == 14


def test_one_input_that_fails_denies_all_and_is_named(folder: Path) -> None:
    (folder / "web" / "pod.yaml").write_text(PRIVILEGED)
    code, document = decided("allowed.json", "web", cwd=folder)
    assert code == 1
    assert ("workload-not-privileged", "web/pod.yaml", "Pod/shop/tool") in outcomes(document, "fail")
    (found,) = (
        o for o in document["outcomes"] if o["rule"] == "workload-not-privileged" and o["outcome"] == "fail"
    )
    assert found["location"] == {"file": "web/pod.yaml", "line": 11}


def test_one_unreadable_input_among_many_is_named_and_the_others_are_judged(folder: Path) -> None:
    (folder / "web" / "broken.yaml").write_text("kind: Service\n  apiVersion: v1\n")
    code, document = decided("denied.json", "web", cwd=folder)
    assert code == 3
    assert outcomes(document, "error") == {("plan-fully-read", "web/broken.yaml", "")}
    assert ("instance-no-public-ip", "denied.json", "aws_instance.web") in outcomes(document, "fail")
    (broken,) = (i for i in document["inputs"] if i["problem"])
    assert broken["problem"].startswith("web/broken.yaml: line 2 column 13: not YAML: mapping values")


def test_when_no_input_can_be_read_each_is_told(folder: Path) -> None:
    (folder / "a.json").write_text("{")
    (folder / "b.yaml").write_text("a: [")
    answer = run("check", "a.json", "b.yaml", cwd=folder)
    assert (answer.code, answer.out) == (3, "")
    assert "a.json: line 1 column 2" in answer.err
    assert "b.yaml: line 2 column 1" in answer.err


def test_a_folder_is_searched_for_plans_and_everything_else_in_it_is_left_alone(folder: Path) -> None:
    (folder / "web" / "package.json").write_text('{"name": "web", "version": "1.0.0"}')
    (folder / "web" / "notes.txt").write_text("{")
    (folder / "web" / "values.yaml").write_text("replicas: 3\n")
    code, document = decided("web", cwd=folder)
    assert (code, [i["name"] for i in document["inputs"]]) == (0, ["web/service.yaml"])


def test_what_somebody_names_has_to_be_a_plan(folder: Path) -> None:
    (folder / "package.json").write_text('{"name": "web", "version": "1.0.0"}')
    answer = run("check", "package.json", cwd=folder)
    assert (answer.code, answer.out) == (3, "")
    assert "package.json: not a plan of any kind (found: name, version)" in answer.err


def test_a_folder_without_a_plan_is_no_allow(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert run("check", "empty", cwd=folder).code == 2
    (folder / "empty" / "package.json").write_text('{"name": "web"}')
    answer = run("check", "empty", cwd=folder)
    assert answer.code == 3
    assert "nothing to judge: none of the 1 files is a plan of any kind" in answer.err


def test_a_pattern_stands_for_the_files_that_match(folder: Path) -> None:
    code, document = decided("*.json", cwd=folder)
    assert (code, [i["name"] for i in document["inputs"]]) == (1, ["allowed.json", "denied.json"])
    answer = run("check", "*.nothing", cwd=folder)
    assert (answer.code, answer.err.splitlines()[0]) == (2, "plangate: *.nothing: no file matches")


def test_what_is_excluded_is_not_judged_unless_it_is_named(folder: Path) -> None:
    code, document = decided(".", "--exclude", "denied*", cwd=folder)
    assert (code, [i["name"] for i in document["inputs"]]) == (0, ["allowed.json", "web/service.yaml"])
    (folder / "plangate.yaml").write_text('version: 1\nexclude: ["denied.json", "web/*"]\n')
    assert decided(".", cwd=folder)[0] == 0
    assert decided("denied.json", cwd=folder)[0] == 1


def test_a_link_out_of_the_folder_is_refused_and_not_followed(folder: Path) -> None:
    (folder / "web" / "secret.json").symlink_to(folder / "allowed.json")
    code, document = decided("web", cwd=folder)
    assert code == 3
    assert outcomes(document, "error") == {("plan-fully-read", "web/secret.json", "")}


@pytest.mark.parametrize("target", ["..", "node_modules/tool", "left-out"])
def test_a_link_to_a_folder_that_nobody_searches_is_no_allow(folder: Path, target: str) -> None:
    for name in ("node_modules/tool", "left-out", "infra"):
        (folder / "web" / name).mkdir(parents=True)
        (folder / "web" / name / "pod.yaml").write_text(PRIVILEGED if name != "infra" else SERVICE)
    (folder / "web" / "link").symlink_to(target)
    code, document = decided("web", "--exclude", "left-out", cwd=folder)
    assert (code, outcomes(document, "error")) == (3, {("plan-fully-read", "web/link", "")})
    assert decided("web", "--exclude", "left-out", "--exclude", "link", cwd=folder)[0] == 0


def test_a_link_to_a_folder_that_is_searched_is_left_alone(folder: Path) -> None:
    (folder / "web" / "link").symlink_to(".")
    assert decided("web", cwd=folder)[0] == 0


KUSTOMIZATION = "resources: [service.yaml{more}]\n"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("kustomization.yaml", ", https://example.com/all.yaml"),
        ("kustomization.yml", ", ../../base"),
        ("Kustomization", ", git@example.com:corp/base.git"),
        ("Kustomization", "]\nimages: [{name: a, newTag: b}"),
        (
            "kustomization.yaml",
            "]\nkind: Kustomization\napiVersion: kustomize.config.k8s.io/v1\nnamespace: default #",
        ),
    ],
)
def test_a_kustomization_that_takes_from_elsewhere_or_changes_is_no_allow(
    folder: Path, name: str, more: str
) -> None:
    (folder / "web" / name).write_text(KUSTOMIZATION.replace("{more}", more))
    code, document = decided("web", cwd=folder)
    assert code == 1
    assert {(o["rule"], o.get("input")) for o in document["outcomes"] if o["outcome"] == "unknown"} == {
        ("plan-fully-read", f"web/{name}")
    }


def test_a_kustomization_by_itself_is_no_plan(folder: Path) -> None:
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    (folder / "web" / "kustomization.yaml").write_text(head + KUSTOMIZATION.replace("{more}", ""))
    code, document = decided("web/kustomization.yaml", "web/service.yaml", cwd=folder)
    assert (code, outcomes(document, "error")) == (3, {("plan-fully-read", "web/kustomization.yaml", "")})
    assert decided("web", cwd=folder)[0] == 0


def test_the_templates_of_a_chart_are_no_silent_allow(folder: Path) -> None:
    chart = folder / "web" / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (chart / "templates" / "deploy.yaml").write_text("kind: {{ .Values.kind }}\n")
    code, document = decided("web", cwd=folder)
    assert (code, outcomes(document, "error")) == (3, {("plan-fully-read", "web/chart/templates", "")})
    assert decided("web", "--exclude", "chart/templates", cwd=folder)[0] == 0


def test_a_waiver_never_reaches_into_another_input(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(PRIVILEGED)
    waiver = {
        "rule": "workload-not-privileged",
        "address": "Pod/shop/tool",
        "owner": "team",
        "reason": "known",
        "expires": "2999-01-01T00:00:00Z",
    }

    def failing(**more: str) -> set[str]:
        (folder / "plangate.yaml").write_text(json.dumps({"version": 1, "waivers": [waiver | more]}))
        _, document = decided("one.yaml", "two.yaml", cwd=folder)
        return {
            o["input"]
            for o in document["outcomes"]
            if o["rule"] == "workload-not-privileged" and o.get("effect") == "denies"
        }

    assert failing() == {"one.yaml", "two.yaml"}
    assert failing(input="one.yaml") == {"two.yaml"}
    _, alone = decided("one.yaml", cwd=folder)
    assert [o["effect"] for o in alone["outcomes"] if o["rule"] == "workload-not-privileged"] == ["waived"]
    _, other = decided("two.yaml", cwd=folder)
    assert [o["effect"] for o in other["outcomes"] if o["rule"] == "workload-not-privileged"] == ["denies"]


OPEN_BUCKET = 'resource "aws_s3_bucket" "logs" {}\n'
CALLS_IT = 'module "logs" {\n  source = "../logs"\n}\n'


def source_inputs(folder: Path, *names: str) -> list[str]:
    return [i["name"] for i in decided(*names, cwd=folder)[1]["inputs"]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in (("logs", OPEN_BUCKET), ("app", CALLS_IT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_a_module_is_judged_where_it_is_used_and_not_by_itself(repository: Path) -> None:
    assert source_inputs(repository, ".") == ["app"]


def test_a_module_that_is_used_without_instances_is_judged_by_itself(repository: Path) -> None:
    (repository / "app" / "main.tf").write_text(CALLS_IT.replace("}", "  count = 0\n}"))
    assert source_inputs(repository, ".") == ["app", "logs"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("backend.tf", 'terraform {\n  backend "s3" {}\n}\n'),
        ("providers.tf", 'provider "aws" {\n  region = "eu-west-1"\n}\n'),
        ("prod.tfvars", ""),
        (".terraform.lock.hcl", ""),
    ],
)
def test_a_folder_that_is_deployed_by_itself_cannot_be_hidden_by_using_it(
    repository: Path, file: str, text: str
) -> None:
    (repository / "logs" / file).write_text(text)
    assert source_inputs(repository, ".") == ["app", "logs"]


def test_a_module_that_somebody_names_is_judged(repository: Path) -> None:
    assert source_inputs(repository, "app", "logs") == ["app", "logs"]


def test_a_module_below_a_link_hides_no_folder_that_only_looks_like_it(repository: Path) -> None:
    for name, text in (("deep/logs", "locals {}\n"), ("deep/app", CALLS_IT)):
        (repository / name).mkdir(parents=True)
        (repository / name / "main.tf").write_text(text)
    (repository / "link").symlink_to(repository / "deep" / "app")
    (repository / "app" / "main.tf").unlink()
    (repository / "top").mkdir()
    (repository / "logs").rename(repository / "top" / "logs")
    (repository / "top" / "link").symlink_to(repository / "deep" / "app")
    assert "top/logs" in source_inputs(repository, "top/link", "top")


def test_only_a_plan_that_somebody_names_stands_for_the_source(repository: Path) -> None:
    plan = json.loads(ALLOWED.read_bytes())
    bucket = next(r for r in plan["resource_changes"] if r["type"] == "aws_s3_bucket")
    (repository / "logs" / "main.tf").write_text(f'resource "aws_s3_bucket" "{bucket["name"]}" {{}}\n')
    (repository / "logs" / "plan.json").write_text(json.dumps(plan))
    assert source_inputs(repository, "logs") == ["logs", "logs/plan.json"]
    assert source_inputs(repository, "logs", "logs/plan.json") == ["logs/plan.json"]


@pytest.fixture
def estate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in range(pool.MIN_INPUTS + 6):
        text = PRIVILEGED if number % 7 == 0 else SERVICE
        (folder / "web" / f"{number:03}.yaml").write_text(text)
    (folder / "web" / "broken.json").write_text('{"a": 1,')
    monkeypatch.chdir(folder)
    return folder


def judged(processes: int, monkeypatch: pytest.MonkeyPatch) -> Decision:
    monkeypatch.setattr(wiring.session, "processes_for", lambda _: processes)
    with wiring.open_session(["."], wiring.Choices(), lambda _: None) as session:
        return check(session.gate, session.run)


@pytest.mark.usefixtures("estate")
def test_theorem_many_processes_say_what_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = judged(1, monkeypatch), judged(2, monkeypatch)
    same = ("result", "inputs", "subject", "plan", "counts", "outcomes", "obligations", "rules", "unmodelled")
    assert {name: alone.document[name] for name in same} == {name: together.document[name] for name in same}
    assert together.document["result"] == "error"


def test_a_process_that_ends_is_no_allow(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (estate / "web" / "broken.json").unlink()
    assert judged(2, monkeypatch).document["result"] == "deny"

    def ends(*_: object) -> None:
        os._exit(0)

    monkeypatch.setattr(pool, "judge_input", ends)
    decision = judged(2, monkeypatch)
    assert decision.document["result"] == "error"
    assert str(decision.problem) == "a judging process ended unexpectedly; was there memory enough?"


def test_no_process_outlives_the_run(estate: Path) -> None:
    # A process that did would hold standard output open, and whoever reads it would wait for ever.
    done = subprocess.run(
        [sys.executable, "-c", "from plangate.cli.main import entry; entry()", "check", "."],
        cwd=estate,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout.startswith(b"COULD NOT DECIDE  ")


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.yaml",
        ".x.tf.json",
        "x.receipt.json",
        "x.tfstate.json",
        "package-lock.json",
        "x.tfvars.json",
        "X.YAML",
    ],
)
def test_no_name_keeps_a_manifest_from_being_judged(folder: Path, name: str) -> None:
    (folder / "web" / name).write_text(PRIVILEGED)
    assert decided("web", cwd=folder)[0] == 1
    assert decided(f"web/{name}", cwd=folder)[0] == 1
    (folder / "web" / "main.tf").write_text("locals {}\n")
    assert decided(f"web/{name}", cwd=folder)[0] == 1


@pytest.mark.parametrize("name", ["x.tfvars", ".x.tf", "x.tf~"])
def test_a_folder_in_which_terraform_reads_nothing_is_no_allow(folder: Path, name: str) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / name).write_text("a = 1\n")
    assert run("check", f"empty/{name}", cwd=folder).code == 3
    assert run("check", "empty", cwd=folder).code == 2


def test_pipes_links_in_a_circle_and_names_that_are_no_text_are_said_and_never_hang(folder: Path) -> None:
    os.mkfifo(folder / "web" / "pipe.yaml")
    (folder / "web" / "circle.yaml").symlink_to("circle.yaml")
    Path(os.fsdecode(os.fsencode(folder / "web") + b"/\xff.yaml")).write_text(SERVICE)
    code, document = decided("web", cwd=folder)
    assert code == 3
    assert {i["name"]: i["problem"] and i["problem"].partition(": ")[2] for i in document["inputs"]} == {
        "web/circle.yaml": "a link that leads nowhere",
        "web/pipe.yaml": "not a regular file",
        "web/service.yaml": None,
        "web/\\xff.yaml": None,
    }


def test_what_a_link_leads_to_outside_is_not_even_hashed(folder: Path) -> None:
    (folder / "web" / "link.json").symlink_to(folder / "allowed.json")
    _, document = decided("web", cwd=folder)
    assert [i["sha256"] for i in document["inputs"] if i["name"] == "web/link.json"] == ["0" * 64]


def test_a_plan_with_its_source_is_judged_once_and_failures_have_lines(folder: Path) -> None:
    shutil.copytree(DENIED.parent, folder / "app")
    code, document = decided("app/plan.json", "app", cwd=folder)
    assert (code, [i["name"] for i in document["inputs"]]) == (1, ["app/plan.json"])
    source = (folder / "app" / "main.tf").read_text().splitlines()
    failures = [o for o in document["outcomes"] if o["outcome"] == "fail" and o["address"]]
    lines = {}
    for failure in failures:
        assert failure["location"]["file"] == "app/main.tf"
        lines[failure["address"], failure["path"]] = source[failure["location"]["line"] - 1]
    assert lines == {
        ("aws_ebs_volume.data", ""): 'resource "aws_ebs_volume" "data" {',
        ("aws_instance.web", ""): 'resource "aws_instance" "web" {',
        ("aws_s3_bucket.site", ""): 'resource "aws_s3_bucket" "site" {',
        ("aws_vpc.web", ""): 'resource "aws_vpc" "web" {',
        ("aws_vpc_security_group_ingress_rule.ssh", "/cidr_ipv4"): '  cidr_ipv4         = "0.0.0.0/0"',
    }


def test_a_source_that_has_more_than_the_plan_is_judged_as_well(folder: Path) -> None:
    shutil.copytree(DENIED.parent, folder / "app")
    with (folder / "app" / "main.tf").open("a") as file:
        file.write('\nresource "aws_ebs_volume" "new" {\n  availability_zone = "eu-west-1a"\n  size = 1\n}\n')
    _, document = decided("app/plan.json", "app", cwd=folder)
    assert [i["name"] for i in document["inputs"]] == ["app/plan.json", "app"]
    assert ("volume-encrypted", "app", "aws_ebs_volume.new") in outcomes(document, "fail")


def test_source_without_its_folder_is_told_where_to_go(folder: Path) -> None:
    answer = run("check", "-", cwd=folder, stdin=b'resource "aws_ebs_volume" "v" {\n  size = 1\n}\n')
    assert (answer.code, answer.out) == (3, "")
    assert "hint: Terraform source is judged by its folder" in answer.err


def test_a_file_that_is_called_none_is_not_taken_for_standard_input(folder: Path) -> None:
    (folder / "None").write_text(PRIVILEGED)
    assert decided("-", "None", cwd=folder, stdin=SERVICE.encode())[0] == 1


UNSET = """
variable "encrypted" {}
resource "aws_ebs_volume" "v" {
  availability_zone = "eu-west-1a"
  size              = 1
  encrypted         = var.encrypted
}
"""


def test_an_unknown_that_nobody_will_check_is_no_allow(folder: Path) -> None:
    (folder / "infra").mkdir()
    (folder / "infra" / "main.tf").write_text(UNSET)
    code, document = decided("infra", cwd=folder)
    (unknown,) = (o for o in document["outcomes"] if o["outcome"] == "unknown")
    assert (code, unknown["rule"], unknown["effect"]) == (1, "volume-encrypted", "denies")
    assert document["obligations"] == []
    assert decided("infra", "--var", "encrypted=true", cwd=folder)[0] == 0
    (folder / "plangate.yaml").write_text("version: 1\nunsafe_allow_unknown_source: true\n")
    code, document = decided("infra", cwd=folder)
    assert (code, [o["effect"] for o in document["outcomes"] if o["outcome"] == "unknown"]) == (0, ["warns"])
