import json
from typing import Any

import pytest

from plangate.facts.policy_documents import allows_everyone, described, grants_full_admin, statements
from plangate.model.values import UNKNOWN


def admin(*listed: dict[str, Any]) -> object:
    return grants_full_admin(statements(json.dumps({"Version": "2012-10-17", "Statement": listed})))


def allow(action: object = "*", resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    "statement",
    [
        allow(),
        allow("*:*"),
        allow("?*"),
        allow("**"),
        allow("iam:*"),
        allow("IAM:*"),
        allow("i*"),
        allow(["s3:Get*", "*"]),
        allow(["a*", "b*", "i*"]),
        allow("*", ["arn:aws:s3:::x", "*"]),
        allow("*", "arn:*"),
        allow("*", "arn:aws:iam::*"),
        allow("*", "arn:aws-us-gov:iam::*:*"),
        allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"},
        {"effect": "allow", "action": "*", "resource": "*"},
    ],
    ids=json.dumps,
)
def test_everything_is_everything_however_it_is_written(statement: dict[str, Any]) -> None:
    assert admin(statement) is True


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:*"),
        allow("*", "arn:aws:s3:::*"),
        allow("iam:Get*"),
        allow("iam:PassRole"),
        allow([]),
        allow("*", []),
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"},
        {"Effect": "Allow", "NotAction": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "NotResource": "*"},
        allow("iam:*", "arn:aws:iam::123456789012:role/app-*"),
    ],
    ids=json.dumps,
)
def test_less_than_everything_is_not_everything(statement: dict[str, Any]) -> None:
    assert admin(statement) is False


def test_statements_add_up() -> None:
    halves = (allow("iam:A*"), allow(["iam:P*", "iam:C*"]), allow("iam:U*"))
    assert (admin(*halves), admin(*halves[:2])) == (True, False)


def test_one_statement_need_not_be_in_a_list() -> None:
    assert (
        grants_full_admin(statements('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'))
        is True
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "{}",
        '{"Statement": 1}',
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "Maybe"}]}',
        '{"Statement": [{"Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}]}',
        '{"Statement": [], "Statement": []}',
        '{"Statement": [], "statement": []}',
        '"' + "x" * 2_000_000 + '"',
        "[" * 100_000,
        '{"Statement": [{"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}]}',
    ],
    ids=lambda text: text[:60],
)
def test_text_that_is_no_policy_is_unknown_and_not_empty(text: str) -> None:
    read = statements(text)
    assert (read, grants_full_admin(read), allows_everyone(read), described(read)) == (UNKNOWN,) * 4


def test_an_action_that_is_no_text_may_be_anything() -> None:
    assert admin(allow(["s3:Get*", None])) is UNKNOWN


def everyone(**more: object) -> object:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"} | more
    return allows_everyone(statements(json.dumps({"Statement": [statement]})))


@pytest.mark.parametrize(
    "more",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}},
        {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"*": "*"}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}},
        {"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:UserAgent": "me"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": []}}},
        {"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
    ],
    ids=json.dumps,
)
def test_a_policy_for_everyone_is_public(more: dict[str, Any]) -> None:
    assert everyone(**more) is True


@pytest.mark.parametrize(
    "more",
    [
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Effect": "Deny", "Principal": "*"},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}}},
    ],
    ids=json.dumps,
)
def test_a_policy_for_somebody_is_not_public(more: dict[str, Any]) -> None:
    assert everyone(**more) is False


def test_statements_are_described_with_their_exceptions_apart() -> None:
    document = {
        "Statement": [
            allow("s3:Get*", "*", Condition={"Bool": {"a": "b"}}),
            {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "x"},
        ]
    }
    assert described(statements(json.dumps(document))) == (
        {
            "effect": "allow",
            "actions": ("s3:get*",),
            "not_actions": (),
            "resources": ("*",),
            "not_resources": (),
            "conditions": True,
        },
        {
            "effect": "deny",
            "actions": (),
            "not_actions": ("s3:*",),
            "resources": (),
            "not_resources": ("x",),
            "conditions": False,
        },
    )
