"""Previews of what Pulumi's provider for AWS makes.

Source: https://www.pulumi.com/registry/packages/aws/api-docs/
"""

import json
from typing import Any, Final

from pulumi_cases.table import LATER, Cases, Out, Row

INSTANCE: Final = "aws:ec2/instance:Instance"
TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP: Final = "aws:autoscaling/group:Group"
SUBNET: Final = "aws:ec2/subnet:Subnet"
SECURITY: Final = "aws:ec2/securityGroup:SecurityGroup"
RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
BUCKET: Final = "aws:s3/bucket:Bucket"
BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
DATABASE: Final = "aws:rds/instance:Instance"
CLUSTER: Final = "aws:rds/cluster:Cluster"
MEMBER: Final = "aws:rds/clusterInstance:ClusterInstance"
VOLUME: Final = "aws:ebs/volume:Volume"
POLICY: Final = "aws:iam/policy:Policy"
ROLE: Final = "aws:iam/role:Role"
GIVEN: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"
CLASSIC: Final = "aws:elb/loadBalancer:LoadBalancer"
KEY: Final = "aws:kms/key:Key"
KUBERNETES: Final = "aws:eks/cluster:Cluster"
QUEUE: Final = "aws:sqs/queue:Queue"
TABLE: Final = "aws:dynamodb/table:Table"

ALL_BLOCKED: Final = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)
NOWHERE: Final = {"associatePublicIpAddress": False}
ADMIN: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


