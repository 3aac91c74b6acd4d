"""Plans for an account in memory."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from plangate.executor.aws.base import Owner
from plangate.executor.aws.planning import make_changes
from plangate.model.aws_plan import AWS_PLAN_SCHEMA, AwsPlan, Template
from plangate.parsers.base import Limits
from plangate.wiring.aws import evaluated
from tests.aws_memory import World

OWNER = Owner(environment="prod", stack="shop")


def planned(world: World, document: Mapping[str, Any], **parameters: str) -> AwsPlan:
    """What a template would change in it; one without resources takes everything down."""
    text = json.dumps(document, indent=1) if document.get("Resources") else ""
    plan = AwsPlan(
        schema=AWS_PLAN_SCHEMA,
        environment=OWNER.environment,
        stack=OWNER.stack,
        account="123456789012",
        region="eu-central-1",
        tool="plangate 0",
        template=Template(name="shop.json", sha256=hashlib.sha256(text.encode()).hexdigest(), text=text),
        parameters=parameters,
        zones={"eu-central-1": ("eu-central-1a",)},
        changes=(),
    )
    attributes: dict[str, Mapping[str, Any]] = {}
    desired = evaluated(plan, attributes, Limits())
    return replace(plan, changes=make_changes(desired, attributes, OWNER, world.known, world.kit))
