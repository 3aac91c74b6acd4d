"""The server decides as the command line does, on documents that nobody wrote for it."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from plangate import wiring
from plangate.gate import check
from tests.server import Server, serving
from tests.tools import SHARED, skip_or_fail

SAME = (
    "result",
    "reasons",
    "counts",
    "outcomes",
    "obligations",
    "rules",
    "plan",
    "subject",
    "unmodelled",
    "policy",
)
FOLDERS = ("kubernetes", "cloudformation", "terraform-plan", "other")


def documents(number: int) -> list[Path]:
    if not (SHARED / "corpus").is_dir():
        skip_or_fail("shared", "no corpus beside this repository")
    chosen = random.Random(7)  # noqa: S311 - a sample, the same each time
    found: list[Path] = []
    for name in FOLDERS:
        files = sorted(
            path
            for path in (SHARED / "corpus" / name).rglob("*")
            if path.is_file() and path.suffix in {".json", ".yaml", ".yml"} and path.stat().st_size
        )
        found += chosen.sample(files, min(number, len(files)))
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve"), "server: {unsafe_anonymous: [ask]}\n") as found:
        yield found


def test_it_decides_as_the_command_line_does(server: Server, tmp_path: Path) -> None:
    with server.client() as client:
        for file in documents(10):
            name = str(file.relative_to(SHARED))
            answer = client.post(
                "/v1/decisions", params={"name": str(file), "receipt": "false"}, content=file.read_bytes()
            )
            said = answer.raise_for_status().json()
            choices = wiring.Choices(config=server.folder / "plangate.yaml", state_dir=tmp_path / "other")
            with wiring.open_session([str(file)], choices, lambda _: None) as session:
                decided = check(session.gate, session.run)
            for key in SAME:
                assert said["decision"][key] == decided.document[key], (name, key)
            assert said["allowed"] == (decided.document["result"] == "allow")


@pytest.mark.parametrize("data", [b"{}", b"[]", b"---\n", b"\x00" * 100, b"a: &a [*a]\n", b'{"a":' * 200])
def test_it_allows_nothing_that_is_no_plan(server: Server, data: bytes) -> None:
    with server.client() as client:
        said = client.post("/v1/decisions", content=data).raise_for_status().json()
        assert (said["result"], said["allowed"], said["receipt"]) == ("error", False, None)
