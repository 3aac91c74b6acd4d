"""`plangate apply` with the real terraform and tofu, a provider, and a state that lies in S3.

The provider is a double of ``hashicorp/aws`` (tests/aws_provider_double.py), and AWS is moto's server.
"""

import io
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from tests import aws_server
from tests.aws_provider_mirror import Mirror, a_mirror
from tests.aws_server import AwsServer
from tests.terraform_aws_project import STATES, Project
from tests.terraform_project import NAMES, the_tool
from tests.tools import require_tool

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

VOLUME: Final = """
resource "aws_ebs_volume" "one" {
  availability_zone = "eu-central-1a"
  encrypted         = true
}
"""
THREE: Final = """
resource "aws_ebs_volume" "first" {
  availability_zone = "eu-central-1a"
  encrypted         = true
}
resource "aws_ebs_volume" "second" {
  availability_zone = "eu-central-1a"
  encrypted         = true
  depends_on        = [aws_ebs_volume.first]
  tags              = { double = "BEHAVIOUR" }
}
resource "aws_ebs_volume" "third" {
  availability_zone = "eu-central-1a"
  encrypted         = true
  depends_on        = [aws_ebs_volume.second]
}
"""


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return a_mirror(tmp_path_factory.mktemp("providers"))


with_both = pytest.mark.parametrize("project", NAMES, indirect=True)
"""With terraform and with tofu; the other tests are about what both do alike, and need one of them."""


@pytest.fixture
def project(
    request: pytest.FixtureRequest, tmp_path: Path, mirror: Mirror, aws_account: AwsServer
) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(
        folder=folder,
        program=the_tool(request.param).path if hasattr(request, "param") else require_tool("terraform"),
        mirror=mirror,
        server=aws_account,
    ).write(VOLUME)
    made.client("s3").create_bucket(
        Bucket=STATES, CreateBucketConfiguration={"LocationConstraint": aws_server.REGION}
    )
    return made


@with_both
def test_a_plan_with_its_state_in_s3_runs_once_and_gives_its_lock_back(project: Project) -> None:
    project.plan()
    assert project.run("check", "tfplan").code == 0
    receipt = ("--receipt", "tfplan.receipt.json")

    first, second = project.run("apply", "tfplan", *receipt), project.run("apply", "tfplan", *receipt)

    assert (first.code, second.code, "used already" in second.err) == (0, 3, True)
    assert ([v["Encrypted"] for v in project.volumes()], project.locked()) == ([True], False)
    with zipfile.ZipFile(project.folder / "tfplan") as plan:
        digest = sha256(plan.read(".terraform.lock.hcl")).hexdigest()
    assert digest == sha256((project.folder / ".terraform.lock.hcl").read_bytes()).hexdigest()
    locks = [b["message"] for b in project.records("execution.event") if b["event"] == "provider_lock"]
    assert locks == [f"sha256:{digest}"]


def test_a_provider_gets_credentials_for_the_apply_only_and_reads_in_a_folder_of_its_own(
    project: Project,
) -> None:
    project.plan()

    assert project.run("check", "tfplan").code == 0
    reading = project.mirror.starts()
    assert project.run("apply", "tfplan", "--receipt", "tfplan.receipt.json").code == 0
    acting = [start for start in project.mirror.starts() if start["cwd"] == str(project.folder)]

    names = set(aws_server.ENVIRONMENT) - {"AWS_EC2_METADATA_DISABLED"} | {"AWS_ENDPOINT_URL"}
    assert reading
    assert [sorted(names & start["environment"].keys()) for start in reading] == [[] for _ in reading]
    assert project.folder not in {Path(start["cwd"]) for start in reading}
    assert all(names <= start["environment"].keys() for start in acting)
    assert acting


@with_both
def test_a_second_apply_is_refused_by_the_journal_where_terraform_would_do_it(project: Project) -> None:
    project.write(VOLUME, backend="").plan()
    elsewhere = project.folder.parent / "elsewhere"
    shutil.copytree(project.folder, elsewhere, symlinks=True)
    state = ("--state-dir", str(project.folder.parent / "gate"))

    assert project.run("apply", "tfplan", *state).code == 0
    again = project.run("apply", str(elsewhere / "tfplan"), *state)
    renamed = project.run("apply", str(elsewhere / "tfplan"), *state, "--environment", "staging")

    assert [(ran.code, "used already" in ran.err) for ran in (again, renamed)] == [(3, True), (3, True)]
    assert len(project.volumes()) == 1
    # This is why: in the copy, terraform knows of no first time.
    assert project.terraform("apply", "-input=false", "tfplan", folder=elsewhere) == 0
    assert len(project.volumes()) == 2


