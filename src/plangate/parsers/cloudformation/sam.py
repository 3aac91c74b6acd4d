"""What SAM makes of its own types, as far as it is judged: their globals, and the roles of functions.

Source:
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
and
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html
"""

from collections.abc import Mapping
from typing import Any, Final

from plangate.parsers.cloudformation.trace import Budget

_PREFIX: Final = "AWS::Serverless::"
_WITH_ROLE: Final = frozenset({"AWS::Serverless::Function", "AWS::Serverless::StateMachine"})
_STATEMENT: Final = "Statement"


def with_globals(
    kind: str, node: Mapping[str, Any], section: Mapping[str, Any], budget: Budget
) -> Mapping[str, Any]:
    """A resource as it is written, with the globals of its type: objects are merged, lists put behind each other."""
    shared = section.get(kind.removeprefix(_PREFIX)) if kind.startswith(_PREFIX) else None
    if not isinstance(shared, Mapping):
        return node
    own = node.get("Properties")
    return {**node, "Properties": _merged(shared, {} if own is None else own, budget)}


def role_of(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The role that SAM makes for a function or state machine; ``None`` for one that makes none.

    Of what may stand in ``Policies``, names and documents are known. A policy template of SAM allows what it needs on
    what it names; its document is not known here.
    """
    properties = node.get("Properties")
    if node.get("Type") not in _WITH_ROLE or not isinstance(properties, Mapping):
        return None
    policies = properties.get("Policies")
    if policies is None or "Role" in properties:
        return None
    if isinstance(policies, Mapping) and _is_call(policies):
        made: dict[str, Any] = {"ManagedPolicyArns": policies}
    else:
        listed = policies if isinstance(policies, list) else [policies]
        made = {
            "ManagedPolicyArns": [_arn(item) for item in listed if not _is_inline(item)],
            "Policies": [
                {"PolicyDocument": item} for item in listed if _is_inline(item) and _STATEMENT in item
            ],
        }
    return {
        **{key: node[key] for key in ("Condition",) if key in node},
        "Type": "AWS::IAM::Role",
        "Properties": made,
    }


def _is_inline(item: Any) -> bool:
    return isinstance(item, Mapping) and not _is_call(item)


def _arn(item: Any) -> Any:
    """A policy by its ARN, or by the name of one that AWS manages."""
    if isinstance(item, str) and not item.startswith("arn:"):
        return {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{item}"}
    return item


def _merged(shared: Any, own: Any, budget: Budget) -> Any:
    budget.spend(nodes=len(shared) if isinstance(shared, Mapping | list) else 1)
    if isinstance(shared, Mapping) and isinstance(own, Mapping) and not (_is_call(shared) or _is_call(own)):
        return {
            key: own[key]
            if key not in shared
            else shared[key]
            if key not in own
            else _merged(shared[key], own[key], budget)
            for key in (*shared, *(key for key in own if key not in shared))
        }
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    return own


def _is_call(node: Mapping[str, Any]) -> bool:
    name = next(iter(node), "")
    return len(node) == 1 and (name == "Ref" or name.startswith("Fn::"))
