"""Input made to break a parser, given to the real command line: no allow, no traceback, one sentence, bounded cost."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from plangate.cli.main import main
from tests.command_line import environment
from tests.plan_documents import a_document, an_entry, refusal
from tests.tools import ROOT, SHARED
from tests.traps import TRAPS

MUST_BE_READ: Final = {
    "plan-format-version-1.99-unknown-keys.json": {0, 1},
    "yaml-merge-keys.yaml": {1},
    "yaml-norway-octal.yaml": {0},
}
"""INDEX: "future minor version with unknown keys: must be accepted", "merge key hides privileged: true", and a
manifest without a workload, all typing traps."""
SENTENCES: Final = {
    "json-lines-not-plan.json": "this is the message stream of `terraform plan -json`, not a plan",
    "plan-deep-nesting.json": "line 1 column 1361: nested deeper than 120 levels",
    "plan-duplicate-key.json": 'line 1 column 131: duplicate key "actions"',
    "plan-format-version-2.0.json":
        'line 1 (/format_version): unsupported version "2.0" (supported: 0.1 to 1.x)',
    "plan-nan-infinity.json": "line 1 column 159: NaN is not JSON",
    "plan-no-format-version.json":
        "/format_version: missing, so this is no plan we can trust (supported: 0.1 to 1.x)",
    "plan-resource-changes-removed.json":
        "/resource_changes: no entry for terraform_data.by_ref, which planned_values lists",
    "plan-truncated.json": "line 1 column 9474: not JSON: unterminated string starting at",
    "plan-unknown-action.json":
        "line 1 (/resource_changes/0/change/actions): unknown action ['explode']"
        " (known: create, update, delete, replace, read, no-op, forget)",
    "yaml-bomb-aliases.yaml": "line 10 column 29: more than 5000000 nodes with its aliases expanded",
    "yaml-duplicate-keys.yaml": "line 6 column 3: duplicate key 'hostNetwork'",
    "yaml-python-tag.yaml":
        "line 3 column 11: unknown tag tag:yaml.org,2002:python/object/apply:os.getcwd",
    "yaml-recursive-anchor.yaml": "line 4 column 9: alias inside of its own anchor: *x",
}  # fmt: skip
SLOW: Final = {
    "many attributes that read one huge expression",
    "many module instances with many references",
    "many addresses of many modules",
    "many instances that may refer to many others",
    "security groups and rules that may belong to each other",
}
"""Seconds each: they go up to a limit that real plans must fit under."""
READ: Final = {
    "a text of escaped quotes": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "many different keys": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "deep child modules": "0 resources, 0 edges, 0 unresolved, 0 unknown",
    "wide child modules": "0 resources, 0 edges, 0 unresolved, 0 unknown",
    "deep shadows above a wide one": "1 resources, 0 edges, 0 unresolved, 1 unknown",
    "a shadow that is longer than its value": "1 resources, 0 edges, 0 unresolved, 200000 unknown",
    "a long configuration path above many blocks": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "many addresses of many modules": "5000 resources, 0 edges, 0 unresolved, 0 unknown",
    "a module that feeds itself": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "modules in modules that feed each other": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "a million references": "1 resources, 0 edges, 1 unresolved, 0 unknown",
    "many attributes that read one huge expression": "10000 resources, 999000 edges, 9889 unresolved, 0 unknown",
    "many module instances with many references": "20000 resources, 999000 edges, 19889 unresolved, 0 unknown",
    "many instances that may refer to many others": "40000 resources, 20000 edges, 0 unresolved, 40000 unknown",
    "security groups and rules that may belong to each other":
        "20000 resources, 10000 edges, 10000 unresolved, 30000 unknown",
    "a text of zeros": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "half surrogate pairs that are none": "1 resources, 0 edges, 0 unresolved, 0 unknown",
    "a member of a huge name": "0 resources, 0 edges, 0 unresolved, 0 unknown",
}  # fmt: skip
"""Traps that are plans, and what is in them; all others are refused."""


def hostile_files(folder: str) -> Iterator[Path]:
    corpus = SHARED / "corpus"
    with (corpus / "INDEX.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["path"].startswith(f"other/{folder}/"):
                yield corpus / row["path"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for keys and log, with the keys made."""
    folder = tmp_path_factory.mktemp("state")
    plan = folder / "plan.json"
    plan.write_bytes(json.dumps(a_document(an_entry())).encode())
    main(["check", "--no-receipt", "--state-dir", str(folder / "s"), str(plan)])
    return folder / "s"


