"""Machines, disks, networks and firewalls of CloudFormation as the Terraform provider has them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_AutoScaling.html
"""

from collections.abc import Mapping
from typing import Any, Final

from plangate.facts.base import Raw, Values, text, whole_number
from plangate.facts.cloudformation_shape import Attribute, Block, Coded, Twin, listed, member
from plangate.model.values import UNKNOWN

_ROOT_DEVICES: Final = frozenset({"/dev/xvda", "/dev/sda1", "/dev/sda"})
"""Names of the root disk in images of AWS.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
"""

_EBS: Final[Mapping[str, Attribute]] = {
    "Encrypted": "encrypted",
    "SnapshotId": "snapshot_id",
    "KmsKeyId": "kms_key_id",
}
_METADATA: Final = Block("metadata_options", {"HttpTokens": "http_tokens", "HttpEndpoint": "http_endpoint"})
_DISK_MOVES: Final = tuple(
    (source, target)
    for target in ("/root_block_device", "/ebs_block_device")
    for source in ("/BlockDeviceMappings/Ebs", "/BlockDeviceMappings")
)
_TEMPLATE: Final = Block(
    "launch_template", {"LaunchTemplateId": "id", "LaunchTemplateName": "name", "Version": "version"}
)


def _one(value: Raw) -> Raw:
    """A single value where the provider has a list."""
    return [value]


def _instance(given: Values, values: dict[str, Any]) -> None:
    _disks(given, values)
    template = values.get("launch_template")
    if isinstance(template, dict):
        # The provider has both attributes in the block, the one that is not set empty.
        template.setdefault("id", None)
    interfaces = listed(member(given, "NetworkInterfaces"))
    if interfaces is None or UNKNOWN in interfaces:
        values["associate_public_ip_address"] = UNKNOWN
        return
    asked = [member(each, "AssociatePublicIpAddress") for each in interfaces]
    set_ones = [value for value in asked if value is not None]
    if set_ones:
        values["associate_public_ip_address"] = _any(set_ones)
    ready = [member(each, "NetworkInterfaceId") for each in interfaces]
    if any(each is not None for each in ready):
        values["network_interface"] = [{"network_interface_id": each} for each in ready if each is not None]
    subnets = [subnet for each in interfaces if (subnet := member(each, "SubnetId")) is not None]
    if subnets and "subnet_id" not in values:
        same = all(subnet is subnets[0] or subnet == subnets[0] for subnet in subnets)
        values["subnet_id"] = subnets[0] if same else UNKNOWN


def _any(asked: list[Any]) -> Raw:
    """One answer for several interfaces: yes if one says yes, unknown if one may."""
    words = [str(value).lower() for value in asked if value is not UNKNOWN]
    if "true" in words:
        return True
    return False if len(words) == len(asked) and set(words) == {"false"} else UNKNOWN


def _disks(given: Values, values: dict[str, Any]) -> None:
    """One list of disks, where the provider tells the root disk from others.

    Which one is the root disk depends on the image. Where none has a name that images of AWS give it, the root disk
    is not described.
    """
    mappings = listed(member(given, "BlockDeviceMappings"))
    if mappings is None:
        values["root_block_device"] = values["ebs_block_device"] = UNKNOWN
        return
    root: list[Any] = []
    others: list[Any] = []
    for mapping in mappings:
        ebs = member(mapping, "Ebs")
        name = text(member(mapping, "DeviceName"))
        if ebs is None and (member(mapping, "VirtualName") is not None or _leaves_out(mapping)):
            continue
        block = _ebs_block(ebs)
        if name is UNKNOWN:
            values["root_block_device"] = UNKNOWN
        (root if name in _ROOT_DEVICES else others).append(block)
    if root and "root_block_device" not in values:
        values["root_block_device"] = root
    if others:
        values["ebs_block_device"] = others


def _leaves_out(mapping: Raw) -> bool:
    return member(mapping, "NoDevice") is not None


def _ebs_block(ebs: Raw) -> Raw:
    if ebs is UNKNOWN:
        return UNKNOWN
    return Block("", _EBS).table.attributes(ebs) if isinstance(ebs, Mapping) else {}


def _group_rule(given: Values, values: dict[str, Any]) -> None:
    """A rule may name its group by name, in the default VPC."""
    if "security_group_id" not in values and member(given, "GroupName") is not None:
        values["security_group_id"] = member(given, "GroupName")


def _autoscaling_template(name: str) -> Block:
    return Block(
        name,
        {
            "LaunchTemplateId": "launch_template_id",
            "LaunchTemplateName": "launch_template_name",
            "Version": "version",
        },
    )


def _group_template(_given: Values, values: dict[str, Any]) -> None:
    template = values.get("launch_template")
    if isinstance(template, dict):
        template.setdefault("id", None)


def _port(value: Raw) -> Raw:
    number = whole_number(value)
    return value if number is UNKNOWN else number


