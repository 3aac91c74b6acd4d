"""Run the tests of policies, ``*_test.rego``, on the embedded engine.

What ``opa test`` does: every rule whose name starts with ``test_`` must be true. Tests may use ``with``; the policies
that they test are checked as for judging.
"""

import json
import time
from collections.abc import Sequence

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.policy import worker
from plangate.policy.answers import Reply
from plangate.policy.base import PolicySource
from plangate.policy.embedded import EngineLimits
from plangate.policy.exchange import Exchange
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.load import load
from plangate.policy.parse import parse_modules
from plangate.policy.process import start_process
from plangate.policy.program import head_name


class PolicyTest(Struct, frozen=True, kw_only=True):
    """One test and how it went.

    Attributes:
        name: ``<package>.<rule>``.
        file: Where it is written.
        line: Of its first definition.
        passed: It is true.
        problem: Why it is not; empty for a test that passed.
    """

    name: str
    file: str
    line: int
    passed: bool
    problem: str = ""


def run_tests(sources: Sequence[PolicySource], deadline_s: float = 60.0) -> tuple[PolicyTest, ...]:
    """Every test below the folders, in the order of files and lines.

    Args:
        sources: Folders of policies with their tests.
        deadline_s: Seconds for all tests together.

    Raises:
        PolicyLoadError: A policy or a test must not be judged with, or two tests share a name.
        EngineError: The tests did not finish.
    """
    policies = load(sources)
    files = read_files(sources, LoadLimits())
    found: dict[str, tuple[str, int]] = {}
    for module in parse_modules(files.tests):
        for rule in module.rules:
            name = ".".join((*module.package, head_name(rule)))
            if not head_name(rule).startswith("test_"):
                continue
            if name in found:
                raise module.error(rule.start, f"two tests are called {name}")
            found[name] = (module.file, module.position(rule.start)[0])
    tests = tuple((file.name, file.text) for file in files.tests)
    if not found:
        raise PolicyLoadError(", ".join(source.name for source in sources), "no tests")
    limits = EngineLimits()
    setup = {
        "modules": (*policies.modules, *tests),
        "data": json.dumps(dict(policies.data)),
        "queries": [f"[data.{name}]" for name in found],
        "memory_bytes": limits.memory_bytes,
    }
    process = start_process(setup)
    try:
        options = json.dumps({"deadline_s": deadline_s, "exact": False}).encode()
        until = time.monotonic() + deadline_s
        exchange = Exchange(process, list(found), deadline_s, until, limits.max_answer_bytes)
        replies = exchange.run(worker.frame(b"EVAL", options + b"\n{}"))
    finally:
        process.kill()
    return tuple(
        PolicyTest(name=name, file=file, line=line, passed=not (said := _problem(reply)), problem=said)
        for (name, (file, line)), reply in zip(found.items(), replies, strict=True)
    )


def _problem(reply: Reply) -> str:
    if reply.error:
        return reply.error
    return "" if reply.value == [True] else f"it is {json.dumps(reply.value[0])}, not true"
