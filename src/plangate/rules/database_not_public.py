"""Databases have no address on the internet."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "public",
        wanted=False,
        no="it has an address on the internet",
        unsure="whether it gets an address on the internet is known only after apply",
        none="its server, or the members of its cluster, say it and are judged themselves",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="database-not-public",
        title="Databases have no address on the internet",
        description="Databases, caches, warehouses and search domains are reached from inside a network only, and are "
        "not open to everyone.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("database.instance",),
        remediation="Set publicly_accessible to false; place a search domain in a network with vpc_options. Azure: "
        "set public_network_access_enabled to false. Google: set ipv4_enabled in ip_configuration to false.",
        frameworks=(("cis-aws-3.0", ("2.3.3",)), ("aws-fsbp-1.0", ("RDS.2", "Redshift.1", "Opensearch.2"))),
    ),
    judge=_judge,
    rationale="A database on the internet is one leaked password or one flaw away from being copied. The "
    "default differs by service and by version: Redshift clusters are public by default up to version 5 of "
    "the provider, a search domain without vpc_options always is, and an Aurora instance that does not say "
    "depends on its subnets. Servers of Azure and Cloud SQL of Google are public by default; a firewall in front "
    "of them does not take the address away.",
    bad="""
resource "aws_db_instance" "main" {
  identifier          = "main"
  engine              = "postgres"
  instance_class      = "db.t4g.micro"
  allocated_storage   = 20
  publicly_accessible = true
}
""",
    good="""
resource "aws_db_instance" "main" {
  identifier          = "main"
  engine              = "postgres"
  instance_class      = "db.t4g.micro"
  allocated_storage   = 20
  publicly_accessible = false
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance#publicly_accessible",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster_instance",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/redshift_cluster",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/opensearch_domain",
        "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_server",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/sql_database_instance",
    ),
    settings_schema=NO_SETTINGS,
)
