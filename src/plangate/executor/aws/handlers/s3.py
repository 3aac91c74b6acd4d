"""Buckets and their policies.

Every call says whose bucket is meant: a name that was given up may be somebody else's a minute later.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and those of the bucket's parts
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.aws import s3_lifecycle
from plangate.executor.aws.arguments import fitting, present
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, Client, code_of
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import as_mapping, marks_of, tag_list, template_tags, wanted_tags

_FIRST_REGION: Final = "us-east-1"
_LIMIT: Final = 63
_BLOCKED: Final = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
_ENCRYPTED: Final = {
    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
}
_OWNED: Final = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
_BARE: Final[Mapping[str, Any]] = {
    "PublicAccessBlockConfiguration": dict.fromkeys(_BLOCKED, False),
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
}
"""What a part is that somebody took away: S3's behaviour without it, not what a new bucket has.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""


class _Part(Struct, frozen=True, kw_only=True):
    """A part of a bucket that has calls of its own.

    Attributes:
        get: The call that tells it.
        result: Where its answer has it; empty for the whole answer.
        absent: AWS's code when there is none.
        put: The operation that sets it.
        argument: Which argument of it.
    """

    get: str
    result: str
    absent: str
    put: str
    argument: str


_PARTS: Final[Mapping[str, _Part]] = {
    "PublicAccessBlockConfiguration": _Part(
        get="get_public_access_block",
        result="PublicAccessBlockConfiguration",
        absent="NoSuchPublicAccessBlockConfiguration",
        put="PutPublicAccessBlock",
        argument="PublicAccessBlockConfiguration",
    ),
    "OwnershipControls": _Part(
        get="get_bucket_ownership_controls",
        result="OwnershipControls",
        absent="OwnershipControlsNotFoundError",
        put="PutBucketOwnershipControls",
        argument="OwnershipControls",
    ),
    "BucketEncryption": _Part(
        get="get_bucket_encryption",
        result="ServerSideEncryptionConfiguration",
        absent="ServerSideEncryptionConfigurationNotFoundError",
        put="PutBucketEncryption",
        argument="ServerSideEncryptionConfiguration",
    ),
    "VersioningConfiguration": _Part(
        get="get_bucket_versioning",
        result="",
        absent="",
        put="PutBucketVersioning",
        argument="VersioningConfiguration",
    ),
    "LoggingConfiguration": _Part(
        get="get_bucket_logging",
        result="LoggingEnabled",
        absent="",
        put="PutBucketLogging",
        argument="BucketLoggingStatus",
    ),
    "LifecycleConfiguration": _Part(
        get="get_bucket_lifecycle_configuration",
        result="Rules",
        absent="NoSuchLifecycleConfiguration",
        put="PutBucketLifecycleConfiguration",
        argument="LifecycleConfiguration",
    ),
}
"""In the order in which they are set: what keeps others out comes first."""


