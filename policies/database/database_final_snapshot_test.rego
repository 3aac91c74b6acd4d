package policies.database.database_final_snapshot_test

import data.plangate.lib.builders_test as builders
import data.policies.database.database_final_snapshot as rule

database(fields) := builders.plan([object.union(
	{
		"address": "aws_db_instance.main",
		"kind": "database.instance",
		"action": "delete",
		"before": {"skip_final_snapshot": true},
		"after": null,
		"facts": {"stateful": true},
	},
	fields,
)])

finding(action) := {
	"address": "aws_db_instance.main",
	"message": sprintf("the change will %v it without a final snapshot", [action]),
	"path": "/skip_final_snapshot",
}

test_fail_deleted_without_a_snapshot if {
	rule.deny == {finding("delete")} with input as database({})
}

test_fail_replaced_without_a_snapshot if {
	rule.deny == {finding("replace")} with input as database({"action": "replace", "after": {}})
}

test_fail_setting_absent if {
	rule.deny == {finding("delete")} with input as database({"before": {}})
}

test_fail_setting_null if {
	rule.deny == {finding("delete")} with input as database({"before": {"skip_final_snapshot": null}})
}

test_pass_deleted_with_a_snapshot if {
	rule.deny == set() with input as database({"before": {"skip_final_snapshot": false}})
}

test_pass_not_destroyed if {
	rule.deny == set() with input as database({"action": "update", "after": {}})
}

test_pass_without_data_of_its_own if {
	rule.deny == set() with input as database({"facts": {"stateful": false}})
}

# Silence about it becomes unknown: the rule reads the fact.
test_unknown_whether_it_holds_data if {
	rule.deny == set() with input as database({"facts": {"stateful": "unknown"}})
}
