"""The engine's worker: whatever goes wrong in it, there is an error and never an answer."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import regorus  # type: ignore[import-untyped]
from msgspec.structs import replace

from plangate.errors import EngineError
from plangate.policy import process, worker
from plangate.policy.base import Finding, PolicySet, RuleAnswer
from plangate.policy.embedded import REGORUS_VERSION, EmbeddedEngine, EngineLimits
from plangate.policy.process import Process
from tests.tools import ROOT
from tests.unit.policy.builders import BAD_INSTANCE, a_plan, a_policy, a_resource, document, load_policy

BAD = document(a_plan(a_resource(facts={"public_ip": True})))
GOOD = document(a_plan(a_resource()))
DENIED = (RuleAnswer(rule="no-bad", deny=(Finding(address="aws_instance.web", message="it is public"),)),)
NOTHING = (RuleAnswer(rule="no-bad"),)

ENDLESS = """
deny contains lib.plan_finding("slow") if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a + b == -1
}
"""
HUNGRY = """
deny contains lib.plan_finding("hungry") if count(numbers.range(1, 1000000000)) == 1
"""


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    return load_policy(tmp_path, a_policy())


@contextmanager
def other_threads() -> Iterator[None]:
    """The process has more than one thread, so that a worker is not forked."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_answers_for_every_rule_in_order(tmp_path: Path) -> None:
    second = a_policy(slug="another").replace("it is public", "again")
    policies = load_policy(tmp_path, a_policy(), second=second)
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == (
            RuleAnswer(rule="another", deny=(Finding(address="aws_instance.web", message="again"),)),
            *DENIED,
        )


def test_one_worker_answers_again_and_again(policies: PolicySet) -> None:
    with EmbeddedEngine(policies) as engine:
        answers = [engine.evaluate(policies, plan, 20.0) for plan in (BAD, GOOD, BAD, GOOD)]
    assert answers == [DENIED, NOTHING, DENIED, NOTHING]


def test_a_worker_in_a_new_interpreter_gives_the_same_answers(policies: PolicySet) -> None:
    with other_threads(), EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == DENIED
        assert engine.evaluate(policies, GOOD, 20.0) == NOTHING


def test_other_policies_get_another_worker(policies: PolicySet, tmp_path: Path) -> None:
    others = load_policy(tmp_path / "other", a_policy().replace("it is public", "no"))
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == DENIED
        assert engine.evaluate(others, BAD, 20.0)[0].deny[0].message == "no"


def test_no_rules_need_no_worker(policies: PolicySet) -> None:
    from plangate.policy.load import load  # noqa: PLC0415

    assert EmbeddedEngine().evaluate(load([]), GOOD, 20.0) == ()
    assert policies.rules


def test_says_its_version() -> None:
    assert importlib.metadata.version("gordon-to-regorus") == REGORUS_VERSION
    assert EmbeddedEngine().version == f"regorus {REGORUS_VERSION}"


def test_a_rule_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = a_policy("deny contains lib.plan_finding(`x`) if count(input.complete) == 1\n", slug="broken")
    policies = load_policy(tmp_path, a_policy(), broken=broken)
    with EmbeddedEngine(policies) as engine:
        for _ in range(2):
            failed, *rest = engine.evaluate(policies, BAD, 20.0)
            assert tuple(rest) == DENIED
            assert failed == RuleAnswer(
                rule="broken",
                error="custom/broken.rego:13:51: `count` requires array/object/set/string argument. Got `true`.",
            )


NOT_FINDINGS = {
    '"text"': '"text"',
    '{"address": "a"}': '{"address": "a"}',
    '{"address": "a", "message": ""}': '{"address": "a", "message": ""}',
    '{"address": 1, "message": "m"}': '{"address": 1, "message": "m"}',
    '{"address": "a", "message": "m", "path": "x"}': '{"address": "a", "message": "m", "path": "x"}',
    '{"address": "a", "message": "m", "level": "low"}': '{"address": "a", "level": "low", "message": "m"}',
}


@pytest.mark.parametrize("value", NOT_FINDINGS)
def test_what_is_not_a_finding_is_the_rules_error(value: str, tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(f"deny contains {value}\n"))
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, GOOD, 20.0) == (
            RuleAnswer(
                rule="no-bad",
                error="deny holds something that is not a finding {address, message, path}: "
                + NOT_FINDINGS[value],
            ),
        )


def test_a_rule_with_conflicting_definitions_fails(tmp_path: Path) -> None:
    body = "size := 1 if input.schema\n\nsize := 2 if input.schema\n\n"
    policies = load_policy(tmp_path, a_policy(body + "deny contains lib.plan_finding(`x`) if size == 1\n"))
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, GOOD, 20.0)[0].error == (
            "custom/policy.rego:15:1: rule conflicts with rule at custom/policy.rego:13:1"
        )


