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
