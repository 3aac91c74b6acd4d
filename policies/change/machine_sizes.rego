# METADATA
# title: Machines are of sizes that are allowed
# description: >-
#   One digit in a size is ten times the bill, and nobody sees it in a plan. It holds for machines, templates of
#   machines, databases and caches. With no sizes in the settings, this rule passes everything.
# related_resources:
#   - ref: https://docs.aws.amazon.com/wellarchitected/latest/cost-optimization-pillar/cost_type_size_number_resources_data.html
# custom:
#   id: machine-sizes
#   severity: medium
#   enforcement: overridable
#   types:
#     - aws_db_instance
#     - aws_elasticache_cluster
#     - aws_elasticache_replication_group
#     - aws_instance
#     - aws_launch_configuration
#     - aws_launch_template
#     - aws_rds_cluster_instance
#     - azurerm_linux_virtual_machine
#     - azurerm_linux_virtual_machine_scale_set
#     - azurerm_windows_virtual_machine
#     - azurerm_windows_virtual_machine_scale_set
#     - google_compute_instance
#     - google_compute_instance_template
#   remediation: Take a size that is allowed, or have the plan approved.
#   settings:
#     allowed:
#       description: >-
#         Allowed sizes of each cloud, "t3.*" for example: text with at most one *, which stands for any text. A cloud
#         without a list may have any.
#       type: object
#       additionalProperties: false
#       properties:
#         aws: {type: array, items: {type: string, pattern: "^[^*]*[*]?[^*]*$", minLength: 1}}
#         azure: {type: array, items: {type: string, pattern: "^[^*]*[*]?[^*]*$", minLength: 1}}
#         google: {type: array, items: {type: string, pattern: "^[^*]*[*]?[^*]*$", minLength: 1}}
#       default: {}
package policies.change.machine_sizes

import data.plangate.lib

# Where a type says its size, by cloud.
sizes := {
	"aws": {
		"aws_db_instance": "instance_class",
		"aws_elasticache_cluster": "node_type",
		"aws_elasticache_replication_group": "node_type",
		"aws_instance": "instance_type",
		"aws_launch_configuration": "instance_type",
		"aws_launch_template": "instance_type",
		"aws_rds_cluster_instance": "instance_class",
	},
	"azure": {
		"azurerm_linux_virtual_machine": "size",
		"azurerm_linux_virtual_machine_scale_set": "sku",
		"azurerm_windows_virtual_machine": "size",
		"azurerm_windows_virtual_machine_scale_set": "sku",
	},
	"google": {
		"google_compute_instance": "machine_type",
		"google_compute_instance_template": "machine_type",
	},
}

# Left out, the size is that of something else: the template of an instance, which is judged itself, or the instance
# that a template is used for.
deny contains lib.finding_at(machine, message, concat("", ["/", attribute])) if {
	some cloud, allowed in data.plangate.settings.machine_sizes.allowed
	some type, attribute in sizes[cloud]
	some machine in lib.of_type(type)
	size := machine.after[attribute]
	is_string(size)
	not lib.matches_any(size, allowed)
	message := sprintf("its size is %v; allowed: %v", [size, concat(", ", allowed)])
}

undetermined contains lib.finding_at(machine, "its size is known only after apply", path) if {
	some cloud, _ in data.plangate.settings.machine_sizes.allowed
	some type, attribute in sizes[cloud]
	some machine in lib.of_type(type)
	path := concat("", ["/", attribute])
	lib.is_unknown(machine, path)
}
