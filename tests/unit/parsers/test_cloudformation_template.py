"""CloudFormation templates as plans."""

import time
from decimal import Decimal
from typing import Any, Final

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, OutputChange, Reference
from plangate.model.values import UNKNOWN, AllUnknown
from plangate.parsers.base import Limits, Options
from plangate.parsers.cloudformation import CHANGE_SET, FORMAT
from plangate.parsers.cloudformation.texts import text_of
from tests.cloudformation import documents, judged, property_of, resource_with, template

PARAMETERS = """
Parameters:
  Known: {Type: String, Default: web}
  Later: {Type: String}
  Number: {Type: Number, Default: 22}
  Flag: {Type: String, Default: true}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Image: {Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /aws/image}
Mappings:
  Sizes:
    eu-central-1: {size: small, also: same}
    us-east-1: {size: large, also: same}
Conditions:
  Holds: !Equals [!Ref Known, web]
  Fails: !Not [!Condition Holds]
  Unsure: !Equals [!Ref Later, x]
"""


def value(text: str, **parameters: str) -> Any:
    return property_of(text, PARAMETERS, **parameters)


# --- parameters ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Known", "web"),
        ("!Ref Number", "22"),
        ("!Ref Flag", "true"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref Later", UNKNOWN),
        ("!Ref Subnets", UNKNOWN),
        ("!Ref Image", UNKNOWN),
        ("!Ref AWS::Region", UNKNOWN),
        ("!Ref AWS::Partition", UNKNOWN),
        ("!Ref AWS::NoValue", "ABSENT"),
        ("!Ref NotThere", UNKNOWN),
    ],
)
def test_a_reference_to_a_parameter_is_its_value(text: str, expected: object) -> None:
    assert value(text) == expected


def test_a_given_value_goes_before_the_default() -> None:
    assert value("!Ref Known", Known="db") == "db"
    assert value("!Ref Subnets", Subnets="subnet-1,subnet-2") == ["subnet-1", "subnet-2"]


def test_a_given_name_of_a_stored_parameter_is_not_its_value() -> None:
    assert value("!Ref Image", Image="/other") is UNKNOWN


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
    ],
)
def test_partition_and_domain_follow_from_a_region_that_is_given(
    region: str, partition: str, suffix: str
) -> None:
    found = value('!Sub "${AWS::Partition} ${AWS::URLSuffix} ${AWS::Region}"', AWS__Region=region)
    assert found == f"{partition} {suffix} {region}"


def test_resources_are_made_in_a_region_that_is_given() -> None:
    assert resource_with("1", AWS__Region="eu-central-1").region == "eu-central-1"
    assert resource_with("1").region == ""


