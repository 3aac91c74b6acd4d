"""EBS volumes and what they are attached to.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html, API_ModifyVolume.html and
API_AttachVolume.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws, code_of
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.handlers.instance import same_key
from plangate.executor.aws.tags import marks_of, template_tags

_VOLUMES: Final = ("describe_volumes", "Volumes")
_CHANGED_IN_PLACE: Final = ("Iops", "Size", "Throughput", "VolumeType")
_MADE_WITH: Final = (
    *_CHANGED_IN_PLACE, "AvailabilityZone", "Encrypted", "KmsKeyId", "MultiAttachEnabled", "SnapshotId",
)  # fmt: skip
_CONDITIONS: Final = {"creating": Condition.BUSY, "deleting": Condition.BUSY, "error": Condition.FAILED}
_ATTACHMENT: Final = {"attaching": Condition.BUSY, "detaching": Condition.BUSY, "busy": Condition.BUSY}


class Volume(ec2.Ec2Handler):
    """``AWS::EC2::Volume``. AWS grows a volume, and refuses to shrink it; it changes one once in six hours."""

    type: ClassVar[str] = "AWS::EC2::Volume"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"ec2:DescribeVolumesModifications"})
    }
    supported: ClassVar[frozenset[str]] = frozenset({*_MADE_WITH, "Tags"})
    updatable: ClassVar[frozenset[str]] = frozenset({*_CHANGED_IN_PLACE, "Tags"})
    defaults: ClassVar[Properties] = {"Tags": []}
    patience_s: ClassVar[float] = 1800.0
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation=_VOLUMES[0], result=_VOLUMES[1], key="VolumeId", filter="volume-id", kind="volume"
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, with a client token."""
        made = ec2.call(
            aws,
            "CreateVolume",
            ClientToken=mark.token,
            **ec2.chosen(properties, *_MADE_WITH),
            **self.tagging(properties, mark),
        )
        return str(made["VolumeId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for size, type and speed; nothing when AWS already has these."""
        names = [name for name in _CHANGED_IN_PLACE if name in changed]
        if names:
            current = self.read(aws, [found.identifier]).get(found.identifier, found).properties
            # A second request within six hours is refused, also when it asks for what is there.
            if any(str(current.get(name)) != str(properties.get(name)) for name in names):
                asked = ec2.chosen(properties, *names)
                ec2.call(aws, "ModifyVolume", VolumeId=found.identifier, **asked)
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; AWS refuses while the volume is attached."""
        ec2.quietly_gone(aws, "DeleteVolume", VolumeId=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """A key by its id."""
        return same_key(wanted, actual) if name == "KmsKeyId" else None

    def found(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> Sequence[Found | None]:
        """One call more, for changes under way: until they are made AWS tells the values of before."""
        ids = [str(each["VolumeId"]) for each in items]
        changes = ec2.described(
            aws, "describe_volumes_modifications", "VolumesModifications", "volume-id", ids
        )
        changing = {each["VolumeId"] for each in changes if each.get("ModificationState") == "modifying"}
        return [self._found(each, changing=each["VolumeId"] in changing) for each in items]

    @staticmethod
    def _found(item: Mapping[str, Any], *, changing: bool) -> Found:
        identifier, state = str(item["VolumeId"]), str(item.get("State", ""))
        return Found(
            identifier=identifier,
            properties={
                **ec2.told(item, *_MADE_WITH),
                "Encrypted": bool(item.get("Encrypted")),
                "MultiAttachEnabled": bool(item.get("MultiAttachEnabled")),
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={REF: identifier, "VolumeId": identifier},
            condition=Condition.BUSY if changing else _CONDITIONS.get(state, Condition.READY),
            detail="modifying" if changing else state,
            marks=marks_of(item.get("Tags")),
        )


class VolumeAttachment(BaseHandler):
    """``AWS::EC2::VolumeAttachment``, known by volume and instance."""

    type: ClassVar[str] = "AWS::EC2::VolumeAttachment"
    supported: ClassVar[frozenset[str]] = frozenset({"Device", "InstanceId", "VolumeId"})
    updatable: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"VolumeId"})
    part_of: ClassVar[str] = "VolumeId"
    whole: ClassVar[str] = "AWS::EC2::Volume"
    key: ClassVar[frozenset[str]] = frozenset({"InstanceId", "VolumeId"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all."""
        volumes = sorted({each.partition("|")[0] for each in identifiers})
        found = (
            self._found(attachment)
            for item in ec2.described(aws, *_VOLUMES, "volume-id", volumes)
            for attachment in item.get("Attachments") or ()
            if attachment.get("State") != "detached"
        )
        return {each.identifier: each for each in found if each.identifier in identifiers}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call."""
        ec2.call(aws, "AttachVolume", **ec2.chosen(properties, "Device", "InstanceId", "VolumeId"))
        return f"{properties['VolumeId']}|{properties['InstanceId']}"

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The attachment of this very volume to this very instance, under this name."""
        identifier = f"{properties['VolumeId']}|{properties['InstanceId']}"
        found = self.read(aws, [identifier]).get(identifier)
        wanted = ec2.chosen(properties, "Device", "InstanceId", "VolumeId")
        return identifier if found is not None and wanted.items() <= found.properties.items() else None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The attachment of this volume to this instance, under any name."""
        return f"{properties['VolumeId']}|{properties['InstanceId']}"

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Nothing of it can be changed."""

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, never by force: the instance may be writing."""
        try:
            ec2.call(
                aws,
                "DetachVolume",
                VolumeId=found.properties["VolumeId"],
                InstanceId=found.properties["InstanceId"],
            )
        except Exception as error:
            # What is not attached is in another state than AWS wants, and so is what is being detached.
            if code_of(error) not in (
                "IncorrectState",
                "InvalidAttachment.NotFound",
                "InvalidVolume.NotFound",
            ):
                raise

    @staticmethod
    def _found(attachment: Mapping[str, Any]) -> Found:
        identifier = f"{attachment['VolumeId']}|{attachment['InstanceId']}"
        state = str(attachment.get("State", ""))
        return Found(
            identifier=identifier,
            properties=ec2.told(attachment, "Device", "InstanceId", "VolumeId"),
            attributes={REF: identifier},
            condition=_ATTACHMENT.get(state, Condition.READY),
            detail=state,
        )


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Volume(), VolumeAttachment())}
