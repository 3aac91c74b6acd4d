"""Policy documents that source writes as a data source: the text is the one that the real provider makes."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse
from tests.terraform_project import a_project, environment, the_tool
from tests.tools import ROOT

FIXTURE: Final = ROOT / "fixtures" / "terraform-source" / "policy-documents"
PROVIDER: Final = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "example"
  secret_key                  = "example"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""
TEXTS: Final = [
    '"*"', '"s3:Get*"', '"s3:*"', '"a b"', '"é"', '"e\\u0301"', '"日本"', '"%x"', '"$b"', '"<&>"', '""', "1", "true",
    "2.50", '"arn:aws:s3:::b/*"', '"A"', '"a"', '"aa"', '"\\t"', '"\\u2028"', '"\\\\"', '"\\""', '"1"', '"x;y"', '"{"',
]  # fmt: skip
VARIABLES: Final = ['"&{aws:username}"', '"a/&{b}/&{c}"', '"&&{"', '"&{"']


def read_here(folder: Path) -> Any:
    (output,) = parse(SourceTree(folder, Limits()), "", "source", Options(), Limits()).outputs
    return output.after


def read_by_the_provider(folder: Path, source: str) -> Any:
    """The first output of the source, as it is planned; skips where the provider cannot be had."""
    project = a_project(the_tool("terraform"), folder, source)
    project.write(PROVIDER, "provider.tf")
    config = os.environ.get("TF_CLI_CONFIG_FILE", "")
    if not Path(config).is_file():
        pytest.skip("no TF_CLI_CONFIG_FILE that says where hashicorp/aws 5.100.0 is")
    more = {"TF_CLI_CONFIG_FILE": config, "AWS_EC2_METADATA_DISABLED": "true"}
    begun = subprocess.run(
        [str(project.tool.path), "init", "-input=false"],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        check=False,
        timeout=120,
    )
    if begun.returncode:
        pytest.skip("hashicorp/aws 5.100.0 cannot be had")
    project.run("plan", "-input=false", "-out=tfplan", **more)
    shown = json.loads(project.run("show", "-json", "tfplan", **more))
    (output,) = shown["planned_values"]["outputs"].values()
    return output["value"]


def a_list(random: Random, texts: list[str], *, least: int = 0) -> str:
    return f"[{', '.join(random.choice(texts) for _ in range(random.randint(least, 4)))}]"


def a_statement(random: Random, sid: str, texts: list[str]) -> str:
    lines = [f'sid = "{sid}"', *random.sample(['effect = "Deny"', 'effect = "Allow"'], random.randint(0, 1))]
    lines += [
        f"{name} = {a_list(random, texts if 'res' in name else [*texts, *VARIABLES])}"
        for name in ("actions", "not_actions", "resources", "not_resources")
        if random.random() < 0.6
    ]
    for name in ("principals", "not_principals"):
        for _ in range(random.choice([0, 0, 1, 2, 3])):
            kind = random.choice(['"AWS"', '"Service"', '"*"'])
            given = random.choice([a_list(random, texts), '["*"]'])
            lines.append(f"{name} {{\ntype = {kind}\nidentifiers = {given}\n}}")
    for _ in range(random.choice([0, 0, 1, 2, 4])):
        test, variable = random.choice(['"StringLike"', '"Bool"']), random.choice(['"aws:a"', '"b"', '"C"'])
        lines.append(
            f"condition {{\ntest = {test}\nvariable = {variable}\nvalues = {a_list(random, texts)}\n}}"
        )
    return "\n".join(["statement {", *lines, "}"])


def an_encoded_document(random: Random, sids: list[str]) -> str:
    """An expression that gives the text of a policy."""
    texts = [text for text in TEXTS if text.startswith('"')] + VARIABLES
    rows = []
    for sid in sids:
        members = [f'Sid = "{sid}"', f'Effect = "{random.choice(["Allow", "Deny", ""])}"']
        members += [
            f"{name} = {random.choice([random.choice(texts), a_list(random, texts)])}"
            for name in ("Action", "NotAction", "Resource", "NotResource")
            if random.random() < 0.5
        ]
        for name in ("Principal", "NotPrincipal"):
            kinds = random.sample(["AWS", "Service", '"*"'], random.randint(1, 3))
            given = [f"{k} = {random.choice([random.choice(texts), a_list(random, texts)])}" for k in kinds]
            members += random.choice([[], [f'{name} = "*"'], [f"{name} = {{ {', '.join(given)} }}"]])
        if random.random() < 0.5:
            values = random.choice(['"v"', "true", "false", a_list(random, texts)])
            members.append(
                f'Condition = {{ Like = {{ b = {values}, "aws:a" = "x" }}, Bool = {{ a = "<" }} }}'
            )
        rows.append(f"{{ {', '.join(members)} }}")
    top = random.sample(
        ['Id = "i"', 'Id = ""', 'Version = "2012-10-17"', 'Version = "2008-10-17"'], random.randint(0, 1)
    )
    top.append(f"Statement = [{', '.join(rows)}]")
    return f"jsonencode({{ {', '.join(top)} }})"


def a_document(random: Random, name: str, earlier: list[str]) -> str:
    names = ["", "", "A", "B", "C", "D"]
    old = random.random() < 0.25
    lines = ['version = "2008-10-17"'] if old else []
    lines += random.sample(['policy_id = "p"', 'policy_id = ""'], random.randint(0, 1))
    sids = random.sample(names, random.randint(0, 4))
    lines += [a_statement(random, sid, TEXTS if old else [*TEXTS, *VARIABLES]) for sid in sids]
    before = [
        f"data.aws_iam_policy_document.{each}.json"
        for each in random.sample(earlier[:5], min(2, len(earlier)))
    ]
    # The names of statements may not come twice in all sources.
    texts = [an_encoded_document(random, ["", "A"]), '""', an_encoded_document(random, ["C", "B", ""])]
    sources = random.choice([[], texts, texts[:2], before[:1]])
    overrides = random.choice([[], [an_encoded_document(random, ["C", "", "C", "E"]), *before]])
    lines += [f"source_policy_documents = [{', '.join(sources)}]"] if sources else []
    lines += [f"override_policy_documents = [{', '.join(overrides)}]"] if overrides else []
    return "\n".join([f'data "aws_iam_policy_document" "{name}" {{', *lines, "}\n"])


def documents(seed: int, count: int = 30) -> str:
    random = Random(seed)  # noqa: S311 - the same documents each time
    names = [f"d{number}" for number in range(count)]
    source = "".join(a_document(random, name, names[:number]) for number, name in enumerate(names))
    texts = [f"data.aws_iam_policy_document.{n}.{a}" for n in names for a in ("json", "minified_json")]
    return source + f'output "texts" {{\nvalue = [{", ".join(texts)}]\n}}\n'


def kept_texts() -> list[list[str]]:
    found: list[list[str]] = json.loads((FIXTURE / "texts.json").read_text(encoding="utf-8"))
    return found


def test_documents_of_every_shape_have_the_text_that_the_provider_makes() -> None:
    assert read_here(FIXTURE) == kept_texts()


@pytest.mark.terraform
def test_the_provider_makes_the_texts_that_are_kept(tmp_path: Path) -> None:
    source = (FIXTURE / "main.tf").read_text(encoding="utf-8")
    assert read_by_the_provider(tmp_path, source) == kept_texts()


@pytest.mark.terraform
@pytest.mark.parametrize("seed", [1, 2])
def test_documents_have_the_text_that_the_provider_makes_of_them_now(seed: int, tmp_path: Path) -> None:
    source = documents(seed)
    theirs = read_by_the_provider(tmp_path / "real", source)
    (tmp_path / "ours").mkdir()
    shutil.copy(tmp_path / "real" / "main.tf", tmp_path / "ours")
    ours = read_here(tmp_path / "ours")
    for number, (mine, real) in enumerate(zip(ours, theirs, strict=True)):
        assert mine == real, f"d{number // 2}"
