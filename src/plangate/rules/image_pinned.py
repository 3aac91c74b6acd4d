"""Images are pinned to a version."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import (
    CONTAINER_KINDS,
    Container,
    Rule,
    Settings,
    Verdict,
    every_container,
    failed,
    setting,
    undecided,
)

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "by": {
                "description": "How: a tag other than latest is enough, or only a digest is.",
                "enum": ["tag", "digest"],
                "default": "tag",
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    return every_container(resource, partial(_asked, setting(settings, SCHEMA, "by")))


def _asked(by: str, container: Container) -> Verdict | None:
    pinned, at = container["image_pinned_by"], container["at"].get("image", "")
    if pinned is UNKNOWN:
        return undecided("has an image that is not known", at)
    if pinned in {"digest", by}:
        return None
    named = f"has the image {container['image'][:200]!r}"
    return failed(
        f"{named}, whose tag can be moved" if pinned == "tag" else f"{named}, which names no version", at
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="image-pinned",
        title="Images are pinned to a version",
        description="Every container names its image with a digest, or with a tag that is not latest; with the setting "
        "by: digest, with a digest.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.OVERRIDABLE,
        # A plan of Terraform often knows the registry only after apply, and the workload can be read back then.
        on_unknown=OnUnknown.OBLIGE,
        kinds=CONTAINER_KINDS,
        remediation="Name the version that was tested, at best by its digest.",
        frameworks=(("nist-800-53-r5", ("CM-2", "SI-7", "SR-4")),),
    ),
    judge=_judge,
    rationale="An image without a tag is another one tomorrow, without anybody having changed or judged anything. A "
    "tag can be moved as well, by whoever may write to the registry; a digest cannot.",
    bad="""
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: registry.example.com/web:latest
""",
    good="""
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: registry.example.com/web:5.0.2
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/concepts/containers/images/",
        "https://kubernetes.io/docs/concepts/configuration/overview/",
    ),
    settings_schema=SCHEMA,
)
