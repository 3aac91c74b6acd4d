"""The resources of a stack as they are after a change (``plangate.dev/stack-read-back/v1``), as a plan without changes.

Rules this module keeps:
1. A resource has the values that AWS tells, and no others. What the template sets and AWS does not tell is unknown.
2. A resource that could not be read is unknown as a whole; one that is not there is no resource.
3. References are the judged template's: values of real resources name each other by identifiers only.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Plan, Resource
from plangate.model.values import UNKNOWN, AllUnknown, at_pointer, known_part
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.cloudformation.recorded import parse
from plangate.parsers.cloudformation.secret_names import secret_places, secret_texts
from plangate.parsers.json_documents import read_json_document

SCHEMA: Final = "plangate.dev/stack-read-back/v1"
NAME: Final = "the stack after the change"


def parse_read_back(data: bytes, limits: Limits) -> Plan:
    """The resources of a stack, each as it is.

    Raises:
        PlanParseError: Not such a document.
    """
    source = Input(name=NAME, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    documents = read_json_document(source, limits)
    root = documents.values[0]
    there = root.get("resources") if isinstance(root, Mapping) and root.get("schema") == SCHEMA else None
    if not isinstance(there, Mapping) or not isinstance(root.get("judged"), Mapping):
        raise PlanParseError(NAME, f"expected a document {SCHEMA}")
    judged = parse(
        Documents(source=source, values=(root["judged"],), places=documents.places), Options(), limits
    )
    resources = [
        _as_it_is(resource, there[resource.address])
        for resource in judged.resources
        if resource.exists_after and resource.address in there
    ]
    secrets = set(judged.secrets)
    for resource in resources:
        for at in resource.sensitive:
            secrets |= secret_texts(at_pointer(resource.after, at))
    return replace(judged, resources=tuple(resources), opaque=(), applyable=None, secrets=frozenset(secrets))


def _as_it_is(resource: Resource, entry: Any) -> Resource:
    real = entry.get("properties") if isinstance(entry, Mapping) else None
    planned: Mapping[str, Any] = AllUnknown()
    if isinstance(real, Mapping):
        untold = (resource.configured or frozenset()) - real.keys()
        planned = {**real, **dict.fromkeys(untold, UNKNOWN)}
    whole = isinstance(planned, AllUnknown)
    known, unknown = ({}, ("",)) if whole else known_part(planned)
    return replace(
        resource,
        action=Action.NO_OP,
        replace_order=None,
        replace_paths=(),
        reason="",
        importing=None,
        before=known,
        after=known,
        planned=planned,
        unknown=unknown,
        sensitive=tuple(sorted({*resource.sensitive, *secret_places(known)})),
        unresolved=(),
        configured=None if whole else frozenset(planned),
        location=None,
        places={},
    )
