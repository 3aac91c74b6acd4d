package policies.database.sql_server_audited_test

import data.plangate.lib.builders_test as builders
import data.policies.database.sql_server_audited as rule

server := {"address": "azurerm_mssql_server.main", "type": "azurerm_mssql_server"}

at(pointer, edge) := object.union(edge, {"at": pointer})

policy(fields) := object.union(
	{
		"address": "audit",
		"type": "azurerm_mssql_server_extended_auditing_policy",
		"references": [at("/server_id", builders.certainly("azurerm_mssql_server.main"))],
	},
	fields,
)

audited(fields) := builders.plan([server, policy(fields)])

finding(message) := {"address": "azurerm_mssql_server.main", "message": message}

not_for_it := finding("no auditing policy of the plan is for it")

not_known := finding("what its auditing policy audit does is known only after apply")

test_fail_absent if {
	plan := builders.plan([server])
	rule.deny == {not_for_it} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_policy_of_another_server if {
	other := policy({"references": [at("/server_id", builders.certainly("azurerm_mssql_server.other"))]})
	plan := builders.plan([server, other])
	rule.deny == {not_for_it} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_policy_that_names_it_elsewhere if {
	edges := [
		at("/predicate_expression", builders.certainly("azurerm_mssql_server.main")),
		at("/storage_endpoint", builders.possibly("azurerm_mssql_server.main")),
	]
	plan := audited({"references": edges})
	rule.deny == {not_for_it} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_policy_that_goes if {
	rule.deny == {not_for_it} with input as audited({"action": "delete", "after": null})
}

test_fail_switched_off if {
	plan := audited({"after": {"enabled": false, "retention_in_days": 90}})
	rule.deny == {finding("its auditing policy audit is switched off")} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_switched_off_as_text if {
	rule.deny == {finding("its auditing policy audit is switched off")} with input as audited({"after": {"enabled": "false"}})
}

test_fail_kept_for_too_short if {
	plan := audited({"after": {"enabled": true, "retention_in_days": 89}})
	rule.deny == {finding("its auditing policy audit keeps records for 89 days")} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_kept_for_a_day if {
	plan := audited({"after": {"retention_in_days": 1}})
	rule.deny == {finding("its auditing policy audit keeps records for 1 days")} with input as plan
}

test_pass_kept_long_enough if {
	plan := audited({"after": {"enabled": true, "retention_in_days": 90}})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_kept_for_ever if {
	plan := audited({"after": {"retention_in_days": 0}})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_with_what_the_provider_defaults_to if {
	plan := audited({"after": {"enabled": null, "retention_in_days": null}})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_with_nothing_set if {
	plan := audited({"after": {}})
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_days_that_are_no_number if {
	rule.deny == {not_for_it} with input as audited({"after": {"retention_in_days": "90"}})
}

test_unknown_whether_it_is_on if {
	plan := audited({"unknown": ["/enabled"]})
	rule.deny == set() with input as plan
	rule.undetermined == {not_known} with input as plan
}

test_unknown_how_long_it_is_kept if {
	plan := audited({"unknown": ["/retention_in_days"]})
	rule.deny == set() with input as plan
	rule.undetermined == {not_known} with input as plan
}

test_unknown_which_server_it_is_for if {
	plan := audited({"references": [at("/server_id", builders.possibly("azurerm_mssql_server.main"))]})
	rule.deny == set() with input as plan
	rule.undetermined == {finding("whether the auditing policy audit is for it is known only after apply")} with input as plan
}

test_unknown_where_it_cannot_be_followed if {
	plan := audited({"references": [], "unresolved": ["/server_id"]})
	rule.deny == set() with input as plan
	rule.undetermined == {finding("the auditing policy audit could not be followed to a server")} with input as plan
}

test_fail_where_something_else_cannot_be_followed if {
	plan := audited({"references": [], "unresolved": ["/storage_endpoint"]})
	rule.deny == {not_for_it} with input as plan
}

test_pass_with_a_certain_policy_beside_a_doubtful_one if {
	doubtful := policy({
		"address": "other",
		"references": [at("/server_id", builders.possibly("azurerm_mssql_server.main"))],
		"unresolved": ["/server_id"],
	})
	plan := builders.plan([server, policy({}), doubtful])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_deleted if {
	plan := builders.plan([object.union(server, {"action": "delete", "after": null})])
	rule.deny == set() with input as plan
}
