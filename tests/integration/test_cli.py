"""The command line from end to end: real processes, real plans, exit codes, and what lies in the folder afterwards."""

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from plangate.cli.app import COMMANDS
from plangate.settings import parse_settings
from tests.command_line import ALLOWED, DENIED, Ran, environment, run, shell
from tests.tools import ROOT

SCHEMAS = ROOT / "src" / "plangate" / "schemas"
PASSWORD = "hunter2hunter2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "allowed.json").write_bytes(ALLOWED.read_bytes())
    (tmp_path / "denied.json").write_bytes(DENIED.read_bytes())
    return tmp_path


def settings(folder: Path, text: str) -> None:
    (folder / "plangate.yaml").write_text(f"version: 1\n{text}\n")


def records(folder: Path, record_type: str) -> list[dict[str, Any]]:
    listed = run("audit", "list", "--type", record_type, "--format", "json", cwd=folder)
    found: list[dict[str, Any]] = json.loads(listed.out)
    return found


# --- check --------------------------------------------------------------------------------------------------


def test_an_allowed_plan_gets_0_and_a_receipt(folder: Path) -> None:
    ran = run("check", "allowed.json", cwd=folder)
    assert (ran.code, ran.out.split()[:2]) == (0, ["ALLOWED", "allowed.json"])
    assert ran.last.startswith("allowed: ")
    receipt = json.loads((folder / "allowed.json.receipt.json").read_text())
    assert receipt["payloadType"] == "application/vnd.in-toto+json"
    assert ran.err.splitlines()[-1] == "receipt: allowed.json.receipt.json"


def test_a_denied_plan_gets_1_its_reasons_and_no_receipt(folder: Path) -> None:
    ran = run("check", "denied.json", cwd=folder)
    assert (ran.code, ran.out.split()[:2]) == (1, ["DENIED", "denied.json"])
    failed = re.findall(r"^  ✗ ([a-z-]+[a-z0-9-]*) ", ran.out, flags=re.MULTILINE)
    assert {
        "bucket-no-public-access",
        "ingress-no-open-admin-ports",
        "instance-no-public-ip",
        "volume-encrypted",
        "bucket-versioned",
    } <= set(failed)
    assert ran.last.startswith("denied: ")
    assert ran.last.endswith("; nothing was executed")
    assert not (folder / "denied.json.receipt.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "missing.json"], 2),
        (["apply", "."], 2),
        (["check"], 2),
        (["check", "allowed.json", "--format", "sarif"], 2),
        (["check", "allowed.json", "--profile", "lenient"], 2),
        (["check", "allowed.json", "--config", "missing.yaml"], 2),
        (["check", "allowed.json", "--shrug"], 2),
        (["shrug"], 2),
        ([], 2),
        (["check", "allowed.json", "--policy", "missing"], 3),
        (["apply", "allowed.json"], 2),
        (["apply", "missing"], 2),
        (["rules", "show", "no-such-rule"], 2),
        (["explain", "no-such-rule"], 2),
        (["schema", "shrug"], 2),
        (["audit", "list", "--state-dir", "nowhere"], 2),
        (["audit", "verify", "--state-dir", "nowhere"], 2),
    ],
)
def test_what_makes_no_sense_is_one_sentence_on_standard_error_and_never_an_allow(
    folder: Path, arguments: list[str], code: int
) -> None:
    ran = run(*arguments, cwd=folder)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (code, "", False)
    said = [line for line in ran.err.splitlines() if line.startswith(("plangate: ", "Usage: "))]
    assert len(said) == 1, ran.err


