"""Makes Terraform plan documents of any size, byte for byte the same in every run.

``python -m bench.generate 1000 plan.json`` writes a plan of 1,000 resources as ``terraform show -json``
of version 1.11.4 would: resource changes with their unknown and sensitive shadows, planned values, prior
state, and the configuration with its references, modules and ``for_each``.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.estate import FILLER, HUB, REGION, SERVICE, Template, attributes, instances
from bench.values import known, sensitive, settled, unknown

PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
SERVICE_SIZE: Final = sum(1 for _ in instances(SERVICE))
# Of ten services eight are new, one stays, and the tenth is updated, replaced, deleted or kept in turn.
_RARE: Final = ("update", "replace", "delete", "no-op")
_WORDS: Final = {"replace": ["delete", "create"]}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One resource instance and what the plan does to it."""

    template: Template
    key: int | str | None
    module: str
    service: str
    action: str

    @property
    def address(self) -> str:
        """Full address, with module path and instance key."""
        key = (
            f'["{self.key}"]'
            if isinstance(self.key, str)
            else f"[{self.key}]"
            if self.key is not None
            else ""
        )
        prefix = f"{self.module}." if self.module else ""
        return f"{prefix}{self.template.type}.{self.template.name}{key}"

    @property
    def identity(self) -> Json:
        """The members that changes, planned values and state share."""
        template = self.template
        found: Json = {
            "address": self.address,
            "mode": "managed",
            "type": template.type,
            "name": template.name,
        }
        if self.key is not None:
            found["index"] = self.key
        return found | {"provider_name": PROVIDER}

    @property
    def values(self) -> Json:
        """Attribute values with their marks."""
        return attributes(self.template.type, self.template.name, self.key, self.service)


def estate(resources: int) -> tuple[list[Instance], int]:
    """The instances of a plan, and how many services they make.

    The hub comes first (its first ``resources`` members in a smaller plan), then whole services, then log
    groups in the root module up to the number asked for.
    """
    hub = [
        Instance(template=template, key=key, module="", service="hub", action="create")
        for template, key in list(instances(HUB))[:resources]
    ]
    services, rest = divmod(resources - len(hub), SERVICE_SIZE)
    made = [
        Instance(
            template=template,
            key=key,
            module=f'module.service["s{number:04}"]',
            service=f"s{number:04}",
            action=_action(number, template.type),
        )
        for number in range(services)
        for template, key in instances(SERVICE)
    ]
    filler = Template(type=FILLER, name="extra", keys=tuple(range(rest)) or (None,))
    extra = [
        Instance(template=filler, key=key, module="", service="hub", action="create") for key in range(rest)
    ]
    return hub + made + extra, services


def _action(number: int, kind: str) -> str:
    """What happens to a resource of the service with this number. Only instances are replaced."""
    tens, ones = divmod(number, 10)
    action = _RARE[tens % len(_RARE)] if ones == 9 else "no-op" if ones == 4 else "create"  # noqa: PLR2004
    return "no-op" if action == "replace" and kind != "aws_instance" else action


def change(instance: Instance) -> Json:
    """The member of ``resource_changes``."""
    values = instance.values
    full, action = settled(values), instance.action
    before = None if action == "create" else full
    if action == "update" and "tags" in full:
        older = full["tags"] | {"owner": "team-before"}
        before = full | {"tags": older, "tags_all": older}
    fresh = action in {"create", "replace"}
    after = None if action == "delete" else known(values) if fresh else full
    shown: Json = {
        "actions": _WORDS.get(action, [action]),
        "before": before,
        "after": after,
        "after_unknown": unknown(values) if fresh else {},
        "before_sensitive": sensitive(values) if before is not None else False,
        "after_sensitive": sensitive(values) if after is not None else False,
    }
    if action == "replace":
        shown["replace_paths"] = [["ami"]]
    reason = {"replace": "replace_because_cannot_update", "delete": "delete_because_each_key"}.get(action)
    place = {"module_address": instance.module} if instance.module else {}
    return (
        instance.identity
        | place
        | {"change": shown}
        | ({"action_reason": reason} if reason is not None else {})
    )


def _module_tree(members: Iterator[tuple[Instance, Json]]) -> Json:
    """The nested shape of planned values and state: root resources, then one child module per service."""
    root: list[Json] = []
    children: dict[str, list[Json]] = {}
    for instance, values in members:
        shown = instance.identity | {
            "schema_version": 1,
            "values": values,
            "sensitive_values": sensitive(instance.values),
        }
        (children.setdefault(instance.module, []) if instance.module else root).append(shown)
    nested = [{"resources": found, "address": address} for address, found in children.items()]
    return {"resources": root} | ({"child_modules": nested} if nested else {})


def _configuration(members: list[Instance], services: int) -> Json:
    root = {i.template.name + i.template.type: i.template for i in members if not i.module}
    module: Json = {"resources": [template.configuration() for template in root.values()]}
    variables: Json = {"db_password": {"sensitive": True}, "vpc_id": {}}
    if services:
        own = {name: {"references": [f"var.{name}"]} for name in ("db_password", "user_data", "vpc_id")}
        module["module_calls"] = {
            "service": {
                "source": "./modules/service",
                "for_each_expression": {"references": ["var.services"]},
                "expressions": {"name": {"references": ["each.key"]}} | own,
                "module": {
                    "resources": [template.configuration() for template in SERVICE],
                    "variables": {"name": {}, "vpc_id": {}}
                    | {secret: {"sensitive": True} for secret in ("db_password", "user_data")},
                },
            }
        }
        variables |= {"services": {}, "user_data": {"sensitive": True}}
    provider = {
        "name": "aws",
        "full_name": PROVIDER,
        "expressions": {"region": {"constant_value": REGION}},
    }
    return {"provider_config": {"aws": provider}, "root_module": module | {"variables": variables}}


def plan(resources: int) -> Json:
    """A plan document with exactly this many entries in ``resource_changes``."""
    members, services = estate(resources)
    here = ((i, settled(i.values)) for i in members if i.action != "create")
    then = (
        (i, known(i.values) if i.action in {"create", "replace"} else settled(i.values))
        for i in members
        if i.action != "delete"
    )
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "variables": {"vpc_id": {"value": "vpc-0a1b2c3d4e5f60718"}},
        "planned_values": {"root_module": _module_tree(then)},
        "resource_changes": [change(instance) for instance in members],
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": "1.11.4",
            "values": {"root_module": _module_tree(here)},
        },
        "configuration": _configuration(members, services),
        "timestamp": "2026-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }


def write(resources: int, to: Path) -> None:
    """Write the plan as Terraform does: one line, no spaces."""
    to.write_text(json.dumps(plan(resources), separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
