"""``plangate.yaml``: everything that a person may choose, checked before anything is judged.

Unknown keys are refused, so that a misspelt setting never quietly does nothing. What weakens the gate says so in its
name. The file's digest goes into every decision.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.server_settings import check_server
from plangate.settings_file import (
    BundleSettings,
    EngineSettings,
    EnvironmentSettings,
    LimitSettings,
    OpaSettings,
    RuleSettings,
    SettingsFile,
    WaiverSettings,
)

FILE_NAME: Final = "plangate.yaml"
SCHEMA_FILE: Final = Path(__file__).parent / "schemas" / "settings.v1.json"
MAX_SETTINGS_BYTES: Final = 1024 * 1024
MAX_ENVIRONMENT_CHARS: Final = 100
MAX_LOCK_TIMEOUT_S: Final = 24 * 3600
MAX_NESTING: Final = 32
"""Levels of mappings and lists. A YAML parser goes down by calling itself, also the one in C."""


class Settings(Struct, frozen=True, kw_only=True):
    """Settings that passed the schema, with the folder that relative paths in them are meant from.

    Attributes:
        file: The file as the user knows it, or empty for defaults.
        folder: Folder of the file, or the current one.
        sha256: Hex digest of the file's bytes, or of nothing.
        values: The choices.
    """

    file: str
    folder: Path
    sha256: str
    values: SettingsFile = field(default_factory=lambda: SettingsFile(version=1))

    def policy_roots(self) -> tuple[Path, ...]:
        """Extra policy folders, absolute."""
        return tuple(self.folder / name for name in self.values.policies)

    def data_paths(self) -> tuple[Path, ...]:
        """Data documents for policies, absolute."""
        return tuple(self.folder / name for name in self.values.data)

    def opa(self) -> OpaSettings | None:
        """The OPA that judges; ``None`` when the embedded engine does."""
        engine = self.values.engine
        if isinstance(engine, EngineSettings):
            return engine.opa
        return OpaSettings(binary="opa") if engine == "opa" else None

    def in_environment(self, environment: str) -> "Settings":
        """The settings as they are in an environment.

        Raises:
            UsageError: The file speaks of environments, and not of this one.
        """
        values = self.values
        if values.environments and environment not in {*values.environments, values.environment}:
            raise UsageError(
                f"{self.file}: no environment {environment!r}",
                hint=f"the file has: {', '.join(sorted({*values.environments, values.environment}))}",
            )
        rules = dict(values.rules)
        here = values.environments.get(environment, EnvironmentSettings())
        for rule, chosen in here.rules.items():
            rules[rule] = _on_top(rules.get(rule, RuleSettings()), chosen)
        return replace(self, values=msgspec.structs.replace(values, environment=environment, rules=rules))


def _on_top(base: RuleSettings, chosen: RuleSettings) -> RuleSettings:
    """One rule's choices, where those of an environment count first. A setting is replaced as a whole."""
    return RuleSettings(
        enforcement=chosen.enforcement or base.enforcement,
        severity=chosen.severity or base.severity,
        on_unknown=chosen.on_unknown or base.on_unknown,
        quarantine=base.quarantine if chosen.quarantine is None else chosen.quarantine,
        settings={**base.settings, **chosen.settings},
    )


_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")
)
"""What JSON can say too."""

_URL: Final = re.compile(
    r"(https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])|http://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?/?"
)
"""Plans hold secrets, so what leaves this machine is encrypted."""

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "engine": ("embedded", "opa"),
    "profile": ("standard", "strict"),
    "enforcement": ("advisory", "overridable", "mandatory"),
    "severity": ("low", "medium", "high", "critical"),
    "on_unknown": ("deny", "oblige"),
    "algorithm": (
        *("ES256", "ES384", "ES512", "EdDSA"),
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"),
    ),
}
_BUNDLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_SEQUENCE: Final = 2**53 - 1


def load_settings(explicit: Path | None, folder: Path) -> Settings:
    """Settings from a file.

    Args:
        explicit: The file that was asked for; it has to exist.
        folder: Where to look for ``plangate.yaml`` otherwise; defaults apply when there is none.

    Raises:
        UsageError: Unreadable, not YAML, or against the schema; names the file, the place and what is expected.
    """
    path = explicit or folder / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        if explicit is None:
            return Settings(file="", folder=folder, sha256=hashlib.sha256(b"").hexdigest())
        raise UsageError(f"{path}: no such file", hint="`plangate init` writes one") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_settings(data, str(path), path.parent)


