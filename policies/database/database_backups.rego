# METADATA
# title: Databases keep backups for a week
# description: >-
#   A bad migration or a deletion is often found days later. The automatic backups are what the database can be taken
#   back to, and without them nothing is.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-11
#     description: "RDS.11, with what it maps to in aws-fsbp-1.0 and nist-800-53-r5"
#   - ref: https://github.com/prowler-cloud/prowler/blob/master/prowler/compliance/aws/soc2_aws.json
#     description: "Maps the same check to soc-2"
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance#backup_retention_period
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster#backup_retention_period
# custom:
#   id: database-backups
#   severity: medium
#   enforcement: overridable
#   types: [aws_db_instance, aws_rds_cluster]
#   remediation: Set backup_retention_period to the days that are asked for, or more.
#   settings:
#     min_days:
#       description: Days for which backups must be kept at least.
#       type: integer
#       minimum: 1
#       default: 7
#   frameworks:
#     aws-fsbp-1.0: [RDS.11]
#     nist-800-53-r5: [CP-6, CP-6(1), CP-6(2), CP-9, CP-10, SC-5(2), SI-12, SI-13(5)]
#     soc-2: [A1.2, CC7.4]
package policies.database.database_backups

import data.plangate.lib

# Days where it is left out.
defaults := {
	"aws_db_instance": 0,
	"aws_rds_cluster": 1,
}

least := data.plangate.settings.database_backups.min_days

deny contains lib.finding_at(database, message, "/backup_retention_period") if {
	some type, _ in defaults
	some database in lib.of_type(type)
	is_short(database)
	message := sprintf("days for which it keeps backups: %v (at least %v)", [days_of(database), least])
}

undetermined contains lib.finding_at(database, message, "/backup_retention_period") if {
	some type, _ in defaults
	some database in lib.of_type(type)
	not is_short(database)
	not is_long(database)
	not copies(database)
	message := "for how long it keeps backups is known only after apply: set it, and say what it is a copy of, if any"
}

is_short(database) if {
	days_of(database) < least
	lib.is_empty(database, "replicate_source_db")
}

is_long(database) if days_of(database) >= least

# A replica: what it copies is backed up where it comes from.
copies(database) if {
	not lib.is_unknown(database, "/replicate_source_db")
	not lib.is_empty(database, "replicate_source_db")
}

days_of(database) := database.after.backup_retention_period if {
	is_number(database.after.backup_retention_period)
}

days_of(database) := defaults[database.type] if lib.is_empty(database, "backup_retention_period")
