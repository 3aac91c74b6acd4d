"""An OPA that somebody runs, as people run them: behind TLS and tokens, late, slow, killed, with big plans."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from plangate.errors import EngineError
from plangate.policy.base import PolicySet
from plangate.policy.opa.engine import OpaEngine, OpaLimits, PrivateServer, RunningServer
from tests.command_line import ALLOWED, DENIED, run
from tests.contract.test_engines_contract import BAD, ENDLESS, policies_of
from tests.contract.test_engines_contract import DENIED as DENIED_ANSWER
from tests.opa_server import Authority, free_port, running_opa
from tests.tools import require_tool
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, write

pytest.importorskip("opa_client")
pytestmark = pytest.mark.opa

TOKEN = "a-token-of-ours"
AUTHORIZATION = f"""package system.authz
default allow := false
allow if input.identity == "{TOKEN}"
"""
EATS = """
deny contains lib.plan_finding("many") if {
	found := [[a, b] | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000)]
	count(found) == 1
}
"""
EXACT = """
deny contains lib.finding(r, "it is just that") if {
	some r in lib.of_kind("compute.instance")
	r.after.size == 12345678901234567890123
}
"""


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    return policies_of(tmp_path / "p", no_bad=a_policy())


# --- TLS and tokens -----------------------------------------------------------------------------------------------


@contextmanager
def mutual_tls(folder: Path) -> Iterator[tuple[str, Authority]]:
    """An OPA that demands certificates of ours, and who signs them."""
    ours = Authority(folder, "ours")
    certificate, key = ours.signed("server")
    options = [f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", "--authentication=tls"]
    with running_opa(*options, f"--tls-ca-cert-file={ours.file}", tls=True) as (url, _):
        yield url, ours


def test_an_opa_that_demands_a_certificate_gets_ours(policies: PolicySet, tmp_path: Path) -> None:
    with mutual_tls(tmp_path) as (url, ours):
        where = RunningServer(url=url, ca_file=ours.file, client_cert=ours.signed("me"))
        with OpaEngine(where) as engine:
            assert engine.evaluate(policies, BAD, 30) == DENIED_ANSWER


def test_without_a_certificate_that_is_demanded_there_is_no_decision(
    policies: PolicySet, tmp_path: Path
) -> None:
    with mutual_tls(tmp_path) as (url, ours):
        strangers = Authority(tmp_path, "strangers")
        for certificate in (None, strangers.signed("stranger")):
            where = RunningServer(url=url, ca_file=ours.file, client_cert=certificate)
            with (
                OpaEngine(where) as engine,
                pytest.raises(EngineError, match=r"certificate|connection broke"),
            ):
                engine.evaluate(policies, BAD, 10)


@pytest.mark.parametrize("known", ["strangers", "nobody"])
def test_an_opa_whose_certificate_nobody_vouches_for_is_not_asked(
    known: str, policies: PolicySet, tmp_path: Path
) -> None:
    with mutual_tls(tmp_path) as (url, ours):
        file = Authority(tmp_path, "strangers").file if known == "strangers" else None
        where = RunningServer(url=url, ca_file=file, client_cert=ours.signed("me"))
        with OpaEngine(where) as engine, pytest.raises(EngineError, match="no trust in its certificate"):
            engine.evaluate(policies, BAD, 10)


def test_a_token_opens_and_another_does_not(policies: PolicySet, tmp_path: Path) -> None:
    (tmp_path / "authz.rego").write_text(AUTHORIZATION)
    options = ("--authentication=token", "--authorization=basic", str(tmp_path / "authz.rego"))
    with running_opa(*options) as (url, _):
        with OpaEngine(RunningServer(url=url, token=TOKEN)) as engine:
            assert engine.evaluate(policies, BAD, 30) == DENIED_ANSWER
        for token in ("", "another"):
            with (
                OpaEngine(RunningServer(url=url, token=token)) as engine,
                pytest.raises(EngineError, match="refuses us"),
            ):
                engine.evaluate(policies, BAD, 10)


# --- Late, slow, gone ---------------------------------------------------------------------------------------------


def test_an_opa_that_starts_late_is_waited_for(policies: PolicySet) -> None:
    port = free_port()
    started, done = threading.Event(), threading.Event()

    def start() -> None:
        time.sleep(1)
        with running_opa(port=port):
            started.set()
            done.wait(60)

    thread = threading.Thread(target=start)
    thread.start()
    try:
        with OpaEngine(RunningServer(url=f"http://127.0.0.1:{port}")) as engine:
            assert engine.evaluate(policies, BAD, 30) == DENIED_ANSWER
            assert started.is_set()
    finally:
        done.set()
        thread.join()


def test_nobody_is_waited_for_longer_than_the_deadline(policies: PolicySet) -> None:
    with OpaEngine(RunningServer(url=f"http://127.0.0.1:{free_port()}")) as engine:
        before = time.monotonic()
        with pytest.raises(EngineError, match="nobody answers"):
            engine.evaluate(policies, BAD, 1.5)
        assert time.monotonic() - before < 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_running_opa_that_is_killed_or_stopped_while_it_judges_gives_no_decision(
    number: int, tmp_path: Path
) -> None:
    endless = policies_of(tmp_path / "p", endless=a_policy(ENDLESS, slug="endless", extra="scope: plan"))
    with running_opa() as (url, process), OpaEngine(RunningServer(url=url)) as engine:
        harm = threading.Timer(2, os.kill, (process.pid, number))
        harm.start()
        with pytest.raises(EngineError, match=r"connection broke|nobody answers|took longer than 5 s"):
            engine.evaluate(endless, BAD, 5)
        harm.join()


def test_a_private_opa_without_enough_memory_gives_no_decision_and_the_next_one_does(
    policies: PolicySet, tmp_path: Path
) -> None:
    eats = policies_of(tmp_path / "q", eats=a_policy(EATS, slug="eats", extra="scope: plan"))
    with OpaEngine(
        PrivateServer(binary=str(require_tool("opa"))), limits=OpaLimits(memory_bytes=1 << 30)
    ) as engine:
        with pytest.raises(EngineError, match="evaluating the policies failed: its process"):
            engine.evaluate(eats, BAD, 60)
        assert engine.evaluate(policies, BAD, 30) == DENIED_ANSWER


# --- Big ----------------------------------------------------------------------------------------------------------


def test_a_plan_of_many_megabytes_is_judged_whole(policies: PolicySet) -> None:
    many = [a_resource(f"aws_instance.n{n}", after={"text": "x" * 1000}) for n in range(20_000)]
    plan = document(a_plan(*many, a_resource(facts={"public_ip": True})))
    assert len(plan) > 24 << 20
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        assert engine.evaluate(policies, plan, 120) == DENIED_ANSWER


def test_numbers_are_exact(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", "opa", just_that=a_policy(EXACT, slug="just_that"))
    numbers = [12345678901234567890123, 12345678901234567890124]
    plan = document(
        a_plan(*(a_resource(f"x.n{index}", after={"size": n}) for index, n in enumerate(numbers)))
    )
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        (answer,) = engine.evaluate(policies, plan, 30)
    assert answer.error == ""
    assert [finding.address for finding in answer.deny] == ["x.n0"]


# --- From the command line ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    write(folder / "policies", {"hashed.rego": HASHED})
    (folder / "allowed.json").write_bytes(ALLOWED.read_bytes())
    (folder / "denied.json").write_bytes(DENIED.read_bytes())
    (folder / "plangate.yaml").write_text(
        "version: 1\nshipped_policies: false\npolicies: [policies]\nengine: opa\n"
    )
    return folder


HASHED = a_policy(
    'deny contains lib.plan_finding("never") if crypto.sha256("a") == "b"\n',
    slug="hashed",
    extra="scope: plan",
)


@pytest.mark.parametrize(
    ("plan", "code", "said"), [("allowed.json", 0, "allowed"), ("denied.json", 1, "denied")]
)
def test_the_hook_judges_with_opa(folder: Path, plan: str, code: int, said: str) -> None:
    ran = run(plan, cwd=folder, module="plangate.cli.hook")
    assert (ran.code, ran.out.split()[0].lower()) == (code, said)


def test_the_hook_cannot_decide_without_opa(folder: Path) -> None:
    (folder / "plangate.yaml").write_text("version: 1\nengine: {opa: {binary: ./nowhere}}\n")
    ran = run("allowed.json", cwd=folder, module="plangate.cli.hook")
    assert (ran.code, "nowhere: no such program" in ran.out + ran.err) == (3, True)


def test_policy_tests_run_on_the_embedded_engine_and_say_what_it_lacks(folder: Path) -> None:
    ran = run("policy", "test", "policies", cwd=folder)
    assert ran.code == 3
    assert "the embedded engine lacks crypto.sha256" in ran.err


def test_the_record_names_opa_its_version_and_its_decisions(folder: Path) -> None:
    with running_opa("--set=decision_logs.console=true") as (url, _):
        (folder / "plangate.yaml").write_text(
            f"version: 1\nshipped_policies: false\npolicies: [policies]\nengine: {{opa: {{url: '{url}'}}}}\n"
        )
        ran = run("check", "allowed.json", "--format", "json", cwd=folder)
    policy = json.loads(ran.out)["policy"]
    version = subprocess.run([require_tool("opa"), "version"], capture_output=True, text=True, check=True)
    assert policy["engine"] == f"opa {version.stdout.split()[1]}"
    assert len(policy["engine_decision_ids"]) >= 1
    listed = run("audit", "list", "--type", "decision", "--format", "json", cwd=folder)
    recorded = json.loads(listed.out)[0]["body"]["policy"]
    assert {name: recorded[name] for name in ("engine", "engine_decision_ids")} == {
        "engine": policy["engine"], "engine_decision_ids": policy["engine_decision_ids"],
    }  # fmt: skip


def test_a_server_that_is_gone_is_exit_3_and_recorded(folder: Path) -> None:
    (folder / "plangate.yaml").write_text(
        f"version: 1\nengine: {{opa: {{url: 'http://127.0.0.1:{free_port()}'}}}}\nlimits: {{policy_timeout_s: 1}}\n"
    )
    ran = run("check", "allowed.json", cwd=folder)
    assert ran.code == 3
    listed = json.loads(run("audit", "list", "--type", "decision", "--format", "json", cwd=folder).out)
    assert len(listed) == 1
