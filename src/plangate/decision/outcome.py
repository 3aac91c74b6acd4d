"""What a rule says about one resource, and the words for how much it weighs."""

from enum import StrEnum

from msgspec import Struct

from plangate.model.plan import Location


class Status(StrEnum):
    """The five things a rule can say. Silence is not one of them."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How bad a failure is; for people and reports, never for the decision."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(StrEnum):
    """What a failure does to the decision."""

    ADVISORY = "advisory"
    OVERRIDABLE = "overridable"
    MANDATORY = "mandatory"


class OnUnknown(StrEnum):
    """What becomes of an outcome that is known only after apply."""

    DENY = "deny"
    OBLIGE = "oblige"


class RuleSpec(Struct, frozen=True, kw_only=True):
    """What the decision needs to know of a rule, whoever wrote it and in which language.

    Attributes:
        id: Stable, lower-case words joined by dashes; never reused.
        title: The good condition as a sentence, so "failed" means that it is false.
        kinds: Kinds of resources it judges.
        types: Native types that it judges besides, e.g. ``aws_cloudtrail``. Without kinds and types it is a rule on the
            plan as a whole, or on every resource.
        remediation: How to fix a failure, in a sentence or two.
        frameworks: Control identifiers by framework name, e.g. ``{"cis-aws-3.0": ("5.6",)}``.
        source: ``built-in`` or the policy file.
    """

    id: str
    title: str
    description: str = ""
    severity: Severity
    enforcement: Enforcement
    on_unknown: OnUnknown
    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    remediation: str = ""
    frameworks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    source: str = "built-in"


class Outcome(Struct, frozen=True, kw_only=True):
    """One rule's word on one resource, or on the whole plan (``address`` is then empty).

    Attributes:
        rule: The rule's id.
        address: The resource's address; empty for the plan as a whole.
        message: For people: what was found. May be empty for a pass.
        path: JSON Pointer into the resource's planned values, or empty.
        existing: The plan does not change this resource: a failure is debt, not a denial,
            unless the settings gate existing resources.
        location: Where the resource or policy is written, when known.
        input: Name of the input that the resource is in, when several are judged together; else empty.
        checkable: An executor of ours can look at the real resource after it was made. What nobody will look at cannot
            become an obligation.
    """

    rule: str
    address: str
    status: Status
    message: str = ""
    path: str = ""
    existing: bool = False
    location: Location | None = None
    input: str = ""
    checkable: bool = True
