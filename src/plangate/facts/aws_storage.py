"""Buckets of AWS, with what stands beside them: access blocks, ACLs, policies, encryption and versioning.

Since version 4 of the provider each of these is a resource of its own; before, they were blocks of the bucket, and
an older plan or state still has them there.
"""

from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Native, Raw, agreed, blocks_in, flag, native_of, text
from plangate.facts.links import account_setting, any_referrer, referrers
from plangate.facts.policy_documents import allows_everyone, document_statements
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of

_FOUR_BLOCKS: Final = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)
_OPEN_ACLS: Final = frozenset({"public-read", "public-read-write", "authenticated-read", "website"})
_EVERYONE: Final = ("/groups/global/allusers", "/groups/global/authenticatedusers")


def _bucket(native: Native) -> dict[str, Any]:
    return {
        "public_access_blocked": _is_blocked(native),
        "public_acl": _has_open_acl(native),
        "public_policy": _has_open_policy(native),
        "encrypted": True,
        "encryption": _encryption(native),
        "versioned": _is_versioned(native),
    }


def _is_blocked(native: Native) -> Tri:
    """Whether public access is blocked for this bucket or for the whole account, by this plan.

    AWS has blocked public access to new buckets by default since April 2023, but anyone who may write to the
    bucket can lift that default unseen by the plan, so it is not counted.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_public_access_block
    """
    return any_of(
        [
            any_referrer(native, "aws_s3_bucket_public_access_block", "/bucket", _blocks_all),
            account_setting(native, "aws_s3_account_public_access_block", _blocks_all, holds_for_all=True),
        ]
    )


def _blocks_all(native: Native) -> Tri:
    return all_of(flag(native.setting(name), default=False) for name in _FOUR_BLOCKS)


def _has_open_acl(native: Native) -> Tri:
    """Whether an ACL grants something to everyone, or to all accounts of AWS, which is everyone who signs up.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
    """
    return any_of(
        [
            any_referrer(native, "aws_s3_bucket_acl", "/bucket", _acl_is_open),
            _is_open_acl_name(native.setting("acl")),
            _opens(native.values.get("grant")),
        ]
    )


def _acl_is_open(native: Native) -> Tri:
    policy = native.blocks("access_control_policy")
    grants: list[Tri] = []
    if policy is UNKNOWN:
        # The provider takes exactly one of the two, so beside a canned ACL it is only computed.
        canned = native.resource.configured is not None and "acl" in native.resource.configured
        grants.append(False if native.may_be_unset("access_control_policy") and canned else UNKNOWN)
    else:
        grants += [_opens(block.get("grant")) for block in policy]
    return any_of([_is_open_acl_name(native.setting("acl")), *grants])


def _is_open_acl_name(value: Raw) -> Tri:
    name = text(value)
    return UNKNOWN if name is UNKNOWN else name in _OPEN_ACLS


def _opens(grants: Raw) -> Tri:
    """Whether one of the ``grant`` blocks, of a bucket or of an access control policy, is for everyone."""
    listed = blocks_in(grants)
    if listed is UNKNOWN:
        return UNKNOWN
    found: list[Tri] = []
    for grant in listed:
        grantees = blocks_in(grant.get("grantee")) if "grantee" in grant else (grant,)
        if grantees is UNKNOWN:
            found.append(UNKNOWN)
            continue
        for grantee in grantees:
            uri = text(grantee.get("uri"))
            found.append(UNKNOWN if uri is UNKNOWN else uri.lower().endswith(_EVERYONE))
    return any_of(found)


def _has_open_policy(native: Native) -> Tri:
    own = native.setting("policy")
    return any_of(
        [
            any_referrer(
                native, "aws_s3_bucket_policy", "/bucket", lambda found: _is_open(found.values.get("policy"))
            ),
            False if own is None else _is_open(own),
        ]
    )


def _is_open(document: Raw) -> Tri:
    if document == "":
        return False
    return allows_everyone(document_statements(document))


def _encryption(native: Native) -> str | Unknown:
    """How new objects are encrypted. S3 encrypts all, with its own keys (``AES256``) unless told otherwise.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """
    links = referrers(native, "aws_s3_bucket_server_side_encryption_configuration", "/bucket")
    if links.exact:
        found: str | Unknown = agreed(
            _algorithm(native_of(r, native.graph).values.get("rule")) for r in links.exact
        )
        return found
    if links.possible:
        return UNKNOWN
    legacy = native.blocks("server_side_encryption_configuration")
    if legacy is UNKNOWN:
        # Not configured, or written with `dynamic`: then it is not the default.
        return "AES256" if native.may_be_unset("server_side_encryption_configuration") else UNKNOWN
    return _algorithm(legacy[0].get("rule")) if legacy else "AES256"


def _algorithm(rules: Raw) -> str | Unknown:
    listed = blocks_in(rules)
    if listed is UNKNOWN:
        return UNKNOWN
    for rule in listed:
        defaults = blocks_in(rule.get("apply_server_side_encryption_by_default"))
        if defaults is UNKNOWN:
            return UNKNOWN
        if defaults:
            return text(defaults[0].get("sse_algorithm"))
    return "AES256"


def _is_versioned(native: Native) -> Tri:
    """Whether versioning is on; a new bucket has none.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_versioning
    """
    legacy = native.blocks("versioning")
    own: Tri = UNKNOWN
    if legacy is not UNKNOWN or native.may_be_unset("versioning"):
        own = any_of(
            flag(block.get("enabled"), default=False) for block in ([] if legacy is UNKNOWN else legacy)
        )
    beside = any_referrer(native, "aws_s3_bucket_versioning", "/bucket", _versioning_is_on)
    # An existing bucket shows its state of before the change; the resource beside it has the last word.
    links = referrers(native, "aws_s3_bucket_versioning", "/bucket")
    return beside if links.exact else any_of([beside, own])


def _versioning_is_on(native: Native) -> Tri:
    blocks = native.blocks("versioning_configuration")
    if blocks is UNKNOWN:
        return UNKNOWN
    status = text(blocks[0].get("status")) if blocks else ""
    return UNKNOWN if status is UNKNOWN else status == "Enabled"


ADAPTERS: Final = {
    "aws_s3_bucket": Adapter(kind="storage.bucket", adapt=_bucket, docs=REGISTRY + "s3_bucket"),
}
