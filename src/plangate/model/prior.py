"""The plan as if nothing were changed: what is there now, seen through the same model.

A failure of something that the plan does not touch is debt only if it was a failure before as well: deleting a
bucket's public access block leaves the bucket itself a no-op, and is no debt.
"""

from msgspec.structs import replace

from plangate.model.plan import Action, Plan, Resource


def prior_plan(plan: Plan) -> Plan:
    """The resources that exist before the change, each as a no-op with its values from before, without facts."""
    return replace(
        plan,
        resources=tuple(_as_before(resource) for resource in plan.resources if resource.before is not None),
        drift=(),
        outputs=(),
        checks=(),
        provisioners=(),
        secrets=frozenset(),
    )


def _as_before(resource: Resource) -> Resource:
    return replace(
        resource,
        kind="",
        facts={},
        action=Action.NO_OP,
        replace_order=None,
        reason="",
        importing=None,
        deposed="",
        after=resource.before,
        planned=resource.before or {},
        unknown=(),
        replace_paths=(),
    )
