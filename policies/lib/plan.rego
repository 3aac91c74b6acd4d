# What every policy may ask of a plan. The index by kind is computed once per evaluation, for all rules.
package plangate.lib

# The resources of a kind that exist after the change, as an array-like set.
of_kind(kind) := kept_by_kind[kind]

# Everything the plan says of a kind, what goes included.
all_of_kind(kind) := by_kind[kind]

finding(resource, message) := {"address": resource.address, "message": message}

finding_at(resource, message, path) := {"address": resource.address, "message": message, "path": path}

plan_finding(message) := {"address": "", "message": message}

by_kind[resource.kind] contains resource if some resource in input.resources

kept_by_kind[resource.kind] contains resource if {
	some resource in input.resources
	not resource.action in {"delete", "forget"}
}
