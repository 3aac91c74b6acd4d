package policies.network.database_not_in_public_subnet_test

import data.plangate.lib.builders_test as builders
import data.policies.network.database_not_in_public_subnet as rule

# A database, its subnet group, and one subnet.
estate(edge, public_ips) := builders.plan([
	{
		"address": "aws_db_instance.main",
		"kind": "database.instance",
		"references": [builders.certainly("aws_db_subnet_group.main")],
	},
	{"address": "aws_db_subnet_group.main", "references": [edge]},
	{"address": "aws_subnet.a", "kind": "network.subnet", "facts": {"public_ips": public_ips}},
])

finding(message) := {"address": "aws_db_instance.main", "message": message}

test_fail_in_a_public_subnet if {
	plan := estate(builders.certainly("aws_subnet.a"), true)
	rule.deny == {finding("it is in aws_subnet.a, which gives public addresses")} with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_behind_its_cluster if {
	plan := builders.plan([
		{"address": "m", "kind": "database.instance", "references": [builders.certainly("c")]},
		{"address": "c", "references": [builders.certainly("g")]},
		{"address": "g", "references": [builders.certainly("s")]},
		{"address": "s", "kind": "network.subnet", "facts": {"public_ips": true}},
	])
	denied := rule.deny with input as plan
	denied == {{"address": "m", "message": "it is in s, which gives public addresses"}}
}

test_pass_in_a_private_subnet if {
	plan := estate(builders.certainly("aws_subnet.a"), false)
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_absent_subnet_group if {
	plan := builders.plan([{"address": "aws_db_instance.main", "kind": "database.instance"}])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_pass_possibly_in_one_of_private_subnets if {
	rule.undetermined == set() with input as estate(builders.possibly("aws_subnet.a"), false)
}

test_unknown_whether_the_subnet_is_public if {
	plan := estate(builders.certainly("aws_subnet.a"), "unknown")
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == {finding("it is in aws_subnet.a, which may give public addresses")}
}

test_unknown_which_subnet if {
	plan := estate(builders.possibly("aws_subnet.a"), true)
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == {finding("it may be in aws_subnet.a, which may give public addresses")}
}

test_unknown_where_the_reference_cannot_be_followed if {
	plan := builders.plan([{
		"address": "aws_db_instance.main",
		"kind": "database.instance",
		"unresolved": ["/db_subnet_group_name"],
	}])
	undetermined := rule.undetermined with input as plan
	undetermined == {finding("its subnets could not be followed to resources of the plan")}
}

test_fail_directly_in_a_public_subnet if {
	plan := builders.plan([
		{"address": "m", "kind": "database.instance", "references": [builders.certainly("s")]},
		{"address": "s", "kind": "network.subnet", "facts": {"public_ips": true}},
	])
	denied := rule.deny with input as plan
	denied == {{"address": "m", "message": "it is in s, which gives public addresses"}}
}

test_pass_what_gives_public_addresses_is_no_subnet if {
	plan := builders.plan([
		{"address": "m", "kind": "database.instance", "references": [builders.certainly("t"), builders.possibly("u")]},
		{"address": "t", "kind": "compute.template", "facts": {"public_ips": true}},
		{"address": "u", "kind": "compute.template", "facts": {"public_ips": true}},
	])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_unknown_which_group_behind_its_cluster if {
	plan := builders.plan([
		{"address": "m", "kind": "database.instance", "references": [builders.certainly("c")]},
		{"address": "c", "references": [builders.possibly("g")]},
		{"address": "g", "references": [builders.certainly("s")]},
		{"address": "s", "kind": "network.subnet", "facts": {"public_ips": true}},
	])
	undetermined := rule.undetermined with input as plan
	undetermined == {{"address": "m", "message": "it may be in s, which may give public addresses"}}
}

test_unknown_wherever_the_reference_cannot_be_followed if {
	plan := builders.plan([
		{"address": "a", "kind": "database.instance", "unresolved": ["/cluster_identifier"]},
		{"address": "b", "kind": "database.instance", "unresolved": ["/subnet_group_name"]},
		{"address": "c", "kind": "database.instance", "unresolved": ["/subnet_ids"]},
		{"address": "d", "kind": "database.instance", "unresolved": ["/kms_key_id"]},
	])
	undetermined := rule.undetermined with input as plan
	{found.address | some found in undetermined} == {"a", "b", "c"}
}