def check(file: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output, and what was said on standard error about the file."""
    capsys.readouterr()
    code = main(["check", "--no-receipt", "--state-dir", str(state), str(file)])
    said = capsys.readouterr()
    return code, said.out, said.err.replace(f"plangate: {file}: ", "", 1)


def assert_refused(code: int, out: str, err: str, file: object) -> None:
    lines = err.splitlines()
    assert (code, out) == (3, ""), (file, err)
    assert lines[-1] == "could not decide; nothing was executed", file
    assert len([line for line in lines[:-1] if not line.startswith("  hint: ")]) == 1, (file, err)
    assert "Traceback" not in err, file
    assert "internal error" not in err, (file, err)


@pytest.mark.usefixtures("shared")
def test_every_hostile_file_is_refused_with_its_sentence_and_the_others_are_read(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: dict[str, str] = {}
    for file in hostile_files("generated-hostile"):
        code, out, err = check(file, state, capsys)
        if file.name in MUST_BE_READ:
            assert code in MUST_BE_READ[file.name], err
            continue
        assert_refused(code, out, err, file.name)
        said[file.name] = err.splitlines()[0]
    assert said == SENTENCES


@pytest.mark.usefixtures("shared")
def test_the_parser_takes_no_file_of_the_json_test_suite_for_a_plan() -> None:
    files = list(hostile_files("nst__JSONTestSuite"))
    assert len(files) > 100
    for file in files:
        said = refusal(file.read_bytes())
        # JSON that everybody must accept is still no plan; JSON that everybody must refuse is called that.
        malformed = re.search("not JSON|not utf-|nested deeper|empty document", said) is not None
        assert file.name[0] == "i" or malformed == file.name.startswith("n_"), (file.name, said)


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_no_file_of_the_json_test_suite_is_a_plan(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in hostile_files("nst__JSONTestSuite"):
        code, out, err = check(file, state, capsys)
        assert_refused(code, out, err, file.name)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("name", ["plan-deep-nesting.json", "plan-truncated.json", "yaml-bomb-aliases.yaml"])
def test_a_process_of_its_own_says_the_same(name: str, tmp_path: Path) -> None:
    file = SHARED / "corpus/other/generated-hostile" / name
    ran = subprocess.run(
        [sys.executable, "-m", "plangate.cli.main", "check", "--no-receipt", file],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [line for line in ran.stderr.splitlines() if not line.startswith("made a new key: ")]
    assert said[0] == f"plangate: {file}: {SENTENCES[name]}"
    assert_refused(ran.returncode, ran.stdout, "\n".join(said), name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"PK\x03\x04" + b"x" * 100,
        b"{}",
        b"[]",
        b"\xff" * 1000,
        b"{" * 100,
    ],
)
def test_bytes_of_no_kind_are_refused(
    data: bytes, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan"
    file.write_bytes(data)
    code, out, err = check(file, state, capsys)
    assert_refused(code, out, err, data[:20])


# --- Traps ---------------------------------------------------------------------------------------------------


def spring(name: str, python: str = sys.executable) -> str:
    """What a process with little memory makes of a trap."""
    ran = subprocess.run(
        [python, "-m", "tests.traps", name],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), name
    return ran.stdout.rstrip("\n")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TRAPS]
)
def test_a_document_that_costs_more_than_it_looks_is_read_right_or_refused(name: str) -> None:
    said = spring(name)
    if name in READ:
        assert said == f"read: {READ[name]}"
    else:
        assert said.startswith("refused: f: ")
        assert len(said) < 1_000


def other_pythons() -> list[str]:
    """Interpreters beside this one: how deep a recursion may go differs between them."""
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 16) if minor != sys.version_info.minor]
    return [
        path
        for path in found
        if path and not subprocess.run([path, "-V"], capture_output=True, check=False).returncode
    ]


@pytest.mark.parametrize("name", ["opening brackets", "deep child modules", "deep shadows above a wide one"])
def test_depth_is_bounded_on_every_python(name: str) -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip("there is no other Python of a supported version on PATH")
    for python in pythons:
        said = spring(name, python)
        assert said.startswith(f"read: {READ[name]}" if name in READ else "refused: f: "), python
