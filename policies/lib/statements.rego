# Policy documents of AWS: JSON texts in `assume_role_policy`, `policy` and the like.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
package plangate.lib

# The statements of a policy document; a document may hold one that is not in a list. A text that does not look like a
# document is undefined: "" is none at all.
statements(text) := one_or_many(json.unmarshal(text).Statement) if {
	is_string(text)
	startswith(trim_space(text), "{")
}

# The value itself where it is a list, and a list of it where it is not.
one_or_many(value) := value if is_array(value)

one_or_many(value) := [value] if not is_array(value)

# A statement's principal is everyone, be it as "*" or as {"AWS": "*"}.
is_for_everyone(statement) if statement.Principal == "*"

is_for_everyone(statement) if "*" in one_or_many(statement.Principal.AWS)