def test_a_damaged_plan_gets_3_and_is_recorded_as_no_decision(folder: Path) -> None:
    (folder / "damaged.json").write_bytes(ALLOWED.read_bytes()[:-10])
    ran = run("check", "damaged.json", cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[-1] == "could not decide; nothing was executed"
    assert [r["body"]["result"] for r in records(folder, "decision")] == ["error"]


def test_a_plan_comes_from_standard_input_too(folder: Path) -> None:
    ran = run("check", "-", cwd=folder, stdin=DENIED.read_bytes())
    assert (ran.code, ran.out.split()[:3]) == (1, ["DENIED", "standard", "input"])


def test_a_closed_standard_input_is_an_empty_plan_and_no_allow(folder: Path) -> None:
    assert shell("plangate check - <&-", cwd=folder).code == 3


def test_the_json_output_fits_its_schema_whatever_the_result(folder: Path) -> None:
    schema = json.loads((SCHEMAS / "decision.v1.json").read_text())
    (folder / "damaged.json").write_text("{")
    results = {}
    for name in ("allowed.json", "denied.json", "damaged.json"):
        ran = run("check", name, "--format", "json", cwd=folder)
        decision = json.loads(ran.out)
        jsonschema.Draft202012Validator(schema).validate(decision)
        results[name] = (ran.code, decision["result"])
    assert results == {"allowed.json": (0, "allow"), "denied.json": (1, "deny"), "damaged.json": (3, "error")}


def test_the_report_goes_to_a_file_when_asked(folder: Path) -> None:
    printed = run("check", "denied.json", cwd=folder).out
    ran = run("check", "denied.json", "--output", "report.txt", cwd=folder)
    assert (ran.code, ran.out, (folder / "report.txt").read_text()) == (1, "", printed)


def test_an_allow_whose_report_cannot_be_written_is_no_allow(folder: Path) -> None:
    ran = run("check", "allowed.json", "--output", "missing/report.txt", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert not (folder / "allowed.json.receipt.json").exists()


# --- Receipts -----------------------------------------------------------------------------------------------


def test_a_receipt_of_an_earlier_look_does_not_survive_a_denial(folder: Path) -> None:
    assert run("check", "allowed.json", cwd=folder).code == 0
    assert run("check", "allowed.json", "--profile", "strict", cwd=folder).code == 1
    assert not (folder / "allowed.json.receipt.json").exists()


def test_a_receipt_of_an_earlier_look_does_not_survive_settings_that_make_no_sense(folder: Path) -> None:
    assert run("check", "allowed.json", cwd=folder).code == 0
    settings(folder, "profil: strict")
    assert run("check", "allowed.json", cwd=folder).code == 2
    assert not (folder / "allowed.json.receipt.json").exists()


def test_the_receipt_goes_where_it_is_asked_for(folder: Path) -> None:
    assert run("check", "allowed.json", "--receipt", "proof.json", cwd=folder).code == 0
    assert (folder / "proof.json").is_file()
    assert not (folder / "allowed.json.receipt.json").exists()


def test_no_receipt_is_written_when_none_is_wanted(folder: Path) -> None:
    assert run("check", "allowed.json", "--no-receipt", cwd=folder).code == 0
    assert {path.name for path in folder.iterdir()} == {"allowed.json", "denied.json", ".plangate"}


@pytest.mark.parametrize("name", ["allowed.json", "denied.json", "policies"])
def test_a_receipt_never_replaces_something_else(folder: Path, name: str) -> None:
    (folder / "policies").mkdir()
    before = (folder / "denied.json").read_bytes()
    ran = run("check", "allowed.json", "--receipt", name, cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert (folder / "denied.json").read_bytes() == before
    assert (folder / "allowed.json").read_bytes() == ALLOWED.read_bytes()


def test_an_allow_whose_receipt_cannot_be_written_is_no_allow(folder: Path) -> None:
    ran = run("check", "allowed.json", "--receipt", "missing/receipt.json", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert "--no-receipt goes without" in ran.err


# --- Standard streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [">&-", ">/dev/full", "| head -c 0"])
def test_an_allow_that_could_not_be_told_is_no_allow(folder: Path, output: str) -> None:
    # The reader of the pipe is gone before anything is written.
    command = f"set -o pipefail; (sleep 0.2; plangate check allowed.json) {output}; exit $?"
    ran = shell(command, cwd=folder)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (3, "", False)
    assert not (folder / "allowed.json.receipt.json").exists()


@pytest.mark.parametrize("command", ["--help", "check --help", "rules list", "--version", "schema plan"])
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_what_could_not_be_told_is_never_taken_for_a_denial(folder: Path, command: str, output: str) -> None:
    ran = shell(f"plangate {command} {output}", cwd=folder)
    assert (ran.code, "Traceback" in ran.err, "bug in plangate" in ran.err) == (3, False, False)


def test_a_command_without_an_exit_code_is_no_allow(folder: Path) -> None:
    # A stand-in for a command that forgets to return one.
    script = (
        "import sys\n"
        "from plangate.cli import init\n"
        "from plangate.cli.main import main\n"
        "def forgets() -> None: ...\n"
        "init.init = forgets\n"
        "sys.exit(main(['init']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 3


def test_a_denial_without_standard_error_is_still_a_denial(folder: Path) -> None:
    ran = shell("plangate check denied.json 2>&-", cwd=folder)
    assert (ran.code, ran.err) == (1, "")
    assert ran.last.startswith("denied: ")


def test_with_every_stream_closed_the_log_stays_whole(folder: Path) -> None:
    assert shell("plangate check allowed.json <&- >&- 2>&-", cwd=folder).code == 3
    assert run("audit", "verify", cwd=folder).code == 0


def test_pipes_get_neither_colour_nor_progress(folder: Path) -> None:
    ran = run("check", "denied.json", cwd=folder)
    assert "\x1b" not in ran.out + ran.err


def on_a_terminal(*arguments: str, cwd: Path, **env: str) -> tuple[int, str]:
    """Exit code and all output of a command whose streams are a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "plangate.cli.main", *arguments],
        cwd=cwd,
        env=environment(**{"TERM": "xterm"} | env),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        close_fds=True,
    )
    os.close(follower)
    read = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([leader], [], [], 0.1)
        try:
            chunk = os.read(leader, 65536) if ready else b""
        except OSError:  # Linux says so when the last follower is closed
            break
        if not chunk and process.poll() is not None:
            break
        read += chunk
    os.close(leader)
    return process.wait(timeout=60), read.decode()


def test_a_terminal_gets_colour(folder: Path) -> None:
    code, output = on_a_terminal("check", "denied.json", cwd=folder)
    assert (code, "\x1b[1;31mDENIED\x1b[0m" in output) == (1, True)


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_gets_no_colour_when_asked_not_to(folder: Path, variable: dict[str, str]) -> None:
    code, output = on_a_terminal("check", "denied.json", cwd=folder, **variable)
    assert (code, "\x1b" in output) == (1, False)


# --- Settings -----------------------------------------------------------------------------------------------


def test_a_flag_may_make_the_gate_stricter(folder: Path) -> None:
    assert run("check", "allowed.json", cwd=folder).code == 0
    assert run("check", "allowed.json", "--profile", "strict", cwd=folder).code == 1


def test_a_flag_does_not_weaken_strict_settings(folder: Path) -> None:
    settings(folder, "profile: strict")
    ran = run("check", "allowed.json", "--profile", "standard", cwd=folder)
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(
    "text",
    [
        "profil: strict",
        "rules: {no-such-rule: {enforcement: advisory}}",
        "rules: {volume-encrypted: {enforcment: advisory}}",
        "rules: {required-tags: {settings: {tag: [owner]}}}",
        "unsafe_disabled_rules: [no-such-rule]",
        "waivers: [{rule: volume-encrypted, address: aws_ebs_volume.data, owner: o, reason: r, expires: 2027-01-31}]",
        "limits: {max_depth: 0}",
        "version: 2",
    ],
)
def test_settings_with_a_mistake_are_refused(folder: Path, text: str) -> None:
    settings(folder, text)
    ran = run("check", "allowed.json", cwd=folder)
    assert (ran.code, ran.out, "plangate.yaml" in ran.err) == (2, "", True)


def test_a_required_rule_that_is_not_there_makes_a_decision_impossible(folder: Path) -> None:
    settings(folder, "required_rules: [our-own-rule]")
    ran = run("check", "allowed.json", cwd=folder)
    assert (ran.code, ran.out.split()[:3]) == (3, ["COULD", "NOT", "DECIDE"])
    assert "required rule our-own-rule is not loaded" in ran.out


def test_what_weakens_the_gate_stands_in_every_decision(folder: Path) -> None:
    settings(
        folder,
        "unsafe_disabled_rules: [volume-encrypted]\nrules: {bucket-versioned: {enforcement: advisory}}",
    )
    decision = json.loads(run("check", "denied.json", "--format", "json", cwd=folder).out)
    assert decision["rules"]["disabled"] == ["volume-encrypted"]
    assert decision["rules"]["weakened"] == ["bucket-versioned"]


def test_init_writes_settings_that_are_the_defaults(folder: Path) -> None:
    assert run("init", cwd=folder).code == 0
    written = (folder / "plangate.yaml").read_bytes()
    defaults = parse_settings(b"version: 1", "defaults", folder).values
    assert parse_settings(written, "plangate.yaml", folder).values == defaults
    assert run("check", "allowed.json", cwd=folder).code == 0


def test_init_replaces_nothing_unless_forced(folder: Path) -> None:
    settings(folder, "profile: strict")
    before = (folder / "plangate.yaml").read_text()
    assert run("init", cwd=folder).code == 2
    assert (folder / "plangate.yaml").read_text() == before
    assert run("init", "--force", cwd=folder).code == 0
    assert (folder / "plangate.yaml").read_text() != before


# --- State --------------------------------------------------------------------------------------------------


def test_keys_are_made_once_for_their_owner_only_and_named(folder: Path) -> None:
    first = run("check", "denied.json", cwd=folder)
    second = run("check", "denied.json", cwd=folder)
    made = [line.removeprefix("made a new key: ") for line in first.err.splitlines()]
    assert [Path(line).name for line in made] == ["log.pem", "receipt.pem", "redaction.key"]
    assert {stat.S_IMODE(Path(line).stat().st_mode) for line in made} == {0o600}
    assert stat.S_IMODE((folder / ".plangate").stat().st_mode) == 0o700
    assert second.err == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_that_cannot_be_written_means_no_decision(folder: Path) -> None:
    state = folder / "state"
    state.mkdir(mode=0o500)
    ran = run("check", "allowed.json", "--state-dir", "state", cwd=folder)
    assert (ran.code, ran.out) == (3, "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_plan_in_a_folder_that_cannot_be_written_is_judged_without_a_receipt(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        state = ("--state-dir", str(folder.parent / "state"))
        assert run("check", "allowed.json", "--no-receipt", *state, cwd=folder).code == 0
        with_receipt = run("check", "allowed.json", *state, cwd=folder)
        assert (with_receipt.code, "--no-receipt goes without" in with_receipt.err) == (2, True)
    finally:
        folder.chmod(0o700)


def test_a_state_folder_that_cannot_be_made_means_no_decision(folder: Path) -> None:
    (folder / "file").write_text("")
    for place in ("file/state", "/proc/nowhere/state"):
        ran = run("check", "allowed.json", "--state-dir", place, cwd=folder)
        assert (ran.code, ran.out, "Traceback" in ran.err) == (3, "", False)
        assert not (folder / "allowed.json.receipt.json").exists()


def test_the_environment_variable_names_the_state_folder(folder: Path) -> None:
    env = environment(PLANGATE_STATE_DIR=str(folder / "elsewhere"))
    assert run("check", "allowed.json", cwd=folder, env=env).code == 0
    assert (folder / "elsewhere" / "log.pub").is_file()
    assert not (folder / ".plangate").exists()


def test_two_checks_at_once_both_get_into_the_log(folder: Path) -> None:
    run("check", "denied.json", cwd=folder)
    command = "for n in 1 2 3 4; do plangate check denied.json --no-receipt >/dev/null & done; wait"
    assert shell(command, cwd=folder).code == 0
    assert len(records(folder, "decision")) == 5
    assert run("audit", "verify", cwd=folder).code == 0


# --- Secrets ------------------------------------------------------------------------------------------------


def secret_plan() -> str:
    """A plan of our own with a password in every place that a plan has for one."""
    after = {"identifier": "db", "password": PASSWORD, "storage_encrypted": False, "engine": PASSWORD}
    change = {
        "actions": ["create"],
        "before": None,
        "after": after,
        "after_unknown": {},
        "before_sensitive": False,
        "after_sensitive": {"password": True},
    }
    resource = {
        "address": "aws_db_instance.db",
        "mode": "managed",
        "type": "aws_db_instance",
        "name": "db",
        "provider_name": "registry.terraform.io/hashicorp/aws",
    }
    planned = resource | {"schema_version": 2, "values": after, "sensitive_values": {"password": True}}
    return json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "variables": {"password": {"value": PASSWORD}},
            "planned_values": {
                "outputs": {"password": {"sensitive": True, "type": "string", "value": PASSWORD}},
                "root_module": {"resources": [planned]},
            },
            "resource_changes": [resource | {"change": change}],
            "output_changes": {
                "password": {
                    "actions": ["create"],
                    "before": None,
                    "after": PASSWORD,
                    "after_unknown": False,
                    "before_sensitive": True,
                    "after_sensitive": True,
                }
            },
            "configuration": {
                "root_module": {"variables": {"password": {"default": PASSWORD, "sensitive": True}}}
            },
            "complete": True,
            "applyable": True,
            "errored": False,
        }
    )


TELLTALE = """# METADATA
# title: Databases have other names
# description: A policy that says more than it should.
# custom:
#   id: telltale
#   severity: low
#   enforcement: mandatory
#   remediation: Say less.
package policies.team.telltale

import data.plangate.lib

deny contains lib.finding(resource, sprintf("all of it: %v", [resource.after])) if {
	some resource in input.resources
	resource.type == "aws_db_instance"
}
"""


def everything_written(folder: Path, *, but: set[str]) -> bytes:
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in but
    )


def test_a_secret_of_the_plan_is_told_and_stored_nowhere(folder: Path) -> None:
    (folder / "secret.json").write_text(secret_plan())
    (folder / "team").mkdir()
    (folder / "team" / "telltale.rego").write_text(TELLTALE)
    told = [
        run("check", "secret.json", "--policy", "team", cwd=folder),
        run("check", "secret.json", "--policy", "team", "--format", "json", cwd=folder),
        run("explain", "aws_db_instance.db", "--plan", "secret.json", "--policy", "team", cwd=folder),
        run("audit", "list", cwd=folder),
        run("audit", "list", "--format", "json", cwd=folder),
    ]
    assert [ran.code for ran in told] == [1, 1, 0, 0, 0], told
    assert "all of it: " in told[0].out
    assert [PASSWORD in ran.out + ran.err for ran in told] == [False] * 5
    assert PASSWORD.encode() not in everything_written(folder, but={"secret.json"})


@pytest.mark.parametrize(
    "name", ["20-aws-three-tier-create/plan.json", "20-aws-three-tier-create/plan-after-partial.json"]
)
def test_a_secret_of_a_real_plan_is_told_and_stored_nowhere(folder: Path, shared: Path, name: str) -> None:
    plan = shared / "terraform-runs" / name
    assert PASSWORD in plan.read_text()
    told = [
        run("check", plan, "--receipt", "receipt.json", cwd=folder),
        run("check", plan, "--format", "json", "--receipt", "receipt.json", cwd=folder),
        run("explain", "aws_db_instance.db", "--plan", plan, cwd=folder),
        run("audit", "list", "--format", "json", cwd=folder),
    ]
    assert [PASSWORD in ran.out + ran.err for ran in told] == [False] * 4
    assert PASSWORD.encode() not in everything_written(folder, but=set())


def test_an_internal_error_tells_no_values(folder: Path) -> None:
    # A stand-in for a bug: an adapter of the log that fails with a secret in its message.
    script = (
        "import sys\n"
        "from plangate.audit import sqlite\n"
        "from plangate.cli.main import main\n"
        f"def broken(*_, **__): raise RuntimeError('{PASSWORD}')\n"
        "sqlite.SqliteLog.append = broken\n"
        "sys.exit(main(['check', 'allowed.json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "could not decide: an internal error; nothing was allowed" in done.stderr
    assert ("Traceback" in done.stderr, PASSWORD in done.stderr) == (False, False)


# --- rules, explain, audit, schema --------------------------------------------------------------------------


def test_rules_list_names_every_rule_that_judges(folder: Path) -> None:
    ran = run("rules", "list", "--format", "json", cwd=folder)
    listed = [rule["id"] for rule in json.loads(ran.out)]
    decision = json.loads(run("check", "denied.json", "--format", "json", cwd=folder).out)
    assert (ran.code, len(listed), listed) == (0, decision["rules"]["loaded"], sorted(listed))
    shown = run("rules", "list", cwd=folder).out.splitlines()
    assert [line.split()[0] for line in shown[:-1]] == listed
    assert shown[-1] == f"{len(listed)} rules"


def test_rules_show_the_weight_that_the_settings_give_them(folder: Path) -> None:
    settings(folder, "rules: {volume-encrypted: {enforcement: advisory, severity: low}}")
    assert "low, advisory" in run("rules", "show", "volume-encrypted", cwd=folder).out


def test_explain_and_rules_show_agree_on_a_rule(folder: Path) -> None:
    explained = run("explain", "instance-no-public-ip", cwd=folder)
    assert (explained.code, explained.out) == (
        0,
        run("rules", "show", "instance-no-public-ip", cwd=folder).out,
    )
    assert explained.out.startswith("instance-no-public-ip: Machines get no public address\n")


def test_explain_says_what_the_gate_sees_and_what_each_rule_says(folder: Path) -> None:
    ran = run("explain", "aws_instance.web", "--plan", "denied.json", cwd=folder)
    assert ran.code == 0
    for line in (
        "  fact public_ip: true",
        "  /subnet_id reads aws_subnet.front",
        "  fail           instance-no-public-ip: it gets a public address",
        "  pass           instance-metadata-v2",
    ):
        assert f"\n{line}" in ran.out


def test_explain_records_no_decision(folder: Path) -> None:
    run("explain", "aws_instance.web", "--plan", "denied.json", cwd=folder)
    assert records(folder, "decision") == []


def test_explain_suggests_the_address_that_was_meant(folder: Path) -> None:
    ran = run("explain", "aws_instance.wob", "--plan", "denied.json", cwd=folder)
    assert (ran.code, "did you mean aws_instance.web?" in ran.err) == (2, True)


def test_the_log_lists_and_shows_what_was_decided(folder: Path) -> None:
    run("check", "allowed.json", cwd=folder)
    run("check", "denied.json", cwd=folder)
    lines = run("audit", "list", cwd=folder).out.splitlines()
    assert [line.split()[2:5] for line in lines[:-1]] == [
        ["key.rotated", "log"],
        ["key.rotated", "receipt"],
        ["decision", "allow", "allowed.json"],
        ["decision", "deny", "denied.json"],
    ]
    assert lines[-1] == "4 records"
    assert run("audit", "list", "--last", "1", cwd=folder).out.splitlines()[1:] == ["the last 1 of 4 records"]
    shown = json.loads(run("audit", "show", "3", cwd=folder).out)
    schema = json.loads((SCHEMAS / "record.v1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate({k: v for k, v in shown.items() if k != "index"})
    decision_id = shown["body"]["decision_id"]
    assert json.loads(run("audit", "show", decision_id, cwd=folder).out) == shown


def test_a_changed_record_is_found_and_named(folder: Path) -> None:
    run("check", "denied.json", cwd=folder)
    assert run("audit", "verify", cwd=folder).last.startswith("verified: 3 records ")
    log = folder / ".plangate" / "log.sqlite3"
    data = log.read_bytes()
    assert data.count(b'"result":"deny"') == 1
    log.write_bytes(data.replace(b'"result":"deny"', b'"result":"deni"'))
    ran = run("audit", "verify", cwd=folder)
    assert (ran.code, ran.last.startswith("NOT VERIFIED: ")) == (3, True)
    assert re.search(r"^  ✗ record 2: ", ran.out, flags=re.MULTILINE)


def test_verifying_writes_nothing(folder: Path) -> None:
    run("check", "denied.json", cwd=folder)
    before = {path: path.read_bytes() for path in (folder / ".plangate").iterdir()}
    assert run("audit", "verify", cwd=folder).code == 0
    assert {path: path.read_bytes() for path in (folder / ".plangate").iterdir()} == before


def test_the_schemas_are_printed_as_they_are(folder: Path) -> None:
    for path in SCHEMAS.glob("*.v1.json"):
        ran = run("schema", path.name.removesuffix(".v1.json"), cwd=folder)
        assert (ran.code, ran.out) == (0, path.read_text())


def test_the_version_is_one_line(folder: Path) -> None:
    ran = run("--version", cwd=folder)
    assert (ran.code, re.fullmatch(r"plangate \d+\.\d+\.\d+\S*\n", ran.out) is not None) == (0, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(folder: Path, command: str) -> None:
    ran: Ran = run(command, "--help", cwd=folder)
    assert (ran.code, ran.out.startswith(f"Usage: plangate {command}"), ran.err) == (0, True, "")


def test_check_imports_neither_cloud_sdk_nor_schema_validator(folder: Path) -> None:
    script = (
        "import sys\n"
        "from plangate.cli.main import main\n"
        "main(['check', 'denied.json', '--output', 'report'])\n"
        "print(sorted({'boto3', 'asyncio', 'jsonschema', 'rich', 'securesystemslib'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chekc",), "plangate: No such command 'chekc'. Did you mean 'check'?\n"),
        (("audit", "vrify"), "plangate: No such command 'vrify'. Did you mean 'verify'?\n"),
    ],
)
def test_a_misspelt_command_is_answered_with_one_suggestion(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = run(*arguments, cwd=folder)
    assert (answer.code, answer.err.splitlines(keepends=True)[0]) == (2, said)
