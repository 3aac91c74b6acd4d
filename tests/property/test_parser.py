"""Theorems about the parser, over any JSON, any bytes, and real plans with anything done to them."""

import codecs
import copy
import json
import random
from decimal import Decimal
from functools import cache
from typing import Any, Final

import jsonschema
import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.facts.registry import with_facts
from plangate.gate import encode_plan
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN, at_pointer
from tests.plan_documents import a_configuration, a_configured, a_document, an_entry, read
from tests.plan_oracle import expected, found
from tests.tools import ROOT

WORDS: Final = [
    "format_version", "planned_values", "resource_changes", "change", "actions", "create", "delete", "no-op",
    "before", "after", "after_unknown", "after_sensitive", "address", "type", "name", "mode", "managed", "data",
    "configuration", "root_module", "resources", "expressions", "references", "module_calls", "module", "outputs",
    "expression", "constant_value", "variables", "1.2", "aws_instance.web", "aws_instance", "web", "checks", "status",
    "resource_drift", "output_changes", "provisioners", "prior_state", "values", "index", "importing", "deposed",
]  # fmt: skip
SCALARS: Final = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.text()
    | st.sampled_from(WORDS)
)  # fmt: skip
JSON: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=25,
)
ATTRIBUTES: Final = st.dictionaries(st.text(max_size=5), JSON, max_size=4)
SHADOWS: Final = st.recursive(
    st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def encoded(value: Any) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def plan_or_refusal(data: bytes) -> Plan | None:
    """The only two things that may come of a document."""
    try:
        return read(data)
    except PlanParseError as error:
        message = str(error)
    assert message.startswith("plan.json: ")
    assert len(message) < 1_000
    return None


@cache
def real_plans() -> tuple[Any, ...]:
    """Plans that terraform made, and one of our own with all that a document can hold."""
    files = sorted((ROOT / "fixtures" / "plans").glob("*/plan.json"))
    module = {
        "resources": [a_configured("aws_subnet", "a", vpc_id=["var.vpc"])],
        "outputs": {"id": {"expression": {"references": ["aws_subnet.a.id", "aws_subnet.a"]}}},
    }
    all_in_one = a_document(
        an_entry(
            "aws_instance.web", after={"a": [1, None], "t": {"k": "v"}}, after_unknown={"a": [False, True]}
        ),
        an_entry('module.m["x"].aws_subnet.a', "delete+create", replace_paths=[["ami"]]),
        an_entry("aws_instance.old", "delete", before_sensitive={"ami": True}, entry={"deposed": "ab"}),
        an_entry("data.external.sh", "read", after_unknown=True),
        an_entry("aws_instance.kept[0]", "no-op", importing={"id": "i-1"}),
        resource_drift=[an_entry("aws_instance.kept[0]", "update")],
        output_changes={
            "o": {"actions": ["create"], "before": None, "after_unknown": True, "after_sensitive": True}
        },
        checks=[{"address": {"to_display": "check.c"}, "status": "fail", "instances": [{"problems": []}]}],
        variables={"vpc": {"value": "vpc-1"}},
        prior_state={"values": {"root_module": {"resources": []}}},
        configuration=a_configuration(
            a_configured(
                "aws_instance", "web", subnet_id=["module.m", "each.value"], disk=[{"k": ["local.x"]}]
            )
            | {"provisioners": [{"type": "local-exec"}], "for_each_expression": {"references": ["var.vpc"]}},
            module_calls={
                "m": {"module": module, "expressions": {"vpc": {"references": ["aws_vpc.v.id", "aws_vpc.v"]}}}
            },
            variables={"vpc": {"sensitive": True}},
        ),
    )
    return (all_in_one, *(json.loads(path.read_bytes(), parse_float=Decimal) for path in files))


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [at, *(place for key, below in members for place in places(below, (*at, key)))]


@cache
def places_of(index: int) -> list[tuple[Any, ...]]:
    return places(real_plans()[index])[1:]


@st.composite
def mutated_plans(draw: st.DrawFn) -> Any:
    """A real plan with a few of its parts dropped, replaced, doubled or moved."""
    index = draw(st.integers(0, len(real_plans()) - 1))
    document = copy.deepcopy(real_plans()[index])
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from(places_of(index)))
        parent = document
        try:
            for step in path:
                parent = parent[step]
            part = parent[key]
        except (KeyError, IndexError, TypeError):
            continue
        match draw(st.sampled_from(["drop", "replace", "double", "nest"])):
            case "drop":
                del parent[key]
            case "replace":
                parent[key] = draw(JSON)
            case "nest":
                parent[key] = draw(st.sampled_from([[part], {"x": part}, [part, part]]))
            case _:
                if isinstance(parent, list):
                    parent.append(part)
                else:
                    parent[draw(st.sampled_from(WORDS))] = part
    return document


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_a_plan_or_a_parse_error(data: bytes) -> None:
    plan_or_refusal(data)


