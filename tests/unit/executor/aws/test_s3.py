"""What somebody does to a bucket by hand is seen, and what is not ours is left alone; against the double."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Mark, Owner, token_of
from plangate.executor.aws.clients import Aws, Place
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.handlers.bucket_policy import BucketPolicy
from plangate.executor.aws.handlers.s3 import Bucket
from plangate.executor.aws.s3_lifecycle import aws_rules, rule_of, same_rules
from plangate.executor.aws.schemas import Schemas
from tests.aws_server import REGION, AwsServer

pytestmark = pytest.mark.aws
MARK: Final = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="It", token=token_of("one"))
DOCUMENT: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::shop/*"}],
}


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    return aws_account.aws()


def _differences(aws: Aws, name: str, wanted: dict[str, Any]) -> frozenset[str]:
    schema = Schemas(REGION).of("AWS::S3::Bucket")
    assert schema is not None
    return changed_properties(Bucket(), schema, Bucket().read(aws, [name])[name].properties, wanted)


def _bucket(aws: Aws, wanted: dict[str, Any]) -> str:
    name = Bucket().create(aws, wanted, MARK)
    changed = _differences(aws, name, wanted)
    Bucket().update(aws, Bucket().read(aws, [name])[name], wanted, changed)
    assert _differences(aws, name, wanted) == frozenset()
    return name


HAND: Final[dict[str, Callable[[Any, str], Any]]] = {
    "PublicAccessBlockConfiguration": lambda s3, name: s3.delete_public_access_block(Bucket=name),
    "OwnershipControls": lambda s3, name: s3.delete_bucket_ownership_controls(Bucket=name),
    "Tags": lambda s3, name: s3.put_bucket_tagging(
        Bucket=name, Tagging={"TagSet": [{"Key": "by", "Value": "hand"}]}
    ),
}


@pytest.mark.parametrize("wanted", [{}, {**Bucket.defaults}], ids=["unsaid", "said"])
@pytest.mark.parametrize("name", HAND)
def test_a_protection_that_somebody_took_away_is_seen(aws: Aws, name: str, wanted: dict[str, Any]) -> None:
    bucket = _bucket(aws, wanted)
    HAND[name](aws.client("s3"), bucket)
    assert _differences(aws, bucket, wanted) == {name}


def test_a_new_bucket_keeps_the_public_out_without_being_told(aws: Aws) -> None:
    bucket = _bucket(aws, {})
    assert aws.client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_a_rule_that_somebody_added_to_the_life_cycle_is_seen(aws: Aws) -> None:
    bucket = _bucket(aws, {})
    aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {"ID": "gone", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
            ]
        },
    )
    assert _differences(aws, bucket, {}) == {"LifecycleConfiguration"}


def test_a_bucket_with_objects_is_not_deleted(aws: Aws) -> None:
    bucket = _bucket(aws, {})
    aws.client("s3").put_object(Bucket=bucket, Key="one", Body=b"1")
    with pytest.raises(ExecutionError, match="is not deleted: there are objects in it"):
        Bucket().delete(aws, Bucket().read(aws, [bucket])[bucket])
    assert set(Bucket().read(aws, [bucket])) == {bucket}


def test_a_bucket_of_ours_without_marks_is_not_taken_for_a_named_one(aws: Aws) -> None:
    aws.client("s3").create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert Bucket().find(aws, {"BucketName": "shop"}, MARK) is None


def test_a_bucket_whose_marks_were_lost_on_the_way_gets_them(aws: Aws) -> None:
    """The double drops the tags of CreateBucket: as after a crash right after that call."""
    name = Bucket().create(aws, {}, MARK)
    aws.client("s3").delete_bucket_tagging(Bucket=name)
    assert Bucket().find(aws, {}, MARK) == name
    assert Bucket().read(aws, [name])[name].marks == MARK.tags


def test_in_the_first_region_a_bucket_that_is_there_is_not_made_again(aws_account: AwsServer) -> None:
    aws = Aws(Place(region="us-east-1", endpoint=aws_account.url), attempts=2)
    aws.client("s3").create_bucket(Bucket="shop")
    with pytest.raises(ExecutionError, match="the bucket shop exists already"):
        Bucket().create(aws, {"BucketName": "shop"}, MARK)


def test_a_policy_is_not_put_in_the_place_of_another(aws: Aws) -> None:
    aws.client("s3").create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": REGION})
    wanted = {"Bucket": "shop", "PolicyDocument": DOCUMENT}
    BucketPolicy().create(aws, wanted, MARK)
    with pytest.raises(ExecutionError, match="the bucket shop has a policy already"):
        BucketPolicy().create(aws, wanted, MARK)
    assert BucketPolicy().find(aws, {**wanted, "PolicyDocument": {**DOCUMENT, "Id": "x"}}, MARK) is None


RULES: Final[list[dict[str, Any]]] = [
    {"Id": "a", "Status": "Enabled", "ExpirationInDays": 1},
    {"Id": "b", "Status": "Disabled", "Prefix": "p/", "ExpirationDate": "2030-01-01T00:00:00Z"},
    {
        "Id": "c",
        "Status": "Enabled",
        "TagFilters": [{"Key": "k", "Value": "v"}],
        "ObjectSizeGreaterThan": "100",
        "Transitions": [
            {"StorageClass": "GLACIER", "TransitionInDays": 30},
            {"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 90},
        ],
        "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 3}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 2},
    },
]


def test_a_life_cycle_comes_back_as_it_was_said() -> None:
    assert [rule_of(rule) for rule in aws_rules({"Rules": RULES})] == RULES


@pytest.mark.parametrize(
    ("wanted", "same"),
    [
        (RULES[::-1], True),
        ([{**RULES[0], "ExpirationInDays": "1"}, *RULES[1:]], True),
        ([{key: value for key, value in RULES[0].items() if key != "Id"}, *RULES[1:]], True),
        ([{**RULES[0], "Id": "other"}, *RULES[1:]], False),
        ([{**RULES[0], "ExpirationInDays": 2}, *RULES[1:]], False),
        ([{**RULES[0], "Prefix": "p/"}, *RULES[1:]], False),
        ([RULES[0], {**RULES[1], "Status": "Enabled"}, RULES[2]], False),
        (RULES[:2], False),
        ([*RULES, RULES[0]], False),
        ([], False),
    ],
)
def test_life_cycles_are_the_same_when_they_do_the_same(wanted: list[Any], *, same: bool) -> None:
    assert same_rules({"Rules": wanted}, {"Rules": RULES}) is same


@pytest.mark.parametrize("name", ["Transition", "NoncurrentVersionExpirationInDays", "NotThere"])
def test_what_of_a_life_cycle_is_not_supported_is_refused(name: str) -> None:
    with pytest.raises(ExecutionError, match=f"{name} is not supported"):
        aws_rules({"Rules": [{"Status": "Enabled", name: 1}]})
