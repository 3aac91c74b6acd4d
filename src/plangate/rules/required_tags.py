"""Resources carry the tags that are asked for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, not_applicable, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "tags": {
                "description": "Names of tags that every resource with tags must carry, each with the "
                "values that it may have; an empty list accepts any value that is not empty.",
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "default": {},
            },
        },
    }
)
_NO_TAGS: Final = not_applicable("a resource of this type has no tags")


def _judge(resource: Resource, settings: Settings) -> Verdict:
    asked: Mapping[str, list[str]] = setting(settings, SCHEMA, "tags")
    tags = resource.fact("tags")
    if tags is None:
        return _NO_TAGS
    if tags is UNKNOWN:
        return undecided("its tags are known only after apply", "/tags")
    complete = resource.fact("tags_complete") is True
    missing: list[str] = []
    wrong: list[str] = []
    unsure: list[str] = []
    for name, accepted in asked.items():
        value = tags.get(name)
        if value is UNKNOWN:
            # Set, to something not known yet: enough where any value will do, unless it comes out empty.
            unsure.append(name)
        elif value is None or value == "":
            (missing if complete or name in tags else unsure).append(name)
        elif accepted and value not in accepted:
            wrong.append(f"{name} (accepted: {', '.join(accepted)})")
    if missing or wrong:
        parts = [f"tags are missing: {', '.join(missing)}"] if missing else []
        parts += [f"tags have a value that is not accepted: {', '.join(wrong)}"] if wrong else []
        return failed("; ".join(parts), "/tags")
    return undecided(f"tags are known only after apply: {', '.join(unsure)}", "/tags") if unsure else PASS


RULE: Final = Rule(
    spec=RuleSpec(
        id="required-tags",
        title="Resources carry the tags that are asked for",
        description="Every resource that can have tags has those that the settings name, with an accepted "
        "value. Default tags of the provider count.",
        severity=Severity.LOW,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.OBLIGE,
        kinds=(),
        remediation="Add the tags (Google: labels) to the resource, or to default_tags or default_labels of the "
        "provider.",
        frameworks=(("nist-800-53-r5", ("CM-8",)),),
    ),
    judge=_judge,
    rationale="Owner, environment and cost centre have to be on a thing from the start: nobody finds them "
    "out later. Without settings, the rule does not apply.",
    bad="""
# With tags: {owner: [], environment: [prod, test]}
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
  tags = { owner = "payments" }
}
""",
    good="""
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
  tags = {
    owner       = "payments"
    environment = "prod"
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging",
        "https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    ),
    needs="tags",
    settings_schema=SCHEMA,
)
