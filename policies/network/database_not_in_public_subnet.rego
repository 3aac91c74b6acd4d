# METADATA
# title: Databases stay out of subnets that give public addresses
# description: >-
#   A subnet that gives public addresses has a route to the internet. A database in it is one changed setting away
#   from being reachable. What counts is the chain from the database over its subnet group to the subnets.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
# custom:
#   id: database-not-in-public-subnet
#   severity: high
#   enforcement: overridable
#   kinds: [database.instance]
#   remediation: Give the database a subnet group of subnets with map_public_ip_on_launch = false.
#   frameworks:
#     nist-800-53-r5: [SC-7]
package policies.network.database_not_in_public_subnet

import data.plangate.lib

deny contains lib.finding(database, message) if {
	some database in lib.of_kind("database.instance")
	some subnet in certain_subnets(database)
	subnet.facts.public_ips == true
	message := sprintf("it is in %v, which gives public addresses", [subnet.address])
}

undetermined contains lib.finding(database, message) if {
	some database in lib.of_kind("database.instance")
	some subnet in certain_subnets(database)
	subnet.facts.public_ips == "unknown"
	message := sprintf("it is in %v, which may give public addresses", [subnet.address])
}

undetermined contains lib.finding(database, message) if {
	some database in lib.of_kind("database.instance")
	risky := {subnet.address |
		some subnet in possible_subnets(database)
		not subnet.facts.public_ips == false
	}
	count(risky) > 0
	message := sprintf("it may be in %v, which may give public addresses", [concat(", ", sort(risky))])
}

undetermined contains lib.finding(database, "its subnets could not be followed to resources of the plan") if {
	some database in lib.of_kind("database.instance")
	some step in possible_way(database)
	lib.is_unresolved(step, places)
}

# Attributes that say where a database is.
places := {"/cluster_identifier", "/db_subnet_group_name", "/subnet_group_name", "/subnet_ids"}

# The database itself, its cluster, and the subnet group of either: what names subnets, and what may name them.
way(database) := ({database} | lib.references(database)) | behind(lib.references(database))

possible_way(database) := ({database} | reachable(database)) | possibly_behind(reachable(database))

certain_subnets(database) := {subnet |
	some step in way(database)
	some subnet in lib.references(step)
	subnet.kind == "network.subnet"
}

possible_subnets(database) := {subnet |
	some step in possible_way(database)
	some subnet in reachable(step)
	subnet.kind == "network.subnet"
} - certain_subnets(database)

reachable(resource) := lib.references(resource) | lib.may_reference(resource)

behind(resources) := {target |
	some resource in resources
	some target in lib.references(resource)
}

possibly_behind(resources) := {target |
	some resource in resources
	some target in reachable(resource)
}
