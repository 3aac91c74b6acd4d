"""Keys and their aliases.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, API_KeyMetadata.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.arguments import fitting, is_true, present
from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.keys import same_key
from plangate.executor.aws.policy_text import policy_object, policy_text, same_policy
from plangate.executor.aws.tagged import owned_by_tag, tagged_arns
from plangate.executor.aws.tags import Tags, as_mapping, changed_tags, marks_of, template_tags, wanted_tags

_WINDOW: Final = "plangate:pending-window"
"""Tag that keeps how many days a deletion waits: KMS asks for it with the deletion only."""
_LONGEST: Final = 30
_GONE: Final = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
_PASSING: Final = frozenset({"Creating", "Updating", "Unavailable"})
_TAKEN: Final = ("Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin")


class Key(BaseHandler):
    """``AWS::KMS::Key``.

    A key that waits for its deletion is gone. Without `PendingWindowInDays` it waits for 30 days, the longest. Another
    kind, use or origin is another key. A key that was disabled, or that rotates, by hand is left so when the template
    does not speak of it.
    """

    type: ClassVar[str] = "AWS::KMS::Key"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"read": frozenset({"kms:ListKeys"})}
    supported: ClassVar[frozenset[str]] = frozenset({
        *_TAKEN, "EnableKeyRotation", "Enabled", "KeyPolicy", "PendingWindowInDays", "RotationPeriodInDays", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"KeySpec", "KeyUsage", "MultiRegion", "Origin"}
    defaults: ClassVar[Properties] = {"Description": "", "Tags": []}

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Four calls for each: KMS tells them one by one."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(aws, self, "kms", owner, _key_of)

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; rotation follows as an update."""
        client = aws.client("kms")
        given = {name: properties[name] for name in _TAKEN if name in properties}
        if "KeyPolicy" in properties:
            given["Policy"] = policy_text(properties["KeyPolicy"])
        tags = as_mapping(wanted_tags(properties, mark)) | _window(properties)
        made = client.create_key(**fitting(client, "CreateKey", present(given)), Tags=_kms(tags))
        return str(made["KeyMetadata"]["KeyId"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """By the tags of all keys, if the index of tags does not know it yet: a key has no name, and costs money."""
        known = (_key_of(arn) for arn in tagged_arns(aws, "kms", mark.owner))
        for key in (*(each for each in known if each), *_all_keys(aws)):
            if mark.matches(_tags_if_told(aws, key)) and self.read(aws, [key]):
                return key
        return None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each; rotation needs an enabled key."""
        client, key = aws.client("kms"), found.identifier
        if "Description" in changed:
            client.update_key_description(KeyId=key, Description=properties.get("Description", ""))
        if "KeyPolicy" in changed:
            client.put_key_policy(
                KeyId=key, PolicyName="default", Policy=policy_text(properties["KeyPolicy"])
            )
        enabled = is_true(properties.get("Enabled", True))
        if "Enabled" in changed and enabled:
            client.enable_key(KeyId=key)
        if changed & {"EnableKeyRotation", "RotationPeriodInDays"}:
            self._rotate(aws, key, properties)
        if "Enabled" in changed and not enabled:
            client.disable_key(KeyId=key)
        if changed & {"Tags", "PendingWindowInDays"}:
            put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
            put = [*put, *({"Key": name, "Value": value} for name, value in _window(properties).items())]
            if put:
                client.tag_resource(KeyId=key, Tags=_kms(as_mapping(put)))
            if gone:
                client.untag_resource(KeyId=key, TagKeys=gone)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, which has KMS delete it after days, and lets nobody use it from now on."""
        try:
            aws.client("kms").schedule_key_deletion(
                KeyId=found.identifier,
                PendingWindowInDays=int(found.properties.get("PendingWindowInDays", _LONGEST)),
            )
        except Exception as error:
            # KMSInvalidStateException: it is waiting for its deletion already.
            if not is_gone(error) and (
                code_of(error) != "KMSInvalidStateException" or self.read(aws, [found.identifier])
            ):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Policies by their meaning."""
        return same_policy(wanted, actual) if name == "KeyPolicy" else None

    @staticmethod
    def _rotate(aws: Aws, key: str, properties: Properties) -> None:
        client = aws.client("kms")
        if not is_true(properties.get("EnableKeyRotation", False)):
            client.disable_key_rotation(KeyId=key)
            return
        given = present({"KeyId": key, "RotationPeriodInDays": properties.get("RotationPeriodInDays")})
        client.enable_key_rotation(**fitting(client, "EnableKeyRotation", given))

    @staticmethod
    def _found(aws: Aws, key: str) -> Found | None:
        client = aws.client("kms")
        try:
            said = client.describe_key(KeyId=key)["KeyMetadata"]
            if said["KeyState"] in _GONE:
                return None
            policy = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
            tags = _tags(aws, key)
            rotation: Mapping[str, Any] = {}
            if (
                said.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
                and said["Origin"] == "AWS_KMS"
            ):
                rotation = client.get_key_rotation_status(KeyId=key)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        window = tags.pop(_WINDOW, None)
        return Found(
            identifier=key,
            properties={
                "Description": said.get("Description", ""),
                "Enabled": bool(said["Enabled"]),
                "EnableKeyRotation": bool(rotation.get("KeyRotationEnabled", False)),
                **present(
                    {
                        "KeySpec": said.get("KeySpec"),
                        "KeyUsage": said.get("KeyUsage"),
                        "MultiRegion": bool(said.get("MultiRegion", False)),
                        "Origin": said["Origin"],
                        "PendingWindowInDays": None if window is None else int(window),
                        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
                    }
                ),
                "KeyPolicy": policy_object(policy),
                "Tags": template_tags(tags),
            },
            attributes={REF: key, "KeyId": key, "Arn": said["Arn"]},
            condition=Condition.BUSY if said["KeyState"] in _PASSING else Condition.READY,
            detail=str(said["KeyState"]),
            marks=marks_of(tags),
        )


class Alias(BaseHandler):
    """``AWS::KMS::Alias``."""

    type: ClassVar[str] = "AWS::KMS::Alias"
    supported: ClassVar[frozenset[str]] = frozenset({"AliasName", "TargetKeyId"})
    updatable: ClassVar[frozenset[str]] = frozenset({"TargetKeyId"})
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"AliasName"})
    part_of: ClassVar[str] = "TargetKeyId"
    whole: ClassVar[str] = "AWS::KMS::Key"
    key: ClassVar[frozenset[str]] = frozenset({"AliasName", "TargetKeyId"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """The list of all; there is no other way."""
        wanted = frozenset(identifiers)
        return {
            str(item["AliasName"]): Found(
                identifier=str(item["AliasName"]),
                properties={"AliasName": item["AliasName"], "TargetKeyId": item["TargetKeyId"]},
                attributes={REF: item["AliasName"]},
            )
            for item in aws.pages("kms", "list_aliases", "Aliases")
            if item["AliasName"] in wanted and item.get("TargetKeyId")
        }

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call."""
        name = str(properties["AliasName"])
        aws.client("kms").create_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """By name, when it stands for the same key: it cannot carry a mark."""
        name = str(properties["AliasName"])
        found = self.read(aws, [name]).get(name)
        if found is None or not same_key(properties["TargetKeyId"], found.properties["TargetKeyId"]):
            return None
        return name

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """This name, whatever key it stands for: only that of a key of ours is ours."""
        return str(properties["AliasName"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call."""
        if "TargetKeyId" in changed:
            aws.client("kms").update_alias(AliasName=found.identifier, TargetKeyId=properties["TargetKeyId"])

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            aws.client("kms").delete_alias(AliasName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Keys by id or ARN."""
        return same_key(wanted, actual) if name == "TargetKeyId" else None


def _key_of(arn: str) -> str | None:
    return arn.partition(":key/")[2] or None


def _all_keys(aws: Aws) -> list[str]:
    return [str(each["KeyId"]) for each in aws.pages("kms", "list_keys", "Keys")]


def _tags(aws: Aws, key: str) -> dict[str, str]:
    return as_mapping(aws.pages("kms", "list_resource_tags", "Tags", KeyId=key))


def _tags_if_told(aws: Aws, key: str) -> dict[str, str]:
    """Tags of any key of the account; none of one that is gone, or that its policy keeps from us."""
    try:
        return _tags(aws, key)
    except Exception as error:
        if is_gone(error) or code_of(error) == "AccessDeniedException":
            return {}
        raise


def _kms(tags: Mapping[str, str]) -> Tags:
    return [{"TagKey": name, "TagValue": tags[name]} for name in sorted(tags)]


def _window(properties: Properties) -> dict[str, str]:
    days = properties.get("PendingWindowInDays")
    return {} if days is None else {_WINDOW: str(days)}


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Key(), Alias())}
