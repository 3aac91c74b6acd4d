# METADATA
# title: No role can be taken on by everyone
# description: >-
#   A trust policy that allows everyone, without a condition, lets every account of AWS act with the role's permissions.
#   Nothing else has to go wrong.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html#access-analyzer-iam-role
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role#assume_role_policy
# custom:
#   id: role-trust-not-everyone
#   severity: critical
#   enforcement: mandatory
#   types: [aws_iam_role]
#   remediation: >-
#     Name the accounts, roles or services that may take it on, or add a condition that names them, such as
#     aws:PrincipalOrgID.
package policies.identity.role_trust_not_everyone

import data.plangate.lib

deny contains lib.finding_at(role, "everyone may take it on, whatever account they are in", "/assume_role_policy") if {
	some role in lib.of_type("aws_iam_role")
	some statement in lib.statements(role.after.assume_role_policy)
	statement.Effect == "Allow"
	lib.is_for_everyone(statement)
	not has_condition(statement)
}

# Everyone but some is everyone.
deny contains lib.finding_at(role, "everyone but the named may take it on", "/assume_role_policy") if {
	some role in lib.of_type("aws_iam_role")
	some statement in lib.statements(role.after.assume_role_policy)
	statement.Effect == "Allow"
	statement.NotPrincipal
	not has_condition(statement)
}

has_condition(statement) if count(lib.one_or_many(statement.Condition)[0]) > 0
