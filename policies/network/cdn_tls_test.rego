package policies.network.cdn_tls_test

import data.plangate.lib.builders_test as builders
import data.policies.network.cdn_tls as rule

distribution(after) := builders.plan([{
	"address": "aws_cloudfront_distribution.site",
	"type": "aws_cloudfront_distribution",
	"after": after,
}])

finding(message, path) := {{"address": "aws_cloudfront_distribution.site", "message": message, "path": path}}

default_behavior(protocol) := distribution({"default_cache_behavior": [{"viewer_protocol_policy": protocol}]})

ordered_behavior(protocol) := distribution({"ordered_cache_behavior": [
	{"viewer_protocol_policy": "https-only"},
	{"viewer_protocol_policy": protocol},
]})

origin(protocols) := distribution({"origin": [
	{"origin_id": "s3"},
	{"custom_origin_config": [{"origin_ssl_protocols": protocols}]},
]})

test_pass_tls_alone if {
	every protocol in ["https-only", "redirect-to-https"] {
		by_default := rule.deny with input as default_behavior(protocol)
		by_default == set()
		in_order := rule.deny with input as ordered_behavior(protocol)
		in_order == set()
	}
}

test_fail_plain_http_by_default if {
	denied := rule.deny with input as default_behavior("allow-all")
	denied == finding("viewers may use plain HTTP", "/default_cache_behavior/0/viewer_protocol_policy")
}

test_fail_plain_http_for_some_paths if {
	denied := rule.deny with input as ordered_behavior("allow-all")
	denied == finding(
		"viewers may use plain HTTP for paths of behavior 1",
		"/ordered_cache_behavior/1/viewer_protocol_policy",
	)
}

test_pass_today_s_versions_to_the_origin if rule.deny == set() with input as origin(["TLSv1.2"])

test_fail_ssl_to_the_origin if {
	denied := rule.deny with input as origin(["TLSv1.2", "SSLv3"])
	denied == finding("it may speak SSL 3.0 to this origin", "/origin/1/custom_origin_config/0/origin_ssl_protocols")
}

test_pass_deleted if {
	gone := builders.plan([{"type": "aws_cloudfront_distribution", "action": "delete", "after": null}])
	rule.deny == set() with input as gone
}

test_absent_behaviors_and_origins if {
	rule.deny == set() with input as distribution({})
	rule.deny == set() with input as distribution({"ordered_cache_behavior": null, "origin": null})
}

# Without `undetermined`, what is unknown or missing is found from what the rule reads.
test_unknown_protocol_is_not_denied if {
	rule.deny == set() with input as distribution({"default_cache_behavior": [{}], "ordered_cache_behavior": [{}]})
}

# Silence about it becomes unknown: the rule reads the value.
test_unknown_behaviors if {
	plan := builders.plan([{"type": "aws_cloudfront_distribution", "unknown": ["/default_cache_behavior"]}])
	rule.deny == set() with input as plan
}
