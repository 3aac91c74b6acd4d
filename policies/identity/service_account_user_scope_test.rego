package policies.identity.service_account_user_scope_test

import data.plangate.lib.builders_test as builders
import data.policies.identity.service_account_user_scope as rule

giver(type, after) := builders.plan([{"address": "giver", "type": type, "after": after}])

policy(bindings) := giver("google_project_iam_policy", {"policy_data": json.marshal({"bindings": bindings})})

finding(role, path) := {
	"address": "giver",
	"message": sprintf("it gives %v for every service account", [role]),
	"path": path,
}

user := "roles/iam.serviceAccountUser"

creator := "roles/iam.serviceAccountTokenCreator"

test_fail_on_a_project if {
	of_member := rule.deny with input as giver("google_project_iam_member", {"role": user})
	of_member == {finding(user, "/role")}
	of_binding := rule.deny with input as giver("google_project_iam_binding", {"role": creator})
	of_binding == {finding(creator, "/role")}
}

test_fail_in_a_whole_policy if {
	members := ["user:a@example.com"]
	denied := rule.deny with input as policy([
		{"role": creator, "members": members},
		{"role": "roles/viewer", "members": members},
	])
	denied == {finding(creator, "/policy_data")}
}

test_pass_given_to_nobody if {
	rule.deny == set() with input as policy([{"role": user, "members": []}, {"role": creator}])
}

test_pass_other_roles if {
	rule.deny == set() with input as giver("google_project_iam_member", {"role": "roles/viewer"})
	rule.deny == set() with input as policy([{"role": "roles/viewer", "members": ["user:a@example.com"]}])
}

test_pass_on_one_account if {
	rule.deny == set() with input as giver("google_service_account_iam_member", {"role": user})
}

test_pass_absent if {
	rule.deny == set() with input as giver("google_project_iam_member", {})
	rule.deny == set() with input as giver("google_project_iam_policy", {"policy_data": "{}"})
}

test_pass_deleted if {
	plan := builders.plan([{"type": "google_project_iam_member", "action": "delete", "after": null}])
	rule.deny == set() with input as plan
}

test_fail_on_everything_above_an_account if {
	types := {
		"google_folder_iam_binding",
		"google_folder_iam_member",
		"google_organization_iam_binding",
		"google_organization_iam_member",
		"google_project_iam_binding",
		"google_project_iam_member",
	}
	plan := builders.plan([{"address": type, "type": type, "after": {"role": user}} | some type in types])
	denied := rule.deny with input as plan
	{found.address | some found in denied} == types
}

test_fail_every_whole_policy if {
	types := {"google_folder_iam_policy", "google_organization_iam_policy", "google_project_iam_policy"}
	data_of_policy := json.marshal({"bindings": [{"role": user, "members": ["user:a@example.com"]}]})
	plan := builders.plan([
	{"address": type, "type": type, "after": {"policy_data": data_of_policy}} |
		some type in types
	])
	denied := rule.deny with input as plan
	{found.address | some found in denied} == types
}

# Silence about it becomes unknown: the rule reads the value.
test_unknown_role if {
	plan := builders.plan([{"type": "google_project_iam_member", "unknown": ["/role"]}])
	rule.deny == set() with input as plan
}
