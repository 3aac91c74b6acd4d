package policies.container.cluster_audit_logs_test

import data.plangate.lib.builders_test as builders
import data.policies.container.cluster_audit_logs as rule

settings := {"log_types": ["audit", "api"]}

cluster(after, unknown) := builders.plan([{
	"address": "aws_eks_cluster.main",
	"type": "aws_eks_cluster",
	"after": after,
	"unknown": unknown,
}])

logs(types) := cluster({"enabled_cluster_log_types": types}, [])

finding(message) := {{
	"address": "aws_eks_cluster.main",
	"message": message,
	"path": "/enabled_cluster_log_types",
}}

denied(document) := found if {
	found := rule.deny with input as document with data.plangate.settings.cluster_audit_logs as settings
}

undetermined(document) := found if {
	found := rule.undetermined with input as document with data.plangate.settings.cluster_audit_logs as settings
}

test_pass_all_that_are_asked_for if {
	denied(logs(["scheduler", "audit", "api"])) == set()
	undetermined(logs(["scheduler", "audit", "api"])) == set()
}

test_fail_one_is_missing if {
	denied(logs(["api", "scheduler"])) == finding("it does not keep these logs: audit")
	undetermined(logs(["api", "scheduler"])) == set()
}

test_absent_list_keeps_none if {
	every after in [{}, {"enabled_cluster_log_types": null}, {"enabled_cluster_log_types": []}] {
		denied(cluster(after, [])) == finding("it does not keep these logs: api, audit")
	}
}

test_pass_deleted if {
	denied(builders.plan([{"type": "aws_eks_cluster", "action": "delete", "after": null}])) == set()
}

test_unknown_list if {
	plan := cluster({}, ["/enabled_cluster_log_types"])
	denied(plan) == set()
	undetermined(plan) == finding("whether it keeps these logs is known only after apply: api, audit")
}

test_unknown_rest_of_the_list if {
	plan := cluster({"enabled_cluster_log_types": ["audit", null]}, ["/enabled_cluster_log_types/1"])
	denied(plan) == set()
	undetermined(plan) == finding("whether it keeps these logs is known only after apply: api")
}

test_pass_whatever_the_unknown_rest_is if {
	plan := cluster({"enabled_cluster_log_types": ["audit", "api"]}, ["/enabled_cluster_log_types/2"])
	denied(plan) == set()
	undetermined(plan) == set()
}