def parse_settings(data: bytes, name: str, folder: Path) -> Settings:
    """Settings from the bytes of a file.

    Raises:
        UsageError: As for `load_settings`.
    """
    if len(data) > MAX_SETTINGS_BYTES:
        raise UsageError(f"{name}: {len(data)} bytes (limit: {MAX_SETTINGS_BYTES})")
    document = _read_yaml(data, name)
    try:
        values = msgspec.convert(document, SettingsFile)
        _check_choices(values)
    except (msgspec.ValidationError, ValueError) as error:
        problem = _explain(document, error)
        raise UsageError(f"{name}: {problem}", hint="the schema: `plangate schema settings`") from error
    return Settings(file=name, folder=folder, sha256=hashlib.sha256(data).hexdigest(), values=values)


def _read_yaml(data: bytes, name: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - a run without a settings file does not pay for it

    try:
        text = data.decode("utf-8-sig")
        _check_structure(text, name)
        document = yaml.load(text, Loader=_strict_loader())  # noqa: S506 - a subclass of the safe loader
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{name}{place}: {getattr(error, 'problem', None) or 'not YAML'}") from error
    except (ValueError, LookupError, RecursionError) as error:
        # Its constructors trust explicit tags: `!!int x` and `!!bool x` end here, as do numbers of 5,000 digits.
        raise UsageError(f"{name}: a value that is not what its tag says, or cannot be read") from error
    if not isinstance(document, dict):
        raise UsageError(f"{name}: expected a mapping (start with `version: 1`)")
    return document


def _check_structure(text: str, name: str) -> None:
    """Refuse what only an attacker writes, before anything is built from it: depth, and aliases that multiply."""
    import yaml  # noqa: PLC0415 - as above

    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise UsageError(f"{name}:{line}: anchors and aliases are not allowed here")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_NESTING:
            raise UsageError(f"{name}:{line}: nested deeper than {MAX_NESTING} levels")


def _strict_loader() -> Any:
    """A safe loader that builds what JSON can say and nothing else, and refuses duplicate keys."""
    import yaml  # noqa: PLC0415 - as above

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Strict(loader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the base's signature
            seen: set[str] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=deep)
                if not isinstance(key, str):
                    raise _problem("a key that is not text", key_node)
                if key in seen:
                    raise _problem(f"duplicate key {key}", key_node)
                seen.add(key)
            return super().construct_mapping(node, deep=deep)

        def construct_number(self, node: Any) -> int | float:
            """60.0 is the whole number 60, as in JSON Schema; what JSON cannot say is no number."""
            value: float = self.construct_yaml_float(node)
            if not math.isfinite(value):
                raise _problem("not a finite number", node)
            return int(value) if value.is_integer() else value

    def _problem(text: str, node: Any) -> Exception:
        problem: Exception = yaml.constructor.ConstructorError(None, None, text, node.start_mark)
        return problem

    # Times stay text: the schema says what they are. Tags that JSON has no word for have no constructor.
    Strict.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag in _TAGS]
        for first, pairs in loader.yaml_implicit_resolvers.items()
    }
    Strict.yaml_constructors = {
        tag: construct for tag, construct in loader.yaml_constructors.items() if tag is None or tag in _TAGS
    }
    Strict.add_constructor("tag:yaml.org,2002:float", Strict.construct_number)
    return Strict


def _check_choices(values: SettingsFile) -> None:
    if values.version != 1:
        raise ValueError(f"version: {values.version} (supported: 1)")
    _one_of("profile", values.profile, "profile")
    _check_engine(values.engine)
    _check_rules(values.rules, "rules")
    for name, environment in values.environments.items():
        if not name or len(name) > MAX_ENVIRONMENT_CHARS:
            raise ValueError(f"environments: expected names of 1 to {MAX_ENVIRONMENT_CHARS} characters")
        _check_rules(environment.rules, f"environments.{name}.rules")
    _check_waivers(values.waivers)
    _check_bundles(values.bundles)
    check_server(
        values.server, {**values.environments, values.environment: None} if values.environments else {}
    )
    for key in LimitSettings.__struct_fields__:
        if getattr(values.limits, key) <= 0:
            raise ValueError(f"limits.{key}: {getattr(values.limits, key)} (expected more than 0)")
    if not 0 <= values.terraform.lock_timeout_s <= MAX_LOCK_TIMEOUT_S:
        raise ValueError(
            f"terraform.lock_timeout_s: {values.terraform.lock_timeout_s} (expected 0 to {MAX_LOCK_TIMEOUT_S})"
        )
    if not 1 <= values.receipt_valid_minutes <= 7 * 24 * 60:
        raise ValueError(f"receipt_valid_minutes: {values.receipt_valid_minutes} (expected 1 to 10080)")
    if not values.environment or len(values.environment) > MAX_ENVIRONMENT_CHARS:
        raise ValueError(f"environment: expected 1 to {MAX_ENVIRONMENT_CHARS} characters")


