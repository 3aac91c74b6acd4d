package policies.crypto.key_vault_purge_protection_test

import data.plangate.lib.builders_test as builders
import data.policies.crypto.key_vault_purge_protection as rule

vault(fields) := builders.plan([object.union({"address": "v", "type": "azurerm_key_vault"}, fields)])

finding := {
	"address": "v",
	"message": "what is deleted in it can be purged at once",
	"path": "/purge_protection_enabled",
}

test_fail_off if {
	rule.deny == {finding} with input as vault({"after": {"purge_protection_enabled": false}})
}

test_fail_absent if rule.deny == {finding} with input as vault({"after": {}})

test_fail_null if {
	rule.deny == {finding} with input as vault({"after": {"purge_protection_enabled": null}})
}

test_fail_security_module if {
	module_type := "azurerm_key_vault_managed_hardware_security_module"
	rule.deny == {finding} with input as vault({"type": module_type, "after": {}})
}

test_pass_on if rule.deny == set() with input as vault({"after": {"purge_protection_enabled": true}})

test_unknown_is_not_denied if {
	rule.deny == set() with input as vault({"unknown": ["/purge_protection_enabled"]})
}

test_fail_whatever_else_is_unknown if {
	rule.deny == {finding} with input as vault({"unknown": ["/vault_uri"]})
}

test_pass_deleted if rule.deny == set() with input as vault({"action": "delete", "after": null})
