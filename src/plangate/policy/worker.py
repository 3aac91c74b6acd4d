r"""The process that holds the engine. It may be killed at any time, and it can hurt nobody but itself.

regorus holds the interpreter lock, has no time-out, and a stack overflow or a failed allocation in it ends the
process. So it never runs in ours. This module imports nothing of plangate but what is as plain as itself
(`plangate.policy.exactness`): it is also started with ``-c``.

Frames on both pipes are a four-byte kind, an eight-byte big-endian length, and that many bytes::

    to the worker     LOAD {modules, data, queries, limits}   first of all, only when started by exec
                      EVAL {"deadline_s", "exact"[, "letters", "apart", "data", "query", "no_input"]}\\n<document>
    from the worker   REDY                                     policies are loaded
                      BEGN <index>                             about to evaluate this query alone
                      ALLA <JSON>                              all queries at once succeeded: their values
                      ANSW <index>\\n<JSON>                     one query's answer
                      FAIL <index>\\n<message>                  one query failed
                      NOTE <index>\\n{"seconds", "prints"}      how that query went, when each is asked apart
                      COVR {file: [lines]}                     lines that were evaluated, when that was asked for
                      DONE                                     every query has been answered
                      DEAD <message>                           the worker gives up
"""

import json
import math
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

from plangate.policy.exactness import LARGE, MARK, WITH_OPA, install

HEADER_BYTES: Final = 12

MAX_FILE_BYTES: Final = 1 << 20
MAX_LINES: Final = 20_000
MAX_COLUMNS: Final = 4_000
_GUARDED_COLUMNS: Final = 20 * MAX_COLUMNS
"""Guards are put into lines that were short enough."""

_TOO_LARGE: Final = "not an i64"
"""What the engine says when a number cannot be handed to a guard."""
_PLACED: Final = re.compile(r"(?P<file>.*?):(?P<line>[0-9]+):(?P<column>[0-9]+): ", re.DOTALL)
_EXACT_PACKAGE: Final = "plangate_exact_input"
_TOGETHER_PACKAGE: Final = "plangate_questions"
_MOST_CHOICES: Final = 64
"""Choices of queries that get a rule of their own, each a few kilobytes; for any other all queries are answered."""


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """One message as bytes."""
    return kind + len(body).to_bytes(8, "big") + body


def clean(problem: BaseException) -> str:
    r"""An engine error without its stack backtrace and source drawing, on one line.

    The engine's text looks like ``\\n--> file:3:7\\n  |\\n3 | code\\n  |  ^\\nerror: what``.
    """
    text = str(problem).split("Stack backtrace:", maxsplit=1)[0].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    where = next((line.removeprefix("--> ") for line in lines if line.startswith("--> ")), "")
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if said and MARK in said[0]:
        return said[0].partition(MARK)[2][:500]  # it says where by itself
    if said and said[0] == _TOO_LARGE:
        said = [f"{LARGE}; {WITH_OPA}"]
    if not said:
        return " ".join(lines)[:500] or type(problem).__name__
    return f"{where}: {said[0]}"[:500] if where else said[0][:500]


def new_engine(*, rego_v0: bool = False) -> Any:
    """An engine with our limits on policy size; for the syntax of Rego v1, or of v0."""
    import regorus  # type: ignore[import-untyped]  # noqa: PLC0415 - only a process that evaluates pays

    engine = regorus.Engine()
    engine.set_rego_v0(rego_v0)
    engine.set_policy_length_config(max_col=MAX_COLUMNS, max_file_bytes=MAX_FILE_BYTES, max_lines=MAX_LINES)
    # Otherwise print() in a policy goes to stderr.
    engine.set_gather_prints(True)
    return engine


