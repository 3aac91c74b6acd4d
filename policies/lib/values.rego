# Values that may be missing, null, or not known yet.
package plangate.lib

# The value at a JSON Pointer of `after` is known only after apply, as a whole or in part.
is_unknown(resource, pointer) if {
	some unknown in resource.unknown
	overlaps(unknown, pointer)
}

# One pointer is, or is above or below, the other. The empty pointer is above all.
overlaps(one, other) if one == other

overlaps(one, other) if startswith(one, concat("", [other, "/"]))

overlaps(one, other) if startswith(other, concat("", [one, "/"]))

# The items of a list or set, and nothing for null or anything else. `some x in null` is an error in one engine and
# nothing in the other; `some x in lib.items(null)` is nothing in both.
items(value) := value if is_array(value)

items(value) := value if is_set(value)

items(value) := [] if {
	kind := type_name(value)
	not kind in {"array", "set"}
}
