"""Short ways to make the values that tests are about; everything left out is as dull as possible."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from plangate.facts.registry import with_facts
from plangate.model.plan import Action, Plan, Provisioner, Reference, Resource, Source
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.kubernetes import FORMAT as KUBERNETES
from plangate.parsers.terraform_plan import parse
from plangate.parsers.yaml_documents import read_yaml

AWS: Final = "registry.terraform.io/hashicorp/aws"


def a_resource(
    address: str = "aws_instance.web", values: Mapping[str, Any] | None = None, **changes: Any
) -> Resource:
    """A new AWS resource whose configuration names all values that are given.

    Args:
        address: ``type.name``, with module and index where wanted.
        values: Planned values, with `UNKNOWN` leaves.
        changes: Fields to set otherwise.
    """
    planned = dict(values or {})
    known = {key: value for key, value in planned.items() if value is not UNKNOWN}
    action = changes.get("action", Action.CREATE)
    gone = action in {Action.DELETE, Action.FORGET}
    native_type, name = address.split(".")[-2:]
    fields: dict[str, Any] = {
        "address": address,
        "type": native_type,
        "name": name,
        "provider": AWS,
        "cloud": "aws",
        "region": "eu-central-1",
        "action": action,
        "planned": {} if gone else planned,
        "before": None if action is Action.CREATE else known,
        "after": None if gone else known,
        "configured": frozenset(planned),
    }
    return Resource(**(fields | changes))


def a_reference(at: str, address: str, *, exact: bool = True, attribute: str = "id") -> Reference:
    """An edge from an attribute to another resource."""
    return Reference(at=at, address=address, exact=exact, attribute=attribute)


def a_plan(*resources: Resource, **changes: Any) -> Plan:
    """A plan of these resources, with their facts."""
    source = Source(
        name="plan.json",
        format="terraform-plan",
        format_version="1.2",
        tool="terraform 1.11.4",
        sha256="0" * 64,
        size=0,
        media_type="application/json",
    )
    fields: dict[str, Any] = {"source": source, "resources": with_facts(resources), "providers": (AWS,)}
    return Plan(**(fields | changes))


def a_provisioner(kind: str = "local-exec", *, runs: bool = True) -> Provisioner:
    """A provisioner of a resource."""
    return Provisioner(address="aws_instance.web", type=kind, runs=runs)


def a_plan_from(path: Path) -> Plan:
    """The plan in a file, with facts: Terraform's JSON, or manifests as YAML."""
    if path.suffix == ".yaml":
        return manifests(path.read_text(encoding="utf-8"), path.name)
    return a_plan_of(path.read_bytes(), path.name)


def case_file(folder: Path, name: str) -> Path:
    """The file of a rule's case, whatever it is written in."""
    found = [
        folder / f"{name}{suffix}" for suffix in (".json", ".yaml") if (folder / f"{name}{suffix}").exists()
    ]
    assert len(found) == 1, f"{folder}/{name}"
    return found[0]


def manifests(text: str, name: str = "manifests.yaml") -> Plan:
    """The plan of Kubernetes manifests, with facts."""
    data = text.encode()
    source = Input(name=name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = KUBERNETES.parse(read_yaml(source, Limits()), Options(), Limits())
    return replace(plan, resources=with_facts(plan.resources, plan.source.format))


def a_plan_of(data: bytes, name: str = "plan.json") -> Plan:
    """The plan in these bytes, with facts."""
    digest = hashlib.sha256(data).hexdigest()
    plan = parse(Input(name=name, data=data, sha256=digest, size=len(data)), Limits())
    return a_plan(**{field: getattr(plan, field) for field in plan.__struct_fields__ if field != "resources"},
                  resources=with_facts(plan.resources))  # fmt: skip


def facts_of(resource: Resource, *others: Resource) -> Mapping[str, Any]:
    """Facts of a resource in a plan with others."""
    return with_facts((resource, *others))[0].facts
