"""Databases, warehouses and caches of Google. They encrypt what they store, always.

Source: https://cloud.google.com/docs/security/encryption/default-encryption
"""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.base import GOOGLE, Adapter, Native, Raw, Values, blocks_in, flag, text
from plangate.facts.google_members import given_to_everyone, is_everyone
from plangate.facts.links import any_referrer
from plangate.model.values import UNKNOWN, Tri, any_of


def _facts(*, public: Tri | None, protected: Tri | None) -> dict[str, Any]:
    return {"public": public, "encrypted": True, "deletion_protection": protected}


def _sql_instance(native: Native) -> dict[str, Any]:
    """An instance has an address on the internet unless told otherwise, whoever its networks let in.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/sql_database_instance
    (``ipv4_enabled``, ``true``; ``deletion_protection``, on when not set)
    """
    protected = flag(native.setting("deletion_protection"), default=True)
    settings = native.blocks("settings")
    if settings is UNKNOWN:
        return _facts(public=UNKNOWN, protected=protected)
    if not settings:
        # A clone takes them from where it comes from.
        return _facts(public=UNKNOWN, protected=protected)
    kept = any_of(flag(block.get("deletion_protection_enabled"), default=False) for block in settings)
    return _facts(
        public=any_of(_has_address(native, block) for block in settings), protected=any_of([protected, kept])
    )


def _has_address(native: Native, settings: Values) -> Tri:
    blocks = blocks_in(native.inner(settings, "settings", "ip_configuration"))
    if blocks is UNKNOWN:
        return UNKNOWN
    if not blocks:
        return True
    return any_of(
        flag(native.inner(block, "settings", "ip_configuration", "ipv4_enabled"), default=True)
        for block in blocks
    )


def _alloy_instance(native: Native) -> dict[str, Any]:
    """An instance of a cluster, which has an address on the internet only when told so.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/alloydb_instance
    """
    blocks = native.blocks("network_config")
    if blocks is UNKNOWN:
        return _facts(public=UNKNOWN, protected=None)
    return _facts(
        public=any_of(flag(block.get("enable_public_ip"), default=False) for block in blocks), protected=None
    )


def _alloy_cluster(native: Native) -> dict[str, Any]:
    return _facts(public=None, protected=flag(native.setting("deletion_protection"), default=UNKNOWN))


def _private_cache(native: Native) -> dict[str, Any]:
    """A cache is reached from inside its network only.

    Source: https://cloud.google.com/memorystore/docs/redis/networking
    """
    return _facts(
        public=False, protected=flag(native.setting("deletion_protection_enabled"), default=UNKNOWN)
    )


def _service_database(native: Native) -> dict[str, Any]:
    """A database that is reached through the service's interface only, which asks for an identity.

    Source: https://cloud.google.com/spanner/docs/iam, https://cloud.google.com/bigtable/docs/access-control and
    https://cloud.google.com/firestore/docs/security/iam
    """
    state = native.setting("delete_protection_state")
    guards = [
        flag(native.setting(name), default=UNKNOWN)
        for name in ("deletion_protection", "enable_drop_protection")
        if name in native.values
    ]
    if isinstance(state, str):
        guards.append(state == "DELETE_PROTECTION_ENABLED")
    return _facts(public=False, protected=any_of(guards) if guards else UNKNOWN)


def _dataset(native: Native) -> dict[str, Any]:
    """A dataset has no address; it is public when everyone is given access to it.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/bigquery_dataset
    """
    blocks = native.blocks("access")
    own: Tri = UNKNOWN if blocks is UNKNOWN else any_of(_lets_everyone(block) for block in blocks)
    beside = any_referrer(
        native, "google_bigquery_dataset_access", "/dataset_id", lambda item: _lets_everyone(item.values)
    )
    given = given_to_everyone(native, "google_bigquery_dataset", "/dataset_id")
    return _facts(public=any_of([own, beside, given]), protected=None)


def _lets_everyone(access: Values) -> Tri:
    return any_of(_names_everyone(access.get(name)) for name in ("special_group", "iam_member"))


def _names_everyone(value: Raw) -> Tri:
    name = text(value)
    return UNKNOWN if name is UNKNOWN else is_everyone(name.removeprefix("iamMember:"))


_PAGES: Final[dict[str, Callable[[Native], dict[str, Any]]]] = {
    "sql_database_instance": _sql_instance,
    "alloydb_cluster": _alloy_cluster,
    "alloydb_instance": _alloy_instance,
    "redis_instance": _private_cache,
    "redis_cluster": _private_cache,
    "memorystore_instance": _private_cache,
    "memcache_instance": _private_cache,
    "spanner_instance": _service_database,
    "spanner_database": _service_database,
    "bigtable_instance": _service_database,
    "firestore_database": _service_database,
    "bigquery_dataset": _dataset,
}

ADAPTERS: Final = {
    f"google_{page}": Adapter(kind="database.instance", adapt=adapt, docs=GOOGLE + page)
    for page, adapt in _PAGES.items()
}
