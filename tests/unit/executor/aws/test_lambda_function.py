"""What the double cannot tell about functions, by stubs; and code, by what is said of it."""

from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Condition, Found
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers.lambda_function import Function
from plangate.executor.aws.lambda_code import code_arguments, code_digest, packed, same_code, told_code
from tests.aws_stub import stub_aws, stubbed

__all__ = ["stub_aws"]

ARN: Final = "arn:aws:lambda:eu-central-1:111122223333:function:clean-up"
CODE: Final = {"S3Bucket": "code", "S3Key": "one.zip"}


def _answer(tags: dict[str, str] | None = None, **said: Any) -> dict[str, Any]:
    return {
        "Configuration": {"FunctionName": "clean-up", "FunctionArn": ARN, "CodeSha256": "abc", **said},
        "Tags": tags or {},
    }


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ({"State": "Active", "LastUpdateStatus": "Successful"}, Condition.READY),
        ({"State": "Inactive"}, Condition.READY),
        ({"State": "Pending"}, Condition.BUSY),
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, Condition.BUSY),
        ({"State": "Failed"}, Condition.FAILED),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, Condition.FAILED),
    ],
)
def test_a_state_of_lambda_is_one_of_ours(stub_aws: Aws, said: dict[str, Any], condition: Condition) -> None:
    with stubbed(stub_aws, "lambda") as stub:
        stub.add_response("get_function", _answer(**said))
        assert Function().read(stub_aws, ["clean-up"])["clean-up"].condition is condition


def test_a_configuration_that_has_to_wait_for_the_code_is_left_for_the_next_update(stub_aws: Aws) -> None:
    found = Found(identifier="clean-up", properties={"Code": {}}, attributes={"Arn": ARN})
    wanted = {"Code": CODE, "Timeout": 60}
    with stubbed(stub_aws, "lambda") as stub:
        stub.add_response("get_function", _answer())
        stub.add_response("update_function_code", {}, {"FunctionName": "clean-up", **CODE})
        stub.add_response("tag_resource", {}, {"Resource": ARN, "Tags": {"plangate:code": code_digest(CODE)}})
        stub.add_client_error("update_function_configuration", "ResourceConflictException", "in progress")
        Function().update(stub_aws, found, wanted, frozenset(wanted))


def test_code_that_has_arrived_is_not_sent_again(stub_aws: Aws) -> None:
    found = Found(identifier="clean-up", properties={"Code": {}}, attributes={"Arn": ARN})
    wanted = {"Code": CODE, "Timeout": 60}
    with stubbed(stub_aws, "lambda") as stub:
        stub.add_response("get_function", _answer({"plangate:code": code_digest(CODE)}))
        stub.add_response("update_function_configuration", {}, {"FunctionName": "clean-up", "Timeout": 60})
        Function().update(stub_aws, found, wanted, frozenset(wanted))


def test_the_same_inline_code_is_the_same_package() -> None:
    assert packed("one", "python3.12") == packed("one", "python3.13")
    assert packed("one", "python3.12") != packed("two", "python3.12")


def test_inline_code_that_was_changed_by_hand_is_other_code() -> None:
    inline = {"ZipFile": "one"}
    tags = {"plangate:code": code_digest(inline)}
    assert same_code(inline, told_code(tags, "something-else")) is False


@pytest.mark.parametrize(
    "other",
    [{**CODE, "S3Key": "two.zip"}, {**CODE, "S3ObjectVersion": "1"}, {"ImageUri": "one"}, {"ZipFile": "one"}],
)
def test_code_from_another_place_is_other_code(other: dict[str, str]) -> None:
    told = told_code({"plangate:code": code_digest(CODE)}, "abc")
    assert same_code(CODE, told) is True
    assert same_code(other, told) is False


def test_inline_code_for_a_runtime_that_takes_none_is_refused() -> None:
    with pytest.raises(ExecutionError, match=r"the runtime 'java21' takes no inline code"):
        code_arguments({"Code": {"ZipFile": "x"}, "Runtime": "java21"})


def test_what_of_code_is_not_supported_is_refused() -> None:
    with pytest.raises(ExecutionError, match="Other is not supported"):
        code_arguments({"Code": {"Other": "x"}})
