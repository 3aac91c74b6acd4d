package policies.storage.storage_secure_transfer_test

import data.plangate.lib.builders_test as builders
import data.policies.storage.storage_secure_transfer as rule

account(after) := builders.plan([{
	"address": "azurerm_storage_account.main",
	"type": "azurerm_storage_account",
	"after": after,
}])

finding(message, path) := {"address": "azurerm_storage_account.main", "message": message, "path": path}

test_fail_plain_http if {
	denied := rule.deny with input as account({"https_traffic_only_enabled": false})
	denied == {finding("it takes requests over plain HTTP", "/https_traffic_only_enabled")}
}

test_fail_plain_http_as_text if {
	denied := rule.deny with input as account({"https_traffic_only_enabled": "false"})
	denied == {finding("it takes requests over plain HTTP", "/https_traffic_only_enabled")}
}

test_fail_plain_http_by_its_older_name if {
	denied := rule.deny with input as account({"enable_https_traffic_only": false})
	denied == {finding("it takes requests over plain HTTP", "/enable_https_traffic_only")}
}

test_fail_old_versions_of_tls if {
	first := rule.deny with input as account({"min_tls_version": "TLS1_0"})
	first == {finding("it takes TLS1_0", "/min_tls_version")}
	second := rule.deny with input as account({"min_tls_version": "TLS1_1"})
	second == {finding("it takes TLS1_1", "/min_tls_version")}
}

test_fail_twice_for_two_settings if {
	denied := rule.deny with input as account({"https_traffic_only_enabled": false, "min_tls_version": "TLS1_0"})
	count(denied) == 2
}

test_pass_encrypted if {
	rule.deny == set() with input as account({"https_traffic_only_enabled": true, "min_tls_version": "TLS1_2"})
	rule.deny == set() with input as account({"enable_https_traffic_only": true, "min_tls_version": "TLS1_3"})
}

test_pass_absent if rule.deny == set() with input as account({})

test_pass_null if {
	rule.deny == set() with input as account({"https_traffic_only_enabled": null, "min_tls_version": null})
}

test_pass_deleted if {
	plan := builders.plan([{"type": "azurerm_storage_account", "action": "delete", "after": null}])
	rule.deny == set() with input as plan
}

test_pass_another_type if {
	plan := builders.plan([{"type": "azurerm_storage_share", "after": {"https_traffic_only_enabled": false}}])
	rule.deny == set() with input as plan
}

# Silence about it becomes unknown: the rule reads the value.
test_unknown_versions if {
	plan := builders.plan([{"type": "azurerm_storage_account", "unknown": ["/min_tls_version"]}])
	rule.deny == set() with input as plan
}
