"""The executor with the real terraform and the real tofu."""

import hashlib
import io
import os
import signal
import threading
import time
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from plangate.errors import ExecutionError, ReceiptError
from plangate.executor import terraform
from plangate.executor.base import ExecutionEvent, ExecutionStatus, Found, Standing
from plangate.terraform_cli import PlanCopy, private_copy
from tests.terraform_project import (
    NAMES,
    SECRET,
    Project,
    Told,
    a_project,
    a_stand_in,
    an_approval,
    apply,
    hearing_signals,
    scrub,
    the_tool,
)

pytestmark = pytest.mark.terraform

ONE = 'resource "terraform_data" "one" { input = "a" }\n'
MARKER = """
resource "terraform_data" "marked" {
  provisioner "local-exec" { command = "touch marker" }
}
"""


@pytest.fixture(params=NAMES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return a_project(the_tool(request.param), tmp_path / "project", ONE)


def test_applies_exactly_the_judged_plan_and_tells_every_step(project: Project) -> None:
    plan = project.plan()
    told = Told()

    report = apply(project, plan, told)

    assert replace(report, followup=None) == replace(
        report,
        status=ExecutionStatus.SUCCEEDED,
        problems=(),
        tool=str(project.tool),
        followup=None,
        converged=True,
        interrupted=False,
    )
    assert [replace(event, elapsed_s=None) for event in told.events[:4]] == [
        ExecutionEvent(type="tool", message=str(project.tool)),
        ExecutionEvent(type="provider_lock", message=f"sha256:{_lock_digest(plan)}"),
        ExecutionEvent(
            type="apply_start", address="terraform_data.one", action="create", message="create: start"
        ),
        ExecutionEvent(
            type="apply_complete", address="terraform_data.one", action="create", message="create: complete"
        ),
    ]
    assert told.events[4].message.startswith("0 import, 1 add, 0 change, 0 remove")
    followup = msgspec.json.decode(report.followup or b"")
    assert [c["change"]["actions"] for c in followup["resource_changes"]] == [["no-op"]]


def test_bytes_that_were_not_approved_do_not_run(project: Project) -> None:
    plan = project.write(MARKER).plan()
    approved = an_approval(plan)

    with pytest.raises(ReceiptError, match="not those that were approved"):
        project.executor().apply(approved, plan + b"\n", observe=Told(), scrub=scrub)

    assert not project.has("marker")
    assert apply(project, plan).status is ExecutionStatus.SUCCEEDED
    assert project.has("marker")


def test_a_program_injected_into_the_plan_makes_it_another_plan(project: Project) -> None:
    plan = project.plan()
    text = MARKER.replace('"marked" {', '"one" {\n input = "a"').encode()
    forged = _with_member(plan, "tfconfig/m-/main.tf", text)
    assert hashlib.sha256(forged).digest() != hashlib.sha256(plan).digest()

    with pytest.raises(ReceiptError):
        project.executor().apply(an_approval(plan), forged, observe=Told(), scrub=scrub)
    assert not project.has("marker")

    # This is why: terraform itself runs it without a word.
    project.executor().apply(an_approval(forged), forged, observe=Told(), scrub=scrub)
    assert project.has("marker")


def test_swapping_the_file_on_disk_after_judging_changes_nothing(project: Project) -> None:
    judged = project.plan()
    project.write(MARKER)
    project.plan(name="other")
    project.write(ONE)
    (project.folder / "tfplan").write_bytes((project.folder / "other").read_bytes())

    report = apply(project, judged)

    assert (report.status, project.has("marker")) == (ExecutionStatus.SUCCEEDED, False)


def test_a_stale_plan_is_refused_before_anything_runs(project: Project) -> None:
    plan = project.plan()
    project.run("apply", "-auto-approve", "-input=false")
    told = Told()

    with pytest.raises(ExecutionError, match=r"Saved plan is stale.*nothing ran"):
        apply(project, plan, told)

    assert [(e.type, e.action) for e in told.events] == [
        ("tool", ""),
        ("provider_lock", ""),
        ("diagnostic", "error"),
    ]


def test_a_locked_state_is_refused_before_anything_runs(project: Project) -> None:
    plan = project.write(MARKER).plan()
    holder = threading.Event()
    project.write(
        'resource "terraform_data" "slow" {\n provisioner "local-exec" { command = "sleep 2" }\n}\n'
    )
    slow = project.plan(name="slow")
    started = Told("provision_start", holder.set)
    other = threading.Thread(target=apply, args=(project, slow, started))
    other.start()
    assert holder.wait(30)
    try:
        with pytest.raises(ExecutionError, match=r"state lock.*nothing ran"):
            apply(project, plan)
    finally:
        other.join()
    assert not project.has("marker")


def test_a_failing_check_block_is_not_a_success_although_terraform_exits_with_0(project: Project) -> None:
    plan = project.write(
        ONE
        + """
        check "wanted" {
          assert {
            condition     = terraform_data.one.output == "b"
            error_message = "the output must be b"
          }
        }
        """
    ).plan()

    report = apply(project, plan)

    assert (report.status, report.problems, report.converged) == (
        ExecutionStatus.CHECKS_FAILED,
        ("check failed: check.wanted: the output must be b",),
        True,
    )


def test_a_failing_provisioner_names_its_resource_and_leaves_out_what_it_wrote(project: Project) -> None:
    plan = project.write(
        ONE
        + """
        resource "terraform_data" "broken" {
          depends_on = [terraform_data.one]
          provisioner "local-exec" { command = "echo unmarked-secret; exit 3" }
        }
        """
    ).plan()
    told = Told()

    report = apply(project, plan, told)

    assert report.status is ExecutionStatus.FAILED
    assert report.problems == (
        f"{project.tool.name} ended with exit code 1",
        "failed: terraform_data.broken",
        "terraform_data.broken: local-exec provisioner error: exit status 3",
    )
    assert "unmarked-secret" not in repr((report, told.events))


def test_sensitive_values_are_in_no_event_and_no_report(project: Project) -> None:
    plan = project.write(
        f"""
        variable "password" {{
          sensitive = true
          default   = "{SECRET}"
        }}
        resource "terraform_data" "one" {{
          input = var.password
          provisioner "local-exec" {{
            command = "echo ${{var.password}}; exit 1"
          }}
        }}
        output "password" {{
          value     = var.password
          sensitive = true
        }}
        """
    ).plan()
    told = Told()

    report = apply(project, plan, told)

    assert report.status is ExecutionStatus.FAILED
    assert SECRET not in repr((report, told.events))


def test_the_plan_after_apply_is_made_with_the_variables_of_the_judged_plan(project: Project) -> None:
    project.write(
        """
        variable "names" { type = map(list(string)) }
        variable "nothing" { default = "x" }
        variable "password" {
          type      = string
          sensitive = true
        }
        resource "terraform_data" "one" { input = [var.names, var.nothing, var.password] }
        """
    )
    plan = project.plan(
        '-var=names={"a":["ü","${x}"]}'.replace("${", "$${"), "-var=nothing=null", f"-var=password={SECRET}"
    )

    report = apply(project, plan)

    assert (report.status, report.problems) == (ExecutionStatus.SUCCEEDED, ())
    assert SECRET not in repr(report)
    assert sorted(p.name for p in project.folder.iterdir() if not p.name.startswith(".")) == [
        "main.tf",
        "terraform.tfstate",
        "tfplan",
    ]


def test_a_change_that_never_settles_has_not_converged(project: Project) -> None:
    plan = project.write('resource "terraform_data" "clock" { input = timestamp() }\n').plan()

    report = apply(project, plan)

    assert (report.status, report.problems, report.converged) == (
        ExecutionStatus.NOT_CONVERGED,
        ("still to do: terraform_data.clock (update)",),
        False,
    )


def test_a_configuration_that_is_not_the_judged_one_any_more_is_not_run_to_confirm(project: Project) -> None:
    plan = project.plan()
    project.write('resource "terraform_data" "new" {}\n', "new.tf").write(ONE + "\n")

    report = apply(project, plan)

    assert (report.status, report.followup, report.converged) == (ExecutionStatus.NOT_CONVERGED, None, None)
    assert report.problems == (
        (
            f"no follow-up plan was made: the configuration in {project.folder} is not the one that was judged:"
            " main.tf, new.tf"
        ),
    )


def test_a_folder_that_got_another_backend_does_not_confirm(project: Project) -> None:
    project.write('terraform {\n  backend "local" {}\n}\n' + ONE)
    project.run("init", "-input=false", "-backend-config=path=b.tfstate")
    project.run("apply", "-auto-approve", "-input=false")
    project.run("init", "-input=false", "-reconfigure", "-backend-config=path=a.tfstate")
    project.run("plan", "-input=false", "-out=tfplan")
    plan = (project.folder / "tfplan").read_bytes()
    project.run("init", "-input=false", "-reconfigure", "-backend-config=path=b.tfstate")

    report = apply(project, plan)

    assert (project.has("a.tfstate"), project.has("b.tfstate")) == (True, True)
    assert (report.status, report.followup, report.converged) == (ExecutionStatus.NOT_CONVERGED, None, None)
    assert report.problems == (
        (
            f"no follow-up plan was made of the same state: {project.folder} is initialized with another backend"
            " than the one that the judged plan names"
        ),
    )


MANY = """
resource "terraform_data" "kept" { input = "a" }
resource "terraform_data" "replaced" { triggers_replace = "a" }
resource "terraform_data" "follows" { input = terraform_data.replaced.id == "" ? "x" : "y" }
resource "terraform_data" "counted" {
  count            = 2
  triggers_replace = "a"
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "old_name" {}
resource "terraform_data" "dropped" {}
resource "terraform_data" "gone" {}
"""
MANY_AFTER = """
resource "terraform_data" "kept" { input = "b" }
resource "terraform_data" "replaced" { triggers_replace = "b" }
resource "terraform_data" "follows" { input = terraform_data.replaced.id == "" ? "x" : "y" }
resource "terraform_data" "counted" {
  count            = 1
  triggers_replace = "b"
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "new_name" {}
resource "terraform_data" "imported" {}
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
import {
  to = terraform_data.imported
  id = "an-id"
}
removed {
  from = terraform_data.dropped
  lifecycle { destroy = false }
}
"""


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("-destroy",),
        ("-refresh-only",),
        ("-target=terraform_data.kept",),
        ("-replace=terraform_data.kept", "-target=terraform_data.kept"),
        ("-destroy", "-target=terraform_data.gone"),
    ],
    ids=" ".join,
)
def test_every_kind_of_plan_is_confirmed_in_its_own_terms(project: Project, flags: tuple[str, ...]) -> None:
    after = MANY_AFTER
    if any(flag.startswith("-target") for flag in flags):
        # Terraform refuses targets that leave a moved object out.
        after = after.replace('"new_name"', '"old_name"').partition("moved {")[0]
    project.write(MANY).plan()
    project.run("apply", "-input=false", "tfplan")
    plan = project.write(after).plan(*flags)

    report = apply(project, plan)

    assert (report.status, report.problems) == (ExecutionStatus.SUCCEEDED, ())


