package policies.database.database_final_snapshot_test

import data.plangate.lib.builders_test as builders
import data.policies.database.database_final_snapshot as rule

database(fields) := builders.plan([object.union(
	{
		"address": "aws_db_instance.main",
		"kind": "database.instance",
		"action": "delete",
		"before": {},
		"after": null,
		"facts": {"stateful": true, "final_snapshot": false},
	},
	fields,
)])

finding(action) := {
	"address": "aws_db_instance.main",
	"message": sprintf("the change will %v it without a final snapshot", [action]),
}

test_fail_deleted_without_a_snapshot if {
	rule.deny == {finding("delete")} with input as database({})
}

test_fail_replaced_without_a_snapshot if {
	rule.deny == {finding("replace")} with input as database({"action": "replace", "after": {}})
}

# Left open by the attributes, the fact is false; a state without the setting shows no snapshot.
test_fail_whatever_the_attributes_say if {
	rule.deny == {finding("delete")} with input as database({"before": {"skip_final_snapshot": false}})
}

test_pass_deleted_with_a_snapshot if {
	rule.deny == set() with input as database({"facts": {"stateful": true, "final_snapshot": true}})
}

# Silence about it becomes unknown: the rule reads the fact.
test_unknown_whether_it_leaves_one if {
	rule.deny == set() with input as database({"facts": {"stateful": true, "final_snapshot": "unknown"}})
}

test_pass_not_destroyed if {
	rule.deny == set() with input as database({"action": "update", "after": {}})
}

test_pass_without_data_of_its_own if {
	rule.deny == set() with input as database({"facts": {"stateful": false, "final_snapshot": false}})
}

# Silence about it becomes unknown: the rule reads the fact.
test_unknown_whether_it_holds_data if {
	rule.deny == set() with input as database({"facts": {"stateful": "unknown", "final_snapshot": false}})
}
