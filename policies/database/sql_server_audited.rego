# METADATA
# title: SQL servers of Azure write an audit log, kept for 90 days
# description: >-
#   The audit log is the only record of who read or changed data. Most intrusions are found weeks after they began, so
#   it has to be older than that.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/azure-sql/database/auditing-overview
#   - ref: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/mssql_server_extended_auditing_policy
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: >-
#       What maps "Auditing on SQL server should be enabled" and "SQL servers with auditing to storage account
#       destination should be configured with 90 days retention or higher" to the frameworks.
# custom:
#   id: sql-server-audited
#   severity: medium
#   enforcement: overridable
#   types: [azurerm_mssql_server]
#   remediation: >-
#     Add an azurerm_mssql_server_extended_auditing_policy with the server's id, and with retention_in_days left out or
#     at 90 and more. Where the policy is kept in another configuration, waive the server.
#   frameworks:
#     cis-azure-3.0: ["5.1.1", "5.1.6"]
#     nist-800-53-r5: [AU-6(4), AU-6(5), AU-11, AU-12, AU-12(1)]
#     pci-dss-4.0: ["10.2.2", "10.3.3"]
package policies.database.sql_server_audited

import data.plangate.lib

policy_type := "azurerm_mssql_server_extended_auditing_policy"

deny contains lib.finding(server, "no auditing policy of the plan is for it") if {
	some server in lib.of_type("azurerm_mssql_server")
	address := server.address
	not certain[address]
	not possible[address]
	count(unfollowed) == 0
}

deny contains lib.finding(server, message) if {
	some server in lib.of_type("azurerm_mssql_server")
	some audit in certain[server.address]
	audit.switch == false
	message := sprintf("its auditing policy %v is switched off", [audit.address])
}

# 0 means for ever.
deny contains lib.finding(server, message) if {
	some server in lib.of_type("azurerm_mssql_server")
	some audit in certain[server.address]
	audit.days > 0
	audit.days < 90
	message := sprintf("its auditing policy %v keeps records for %v days", [audit.address, audit.days])
}

undetermined contains lib.finding(server, message) if {
	some server in lib.of_type("azurerm_mssql_server")
	some audit in certain[server.address]
	"unknown" in {audit.switch, audit.days}
	message := sprintf("what its auditing policy %v does is known only after apply", [audit.address])
}

undetermined contains lib.finding(server, message) if {
	some server in lib.of_type("azurerm_mssql_server")
	address := server.address
	not certain[address]
	some policy in possible[address]
	message := sprintf("whether the auditing policy %v is for it is known only after apply", [policy])
}

undetermined contains lib.finding(server, message) if {
	some server in lib.of_type("azurerm_mssql_server")
	address := server.address
	not certain[address]
	some policy in unfollowed
	message := sprintf("the auditing policy %v could not be followed to a server", [policy])
}

# What audits a server, by the server's address.
certain[server.address] contains audit if {
	some policy in lib.of_type(policy_type)
	audit := as_audit(policy)
	some server in lib.references_at(policy, "/server_id")
}

possible[server.address] contains policy.address if {
	some policy in lib.of_type(policy_type)
	some server in lib.may_reference_at(policy, "/server_id")
}

unfollowed contains policy.address if {
	some policy in lib.of_type(policy_type)
	lib.is_unresolved(policy, {"/server_id"})
}

# Small on purpose: a set of whole resources is compared value by value.
as_audit(policy) := {"address": policy.address, "switch": switch(policy), "days": days(policy)}

switch(policy) := "unknown" if lib.is_unknown(policy, "/enabled")

switch(policy) := false if is_off(policy)

# Left out, or null, it is on.
switch(policy) if {
	not lib.is_unknown(policy, "/enabled")
	not is_off(policy)
}

# Source may have a text where a plan has true or false.
is_off(policy) if policy.after.enabled in {"false", false}

days(policy) := "unknown" if lib.is_unknown(policy, "/retention_in_days")

days(policy) := policy.after.retention_in_days if is_number(policy.after.retention_in_days)

# Left out, or null, it is 0.
days(policy) := 0 if {
	not lib.is_unknown(policy, "/retention_in_days")
	object.get(policy.after, "retention_in_days", null) == null
}