def test_the_workspace_of_the_plan_is_the_one_that_is_changed_and_confirmed(project: Project) -> None:
    project.run("init", "-input=false")
    project.run("workspace", "new", "blue")
    plan = project.plan()
    project.run("workspace", "select", "default")

    report = apply(project, plan)

    assert (report.status, report.problems) == (ExecutionStatus.SUCCEEDED, ())
    assert (project.has("terraform.tfstate"), project.has("terraform.tfstate.d/blue/terraform.tfstate")) == (
        False,
        True,
    )


def test_an_event_that_cannot_be_recorded_stops_the_change(project: Project) -> None:
    plan = project.write(
        """
        resource "terraform_data" "first" {
          provisioner "local-exec" { command = "sleep 1" }
        }
        resource "terraform_data" "second" {
          depends_on = [terraform_data.first]
          provisioner "local-exec" { command = "touch marker" }
        }
        """
    ).plan()
    told = Told("provision_start")

    report = apply(project, plan, told)

    assert report.status is ExecutionStatus.FAILED
    assert (
        report.problems[0] == f"an event could not be recorded (OSError), so {project.tool.name} was stopped"
    )
    assert not project.has("marker")
    assert told.events[-1].type == "provision_start"


@pytest.mark.parametrize("event", ["tool", "provider_lock"])
def test_what_will_run_is_recorded_first_or_nothing_runs(tmp_path: Path, event: str) -> None:
    project = a_project(the_tool(NAMES[0]), tmp_path, MARKER)
    plan = project.plan()

    with pytest.raises(ExecutionError, match=r"an event could not be recorded \(OSError\); nothing ran"):
        apply(project, plan, Told(event))
    assert not project.has("marker")


