"""Policies of buckets.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws, code_of
from plangate.executor.aws.policy_text import policy_object, policy_text, same_policy


class BucketPolicy(BaseHandler):
    """``AWS::S3::BucketPolicy``: known by its bucket, which has one at most."""

    type: ClassVar[str] = "AWS::S3::BucketPolicy"
    supported: ClassVar[frozenset[str]] = frozenset({"Bucket", "PolicyDocument"})
    updatable: ClassVar[frozenset[str]] = frozenset({"PolicyDocument"})
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"Bucket"})
    part_of: ClassVar[str] = "Bucket"
    whole: ClassVar[str] = "AWS::S3::Bucket"
    key: ClassVar[frozenset[str]] = frozenset({"Bucket"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call each."""
        found: dict[str, Found] = {}
        for bucket in identifiers:
            document = self._document(aws, bucket)
            if document is not None:
                found[bucket] = Found(
                    identifier=bucket,
                    properties={"Bucket": bucket, "PolicyDocument": document},
                    attributes={REF: bucket},
                )
        return found

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call, after a look whether it would take another one's place.

        Raises:
            ExecutionError: The bucket has a policy already.
        """
        bucket = str(properties["Bucket"])
        if self._document(aws, bucket) is not None:
            raise ExecutionError(
                f"the bucket {bucket} has a policy already",
                hint="a bucket has one policy: put all statements into it, or delete the other",
            )
        self._put(aws, bucket, properties)
        return bucket

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """A policy that means what was asked for: it cannot carry a mark."""
        document = self._document(aws, str(properties["Bucket"]))
        if document is None or not same_policy(properties["PolicyDocument"], document):
            return None
        return str(properties["Bucket"])

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The policy of this bucket, which has one at most."""
        return str(properties["Bucket"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call."""
        if "PolicyDocument" in changed:
            self._put(aws, found.identifier, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            aws.client("s3").delete_bucket_policy(Bucket=found.identifier, ExpectedBucketOwner=aws.account)
        except Exception as error:
            if code_of(error) not in {"NoSuchBucket", "NoSuchBucketPolicy"}:
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Policies by their meaning."""
        return same_policy(wanted, actual) if name == "PolicyDocument" else None

    @staticmethod
    def _put(aws: Aws, bucket: str, properties: Properties) -> None:
        aws.client("s3").put_bucket_policy(
            Bucket=bucket,
            ExpectedBucketOwner=aws.account,
            Policy=policy_text(properties["PolicyDocument"]),
        )

    @staticmethod
    def _document(aws: Aws, bucket: str) -> Any:
        try:
            said = aws.client("s3").get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=aws.account)
        except Exception as error:
            if code_of(error) not in {"NoSuchBucket", "NoSuchBucketPolicy"}:
                raise
            return None
        return policy_object(said["Policy"])


HANDLERS: Final[Mapping[str, Handler]] = {BucketPolicy.type: BucketPolicy()}
