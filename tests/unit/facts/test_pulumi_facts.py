"""Pulumi's resources have the facts that the same resources have in Terraform."""

import json
from typing import Any

import pytest

from plangate.facts.pulumi import LOGICAL, translate
from plangate.facts.registry import plan_with_facts
from plangate.model.values import UNKNOWN
from tests.pulumi_documents import (
    BUCKET,
    UNKNOWN_TEXT,
    a_creation,
    a_preview,
    a_state,
    a_step,
    facts_in,
    read_preview,
    urn,
)
from tests.tools import ROOT

SHOP: dict[str, dict[str, tuple[Any, Any]]] = {
    "aws:ec2/subnet:Subnet": {"public_ips": (True, False)},
    "aws:ec2/instance:Instance": {
        "public_ip": (True, False),
        "metadata_tokens_required": (False, True),
        "disks_encrypted": (False, True),
    },
    "aws:ebs/volume:Volume": {"encrypted": (False, True)},
    BUCKET: {
        "public_access_blocked": (False, True),
        "versioned": (False, True),
        "encryption": ("aws:kms", "aws:kms"),
        "public_policy": (False, False),
    },
    "aws:rds/instance:Instance": {
        "public": (True, False), "encrypted": (False, True), "deletion_protection": (False, True),
    },
    "aws:kms/key:Key": {"rotation": (False, True)},
    "aws:iam/policy:Policy": {"full_admin": (True, False)},
    "aws:lb/loadBalancer:LoadBalancer": {"public": (True, False)},
    "aws:lb/listener:Listener": {"tls": (False, True)},
    "aws:eks/cluster:Cluster": {"public_endpoint": (True, False)},
}  # fmt: skip
"""Type → fact → value in the open shop, and in the closed one."""


@pytest.mark.parametrize("side", [0, 1], ids=["open", "closed"])
def test_the_shop_has_the_facts_that_it_would_have_in_terraform(side: int) -> None:
    path = ROOT / "fixtures" / "pulumi" / ("open", "closed")[side] / "preview.json"
    plan = plan_with_facts(read_preview(json.loads(path.read_text(encoding="utf-8"))))
    found = {r.type: r.facts for r in plan.resources}
    assert {t: {f: found[t][f] for f in facts} for t, facts in SHOP.items()} == {
        t: {f: values[side] for f, values in facts.items()} for t, facts in SHOP.items()
    }
    assert plan.unmodelled == ()


def test_an_open_rule_is_found_where_it_is_written() -> None:
    group = "aws:ec2/securityGroup:SecurityGroup"
    rules = [{"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrBlocks": ["0.0.0.0/0"]}]
    facts = facts_in(a_preview(a_creation("g", {"ingress": rules}, group)), "g", group)
    assert [(e["address"], e["path"], e["any_source"]) for e in facts["ingress"]] == [
        (f"{group}::g", "/ingress/0/cidrBlocks", True)
    ]


def test_a_hidden_value_is_unknown_to_every_rule() -> None:
    database = "aws:rds/instance:Instance"
    facts = facts_in(a_preview(a_creation("d", {"publiclyAccessible": "[secret]"}, database)), "d", database)
    assert facts["public"] is UNKNOWN


def test_a_value_that_is_not_set_is_the_default_also_beside_outputs_that_nobody_knows() -> None:
    document = a_preview(
        a_creation("b", {}, BUCKET, outputs={"policy": UNKNOWN_TEXT, "versioning": UNKNOWN_TEXT})
    )
    facts = facts_in(document, "b", BUCKET)
    assert (facts["public_policy"], facts["versioned"]) == (False, False)


