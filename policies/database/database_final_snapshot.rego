# METADATA
# title: A database that goes leaves a final snapshot
# description: >-
#   Deleting or replacing a database deletes its data. With skip_final_snapshot there is nothing to restore when the
#   change turns out to be wrong.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
# custom:
#   id: database-final-snapshot
#   severity: high
#   enforcement: overridable
#   kinds: [database.instance]
#   scope: changes
#   remediation: >-
#     Apply skip_final_snapshot = false and a final_snapshot_identifier first, in a change of its own: a deletion
#     follows what was applied last.
#   frameworks:
#     nist-800-53-r5: [CP-9, CP-10]
package policies.database.database_final_snapshot

import data.plangate.lib

deny contains lib.finding_at(database, message, "/skip_final_snapshot") if {
	some database in lib.all_of_kind("database.instance")
	lib.is_destroyed(database)
	database.facts.stateful == true
	not database.before.skip_final_snapshot == false
	message := sprintf("the change will %v it without a final snapshot", [database.action])
}
