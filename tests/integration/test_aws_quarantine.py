"""What breaks a rule after it was made is shut off, and nothing else: against a double of AWS."""

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.quarantine import shut_off
from tests.aws_cases.network import new_vpc
from tests.aws_server import REGION, AwsServer
from tests.aws_stack import connection

pytestmark = pytest.mark.aws
TLS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def test_an_instance_is_stopped(aws_account: AwsServer) -> None:
    ec2 = connection(aws_account.url).client("ec2")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    assert shut_off(connection(aws_account.url), "AWS::EC2::Instance", made) == f"stopped {made}"
    [found] = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] in {"stopping", "stopped"}


def test_a_group_loses_the_rules_for_everybody_and_keeps_all_others(aws_account: AwsServer) -> None:
    aws = connection(aws_account.url)
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=new_vpc(aws))["GroupId"]
    for given in ({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
                  {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}):  # fmt: skip
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[TLS | given])
    assert shut_off(aws, "AWS::EC2::SecurityGroup", group).endswith(f"from {group}")
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    left = [each["CidrIp"] for rule in found["IpPermissions"] for each in rule["IpRanges"]]
    left += [each["CidrIpv6"] for rule in found["IpPermissions"] for each in rule["Ipv6Ranges"]]
    assert (left, len(found["IpPermissionsEgress"])) == (["10.0.0.0/8"], 1)
    assert (
        shut_off(aws, "AWS::EC2::SecurityGroup", group)
        == f"{group} lets not everybody in; nothing was removed"
    )


def test_a_bucket_is_closed_to_the_public(aws_account: AwsServer) -> None:
    aws = connection(aws_account.url)
    aws.client("s3").create_bucket(Bucket="open", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert shut_off(aws, "AWS::S3::Bucket", "open") == "blocked all public access to open"
    found = aws.client("s3").get_public_access_block(Bucket="open")["PublicAccessBlockConfiguration"]
    assert set(found.values()) == {True}


def test_a_type_that_nobody_can_shut_off_is_an_error(aws_account: AwsServer) -> None:
    with pytest.raises(ExecutionError, match="no way to shut off AWS::EC2::VPC; it stays as it is"):
        shut_off(connection(aws_account.url), "AWS::EC2::VPC", "vpc-1")
