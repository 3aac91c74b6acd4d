"""Real event streams of Pulumi's engine: each is read, and its resources are those that a plain count finds."""

import csv
import json
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.facts.registry import plan_with_facts
from plangate.parsers import compose, pulumi_events, pulumi_preview
from plangate.parsers.base import Limits, Options
from tests.pulumi_documents import lines
from tests.tools import SHARED

CORPUS: Final = SHARED / "corpus"
INDEX: Final = CORPUS / "INDEX.tsv"
INCOMPLETE: Final = {
    # A step that began has no end.
    "backend/display/testdata/not-truncated/up-interrupted.json",
    "engine/lifecycletest/testdata/output/TestAliasesInProvidersAreNormalized/0/eventstream.json",
    "engine/lifecycletest/testdata/output/TestCreateDuringTargetedUpdate_UntargetedCreateReferencedByUnchangedTarget/0/eventstream.json",
    "engine/lifecycletest/testdata/output/TestEmptyParentAlias/1/eventstream.json",
    "engine/lifecycletest/testdata/output/TestErrorHooks_RetryLimitWarningAt100_Delete/1/eventstream.json",
}
ERRORED: Final = {
    "engine/lifecycletest/testdata/output/TestErrorHooks_RetryLimitWarningAt100_Delete/1/eventstream.json"
}
ROOT_FOLDER: Final = "other/pulumi__pulumi/pkg/"


def rows() -> list[str]:
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        return [
            row["path"] for row in csv.DictReader(file, delimiter="\t") if row["format"].startswith("pulumi ")
        ]


ROWS: Final = rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="the corpus is not beside this folder")


def events(path: str) -> list[dict[str, Any]]:
    text = (CORPUS / path).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def counted(found: list[dict[str, Any]]) -> dict[str, str]:
    """URN without stack and project → what is done to it, by a plain look at the steps."""
    words: dict[str, set[str]] = {}
    for event in found:
        step = event.get("resourcePreEvent")
        if step:
            name = "::".join(step["metadata"]["urn"].split("::")[2:])
            words.setdefault(name, set()).add(step["metadata"]["op"])
    plain = {"same": "no-op", "create": "create", "update": "update", "delete": "delete"}
    return {
        name: "replace" if "replace" in ops else plain[min(ops)]
        for name, ops in words.items()
        # The old half of a replacement under another name.
        if ops != {"delete-replaced"}
    }


@pytest.mark.parametrize("path", ROWS)
def test_each_stream_is_read_and_has_the_resources_that_a_plain_count_finds(path: str) -> None:
    found = events(path)
    documents = lines(found, Limits())
    assert pulumi_events.recognizes(documents.values)
    assert not pulumi_preview.recognizes(documents.values)
    assert not compose.recognizes(documents.values)
    plan = plan_with_facts(pulumi_events.parse(documents, Options(), Limits()))
    assert {r.address: r.action.value for r in plan.resources} == counted(found)
    assert len(plan.resources) == len(counted(found))
    name = path.removeprefix(ROOT_FOLDER)
    assert (plan.complete, plan.errored, plan.opaque) == (name not in INCOMPLETE, name in ERRORED, ())


def test_there_are_as_many_streams_as_the_index_says() -> None:
    assert len(ROWS) == len(list(Path(CORPUS / ROOT_FOLDER).rglob("*.json"))) == 35
