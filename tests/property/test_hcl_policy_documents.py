"""Theorems about policy documents that source writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plangate.model.values import UNKNOWN
from tests.hcl_source import plan_of_text, resources_of

WORDS = st.sampled_from(["*", "s3:*", "s3:Get", "&{a}", "", "é", "<", "a", "b", "ab"])
LISTS = st.lists(WORDS, max_size=4)
STATEMENTS = st.lists(
    st.builds(lambda a: {"Effect": "Deny", "Action": a, "Principal": {"AWS": a}}, LISTS), max_size=2
)
VALUES = st.fixed_dictionaries(
    {
        "sid": st.sampled_from(["", "A", "B"]),
        "actions": LISTS,
        "readers": st.lists(st.tuples(st.sampled_from(["AWS", "*"]), LISTS).map(list), max_size=3),
        "values": LISTS,
        "source": STATEMENTS.map(lambda found: json.dumps({"Statement": found})),
    }
)
SOURCE = """
variable "sid" { type = string }
variable "actions" { type = list(string) }
variable "readers" { type = list(tuple([string, list(string)])) }
variable "values" { type = list(string) }
variable "source" { type = string }
data "aws_iam_policy_document" "d" {
  source_policy_documents = [var.source]
  statement {
    sid     = var.sid
    actions = var.actions
    dynamic "principals" {
      for_each = var.readers
      content {
        type        = principals.value[0]
        identifiers = principals.value[1]
      }
    }
    condition {
      test     = "StringLike"
      variable = "aws:a"
      values   = var.values
    }
  }
}
resource "terraform_data" "it" {
  input = data.aws_iam_policy_document.d.json
}
"""


def text_of(folder: Path, values: dict[str, Any]) -> Any:
    given = {n: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for n, v in values.items()}
    return resources_of(plan_of_text(folder, SOURCE, variables=given))["terraform_data.it"].planned["input"]


@settings(max_examples=60)
@given(values=VALUES, kept=st.sets(st.sampled_from(["sid", "actions", "readers", "values", "source"])))
def test_the_text_is_known_when_all_is_known_that_it_is_made_of_and_never_before(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], kept: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("hcl")
    more = text_of(folder, values)
    less = text_of(folder, {name: value for name, value in values.items() if name in kept})
    assert isinstance(more, str)
    assert json.loads(more)["Version"] == "2012-10-17"
    assert less == more if kept == values.keys() else less is UNKNOWN


@settings(max_examples=60)
@given(values=VALUES, random=st.randoms())
def test_the_order_of_actions_and_principals_does_not_matter_and_that_of_values_does(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], random: Any
) -> None:
    folder = tmp_path_factory.mktemp("hcl")
    other = {
        **values,
        "actions": random.sample(values["actions"], len(values["actions"])),
        "readers": random.sample(values["readers"], len(values["readers"])),
    }
    assert text_of(folder, values) == text_of(folder, other)
    turned = {**values, "values": values["values"][::-1]}
    same = values["values"] == values["values"][::-1]
    assert (text_of(folder, values) == text_of(folder, turned)) is same