def test_an_evaluation_that_takes_too_long_is_ended_and_the_next_one_works(tmp_path: Path) -> None:
    policies = load_policy(tmp_path / "slow", a_policy(ENDLESS))
    quick = load_policy(tmp_path / "quick", a_policy())
    with EmbeddedEngine(policies) as engine:
        started = time.monotonic()
        with pytest.raises(EngineError, match=r"took longer than 0\.5 s and was ended"):
            engine.evaluate(policies, GOOD, 0.5)
        assert time.monotonic() - started < 5
        assert engine.evaluate(quick, BAD, 20.0) == DENIED


def test_a_worker_that_outlives_its_deadline_is_gone(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(ENDLESS))
    engine = EmbeddedEngine(policies)
    running = engine._worker
    assert running is not None
    with pytest.raises(EngineError):
        engine.evaluate(policies, GOOD, 0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_the_rule_that_took_too_long_is_named_when_another_fails(tmp_path: Path) -> None:
    broken = a_policy("deny contains lib.plan_finding(`x`) if count(input.complete) == 1\n", slug="broken")
    policies = load_policy(tmp_path, a_policy(ENDLESS, slug="slow"), broken=broken)
    with EmbeddedEngine(policies) as engine, pytest.raises(EngineError) as caught:
        engine.evaluate(policies, GOOD, 1.0)
    assert "was ended" in str(caught.value)


def test_too_much_memory_is_an_error_and_the_next_evaluation_works(tmp_path: Path) -> None:
    policies = load_policy(tmp_path / "hungry", a_policy(HUNGRY))
    quick = load_policy(tmp_path / "quick", a_policy())
    with EmbeddedEngine(policies, EngineLimits(memory_bytes=256 << 20)) as engine:
        with pytest.raises(EngineError) as caught:
            engine.evaluate(policies, GOOD, 60.0)
        assert str(caught.value) == (
            "evaluating the policies failed: its process was ended by SIGABRT (out of memory, or a fault in the engine)"
        )
        assert engine.evaluate(quick, BAD, 20.0) == DENIED


def test_too_much_processor_time_ends_the_worker_without_its_parent(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(ENDLESS))
    with EmbeddedEngine(policies) as engine:
        running = engine._started(policies)
        options = json.dumps({"deadline_s": 0.2, "exact": False}).encode()
        os.write(running.requests, running.unsent + worker.frame(b"EVAL", options + b"\n" + GOOD))
        _, status = os.waitpid(running.pid, 0)
        assert os.WTERMSIG(status) == signal.SIGXCPU


def test_more_answers_than_allowed_are_an_error(tmp_path: Path) -> None:
    body = "deny contains lib.plan_finding(sprintf(`%v`, [x])) if some x in numbers.range(1, 20000)\n"
    policies = load_policy(tmp_path, a_policy(body))
    with (
        EmbeddedEngine(policies, EngineLimits(max_answer_bytes=10_000)) as engine,
        pytest.raises(EngineError, match=r"max_answer_bytes|garbage"),
    ):
        engine.evaluate(policies, GOOD, 20.0)


def test_a_worker_that_is_killed_is_an_error_and_the_next_one_works(policies: PolicySet) -> None:
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == DENIED
        running = engine._worker
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="its process was ended by SIGKILL"):
            engine.evaluate(policies, BAD, 20.0)
        assert engine.evaluate(policies, BAD, 20.0) == DENIED


def test_a_worker_that_stands_still_is_ended(policies: PolicySet) -> None:
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == DENIED
        running = engine._worker
        assert running is not None
        os.kill(running.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match="took longer than"):
            engine.evaluate(policies, BAD, 0.3)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"[", "EOF while parsing"),
        (b'{"a": "\xff"}', "invalid start byte"),
        (b"[" * 200 + b"]" * 200, "recursion limit"),
    ],
)
def test_a_document_that_is_not_json_is_an_error(document: bytes, said: str, policies: PolicySet) -> None:
    with EmbeddedEngine(policies) as engine, pytest.raises(EngineError, match=said):
        engine.evaluate(policies, document, 20.0)


