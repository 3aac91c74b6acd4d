# METADATA
# title: One change is small enough to be reviewed
# description: >-
#   Nobody reads two hundred changes; what matters hides among them. Unlike the built-in rule blast-radius, this one
#   counts what is created as well, so it is about the reader and not about the damage.
#   Source and templates pass: they do not say what changes.
# related_resources:
#   - ref: https://docs.aws.amazon.com/wellarchitected/latest/framework/ops_dev_integ_freq_sm_rev_chg.html
# custom:
#   id: change-size
#   severity: low
#   enforcement: advisory
#   scope: plan
#   remediation: Split the change into steps that can be applied one after the other.
#   settings:
#     max_changes:
#       description: Most resources that one plan may change.
#       type: integer
#       minimum: 0
#       default: 100
#     actions:
#       description: What counts as a change.
#       type: array
#       uniqueItems: true
#       items: {enum: [create, update, replace, delete, forget]}
#       default: [create, update, replace, delete]
package policies.change.change_size

import data.plangate.lib

deny contains lib.plan_finding(message) if {
	not is_description
	settings := data.plangate.settings.change_size
	changed := count([action | some action in lib.actions; action in settings.actions])
	changed > settings.max_changes
	message := sprintf("it changes %v resources (at most %v)", [changed, settings.max_changes])
}

# These say what there should be, and not what changes.
is_description if {
	input.source.format in {"azure-template", "cloudformation", "compose", "kubernetes", "terraform-source"}
}
