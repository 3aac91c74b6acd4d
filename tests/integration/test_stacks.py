"""The stacks among the fixtures pass every rule and every shipped policy."""

from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.command_line import run
from tests.tools import ROOT

STACKS: Final = ROOT / "fixtures" / "stacks"
NAMES: Final = sorted(path.name for path in STACKS.glob("*.yaml"))


def test_there_are_stacks() -> None:
    assert "three-tier.yaml" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_passes_every_rule_and_policy(name: str, tmp_path: Path) -> None:
    ran = run("check", str(STACKS / name), "--no-receipt", "--format", "json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    report = msgspec.json.decode(ran.out)
    assert report["result"] == "allow"
    counts = report["counts"]
    assert (counts["fail"], counts["unknown"], counts["error"]) == (0, 0, 0)
    assert counts["pass"] > 0


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("StorageEncrypted: true", "StorageEncrypted: false", "database-encrypted"),
        ("PubliclyAccessible: false", "PubliclyAccessible: true", "database-not-public"),
        ("HttpTokens: required", "HttpTokens: optional", "instance-metadata-v2"),
        ("EnableKeyRotation: true", "EnableKeyRotation: false", "key-rotation"),
        ("BlockPublicAcls: true", "BlockPublicAcls: false", "bucket-no-public-access"),
        ("Protocol: HTTPS", "Protocol: HTTP", "listener-tls"),
    ],
)
def test_the_three_tiers_with_one_thing_wrong_are_denied(
    old: str, new: str, rule: str, tmp_path: Path
) -> None:
    text = (STACKS / "three-tier.yaml").read_text()
    assert old in text
    (tmp_path / "stack.yaml").write_text(text.replace(old, new))
    ran = run("check", "stack.yaml", "--no-receipt", cwd=tmp_path)
    assert ran.code == 1, ran.err
    assert rule in ran.out
