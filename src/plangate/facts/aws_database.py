"""Databases and caches of AWS."""

from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Native, flag, has_text, text
from plangate.facts.links import targets
from plangate.model.values import UNKNOWN, Tri

_RDS_SOURCES: Final = ("snapshot_identifier", "replicate_source_db")
_CLUSTER_SOURCES: Final = (
    "snapshot_identifier",
    "replication_source_identifier",
    "global_cluster_identifier",
)


def _facts(*, public: Tri | None, encrypted: Tri | None, protected: Tri | None) -> dict[str, Any]:
    return {"public": public, "encrypted": encrypted, "deletion_protection": protected}


def _protected(native: Native) -> Tri:
    return flag(native.setting("deletion_protection"), default=False)


def _storage_encrypted(native: Native, sources: tuple[str, ...], *, default: Tri = False) -> Tri:
    """Whether storage is encrypted; left open, one made from a snapshot or another database follows that one."""
    follows = any(
        (given := native.setting(name)) is UNKNOWN or has_text(given) for name in sources
    ) or native.values.get("restore_to_point_in_time") not in (None, [], ())
    return flag(native.setting("storage_encrypted"), default=UNKNOWN if follows else default)


def _db_instance(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance.

    ``publicly_accessible`` and ``storage_encrypted`` default to ``false``.
    """
    return _facts(
        public=flag(native.setting("publicly_accessible"), default=False),
        encrypted=_storage_encrypted(native, _RDS_SOURCES),
        protected=_protected(native),
    )


def _rds_cluster(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster.

    ``storage_encrypted`` defaults to ``false``, for the engine mode ``serverless`` to ``true``. Whether a
    cluster is public is said by its instances.
    """
    serverless = native.values.get("engine_mode") == "serverless"
    return _facts(
        public=None,
        encrypted=_storage_encrypted(native, _CLUSTER_SOURCES, default=serverless),
        protected=_protected(native),
    )


def _cluster_instance(native: Native) -> dict[str, Any]:
    """An instance of an Aurora or Neptune cluster, which keeps its data in the cluster's storage.

    Left open, whether an Aurora instance is public depends on its subnet group, says the API that the
    provider then leaves it to:
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    """
    default: Tri = UNKNOWN if native.resource.type == "aws_rds_cluster_instance" else False
    links = targets(native, "/cluster_identifier", ("aws_rds_cluster", "aws_neptune_cluster"))
    in_plan = bool(links.all) and not links.outside
    return _facts(
        public=flag(native.setting("publicly_accessible"), default=default),
        # The cluster is judged where it stands.
        encrypted=None if in_plan else flag(native.values.get("storage_encrypted"), default=UNKNOWN),
        protected=None,
    )


def _private_cluster(native: Native) -> dict[str, Any]:
    """DocumentDB and Neptune clusters, which live inside a network and have no public addresses.

    Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/connect-from-outside-a-vpc.html;
    storage is not encrypted by default:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/docdb_cluster
    """
    neptune = native.resource.type == "aws_neptune_cluster"
    return _facts(
        public=None if neptune else False,
        encrypted=_storage_encrypted(native, _CLUSTER_SOURCES),
        protected=_protected(native),
    )


def _redshift_cluster(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/redshift_cluster.

    Both defaults changed with version 6 of the provider, which writes them into the plan; where the plan has
    neither, the older and worse ones count: public, not encrypted.
    """
    return _facts(
        public=flag(native.setting("publicly_accessible"), default=True),
        encrypted=flag(native.setting("encrypted"), default=False),
        protected=None,
    )


def _dynamodb_table(native: Native) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html.

    Every table is encrypted, and is reached through the service's interface only.
    """
    protected = flag(native.setting("deletion_protection_enabled"), default=False)
    return _facts(public=False, encrypted=True, protected=protected)


def _replication_group(native: Native) -> dict[str, Any]:
    """A cache.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_replication_group.
    ``at_rest_encryption_enabled`` defaults to ``false``, for the engine ``valkey`` to ``true``. A cache is
    reached from inside its network only:
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/accessing-elasticache.html
    """
    valkey = text(native.setting("engine"))
    default: Tri = UNKNOWN if valkey is UNKNOWN else valkey == "valkey"
    secondary = native.setting("global_replication_group_id")
    if secondary is UNKNOWN or has_text(secondary):
        default = UNKNOWN
    return _facts(
        public=False,
        encrypted=flag(native.setting("at_rest_encryption_enabled"), default=default),
        protected=None,
    )


def _search_domain(native: Native) -> dict[str, Any]:
    """A search domain has an endpoint on the internet unless it is placed in a network.

    Source: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html and, for
    ``encrypt_at_rest``,
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/opensearch_domain
    """
    network = native.blocks("vpc_options")
    public: Tri = UNKNOWN if network is UNKNOWN else not network
    encryption = native.blocks("encrypt_at_rest")
    if encryption is UNKNOWN:
        encrypted: Tri = False if native.may_be_unset("encrypt_at_rest") else UNKNOWN
    else:
        encrypted = flag(encryption[0].get("enabled"), default=False) if encryption else False
    return _facts(public=public, encrypted=encrypted, protected=None)


ADAPTERS: Final = {
    f"aws_{page}": Adapter(kind="database.instance", adapt=adapt, docs=REGISTRY + page)
    for page, adapt in {
        "db_instance": _db_instance,
        "rds_cluster": _rds_cluster,
        "rds_cluster_instance": _cluster_instance,
        "neptune_cluster": _private_cluster,
        "neptune_cluster_instance": _cluster_instance,
        "docdb_cluster": _private_cluster,
        "redshift_cluster": _redshift_cluster,
        "dynamodb_table": _dynamodb_table,
        "elasticache_replication_group": _replication_group,
        "opensearch_domain": _search_domain,
        "elasticsearch_domain": _search_domain,
    }.items()
}
