# Which resources a plan has. Each index is computed once per evaluation and shared by all rules, so a rule costs
# what its own resources cost. A resource is one entry of input.resources.
#
# An index without entries is an empty object in OPA and undefined in the embedded engine, so only keys of one are read.
package plangate.lib

# The resources of a kind that exist after the change. `kind` should be written out as text: then the check for
# unknown values knows which resources a rule looks at.
of_kind(kind) := found if {
	found := remaining_by_kind[kind]
} else := set()

# Every entry of a kind, those included that go.
all_of_kind(kind) := found if {
	found := by_kind[kind]
} else := set()

# The resources of a native type, e.g. "aws_kms_key", that exist after the change.
of_type(type) := found if {
	found := remaining_by_type[type]
} else := set()

# It is there, and managed by the plan, once the change is done.
remains(resource) if {
	not resource.action in {"delete", "forget"}
	resource.deposed == null
}

# The change makes it, or makes it different.
changes(resource) if resource.action in {"create", "update", "replace"}

# What is there now will be gone: deleted, or replaced by another one.
is_destroyed(resource) if resource.action in {"delete", "replace"}

by_kind[resource.kind] contains resource if {
	some resource in input.resources
	resource.mode == "managed"
}

remaining_by_kind[resource.kind] contains resource if {
	some resource in input.resources
	resource.mode == "managed"
	remains(resource)
}

remaining_by_type[resource.type] contains resource if {
	some resource in input.resources
	resource.mode == "managed"
	remains(resource)
}

# The action of every managed entry, for rules that count.
actions := [resource.action |
	some resource in input.resources
	resource.mode == "managed"
]