class Worker:
    """Policies loaded, waiting for documents."""

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self.setup = setup
        self.engine = new_engine(rego_v0=setup.get("rego_v0", False))
        if setup.get("places"):
            install(self.engine, setup["places"])
            size = MAX_FILE_BYTES * _GUARDED_COLUMNS // MAX_COLUMNS
            self.engine.set_policy_length_config(
                max_col=_GUARDED_COLUMNS, max_file_bytes=size, max_lines=MAX_LINES
            )
        self._lettered: Worker | None = None
        for file, text in setup["modules"]:
            self.engine.add_policy(file, text)
        self.engine.add_data_json(setup["data"])
        self.coverage = setup.get("coverage", False)
        self.engine.set_enable_coverage(self.coverage)
        self.queries: Sequence[str] = setup["queries"]
        # A query is parsed and analysed again each time, which takes longer than a small plan does; a rule is not.
        self.together = ""
        self._chosen: dict[tuple[int, ...], str] = {}
        if setup.get("as_rule", False) and not self.coverage:
            self.together = self._rule_of(_TOGETHER_PACKAGE, self.queries)

    def said(self, problem: BaseException) -> str:
        """An engine error (`clean`), with the column of the text as it was written, without guards."""
        text = clean(problem)
        found = None if MARK in str(problem) else _PLACED.match(text)
        shifts = self.setup.get("shifts", {}).get(found["file"], {}) if found else {}
        if found is None or found["line"] not in shifts:
            return text
        column = int(found["column"])
        moved = 0
        for at, length in shifts[found["line"]]:
            if column < at + moved:
                break
            moved += min(length, column - at - moved)
        return f"{found['file']}:{found['line']}:{column - moved}: {text[found.end() :]}"

    def for_letters(self, *, odd: bool) -> "Worker":
        """The worker for documents with odd letters, or itself."""
        if not odd or not self.setup.get("lettered"):
            return self
        if self._lettered is None:
            lettered = {"modules": self.setup["lettered"], "shifts": self.setup["lettered_shifts"]}
            self._lettered = Worker({**self.setup, **lettered, "lettered": ()})
        return self._lettered

    def _rule_of(self, package: str, queries: Sequence[str]) -> str:
        listed = ",\n".join(queries)
        self.engine.add_policy(package, f"package {package}\nanswers := [{listed}]\n")
        return f"data.{package}.answers"

    def chosen(self, numbers: tuple[int, ...]) -> str:
        """The rule that answers only these queries, for `evaluate`; empty when they have none."""
        if not self.together or (numbers not in self._chosen and len(self._chosen) >= _MOST_CHOICES):
            return ""
        if numbers not in self._chosen:
            package = f"{_TOGETHER_PACKAGE}_{len(self._chosen)}"
            self._chosen[numbers] = self._rule_of(package, [self.queries[number] for number in numbers])
        return self._chosen[numbers]

    def at_once(self, document: bytes, rule: str) -> str:
        """The answers of all queries of a rule as JSON; empty when there are none, and `evaluate` has to say why."""
        engine = self.engine
        engine.set_input_json(document.decode())
        try:
            value: str = engine.eval_rule_as_json(rule)
        except Exception:  # noqa: BLE001 - whatever it was, it is found again
            return ""
        finally:
            engine.take_prints()
        return value if value.startswith("[") else ""

    def evaluate(
        self,
        out: BinaryIO,
        document: bytes,
        *,
        exact: bool,
        data: str = "",
        apart: bool = False,
        chosen: str = "",
    ) -> None:
        """Answer every query on one document, with more data for this one if there is any.

        ``apart`` asks each query by itself and tells how it went. With a rule that was ``chosen`` all at once are those
        of that rule; when it fails, it is every query one by one all the same.
        """
        engine, suffix = self.engine, ""
        if data:
            engine = engine.clone()
            engine.add_data_json(data)
        if exact:
            # Numbers in an input document become floats above 64 bits; those in a policy do not. So a document
            # with such a number is handed over as policy text (JSON is Rego), on a copy that is thrown away.
            engine = engine.clone()
            size = len(document) + 100
            engine.set_policy_length_config(max_col=size, max_file_bytes=size, max_lines=size)
            engine.add_policy("input", f"package {_EXACT_PACKAGE}\ndocument := {document.decode()}")
            suffix = f" with input as data.{_EXACT_PACKAGE}.document"
        else:
            engine.set_input_json(document.decode())
        if apart:
            self._one_by_one(out, engine, suffix, apart=True)
        else:
            self._answer(out, engine, suffix, chosen or self.together)
        engine.take_prints()
        if self.coverage:
            files = json.loads(engine.get_coverage_report_as_json())["files"]
            covered = {file["path"]: file["covered"] for file in files}
            out.write(frame(b"COVR", json.dumps(covered).encode()))
        out.write(frame(b"DONE"))
        out.flush()

    def ask(self, out: BinaryIO, document: bytes, query: str, *, has_input: bool) -> None:
        """Answer one query that is none of the loaded ones, on a document or on none at all."""
        engine = self.engine if has_input else Worker(self.setup).engine
        if has_input:
            engine.set_input_json(document.decode())
        out.write(frame(b"BEGN", b"0"))
        out.flush()
        try:
            answer = engine.eval_query_as_json(query)
        except Exception as problem:  # noqa: BLE001 - becomes the query's error
            out.write(frame(b"FAIL", f"0\n{self.said(problem)}".encode()))
        else:
            out.write(frame(b"ANSW", f"0\n{answer}".encode()))
        engine.take_prints()
        out.write(frame(b"DONE"))
        out.flush()

    def _answer(self, out: BinaryIO, engine: Any, suffix: str, rule: str) -> None:
        # All at once shares what rules have in common (the index by kind above all), which makes twenty rules
        # four times faster than one by one. One failing or undefined rule spoils that: then one by one.
        try:
            if rule and not suffix:
                value = engine.eval_rule_as_json(rule)
                # It is a list, or the text that stands for undefined.
                is_list = value.startswith("[")
                together = f'{{"result":[{{"expressions":[{{"value":{value}}}]}}]}}' if is_list else "{}"
            else:
                # On lines of their own: the limit on the length of a line holds for queries as well.
                joined = ",\n".join(self.queries)
                together = engine.eval_query_as_json(f"[{joined}]{suffix}")
        except Exception:  # noqa: BLE001 - whatever it was, the loop below finds whose it is
            together = "{}"
        if '"result"' in together:
            out.write(frame(b"ALLA", together.encode()))
            return
        self._one_by_one(out, engine, suffix)

    def _one_by_one(self, out: BinaryIO, engine: Any, suffix: str, *, apart: bool = False) -> None:
        for index, query in enumerate(self.queries):
            out.write(frame(b"BEGN", str(index).encode()))
            out.flush()
            started = time.perf_counter()
            try:
                answer = engine.eval_query_as_json(f"[{query}]{suffix}")
            except Exception as problem:  # noqa: BLE001 - becomes the rule's error
                out.write(frame(b"FAIL", f"{index}\n{self.said(problem)}".encode()))
            else:
                out.write(frame(b"ANSW", f"{index}\n{answer}".encode()))
            if apart:
                note = {"seconds": time.perf_counter() - started, "prints": engine.take_prints()}
                out.write(frame(b"NOTE", f"{index}\n{json.dumps(note)}".encode()))