@pytest.mark.parametrize(
    ("declared", "given", "problem"),
    [
        ("{Type: String, AllowedValues: [a, b]}", "c", "is not among its allowed values"),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a,c", "is not among its allowed values"),
        ("{Type: Number}", "many", "is not a number"),
        ("{Type: Number, MinValue: 1, MaxValue: 9}", "10", "is out of its range"),
        ("{Type: String, MinLength: 3}", "ab", "is shorter than 3 characters"),
        ("{Type: String, MaxLength: 3}", "abcd", "is longer than 3 characters"),
    ],
)
def test_a_given_value_that_is_not_allowed_is_refused(declared: str, given: str, problem: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        property_of("!Ref A", f"Parameters:\n  A: {declared}", A=given)
    assert str(caught.value) == (
        f"template.yaml: line 2 column 3: the value that is given for parameter A {problem}"
    )


@pytest.mark.parametrize(
    "declared",
    [
        "{Type: String, AllowedValues: [a, b], Default: c}",
        "{Type: Number, Default: x}",
        "{Type: Number, MinValue: 5, Default: 1}",
        "{Type: String, Default: '{{resolve:ssm:/a}}'}",
        "{Default: a}",
    ],
)
def test_a_default_that_cannot_be_used_is_unknown(declared: str) -> None:
    assert property_of("!Ref A", f"Parameters:\n  A: {declared}") is UNKNOWN


def test_the_value_of_a_secret_parameter_is_a_secret_wherever_it_goes() -> None:
    head = "Parameters:\n  Password: {Type: String, NoEcho: true, Default: hunter22}"
    plan = template(
        f"{head}\nResources:\n  A:\n    Type: AWS::X::Y\n    Properties:\n"
        "      Plain: !Ref Password\n      Joined: {In: [x, !Sub 'p=${Password}']}\n      Other: hello\n"
        "Outputs:\n  Leak: {Value: !Join [':', [u, !Ref Password]]}\n"
    )
    resource = plan.resources[0]
    assert resource.sensitive == ("/Joined/In/1", "/Plain")
    assert {"hunter22", "p=hunter22", "u:hunter22"} <= plan.secrets
    assert plan.outputs == (
        OutputChange(name="Leak", action=Action.CREATE, after="u:hunter22", sensitive=True),
    )


def test_a_secret_that_is_given_and_the_default_it_replaces_are_both_secrets() -> None:
    head = "Parameters:\n  P: {Type: String, NoEcho: 'true', Default: default1}\nResources: {A: {Type: 'AWS::X::Y'}}"
    assert {"default1", "given1"} <= template(head, P="given1").secrets


def test_variables_with_the_name_of_a_secret_are_secrets() -> None:
    plan = template(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment:\n        Variables:\n"
        "          {DB_PASSWORD: hunter22, AWS_SECRET_ACCESS_KEY: abcdefgh, STAGE: production, Port: 123456}\n"
        "      MasterUserPassword: [12345678, true]\n"
    )
    assert plan.resources[0].sensitive == (
        "/Environment/Variables/AWS_SECRET_ACCESS_KEY",
        "/Environment/Variables/DB_PASSWORD",
        "/MasterUserPassword",
    )
    assert plan.secrets == {"hunter22", "abcdefgh", "12345678"}


def test_user_data_is_a_secret_in_clear_and_encoded() -> None:
    plan = template(
        "Resources:\n  A:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData: !Base64 'export KEY=abc'\n"
        "      Nested: {MasterUserPassword: swordfish}\n"
    )
    assert plan.resources[0].sensitive == ("/Nested/MasterUserPassword", "/UserData")
    assert {"export KEY=abc", "ZXhwb3J0IEtFWT1hYmM=", "swordfish"} <= plan.secrets


# --- functions ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('!Sub "${Known}-${Number}"', "web-22"),
        ('!Sub "${!Known} $ {x} ${Known}"', "${Known} $ {x} web"),
        ('!Sub ["${a}/${Known}", {a: !Ref Flag}]', "true/web"),
        ('!Sub ["${Known}", {Known: own}]', "own"),
        ('!Sub "${Later}-x"', UNKNOWN),
        ('!Sub "${Queue.Arn}/*"', UNKNOWN),
        ("!Sub [a]", UNKNOWN),
        ("!Join ['-', [a, !Ref Known, 1]]", "a-web-1"),
        ("!Join [',', !Ref Names]", "a,b"),
        ("!Join [',', !Ref Subnets]", UNKNOWN),
        ("!Join [',', [a, !Ref AWS::NoValue, b]]", "a,b"),
        ("!Join [',', []]", ""),
        ("!Join [',', [a, !If [Unsure, b, !Ref AWS::NoValue]]]", UNKNOWN),
        ("!Join [a]", UNKNOWN),
        ("!Split ['-', a-b]", ["a", "b"]),
        ("!Split ['-', !Ref Later]", UNKNOWN),
        ("!Split ['', a]", UNKNOWN),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['1', !Ref Names]", "b"),
        ("!Select [0, !GetAZs '']", UNKNOWN),
        ("!Select [5, [a, b]]", UNKNOWN),
        ("!Select [!Ref Later, [a, b]]", UNKNOWN),
        ("!Select [0, [!If [Unsure, a, !Ref AWS::NoValue], b]]", UNKNOWN),
        ("!Select [1, [!Ref Later, b]]", "b"),
        ("!Select [0, !Split [',', 'x,y']]", "x"),
        ("!FindInMap [Sizes, eu-central-1, size]", "small"),
        ("!FindInMap [Sizes, !Ref AWS::Region, size]", UNKNOWN),
        ("!FindInMap [Sizes, eu-west-1, size]", UNKNOWN),
        ("!FindInMap [Sizes, eu-west-1, size, {DefaultValue: medium}]", "medium"),
        ("!FindInMap [Sizes, eu-central-1, size, {DefaultValue: medium}]", "small"),
        ("!FindInMap [Sizes, !Ref AWS::Region, also, {DefaultValue: other}]", UNKNOWN),
        ("!FindInMap [Nothing, a, b]", UNKNOWN),
        ("!FindInMap [!Ref Later, a, b]", UNKNOWN),
        ("!Base64 abc", "YWJj"),
        ("!Base64 {Ref: Later}", UNKNOWN),
        ("!Cidr [10.0.0.0/16, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ("!Cidr ['2001:db8::/56', 2, 64]", ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ("!Cidr [10.0.0.0/16, 999, 8]", UNKNOWN),
        ("!Cidr [nonsense, 1, 8]", UNKNOWN),
        ("!Cidr [10.0.0.0/30, 9, 8]", UNKNOWN),
        ("!Select [1, !Cidr [10.0.0.0/16, 3, 8]]", "10.0.1.0/24"),
        ("!Length [a, !Ref Later]", 2),
        ("!Length {Ref: Names}", 2),
        ("!Length {Ref: Later}", UNKNOWN),
        ("!ToJsonString {a: [1, x]}", '{"a":[1,"x"]}'),
        ("!ToJsonString {a: !Ref Later}", UNKNOWN),
        ("!ImportValue x", UNKNOWN),
        ("!Transform {Name: AWS::Include}", UNKNOWN),
        ("{'Fn::Newer': [a]}", UNKNOWN),
        ("{a: 1, 'Fn::Transform': {Name: x}}", UNKNOWN),
        ("{a: 1, 'Fn::If': [Holds, a, b]}", UNKNOWN),
        ("'{{resolve:ssm:/a}}'", UNKNOWN),
        ("!Sub '{{resolve:ssm:/${Known}}}'", UNKNOWN),
        ("!Split [',', '{{resolve:ssm:/a}},b']", UNKNOWN),
        ("!Sub ['${n}', {n: 1.50}]", "1.50"),
        ("{Condition: {a: b}}", {"Condition": {"a": "b"}}),
        ("!Ref {Ref: Known}", UNKNOWN),
    ],
)
def test_a_function_gives_what_cloudformation_does_or_unknown(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!If [Holds, a, b]", "a"),
        ("!If [Fails, a, b]", "b"),
        ("!If [Unsure, a, b]", UNKNOWN),
        ("!If [Unsure, a, a]", "a"),
        ("!If [Unsure, 1, true]", UNKNOWN),
        ("!If [NotThere, a, b]", UNKNOWN),
        ("!If [Holds, !Ref AWS::NoValue, b]", "ABSENT"),
        ("!If [Unsure, !Ref AWS::NoValue, b]", UNKNOWN),
        ("!If [Unsure, !Ref AWS::NoValue, !Ref AWS::NoValue]", "ABSENT"),
        ("[a, !If [Fails, b, !Ref AWS::NoValue], c]", ["a", "c"]),
        ("[a, !If [Unsure, b, !Ref AWS::NoValue], c]", ["a", UNKNOWN, "c"]),
        ("!If [Unsure, {a: 1, b: 2}, {a: 1, b: 3, c: 4}]", {"a": 1, "b": UNKNOWN, "c": UNKNOWN}),
        ("!If [Unsure, [a, b], [a, c]]", ["a", UNKNOWN]),
        ("!If [Unsure, [a], [a, c]]", UNKNOWN),
        ("!If [a]", UNKNOWN),
    ],
)
def test_a_choice_is_known_where_both_sides_agree(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!Equals [a, a]", "y"),
        ("!Equals [a, A]", "n"),
        ("!Equals [!Ref Flag, true]", "y"),
        ("!Equals [!Ref Number, 22]", "y"),
        ("!Equals [!Ref Later, !Ref Later]", UNKNOWN),
        ("!Equals [a]", UNKNOWN),
        ("!And [!Equals [a, b], !Equals [!Ref Later, x]]", "n"),
        ("!And [!Equals [a, a], !Equals [!Ref Later, x]]", UNKNOWN),
        ("!Or [!Equals [a, a], !Equals [!Ref Later, x]]", "y"),
        ("!Or [!Equals [a, b], !Equals [!Ref Later, x]]", UNKNOWN),
        ("!Or []", UNKNOWN),
        ("!Not [!Equals [!Ref Later, x]]", UNKNOWN),
        ("!Not [!Equals [a, b]]", "y"),
        ("{Condition: Holds}", "y"),
        ("{'Fn::Contains': [[a], a]}", UNKNOWN),
        ("yes", UNKNOWN),
    ],
)
def test_conditions_have_three_values(condition: str, expected: object) -> None:
    head = PARAMETERS + f"  Asked: {condition}\n"
    assert property_of("!If [Asked, y, n]", head) == expected


