"""Small Terraform plan documents, written the way terraform writes them; everything left out is as dull as possible."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Plan, Resource
from plangate.parsers.base import Input, Limits
from plangate.parsers.terraform_plan import parse

AWS = "registry.terraform.io/hashicorp/aws"


def an_entry(address: str = "aws_instance.web", actions: str = "create", **changes: Any) -> dict[str, Any]:
    """One of ``resource_changes``.

    Args:
        address: Without dots in its instance keys; module, mode, type, name and index are taken from it.
        actions: Action words, joined by ``+``.
        changes: Members of ``change``; those of the entry itself come as ``entry={…}``.
    """
    words = actions.split("+")
    module, _, own = address.rpartition("].") if "]." in address else ("", "", address)
    module = module + "]" if module else ""
    steps = own.split(".")
    while steps[0] == "module":
        module = ".".join(filter(None, (module, "module", steps[1])))
        steps = steps[2:]
    mode = "data" if steps[0] == "data" else "managed"
    native_type, name = steps[-2:]
    name, _, key = name.partition("[")
    change: dict[str, Any] = {
        "actions": words,
        "before": None if words in (["create"], ["read"]) else {"ami": "a"},
        "after": None if words in (["delete"], ["forget"]) else {"ami": "a"},
        "after_unknown": {},
        "before_sensitive": False,
        "after_sensitive": {},
    }
    entry: dict[str, Any] = {
        "address": address,
        "mode": mode,
        "type": native_type,
        "name": name,
        "provider_name": AWS,
    }
    if module:
        entry["module_address"] = module
    if key:
        entry["index"] = json.loads(key.removesuffix("]"))
    entry |= changes.pop("entry", {})
    return {**entry, "change": change | changes}


def a_document(*entries: Mapping[str, Any], **root: Any) -> dict[str, Any]:
    """A plan document with these change entries."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(entries),
        "configuration": {"root_module": {}},
        "complete": True,
        "errored": False,
    } | root


def read(document: Any, limits: Limits | None = None) -> Plan:
    """The plan of a document, or of bytes."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(
        Input(name="plan.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data)),
        limits or Limits(),
    )


def read_one(entry: Mapping[str, Any], **root: Any) -> Resource:
    """The one resource of a document."""
    (resource,) = read(a_document(entry, **root)).resources
    return resource


def refusal(document: Any, limits: Limits | None = None) -> str:
    """What is said when a document is refused."""
    with pytest.raises(PlanParseError) as caught:
        read(document, limits)
    return str(caught.value)


def a_configured(native_type: str, name: str, mode: str = "managed", **expressions: Any) -> dict[str, Any]:
    """A resource of the configuration. An expression is a list of names, or any other value as a constant."""
    return {
        "mode": mode,
        "type": native_type,
        "name": name,
        "provider_config_key": "aws",
        "expressions": {key: an_expression(value) for key, value in expressions.items()},
    }


def an_expression(value: Any) -> Any:
    """``{"references": …}`` for a list of names, blocks for a list of objects, else a constant."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {"references": value}
    if isinstance(value, list):
        return [{key: an_expression(inner) for key, inner in block.items()} for block in value]
    return {"constant_value": value}


def a_configuration(*resources: Mapping[str, Any], **module: Any) -> dict[str, Any]:
    """``configuration`` with a root module of these resources."""
    providers = module.pop("provider_config", {"aws": {"name": "aws", "full_name": AWS}})
    return {"provider_config": providers, "root_module": {"resources": list(resources), **module}}