BROKEN = """
resource "terraform_data" "broken" {
  provisioner "local-exec" { command = "exit 3" }
}
"""


def test_that_what_exists_could_not_be_recorded_is_said(tmp_path: Path) -> None:
    project = a_project(the_tool(NAMES[0]), tmp_path, BROKEN)
    plan = project.plan()

    report = apply(project, plan, Told("found"))

    assert report.problems[-1] == "what exists could not be recorded (OSError)"
    assert report.found == (Found(address="terraform_data.broken", standing=Standing.TAINTED),)


def test_a_state_that_cannot_be_read_tells_nothing_of_what_exists(tmp_path: Path) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", BROKEN)
    plan = real.plan()
    script = "if command == 'show' and not arguments[-1].startswith('/proc'): sys.exit(1)"

    report = apply(replace(real, tool=a_stand_in(tmp_path, real.tool, script)), plan)

    assert report.problems[-1] == "the state could not be read, so what exists is not known"
    assert report.found == (Found(address="terraform_data.broken", standing=Standing.UNKNOWN),)


def test_ctrl_c_stops_in_order_and_is_reported(project: Project) -> None:
    plan = project.write(
        """
        resource "terraform_data" "first" {
          provisioner "local-exec" { command = "sleep 1" }
        }
        resource "terraform_data" "second" {
          depends_on = [terraform_data.first]
          provisioner "local-exec" { command = "touch marker" }
        }
        """
    ).plan()
    told = Told("provision_start", lambda: os.kill(os.getpid(), signal.SIGINT))

    with hearing_signals():
        report = apply(project, plan, told)

    assert (report.status, report.interrupted) == (ExecutionStatus.FAILED, True)
    assert report.problems[0] == f"{project.tool.name} was stopped: interrupted"
    assert not project.has("marker")
    # It stopped in order: terraform wrote its state.
    assert "terraform_data" in (project.folder / "terraform.tfstate").read_text(encoding="utf-8")


