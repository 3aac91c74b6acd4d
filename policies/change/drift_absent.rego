# METADATA
# title: Drift of what guards the estate is settled by its own change
# description: >-
#   Somebody changed a guard by hand: a policy, a firewall, a key. A plan that puts it back, or takes it over, among
#   other changes hides who did what. Only a plan that changes other things besides fails; one that settles the drift
#   does not.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/tutorials/state/resource-drift
# custom:
#   id: drift-absent
#   severity: medium
#   enforcement: advisory
#   scope: plan
#   remediation: >-
#     Find out who changed it. Then apply a plan that only puts it back, or a refresh-only one that takes it over, and
#     make the other changes afterwards.
#   settings:
#     kinds:
#       description: Kinds whose drift matters.
#       type: array
#       uniqueItems: true
#       items: {type: string, minLength: 1}
#       default: [crypto.key, iam.policy, network.security_group, network.security_group_rule, storage.bucket]
package policies.change.drift_absent

import data.plangate.lib

# The least of nothing is undefined, so each of the sets has something in it where a message is made.
deny contains lib.plan_finding(message) if {
	guards := {address |
		some address in drifted
		kinds[address] in data.plangate.settings.drift_absent.kinds
	}
	others := changed - drifted
	message := sprintf("%v was changed outside of it (%v in all), and it also changes %v (%v in all)", [
		min(guards),
		count(guards),
		min(others),
		count(others),
	])
}

undetermined contains lib.plan_finding(message) if {
	strangers := {address |
		some address in drifted
		not kinds[address]
	}
	others := changed - drifted
	message := sprintf("%v was changed outside of it, and what that is the plan does not say; it also changes %v", [
		min(strangers),
		min(others),
	])
}

drifted contains address if {
	some entry in input.drift
	entry.action != "no-op"
	address := entry.address
}

changed contains resource.address if {
	some resource in input.resources
	resource.mode == "managed"
	not resource.action in {"no-op", "read"}
}

# The kind of each entry, null for a type without one.
kinds[resource.address] := resource.kind if {
	some resource in input.resources
	resource.mode == "managed"
}
