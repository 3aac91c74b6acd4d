"""Which tests lead to which policy."""

from plangate.authoring.mutation.reach import FileTests, Reach, reaches
from tests.unit.authoring.mutation.builders import parsed

ONE = parsed("package policies.a.one\nimport data.plangate.lib\ndeny contains lib.f(1) if true", "one.rego")
TWO = parsed("package policies.a.two\ndeny contains 1 if true", "two.rego")
LIB = parsed("package plangate.lib\nf(x) := g(x)", "lib.rego")
MORE = parsed("package plangate.lib\ng(x) := x", "more.rego")
ONE_TEST = parsed(
    "package policies.a.one_test\nimport data.policies.a.one\nimport data.plangate.lib.builders_test\n"
    "test_a if builders_test.b == 1\ntest_c if one.deny == {1}\nhelp := 1",
    "one_test.rego",
)
BUILDERS = parsed("package plangate.lib.builders_test\nb := 1\ntest_b if b == 1", "builders_test.rego")
POLICIES = (ONE, TWO, LIB, MORE)


def test_own_tests_come_first_and_only_what_leads_there_is_needed() -> None:
    tests = (BUILDERS, ONE_TEST)
    found = reaches(POLICIES, tests)
    one = FileTests(file="one_test.rego", tests=("policies.a.one_test.test_a", "policies.a.one_test.test_c"))
    assert found["one.rego"] == Reach(
        file="one.rego",
        tests=(one,),
        needed=("builders_test.rego", "lib.rego", "more.rego", "one.rego", "one_test.rego"),
    )
    assert found["two.rego"] == Reach(file="two.rego", tests=(), needed=("two.rego",))
    # The builders are in a package below the library's, but call nothing of it.
    assert found["more.rego"].tests == (one,)


def test_a_computed_key_leads_everywhere_below() -> None:
    sweep = parsed(
        'package sweep_test\ntest_all if count([1 | some p; data.policies["a"][p]]) == 2', "s.rego"
    )
    found = reaches(POLICIES, (sweep,))
    assert {file for file, reach in found.items() if reach.tests} == {
        "one.rego",
        "two.rego",
        "lib.rego",
        "more.rego",
    }


def test_a_whole_data_leads_everywhere() -> None:
    sweep = parsed("package sweep_test\ntest_all if walk(data, [[], _])", "s.rego")
    assert all(reach.tests for reach in reaches(POLICIES, (sweep,)).values())


def test_a_package_can_be_named_from_the_one_above() -> None:
    below = parsed("package plangate.lib.sub\nx := 1", "sub.rego")
    user = parsed("package plangate.lib\ny := sub.x", "user.rego")
    tests = parsed("package t_test\nimport data.plangate.lib as l\ntest_y if l.y == 1", "t_test.rego")
    assert reaches((below, user), (tests,))["sub.rego"].tests != ()


def test_a_target_of_with_counts() -> None:
    tests = parsed("package t_test\ntest_x if true with data.policies.a.two.deny as set()", "t_test.rego")
    assert reaches(POLICIES, (tests,))["two.rego"].tests != ()