def test_a_change_that_takes_too_long_leaves_nothing_running(project: Project) -> None:
    plan = project.write(
        """
        resource "terraform_data" "stubborn" {
          provisioner "local-exec" { command = "trap '' INT TERM; sh -c 'echo $$ > pid; sleep 60' & wait" }
        }
        """
    ).plan()

    report = apply(project, plan, apply_timeout_s=1.5, stop_grace_s=5.0)

    assert (report.status, report.interrupted) == (ExecutionStatus.FAILED, False)
    assert report.problems[:2] == (
        f"{project.tool.name} was stopped: timed out",
        "failed: terraform_data.stubborn",
    )
    assert _is_gone(int((project.folder / "pid").read_text()))


def test_a_terraform_that_does_not_stop_in_time_is_killed_with_all_it_started(tmp_path: Path) -> None:
    """With a double of terraform: the real one stops when asked."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()
    script = """
if command == "apply":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "60"])
    (here / "pids").write_text(f"{os.getpid()} {child.pid}")
    child.wait()
"""

    report = apply(
        replace(real, tool=a_stand_in(tmp_path, real.tool, script)),
        plan,
        apply_timeout_s=1.0,
        stop_grace_s=0.5,
    )

    assert report.problems == (
        "terraform was stopped: timed out",
        "terraform did not end in time and was killed: its state may lack what was done last, and may stay locked",
    )
    assert [_is_gone(int(pid)) for pid in (tmp_path / "pids").read_text().split()] == [True, True]


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    """With a double of terraform: the real one stops when asked."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()
    script = """
if command == "apply":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(type="apply_start", hook={})
    time.sleep(60)
"""

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    stand_in = a_stand_in(tmp_path, real.tool, script)
    with hearing_signals():
        report = apply(replace(real, tool=stand_in), plan, Told("apply_start", twice))

    assert (report.interrupted, report.problems) == (
        True,
        (
            "terraform was stopped: interrupted",
            "terraform did not end in time and was killed: its state may lack what was done last, and may stay locked",
        ),
    )


