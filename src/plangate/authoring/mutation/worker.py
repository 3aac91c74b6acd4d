"""The process that tries mutants. It may be killed at any time.

One JSON document a line on both sides: first what is loaded, then one trial after another, each answered before the
next. A trial gets an engine of its own, so that nothing is left of the one before.
"""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from plangate.errors import PolicyLoadError
from plangate.policy.files import PolicyFile
from plangate.policy.hazards import check_program
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Program
from plangate.policy.worker import clean, limit_cpu, limit_memory, new_engine

if TYPE_CHECKING:
    from plangate.policy.syntax import Module

KEPT_ENGINES: Final = 64
"""Engines with everything but the mutated file, of the files tried last."""


class Trials:
    """Policies and tests, waiting for mutants of one of the policies.

    Args:
        setup: ``policies`` and ``tests``, both ``[file, text]`` pairs, and ``data`` as JSON text.
    """

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self._texts: Final[dict[str, str]] = dict((*setup["policies"], *setup["tests"]))
        files = [_file(file, text) for file, text in setup["policies"]]
        self._modules: Final[dict[str, Module]] = {module.file: module for module in parse_modules(files)}
        self._data: Final = setup["data"]
        self._parsed_data: Final = json.loads(setup["data"])
        self._engines: Final[dict[tuple[str, ...], Any]] = {}

    def run(self, trial: Mapping[str, Any]) -> dict[str, str]:
        """Try one mutant.

        Args:
            trial: ``file`` and its mutated ``text``; ``needed``, the files to load; ``tests``, names file by file.

        Returns:
            ``verdict``: ``invalid`` when it must not be judged with, ``killed`` with the first ``test`` that noticed,
            or ``survived``; and the ``problem``.
        """
        file, text = trial["file"], trial["text"]
        try:
            (mutated,) = parse_modules([_file(file, text)])
            others = [
                self._modules[name] for name in trial["needed"] if name in self._modules and name != file
            ]
            problems = Problems()
            check_program(Program([mutated, *others], self._parsed_data), problems)
            problems.raise_first()
        except PolicyLoadError as problem:
            return {"verdict": "invalid", "test": "", "problem": str(problem)}
        engine = self._base(file, trial["needed"]).clone()
        engine.add_policy(file, text)
        for names in trial["tests"]:
            if not _all_true(engine, names):
                test, said = _first_failure(engine, names)
                return {"verdict": "killed", "test": test, "problem": said}
        return {"verdict": "survived", "test": "", "problem": ""}

    def _base(self, file: str, needed: Sequence[str]) -> Any:
        key = (file, *needed)
        if key not in self._engines:
            if len(self._engines) >= KEPT_ENGINES:
                self._engines.pop(next(iter(self._engines)))
            engine = new_engine()
            for name in needed:
                if name != file:
                    engine.add_policy(name, self._texts[name])
            engine.add_data_json(self._data)
            self._engines[key] = engine
        return self._engines[key]


def _file(name: str, text: str) -> PolicyFile:
    return PolicyFile(name=name, text=text, source="", path=Path(name))


def _values(engine: Any, names: Sequence[str]) -> list[Any] | None:
    """What tests are, asked in one query; ``None`` when one of them is undefined."""
    try:
        answer = json.loads(engine.eval_query_as_json(f"[{', '.join(f'data.{name}' for name in names)}]"))
    finally:
        engine.take_prints()
    if not answer.get("result"):
        return None
    values = answer["result"][0]["expressions"][0]["value"]
    if not isinstance(values, list) or len(values) != len(names):
        raise ValueError("the engine gave another number of values than there are tests")
    return values


def _all_true(engine: Any, names: Sequence[str]) -> bool:
    try:
        values = _values(engine, names)
    except Exception:  # noqa: BLE001 - whichever it was, one by one tells
        return False
    return values is not None and all(value is True for value in values)


def _first_failure(engine: Any, names: Sequence[str]) -> tuple[str, str]:
    for name in names:
        try:
            values = _values(engine, [name])
        except Exception as problem:  # noqa: BLE001 - a test that fails to run has noticed
            return name, clean(problem)
        if values is None:
            return name, "it is undefined"
        if values != [True]:
            return name, f"it is {json.dumps(values[0])[:200]}, not true"
    raise ValueError("the engine says that a test fails, and of none which")


def serve(requests: BinaryIO, out: BinaryIO) -> None:
    """Load, say so, and try mutants until the other side closes."""
    setup = json.loads(requests.readline())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory(setup["memory_bytes"])
    trials = Trials(setup)
    _tell(out, {"ready": True})
    while line := requests.readline():
        trial = json.loads(line)
        limit_cpu(trial["deadline_s"])
        try:
            verdict = trials.run(trial)
        except Exception as problem:  # noqa: BLE001 - a fault of ours must not look like a test that noticed
            verdict = {
                "verdict": "error",
                "test": "",
                "problem": f"{type(problem).__name__}: {problem}"[:500],
            }
        except BaseException as problem:  # noqa: BLE001 - the engine's panics are no Exception
            # What is left of the engine cannot be trusted: the other side starts a new process.
            _tell(out, {"id": trial["id"], "verdict": "crashed", "test": "", "problem": clean(problem)})
            return
        _tell(out, {"id": trial["id"], **verdict})


def _tell(out: BinaryIO, message: Mapping[str, Any]) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
