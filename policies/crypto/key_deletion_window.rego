# METADATA
# title: A key can be rescued for two weeks after it is deleted
# description: >-
#   What a key encrypted is lost with it. The waiting period is the only time in which a deletion by mistake can be
#   noticed and taken back, so it must outlast a holiday.
# related_resources:
#   - ref: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key
# custom:
#   id: key-deletion-window
#   severity: medium
#   enforcement: advisory
#   kinds: [crypto.key]
#   remediation: Set deletion_window_in_days to 14 or more, or leave it out for 30.
#   frameworks:
#     nist-800-53-r5: [SC-12]
package policies.crypto.key_deletion_window

import data.plangate.lib

# Left out, or null, it is 30 days.
deny contains lib.finding_at(key, message, "/deletion_window_in_days") if {
	some key in lib.of_kind("crypto.key")
	is_number(key.after.deletion_window_in_days)
	key.after.deletion_window_in_days < 14
	message := sprintf("it is gone %v days after its deletion", [key.after.deletion_window_in_days])
}