@given(st.text(alphabet='{}[]",:\\ue0198-+.ntf \ud83d'.replace("\ud83d", ""), max_size=60))
def test_arbitrary_near_json_gives_a_plan_or_a_parse_error(text: str) -> None:
    plan_or_refusal(text.encode())


@given(JSON)
def test_arbitrary_json_gives_a_plan_or_a_parse_error(value: Any) -> None:
    plan_or_refusal(encoded(value))


@given(st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6))
def test_arbitrary_members_of_a_plan_give_a_plan_or_a_parse_error(members: dict[str, Any]) -> None:
    plan_or_refusal(encoded(a_document(an_entry()) | members))


@given(JSON)
def test_arbitrary_configurations_give_a_plan_or_a_parse_error(configuration: Any) -> None:
    plan_or_refusal(encoded(a_document(an_entry(), configuration={"root_module": configuration})))


@given(mutated_plans())
def test_mutated_plans_give_a_plan_with_facts_or_a_parse_error(document: Any) -> None:
    plan = plan_or_refusal(encoded(document))
    if plan is not None:
        # Whatever the parser lets through, nothing after it may stumble over.
        encode_plan(replace(plan, resources=with_facts(plan.resources)))


@given(st.integers(0, 10_000), st.binary(max_size=8), st.integers(0, 40))
def test_damaged_plans_give_a_plan_or_a_parse_error(start: int, inserted: bytes, removed: int) -> None:
    data = encoded(real_plans()[0])
    start %= len(data)
    plan_or_refusal(data[:start] + inserted + data[start + removed :])


@given(
    ATTRIBUTES | st.none(),
    ATTRIBUTES | st.none(),
    SHADOWS,
    SHADOWS,
    SHADOWS,
    st.sampled_from(["create", "update", "delete"]),
)
def test_the_parser_agrees_with_a_second_reading(
    before: Any, after: Any, unknown: Any, before_sensitive: Any, after_sensitive: Any, word: str
) -> None:
    entry = an_entry(
        actions=word,
        before=before,
        after=None if word == "delete" else after,
        after_unknown=unknown,
        before_sensitive=before_sensitive,
        after_sensitive=after_sensitive,
    )
    plan = plan_or_refusal(encoded(a_document(entry)))
    if plan is not None and unknown is not True:
        entry = json.loads(encoded(entry), parse_float=Decimal)
        if entry["change"]["after"] is None and word == "delete":
            entry["change"]["after_unknown"] = {}
        assert [found(resource) for resource in plan.resources] == [expected(entry)]


@given(ATTRIBUTES, SHADOWS)
def test_an_unknown_is_never_absent(after: dict[str, Any], shadow: Any) -> None:
    plan = plan_or_refusal(encoded(a_document(an_entry(after=after, after_unknown=shadow))))
    if plan is not None:
        (resource,) = plan.resources
        assert [at_pointer(resource.planned, at) for at in resource.unknown if at] == [
            UNKNOWN for at in resource.unknown if at
        ]
        if resource.unknown == ("",):
            assert at_pointer(resource.planned, "/any") is UNKNOWN


@given(st.integers(0, 10), st.integers(0, 2**32))
def test_parsing_does_not_depend_on_the_order_of_keys(index: int, seed: int) -> None:
    document = real_plans()[index % len(real_plans())]
    chance = random.Random(seed)  # noqa: S311 - no secret, and a generator of Hypothesis costs more than all the rest

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            chance.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    one, other = read(encoded(document)), read(encoded(shuffled(document)))
    assert replace(one, source=other.source) == other


@given(mutated_plans(), st.sampled_from(["utf-16-le", "utf-16-be", "utf-8"]))
def test_every_encoding_gives_the_same_plan_but_for_digest_and_size(document: Any, encoding: str) -> None:
    text = encoded(document).decode()
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-8": codecs.BOM_UTF8}[
        encoding
    ]
    one, other = plan_or_refusal(text.encode()), plan_or_refusal(mark + text.encode(encoding))
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert (
            replace(one, source=replace(one.source, sha256=other.source.sha256, size=other.source.size))
            == other
        )


@cache
def plan_schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / "src/plangate/schemas/plan.v1.json").read_text())
    )


@given(mutated_plans())
def test_every_plan_that_is_read_fits_the_published_schema(document: Any) -> None:
    plan = plan_or_refusal(encoded(document))
    if plan is not None:
        full = replace(plan, resources=with_facts(plan.resources))
        problems = [
            error.message for error in plan_schema().iter_errors(msgspec.json.decode(encode_plan(full)))
        ]
        assert problems == []
