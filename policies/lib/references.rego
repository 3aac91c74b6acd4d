# The graph: which resources of the plan another one refers to.
package plangate.lib

# What a resource certainly refers to.
references(resource) := {target |
	some edge in resource.references
	edge.exact == true
	some target in remaining_by_address[edge.address]
}

# What it may refer to: the configuration names a resource, and not which instance of it.
may_reference(resource) := {target |
	some edge in resource.references
	edge.exact == false
	some target in remaining_by_pattern[edge.address]
}

# The same for one attribute (a JSON Pointer): what it, or something below it, certainly refers to.
references_at(resource, pointer) := {target |
	some edge in resource.references
	edge.exact == true
	overlaps(edge.at, pointer)
	some target in remaining_by_address[edge.address]
}

may_reference_at(resource, pointer) := {target |
	some edge in resource.references
	edge.exact == false
	overlaps(edge.at, pointer)
	some target in remaining_by_pattern[edge.address]
}

# One of these attributes (JSON Pointers) reads something that could not be followed to a resource.
is_unresolved(resource, pointers) if {
	some pointer in resource.unresolved
	pointer in pointers
}

remaining_by_address[resource.address] contains resource if {
	some resource in input.resources
	remains(resource)
}

remaining_by_pattern[pattern] contains resource if {
	some resource in input.resources
	remains(resource)
	some pattern in array.concat([resource.address], resource.patterns)
}
