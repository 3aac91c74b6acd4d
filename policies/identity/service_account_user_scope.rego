# METADATA
# title: Nobody may act as every service account of a Google project
# description: >-
#   Who may act as a service account has all its rights. Given on a project, a folder or an organization, these roles
#   hold for every account in it, those of tomorrow included, which is a way to everything that any of them may do.
# related_resources:
#   - ref: https://cloud.google.com/iam/docs/service-account-permissions
#   - ref: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam
#   - ref: https://github.com/prowler-cloud/prowler/tree/master/prowler/compliance/gcp
#     description: What maps it to the frameworks (iam_no_service_roles_at_project_level).
# custom:
#   id: service-account-user-scope
#   severity: high
#   enforcement: overridable
#   types:
#     - google_folder_iam_binding
#     - google_folder_iam_member
#     - google_folder_iam_policy
#     - google_organization_iam_binding
#     - google_organization_iam_member
#     - google_organization_iam_policy
#     - google_project_iam_binding
#     - google_project_iam_member
#     - google_project_iam_policy
#   remediation: Give the role on the one service account, with google_service_account_iam_member.
#   frameworks:
#     cis-gcp-3.0: ["1.6"]
package policies.identity.service_account_user_scope

import data.plangate.lib

roles := {"roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser"}

givers := {
	"google_folder_iam_binding",
	"google_folder_iam_member",
	"google_organization_iam_binding",
	"google_organization_iam_member",
	"google_project_iam_binding",
	"google_project_iam_member",
}

whole := {"google_folder_iam_policy", "google_organization_iam_policy", "google_project_iam_policy"}

deny contains lib.finding_at(giver, message, "/role") if {
	some type in givers
	some giver in lib.of_type(type)
	giver.after.role in roles
	message := sprintf("it gives %v for every service account", [giver.after.role])
}

deny contains lib.finding_at(policy, message, "/policy_data") if {
	some type in whole
	some policy in lib.of_type(type)
	some binding in lib.items(json.unmarshal(policy.after.policy_data).bindings)
	binding.role in roles
	count(lib.items(binding.members)) > 0
	message := sprintf("it gives %v for every service account", [binding.role])
}
