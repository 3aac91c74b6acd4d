# METADATA
# title: Resources are named as the settings ask
# description: >-
#   Permissions, bills and alarms go by names. A name outside of the scheme is outside of all three. With no names in
#   the settings, this rule passes everything.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-naming
# custom:
#   id: resource-names
#   severity: low
#   enforcement: advisory
#   remediation: Rename it while it is new; renaming what exists often replaces it.
#   settings:
#     names:
#       description: >-
#         Native type to the attribute (of the top level) that holds the name, "name" if left out, and the patterns of
#         which one must match: text with at most one *, which stands for any text.
#       type: object
#       additionalProperties:
#         type: object
#         additionalProperties: false
#         required: [allow]
#         properties:
#           attribute: {type: string, minLength: 1}
#           allow:
#             type: array
#             minItems: 1
#             items: {type: string, pattern: "^[^*]*[*]?[^*]*$", minLength: 1}
#       default: {}
package policies.change.resource_names

import data.plangate.lib

deny contains lib.finding_at(resource, message, path) if {
	some type, wanted in data.plangate.settings.resource_names.names
	some resource in lib.of_type(type)
	attribute := object.get(wanted, "attribute", "name")
	path := concat("", ["/", attribute])
	not lib.is_unknown(resource, path)
	name := as_text(object.get(resource.after, attribute, null))
	patterns := wanted.allow
	not lib.matches_any(name, patterns)
	message := sprintf("its name is %q, which is none of: %v", [name, concat(", ", patterns)])
}

undetermined contains lib.finding_at(resource, "its name is known only after apply", path) if {
	some type, wanted in data.plangate.settings.resource_names.names
	some resource in lib.of_type(type)
	path := concat("", ["/", object.get(wanted, "attribute", "name")])
	lib.is_unknown(resource, path)
}

# A name that is left out, or no text, is the empty one.
as_text(value) := value if is_string(value)

as_text(value) := "" if not is_string(value)
