package policies.change.nothing_forgotten_test

import data.plangate.lib.builders_test as builders
import data.policies.change.nothing_forgotten as rule

entry(action, mode) := builders.plan([{"address": "aws_s3_bucket.logs", "action": action, "mode": mode}])

test_fail_forgotten if {
	denied := rule.deny with input as entry("forget", "managed")
	denied == {{
		"address": "aws_s3_bucket.logs",
		"message": "it is dropped from management, and still there afterwards",
	}}
}

test_pass_deleted if rule.deny == set() with input as entry("delete", "managed")

test_pass_kept if rule.deny == set() with input as entry("no-op", "managed")

test_pass_what_was_never_managed if rule.deny == set() with input as entry("forget", "data")

test_absent_resources_are_not_forgotten if rule.deny == set() with input as builders.plan([])
