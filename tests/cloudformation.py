"""Templates and change sets as plans, for tests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan, Resource
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.cloudformation import CHANGE_SET, FORMAT
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.yaml_documents import read_yaml

REPOSITORY: Final = Path(__file__).resolve().parents[1]
FIXTURES: Final = REPOSITORY / "fixtures" / "cloudformation"


def documents(data: bytes, name: str = "template.yaml", limits: Limits | None = None) -> Documents:
    """A template's or a change set's document; JSON by its name."""
    source = Input(name=name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    reader = read_json_document if name.endswith("json") else read_yaml
    return reader(source, limits or Limits())


def template(text: str, limits: Limits | None = None, **parameters: str) -> Plan:
    """The plan of a template in YAML; ``AWS__Region`` stands for ``AWS::Region``."""
    given = {name.replace("__", "::"): value for name, value in parameters.items()}
    return FORMAT.parse(documents(text.encode()), Options(parameters=given), limits or Limits())


def judged(text: str, **parameters: str) -> Plan:
    """The same with facts."""
    return plan_with_facts(template(text, None, **parameters))


def property_of(value: str, head: str = "", **parameters: str) -> Any:
    """What a property whose value is written so becomes, beside a queue and a topic.

    Args:
        value: The property, in YAML flow style.
        head: Sections of the template beside ``Resources``.
        parameters: Values that are given.
    """
    return resource_with(value, head, **parameters).planned.get("P", "ABSENT")


def resource_with(value: str, head: str = "", **parameters: str) -> Resource:
    """The resource that has the property of `property_of`."""
    text = (
        f"{head}\nResources:\n  Queue: {{Type: 'AWS::SQS::Queue'}}\n  Topic: {{Type: 'AWS::SNS::Topic'}}\n"
        f"  X:\n    Type: AWS::X::Y\n    Properties:\n      P: {value}\n"
    )
    return template(text, None, **parameters).resources[-1]


def change_set(document: Mapping[str, Any], limits: Limits | None = None) -> Plan:
    """The plan of a described change set, with facts."""
    read = documents(json.dumps(document).encode(), "change-set.json", limits)
    return plan_with_facts(CHANGE_SET.parse(read, Options(), limits or Limits()))
