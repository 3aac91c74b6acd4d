"""Launch templates.

A change of the data makes a new version, and that the default. So the default version and the latest one say the same,
unless somebody made a version by hand: groups that follow either would launch what nobody has judged, so that is a
difference, and a new version takes its place.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html and
API_DescribeLaunchTemplateVersions.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, Found, Handler, Mark, Properties, token_of
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.difference import covers
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tags import as_mapping, marks_of, tag_list, template_tags

_KIND: Final = "launch-template"
_NAME_LENGTH: Final = 128
_DEFAULT: Final = "$Default"
_LATEST: Final = "$Latest"
_AT_ONCE: Final = 15
"""Templates that one call asks for."""


class LaunchTemplate(ec2.Ec2Handler):
    """``AWS::EC2::LaunchTemplate``; its tags are in ``TagSpecifications``."""

    type: ClassVar[str] = "AWS::EC2::LaunchTemplate"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"ec2:DescribeLaunchTemplateVersions"}),
        "update": frozenset({"ec2:DescribeLaunchTemplateVersions", "ec2:ModifyLaunchTemplate"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({
        "LaunchTemplateData", "LaunchTemplateName", "TagSpecifications", "VersionDescription",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({
        "LaunchTemplateData", "TagSpecifications", "VersionDescription",
    })  # fmt: skip
    defaults: ClassVar[Properties] = {"TagSpecifications": []}
    volatile: ClassVar[frozenset[str]] = frozenset({"DefaultVersionNumber", "LatestVersionNumber"})
    names: ClassVar[frozenset[str]] = frozenset({"LaunchTemplateName"})
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_launch_templates",
        result="LaunchTemplates",
        key="LaunchTemplateId",
        filter="",
        kind=_KIND,
    )

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for fifteen, and one for each: its versions are told one template at a time."""
        items = [
            item
            for start in range(0, len(identifiers), _AT_ONCE)
            for item in _described(aws, identifiers[start : start + _AT_ONCE])
        ]
        return {found.identifier: found for found in self.found(aws, items) if found is not None}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, with a client token."""
        tags = as_mapping(_tags(properties)) | dict(mark.tags)
        made = ec2.call(
            aws,
            "CreateLaunchTemplate",
            LaunchTemplateName=properties.get("LaunchTemplateName") or generated_name(mark, _NAME_LENGTH),
            ClientToken=mark.token,
            TagSpecifications=[{"ResourceType": _KIND, "Tags": tag_list(tags)}],
            **ec2.chosen(properties, "LaunchTemplateData", "VersionDescription"),
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """A new version, unless the latest one is as wanted; it becomes the default."""
        if changed & {"LaunchTemplateData", "VersionDescription"}:
            self._set_version(aws, found.identifier, properties)
        if "TagSpecifications" in changed:
            before = Found(
                identifier=found.identifier,
                properties={"Tags": _tags(found.properties)},
                attributes={},
            )
            ec2.retag(aws, before, {"Tags": _tags(properties)})

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, for all versions."""
        ec2.quietly_gone(aws, "DeleteLaunchTemplate", LaunchTemplateId=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """The data has to have the same members: what it does not say, the image or the account decides."""
        if name == "TagSpecifications":
            return as_mapping(_tags({name: wanted})) == as_mapping(_tags({name: actual}))
        if name == "LaunchTemplateData" and not _says(actual) <= _says(wanted):
            return False
        return None

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found | None:
        """With both versions that groups may follow."""
        identifier = str(item["LaunchTemplateId"])
        try:
            versions = _versions(aws, identifier)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        latest, default = versions[_LATEST], versions[_DEFAULT]
        data = _data(latest)
        if _data(default) != data:
            data = {**data, _DEFAULT: _data(default)}
        tags = template_tags(item.get("Tags"))
        return Found(
            identifier=identifier,
            properties={
                "LaunchTemplateName": item["LaunchTemplateName"],
                "LaunchTemplateData": data,
                "VersionDescription": latest.get("VersionDescription") or "",
                **({"TagSpecifications": [{"ResourceType": _KIND, "Tags": tags}]} if tags else {}),
            },
            attributes={
                REF: identifier,
                "LaunchTemplateId": identifier,
                "LatestVersionNumber": str(latest["VersionNumber"]),
                "DefaultVersionNumber": str(default["VersionNumber"]),
            },
            marks=marks_of(item.get("Tags")),
        )

    def _set_version(self, aws: Aws, identifier: str, properties: Properties) -> None:
        wanted = properties["LaunchTemplateData"]
        description = properties.get("VersionDescription") or ""
        versions = _versions(aws, identifier)
        latest = versions[_LATEST]
        number = str(latest["VersionNumber"])
        actual = _data(latest)
        alike = _says(actual) <= _says(wanted) and covers(wanted, actual)
        described = latest.get("VersionDescription") or ""
        if not alike or ("VersionDescription" in properties and described != description):
            token = token_of(identifier, number, json.dumps(wanted, sort_keys=True, default=str), description)
            made = ec2.call(
                aws,
                "CreateLaunchTemplateVersion",
                LaunchTemplateId=identifier,
                LaunchTemplateData=wanted,
                ClientToken=token,
                **({"VersionDescription": description} if description else {}),
            )
            number = str(made["LaunchTemplateVersion"]["VersionNumber"])
        if number != str(versions[_DEFAULT]["VersionNumber"]):
            ec2.call(aws, "ModifyLaunchTemplate", LaunchTemplateId=identifier, DefaultVersion=number)


def _described(aws: Aws, identifiers: Sequence[str]) -> list[Any]:
    # There is no filter for ids, and the call fails as a whole when one of them does not exist.
    if not identifiers:
        return []
    try:
        return aws.pages(
            "ec2", "describe_launch_templates", "LaunchTemplates", LaunchTemplateIds=list(identifiers)
        )
    except Exception as error:
        if not is_gone(error):
            raise
    if len(identifiers) == 1:
        return []
    return [item for each in identifiers for item in _described(aws, [each])]


def _versions(aws: Aws, identifier: str) -> dict[str, Mapping[str, Any]]:
    told = aws.pages(
        "ec2",
        "describe_launch_template_versions",
        "LaunchTemplateVersions",
        LaunchTemplateId=identifier,
        Versions=[_DEFAULT, _LATEST],
    )
    # One and the same is told once.
    latest = max(told, key=lambda each: int(each["VersionNumber"]))
    default = next((each for each in told if each.get("DefaultVersion")), latest)
    return {_LATEST: latest, _DEFAULT: default}


def _data(version: Mapping[str, Any]) -> dict[str, Any]:
    data = dict(version.get("LaunchTemplateData") or {})
    given = [each for each in data.get("TagSpecifications") or () if each.get("ResourceType") != _KIND]
    return (
        {**data, "TagSpecifications": given}
        if given
        else {k: v for k, v in data.items() if k != "TagSpecifications"}
    )


def _says(data: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, value in data.items() if value not in (None, "", [], {}))


def _tags(properties: Properties) -> list[Mapping[str, Any]]:
    return [
        tag
        for each in properties.get("TagSpecifications") or ()
        if each.get("ResourceType") == _KIND
        for tag in each.get("Tags") or ()
    ]


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (LaunchTemplate(),)}