def test_a_resource_whose_condition_is_false_is_left_out_and_one_that_may_hold_is_there() -> None:
    plan = template(
        PARAMETERS
        + """
Resources:
  A: {Type: AWS::X::Y, Condition: Holds}
  B: {Type: AWS::X::Y, Condition: Fails}
  C: {Type: AWS::X::Y, Condition: Unsure}
  D: {Type: AWS::X::Y, Properties: {P: !Ref B}}
Outputs:
  One: {Value: !Ref B, Condition: Fails}
  Two: {Value: !Ref Known}
"""
    )
    assert [resource.address for resource in plan.resources] == ["A", "C", "D"]
    assert plan.resources[2].unresolved == ("/P",)
    assert plan.outputs == (OutputChange(name="Two", action=Action.CREATE, after="web"),)


def test_a_resource_is_there_only_when_its_condition_holds_so_it_holds_inside() -> None:
    plan = template(
        PARAMETERS
        + "Resources:\n  A: {Type: AWS::X::Y, Condition: Unsure, Properties: {P: !If [Unsure, a, b]}}\n"
        + "  B: {Type: AWS::X::Y, Properties: {P: !If [Unsure, a, b]}}\n"
    )
    assert [resource.planned["P"] for resource in plan.resources] == ["a", UNKNOWN]


# --- edges ---


