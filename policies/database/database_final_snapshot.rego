# METADATA
# title: A database that goes leaves a final snapshot
# description: >-
#   Deleting or replacing a database deletes its data. Without a final snapshot there is nothing to restore when the
#   change turns out to be wrong.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
#   - ref: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
# custom:
#   id: database-final-snapshot
#   severity: high
#   enforcement: overridable
#   kinds: [database.instance]
#   scope: changes
#   remediation: >-
#     In Terraform, apply skip_final_snapshot = false and a final_snapshot_identifier first, in a change of its own: a
#     deletion follows what was applied last. In CloudFormation, apply DeletionPolicy and UpdateReplacePolicy Snapshot
#     first.
#   frameworks:
#     nist-800-53-r5: [CP-9, CP-10]
package policies.database.database_final_snapshot

import data.plangate.lib

deny contains lib.finding(database, message) if {
	some database in lib.all_of_kind("database.instance")
	lib.is_destroyed(database)
	database.facts.stateful == true
	database.facts.final_snapshot == false
	message := sprintf("the change will %v it without a final snapshot", [database.action])
}
