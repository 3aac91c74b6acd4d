package policies.storage.bucket_uniform_access_test

import data.plangate.lib.builders_test as builders
import data.policies.storage.bucket_uniform_access as rule

bucket(fields) := builders.plan([object.union({"address": "b", "type": "google_storage_bucket"}, fields)])

finding(message) := {"address": "b", "message": message, "path": "/uniform_bucket_level_access"}

denial := finding("single objects may have access lists")

doubt := finding("whether single objects may have access lists is known only after apply: set it")

test_fail_off if {
	plan := bucket({"after": {"uniform_bucket_level_access": false}})
	rule.deny == {denial} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_absent if {
	rule.deny == {denial} with input as bucket({"after": {}})
	rule.deny == {denial} with input as bucket({"after": {"uniform_bucket_level_access": null}})
}

test_pass_on if {
	plan := bucket({"after": {"uniform_bucket_level_access": true}})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_on_as_text if {
	rule.deny == set() with input as bucket({"after": {"uniform_bucket_level_access": "true"}})
}

test_unknown if {
	plan := bucket({"unknown": ["/uniform_bucket_level_access"]})
	rule.deny == set() with input as plan
	rule.undetermined == {doubt} with input as plan
}

test_fail_whatever_else_is_unknown if {
	plan := bucket({"unknown": ["/url"]})
	rule.deny == {denial} with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_deleted if {
	plan := bucket({"action": "delete", "after": null})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}
