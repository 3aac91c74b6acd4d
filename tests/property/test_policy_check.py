"""What the gate refuses is what ``plangate policy check`` calls an error, and nothing else."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.authoring.check import Level, check, place
from plangate.errors import PlangateError, PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.load import load, shipped_policies
from plangate.wiring import Choices, rule_specs, settings_for
from tests.tools import ROOT
from tests.unit.policy.builders import BAD_INSTANCE, a_policy
from tests.unit.policy.test_hazards import REFUSED as HAZARDS
from tests.unit.policy.test_load import FILE_REFUSALS, METADATA_REFUSALS, RULE_REFUSALS
from tests.unit.policy.test_negation import REFUSED as NEGATIONS
from tests.unit.policy.test_negation import with_line
from tests.unit.policy.test_vocabulary import WRONG
from tests.unit.policy.test_vocabulary import policy as with_name

TEXTS = sorted(
    path.read_text() for path in (ROOT / "policies").glob("*/*.rego") if not path.stem.endswith("_test")
)
WORDS = [
    "deny",
    "not ",
    "{",
    "}",
    "==",
    "\n",
    '"',
    "lib.",
    "input.",
    "facts",
    "some ",
    "#",
    "with input as {}",
    "é",
    "\t",
]


def agree(root: Path, files: Mapping[str, str]) -> None:
    """The gate's first complaint is among the check's errors; where it has none, the check has none."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    source = PolicySource(root=root, name="custom")
    errors = {
        f"{place(remark)}: {remark.message}"
        for remark in check([source]).remarks
        if remark.level is Level.ERROR
    }
    refused = set()
    try:
        load([source])
    except PolicyLoadError as refusal:
        refused.add(str(refusal))
    assert refused <= errors
    assert bool(refused) == bool(errors)


BROKEN = {
    **{f"file: {name}": files for name, (files, _) in FILE_REFUSALS.items()},
    **{f"rule: {name}": {"policy.rego": text} for name, (text, _) in RULE_REFUSALS.items()},
    **{
        f"metadata: {name}": {"policy.rego": a_policy(extra=extra)}
        for name, (extra, _) in METADATA_REFUSALS.items()
    },
    **{f"hazard: {body}": {"policy.rego": a_policy(body + BAD_INSTANCE)} for body in HAZARDS},
    **{f"negation: {line}": {"policy.rego": with_line(line)} for line in NEGATIONS},
    **{f"name: {line}": {"policy.rego": with_name(line)} for line in WRONG},
}


@pytest.mark.parametrize("name", BROKEN)
def test_they_agree_about_a_policy_that_is_broken(name: str, tmp_path: Path) -> None:
    agree(tmp_path, BROKEN[name])


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shipped policy with a few pieces lost, doubled or put in."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from([*WORDS, "", text[start:end] * 2]))
        text = text[:start] + piece + text[end:]
    return text


@given(first=damaged(), second=damaged())
def test_they_agree_about_every_damaged_policy(first: str, second: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        agree(Path(folder), {"a/one.rego": first, "b/two.rego": second})


def test_they_agree_about_what_clashes_with_rules_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for rule in ("bucket-versioned", "log-retention", "pod-security"):
        root = tmp_path / rule
        root.mkdir()
        (root / "policy.rego").write_text(a_policy(slug=rule.replace("-", "_")))
        report = check([PolicySource(root=root, name=rule)], [shipped_policies()])
        assert [remark.code for remark in report.remarks if remark.level is Level.ERROR] == ["id"]
        choices = Choices(policies=[root])
        with pytest.raises(PlangateError):
            rule_specs(settings_for(choices), choices)
