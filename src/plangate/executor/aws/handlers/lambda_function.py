"""Functions.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, API_GetFunction.html,
API_UpdateFunctionConfiguration.html and https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.arguments import only, present
from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.calls import call
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.lambda_code import CODE_TAG, code_arguments, code_digest, same_code, told_code
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import as_mapping, changed_tags, marks_of, template_tags, wanted_tags

_LIMIT: Final = 64
_CONFIGURATION: Final = (
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
"""What UpdateFunctionConfiguration changes."""
_TAKEN_AS: Final = {"KmsKeyArn": "KMSKeyArn"}


class Function(BaseHandler):
    """``AWS::Lambda::Function``.

    Lambda takes one change at a time: what it does not take yet is left for the next update. A package in a bucket is
    deployed again when its place or version is another in the template; inline code also when somebody changed it by
    hand.
    """

    type: ClassVar[str] = "AWS::Lambda::Function"
    supported: ClassVar[frozenset[str]] = frozenset({
        *_CONFIGURATION, "Architectures", "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"FunctionName", "PackageType"}
    defaults: ClassVar[Properties] = {
        "Description": "",
        "Environment": {},
        "EphemeralStorage": {"Size": 512},
        "Layers": [],
        "MemorySize": 128,
        "Tags": [],
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "VpcConfig": {},
    }
    patience_s: ClassVar[float] = 2700.0
    names: ClassVar[frozenset[str]] = frozenset({"FunctionName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call each."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(aws, self, "lambda", owner, _function_of)

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; reserved concurrency follows as an update."""
        name = _name_of(properties, mark)
        tags = as_mapping(wanted_tags(properties, mark)) | {CODE_TAG: code_digest(properties["Code"])}
        given = {each: properties.get(each) for each in ("Architectures", "PackageType")}
        call(
            aws,
            "lambda",
            "CreateFunction",
            **present(given),
            **_configuration(properties, frozenset(_CONFIGURATION) & set(properties)),
            FunctionName=name,
            Code=code_arguments(properties),
            Tags=tags,
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _name_of(properties, mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """As many changes as Lambda takes now, the code first, from what is there now."""
        name, arn = found.identifier, str(found.attributes["Arn"])
        if changed & {"Code", "Architectures"}:
            now = self.read(aws, [name]).get(name, found)
            if "Architectures" in changed or not same_code(properties["Code"], now.properties["Code"]):
                given = present({"Architectures": properties.get("Architectures")})
                call(
                    aws,
                    "lambda",
                    "UpdateFunctionCode",
                    FunctionName=name,
                    **code_arguments(properties),
                    **given,
                )
                tag = {CODE_TAG: code_digest(properties["Code"])}
                call(aws, "lambda", "TagResource", Resource=arn, Tags=tag)
        wanted = {**self.defaults, **properties}
        if changed & set(_CONFIGURATION):
            given = _configuration(wanted, changed & set(_CONFIGURATION))
            try:
                call(aws, "lambda", "UpdateFunctionConfiguration", FunctionName=name, **given)
            except Exception as error:
                # The code is on its way: the next update comes when it has arrived.
                if "Code" not in changed or code_of(error) != "ResourceConflictException":
                    raise
        if "ReservedConcurrentExecutions" in changed:
            call(
                aws,
                "lambda",
                "PutFunctionConcurrency",
                FunctionName=name,
                ReservedConcurrentExecutions=properties["ReservedConcurrentExecutions"],
            )
        if "Tags" in changed:
            put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
            if put:
                call(aws, "lambda", "TagResource", Resource=arn, Tags=as_mapping(put))
            if gone:
                call(aws, "lambda", "UntagResource", Resource=arn, TagKeys=gone)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            aws.client("lambda").delete_function(FunctionName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Code by what the template says of it, variables one by one, subnets and groups in any order."""
        if name == "Code":
            return same_code(wanted, actual)
        if name == "Environment":
            return _variables(wanted) == _variables(actual)
        if name == "VpcConfig":
            return _network(wanted) == _network(actual)
        return None

    @staticmethod
    def _found(aws: Aws, name: str) -> Found | None:
        try:
            answer = aws.client("lambda").get_function(FunctionName=name)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        said, tags = answer["Configuration"], dict(answer.get("Tags") or {})
        code = told_code(tags, str(said.get("CodeSha256", "")))
        tags.pop(CODE_TAG, None)
        return Found(
            identifier=name,
            properties={
                **_told(said),
                **present(
                    {
                        "ReservedConcurrentExecutions": (answer.get("Concurrency") or {}).get(
                            "ReservedConcurrentExecutions"
                        )
                    }
                ),
                "Code": code,
                "Tags": template_tags(tags),
            },
            attributes={REF: name, "Arn": said["FunctionArn"]},
            condition=_condition(said),
            detail=str(said.get("StateReason") or said.get("State", "")),
            marks=marks_of(tags),
        )


def _name_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("FunctionName") or generated_name(mark, _LIMIT))


def _function_of(arn: str) -> str | None:
    name = arn.partition(":function:")[2]
    return name if name and ":" not in name else None


def _condition(said: Mapping[str, Any]) -> Condition:
    if said.get("State") == "Failed" or said.get("LastUpdateStatus") == "Failed":
        return Condition.FAILED
    busy = said.get("State") == "Pending" or said.get("LastUpdateStatus") == "InProgress"
    return Condition.BUSY if busy else Condition.READY


def _told(said: Mapping[str, Any]) -> dict[str, Any]:
    network = said.get("VpcConfig") or {}
    return present(
        {
            **{
                name: said.get(_TAKEN_AS.get(name, name))
                for name in _CONFIGURATION
                if name not in {"Environment", "Layers", "VpcConfig"}
            },
            "Architectures": said.get("Architectures"),
            "Environment": present({"Variables": (said.get("Environment") or {}).get("Variables")}),
            "FunctionName": said["FunctionName"],
            "Layers": [each["Arn"] for each in said.get("Layers") or ()],
            "PackageType": said.get("PackageType"),
            "VpcConfig": present(
                {
                    "SubnetIds": sorted(network.get("SubnetIds") or ()),
                    "SecurityGroupIds": sorted(network.get("SecurityGroupIds") or ()),
                }
            ),
        }
    )


def _configuration(properties: Properties, names: frozenset[str]) -> dict[str, Any]:
    """As both calls take it; nothing has to be said in full, or Lambda leaves things as they are."""
    given = {_TAKEN_AS.get(name, name): properties[name] for name in names}
    if "Environment" in given:
        given["Environment"] = {"Variables": _variables(given["Environment"])}
    if "VpcConfig" in given:
        given["VpcConfig"] = _network(given["VpcConfig"])
    return given


def _variables(value: Any) -> dict[str, str]:
    given = only("Environment", value or {}, "Variables").get("Variables") or {}
    return {
        str(name): str(each).lower() if isinstance(each, bool) else str(each) for name, each in given.items()
    }


def _network(value: Any) -> dict[str, list[str]]:
    given = only("VpcConfig", value or {}, "SubnetIds", "SecurityGroupIds")
    return {name: sorted(given.get(name) or ()) for name in ("SubnetIds", "SecurityGroupIds")}


HANDLERS: Final[Mapping[str, Handler]] = {Function.type: Function()}