@pytest.mark.parametrize(
    ("text", "edges", "lost"),
    [
        ("!Ref Queue", [("/P", "Queue", True, "Ref")], ()),
        ("!GetAtt Queue.Arn", [("/P", "Queue", True, "Arn")], ()),
        ("!GetAtt [Queue, Arn]", [("/P", "Queue", True, "Arn")], ()),
        ("!GetAtt Queue.Nested.Arn", [("/P", "Queue", True, "Nested.Arn")], ()),
        ("!Sub '${Queue}'", [("/P", "Queue", True, "Ref")], ()),
        ("!Sub '${Queue.Arn}'", [("/P", "Queue", True, "Arn")], ()),
        ("!Join ['', [!Ref Queue, '']]", [("/P", "Queue", True, "Ref")], ()),
        ("!Select [0, [!Ref Queue, !Ref Topic]]", [("/P", "Queue", True, "Ref")], ()),
        ("[a, {B: !Ref Queue}]", [("/P/B", "Queue", True, "Ref")], ()),
        ("!If [Holds, !Ref Queue, !Ref Topic]", [("/P", "Queue", True, "Ref")], ()),
        (
            "!If [Unsure, !Ref Queue, !Ref Topic]",
            [("/P", "Queue", False, "Ref"), ("/P", "Topic", False, "Ref")],
            (),
        ),
        ("!If [Unsure, !Ref Queue, x]", [("/P", "Queue", False, "Ref")], ("/P",)),
        ("!If [Unsure, !Ref Queue, !Ref AWS::NoValue]", [("/P", "Queue", False, "Ref")], ("/P",)),
        ("!If [Unsure, {A: !Ref Queue}, {A: x}]", [("/P/A", "Queue", False, "Ref")], ("/P/A",)),
        ("!Sub '${Queue}-x'", [("/P", "Queue", False, "Ref")], ("/P",)),
        ("!Sub '${Queue}${Topic}'", [("/P", "Queue", False, "Ref"), ("/P", "Topic", False, "Ref")], ("/P",)),
        ("!Sub '${Later}'", [], ("/P",)),
        ("!Ref Later", [], ("/P",)),
        ("!ImportValue {'Fn::Sub': '${Queue}'}", [("/P", "Queue", False, "Ref")], ("/P",)),
        ("!Select [!Ref Number, [!Ref Queue]]", [("/P", "Queue", False, "Ref")], ("/P",)),
        ("'{{resolve:ssm:/a}}'", [], ("/P",)),
        ("plain", [], ()),
    ],
)
def test_edges_say_what_a_value_points_at_and_how_certain_that_is(
    text: str, edges: list[tuple[str, str, bool, str]], lost: tuple[str, ...]
) -> None:
    resource = resource_with(text, PARAMETERS)
    expected = tuple(Reference(at=a, address=b, exact=c, attribute=d) for a, b, c, d in edges)
    assert (resource.references, resource.unresolved) == (expected, lost)


def test_what_a_resource_waits_for_is_an_edge_of_the_whole_resource() -> None:
    plan = template(
        "Resources:\n  A: {Type: AWS::X::Y}\n  B: {Type: AWS::X::Y, DependsOn: A}\n"
        "  C: {Type: AWS::X::Y, DependsOn: [A, Z]}\n"
    )
    edge = (Reference(at="", address="A", exact=True, attribute="DependsOn"),)
    assert [resource.references for resource in plan.resources] == [(), edge, edge]


def test_unknown_values_are_listed_and_left_out_of_what_is_known() -> None:
    resource = resource_with("{a: !Ref Later, b: [x, !Ref Later], c: 1}", PARAMETERS)
    assert resource.after == {"P": {"b": ["x", None], "c": 1}}
    assert resource.planned == {"P": {"a": UNKNOWN, "b": ["x", UNKNOWN], "c": 1}}
    assert resource.unknown == ("/P/a", "/P/b/1")
    assert resource.configured == frozenset({"P"})


# --- loops ---


def test_a_loop_makes_resources_conditions_outputs_and_properties() -> None:
    plan = template("""
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a,b.c"}
Conditions:
  Fn::ForEach::Conditions: [Name, [One], {"Is${Name}": !Equals ["${Name}", One]}]
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - "Queue&{Name}":
        Type: AWS::SQS::Queue
        Condition: IsOne
        Properties:
          QueueName: !Sub "${Name}.fifo"
          Plain: !Ref Name
          Fn::ForEach::Members: [M, [x, y], {"Is${M}": "${Name}${M}"}]
""")
    assert {resource.address: resource.planned for resource in plan.resources} == {
        "Queuea": {"QueueName": "a.fifo", "Plain": "a", "Isx": "ax", "Isy": "ay"},
        "Queuebc": {"QueueName": "b.c.fifo", "Plain": "b.c", "Isx": "b.cx", "Isy": "b.cy"},
    }
    assert plan.opaque == ()


