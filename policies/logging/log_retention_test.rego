# SURVIVORS
# - operator: condition
#   line: is_number(days)
#   reason: Whatever is no number is either below 0 or above 90 in the order of values; the line says it aloud.
package policies.logging.log_retention_test

import data.plangate.lib.builders_test as builders
import data.policies.logging.log_retention as rule

group(days) := builders.plan([{"address": "g", "kind": "log.group", "facts": {"retention_days": days}}])

test_fail_two_weeks if {
	denied := rule.deny with input as group(14)
	denied == {{"address": "g", "message": "it keeps logs for 14 days"}}
}

test_pass_90_days if rule.deny == set() with input as group(90)

test_pass_for_ever if rule.deny == set() with input as group(0)

test_unknown_is_not_denied if rule.deny == set() with input as group("unknown")

test_absent_fact_is_not_denied if {
	rule.deny == set() with input as builders.plan([{"kind": "log.group"}])
}

test_fail_a_day if count(rule.deny) == 1 with input as group(1)

test_fail_89_days if count(rule.deny) == 1 with input as group(89)
