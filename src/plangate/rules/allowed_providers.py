"""Changes are made by allowed providers."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Plan
from plangate.rules.base import PASS, Phase, Rule, Settings, Verdict, failed, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {
                "description": "Source addresses of providers, host/namespace/name, with * for one part.",
                "type": "array",
                "items": {"type": "string", "pattern": "^[^/]+/[^/]+/[^/]+$"},
                "minItems": 1,
                "default": [
                    "registry.terraform.io/hashicorp/*",
                    "registry.opentofu.org/hashicorp/*",
                    "terraform.io/builtin/*",
                    "pulumi.com/builtin/*",
                    "pulumi.com/packages/*",
                ],
            },
        },
    }
)


def _judge(plan: Plan, settings: Settings) -> Sequence[Verdict]:
    allowed = setting(settings, SCHEMA, "allowed")
    named = sorted({*plan.providers, *(r.provider for r in plan.resources if r.provider)})
    found = [failed(f"provider {name} is not allowed") for name in named if not _is_allowed(name, allowed)]
    found += [
        undecided("the plan does not say which provider makes it", address=r.address)
        for r in plan.resources
        if not r.provider
    ]
    return found or (PASS,)


def _is_allowed(name: str, allowed: Sequence[str]) -> bool:
    parts = _full(name).split("/")
    return any(
        len(parts) == len(wanted)
        and all(fnmatchcase(part, pattern) for part, pattern in zip(parts, wanted, strict=True))
        for wanted in (pattern.split("/") for pattern in allowed)
    )


def _full(name: str) -> str:
    """A source address. Before Terraform 0.13 there were only names, all of HashiCorp's own registry."""
    return name if "/" in name else f"registry.terraform.io/hashicorp/{name}"


RULE: Final = Rule(
    spec=RuleSpec(
        id="allowed-providers",
        title="Changes are made by allowed providers",
        description="Every provider that the plan names is on the list of the settings; by default those "
        "of HashiCorp.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        remediation="Add the provider to the settings once somebody has looked at it, or do without it.",
        frameworks=(("nist-800-53-r5", ("CM-11", "SR-3")),),
    ),
    judge=_judge,
    phase=Phase.PLAN,
    rationale="A provider is a program that is downloaded and run with the credentials of whoever plans "
    "and applies. One letter in its name makes it another program.",
    bad="""
terraform {
  required_providers {
    aws = {
      source = "hashic0rp/aws"
    }
  }
}
""",
    good="""
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
""",
    references=(
        "https://developer.hashicorp.com/terraform/language/providers/requirements#source-addresses",
        "https://developer.hashicorp.com/terraform/language/files/dependency-lock",
    ),
    settings_schema=SCHEMA,
)
