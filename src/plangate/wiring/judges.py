"""Who judges: built-in rules and policies, as the settings have them."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Final

from msgspec.structs import replace

from plangate import __version__
from plangate.decision.conditions import CONDITIONS
from plangate.decision.document import PolicyUsed
from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.errors import UsageError
from plangate.gate import Judge, Said
from plangate.model.plan import Plan, Source
from plangate.policy import load, outcomes
from plangate.policy.base import EMBEDDED, OPA, Doubt, Engine, PolicySet, PolicySource, Present, RuleAnswer
from plangate.policy.embedded import EmbeddedEngine, EngineLimits
from plangate.policy.inline import InlineEngine
from plangate.policy.rule_settings import with_settings
from plangate.rules.base import Rule
from plangate.rules.base import Settings as RuleSettings
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from plangate.settings import Settings
from plangate.wiring.bundles import bundle_sources, used_bundle
from plangate.wiring.choices import Choices
from plangate.wiring.engines import ClosableEngine, engine_for
from plangate.wiring.errand import Begun, Errand

_BIG_BYTES = 4 << 20
"""A plan document from which on a second engine pays."""
_SMALL_BYTES: Final = 960 << 10
"""A plan document up to which no thread pays; the pipe to the worker holds it whole."""
CONFTEST_IDS: Final = "conftest."
"""Rules of conftest policies. Settings for them stand in the file also when a run has no such policies."""


class BuiltInRules:
    """The built-in rules as the settings have them. A `plangate.gate.Judge`."""

    def __init__(self, rules: Mapping[str, Rule], settings: Mapping[str, RuleSettings]) -> None:
        self._rules = rules
        self._settings = settings
        self.specs: Mapping[str, RuleSpec] = {rule_id: rule.spec for rule_id, rule in rules.items()}

    def ask(self, plan: Plan, document: Callable[[], bytes]) -> Callable[[], Said]:
        """See `plangate.gate.Judge`."""
        del document
        return lambda: evaluate(plan, self._rules, self._settings)


class Policies:
    """Rego policies and the engine that judges with them. A `plangate.gate.Judge`."""

    def __init__(
        self,
        policies: PolicySet,
        specs: Mapping[str, RuleSpec],
        engine: Engine,
        deadline_s: float,
        spare: Engine | None = None,
        *,
        settles: bool = False,
    ) -> None:
        self._policies = policies
        self._engine = engine
        self._spare = spare
        self._settles = settles
        self._last_bytes = 0
        self._last_source: Source | None = None
        self._deadline_s = deadline_s
        self._last: Errand[Sequence[RuleAnswer]] | Begun[Sequence[RuleAnswer]] | None = None
        self.specs = specs

    def ask(self, plan: Plan, document: Callable[[], bytes]) -> Callable[[], Said]:
        """See `plangate.gate.Judge`."""
        encoded, after, engine = document(), self._last, self._engine
        same_input = plan.source is self._last_source
        if (
            after is not None
            and self._spare is not None
            and self._last_bytes >= _BIG_BYTES
            and after.is_going_on
        ):
            # The first engine is busy for a second or more, and a second one costs a tenth of that.
            after, engine = None, self._spare

        view = cache(lambda: outcomes.PlanView(plan))
        settled: dict[Doubt, tuple[tuple[str, ...], ...]] = {}

        def one_at_a_time() -> None:
            if after is not None and same_input:
                after.result()  # one that failed for the change is not asked about what was there before
            elif after is not None:
                after.wait()  # what failed for another input says nothing about this one

        def evaluate_policies() -> Sequence[RuleAnswer]:
            one_at_a_time()
            started = time.monotonic()
            answers = engine.evaluate(self._policies, encoded, self._deadline_s)
            if self._settles and (doubts := outcomes.doubts(self._policies, answers, view())):
                left = self._deadline_s - (time.monotonic() - started)
                settled.update(engine.settle(self._policies, doubts, encoded, left))
            return answers

        is_small = len(encoded) <= _SMALL_BYTES or isinstance(engine, InlineEngine)
        begins = is_small and isinstance(engine, EmbeddedEngine | InlineEngine)
        if begins or isinstance(after, Begun):
            one_at_a_time()
        errand: Errand[Sequence[RuleAnswer]] | Begun[Sequence[RuleAnswer]]
        if begins and isinstance(engine, EmbeddedEngine | InlineEngine):
            # A thread costs more than such a plan: the worker is asked here, and goes on by itself.
            errand = Begun(
                engine.begin(self._policies, encoded, self._deadline_s, Present.of(plan))
                if isinstance(engine, InlineEngine)
                else engine.begin(self._policies, encoded, self._deadline_s)
            )
        else:
            errand = Errand(evaluate_policies)
        self._last, self._last_bytes, self._last_source = errand, len(encoded), plan.source

        def answer() -> Said:
            judged = outcomes.judge(self._policies, errand.result(), view(), settled)
            return judged.outcomes, judged.matched_nothing

        return answer


def own_sources(settings: Settings, choices: Choices) -> list[PolicySource]:
    """Folders and bundles of policies besides the shipped ones.

    Raises:
        UsageError: The key of a bundle cannot be read.
    """
    named = (
        *zip(settings.policy_roots(), settings.values.policies, strict=True),
        *((path.absolute(), str(path)) for path in choices.policies),
    )
    return [*(PolicySource(root=root, name=name) for root, name in named), *bundle_sources(settings)]


def rule_specs(settings: Settings, choices: Choices) -> tuple[dict[str, Rule], PolicySet]:
    """Every rule that would judge: built-in ones with the settings' choices, and the policy set.

    Raises:
        UsageError: The settings name a rule that does not exist, or give one settings that it does not have.
        PolicyLoadError: A policy must not be judged with.
    """
    values = settings.values
    shipped = [load.shipped_policies()] if values.shipped_policies else []
    policies = load.load(
        [*shipped, *own_sources(settings, choices)],
        data=(*settings.data_paths(), *(path.absolute() for path in choices.data)),
        engine=EMBEDDED if settings.opa() is None else OPA,
    )
    known = RULES.keys() | policies.packages.keys()
    elsewhere = (rule for other in values.environments.values() for rule in other.rules)
    for rule in (*values.unsafe_disabled_rules, *values.rules, *elsewhere):
        if rule not in known and not rule.startswith(CONFTEST_IDS):
            raise UsageError(
                f"{settings.file}: no rule {rule!r}", hint="`plangate rules list` shows the ids of all rules"
            )
    clash = sorted((RULES.keys() | CONDITIONS.keys()) & policies.packages.keys())
    if clash:
        raise UsageError(f"policy {clash[0]} has the id of a built-in rule")
    disabled = frozenset(values.unsafe_disabled_rules)
    rules = {i: replace(r, spec=chosen_spec(r.spec, settings)) for i, r in RULES.items() if i not in disabled}
    check_rule_settings(settings, rules)
    chosen = {rule: item.settings for rule, item in values.rules.items()}
    return rules, load.without(with_settings(policies, chosen, settings.file), disabled)


def chosen_spec(spec: RuleSpec, settings: Settings) -> RuleSpec:
    """A rule's spec with the weight that the settings give it."""
    chosen = settings.values.rules.get(spec.id)
    if chosen is None:
        return spec
    return replace(
        spec,
        enforcement=Enforcement(chosen.enforcement) if chosen.enforcement else spec.enforcement,
        severity=Severity(chosen.severity) if chosen.severity else spec.severity,
        on_unknown=OnUnknown(chosen.on_unknown) if chosen.on_unknown else spec.on_unknown,
    )


