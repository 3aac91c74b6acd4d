package policies.network.web_app_https_only_test

import data.plangate.lib.builders_test as builders
import data.policies.network.web_app_https_only as rule

app(fields) := builders.plan([object.union({"address": "app", "type": "azurerm_linux_web_app"}, fields)])

finding := {"address": "app", "message": "it answers over plain HTTP as well", "path": "/https_only"}

test_fail_off if rule.deny == {finding} with input as app({"after": {"https_only": false}})

test_fail_absent if rule.deny == {finding} with input as app({"after": {}})

test_fail_null if rule.deny == {finding} with input as app({"after": {"https_only": null}})

test_pass_on if {
	rule.deny == set() with input as app({"after": {"https_only": true}})
	rule.deny == set() with input as app({"after": {"https_only": "true"}})
}

doubt := object.union(finding, {"message": "whether it answers over plain HTTP as well is known only after apply"})

test_unknown if {
	plan := app({"unknown": ["/https_only"]})
	rule.deny == set() with input as plan
	rule.undetermined == {doubt} with input as plan
}

test_fail_whatever_else_is_unknown if {
	plan := app({"unknown": ["/id"]})
	rule.deny == {finding} with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_deleted if rule.deny == set() with input as app({"action": "delete", "after": null})

test_fail_every_kind_of_app if {
	types := {
		"azurerm_app_service",
		"azurerm_app_service_slot",
		"azurerm_function_app",
		"azurerm_function_app_flex_consumption",
		"azurerm_function_app_slot",
		"azurerm_linux_function_app",
		"azurerm_linux_function_app_slot",
		"azurerm_linux_web_app",
		"azurerm_linux_web_app_slot",
		"azurerm_logic_app_standard",
		"azurerm_windows_function_app",
		"azurerm_windows_function_app_slot",
		"azurerm_windows_web_app",
		"azurerm_windows_web_app_slot",
	}
	denied := rule.deny with input as builders.plan([{"address": type, "type": type} | some type in types])
	{found.address | some found in denied} == types
}
