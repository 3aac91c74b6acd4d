"""Folders that the real terraform or tofu initialized and planned in; built-in provider, off line."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from plangate.decision.approved import ApprovedPlan, approve_receipt
from plangate.executor.base import ExecutionEvent, ExecutionReport
from plangate.executor.terraform import TerraformExecutor
from plangate.terraform_cli import Tool, find_terraform
from tests.tools import ROOT, require_tool, skip_or_fail

NAMES: Final = ("terraform", "tofu")
SECRET: Final = "hunter2hunter2"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what could reach out, with the tools that `make tools` built."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "PLANGATE_"))}
    path = os.pathsep.join((kept.get("PATH", os.defpath), str(ROOT / ".tools" / "bin")))
    offline = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    return kept | offline | {"PATH": path} | more


def the_tool(name: str) -> Tool:
    """The program of that name; skips with a reason, or fails when one is required and neither is there."""
    require_tool("terraform")
    found = find_terraform(environ=environment(), prefer=name)
    if found is None or found.name != name:
        skip_or_fail(name if name == "tofu" else "", f"no {name} on PATH")
    return found


class Project(Struct, frozen=True, kw_only=True):
    """A folder and the program that it belongs to."""

    folder: Path
    tool: Tool

    def write(self, text: str, name: str = "main.tf") -> "Project":
        (self.folder / name).write_text(text, encoding="utf-8")
        return self

    def run(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            [str(self.tool.path), *arguments],
            cwd=self.folder,
            env=environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plan(self, *arguments: str, name: str = "tfplan") -> bytes:
        self.run("init", "-input=false")
        self.run("plan", "-input=false", f"-out={name}", *arguments)
        return (self.folder / name).read_bytes()

    def executor(self, **settings: float) -> TerraformExecutor:
        defaults = {"apply_timeout_s": 120.0, "plan_timeout_s": 120.0, "stop_grace_s": 30.0}
        defaults |= {"show_timeout_s": 60.0} | settings
        return TerraformExecutor(
            tool=self.tool,
            working_dir=self.folder,
            environ=environment(),
            apply_timeout_s=defaults["apply_timeout_s"],
            plan_timeout_s=defaults["plan_timeout_s"],
            stop_grace_s=defaults["stop_grace_s"],
            show_timeout_s=defaults["show_timeout_s"],
        )

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


def a_project(tool: Tool, folder: Path, text: str) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    return Project(folder=folder, tool=tool).write(text)


def an_approval(plan: bytes) -> ApprovedPlan:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return approve_receipt(
        decision_id="0190a0a0-0000-7000-8000-000000000000",
        plan_sha256=hashlib.sha256(plan).hexdigest(),
        environment="test",
        expires=now + timedelta(hours=1),
        nonce="nonce",
        obligations=(),
        now=now,
    )


def scrub(text: str) -> str:
    return text.replace(SECRET, "(redacted)")


@contextmanager
def hearing_signals() -> Iterator[None]:
    """Signals are heard inside, also where this run was started in the background, which ignores SIGINT."""
    before = {
        n: signal.signal(n, signal.default_int_handler)
        for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Told:
    """An observer that keeps what it was told, and may fail at one type of event."""

    def __init__(self, fail_at: str = "", then: Callable[[], None] | None = None) -> None:
        self.events: list[ExecutionEvent] = []
        self._fail_at = fail_at
        self._then = then

    def __call__(self, event: ExecutionEvent) -> None:
        self.events.append(event)
        if event.type == self._fail_at:
            if self._then is None:
                raise OSError("the log is full")
            self._then()


def apply(project: Project, plan: bytes, told: Told | None = None, **settings: float) -> ExecutionReport:
    executor = project.executor(**settings)
    return executor.apply(an_approval(plan), plan, observe=told or Told(), scrub=scrub)


def a_stand_in(folder: Path, tool: Tool, script: str) -> Tool:
    """A double of terraform, for what the real program cannot be made to do.

    Args:
        folder: Where it is made; ``here`` in the script.
        tool: The real one; ``real(*arguments)`` in the script.
        script: Python that knows ``arguments`` and ``command`` (as in ``apply``). The real one runs at its end.
    """
    path = folder / "terraform"
    path.write_text(
        f"""#!{sys.executable} -S
import json, os, pathlib, signal, subprocess, sys, time
arguments = sys.argv[1:]
command = next((a for a in arguments if not a.startswith("-")), "")
here = pathlib.Path({str(folder)!r})
def real(*more):
    fds = [int(a.rpartition("/")[2]) for a in more if a.startswith("/proc/self/fd/")]
    return subprocess.run([{str(tool.path)!r}, *more], pass_fds=fds).returncode
def say(**fields):
    print(json.dumps(fields), flush=True)
if command == "version":
    print("Terraform v{tool.version}")
    sys.exit(0)
{script}
sys.exit(real(*arguments))
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return Tool(path=path, name="terraform", version=tool.version)
