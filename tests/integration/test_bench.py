"""The benchmark: its plans are what they claim, and its figures cannot flatter."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import estate, generate, policies, write_docs
from bench.measure import run
from bench.table import table
from plangate.parsers.base import Input, Limits
from plangate.parsers.terraform_plan import parse
from tests.tools import ROOT


def plan_bytes(resources: int, folder: Path) -> bytes:
    generate.write(resources, folder / "plan.json")
    return (folder / "plan.json").read_bytes()


@pytest.mark.parametrize("resources", [1, 7, 10, 11, 40, 41, 400])
def test_a_generated_plan_has_exactly_the_resources_asked_for(tmp_path: Path, resources: int) -> None:
    data = plan_bytes(resources, tmp_path)
    document = Input(name="plan.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = parse(document, Limits())
    addresses = {resource.address for resource in plan.resources}
    assert (len(plan.resources), len(addresses), plan.opaque, plan.complete) == (
        resources,
        resources,
        (),
        True,
    )


def test_the_same_size_gives_the_same_bytes(tmp_path: Path) -> None:
    assert plan_bytes(100, tmp_path) == plan_bytes(100, tmp_path)


def test_a_generated_plan_holds_every_action_and_every_type_of_the_mix() -> None:
    changes = generate.plan(1300)["resource_changes"]
    actions = {tuple(change["change"]["actions"]) for change in changes}
    assert actions == {("create",), ("no-op",), ("update",), ("delete",), ("delete", "create")}
    assert {change["type"] for change in changes} == {
        template.type for template in estate.HUB + estate.SERVICE
    }


def test_every_reference_of_a_generated_plan_leads_to_a_resource_of_it(tmp_path: Path) -> None:
    data = plan_bytes(400, tmp_path)
    document = Input(name="plan.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = parse(document, Limits())
    known = {resource.address for resource in plan.resources} | {
        resource.address.rpartition("[")[0] for resource in plan.resources
    }
    followed = [reference for resource in plan.resources for reference in resource.references]
    assert [reference for reference in followed if reference.address not in known] == []
    assert followed


def test_no_sensitive_value_stands_in_a_generated_plan_unmarked() -> None:
    for change in generate.plan(100)["resource_changes"]:
        marked = change["change"]["after_sensitive"] or {}
        secret = {"aws_db_instance": {"password": True}, "aws_instance": {"user_data": True}}
        found = (
            {name: mark for name, mark in marked.items() if mark is True} if isinstance(marked, dict) else {}
        )
        expected = secret.get(change["type"], {}) if change["change"]["after"] is not None else {}
        assert found == expected


def test_both_spellings_of_the_policies_have_the_same_conditions(tmp_path: Path) -> None:
    for spelling in ("plangate", "conftest"):
        policies.write(tmp_path / spelling, spelling, 20)
    for policy in policies.POLICIES:
        bodies = [
            (tmp_path / spelling / f"{policy.name}.rego").read_text().partition(" if {\n\tsome resource")[2]
            for spelling in ("plangate", "conftest")
        ]
        assert bodies[0] == bodies[1] != ""
    assert len(policies.POLICIES) == 20


def test_memory_counts_what_a_command_starts(tmp_path: Path) -> None:
    script = "import os, time; x = bytearray(os.urandom(1) * 60_000_000); time.sleep(0.4)"
    again = f"p = subprocess.Popen([sys.executable, '-c', {script!r}])"
    both = f"import subprocess, sys; {again}; {script}; p.wait()"
    done = run(
        [sys.executable, "-c", both],
        cwd=tmp_path,
        env=os.environ,
        timeout_s=120,
        memory=True,
        output=tmp_path / "o",
    )
    assert (done.exit_code, done.peak_bytes > 120_000_000) == (0, True)


def measured(folder: Path, script: str) -> int:
    """Peak of a script that stands still for a moment."""
    done = run(
        [sys.executable, "-c", f"{script}; import time; time.sleep(0.3)"],
        cwd=folder, env=os.environ, timeout_s=120, memory=True, output=folder / "o",
    )  # fmt: skip
    assert done.exit_code == 0
    return done.peak_bytes


def test_memory_of_whoever_measures_is_not_counted(tmp_path: Path) -> None:
    ballast = b"x" * 150_000_000
    assert 2_000_000 < measured(tmp_path, "pass") < 60_000_000 < len(ballast)


def test_memory_of_a_process_in_a_session_of_its_own_is_counted(tmp_path: Path) -> None:
    program = "x = b'x' * 100_000_000; import time; time.sleep(0.3)"
    script = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {program!r}], start_new_session=True)"
    assert measured(tmp_path, script) > 100_000_000


def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"(sleep 1; echo late >{tmp_path}/late) & sleep 300"
    done = run(
        ["sh", "-c", script], cwd=tmp_path, env=os.environ, timeout_s=0.2, memory=False, output=tmp_path / "o"
    )
    assert (done.exit_code, 0.2 <= done.seconds < 60) == (None, True)
    run(["sleep", "1.2"], cwd=tmp_path, env=os.environ, timeout_s=5, memory=False, output=tmp_path / "o")
    assert not (tmp_path / "late").exists()


def row(tool: str, seconds: list[float], peak: int, exit_code: int | None = 0) -> dict[str, Any]:
    median = sorted(seconds)[len(seconds) // 2] if seconds else None
    return {
        "row": "10 resources",
        "tool": tool,
        "seconds": seconds,
        "median_s": median,
        "peak_bytes": peak,
        "exit_code": exit_code,
    }


def test_the_table_shows_a_time_out_as_one_and_its_ratio_as_a_lower_bound() -> None:
    rows = [
        row("plangate", [0.2, 0.25, 0.5], 50_000_000),
        row("checkov", [], 200_000_000, None),
        row("opa", [], 1, 3),
    ]
    document = {
        "machine": {"cpu": "a CPU, 2 cores", "python": "3.11.7"},
        "load": 0.25,
        "timeout_s": 300.0,
        "rows": rows,
    }
    assert table(document).splitlines()[2:] == [
        "| 10 resources | plangate | 250 ms (200 ms to 500 ms) | 3 | 50 MB | 1 | 1 |",
        "|  | checkov | not done after 300 s | 0 | over 200 MB | over 1200.0 | over 4.0 |",
        "|  | opa | failed (exit 3) | 0 |  |  |  |",
        "",
        "Measured on a CPU, 2 cores, load average before the run 0.2; python 3.11.7.",
    ]


def test_docs_get_the_table_between_the_markers_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, results = tmp_path / "performance.md", tmp_path / "results.json"
    page.write_text(f"before\n{write_docs.BEGIN}\nold\n{write_docs.END}\nafter\n")
    rows = [row("plangate", [0.2], 50_000_000)]
    results.write_text(json.dumps({"machine": {"cpu": "a CPU"}, "timeout_s": 9.0, "rows": rows}))
    monkeypatch.setattr(write_docs, "PAGE", page)
    monkeypatch.setattr(write_docs, "RESULTS", results)
    assert write_docs.main() == 0
    head, _, rest = page.read_text().partition(write_docs.BEGIN)
    middle, _, tail = rest.partition(write_docs.END)
    assert (head, "old" in middle, "| plangate | 200 ms" in middle, tail) == (
        "before\n",
        False,
        True,
        "\nafter\n",
    )


def test_the_performance_page_has_a_place_for_the_table() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    assert (text.count(write_docs.BEGIN), text.count(write_docs.END)) == (1, 1)


def test_any_number_of_policies_can_be_had_under_names_of_their_own() -> None:
    for number in (1, 20, 21, 200):
        found = policies.numbered(number)
        assert (len(found), len({policy.name for policy in found})) == (number, number)
    assert policies.numbered(20) == policies.POLICIES


def test_the_section_on_aws_stands_below_the_table() -> None:
    results: dict[str, Any] = {"machine": {"cpu": "any"}, "timeout_s": 1.0, "rows": []}
    shown = table({**results, "aws": ["500 resources, 10 workers: 9 s"]})
    assert (
        "\n\nThe executor for AWS, against a double of AWS on the same machine:\n\n- 500 resources" in shown
    )
    assert "executor for AWS" not in table({**results, "aws": []})
