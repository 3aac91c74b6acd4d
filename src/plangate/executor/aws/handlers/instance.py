"""Instances.

What AWS changes only while an instance is stopped (its type, user data, EBS optimization) replaces it here: nothing is
stopped and started. A stopped instance is ready: whether it runs is not the template's business.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html, API_DescribeInstances.html and
API_ModifyInstanceAttribute.html
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.difference import covers
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags

_AS_THEY_ARE: Final = (
    "BlockDeviceMappings", "DisableApiTermination", "EbsOptimized", "ImageId", "InstanceInitiatedShutdownBehavior",
    "InstanceType", "KeyName", "LaunchTemplate", "MetadataOptions", "PrivateIpAddress", "SecurityGroupIds", "SubnetId",
)  # fmt: skip
"""Properties that RunInstances takes by their names."""
_ASKED_APART: Final = ("DisableApiTermination", "InstanceInitiatedShutdownBehavior")
_CONDITIONS: Final = {
    "pending": Condition.BUSY, "shutting-down": Condition.BUSY, "stopping": Condition.BUSY,
}  # fmt: skip


class Instance(ec2.Ec2Handler):
    """``AWS::EC2::Instance``. What its launch template says is not compared: only what its own template says is."""

    type: ClassVar[str] = "AWS::EC2::Instance"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"ec2:DescribeIamInstanceProfileAssociations"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({
        *_AS_THEY_ARE, "AvailabilityZone", "IamInstanceProfile", "Monitoring", "NetworkInterfaces", "SourceDestCheck",
        "Tags", "UserData",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({
        *_ASKED_APART, "IamInstanceProfile", "MetadataOptions", "Monitoring", "SecurityGroupIds", "SourceDestCheck",
        "Tags",
    })  # fmt: skip
    defaults: ClassVar[Properties] = {"SourceDestCheck": True, "Tags": []}
    names: ClassVar[frozenset[str]] = frozenset({"PrivateIpAddress"})
    patience_s: ClassVar[float] = 900.0
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_instances",
        result="Reservations",
        key="InstanceId",
        filter="instance-id",
        kind="instance",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, with a client token."""
        arguments = ec2.chosen(properties, *_AS_THEY_ARE)
        if "AvailabilityZone" in properties:
            arguments["Placement"] = {"AvailabilityZone": properties["AvailabilityZone"]}
        if properties.get("IamInstanceProfile"):
            arguments["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
        if "Monitoring" in properties:
            arguments["Monitoring"] = {"Enabled": properties["Monitoring"]}
        if "NetworkInterfaces" in properties:
            arguments["NetworkInterfaces"] = [
                _asked_interface(each) for each in properties["NetworkInterfaces"]
            ]
        if "UserData" in properties:
            arguments["UserData"] = _decoded(properties["UserData"])
        made = ec2.call(
            aws,
            "RunInstances",
            MinCount=1,
            MaxCount=1,
            ClientToken=mark.token,
            **arguments,
            **self.tagging(properties, mark),
        )
        return str(made["Instances"][0]["InstanceId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each property, as AWS wants it."""
        identifier = found.identifier
        for name in (*_ASKED_APART, "SourceDestCheck"):
            if name in changed:
                value = {"Value": properties.get(name, self.defaults.get(name))}
                ec2.call(aws, "ModifyInstanceAttribute", InstanceId=identifier, **{name: value})
        if "SecurityGroupIds" in changed:
            groups = list(properties["SecurityGroupIds"])
            ec2.call(aws, "ModifyInstanceAttribute", InstanceId=identifier, Groups=groups)
        if "MetadataOptions" in changed:
            options = properties["MetadataOptions"]
            ec2.call(aws, "ModifyInstanceMetadataOptions", InstanceId=identifier, **options)
        if "Monitoring" in changed:
            on = str(properties["Monitoring"]).lower() == "true"
            ec2.call(aws, "MonitorInstances" if on else "UnmonitorInstances", InstanceIds=[identifier])
        if "IamInstanceProfile" in changed:
            _set_profile(aws, identifier, str(properties.get("IamInstanceProfile") or ""))
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; AWS refuses when termination is disabled."""
        ec2.quietly_gone(aws, "TerminateInstances", InstanceIds=[found.identifier])

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Where AWS tells more than a template says, or in other words."""
        match name:
            case "BlockDeviceMappings":
                return _same_devices(wanted, actual)
            case "NetworkInterfaces":
                return _same_interfaces(wanted, actual)
            case "LaunchTemplate":
                return _same_template(wanted, actual)
            case "ImageId" if str(wanted).startswith("resolve:"):
                return True  # AWS looked it up when it launched the instance
            case "SecurityGroupIds":
                return sorted(map(str, wanted)) == sorted(map(str, actual))
        return None

    def found(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> Sequence[Found | None]:
        """Two calls more for all, and three for each: some attributes are told one by one only."""
        there = [each for each in items if _state(each) != "terminated"]
        ids = sorted(
            {
                str(device["Ebs"]["VolumeId"])
                for each in there
                for device in each.get("BlockDeviceMappings") or ()
                if device.get("Ebs", {}).get("VolumeId")
            }
        )
        told = ec2.described(aws, "describe_volumes", "Volumes", "volume-id", ids)
        volumes = {str(each["VolumeId"]): each for each in told}
        profiles = {
            str(each["InstanceId"]): _profile_name(each)
            for each in _associations(aws, [str(each["InstanceId"]) for each in there])
        }
        return [self._found(aws, each, volumes, profiles) for each in there]

    def _found(
        self, aws: Aws, item: Mapping[str, Any], volumes: Mapping[str, Any], profiles: Mapping[str, str]
    ) -> Found | None:
        identifier = str(item["InstanceId"])
        try:
            apart = {
                name: said
                for name in (*_ASKED_APART, "UserData")
                if (said := _attribute(aws, identifier, name)) is not None
            }
        except Exception as error:
            if is_gone(error):
                return None
            raise
        zone = item.get("Placement", {}).get("AvailabilityZone", "")
        return Found(
            identifier=identifier,
            properties={
                **ec2.told(
                    item,
                    "EbsOptimized",
                    "ImageId",
                    "InstanceType",
                    "KeyName",
                    "PrivateIpAddress",
                    "SourceDestCheck",
                    "SubnetId",
                ),
                **apart,
                "AvailabilityZone": zone,
                "BlockDeviceMappings": [
                    _told_device(each, volumes) for each in item.get("BlockDeviceMappings") or ()
                ],
                "IamInstanceProfile": profiles.get(identifier, ""),
                "LaunchTemplate": _told_template(item),
                "MetadataOptions": {
                    name: value
                    for name, value in (item.get("MetadataOptions") or {}).items()
                    if name != "State"
                },
                "Monitoring": item.get("Monitoring", {}).get("State") in ("enabled", "pending"),
                "NetworkInterfaces": [
                    _told_interface(each, running=_state(item) == "running")
                    for each in item.get("NetworkInterfaces") or ()
                ],
                "SecurityGroupIds": sorted(each["GroupId"] for each in item.get("SecurityGroups") or ()),
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={
                REF: identifier,
                "AvailabilityZone": zone,
                "PrivateIp": item.get("PrivateIpAddress", ""),
                "PublicIp": item.get("PublicIpAddress", ""),
                **ec2.told(item, "InstanceId", "PrivateDnsName", "PublicDnsName", "VpcId"),
            },
            condition=_CONDITIONS.get(_state(item), Condition.READY),
            detail=_state(item),
            marks=marks_of(item.get("Tags")),
        )


def _state(item: Mapping[str, Any]) -> str:
    return str(item.get("State", {}).get("Name", ""))


def _attribute(aws: Aws, identifier: str, name: str) -> Any:
    asked = name[0].lower() + name[1:]
    said = ec2.call(aws, "DescribeInstanceAttribute", InstanceId=identifier, Attribute=asked)
    return (said.get(name) or {}).get("Value")


def _decoded(text: Any) -> bytes:
    # botocore encodes the user data of RunInstances; that of a template is encoded already.
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ExecutionError(
            "an instance's UserData is not base64", hint="use Fn::Base64 in the template"
        ) from error


def _set_profile(aws: Aws, identifier: str, name: str) -> None:
    current = next(iter(_associations(aws, [identifier])), None)
    if current is None and name:
        ec2.call(aws, "AssociateIamInstanceProfile", InstanceId=identifier, IamInstanceProfile={"Name": name})
    elif current is not None and not name:
        ec2.call(aws, "DisassociateIamInstanceProfile", AssociationId=current["AssociationId"])
    elif current is not None and _profile_name(current) != name:
        ec2.call(
            aws,
            "ReplaceIamInstanceProfileAssociation",
            AssociationId=current["AssociationId"],
            IamInstanceProfile={"Name": name},
        )


def _associations(aws: Aws, identifiers: Sequence[str]) -> list[Any]:
    told = ec2.described(
        aws,
        "describe_iam_instance_profile_associations",
        "IamInstanceProfileAssociations",
        "instance-id",
        identifiers,
    )
    return [each for each in told if each.get("State") in ("associating", "associated")]


def _profile_name(association: Mapping[str, Any]) -> str:
    return str(association.get("IamInstanceProfile", {}).get("Arn", "")).rpartition("/")[2]


def _asked_interface(interface: Mapping[str, Any]) -> dict[str, Any]:
    """EC2 calls a template's ``GroupSet`` ``Groups``."""
    return {("Groups" if name == "GroupSet" else name): value for name, value in interface.items()}


def _told_interface(told: Mapping[str, Any], *, running: bool) -> dict[str, Any]:
    attachment, association = told.get("Attachment") or {}, told.get("Association") or {}
    found: dict[str, Any] = {
        "DeviceIndex": str(attachment.get("DeviceIndex", "")),
        "GroupSet": sorted(each["GroupId"] for each in told.get("Groups") or ()),
        **ec2.told(told, "Description", "NetworkInterfaceId", "PrivateIpAddress", "SubnetId"),
    }
    if "DeleteOnTermination" in attachment:
        found["DeleteOnTermination"] = attachment["DeleteOnTermination"]
    # Whether the launch gave a public address shows only while the instance has that one and no other.
    if running and (not association or association.get("IpOwnerId") == "amazon"):
        found["AssociatePublicIpAddress"] = bool(association)
    return found


def _same_interfaces(wanted: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> bool:
    there = {str(each.get("DeviceIndex")): each for each in actual}
    for asked in wanted:
        found = there.get(str(asked.get("DeviceIndex")))
        if found is None:
            return False
        if "GroupSet" in asked and sorted(asked["GroupSet"]) != found.get("GroupSet"):
            return False
        comparable = {k: v for k, v in asked.items() if k in found and k != "GroupSet"}
        if not covers(comparable, found):
            return False
    return True


def _told_device(device: Mapping[str, Any], volumes: Mapping[str, Any]) -> dict[str, Any]:
    ebs = device.get("Ebs") or {}
    volume = volumes.get(str(ebs.get("VolumeId")), {})
    told = {
        **ec2.told(volume, "Iops", "KmsKeyId", "SnapshotId", "VolumeType"),
        **({"VolumeSize": volume["Size"]} if "Size" in volume else {}),
        **({"Encrypted": volume["Encrypted"]} if "Encrypted" in volume else {}),
        **({"DeleteOnTermination": ebs["DeleteOnTermination"]} if "DeleteOnTermination" in ebs else {}),
    }
    return {"DeviceName": device.get("DeviceName", ""), "Ebs": told}


def _same_devices(wanted: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> bool:
    there = {str(each.get("DeviceName")): each["Ebs"] for each in actual}
    for asked in wanted:
        if "NoDevice" in asked or "VirtualName" in asked:
            continue
        found = there.get(str(asked.get("DeviceName")))
        ebs = asked.get("Ebs") or {}
        if found is None or not covers({k: v for k, v in ebs.items() if k != "KmsKeyId"}, found):
            return False
        if "KmsKeyId" in ebs and not same_key(ebs["KmsKeyId"], found.get("KmsKeyId")):
            return False
    return True


def same_key(wanted: Any, actual: Any) -> bool:
    """Whether a key's id or ARN in a template is that of this ARN; an alias is not told, and passes for any key."""
    asked, told = str(wanted), str(actual or "")
    if "alias/" in asked:
        return bool(told)
    return asked.rpartition("/")[2] == told.rpartition("/")[2]


def _told_template(item: Mapping[str, Any]) -> dict[str, str]:
    tags = {each["Key"]: each["Value"] for each in item.get("Tags") or ()}
    said = {
        "LaunchTemplateId": tags.get("aws:ec2launchtemplate:id", ""),
        "Version": tags.get("aws:ec2launchtemplate:version", ""),
    }
    return {name: value for name, value in said.items() if value}


def _same_template(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> bool:
    # AWS tells id and number; a name, `$Latest` and `$Default` it looked up at launch.
    version = str(wanted.get("Version", ""))
    return (
        "LaunchTemplateId" not in wanted or wanted["LaunchTemplateId"] == actual.get("LaunchTemplateId")
    ) and (version in ("", "$Latest", "$Default") or version == actual.get("Version"))


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Instance(),)}
