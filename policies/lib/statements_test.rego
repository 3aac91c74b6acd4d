package plangate.lib.statements_test

import data.plangate.lib

test_statements_of_a_list if {
	lib.statements(`{"Statement": [{"Sid": "a"}, {"Sid": "b"}]}`) == [{"Sid": "a"}, {"Sid": "b"}]
}

test_a_statement_that_is_not_in_a_list if {
	lib.statements(`
	{"Statement": {"Sid": "a"}}`) == [{"Sid": "a"}]
}

test_what_is_no_document_has_no_statements if {
	not lib.statements("")
	not lib.statements("[]")
	not lib.statements(null)
}

test_everyone_is_a_star if {
	lib.is_for_everyone({"Principal": "*"})
	lib.is_for_everyone({"Principal": {"AWS": "*"}})
	lib.is_for_everyone({"Principal": {"AWS": ["123456789012", "*"]}})
}

test_somebody_is_not_everyone if {
	not lib.is_for_everyone({"Principal": {"AWS": "123456789012"}})
	not lib.is_for_everyone({"Principal": {"AWS": ["123456789012"]}})
	not lib.is_for_everyone({"Principal": {"Service": "*"}})
	not lib.is_for_everyone({"Action": "*"})
}
