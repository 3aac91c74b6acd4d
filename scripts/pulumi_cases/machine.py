"""The machine of fixtures/machine, as a program of Pulumi plans it."""

from typing import Any, Final

from pulumi_cases.aws import INSTANCE, SECURITY, VOLUME, opening
from pulumi_cases.table import Cases, Out, Row


def machine(
    cidr: str, tokens: str, tags: dict[str, Any], *, public: bool, encrypted: bool
) -> tuple[Row, ...]:
    """A machine with a security group of its own and a volume beside it."""
    disks = {
        "rootBlockDevice": {"encrypted": encrypted},
        "ebsBlockDevices": [{"deviceName": "/dev/sdf", "volumeSize": 20, "encrypted": True}],
    }
    ami = {"ami": "ami-0123456789abcdef0", "instanceType": "t3.micro"}
    said = {"associatePublicIpAddress": public, "metadataOptions": {"httpTokens": tokens}}
    groups = {"vpcSecurityGroupIds": [Out("web-group")]}
    size = {"availabilityZone": "eu-central-1a", "size": 20}
    return (
        Row("web-group", SECURITY, {"description": "web", "ingress": [opening(cidr)], **tags}),
        Row("web", INSTANCE, {**ami, **said, **groups, **disks, **tags}),
        Row("data", VOLUME, {**size, **({"encrypted": True} if encrypted else {}), **tags}),
    )


CASES: Final[Cases] = {
    "open": machine("0.0.0.0/0", "optional", {}, public=True, encrypted=False),
    "closed": machine("192.0.2.0/24", "required", {"tags": {"owner": "shop"}}, public=False, encrypted=True),
}
