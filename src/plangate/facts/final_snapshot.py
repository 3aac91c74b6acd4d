"""Whether a database that goes leaves a snapshot of its data."""

from typing import Final

from plangate.facts.base import flag
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, Tri

DATABASE: Final = "database.instance"


def final_snapshot(resource: Resource) -> Tri | None:
    """What the document says of it, else what the Terraform provider's ``skip_final_snapshot`` was when applied last.

    The provider deletes by what its state has, so that a change of the attribute in the same plan counts for nothing.
    A state without it shows no snapshot. ``None`` for what does not go.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
    """
    if not resource.is_destroyed:
        return None
    if resource.final_snapshot is not None:
        return resource.final_snapshot
    skipped = flag((resource.before or {}).get("skip_final_snapshot"), default=True)
    return UNKNOWN if skipped is UNKNOWN else not skipped
