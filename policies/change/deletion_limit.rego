# METADATA
# title: One change deletes a limited number of resources
# description: >-
#   A wrong workspace, a lost state or a dropped module shows first in how much goes. What is replaced is not counted
#   here: something takes its place. The built-in rule blast-radius counts both.
# related_resources:
#   - ref: https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_tracking_change_management_planned_changemgmt.html
# custom:
#   id: deletion-limit
#   severity: medium
#   enforcement: advisory
#   scope: plan
#   remediation: Split the change, or raise max_deletes for this environment while it is taken down.
#   settings:
#     max_deletes:
#       description: Most resources that one plan may delete; 0 for an environment in which nothing goes unseen.
#       type: integer
#       minimum: 0
#       default: 5
package policies.change.deletion_limit

import data.plangate.lib

deny contains lib.plan_finding(message) if {
	most := data.plangate.settings.deletion_limit.max_deletes
	gone := count([action | some action in lib.actions; action == "delete"])
	gone > most
	message := sprintf("it deletes %v resources (at most %v)", [gone, most])
}