_PERMISSION: Final[Mapping[str, Attribute]] = {
    "IpProtocol": "protocol",
    "FromPort": Coded("from_port", _port),
    "ToPort": Coded("to_port", _port),
    "CidrIp": Coded("cidr_blocks", _one),
    "CidrIpv6": Coded("ipv6_cidr_blocks", _one),
}
_RULE: Final[Mapping[str, Attribute]] = {
    "GroupId": "security_group_id",
    "IpProtocol": "ip_protocol",
    "FromPort": Coded("from_port", _port),
    "ToPort": Coded("to_port", _port),
    "CidrIp": "cidr_ipv4",
    "CidrIpv6": "cidr_ipv6",
}

TWINS: Final[Mapping[str, Twin]] = {
    "AWS::EC2::Instance": Twin(
        type="aws_instance",
        members={
            "SubnetId": "subnet_id",
            "LaunchTemplate": _TEMPLATE,
            "MetadataOptions": _METADATA,
            "PrivateIpAddress": "private_ip",
        },
        adjust=_instance,
        moves=(
            ("/NetworkInterfaces/SubnetId", "/subnet_id"),
            ("/NetworkInterfaces/NetworkInterfaceId", "/network_interface/network_interface_id"),
            ("/NetworkInterfaces/AssociatePublicIpAddress", "/associate_public_ip_address"),
            *_DISK_MOVES,
        ),
    ),
    "AWS::EC2::LaunchTemplate": Twin(
        type="aws_launch_template",
        members={
            "LaunchTemplateName": "name",
            "LatestVersionNumber": "latest_version",
            "LaunchTemplateData": Block(
                "",
                {
                    "MetadataOptions": _METADATA,
                    "BlockDeviceMappings": Block(
                        "block_device_mappings",
                        {
                            "DeviceName": "device_name",
                            "VirtualName": "virtual_name",
                            "NoDevice": "no_device",
                            "Ebs": Block("ebs", _EBS),
                        },
                    ),
                    "NetworkInterfaces": Block(
                        "network_interfaces",
                        {
                            "AssociatePublicIpAddress": "associate_public_ip_address",
                            "SubnetId": "subnet_id",
                            "NetworkInterfaceId": "network_interface_id",
                        },
                    ),
                },
            ),
        },
        tags="TagSpecifications",
    ),
    "AWS::AutoScaling::LaunchConfiguration": Twin(
        type="aws_launch_configuration",
        members={
            "LaunchConfigurationName": "name",
            "AssociatePublicIpAddress": "associate_public_ip_address",
            "MetadataOptions": _METADATA,
        },
        adjust=_disks,
        moves=_DISK_MOVES,
        tags="",
    ),
    "AWS::AutoScaling::AutoScalingGroup": Twin(
        type="aws_autoscaling_group",
        members={
            "LaunchConfigurationName": "launch_configuration",
            "LaunchTemplate": _TEMPLATE,
            "MixedInstancesPolicy": Block(
                "mixed_instances_policy",
                {
                    "LaunchTemplate": Block(
                        "launch_template",
                        {
                            "LaunchTemplateSpecification": _autoscaling_template(
                                "launch_template_specification"
                            )
                        },
                    )
                },
            ),
            "VPCZoneIdentifier": "vpc_zone_identifier",
            "AvailabilityZones": "availability_zones",
        },
        adjust=_group_template,
    ),
    "AWS::EC2::Volume": Twin(type="aws_ebs_volume", members=_EBS),
    "AWS::EC2::VPC": Twin(type="aws_vpc", members={"CidrBlock": "cidr_block"}),
    "AWS::EC2::Subnet": Twin(
        type="aws_subnet", members={"VpcId": "vpc_id", "MapPublicIpOnLaunch": "map_public_ip_on_launch"}
    ),
    "AWS::EC2::EIP": Twin(
        type="aws_eip",
        members={"InstanceId": "instance"},
    ),
    "AWS::EC2::EIPAssociation": Twin(
        type="aws_eip_association",
        members={"InstanceId": "instance_id", "NetworkInterfaceId": "network_interface_id"},
        tags="",
    ),
    "AWS::EC2::NetworkInterface": Twin(type="aws_network_interface", members={"SubnetId": "subnet_id"}),
    "AWS::EC2::PrefixList": Twin(
        type="aws_ec2_managed_prefix_list",
        members={"PrefixListName": "name", "Entries": Block("entry", {"Cidr": "cidr"})},
    ),
    "AWS::EC2::SecurityGroup": Twin(
        type="aws_security_group",
        members={
            "GroupName": "name",
            "SecurityGroupIngress": Block(
                "ingress", {**_PERMISSION, "SourcePrefixListId": Coded("prefix_list_ids", _one)}
            ),
        },
    ),
    "AWS::EC2::SecurityGroupIngress": Twin(
        type="aws_vpc_security_group_ingress_rule",
        members={**_RULE, "SourcePrefixListId": "prefix_list_id"},
        adjust=_group_rule,
        moves=(("/GroupName", "/security_group_id"),),
        tags="",
    ),
    "AWS::EC2::SecurityGroupEgress": Twin(
        type="aws_vpc_security_group_egress_rule",
        members={**_RULE, "DestinationPrefixListId": "prefix_list_id"},
        tags="",
    ),
}
