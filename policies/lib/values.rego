# Values that may be missing, null, or not known yet.
package plangate.lib

# The value at a JSON Pointer of `after` is known only after apply, as a whole or in part.
is_unknown(resource, pointer) if {
	some unknown in resource.unknown
	overlaps(unknown, pointer)
}

# One pointer is, or is above or below, the other. The empty pointer is above all: every other one starts with a slash.
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

# An attribute (of the top level) that is known, and not true: false, null, or left out. For one whose default is false.
is_off(resource, name) if {
	not is_unknown(resource, concat("", ["/", name]))
	not resource.after[name] == true
}

# An attribute (of the top level) that is known, and says nothing: left out, null, or empty.
is_empty(resource, name) if {
	not is_unknown(resource, concat("", ["/", name]))
	object.get(resource.after, name, null) in {null, "", [], {}}
}

# A text is what a pattern says. A pattern is text with at most one `*`, which stands for any text, none included. It
# may come from the settings: patterns of glob.match and regex.match have to be written out in the policy.
matches(text, pattern) if text == pattern

matches(text, pattern) if {
	parts := split(pattern, "*")
	count(parts) == 2
	count(text) >= count(parts[0]) + count(parts[1])
	startswith(text, parts[0])
	endswith(text, parts[1])
}

# A text is what one of these patterns says.
matches_any(text, patterns) if {
	some pattern in patterns
	matches(text, pattern)
}
