"""The text of a policy document that source writes: exactly the provider's, or unknown."""

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Reference
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits
from tests.hcl_source import plan_of, plan_of_text, resources_of, value_of

JSON = "data.aws_iam_policy_document.d.json"
MINIFIED = "data.aws_iam_policy_document.d.minified_json"
UNSET = 'variable "unset" {}\nresource "terraform_data" "other" {}\n'


def a_document(body: str) -> str:
    return f'{UNSET}data "aws_iam_policy_document" "d" {{\n{body}\n}}\n'


def minified(folder: Path, body: str, **options: Any) -> Any:
    return value_of(folder, MINIFIED, a_document(body), **options)


def a_statement(body: str) -> str:
    return f'statement {{\nactions = ["s3:*"]\n{body}\n}}'


def with_source(text: str) -> str:
    return f"source_policy_documents = [{json.dumps(text)}]"


def test_the_text_has_the_white_space_of_the_provider(tmp_path: Path) -> None:
    source = a_document('statement {\nactions = ["a", "b"]\nresources = ["<&{x}"]\n}')
    assert (
        value_of(tmp_path, JSON, source)
        == """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "b",
        "a"
      ],
      "Resource": "\\u003c${x}"
    }
  ]
}"""
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("lifecycle {\nprecondition {\ncondition = true\nerror_message = var.unset\n}\n}", "{}"),
        ("depends_on = [terraform_data.it]", "{}"),
        ('policy_id = "i"\nstatement {}', '{"Id":"i","Statement":[{"Effect":"Allow"}]}'),
        ('source_policy_documents = ["", "{}"]', "{}"),
        (a_statement('principals {\ntype = "*"\nidentifiers = ["*"]\n}'),
         '{"Statement":[{"Effect":"Allow","Action":"s3:*","Principal":"*"}]}'),
        (with_source('{"Statement": [{"Condition": {"Bool": {"k": [true]}}}]}'), None),
        (with_source('{"Statement": [{"Condition": {"Bool": {"k": true}}}]}'),
         '{"Statement":[{"Condition":{"Bool":{"k":"true"}}}]}'),
        (with_source('{"Statement": [{"Sid": "a", "Action": ["b", "c"]}]}') + '\nstatement {\nsid = "a"\n}',
         '{"Statement":[{"Sid":"a","Effect":"Allow"}]}'),
    ],
)  # fmt: skip
def test_a_document_is_what_is_set_and_nothing_else(tmp_path: Path, body: str, text: str | None) -> None:
    version = {"Version": "2012-10-17"}
    found = minified(tmp_path, body)
    assert found == (
        UNKNOWN
        if text is None
        else json.dumps(version | json.loads(text), separators=(",", ":"), ensure_ascii=False)
    )


TEXTS = ('"1"', "var.unset", "terraform_data.other.id", "local.none", '1 + "a"')
LISTS = ('["1"]', "var.unset", '["1", var.unset]', "[terraform_data.other.id]", "[local.none]")
BLOCKS = ("[]", "var.unset", "terraform_data.other.id", "null")


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("policy_id = ?", TEXTS),
        ("version = ?", ('"2008-10-17"', *TEXTS[1:])),
        ("source_policy_documents = ?", ("[]", *LISTS[1:])),
        ("override_policy_documents = ?", ("[]", *LISTS[1:])),
        ("statement {\neffect = ?\n}", ('"Deny"', *TEXTS[1:])),
        ("statement {\nsid = ?\n}", TEXTS),
        *(
            (f"statement {{\n{name} = ?\n}}", LISTS)
            for name in ("actions", "not_actions", "resources", "not_resources")
        ),
        (a_statement('principals {\ntype = "AWS"\nidentifiers = ?\n}'), LISTS),
        (a_statement("not_principals {\ntype = ?\nidentifiers = []\n}"), TEXTS),
        (a_statement('condition {\ntest = ?\nvariable = "a"\nvalues = []\n}'), TEXTS),
        (a_statement('condition {\ntest = "a"\nvariable = ?\nvalues = []\n}'), TEXTS),
        (a_statement('condition {\ntest = "a"\nvariable = "b"\nvalues = ?\n}'), LISTS),
        ('dynamic "statement" {\nfor_each = ?\ncontent {}\n}', BLOCKS),
        (
            a_statement(
                'dynamic "principals" {\nfor_each = ?\ncontent {\ntype = "a"\nidentifiers = []\n}\n}'
            ),
            BLOCKS,
        ),
        (a_statement('dynamic "condition" {\nfor_each = ?\ncontent {}\n}'), BLOCKS),
    ],
)
def test_anything_unknown_in_it_makes_the_text_unknown(
    tmp_path: Path, body: str, values: tuple[str, ...]
) -> None:
    known, *unknown = (minified(tmp_path, body.replace("?", value)) for value in values)
    assert isinstance(known, str)
    assert unknown == [UNKNOWN] * len(unknown)


