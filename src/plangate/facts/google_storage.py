"""Buckets of Google, with what stands beside them: access lists and policies."""

from typing import Any, Final

from plangate.facts.base import GOOGLE, Adapter, Native, Raw, flag, has_text, text, texts
from plangate.facts.google_members import given_to_everyone, is_everyone
from plangate.facts.links import any_referrer, targets
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate, pointer

_OPEN_ACLS: Final = frozenset({"publicread", "publicreadwrite", "authenticatedread"})
_LISTS: Final = ("google_storage_bucket_acl", "google_storage_default_object_acl")
_ITEMS: Final = ("google_storage_bucket_access_control", "google_storage_default_object_access_control")
_KEYS: Final = ("google_kms_crypto_key", "google_kms_crypto_key_version")
OWN_KEY: Final = "google:kms"
"""How objects are encrypted with a key from the key service; ``AES256`` is with a key of Google's."""


def _bucket(native: Native) -> dict[str, Any]:
    return {
        "public_access_blocked": _is_blocked(native),
        "public_acl": _has_open_acl(native),
        "public_policy": given_to_everyone(native, "google_storage_bucket", "/bucket"),
        "encrypted": True,
        "encryption": _encryption(native),
        "versioned": _is_versioned(native),
    }


def _is_blocked(native: Native) -> Tri:
    """Whether the bucket itself enforces that nobody opens it. A rule of the organization is not in the plan.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket
    (``public_access_prevention``, ``inherited``)
    """
    word = text(native.setting("public_access_prevention"))
    return UNKNOWN if word is UNKNOWN else word.lower() == "enforced"


def _has_open_acl(native: Native) -> Tri:
    """Whether an access list lets everyone in. With uniform access, no list counts.

    Source: https://cloud.google.com/storage/docs/access-control/lists and
    https://cloud.google.com/storage/docs/uniform-bucket-level-access
    """
    name = "uniform_bucket_level_access"
    if name not in native.values and "bucket_policy_only" in native.values:
        name = "bucket_policy_only"
    uniform = flag(native.setting(name), default=False)
    listed = [any_referrer(native, kind, "/bucket", _list_is_open) for kind in _LISTS]
    single = [
        any_referrer(native, kind, "/bucket", lambda item: is_everyone(item.values.get("entity")))
        for kind in _ITEMS
    ]
    return all_of([negate(uniform), any_of([*listed, *single])])


def _list_is_open(native: Native) -> Tri:
    named = [text(native.setting(name)) for name in ("predefined_acl", "default_acl")]
    return any_of(
        [
            *(UNKNOWN if name is UNKNOWN else name.lower() in _OPEN_ACLS for name in named),
            _opens(native.setting("role_entity")),
        ]
    )


def _opens(pairs: Raw) -> Tri:
    """Whether one of the ``ROLE:entity`` pairs is for everyone."""
    listed = texts(pairs)
    if listed is UNKNOWN:
        return UNKNOWN
    return any_of(UNKNOWN if pair is UNKNOWN else is_everyone(pair.partition(":")[2]) for pair in listed)


def _encryption(native: Native) -> str | Unknown:
    """How new objects are encrypted: all of them are, with keys of Google unless told otherwise.

    Source: https://cloud.google.com/storage/docs/encryption/default-keys
    """
    blocks = native.blocks("encryption")
    if blocks is UNKNOWN:
        return UNKNOWN
    for index, block in enumerate(blocks):
        key = block.get("default_kms_key_name")
        if has_text(key):
            return OWN_KEY
        if key is not None and key != "":
            at = pointer("encryption", index, "default_kms_key_name")
            return OWN_KEY if targets(native, at, _KEYS).exact else UNKNOWN
    return "AES256"


def _is_versioned(native: Native) -> Tri:
    """Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket (off)."""
    blocks = native.blocks("versioning")
    if blocks is UNKNOWN:
        return False if native.may_be_unset("versioning") else UNKNOWN
    return any_of(flag(block.get("enabled"), default=False) for block in blocks)


ADAPTERS: Final = {
    "google_storage_bucket": Adapter(kind="storage.bucket", adapt=_bucket, docs=GOOGLE + "storage_bucket"),
}
