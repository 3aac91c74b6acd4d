# METADATA
# title: Logs are kept for at least 90 days
# description: >-
#   Most intrusions are found weeks after they began. Logs that are gone by then cannot say what happened.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
# custom:
#   id: log-retention
#   severity: low
#   enforcement: advisory
#   kinds: [log.group]
#   remediation: Set the retention to 90 days or more, or to never expire.
#   frameworks:
#     nist-800-53-r5: [AU-11]
package policies.logging.log_retention

import data.plangate.lib

# 0 means for ever.
deny contains lib.finding(group, message) if {
	some group in lib.of_kind("log.group")
	days := group.facts.retention_days
	is_number(days)
	days > 0
	days < 90
	message := sprintf("it keeps logs for %v days", [days])
}