def _read(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    length = int.from_bytes(header[4:], "big")
    body = stream.read(length)
    return (header[:4], body) if len(body) == length else None


def limit_memory(memory_bytes: int) -> None:
    """Refuse address space beyond what the process has now plus ``memory_bytes``, where the system can."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - no pathlib in this process
            used = int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = used + memory_bytes
    try:
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))
    except (OSError, ValueError):
        # Not every system enforces it (macOS); the deadline still holds.
        return


def limit_cpu(seconds: float) -> None:
    """End the process when it has used this much more processor time: also when our parent is gone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def serve(requests: BinaryIO, out: BinaryIO, setup: Mapping[str, Any] | None) -> None:
    """Load, say so, and answer until the other side closes. Never raises."""
    try:
        if setup is None:
            first = _read(requests)
            if first is None or first[0] != b"LOAD":
                return
            setup = json.loads(first[1])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit_memory(setup["memory_bytes"])
        worker = Worker(setup)
        out.write(frame(b"REDY"))
        out.flush()
        while (request := _read(requests)) is not None:
            options, _, document = request[1].partition(b"\n")
            asked = json.loads(options)
            limit_cpu(asked["deadline_s"])
            if "query" in asked:
                worker.for_letters(odd=asked.get("letters", False)).ask(
                    out, document, asked["query"], has_input=not asked.get("no_input", False)
                )
                continue
            worker.for_letters(odd=asked.get("letters", False)).evaluate(
                out,
                document,
                exact=asked["exact"],
                data=asked.get("data", ""),
                apart=asked.get("apart", False),
            )
    except BrokenPipeError:
        return
    except BaseException as problem:  # noqa: BLE001 - the engine's panics are no Exception
        out.write(frame(b"DEAD", clean(problem).encode()))
        out.flush()


def _only_keep(descriptors: Sequence[int]) -> None:
    """Close every other descriptor: a copy of some pipe's end would keep its reader waiting for ever."""
    try:
        opened = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - no pathlib in this process
    except OSError:
        opened = list(range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    for descriptor in opened:
        if descriptor > 2 and descriptor not in descriptors:  # noqa: PLR2004 - 0 to 2 are replaced below
            try:
                os.close(descriptor)
            except OSError:
                continue


def child(request_fd: int, answer_fd: int, setup: Mapping[str, Any] | None) -> None:
    """Be the worker on two pipe ends, and end the process. Standard streams lead nowhere from here on."""
    status = 70
    try:
        _only_keep((request_fd, answer_fd))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        with os.fdopen(request_fd, "rb") as requests, os.fdopen(answer_fd, "wb") as out:
            serve(requests, out, setup)
        status = 0
    finally:
        # No exit handlers: this may be a copy of a process that has its own to run.
        os._exit(status)


if __name__ == "__main__":
    child(int(sys.argv[1]), int(sys.argv[2]), None)
