"""The policy engine's interface: load once, then judge plans. One file here per engine.

An engine answers for every rule that it loaded, or raises: a rule that is missing from an answer is an error,
because undefined is not empty.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, Self

from msgspec import Struct

from plangate.decision.outcome import RuleSpec
from plangate.model.plan import Plan
from plangate.policy.reads import Reads
from plangate.policy.trust import BundleTrust, BundleUsed

EMBEDDED: Final = "embedded"
OPA: Final = "opa"
"""Engines by the names that the settings have for them."""


class RuleScope(StrEnum):
    """What a rule gives an outcome for: METADATA's ``custom.scope``."""

    RESOURCES = "resources"
    """Every resource of its kinds that exists after the change."""
    CHANGES = "changes"
    """Every entry of its kinds, those that go included."""
    PLAN = "plan"
    """The plan as a whole."""


class PolicySource(Struct, frozen=True, kw_only=True):
    """A folder of policies, or a bundle in a file, and the name people know it by (``policies/``, ``shipped``).

    ``trust`` is what the settings ask of a bundle; without it a bundle is taken like a folder, if it is not signed.
    """

    root: Path
    name: str
    trust: BundleTrust | None = None


class PolicySet(Struct, frozen=True, kw_only=True):
    """Policies that were read, checked and registered.

    Attributes:
        rules: One spec per Rego rule package, sorted by id.
        packages: Rule id to Rego package, e.g. ``policies.network.no_peering``.
        scopes: Rule id to what it gives outcomes for.
        modules: ``(file name, text)`` of every module that is evaluated (tests left out), sorted by file name.
        data: Parsed data documents below ``data``, with the rules' settings in ``plangate.settings``.
        settings: Rule id to the JSON Schema of each of its settings; only rules that have some.
        reads: Rule id to what it can read of a plan, for the unknown check (see ``policy/reads.py``).
        handles_unknowns: Ids of the rules that define ``undetermined`` themselves.
        sha256: Hex digest over file names and contents of modules and data, independent of folder location.
        sources: Names of the folders and bundles.
        bundles: Those sources that are bundles, in their order.
    """

    rules: tuple[RuleSpec, ...]
    packages: Mapping[str, str]
    scopes: Mapping[str, RuleScope]
    modules: tuple[tuple[str, str], ...]
    data: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    reads: Mapping[str, Reads]
    handles_unknowns: frozenset[str]
    sha256: str
    sources: tuple[str, ...]
    bundles: tuple[BundleUsed, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """What a Rego rule says about one resource. ``address`` is empty for the plan as a whole."""

    address: str
    message: str
    path: str = ""


class RuleAnswer(Struct, frozen=True, kw_only=True):
    """One rule's whole answer. ``error`` is set when the rule could not be evaluated; the sets are then empty."""

    rule: str
    deny: tuple[Finding, ...] = ()
    undetermined: tuple[Finding, ...] = ()
    error: str = ""


class Doubt(Struct, frozen=True, kw_only=True):
    """A rule found nothing about a resource, and can read values of it that are not known yet.

    Attributes:
        rule: Id of the rule.
        position: The resource, as the plan's document counts them.
        paths: Those values, as `plangate.policy.reads` writes them.
    """

    rule: str
    position: int
    paths: tuple[tuple[str, ...], ...]


class Present(Struct, frozen=True, kw_only=True):
    """Kinds and native types; of a plan those that it has, of a rule those that it needs one of."""

    kinds: frozenset[str]
    types: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """What there is in a plan, whatever becomes of it."""
        return cls(
            kinds=frozenset(plan.by_kind), types=frozenset(resource.type for resource in plan.resources)
        )

    def shares(self, other: "Present") -> bool:
        """Some kind or type is in both."""
        return not (self.kinds.isdisjoint(other.kinds) and self.types.isdisjoint(other.types))


class Engine(Protocol):
    """Judges one input document with one policy set."""

    @property
    def version(self) -> str:
        """Engine name and version, e.g. ``regorus 0.13.0``."""

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        """Evaluate every rule of the set on a plan document (JSON bytes).

        Returns:
            Exactly one answer per rule of the set, in its order.

        Raises:
            EngineError: No answer, not in time, out of memory, or one that leaves a rule out.
        """

    def settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline_s: float
    ) -> Mapping[Doubt, tuple[tuple[str, ...], ...]]:
        """What this engine knows better than the syntax tree about unknown values. Never raises.

        Args:
            policies: As for `evaluate`, which was asked before.
            doubts: About resources of this document.
            document: As for `evaluate`.
            deadline_s: Seconds for everything.

        Returns:
            The paths that matter for a doubt, empty when no value of them makes the rule deny. A doubt that is not
            among the keys stays.
        """