def check_rule_settings(settings: Settings, rules: Mapping[str, Rule]) -> None:
    """Refuse settings that a built-in rule does not have.

    Raises:
        UsageError: Names the rule, the setting and what is expected.
    """
    for rule_id, chosen in settings.values.rules.items():
        if not chosen.settings:
            continue
        rule = rules.get(rule_id)
        if rule is None:
            continue
        import jsonschema  # noqa: PLC0415 - only a run that sets something pays for it

        for error in jsonschema.Draft202012Validator(dict(rule.settings_schema)).iter_errors(chosen.settings):
            place = ".".join(["rules", rule_id, "settings", *map(str, error.path)])
            raise UsageError(f"{settings.file}: {place}: {error.message[:300]}")


def judges_for(
    settings: Settings,
    choices: Choices,
    stack: ExitStack,
    *,
    start: bool = True,
    loaded: tuple[dict[str, Rule], PolicySet] | None = None,
    inline: bool = False,
) -> tuple[list[Judge], PolicyUsed, list[str]]:
    """Every judge, what a decision says of them, and the ids of rules that the settings weaken.

    The policy worker is ended with ``stack``. It is started here, or with ``start=False`` when it is first asked.
    ``loaded`` is what `rule_specs` gave for the same settings, so that it is not read again. ``inline`` is for a
    process that is a worker itself: the embedded engine then runs in it (see `plangate.policy.inline`).
    """
    rules, policies = loaded if loaded is not None else rule_specs(settings, choices)
    is_inline = inline and settings.opa() is None
    engine: ClosableEngine
    if is_inline:
        engine = InlineEngine(policies, EngineLimits(memory_bytes=settings.values.limits.policy_memory_bytes))
    else:
        engine = engine_for(settings, policies if start else None)
    stack.callback(engine.close)
    spare: ClosableEngine | None = None
    if settings.opa() is None and not is_inline:
        # Not started until it is asked for the first time.
        spare = engine_for(settings, None)
        stack.callback(spare.close)
    values = settings.values
    judges: list[Judge] = [
        BuiltInRules(rules, {rule: item.settings for rule, item in values.rules.items()}),
        Policies(
            policies,
            {spec.id: chosen_spec(spec, settings) for spec in policies.rules},
            engine,
            values.limits.policy_timeout_s,
            spare,
            settles=settings.opa() is not None,
        ),
    ]
    digest = hashlib.sha256(
        f"plangate {__version__}\n{','.join(sorted(rules))}\n{policies.sha256}\n{settings.sha256}".encode()
    ).hexdigest()
    labels = {bundle.source: bundle.label for bundle in policies.bundles}
    used = PolicyUsed(
        sha256=digest,
        engine=engine.version,
        sources=("built-in", *(labels.get(name, name) for name in policies.sources)),
        settings_sha256=settings.sha256,
        bundles=tuple(map(used_bundle, policies.bundles)),
        answered=None if settings.opa() is None else lambda: (engine.version, engine.decision_ids),
    )
    written = {rule_id: rule.spec for rule_id, rule in RULES.items()} | {
        spec.id: spec for spec in policies.rules
    }
    weakened = [
        spec.id for judge in judges for spec in judge.specs.values() if is_weaker(spec, written[spec.id])
    ]
    return judges, used, weakened


def is_weaker(chosen: RuleSpec, written: RuleSpec) -> bool:
    """The settings make less of a rule than it does itself."""
    order = list(Enforcement)
    return order.index(chosen.enforcement) < order.index(written.enforcement) or (
        chosen.on_unknown is OnUnknown.OBLIGE and written.on_unknown is OnUnknown.DENY
    )
