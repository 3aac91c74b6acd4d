package policies.change.machine_sizes_test

import data.plangate.lib.builders_test as builders
import data.policies.change.machine_sizes as rule

settings := {"allowed": {
	"aws": ["t3.*", "db.t3.micro", "cache.t3.*"],
	"azure": ["Standard_B*"],
	"google": ["e2-*"],
}}

# Every type with its attribute, a size that is allowed, and one that is not.
cases := {
	["aws_db_instance", "instance_class", "db.t3.micro", "db.t3.large"],
	["aws_elasticache_cluster", "node_type", "cache.t3.micro", "cache.r7g.large"],
	["aws_elasticache_replication_group", "node_type", "cache.t3.micro", "cache.r7g.large"],
	["aws_instance", "instance_type", "t3.large", "p5.48xlarge"],
	["aws_launch_configuration", "instance_type", "t3.large", "p5.48xlarge"],
	["aws_launch_template", "instance_type", "t3.large", "p5.48xlarge"],
	["aws_rds_cluster_instance", "instance_class", "db.t3.micro", "db.r6g.large"],
	["azurerm_linux_virtual_machine", "size", "Standard_B2s", "Standard_M128"],
	["azurerm_linux_virtual_machine_scale_set", "sku", "Standard_B2s", "Standard_M128"],
	["azurerm_windows_virtual_machine", "size", "Standard_B2s", "Standard_M128"],
	["azurerm_windows_virtual_machine_scale_set", "sku", "Standard_B2s", "Standard_M128"],
	["google_compute_instance", "machine_type", "e2-small", "m3-ultramem-128"],
	["google_compute_instance_template", "machine_type", "e2-small", "m3-ultramem-128"],
}

plan(type, fields) := builders.plan([object.union({"address": "m", "type": type}, fields)])

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.machine_sizes as settings
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.machine_sizes as settings
}

test_fail_another_size if {
	denied(plan("aws_instance", {"after": {"instance_type": "p5.48xlarge"}})) == {{
		"address": "m",
		"message": "its size is p5.48xlarge; allowed: t3.*, db.t3.micro, cache.t3.*",
		"path": "/instance_type",
	}}
}

test_fail_another_size_of_every_type if {
	every case in cases {
		[type, attribute, _, bad] := case
		paths := {finding.path | some finding in denied(plan(type, {"after": {attribute: bad}}))}
		paths == {concat("", ["/", attribute])}
	}
}

test_pass_an_allowed_size_of_every_type if {
	every case in cases {
		[type, attribute, good, _] := case
		denied(plan(type, {"after": {attribute: good}})) == set()
		undetermined(plan(type, {"after": {attribute: good}})) == set()
	}
}

test_pass_a_cloud_without_a_list if {
	some_sizes := {"allowed": {"google": ["e2-*"]}}
	document := plan("aws_instance", {"after": {"instance_type": "p5.48xlarge"}})
	rule.deny == set() with input as document with data.plangate.settings.machine_sizes as some_sizes
}

test_pass_deleted if denied(plan("aws_instance", {"action": "delete", "after": null})) == set()

test_absent_size_is_said_elsewhere if {
	denied(plan("aws_launch_template", {"after": {"instance_type": null}})) == set()
	denied(plan("aws_instance", {"after": {}})) == set()
}

test_absent_settings_allow_everything if {
	none := {"allowed": {}}
	bad := plan("aws_instance", {"after": {"instance_type": "p5.48xlarge"}})
	late := plan("aws_instance", {"unknown": ["/instance_type"]})
	rule.deny == set() with input as bad with data.plangate.settings.machine_sizes as none
	rule.undetermined == set() with input as late with data.plangate.settings.machine_sizes as none
}

test_unknown_size_of_every_type if {
	every case in cases {
		[type, attribute, _, _] := case
		path := concat("", ["/", attribute])
		denied(plan(type, {"unknown": [path]})) == set()
		undetermined(plan(type, {"unknown": [path]})) == {{
			"address": "m",
			"message": "its size is known only after apply",
			"path": path,
		}}
	}
}
