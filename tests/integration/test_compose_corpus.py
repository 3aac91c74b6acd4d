"""Real compose files: each is read, and its resources are those that a plain look at the sections finds."""

import csv
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.parsers import compose
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.yaml_documents import read_yaml
from tests.tools import SHARED

CORPUS: Final = SHARED / "corpus"
INDEX: Final = CORPUS / "INDEX.tsv"
NOT_FULLY_READ: Final = {
    "compose-spec__compose-go/cli/testdata/env-file/compose-with-env-file.yaml": 1,
    "compose-spec__compose-go/cli/testdata/env-file/compose-with-env-files.yaml": 1,
    "compose-spec__compose-go/loader/testdata/compose-include-cycle.yaml": 1,
    "compose-spec__compose-go/loader/testdata/extends/base.yaml": 1,
    "compose-spec__compose-go/loader/testdata/include/dir/compose.yaml": 1,
    "compose-spec__compose-go/schema/using-variables.yaml": 0,
    "runatlantis__atlantis/docker-compose.yml": 2,
}
"""Files that name others, each with how many sentences say so."""


class _Loose(yaml.SafeLoader):
    """Reads any tag as nothing."""


_Loose.add_multi_constructor("!", lambda *_: None)


def index() -> list[dict[str, str]]:
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


ROWS: Final = [row["path"] for row in index() if row["format"] == "docker-compose"]
pytestmark = pytest.mark.skipif(not ROWS, reason="the corpus is not beside this folder")


def documents(path: Path) -> Documents:
    data = path.read_bytes()
    return read_yaml(Input(name=path.name, data=data, sha256="0" * 64, size=len(data)), Limits())


@pytest.mark.parametrize("path", ROWS)
def test_each_file_is_read_and_has_the_resources_that_a_plain_look_finds(path: str) -> None:
    found = documents(CORPUS / path)
    assert compose.recognizes(found.values)
    plan = plan_with_facts(compose.parse(found, Options(), Limits()))
    plain: Any = yaml.load((CORPUS / path).read_text(encoding="utf-8"), _Loose)  # noqa: S506 - a safe loader
    sections = ("services", "volumes", "networks", "configs", "secrets")
    assert [r.address for r in plan.resources] == [
        f"{section}.{name}" for section in sections for name in plain.get(section) or ()
    ]
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)
    assert len(plan.opaque) == NOT_FULLY_READ.get(path.removeprefix("other/"), 0)


def test_no_other_file_is_taken_for_a_compose_file() -> None:
    taken = set()
    for row in index():
        path = CORPUS / row["path"]
        if path.suffix not in {".yaml", ".yml", ".json"} or row["format"] == "docker-compose":
            continue
        if not path.is_file() or path.stat().st_size > 100_000:
            continue
        try:
            found = documents(path)
        except PlanParseError:
            continue
        if compose.recognizes(found.values):
            taken.add(row["path"])
    assert taken == set()


def test_there_are_as_many_files_as_the_index_says() -> None:
    assert len(ROWS) == 32
