"""YAML means here what it means to ``kubectl``, or it is refused: no value and no object is there for it alone."""

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits
from plangate.parsers.formats import read_documents

KUBECTL = shutil.which("kubectl")
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {q: r}}\n"
DOCUMENTS = [
    "a: [017, 0x1F, 0b11, 1_000, -0, +12, .5, 1e3, 08, 1:30, 2001-01-01, =, ~, off, 'on', \"\\x41\", nan, 0.]",
    "1: a\non: b\n1.5: c\n'x': d",
    "a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  b: 3\ne: {<<: [{b: 4}, *a], f: 5}\ng: {h: 1, <<: *a}",
    "a: |\n  b\n\n   c\nd: >-\n  e\n  f\n\n  g\nh: 'i\n  j'\nk: l\n  m",
    "a: !!str 1\nb: !!int '2'\nc: ! true\nd: !!bool 'yes'\ne: !!null ''",
    "? a b\n: c\nd:\n- e\n- - f\n  - {g: h}\n",
    "a: b\n---\n" + HEAD + "a: c\n---\n---\n# nothing\n",
    "a: 'b\u2028c'\nd: e\u00a0f\ng: \"\\N\\_\\L\\P\"",
    # Readers disagree about these, which are therefore refused.
    "a: &a {b: 1}\nc: {b: 2, <<: *a}",
    "a: !!binary UG9k",
    "a: {<<: {b: 1}, <<: {b: 2}}",
    "a: 1\na: 2",
]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


@pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on PATH")
@pytest.mark.parametrize("text", DOCUMENTS)
def test_what_is_read_is_what_kubectl_reads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + text + "\n", encoding="utf-8")
    data = path.read_bytes()
    try:
        ours = read_documents(Input(name="a.yaml", data=data, sha256="", size=len(data)), Limits()).values
    except PlanParseError:
        assert "binary" in text or "<<" in text or "a: 2" in text  # only what was meant to be refused
        return
    command = [str(KUBECTL), "annotate", "--local", "-f", str(path), "q=r", "--overwrite", "-o", "json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    theirs, decoder = [], json.JSONDecoder()
    while said := said.strip():
        value, end = decoder.raw_decode(said)
        theirs.append(value)
        said = said[end:]
    assert [plain(value) for value in ours] == [plain(value) for value in theirs]