def test_loops_inside_loops_make_every_pair() -> None:
    plan = template("""
Resources:
  Fn::ForEach::Outer:
    - A
    - [x, y]
    - Fn::ForEach::Inner: [B, ["1", "2"], {"Q${A}${B}": {Type: "AWS::SQS::Queue"}}]
""")
    assert [resource.address for resource in plan.resources] == ["Qx1", "Qx2", "Qy1", "Qy2"]


@pytest.mark.parametrize("default", ["", ", Default: ''"])
def test_a_loop_over_something_unknown_makes_the_plan_opaque(default: str) -> None:
    plan = template(
        """
Parameters: {Names: {Type: CommaDelimitedList<default>}}
Resources:
  Fn::ForEach::Queues: [Name, !Ref Names, {"Q${Name}": {Type: "AWS::SQS::Queue"}}]
""".replace("<default>", default)
    )
    assert plan.resources == ()
    assert plan.opaque == ("Fn::ForEach::Queues: which resources this loop makes is not known",)


def test_a_property_whose_members_are_not_known_is_unknown() -> None:
    assert value("{a: 1, 'Fn::ForEach::X': [N, !Ref Subnets, {'x${N}': 1}]}") is UNKNOWN
    assert value("{'Fn::ForEach::X': nonsense}") is UNKNOWN


def test_a_loop_that_makes_one_resource_twice_is_refused() -> None:
    with pytest.raises(PlanParseError, match="resource Q comes twice"):
        template("Resources: {'Fn::ForEach::X': [N, [a, b], {Q: {Type: AWS::SQS::Queue}}]}")


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "Transform: Mine\nResources: {A: {Type: 'AWS::X::Y'}}",
            "the transform Mine may change the whole template",
        ),
        (
            "Transform: [AWS::Serverless-2016-10-31, {Name: 'AWS::Include'}]\nResources: {A: {Type: 'AWS::X::Y'}}",
            "the transform AWS::Include may change the whole template",
        ),
        (
            "Transform: {a: b}\nResources: {A: {Type: 'AWS::X::Y'}}",
            "the transform None may change the whole template",
        ),
        (
            "Fn::Transform: {Name: X}\nResources: {A: {Type: 'AWS::X::Y'}}",
            "Fn::Transform at the top of the template may change all of it",
        ),
        (
            "Mappings: {M: {Fn::Transform: {Name: X}}}\nResources: {A: {Type: 'AWS::X::Y'}}",
            "Fn::Transform in Mappings may change what the rest of the template means",
        ),
        (
            "Resources: {Fn::Transform: {Name: X}, A: {Type: 'AWS::X::Y'}}",
            "Fn::Transform in Resources may add any resources",
        ),
        (
            "Resources: {A: {Fn::Transform: {Name: X}}}",
            "A is made by a macro, and what it will be is not known",
        ),
        (
            "Resources: {A: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: x}}}",
            "A is a nested stack, whose template is not read",
        ),
        (
            "Resources: {A: {Type: 'AWS::CloudFormation::StackSet'}}",
            "A is a stack set, whose template is not read",
        ),
        (
            "Resources: {A: {Type: 'AWS::Serverless::Application'}}",
            "A is a nested application, whose template is not read",
        ),
        (
            "Resources: {A: {Type: 'My::S3::Bucket::MODULE'}}",
            "A is a module, whose resources are not in the template",
        ),
    ],
)
def test_what_a_template_does_not_show_makes_the_plan_opaque(text: str, sentence: str) -> None:
    assert template(text).opaque == (sentence,)


@pytest.mark.parametrize(
    "text",
    [
        "{Type: AWS::X::Y, Properties: {Fn::Transform: {Name: X}}}",
        "{Type: AWS::X::Y, Fn::Transform: {Name: X}}",
    ],
)
def test_nothing_is_known_of_a_resource_that_a_macro_changes(text: str) -> None:
    resource = template(f"Resources: {{A: {text}}}").resources[0]
    assert isinstance(resource.planned, AllUnknown)
    assert (resource.after, resource.unknown, resource.configured) == ({}, ("",), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: {}", "line 1 column 1: a template without resources"),
        ("AWSTemplateFormatVersion: x", "line 1 column 1: a template without resources"),
        ("Resources: [a]", "line 1 column 1: expected an object"),
        ("Resources:\n  A: 1", "line 2 column 3: resource A: expected an object"),
        ("Resources:\n  A: {}", "line 2 column 3: resource A has no type"),
        ("Resources:\n  A: {Type: 1}", "line 2 column 3: resource A has no type"),
        (
            "Resources:\n  A:\n    Type: AWS::X::Y\n    Properties: [a]",
            "line 4 column 5: resource A: expected an object with its properties",
        ),
        (
            "Resources:\n  A: {Type: AWS::X::Y, Condition: [a]}",
            "line 2 column 24: expected the name of a condition",
        ),
        (
            "Resources:\n  A-B: {Type: AWS::X::Y}",
            "line 2 column 3: 'A-B' is not a logical id (expected letters and digits)",
        ),
        ("Parameters: [a]\nResources: {A: {Type: AWS::X::Y}}", "line 1 column 1: expected an object"),
        (
            "Parameters:\n  A: x\nResources: {A: {Type: AWS::X::Y}}",
            "line 2 column 3: expected an object that declares a parameter",
        ),
        (
            "Conditions:\n  A: !Condition B\n  B: !Not [!Condition A]\nResources: {A: {Type: AWS::X::Y}}",
            "line 2 column 3: condition A depends on itself",
        ),
        (
            "Resources:\n  A: {Type: AWS::X::Y, Properties: {P: !Ref B}}\n  B: {Type: AWS::X::Y, DependsOn: A}",
            "line 2 column 3: circular dependency between resources: A, B",
        ),
        (
            "Resources:\n  A: {Type: AWS::X::Y, Properties: {P: !GetAtt A.Arn}}",
            "line 2 column 3: circular dependency between resources: A",
        ),
    ],
)
def test_a_template_that_cloudformation_would_not_take_is_refused_with_its_place(
    text: str, message: str
) -> None:
    with pytest.raises(PlanParseError) as caught:
        template(text)
    assert str(caught.value) == f"template.yaml: {message}"


