# METADATA
# title: Key vaults keep what is deleted
# description: >-
#   Without purge protection anybody who may delete a vault can also purge it at once. Everything that its keys
#   encrypted is lost then, and no backup brings it back.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
#   - ref: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/key_vault
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: What maps "Key vaults should have deletion protection enabled" to the frameworks.
# custom:
#   id: key-vault-purge-protection
#   severity: high
#   enforcement: overridable
#   types: [azurerm_key_vault, azurerm_key_vault_managed_hardware_security_module]
#   remediation: Set purge_protection_enabled to true. It cannot be taken back.
#   frameworks:
#     cis-azure-3.0: ["3.3.5"]
#     nist-800-53-r5: [CP-9]
#     soc-2: [CC6.1]
package policies.crypto.key_vault_purge_protection

import data.plangate.lib

types := {"azurerm_key_vault", "azurerm_key_vault_managed_hardware_security_module"}

# Left out, or null, it is off.
deny contains lib.finding_at(vault, "what is deleted in it can be purged at once", "/purge_protection_enabled") if {
	some type in types
	some vault in lib.of_type(type)
	not is_protected(vault)
	not lib.is_unknown(vault, "/purge_protection_enabled")
}

undetermined contains lib.finding_at(vault, message, "/purge_protection_enabled") if {
	some type in types
	some vault in lib.of_type(type)
	lib.is_unknown(vault, "/purge_protection_enabled")
	message := "whether what is deleted in it can be purged at once is known only after apply"
}

# Source may have a text where a plan has true or false.
is_protected(vault) if vault.after.purge_protection_enabled in {"true", true}
