package policies.crypto.key_deletion_window_test

import data.plangate.lib.builders_test as builders
import data.policies.crypto.key_deletion_window as rule

key(after) := builders.plan([{"address": "aws_kms_key.main", "kind": "crypto.key", "after": after}])

test_fail_gone_in_a_week if {
	denied := rule.deny with input as key({"deletion_window_in_days": 7})
	denied == {{
		"address": "aws_kms_key.main",
		"message": "it is gone 7 days after its deletion",
		"path": "/deletion_window_in_days",
	}}
}

test_pass_two_weeks if rule.deny == set() with input as key({"deletion_window_in_days": 14})

test_pass_absent if rule.deny == set() with input as key({})

test_pass_null if rule.deny == set() with input as key({"deletion_window_in_days": null})

test_pass_deleted if {
	plan := builders.plan([{"kind": "crypto.key", "action": "delete", "after": null}])
	rule.deny == set() with input as plan
}

test_fail_a_day_short_of_two_weeks if count(rule.deny) == 1 with input as key({"deletion_window_in_days": 13})

# Silence about it becomes unknown: the rule reads the value.
test_unknown_window if {
	plan := builders.plan([{"kind": "crypto.key", "unknown": ["/deletion_window_in_days"]}])
	rule.deny == set() with input as plan
}