def test_several_documents_are_not_a_template() -> None:
    with pytest.raises(PlanParseError, match="2 documents"):
        template("Resources: {A: {Type: AWS::X::Y}}\n---\nResources: {A: {Type: AWS::X::Y}}")


def test_resources_of_sam_may_refer_to_each_other_in_a_circle() -> None:
    plan = template(
        "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {P: !GetAtt B.Arn}}\n"
        "  B: {Type: AWS::Serverless::Function, Properties: {P: !Ref A}}\n"
    )
    assert len(plan.resources) == 2


def test_globals_of_sam_reach_the_resources_of_their_kind() -> None:
    plan = template("""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 3, Layers: [one], Environment: {Variables: {A: x, B: y}}, Role: !Ref R}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Timeout: 9, Layers: [two], Environment: {Variables: {B: z}}, Role: own}
  T: {Type: AWS::Serverless::SimpleTable}
""")
    assert plan.resources[0].planned == {
        "Timeout": 9,
        "Layers": ["one", "two"],
        "Environment": {"Variables": {"A": "x", "B": "z"}},
        "Role": "own",
    }
    assert plan.resources[1].planned == {}
    assert plan.opaque == ()


# --- places and limits ---


def test_resources_and_properties_know_where_they_are_written() -> None:
    text = (
        "Resources:\n  A:\n    Type: AWS::X::Y\n    Properties:\n      One: 1\n"
        "      Two:\n        - Three: 3\n          Four: !Ref B\n  B: {Type: AWS::X::Y}\n"
    )
    one, other = template(text).resources
    assert one.location == Location(file="template.yaml", line=2, column=3)
    assert other.location == Location(file="template.yaml", line=9, column=3)
    assert {at: (place.line, place.column) for at, place in one.places.items()} == {
        "/One": (5, 7),
        "/Two": (6, 7),
        "/Two/0": (7, 11),
        "/Two/0/Three": (7, 11),
        "/Two/0/Four": (8, 11),
    }


def test_in_a_big_json_template_only_resources_have_places() -> None:
    resource = '"A%d": {"Type": "AWS::X::Y", "Properties": {"P": 1}}'
    resources = ", ".join(resource % number for number in range(100))
    plans = [
        FORMAT.parse(
            documents(f'{{"Resources": {{{resources}}}{room}}}'.encode(), "a.json"), Options(), Limits()
        )
        for room in ("", " " * 1_000_000)
    ]
    assert [plan.resources[0].location for plan in plans] == [Location(file="a.json", line=1, column=16)] * 2
    assert [len(plan.resources[0].places) for plan in plans] == [1, 0]


def written(text: str, **parts: str) -> str:
    """Text with its parts, which stand in it in capital letters between angle brackets."""
    for name, part in parts.items():
        text = text.replace(f"<{name}>", part)
    return text


