package plangate.lib.references_test

import data.plangate.lib
import data.plangate.lib.builders_test as builders

estate := builders.plan([
	{"address": "module.m[\"a]b\"].t.one[0]", "patterns": ["module.m[\"a]b\"].t.one", "module.m.t.one"]},
	{"address": "module.m[\"a]b\"].t.one[1]", "patterns": ["module.m[\"a]b\"].t.one", "module.m.t.one"]},
	{"address": "module.m[\"x\"].t.two[7]", "patterns": ["module.m[\"x\"].t.two", "module.m.t.two"]},
	{"address": "module.m[\"y\"].t.two", "patterns": ["module.m.t.two"]},
	{"address": "module.other.t.two"},
	{"address": "t.gone", "action": "delete", "after": null},
])

# A function and not a rule, so that no test reads a rule that its own input is made of.
source(edges) := builders.resource({"address": "s", "references": edges})

addresses(resources) := {resource.address | some resource in resources}

test_a_certain_reference_leads_to_its_instance_alone if {
	one := "module.m[\"a]b\"].t.one[0]"
	addresses(lib.references(source([builders.certainly(one)]))) == {one} with input as estate
}

test_a_possible_reference_is_not_a_certain_one if {
	lib.references(source([builders.possibly("module.m.t.two")])) == set() with input as estate
}

test_a_possible_reference_leads_to_every_instance if {
	found := addresses(lib.may_reference(source([builders.possibly("module.m.t.two")]))) with input as estate
	found == {"module.m[\"x\"].t.two[7]", "module.m[\"y\"].t.two"}
}

test_references_to_what_goes_or_is_elsewhere_lead_nowhere if {
	edges := [builders.certainly("outside.of.plan"), builders.certainly("t.gone")]
	lib.references(source(edges)) == set() with input as estate
}

test_a_resource_without_references_refers_to_nothing if {
	lib.references(builders.resource({})) == set() with input as estate
	lib.may_reference(builders.resource({})) == set() with input as estate
}

test_an_attribute_that_could_not_be_followed_is_unresolved if {
	lib.is_unresolved(builders.resource({"unresolved": ["/a", "/b"]}), {"/b", "/c"})
}

test_another_attribute_is_not_unresolved if {
	not lib.is_unresolved(builders.resource({"unresolved": ["/a"]}), {"/b"})
}

test_a_known_module_instance_is_kept_apart_from_the_others if {
	found := addresses(lib.may_reference(source([builders.possibly("module.m[\"a]b\"].t.one")]))) with input as estate
	found == {"module.m[\"a]b\"].t.one[0]", "module.m[\"a]b\"].t.one[1]"}
}

at(pointer, edge) := object.union(edge, {"at": pointer})

test_a_reference_counts_for_its_own_attribute if {
	one := at("/bucket", builders.certainly("module.other.t.two"))
	other := at("/policy", builders.certainly("module.m[\"y\"].t.two"))
	found := addresses(lib.references_at(source([one, other]), "/bucket")) with input as estate
	found == {"module.other.t.two"}
}

test_a_possible_reference_counts_for_its_own_attribute if {
	one := at("/bucket/0", builders.possibly("module.m.t.two"))
	other := at("/policy", builders.possibly("module.other.t.two"))
	found := addresses(lib.may_reference_at(source([one, other]), "/bucket")) with input as estate
	found == {"module.m[\"x\"].t.two[7]", "module.m[\"y\"].t.two"}
}

test_certain_and_possible_references_of_an_attribute_are_kept_apart if {
	certain := at("/bucket", builders.certainly("module.other.t.two"))
	possible := at("/bucket", builders.possibly("module.other.t.two"))
	lib.references_at(source([possible]), "/bucket") == set() with input as estate
	lib.may_reference_at(source([certain]), "/bucket") == set() with input as estate
}

test_a_certain_reference_is_not_a_possible_one if {
	lib.may_reference(source([builders.certainly("module.other.t.two")])) == set() with input as estate
}

test_possible_references_to_what_goes_lead_nowhere if {
	lib.may_reference(source([builders.possibly("t.gone")])) == set() with input as estate
}