def test_a_tampered_and_a_replanned_file_are_refused(project: Project) -> None:
    project.plan()
    assert project.run("check", "tfplan").code == 0
    judged = project.folder / "tfplan"
    forged = _with_member(judged.read_bytes(), "tfconfig/m-/main.tf", b'resource "aws_ebs_volume" "one" {}\n')
    (project.folder / "forged").write_bytes(forged)
    project.plan("replanned")

    for name in ("forged", "replanned"):
        ran = project.run("apply", name, "--receipt", "tfplan.receipt.json")
        assert (ran.code, "receipt: for the plan" in ran.err) == (3, True)
    judged.write_bytes((project.folder / "replanned").read_bytes())
    assert project.run("apply", "tfplan", "--receipt", "tfplan.receipt.json").code == 3
    assert project.volumes() == []


@pytest.mark.parametrize("change", ["another version", "another checksum", "gone"])
def test_a_changed_lock_file_is_refused_before_anything_runs(project: Project, change: str) -> None:
    project.plan()
    assert project.run("check", "tfplan").code == 0
    lock = project.folder / ".terraform.lock.hcl"
    text = lock.read_text(encoding="utf-8")
    changed = {
        "another version": text.replace("5.0.0", "5.0.1"),
        "another checksum": text.replace('"h1:', '"h1:AAAA'),
        "gone": "",
    }[change]
    lock.write_text(changed, encoding="utf-8")

    ran = project.run("apply", "tfplan", "--receipt", "tfplan.receipt.json")

    assert (ran.code, "refused the plan" in ran.err, "nothing ran" in ran.err) == (4, True, True)
    assert (project.volumes(), project.told("apply_start"), project.locked()) == ([], [], False)


@with_both
def test_a_swapped_provider_does_not_start_even_when_the_lock_file_names_it(
    project: Project, tmp_path: Path
) -> None:
    project.plan()
    assert project.run("check", "tfplan").code == 0
    (installed,) = (p for p in (project.folder / ".terraform").rglob("5.0.0/*") if p.is_symlink())
    other = a_mirror(tmp_path / "other")
    (package,) = (p.parent for p in other.programs if installed.parents[3].name in p.parts)
    installed.unlink()
    installed.symlink_to(package)
    (project.folder / ".terraform.lock.hcl").unlink()
    source = f"-fs-mirror={tmp_path / 'other' / 'mirror'}"
    assert project.terraform("providers", "lock", source) == 0
    assert project.terraform("providers", "schema", "-json") == 0  # terraform itself takes it
    assert other.starts()

    ran = project.run("apply", "tfplan", "--receipt", "tfplan.receipt.json")

    assert (ran.code, "is not the program that the plan was made with" in ran.err) == (3, True)
    assert (project.volumes(), other.starts()) == ([], [])


def test_a_locked_state_is_refused_and_waited_for_as_long_as_was_asked_for(project: Project) -> None:
    settings = project.folder / "plangate.yaml"
    settings.write_text("version: 1\nterraform: {lock_timeout_s: 2}\n")
    project.plan().lock()
    began = time.monotonic()
    refused = project.run("apply", "tfplan")
    assert (refused.code, "nothing ran" in refused.err, project.volumes()) == (4, True, [])
    assert time.monotonic() - began > 2
    project.unlock()
    project.plan().lock()
    for seconds in ("nan", "inf", "86401"):
        assert project.run("apply", "tfplan", "--lock-timeout", seconds).code == 2
    later = threading.Timer(4.0, project.unlock)
    later.start()
    ran = project.run("apply", "tfplan", "--lock-timeout", "120")
    later.join()
    assert (ran.code, len(project.volumes()), project.locked()) == (0, 1, False)


def test_ctrl_c_while_it_waits_for_a_lock_runs_nothing(project: Project) -> None:
    (project.folder / "plangate.yaml").write_text("version: 1\nterraform: {lock_timeout_s: 600}\n")
    project.plan().lock()
    with _started(project) as process:
        _until(lambda: project.told("state_lock_acquire") != [])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)

    assert (process.returncode, "Traceback" in err, project.volumes()) == (130, False, [])
    (finished,) = project.records("execution.finished")
    assert (finished["result"], finished["message"]) == ("interrupted", "interrupted by the user")


