"""CloudFormation's types as the Terraform provider's."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.facts.cloudformation import TWINS, translate, translated, twin_of
from plangate.facts.cloudformation_shape import snake
from plangate.facts.cloudformation_tags import TAGGED, UNTAGGED
from plangate.facts.policy_documents import document_statements, statements
from plangate.facts.registry import plan_with_facts, with_facts
from plangate.model.plan import Action, Reference, Resource
from plangate.model.values import UNKNOWN, AllUnknown
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan_from
from tests.cloudformation import FIXTURES, judged

RULE_FIXTURES: Final = FIXTURES.parent / "rules"
HIDDEN: Final = {"tags", "tags_complete"}


def facts_of(text: str, address: str = "X", **parameters: str) -> dict[str, Any]:
    plan = judged(f"Parameters: {{Later: {{Type: String}}}}\nResources:\n{text}", **parameters)
    return {r.address: dict(r.facts) for r in plan.resources}[address]


def known(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in facts.items() if name not in {"tags_complete", "stateful", "regional"}
    }


# --- the same thing in both languages ---

TWINS_OF_FIXTURES: Final = sorted((FIXTURES / "twins").glob("*.yaml"))


@pytest.mark.parametrize("path", TWINS_OF_FIXTURES, ids=lambda path: path.stem)
def test_a_template_and_a_terraform_plan_of_the_same_have_the_same_facts(path: Path) -> None:
    """The template's first line names the plan; an address there is an id here, in capital letters.

    A plan is not certain of what the provider computes, e.g. the ACL of a bucket that sets none.
    """
    text = path.read_text(encoding="utf-8")
    plan = a_plan_from(RULE_FIXTURES / text.partition("\n")[0].removeprefix("# "))
    native = {_id_of(r.address): r for r in plan.resources if r.kind and r.kind != "resource.part"}
    ours = {r.address: r for r in judged(text).resources if r.kind and r.kind != "resource.part"}
    assert ours.keys() == native.keys()
    for address, resource in native.items():
        assert ours[address].kind == resource.kind
        certain = {name: value for name, value in _comparable(resource).items() if value is not UNKNOWN}
        assert {name: _comparable(ours[address])[name] for name in certain} == certain, address


def _id_of(address: str) -> str:
    return "".join(part.capitalize() for part in address.replace("aws_", "").replace(".", "_").split("_"))


def _comparable(resource: Resource) -> dict[str, Any]:
    """Facts without where they are written, and without tags, which plans of fixtures have from the provider."""
    found = {name: value for name, value in resource.facts.items() if name not in HIDDEN}
    if isinstance(found.get("ingress"), tuple):
        found["ingress"] = sorted(
            str(sorted((key, value) for key, value in entry.items() if key not in {"address", "path"}))
            for entry in found["ingress"]
        )
    return found


# --- types that no rule judges yet ---


def test_a_function_is_public_when_its_url_asks_for_no_authorization() -> None:
    url = "  U: {Type: 'AWS::Lambda::Url', Properties: {TargetFunctionArn: !GetAtt X.Arn, AuthType: %s}}\n"
    function = "  X: {Type: 'AWS::Lambda::Function'}\n"
    assert facts_of(function)["public"] is False
    assert facts_of(function + url % "NONE")["public"] is True
    assert facts_of(function + url % "NONE", "U")["public"] is True
    assert facts_of(function + url % "AWS_IAM")["public"] is False
    assert facts_of(function + url % "!Ref Later")["public"] is UNKNOWN


def test_a_function_of_sam_may_have_its_own_url() -> None:
    function = "  X: {Type: 'AWS::Serverless::Function', Properties: {FunctionUrlConfig: %s}}\n"
    assert facts_of(function % "{AuthType: NONE}")["public"] is True
    assert facts_of(function % "{AuthType: AWS_IAM}")["public"] is False
    assert facts_of(function % "!Ref Later")["public"] is UNKNOWN


def test_a_registry_says_whether_tags_can_move_and_images_are_scanned() -> None:
    text = "  X: {Type: 'AWS::ECR::Repository', Properties: %s}\n"
    plain = facts_of(text % "{}")
    strict = facts_of(
        text % "{ImageTagMutability: IMMUTABLE, ImageScanningConfiguration: {ScanOnPush: true}}"
    )
    later = facts_of(text % "{ImageTagMutability: !Ref Later, ImageScanningConfiguration: !Ref Later}")
    assert [(f["immutable_tags"], f["scan_on_push"]) for f in (plain, strict, later)] == [
        (False, False),
        (True, True),
        (UNKNOWN, UNKNOWN),
    ]


def test_a_log_group_says_how_long_it_keeps_and_with_which_key() -> None:
    text = "  X: {Type: 'AWS::Logs::LogGroup', Properties: %s}\n"
    assert [
        (f["retention_days"], f["encrypted"])
        for f in (
            facts_of(text % "{}"),
            facts_of(text % "{RetentionInDays: '30', KmsKeyId: a}"),
            facts_of(text % "{RetentionInDays: !Ref Later, KmsKeyId: !Ref Later}"),
        )
    ] == [(0, False), (30, True), (UNKNOWN, UNKNOWN)]


def test_a_network_is_never_the_default_one() -> None:
    assert (
        facts_of("  X: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}\n")["default"] is False
    )


def test_a_balancer_is_public_unless_it_is_internal() -> None:
    text = "  X: {Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: %s}\n"
    assert [
        facts_of(text % properties)["public"]
        for properties in ("{}", "{Scheme: internal}", "{Scheme: internet-facing}", "{Scheme: !Ref Later}")
    ] == [True, False, True, UNKNOWN]


def test_a_policy_is_for_everyone_unless_a_condition_that_is_not_known_yet_may_narrow_it() -> None:
    text = (
        "  X: {Type: 'AWS::S3::Bucket'}\n"
        "  P: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref X, PolicyDocument: {Statement: "
        "[{Effect: Allow, Principal: %s, Action: 's3:GetObject'%s}]}}}\n"
    )
    where = ", Condition: {StringEquals: {'aws:SourceVpce': %s}}"
    assert [
        facts_of(text % (principal, condition))["public_policy"]
        for principal, condition in (
            ("'*'", ""),
            ("{AWS: '*'}", ""),
            ("{AWS: !Ref Later}", ""),
            ("{AWS: 'arn:aws:iam::123456789012:root'}", ""),
            ("'*'", where % "vpce-1"),
            ("'*'", where % "!Ref Later"),
            ("{AWS: 'arn:aws:iam::123456789012:root'}", where % "!Ref Later"),
        )
    ] == [True, True, UNKNOWN, False, False, UNKNOWN, False]


DOCUMENTS: Final = st.recursive(
    st.sampled_from(["*", "Allow", "Deny", "iam:*", "s3:GetObject", "arn:aws:s3:::b/*", 1, None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "Statement",
                    "statement",
                    "Effect",
                    "Action",
                    "NotAction",
                    "Resource",
                    "Principal",
                    "AWS",
                    "Condition",
                ]
            ),
            inner,
        ),
    ),
    max_leaves=12,
)


@given(document=st.dictionaries(st.just("Statement"), DOCUMENTS))
def test_a_policy_that_is_an_object_reads_like_its_text(document: Any) -> None:
    assert document_statements(document) == statements(json.dumps(document))


def test_a_policy_of_which_nothing_is_known_says_nothing() -> None:
    silent: tuple[Any, ...] = (UNKNOWN, None, 1, [], {}, AllUnknown(), {"Statement": UNKNOWN})
    assert [document_statements(document) for document in silent] == [UNKNOWN] * len(silent)
    assert document_statements({"Statement": [AllUnknown()]}) is UNKNOWN


@pytest.mark.parametrize(
    ("region", "answer"), [("eu-central-1", "pass"), ("us-east-1", "fail"), ("", "unknown")]
)
def test_regions_are_judged_when_the_region_is_given(region: str, answer: str) -> None:
    given = {"AWS__Region": region} if region else {}
    plan = judged("Resources: {Q: {Type: AWS::SQS::Queue}, R: {Type: AWS::IAM::Role}}", **given)
    rule = {"allowed-regions": RULES["allowed-regions"]}
    found, _ = evaluate(plan, rule, {"allowed-regions": {"regions": ["eu-*"]}})
    assert [outcome.status.value for outcome in found] == [answer, "not_applicable"]


# --- tags ---


@pytest.mark.parametrize(
    ("properties", "tags", "complete"),
    [
        ("{}", {}, True),
        ("{Tags: [{Key: a, Value: b}]}", {"a": "b"}, True),
        ("{Tags: {a: b}}", {"a": "b"}, True),
        ("{Tags: [{Key: a, Value: !Ref Later}]}", {"a": UNKNOWN}, True),
        ("{Tags: [{Key: a, Value: b}, !Ref Later]}", {"a": "b"}, False),
        ("{Tags: [!Ref Later]}", UNKNOWN, False),
        ("{Tags: !Ref Later}", UNKNOWN, False),
        ("{Tags: text}", UNKNOWN, False),
    ],
)
def test_tags_are_pairs_or_a_mapping(properties: str, tags: object, complete: bool) -> None:
    facts = facts_of(f"  X: {{Type: 'AWS::SQS::Queue', Properties: {properties}}}\n")
    assert (facts["tags"], facts["tags_complete"]) == (tags, complete)


def test_a_type_is_known_to_have_tags_or_not_to() -> None:
    assert not TAGGED & UNTAGGED
    assert {
        "AWS::SQS::Queue",
        "AWS::S3::Bucket",
        "AWS::EFS::FileSystem",
        "AWS::EC2::LaunchTemplate",
    } <= TAGGED
    assert {"AWS::EC2::Route", "AWS::IAM::Policy", "AWS::Lambda::Permission"} <= UNTAGGED
    for native_type, twin in TWINS.items():
        if native_type in TAGGED | UNTAGGED and twin.tags != "?":
            assert bool(twin.tags) is (native_type in TAGGED), native_type


# --- types without a table ---


@pytest.mark.parametrize(
    ("native_type", "name", "stateful", "regional"),
    [
        ("AWS::SQS::Queue", "aws_sqs_queue", True, True),
        ("AWS::EFS::FileSystem", "aws_efs_file_system", True, True),
        ("AWS::SecretsManager::Secret", "aws_secretsmanager_secret", True, True),
        ("AWS::AmazonMQ::Broker", "aws_mq_broker", True, True),
        ("AWS::Cassandra::Table", "aws_cassandra_table", UNKNOWN, True),
        ("AWS::EC2::Route", "aws_ec2_route", False, True),
        ("AWS::Route53::HostedZone", "aws_route53_zone", True, False),
        ("AWS::CloudFormation::Stack", "aws_cloud_formation_stack_store", UNKNOWN, True),
        ("AWS::SDB::Domain", "aws_sdb_domain_store", UNKNOWN, True),
        ("Custom::Anything", "aws_custom_anything_store", UNKNOWN, True),
        ("Some::Other::Thing", "aws_some_other_thing_store", UNKNOWN, True),
        ("nonsense", "aws_nonsense_store", UNKNOWN, True),
    ],
)
def test_a_type_without_an_adapter_says_by_its_name_whether_it_may_hold_data(
    native_type: str, name: str, stateful: object, regional: bool
) -> None:
    assert twin_of(native_type).type == name
    resource = judged(f"Resources: {{X: {{Type: '{native_type}', Properties: {{A: 1}}}}}}").resources[0]
    assert (resource.kind, resource.type) == ("", native_type)
    assert (resource.facts["stateful"], resource.facts["regional"]) == (stateful, regional)


def test_a_type_whose_name_is_like_a_modelled_one_meets_no_adapter() -> None:
    assert twin_of("AWS::DB::Instance").type == "aws_db_instance_unmodelled"
    assert judged("Resources: {X: {Type: 'AWS::DB::Instance'}}").resources[0].kind == ""


# --- the engine ---


def a_group(**changes: Any) -> Resource:
    values = {
        "SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}]
    }
    fields = {"address": "G", "type": "AWS::EC2::SecurityGroup", "name": "G", "action": Action.CREATE,
              "planned": values, "after": values, "configured": frozenset(values), "cloud": "aws"}  # fmt: skip
    return Resource(**(fields | changes))


def lowered(values: Any) -> Any:
    if isinstance(values, dict):
        return {key[:1].lower() + key[1:]: lowered(item) for key, item in values.items()}
    return [lowered(item) for item in values] if isinstance(values, list) else values


@pytest.mark.parametrize("written", [("Encrypted", "encrypted"), ("encrypted", "Encrypted")])
def test_a_property_that_is_written_in_two_cases_is_unknown(written: tuple[str, str]) -> None:
    values = dict(zip(written, (False, True), strict=True))
    table = TWINS["AWS::EC2::Volume"].table
    assert table.attributes(values) == {"encrypted": UNKNOWN}


def test_names_in_camel_case_mean_the_same() -> None:
    for path in sorted((FIXTURES / "rules").glob("*.yaml")):
        plan = judged(path.read_text(encoding="utf-8"))
        camel = [
            r
            if isinstance(r.planned, AllUnknown)
            else replace(
                r,
                planned=lowered(r.planned),
                after=lowered(r.after),
                configured=frozenset(lowered(dict.fromkeys(r.configured or ()))),
                references=tuple(replace(e, at=_camel_path(e.at)) for e in r.references),
                unresolved=tuple(_camel_path(at) for at in r.unresolved),
            )
            for r in plan.resources
        ]
        assert [known(_plain(r)) for r in with_facts(camel, "cloudformation")] == [
            known(_plain(r)) for r in plan.resources
        ]


def _camel_path(at: str) -> str:
    return "/".join(token[:1].lower() + token[1:] for token in at.split("/"))


def _plain(resource: Resource) -> dict[str, Any]:
    facts = dict(resource.facts)
    if isinstance(facts.get("ingress"), tuple):
        facts["ingress"] = tuple(
            {k: v for k, v in entry.items() if k != "path"} for entry in facts["ingress"]
        )
    if isinstance(facts.get("tags"), dict):
        facts["tags"] = lowered(facts["tags"])
    return facts


def test_the_path_of_an_attribute_is_the_propertys() -> None:
    found = translate(a_group())
    assert found is not None
    assert [
        found.path_of(at)
        for at in ("/ingress/0/cidr_blocks", "/ingress", "/ingress/0/prefix_list_ids", "/nothing/there", "")
    ] == [
        "/SecurityGroupIngress/0/CidrIp",
        "/SecurityGroupIngress",
        "/SecurityGroupIngress/0/SourcePrefixListId",
        "/nothing/there",
        "",
    ]
    template = translate(replace(a_group(), type="AWS::EC2::LaunchTemplate"))
    assert template is not None
    assert (
        template.path_of("/metadata_options/http_tokens") == "/LaunchTemplateData/MetadataOptions/HttpTokens"
    )


def test_an_unknown_value_that_nothing_explains_counts_as_set() -> None:
    values = {"ResourcesVpcConfig": {"PublicAccessCidrs": UNKNOWN}}
    cluster = a_group(type="AWS::EKS::Cluster", planned=values, after={}, configured=frozenset(values))
    assert with_facts([cluster], "cloudformation")[0].facts["public_endpoint"] is UNKNOWN


def test_what_is_only_computed_is_not_set() -> None:
    values = {"SecurityGroupIngress": UNKNOWN}
    group = a_group(planned=values, after={}, configured=frozenset())
    assert with_facts([group], "cloudformation")[0].facts["ingress"] == ()


def test_an_edge_keeps_pointing_at_what_it_pointed_at() -> None:
    values = {"SubnetId": UNKNOWN, "NetworkInterfaces": [{"SubnetId": UNKNOWN}]}
    machine = a_group(
        type="AWS::EC2::Instance",
        planned=values,
        after={},
        configured=frozenset(values),
        references=(
            Reference(at="/SubnetId", address="S", exact=True, attribute="Ref"),
            Reference(at="/NetworkInterfaces/SubnetId", address="T", exact=False, attribute="SubnetId"),
            Reference(at="/Unheard/Of", address="U", exact=True, attribute="Arn"),
        ),
    )
    assert translated(machine, TWINS["AWS::EC2::Instance"]).resource.references == (
        Reference(at="/subnet_id", address="S", exact=True, attribute="id"),
        Reference(at="/subnet_id", address="T", exact=False, attribute="id"),
    )


def test_a_part_points_at_what_it_belongs_to_and_goes_with_it() -> None:
    values = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
    bucket = a_group(type="AWS::S3::Bucket", planned=values, after=values, configured=frozenset(values))
    part = translated(bucket, TWINS["AWS::S3::Bucket"]).parts[0]
    assert (part.type, part.planned) == (
        "aws_s3_bucket_public_access_block",
        {"block_public_acls": True, "bucket": UNKNOWN},
    )
    assert part.references == (Reference(at="/bucket", address="G", exact=True, attribute="id"),)
    gone = replace(bucket, action=Action.DELETE, after=None, planned={}, before=values)
    assert translated(gone, TWINS["AWS::S3::Bucket"]).parts == ()


def test_names_become_the_providers() -> None:
    assert [snake(name) for name in ("DBSubnetGroup", "VPCZoneIdentifier", "CidrIpv6", "Ebs", "a")] == [
        "db_subnet_group",
        "vpc_zone_identifier",
        "cidr_ipv6",
        "ebs",
        "a",
    ]


def test_a_plan_without_a_translation_is_as_it_was() -> None:
    plan = judged("Resources: {X: {Type: AWS::S3::Bucket}}")
    other = replace(plan, source=replace(plan.source, format="other"))
    assert plan_with_facts(other).resources[0].kind == ""
