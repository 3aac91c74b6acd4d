package plangate.lib.resources_test

import data.plangate.lib
import data.plangate.lib.builders_test as builders

estate := builders.plan([
	{"address": "made", "kind": "a.b", "type": "t"},
	{"address": "kept", "kind": "a.b", "action": "no-op"},
	{"address": "gone", "kind": "a.b", "type": "t", "action": "delete", "after": null},
	{"address": "forgotten", "kind": "a.b", "action": "forget", "after": null},
	{"address": "leftover", "kind": "a.b", "action": "delete", "after": null, "deposed": "00ff"},
	{"address": "swapped", "kind": "a.b", "action": "replace"},
	{"address": "changed", "kind": "c.d", "action": "update", "type": "t"},
	{"address": "looked_up", "kind": "a.b", "type": "t", "mode": "data", "action": "read"},
])

addresses(resources) := {resource.address | some resource in resources}

test_of_kind_gives_what_exists_after_the_change if {
	addresses(lib.of_kind("a.b")) == {"made", "kept", "swapped"} with input as estate
}

test_of_kind_of_an_absent_kind_is_empty if {
	lib.of_kind("e.f") == set() with input as estate
}

test_a_plan_without_resources_has_none_of_any_kind if {
	lib.of_kind("a.b") == set() with input as builders.plan([])
	lib.all_of_kind("a.b") == set() with input as builders.plan([])
	lib.of_type("t") == set() with input as builders.plan([])
	count(lib.of_kind("a.b")) == 0 with input as builders.plan([])
}

test_all_of_kind_gives_what_goes_as_well if {
	found := addresses(lib.all_of_kind("a.b")) with input as estate
	found == {"made", "kept", "gone", "forgotten", "leftover", "swapped"}
}

test_of_type_gives_what_exists_after_the_change if {
	addresses(lib.of_type("t")) == {"made", "changed"} with input as estate
}

test_changes_are_create_update_and_replace if {
	found := {resource.address |
		some resource in estate.resources
		lib.changes(resource)
	}
	found == {"made", "swapped", "changed"}
}

test_delete_and_replace_destroy_and_forget_does_not if {
	found := {resource.address |
		some resource in estate.resources
		lib.is_destroyed(resource)
	}
	found == {"gone", "leftover", "swapped"}
}

test_a_deposed_object_does_not_remain if {
	not lib.remains(builders.resource({"deposed": "00ff"}))
}

test_actions_are_those_of_every_managed_entry if {
	found := lib.actions with input as estate
	sort(found) == ["create", "delete", "delete", "forget", "no-op", "replace", "update"]
}
