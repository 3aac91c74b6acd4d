package policies.change.network_apart_from_data_test

import data.plangate.lib.builders_test as builders
import data.policies.change.network_apart_from_data as rule

change(network_action, data_action, stateful) := builders.plan([
	{"address": "sg", "kind": "network.security_group", "action": network_action},
	{"address": "db", "kind": "database.instance", "action": data_action, "facts": {"stateful": stateful}},
])

test_fail_both_at_once if {
	denied := rule.deny with input as change("update", "delete", true)
	denied == {{"address": "", "message": "it changes sg and destroys data of db"}}
}

test_fail_replaced_database if {
	denied := rule.deny with input as change("delete", "replace", true)
	denied == {{"address": "", "message": "it changes sg and destroys data of db"}}
}

test_pass_network_alone if {
	plan := change("update", "update", true)
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_data_alone if rule.deny == set() with input as change("no-op", "delete", true)

test_pass_new_network if rule.deny == set() with input as change("create", "delete", true)

test_pass_nothing_lost if rule.deny == set() with input as change("update", "delete", false)

test_absent_resources_change_nothing if rule.deny == set() with input as builders.plan([])

test_unknown_whether_it_holds_data if {
	plan := change("update", "delete", "unknown")
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == {{"address": "", "message": "it changes sg and destroys db, which may hold data"}}
}

test_fail_whichever_border if {
	borders := ["load_balancer", "security_group", "security_group_rule", "subnet", "vpc"]
	changed := [{"address": name, "kind": concat(".", ["network", name]), "action": "replace"} | some name in borders]
	database := {"address": "db", "kind": "database.instance", "action": "delete", "facts": {"stateful": true}}
	denied := rule.deny with input as builders.plan(array.concat(changed, [database]))
	message := sprintf("it changes %v and destroys data of db", [concat(", ", borders)])
	denied == {{"address": "", "message": message}}
}

test_pass_unknown_data_alone if rule.undetermined == set() with input as change("no-op", "delete", "unknown")

test_pass_unknown_data_kept if rule.undetermined == set() with input as change("update", "update", "unknown")

test_pass_no_data_lost if rule.undetermined == set() with input as change("update", "delete", false)
