package policies.identity.role_no_escalation_test

import data.plangate.lib.builders_test as builders
import data.policies.identity.role_no_escalation as rule

role(facts) := builders.plan([{"address": "role", "kind": "kubernetes.role", "facts": facts}])

entry(groups, resources, verbs) := {
	"groups": groups,
	"resources": resources,
	"verbs": verbs,
	"names": [],
	"urls": [],
	"path": "/rules/0",
}

with_entry(groups, resources, verbs) := role({"rules": [entry(groups, resources, verbs)]})

finding(message, path) := {"address": "role", "message": message, "path": path}

rbac := "rbac.authorization.k8s.io"

doubt := finding("what a rule of it allows is known only after apply", "/rules/0")

denied(plan, verbs) if {
	rule.deny == {finding(sprintf("its holder may %v what it names", [verbs]), "/rules/0")} with input as plan
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

test_fail_each_power if {
	every power in rule.powers {
		denied(with_entry([power[1]], [power[2]], [power[0]]), power[0])
	}
	rule.powers == {
		["bind", "rbac.authorization.k8s.io", "clusterroles"],
		["bind", "rbac.authorization.k8s.io", "roles"],
		["escalate", "rbac.authorization.k8s.io", "clusterroles"],
		["escalate", "rbac.authorization.k8s.io", "roles"],
		["impersonate", "", "groups"],
		["impersonate", "", "serviceaccounts"],
		["impersonate", "", "users"],
	}
}

test_fail_all_at_once if denied(with_entry(["*"], ["*"], ["*"]), "bind, escalate, impersonate")

test_fail_in_the_second_rule if {
	second := object.union(entry([rbac], ["roles"], ["get", "bind"]), {"path": "/rules/1"})
	denied := rule.deny with input as role({"rules": [entry([""], ["pods"], ["get"]), second]})
	denied == {finding("its holder may bind what it names", "/rules/1")}
}

test_pass_other_verbs if passed(with_entry([rbac], ["roles"], ["get", "list"]))

test_pass_other_resources if passed(with_entry(["", rbac], ["pods"], ["*"]))

test_pass_other_groups if passed(with_entry(["apps"], ["*"], ["*"]))

test_pass_with_names if {
	limited := object.union(entry([rbac], ["clusterroles"], ["bind"]), {"names": ["view"]})
	passed(role({"rules": [limited]}))
}

test_pass_absent if passed(role({"rules": []}))

test_unknown_rules if {
	wholly := finding("what it allows is not in the plan", "/rules")
	rule.deny == set() with input as role({"rules": "unknown"})
	rule.undetermined == {wholly} with input as role({"rules": "unknown"})
	rule.undetermined == {wholly} with input as role({})
}

test_unknown_verbs if {
	doubted(with_entry([rbac], ["roles"], "unknown"))
	doubted(with_entry([rbac], ["roles"], ["get", "unknown"]))
}

test_unknown_resources if doubted(with_entry([rbac], "unknown", ["bind"]))

test_unknown_groups if doubted(with_entry("unknown", ["roles"], ["bind"]))

test_unknown_names if {
	doubted(role({"rules": [object.union(entry([rbac], ["roles"], ["bind"]), {"names": "unknown"})]}))
}

test_pass_unknown_verbs_of_harmless_resources if passed(with_entry([""], ["pods"], "unknown"))

test_pass_unknown_verbs_with_names if {
	limited := object.union(entry([rbac], ["roles"], "unknown"), {"names": ["view"]})
	passed(role({"rules": [limited]}))
}