@pytest.mark.parametrize(
    "body",
    [
        # What the provider has not, or has and refuses.
        'policy_name = "a"',
        'source_json = "{}"',
        'json = "{}"',
        "other {}",
        a_statement('actoins = ["a"]'),
        a_statement("count = 1"),
        a_statement("lifecycle {}"),
        a_statement('principal {\ntype = "a"\nidentifiers = []\n}'),
        a_statement('principals {\ntype = "AWS"\n}'),
        a_statement('principals {\ntype = "AWS"\nidentifiers = null\n}'),
        a_statement('condition {\ntest = "a"\nvariable = "b"\nvalues = ["a", null]\n}'),
        a_statement('resources = ["a", null]'),
        a_statement('resources = "a"'),
        a_statement("resources = { a = 1 }"),
        a_statement("resources = [[]]"),
        a_statement('effect = "allow"'),
        'version = "2012"',
        'version = ""',
        "statement = 1",
        "statement = [1]",
        "statement = [{}]\nstatement {}",
        'statement {\nsid = "a"\n}\nstatement {\nsid = "a"\n}',
        'version = "2008-10-17"\n' + a_statement('resources = ["&{a}"]'),
        'version = "2008-10-17"\n' + a_statement('principals {\ntype = "a"\nidentifiers = ["&{a}"]\n}'),
        'version = "2008-10-17"\n'
        + a_statement('condition {\ntest = "a"\nvariable = "b"\nvalues = ["&{a}"]\n}'),
        # Two texts with the same checksum, of which the provider loses one.
        'statement {\nactions = ["plumless", "buckeroo"]\n}',
        a_statement('principals {\ntype = "AWS"\nidentifiers = ["plumless", "buckeroo"]\n}'),
    ],
)
def test_what_the_provider_refuses_or_reads_as_another_has_no_text(tmp_path: Path, body: str) -> None:
    assert minified(tmp_path, body) is UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        " ", "x", "null", "[]", "1", '"*"', '{"Version": 1}', '{"Id": null}', '{"Version": NaN}', '{"version": "1"}',
        '{"Extra": 1}', '{"Id": "a", "Id": "b"}', '{"Statement": {}}', '{"Statement": [null]}', '{"Statement": [1]}',
        '{"Statement": [{"Sid": 1}]}', '{"Statement": [{"action": "a"}]}', '{"Statement": [{"Action": 1}]}',
        '{"Statement": [{"Action": [1]}]}', '{"Statement": [{"Action": null}]}', '{"Statement": [{"Action": {}}]}',
        '{"Statement": [{"Action": "a", "Action": "b"}]}', '{"Statement": [{"Principal": "arn"}]}',
        '{"Statement": [{"Principal": {}}]}', '{"Statement": [{"Principal": ["*"]}]}',
        '{"Statement": [{"Principal": {"AWS": 1}}]}', '{"Statement": [{"Principal": {"AWS": [1]}}]}',
        '{"Statement": [{"Condition": []}]}', '{"Statement": [{"Condition": {}}]}',
        '{"Statement": [{"Condition": {"Bool": {}}}]}', '{"Statement": [{"Condition": {"Bool": "a"}}]}',
        '{"Statement": [{"Condition": {"Bool": {"k": 1}}}]}', '{"Statement": [{"Condition": {"Bool": {"k": null}}}]}',
        '{"Statement": [{"Action": "\\ud83d"}]}', '{"Statement": [{"Sid": "a"}, {"Sid": "a"}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_document_that_is_not_read_as_it_is_written_has_no_text(tmp_path: Path, text: str) -> None:
    assert minified(tmp_path, with_source(text)) is UNKNOWN


def test_a_document_of_the_old_version_has_no_variables(tmp_path: Path) -> None:
    assert minified(tmp_path, 'version = "2008-10-17"\n' + a_statement('resources = ["a", "$b", "&"]')) == (
        '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["a","\\u0026","$b"]}]}'
    )


def test_statements_with_the_same_name_in_two_sources_have_no_text(tmp_path: Path) -> None:
    one = json.dumps('{"Statement": [{"Sid": "a"}]}')
    assert minified(tmp_path, f"source_policy_documents = [{one}, {one}]") is UNKNOWN
    assert minified(tmp_path, f"override_policy_documents = [{one}, {one}]") == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"a"}]}'
    )


