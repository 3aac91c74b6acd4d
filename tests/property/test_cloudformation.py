"""Theorems about templates: knowing more changes nothing that was known, order does not matter, nothing crashes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits, Options
from plangate.parsers.cloudformation import CHANGE_SET, FORMAT
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.cloudformation import FIXTURES, documents

TEMPLATES: Final = sorted((FIXTURES / "rules").glob("*.yaml"))
VALUES: Final = (
    "true", "false", "x", "", "0.0.0.0/0", "10.0.0.0/8", "22", "443", "-1", "required", "optional", "HTTPS", "HTTP",
    "TCP", "Enabled", "Suspended", "AES256", "aws:kms", "*", "s3:GetObject", "RSA_2048", "EXTERNAL", "/dev/xvda",
    "owner",
    '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
)  # fmt: skip


def plan_of(document: Any, parameters: Mapping[str, str] | None = None) -> Plan:
    read = documents(json.dumps(document).encode(), "template.json")
    return plan_with_facts(FORMAT.parse(read, Options(parameters=parameters or {}), Limits()))


def refines(less: Any, more: Any) -> bool:
    """Whether everything that is known in ``less`` is the same in ``more``."""
    if less is UNKNOWN:
        return True
    if isinstance(less, Mapping):
        return (
            isinstance(more, Mapping)
            and set(more) <= set(less)
            and all(
                refines(value, more[key]) if key in more else value is UNKNOWN for key, value in less.items()
            )
        )
    if isinstance(less, list):
        return isinstance(more, list) and _aligned(less, more)
    return type(less) is type(more) and bool(less == more)


def _aligned(less: list[Any], more: list[Any]) -> bool:
    """Items of a list in order, of which unknown ones may turn out to be absent."""
    if not less:
        return not more
    if more and refines(less[0], more[0]) and _aligned(less[1:], more[1:]):
        return True
    return less[0] is UNKNOWN and _aligned(less[1:], more)


# --- templates that are made up ---

NAMES: Final = ("One", "Two", "Three")
CONDITIONS: Final = ("Ca", "Cb", "Cc")
SCALARS: Final = st.sampled_from(["a", "b", "", "1", 1, True, "x,y"])
REFERENCES: Final = st.sampled_from(
    [{"Ref": name} for name in (*NAMES, "List", "Queue", "AWS::NoValue", "AWS::Region")]
    + [{"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::ImportValue": "x"}]
)


def expressions() -> st.SearchStrategy[Any]:
    def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, max_size=3)
        return st.one_of(
            lists,
            st.dictionaries(st.sampled_from(["k", "l", "m"]), inner, max_size=3),
            st.builds(lambda c, a, b: {"Fn::If": [c, a, b]}, st.sampled_from(CONDITIONS), inner, inner),
            st.builds(lambda d, i: {"Fn::Join": [d, i]}, st.sampled_from(["", ","]), st.one_of(lists, inner)),
            st.builds(
                lambda i, v: {"Fn::Select": [i, v]},
                st.one_of(st.integers(0, 2), inner),
                st.one_of(lists, inner),
            ),
            st.builds(lambda v: {"Fn::Split": [",", v]}, inner),
            st.builds(lambda v: {"Fn::Sub": ["${One}-${v}", {"v": v}]}, inner),
            st.sampled_from(
                [{"Fn::Sub": "${Two}"}, {"Fn::Sub": "${Queue.Arn}/x"}, {"Fn::Sub": "${!One}${Three}"}]
            ),
            st.builds(lambda v: {"Fn::Base64": v}, inner),
            st.builds(lambda v: {"Fn::Length": v}, st.one_of(lists, inner)),
            st.builds(lambda v: {"Fn::ToJsonString": v}, inner),
            st.builds(lambda k: {"Fn::FindInMap": ["M", k, "s"]}, inner),
            st.builds(lambda k, d: {"Fn::FindInMap": ["M", k, "s", {"DefaultValue": d}]}, inner, inner),
        )

    return st.recursive(st.one_of(SCALARS, REFERENCES), deeper, max_leaves=8)


def conditions() -> st.SearchStrategy[Any]:
    plain = st.one_of(
        SCALARS, REFERENCES, st.builds(lambda v: {"Fn::Sub": ["${One}${v}", {"v": v}]}, REFERENCES)
    )
    equals = st.builds(lambda a, b: {"Fn::Equals": [a, b]}, plain, plain)

    def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            st.builds(lambda c: {"Fn::Not": [c]}, inner),
            st.builds(lambda c: {"Fn::And": c}, some),
            st.builds(lambda c: {"Fn::Or": c}, some),
        )

    return st.recursive(equals, deeper, max_leaves=3)


EXPRESSIONS: Final = expressions()
CONDITION: Final = conditions()


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "Parameters": {name: {"Type": "String"} for name in NAMES} | {"List": {"Type": "CommaDelimitedList"}},
        "Mappings": {"M": {"a": {"s": "v"}, "b": {"s": draw(st.sampled_from(["v", "w"]))}, "1": {"t": "v"}}},
        "Conditions": {name: draw(CONDITION) for name in CONDITIONS},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "First": {"Type": "AWS::X::Y", "Properties": {"P": draw(EXPRESSIONS), "Q": draw(EXPRESSIONS)}},
            "Second": {
                "Type": "AWS::X::Y",
                "Condition": draw(st.sampled_from(CONDITIONS)),
                "Properties": {"P": draw(EXPRESSIONS)},
            },
        },
    }


@settings(max_examples=200, deadline=None)
@given(
    document=templates(),
    given_values=st.dictionaries(
        st.sampled_from((*NAMES, "List", "AWS::Region")), st.sampled_from(["a", "b", "x,y", "1", ""])
    ),
)
def test_knowing_a_parameter_never_changes_what_was_known(
    document: dict[str, Any], given_values: dict[str, str]
) -> None:
    less, more = plan_of(document), plan_of(document, given_values)
    before = {resource.address: resource for resource in less.resources}
    after = {resource.address: resource for resource in more.resources}
    assert set(after) <= set(before)
    assert {"Queue", "First"} <= set(after)
    for address, resource in after.items():
        assert refines(before[address].planned, resource.planned), (
            before[address].planned,
            resource.planned,
        )


@settings(max_examples=100, deadline=None)
@given(document=templates())
def test_every_unknown_value_has_a_reason(document: dict[str, Any]) -> None:
    for resource in plan_of(document).resources:
        explained = {reference.at for reference in resource.references} | set(resource.unresolved)
        for place in resource.unknown:
            plain = "".join(f"/{token}" for token in place.split("/")[1:] if not token.isdecimal())
            assert any(plain == at or plain.startswith(at + "/") for at in explained), (place, explained)


@settings(max_examples=100, deadline=None)
@given(document=templates(), random=st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(document: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(key, shuffled(item)) for key, item in value.items()]
            random.shuffle(items)
            return dict(items)
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    def known(plan: Plan) -> Any:
        return {r.address: (r.planned, r.references, r.unresolved, r.facts) for r in plan.resources}

    assert known(plan_of(document)) == known(plan_of(shuffled(document)))


# --- whatever comes ---

WORDS: Final = st.sampled_from([
    "Resources", "Parameters", "Conditions", "Mappings", "Outputs", "Globals", "Transform", "Type", "Properties", "Ref",
    "Fn::If", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::GetAtt", "Fn::FindInMap", "Fn::ForEach::X", "Fn::Transform",
    "Fn::Split", "Fn::Cidr", "Fn::Length", "Condition", "Default", "AWS::S3::Bucket", "AWS::EC2::Instance", "A", "B",
    "AWS::EC2::SecurityGroup", "SecurityGroupIngress", "Policies", "AWS::IAM::Role", "Tags", "NoEcho", "AWS::NoValue",
])  # fmt: skip
ANYTHING: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), WORDS, st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=25,
)
TYPES: Final = st.sampled_from(sorted({r.type for path in TEMPLATES for r in FORMAT.parse(
    documents(path.read_bytes()), Options(), Limits()).resources}))  # fmt: skip
PROPERTIES: Final = st.sampled_from([
    "NetworkInterfaces", "BlockDeviceMappings", "LaunchTemplateData", "LaunchTemplate", "MixedInstancesPolicy", "Tags",
    "TagSpecifications", "SecurityGroupIngress", "PublicAccessBlockConfiguration", "BucketEncryption",
    "VersioningConfiguration", "PolicyDocument", "Policies", "ManagedPolicyArns", "Replicas", "VPCOptions", "Listeners",
    "DefaultActions", "ResourcesVpcConfig", "EncryptionConfig", "Scheme", "Origin", "DBClusterIdentifier", "Entries",
    "ImageScanningConfiguration", "FunctionUrlConfig", "InlinePolicy", "SubnetId", "GroupId", "Bucket",
    "MetadataOptions",
])  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(sections=st.dictionaries(WORDS, ANYTHING, max_size=6), resources=ANYTHING)
def test_any_document_is_a_plan_or_a_parse_error(sections: dict[str, Any], resources: Any) -> None:
    try:
        plan = plan_of({"AWSTemplateFormatVersion": "x", **sections, "Resources": resources})
    except PlanParseError:
        return
    assert plan.resources or plan.opaque or not resources or "Condition" in str(resources)


@settings(max_examples=300, deadline=None)
@given(native_type=TYPES, properties=st.dictionaries(PROPERTIES, ANYTHING, max_size=5))
def test_any_properties_of_any_type_can_be_judged(native_type: str, properties: dict[str, Any]) -> None:
    try:
        plan = plan_of(
            {"Resources": {"X": {"Type": native_type, "Properties": properties}, "A": {"Type": "B::C"}}}
        )
    except PlanParseError:
        return
    for resource in plan.resources:
        assert ADAPTER_ERROR not in resource.facts
    outcomes, _ = evaluate(plan, RULES, {"required-tags": {"tags": {"owner": []}}})
    assert not [outcome for outcome in outcomes if outcome.status.value == "error"]


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.dictionaries(
    st.sampled_from(["Type", "ResourceChange", "A"]),
    st.one_of(st.just("Resource"), ANYTHING, st.dictionaries(
        st.sampled_from(["Action", "LogicalResourceId", "ResourceType", "Replacement", "AfterContext", "Details"]),
        st.one_of(st.sampled_from(["Add", "Modify", "Remove", "AWS::S3::Bucket", '{"Properties": {"A": "b"}}']), ANYTHING),
    )), max_size=3), max_size=3))  # fmt: skip
def test_any_change_set_is_a_plan_or_a_parse_error(changes: list[Any]) -> None:
    read = documents(json.dumps({"Changes": changes, "StackId": "x"}).encode(), "c.json")
    try:
        plan = CHANGE_SET.parse(read, Options(), Limits())
    except PlanParseError:
        return
    assert len(plan.resources) == len(changes)
    assert not plan.complete


# --- rules ---


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_answer_that_does_not_wait_for_a_value_is_the_same_for_every_value(path: Path) -> None:
    rule = path.stem.replace("_", "-")
    chosen: dict[str, Any] = {rule: {"tags": {"owner": []}}} if rule == "required-tags" else {}

    def answers(**parameters: str) -> dict[str, str]:
        read = documents(path.read_bytes())
        plan = plan_with_facts(FORMAT.parse(read, Options(parameters=parameters), Limits()))
        found, _ = evaluate(plan, {rule: RULES[rule]}, chosen)
        return {outcome.address: outcome.status.value for outcome in found}

    sure = {address: answer for address, answer in answers().items() if answer != "unknown"}
    for value in VALUES:
        found = answers(Later=value)
        assert {address: found[address] for address in sure} == sure, value