def test_a_folder_that_cannot_read_the_plan_runs_nothing(project: Project, tmp_path: Path) -> None:
    plan = project.write(MARKER).plan()
    elsewhere = replace(project, folder=tmp_path / "missing")

    with pytest.raises(ExecutionError, match=r"missing: no such folder; nothing ran"):
        apply(elsewhere, plan)
    assert not project.has("marker")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("if command == 'apply': sys.exit(0)", "without the summary of what it did"),
        (
            (
                "if command == 'apply':\n"
                "    say(type='change_summary', changes={'add': 1, 'operation': 'apply'})\n"
                "    sys.exit(0)"
            ),
            "did not report 1 planned steps as done: terraform_data.one (create)",
        ),
        (
            "if command == 'apply':\n    print('{\"type\": 7}\\nnull\\n[]\\n\\x00\\xff', flush=True)\n    sys.exit(0)",
            "without the summary of what it did",
        ),
        (
            "if command == 'apply':\n    print('{' * 5_000_000, flush=True)\n    sys.exit(0)",
            "without the summary of what it did",
        ),
        (
            (
                "if command == 'apply':\n"
                "    say(type='version')\n"
                "    say(type='diagnostic', diagnostic={'severity': 'error', 'summary': 'no'})\n"
                "    print('what is this')\n"
                "    sys.exit(1)"
            ),
            "ended with exit code 1",
        ),
        ("if command == 'apply': sys.exit(1)", "ended with exit code 1"),
        ("if command == 'apply': os.kill(os.getpid(), signal.SIGKILL)", "ended with exit code -9"),
        (
            (
                "if command == 'apply':\n"
                "    code = real(*arguments)\n"
                "    say(type='diagnostic', diagnostic={'severity': 'error', 'summary': 'late'})\n"
                "    sys.exit(code)"
            ),
            "late",
        ),
    ],
)
def test_a_terraform_that_does_not_show_success_has_failed(tmp_path: Path, script: str, problem: str) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()

    report = apply(replace(real, tool=a_stand_in(tmp_path, real.tool, script)), plan)

    assert report.status is ExecutionStatus.FAILED
    assert problem in report.problems[0]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("if command == 'plan': sys.exit(1)", "no follow-up plan could be made: exit code 1"),
        ("if command == 'plan': sys.exit(0)", "no follow-up plan could be made: No such file or directory"),
        ("if command == 'plan': time.sleep(60)", "no follow-up plan could be made: timed out"),
        ("if command == 'plan': real(*arguments); sys.exit(2)", "a new plan is not empty"),
        (
            (
                "if command == 'show' and (here / 'planned').exists(): print('{}'); sys.exit(0)\n"
                "if command == 'plan': (here / 'planned').touch()"
            ),
            "the follow-up plan could not be read",
        ),
        (
            (
                "if command == 'plan':\n"
                "    code = real(*arguments, '-replace=terraform_data.one')\n"
                "    sys.exit(0 if code == 2 else code)"
            ),
            "still to do: terraform_data.one (delete/create)",
        ),
    ],
)
def test_a_result_that_cannot_be_confirmed_is_not_a_success(
    tmp_path: Path, script: str, problem: str
) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()
    stand_in = a_stand_in(tmp_path, real.tool, script)

    report = apply(replace(real, tool=stand_in), plan, plan_timeout_s=3.0)

    assert (report.status, report.problems) == (ExecutionStatus.NOT_CONVERGED, (problem,))


def test_check_results_that_cannot_be_read_are_failed_checks(tmp_path: Path) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    condition = 'condition = terraform_data.one.id != ""'
    checked = ONE + f'check "c" {{\n assert {{\n {condition}\n error_message = "no"\n }}\n}}\n'
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", checked)
    plan = real.plan()
    stand_in = a_stand_in(
        tmp_path, real.tool, "if command == 'show' and 'fd' not in arguments[-1]: sys.exit(1)"
    )

    report = apply(replace(real, tool=stand_in), plan)

    assert (report.status, report.problems) == (
        ExecutionStatus.CHECKS_FAILED,
        ("check failed: the results of the check blocks could not be read",),
    )


