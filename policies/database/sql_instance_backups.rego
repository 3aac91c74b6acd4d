# METADATA
# title: Cloud SQL instances are backed up
# description: >-
#   Without automatic backups a wrong statement, a broken migration or an extortionist takes the data for good. A replica
#   repeats the mistake of its primary, so it is no backup, and needs none of its own.
# related_resources:
#   - ref: https://cloud.google.com/sql/docs/mysql/backup-recovery/backups
#   - ref: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/sql_database_instance
#   - ref: https://github.com/prowler-cloud/prowler/tree/master/prowler/compliance/gcp
#     description: What maps it to the frameworks (cloudsql_instance_automated_backups).
# custom:
#   id: sql-instance-backups
#   severity: high
#   enforcement: overridable
#   types: [google_sql_database_instance]
#   remediation: "Write backup_configuration { enabled = true } into settings."
#   frameworks:
#     cis-gcp-3.0: ["6.7"]
#     soc-2: [CC7.5]
package policies.database.sql_instance_backups

import data.plangate.lib

setting := "/settings/0/backup_configuration/0/enabled"

# Left out, it is off.
deny contains lib.finding_at(instance, "it has no automatic backups", setting) if {
	some instance in lib.of_type("google_sql_database_instance")
	not is_replica(instance)
	not is_backed_up(instance)
	not is_open(instance)
}

undetermined contains lib.finding_at(instance, message, setting) if {
	some instance in lib.of_type("google_sql_database_instance")
	not is_replica(instance)
	not is_backed_up(instance)
	is_open(instance)
	message := "whether it has automatic backups is known only after apply: set it"
}

# Source may have a text where a plan has true or false.
is_backed_up(instance) if {
	some settings in lib.items(instance.after.settings)
	some backups in lib.items(settings.backup_configuration)
	backups.enabled in {"true", true}
}

# The name of its primary stands there, or comes from another resource.
is_replica(instance) if {
	is_string(instance.after.master_instance_name)
	instance.after.master_instance_name != ""
}

is_replica(instance) if {
	some edge in instance.references
	edge.at == "/master_instance_name"
}

is_open(instance) if lib.is_unknown(instance, setting)

is_open(instance) if lib.is_unresolved(instance, {"/master_instance_name"})
