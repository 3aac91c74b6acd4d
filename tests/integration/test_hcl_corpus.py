"""Terraform source of public repositories: every file is read, or refused for the reason that the index gives."""

import csv
import re
from pathlib import Path
from typing import Any, Final

import hcl2
import pytest

from plangate.errors import PlanParseError
from plangate.facts.registry import with_facts
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.json_syntax import read_json_values, read_terraform_json
from plangate.parsers.hcl.native_syntax import read_native
from plangate.parsers.hcl.plan import parse
from plangate.parsers.hcl.syntax import Attribute, Body
from tests.tools import SHARED

CORPUS: Final = SHARED / "corpus"
REFUSED: Final = {
    "parser_scenarios/bad_tf_nested_modules_enable/skip_bad_tf_example.tf": "attribute source is set twice",
    # An insertion inside of an index, which no version of the language has.
    "parser_scenarios/maze_of_variables/maze.tf": "syntax error",
    "breakdown_multi_project_with_all_errors/dev/mod_with_error.tf": "syntax error",
    "breakdown_multi_project_with_all_errors/prod/mod_with_error.tf": "syntax error",
    "breakdown_multi_project_with_error/us1/mod_with_error.tf": "syntax error",
    "breakdown_multi_project_with_error_output_json/us1/mod_with_error.tf": "syntax error",
    "diff_with_compare_to_with_current_and_past_project_error/dev/mod_with_error.tf": "syntax error",
    "diff_with_compare_to_with_current_project_error/dev/mod_with_error.tf": "syntax error",
    "invalid-files/interp-in-data-label.tf": "a template where only plain text can stand",
    "invalid-files/interp-in-rsrc-label.tf": "a template where only plain text can stand",
    "invalid-files/json-as-native-syntax.tf": "an object where blocks and attributes are expected",
    "invalid-files/provider-syntax.tf": "syntax error",
    "invalid-files/zerolen.tf.json": "empty document (expected a plan)",
}
"""Ends of paths → why the file is refused. The index calls all of them broken or invalid, but for the first two."""
REFUSED_FOLDERS: Final = {
    "parser_scenarios/bogus_function": "argument 'value' outside of any block",
    "invalid-modules/override-nonexist-variable": "overrides variable foo, which is not declared",
}
"""Folders whose files are well-formed and that are no module all the same."""
_NOT_A_MODULE: Final = re.compile(
    r"rego/tests/.*/inputs$|testdata/(?:valid|invalid|error|warning)-files$|parser_scenarios/bogus_function$"
)
"""Folders that hold files for themselves."""
_RESOURCE: Final = re.compile(r'^[ \t]*(resource|data)[ \t]+"?[\w-]+"?[ \t]+"?[\w-]+"?[ \t]*\{', re.MULTILINE)
_HEREDOC: Final = re.compile(r"<<-?(\w+)\n.*?\n[ \t]*\1\b", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def rows() -> list[tuple[str, str]]:
    index = CORPUS / "INDEX.tsv"
    if not index.is_file():
        return []
    with index.open(encoding="utf-8", newline="") as file:
        return [
            (row[0], row[7]) for row in csv.reader(file, delimiter="\t") if row[1].startswith("terraform-hcl")
        ]


def read(path: Path) -> Body:
    data = path.read_bytes()
    if path.name.endswith(".tfvars.json"):
        return Body(read_json_values(data, path.name, Limits()))
    reader = read_terraform_json if path.suffix == ".json" else read_native
    return reader(data, path.name, Limits())


def expected(path: str, table: dict[str, str]) -> str:
    return next((why for end, why in table.items() if path.endswith(end)), "")


def test_every_file_is_read_or_refused_for_its_reason(shared: Path) -> None:
    files = rows()
    assert len(files) >= 541, shared
    wrong = []
    for name, why in files:
        reason = expected(name, REFUSED)
        try:
            read(CORPUS / name)
            refused = ""
        except PlanParseError as error:
            refused = error.problem
        if not refused.startswith(reason) or bool(refused) != bool(reason):
            wrong.append((name, refused, reason, why))
    assert wrong == []


def test_as_many_resources_are_found_as_a_search_for_their_first_lines_finds(shared: Path) -> None:
    counted = 0
    for name, _ in rows():
        if not name.endswith((".tf", ".tofu")) or expected(name, REFUSED):
            continue
        text = (CORPUS / name).read_text(encoding="utf-8-sig")
        plain = _COMMENT.sub("", _HEREDOC.sub("", text))
        found = [block for block in read(CORPUS / name).blocks if block.type in {"resource", "data"}]
        assert len(found) == len(_RESOURCE.findall(plain)), name
        counted += len(found)
    assert counted > 400, shared


def _ours(body: Body, kind: str) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    return sorted(
        (block.labels, frozenset(block.body.attributes) | {inner.type for inner in block.body.blocks})
        for block in body.blocks
        if block.type == kind
    )


def _theirs(document: Any, kind: str, labels: int) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    found = []
    for entry in document.get(kind, []):
        names: tuple[str, ...] = ()
        inner = entry
        for _ in range(labels):
            ((name, inner),) = ((k, v) for k, v in inner.items() if not k.startswith("__"))
            names = (*names, name.strip('"'))
        found.append((names, frozenset(key for key in inner if not key.startswith("__"))))
    return sorted(found)


def test_python_hcl2_finds_the_same_blocks_and_names(shared: Path) -> None:
    compared = 0
    for name, _ in rows():
        if not name.endswith(".tf") or expected(name, REFUSED):
            continue
        try:
            document = hcl2.loads((CORPUS / name).read_text(encoding="utf-8-sig") + "\n")
        except Exception:  # noqa: BLE001, S112 - what it cannot read, it cannot be compared with
            continue
        body = read(CORPUS / name)
        for kind, labels in (("resource", 2), ("data", 2), ("module", 1), ("variable", 1), ("output", 1)):
            assert _ours(body, kind) == _theirs(document, kind, labels), name
        compared += 1
    assert compared > 400, shared


def folders() -> list[str]:
    return sorted(
        {name.rpartition("/")[0] for name, _ in rows() if name.endswith((".tf", ".tofu", ".tf.json"))}
    )


def test_every_module_becomes_a_plan_with_facts_or_is_refused_for_its_reason(shared: Path) -> None:
    wrong = []
    read_modules = resources = 0
    for folder in folders():
        if _NOT_A_MODULE.search(folder) and not expected(folder, REFUSED_FOLDERS):
            continue
        names = [name for name, _ in rows() if name.rpartition("/")[0] == folder]
        reason = expected(folder, REFUSED_FOLDERS) or next(
            filter(None, (expected(n, REFUSED) for n in names)), ""
        )
        root, _, module = folder.removeprefix("terraform-hcl/").partition("/")
        try:
            plan = parse(
                SourceTree(CORPUS / "terraform-hcl" / root, Limits()), module, folder, Options(), Limits()
            )
            refused = ""
            read_modules += 1
            resources += len(with_facts(plan.resources))
        except PlanParseError as error:
            refused = error.problem
        if not refused.startswith(reason) or bool(refused) != bool(reason):
            wrong.append((folder, refused, reason))
    assert wrong == []
    assert (read_modules > 250, resources > 300) == (True, True), shared


@pytest.mark.parametrize("name", ["invalid-files", "valid-files"])
def test_a_file_for_itself_is_a_module_or_refused(name: str, shared: Path, tmp_path: Path) -> None:
    folder = (
        shared
        / "corpus"
        / "terraform-hcl"
        / "opentofu__opentofu"
        / "internal"
        / "configs"
        / "testdata"
        / name
    )
    for path in sorted(folder.iterdir()):
        root = tmp_path / path.name
        root.mkdir()
        (root / path.name).write_bytes(path.read_bytes())
        try:
            parse(SourceTree(root, Limits()), "", path.name, Options(), Limits())
        except PlanParseError as error:
            assert name == "invalid-files", (path.name, str(error))  # noqa: PT017 - not every one is refused


def test_attributes_of_the_json_syntax_have_places(shared: Path) -> None:
    for name, _ in rows():
        if name.endswith(".tf.json") and not expected(name, REFUSED):
            pending = [read(CORPUS / name)]
            while pending:
                body = pending.pop()
                pending += [block.body for block in body.blocks]
                placed: list[Attribute] = list(body.attributes.values())
                assert all(attribute.place.line for attribute in placed), (name, shared)
