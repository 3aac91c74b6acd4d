"""``plangate.yaml``: what is read, and what is refused with its place."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from plangate.cli.init import TEMPLATE
from plangate.errors import UsageError
from plangate.server_settings import CallerSettings, RuleSetSettings, ServerSettings, TlsSettings
from plangate.settings import MAX_SETTINGS_BYTES, Settings, load_settings, parse_settings
from plangate.settings_file import LimitSettings, RuleSettings, TerraformSettings, WaiverSettings
from tests.tools import ROOT

DEFAULTS = parse_settings(b"version: 1", "f", Path()).values
SCHEMA = json.loads((ROOT / "src/plangate/schemas/settings.v1.json").read_text())


def values_of(text: str | bytes) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return parse_settings(data, "plangate.yaml", Path("here")).values


def complaint(text: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        values_of(text)
    return str(caught.value)


# --- What is read --------------------------------------------------------------------------------------------


def test_the_shortest_file_gives_the_defaults() -> None:
    assert DEFAULTS.environment == "default"
    assert DEFAULTS.profile == "standard"
    assert DEFAULTS.limits == LimitSettings()
    assert DEFAULTS.rules == {}


def test_the_file_that_init_writes_gives_the_defaults() -> None:
    assert values_of(TEMPLATE) == DEFAULTS


def test_what_init_shows_in_comments_can_be_switched_on() -> None:
    shown = TEMPLATE.replace("rules: {}", "rules:").replace("waivers: []", "waivers:").replace("  # ", "  ")
    values = values_of(shown)
    assert values.rules == {
        "required-tags": RuleSettings(settings={"tags": {"owner": [], "environment": ["prod", "test"]}}),
        "allowed-regions": RuleSettings(settings={"regions": ["eu-west-1"]}),
        "key-rotation": RuleSettings(enforcement="advisory"),
    }
    assert values.waivers == [
        WaiverSettings(
            rule="bucket-versioned",
            address="aws_s3_bucket.scratch",
            owner="team-storage",
            reason="holds build caches only",
            expires="2027-01-31T00:00:00Z",
        )
    ]


def test_every_setting_is_read() -> None:
    values = values_of(
        """
        version: 1
        environment: prod
        profile: strict
        policies: [policies, ../more]
        shipped_policies: false
        gate_existing: true
        unsafe_allow_incomplete: true
        unsafe_disabled_rules: [a]
        required_rules: [b]
        rules: {c: {enforcement: mandatory, severity: low, on_unknown: oblige, settings: {d: [1, 2.5, null]}}}
        receipt_valid_minutes: 5
        state_dir: state
        limits: {max_depth: 10, show_timeout_s: 0.5}
        terraform: {binary: tofu}
        """
    )
    assert (values.environment, values.profile, values.policies) == (
        "prod",
        "strict",
        ["policies", "../more"],
    )
    assert (values.shipped_policies, values.gate_existing, values.unsafe_allow_incomplete) == (
        False,
        True,
        True,
    )
    assert (values.unsafe_disabled_rules, values.required_rules) == (["a"], ["b"])
    assert values.rules["c"] == RuleSettings(
        enforcement="mandatory", severity="low", on_unknown="oblige", settings={"d": [1, 2.5, None]}
    )
    assert (values.receipt_valid_minutes, values.state_dir, values.terraform) == (
        5,
        "state",
        TerraformSettings(binary="tofu"),
    )
    assert values.limits == LimitSettings(max_depth=10, show_timeout_s=0.5)


@pytest.mark.parametrize("seconds", ["-1", "86401"])
def test_nobody_waits_for_a_lock_for_ever(seconds: str) -> None:
    assert "terraform" in complaint(f"version: 1\nterraform: {{lock_timeout_s: {seconds}}}")


def test_a_time_stays_text() -> None:
    assert values_of("version: 1\nenvironment: 2027-01-31").environment == "2027-01-31"


def test_the_files_digest_and_folder_are_kept() -> None:
    data = b"\xef\xbb\xbfversion: 1\npolicies: [mine]\n"
    settings = parse_settings(data, "x/plangate.yaml", Path("x"))
    assert (settings.file, settings.folder, settings.sha256) == (
        "x/plangate.yaml",
        Path("x"),
        hashlib.sha256(data).hexdigest(),
    )
    assert settings.policy_roots() == (Path("x/mine"),)


# --- Where it is ---------------------------------------------------------------------------------------------


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(None, tmp_path) == Settings(
        file="", folder=tmp_path, sha256=hashlib.sha256(b"").hexdigest(), values=DEFAULTS
    )


def test_the_folders_file_is_found_and_an_explicit_one_wins(tmp_path: Path) -> None:
    (tmp_path / "plangate.yaml").write_text("version: 1\nenvironment: one")
    (tmp_path / "other.yaml").write_text("version: 1\nenvironment: two")
    assert load_settings(None, tmp_path).values.environment == "one"
    assert load_settings(tmp_path / "other.yaml", tmp_path).values.environment == "two"


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file") as caught:
        load_settings(tmp_path / "missing.yaml", tmp_path)
    assert caught.value.hint == "`plangate init` writes one"


def test_a_file_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "plangate.yaml").mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_settings(None, tmp_path)


# --- What is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "version: 1\nenviroment: x",
            "top level: Additional properties are not allowed ('enviroment' was unexpected)",
        ),
        (
            "version: 1\nlimits: {max_dept: 1}",
            "limits: Additional properties are not allowed ('max_dept' was unexpected)",
        ),
        ("version: 1\nrules: {a: {enforce: x}}", "rules.a: Additional properties are not allowed"),
        ("version: 1\nwaivers: [{rule: a}]", "waivers.0: 'address' is a required property"),
        (
            "version: 1\nwaivers: [{rule: '', address: a, owner: o, reason: r, expires: e}]",
            "waivers.0.rule: ''",
        ),
        ("environment: x", "top level: 'version' is a required property"),
        ("version: 2", "version: 1 was expected"),
        ("version: true", "version: 1 was expected"),
        ("version: '1'", "version: 1 was expected"),
        ("version: 1\nprofile: lax", "profile: 'lax' is not one of ['standard', 'strict']"),
        ("version: 1\nrules: {a: {severity: huge}}", "rules.a.severity: 'huge' is not one of"),
        ("version: 1\nreceipt_valid_minutes: 0", "receipt_valid_minutes: 0 is less than the minimum of 1"),
        ("version: 1\nreceipt_valid_minutes: 1.5", "receipt_valid_minutes: 1.5 is not of type 'integer'"),
        (
            "version: 1\nlimits: {max_depth: 0}",
            "limits.max_depth: 0 is less than or equal to the minimum of 0",
        ),
        ("version: 1\nenvironment: ''", "environment: '' should be non-empty"),
        ("version: 1\nenvironment: " + "x" * 101, "environment: 'xxx"),
        ("version: 1\ngate_existing: 'yes'", "gate_existing: 'yes' is not of type 'boolean'"),
        ("version: 1\npolicies: mine", "policies: 'mine' is not of type 'array'"),
        ("version: 1\nlimits:", "limits: None is not of type 'object'"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused_with_its_place(text: str, message: str) -> None:
    assert complaint(text).startswith(f"plangate.yaml: {message}")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert complaint("version: 1\na: 1\nprofile: x\nlimits: {b: 1}").count("; ") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plangate.yaml: expected a mapping (start with `version: 1`)"),
        ("- version", "plangate.yaml: expected a mapping (start with `version: 1`)"),
        ("version: 1\nversion: 1", "plangate.yaml:2:1: duplicate key version"),
        ("version: 1\nrules:\n  a: {}\n  a: {}", "plangate.yaml:4:3: duplicate key a"),
        ("version: 1\n1: x", "plangate.yaml:2:1: a key that is not text"),
        ("version: 1\n? [a]\n: x", "plangate.yaml:2:3: a key that is not text"),
        ("version: 1\nrules: {true: {}}", "plangate.yaml:2:9: a key that is not text"),
        ("version: 1\na: &x 1\nb: *x", "plangate.yaml:2: anchors and aliases are not allowed here"),
        ("version: 1\nb: *x", "plangate.yaml:2: anchors and aliases are not allowed here"),
        ("version: 1\n  x: 1", "plangate.yaml:2:4: mapping values are not allowed in this context"),
        ("version: 1\n---\nversion: 1", "plangate.yaml:2:1: but found another document"),
        ("version: [1", "plangate.yaml:2:1: did not find expected ',' or ']'"),
        ("version: !!python/object:os.system x", "plangate.yaml:1:10: could not determine a constructor for the tag"),
        ("version: 1\npolicies: !!set {a}", "plangate.yaml:2:11: could not determine a constructor for the tag"),
        ("version: 1\nstate_dir: !!binary aGk=", "plangate.yaml:2:12: could not determine a constructor for the tag"),
        ("version: !!int x", "plangate.yaml: a value that is not what its tag says, or cannot be read"),
        ("version: !!bool perhaps", "plangate.yaml: a value that is not what its tag says, or cannot be read"),
        ("version: !!int ''", "plangate.yaml: a value that is not what its tag says, or cannot be read"),
        ("version: " + "1" * 5000, "plangate.yaml: a value that is not what its tag says, or cannot be read"),
        ("version: 1\nlimits: {show_timeout_s: .nan}", "plangate.yaml:2:26: not a finite number"),
        ("version: 1\nlimits: {show_timeout_s: .inf}", "plangate.yaml:2:26: not a finite number"),
        ("version: \x07", "plangate.yaml: not YAML"),
        (b"version: \xff", "plangate.yaml: not UTF-8 text"),
        ("version: 1".encode("utf-16"), "plangate.yaml: not UTF-8 text"),
        ("[" * 300_000, "plangate.yaml:1: nested deeper than 32 levels"),
        ("- " * 300_000, "plangate.yaml:1: nested deeper than 32 levels"),
        ("{a: " * 200_000, "plangate.yaml:1: nested deeper than 32 levels"),
        (b"#" * (MAX_SETTINGS_BYTES + 1), "plangate.yaml: 1048577 bytes (limit: 1048576)"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_what_is_not_plain_yaml_is_refused_with_its_place(text: str | bytes, message: str) -> None:
    assert complaint(text).startswith(message)


# --- The schema ----------------------------------------------------------------------------------------------


def properties(schema: dict[str, Any], at: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = [(f"{at}.{name}".lstrip("."), below) for name, below in schema.get("properties", {}).items()]
    for name, below in list(found):
        for inner in (below, below.get("items", {}), below.get("additionalProperties", {})):
            found += properties(inner, name) if isinstance(inner, dict) else []
    return found


def test_every_setting_is_documented_in_the_schema() -> None:
    missing = [name for name, schema in properties(SCHEMA) if not schema.get("description")]
    assert missing == []


def test_the_schema_has_the_settings_of_the_code_with_the_same_defaults() -> None:
    def expected(structure: Any, defaults: Any) -> dict[str, Any]:
        return {name: getattr(defaults, name) for name in structure.__struct_fields__}

    def said(schema: dict[str, Any]) -> dict[str, Any]:
        return {name: below.get("default") for name, below in schema["properties"].items()}

    top = expected(type(DEFAULTS), DEFAULTS)
    sections = {"limits", "terraform", "server", "aws", "kubernetes"} & top.keys()
    assert said(SCHEMA) == top | {"version": None} | {name: {} for name in sections}
    assert said(SCHEMA["properties"]["limits"]) == expected(LimitSettings, LimitSettings())
    assert said(SCHEMA["properties"]["terraform"]) == expected(TerraformSettings, TerraformSettings())
    server = SCHEMA["properties"]["server"]
    nested = {"queries", "limits"}
    assert said(server) == expected(ServerSettings, ServerSettings()) | {name: {} for name in nested}
    for name in nested:
        default = getattr(ServerSettings(), name)
        assert said(server["properties"][name]) == expected(type(default), default)
    for name, structure in (("callers", CallerSettings), ("rule_sets", RuleSetSettings)):
        one = server["properties"][name]["additionalProperties"]
        assert set(one["properties"]) == set(structure.__struct_fields__)
    assert set(server["properties"]["tls"]["properties"]) == set(TlsSettings.__struct_fields__)
    waiver = SCHEMA["properties"]["waivers"]["items"]
    assert list(waiver["properties"]) == list(WaiverSettings.__struct_fields__)
    assert waiver["required"] == [name for name in WaiverSettings.__struct_fields__ if name != "input"]
    rule = SCHEMA["$defs"]["rules"]["additionalProperties"]
    assert list(rule["properties"]) == list(RuleSettings.__struct_fields__)


# --- Environments ---------------------------------------------------------------------------------------------

ENVIRONMENTS = b"""
version: 1
environment: dev
rules:
  required-tags: {enforcement: advisory, severity: low, settings: {tags: [owner], a: 1}}
