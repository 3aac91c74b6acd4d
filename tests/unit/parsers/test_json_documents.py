import pytest

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits
from plangate.parsers.json_documents import read_json_document, read_json_lines


def source(text: str) -> Input:
    return Input(name="a.json", data=text.encode(), sha256="", size=len(text))


def test_places_are_those_of_keys_when_listed_and_of_values_when_asked_for() -> None:
    found = read_json_document(source('{\n "a": {"b": 1,\n  "c": [1, 2]}\n}'), Limits())
    places = found.places[0]
    assert places.below("/a") == {"b": (2, 8), "c": (3, 3)}
    assert places.below("/a/c") == {"0": (3, 9), "1": (3, 12)}
    assert places.at("/a/c/1") == (3, 12)
    assert (places.at("/x"), places.below("/x")) == ((0, 0), {})


def test_lines_are_documents_with_lines_of_their_own() -> None:
    found = read_json_lines(source('{"a": 1}\n\n{"b": 2}\n'), Limits())
    assert found.values == ({"a": 1}, {"b": 2})
    assert [place.at(f"/{key}") for place, key in zip(found.places, "ab", strict=True)] == [(1, 7), (3, 7)]
    assert found.places[1].below("") == {"b": (3, 2)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a": }\n', "a.json: line 2 column 7: not JSON: expecting value"),
        ('{"a": 1}\n{"a": 1', "a.json: line 2 column 8: not JSON: expecting ',' delimiter"),
        ("\n\n", "a.json: empty document (expected a plan)"),
    ],
)
def test_a_line_that_is_not_json_is_refused_by_its_number(text: str, said: str) -> None:
    with pytest.raises(PlanParseError, match=r"a\.json") as caught:
        read_json_lines(source(text), Limits())
    assert str(caught.value) == said
