"""The native syntax: what tree-sitter finds, set right where its grammar reads otherwise than Terraform."""

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits
from plangate.parsers.hcl.native_syntax import read_native, read_template
from plangate.parsers.hcl.native_text import MAX_FILE_BYTES
from plangate.parsers.hcl.syntax import (
    Attr,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    Index,
    Literal,
    Name,
    Object,
    Splat,
    Template,
    TemplateFor,
    Tuple,
)


def body(text: str | bytes) -> Body:
    return read_native(text if isinstance(text, bytes) else text.encode(), "main.tf", Limits())


def expression(text: str) -> Expression:
    return body(f"a = {text}\n").attributes["a"].value


def test_blocks_and_attributes_know_where_they_stand() -> None:
    found = body('# first\nresource "aws_vpc" main {\n  cidr = 1\n\n  inner {}\n}\n')
    (block,) = found.blocks
    assert (block.type, block.labels, block.place) == (
        "resource",
        ("aws_vpc", "main"),
        Location(file="main.tf", line=2, column=1),
    )
    assert block.body.attributes["cidr"].place == Location(file="main.tf", line=3, column=3)
    assert block.body.blocks == (Block("inner", (), Body(), Location(file="main.tf", line=5, column=3)),)


@pytest.mark.parametrize("text", ["b ? c : d ? e : f", "b ? c : (d ? e : f)"])
def test_a_chain_of_conditionals_nests_to_the_right(text: str) -> None:
    found = expression(text)
    assert isinstance(found, Conditional)
    assert isinstance(found.condition, Name)
    assert found.condition.name == "b"
    assert isinstance(found.no, Conditional)


def test_parentheses_keep_a_conditional_on_the_left() -> None:
    found = expression("(b ? c : d) ? e : f")
    assert isinstance(found, Conditional)
    assert isinstance(found.condition, Conditional)
    assert found.no == Name("f", (1, 23))


def test_a_long_chain_of_conditionals_keeps_its_order() -> None:
    found = expression("a ? 1 : b ? 2 : c ? 3 : 4")
    tested = []
    while isinstance(found, Conditional):
        assert isinstance(found.condition, Name)
        tested.append((found.condition.name, found.yes))
        found = found.no
    assert tested == [("a", Literal(1)), ("b", Literal(2)), ("c", Literal(3))]
    assert found == Literal(4)


def test_operators_bind_as_the_language_says() -> None:
    found = expression("1 + 2 * 3 == 7 && x || y")
    assert isinstance(found, Binary)
    assert found.operator == "||"
    assert isinstance(found.left, Binary)
    assert found.left.operator == "&&"
    assert isinstance(found.left.left, Binary)
    assert found.left.left.operator == "=="


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"plain"', "plain"),
        ('""', ""),
        ('" spaces "', " spaces "),
        ('"# no comment // here /* either */"', "# no comment // here /* either */"),
        (r'"a\tb\n\"c\" \\ \u00e9 \U0001F600"', 'a\tb\n"c" \\ é 😀'),
        ('"$${x} %%{y} $ % 100%"', "${x} %{y} $ % 100%"),
        ("<<E\none\n  two\n\nE", "one\n  two\n\n"),
        ("<<E\nE", ""),
        ("<<-E\n    one\n      two\n\n    E", "one\n  two\n\n"),
        ('<<E\n\\n $${x} "q"\nE', '\\n ${x} "q"\n'),
        ("1e21", 10**21),
        ("1E3", 1000),
        ("2.50e1", 25),
        ("9007199254740993", 9007199254740993),
        ("true", True),
        ("null", None),
    ],
)
def test_literals_are_exact(text: str, value: object) -> None:
    assert expression(text) == Literal(value)  # type: ignore[arg-type]


def test_an_exponent_is_a_number_only_where_a_number_stands() -> None:
    found = body('a = "1e5"\nb = x1e5\nc = 1e5\n').attributes
    assert found["a"].value == Literal("1e5")
    assert found["b"].value == Name("x1e5", (2, 5))
    assert found["c"].value == Literal(100_000)


def test_white_space_around_what_is_inserted_stays() -> None:
    found = expression('"  ${x} # y ${z}  "')
    assert isinstance(found, Template)
    assert [part for part in found.parts if isinstance(part, Literal)] == [
        Literal("  "),
        Literal(" # y "),
        Literal("  "),
    ]


def test_a_lone_insertion_is_what_it_holds() -> None:
    assert expression('"${x}"') == Name("x", (1, 8))


def test_strip_markers_take_the_white_space_beside_them() -> None:
    found = expression('"a ${~ x ~} b"')
    assert isinstance(found, Template)
    assert found.parts == (Literal("a"), Name("x", (1, 12)), Literal("b"))


def test_directives_nest() -> None:
    found = expression('"%{ for k, v in m }%{ if v }${k}%{ else }-%{ endif }%{ endfor }"')
    assert isinstance(found, Template)
    (loop,) = found.parts
    assert isinstance(loop, TemplateFor)
    assert (loop.key, loop.value) == ("k", "v")
    assert isinstance(loop.body, Template)
    (choice,) = loop.body.parts
    assert isinstance(choice, Conditional)
    assert choice.no == Literal("-")


