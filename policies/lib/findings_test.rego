package plangate.lib.findings_test

import data.plangate.lib

test_a_finding_has_the_address_of_its_resource if {
	lib.finding({"address": "a.b"}, "bad") == {"address": "a.b", "message": "bad"}
}

test_a_finding_may_name_an_attribute if {
	lib.finding_at({"address": "a.b"}, "bad", "/c") == {"address": "a.b", "message": "bad", "path": "/c"}
}

test_a_plan_finding_has_no_address if {
	lib.plan_finding("bad") == {"address": "", "message": "bad"}
}