def test_lists_of_blocks_are_found_under_the_name_that_terraform_has_for_them() -> None:
    inputs = {
        "rootBlockDevice": {"encrypted": True},
        "ebsBlockDevices": [{"deviceName": "/dev/sdf", "encrypted": False}],
        "networkInterfaces": [{"networkInterfaceId": "eni-1"}],
    }
    document = a_preview(a_creation("i", inputs))
    assert facts_in(document, "i")["disks_encrypted"] is False
    unknown = a_preview(
        a_creation("i", {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": UNKNOWN_TEXT})
    )
    assert facts_in(unknown, "i")["disks_encrypted"] is UNKNOWN


@pytest.mark.parametrize("token", [BUCKET, "aws:s3/bucketV2:BucketV2"])
def test_a_bucket_of_either_generation_is_a_bucket(token: str) -> None:
    document = a_preview(a_creation("b", {"versioning": {"enabled": True}, "acl": "public-read"}, token))
    facts = facts_in(document, "b", token)
    assert (facts["versioned"], facts["public_acl"]) == (True, True)


def test_what_stands_beside_a_bucket_counts_only_for_the_bucket_it_names() -> None:
    acl = "aws:s3/bucketAclV2:BucketAclV2"
    document = a_preview(
        a_creation("a", {}, BUCKET),
        a_creation("b", {}, BUCKET),
        a_creation(
            "open",
            {"bucket": UNKNOWN_TEXT, "acl": "public-read"},
            acl,
            propertyDependencies={"bucket": [urn("a", BUCKET)]},
        ),
    )
    assert [facts_in(document, name, BUCKET)["public_acl"] for name in "ab"] == [True, False]


def test_an_acl_that_may_be_any_buckets_leaves_every_bucket_unknown() -> None:
    acl = "aws:s3/bucketAclV2:BucketAclV2"
    document = a_preview(
        a_creation("a", {}, BUCKET), a_creation("open", {"bucket": UNKNOWN_TEXT, "acl": "public-read"}, acl)
    )
    assert facts_in(document, "a", BUCKET)["public_acl"] is UNKNOWN


def test_a_policy_written_as_an_object_is_read_as_text() -> None:
    token = "aws:iam/policy:Policy"
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = a_preview(
        a_creation("p", {"policy": {"Version": "2012-10-17", "Statement": [statement]}}, token)
    )
    assert facts_in(document, "p", token)["full_admin"] is True
    part = {**statement, "Resource": UNKNOWN_TEXT}
    unknown = a_preview(a_creation("p", {"policy": {"Version": "2012-10-17", "Statement": [part]}}, token))
    assert facts_in(unknown, "p", token)["full_admin"] is UNKNOWN


def test_keys_of_tags_stay_as_the_author_wrote_them() -> None:
    assert facts_in(a_preview(a_creation("i", {"tags": {"costCenter": "7"}})), "i")["tags"] == {
        "costCenter": "7"
    }


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("aws:sqs/queue:Queue", "aws_sqs_queue"),
        ("aws:efs/fileSystem:FileSystem", "aws_efs_file_system"),
        ("aws:secretsmanager/secret:Secret", "aws_secretsmanager_secret"),
        ("azure:storage/account:Account", "azurerm_storage_account"),
        ("gcp:storage/bucket:Bucket", "google_storage_bucket"),
        ("random:index/randomPassword:RandomPassword", "random_random_password"),
        ("kubernetes:core/v1:Pod", "v1/Pod"),
        ("kubernetes:apps/v1:Deployment", "apps/v1/Deployment"),
        ("kubernetes:apps/v1:DeploymentPatch", "apps/v1/Deployment"),
        ("kubernetes:core/v1:ServicePatch", "v1/Service"),
        ("kubernetes:core/v1:PodList", "v1/Pod"),
        ("kubernetes:core/v1:ServiceList", "v1/ServiceList"),
        ("pulumi:providers:aws", LOGICAL),
    ],
)
def test_types_have_the_name_that_is_known_elsewhere(token: str, name: str) -> None:
    (resource,) = read_preview(a_preview(a_creation("x", {}, token))).resources
    translated = translate(resource)
    assert translated is not None
    assert translated.resource.type == name


def test_a_type_without_an_adapter_that_holds_data_is_known_to() -> None:
    document = a_preview(a_step("delete", a_state("q", {}, "aws:sqs/queue:Queue", id="q")))
    plan = plan_with_facts(read_preview(document))
    assert plan.resources[0].facts["stateful"] is True
    assert plan.unmodelled == ("aws:sqs/queue:Queue",)


def test_a_component_is_judged_through_what_it_is_made_of() -> None:
    component = {"urn": urn("c", "shop:web:Server"), "type": "shop:web:Server", "custom": False, "inputs": {}}
    plan = plan_with_facts(read_preview(a_preview(a_step("create", None, component))))
    assert (plan.resources[0].kind, plan.unmodelled) == ("resource.part", ())


def test_an_object_of_a_cloud_cannot_pass_for_a_component() -> None:
    step = a_creation("i", {"associatePublicIpAddress": True})
    step["newState"]["custom"] = False
    assert facts_in(a_preview(step), "i")["public_ip"] is True


def test_an_object_of_kubernetes_is_judged_as_one() -> None:
    token = "kubernetes:apps/v1:Deployment"
    spec = {"template": {"spec": {"hostNetwork": True, "containers": [{"name": "a", "image": "a:1"}]}}}
    facts = facts_in(
        a_preview(a_creation("d", {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}, token)),
        "d",
        token,
    )
    assert facts["host_network"] is True


EVERYONE: dict[str, Any] = {
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
    "sourcePortRange": "*",
}
OPEN_RULE = {
    "name": "r", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
    "destinationPortRange": "22", **EVERYONE,
}  # fmt: skip


