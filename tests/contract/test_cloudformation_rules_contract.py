"""Each rule judges each type of CloudFormation that it can, as the logical ids of the templates say."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.facts.cloudformation import TWINS
from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.model.plan import Plan
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.cloudformation import FIXTURES, judged

TEMPLATES: Final = sorted((FIXTURES / "rules").glob("*.yaml"))
WORDS: Final = {"Pass": "pass", "Fail": "fail", "Unknown": "unknown", "None": "not_applicable"}
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "required-tags": {"tags": {"owner": []}},
    "bucket-encrypted": {"accepted": ["aws:kms"]},
}
NO_RESOURCE: Final = {"allowed-providers", "blast-radius", "no-provisioners"}
ELSEWHERE: Final = {
    "allowed-regions": "tests/unit/facts/test_cloudformation_translation.py, for its region is a parameter",
    "no-stateful-destroy": "tests/unit/parsers/test_cloudformation_change_set.py, for templates destroy nothing",
}
ALWAYS: Final[dict[tuple[str, str], str]] = {
    ("database-not-public", "AWS::RDS::DBCluster"): "its members say it",
    ("database-not-public", "AWS::Neptune::DBCluster"): "its members say it",
    ("database-not-public", "AWS::DocDB::DBCluster"): "never has a public address",
    ("database-not-public", "AWS::ElastiCache::ReplicationGroup"): "never has a public address",
    ("database-not-public", "AWS::DynamoDB::Table"): "reached through the service only",
    ("database-not-public", "AWS::DynamoDB::GlobalTable"): "reached through the service only",
    ("database-not-public", "AWS::Serverless::SimpleTable"): "reached through the service only",
    ("database-encrypted", "AWS::DynamoDB::Table"): "always encrypted",
    ("database-encrypted", "AWS::DynamoDB::GlobalTable"): "always encrypted",
    ("database-encrypted", "AWS::Serverless::SimpleTable"): "always encrypted",
    ("database-encrypted", "AWS::Neptune::DBInstance"): "its cluster says it",
    ("ingress-no-open-admin-ports", "AWS::EC2::SecurityGroupEgress"): "lets nothing in",
    ("ingress-no-open-all", "AWS::EC2::SecurityGroupEgress"): "lets nothing in",
    ("instance-metadata-v2", "AWS::AutoScaling::AutoScalingGroup"): "its template says it",
    ("volume-encrypted", "AWS::AutoScaling::AutoScalingGroup"): "its template says it",
    ("listener-tls", "AWS::ElasticLoadBalancingV2::LoadBalancer"): "its listeners say it",
    ("key-rotation", "AWS::KMS::ReplicaKey"): "rotates with its primary key",
}
"""Types that have the same answer whatever is written, for a rule."""


def rule_of(path: Path) -> str:
    return path.stem.replace("_", "-")


@cache
def plan_of(path: Path) -> Plan:
    return judged(path.read_text(encoding="utf-8"))


@cache
def outcomes(path: Path) -> dict[str, str]:
    rule = rule_of(path)
    found, _ = evaluate(plan_of(path), {rule: RULES[rule]}, {rule: SETTINGS.get(rule, {})})
    return {outcome.address: outcome.status.value for outcome in found}


def word_of(address: str) -> str:
    return re.match(r"[A-Z][a-z]+", address).group()  # type: ignore[union-attr]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_resource_comes_out_as_its_name_says(path: Path) -> None:
    found = outcomes(path)
    named = {resource.address for resource in plan_of(path).resources}
    expected = {address: WORDS[word_of(address)] for address in named if word_of(address) != "Other"}
    assert {address: found.get(address) for address in expected} == expected


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_resource_has_exactly_the_facts_of_its_kind(path: Path) -> None:
    for resource in plan_of(path).resources:
        assert ADAPTER_ERROR not in resource.facts, resource.address
        assert set(resource.facts) == {*COMMON_FACTS, *KINDS.get(resource.kind, ())}, resource.address


def kinds_of_types() -> dict[str, set[str]]:
    """Types that have a translation, with the kinds they become."""
    found: dict[str, set[str]] = {}
    for path in TEMPLATES:
        for resource in plan_of(path).resources:
            found.setdefault(resource.type, set()).add(resource.kind)
    return found


JUDGED: Final = [
    (rule.spec.id, native_type)
    for rule in RULES.values()
    for native_type, kinds in kinds_of_types().items()
    if kinds & set(rule.spec.kinds)
]


def test_every_rule_about_these_types_has_a_template() -> None:
    about = {rule for rule, _ in JUDGED} | {rule.spec.id for rule in RULES.values() if not rule.spec.kinds}
    assert about - NO_RESOURCE - set(ELSEWHERE) == {rule_of(path) for path in TEMPLATES}


@pytest.mark.parametrize(("rule", "native_type"), JUDGED, ids=[f"{r}-{t}" for r, t in JUDGED])
def test_every_type_that_a_rule_judges_passes_fails_and_is_unknown(rule: str, native_type: str) -> None:
    path = FIXTURES / "rules" / f"{rule.replace('-', '_')}.yaml"
    found = outcomes(path)
    seen = {found[r.address] for r in plan_of(path).resources if r.type == native_type and r.address in found}
    if (rule, native_type) in ALWAYS:
        assert seen
        assert not {"pass", "fail", "unknown"} <= seen
    else:
        assert {"pass", "fail", "unknown"} <= seen


def test_every_type_with_a_translation_is_in_a_template() -> None:
    without = {
        # No rule is about these; tests/unit/facts/test_cloudformation_translation.py has them.
        "AWS::EC2::VPC", "AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Serverless::Function",
        "AWS::ECR::Repository", "AWS::Logs::LogGroup",
    }  # fmt: skip
    assert set(TWINS) - set(kinds_of_types()) == without


def test_every_adapter_has_a_type_of_cloudformation_or_a_reason() -> None:
    made = {twin.type for twin in TWINS.values() if isinstance(twin.type, str)}
    made |= {"aws_db_instance", "aws_rds_cluster_instance", "aws_kms_key", "aws_kms_external_key"}
    without = {
        # CloudFormation cannot make them.
        "aws_ebs_encryption_by_default", "aws_ec2_instance_metadata_defaults", "aws_s3_account_public_access_block",
        "aws_spot_instance_request", "aws_ebs_snapshot_copy", "aws_default_vpc", "aws_default_subnet",
        "aws_default_security_group", "aws_kms_replica_external_key",
        # Properties there of what they belong to.
        "aws_s3_bucket_acl", "aws_s3_bucket_public_access_block", "aws_s3_bucket_versioning",
        "aws_s3_bucket_server_side_encryption_configuration", "aws_iam_policy_attachment",
        "aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment",
        "aws_iam_role_policy_attachments_exclusive", "aws_iam_user_policy_attachments_exclusive",
        "aws_iam_group_policy_attachments_exclusive", "aws_ssoadmin_permission_set_inline_policy",
        "aws_ssoadmin_managed_policy_attachment",
        # Other names of the same.
        "aws_alb", "aws_alb_listener", "aws_security_group_rule",
    }  # fmt: skip
    ours = {native_type for native_type in ADAPTERS if native_type.startswith("aws_")}
    assert ours - made == without
