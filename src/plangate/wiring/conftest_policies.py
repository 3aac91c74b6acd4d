"""Conftest policies as a judge of raw documents: what the command line says of them, and how they are asked."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.document import PolicyUsed
from plangate.decision.outcome import RuleSpec
from plangate.errors import UsageError
from plangate.gate import RawSaid
from plangate.parsers.base import Input, Limits
from plangate.settings import Settings
from plangate.wiring.choices import Choices, ConftestChoices
from plangate.wiring.judges import CONFTEST_IDS, chosen_spec, is_weaker
from plangate.wiring.search import STANDARD_INPUT

if TYPE_CHECKING:
    from plangate.policy.conftest.base import ConftestPolicies
    from plangate.policy.conftest.engine import ConftestEngine

_STANDARD_INPUT_NAME: Final = "standard input"
_COMBINED: Final = "Combined"
"""What conftest calls all files together."""
_ANY: Final = "*"


class ConftestJudge:
    """A `plangate.gate.RawJudge`."""

    def __init__(
        self,
        policies: "ConftestPolicies",
        specs: Mapping[str, RuleSpec],
        engine: "ConftestEngine",
        limits: Limits,
        deadline_s: float,
        *,
        combines: bool,
    ) -> None:
        self.specs = specs
        self.combines = combines
        self._policies = policies
        self._engine = engine
        self._limits = limits
        self._deadline_s = deadline_s

    def ask(self, name: str, data: bytes) -> RawSaid:
        """See `plangate.gate.RawJudge`."""
        from plangate.parsers.conftest_documents import read_raw  # noqa: PLC0415
        from plangate.policy.conftest.judge import File, judge  # noqa: PLC0415

        inputs = [(each.value, each.data) for each in read_raw(_input(name, data), self._limits)]
        whole = Path(name).absolute()
        file = File(
            name="" if name == STANDARD_INPUT else name,
            base=whole.name,
            folder=str(whole.parent),
            inputs=inputs,
        )
        said = judge(self._policies, self._engine, file, None, self._deadline_s)
        return RawSaid(outcomes=said.outcomes, results=said.results)

    def ask_together(self, files: Sequence[tuple[str, bytes]]) -> RawSaid:
        """See `plangate.gate.RawJudge`."""
        from plangate.parsers.conftest_documents import combined, read_raw  # noqa: PLC0415
        from plangate.policy.conftest.judge import File, judge  # noqa: PLC0415
        from plangate.policy.conftest.unknown import unknown_paths  # noqa: PLC0415

        named = [(STANDARD_INPUT if name == _STANDARD_INPUT_NAME else name, data) for name, data in files]
        read = [(name, read_raw(_input(name, data), self._limits)) for name, data in named]
        one = combined(read)
        unknown = {
            (_ANY, "contents", *path)
            for _, inputs in read
            for each in inputs
            for path in unknown_paths(each.value)
        }
        file = File(
            name=_COMBINED,
            base=_COMBINED,
            folder=str(Path.cwd()),
            inputs=[(one.value, one.data)],
        )
        said = judge(self._policies, self._engine, file, unknown, self._deadline_s)
        return RawSaid(outcomes=said.outcomes, results=said.results)


def _input(name: str, data: bytes) -> Input:
    return Input(name=name, data=data, sha256="", size=len(data))


def load_conftest(choices: ConftestChoices, data: Sequence[Path]) -> "ConftestPolicies":
    """The policies that the command line names.

    Raises:
        UsageError: The flags make no sense.
        PolicyLoadError: They must not be judged with.
    """
    from plangate.policy.base import PolicySource  # noqa: PLC0415
    from plangate.policy.conftest.base import DEFAULT_NAMESPACE  # noqa: PLC0415
    from plangate.policy.conftest.load import Wanted, load  # noqa: PLC0415
    from plangate.policy.files import LoadLimits  # noqa: PLC0415

    if choices.rego_version not in {"v0", "v1"}:
        raise UsageError(f"--rego-version: {choices.rego_version!r} (expected one of: v0, v1)")
    if choices.all_namespaces and choices.namespaces:
        raise UsageError("--all-namespaces and --namespace: only one of them makes sense")
    sources = [PolicySource(root=path.absolute(), name=str(path)) for path in choices.policies]
    wanted = Wanted(
        namespaces=tuple(choices.namespaces) or (DEFAULT_NAMESPACE,),
        all_namespaces=choices.all_namespaces,
        rego_v0=choices.rego_version == "v0",
    )
    return load(sources, data, wanted, LoadLimits())


class Conftest(Struct, frozen=True, kw_only=True):
    """Conftest policies as a part of a gate.

    Attributes:
        judge: Asks them.
        policy: What the decision says of everything that judges, with them.
        weakened: Ids of those of their rules that the settings enforce less.
    """

    judge: ConftestJudge
    policy: PolicyUsed
    weakened: Sequence[str]


def conftest_of(
    settings: Settings, choices: Choices, limits: Limits, used: PolicyUsed, stack: ExitStack, *, start: bool
) -> Conftest | None:
    """The conftest policies that the command line names, if it does.

    Args:
        settings: What weighs the rules, and the engine's limits.
        choices: The command line.
        limits: Limits of the parsers.
        used: What judges besides.
        stack: Ends the policy worker.
        start: Start the worker now.

    Raises:
        UsageError: Flags or settings make no sense.
        PolicyLoadError: A policy must not be judged with.
    """
    if choices.conftest is None:
        return None
    from plangate.policy.conftest.engine import ConftestEngine  # noqa: PLC0415
    from plangate.policy.embedded import EngineLimits  # noqa: PLC0415

    policies = load_conftest(
        choices.conftest, (*settings.data_paths(), *(path.absolute() for path in choices.data))
    )
    written = policies.specs()
    _check_settings(settings, written)
    specs = {rule: chosen_spec(spec, settings) for rule, spec in written.items()}
    chosen = settings.values.limits
    engine = ConftestEngine(policies, EngineLimits(memory_bytes=chosen.policy_memory_bytes), start=start)
    stack.callback(engine.close)
    combines = choices.conftest.combine
    judge = ConftestJudge(policies, specs, engine, limits, chosen.policy_timeout_s, combines=combines)
    digest = hashlib.sha256(f"{used.sha256}\n{policies.sha256}\n{combines}".encode()).hexdigest()
    return Conftest(
        judge=judge,
        policy=replace(
            used,
            sha256=digest,
            sources=(*used.sources, *policies.sources),
            engine=_engines(used.engine, engine.version),
            answered=_answered(used, engine.version),
        ),
        weakened=[rule for rule, spec in specs.items() if is_weaker(spec, written[rule])],
    )


def _engines(others: str, ours: str) -> str:
    return others if others == ours else f"{others}, {ours} for conftest policies"


def _answered(used: PolicyUsed, ours: str) -> Callable[[], tuple[str, Sequence[str]]] | None:
    """What a server says it is, and the engine that judges conftest policies whatever the settings say."""
    asked = used.answered
    if asked is None:
        return None

    def both() -> tuple[str, Sequence[str]]:
        version, ids = asked()
        return _engines(version, ours), ids

    return both


def _check_settings(settings: Settings, written: Mapping[str, RuleSpec]) -> None:
    """Refuse settings that name a rule that is not there, or ask of one what it cannot do."""
    values = settings.values
    for rule in (*values.rules, *values.unsafe_disabled_rules):
        if rule.startswith(CONFTEST_IDS) and rule not in written:
            raise UsageError(
                f"{settings.file}: no rule {rule!r}",
                hint=f"the conftest policies have: {', '.join(sorted(written))}",
            )
    for rule in values.unsafe_disabled_rules:
        if rule in written:
            raise UsageError(
                f"{settings.file}: unsafe_disabled_rules: {rule}: a conftest rule cannot be left out",
                hint=f"let it only warn (rules.{rule}.enforcement: advisory), or leave out its namespace",
            )
    for rule, chosen in values.rules.items():
        if rule in written and chosen.settings:
            raise UsageError(f"{settings.file}: rules.{rule}.settings: a conftest rule has no settings")
