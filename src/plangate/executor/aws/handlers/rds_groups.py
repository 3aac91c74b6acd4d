"""What databases stand in: groups of subnets, and groups of parameters.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html,
API_CreateDBParameterGroup.html and API_ModifyDBParameterGroup.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.handlers.rds import retag
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tags import as_mapping, marks_of, template_tags, wanted_tags

_LIMIT: Final = 255
_AT_ONCE: Final = 20
"""Parameters that one call takes."""


def _name_of(properties: Properties, name: str, mark: Mark) -> str:
    given = properties.get(name)
    return str(given).lower() if given else generated_name(mark, _LIMIT, lower=True)


def _named(aws: Aws, operation: str, result: str, name: str, identifiers: Sequence[str]) -> list[Any]:
    """These groups, in one call: a single one by its name, several out of the list of all; there is no filter."""
    if len(identifiers) != 1:
        wanted = frozenset(identifiers)
        return [item for item in aws.pages("rds", operation, result) if item[name] in wanted]
    try:
        return aws.pages("rds", operation, result, **{name: identifiers[0]})
    except Exception as error:
        if is_gone(error):
            return []
        raise


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    return as_mapping(aws.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"])


def _of_owner(owner: Owner, found: Iterable[Found]) -> list[Found]:
    return [each for each in found if owner.tags.items() <= each.marks.items()]


class DBSubnetGroup(BaseHandler):
    """``AWS::RDS::DBSubnetGroup``."""

    type: ClassVar[str] = "AWS::RDS::DBSubnetGroup"
    supported: ClassVar[frozenset[str]] = frozenset({
        "DBSubnetGroupDescription", "DBSubnetGroupName", "SubnetIds", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"DBSubnetGroupName"}
    names: ClassVar[frozenset[str]] = frozenset({"DBSubnetGroupName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all, and one for the tags of each."""
        items = _named(aws, "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName", identifiers)
        return {str(item["DBSubnetGroupName"]): self._found(aws, item) for item in items}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By the tags of each: an account has few."""
        items = aws.pages("rds", "describe_db_subnet_groups", "DBSubnetGroups")
        return _of_owner(owner, (self._found(aws, item) for item in items))

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        made = aws.client("rds").create_db_subnet_group(
            DBSubnetGroupName=_name_of(properties, "DBSubnetGroupName", mark),
            DBSubnetGroupDescription=str(properties["DBSubnetGroupDescription"]),
            SubnetIds=list(properties["SubnetIds"]),
            Tags=wanted_tags(properties, mark),
        )
        return str(made["DBSubnetGroup"]["DBSubnetGroupName"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _name_of(properties, "DBSubnetGroupName", mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for both, and one or two for the tags."""
        if changed & {"DBSubnetGroupDescription", "SubnetIds"}:
            aws.client("rds").modify_db_subnet_group(
                DBSubnetGroupName=found.identifier,
                DBSubnetGroupDescription=str(properties["DBSubnetGroupDescription"]),
                SubnetIds=list(properties["SubnetIds"]),
            )
        if "Tags" in changed:
            retag(aws, str(found.attributes["DBSubnetGroupArn"]), found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            aws.client("rds").delete_db_subnet_group(DBSubnetGroupName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Names in any letters."""
        return str(wanted).lower() == str(actual).lower() if name == "DBSubnetGroupName" else None

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any]) -> Found:
        arn = str(item["DBSubnetGroupArn"])
        tags = _tags(aws, arn)
        status = str(item.get("SubnetGroupStatus", "Complete"))
        return Found(
            identifier=str(item["DBSubnetGroupName"]),
            properties={
                "DBSubnetGroupName": item["DBSubnetGroupName"],
                "DBSubnetGroupDescription": item["DBSubnetGroupDescription"],
                "SubnetIds": sorted(str(each["SubnetIdentifier"]) for each in item["Subnets"]),
                "Tags": template_tags(tags),
            },
            attributes={REF: item["DBSubnetGroupName"], "DBSubnetGroupArn": arn},
            condition=Condition.READY if status == "Complete" else Condition.BUSY,
            detail=status,
            marks=marks_of(tags),
        )


class DBParameterGroup(BaseHandler):
    """``AWS::RDS::DBParameterGroup``; parameters that RDS reads at start only wait for the next one."""

    type: ClassVar[str] = "AWS::RDS::DBParameterGroup"
    supported: ClassVar[frozenset[str]] = frozenset({
        "DBParameterGroupName", "Description", "Family", "Parameters", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({"Parameters", "Tags"})
    defaults: ClassVar[Properties] = {"Parameters": {}, "Tags": []}
    names: ClassVar[frozenset[str]] = frozenset({"DBParameterGroupName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all, and two for each: its parameters and its tags."""
        items = _named(
            aws, "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName", identifiers
        )
        return {str(item["DBParameterGroupName"]): self._found(aws, item) for item in items}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By the tags of each: an account has few."""
        items = aws.pages("rds", "describe_db_parameter_groups", "DBParameterGroups")
        own = [item for item in items if not str(item["DBParameterGroupName"]).startswith("default.")]
        return _of_owner(owner, (self._found(aws, item) for item in own))

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Parameters follow as an update."""
        made = aws.client("rds").create_db_parameter_group(
            DBParameterGroupName=_name_of(properties, "DBParameterGroupName", mark),
            DBParameterGroupFamily=str(properties["Family"]),
            Description=str(properties["Description"]),
            Tags=wanted_tags(properties, mark),
        )
        return str(made["DBParameterGroup"]["DBParameterGroupName"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _name_of(properties, "DBParameterGroupName", mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for twenty parameters."""
        client = aws.client("rds")
        if "Parameters" in changed:
            before: Mapping[str, Any] = found.properties.get("Parameters", {})
            after = _texts(properties.get("Parameters", {}))
            put = {name: value for name, value in after.items() if before.get(name) != value}
            static = self._read_at_start(aws, found.identifier)
            for some in _parameters(put, static):
                client.modify_db_parameter_group(DBParameterGroupName=found.identifier, Parameters=some)
            for some in _parameters(dict.fromkeys(set(before) - set(after)), static):
                client.reset_db_parameter_group(
                    DBParameterGroupName=found.identifier, ResetAllParameters=False, Parameters=some
                )
        if "Tags" in changed:
            retag(aws, str(found.attributes["DBParameterGroupArn"]), found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            aws.client("rds").delete_db_parameter_group(DBParameterGroupName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Parameters one by one, as texts: one that was set by hand is a change."""
        if name == "DBParameterGroupName":
            return str(wanted).lower() == str(actual).lower()
        return _texts(wanted) == _texts(actual) if name == "Parameters" else None

    @staticmethod
    def _read_at_start(aws: Aws, group: str) -> frozenset[str]:
        """Parameters of this family that take effect with a restart only."""
        listed = aws.pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=group)
        return frozenset(str(each["ParameterName"]) for each in listed if each.get("ApplyType") == "static")

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any]) -> Found:
        name, arn = str(item["DBParameterGroupName"]), str(item["DBParameterGroupArn"])
        tags = _tags(aws, arn)
        own = aws.pages(
            "rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name, Source="user"
        )
        return Found(
            identifier=name,
            properties={
                "DBParameterGroupName": name,
                "Description": item["Description"],
                "Family": item["DBParameterGroupFamily"],
                "Parameters": {
                    str(each["ParameterName"]): str(each["ParameterValue"])
                    for each in own
                    if each.get("ParameterValue") is not None
                },
                "Tags": template_tags(tags),
            },
            attributes={REF: name, "DBParameterGroupArn": arn},
            marks=marks_of(tags),
        )


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in parameters.items()
    }


def _parameters(values: Mapping[str, str | None], static: frozenset[str]) -> list[list[dict[str, str]]]:
    """In lots that one call takes."""
    made = [
        {
            "ParameterName": name,
            **({} if values[name] is None else {"ParameterValue": str(values[name])}),
            "ApplyMethod": "pending-reboot" if name in static else "immediate",
        }
        for name in sorted(values)
    ]
    return [made[start : start + _AT_ONCE] for start in range(0, len(made), _AT_ONCE)]


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (DBSubnetGroup(), DBParameterGroup())}
