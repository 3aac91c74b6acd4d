# METADATA
# title: Clusters of Azure ask roles who may do what
# description: >-
#   Without role-based access control every account of the cluster may do everything in it, each program that runs there
#   included. It cannot be switched on later: the cluster has to be made anew.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/aks/concepts-identity
#   - ref: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/kubernetes_cluster
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: >-
#       What maps "Role-Based Access Control (RBAC) should be used on Kubernetes Services" to the frameworks.
# custom:
#   id: azure-cluster-rbac
#   severity: critical
#   enforcement: mandatory
#   types: [azurerm_kubernetes_cluster]
#   remediation: Leave role_based_access_control_enabled out, or set it to true.
#   frameworks:
#     cis-azure-1.4: ["8.7"]
#     nist-800-53-r5: [AC-3(7)]
#     soc-2: [CC6.3]
package policies.container.azure_cluster_rbac

import data.plangate.lib

# Source may have a text where a plan has true or false.
off := {"false", false}

# Left out, or null, it is on.
deny contains lib.finding_at(cluster, message, "/role_based_access_control_enabled") if {
	some cluster in lib.of_type("azurerm_kubernetes_cluster")
	cluster.after.role_based_access_control_enabled in off
	message := "everybody who reaches it may do everything"
}

# The same setting, as a block, before version 3 of the provider.
deny contains lib.finding_at(cluster, message, "/role_based_access_control/0/enabled") if {
	some cluster in lib.of_type("azurerm_kubernetes_cluster")
	some block in lib.items(cluster.after.role_based_access_control)
	block.enabled in off
	message := "everybody who reaches it may do everything"
}
