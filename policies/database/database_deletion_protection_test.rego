package policies.database.database_deletion_protection_test

import data.plangate.lib.builders_test as builders
import data.policies.database.database_deletion_protection as rule

database(facts) := builders.plan([{"address": "d", "kind": "database.instance", "facts": facts}])

test_fail_off if {
	denied := rule.deny with input as database({"deletion_protection": false})
	denied == {{"address": "d", "message": "it can be deleted in one step: deletion protection is off"}}
}

test_pass_on if rule.deny == set() with input as database({"deletion_protection": true})

test_pass_a_kind_that_cannot if rule.deny == set() with input as database({"deletion_protection": null})

test_pass_deleted if {
	gone := {"kind": "database.instance", "action": "delete", "facts": {"deletion_protection": false}}
	rule.deny == set() with input as builders.plan([gone])
}

# Without `undetermined`, what is unknown or missing is found from what the rule reads.
test_unknown_is_not_denied if rule.deny == set() with input as database({"deletion_protection": "unknown"})

test_absent_fact_is_not_denied if rule.deny == set() with input as database({})
