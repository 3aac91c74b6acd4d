package policies.change.freeze_window_test

import data.plangate.lib.builders_test as builders
import data.policies.change.freeze_window as rule

freeze := {"windows": [{"from": "2027-12-20T00:00:00Z", "to": "2028-01-03T00:00:00Z", "reason": "holidays"}]}

no_freeze := {"windows": []}

empty_freeze := {"windows": [{"from": "2028-01-03T00:00:00Z", "to": "2028-01-03T00:00:00Z", "reason": "typo"}]}

plan(time, action) := object.union(builders.plan([{"action": action}]), {"context": {"time": time}, "provisioners": []})

frozen := {{"address": "", "message": "changes are frozen until 2028-01-03T00:00:00Z: holidays"}}

not_known := {{"address": "", "message": "there are freezes, and the time of the decision is not known"}}

denied(document, settings) := found if {
	found := rule.deny with input as document with data.plangate.settings.freeze_window as settings
}

undetermined(document, settings) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.freeze_window as settings
}

test_fail_in_the_freeze if {
	every action in ["create", "update", "replace", "delete", "forget"] {
		document := plan("2027-12-24T18:00:00.000Z", action)
		denied(document, freeze) == frozen
		undetermined(document, freeze) == set()
	}
}

test_fail_in_its_first_and_last_second if {
	denied(plan("2027-12-20T00:00:00Z", "update"), freeze) == frozen
	denied(plan("2027-12-20T00:00:00.000Z", "update"), freeze) == frozen
	denied(plan("2028-01-02T23:59:59.999Z", "update"), freeze) == frozen
}

test_pass_before_and_after if {
	denied(plan("2027-12-19T23:59:59.999Z", "update"), freeze) == set()
	denied(plan("2028-01-03T00:00:00.000Z", "update"), freeze) == set()
	undetermined(plan("2028-01-03T00:00:00.000Z", "update"), freeze) == set()
}

test_pass_nothing_to_do if {
	every action in ["no-op", "read"] {
		denied(plan("2027-12-24T18:00:00Z", action), freeze) == set()
		undetermined(plan(null, action), freeze) == set()
		undetermined(plan(null, action), empty_freeze) == set()
	}
}

test_fail_where_only_a_command_runs if {
	runs := {"provisioners": [{"address": "p", "type": "local-exec", "runs": true}]}
	denied(object.union(plan("2027-12-24T18:00:00Z", "no-op"), runs), freeze) == frozen
}

test_pass_where_no_command_runs if {
	idle := {"provisioners": [{"address": "p", "type": "local-exec", "runs": false}]}
	denied(object.union(plan("2027-12-24T18:00:00Z", "no-op"), idle), freeze) == set()
}

test_absent_windows_freeze_nothing if {
	document := plan(null, "update")
	denied(document, no_freeze) == set()
	undetermined(document, no_freeze) == set()
}

test_unknown_time if {
	every time in [null, "", "2027-12-24", "2027-12-24T18:00:00+01:00", "x2027-12-24T18:00:00Z", "2027-12-24T18:00:00Zx"] {
		document := plan(time, "update")
		denied(document, freeze) == set()
		undetermined(document, freeze) == not_known
	}
}

test_unknown_without_a_context if {
	undetermined(object.remove(plan(null, "update"), ["context"]), freeze) == not_known
}

test_unknown_which_freeze_was_meant if {
	document := plan("2028-01-03T00:00:00Z", "update")
	denied(document, empty_freeze) == set()
	undetermined(document, empty_freeze) == {{
		"address": "",
		"message": "the freeze from 2028-01-03T00:00:00Z to 2028-01-03T00:00:00Z is empty",
	}}
}

test_pass_source if {
	document := object.union(plan("2027-12-24T18:00:00Z", "create"), {"source": {"format": "terraform-source"}})
	denied(document, freeze) == set()
}

test_fail_other_formats if {
	every format in ["terraform-plan", "kubernetes"] {
		document := object.union(plan("2027-12-24T18:00:00Z", "create"), {"source": {"format": format}})
		denied(document, freeze) == frozen
	}
}