SWAP = """
    pathlib.Path(arguments[-1]).chmod(0o600)
    pathlib.Path(arguments[-1]).write_bytes(pathlib.Path(arguments[-1]).read_bytes() + b"swapped")
"""


@pytest.fixture
def without_sealed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_a_file(data: bytes) -> AbstractContextManager[PlanCopy]:
        return private_copy(data, memory=False)

    monkeypatch.setattr(terraform, "private_copy", in_a_file)


@pytest.mark.usefixtures("without_sealed_memory")
def test_without_sealed_memory_a_plan_is_applied_from_a_private_file(project: Project) -> None:
    plan = project.write(MARKER).plan()

    assert apply(project, plan).status is ExecutionStatus.SUCCEEDED
    assert project.has("marker")


@pytest.mark.usefixtures("without_sealed_memory")
def test_a_private_file_that_was_swapped_before_the_apply_does_not_run(tmp_path: Path) -> None:
    """With a double of terraform, which does the swapping."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", MARKER)
    plan = real.plan()
    script = "if command == 'show':\n    code = real(*arguments)\n" + SWAP + "    sys.exit(code)"
    stand_in = a_stand_in(tmp_path, real.tool, script)

    with pytest.raises(ReceiptError, match="was changed before it was applied"):
        apply(replace(real, tool=stand_in), plan)
    assert not real.has("marker")


@pytest.mark.usefixtures("without_sealed_memory")
def test_a_private_file_that_was_swapped_during_the_apply_is_no_success(tmp_path: Path) -> None:
    """With a double of terraform, which does the swapping."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()
    script = "if command == 'apply':\n    code = real(*arguments)\n" + SWAP + "    sys.exit(code)"

    report = apply(replace(real, tool=a_stand_in(tmp_path, real.tool, script)), plan)

    assert (report.status, report.problems) == (
        ExecutionStatus.FAILED,
        ("the private copy of the plan was changed while it was applied",),
    )


def test_a_program_that_is_gone_runs_nothing(tmp_path: Path) -> None:
    real = a_project(the_tool(NAMES[0]), tmp_path, ONE)
    plan = real.plan()

    with pytest.raises(ExecutionError, match=r"could not be started: .*; nothing ran"):
        apply(replace(real, tool=replace(real.tool, path=tmp_path / "gone")), plan)


@pytest.mark.parametrize(
    "script", ["print('{}'); sys.exit(0)", "print('x'); sys.exit(0)", "sys.exit(1)", "time.sleep(60)"]
)
def test_a_plan_that_cannot_be_shown_is_not_applied(tmp_path: Path, script: str) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", MARKER)
    plan = real.plan()
    stand_in = a_stand_in(tmp_path, real.tool, f"if command == 'show': {script}")

    with pytest.raises(ExecutionError, match=r"cannot read the plan in .*; nothing ran"):
        apply(replace(real, tool=stand_in), plan, show_timeout_s=1.0)
    assert not real.has("marker")


