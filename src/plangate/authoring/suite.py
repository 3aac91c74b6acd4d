"""Policies and their tests in memory: what there is to run, before anything is run.

A test is a rule whose name starts with ``test_``, in any module; ``todo_test_`` is one that is skipped. As in
``opa test``, every *definition* is a test of its own, so a second definition of a name gets the name with ``#01``.
The engine would take them for alternatives, of which one that holds hides one that does not; so each gets a name of
its own in the text before it is loaded.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from plangate.authoring.doubts import Doubt, find_doubts
from plangate.policy.files import PolicyFile
from plangate.policy.parse import parse_modules
from plangate.policy.syntax import Expr, Module, Rule

PREFIX: Final = "test_"
SKIPPED: Final = "todo_test_"


class Suite(Struct, frozen=True, kw_only=True):
    """Policies, their tests and their data.

    Attributes:
        modules: ``(file name, text)`` of what is tested, the library included.
        tests: ``(file name, text)`` of the modules with tests, and of those that only tests use.
        data: What is below ``data``.
        v0: The texts are Rego v0, unless they say otherwise (``import rego.v1``).
        foreign: Names of files that are there for others to import: the library, makers of plans. Their tests are
            not run, and they do not count for coverage.
        plain: The modules are no rules of plangate, so every ``not`` in them is looked at while they run.
    """

    modules: tuple[tuple[str, str], ...]
    tests: tuple[tuple[str, str], ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    v0: bool = False
    foreign: frozenset[str] = frozenset()
    plain: bool = False


class FoundTest(Struct, frozen=True, kw_only=True, eq=False):
    """One test as it is written.

    Attributes:
        name: ``<package>.<rule>``, with ``#01`` from the second definition on.
        path: What the engine calls it, below ``data``.
        module: Where it is written; its text has the engine's names.
        rule: Its definition.
        line: Of its definition.
        skipped: It is a ``todo_test_``.
        keys: The computed keys of a test with cases, ``test_x[case]``; empty for one without.
    """

    name: str
    path: tuple[str, ...]
    module: Module
    rule: Rule
    line: int
    skipped: bool
    keys: tuple[Expr, ...]


class Found(Struct, frozen=True, kw_only=True, eq=False):
    """All tests of a suite, in the order of files and lines.

    Attributes:
        tests: What there is to run.
        modules: ``(file name, text)`` of the whole suite as the engine gets it.
        parsed: The modules that hold tests, or that only tests use, by file name.
        doubts: Where the engine's ``not`` may differ from OPA's.
    """

    tests: tuple[FoundTest, ...]
    modules: tuple[tuple[str, str], ...]
    parsed: Mapping[str, Module]
    doubts: tuple[Doubt, ...]


def find_tests(suite: Suite) -> Found:
    """The tests of a suite. Nothing is evaluated.

    Raises:
        PolicyLoadError: A module is not Rego as the engine knows it.
    """
    # A policy may hold tests too. Those that do not are not parsed again: mutation runs one suite many times.
    inside = tuple(module for module in suite.modules if suite.plain or PREFIX in module[1])
    tests, parsed, doubts = _tests_of((*inside, *suite.tests), v0=suite.v0)
    texts = {name: module.text for name, module in parsed.items()}
    return Found(
        tests=tuple(test for test in tests if test.module.file not in suite.foreign),
        modules=tuple((name, texts.get(name, text)) for name, text in (*suite.modules, *suite.tests)),
        parsed=parsed,
        doubts=doubts,
    )


@lru_cache(maxsize=8)
def _tests_of(
    modules: tuple[tuple[str, str], ...], *, v0: bool
) -> tuple[tuple[FoundTest, ...], Mapping[str, Module], tuple[Doubt, ...]]:
    parsed = parse_texts(modules, v0=v0)
    edits: dict[str, list[tuple[int, str]]] = {}
    counts: dict[tuple[str, ...], int] = {}
    labels: dict[tuple[str, int], str] = {}
    for module in parsed:
        for rule in module.rules:
            path = _test_path(rule)
            if path is None:
                continue
            full = (*module.package, *(str(step.value) for step in path))
            seen = counts[full] = counts.get(full, -1) + 1
            if seen and not full[-1].startswith(SKIPPED):
                labels[module.file, rule.start] = f"#{seen:02}"
                end = path[-1].end
                quoted = module.encoded[end - 1 : end] in {b'"', b"`"}
                edits.setdefault(module.file, []).append((end - quoted, f"__{seen:02}"))
    if edits:
        modules = tuple((name, _with_edits(text, edits.get(name, ()))) for name, text in modules)
        renamed = {module.file: module for module in parse_texts(modules, v0=v0)}
    else:
        renamed = {module.file: module for module in parsed}
    found = [
        _found(renamed[module.file], engines, path, labels.get((module.file, written.start), ""))
        for module in parsed
        for written, engines in zip(module.rules, renamed[module.file].rules, strict=True)
        if (path := _test_path(written)) is not None
    ]
    return tuple(found), renamed, find_doubts(tuple(renamed.values()))


def _found(module: Module, rule: Rule, written: Sequence[Expr], label: str) -> FoundTest:
    """A test from its definition as the engine gets it and the words of its head as they are written."""
    path = _test_path(rule) or ()
    words = tuple(str(step.value) for step in written)
    rest = rule.ref.parts[len(path) :] if rule.ref.form == "ref" else ()
    return FoundTest(
        name=".".join((*module.package, *words)) + label,
        path=(*module.package, *(str(step.value) for step in path)),
        module=module,
        rule=rule,
        line=module.position(rule.start)[0],
        skipped=words[-1].startswith(SKIPPED),
        keys=() if rule.form != "value" or all(step.form == "scalar" for step in rest) else rest,
    )


def reference(path: Sequence[str]) -> str:
    """``data.a["b-c"]`` for a path below ``data``."""
    return "data" + "".join(f".{word}" if word.isidentifier() else f"[{json.dumps(word)}]" for word in path)


def is_test(rule: Rule) -> bool:
    """The rule is a test."""
    return _test_path(rule) is not None


def _test_path(rule: Rule) -> tuple[Expr, ...] | None:
    """The words of a head up to the first that makes it a test, or ``None`` for any other rule."""
    parts = rule.ref.parts if rule.ref.form == "ref" else (rule.ref,)
    for index, step in enumerate(parts):
        if index and step.form != "scalar":
            return None
        if isinstance(step.value, str) and step.value.startswith((PREFIX, SKIPPED)):
            return parts[: index + 1]
    return None


def _with_edits(text: str, edits: Sequence[tuple[int, str]]) -> str:
    """The text with something put in at byte offsets."""
    content = text.encode()
    for at, what in sorted(edits, reverse=True):
        content = content[:at] + what.encode() + content[at:]
    return content.decode()


def parse_texts(modules: Sequence[tuple[str, str]], *, v0: bool = False) -> tuple[Module, ...]:
    """Every text as a module, in the same order.

    Raises:
        PolicyLoadError: One is not Rego as the engine knows it.
    """
    return tuple(_parsed(name, text, v0=v0) for name, text in modules)


@lru_cache(maxsize=4096)
def _parsed(name: str, text: str, *, v0: bool) -> Module:
    # A suite is looked at several times over, and few of its texts differ from one time to the next.
    (module,) = parse_modules((PolicyFile(name=name, text=text, source="", path=Path()),), rego_v0=v0)
    return module
