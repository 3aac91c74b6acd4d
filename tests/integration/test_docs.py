"""What the documents say is what happens: their sessions run, their tables are complete, their links lead somewhere."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import plangate
from plangate import errors
from plangate.cli.app import COMMANDS
from plangate.errors import PlangateError
from plangate.rules.registry import RULES
from tests.aws_server import ENVIRONMENT
from tests.command_line import ALLOWED, DENIED, command_folder, environment
from tests.integration.documents import Session, blocks, pattern, steps
from tests.tools import ROOT, require_tool

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")])
SESSIONS = [
    page
    for page in (ROOT / "README.md", DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))
    if page.exists()
]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- Sessions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", SESSIONS, ids=name)
def test_the_commands_of_a_page_print_what_the_page_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    found = list(blocks(page.read_text()))
    tools = command_folder(tmp_path / "bin")
    program = require_tool("terraform") if _uses_terraform(page) else None
    if page.name == "use-opa.md":
        require_tool("opa")
        pytest.importorskip("opa_client")
    if program is not None and program.name != "terraform":
        (tools / "terraform").symlink_to(program)
    env = environment()
    env |= {"PATH": os.pathsep.join((str(tools), env["PATH"])), "LC_ALL": "C.UTF-8"}
    if page.name == "run-aws.md":
        env |= {**ENVIRONMENT, "AWS_ENDPOINT_URL": request.getfixturevalue("aws_account").url}
    folder = tmp_path / "session"
    folder.mkdir()
    (folder / "allowed.json").write_bytes(ALLOWED.read_bytes())
    (folder / "denied.json").write_bytes(DENIED.read_bytes())
    session = Session(folder, env)
    for block in found:
        if block.word == "skip":
            continue
        if block.language == "run":
            printed = session.run(block.text)
            assert session.code == 0, f"{name(page)}:{block.line}: {block.text}\n{printed}"
        elif block.word == "file":
            (folder / block.what).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.what).write_text(block.text)
        elif block.language == "console":
            for step in steps(block):
                printed = session.run(step.command)
                place = f"{name(page)}:{step.line}: $ {step.command}"
                assert pattern(step.expected).fullmatch(printed), (
                    f"{place}\n{printed}\n--- expected\n{step.expected}"
                )


def _uses_terraform(page: Path) -> bool:
    return re.search(r"^\$ (terraform |plangate apply)", page.read_text(), flags=re.MULTILINE) is not None


def test_a_session_notices_a_command_that_prints_something_else() -> None:
    assert pattern("a ... c\n...\nz\n").fullmatch("a b c\n1\n2\nz\n")
    assert not pattern("a ... c\n").fullmatch("a b d\n")
    assert not pattern("").fullmatch("something\n")
    assert not pattern("one\n").fullmatch("one\ntwo\n")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_yaml_blocks_are_yaml(page: Path) -> None:
    for block in blocks(page.read_text()):
        if block.language == "yaml":
            yaml.safe_load(block.text)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in SESSIONS], ids=name)
def test_a_session_stands_only_where_it_is_run(page: Path) -> None:
    shown = [block.line for block in blocks(page.read_text()) if block.language == "console"]
    run = {"CONTRIBUTING.md", "docs/performance.md"}  # make targets, which the frame's tests look at
    assert shown == [] or name(page) in run


# --- Links --------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_found_from_the_first() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)", page.read_text()):
            file = (page.parent / target).resolve()
            waiting += sorted(file.glob("*.md")) if file.is_dir() else [file]
    assert sorted(name(page) for page in DOCS.rglob("*.md") if page not in seen) == []


# --- Reference ----------------------------------------------------------------------------------------------


def test_the_generated_reference_and_pictures_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_reference.py"), "--check"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_command_reference_has_every_command() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()
    headed = {
        heading.split()[1] for heading in re.findall(r"^## `(plangate \w+.*)`$", text, flags=re.MULTILINE)
    }
    assert headed == set(COMMANDS)


def every_error() -> set[type[PlangateError]]:
    for module in pkgutil.walk_packages(plangate.__path__, "plangate."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[PlangateError]] = {PlangateError}
    waiting: list[type[PlangateError]] = [PlangateError]
    while waiting:
        below = waiting.pop().__subclasses__()
        found.update(below)
        waiting += below
    return {error for error in found if error.__module__.startswith("plangate.")}


def test_every_error_is_documented_with_its_exit_code() -> None:
    text = (DOCS / "reference" / "exit-codes.md").read_text()
    written = dict(re.findall(r"^\| `(\w+Error)` \| (\d+) \|", text, flags=re.MULTILINE))
    assert written == {error.__name__: str(error.exit_code) for error in every_error()}


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "reference" / "exit-codes.md").read_text()
    written = {int(code) for code in re.findall(r"^\| (\d+) \| [a-z]", text, flags=re.MULTILINE)}
    codes = {value for key, value in inspect.getmembers(errors) if key.startswith("EXIT_")}
    assert written == codes
    readme = {
        int(code)
        for code in re.findall(r"^\| (\d+) \| [a-z]", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    }
    assert readme == codes


def test_the_glossary_is_sorted_and_says_each_word_once() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE)
    assert words == sorted(set(words), key=str.lower)


@pytest.mark.parametrize(
    "word",
    ["plan", "change", "rule", "finding", "outcome", "decision", "waiver", "record", "receipt", "obligation"],
)
def test_the_glossary_has_the_words_of_the_house(word: str) -> None:
    assert f"| **{word}** |" in (DOCS / "glossary.md").read_text()


def test_no_two_architecture_decisions_have_the_same_number() -> None:
    numbers = [page.name[:5] for page in sorted((DOCS / "adr").glob("*.md"))]
    assert numbers == sorted(set(numbers))


def test_every_architecture_decision_says_why_what_and_what_follows() -> None:
    lacking = {}
    for page in (DOCS / "adr").glob("*.md"):
        headings = " ".join(re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)).lower()
        lacking[name(page)] = [
            word for word in ("context", "decision", "consequences") if word not in headings
        ]
    assert {page: missing for page, missing in lacking.items() if missing} == {}


def test_the_readme_counts_the_built_in_rules_right() -> None:
    assert f"[{len(RULES)} built-in rules]" in (ROOT / "README.md").read_text()
