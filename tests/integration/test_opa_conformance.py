"""OPA's own test cases, where Go has them in its module cache: no case is accepted and answered differently.

The cases are those of the version that the table of builtins was made from. They come with OPA's source
(https://github.com/open-policy-agent/opa/tree/v1.10.0/v1/test/cases/testdata) and are read where they are.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from plangate.policy.builtin_table import BUILTINS
from plangate.policy.files import PolicyFile
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Program
from plangate.policy.syntax import Module, Statement, rule_statements
from tests.integration.rego_engines import ERROR, canonical, embedded, refusal

VERSION: Final = "v1.10.0"
CASES: Final = Path("github.com", "open-policy-agent", f"opa@{VERSION}", "v1", "test", "cases", "testdata")

EQUAL: Final = "equal"
BOTH_ERRORS: Final = "error in both"
LOUD: Final = "error here"
REFUSED: Final = "refused when loaded"
OTHER_INPUT: Final = "input is no JSON document"
DIFFERENT: Final = "different"


COUNTS: Final[Mapping[str, Mapping[str, int]]] = {
    "v1": {EQUAL: 768, BOTH_ERRORS: 91, LOUD: 7, REFUSED: 1047, OTHER_INPUT: 58},
    "v0": {EQUAL: 755, BOTH_ERRORS: 83, LOUD: 9, REFUSED: 1030, OTHER_INPUT: 57},
}
"""As docs/adr/0004-embedded-rego.md has them. The loud ones are errors of builtins, which OPA's cases ignore."""


def the_cases() -> Path:
    """The folder with the cases, or a skip that says why there is none."""
    folder = os.environ.get("GOMODCACHE", "")
    if not folder and (go := shutil.which("go")):
        command = [go, "env", "GOMODCACHE"]
        folder = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    root = Path(folder or Path.home() / "go" / "pkg" / "mod") / CASES
    if not root.is_dir():
        pytest.skip(f"no test cases of OPA {VERSION} in Go's module cache")
    return root


def cases(root: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted(root.rglob("*.yaml")):
        if not path.name.startswith("."):
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            yield from (document or {}).get("cases") or ()


def outcome(case: Mapping[str, Any], *, rego_v0: bool) -> str:
    """How a case ends here, against what OPA demands of itself."""
    modules = [(f"m{number}.rego", text) for number, text in enumerate(case.get("modules") or ())]
    modules = [*as_values(modules, rego_v0=rego_v0), ("query.rego", the_query(case, rego_v0=rego_v0))]
    data = case.get("data") or {}
    if case.get("env") or not has_document(case):
        return OTHER_INPUT
    if refusal(modules, data, rego_v0=rego_v0) is not None:
        return REFUSED
    document = case.get("input_term") or json.dumps(case.get("input", {}))
    (answer,) = embedded(modules, ["data.plangate_query.result"], data, document, rego_v0=rego_v0)
    if case.get("want_error") or case.get("want_error_code"):
        return BOTH_ERRORS if answer.kind == ERROR else DIFFERENT
    if answer.kind == ERROR:
        return LOUD
    found = json.loads(answer.value or "[]")
    if "want_defined" in case:
        return EQUAL if bool(found) == case["want_defined"] else DIFFERENT
    wanted = [json.loads(canonical(item)) for item in case.get("want_result") or ()]
    return EQUAL if sorted(map(str, found)) == sorted(map(str, wanted)) else DIFFERENT


def has_document(case: Mapping[str, Any]) -> bool:
    """There is an input, as there always is in the gate, and it is JSON; or no module asks for it."""
    if case.get("input_term"):
        try:
            json.loads(case["input_term"])
        except ValueError:
            return False
        return True
    return "input" in case or not any("input" in text for text in case.get("modules") or ())


def the_query(case: Mapping[str, Any], *, rego_v0: bool) -> str:
    """The case's query as a rule: an object of the wanted variables for each way to satisfy it."""
    names = sorted({name for item in case.get("want_result") or () for name in item})
    item = ", ".join(f'"{name}": {name}' for name in names)
    header = "package plangate_query\n\nimport rego.v1\n" if rego_v0 else "package plangate_query\n"
    return f"{header}\nresult := [{{{item}}} | {case['query'].strip()}]\n"


def as_values(modules: Sequence[tuple[str, str]], *, rego_v0: bool) -> list[tuple[str, str]]:
    """Modules with each ``builtin(a, result)`` written as ``result = builtin(a)``, the form that we take."""
    files = [PolicyFile(name=name, text=text, source="opa", path=Path(name)) for name, text in modules]
    parsed = {module.file: module for module in parse_modules(files, Problems(), rego_v0=rego_v0)}
    program = Program(tuple(parsed.values()), {})
    return [(name, _rewritten(program, parsed[name]) if name in parsed else text) for name, text in modules]


def _rewritten(program: Program, module: Module) -> str:
    found = module.encoded
    lines = {line.start: line for rule in module.rules for line in rule_statements(rule)}
    for _, line in sorted(lines.items(), reverse=True):
        if _gives_its_last(program, module, line):
            call = line.parts[0]
            *_, before, last = call.parts
            result = found[last.start : last.end].decode()
            head = found[call.start : before.end].decode()
            found = found[: call.start] + f"{result} = {head})".encode() + found[call.end :]
    return found.decode()


def _gives_its_last(program: Program, module: Module, line: Statement) -> bool:
    call = line.parts[0] if line.form == "expr" and line.parts else None
    if call is None or call.form != "call":
        return False
    kind, path = program.callee(module, call.parts[0])
    name = ".".join(path)
    return (
        kind == "builtin" and name in BUILTINS and name != "walk" and len(call.parts) == BUILTINS[name][0] + 2
    )


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "rego_v0"), [("v1", False), ("v0", True)])
def test_no_case_of_opa_is_answered_differently(folder: str, rego_v0: bool) -> None:
    root = the_cases() / folder
    outcomes = [(case["note"], outcome(case, rego_v0=rego_v0)) for case in cases(root)]
    assert [note for note, found in outcomes if found == DIFFERENT] == []
    assert Counter(found for _, found in outcomes) == COUNTS[folder]
