package policies.change.change_size_test

import data.plangate.lib.builders_test as builders
import data.policies.change.change_size as rule

plan := builders.plan([
	{"address": "a", "action": "create"},
	{"address": "b", "action": "create"},
	{"address": "c", "action": "update"},
	{"address": "d", "action": "no-op"},
	{"address": "e", "action": "read", "mode": "data"},
])

test_fail_one_too_many if {
	settings := {"max_changes": 2, "actions": ["create", "update"]}
	denied := rule.deny with input as plan with data.plangate.settings.change_size as settings
	denied == {{"address": "", "message": "it changes 3 resources (at most 2)"}}
}

test_pass_as_many_as_allowed if {
	settings := {"max_changes": 3, "actions": ["create", "update"]}
	rule.deny == set() with input as plan with data.plangate.settings.change_size as settings
}

test_pass_what_does_not_count if {
	settings := {"max_changes": 2, "actions": ["create", "delete"]}
	rule.deny == set() with input as plan with data.plangate.settings.change_size as settings
}

test_absent_resources_change_nothing if {
	settings := {"max_changes": 0, "actions": ["create"]}
	rule.deny == set() with input as builders.plan([]) with data.plangate.settings.change_size as settings
}

test_fail_whatever_the_format_of_the_plan if {
	settings := {"max_changes": 0, "actions": ["create"]}
	every format in ["terraform-plan", "cloudformation-change-set", "pulumi-preview", "something-new"] {
		document := object.union(plan, {"source": {"format": format}})
		denied := rule.deny with input as document with data.plangate.settings.change_size as settings
		denied == {{"address": "", "message": "it changes 2 resources (at most 0)"}}
	}
}

test_pass_what_says_nothing_of_changes if {
	settings := {"max_changes": 0, "actions": ["create"]}
	every format in ["azure-template", "cloudformation", "compose", "kubernetes", "terraform-source"] {
		document := object.union(plan, {"source": {"format": format}})
		denied := rule.deny with input as document with data.plangate.settings.change_size as settings
		denied == set()
	}
}
