"""Which of AWS's refusals pass by themselves, and which stay."""

import pytest
from botocore.exceptions import ClientError

from plangate.executor.aws.clients import is_passing


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("DependencyViolation", "resource sg-1 has a dependent object"),
        ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
        ("MalformedPolicyDocument", 'Invalid principal in policy: "AWS":"arn:aws:iam::1:role/new"'),
        (
            "MalformedPolicyDocumentException",
            "Policy contains a statement with one or more invalid principals.",
        ),
        ("MalformedPolicy", "Invalid principal in policy"),
        (
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress",
        ),
        (
            "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table is being updated",
        ),
        (
            "InvalidDBSubnetGroupStateFault",
            "Cannot delete the subnet group because at least one database uses it",
        ),
    ],
)
def test_what_other_parts_of_aws_have_not_heard_of_yet_passes(code: str, message: str) -> None:
    assert is_passing(ClientError({"Error": {"Code": code, "Message": message}}, "Any"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", "not authorized; an update is in progress"),
        ("InvalidParameterValueException", "Unsupported runtime"),
        ("MalformedPolicyDocument", "Syntax errors in policy."),
        ("ResourceConflictException", "Function already exist: clean-up"),
        ("ResourceInUseException", "Table already exists: orders"),
        ("InvalidParameterValue", "Invalid DB engine"),
        ("BucketNotEmpty", ""),
        ("", "DependencyViolation"),
    ],
)
def test_what_stays_wrong_does_not_pass(code: str, message: str) -> None:
    assert not is_passing(ClientError({"Error": {"Code": code, "Message": message}}, "Any"))


def test_an_error_that_is_not_of_aws_does_not_pass() -> None:
    assert not is_passing(ValueError("DependencyViolation"))
