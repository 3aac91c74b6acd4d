package policies.logging.trail_complete_test

import data.plangate.lib.builders_test as builders
import data.policies.logging.trail_complete as rule

complete := {
	"enable_log_file_validation": true,
	"enable_logging": true,
	"is_multi_region_trail": true,
	"kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/1",
}

trail(after, unknown) := builders.plan([{
	"address": "aws_cloudtrail.main",
	"type": "aws_cloudtrail",
	"after": after,
	"unknown": unknown,
}])

with_value(name, value) := trail(object.union(complete, {name: value}), [])

finding(path, message) := {"address": "aws_cloudtrail.main", "message": message, "path": path}

not_validated := finding(
	"/enable_log_file_validation",
	"a log file that was changed is not noticed: log file validation is off",
)

one_region := finding("/is_multi_region_trail", "it records one region only")

no_key := finding("/kms_key_id", "its log files are not encrypted with a key of yours")

silent := finding("/enable_logging", "it records nothing: logging is off")

test_pass_complete if {
	rule.deny == set() with input as trail(complete, [])
	rule.undetermined == set() with input as trail(complete, [])
}

test_pass_logging_left_on if {
	rule.deny == set() with input as trail(object.remove(complete, ["enable_logging"]), [])
}

test_fail_one_region if rule.deny == {one_region} with input as with_value("is_multi_region_trail", false)

test_fail_not_validated if rule.deny == {not_validated} with input as with_value("enable_log_file_validation", false)

test_fail_no_key if {
	rule.deny == {no_key} with input as with_value("kms_key_id", "")
	rule.deny == {no_key} with input as with_value("kms_key_id", null)
}

test_fail_logging_off if rule.deny == {silent} with input as with_value("enable_logging", false)

test_absent_settings_are_off if {
	rule.deny == {one_region, not_validated, no_key} with input as trail({}, [])
	rule.undetermined == set() with input as trail({}, [])
}

test_absent_trail if rule.deny == set() with input as builders.plan([{"type": "aws_s3_bucket", "after": {}}])

test_pass_deleted if {
	gone := builders.plan([{"type": "aws_cloudtrail", "action": "delete", "after": null}])
	rule.deny == set() with input as gone
}

test_unknown_settings if {
	every name, _ in complete {
		path := concat("", ["/", name])
		plan := trail(object.remove(complete, [name]), [path])
		denied := rule.deny with input as plan
		denied == set()
		undetermined := rule.undetermined with input as plan
		undetermined == {finding(path, sprintf("%v is known only after apply", [name]))}
	}
}
