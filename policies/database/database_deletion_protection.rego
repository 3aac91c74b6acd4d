# METADATA
# title: Databases refuse to be deleted
# description: >-
#   Deletion protection makes a deletion two changes: one that lifts it, and one that deletes. A wrong workspace or a
#   stolen key then fails at the first.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-7
#     description: "RDS.7 and RDS.8, with what they map to in aws-fsbp-1.0 and nist-800-53-r5"
#   - ref: https://cloud.google.com/sql/docs/mysql/deletion-protection
# custom:
#   id: database-deletion-protection
#   severity: medium
#   enforcement: advisory
#   kinds: [database.instance]
#   remediation: Set deletion_protection (deletion_protection_enabled for a DynamoDB table) to true.
#   frameworks:
#     aws-fsbp-1.0: [RDS.7, RDS.8]
#     nist-800-53-r5: [CM-3, SC-5(2), SI-13(5)]
package policies.database.database_deletion_protection

import data.plangate.lib

# The fact is null for a kind of database that has no such protection, and for a member of a cluster, which has it.
deny contains lib.finding(database, "it can be deleted in one step: deletion protection is off") if {
	some database in lib.of_kind("database.instance")
	database.facts.deletion_protection == false
}