SIXTY: Final = str([f"i{number}" for number in range(60)])
LONG: Final = "x" * 60_000
GROWING: Final = {
    "loops": written(
        "Resources: {'Fn::ForEach::A': [A, <L>, {'Fn::ForEach::B': [B, <L>, {'Fn::ForEach::C': [C, <L>, "
        "{'Q${A}${B}${C}': {Type: 'AWS::X::Y', Properties: {P: [a, b, c, d]}}}]}]}]}",
        L=SIXTY,
    ),
    "items of loops": written(
        "Resources: {'Fn::ForEach::A': [A, [<L>], {Q: {Type: 'AWS::X::Y', Properties: {P: '<H>'}}}]}",
        L=LONG,
        H="${A}" * 5000,
    ),
    "names in keys": written(
        "Resources: {'Fn::ForEach::A': [A, [<L>], {'Q<H>': {Type: 'AWS::X::Y'}}]}", L=LONG, H="${A}" * 200
    ),
    "text": written(
        "Parameters: {L: {Type: String, Default: <L>}}\n"
        "Resources: {A: {Type: 'AWS::X::Y', Properties: {P: !Sub '<H>'}}}",
        L=LONG,
        H="${L}" * 5000,
    ),
    "joined text": written(
        "Parameters: {L: {Type: String, Default: <L>}}\n"
        "Resources: {A: {Type: 'AWS::X::Y', Properties: {P: !Join [!Ref L, [<H>]]}}}",
        L=LONG,
        H=", ".join(["!Ref L"] * 5000),
    ),
    "items of text": written(
        "Parameters: {L: {Type: CommaDelimitedList, Default: '<L>'}}\nResources: {A: {Type: 'AWS::X::Y'}}",
        L="," * 200_000,
    ),
    "globals": written(
        "Globals: {Function: {Layers: [<L>]}}\nResources: {<R>}",
        L=", ".join(["a"] * 1000),
        R=", ".join(f"F{number}: {{Type: AWS::Serverless::Function}}" for number in range(200)),
    ),
    "pointers": written(
        "Resources: {A: {Type: 'AWS::X::Y', Properties: {? '<L>' : [<R>]}}}",
        L=LONG,
        R=", ".join(["a"] * 1000),
    ),
    "split text": written(
        "Resources: {A: {Type: 'AWS::X::Y', Properties: {P: !Split [',', '<L>']}}}", L="," * 200_000
    ),
}


@pytest.mark.parametrize("text", GROWING.values(), ids=GROWING)
def test_a_template_that_grows_without_bound_is_refused_before_it_does(text: str) -> None:
    with pytest.raises(PlanParseError, match="evaluating it makes more than 100000 values"):
        template(text, Limits(max_template_nodes=100_000))


def test_a_choice_between_large_values_costs_no_more_than_they_are_large() -> None:
    many = ", ".join(f"k{number}: !Ref Queue" for number in range(3000))
    started = time.process_time()
    resource = resource_with(f"!If [Unsure, {{{many}}}, {{{many}}}]", PARAMETERS)
    assert time.process_time() - started < 5
    assert len(resource.references) == 3000
    assert resource.unresolved == ()


@pytest.mark.parametrize(
    "text", ["!Sub '${Names}'", "!Sub ['${v}', {v: !Ref AWS::NoValue}]", "!Join ['', [{a: b}]]"]
)
def test_text_that_cannot_be_made_is_lost(text: str) -> None:
    assert resource_with(text, PARAMETERS).unresolved == ("/P",)


def test_more_resources_than_the_limit_are_refused() -> None:
    text = "Resources: {A: {Type: 'AWS::X::Y'}, B: {Type: 'AWS::X::Y'}}"
    with pytest.raises(PlanParseError, match="more than 1 resources"):
        template(text, Limits(max_resources=1))


def test_a_chain_of_conditions_too_long_to_follow_is_refused() -> None:
    chain = "".join(f"  C{i}: !Not [!Condition C{i + 1}]\n" for i in range(5000))
    with pytest.raises(PlanParseError, match="nested too deeply"):
        template(f"Conditions:\n{chain}  C5000: !Equals [a, a]\nResources: {{A: {{Type: 'AWS::X::Y'}}}}")


# --- detection ---


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"AWSTemplateFormatVersion": "2010-09-09"}, (True, False)),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}, (True, False)),
        ({"Resources": {"Fn::ForEach::A": []}}, (True, False)),
        ({"Resources": {"A": {"Type": "Microsoft.Storage/storageAccounts"}}}, (False, False)),
        ({"Resources": [{"Type": "AWS::S3::Bucket"}]}, (False, False)),
        ({"resources": [{"type": "Microsoft.Web/sites"}], "$schema": "x"}, (False, False)),
        ({"apiVersion": "v1", "kind": "Pod"}, (False, False)),
        ({"services": {"web": {}}}, (False, False)),
        ({"Changes": [], "ChangeSetName": "x"}, (False, True)),
        ({"Changes": []}, (False, False)),
        ("text", (False, False)),
        ([], (False, False)),
        (None, (False, False)),
    ],
)
def test_a_template_and_a_change_set_are_told_by_their_content(document: object, expected: object) -> None:
    assert (FORMAT.recognizes([document]), CHANGE_SET.recognizes([document])) == expected


# --- what SAM makes ---


