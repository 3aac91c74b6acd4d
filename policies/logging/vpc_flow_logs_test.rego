package policies.logging.vpc_flow_logs_test

import data.plangate.lib.builders_test as builders
import data.policies.logging.vpc_flow_logs as rule

network := {"address": "aws_vpc.main", "type": "aws_vpc", "unknown": ["/id"]}

flow(fields) := object.union({"address": "aws_flow_log.main", "type": "aws_flow_log"}, fields)

at(edge, pointer) := object.union(edge, {"at": pointer})

certain := at(builders.certainly("aws_vpc.main"), "/vpc_id")

possible := at(builders.possibly("aws_vpc.main"), "/vpc_id")

finding(message) := {{"address": "aws_vpc.main", "message": message}}

not_logged := finding("no flow log of this plan records its refused traffic")

late := finding("whether a flow log records its refused traffic is known only after apply")

of(fields) := builders.plan([network, flow(fields)])

test_pass_all_or_refused_traffic if {
	every kind in ["ALL", "REJECT"] {
		plan := of({"after": {"traffic_type": kind}, "references": [certain]})
		denied := rule.deny with input as plan
		denied == set()
		undetermined := rule.undetermined with input as plan
		undetermined == set()
	}
}

test_pass_named_by_its_id if {
	plan := builders.plan([
		{"address": "aws_vpc.main", "type": "aws_vpc", "after": {"id": "vpc-1"}},
		flow({"after": {"traffic_type": "REJECT", "vpc_id": "vpc-1"}}),
	])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_accepted_traffic_alone if {
	plan := of({"after": {"traffic_type": "ACCEPT"}, "references": [certain]})
	rule.deny == not_logged with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_accepted_traffic_alone_by_id if {
	plan := builders.plan([
		{"address": "aws_vpc.main", "type": "aws_vpc", "after": {"id": "vpc-1"}},
		flow({"after": {"traffic_type": "ACCEPT", "vpc_id": "vpc-1"}}),
	])
	rule.deny == not_logged with input as plan
}

test_fail_another_network if {
	plan := builders.plan([
		{"address": "aws_vpc.main", "type": "aws_vpc", "after": {"id": "vpc-1"}},
		flow({"after": {"traffic_type": "ALL", "vpc_id": "vpc-2"}}),
	])
	rule.deny == not_logged with input as plan
}

test_fail_network_only_read_for_something_else if {
	elsewhere := at(builders.certainly("aws_vpc.main"), "/log_destination")
	maybe := at(builders.possibly("aws_vpc.main"), "/log_destination")
	plan := of({"after": {"traffic_type": "ALL"}, "references": [elsewhere, maybe], "unresolved": ["/log_destination"]})
	rule.deny == not_logged with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_flow_log_that_goes if {
	plan := of({"action": "delete", "after": null, "references": [certain]})
	rule.deny == not_logged with input as plan
}

test_absent_flow_log if {
	rule.deny == not_logged with input as builders.plan([network])
	rule.undetermined == set() with input as builders.plan([network])
}

test_absent_network if rule.deny == set() with input as builders.plan([flow({})])

test_unknown_which_network if {
	plan := of({"after": {"traffic_type": "ALL"}, "references": [possible]})
	rule.deny == set() with input as plan
	rule.undetermined == late with input as plan
}

test_unknown_which_traffic if {
	plan := of({"unknown": ["/traffic_type"], "references": [certain]})
	rule.deny == set() with input as plan
	rule.undetermined == late with input as plan
}

test_unknown_where_the_network_cannot_be_followed if {
	plan := of({"after": {"traffic_type": "ALL"}, "unresolved": ["/vpc_id"]})
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == finding("aws_flow_log.main is of a network that could not be followed")
}

test_unknown_where_one_cannot_be_followed_and_another_may_be_it if {
	stray := object.union(flow({"unresolved": ["/vpc_id"]}), {"address": "aws_flow_log.stray"})
	plan := builders.plan([network, stray, flow({"after": {"traffic_type": "ALL"}, "references": [possible]})])
	rule.deny == set() with input as plan
	rule.undetermined == late with input as plan
}

test_pass_where_another_flow_log_cannot_be_followed if {
	stray := object.union(flow({"unresolved": ["/vpc_id"]}), {"address": "aws_flow_log.stray"})
	plan := builders.plan([network, stray, flow({"after": {"traffic_type": "ALL"}, "references": [certain]})])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_fail_no_id_is_nobodys if {
	plan := builders.plan([
		{"address": "aws_vpc.main", "type": "aws_vpc", "after": {"id": null}},
		flow({"after": {"traffic_type": "ALL", "vpc_id": null, "subnet_id": "subnet-1"}}),
	])
	rule.deny == not_logged with input as plan
}

test_unknown_which_traffic_of_one_named_by_its_id if {
	plan := builders.plan([
		{"address": "aws_vpc.main", "type": "aws_vpc", "after": {"id": "vpc-1"}},
		flow({"after": {"vpc_id": "vpc-1"}, "unknown": ["/traffic_type"]}),
	])
	rule.deny == set() with input as plan
	rule.undetermined == late with input as plan
}

test_pass_where_another_flow_log_may_be_of_it if {
	perhaps := object.union(flow({"references": [possible]}), {"address": "aws_flow_log.perhaps"})
	plan := builders.plan([network, perhaps, flow({"after": {"traffic_type": "ALL"}, "references": [certain]})])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}
