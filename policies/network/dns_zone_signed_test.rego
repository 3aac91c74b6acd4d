package policies.network.dns_zone_signed_test

import data.plangate.lib.builders_test as builders
import data.policies.network.dns_zone_signed as rule

zone(fields) := builders.plan([object.union({"address": "zone", "type": "google_dns_managed_zone"}, fields)])

with_state(state) := {"dnssec_config": [{"state": state}]}

finding(message) := {"address": "zone", "message": message, "path": "/dnssec_config/0/state"}

denial := finding("its answers are not signed")

doubt := finding("whether it is public and unsigned is known only after apply: set visibility and dnssec_config")

denied(plan) if {
	rule.deny == {denial} with input as plan
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

test_fail_off if {
	denied(zone({"after": with_state("off")}))
	denied(zone({"after": object.union(with_state("off"), {"visibility": "public"})}))
}

test_fail_absent if {
	denied(zone({"after": {}}))
	denied(zone({"after": {"dnssec_config": null, "visibility": null}}))
	denied(zone({"after": {"dnssec_config": [{}]}}))
}

test_pass_on if passed(zone({"after": with_state("on")}))

test_pass_moving_to_another_operator if passed(zone({"after": with_state("transfer")}))

test_pass_private if {
	passed(zone({"after": {"visibility": "private"}, "unknown": ["/dnssec_config"]}))
	passed(zone({"after": object.union(with_state("off"), {"visibility": "private"})}))
}

test_unknown_whether_it_is_signed if {
	doubted(zone({"after": {"visibility": "public"}, "unknown": ["/dnssec_config"]}))
	doubted(zone({"after": {"visibility": "public"}, "unknown": ["/dnssec_config/0/state"]}))
}

test_unknown_whether_it_is_public if {
	doubted(zone({"after": with_state("off"), "unknown": ["/visibility"]}))
}

test_pass_signed_whether_public_or_not if {
	passed(zone({"after": with_state("on"), "unknown": ["/visibility"]}))
}

test_fail_whatever_else_of_it_is_unknown if {
	denied(zone({"after": with_state("off"), "unknown": ["/dnssec_config/0/default_key_specs", "/name_servers"]}))
}

test_pass_deleted if passed(zone({"action": "delete", "after": null}))
