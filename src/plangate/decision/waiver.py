"""Waivers and approvals: how people lift what a rule says, by name and for a time."""

from datetime import datetime

from msgspec import Struct


class Waiver(Struct, frozen=True, kw_only=True):
    """Lifts one rule's word on one address until it expires.

    Attributes:
        rule: Rule id, exactly.
        address: Resource address, exactly; no patterns, so that a waiver never grows.
        owner: Who answers for it.
        reason: Why, for the record.
        expires: Aware UTC time; it counts while ``now < expires``.
        input: Name of the input that holds the address. Without it the waiver counts only while the rule speaks of
            this address in one input alone.
    """

    rule: str
    address: str
    owner: str
    reason: str
    expires: datetime
    input: str = ""

    def __post_init__(self) -> None:
        if self.expires.tzinfo is None:
            raise ValueError("a waiver's expiry needs a time zone")
        if not (self.rule and self.address and self.owner and self.reason):
            raise ValueError("a waiver names its rule, address, owner and reason")


class Approval(Struct, frozen=True, kw_only=True):
    """A person's yes to one rule's failures on exactly one plan.

    Attributes:
        rule: Rule id; its enforcement must be ``overridable``.
        plan_sha256: Digest of the plan that was looked at.
        approver: Who said yes.
        expires: Aware UTC time; it counts while ``now < expires``.
    """

    rule: str
    plan_sha256: str
    approver: str
    expires: datetime

    def __post_init__(self) -> None:
        if self.expires.tzinfo is None:
            raise ValueError("an approval's expiry needs a time zone")
        if not (self.rule and self.plan_sha256 and self.approver):
            raise ValueError("an approval names its rule, plan and approver")
