package policies.network.namespace_isolated_test

import data.plangate.lib.builders_test as builders
import data.policies.network.namespace_isolated as rule

namespace(fields) := object.union(
	{"address": "ns", "kind": "kubernetes.namespace", "after": {"metadata": {"name": "web"}}},
	fields,
)

workload(name) := {"address": "pod", "kind": "kubernetes.workload", "facts": {"namespace": name}}

policy(name, all) := {
	"address": "policy",
	"kind": "kubernetes.network_policy",
	"facts": {"namespace": name, "selects_all": all},
}

finding(message) := {"address": "ns", "message": message}

denial := finding("no network policy of the plan selects all pods in it")

doubt_of_policy := finding("where policy is, or which pods it selects, is not known")

doubt_of_programs := finding("which programs run in it is not known")

doubt_of_name := finding("its name is known only after apply")

denied(resources) if {
	rule.deny == {denial} with input as builders.plan(resources)
	rule.undetermined == set() with input as builders.plan(resources)
}

passed(resources) if {
	rule.deny == set() with input as builders.plan(resources)
	rule.undetermined == set() with input as builders.plan(resources)
}

doubted(resources, findings) if {
	rule.deny == set() with input as builders.plan(resources)
	rule.undetermined == findings with input as builders.plan(resources)
}

test_fail_no_policy if {
	denied([namespace({}), workload("web")])
	denied([namespace({"after": {"metadata": [{"name": "web"}]}}), workload("web")])
}

test_fail_policy_of_another_namespace if denied([namespace({}), workload("web"), policy("other", true)])

test_fail_policy_for_some_pods if denied([namespace({}), workload("web"), policy("web", false)])

test_pass_policy_for_all_pods if {
	passed([namespace({}), workload("web"), policy("web", true)])
	passed([namespace({"after": {"metadata": [{"name": "web"}]}}), workload("web"), policy("web", true)])
}

test_pass_nothing_runs_in_it if {
	passed([namespace({})])
	passed([namespace({}), workload("other")])
	passed([namespace({}), workload("other"), policy("web", "unknown")])
}

test_pass_absent_namespace if passed([workload("web")])

test_unknown_which_pods_it_selects if {
	doubted([namespace({}), workload("web"), policy("web", "unknown")], {doubt_of_policy})
}

test_unknown_where_the_policy_is if {
	doubted([namespace({}), workload("web"), policy("unknown", true)], {doubt_of_policy})
}

test_unknown_which_programs_run_in_it if doubted([namespace({}), workload("unknown")], {doubt_of_programs})

test_pass_whatever_runs_in_it if passed([namespace({}), workload("unknown"), policy("web", true)])

test_unknown_name if {
	unnamed := namespace({"after": {"metadata": [{"labels": {}}]}})
	doubted([unnamed, workload("web")], {doubt_of_name})
	passed([unnamed])
}

test_pass_deleted if passed([namespace({"action": "delete", "after": null}), workload("web")])