class Bucket(BaseHandler):
    """``AWS::S3::Bucket``.

    A bucket is born without access lists; that the public is kept out, which AWS has as its default, is the first thing
    to be checked and set after it. A bucket with objects is not deleted.
    """

    type: ClassVar[str] = "AWS::S3::Bucket"
    supported: ClassVar[frozenset[str]] = frozenset({"BucketName", "Tags", *_PARTS})
    updatable: ClassVar[frozenset[str]] = frozenset({"Tags", *_PARTS})
    defaults: ClassVar[Properties] = {
        "BucketEncryption": _ENCRYPTED,
        "LifecycleConfiguration": {},
        "LoggingConfiguration": {},
        "OwnershipControls": _OWNED,
        "PublicAccessBlockConfiguration": _BLOCKED,
        "Tags": [],
        # What was versioned once cannot be unversioned again.
        "VersioningConfiguration": {"Status": "Suspended"},
    }
    names: ClassVar[frozenset[str]] = frozenset({"BucketName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for each part: S3 tells them one by one."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(aws, self, "s3", owner, _bucket_of)

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; where a server drops its tags, a second one.

        Raises:
            ExecutionError: There is a bucket of that name already.
        """
        name = _name_of(properties, mark)
        client = aws.client("s3")
        region = aws.place.region
        if region == _FIRST_REGION and _exists(aws, name):
            # There, and only there, making a bucket that one has already succeeds, and resets its access list.
            raise ExecutionError(f"the bucket {name} exists already", hint="choose another BucketName")
        place = {} if region == _FIRST_REGION else {"LocationConstraint": region}
        wanted = properties.get("OwnershipControls", _OWNED)
        client.create_bucket(
            Bucket=name,
            ObjectOwnership=wanted["Rules"][0]["ObjectOwnership"],
            CreateBucketConfiguration={**place, "Tags": wanted_tags(properties, mark)},
        )
        _see_to_marks(aws, name, properties, mark)
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name and token; a generated name has the token in it."""
        name = _name_of(properties, mark)
        if not _exists(aws, name):
            return None
        marks = marks_of(_tags(aws, name))
        if not marks and "BucketName" not in properties:
            _see_to_marks(aws, name, properties, mark)
            return name
        return name if mark.matches(marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each part."""
        client = aws.client("s3")
        for name, part in _PARTS.items():
            if name not in changed:
                continue
            value = _to_aws(name, properties.get(name, self.defaults[name]), found.identifier)
            whose = {"Bucket": found.identifier, "ExpectedBucketOwner": aws.account}
            if name == "LifecycleConfiguration" and not value["Rules"]:
                client.delete_bucket_lifecycle(**whose)
                continue
            call = getattr(client, _method(part.put))
            call(**fitting(client, part.put, {**whose, part.argument: value}))
        if "Tags" in changed:
            # AWS replaces all tags of a bucket at once.
            tags = as_mapping(properties.get("Tags")) | dict(found.marks)
            _tag(aws, found.identifier, tags)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; it fails when there are objects in it.

        Raises:
            ExecutionError: The bucket is not empty.
        """
        try:
            aws.client("s3").delete_bucket(Bucket=found.identifier, ExpectedBucketOwner=aws.account)
        except Exception as error:
            code = code_of(error)
            if code == "BucketNotEmpty":
                raise ExecutionError(
                    f"the bucket {found.identifier} is not deleted: there are objects in it",
                    hint="empty it, with all versions, or keep it with DeletionPolicy: Retain",
                ) from error
            if code != "NoSuchBucket":
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Rules of the life cycle by what they do, and nothing is nothing."""
        if name == "LoggingConfiguration" and not wanted:
            return not actual
        if name == "LifecycleConfiguration":
            return s3_lifecycle.same_rules(wanted, actual)
        return None

    def _found(self, aws: Aws, name: str) -> Found | None:
        if not _exists(aws, name):
            return None
        tags = _tags(aws, name)
        parts = {
            key: _from_aws(key, _part(aws, name, part)) or _BARE.get(key) for key, part in _PARTS.items()
        }
        return Found(
            identifier=name,
            properties={"BucketName": name, "Tags": template_tags(tags), **present(parts)},
            attributes=_attributes(aws.client("s3"), name, aws.place.region),
            marks=marks_of(tags),
        )


def _name_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("BucketName") or generated_name(mark, _LIMIT, lower=True))


def _bucket_of(arn: str) -> str | None:
    name = arn.partition(":s3:::")[2]
    return name if name and "/" not in name else None


def _exists(aws: Aws, name: str) -> bool:
    """Whether this account has it.

    Raises:
        Exception: AWS's, also when the name is another account's: 403.
    """
    try:
        aws.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=aws.account)
    except Exception as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _tags(aws: Aws, name: str) -> dict[str, str]:
    try:
        said = aws.client("s3").get_bucket_tagging(Bucket=name, ExpectedBucketOwner=aws.account)
    except Exception as error:
        if code_of(error) == "NoSuchTagSet":
            return {}
        raise
    return as_mapping(said["TagSet"])


def _tag(aws: Aws, name: str, tags: Mapping[str, str]) -> None:
    aws.client("s3").put_bucket_tagging(
        Bucket=name, ExpectedBucketOwner=aws.account, Tagging={"TagSet": tag_list(tags)}
    )


def _see_to_marks(aws: Aws, name: str, properties: Properties, mark: Mark) -> None:
    """AWS takes tags with the making since 2025; older servers of this protocol drop them without a word."""
    if not mark.matches(_tags(aws, name)):
        _tag(aws, name, as_mapping(wanted_tags(properties, mark)))


def _part(aws: Aws, name: str, part: _Part) -> Any:
    try:
        said = getattr(aws.client("s3"), part.get)(Bucket=name, ExpectedBucketOwner=aws.account)
    except Exception as error:
        if part.absent and code_of(error) == part.absent:
            return None
        raise
    return said.get(part.result) if part.result else said


def _from_aws(name: str, said: Any) -> Any:
    """A part as templates have it; ``None`` when there is none."""
    if not said:
        return None
    if name == "VersioningConfiguration":
        return {"Status": said["Status"]} if said.get("Status") else None
    if name == "LoggingConfiguration":
        return present(
            {
                "DestinationBucketName": said.get("TargetBucket"),
                "LogFilePrefix": said.get("TargetPrefix"),
                "TargetObjectKeyFormat": said.get("TargetObjectKeyFormat"),
            }
        )
    if name == "BucketEncryption":
        rules = [
            present({**rule, "ServerSideEncryptionByDefault": rule.get("ApplyServerSideEncryptionByDefault")})
            for rule in said.get("Rules", ())
        ]
        for rule in rules:
            rule.pop("ApplyServerSideEncryptionByDefault", None)
        return {"ServerSideEncryptionConfiguration": rules}
    if name == "LifecycleConfiguration":
        return {"Rules": [s3_lifecycle.rule_of(rule) for rule in said]}
    return said


def _to_aws(name: str, value: Any, bucket: str) -> Any:
    """A part as AWS takes it."""
    if name == "BucketEncryption":
        rules = [dict(rule) for rule in value["ServerSideEncryptionConfiguration"]]
        for rule in rules:
            if "ServerSideEncryptionByDefault" in rule:
                rule["ApplyServerSideEncryptionByDefault"] = rule.pop("ServerSideEncryptionByDefault")
        return {"Rules": rules}
    if name == "LoggingConfiguration":
        if not value:
            return {}
        enabled = {
            # Left out, it is the bucket itself.
            "TargetBucket": value.get("DestinationBucketName", bucket),
            "TargetPrefix": value.get("LogFilePrefix", ""),
            "TargetObjectKeyFormat": value.get("TargetObjectKeyFormat"),
        }
        return {"LoggingEnabled": {key: each for key, each in enabled.items() if each is not None}}
    if name == "LifecycleConfiguration":
        return {"Rules": s3_lifecycle.aws_rules(value)}
    return value


def _attributes(client: Client, name: str, region: str) -> dict[str, str]:
    ending = "amazonaws.com.cn" if client.meta.partition == "aws-cn" else "amazonaws.com"
    dash = f"s3-website-{region}" if region in _DASHED else f"s3-website.{region}"
    return {
        REF: name,
        "Arn": f"arn:{client.meta.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{ending}",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.{ending}",
        "RegionalDomainName": f"{name}.s3.{region}.{ending}",
        "WebsiteURL": f"http://{name}.{dash}.{ending}",
    }


_DASHED: Final = frozenset({
    "ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "eu-west-1", "sa-east-1", "us-east-1", "us-gov-west-1",
    "us-west-1", "us-west-2",
})  # fmt: skip
"""Regions whose website endpoints have a dash before the region.

Source: https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints
"""


def _method(operation: str) -> str:
    return "".join("_" + each.lower() if each.isupper() else each for each in operation).lstrip("_")


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Bucket(),)}
