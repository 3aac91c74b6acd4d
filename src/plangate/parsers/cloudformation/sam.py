"""``Globals`` of SAM: what all resources of a kind have in common.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
"""

from collections.abc import Mapping
from typing import Any, Final

_PREFIX: Final = "AWS::Serverless::"


def with_globals(kind: str, node: Mapping[str, Any], section: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource as it is written, with the globals of its type: objects are merged, lists put behind each other."""
    shared = section.get(kind.removeprefix(_PREFIX)) if kind.startswith(_PREFIX) else None
    if not isinstance(shared, Mapping):
        return node
    own = node.get("Properties")
    return {**node, "Properties": _merged(shared, {} if own is None else own)}


def _merged(shared: Any, own: Any) -> Any:
    if isinstance(shared, Mapping) and isinstance(own, Mapping) and not (_is_call(shared) or _is_call(own)):
        return {
            key: own[key]
            if key not in shared
            else shared[key]
            if key not in own
            else _merged(shared[key], own[key])
            for key in (*shared, *(key for key in own if key not in shared))
        }
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    return own


def _is_call(node: Mapping[str, Any]) -> bool:
    name = next(iter(node), "")
    return len(node) == 1 and (name == "Ref" or name.startswith("Fn::"))
