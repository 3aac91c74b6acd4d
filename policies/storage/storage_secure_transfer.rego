# METADATA
# title: Storage accounts of Azure take encrypted requests only
# description: >-
#   Over plain HTTP the account's key, a shared access signature or the data itself can be read on the way. TLS before
#   1.2 has known weaknesses.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/storage/common/storage-require-secure-transfer
#   - ref: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: >-
#       What maps "Secure transfer to storage accounts should be enabled" and "Storage accounts should have the
#       specified minimum TLS version" to the frameworks.
# custom:
#   id: storage-secure-transfer
#   severity: high
#   enforcement: mandatory
#   types: [azurerm_storage_account]
#   remediation: >-
#     Leave https_traffic_only_enabled and min_tls_version out, or set them to true and TLS1_2.
#   frameworks:
#     cis-azure-3.0: ["4.1", "4.15"]
#     nist-800-53-r5: [SC-8, SC-8(1)]
#     pci-dss-4.0: ["3.5.1", "6.2.4"]
#     soc-2: [CC6.1, CC6.6, CC6.7]
package policies.storage.storage_secure_transfer

import data.plangate.lib

# Source may have a text where a plan has true or false.
off := {"false", false}

old_versions := {"TLS1_0", "TLS1_1"}

# Left out, or null, only HTTPS is taken.
deny contains lib.finding_at(account, "it takes requests over plain HTTP", "/https_traffic_only_enabled") if {
	some account in lib.of_type("azurerm_storage_account")
	account.after.https_traffic_only_enabled in off
}

# The same setting, as it was called before version 4 of the provider.
deny contains lib.finding_at(account, "it takes requests over plain HTTP", "/enable_https_traffic_only") if {
	some account in lib.of_type("azurerm_storage_account")
	account.after.enable_https_traffic_only in off
}

# Left out, or null, it is TLS1_2.
deny contains lib.finding_at(account, message, "/min_tls_version") if {
	some account in lib.of_type("azurerm_storage_account")
	account.after.min_tls_version in old_versions
	message := sprintf("it takes %v", [account.after.min_tls_version])
}
