"""Policies that mean the same are the same, and no others."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.executor.aws.policy_text import policy_object, policy_text, same_policy

BASE: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["111122223333"], "Service": "ec2.amazonaws.com"},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::shop/*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        }
    ],
}


def _with(**members: Any) -> dict[str, Any]:
    return {**BASE, "Statement": [{**BASE["Statement"][0], **members}]}


@pytest.mark.parametrize(
    "other",
    [
        json.dumps(BASE),
        {**BASE, "Statement": BASE["Statement"][0]},
        _with(Action=["s3:putobject", "s3:GetObject"]),
        _with(Resource=["arn:aws:s3:::shop/*"]),
        _with(Principal={"Service": ["ec2.amazonaws.com"], "AWS": "arn:aws:iam::111122223333:root"}),
        _with(Condition={"Bool": {"AWS:SecureTransport": [True]}}),
    ],
)
def test_another_way_to_write_a_policy_is_the_same(other: Any) -> None:
    assert same_policy(BASE, other)
    assert same_policy(other, BASE)


@pytest.mark.parametrize(
    "other",
    [
        None,
        "",
        "{",
        {},
        {**BASE, "Version": "2008-10-17"},
        {name: value for name, value in BASE.items() if name != "Version"},
        {**BASE, "Id": "other"},
        {**BASE, "Statement": []},
        {**BASE, "Statement": BASE["Statement"] * 2},
        _with(Effect="Deny"),
        _with(Sid="One"),
        _with(Action="s3:*"),
        _with(Action=["s3:GetObject"]),
        _with(NotAction=["s3:GetObject"]),
        _with(Resource="arn:aws:s3:::Shop/*"),
        _with(Principal="*"),
        _with(Principal={"AWS": ["111122223333"]}),
        _with(Principal={"AWS": "arn:aws:iam::111122223333:role/root", "Service": "ec2.amazonaws.com"}),
        _with(Condition={}),
        _with(Condition={"Bool": {"aws:SecureTransport": "false"}}),
        _with(Condition={"BoolIfExists": {"aws:SecureTransport": "true"}}),
    ],
)
def test_a_policy_that_means_something_else_is_another(other: Any) -> None:
    assert not same_policy(BASE, other)
    assert not same_policy(other, BASE)


def test_everybody_is_the_same_in_both_ways_to_write_it() -> None:
    assert same_policy(_with(Principal="*"), _with(Principal={"AWS": "*"}))
    assert not same_policy(_with(Principal="*"), _with(Principal={"Service": "*"}))


def test_exact_numbers_are_numbers_in_the_text_of_a_policy() -> None:
    text = policy_text(_with(Condition={"NumericLessThan": {"s3:max-keys": Decimal(10)}}))
    assert json.loads(text)["Statement"][0]["Condition"] == {"NumericLessThan": {"s3:max-keys": 10}}


_NAMES = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*", "kms:Decrypt"])


@given(actions=st.lists(_NAMES, min_size=1), order=st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_actions_mean_nothing(actions: list[str], order: Any) -> None:
    shuffled = [*actions, actions[0]]
    order.shuffle(shuffled)
    assert same_policy(_with(Action=actions), policy_text(_with(Action=shuffled)))


def test_what_iam_encodes_as_in_a_url_is_decoded() -> None:
    assert policy_object("%7B%22Statement%22%3A%20%5B%5D%7D") == {"Statement": []}
