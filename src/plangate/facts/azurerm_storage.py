"""Storage of Azure: accounts, and the containers in them, which are its buckets.

The account says what holds for all its containers: whether one of them may be public at all, how it is encrypted and
whether it keeps versions. A container says only who may read it without an identity.
"""

from typing import Any, Final

from plangate.facts.base import AZURE, Adapter, Native, flag, text
from plangate.facts.links import any_referrer, is_pointed_at, points_somewhere, read_target, targets
from plangate.model.graph import Links
from plangate.model.values import UNKNOWN, Tri, Unknown, any_of, negate

_ACCOUNT: Final = "azurerm_storage_account"
_CONTAINER: Final = "azurerm_storage_container"
_OWN_KEY: Final = "azurerm_storage_account_customer_managed_key"
KEY_VAULT: Final = "azure:key-vault"
"""How objects are encrypted with a key from a vault; ``AES256`` is with a key of Azure's."""


def _account(native: Native) -> dict[str, Any]:
    return {
        "public_access_blocked": _blocks(native),
        # What a container in the account says counts only while the account lets it.
        "public_acl": any_of(
            any_referrer(native, _CONTAINER, at, _is_open)
            for at in ("/storage_account_id", "/storage_account_name")
        ),
        # Roles are given to identities; there is none for everyone.
        "public_policy": False,
        "encrypted": True,
        "encryption": _encryption(native),
        "versioned": _is_versioned(native),
    }


def _blocks(native: Native) -> Tri:
    """Whether the account lets no container be public, or cannot be reached from the internet.

    Versions 3 and 4 of the provider let containers be public by default and write that into the plan, version 5 does
    not; version 2 had another name for it. Where the plan has none of them, the worse default counts.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account
    """
    name = "allow_nested_items_to_be_public"
    if name not in native.values and "allow_blob_public_access" in native.values:
        name = "allow_blob_public_access"
    return any_of(
        [
            negate(flag(native.setting(name), default=True)),
            negate(flag(native.setting("public_network_access_enabled"), default=True)),
        ]
    )


def _encryption(native: Native) -> str | Unknown:
    """Storage encrypts everything, with keys of Azure unless told otherwise.

    Source: https://learn.microsoft.com/azure/storage/common/storage-service-encryption
    """
    own = native.blocks("customer_managed_key")
    beside = is_pointed_at(native, _OWN_KEY, "/storage_account_id")
    keyed = any_of([beside, UNKNOWN if own is UNKNOWN else len(own) > 0])
    return UNKNOWN if keyed is UNKNOWN else KEY_VAULT if keyed else "AES256"


def _is_versioned(native: Native) -> Tri:
    """Whether objects keep versions, which is off by default.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account
    """
    properties = native.blocks("blob_properties")
    if properties is UNKNOWN:
        return False if native.may_be_unset("blob_properties") else UNKNOWN
    return any_of(
        flag(native.inner(block, "blob_properties", "versioning_enabled"), default=False)
        for block in properties
    )


def _container(native: Native) -> dict[str, Any]:
    """A container: private unless told otherwise, and nothing else can open it to everyone.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_container
    """
    opened = _is_open(native)
    account = _account_of(native)
    in_plan = bool(account.all) and not account.outside
    return {
        "public_access_blocked": any_of([negate(opened), read_target(native, account, _blocks)]),
        "public_acl": opened,
        "public_policy": False,
        "encrypted": True,
        # The account is judged where it stands.
        "encryption": None if in_plan else UNKNOWN,
        "versioned": None if in_plan else UNKNOWN,
    }


def _account_of(native: Native) -> Links:
    """The account that holds a container, named by id or, in older versions of the provider, by name."""
    by_id = points_somewhere(native, "/storage_account_id", (_ACCOUNT,)) is not False
    return targets(native, "/storage_account_id" if by_id else "/storage_account_name", (_ACCOUNT,))


def _is_open(container: Native) -> Tri:
    level = text(container.setting("container_access_type"))
    return UNKNOWN if level is UNKNOWN else level.lower() not in {"", "private"}


ADAPTERS: Final = {
    _ACCOUNT: Adapter(kind="storage.bucket", adapt=_account, docs=AZURE + "storage_account"),
    _CONTAINER: Adapter(kind="storage.bucket", adapt=_container, docs=AZURE + "storage_container"),
}
