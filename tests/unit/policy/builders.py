"""Policies, resources and plans for tests, and the whole way from a policy to its outcomes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from plangate.model.document import plan_document, unknown_as_text
from plangate.model.plan import Action, Plan, Reference, Resource, Source
from plangate.model.values import UNKNOWN
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load
from plangate.policy.outcomes import Judged, PlanView, judge

SOURCE = Source(
    name="tfplan",
    format="terraform-plan",
    format_version="1.2",
    tool="terraform 1.11.4",
    sha256="0" * 64,
    size=1,
    media_type="application/json",
)

BAD_INSTANCE = """
deny contains lib.finding(instance, "it is public") if {
	some instance in lib.of_kind("compute.instance")
	instance.facts.public_ip == true
}
"""


def metadata(slug: str, extra: str = "") -> str:
    """A METADATA block with every required field; ``extra`` is more YAML below ``custom``."""
    lines = [
        "title: A good thing is true",
        "description: Why it matters.",
        "custom:",
        f"  id: {slug.replace('_', '-')}",
        "  severity: high",
        "  enforcement: mandatory",
        "  remediation: Make it true.",
        *(f"  {line}" for line in extra.splitlines()),
    ]
    return "# METADATA\n" + "".join(f"# {line}\n" for line in lines)


def a_policy(body: str = BAD_INSTANCE, slug: str = "no_bad", extra: str = "kinds: [compute.instance]") -> str:
    """A whole policy file."""
    return f"{metadata(slug, extra)}package policies.test.{slug}\n\nimport data.plangate.lib\n{body}"


def write(root: Path, files: Mapping[str, str]) -> PolicySource:
    """A policy folder with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return PolicySource(root=root, name="custom")


def load_policy(root: Path, text: str, **others: str) -> PolicySet:
    """The set of one policy (and others, by file name without its ending)."""
    files = {"policy.rego": text} | {f"{name}.rego": other for name, other in others.items()}
    return load([write(root, files)])


def a_resource(address: str = "aws_instance.web", **fields: Any) -> Resource:
    """A resource that is made; its planned values follow ``after``."""
    values: dict[str, Any] = {
        "type": address.rsplit(".", 2)[-2] if "." in address else "x",
        "name": address.rsplit(".", 1)[-1],
        "kind": "compute.instance",
        "action": Action.CREATE,
        "after": {},
        "facts": {"public_ip": False, "metadata_tokens_required": True, "disks_encrypted": True},
    }
    made = Resource(address=address, **(values | fields))
    return replace(made, planned=made.after or {})


def a_plan(*resources: Resource, **fields: Any) -> Plan:
    """A plan of these resources."""
    return Plan(source=SOURCE, resources=resources, **fields)


def document(plan: Plan) -> bytes:
    """The plan as the gate hands it to the engine."""
    encoder = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
    return encoder.encode(plan_document(plan))


def judged(policies: PolicySet, plan: Plan) -> Judged:
    """What the policies say of a plan, by the real engine."""
    with EmbeddedEngine(policies) as engine:
        return judge(policies, engine.evaluate(policies, document(plan), 20.0), PlanView(plan))


def statuses(policies: PolicySet, plan: Plan) -> dict[str, str]:
    """Address to status, for sets of one rule."""
    return {outcome.address: outcome.status.value for outcome in judged(policies, plan).outcomes}


def plan_of(entries: Mapping[str, Any]) -> Plan:
    """A plan from a normalized plan document, as the fixtures of policies hold it."""

    def facts(value: Any) -> Any:
        if value == "unknown":
            return UNKNOWN
        if isinstance(value, dict):
            return {key: facts(item) for key, item in value.items()}
        return tuple(map(facts, value)) if isinstance(value, list) else value

    def resource(entry: Mapping[str, Any]) -> Resource:
        return Resource(
            address=entry["address"],
            type=entry["type"],
            name=entry["name"],
            mode=entry["mode"],
            provider=entry["provider"],
            cloud=entry["cloud"] or "",
            kind=entry["kind"] or "",
            action=Action(entry["action"]),
            deposed=entry["deposed"] or "",
            before=entry["before"],
            after=entry["after"],
            planned=entry["after"] or {},
            unknown=tuple(entry["unknown"]),
            references=tuple(
                Reference(at=edge["at"], address=edge["address"], exact=edge["exact"])
                for edge in entry["references"]
            ),
            unresolved=tuple(entry["unresolved"]),
            facts=facts(entry["facts"]),
        )

    time = entries.get("context", {}).get("time") or ""
    return a_plan(*map(resource, entries["resources"]), time=time)