environments:
  prod:
    rules:
      required-tags: {enforcement: mandatory, settings: {tags: [owner, cost]}}
      bucket-versioned: {on_unknown: deny}
"""


def test_an_environment_replaces_what_it_names_and_keeps_the_rest() -> None:
    settings = parse_settings(ENVIRONMENTS, "plangate.yaml", Path())
    assert settings.in_environment("dev").values.rules == settings.values.rules
    there = settings.in_environment("prod").values
    assert there.environment == "prod"
    assert there.rules == {
        "required-tags": RuleSettings(
            enforcement="mandatory", severity="low", settings={"tags": ["owner", "cost"], "a": 1}
        ),
        "bucket-versioned": RuleSettings(on_unknown="deny"),
    }


def test_a_misspelt_environment_is_not_taken_for_one_without_choices() -> None:
    settings = parse_settings(ENVIRONMENTS, "plangate.yaml", Path())
    with pytest.raises(UsageError, match="no environment 'prdo'") as refused:
        settings.in_environment("prdo")
    assert refused.value.hint == "the file has: dev, prod"


def test_any_environment_is_one_where_the_file_speaks_of_none() -> None:
    settings = parse_settings(b"version: 1\n", "plangate.yaml", Path())
    assert settings.in_environment("prdo").values.environment == "prdo"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"version: 1\nenvironments: {prod: {rulse: {}}}", "rulse"),
        (
            b"version: 1\nenvironments: {prod: {rules: {a: {enforcement: deny}}}}",
            "environments.prod.rules.a.enforcement",
        ),
        (b"version: 1\nenvironments: {'': {}}", "environments"),
    ],
)
def test_an_environment_is_checked_as_the_rest(text: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_settings(text, "plangate.yaml", Path())
