# SURVIVORS
# - operator: constant
#   line: 'as_user(resource) := {"address": resource.address, "public": object.get(resource.facts, "public", "unknown")}'
#   becomes: 'as_user(resource) := {"address": resource.address, "public": object.get(resource.facts, "public", "unknown_")}'
#   reason: Public is only compared with true and false, so any other value stands for unknown.
package policies.network.security_group_one_tier_test

import data.plangate.lib.builders_test as builders
import data.policies.network.security_group_one_tier as rule

estate(balancer_edge, database_edge, public) := builders.plan([
	{"address": "aws_security_group.shared", "kind": "network.security_group"},
	{"address": "aws_lb.web", "kind": "network.load_balancer", "facts": {"public": public}, "references": [balancer_edge]},
	{"address": "aws_db_instance.main", "kind": "database.instance", "references": [database_edge]},
])

certain := builders.certainly("aws_security_group.shared")

possible := builders.possibly("aws_security_group.shared")

elsewhere := builders.certainly("aws_security_group.other")

maybe_shared := {{
	"address": "aws_security_group.shared",
	"message": "aws_lb.web, which may be public, and aws_db_instance.main may share it",
}}

test_fail_shared_with_a_public_balancer if {
	denied := rule.deny with input as estate(certain, certain, true)
	denied == {{
		"address": "aws_security_group.shared",
		"message": "aws_lb.web, which is public, and aws_db_instance.main share it",
	}}
}

test_pass_with_groups_of_their_own if {
	plan := estate(certain, elsewhere, true)
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_shared_with_an_internal_balancer if {
	plan := estate(certain, certain, false)
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_absent_database_shares_nothing if {
	plan := builders.plan([
		{"address": "aws_security_group.shared", "kind": "network.security_group"},
		{"address": "aws_lb.web", "kind": "network.load_balancer", "facts": {"public": true}, "references": [certain]},
	])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_unknown_whether_the_balancer_is_public if {
	plan := estate(certain, certain, "unknown")
	rule.deny == set() with input as plan
	rule.undetermined == maybe_shared with input as plan
}

test_unknown_which_group_the_database_uses if {
	plan := estate(certain, possible, true)
	rule.deny == set() with input as plan
	rule.undetermined == maybe_shared with input as plan
}

test_unknown_where_groups_cannot_be_followed if {
	plan := builders.plan([{
		"address": "aws_lb.web",
		"kind": "network.load_balancer",
		"facts": {"public": true},
		"unresolved": ["/security_groups"],
	}])
	undetermined := rule.undetermined with input as plan
	undetermined == {{
		"address": "aws_lb.web",
		"message": "its security groups could not be followed to resources of the plan",
	}}
}

test_unknown_wherever_groups_cannot_be_followed if {
	plan := builders.plan([
		{"address": "aws_lb.web", "kind": "network.load_balancer", "unresolved": ["/security_groups"]},
		{"address": "aws_elb.old", "kind": "network.load_balancer", "unresolved": ["/security_group_ids"]},
		{"address": "aws_db_instance.main", "kind": "database.instance", "unresolved": ["/vpc_security_group_ids"]},
		{"address": "aws_instance.web", "kind": "compute.instance", "unresolved": ["/vpc_security_group_ids"]},
		{"address": "aws_lb.other", "kind": "network.load_balancer", "unresolved": ["/subnets"]},
	])
	undetermined := rule.undetermined with input as plan
	{finding.address | some finding in undetermined} == {"aws_lb.web", "aws_elb.old", "aws_db_instance.main"}
}