def test_after_a_star_with_a_dot_an_index_picks_from_the_result() -> None:
    found = expression("x.*.y[0]")
    assert isinstance(found, Index)
    assert isinstance(found.of, Splat)
    inside = expression("x[*].y[0]")
    assert isinstance(inside, Splat)
    assert isinstance(inside.each, Index)


def test_a_bare_key_is_its_own_text_and_one_in_parentheses_is_read() -> None:
    found = expression('{ a = 1, "b" = 2, (c) = 3, true = 4, null = 5 }')
    assert isinstance(found, Object)
    assert [key for key, _ in found.items] == [
        Literal("a"),
        Literal("b"),
        Name("c", (1, 24)),
        Literal("true"),
        Literal("null"),
    ]


def test_calls_keep_their_arguments_and_whether_the_last_one_is_spread() -> None:
    assert expression("f(1, x...)") == Call("f", (Literal(1), Name("x", (1, 10))), expand=True, at=(1, 5))
    assert expression("provider::aws::f()") == Call("provider::aws::f", (), expand=False, at=(1, 5))


def test_an_old_index_is_an_index() -> None:
    assert expression("x.0.y") == Attr(Index(Name("x", (1, 5)), Literal(0), (1, 6)), "y", (1, 8))


def test_heredocs_in_a_list_are_its_items() -> None:
    assert expression("[<<A\none\nA\n, <<B\ntwo\nB\n]") == Tuple((Literal("one\n"), Literal("two\n")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "main.tf: line 1 column 5: syntax error: expected an expression"),
        ("a = [1,,2]", "main.tf: line 1 column 7: syntax error"),
        ("a {", "main.tf: line 1 column 4: syntax error: expected }"),
        ("a = 1\na = 2", "main.tf: line 2 column 1: attribute a is set twice"),
        ('a = "x" b = "y"', "main.tf: line 1 column 9: a second definition on one line"),
        ('a = "x\ny"', "main.tf: line 1 column 6: a line break inside quotes (use a heredoc)"),
        (r'a = "\q"', "main.tf: line 1 column 6: syntax error"),
        (r'a = "\ud800"', r"main.tf: line 1 column 6: unknown escape '\\ud800'"),
        ("a = 0x1F", "main.tf: line 1 column 5: not a number"),
        ('{"a": 1}', "main.tf: line 1 column 1: an object where blocks and attributes are expected"),
        ("a = [\n  1,\n  'x',\n]", "main.tf: line 3 column 3: syntax error"),
    ],
)
def test_what_is_not_well_formed_is_refused_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        body(text)
    assert str(caught.value) == message


def test_a_directive_that_is_not_closed_is_refused() -> None:
    with pytest.raises(PlanParseError):
        expression('"%{ if x }y"')


def test_a_complaint_does_not_show_what_may_be_a_secret() -> None:
    with pytest.raises(PlanParseError) as caught:
        body('password = "hunter2hunter2\nb = 1\n')
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'a = "\xff"', "main.tf: byte 5: not UTF-8 text: invalid start byte"),
        (
            b" " * (MAX_FILE_BYTES + 1),
            f"main.tf: {MAX_FILE_BYTES + 1} bytes (limit for source: {MAX_FILE_BYTES})",
        ),
        (b"n" * 1001 + b" = 1", "main.tf: line 1 column 1: a name of 1001 characters (limit: 1000)"),
    ],
)
def test_what_is_no_source_of_people_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        body(data)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "(" * 5000 + "1" + ")" * 5000,
        "a = " + "!" * 5000 + "true",
        "a = " + " || ".join(["true"] * 5000),
        "a = " + "true ? 1 : " * 500 + "1",
        "a {\n" * 5000 + "}\n" * 5000,
    ],
    ids=["lists", "parentheses", "unary", "binary", "conditionals", "blocks"],
)
def test_deep_nesting_is_refused_before_anything_recurses_into_it(text: str) -> None:
    with pytest.raises(PlanParseError, match="nested deeper than 120 levels"):
        body(text)


def test_a_template_is_read_as_a_file_is() -> None:
    assert read_template("no template", "t", Limits()) == Literal("no template")
    assert read_template("a\n${x}\n", "t", Limits()) == Template(
        (Literal("a\n"), Name("x", (2, 3)), Literal("\n")), (0, 3)
    )


def test_a_broken_template_is_refused_by_its_own_lines() -> None:
    with pytest.raises(PlanParseError, match=r"line [12] column"):
        read_template("a\n${x", "t.tpl", Limits())


def test_text_that_looks_like_the_end_of_a_template_is_text() -> None:
    found = read_template("PLANGATE_TEMPLATE\n${x}", "t", Limits())
    assert isinstance(found, Template)
    assert found.parts[0] == Literal("PLANGATE_TEMPLATE\n")
