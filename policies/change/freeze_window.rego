# METADATA
# title: Nothing is changed while changes are frozen
# description: >-
#   In a freeze nobody is there to see that a change went wrong, or the damage would be greatest. The time is that of
#   the decision, which the log records. With no windows in the settings, this rule passes everything. Terraform source
#   always passes: it cannot be applied without a plan.
# related_resources:
#   - ref: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
# custom:
#   id: freeze-window
#   severity: high
#   enforcement: overridable
#   scope: plan
#   remediation: Wait until the freeze is over, or have the plan approved.
#   settings:
#     windows:
#       description: >-
#         Freezes: from when (included) until when (excluded), in UTC to the second like 2027-12-20T00:00:00Z, and why.
#       type: array
#       items:
#         type: object
#         additionalProperties: false
#         required: [from, to, reason]
#         properties:
#           from: {type: string, pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
#           to: {type: string, pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
#           reason: {type: string, minLength: 1}
#       default: []
package policies.change.freeze_window

import data.plangate.lib

windows := data.plangate.settings.freeze_window.windows

# Texts of this form are in the order of their times.
deny contains lib.plan_finding(message) if {
	does_something
	some window in windows
	window.from <= now
	now < window.to
	message := sprintf("changes are frozen until %v: %v", [window.to, window.reason])
}

undetermined contains lib.plan_finding("there are freezes, and the time of the decision is not known") if {
	does_something
	count(windows) > 0
	not now
}

# A window that ends before it begins would never hold, and nobody would see that.
undetermined contains lib.plan_finding(message) if {
	does_something
	some window in windows
	window.from >= window.to
	message := sprintf("the freeze from %v to %v is empty", [window.from, window.to])
}

# The second of the decision. Without its fraction, so that "12:00:00.5Z" does not come before "12:00:00Z".
now := sprintf("%vZ", [substring(time, 0, 19)]) if {
	time := input.context.time
	is_string(time)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`, time)
}

is_source if input.source.format == "terraform-source"

does_something if {
	not is_source
	some action in lib.actions
	not action in {"no-op", "read"}
}

does_something if {
	some provisioner in input.provisioners
	provisioner.runs == true
}
