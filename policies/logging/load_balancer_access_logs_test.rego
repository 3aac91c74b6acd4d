package policies.logging.load_balancer_access_logs_test

import data.plangate.lib.builders_test as builders
import data.policies.logging.load_balancer_access_logs as rule

balancer(type, after, unknown) := builders.plan([{"address": "b", "type": type, "after": after, "unknown": unknown}])

logging(enabled) := {"access_logs": [{"bucket": "logs", "enabled": enabled}]}

no_log := {{"address": "b", "message": "it keeps no access log", "path": "/access_logs"}}

late(path) := {{
	"address": "b",
	"message": "whether it keeps an access log is known only after apply",
	"path": path,
}}

types := ["aws_alb", "aws_elb", "aws_lb"]

test_pass_enabled if {
	every type in types {
		denied := rule.deny with input as balancer(type, logging(true), [])
		denied == set()
		undetermined := rule.undetermined with input as balancer(type, logging(true), [])
		undetermined == set()
	}
}

test_fail_disabled if {
	every type in types {
		denied := rule.deny with input as balancer(type, logging(false), [])
		denied == no_log
		undetermined := rule.undetermined with input as balancer(type, logging(false), [])
		undetermined == set()
	}
}

test_absent_block if {
	every type in types {
		none := rule.deny with input as balancer(type, {}, [])
		none == no_log
		empty := rule.deny with input as balancer(type, {"access_logs": []}, [])
		empty == no_log
	}
}

test_absent_enabled_is_off_and_on_for_a_classic_one if {
	block := {"access_logs": [{"bucket": "logs"}]}
	rule.deny == no_log with input as balancer("aws_lb", block, [])
	rule.deny == set() with input as balancer("aws_elb", block, [])
}

test_fail_application if {
	rule.deny == no_log with input as balancer("aws_lb", {"load_balancer_type": "application"}, [])
}

test_pass_network_and_gateway if {
	every type in ["network", "gateway"] {
		denied := rule.deny with input as balancer("aws_lb", {"load_balancer_type": type}, [])
		denied == set()
		undetermined := rule.undetermined with input as balancer("aws_lb", {"load_balancer_type": type}, ["/access_logs"])
		undetermined == set()
	}
}

test_pass_deleted if {
	rule.deny == set() with input as builders.plan([{"type": "aws_lb", "action": "delete", "after": null}])
}

test_unknown_block if {
	every type in types {
		denied := rule.deny with input as balancer(type, {}, ["/access_logs"])
		denied == set()
		undetermined := rule.undetermined with input as balancer(type, {}, ["/access_logs"])
		undetermined == late("/access_logs")
	}
}

test_unknown_enabled if {
	every type in types {
		plan := balancer(type, {"access_logs": [{"bucket": "logs"}]}, ["/access_logs/0/enabled"])
		denied := rule.deny with input as plan
		denied == set()
		undetermined := rule.undetermined with input as plan
		undetermined == late("/access_logs")
	}
}

test_pass_enabled_with_an_unknown_bucket if {
	plan := balancer("aws_lb", {"access_logs": [{"enabled": true}]}, ["/access_logs/0/bucket"])
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

test_unknown_type if {
	plan := balancer("aws_lb", {}, ["/load_balancer_type"])
	rule.deny == set() with input as plan
	rule.undetermined == late("/load_balancer_type") with input as plan
}