def opening(cidr: Any, port: Any = 22) -> dict[str, Any]:
    """A rule inside of a security group."""
    return {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": [cidr]}


def everything(cidr: Any) -> dict[str, Any]:
    """The same for all traffic."""
    return {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": [cidr]}


def disk(*, encrypted: bool) -> dict[str, Any]:
    """A second disk of a machine."""
    return {"deviceName": "/dev/sdf", "encrypted": encrypted}


def document(action: str) -> str:
    """A policy that allows an action on everything."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def encrypted(bucket: str, algorithm: str) -> dict[str, Any]:
    """What says how a bucket is encrypted."""
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}
    return {"bucket": Out(bucket), "rules": [rule]}


def listener(protocol: str, action: dict[str, Any]) -> dict[str, Any]:
    """A listener of the balancer."""
    return {"loadBalancerArn": Out("none-balancer"), "protocol": protocol, "defaultActions": [action]}


def endpoint(**more: Any) -> dict[str, Any]:
    """A cluster in subnets."""
    return {"roleArn": LATER, "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"], **more}}


FORWARD: Final = {"type": "forward", "targetGroupArn": LATER}
REDIRECT: Final = {"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}
PRIVATE: Final = Row("other-private", SUBNET, {"vpcId": "vpc-1", "mapPublicIpOnLaunch": False})
PUBLIC: Final = Row("other-public", SUBNET, {"vpcId": "vpc-1", "mapPublicIpOnLaunch": True})

CASES: Final[Cases] = {
    "instance_no_public_ip": (
        PRIVATE,
        PUBLIC,
        Row("pass-in-a-private-subnet", INSTANCE, {"subnetId": Out("other-private")}),
        Row("pass-says-no", INSTANCE, {"subnetId": Out("other-public"), **NOWHERE}),
        Row("pass-template", TEMPLATE, {"networkInterfaces": [{"associatePublicIpAddress": "false"}]}),
        Row("fail-in-a-public-subnet", INSTANCE, {"subnetId": Out("other-public")}),
        Row("fail-says-yes", INSTANCE, {"subnetId": Out("other-private"), "associatePublicIpAddress": True}),
        Row("fail-elastic-address", INSTANCE, {"subnetId": Out("other-private")}),
        Row("other-address", "aws:ec2/eip:Eip", {"instance": Out("fail-elastic-address")}),
        Row("fail-template", TEMPLATE, {"networkInterfaces": [{"associatePublicIpAddress": "true"}]}),
        Row("unknown-setting", INSTANCE, {"subnetId": Out("other-private"), "associatePublicIpAddress": LATER}),
        Row("unknown-subnet", INSTANCE, {"subnetId": LATER}),
    ),
    "instance_metadata_v2": (
        Row("pass-required", INSTANCE, {"metadataOptions": {"httpTokens": "required"}}),
        Row("pass-template", TEMPLATE, {"metadataOptions": {"httpTokens": "required"}}),
        Row("pass-no-service", INSTANCE, {"metadataOptions": {"httpEndpoint": "disabled"}}),
        Row("fail-optional", INSTANCE, {"metadataOptions": {"httpTokens": "optional"}}),
        Row("fail-template", TEMPLATE, {"metadataOptions": {"httpTokens": "optional"}}),
        Row("unknown-tokens", INSTANCE, {"metadataOptions": {"httpTokens": LATER}}),
    ),
    "ingress_no_open_admin_ports": (
        Row("pass-office", SECURITY, {"ingress": [opening("192.0.2.0/24")]}),
        Row("pass-web", SECURITY, {"ingress": [opening("0.0.0.0/0", 443)]}),
        Row("pass-rule", INGRESS, {"securityGroupId": LATER, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                                   "cidrIpv4": "10.0.0.0/8"}),
        Row("fail-everyone", SECURITY, {"ingress": [opening("0.0.0.0/0")]}),
        Row("fail-in-halves", SECURITY, {"ingress": [opening("0.0.0.0/1"), opening("128.0.0.0/1")]}),
        Row("fail-rule", INGRESS, {"securityGroupId": LATER, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                                   "cidrIpv4": "0.0.0.0/0"}),
        Row("fail-older-rule", RULE, {"securityGroupId": LATER, "type": "ingress", **opening("0.0.0.0/0", 3389)}),
        Row("unknown-network", SECURITY, {"ingress": [opening(LATER)]}),
        Row("unknown-ports", SECURITY, {"ingress": [opening("0.0.0.0/0", LATER)]}),
    ),
    "ingress_no_open_all": (
        Row("pass-one-port", SECURITY, {"ingress": [opening("0.0.0.0/0", 443)]}),
        Row("pass-office", SECURITY, {"ingress": [everything("192.0.2.0/24")]}),
        Row("fail-everything", SECURITY, {"ingress": [everything("0.0.0.0/0")]}),
        Row("fail-rule", INGRESS, {"securityGroupId": LATER, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}),
        Row("unknown-network", SECURITY, {"ingress": [everything(LATER)]}),
    ),
    "bucket_no_public_access": (
        Row("pass-blocked", BUCKET, {"bucket": "pass"}),
        Row("other-block", BLOCK, {"bucket": Out("pass-blocked"), **ALL_BLOCKED}),
        Row("fail-no-block", BUCKET, {"bucket": "fail"}),
        Row("fail-part-of-a-block", BUCKET, {"bucket": "part"}),
        Row("other-part", BLOCK, {"bucket": Out("fail-part-of-a-block"), **ALL_BLOCKED, "ignorePublicAcls": False}),
        Row("unknown-block", BUCKET, {"bucket": "unknown"}),
        Row("other-unknown", BLOCK, {"bucket": Out("unknown-block"), **ALL_BLOCKED, "blockPublicAcls": LATER}),
    ),
    "bucket_encrypted": (
        Row("pass-keys-of-ours", BUCKET, {"bucket": "pass"}),
        Row("other-pass", ENCRYPTION, encrypted("pass-keys-of-ours", "aws:kms")),
        Row("fail-keys-of-the-service", BUCKET, {"bucket": "fail"}),
        Row("other-fail", ENCRYPTION, encrypted("fail-keys-of-the-service", "AES256")),
        Row("unknown-algorithm", BUCKET, {"bucket": "unknown"}),
        Row("other-unknown", ENCRYPTION, encrypted("unknown-algorithm", LATER)),
    ),
    "bucket_versioned": tuple(
        row
        for word, status in (("pass", "Enabled"), ("fail", "Suspended"), ("unknown", LATER))
        for row in (
            Row(f"{word}-bucket", BUCKET, {"bucket": word}),
            Row(f"other-{word}", VERSIONING,
                {"bucket": Out(f"{word}-bucket"), "versioningConfiguration": {"status": status}}),
        )
    ),
    "database_not_public": (
        Row("pass-private", DATABASE, {"engine": "postgres", "publiclyAccessible": False}),
        Row("pass-member", MEMBER, {"engine": "aurora-postgresql", "publiclyAccessible": False}),
        Row("fail-public", DATABASE, {"engine": "postgres", "publiclyAccessible": True}),
        Row("fail-member", MEMBER, {"engine": "aurora-postgresql", "publiclyAccessible": True}),
        Row("unknown-setting", DATABASE, {"engine": "postgres", "publiclyAccessible": LATER}),
    ),
    "database_encrypted": (
        Row("pass-instance", DATABASE, {"engine": "postgres", "storageEncrypted": True}),
        Row("pass-cluster", CLUSTER, {"engine": "aurora-postgresql", "storageEncrypted": True}),
        Row("fail-instance", DATABASE, {"engine": "postgres", "storageEncrypted": False}),
        Row("fail-cluster", CLUSTER, {"engine": "aurora-postgresql", "storageEncrypted": False}),
        Row("unknown-setting", DATABASE, {"engine": "postgres", "storageEncrypted": LATER}),
    ),
    "volume_encrypted": (
        Row("pass-volume", VOLUME, {"encrypted": True}),
        Row("pass-instance", INSTANCE,
            {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [disk(encrypted=True)]}),
        # What the image brings along is not described.
        Row("unknown-disks-of-the-image", INSTANCE, {"rootBlockDevice": {"encrypted": True}}),
        Row("pass-template", TEMPLATE,
            {"blockDeviceMappings": [{"deviceName": "/dev/sda1", "ebs": {"encrypted": "true"}}]}),
        Row("fail-volume", VOLUME, {"encrypted": False}),
        Row("fail-instance", INSTANCE, {"rootBlockDevice": {"encrypted": False}}),
        Row("fail-second-disk", INSTANCE,
            {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [disk(encrypted=False)]}),
        Row("fail-template", TEMPLATE,
            {"blockDeviceMappings": [{"deviceName": "/dev/sda1", "ebs": {"encrypted": "false"}}]}),
        Row("unknown-volume", VOLUME, {"encrypted": LATER}),
        Row("unknown-snapshot", VOLUME, {"snapshotId": LATER}),
    ),
    "iam_no_full_admin": (
        Row("pass-policy", POLICY, {"policy": document("s3:GetObject")}),
        Row("fail-policy", POLICY, {"policy": document("*")}),
        Row("fail-object", POLICY, {"policy": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}),
        Row("unknown-policy", POLICY, {"policy": LATER}),
        Row("pass-role", ROLE, {"inlinePolicies": [{"name": "own", "policy": document("s3:GetObject")}]}),
        Row("fail-role", ROLE, {"managedPolicyArns": [ADMIN]}),
        Row("fail-given", GIVEN, {"role": "deploy", "policyArn": ADMIN}),
    ),
    "listener_tls": (
        Row("none-balancer", BALANCER, {"internal": False, "loadBalancerType": "application"}),
        Row("pass-https", LISTENER, listener("HTTPS", FORWARD)),
        Row("pass-redirect", LISTENER, listener("HTTP", REDIRECT)),
        Row("fail-http", LISTENER, listener("HTTP", FORWARD)),
        Row("unknown-protocol", LISTENER, listener(LATER, FORWARD)),
        Row("pass-classic", CLASSIC, {"listeners": [{"lbPort": 443, "lbProtocol": "https", "instancePort": 80}]}),
        Row("fail-classic", CLASSIC, {"listeners": [{"lbPort": 80, "lbProtocol": "http", "instancePort": 80}]}),
    ),
    "key_rotation": (
        Row("pass-key", KEY, {"enableKeyRotation": True}),
        Row("fail-key", KEY, {"enableKeyRotation": False}),
        Row("unknown-key", KEY, {"enableKeyRotation": LATER}),
        Row("none-signing", KEY, {"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"}),
    ),
    "cluster_endpoint_private": (
        Row("pass-private", KUBERNETES, endpoint(endpointPublicAccess=False, endpointPrivateAccess=True)),
        Row("pass-named-networks", KUBERNETES, endpoint(endpointPublicAccess=True, publicAccessCidrs=["192.0.2.0/24"])),
        Row("fail-everyone", KUBERNETES, endpoint(endpointPublicAccess=True, publicAccessCidrs=["0.0.0.0/0"])),
        Row("unknown-setting", KUBERNETES, endpoint(endpointPublicAccess=LATER)),
    ),
    "required_tags": (
        Row("pass-owner", QUEUE, {"tags": {"owner": "shop"}}),
        Row("fail-no-owner", QUEUE, {"tags": {"environment": "prod"}}),
        Row("fail-no-tags", INSTANCE, {}),
        Row("unknown-tags", QUEUE, {"tags": LATER}),
        Row("unknown-value", QUEUE, {"tags": {"owner": LATER}}),
        Row("none-role-policy", "aws:iam/rolePolicy:RolePolicy", {"policy": document("s3:GetObject")}),
    ),
    "allowed_regions": (
        Row("pass-region-of-the-provider", QUEUE),
        Row("pass-own-region", QUEUE, {"region": "eu-west-1"}),
        Row("fail-own-region", QUEUE, {"region": "us-east-1"}),
        Row("unknown-region", QUEUE, {"region": LATER}),
        Row("none-everywhere", ROLE),
    ),
    "no_stateful_destroy": (
        Row("pass-role", ROLE, {}, "delete"),
        Row("fail-database", DATABASE, {"engine": "postgres"}, "delete"),
        Row("fail-replaced-table", TABLE, {"name": "orders"}, "replace"),
        Row("unknown-type", "acme:index/thing:Thing", {}, "delete"),
        Row("none-left-alone", DATABASE, {"engine": "postgres"}, "discard"),
    ),
    "blast_radius.pass": (
        Row("queue", QUEUE, {"name": "a"}, "delete"),
        Row("topic", "aws:sns/topic:Topic", {"name": "a"}, "update"),
    ),
    "blast_radius.fail": tuple(Row(f"queue-{name}", QUEUE, {"name": name}, "delete") for name in "abc"),
    "no_provisioners.pass": (Row("queue", QUEUE),),
    "no_provisioners.fail": (Row("program", "command:local:Command", {"create": "./set-up.sh"}),),
    "allowed_providers.pass": (Row("queue", QUEUE),),
    "allowed_providers.fail": (Row("queue", QUEUE), Row("thing", "acme:index/thing:Thing")),
}  # fmt: skip
