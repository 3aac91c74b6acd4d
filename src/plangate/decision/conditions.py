"""What has to be true of a plan as a whole before the rules' word on its parts means anything."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity, Status
from plangate.model.plan import Plan

_SPECS: Final = (
    RuleSpec(
        id="plan-not-errored",
        title="The plan was made without errors",
        description="A plan that failed half-way shows only part of the change, and cannot be applied.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        remediation="Fix what the tool complained about while planning, and plan again.",
    ),
    RuleSpec(
        id="plan-complete",
        title="The plan shows the whole change",
        description="A plan with -target or with deferred changes leaves out what the configuration also wants.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        remediation="Plan without -target, or set unsafe_allow_incomplete in plangate.yaml.",
    ),
    RuleSpec(
        id="plan-fully-read",
        title="Every part of the change could be read",
        description="What could not be read could not be judged.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        remediation="Make what is missing available, and plan again. What a stack or a chart brings along is judged "
        "by itself: its template, or what `helm template` renders; a waiver for the one address then lifts this.",
    ),
    RuleSpec(
        id="plan-checks-hold",
        title="The plan's own checks hold",
        description="A failing check block is the author's own word that something is not as wanted.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.ADVISORY,
        on_unknown=OnUnknown.OBLIGE,
        remediation="Look at the failing check. After apply a failing check is an execution failure.",
    ),
)
CARRIERS: Final = frozenset({
    # Terraform
    "aws_cloudcontrolapi_resource", "aws_cloudformation_stack", "aws_cloudformation_stack_set", "azapi_resource",
    "azurerm_management_group_template_deployment", "azurerm_resource_group_template_deployment",
    "azurerm_subscription_template_deployment", "azurerm_template_deployment", "azurerm_tenant_template_deployment",
    "google_deployment_manager_deployment", "helm_release", "kubectl_manifest", "kubernetes_manifest",
    # Pulumi
    "aws:cloudcontrol/resource:Resource", "aws:cloudformation/stack:Stack", "aws:cloudformation/stackSet:StackSet",
    "kubernetes:helm.sh/v3:Release",
})  # fmt: skip
"""Types that bring other resources along, as text or from elsewhere, which no rule then sees."""
READ_CONDITION: Final = "plan-fully-read"
CONDITIONS: Final = MappingProxyType({spec.id: spec for spec in _SPECS})


def conditions(plan: Plan, *, allow_incomplete: bool) -> Iterator[Outcome]:
    """One outcome per condition; for failing checks one each.

    Args:
        plan: The plan.
        allow_incomplete: The settings let incomplete plans through.
    """
    yield Outcome(
        rule="plan-not-errored",
        address="",
        status=Status.ERROR if plan.errored else Status.PASS,
        message="the tool failed while making this plan" if plan.errored else "",
    )
    if plan.complete:
        complete, message = Status.PASS, ""
    elif allow_incomplete:
        complete, message = (
            Status.NOT_APPLICABLE,
            "the plan is incomplete, and unsafe_allow_incomplete is set",
        )
    else:
        complete, message = (
            Status.FAIL,
            "the plan leaves changes out (made with -target, or some are deferred)",
        )
    yield Outcome(rule="plan-complete", address="", status=complete, message=message)
    yield Outcome(
        rule=READ_CONDITION,
        address="",
        status=Status.UNKNOWN if plan.opaque else Status.PASS,
        message="; ".join(plan.opaque),
    )
    for resource in plan.resources:
        if resource.type in CARRIERS and resource.mode == "managed" and resource.exists_after:
            yield Outcome(
                rule=READ_CONDITION,
                address=resource.address,
                status=Status.UNKNOWN,
                message=f"it brings resources along that this {resource.type} does not show one by one",
                existing=resource.existing,
                location=resource.location,
            )
    failing = [check for check in plan.checks if check.status in {"fail", "error"}]
    for check in failing:
        problem = "; ".join(check.problems) or f"status {check.status}"
        yield Outcome(
            rule="plan-checks-hold",
            address=check.address,
            status=Status.FAIL,
            message=f"{check.address}: {problem}",
        )
    if not failing:
        yield Outcome(rule="plan-checks-hold", address="", status=Status.PASS)
