# METADATA
# title: One change does not move network borders and destroy data at once
# description: >-
#   A plan that loosens or removes a border and also destroys data cannot be reviewed as either: the deletion hides in
#   the network change, and when it fails half-way nobody knows what was exposed in between. Making new networks does
#   not count.
# related_resources:
#   - ref: https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_tracking_change_management_planned_changemgmt.html
# custom:
#   id: network-apart-from-data
#   severity: medium
#   enforcement: advisory
#   scope: plan
#   remediation: Split the change, and apply the network part first.
#   frameworks:
#     nist-800-53-r5: [CM-3]
package policies.change.network_apart_from_data

import data.plangate.lib

borders := {
	"network.load_balancer",
	"network.security_group",
	"network.security_group_rule",
	"network.subnet",
	"network.vpc",
}

deny contains lib.plan_finding(message) if {
	count(moved) > 0
	count(lost) > 0
	message := sprintf("it changes %v and destroys data of %v", [concat(", ", sort(moved)), concat(", ", sort(lost))])
}

undetermined contains lib.plan_finding(message) if {
	count(moved) > 0
	some resource in input.resources
	lib.is_destroyed(resource)
	resource.facts.stateful == "unknown"
	message := sprintf("it changes %v and destroys %v, which may hold data", [
		concat(", ", sort(moved)),
		resource.address,
	])
}

moved contains resource.address if {
	some kind in borders
	some resource in lib.all_of_kind(kind)
	resource.action in {"delete", "replace", "update"}
}

lost contains resource.address if {
	some resource in input.resources
	lib.is_destroyed(resource)
	resource.facts.stateful == true
}