def test_a_large_document_passes_both_ways_without_a_deadlock(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    resources = [
        a_resource(f"aws_instance.web[{index}]", facts={"public_ip": True}, after={"user_data": "x" * 8_000})
        for index in range(3_000)
    ]
    large = document(a_plan(*resources))
    assert len(large) > 24_000_000
    with EmbeddedEngine(policies) as engine:
        (answer,) = engine.evaluate(policies, large, 60.0)
    assert len(answer.deny) == 3_000


NUMBERS = {
    "18446744073709551616": "18446744073709551616",
    "-9223372036854775809": "-9223372036854775809",
    "123456789012345678901234567890": "123456789012345678901234567890",
    "18446744073709551615": "18446744073709551615",
    "1.10": "1.1",
    "0.1": "0.1",
    "1e3": "1000",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_survive_exactly(number: str, tmp_path: Path) -> None:
    neighbour = int(number) + 1 if number.lstrip("-").isdigit() else "1.11"
    body = f"""
deny contains lib.finding(r, "same") if {{
	some r in input.resources
	r.after.n == {NUMBERS[number]}
}}

deny contains lib.finding(r, "not the same") if {{
	some r in input.resources
	r.after.n == {neighbour}
}}
"""
    policies = load_policy(tmp_path, a_policy(body))
    plan = GOOD.replace(b'"after":{}', b'"after":{"n":' + number.encode() + b"}")
    with EmbeddedEngine(policies) as engine:
        (answer,) = engine.evaluate(policies, plan, 20.0)
    assert [found.message for found in answer.deny] == ["same"]


def test_a_number_that_cannot_be_held_is_an_error(policies: PolicySet) -> None:
    plan = GOOD.replace(b'"after":{}', b'"after":{"n":0.33333333333333333333}')
    with EmbeddedEngine(policies) as engine, pytest.raises(EngineError, match=r"0\.33333333333333333333"):
        engine.evaluate(policies, plan, 20.0)


def test_an_exact_document_is_judged_by_all_rules_as_any_other(tmp_path: Path) -> None:
    broken = a_policy("deny contains lib.plan_finding(`x`) if abs(input.complete) == 1\n", slug="broken")
    policies = load_policy(tmp_path, a_policy(), broken=broken)
    exact = BAD.replace(b'"after":{}', b'"after":{"n":18446744073709551616,"t":"\\u00e9\\n\\"\\\\ }"}')
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, exact, 20.0) == engine.evaluate(policies, BAD, 20.0)


def test_what_a_policy_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    policies = load_policy(tmp_path, a_policy(BAD_INSTANCE.replace("some i", 'print("hello")\n\tsome i')))
    with EmbeddedEngine(policies) as engine:
        assert engine.evaluate(policies, BAD, 20.0) == DENIED
    assert capfd.readouterr() == ("", "")


GARBAGE = {
    "half a header": (b"REDY\0", "its process ended with status"),
    "an unknown word": (worker.frame(b"REDY") + worker.frame(b"WHAT"), "an unknown word"),
    "a length beyond all bounds": (b"ANSW" + b"\xff" * 8, "garbage"),
    "no answers": (worker.frame(b"REDY") + worker.frame(b"DONE"), "did not answer for rule no-bad"),
    "an answer to no question": (worker.frame(b"ANSW", b'7\n{"result": []}'), "an answer to no question"),
    "an answer without an index": (worker.frame(b"ANSW", b"{}"), "an answer to no question"),
    "not JSON": (worker.frame(b"ALLA", b"]"), "not a query result"),
    "undefined": (worker.frame(b"ALLA", b"{}"), "undefined"),
    "another shape": (worker.frame(b"ALLA", b'{"result": [{"expressions": [{"value": 1}]}]}'), "not 1 values"),
    "too few values": (worker.frame(b"ALLA", b'{"result": [{"expressions": [{"value": []}]}]}'), "not 1 values"),
    "no sets": (
        worker.frame(b"ALLA", b'{"result": [{"expressions": [{"value": [true]}]}]}') + worker.frame(b"DONE"),
        "rule no-bad: not 1 sets",
    ),
    "more than was asked": (
        worker.frame(b"ALLA", b'{"result": [{"expressions": [{"value": [[[]]]}]}]}')
        + worker.frame(b"DONE")
        + worker.frame(b"DONE"),
        "more than was asked",
    ),
    "its last words": (worker.frame(b"REDY") + worker.frame(b"DEAD", b"panicked"), "failed: panicked"),
}  # fmt: skip


def impostor(said: bytes) -> Process:
    """A worker that says something and ends."""
    request_read, request_write = os.pipe()
    answer_read, answer_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answer_read)
        os.close(request_write)
        os.write(answer_write, said)
        os.close(answer_write)
        os._exit(3)
    os.close(request_read)
    os.close(answer_write)
    os.set_blocking(request_write, False)
    return Process(pid, request_write, answer_read, None)


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_is_never_an_answer(case: str, policies: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    said, expected = GARBAGE[case]
    monkeypatch.setattr("plangate.policy.embedded.start_process", lambda _setup: impostor(said))
    with pytest.raises(EngineError, match=expected):
        EmbeddedEngine(policies).evaluate(policies, GOOD, 20.0)


def test_a_panic_of_the_engine_is_an_error_and_the_next_evaluation_works(policies: PolicySet) -> None:
    # The load-time check refuses this text; here it comes in behind its back.
    panics = BAD_INSTANCE.replace("some i", 'strings.count("a", "") > 0\n\tsome i')
    modules = tuple((name, text.replace(BAD_INSTANCE, panics)) for name, text in policies.modules)
    bad = replace(policies, modules=modules, sha256="another")
    with EmbeddedEngine(bad) as engine:
        with pytest.raises(EngineError, match="evaluating the policies failed: window size must be non-zero"):
            engine.evaluate(bad, BAD, 20.0)
        assert engine.evaluate(policies, BAD, 20.0) == DENIED


def test_endless_recursion_is_an_error_and_the_next_evaluation_works(policies: PolicySet) -> None:
    recursive = BAD_INSTANCE.replace("some i", "f(1)\n\tsome i") + "\nf(x) if f([x])\n"
    modules = tuple((name, text.replace(BAD_INSTANCE, recursive)) for name, text in policies.modules)
    bad = replace(policies, modules=modules, sha256="another")
    with EmbeddedEngine(bad) as engine:
        with pytest.raises(EngineError, match="its process was ended by SIG"):
            engine.evaluate(bad, BAD, 20.0)
        assert engine.evaluate(policies, BAD, 20.0) == DENIED


def test_policies_that_cannot_be_loaded_are_an_error(
    policies: PolicySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = process.start_process
    monkeypatch.setattr(
        "plangate.policy.embedded.start_process",
        lambda setup: start({**setup, "modules": (("broken.rego", "package ]"),)}),
    )
    with pytest.raises(EngineError, match=r"loading the policies failed: broken\.rego:1:9"):
        EmbeddedEngine(policies).evaluate(policies, GOOD, 20.0)


def test_a_worker_that_cannot_be_started_is_an_error(
    policies: PolicySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "fork", fail)
    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(EngineError, match="cannot be started: Resource temporarily unavailable"):
        EmbeddedEngine(policies).evaluate(policies, GOOD, 20.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_no_descriptors_are_left_behind(policies: PolicySet) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with EmbeddedEngine(policies) as engine:
            engine.evaluate(policies, GOOD, 20.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_second_worker_does_not_hold_the_first_ones_pipe(policies: PolicySet) -> None:
    with EmbeddedEngine(policies) as first, EmbeddedEngine(policies):
        running = first._worker
        assert running is not None
        if running.unsent:
            assert first.evaluate(policies, GOOD, 20.0) == NOTHING
        os.close(running.requests)
        # The end of its requests is what tells a worker that its parent is gone.
        _, status = os.waitpid(running.pid, 0)
        assert status == 0
        running.requests = os.open(os.devnull, os.O_RDONLY)


SURROUNDINGS = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from plangate.policy.load import load
from plangate.policy.base import PolicySource
from plangate.policy.embedded import EmbeddedEngine
policies = load([PolicySource(root=Path(sys.argv[2]), name="custom")])
{prepare}
with EmbeddedEngine(policies) as engine:
    (answer,) = engine.evaluate(policies, sys.argv[3].encode(), 20.0)
Path(sys.argv[4]).write_text(answer.deny[0].message)
"""


@pytest.mark.parametrize(
    "prepare",
    [
        "os.close(0)",
        "os.close(0); os.close(1); os.close(2)",
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir(os.getcwd())",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    ],
)
def test_works_in_odd_surroundings(prepare: str, tmp_path: Path) -> None:
    load_policy(tmp_path / "policies", a_policy())
    done = tmp_path / "done"
    paths = json.dumps([str(ROOT / "src"), str(ROOT)])
    subprocess.run(
        [
            sys.executable,
            "-c",
            SURROUNDINGS.replace("{prepare}", prepare),
            paths,
            tmp_path / "policies",
            BAD.decode(),
            done,
        ],
        check=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.read_text() == "it is public"


@pytest.mark.parametrize(
    ("rule", "compiled"),
    [
        ('x if endswith(input.n, "a")', '"<undefined>"'),
        ('x if not endswith(input.n, "a")', "true"),
        ("x := 1 if input.n\nx := 2 if input.n", '"<undefined>"'),
    ],
)
def test_compiled_rules_of_the_engine_hide_what_fails_and_are_not_used_for_that(
    rule: str, compiled: str
) -> None:
    module = ("m.rego", f"package m\n\n{rule}\n")
    engine = worker.new_engine()
    engine.add_policy(*module)
    engine.set_input_json('{"n": 1}')
    with pytest.raises(RuntimeError):
        engine.eval_rule_as_json("data.m.x")
    machine = regorus.Rvm()
    machine.load_program(regorus.Program.compile_from_modules("{}", [module], ["data.m.x"]))
    machine.set_input_json('{"n": 1}')
    # The day this is an error as well they can be used: see docs/adr/0022-server.md.
    assert machine.execute_entry_point("data.m.x") == compiled
