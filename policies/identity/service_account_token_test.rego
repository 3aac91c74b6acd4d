package policies.identity.service_account_token_test

import data.plangate.lib.builders_test as builders
import data.policies.identity.service_account_token as rule

workload(facts) := {
	"address": "pod",
	"kind": "kubernetes.workload",
	"facts": object.union({"namespace": "web", "service_account": "app", "token_mounted": "unknown"}, facts),
}

account(metadata, facts) := {
	"address": "account",
	"kind": "kubernetes.service_account",
	"after": {"metadata": metadata},
	"facts": object.union({"namespace": "web", "token_mounted": true}, facts),
}

alone(facts) := builders.plan([workload(facts)])

together(facts, given) := builders.plan([workload(facts), given])

finding(message) := {"address": "pod", "message": message}

asked := finding("it asks for the token of its service account")

given_to_it := finding("it gets the token of account")

doubt := finding("neither it nor a service account of the plan says whether it gets a token")

denied(plan, found) if {
	rule.deny == {found} with input as plan
	rule.undetermined == set() with input as plan
}

passed(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

doubted(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == {doubt} with input as plan
}

test_fail_asked_for if denied(alone({"token_mounted": true}), asked)

test_fail_asked_for_whatever_its_account_says if {
	denied(together({"token_mounted": true}, account({"name": "app"}, {"token_mounted": false})), asked)
}

test_fail_given_by_its_account if {
	denied(together({}, account({"name": "app"}, {})), given_to_it)
	denied(together({}, account([{"name": "app"}], {})), given_to_it)
}

test_pass_declined if {
	passed(alone({"token_mounted": false}))
	passed(together({"token_mounted": false}, account({"name": "app"}, {})))
}

test_pass_declined_by_its_account if {
	passed(together({}, account({"name": "app"}, {"token_mounted": false})))
	passed(together({}, account([{"name": "app"}], {"token_mounted": false})))
}

test_absent_account_is_not_known if doubted(alone({}))

test_unknown_whether_its_account_gives_it if {
	doubted(together({}, account({"name": "app"}, {"token_mounted": "unknown"})))
}

test_unknown_for_the_account_of_another_name if doubted(together({}, account({"name": "other"}, {})))

test_unknown_for_the_account_of_another_namespace if {
	doubted(together({}, account({"name": "app"}, {"namespace": "other"})))
}

test_unknown_which_account_it_has if {
	doubted(together({"service_account": "unknown"}, account({"name": "unknown"}, {"token_mounted": false})))
}

test_unknown_which_namespace_it_is_in if {
	doubted(together({"namespace": "unknown"}, account({"name": "app"}, {"namespace": "unknown", "token_mounted": false})))
}

test_unknown_name_of_the_account if doubted(together({}, account({}, {"token_mounted": false})))

test_pass_no_workload if passed(builders.plan([account({"name": "app"}, {})]))
