"""What may be chosen: settings of the file, with what the command line says on top."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from plangate.decision.waiver import Waiver
from plangate.errors import UsageError
from plangate.parsers.base import Limits, Options
from plangate.settings import Settings, load_settings
from plangate.settings_file import WaiverSettings


class ConftestChoices(Struct, frozen=True, kw_only=True):
    """What the command line says of conftest policies.

    Attributes:
        policies: Folders or files; there is at least one.
        namespaces: Names or patterns; none for conftest's own default.
        all_namespaces: Every namespace.
        combine: All files are one input.
        rego_version: ``v0`` or ``v1``.
    """

    policies: Sequence[Path]
    namespaces: Sequence[str] = ()
    all_namespaces: bool = False
    combine: bool = False
    rego_version: str = "v1"


class AwsChoices(Struct, frozen=True, kw_only=True):
    """What the command line says of AWS; empty where it says nothing.

    Attributes:
        region: ``--region``.
        profile: ``--aws-profile``.
        role: ``--assume-role``: an ARN.
        workers: ``--workers``.
        resume: ``--resume``.
        lock_timeout_s: ``--lock-timeout``.
    """

    region: str = ""
    profile: str = ""
    role: str = ""
    workers: int | None = None
    resume: bool = False
    lock_timeout_s: float = 0.0


class ClusterChoice(Struct, frozen=True, kw_only=True):
    """Which Kubernetes cluster the command line names.

    Attributes:
        kubeconfig: ``--kubeconfig``; ``None`` for the one that ``KUBECONFIG`` names, or the user's own.
        context: ``--context``; empty for the one that the file calls current.
        namespace: ``--namespace``, for objects that say none; empty for the context's.
    """

    kubeconfig: Path | None = None
    context: str = ""
    namespace: str = ""


class Choices(Struct, frozen=True, kw_only=True):
    """What the command line may say on top of the settings.

    Attributes:
        config: ``--config``.
        environment: ``--environment``; wins over the settings.
        policies: ``--policy`` folders, besides those of the settings.
        data: ``--data`` documents for policies, besides those of the settings.
        profile: ``--profile``; may only make the gate stricter than the settings.
        state_dir: ``--state-dir``.
        chdir: Folder in which a saved plan was made; by default the one it lies in.
        options: What is said about the inputs: variables and parameters.
        exclude: ``--exclude``: patterns of paths that a folder is searched without.
        chosen: Somebody chose the names of the inputs, so that each has to be a plan.
        conftest: ``--conftest`` and what goes with it: policies that judge the files as they are.
        aws: What it says of AWS.
        cluster: ``--context`` and ``--kubeconfig``: where Kubernetes manifests are applied.
    """

    config: Path | None = None
    environment: str | None = None
    policies: Sequence[Path] = ()
    data: Sequence[Path] = ()
    profile: str | None = None
    state_dir: Path | None = None
    chdir: Path | None = None
    options: Options = field(default_factory=Options)
    exclude: Sequence[str] = ()
    chosen: bool = True
    conftest: ConftestChoices | None = None
    aws: AwsChoices = AwsChoices()
    cluster: ClusterChoice | None = None


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
    here = settings.in_environment(choices.environment or values.environment)
    return replace(here, values=msgspec.structs.replace(here.values, profile=profile))


def limits_of(settings: Settings) -> Limits:
    """The parsers' limits as the settings have them."""
    chosen = settings.values.limits
    return Limits(
        max_plan_bytes=chosen.max_plan_bytes,
        max_depth=chosen.max_depth,
        max_number_digits=chosen.max_number_digits,
        max_resources=chosen.max_resources,
        max_yaml_nodes=chosen.max_yaml_nodes,
        max_files=chosen.max_files,
        max_template_nodes=chosen.max_template_nodes,
        show_timeout_s=chosen.show_timeout_s,
    )


def waiver(item: WaiverSettings, file: str) -> Waiver:
    """One waiver of the settings.

    Raises:
        UsageError: It has no time zone, or leaves something empty.
    """
    try:
        expires = datetime.fromisoformat(item.expires)
        return Waiver(
            rule=item.rule,
            address=item.address,
            owner=item.owner,
            reason=item.reason,
            expires=expires,
            input=item.input,
        )
    except ValueError as error:
        raise UsageError(
            f"{file}: waiver of {item.rule} at {item.address}: {error}",
            hint="expires is a time with a zone, e.g. 2027-01-31T00:00:00Z",
        ) from error