@pytest.mark.parametrize(
    ("behaviour", "second", "made", "counts"),
    [
        ("taints", "tainted", 2, "1 exists, 1 tainted, 1 absent"),
        ("fails", "absent", 1, "1 exists, 2 absent"),
        ("dies", "unknown", 2, "1 exists, 1 absent, 1 unknown"),
    ],
)
def test_a_partial_run_is_recorded_with_what_exists(
    project: Project, behaviour: str, second: str, made: int, counts: str
) -> None:
    project.write(THREE.replace("BEHAVIOUR", behaviour)).plan()

    ran = project.run("apply", "tfplan")

    assert (ran.code, len(project.volumes())) == (4, made)
    assert project.told("found") == [
        ("aws_ebs_volume.first", "exists"),
        ("aws_ebs_volume.second", second),
        ("aws_ebs_volume.third", "absent"),
    ]
    (finished,) = project.records("execution.finished")
    assert (finished["result"], finished["failed"]) == ("failed", ["aws_ebs_volume.second"])
    assert finished["message"].startswith(f"{counts}; ")
    assert "  exists: aws_ebs_volume.first\n" in ran.out
    assert f"  {second}: aws_ebs_volume.second" in ran.out


@with_both
def test_ctrl_c_twice_ends_everything_and_says_what_nobody_knows(project: Project) -> None:
    project.write(THREE.replace("BEHAVIOUR", "hangs")).plan()
    with _started(project) as process:
        _until(lambda: len(project.volumes()) == 2)  # the second one hangs
        process.send_signal(signal.SIGINT)
        time.sleep(2)
        assert process.poll() is None  # it waits for what was begun
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert (process.returncode, "Traceback" in err) == (130, False)
    (finished,) = project.records("execution.finished")
    assert (finished["result"], "may stay locked" in finished["message"]) == ("interrupted", True)
    assert project.told("found")[1:] == [
        ("aws_ebs_volume.second", "unknown"),
        ("aws_ebs_volume.third", "absent"),
    ]
    assert "  unknown: aws_ebs_volume.second" in out
    # The lock was left, so nobody changes anything before somebody has looked.
    assert project.locked()


def test_a_provider_that_does_not_stop_is_killed_after_the_grace_that_the_settings_give(
    project: Project,
) -> None:
    (project.folder / "plangate.yaml").write_text("version: 1\nlimits: {stop_grace_s: 2}\n")
    project.write(THREE.replace("BEHAVIOUR", "hangs")).plan()
    with _started(project) as process:
        _until(lambda: len(project.volumes()) == 2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)

    assert (process.returncode, len(project.volumes()), project.locked()) == (130, 2, True)
    assert f"{project.program.name} did not end in time and was killed" in out
    assert "  absent: aws_ebs_volume.third\n  unknown: aws_ebs_volume.second\n" in out


def test_a_state_that_cannot_be_saved_is_read_where_terraform_left_it(project: Project) -> None:
    project.write(THREE.replace("BEHAVIOUR", "waits")).plan()
    with _started(project) as process:
        _until(lambda: len(project.volumes()) > 1)
        project.lose_states()
        out, _ = process.communicate(timeout=240)

    assert process.returncode == 4
    assert "could not save its state and left it in errored.tfstate" in out
    assert project.told("found") == [
        ("aws_ebs_volume.first", "exists"),
        ("aws_ebs_volume.second", "exists"),
        ("aws_ebs_volume.third", "exists"),
    ]


SEALED: Final = """
resource "terraform_data" "sealed" { input = true }
resource "aws_ebs_volume" "one" {
  availability_zone = "eu-central-1a"
  encrypted         = terraform_data.sealed.output
  tags              = { double = "BEHAVIOUR" }
}
"""


@pytest.mark.parametrize(
    ("behaviour", "code", "result"),
    [("asked", 0, "met"), ("opens", 4, "broken"), ("taints", 4, "met")],
)
def test_an_obligation_is_checked_on_the_resource_as_it_was_found(
    project: Project, behaviour: str, code: int, result: str
) -> None:
    project.write(SEALED.replace("BEHAVIOUR", behaviour)).plan()

    ran = project.run("apply", "tfplan")

    assert (ran.code, [v["Encrypted"] for v in project.volumes()]) == (code, [behaviour != "opens"])
    checked = [(b["rule"], b["address"], b["result"]) for b in project.records("obligation.checked")]
    assert checked == [("volume-encrypted", "aws_ebs_volume.one", result)]


@contextmanager
def _started(project: Project) -> Iterator["subprocess.Popen[str]"]:
    """``plangate apply``, which hears SIGINT also where this run was started in the background."""
    hearing = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-m", "plangate.cli.main", "apply", "tfplan"]
    with subprocess.Popen(
        [sys.executable, "-c", hearing, *command],
        cwd=project.folder,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _with_member(plan: bytes, name: str, text: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plan)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, text if member.filename == name else old.read(member))
    return out.getvalue()
