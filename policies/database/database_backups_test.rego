package policies.database.database_backups_test

import data.plangate.lib.builders_test as builders
import data.policies.database.database_backups as rule

database(type, after, unknown) := builders.plan([{"address": "d", "type": type, "after": after, "unknown": unknown}])

kept(days) := {"backup_retention_period": days}

types := ["aws_db_instance", "aws_rds_cluster"]

finding(message) := {{"address": "d", "message": message, "path": "/backup_retention_period"}}

late := finding("for how long it keeps backups is known only after apply: set it, and say what it is a copy of, if any")

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.database_backups as {"min_days": 7}
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.database_backups as {"min_days": 7}
}

test_fail_less_than_a_week if {
	every type in types {
		denied(database(type, kept(6), [])) == finding("days for which it keeps backups: 6 (at least 7)")
		undetermined(database(type, kept(6), [])) == set()
	}
}

test_pass_a_week_or_more if {
	every type in types {
		every days in [7, 35] {
			denied(database(type, kept(days), [])) == set()
			undetermined(database(type, kept(days), [])) == set()
		}
	}
}

test_absent_days_are_none_and_one_for_a_cluster if {
	every after in [{}, {"backup_retention_period": null}] {
		denied(database("aws_db_instance", after, [])) == finding("days for which it keeps backups: 0 (at least 7)")
		denied(database("aws_rds_cluster", after, [])) == finding("days for which it keeps backups: 1 (at least 7)")
	}
}

test_pass_a_copy if {
	copy := {"backup_retention_period": 0, "replicate_source_db": "main"}
	denied(database("aws_db_instance", copy, [])) == set()
	undetermined(database("aws_db_instance", copy, [])) == set()
	undetermined(database("aws_db_instance", {"replicate_source_db": "main"}, ["/backup_retention_period"])) == set()
}

test_fail_a_copy_of_nothing if {
	none := {"backup_retention_period": 0, "replicate_source_db": ""}
	denied(database("aws_db_instance", none, [])) == finding("days for which it keeps backups: 0 (at least 7)")
}

test_pass_deleted_or_another_type if {
	denied(builders.plan([{"type": "aws_db_instance", "action": "delete", "after": null}])) == set()
	denied(database("aws_db_proxy", kept(0), [])) == set()
}

test_unknown_days if {
	every type in types {
		denied(database(type, {}, ["/backup_retention_period"])) == set()
		undetermined(database(type, {}, ["/backup_retention_period"])) == late
	}
}

test_unknown_whether_it_is_a_copy if {
	denied(database("aws_db_instance", kept(0), ["/replicate_source_db"])) == set()
	undetermined(database("aws_db_instance", kept(0), ["/replicate_source_db"])) == late
	undetermined(database("aws_db_instance", kept(7), ["/replicate_source_db"])) == set()
}

test_unknown_what_is_no_number if {
	denied(database("aws_db_instance", kept("7"), [])) == set()
	undetermined(database("aws_db_instance", kept("7"), [])) == late
}
