"""Trials in processes: in parallel, in time, and whatever they do."""

import json
import time
from typing import Any

import pytest

from plangate.authoring.mutation import pool as pools
from plangate.authoring.mutation.pool import Pool, Trial
from plangate.errors import EngineError

POLICY = "package p\nx := 1\n"
SLOW = """package slow_test
test_slow if count([1 | some i in numbers.range(1, 9000); some j in numbers.range(1, 9000); i + j == 0]) == 0
"""
CRASH = """package crash_test
f(x) := f([x])
test_crash if f(1)
"""
TESTS = "package p_test\nimport data.p\ntest_x if p.x == 1\ntest_type if is_number(p.x)\n"


def setup(**tests: str) -> dict[str, Any]:
    named = {"p_test.rego": TESTS} | {f"{name}.rego": text for name, text in tests.items()}
    return {
        "policies": [["p.rego", POLICY]],
        "tests": list(named.items()),
        "data": "{}",
        "memory_bytes": 1 << 30,
    }


def trial(
    number: int, text: str = POLICY, tests: tuple[str, ...] = (), needed: str = "", deadline_s: float = 20
) -> Trial:
    files = ["p.rego", "p_test.rego", *([needed] if needed else [])]
    names = [["p_test.test_x", "p_test.test_type"], [*tests]]
    request = {"file": "p.rego", "text": text, "needed": files, "tests": [each for each in names if each]}
    return Trial(id=number, request=request, deadline_s=deadline_s)


def test_says_how_each_trial_ended_whatever_the_number_of_processes() -> None:
    trials = [
        trial(0),
        trial(1, "package p\nx := 2\n"),
        trial(2, 'package p\nx := "1"\n'),
        trial(3, "package p\nx := 1 +\n"),
        trial(4, "package p\nx := y\n"),
        trial(5, "package p\nx := 1 if false\n"),
        trial(6, "package p\nx := 1\nx := 2\n"),
    ]
    for jobs in (1, 3):
        with Pool(setup(), jobs) as pool:
            found = pool.run(trials, time.monotonic() + 60)
        assert [(found[number].verdict, found[number].test) for number in range(7)] == [
            ("survived", ""),
            ("killed", "p_test.test_x"),
            ("killed", "p_test.test_x"),
            ("invalid", ""),
            ("invalid", ""),
            ("killed", "p_test.test_x"),
            ("killed", "p_test.test_x"),
        ]
        assert found[3].problem == "p.rego:3:1: expecting expression"


def test_a_trial_that_takes_too_long_is_ended_and_the_others_go_on() -> None:
    slow = trial(0, tests=("slow_test.test_slow",), needed="slow_test.rego", deadline_s=0.3)
    with Pool(setup(slow_test=SLOW), 1) as pool:
        found = pool.run([slow, trial(1), trial(2, "package p\nx := 2\n")], time.monotonic() + 60)
    assert [found[number].verdict for number in range(3)] == ["timed out", "survived", "killed"]
    assert found[0].problem == "longer than 0.3 s"


def test_a_trial_that_takes_its_process_along_harms_no_other() -> None:
    crash = trial(0, tests=("crash_test.test_crash",), needed="crash_test.rego")
    with Pool(setup(crash_test=CRASH), 1) as pool:
        found = pool.run([crash, trial(1)], time.monotonic() + 60)
    assert [found[number].verdict for number in range(2)] == ["crashed", "survived"]


def test_what_was_not_done_in_time_has_no_answer() -> None:
    slow = trial(1, tests=("slow_test.test_slow",), needed="slow_test.rego")
    with Pool(setup(slow_test=SLOW), 1) as pool:
        found = pool.run([trial(0)], time.monotonic() + 60)
        found |= pool.run([slow, trial(2)], time.monotonic() + 0.5)
    assert sorted(found) == [0]


def test_nothing_is_run_when_there_is_no_time() -> None:
    with Pool(setup(), 1) as pool:
        assert pool.run([trial(0)], time.monotonic()) == {}


def test_a_process_that_cannot_load_is_an_error() -> None:
    broken = setup() | {"policies": [["p.rego", "package"]]}
    with Pool(broken, 1) as pool, pytest.raises(EngineError, match="ended with status 1 while it loaded"):
        pool.run([trial(0)], time.monotonic() + 60)


def test_a_fault_of_ours_is_no_killed_mutant() -> None:
    wrong = Trial(
        id=0, request={"file": "p.rego", "text": POLICY, "needed": ["gone"], "tests": []}, deadline_s=20
    )
    with (
        Pool(setup(), 1) as pool,
        pytest.raises(EngineError, match=r"^p\.rego: a mutant could not be tried: KeyError"),
    ):
        pool.run([wrong], time.monotonic() + 60)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("'nonsense'", "garbage instead of an answer"),
        ("'[1]'", "garbage instead of an answer"),
        (
            """json.dumps({"id": 7, "verdict": "survived", "test": "", "problem": ""})""",
            "answer to no question",
        ),
        ("""json.dumps({"id": 0, "verdict": "fine", "test": "", "problem": "?"})""", "could not be tried"),
        ("'x' * (2 << 20)", "more than 1048576 bytes"),
    ],
)
def test_garbage_is_an_error(monkeypatch: pytest.MonkeyPatch, said: str, problem: str) -> None:
    program = (
        "import json, sys; sys.stdin.readline(); print(json.dumps({'ready': True}), flush=True); "
        f"sys.stdin.readline(); print({said}, flush=True); sys.stdin.readline()"
    )
    with Pool(setup(), 1) as pool:
        monkeypatch.setattr(pool, "_program", [pool._program[0], "-c", program])
        with pytest.raises(EngineError, match=problem):
            pool.run([trial(0)], time.monotonic() + 60)


def test_a_process_that_never_loads_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "START_DEADLINE_S", 0.2)
    with Pool(setup(), 1) as pool:
        monkeypatch.setattr(pool, "_program", [pool._program[0], "-c", "import time; time.sleep(60)"])
        with pytest.raises(EngineError, match="loading the policies to try mutants took longer"):
            pool.run([trial(0)], time.monotonic() + 60)


def test_no_process_is_left_behind() -> None:
    with Pool(setup(), 2) as pool:
        pool.run([trial(0), trial(1)], time.monotonic() + 60)
        started = [each.process for each in pool._workers]
    assert started
    assert all(process.returncode is not None for process in started)


def test_requests_are_documents_of_one_line() -> None:
    assert "\n" not in json.dumps(dict(trial(0).request))
