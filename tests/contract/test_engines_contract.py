"""Every engine keeps the same promises: the embedded one, a private OPA, and an OPA that somebody runs."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import EngineError
from plangate.policy.base import EMBEDDED, OPA, Finding, PolicySet, RuleAnswer
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load
from plangate.policy.opa.engine import OpaEngine, PrivateServer, RunningServer
from tests.opa_server import running_opa
from tests.tools import require_tool
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, write

pytest.importorskip("opa_client")
pytestmark = pytest.mark.opa

BAD = document(a_plan(a_resource(facts={"public_ip": True})))
GOOD = document(a_plan(a_resource()))
FOUND = Finding(address="aws_instance.web", message="it is public")
DENIED = (RuleAnswer(rule="no-bad", deny=(FOUND,)),)
ENDLESS = """
deny contains lib.plan_finding("slow") if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a + b == -1
}
"""
FAILS = """
deny contains lib.plan_finding("x") if {
	some r in input.resources
	to_number(trim_space(r.address)) == 1
}
"""
DATA = 'deny contains lib.plan_finding(data.words.one) if data.words.one == "a"\n'


@pytest.fixture(params=["embedded", "private", "running"])
def engine(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "embedded":
        with EmbeddedEngine() as made:
            yield made
    elif request.param == "private":
        with OpaEngine(PrivateServer(binary=str(require_tool("opa")))) as private:
            yield private
    else:
        with running_opa() as (url, _), OpaEngine(RunningServer(url=url)) as running:
            yield running


def policies_of(root: Path, engine: str = EMBEDDED, **texts: str) -> PolicySet:
    shutil.rmtree(root, ignore_errors=True)
    return load([write(root, {f"{name}.rego": text for name, text in texts.items()})], engine=engine)


def test_a_finding_and_its_absence_are_told(engine: Any, tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", no_bad=a_policy())
    answers = [engine.evaluate(policies, plan, 30) for plan in (BAD, GOOD, BAD)]
    assert answers == [DENIED, (RuleAnswer(rule="no-bad"),), DENIED]


def test_a_rule_that_fails_is_an_error_and_spoils_no_other(engine: Any, tmp_path: Path) -> None:
    fails = a_policy(FAILS, slug="fails", extra="scope: plan")
    policies = policies_of(tmp_path / "p", no_bad=a_policy(), fails=fails)
    first, second = engine.evaluate(policies, BAD, 30)
    assert (first.rule, bool(first.error), first.deny, second) == ("fails", True, (), DENIED[0])


def test_a_set_without_rules_has_no_answers(engine: Any) -> None:
    assert engine.evaluate(load([]), BAD, 30) == ()


def test_another_set_is_judged_by_its_own_rules(engine: Any, tmp_path: Path) -> None:
    one = policies_of(tmp_path / "p", no_bad=a_policy())
    other = policies_of(tmp_path / "q", no_bad=a_policy().replace("it is public", "otherwise"))
    assert engine.evaluate(one, BAD, 30) == DENIED
    assert engine.evaluate(other, BAD, 30)[0].deny[0].message == "otherwise"
    assert engine.evaluate(one, BAD, 30) == DENIED


def test_data_documents_are_seen(engine: Any, tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"p.rego": a_policy(DATA, slug="data_read", extra="scope: plan")})
    (tmp_path / "p" / "data.json").write_text('{"words": {"one": "a"}}')
    (answer,) = engine.evaluate(load([source]), GOOD, 30)
    assert answer.deny == (Finding(address="", message="a"),)


def test_an_endless_policy_is_given_up_and_the_next_question_answered(engine: Any, tmp_path: Path) -> None:
    endless = policies_of(tmp_path / "p", endless=a_policy(ENDLESS, slug="endless", extra="scope: plan"))
    started = time.monotonic()
    with pytest.raises(EngineError, match="took longer than 2 s"):
        engine.evaluate(endless, GOOD, 2)
    assert time.monotonic() - started < 6
    assert engine.evaluate(policies_of(tmp_path / "q", no_bad=a_policy()), BAD, 30) == DENIED


# --- OPA alone ------------------------------------------------------------------------------------------------


def test_what_only_opa_understands_loads_for_opa(tmp_path: Path) -> None:
    body = 'deny contains lib.plan_finding("x") if crypto.sha256(`a`) != "b"\n'
    policies = policies_of(tmp_path / "p", OPA, hashes=a_policy(body, slug="hashes", extra="scope: plan"))
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        (answer,) = engine.evaluate(policies, GOOD, 30)
        assert engine.version == "opa 1.10.0"
    assert answer.deny == (Finding(address="", message="x"),)


def test_a_private_opa_that_died_between_two_plans_is_started_again(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", no_bad=a_policy())
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        assert engine.evaluate(policies, BAD, 30) == DENIED
        private = engine._private
        assert private is not None
        assert private._process is not None
        os.kill(private._process.pid, signal.SIGKILL)
        while private.is_running:
            time.sleep(0.01)
        assert engine.evaluate(policies, BAD, 30) == DENIED


def test_a_private_opa_that_is_killed_while_it_judges_gives_no_decision(tmp_path: Path) -> None:
    endless = policies_of(tmp_path / "p", endless=a_policy(ENDLESS, slug="endless", extra="scope: plan"))
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), endless) as engine:
        assert engine._private is not None
        assert engine._private._process is not None
        killer = threading.Timer(2, os.kill, (engine._private._process.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(EngineError, match="evaluating the policies failed"):
            engine.evaluate(endless, GOOD, 30)
        killer.join()


def spoil(method: str, url: str, body: bytes | None = None) -> Any:
    request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")


def _delete_all(url: str) -> None:
    left = spoil("GET", f"{url}/v1/policies")["result"]
    while left:
        for item in left:
            # OPA keeps a module whose functions another one still calls.
            with contextlib.suppress(urllib.error.HTTPError):
                spoil("DELETE", f"{url}/v1/policies/{item['id']}")
        before, left = left, spoil("GET", f"{url}/v1/policies")["result"]
        assert len(left) < len(before)


def _add_foreign(url: str) -> None:
    main = next(i["raw"] for i in spoil("GET", f"{url}/v1/policies")["result"] if "judgement" in i["raw"])
    package = main.split()[1].removesuffix(".plangate.main")
    spoil("PUT", f"{url}/v1/policies/foreign", f"package {package}.policies.test.no_bad\nx := 1\n".encode())


def _change_one(url: str) -> None:
    item = next(i for i in spoil("GET", f"{url}/v1/policies")["result"] if "it is public" in i["raw"])
    spoil("PUT", f"{url}/v1/policies/{item['id']}", item["raw"].replace("== true", "== 7").encode())


@pytest.mark.parametrize("harm", [_add_foreign, _change_one])
def test_a_server_whose_policies_were_tampered_with_does_not_judge(
    harm: Callable[[str], None], tmp_path: Path
) -> None:
    policies = policies_of(tmp_path / "p", no_bad=a_policy())
    with running_opa() as (url, _), OpaEngine(RunningServer(url=url)) as engine:
        assert engine.evaluate(policies, BAD, 30) == DENIED
        harm(url)
        with pytest.raises(EngineError):
            engine.evaluate(policies, BAD, 30)


def test_policies_that_were_deleted_are_uploaded_again(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", no_bad=a_policy())
    with running_opa() as (url, _), OpaEngine(RunningServer(url=url)) as engine:
        assert engine.evaluate(policies, BAD, 30) == DENIED
        _delete_all(url)
        assert engine.evaluate(policies, BAD, 30) == DENIED


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "nobody answers|connection broke"), (signal.SIGSTOP, "took longer than 2 s")],
)
def test_a_server_that_is_gone_or_stuck_gives_no_decision(number: int, said: str, tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", no_bad=a_policy())
    with running_opa() as (url, process), OpaEngine(RunningServer(url=url)) as engine:
        assert engine.evaluate(policies, BAD, 30) == DENIED
        process.send_signal(number)
        started = time.monotonic()
        with pytest.raises(EngineError, match=said):
            engine.evaluate(policies, BAD, 2)
        assert time.monotonic() - started < 5


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_private_opa_ends_when_we_are_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from plangate.policy.load import *;"
        "from plangate.policy.opa.engine import *;"
        "p = load([shipped_policies()]); e = OpaEngine(PrivateServer(binary=sys.argv[1]), p);"
        "print(e._private._process.pid, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(require_tool("opa"))],
        stdout=subprocess.PIPE, cwd=tmp_path, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    child.wait()
    child.stdout.close()
    for _ in range(300):
        if not Path(f"/proc/{pid}").exists() and not list(tmp_path.glob("plangate-opa-*")):
            return
        time.sleep(0.02)
    pytest.fail("OPA outlived us, or left its folder")
