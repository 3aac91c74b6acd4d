# METADATA
# title: Roles do not let their holders become somebody else
# description: >-
#   Who may bind or escalate roles can give themselves every right, and who may impersonate users, groups or service
#   accounts has theirs. Such a role is the administration of the cluster under another name.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
#   - ref: https://github.com/aquasecurity/kube-bench/blob/main/cfg/cis-1.8/policies.yaml
#     description: Maps it to the sections of the benchmark.
# custom:
#   id: role-no-escalation
#   severity: high
#   enforcement: overridable
#   kinds: [kubernetes.role]
#   remediation: Take bind, escalate and impersonate out of the verbs, or limit the rule with resourceNames.
#   frameworks:
#     cis-kubernetes-1.8: ["5.1.8"]
package policies.identity.role_no_escalation

import data.plangate.lib

# Verb, API group and resource that go together.
powers := {
	["bind", "rbac.authorization.k8s.io", "clusterroles"],
	["bind", "rbac.authorization.k8s.io", "roles"],
	["escalate", "rbac.authorization.k8s.io", "clusterroles"],
	["escalate", "rbac.authorization.k8s.io", "roles"],
	["impersonate", "", "groups"],
	["impersonate", "", "serviceaccounts"],
	["impersonate", "", "users"],
}

# With names it is about those alone, which somebody has chosen.
deny contains lib.finding_at(role, message, path) if {
	some role in lib.of_kind("kubernetes.role")
	some entry in lib.items(role.facts.rules)
	path := entry.path
	given := {power[0] | some power in powers; is_given(entry, power)}
	count(given) > 0
	message := sprintf("its holder may %v what it names", [concat(", ", sort(given))])
}

undetermined contains lib.finding_at(role, "what it allows is not in the plan", "/rules") if {
	some role in lib.of_kind("kubernetes.role")
	not is_array(object.get(role.facts, "rules", null))
}

undetermined contains lib.finding_at(role, "what a rule of it allows is known only after apply", path) if {
	some role in lib.of_kind("kubernetes.role")
	some entry in lib.items(role.facts.rules)
	path := entry.path
	entry.names in {[], "unknown"}
	some power in powers
	may_cover(entry.verbs, power[0])
	may_cover(entry.groups, power[1])
	may_cover(entry.resources, power[2])
	not is_given(entry, power)
}

covers(listed, word) if {
	some item in lib.items(listed)
	item in {"*", word}
}

may_cover(listed, word) if covers(listed, word)

may_cover("unknown", _) := true

may_cover(listed, _) if "unknown" in lib.items(listed)

is_given(entry, power) if {
	entry.names == []
	covers(entry.verbs, power[0])
	covers(entry.groups, power[1])
	covers(entry.resources, power[2])
}
