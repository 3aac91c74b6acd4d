"""Databases and caches of Azure. They encrypt their storage, always, unless said otherwise here."""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.base import AZURE, AZURE_3, Adapter, Native, flag, has_text, text, whole_number
from plangate.facts.links import points_somewhere, targets
from plangate.model.values import UNKNOWN, Tri, all_of, any_of, negate

_SMALLEST_CACHES: Final = (0, 1)


def _facts(*, public: Tri | None, encrypted: Tri | None) -> dict[str, Any]:
    # What protects these from deletion are locks, which are resources of their own, on anything above them.
    return {"public": public, "encrypted": encrypted, "deletion_protection": None}


def _reached_from_internet(native: Native) -> Tri:
    """Whether public access is on, which is the default; a firewall in front of it does not make it private.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_server and the
    pages of the other servers (``public_network_access_enabled``, ``true``). Newer versions of the provider have
    ``public_network_access`` instead for some.
    """
    word = text(native.setting("public_network_access"))
    if word is UNKNOWN or word:
        return UNKNOWN if word is UNKNOWN else word.lower() != "disabled"
    return flag(native.setting("public_network_access_enabled"), default=True)


def _server(native: Native) -> dict[str, Any]:
    """A server of PostgreSQL, MySQL or MariaDB, or an account of Cosmos DB.

    Source: https://learn.microsoft.com/azure/postgresql/single-server/concepts-security,
    https://learn.microsoft.com/azure/cosmos-db/database-encryption-at-rest
    """
    return _facts(public=_reached_from_internet(native), encrypted=True)


def _sql_server(native: Native) -> dict[str, Any]:
    """A server of SQL databases, each of which says for itself whether it is encrypted."""
    return _facts(public=_reached_from_internet(native), encrypted=None)


def _sql_database(native: Native) -> dict[str, Any]:
    """A database of a server, which says who can reach it.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_database
    (``transparent_data_encryption_enabled``, ``true``)
    """
    links = targets(native, "/server_id", ("azurerm_mssql_server",))
    in_plan = bool(links.all) and not links.outside
    return _facts(
        # The server is judged where it stands.
        public=None if in_plan else UNKNOWN,
        encrypted=flag(native.setting("transparent_data_encryption_enabled"), default=True),
    )


def _old_sql_database(native: Native) -> dict[str, Any]:
    """A database in the provider's older shape, without a word on encryption, which is on by default.

    Source: https://learn.microsoft.com/azure/azure-sql/database/transparent-data-encryption-tde-overview; what is
    older than 2017 may still be without it.
    """
    links = targets(native, "/server_name", ("azurerm_sql_server",))
    in_plan = bool(links.all) and not links.outside
    return _facts(public=None if in_plan else UNKNOWN, encrypted=UNKNOWN)


def _managed_instance(native: Native) -> dict[str, Any]:
    """An instance inside a network; its endpoint on the internet is off by default.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_managed_instance
    """
    opened = flag(native.setting("public_data_endpoint_enabled"), default=False)
    return _facts(public=opened, encrypted=None)


def _managed_database(native: Native) -> dict[str, Any]:
    links = targets(native, "/managed_instance_id", ("azurerm_mssql_managed_instance",))
    in_plan = bool(links.all) and not links.outside
    # Encryption is a resource of its own there, and may be switched off outside of the plan.
    return _facts(public=None if in_plan else UNKNOWN, encrypted=UNKNOWN)


def _flexible_server(native: Native) -> dict[str, Any]:
    """A flexible server of PostgreSQL or MySQL: one that is placed in a network has no public access.

    Source:
    https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/postgresql_flexible_server and
    https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private
    """
    placed = points_somewhere(native, "/delegated_subnet_id", ("azurerm_subnet",))
    replica = native.setting("source_server_id")
    default: Tri = _reached_from_internet(native)
    if default is True and (replica is UNKNOWN or has_text(replica)):
        # A replica or a restored server takes its network from where it comes from.
        asked = native.setting("public_network_access_enabled")
        default = default if asked is not None else UNKNOWN
    return _facts(public=all_of([negate(placed), default]), encrypted=True)


def _cosmos_postgres(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/cosmosdb_postgresql_cluster."""
    return _facts(
        public=any_of(
            [
                flag(native.setting("coordinator_public_ip_access_enabled"), default=True),
                flag(native.setting("node_public_ip_access_enabled"), default=False),
            ]
        ),
        encrypted=True,
    )


def _cache(native: Native) -> dict[str, Any]:
    """A cache. One that is placed in a network (premium only) is reached from there alone.

    The two smallest sizes of the basic and standard tiers, family C, are without disk encryption.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/redis_cache,
    https://learn.microsoft.com/azure/azure-cache-for-redis/cache-network-isolation and
    https://learn.microsoft.com/azure/azure-cache-for-redis/cache-how-to-encryption
    """
    placed = points_somewhere(native, "/subnet_id", ("azurerm_subnet",))
    family, size = text(native.values.get("family")), whole_number(native.values.get("capacity"))
    big: Tri = UNKNOWN if size is UNKNOWN or size is None else size not in _SMALLEST_CACHES
    premium: Tri = UNKNOWN if family in (UNKNOWN, "") else str(family).upper() == "P"
    return _facts(
        public=all_of([negate(placed), _reached_from_internet(native)]), encrypted=any_of([premium, big])
    )


def _managed_cache(native: Native) -> dict[str, Any]:
    """A cache of the managed service, open to the internet unless told otherwise.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/managed_redis and
    https://learn.microsoft.com/azure/redis/how-to-encryption
    """
    return _facts(public=_reached_from_internet(native), encrypted=True)


_PAGES: Final[dict[str, Callable[[Native], dict[str, Any]]]] = {
    "mssql_server": _sql_server,
    "sql_server": _sql_server,
    "mssql_database": _sql_database,
    "sql_database": _old_sql_database,
    "mssql_managed_instance": _managed_instance,
    "mssql_managed_database": _managed_database,
    "postgresql_server": _server,
    "postgresql_flexible_server": _flexible_server,
    "mysql_server": _server,
    "mysql_flexible_server": _flexible_server,
    "mariadb_server": _server,
    "cosmosdb_account": _server,
    "cosmosdb_postgresql_cluster": _cosmos_postgres,
    "redis_cache": _cache,
    "managed_redis": _managed_cache,
}

_GONE: Final = frozenset(
    {"sql_server", "sql_database", "postgresql_server", "mysql_server", "mariadb_server"}
)

ADAPTERS: Final = {
    f"azurerm_{page}": Adapter(
        kind="database.instance", adapt=adapt, docs=(AZURE_3 if page in _GONE else AZURE) + page
    )
    for page, adapt in _PAGES.items()
}
