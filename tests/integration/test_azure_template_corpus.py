"""Real Azure templates: each is read, and its resources are those that a plain walk finds."""

import csv
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.parsers import azure_template
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.json_documents import read_json_document
from tests.tools import SHARED

CORPUS: Final = SHARED / "corpus"
INDEX: Final = CORPUS / "INDEX.tsv"
NOT_FULLY_READ: Final = {
    # Templates of other files, and a loop over an object that only the deployment has.
    "other/tenable__terrascan/pkg/iac-providers/arm/v1/testdata/file-test-data/azuredeploy-nested.json",
    "other/tenable__terrascan/pkg/iac-providers/arm/v1/testdata/file-test-data/azuredeploy.json",
    "other/tenable__terrascan/pkg/iac-providers/arm/v1/testdata/key-vault/azuredeploy.json",
}
LOOPS: Final = {"[length(range(0, 2))]": 2, "[length(variables('firewallrules').batch.rules)]": 2}


def rows() -> list[str]:
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        return [
            row["path"] for row in csv.DictReader(file, delimiter="\t") if "ARM template" in row["format"]
        ]


ROWS: Final = rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="the corpus is not beside this folder")


def counted(resources: list[dict[str, Any]]) -> Iterator[int]:
    """How many resources there are, by a plain walk."""
    for resource in resources:
        if resource["type"] == "Microsoft.Resources/deployments":
            continue
        count = resource.get("copy", {}).get("count", 1)
        yield count if isinstance(count, int) else LOOPS.get(count, 1)
        yield from counted(resource.get("resources", []))


@pytest.mark.parametrize("path", ROWS)
def test_each_template_is_read_and_has_the_resources_that_a_plain_walk_finds(path: str) -> None:
    data = (CORPUS / path).read_bytes()
    source = Input(name=path, data=data, sha256="0" * 64, size=len(data))
    documents = read_json_document(source, Limits())
    assert azure_template.recognizes(documents.values)
    plan = plan_with_facts(azure_template.parse(documents, Options(), Limits()))
    assert len(plan.resources) == sum(counted(json.loads(data)["resources"]))
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)
    assert bool(plan.opaque) is (path in NOT_FULLY_READ)


def test_there_are_as_many_templates_as_the_index_says() -> None:
    assert len(ROWS) == 21
