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

test_pass_on if {
	rule.deny == set() with input as vault({"after": {"purge_protection_enabled": true}})
	rule.deny == set() with input as vault({"after": {"purge_protection_enabled": "true"}})
}

doubt := object.union(finding, {"message": "whether what is deleted in it can be purged at once is known only after apply"})

test_unknown if {
	plan := vault({"unknown": ["/purge_protection_enabled"]})
	rule.deny == set() with input as plan
	rule.undetermined == {doubt} with input as plan
}

test_fail_whatever_else_is_unknown if {
	plan := vault({"unknown": ["/vault_uri"]})
	rule.deny == {finding} with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_deleted if rule.deny == set() with input as vault({"action": "delete", "after": null})
