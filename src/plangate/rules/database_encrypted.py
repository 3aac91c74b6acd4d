"""Databases encrypt their storage."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "encrypted",
        wanted=True,
        no="its storage is not encrypted, and that cannot be changed later without a copy",
        unsure="whether its storage is encrypted is known only after apply",
        none="its cluster, or each of its databases, says it and is judged itself",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="database-encrypted",
        title="Databases encrypt their storage",
        description="Databases, warehouses, caches and search domains encrypt what they store.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("database.instance",),
        remediation="Set storage_encrypted (Redshift: encrypted, ElastiCache: at_rest_encryption_enabled, "
        "search domains: encrypt_at_rest) to true when the database is made.",
        frameworks=(
            ("cis-aws-3.0", ("2.3.1",)),
            ("aws-fsbp-1.0", ("RDS.3", "ElastiCache.4", "Opensearch.1")),
        ),
    ),
    judge=_judge,
    rationale="Encryption has to be chosen when a database is made; afterwards it takes a copy and a move. "
    "Most of them are not encrypted unless told so. One made from a snapshot or as a replica follows its "
    "source, which the plan does not show. Azure and Google encrypt the storage of their databases always; the "
    "smallest caches of Azure have none to encrypt it with.",
    bad="""
resource "aws_db_instance" "main" {
  identifier        = "main"
  engine            = "postgres"
  instance_class    = "db.t4g.micro"
  allocated_storage = 20
}
""",
    good="""
resource "aws_db_instance" "main" {
  identifier        = "main"
  engine            = "postgres"
  instance_class    = "db.t4g.micro"
  allocated_storage = 20
  storage_encrypted = true
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance#storage_encrypted",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster#storage_encrypted",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_replication_group",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_database",
        "https://learn.microsoft.com/azure/azure-cache-for-redis/cache-how-to-encryption",
        "https://cloud.google.com/docs/security/encryption/default-encryption",
    ),
    settings_schema=NO_SETTINGS,
)
