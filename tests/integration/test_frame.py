"""The project's frame: what is locked and installed, what the lint contracts catch, what CI calls success."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement

from tests.tools import ROOT, require_tool, required_tools, skip_or_fail

LOCKS: Final = ("core", "dev", "lock", "peers")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, str]:
    """Package to pinned version in ``requirements/<name>.txt``, whatever the platform."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    pins = (line.split(" ")[0].split("==") for line in lines if re.match(r"[a-z0-9]", line))
    return {package.split("[")[0]: version for package, version in pins}


def run(*command: str | Path, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def tracked_files() -> list[Path]:
    git = require_tool("git")
    listed = run(git, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# --- Locks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_is_pinned_and_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", "\n" + re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))[1:]
    loose = [
        block.splitlines()[0]
        for block in blocks
        if not re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", block) or "--hash=sha256:" not in block
    ]
    assert (loose, bool(blocks)) == ([], True)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_index(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert re.findall(r".*(?:://|--index-url|--extra-index-url|--find-links).*", text) == []


def test_the_core_lock_holds_what_the_project_depends_on() -> None:
    declared = {Requirement(line) for line in pyproject()["project"]["dependencies"]}
    pins = locked("core")
    assert {r.name: r.specifier.contains(pins[r.name]) for r in declared} == {r.name: True for r in declared}


def test_development_runs_on_the_very_versions_that_users_get() -> None:
    dev = locked("dev")
    assert {name: dev.get(name) for name in locked("core")} == locked("core")


# --- The package --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("plangate-*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_every_module_schema_and_shipped_policy_and_nothing_else(wheel: Path) -> None:
    def below(folder: Path, prefix: str) -> set[str]:
        kept = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {f"{prefix}/{path.relative_to(folder).as_posix()}" for path in kept}

    expected = below(ROOT / "src" / "plangate", "plangate") | below(
        ROOT / "policies", "plangate/shipped_policies"
    )
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    builders = "plangate/shipped_policies/lib/builders_test.rego"
    assert names == {name for name in expected if not name.endswith("_test.rego")} | {builders}


@pytest.mark.slow
def test_the_wheel_and_the_core_lock_are_all_that_an_empty_environment_needs(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    core = ROOT / "requirements" / "core.txt"
    fetched = run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", core)
    if fetched.returncode != 0 and re.search(
        r"NewConnectionError|ConnectTimeout|ResolutionError", fetched.stderr
    ):
        skip_or_fail("index", "no package index answers")
    assert fetched.returncode == 0, fetched.stderr
    installed = run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel)
    assert installed.returncode == 0, installed.stderr

    program = tmp_path / "venv" / "bin" / "plangate"
    alone = {"PYTHONPATH": "", "PLANGATE_STATE_DIR": str(tmp_path / "state")}
    shown = run(program, "--version", cwd=tmp_path, **alone)
    version = re.search(
        r'"(.+)"', (ROOT / "src" / "plangate" / "__init__.py").read_text().split("__version__")[1]
    )
    assert version is not None
    assert (shown.returncode, shown.stdout.split(), shown.stderr) == (0, ["plangate", version[1]], "")
    codes = {
        example: run(
            program,
            "check",
            "--no-receipt",
            ROOT / "examples" / "demo" / example / "plan.json",
            cwd=tmp_path,
            **alone,
        ).returncode
        for example in ("allowed", "denied")
    }
    assert codes == {"allowed": 0, "denied": 1}


# --- Layers -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("misc.py", "", "Imports go down the house only, and every module has a floor"),
        (
            "model/stray.py",
            "import plangate.audit",
            "Imports go down the house only, and every module has a floor",
        ),
        (
            "report/stray.py",
            "import plangate.audit",
            "Imports go down the house only, and every module has a floor",
        ),
        ("rules/stray.py", "import os", "Model, decision, facts and rules are functions of their arguments"),
        (
            "decision/stray.py",
            "import time",
            "Model, decision, facts and rules are functions of their arguments",
        ),
        ("cli/stray.py", "import plangate.executor", "Only the gate and the wiring reach the executor"),
        ("rules/stray.py", "import plangate.rules.other", "Rules do not know each other"),
    ],
)
def test_a_misplaced_module_or_import_breaks_its_contract(
    tmp_path: Path, module: str, line: str, contract: str
) -> None:
    source = shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (source / "plangate" / "rules" / "other.py").touch()
    (source / "plangate" / module).write_text(f"{line}\n")
    linted = run(
        Path(sys.executable).parent / "lint-imports", "--no-cache", cwd=tmp_path, PYTHONPATH=str(source)
    )
    broken = re.findall(r"^(.*) BROKEN", linted.stdout, flags=re.MULTILINE)
    assert (linted.returncode, contract in broken or "not listed as layers" in linted.stdout) == (1, True), (
        linted
    )


# --- Tools that may be missing ------------------------------------------------------------------------------


def test_a_missing_tool_skips_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLANGATE_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no package index answers"):
        skip_or_fail("index", "no package index answers")


def test_a_missing_tool_that_is_required_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANGATE_REQUIRE", "opa,index")
    with pytest.raises(pytest.fail.Exception, match="PLANGATE_REQUIRE names index"):
        skip_or_fail("index", "no package index answers")


def test_a_misspelt_required_tool_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANGATE_REQUIRE", "opa, terrafrom")
    with pytest.raises(pytest.UsageError, match="unknown terrafrom"):
        required_tools()


def test_terraform_may_be_opentofu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tofu = tmp_path / "tofu"
    tofu.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.tools.ROOT", tmp_path)
    assert require_tool("terraform") == tofu


# --- make and CI --------------------------------------------------------------------------------------------


def test_make_knows_the_documented_targets() -> None:
    dry = run(
        "make", "-n", "demo", "test", "check", "bench", "bench-peers", "bench-docs", "lock", "tools", "dev"
    )
    assert (dry.returncode, dry.stderr) == (0, "")


def test_every_script_that_make_calls_is_there_and_executable() -> None:
    called = set(re.findall(r"(?<!python )\bscripts/[a-z-]+", (ROOT / "Makefile").read_text()))
    assert {name: os.access(ROOT / name, os.X_OK) for name in called} == dict.fromkeys(called, True)
    measured = set(re.findall(r"\b(?:bench|scripts)/[a-z_]+\.py", (ROOT / "Makefile").read_text()))
    assert {name: (ROOT / name).is_file() for name in measured} == dict.fromkeys(measured, True)


def test_set_up_without_a_usable_python_says_what_to_do(tmp_path: Path) -> None:
    refused = run(ROOT / "scripts" / "python", "set-up", tmp_path / "venv", PYTHON="no-such-python")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert refused.stderr.startswith(
        "plangate needs Python 3.11 or newer with its venv module, and found none"
    )
    assert not (tmp_path / "venv").exists()


def test_set_up_passes_over_a_python_that_does_not_run(tmp_path: Path) -> None:
    shim = tmp_path / "python3"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    made = run(ROOT / "scripts" / "python", "set-up", tmp_path / "venv", PYTHON=f"{shim} {sys.executable}")
    assert (made.returncode, made.stderr) == (0, "")
    assert (tmp_path / "venv" / "bin" / "python").exists()


@pytest.mark.parametrize(
    ("last_line", "make_status", "expected"),
    [
        ("======= 12 passed, 1 skipped in 3.21s =======", 0, 0),
        ("======= 1 failed, 12 passed in 3.21s =======", 1, 1),
        ("======= 1 failed, 12 passed in 3.21s =======", 0, 1),
        ("======= 12 passed, 1 error in 3.21s =======", 0, 1),
        ("======= no tests ran in 0.01s =======", 5, 5),
        ("======= no tests ran in 0.01s =======", 0, 1),
        ("======= 12 skipped in 0.01s =======", 0, 1),
        ("", 0, 1),
        ("======= 12 passed in 3.21s =======", 2, 2),
    ],
)
def test_ci_is_green_only_when_tests_ran_and_all_passed(
    tmp_path: Path, last_line: str, make_status: int, expected: int
) -> None:
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\n[ "$1" = test ] || exit 0\necho "{last_line}"\nexit {make_status}\n')
    make.chmod(0o755)
    ci = run(ROOT / ".ci" / "run", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (ci.returncode, ci.stdout.splitlines()[-1]) == (expected, last_line)


# --- House rules --------------------------------------------------------------------------------------------


def test_each_lint_rule_that_is_off_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    codes = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+[0-9]*"', line)]
    assert [line for line in codes if not re.search(r"# .{10,}|# as [A-Z0-9a-z]+$", line)] == []


def test_nothing_in_the_tree_names_a_machine_or_an_index() -> None:
    # Written in pieces, so that this file does not name them either.
    words = (
        "/wo" + "rk/",
        "/tm" + "p/x/",
        "/ro" + "ot/",
        "py" + "pi.org",
        "python" + "hosted.org",
        "proxy." + "golang",
    )
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked_files()
        for word in words
        if word.encode() in path.read_bytes()
    ]
    assert found == []
