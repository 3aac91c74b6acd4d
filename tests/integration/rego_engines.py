"""One answer of the embedded engine, load-time check included, and one of OPA, in a form that can be compared."""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.errors import EngineError, PolicyLoadError
from plangate.policy.files import PolicyFile
from plangate.policy.flow import rule_reads
from plangate.policy.hazards import check_program
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Program
from plangate.policy.vocabulary import Vocabulary

VALUE: Final = "value"
UNDEFINED: Final = "undefined"
ERROR: Final = "error"
REFUSED: Final = "refused"


class Answer(Struct, frozen=True, kw_only=True):
    """What an engine says.

    Attributes:
        kind: ``value``, ``undefined``, ``error``, or ``refused`` (when loaded).
        value: The value as JSON text with sorted keys and numbers in one form.
        said: The message of an error or refusal.
    """

    kind: str
    value: str = ""
    said: str = ""

    def agrees(self, other: "Answer") -> bool:
        """Both are errors, both undefined, or both the same value."""
        return (self.kind, self.value) == (other.kind, other.value)


def canonical(value: Any) -> str:
    """JSON text that is equal for equal values: ``1`` and ``1.0`` are one number, ``true`` is none."""

    def plain(item: Any) -> Any:
        match item:
            case bool() | None:
                return item
            case int() | float() | Decimal():
                number = Decimal(str(item))
                return {"number": str(number.normalize() if number else Decimal(0))}
            case list():
                return [plain(part) for part in item]
            case dict():
                return {"object": {key: plain(part) for key, part in item.items()}}
            case _:
                return item

    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False)


def read_exactly(text: str | bytes) -> Any:
    """JSON with every number as it is written."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def refusal(
    modules: Sequence[tuple[str, str]], data: Mapping[str, Any] | None = None, *, rego_v0: bool = False
) -> PolicyLoadError | None:
    """Why the load-time check refuses these modules, all rules of which are taken to be judged."""
    files = [PolicyFile(name=name, text=text, source="differ", path=Path(name)) for name, text in modules]
    problems = Problems()
    parsed = parse_modules(files, problems, rego_v0=rego_v0)
    if problems.errors:
        return problems.errors[0]
    program = Program(parsed, data or {})
    broken = check_program(program, problems, rego_v0=rego_v0)
    if problems.errors:
        return problems.errors[0]
    for path, definitions in sorted(program.rules.items()):
        if path not in broken and not definitions[0].rule.args:
            rule_reads(program, path[:-1], problems, Vocabulary(), path[-1:])
            if problems.errors:
                return problems.errors[0]
    return None


def embedded(
    modules: Sequence[tuple[str, str]],
    queries: Sequence[str],
    data: Mapping[str, Any] | None = None,
    document: str = "{}",
    *,
    rego_v0: bool = False,
    together: bool = False,
) -> list[Answer]:
    """What the embedded engine, in its worker, answers to each query."""
    asked = [Query(name=query, text=query, group="all" if together else "") for query in queries]
    limits = TimeLimits(each_s=5, all_s=60)
    try:
        found = evaluate(modules, data or {}, asked, limits, document=document.encode(), v0=rego_v0)
    except EngineError as problem:
        return [Answer(kind=ERROR, said=str(problem))] * len(queries)
    answers = []
    for answer in found.answers:
        if answer.error:
            answers.append(Answer(kind=ERROR, said=answer.error))
        elif answer.undefined:
            answers.append(Answer(kind=UNDEFINED))
        else:
            answers.append(Answer(kind=VALUE, value=canonical(answer.value)))
    return answers


class Opa:
    """A running ``opa run --server``, asked over its socket as the gate asks: failures of builtins are errors."""

    def __init__(self, path: Path) -> None:
        self._connection = _SocketConnection(path)

    def ask(self, reference: str, document: str) -> Answer:
        """What ``data.<reference>`` is for an input, which is JSON text."""
        place = reference.replace(".", "/")
        body = f'{{"input": {document}}}'.encode()
        self._connection.request("POST", f"/v1/data/{place}?strict-builtin-errors=true", body)
        reply = self._connection.getresponse()
        found = read_exactly(reply.read())
        if reply.status != http.client.OK:
            said = [error["message"] for error in found.get("errors", [])]
            return Answer(kind=ERROR, said="; ".join(said) or found["message"])
        if "result" not in found:
            return Answer(kind=UNDEFINED)
        return Answer(kind=VALUE, value=canonical(found["result"]))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=8)
        self._path = path

    def connect(self) -> None:
        """Connect to the path instead of to a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@contextmanager
def running_opa(program: Path, modules: Sequence[tuple[str, str]]) -> Iterator[Opa]:
    """OPA with these modules, which it must be able to compile."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root / "policies", modules)
        path = root / "socket"
        command = [program, "run", "--server", "--addr", f"unix://{path}", "--log-level", "error"]
        command += ["--disable-telemetry", "--skip-known-schema-check", root / "policies"]
        errors = (root / "errors").open("wb+")
        with errors, subprocess.Popen([*map(str, command)], stdout=errors, stderr=errors) as process:
            try:
                yield from _connected(process, path, root / "errors")
            finally:
                process.kill()


def _connected(process: "subprocess.Popen[bytes]", path: Path, errors: Path) -> Iterator[Opa]:
    until = time.monotonic() + 30
    opa = Opa(path)
    while True:
        try:
            opa.ask("system.version", "{}")
        except OSError:
            opa.close()
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(errors.read_text()) from None
            time.sleep(0.02)
        else:
            break
    try:
        yield opa
    finally:
        opa.close()


def compile_errors(program: Path, modules: Sequence[tuple[str, str]]) -> dict[str, str]:
    """File to what OPA's compiler says of it, for each of these modules that OPA does not load."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, modules)
        # A stage of the compiler is not reached while an earlier one finds something.
        while True:
            command = [str(program), "check", "--format", "json", "--max-errors", "100000", str(root)]
            done = subprocess.run(command, capture_output=True, check=False, timeout=120)
            if done.returncode == 0:
                return found
            for error in json.loads(done.stderr or done.stdout)["errors"]:
                name = Path(error["location"]["file"]).relative_to(root).as_posix()
                found[name] = error["message"]
                (root / name).unlink(missing_ok=True)


def _write(root: Path, modules: Sequence[tuple[str, str]]) -> None:
    for name, text in modules:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def opa_test_verdicts(program: Path, folder: Path) -> dict[str, str]:
    """Each test of a folder with what ``opa test`` says of it."""
    command = [str(program), "test", "--format", "json", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return {
        f"{test['package'].removeprefix('data.')}.{test['name']}": (
            "error" if test.get("error") else "failed" if test.get("fail") else "passed"
        )
        for test in json.loads(done.stdout)
    }
