package policies.container.registry_images_checked_test

import data.plangate.lib.builders_test as builders
import data.policies.container.registry_images_checked as rule

types := ["AWS::ECR::Repository", "aws:ecr/repository:Repository", "aws_ecr_repository"]

repository(type, immutable, scanned) := builders.plan([{
	"address": "r",
	"type": type,
	"facts": {"immutable_tags": immutable, "scan_on_push": scanned},
}])

moves := {"address": "r", "message": "a tag can be moved to another image"}

not_scanned := {"address": "r", "message": "images are not scanned when they are pushed"}

test_pass_scanned_with_fixed_tags if {
	every type in types {
		denied := rule.deny with input as repository(type, true, true)
		denied == set()
	}
}

test_fail_tags_move if {
	every type in types {
		denied := rule.deny with input as repository(type, false, true)
		denied == {moves}
	}
}

test_fail_not_scanned if {
	every type in types {
		denied := rule.deny with input as repository(type, true, false)
		denied == {not_scanned}
	}
}

test_pass_another_registry if rule.deny == set() with input as repository("azurerm_container_registry", false, false)

# Without `undetermined`, what is unknown or missing is found from what the rule reads.
test_unknown_is_not_denied if rule.deny == set() with input as repository("aws_ecr_repository", "unknown", "unknown")

test_absent_facts_are_not_denied if rule.deny == set() with input as builders.plan([{"type": "aws_ecr_repository"}])
