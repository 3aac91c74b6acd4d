# METADATA
# title: A public load balancer and a database share no security group
# description: >-
#   A rule that opens a shared security group for the load balancer opens the database with it. Each tier needs a
#   group of its own, with the database's group admitting the other.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
# custom:
#   id: security-group-one-tier
#   severity: high
#   enforcement: overridable
#   kinds: [network.security_group]
#   remediation: Make a security group for each, and let the database's group admit the load balancer's.
#   frameworks:
#     nist-800-53-r5: [AC-4, SC-7]
package policies.network.security_group_one_tier

import data.plangate.lib

deny contains lib.finding(group, message) if {
	some group in lib.of_kind("network.security_group")
	balancers := {user.address |
		some user in certain_balancers[group.address]
		user.public == true
	}
	databases := {user.address | some user in certain_databases[group.address]}
	count(balancers) > 0
	count(databases) > 0
	message := sprintf("%v, which is public, and %v share it", [concat(", ", sort(balancers)), concat(", ", sort(databases))])
}

undetermined contains lib.finding(group, message) if {
	some group in lib.of_kind("network.security_group")
	balancers := {user.address |
		some user in possible_balancers[group.address]
		not user.public == false
	}
	databases := {user.address | some user in possible_databases[group.address]}
	count(balancers) > 0
	count(databases) > 0
	message := sprintf("%v, which may be public, and %v may share it", [
		concat(", ", sort(balancers)),
		concat(", ", sort(databases)),
	])
}

undetermined contains lib.finding(resource, "its security groups could not be followed to resources of the plan") if {
	some kind in ["database.instance", "network.load_balancer"]
	some resource in lib.of_kind(kind)
	lib.is_unresolved(resource, {"/security_groups", "/security_group_ids", "/vpc_security_group_ids"})
}

# Who uses a security group, by the group's address; `possible` holds the certain ones too.
certain_balancers[group.address] contains as_user(balancer) if {
	some balancer in lib.of_kind("network.load_balancer")
	some group in lib.references(balancer)
}

certain_databases[group.address] contains as_user(database) if {
	some database in lib.of_kind("database.instance")
	some group in lib.references(database)
}

possible_balancers[group.address] contains as_user(balancer) if {
	some balancer in lib.of_kind("network.load_balancer")
	some group in (lib.references(balancer) | lib.may_reference(balancer))
}

possible_databases[group.address] contains as_user(database) if {
	some database in lib.of_kind("database.instance")
	some group in (lib.references(database) | lib.may_reference(database))
}

# Small on purpose: a set of whole resources is compared value by value.
as_user(resource) := {"address": resource.address, "public": object.get(resource.facts, "public", "unknown")}
