"""``plangate.yaml``, key by key: the records that it is read into. What they mean stands in the settings' schema."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from plangate.server_settings import ServerSettings


class RuleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule's own choices. ``None`` keeps what the rule says of itself."""

    enforcement: str | None = None
    severity: str | None = None
    on_unknown: str | None = None
    quarantine: bool | None = None
    settings: dict[str, Any] = {}


class EnvironmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is otherwise in one environment."""

    rules: dict[str, RuleSettings] = {}


class WaiverSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One waiver as written; times are RFC 3339."""

    rule: str
    address: str
    owner: str
    reason: str
    expires: str
    input: str = ""


class BundleKeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One key that a bundle may be signed with."""

    file: str
    algorithm: str


class BundleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One policy bundle, and what is asked of it."""

    path: str
    keys: dict[str, BundleKeySettings] = {}
    scope: str = ""
    unsafe_unsigned: bool = False
    monotonic: bool = False
    min_sequence: int | None = None


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What hostile input may cost at most; see the schema for units and defaults."""

    max_plan_bytes: int = 256 * 1024 * 1024
    max_depth: int = 120
    max_number_digits: int = 1000
    max_resources: int = 200_000
    max_yaml_nodes: int = 5_000_000
    max_files: int = 100_000
    max_template_nodes: int = 2_000_000
    show_timeout_s: float = 120.0
    policy_timeout_s: float = 60.0
    policy_memory_bytes: int = 4 * 1024 * 1024 * 1024
    apply_timeout_s: float = 6 * 3600.0
    stop_grace_s: float = 300.0
    obligation_timeout_s: float = 60.0


class TerraformSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which program reads and applies saved plans. ``None``: ``terraform``, else ``tofu``, from PATH."""

    binary: str | None = None
    lock_timeout_s: float = 0.0


class AwsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where resources are in AWS, and who changes them; see the schema."""

    region: str = ""
    profile: str = ""
    role: str = ""
    lock_bucket: str = ""
    workers: int = 10


class OpaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An OPA that judges: one that runs (``url``), or one that is started for each run (``binary``).

    Secrets are named here, never written: by a file, or by a variable of the environment.
    """

    url: str | UnsetType = UNSET
    binary: str | UnsetType = UNSET
    token_file: str | UnsetType = UNSET
    token_env: str | UnsetType = UNSET
    ca_file: str | UnsetType = UNSET
    client_cert: str | UnsetType = UNSET
    client_key: str | UnsetType = UNSET


class EngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which engine judges with Rego policies, when it is not the embedded one."""

    opa: OpaSettings


class SettingsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file, key by key."""

    version: int
    environment: str = "default"
    profile: str = "standard"
    policies: list[str] = []
    bundles: dict[str, BundleSettings] = {}
    data: list[str] = []
    engine: str | EngineSettings = "embedded"
    shipped_policies: bool = True
    gate_existing: bool = False
    unsafe_allow_incomplete: bool = False
    unsafe_disabled_rules: list[str] = []
    unsafe_allow_unknown_source: bool = False
    exclude: list[str] = []
    required_rules: list[str] = []
    rules: dict[str, RuleSettings] = {}
    environments: dict[str, EnvironmentSettings] = {}
    waivers: list[WaiverSettings] = []
    receipt_valid_minutes: int = 60
    state_dir: str | None = None
    limits: LimitSettings = LimitSettings()
    terraform: TerraformSettings = TerraformSettings()
    aws: AwsSettings = AwsSettings()
    server: ServerSettings = ServerSettings()
