"""Rego text to modules, through the engine's own parser: what it does not understand, we do not judge with."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from plangate.errors import PolicyLoadError
from plangate.policy.files import PolicyFile
from plangate.policy.problems import Problems
from plangate.policy.syntax import Module, read_module
from plangate.policy.worker import clean, new_engine

_PLACED: Final = re.compile(
    r"^(?P<file>.*?):(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<problem>.*)$", re.DOTALL
)

_HINTS: Final[tuple[tuple[str, str], ...]] = (
    (r"^\s*import\b", "write imports above the first rule"),
    (r"\$[\"`]", "string interpolation is not supported: use sprintf or concat"),
    (r"^\s*[a-z_][\w.]*\([^)]*\)\s*(#.*)?$", "a function needs a value or a body: write `:= true`"),
)
"""What a line looks like when it is one of the constructs that OPA knows and our parser, regorus, does not.

No engine judges with these: what is not read cannot be checked."""


def parse_modules(
    files: Sequence[PolicyFile], problems: Problems | None = None, *, rego_v0: bool = False
) -> tuple[Module, ...]:
    """Every file as a module, in the same order.

    Args:
        files: Rego texts.
        problems: Takes what is wrong with each file, which is then left out.
        rego_v0: They are written in Rego v0.

    Raises:
        PolicyLoadError: Without ``problems``: the first file that is not Rego as the engine knows it, with line and
            column.
    """
    found = Problems() if problems is None else problems
    modules = _parse(files, found, rego_v0=rego_v0)
    if problems is None:
        found.raise_first()
    return modules


def _parse(files: Sequence[PolicyFile], problems: Problems, *, rego_v0: bool) -> tuple[Module, ...]:
    parsed, trees = _trees(files, problems, rego_v0=rego_v0)
    modules: list[Module] = []
    if len(_READ) > _MOST_KEPT:
        _READ.clear()
    for file in parsed if trees else ():
        with problems.part("syntax"):
            module = read_module(file.name, file.text, trees[file.name])
            modules.append(module)
            _READ[file.name, file.text, rego_v0] = module
    return tuple(modules)


def _trees(
    files: Sequence[PolicyFile], problems: Problems, *, rego_v0: bool
) -> tuple[list[PolicyFile], dict[str, Any]]:
    """The files that the engine can read, and its syntax tree of each.

    No problem that is kept may keep the engine: another thread could end it, which it does not bear.
    """
    engine = new_engine(rego_v0=rego_v0)
    parsed: list[PolicyFile] = []
    for file in files:
        try:
            engine.add_policy(file.name, file.text)
        except Exception as problem:  # noqa: BLE001 - whatever the engine says is a problem of this file
            problems.note(_syntax_error(file, clean(problem)), "syntax")
        else:
            parsed.append(file)
    if not parsed:
        return [], {}
    try:
        found = json.loads(engine.get_ast_as_json())
    except (ValueError, RecursionError, RuntimeError) as problem:
        said = f"the engine gave no syntax tree: {problem}"
        problems.note(PolicyLoadError(parsed[0].name, said), "syntax")
        return [], {}
    return parsed, {tree["source"]["file"]: tree["ast"] for tree in found}


_MOST_KEPT: Final = 1024
_READ: Final[dict[tuple[str, str, bool], Module]] = {}
"""What was read: policies are checked and guarded one after the other, and nobody changes a module."""


def parsed_module(name: str, text: str, *, rego_v0: bool = False) -> Module:
    """One module, which may have been read before.

    Raises:
        PolicyLoadError: As for `parse_modules`.
    """
    known = _READ.get((name, text, rego_v0))
    if known is not None:
        return known
    (module,) = parse_modules([PolicyFile(name=name, text=text, source="", path=Path(name))], rego_v0=rego_v0)
    return module


def prepare(modules: Sequence[Module], *, rego_v0: bool = False) -> None:
    """Let the engine plan the evaluation, which finds unsafe variables and conflicting definitions.

    Raises:
        PolicyLoadError: With the engine's own words and place.
    """
    engine = new_engine(rego_v0=rego_v0)
    for module in modules:
        engine.add_policy(module.file, module.text)
    said = ""
    try:
        engine.eval_query_as_json("true")
    except Exception as problem:  # noqa: BLE001 - whatever the engine says is a problem of the policies
        said = clean(problem)
    finally:
        del engine  # see `_trees`
    if said:
        raise _engine_error(said, modules[0].file if modules else "policies")


def _engine_error(said: str, file: str) -> PolicyLoadError:
    placed = _PLACED.match(said)
    if placed is None:
        return PolicyLoadError(file, said)
    return PolicyLoadError(
        placed["file"], placed["problem"], line=int(placed["line"]), column=int(placed["column"])
    )


def _syntax_error(file: PolicyFile, said: str) -> PolicyLoadError:
    error = _engine_error(said, file.name)
    lines = file.text.split("\n")
    line = lines[error.line - 1] if 0 < error.line <= len(lines) else ""
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, line)), "")
    return PolicyLoadError(file.name, error.problem, line=error.line, column=error.column, hint=hint)
