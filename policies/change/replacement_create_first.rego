# METADATA
# title: What serves traffic is replaced by making the new one first
# description: >-
#   A replacement that destroys first is an outage from the moment of the destruction until the new one answers, and
#   for good if making the new one fails.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#create_before_destroy
# custom:
#   id: replacement-create-first
#   severity: medium
#   enforcement: advisory
#   kinds:
#     - compute.group
#     - compute.instance
#     - container.workload
#     - kubernetes.workload
#     - network.load_balancer
#     - serverless.function
#   remediation: >-
#     Set create_before_destroy in its lifecycle block. Where a fixed name or address stands in the way, use a prefix,
#     or avoid the change that forces the replacement.
package policies.change.replacement_create_first

import data.plangate.lib

serving := {
	"compute.group",
	"compute.instance",
	"container.workload",
	"kubernetes.workload",
	"network.load_balancer",
	"serverless.function",
}

deny contains lib.finding(resource, "it is destroyed before the new one is made") if {
	some kind in serving
	some resource in lib.of_kind(kind)
	resource.action == "replace"
	resource.replace_order == "destroy-first"
}

undetermined contains lib.finding(resource, "it is replaced, and the plan does not say which comes first") if {
	some kind in serving
	some resource in lib.of_kind(kind)
	resource.action == "replace"
	resource.replace_order == null
}
