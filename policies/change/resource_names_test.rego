package policies.change.resource_names_test

import data.plangate.lib.builders_test as builders
import data.policies.change.resource_names as rule

settings := {"names": {
	"aws_s3_bucket": {"attribute": "bucket", "allow": ["acme-*", "legacy"]},
	"aws_sqs_queue": {"allow": ["*-queue"]},
}}

plan(type, fields) := builders.plan([object.union({"address": "r", "type": type}, fields)])

bucket(name) := plan("aws_s3_bucket", {"after": {"bucket": name}})

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.resource_names as settings
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.resource_names as settings
}

other_name(shown) := {{
	"address": "r",
	"message": sprintf("its name is %v, which is none of: acme-*, legacy", [shown]),
	"path": "/bucket",
}}

test_fail_another_name if {
	denied(bucket("logs")) == other_name(`"logs"`)
	undetermined(bucket("logs")) == set()
}

test_fail_only_part_of_a_pattern if denied(bucket("my-acme-logs")) == other_name(`"my-acme-logs"`)

test_fail_without_attribute_it_is_the_name if {
	denied(plan("aws_sqs_queue", {"after": {"name": "jobs"}})) == {{
		"address": "r",
		"message": `its name is "jobs", which is none of: *-queue`,
		"path": "/name",
	}}
}

test_pass_one_of_the_patterns if {
	denied(bucket("acme-logs")) == set()
	denied(bucket("legacy")) == set()
	undetermined(bucket("legacy")) == set()
	denied(plan("aws_sqs_queue", {"after": {"name": "jobs-queue"}})) == set()
}

test_pass_a_type_that_is_not_named if denied(plan("aws_sns_topic", {"after": {"name": "logs"}})) == set()

test_pass_deleted if denied(plan("aws_s3_bucket", {"action": "delete", "after": null})) == set()

test_absent_name_is_none_of_the_patterns if {
	denied(plan("aws_s3_bucket", {})) == other_name(`""`)
	count(denied(bucket(null))) == 1
}

test_absent_settings_ask_for_nothing if {
	rule.deny == set() with input as bucket("logs") with data.plangate.settings.resource_names as {"names": {}}
}

test_unknown_name if {
	document := plan("aws_s3_bucket", {"unknown": ["/bucket"]})
	denied(document) == set()
	undetermined(document) == {{"address": "r", "message": "its name is known only after apply", "path": "/bucket"}}
}

test_unknown_name_without_attribute if {
	document := plan("aws_sqs_queue", {"unknown": ["/name"]})
	denied(document) == set()
	undetermined(document) == {{"address": "r", "message": "its name is known only after apply", "path": "/name"}}
}
