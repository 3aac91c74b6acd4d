package policies.identity.role_trust_not_everyone_test

import data.plangate.lib.builders_test as builders
import data.policies.identity.role_trust_not_everyone as rule

role(fields) := builders.plan([object.union({"address": "aws_iam_role.app", "type": "aws_iam_role"}, fields)])

trust(statement) := role({"after": {"assume_role_policy": json.marshal({"Statement": [
	{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
	object.union({"Effect": "Allow", "Action": "sts:AssumeRole"}, statement),
]})}})

finding(message) := {{"address": "aws_iam_role.app", "message": message, "path": "/assume_role_policy"}}

everyone := finding("everyone may take it on, whatever account they are in")

nearly_everyone := finding("everyone but the named may take it on")

org := {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}

test_fail_everyone if {
	rule.deny == everyone with input as trust({"Principal": "*"})
	rule.deny == everyone with input as trust({"Principal": {"AWS": ["123456789012", "*"]}})
}

test_fail_everyone_but_some if {
	rule.deny == nearly_everyone with input as trust({"NotPrincipal": {"AWS": "123456789012"}})
}

test_fail_an_empty_condition if {
	rule.deny == everyone with input as trust({"Principal": "*", "Condition": {}})
	rule.deny == nearly_everyone with input as trust({"NotPrincipal": {"AWS": "1"}, "Condition": {}})
}

test_pass_somebody if rule.deny == set() with input as trust({"Principal": {"AWS": "123456789012"}})

test_pass_a_condition if {
	rule.deny == set() with input as trust({"Principal": "*", "Condition": org})
	rule.deny == set() with input as trust({"NotPrincipal": {"AWS": "123456789012"}, "Condition": org})
}

test_pass_denied if {
	rule.deny == set() with input as trust({"Effect": "Deny", "Principal": "*"})
	rule.deny == set() with input as trust({"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}})
}

test_pass_deleted if rule.deny == set() with input as role({"action": "delete", "after": null})

test_absent_policy if {
	rule.deny == set() with input as role({"after": {}})
	rule.deny == set() with input as role({"after": {"assume_role_policy": ""}})
}

# Without `undetermined`, what is unknown or missing is found from what the rule reads.
test_unknown_policy_is_not_denied if rule.deny == set() with input as role({"unknown": ["/assume_role_policy"]})
