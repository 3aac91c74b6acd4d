"""The pre-commit hook, run by the real framework on a real repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.tools import ROOT, require_tool, skip_or_fail

EXAMPLES = ROOT / "examples" / "demo"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
PLANS = HOOKS["plangate-check"]
POLICY = """# METADATA
# title: Releases are named
# description: A policy of somebody who uses the hook.
# custom:
#   id: release-named
#   severity: low
#   enforcement: advisory
#   remediation: Name it.
package policies.shop.release_named

import data.plangate.lib

deny contains lib.finding(resource, "has no name") if {
	some resource in input.resources
	object.get(resource.after, "input", "") == ""
}
"""


MANIFEST = f"""apiVersion: v1
kind: Pod
metadata:
  name: tool
  namespace: shop
spec:
  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: tool
      image: registry.example/tool@sha256:{"a" * 64}
      resources:
        limits: {{cpu: 100m, memory: 64Mi}}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        privileged: false
        capabilities:
          drop: [ALL]
"""


class Repository:
    """A repository of somebody who uses the hook."""

    def __init__(self, folder: Path, hook: str | None) -> None:
        self.folder = folder
        self.git = require_tool("git")
        self.pre_commit = require_tool("pre-commit")
        places = (str(Path(sys.executable).parent), os.environ["PATH"])
        self.env = {
            "PATH": os.pathsep.join(places),
            "HOME": str(folder.parent),
            "PRE_COMMIT_HOME": str(folder.parent / "cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "NO_COLOR": "1",
        } | {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "COVERAGE_", "SSL_"))
        }
        folder.mkdir()
        self.run(self.git, "init", "--quiet")
        self.run(self.git, "config", "user.name", "A user")
        self.run(self.git, "config", "user.email", "user@example.com")
        if hook is not None:
            self.add(".pre-commit-config.yaml", hook)
            self.run(self.git, "commit", "--quiet", "--message", "start")

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def add(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        added = self.run(self.git, "add", "--", name)
        assert added.returncode == 0, added.stderr

    def hooks(self) -> subprocess.CompletedProcess[str]:
        """Run the hooks on what is staged, as a commit would."""
        return self.run(self.pre_commit, "run")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    local = [
        {name: value for name, value in hook.items() if name != "minimum_pre_commit_version"}
        | {"language": "unsupported"}
        for hook in HOOKS.values()
    ]
    config = {"repos": [{"repo": "local", "hooks": local}]}
    return Repository(tmp_path / "repository", yaml.safe_dump(config))


def plan(name: str) -> str:
    return (EXAMPLES / name / "plan.json").read_text()


@pytest.mark.parametrize(
    ("name", "judged"),
    [
        ("plan.json", True),
        ("tfplan.json", True),
        (".tfplan.json", True),
        ("prod.tfplan.json", True),
        ("plan.out.json", True),
        ("infra/web.plan.json", True),
        ("infra/web-plan.json", True),
        ("infra/web_tfplan.json", True),
        ("package.json", False),
        ("floorplan.json", False),
        ("plan.json.md", False),
        ("plan.jsonl", False),
        ("plan/settings.json", False),
        ("plan.receipt.json", False),
        ("plan.json.receipt.json", False),
    ],
)
def test_the_hook_is_given_plans_and_no_other_json(name: str, judged: bool) -> None:
    assert bool(re.search(PLANS["files"], name)) is judged


def test_a_commit_without_plans_is_not_judged(repository: Repository) -> None:
    repository.add("package.json", "{}")
    run = repository.hooks()
    # The hook for sources looks at it, and leaves it alone.
    assert (run.returncode, run.stdout.count("(no files to check)Skipped")) == (0, 2)
    assert run.stdout.count("Passed") == 1


def test_a_staged_manifest_is_judged_and_the_reason_is_shown(repository: Repository) -> None:
    repository.add("package.json", "{}")
    repository.add("deploy/tool.yaml", MANIFEST)
    assert repository.hooks().returncode == 0
    repository.add("deploy/tool.yaml", MANIFEST.replace("privileged: false", "privileged: true"))
    run = repository.hooks()
    assert run.returncode == 1
    assert "workload-not-privileged" in run.stdout
    assert "deploy/tool.yaml:19" in run.stdout


def test_an_allowed_plan_may_be_committed(repository: Repository) -> None:
    repository.add("shop.tfplan.json", plan("allowed"))
    run = repository.hooks()
    assert (run.returncode, "Passed" in run.stdout) == (0, True), run.stdout


def test_a_denied_plan_may_not_be_committed_and_the_reason_is_shown(repository: Repository) -> None:
    repository.add("shop.tfplan.json", plan("denied"))
    run = repository.hooks()
    assert (run.returncode, "exit code: 1" in run.stdout) == (1, True), run.stdout
    assert "no-provisioners" in run.stdout
    assert "terraform_data.release" in run.stdout


def test_one_bad_plan_among_good_ones_stops_the_commit(repository: Repository) -> None:
    repository.add("a/plan.json", plan("allowed"))
    repository.add("b/plan.json", plan("denied"))
    repository.add("c/plan.json", plan("allowed"))
    run = repository.hooks()
    assert (run.returncode, "b/plan.json" in run.stdout) == (1, True), run.stdout


@pytest.mark.parametrize("content", ["", "{}", "not json", plan("allowed")[:1000]])
def test_what_is_named_like_a_plan_and_is_none_stops_the_commit(repository: Repository, content: str) -> None:
    repository.add("plan.json", content)
    run = repository.hooks()
    assert (run.returncode, "exit code: 3" in run.stdout) == (1, True), run.stdout
    assert "Traceback" not in run.stdout
    assert "plan.json" in run.stdout


def test_a_good_plan_does_not_hide_one_that_cannot_be_read(repository: Repository) -> None:
    repository.add("a/plan.json", plan("allowed"))
    repository.add("b/plan.json", "{}")
    run = repository.hooks()
    assert (run.returncode, "b/plan.json" in run.stdout) == (1, True), run.stdout


def test_the_staged_plan_counts_and_not_the_one_in_the_folder(repository: Repository) -> None:
    repository.add("plan.json", plan("denied"))
    (repository.folder / "plan.json").write_text(plan("allowed"))
    run = repository.hooks()
    assert (run.returncode, "no-provisioners" in run.stdout) == (1, True), run.stdout


def test_the_hook_leaves_nothing_to_commit_behind(repository: Repository) -> None:
    repository.add("plan.json", plan("allowed"))
    assert repository.hooks().returncode == 0
    assert repository.run(repository.git, "status", "--porcelain").stdout.split("\n") == ["A  plan.json", ""]


def test_a_policy_that_loads_may_be_committed(repository: Repository) -> None:
    repository.add("policies/shop/release_named.rego", POLICY)
    run = repository.hooks()
    assert (run.returncode, "Passed" in run.stdout) == (0, True), run.stdout


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (POLICY.replace("deny contains", "denny contains"), "deny"),
        (POLICY.replace("#   severity: low\n", ""), "severity"),
        (POLICY.replace("object.get(", "object.gett("), "object.gett"),
        ("package somewhere.else\n", "somewhere.else"),
    ],
)
def test_a_policy_that_would_not_load_may_not_be_committed(
    repository: Repository, broken: str, said: str
) -> None:
    repository.add("policies/shop/release_named.rego", broken)
    run = repository.hooks()
    assert (run.returncode, said in run.stdout, "release_named.rego" in run.stdout) == (1, True, True), (
        run.stdout
    )


@pytest.mark.slow
def test_the_hook_installs_and_runs_from_this_repository(tmp_path: Path) -> None:
    """`pre-commit try-repo` clones this tree, builds it and installs it as it would for anybody."""
    source = tmp_path / "plangate"
    git = require_tool("git")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    # A repository of its own, so that try-repo never touches the index of the one that is worked in.
    publisher = Repository(source, None)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    publisher.run(git, "add", "--all")
    publisher.run(git, "commit", "--quiet", "--message", "published")

    user = Repository(tmp_path / "user", None)
    user.add("allowed/plan.json", plan("allowed"))
    user.add("denied/plan.json", plan("denied"))
    user.run(git, "commit", "--quiet", "--message", "start")

    def tried(name: str) -> subprocess.CompletedProcess[str]:
        return user.run(
            user.pre_commit, "try-repo", source, PLANS["id"], "--verbose", "--files", f"{name}/plan.json"
        )

    allowed = tried("allowed")
    if re.search(r"NewConnectionError|ConnectTimeout|ResolutionError", allowed.stdout):
        skip_or_fail("index", "no package index answers")
    assert (allowed.returncode, "Passed" in allowed.stdout) == (0, True), allowed.stdout + allowed.stderr
    denied = tried("denied")
    assert (denied.returncode, "no-provisioners" in denied.stdout) == (1, True), denied.stdout + denied.stderr
