# METADATA
# title: Tags have values that are in use
# description: >-
#   "production", "Prod" and "prd" are three environments to whoever reads the bill or writes a permission by tag. That
#   a tag is there at all is what the built-in rule required-tags asks for. With no tags in the settings, this rule
#   passes everything.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html
# custom:
#   id: tag-values
#   severity: low
#   enforcement: advisory
#   remediation: Take one of the accepted values, or add the new one to the settings.
#   settings:
#     tags:
#       description: >-
#         Tag (Google and Kubernetes: label) to the patterns of which its value must match one: text with at most one *,
#         which stands for any text.
#       type: object
#       additionalProperties:
#         type: array
#         minItems: 1
#         items: {type: string, pattern: "^[^*]*[*]?[^*]*$"}
#       default: {}
package policies.change.tag_values

import data.plangate.lib

deny contains lib.finding_at(resource, message, "/tags") if {
	some resource in tagged
	some tag, patterns in data.plangate.settings.tag_values.tags
	value := resource.facts.tags[tag]
	is_string(value)
	value != "unknown"
	not lib.matches_any(value, patterns)
	message := sprintf("the tag %v is %q, which is none of: %v", [tag, value, concat(", ", patterns)])
}

undetermined contains lib.finding_at(resource, message, "/tags") if {
	some resource in tagged
	some tag, _ in data.plangate.settings.tag_values.tags
	resource.facts.tags[tag] == "unknown"
	message := sprintf("the tag %v is known only after apply", [tag])
}

# Something that is not known yet may add the tag.
undetermined contains lib.finding_at(resource, message, "/tags") if {
	some resource in tagged
	resource.facts.tags_complete == false
	some tag, _ in data.plangate.settings.tag_values.tags
	is_object(resource.facts.tags)
	not resource.facts.tags[tag]
	message := sprintf("the tag %v may be there after apply", [tag])
}

undetermined contains lib.finding_at(resource, "its tags are known only after apply", "/tags") if {
	some resource in tagged
	resource.facts.tags == "unknown"
}

# Nothing, where nothing is asked for. The tags of what cannot have any are null.
tagged contains resource if {
	count(data.plangate.settings.tag_values.tags) > 0
	some resource in input.resources
	resource.mode == "managed"
	lib.remains(resource)
}
