"""Names the concrete parts, reads settings and environment, and takes the clock: once per run, here and nowhere else."""

import getpass
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plangate import __version__
from plangate.audit.keys import RedactionKey, SigningKey, redaction_key, signing_key
from plangate.audit.base import StoredRecord
from plangate.audit.event_records import key_rotated
from plangate.audit.record import Actor, ActorKind, Stamp, stamp, uuid7
from plangate.audit.sqlite import FILE_NAME as LOG_FILE
from plangate.audit.sqlite import SqliteLog
from plangate.decision import approved
from plangate.decision.approved import ApprovedPlan
from plangate.decision.decide import Profile
from plangate.decision.document import PolicyUsed, Subject, obligation_from
from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity
from plangate.decision.waiver import Waiver
from plangate.errors import UsageError
from plangate.executor.base import Executor
from plangate.gate import Decision, Gate, Run
from plangate.model.plan import Plan
from plangate.model.redaction import Redactor
from plangate.parsers.base import Input, Limits
from plangate.rules.base import Rule
from plangate.settings import Settings, load_settings

if TYPE_CHECKING:
    from plangate.audit.verify import Verification
    from plangate.terraform_cli.tool import Tool

DEFAULT_STATE_DIR: Final = ".plangate"
LOG_ORIGIN: Final = "plangate.dev/log"
EXECUTOR: Final = "terraform"
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line may say on top of the settings.

    Attributes:
        config: ``--config``.
        environment: ``--environment``; wins over the settings.
        policies: ``--policy`` folders, besides those of the settings.
        profile: ``--profile``; may only make the gate stricter than the settings.
        state_dir: ``--state-dir``.
        chdir: Folder in which a saved plan was made; by default the one it lies in.
    """

    config: Path | None = None
    environment: str | None = None
    policies: Sequence[Path] = ()
    profile: str | None = None
    state_dir: Path | None = None
    chdir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Keys and log of one gate. ``made`` lists files that this run created."""

    folder: Path
    log: SqliteLog
    log_key: SigningKey
    receipt_key: SigningKey
    redaction: RedactionKey

    @property
    def made(self) -> tuple[Path, ...]:
        """Key files that did not exist before, for the user to know of."""
        keys = (self.log_key, self.receipt_key, self.redaction)
        return tuple(key.path for key in keys if key.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is to be judged, read once: the bytes that were hashed are the bytes that are parsed and run."""

    name: str
    path: Path | None
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything for one run of the gate."""

    settings: Settings
    gate: Gate
    run: Run
    subject: Subject
    document: Document
    state: State
    limits: Limits


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def settings_for(choices: Choices) -> Settings:
    """Settings of the file, with what the command line says on top.

    Raises:
        UsageError: The file or a flag makes no sense.
    """
    settings = load_settings(choices.config, Path.cwd())
    values = settings.values
    profile = choices.profile or values.profile
    if profile not in {"standard", "strict"}:
        raise UsageError(f"--profile: {profile!r} (expected one of: standard, strict)")
    if values.profile == "strict" and profile != "strict":
        raise UsageError("--profile standard: the settings say strict, and a flag does not weaken them")
    environment = choices.environment or values.environment
    return replace(settings, values=msgspec_replace(values, profile=profile, environment=environment))


def msgspec_replace(values: Any, **changes: Any) -> Any:
    """A settings struct with some values changed."""
    import msgspec  # noqa: PLC0415

    return msgspec.structs.replace(values, **changes)


def state_folder(settings: Settings, choices: Choices) -> Path:
    """Where keys and log live: flag, ``PLANGATE_STATE_DIR``, settings, ``.plangate`` beside the settings."""
    named = choices.state_dir or (Path(value) if (value := os.environ.get("PLANGATE_STATE_DIR")) else None)
    if named is not None:
        return named.absolute()
    return (settings.folder / (settings.values.state_dir or DEFAULT_STATE_DIR)).absolute()


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """Keys and log of a state folder, made on first use.

    Raises:
        AuditError: They cannot be made, read or trusted.
    """
    log_key = signing_key(folder, "log", note_name=LOG_ORIGIN)
    receipt_key = signing_key(folder, "receipt")
    redaction = redaction_key(folder)
    log = SqliteLog(folder, signer=log_key, origin=LOG_ORIGIN)
    try:
        state = State(folder=folder, log=log, log_key=log_key, receipt_key=receipt_key, redaction=redaction)
        for role, key in (("log", log_key), ("receipt", receipt_key)):
            if key.created:
                record = key_rotated(stamp(now(), os.urandom(10), actor()), role=role, public_key=key.public_key)
                log.append(record.encode(), idempotency_key=record.idempotency_key)
        yield state
    finally:
        log.close()


def actor() -> Actor:
    """Who runs this: the CI system's word, or the account's name."""
    for variable in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"):
        if os.environ.get("CI") and (name := os.environ.get(variable)):
            return Actor(kind=ActorKind.SERVICE, name=name[:200])
    try:
        return Actor(kind=ActorKind.USER, name=getpass.getuser())
    except (OSError, KeyError, ImportError):
        return Actor(kind=ActorKind.USER, name=f"uid {os.getuid()}")


def read_document(name: str, limits: Limits) -> Document:
    """The bytes of a plan, read once.

    Args:
        name: A path, or ``-`` for standard input.
        limits: Size limit.

    Raises:
        UsageError: It cannot be read, or is not a file.
    """
    import sys  # noqa: PLC0415

    try:
        if name == "-":
            path, data = None, sys.stdin.buffer.read(limits.max_plan_bytes + 1)
        else:
            path = Path(name)
            if path.is_dir():
                raise UsageError(f"{name}: is a folder (expected a plan: tfplan, or its JSON)")
            with path.open("rb") as file:
                data = file.read(limits.max_plan_bytes + 1)
    except FileNotFoundError as error:
        raise UsageError(f"{name}: no such file") from error
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
    return Document(
        name="standard input" if path is None else name, path=path, data=data, sha256=hashlib.sha256(data).hexdigest()
    )


def limits_of(settings: Settings) -> Limits:
    """The parsers' limits as the settings have them."""
    chosen = settings.values.limits
    return Limits(
        max_plan_bytes=chosen.max_plan_bytes,
        max_depth=chosen.max_depth,
        max_number_digits=chosen.max_number_digits,
        max_resources=chosen.max_resources,
        show_timeout_s=chosen.show_timeout_s,
    )


def parse_document(document: Document, settings: Settings, choices: Choices, limits: Limits) -> Plan:
    """The plan in a document: a saved plan through its own tool, or plan JSON.

    Raises:
        PlanParseError: Neither, or not one that we fully understand.
    """
    from plangate.parsers import terraform_plan  # noqa: PLC0415

    # Whatever is a zip archive is a saved plan, or refused as one.
    if document.data.startswith(_ZIP):
        from plangate.parsers import terraform_saved  # noqa: PLC0415

        source = terraform_saved.read_saved_plan(
            document.data,
            document.name,
            tool=terraform_tool(settings, document.data),
            working_dir=working_dir(document, choices),
            limits=limits,
            environ=os.environ,
        )
    else:
        source = Input(name=document.name, data=document.data, sha256=document.sha256, size=len(document.data))
    return terraform_plan.parse(source, limits)


def working_dir(document: Document, choices: Choices) -> Path:
    """Where the saved plan was made."""
    if choices.chdir is not None:
        return choices.chdir
    return Path.cwd() if document.path is None else document.path.absolute().parent


def terraform_tool(settings: Settings, data: bytes) -> "Tool | None":
    """The program that made a saved plan, if it says so, else terraform or tofu; ``None`` when there is none."""
    from plangate.parsers.terraform_saved import made_by  # noqa: PLC0415
    from plangate.terraform_cli.tool import find_terraform  # noqa: PLC0415

    return find_terraform(settings.values.terraform.binary, environ=os.environ, prefer=made_by(data))


@contextmanager
def open_session(name: str, choices: Choices, progress: Callable[[str], None]) -> Iterator[Session]:
    """Everything for judging one document; closes log and engine at the end.

    Raises:
        UsageError: Settings, flags or the file make no sense.
        PolicyLoadError: A policy must not be judged with.
        AuditError: The log cannot be opened.
    """
    started = time.monotonic_ns()
    settings = settings_for(choices)
    limits = limits_of(settings)
    with ExitStack() as stack:
        # The policy worker is started first: it loads while the plan is read, and forks before there are threads.
        judges, policy, weakened = _judges(settings, choices, stack)
        document = read_document(name, limits)
        state = stack.enter_context(open_state(state_folder(settings, choices)))
        moment = now()
        who = actor()
        values = settings.values
        is_json = not document.data.startswith(_ZIP)
        gate = Gate(
            parse=lambda: parse_document(document, settings, choices, limits),
            judges=judges,
            log=state.log,
            policy=policy,
            profile=Profile(
                unknown_denies=values.profile == "strict",
                gate_existing=values.gate_existing,
                required=frozenset(values.required_rules),
            ),
            allow_incomplete=values.unsafe_allow_incomplete,
            waivers=[_waiver(item, settings.file) for item in values.waivers],
            approvals=(),
            disabled=values.unsafe_disabled_rules,
            weakened=weakened,
            redaction_key=state.redaction.secret,
            stamp=lambda: fresh_stamp(who),
            milliseconds=lambda: (time.monotonic_ns() - started) // 1_000_000,
            progress=progress,
        )
        yield Session(
            settings=settings,
            gate=gate,
            run=Run(
                now=moment,
                decision_id=uuid7(moment, os.urandom(10)),
                environment=values.environment,
                actor=who,
            ),
            subject=Subject(
                name=document.name,
                sha256=document.sha256,
                size=len(document.data),
                media_type="application/json" if is_json else "application/vnd.plangate.terraform-plan",
            ),
            document=document,
            state=state,
            limits=limits,
        )


def fresh_stamp(who: Actor) -> Stamp:
    """A record stamp for this moment."""
    return stamp(now(), os.urandom(10), who)


class BuiltInRules:
    """The built-in rules as the settings have them. A `plangate.gate.Judge`."""

    def __init__(self, rules: Mapping[str, Rule], settings: Mapping[str, Mapping[str, Any]]) -> None:
        self._rules = rules
        self._settings = settings
        self.specs: Mapping[str, RuleSpec] = {rule_id: rule.spec for rule_id, rule in rules.items()}

    def judge(self, plan: Plan, document: Callable[[], bytes]) -> tuple[Sequence[Outcome], Sequence[str]]:
        """See `plangate.gate.Judge`."""
        from plangate.rules.evaluate import evaluate  # noqa: PLC0415

        del document
        return evaluate(plan, self._rules, self._settings)


class Policies:
    """Rego policies and the engine that judges with them. A `plangate.gate.Judge`."""

    def __init__(self, policies: Any, specs: Mapping[str, RuleSpec], engine: Any, deadline_s: float) -> None:
        self._policies = policies
        self._engine = engine
        self._deadline_s = deadline_s
        self.specs = specs

    def judge(self, plan: Plan, document: Callable[[], bytes]) -> tuple[Sequence[Outcome], Sequence[str]]:
        """See `plangate.gate.Judge`."""
        from plangate.policy import outcomes  # noqa: PLC0415

        answers = self._engine.evaluate(self._policies, document(), self._deadline_s)
        judged = outcomes.judge(self._policies, answers, plan)
        return judged.outcomes, judged.matched_nothing


def rule_specs(settings: Settings, choices: Choices) -> tuple[dict[str, Rule], Any]:
    """Every rule that would judge: built-in ones with the settings' choices, and the policy set.

    Raises:
        UsageError: The settings name a rule that does not exist, or give one settings that it does not have.
        PolicyLoadError: A policy must not be judged with.
    """
    from plangate.policy import load  # noqa: PLC0415
    from plangate.policy.base import PolicySource  # noqa: PLC0415
    from plangate.rules.registry import RULES  # noqa: PLC0415

    values = settings.values
    sources = [load.shipped_policies()] if values.shipped_policies else []
    for root, name in (
        *((root, name) for root, name in zip(settings.policy_roots(), values.policies, strict=True)),
        *((path.absolute(), str(path)) for path in choices.policies),
    ):
        sources.append(PolicySource(root=root, name=name))
    policies = load.load(sources)
    known = RULES.keys() | policies.packages.keys()
    for rule in (*values.unsafe_disabled_rules, *values.rules):
        if rule not in known:
            raise UsageError(
                f"{settings.file}: no rule {rule!r}", hint="`plangate rules list` shows the ids of all rules"
            )
    clash = sorted(RULES.keys() & policies.packages.keys())
    if clash:
        raise UsageError(f"policy {clash[0]} has the id of a built-in rule")
    disabled = frozenset(values.unsafe_disabled_rules)
    rules = {i: replace(r, spec=chosen_spec(r.spec, settings)) for i, r in RULES.items() if i not in disabled}
    check_rule_settings(settings, rules, policies.packages)
    return rules, load.without(policies, disabled)


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


def check_rule_settings(settings: Settings, rules: Mapping[str, Rule], packages: Mapping[str, str]) -> None:
    """Refuse settings that a rule does not have.

    Raises:
        UsageError: Names the rule, the setting and what is expected.
    """
    for rule_id, chosen in settings.values.rules.items():
        if not chosen.settings:
            continue
        if rule_id in packages:
            raise UsageError(f"{settings.file}: rules.{rule_id}.settings: a Rego policy has no settings")
        rule = rules.get(rule_id)
        if rule is None:
            continue
        import jsonschema  # noqa: PLC0415 - only a run that sets something pays for it

        for error in jsonschema.Draft202012Validator(dict(rule.settings_schema)).iter_errors(chosen.settings):
            place = ".".join(["rules", rule_id, "settings", *map(str, error.path)])
            raise UsageError(f"{settings.file}: {place}: {error.message[:300]}")


def _judges(settings: Settings, choices: Choices, stack: ExitStack) -> tuple[list[Any], PolicyUsed, list[str]]:
    from plangate.policy.embedded import EmbeddedEngine, EngineLimits  # noqa: PLC0415
    from plangate.rules.registry import RULES  # noqa: PLC0415

    rules, policies = rule_specs(settings, choices)
    chosen = settings.values.limits
    engine = EmbeddedEngine(policies, EngineLimits(memory_bytes=chosen.policy_memory_bytes))
    stack.callback(engine.close)
    values = settings.values
    judges = [
        BuiltInRules(rules, {rule: item.settings for rule, item in values.rules.items()}),
        Policies(
            policies,
            {spec.id: chosen_spec(spec, settings) for spec in policies.rules},
            engine,
            chosen.policy_timeout_s,
        ),
    ]
    digest = hashlib.sha256(
        f"plangate {__version__}\n{','.join(sorted(rules))}\n{policies.sha256}\n{settings.sha256}".encode()
    ).hexdigest()
    used = PolicyUsed(
        sha256=digest,
        engine=engine.version,
        sources=("built-in", *policies.sources),
        settings_sha256=settings.sha256,
    )
    written = {rule_id: rule.spec for rule_id, rule in RULES.items()} | {spec.id: spec for spec in policies.rules}
    weakened = [spec.id for judge in judges for spec in judge.specs.values() if _is_weaker(spec, written[spec.id])]
    return judges, used, weakened


def _is_weaker(chosen: RuleSpec, written: RuleSpec) -> bool:
    order = list(Enforcement)
    return order.index(chosen.enforcement) < order.index(written.enforcement) or (
        chosen.on_unknown is OnUnknown.OBLIGE and written.on_unknown is OnUnknown.DENY
    )


def receipt_for(session: Session, decision: Decision) -> bytes:
    """The receipt of an allow, good for one execution until it expires.

    Raises:
        ReceiptError: The decision is not an allow, or the receipt would not verify.
    """
    from plangate.audit.receipt import make_receipt  # noqa: PLC0415

    return make_receipt(
        log=session.gate.log,
        entry=decision.entry,
        record=decision.record,
        signer=session.state.receipt_key,
        audience=EXECUTOR,
        nonce=os.urandom(16).hex(),
        issued=session.run.now,
        expires=expiry(session),
        obligations=decision.document["obligations"],
    )


def expiry(session: Session) -> datetime:
    """When an approval that is given now stops counting."""
    return session.run.now + timedelta(minutes=session.settings.values.receipt_valid_minutes)


def approval_of(session: Session, decision: Decision) -> ApprovedPlan:
    """The leave that an allow gives.

    Raises:
        NotApprovedError: The decision is anything but an allow.
    """
    return approved.approve(
        decision.judgement,
        decision_id=session.run.decision_id,
        plan_sha256=session.subject.sha256,
        environment=session.run.environment,
        expires=expiry(session),
        nonce=os.urandom(16).hex(),
    )


def approval_by_receipt(session: Session, receipt: Path, trusted: Sequence[Path]) -> tuple[ApprovedPlan, str]:
    """The leave that a receipt gives, after every check of it, and the receipt's digest.

    Args:
        session: This run.
        receipt: The file.
        trusted: Public key files of other gates whose receipts and logs count, besides this one's own.

    Raises:
        UsageError: A file cannot be read.
        ReceiptError: The receipt does not prove that this plan may run here and now.
    """
    from plangate.audit.keys import public_key_file  # noqa: PLC0415
    from plangate.audit.receipt import MAX_RECEIPT_BYTES, verify_receipt  # noqa: PLC0415

    try:
        with receipt.open("rb") as file:
            data = file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{receipt}: the receipt cannot be read: {error.strerror}") from error
    others = [public_key_file(path)[1] for path in trusted]
    verified = verify_receipt(
        data,
        plan_sha256=session.subject.sha256,
        environment=session.run.environment,
        audience=EXECUTOR,
        now=session.run.now,
        trusted_keys=[session.state.receipt_key.public_key, *others],
        log_public_keys=[session.state.log_key.public_key, *others],
    )
    leave = approved.approve_receipt(
        decision_id=verified.decision_id,
        plan_sha256=verified.plan_sha256,
        environment=verified.environment,
        expires=verified.expires,
        nonce=verified.nonce,
        obligations=tuple(obligation_from(item) for item in verified.obligations),
        now=session.run.now,
    )
    return leave, verified.sha256


def plan_with_secrets(session: Session) -> tuple[Plan, Redactor]:
    """The plan, parsed, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    plan = session.gate.parse()
    return plan, Redactor(plan.secrets, session.state.redaction.secret)


def plan_with_facts(session: Session) -> tuple[Plan, Redactor]:
    """The plan as the rules get it, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    from plangate.facts.registry import with_facts  # noqa: PLC0415

    plan, redactor = plan_with_secrets(session)
    return replace(plan, environment=session.run.environment, resources=with_facts(plan.resources)), redactor


def stored_records(folder: Path) -> Iterator[StoredRecord]:
    """The records of a log, in order.

    Raises:
        UsageError: There is no log in this folder.
        AuditError: It cannot be read.
    """
    if not (folder / LOG_FILE).is_file():
        raise UsageError(f"{folder}: no log here", hint="--state-dir or PLANGATE_STATE_DIR names its folder")
    with open_state(folder) as state:
        yield from state.log.entries()


def verify_log(
    folder: Path, *, keys: Sequence[Path], bundle: Path | None, checkpoint: Path | None
) -> "Verification":
    """Hold a log, or an exported one, against its checkpoints. Writes nothing.

    Raises:
        UsageError: A file cannot be read.
    """
    from plangate.audit.keys import public_key_file  # noqa: PLC0415
    from plangate.audit.verify import verify_bundle  # noqa: PLC0415
    from plangate.audit.verify import verify_log as verify  # noqa: PLC0415

    if bundle is None and not (folder / LOG_FILE).is_file():
        raise UsageError(f"{folder}: no log here", hint="--state-dir or PLANGATE_STATE_DIR names its folder")
    try:
        older = None if checkpoint is None else checkpoint.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{checkpoint}: the checkpoint cannot be read") from error
    trusted = [public_key_file(path)[1] for path in keys or (folder / "log.pub",)]
    if bundle is not None:
        return verify_bundle(bundle, public_keys=trusted, old_checkpoint=older)
    return verify(folder, public_keys=trusted, old_checkpoint=older)


def executor_for(session: Session, choices: Choices) -> Executor:
    """The executor for saved plans.

    Raises:
        UsageError: There is no terraform or tofu, or the plan is not a saved plan.
    """
    from plangate.executor.terraform import TerraformExecutor  # noqa: PLC0415
    from plangate.parsers import terraform_saved  # noqa: PLC0415

    if not terraform_saved.is_saved_plan(session.document.data):
        raise UsageError(
            f"{session.document.name}: not a saved plan, so there is nothing that could be run exactly as judged",
            hint="make one with `terraform plan -out tfplan` and hand in tfplan",
        )
    tool = terraform_tool(session.settings, session.document.data)
    if tool is None:
        raise UsageError(
            "neither terraform nor tofu is on PATH", hint="install one, or name it: terraform.binary in plangate.yaml"
        )
    return TerraformExecutor(
        tool=tool,
        working_dir=working_dir(session.document, choices),
        environ=os.environ,
        apply_timeout_s=session.settings.values.limits.apply_timeout_s,
    )


def parse_follow_up(data: bytes, limits: Limits) -> Plan:
    """The plan that the executor made after apply."""
    from plangate.parsers import terraform_plan  # noqa: PLC0415

    source = Input(
        name="the plan after apply", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data)
    )
    return terraform_plan.parse(source, limits)


def _waiver(item: Any, file: str) -> Waiver:
    try:
        expires = datetime.fromisoformat(item.expires)
        return Waiver(rule=item.rule, address=item.address, owner=item.owner, reason=item.reason, expires=expires)
    except ValueError as error:
        raise UsageError(
            f"{file}: waiver of {item.rule} at {item.address}: {error}",
            hint="expires is a time with a zone, e.g. 2027-01-31T00:00:00Z",
        ) from error
