package policies.change.deletion_limit_test

import data.plangate.lib.builders_test as builders
import data.policies.change.deletion_limit as rule

plan := builders.plan([
	{"address": "a", "action": "delete"},
	{"address": "b", "action": "delete"},
	{"address": "b", "action": "delete", "deposed": "00ff"},
	{"address": "c", "action": "replace"},
	{"address": "d", "action": "forget"},
	{"address": "e", "action": "delete", "mode": "data"},
])

test_fail_one_too_many if {
	denied := rule.deny with input as plan with data.plangate.settings.deletion_limit as {"max_deletes": 2}
	denied == {{"address": "", "message": "it deletes 3 resources (at most 2)"}}
}

test_pass_as_many_as_allowed if {
	rule.deny == set() with input as plan with data.plangate.settings.deletion_limit as {"max_deletes": 3}
}

test_absent_resources_delete_nothing if {
	none := builders.plan([])
	rule.deny == set() with input as none with data.plangate.settings.deletion_limit as {"max_deletes": 0}
}