def test_ctrl_c_before_the_apply_runs_nothing(tmp_path: Path) -> None:
    """With a double of terraform: the real one is too fast."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", MARKER)
    plan = real.plan()
    stand_in = a_stand_in(
        tmp_path, real.tool, "if command == 'show': os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    )

    with hearing_signals(), pytest.raises(KeyboardInterrupt):
        apply(replace(real, tool=stand_in), plan)
    assert not real.has("marker")


CHECKED = """
check "seen" {
  assert {
    condition     = terraform_data.one.output != ""
    error_message = "no output"
  }
}
"""


@pytest.mark.parametrize(
    ("script", "status", "problems"),
    [
        (
            "os.kill(os.getppid(), signal.SIGINT); time.sleep(60)",
            ExecutionStatus.CHECKS_FAILED,
            (
                "check failed: the results of the check blocks could not be read",
                "interrupted before a follow-up plan was made",
            ),
        ),
        (
            "print('x'); sys.exit(0)",
            ExecutionStatus.CHECKS_FAILED,
            ("check failed: the results of the check blocks could not be read",),
        ),
        (
            "pathlib.Path(sys.argv[0]).chmod(0o600)",
            ExecutionStatus.NOT_CONVERGED,
            ("no follow-up plan could be made: Permission denied",),
        ),
    ],
)
def test_what_goes_wrong_afterwards_is_a_problem(
    tmp_path: Path, script: str, status: ExecutionStatus, problems: tuple[str, ...]
) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE + CHECKED)
    plan = real.plan()
    state = "command == 'show' and not arguments[-1].startswith('/proc')"
    stand_in = a_stand_in(tmp_path, real.tool, f"if {state}: {script}")

    with hearing_signals():
        report = apply(replace(real, tool=stand_in), plan)

    assert (report.status, report.problems) == (status, problems)
    assert report.interrupted == ("interrupted" in problems[-1])


def test_a_check_that_a_new_plan_cannot_ask_is_a_failed_check(project: Project) -> None:
    plan = project.write(CHECKED + 'resource "terraform_data" "one" { input = timestamp() }\n').plan()

    report = apply(project, plan)

    assert (report.status, report.problems) == (
        ExecutionStatus.CHECKS_FAILED,
        ("check failed: check.seen: could not be evaluated", "still to do: terraform_data.one (update)"),
    )


def test_many_differences_are_counted_after_the_first_twenty(project: Project) -> None:
    text = 'resource "terraform_data" "x" {\n  count = 23\n  input = timestamp()\n}\n'
    plan = project.write(text).plan()

    report = apply(project, plan)

    assert (len(report.problems), report.problems[-1]) == (21, "still to do: 3 more")


def test_targets_that_cannot_be_read_are_what_was_in_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform, "how_it_was_made", lambda _plan, **_: None)
    project = a_project(the_tool("terraform"), tmp_path, MANY)
    plan = project.plan("-target=terraform_data.kept")

    report = apply(project, plan)

    assert (report.status, report.problems) == (ExecutionStatus.SUCCEEDED, ())


def test_a_configuration_that_cannot_be_compared_is_not_run_to_confirm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object, **__: object) -> tuple[str, ...]:
        raise ValueError

    monkeypatch.setattr(terraform, "changed_files", unreadable)
    project = a_project(the_tool(NAMES[0]), tmp_path, ONE)

    report = apply(project, project.plan())

    assert (report.status, report.followup) == (ExecutionStatus.NOT_CONVERGED, None)
    assert report.problems[0].endswith("its copy in the plan cannot be read")


def test_apply_gets_credentials_but_nothing_that_changes_what_terraform_does(tmp_path: Path) -> None:
    """With a double of terraform that notes its environment and its arguments."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    plan = real.plan()
    stand_in = a_stand_in(
        tmp_path,
        real.tool,
        "(here / f'{command}.json').write_text(json.dumps([arguments, dict(os.environ)]))",
    )
    hostile = {
        "AWS_SECRET_ACCESS_KEY": "key",
        "TF_VAR_ephemeral": "value",
        "TF_CLI_ARGS": "-destroy",
        "TF_CLI_ARGS_apply": "-destroy",
        "TF_LOG": "trace",
        "TF_LOG_PATH": "trace.log",
        "TF_REATTACH_PROVIDERS": "{}",
        "PLANGATE_STATE_DIR": "x",
    }
    executor = replace(real, tool=stand_in).executor()
    executor._environ = {**executor._environ, **hostile}

    executor.apply(an_approval(plan), plan, observe=Told(), scrub=scrub)

    arguments, acting = msgspec.json.decode((tmp_path / "apply.json").read_bytes())
    assert arguments[:-1] == [f"-chdir={real.folder}", "apply", "-json", "-input=false", "-lock-timeout=0s"]
    assert {name: acting.get(name) for name in hostile} == dict.fromkeys(hostile) | {
        "AWS_SECRET_ACCESS_KEY": "key",
        "TF_VAR_ephemeral": "value",
    }
    _, reading = msgspec.json.decode((tmp_path / "show.json").read_bytes())
    assert {name for name in hostile if name in reading} == set()


def _lock_digest(plan: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(plan)) as archive:
        return hashlib.sha256(archive.read(".terraform.lock.hcl")).hexdigest()


def _with_member(plan: bytes, name: str, text: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plan)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, text if member.filename == name else old.read(member))
    return out.getvalue()


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # Killed but not yet collected by init counts as gone too.
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