def _check_engine(engine: str | EngineSettings) -> None:
    if isinstance(engine, str):
        _one_of("engine", engine, "engine")
        return
    opa = engine.opa
    given = {
        key: value
        for key in OpaSettings.__struct_fields__
        if (value := getattr(opa, key)) is not msgspec.UNSET
    }
    if empty := sorted(key for key, value in given.items() if not value):
        raise ValueError(f"engine.opa.{empty[0]}: empty")
    if len(given.keys() & {"url", "binary"}) != 1:
        raise ValueError("engine.opa: expected either url (an OPA that runs) or binary (one to start)")
    if opa.binary and (others := sorted(given.keys() - {"binary"})):
        raise ValueError(f"engine.opa.{others[0]}: only for an OPA with a url")
    if opa.token_file and opa.token_env:
        raise ValueError("engine.opa: expected token_file or token_env, not both")
    if bool(opa.client_cert) != bool(opa.client_key):
        raise ValueError("engine.opa: client_cert and client_key belong together")
    if opa.url and _URL.fullmatch(opa.url) is None:
        raise ValueError(
            "engine.opa.url: expected https://host:port, or http for this machine only; no path, no password"
        )


def _check_rules(rules: Mapping[str, RuleSettings], place: str) -> None:
    for rule, chosen in rules.items():
        for key in ("enforcement", "severity", "on_unknown"):
            if (value := getattr(chosen, key)) is not None:
                _one_of(key, value, f"{place}.{rule}.{key}")


def _check_waivers(waivers: list[WaiverSettings]) -> None:
    for index, waiver in enumerate(waivers):
        needed = (key for key in WaiverSettings.__struct_fields__ if key != "input")
        if empty := [key for key in needed if not getattr(waiver, key)]:
            raise ValueError(f"waivers.{index}.{empty[0]}: empty")


def _check_bundles(bundles: Mapping[str, BundleSettings]) -> None:
    for name, bundle in bundles.items():
        at = f"bundles.{name}"
        if not _BUNDLE_NAME.fullmatch(name):
            raise ValueError(f"{at}: expected a name of letters, digits, dots, dashes and underscores")
        if not bundle.path or "://" in bundle.path:
            raise ValueError(
                f"{at}.path: {bundle.path!r} (expected a local file; addresses are not followed)"
            )
        if bool(bundle.keys) == bundle.unsafe_unsigned:
            raise ValueError(f"{at}: expected either keys or unsafe_unsigned: true")
        if bundle.min_sequence is not None and not 0 <= bundle.min_sequence <= _MAX_SEQUENCE:
            raise ValueError(f"{at}.min_sequence: {bundle.min_sequence} (expected 0 to {_MAX_SEQUENCE})")
        for key_id, key in bundle.keys.items():
            if not key_id or not key.file:
                raise ValueError(f"{at}.keys: expected every key to have an id and a file")
            _one_of("algorithm", key.algorithm, f"{at}.keys.{key_id}.algorithm")


def _one_of(key: str, value: str, at: str) -> None:
    if value not in _CHOICES[key]:
        raise ValueError(f"{at}: {value!r} (expected one of: {', '.join(_CHOICES[key])})")


def _explain(document: Any, error: Exception) -> str:
    """All that is wrong, in the words of the JSON Schema; the fast check's own words if the schema finds nothing."""
    import json  # noqa: PLC0415

    import jsonschema  # noqa: PLC0415 - a tenth of a second that only a broken file pays

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    found = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.path))
    )
    sentences = [f"{'.'.join(map(str, e.path)) or 'top level'}: {e.message[:300]}" for e in found[:5]]
    return "; ".join(sentences) or str(error)