def test_the_role_that_sam_makes_for_a_function_is_there_with_its_policies() -> None:
    plan = judged("""
Transform: AWS::Serverless-2016-10-31
Parameters: {Later: {Type: String}}
Resources:
  Named: {Type: AWS::Serverless::Function, Properties: {Policies: AdministratorAccess}}
  Listed:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - AWSLambdaExecute
        - {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
        - S3ReadPolicy: {BucketName: b}
  Harmless: {Type: AWS::Serverless::StateMachine, Properties: {Policies: [{Statement: []}, AWSLambdaExecute]}}
  Later: {Type: AWS::Serverless::Function, Properties: {Policies: !Ref Later}}
  Own: {Type: AWS::Serverless::Function, Properties: {Role: r, Policies: [AdministratorAccess]}}
  Plain: {Type: AWS::Serverless::Function}
""")
    roles = {r.address: r.facts["full_admin"] for r in plan.resources if r.type == "AWS::IAM::Role"}
    assert roles == {"NamedRole": True, "ListedRole": True, "HarmlessRole": False, "LaterRole": UNKNOWN}
    assert {r.address: r.location for r in plan.resources}["NamedRole"] == Location(
        file="template.yaml", line=5, column=3
    )


def test_the_role_of_a_function_whose_condition_is_false_is_not_made() -> None:
    plan = template(
        PARAMETERS + "Resources:\n  A: {Type: AWS::X::Y}\n"
        "  F: {Type: AWS::Serverless::Function, Condition: Fails, Properties: {Policies: [AdministratorAccess]}}\n"
    )
    assert [resource.address for resource in plan.resources] == ["A"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "!Sub 'arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess'",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
        (
            "!Join ['', ['arn:', !Ref AWS::Partition, ':iam::aws:policy/service-role/X']]",
            "arn:aws:iam::aws:policy/service-role/X",
        ),
        ("!Join [':', [arn, !Ref AWS::Partition, iam, '', aws, policy/X]]", "arn:aws:iam::aws:policy/X"),
        ("!Sub 'arn:${AWS::Partition}:iam::123456789012:policy/X'", UNKNOWN),
        ("!Sub 'arn:${AWS::Partition}:iam::aws:policy/${Later}'", UNKNOWN),
        ("!Sub 'arn:${Later}:iam::aws:policy/X'", UNKNOWN),
        ("!Sub 'x-arn:${AWS::Partition}:iam::aws:policy/X'", UNKNOWN),
        ("!Sub 'arn:${AWS::Partition}:iam::aws:policy/a b'", UNKNOWN),
        ("!Sub 'arn:${AWS::Partition}:s3:::bucket'", UNKNOWN),
        ("!Sub ['arn:${p}:iam::aws:policy/X', {p: !If [Unsure, !Ref AWS::Partition, x]}]", UNKNOWN),
    ],
)
def test_a_policy_that_aws_manages_is_the_same_in_every_partition(text: str, expected: object) -> None:
    assert value(text) == expected


def test_functions_inside_functions_are_read_as_deep_as_documents_may_be() -> None:
    text = "!Join ['', [" * 55 + "a" + "]]" * 55
    assert value(text) == "a"


def test_a_number_of_very_many_zeros_is_no_text() -> None:
    assert [text_of(Decimal(text)) for text in ("1E+9", "1E+99999", "1E-99999")] == ["1000000000", None, None]


def test_what_cdk_writes_is_a_template_like_any_other() -> None:
    plan = judged("""
Resources:
  HandlerServiceRoleFCDC14AE:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Action: "sts:AssumeRole", Effect: Allow}], Version: "2012-10-17"}
      ManagedPolicyArns:
        - Fn::Join: ["", ["arn:", {Ref: "AWS::Partition"}, ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]]
    Metadata: {"aws:cdk:path": Stack/Handler/ServiceRole/Resource}
  Handler886CB40B:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: {Fn::Sub: "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, S3Key: a.zip}
      Role: {Fn::GetAtt: [HandlerServiceRoleFCDC14AE, Arn]}
    DependsOn: [HandlerServiceRoleFCDC14AE]
  CDKMetadata:
    Type: AWS::CDK::Metadata
    Properties: {Analytics: "v2:deflate64:H4sIAAAA"}
    Condition: CDKMetadataAvailable
Conditions:
  CDKMetadataAvailable: {Fn::Or: [{Fn::Equals: [{Ref: "AWS::Region"}, eu-central-1]}]}
Parameters:
  BootstrapVersion: {Type: "AWS::SSM::Parameter::Value<String>", Default: /cdk-bootstrap/hnb659fds/version}
Rules:
  CheckBootstrapVersion:
    Assertions: [{Assert: {Fn::Not: [{Fn::Contains: [["1", "2"], {Ref: BootstrapVersion}]}]}, AssertDescription: old}]
""")
    assert (plan.opaque, plan.unmodelled) == ((), ("AWS::CDK::Metadata",))
    role, function, metadata = plan.resources
    assert role.facts["full_admin"] is False
    assert function.facts["public"] is False
    assert [(edge.at, edge.attribute) for edge in function.references] == [
        ("", "DependsOn"),
        ("/Role", "Arn"),
    ]
    assert (metadata.facts["tags"], metadata.facts["stateful"]) == (None, False)
