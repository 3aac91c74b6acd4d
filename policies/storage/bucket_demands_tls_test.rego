package policies.storage.bucket_demands_tls_test

import data.plangate.lib.builders_test as builders
import data.policies.storage.bucket_demands_tls as rule

statement := {
	"Effect": "Deny",
	"Principal": "*",
	"Action": "s3:*",
	"Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
	"Condition": {"Bool": {"aws:SecureTransport": "false"}},
}

document(statements) := json.marshal({"Version": "2012-10-17", "Statement": statements})

bucket := {"address": "aws_s3_bucket.logs", "type": "aws_s3_bucket", "after": {"bucket": "logs"}}

policy(fields) := object.union({"address": "aws_s3_bucket_policy.logs", "type": "aws_s3_bucket_policy"}, fields)

at(edge, pointer) := object.union(edge, {"at": pointer})

certain := at(builders.certainly("aws_s3_bucket.logs"), "/bucket")

possible := at(builders.possibly("aws_s3_bucket.logs"), "/bucket")

of(text) := builders.plan([bucket, policy({"after": {"policy": text}, "references": [certain]})])

with_statement(changes) := of(document([object.union(object.remove(statement, object.keys(changes)), changes)]))

finding(message) := {{"address": "aws_s3_bucket.logs", "message": message}}

open := finding("no policy in this plan denies requests to it without TLS")

late := finding("whether its policy denies requests without TLS is known only after apply")

is_safe(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

is_open(plan) if {
	rule.deny == open with input as plan
	rule.undetermined == set() with input as plan
}

is_late(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == late with input as plan
}

test_pass_denied_without_tls if is_safe(of(document([{"Effect": "Allow"}, statement])))

test_pass_other_ways_to_write_it if {
	is_safe(of(document(statement)))
	is_safe(with_statement({"Principal": {"AWS": "*"}, "Action": ["*"]}))
	is_safe(with_statement({"Resource": "*"}))
	is_safe(with_statement({"Condition": {"Bool": {"aws:securetransport": ["false"]}}}))
	is_safe(with_statement({"Condition": {"Bool": {"AWS:SecureTransport": false}}}))
	is_safe(with_statement({"Condition": {"Bool": {"aws:SecureTransport": [false]}}}))
}

test_pass_named_by_the_bucket_s_name if {
	is_safe(builders.plan([bucket, policy({"after": {"bucket": "logs", "policy": document([statement])}})]))
}

test_fail_another_effect if is_open(with_statement({"Effect": "Allow"}))

test_fail_somebody_only if is_open(with_statement({"Principal": {"AWS": "123456789012"}}))

test_fail_some_actions_only if is_open(with_statement({"Action": ["s3:GetObject"]}))

test_fail_not_the_objects if {
	is_open(with_statement({"Resource": "arn:aws:s3:::logs"}))
	is_open(with_statement({"Resource": [1]}))
}

test_fail_another_condition if {
	is_open(with_statement({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}))
	is_open(with_statement({"Condition": {"Bool": {"aws:ViaAWSService": "false"}}}))
	is_open(of(document([object.remove(statement, ["Condition"])])))
}

test_fail_a_second_condition if {
	also := {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}
	is_open(with_statement({"Condition": object.union(statement.Condition, also)}))
	is_open(with_statement({"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}}))
}

test_fail_policy_of_another_bucket if {
	text := document([statement])
	is_open(builders.plan([bucket, policy({"after": {"bucket": "other", "policy": text}})]))
	elsewhere := at(builders.certainly("aws_s3_bucket.logs"), "/policy")
	is_open(builders.plan([bucket, policy({"after": {"policy": text}, "references": [elsewhere]})]))
}

test_fail_policy_that_goes if {
	is_open(builders.plan([bucket, policy({"action": "delete", "after": null, "references": [certain]})]))
}

test_fail_policy_of_the_bucket_itself_does_not_count if {
	is_open(builders.plan([object.union(bucket, {"after": {"policy": document([statement])}})]))
}

test_fail_no_name_is_nobodys if {
	unnamed := object.union(bucket, {"after": {"bucket": null}})
	is_open(builders.plan([unnamed, policy({"after": {"bucket": null, "policy": document([statement])}})]))
}

test_absent_policy if {
	is_open(builders.plan([bucket]))
	is_open(of(null))
	is_open(of(""))
}

test_absent_bucket if {
	plan := builders.plan([policy({"after": {"policy": document([])}})])
	is_safe(plan)
}

test_unknown_policy if {
	is_late(builders.plan([bucket, policy({"unknown": ["/policy"], "references": [certain]})]))
	is_late(builders.plan([bucket, policy({"after": {"bucket": "logs"}, "unknown": ["/policy"]})]))
}

test_unknown_which_bucket if {
	is_late(builders.plan([bucket, policy({"after": {"policy": document([statement])}, "references": [possible]})]))
}

test_unknown_where_the_bucket_cannot_be_followed if {
	plan := builders.plan([bucket, policy({"after": {"policy": document([statement])}, "unresolved": ["/bucket"]})])
	rule.deny == set() with input as plan
	undetermined := rule.undetermined with input as plan
	undetermined == finding("aws_s3_bucket_policy.logs is of a bucket that could not be followed")
}

test_unknown_where_one_cannot_be_followed_and_another_may_be_it if {
	stray := object.union(policy({"unresolved": ["/bucket"]}), {"address": "stray"})
	is_late(builders.plan([bucket, stray, policy({"unknown": ["/policy"], "references": [certain]})]))
}

test_pass_where_another_policy_cannot_be_followed if {
	stray := object.union(policy({"unresolved": ["/bucket"]}), {"address": "stray"})
	text := document([statement])
	is_safe(builders.plan([bucket, stray, policy({"after": {"policy": text}, "references": [certain]})]))
}

test_pass_where_another_policy_may_be_of_it if {
	perhaps := object.union(policy({"references": [possible]}), {"address": "perhaps"})
	text := document([statement])
	is_safe(builders.plan([bucket, perhaps, policy({"after": {"policy": text}, "references": [certain]})]))
}