@pytest.mark.parametrize(
    ("token", "inputs", "fact", "value"),
    [
        (
            "azure:storage/account:Account",
            {"allowNestedItemsToBePublic": False},
            "public_access_blocked",
            True,
        ),
        ("azure:storage/account:Account", {"blobProperties": {"versioningEnabled": True}}, "versioned", True),
        ("azure:mssql/server:Server", {"publicNetworkAccessEnabled": False}, "public", False),
        ("azure:mssql/server:Server", {"publicNetworkAccessEnabled": UNKNOWN_TEXT}, "public", UNKNOWN),
        (
            "azure:containerservice/kubernetesCluster:KubernetesCluster",
            {"apiServerAccessProfile": {"authorizedIpRanges": ["10.0.0.0/8"]}},
            "public_endpoint",
            False,
        ),
        ("gcp:storage/bucket:Bucket", {"publicAccessPrevention": "enforced"}, "public_access_blocked", True),
        ("gcp:storage/bucket:Bucket", {"versioning": {"enabled": True}}, "versioned", True),
        (
            "gcp:compute/instance:Instance",
            {"networkInterfaces": [{"accessConfigs": [{}]}]},
            "public_ip",
            True,
        ),
        ("gcp:compute/instance:Instance", {"networkInterfaces": [{"network": "n"}]}, "public_ip", False),
        (
            "gcp:sql/databaseInstance:DatabaseInstance",
            {"settings": {"ipConfiguration": {"ipv4Enabled": False}}},
            "public",
            False,
        ),
        ("gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "7776000s"}, "rotation", True),
        ("aws-native:ec2:Volume", {"encrypted": False}, "encrypted", False),
        ("aws-native:rds:DbInstance", {"publiclyAccessible": UNKNOWN_TEXT}, "public", UNKNOWN),
        ("aws-native:s3:Bucket", {"versioningConfiguration": {"status": "Enabled"}}, "versioned", True),
    ],
)
def test_resources_of_every_cloud_have_the_facts_of_their_kind(
    token: str, inputs: dict[str, Any], fact: str, value: Any
) -> None:
    assert facts_in(a_preview(a_creation("x", inputs, token)), "x", token)[fact] == value


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (
            "azure:network/networkSecurityGroup:NetworkSecurityGroup",
            {"securityRules": [OPEN_RULE]},
            "/securityRules/0/sourceAddressPrefix",
        ),
        (
            "gcp:compute/firewall:Firewall",
            {"allows": [{"protocol": "tcp", "ports": ["22"]}], "sourceRanges": ["0.0.0.0/0"]},
            "/sourceRanges",
        ),
        (
            "aws-native:ec2:SecurityGroup",
            {
                "securityGroupIngress": [
                    {"cidrIp": "0.0.0.0/0", "fromPort": 22, "toPort": 22, "ipProtocol": "tcp"}
                ]
            },
            "/securityGroupIngress/0/cidrIp",
        ),
    ],
)
def test_an_open_port_of_every_cloud_is_found_where_it_is_written(
    token: str, inputs: dict[str, Any], path: str
) -> None:
    facts = facts_in(a_preview(a_creation("x", inputs, token)), "x", token)
    assert [(e["path"], e["from_port"], e["any_source"]) for e in facts["ingress"]] == [(path, 22, True)]


@pytest.mark.parametrize(
    "token",
    [
        "azure:authorization/assignment:Assignment", "azure:compute/managedDisk:ManagedDisk",
        "azure:containerservice/registry:Registry", "azure:keyvault/key:Key", "azure:lb/loadBalancer:LoadBalancer",
        "azure:appservice/linuxFunctionApp:LinuxFunctionApp", "azure:network/subnet:Subnet", "azure:redis/cache:Cache",
        "azure:operationalinsights/analyticsWorkspace:AnalyticsWorkspace", "azure:cosmosdb/account:Account",
        "gcp:projects/iAMMember:IAMMember", "gcp:organizations/iAMBinding:IAMBinding", "gcp:folder/iAMPolicy:IAMPolicy",
        "gcp:storage/bucketIAMMember:BucketIAMMember", "gcp:storage/bucketACL:BucketACL", "gcp:compute/uRLMap:URLMap",
        "gcp:compute/targetSSLProxy:TargetSSLProxy", "gcp:cloudrun/iamMember:IamMember",
        "gcp:cloudrunv2/service:Service", "gcp:cloudfunctionsv2/function:Function",
        "gcp:artifactregistry/repository:Repository", "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "aws:ec2/managedPrefixList:ManagedPrefixList", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:lb/loadBalancer:LoadBalancer", "aws:elb/loadBalancer:LoadBalancer", "aws:iam/rolePolicy:RolePolicy",
        "aws:cloudwatch/logGroup:LogGroup", "aws:lambda/functionUrl:FunctionUrl", "aws:autoscaling/group:Group",
    ],
)  # fmt: skip
def test_a_type_that_has_an_adapter_meets_it(token: str) -> None:
    plan = plan_with_facts(read_preview(a_preview(a_creation("x", {}, token))))
    assert plan.unmodelled == ()
