package policies.change.tag_values_test

import data.plangate.lib.builders_test as builders
import data.policies.change.tag_values as rule

settings := {"tags": {"env": ["prod", "test-*"], "team": ["*"]}}

plan(tags, complete) := builders.plan([{"address": "r", "facts": {"tags": tags, "tags_complete": complete}}])

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.tag_values as settings
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.tag_values as settings
}

finding(message) := {"address": "r", "message": message, "path": "/tags"}

test_fail_another_value if {
	document := plan({"env": "Prod", "team": "a"}, true)
	denied(document) == {finding(`the tag env is "Prod", which is none of: prod, test-*`)}
	undetermined(document) == set()
}

test_fail_an_empty_value if {
	denied(plan({"env": ""}, true)) == {finding(`the tag env is "", which is none of: prod, test-*`)}
}

test_pass_accepted_values if {
	denied(plan({"env": "prod", "team": "a"}, true)) == set()
	denied(plan({"env": "test-7"}, true)) == set()
	undetermined(plan({"env": "test-7"}, true)) == set()
}

test_pass_other_tags if denied(plan({"owner": "Prod"}, true)) == set()

test_pass_what_goes_or_is_not_managed if {
	gone := {"address": "r", "action": "delete", "facts": {"tags": {"env": "x"}, "tags_complete": false}}
	looked_up := {"address": "d", "mode": "data", "facts": {"tags": "unknown", "tags_complete": false}}
	denied(builders.plan([gone, looked_up])) == set()
	undetermined(builders.plan([gone, looked_up])) == set()
}

test_absent_tags if {
	denied(plan({}, true)) == set()
	undetermined(plan({}, true)) == set()
	denied(plan({"env": null}, true)) == set()
}

test_absent_ability_to_have_tags if {
	denied(plan(null, false)) == set()
	undetermined(plan(null, false)) == set()
}

test_absent_settings_ask_for_nothing if {
	none := {"tags": {}}
	rule.deny == set() with input as plan({"env": "x"}, true) with data.plangate.settings.tag_values as none
	rule.undetermined == set() with input as plan("unknown", false) with data.plangate.settings.tag_values as none
}

test_unknown_value if {
	document := plan({"env": "unknown"}, true)
	denied(document) == set()
	undetermined(document) == {finding("the tag env is known only after apply")}
}

test_unknown_whether_more_tags_come if {
	document := plan({"team": "a"}, false)
	denied(document) == set()
	undetermined(document) == {finding("the tag env may be there after apply")}
}

test_unknown_tags if {
	document := plan("unknown", false)
	denied(document) == set()
	undetermined(document) == {finding("its tags are known only after apply")}
}

test_fail_known_value_beside_unknown_ones if {
	document := plan({"env": "x", "team": "unknown"}, true)
	denied(document) == {finding(`the tag env is "x", which is none of: prod, test-*`)}
	undetermined(document) == {finding("the tag team is known only after apply")}
}

test_unknown_tags_where_one_tag_is_asked_for if {
	document := plan("unknown", true)
	found := rule.undetermined with input as document with data.plangate.settings.tag_values as {"tags": {"env": ["a"]}}
	found == {finding("its tags are known only after apply")}
}
