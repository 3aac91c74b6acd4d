# METADATA
# title: Nothing is dropped from management and left running
# description: >-
#   A removed block with destroy = false takes a resource out of the state and leaves it where it is: still paid for,
#   still reachable, and seen by no plan and no policy any more. Moving it to another state is the good reason.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/block/removed
# custom:
#   id: nothing-forgotten
#   severity: medium
#   enforcement: overridable
#   scope: changes
#   remediation: Delete it, keep it in the configuration, or have the plan approved if another state takes it over.
package policies.change.nothing_forgotten

import data.plangate.lib

deny contains lib.finding(resource, "it is dropped from management, and still there afterwards") if {
	some resource in input.resources
	resource.mode == "managed"
	resource.action == "forget"
}
