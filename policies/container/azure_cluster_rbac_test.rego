package policies.container.azure_cluster_rbac_test

import data.plangate.lib.builders_test as builders
import data.policies.container.azure_cluster_rbac as rule

cluster(after) := builders.plan([{"address": "aks", "type": "azurerm_kubernetes_cluster", "after": after}])

finding(path) := {"address": "aks", "message": "everybody who reaches it may do everything", "path": path}

test_fail_off if {
	denied := rule.deny with input as cluster({"role_based_access_control_enabled": false})
	denied == {finding("/role_based_access_control_enabled")}
}

test_fail_off_in_a_block if {
	denied := rule.deny with input as cluster({"role_based_access_control": [{"enabled": false}]})
	denied == {finding("/role_based_access_control/0/enabled")}
}

test_fail_off_as_text if {
	denied := rule.deny with input as cluster({"role_based_access_control_enabled": "false"})
	denied == {finding("/role_based_access_control_enabled")}
}

test_pass_on if {
	rule.deny == set() with input as cluster({"role_based_access_control_enabled": true})
	rule.deny == set() with input as cluster({"role_based_access_control": [{"enabled": true}]})
}

test_pass_absent if {
	rule.deny == set() with input as cluster({})
	rule.deny == set() with input as cluster({"role_based_access_control": null})
}

test_pass_deleted if {
	plan := builders.plan([{"type": "azurerm_kubernetes_cluster", "action": "delete", "after": null}])
	rule.deny == set() with input as plan
}

# Silence about it becomes unknown: the rule reads the value.
test_unknown_whether_it_is_on if {
	plan := builders.plan([{"type": "azurerm_kubernetes_cluster", "unknown": ["/role_based_access_control_enabled"]}])
	rule.deny == set() with input as plan
}
