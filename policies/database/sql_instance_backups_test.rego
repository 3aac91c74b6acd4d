package policies.database.sql_instance_backups_test

import data.plangate.lib.builders_test as builders
import data.policies.database.sql_instance_backups as rule

instance(fields) := builders.plan([object.union({"address": "db", "type": "google_sql_database_instance"}, fields)])

with_backups(enabled) := {"settings": [{"tier": "x", "backup_configuration": [{"enabled": enabled}]}]}

finding(message) := {
	"address": "db",
	"message": message,
	"path": "/settings/0/backup_configuration/0/enabled",
}

denial := finding("it has no automatic backups")

doubt := finding("whether it has automatic backups is known only after apply: set it")

denied(plan) if {
	rule.deny == {denial} with input as plan
	rule.undetermined == set() with input as plan
}

passed(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

doubted(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == {doubt} with input as plan
}

test_fail_off if denied(instance({"after": with_backups(false)}))

test_fail_null if denied(instance({"after": with_backups(null)}))

test_fail_absent if {
	denied(instance({"after": {"settings": [{"backup_configuration": []}]}}))
	denied(instance({"after": {"settings": [{}]}}))
	denied(instance({"after": {}}))
}

test_pass_on if {
	passed(instance({"after": with_backups(true)}))
	passed(instance({"after": with_backups("true")}))
}

test_pass_on_whatever_else_is_unknown if {
	passed(instance({
		"after": with_backups(true),
		"unknown": ["/master_instance_name", "/settings/0/backup_configuration/0/start_time"],
	}))
}

test_fail_where_no_primary_is_named if {
	denied(instance({"after": with_backups(false), "unknown": ["/master_instance_name"]}))
	denied(instance({"after": object.union(with_backups(false), {"master_instance_name": ""})}))
	denied(instance({"after": object.union(with_backups(false), {"master_instance_name": null})}))
}

test_pass_replica_by_name if passed(instance({"after": {"master_instance_name": "main"}}))

test_pass_replica_by_reference if {
	edge := {"at": "/master_instance_name", "address": "main", "exact": true, "attribute": "name"}
	passed(instance({"references": [edge], "unknown": ["/master_instance_name", "/settings"]}))
}

test_fail_another_reference_makes_no_replica if {
	edge := {"at": "/encryption_key_name", "address": "main", "exact": true, "attribute": "id"}
	denied(instance({"references": [edge], "after": with_backups(false)}))
}

test_unknown_whether_it_is_a_replica if {
	doubted(instance({"after": with_backups(false), "unresolved": ["/master_instance_name"]}))
}

test_pass_on_whether_a_replica_or_not if {
	passed(instance({"after": with_backups(true), "unresolved": ["/master_instance_name"]}))
}

test_unknown_setting if {
	doubted(instance({"unknown": ["/settings/0/backup_configuration"]}))
	doubted(instance({"unknown": ["/settings"]}))
}

test_pass_deleted if passed(instance({"action": "delete", "after": null}))
