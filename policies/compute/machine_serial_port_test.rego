package policies.compute.machine_serial_port_test

import data.plangate.lib.builders_test as builders
import data.policies.compute.machine_serial_port as rule

machine(value) := builders.plan([{
	"address": "vm",
	"type": "google_compute_instance",
	"after": {"metadata": {"serial-port-enable": value}},
}])

item(key, value) := builders.plan([{
	"address": "item",
	"type": "google_compute_project_metadata_item",
	"after": {"key": key, "value": value},
}])

denial := {
	"address": "vm",
	"message": "it lets people log in over the serial port",
	"path": "/metadata/serial-port-enable",
}

test_fail_on if {
	every value in ["TRUE", "true", "1", "yes", true, 1, "anything"] {
		rule.deny == {denial} with input as machine(value)
	}
}

test_pass_off if {
	every value in ["", "0", "FALSE", "False", "N", "No", "false", "n", "no", false, null, 0] {
		rule.deny == set() with input as machine(value)
	}
}

test_fail_for_all_machines_of_a_project if {
	denied := rule.deny with input as item("serial-port-enable", "TRUE")
	denied == {{
		"address": "item",
		"message": "it lets people log in to machines over the serial port",
		"path": "/value",
	}}
}

test_pass_off_for_all_machines_of_a_project if rule.deny == set() with input as item("serial-port-enable", "FALSE")

test_pass_another_item if rule.deny == set() with input as item("enable-oslogin", "TRUE")

test_pass_absent if {
	rule.deny == set() with input as builders.plan([{"type": "google_compute_instance", "after": {}}])
	rule.deny == set() with input as builders.plan([{"type": "google_compute_instance", "after": {"metadata": null}}])
}

test_pass_deleted if {
	plan := builders.plan([{"type": "google_compute_instance", "action": "delete", "after": null}])
	rule.deny == set() with input as plan
}

test_fail_every_holder_of_metadata if {
	types := {
		"google_compute_instance",
		"google_compute_instance_template",
		"google_compute_project_metadata",
		"google_compute_region_instance_template",
	}
	after := {"metadata": {"serial-port-enable": "TRUE"}}
	plan := builders.plan([{"address": type, "type": type, "after": after} | some type in types])
	denied := rule.deny with input as plan
	{found.address | some found in denied} == types
}

# Silence about it becomes unknown: the rule reads the value.
test_unknown_value if {
	plan := builders.plan([{
		"type": "google_compute_project_metadata_item",
		"after": {"key": "serial-port-enable"},
		"unknown": ["/value"],
	}])
	rule.deny == set() with input as plan
}