def test_a_provider_that_is_another_may_write_what_it_likes(tmp_path: Path) -> None:
    def source(name: str) -> str:
        provider = f'terraform {{\nrequired_providers {{\naws = {{\nsource = "{name}"\n}}\n}}\n}}\n'
        return provider + a_document("")

    assert value_of(tmp_path, MINIFIED, source("hashicorp/aws")) == '{"Version":"2012-10-17"}'
    assert value_of(tmp_path, MINIFIED, source("someone/aws")) is UNKNOWN
    assert value_of(tmp_path, MINIFIED, a_document("provider = other.x")) is UNKNOWN
    assert value_of(tmp_path, MINIFIED, a_document("provider = aws.x")) == '{"Version":"2012-10-17"}'


def test_the_json_syntax_says_the_same(tmp_path: Path) -> None:
    statement = {
        "actions": ["a", "b"],
        "principals": {"type": "AWS", "identifiers": ['${upper("x")}']},
        "condition": [{"test": "Bool", "variable": "v", "values": [True]}],
    }
    files = {
        "main.tf.json": json.dumps(
            {
                "data": {"aws_iam_policy_document": {"d": {"statement": [statement, {}]}}},
                "resource": {"terraform_data": {"it": {"input": f"${{{MINIFIED}}}"}}},
            }
        )
    }
    assert resources_of(plan_of(tmp_path, files))["terraform_data.it"].planned["input"] == (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["b","a"],"Principal":{"AWS":"X"},'
        '"Condition":{"Bool":{"v":"true"}}},{"Effect":"Allow"}]}'
    )


def test_the_text_comes_from_the_data_source(tmp_path: Path) -> None:
    for document in (
        "resources = [terraform_data.one.input]",
        "resources = [terraform_data.one.id]",
    ):
        plan = plan_of_text(
            tmp_path,
            a_document(a_statement(document))
            + 'resource "terraform_data" "one" {\ninput = "a"\n}\n'
            + f'resource "terraform_data" "it" {{\ninput = {JSON}\n}}\n',
        )
        assert resources_of(plan)["terraform_data.it"].references == (
            Reference(at="/input", address="data.aws_iam_policy_document.d", exact=True, attribute="json"),
        )


def test_a_text_with_something_sensitive_in_it_is_sensitive(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        'variable "secret" {\nsensitive = true\ndefault = "hunter2hunter2"\n}\n'
        + a_document(a_statement("resources = [var.secret]"))
        + f'resource "terraform_data" "it" {{\ninput = {MINIFIED}\n}}\n'
        + f'resource "terraform_data" "again" {{\ninput = {MINIFIED}\n}}\n',
    )
    for name in ("it", "again"):
        resource = resources_of(plan)[f"terraform_data.{name}"]
        assert resource.sensitive == ("/input",)
        assert resource.planned["input"] in plan.secrets
    assert "hunter2hunter2" in plan.secrets


def test_of_an_unknown_number_of_documents_only_what_all_say_is_known(tmp_path: Path) -> None:
    source = a_document('count = var.unset\npolicy_id = "a"')
    assert value_of(tmp_path, "data.aws_iam_policy_document.d[0].minified_json", source) == (
        '{"Version":"2012-10-17","Id":"a"}'
    )
    assert value_of(tmp_path, "one(data.aws_iam_policy_document.d[*].json)", source) is UNKNOWN
    counted = a_document('count = var.unset\npolicy_id = "a${count.index}"')
    assert value_of(tmp_path, "data.aws_iam_policy_document.d[0].json", counted) is UNKNOWN


def test_a_document_that_is_its_own_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanParseError, match="depends on itself"):
        minified(tmp_path, f"source_policy_documents = [{MINIFIED}]")


def test_documents_that_double_each_other_are_refused(tmp_path: Path) -> None:
    source = 'data "aws_iam_policy_document" "d0" {\nstatement {}\n}\n' + "".join(
        f'data "aws_iam_policy_document" "d{n + 1}" {{\nsource_policy_documents = '
        f"[data.aws_iam_policy_document.d{n}.json, data.aws_iam_policy_document.d{n}.json]\n}}\n"
        for n in range(40)
    )
    with pytest.raises(PlanParseError, match="more than 20000 values"):
        value_of(
            tmp_path,
            "data.aws_iam_policy_document.d40.json",
            source,
            limits=Limits(max_template_nodes=20_000),
        )


def test_a_text_that_many_blocks_share_is_counted_before_anything_is_written(tmp_path: Path) -> None:
    # The version is refused, so that nothing is written in the end.
    source = a_document(
        'version = "none"\ndynamic "statement" {\nfor_each = range(1000)\ncontent {\nactions = [local.long]\n}\n}'
    )
    long = f'locals {{\nlong = "{"a" * 20_000}"\n}}\n'
    assert value_of(tmp_path, MINIFIED, long + source) is UNKNOWN
    with pytest.raises(PlanParseError, match="more than 20000 values"):
        value_of(tmp_path, MINIFIED, long + source, limits=Limits(max_template_nodes=20_000))
