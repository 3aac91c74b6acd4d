"""A bucket through which a template goes that is too big to be sent: put there, read by CloudFormation, deleted.

Rules this module keeps:
1. The object's key has the digest of the template, and is one that nobody else uses.
2. The bucket is this account's, or nothing is sent to it.
3. What was put there is deleted whatever happened; what cannot be deleted is told.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from plangate.executor.change_set.calls import CallError, Client, call

_PREFIX: Final = "plangate/templates"


class TemplateBucket(Struct, frozen=True, kw_only=True):
    """Where templates are put for a moment.

    Attributes:
        client: S3's.
        name: Of the bucket.
        account: That has to own it.
        notice: Told what could not be deleted.
    """

    client: Client
    name: str
    account: str
    notice: Callable[[str], None]

    @contextmanager
    def holding(self, text: str, token: str) -> Iterator[str]:
        """A context in which the template has the URL that this gives.

        Args:
            text: The template.
            token: Of the change set: two that are made at the same time of the same template have objects of their own.

        Raises:
            CallError: It cannot be put there.
        """
        data = text.encode()
        key = f"{_PREFIX}/{hashlib.sha256(data).hexdigest()}/{token}"
        where = {"Bucket": self.name, "Key": key, "ExpectedBucketOwner": self.account}
        version = ""
        try:
            made = call(
                self.client, "put_object", **where, Body=data, ContentType="text/plain; charset=utf-8"
            )
            version = str(made.get("VersionId") or "")
            yield f"{self.client.meta.endpoint_url}/{self.name}/{key}"
        finally:
            self._delete(where, version)

    def _delete(self, where: dict[str, str], version: str) -> None:
        try:
            call(self.client, "delete_object", **where, **({"VersionId": version} if version else {}))
        except CallError as error:
            self.notice(f"the template is still in s3://{where['Bucket']}/{where['Key']}: {error}")
