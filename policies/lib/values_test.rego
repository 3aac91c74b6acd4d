package plangate.lib.values_test

import data.plangate.lib

partly_known := {"unknown": ["/id", "/rules/0/port"]}

test_an_unknown_value_is_unknown if lib.is_unknown(partly_known, "/id")

test_what_is_below_an_unknown_value_is_unknown if lib.is_unknown(partly_known, "/id/first")

test_what_holds_an_unknown_value_is_unknown if lib.is_unknown(partly_known, "/rules")

test_a_neighbour_with_the_same_beginning_is_known if not lib.is_unknown(partly_known, "/identity")

test_a_known_value_is_known if not lib.is_unknown(partly_known, "/rules/1")

test_all_of_a_wholly_unknown_resource_is_unknown if lib.is_unknown({"unknown": [""]}, "/id")

test_a_whole_resource_is_unknown_in_part if lib.is_unknown(partly_known, "")

test_nothing_of_a_known_resource_is_unknown if not lib.is_unknown({"unknown": []}, "/id")

test_items_of_a_list_are_the_list if lib.items([1, 2]) == [1, 2]

test_items_of_a_set_are_the_set if lib.items({1, 2}) == {1, 2}

test_items_of_null_are_none if lib.items(null) == []

test_items_of_an_object_are_none if lib.items({"a": 1}) == []

switches := {"after": {"on": true, "off": false, "null": null}, "unknown": ["/late"]}

test_off_is_false_null_and_left_out if {
	{name | some name in ["on", "off", "null", "absent", "late"]; lib.is_off(switches, name)} == {"off", "null", "absent"}
}

texts := {
	"after": {"set": "a", "empty": "", "null": null, "list": [], "block": {}, "full": [1], "zero": 0, "no": false},
	"unknown": ["/late/0"],
}

test_empty_is_null_left_out_and_without_content if {
	names := {"set", "empty", "null", "list", "block", "full", "zero", "no", "absent", "late"}
	{name | some name in names; lib.is_empty(texts, name)} == {"empty", "null", "list", "block", "absent"}
}

test_a_pattern_without_star_is_the_text_itself if {
	lib.matches("t3.micro", "t3.micro")
	not lib.matches("t3.micros", "t3.micro")
	not lib.matches("t3.micro", "t3.micros")
}

test_a_star_stands_for_any_text if {
	matched := {text | some text in ["t3.", "t3.micro", "t3a.micro", "xt3.a"]; lib.matches(text, "t3.*")}
	matched == {"t3.", "t3.micro"}
	lib.matches("", "*")
	lib.matches("acme-logs-eu", "acme-*-eu")
	not lib.matches("acme-logs-us", "acme-*-eu")
	not lib.matches("other-logs-eu", "acme-*-eu")
}

test_both_ends_of_a_pattern_need_text_of_their_own if {
	lib.matches("abba", "ab*ba")
	not lib.matches("aba", "ab*ba")
}

test_more_stars_than_one_match_only_themselves if {
	not lib.matches("abc", "*b*")
	not lib.matches("ab", "*b*")
	lib.matches("*b*", "*b*")
}

test_one_pattern_of_many_is_enough if {
	lib.matches_any("b1", ["a*", "b*"])
	not lib.matches_any("c1", ["a*", "b*"])
	not lib.matches_any("c1", [])
}
