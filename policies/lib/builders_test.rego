# Plan documents for tests, with every field that real ones have.
package plangate.lib.builders_test

resource(fields) := object.union(
	{
		"address": "x.y",
		"type": "x",
		"name": "y",
		"mode": "managed",
		"kind": null,
		"action": "create",
		"deposed": null,
		"existing": false,
		"before": null,
		"after": {},
		"unknown": [],
		"sensitive": [],
		"references": [],
		"unresolved": [],
		"patterns": [],
		"facts": {},
	},
	fields,
)

plan(resources) := {
	"schema": "plangate.dev/plan/v1",
	"resources": [resource(fields) | some fields in resources],
}

certainly(address) := {"at": "/x", "address": address, "exact": true, "attribute": "id"}

possibly(address) := {"at": "/x", "address": address, "exact": false, "attribute": "id"}

test_a_resource_has_what_was_given if resource({"action": "delete"}).action == "delete"
