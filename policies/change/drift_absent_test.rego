package policies.change.drift_absent_test

import data.plangate.lib.builders_test as builders
import data.policies.change.drift_absent as rule

settings := {"kinds": ["network.security_group"]}

plan(drift, resources) := object.union(builders.plan(resources), {"drift": drift})

drift(address) := {"address": address, "type": "t", "action": "update", "before": {}, "after": {}}

guard(action) := {"address": "sg", "kind": "network.security_group", "action": action}

other(action) := {"address": "web", "kind": "compute.instance", "action": action}

plain := {"address": "x", "kind": null, "action": "no-op"}

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.drift_absent as settings
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.drift_absent as settings
}

test_fail_among_other_changes if {
	document := plan([drift("sg")], [guard("update"), other("create"), plain])
	denied(document) == {{
		"address": "",
		"message": "sg was changed outside of it (1 in all), and it also changes web (1 in all)",
	}}
	undetermined(document) == set()
}

test_fail_where_the_drift_is_taken_over if {
	count(denied(plan([drift("sg")], [guard("no-op"), other("delete")]))) == 1
}

test_pass_settled_alone if {
	document := plan([drift("sg"), drift("x")], [guard("update"), other("no-op"), plain])
	denied(document) == set()
	undetermined(document) == set()
}

test_pass_what_is_read_or_not_managed_is_no_change if {
	looked_up := {"address": "d", "mode": "data", "action": "create"}
	denied(plan([drift("sg")], [guard("update"), other("read"), looked_up])) == set()
}

test_pass_drift_of_another_kind if {
	document := plan([drift("x"), drift("web")], [plain, other("update"), guard("update")])
	denied(document) == set()
	undetermined(document) == set()
}

test_pass_drift_that_is_none if {
	same := object.union(drift("sg"), {"action": "no-op"})
	document := plan([same], [guard("update"), other("update")])
	denied(document) == set()
	undetermined(document) == set()
}

test_absent_drift if {
	denied(plan([], [guard("update"), other("update")])) == set()
	undetermined(plan([], [guard("update"), other("update")])) == set()
}

test_unknown_kind_of_what_is_not_in_the_plan if {
	document := plan([drift("gone")], [other("update")])
	denied(document) == set()
	undetermined(document) == {{
		"address": "",
		"message": "gone was changed outside of it, and what that is the plan does not say; it also changes web",
	}}
}

test_pass_a_stranger_that_is_settled_alone if {
	undetermined(plan([drift("gone"), drift("sg")], [guard("update"), other("no-op")])) == set()
	undetermined(plan([drift("gone")], [other("no-op")])) == set()
}

test_unknown_kind_is_not_that_of_a_data_source if {
	looked_up := {"address": "gone", "mode": "data", "kind": "network.security_group", "action": "read"}
	document := plan([drift("gone")], [other("update"), looked_up])
	denied(document) == set()
	count(undetermined(document)) == 1
}
