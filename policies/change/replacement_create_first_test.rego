package policies.change.replacement_create_first_test

import data.plangate.lib.builders_test as builders
import data.policies.change.replacement_create_first as rule

change(kind, action, order) := builders.plan([{
	"address": "r",
	"kind": kind,
	"action": action,
	"replace_order": order,
}])

serving := {
	"compute.group",
	"compute.instance",
	"container.workload",
	"kubernetes.workload",
	"network.load_balancer",
	"serverless.function",
}

test_fail_destroyed_first if {
	every kind in serving {
		denied := rule.deny with input as change(kind, "replace", "destroy-first")
		denied == {{"address": "r", "message": "it is destroyed before the new one is made"}}
		undetermined := rule.undetermined with input as change(kind, "replace", "destroy-first")
		undetermined == set()
	}
}

test_pass_created_first if {
	plan := change("compute.instance", "replace", "create-first")
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_deleted_or_updated if {
	rule.deny == set() with input as change("compute.instance", "delete", null)
	rule.undetermined == set() with input as change("compute.instance", "delete", null)
	rule.deny == set() with input as change("compute.instance", "update", "destroy-first")
	rule.undetermined == set() with input as change("compute.instance", "update", null)
}

test_pass_what_serves_nobody if {
	rule.deny == set() with input as change("log.group", "replace", "destroy-first")
	rule.undetermined == set() with input as change("log.group", "replace", null)
}

test_absent_resources_are_not_replaced if rule.deny == set() with input as builders.plan([])

test_unknown_order if {
	plan := change("network.load_balancer", "replace", null)
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == {{"address": "r", "message": "it is replaced, and the plan does not say which comes first"}}
}
