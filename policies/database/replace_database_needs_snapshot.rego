# METADATA
# title: A database that goes leaves a snapshot behind
# description: x
# custom:
#   id: replace-database-needs-snapshot
#   severity: critical
#   enforcement: mandatory
#   kinds: [database.instance]
#   scope: changes
#   remediation: x
package policies.database.replace_database_needs_snapshot

import data.plangate.lib

deny contains lib.finding(database, "goes without a final snapshot") if {
	some database in lib.all_of_kind("database.instance")
	database.action in {"delete", "replace"}
	database.before.skip_final_snapshot == true
}
