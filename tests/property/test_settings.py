"""*The fast check and the published schema agree*; whatever is handed in is settings or refused."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import UsageError
from plangate.settings import Settings, parse_settings
from plangate.settings_file import LimitSettings
from tests.tools import ROOT

SCALARS: Final = (
    st.none() | st.booleans() | st.integers(-2, 20_000) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "1", "true", "standard", "strict", "mandatory", "advisory", "high", "deny", "oblige"])
    | st.text(max_size=4)
)  # fmt: skip
JSON: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these members, each nearly always of its kind, and rarely one more."""
    members = {name: st.one_of(strategy, strategy, strategy, JSON) for name, strategy in fields.items()}
    return st.fixed_dictionaries({}, optional={**members, "unknown": st.nothing() | JSON})


NAMES: Final = st.sampled_from(["a", "key-rotation", "", "x" * 101])
TEXTS: Final = st.text(min_size=1, max_size=5)
RULES: Final = objects(
    enforcement=st.sampled_from(["advisory", "overridable", "mandatory", "none", None]),
    severity=st.sampled_from(["low", "medium", "high", "critical", "LOW", None]),
    on_unknown=st.sampled_from(["deny", "oblige", "pass", None]),
    settings=st.dictionaries(TEXTS, JSON, max_size=2),
)
WAIVERS: Final = st.fixed_dictionaries({
    name: st.one_of(TEXTS, TEXTS, TEXTS, TEXTS, JSON) for name in ("rule", "address", "owner", "reason", "expires")
})  # fmt: skip
BUNDLES: Final = objects(
    path=st.sampled_from(["b.tar.gz", "", "https://x/b", "a://", "b.tar.gz"]),
    keys=st.dictionaries(
        st.sampled_from(["release", ""]),
        objects(
            file=st.sampled_from(["k.pub", "k.pub", ""]),
            algorithm=st.sampled_from(["ES256", "HS512", "EdDSA", "none", "es256"]),
        ),
        max_size=2,
    ),
    scope=st.text(max_size=3),
    unsafe_unsigned=st.booleans(),
    monotonic=st.booleans(),
    min_sequence=st.integers(-1, 3) | st.sampled_from([2**53 - 1, 2**53, 7.0, 7.5, None]),
)
BUNDLE_NAMES: Final = st.sampled_from(["acme", "Acme-1.2_x", ".a", "a b", "", "a" * 64, "a" * 65, "ä", "a\n"])
OPAS: Final = objects(
    url=st.sampled_from(
        [
            "https://opa:8181",
            "https://[::1]/",
            "http://opa",
            "http://localhost:8181",
            "http://localhost:8181\n",
            "x",
        ]
    ),
    binary=st.sampled_from(["opa", ""]),
    **dict.fromkeys(
        ("token_file", "token_env", "ca_file", "client_cert", "client_key"), st.sampled_from(["a", ""])
    ),
)
FILES: Final = objects(
    bundles=st.dictionaries(BUNDLE_NAMES, BUNDLES, max_size=2),
    environment=st.text(max_size=3) | NAMES,
    profile=st.sampled_from(["standard", "strict", "lax"]),
    policies=st.lists(st.text(max_size=3), max_size=2),
    shipped_policies=st.booleans(),
    engine=st.sampled_from(["embedded", "opa", "rego"])
    | objects(opa=OPAS)
    | st.builds(
        lambda opa: {"opa": opa},
        st.fixed_dictionaries({"binary": st.just("opa")}, optional={"token_env": st.just("T")}) | OPAS,
    ),
    gate_existing=st.booleans(),
    unsafe_allow_incomplete=st.booleans(),
    unsafe_disabled_rules=st.lists(TEXTS, max_size=2),
    required_rules=st.lists(TEXTS, max_size=2),
    rules=st.dictionaries(NAMES, RULES, max_size=2),
    waivers=st.lists(WAIVERS, max_size=2),
    receipt_valid_minutes=st.integers(-1, 10_082) | st.sampled_from([1.0, 60.0, 60.5]),
    state_dir=st.text(max_size=3) | st.none(),
    limits=objects(**{name: st.integers(-1, 10**12) for name in LimitSettings.__struct_fields__}),
    terraform=objects(binary=st.text(max_size=3) | st.none()),
).flatmap(
    lambda file: st.sampled_from([1, 1, 1, 1, 1.0, 2, "1", True, None]).map(lambda v: {"version": v} | file)
)


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / "src/plangate/schemas/settings.v1.json").read_text())
    )


def settings_or_refusal(data: bytes) -> Settings | None:
    """The only two things that may come of a file."""
    try:
        return parse_settings(data, "plangate.yaml", Path())
    except UsageError as error:
        message = str(error)
    assert message.startswith("plangate.yaml")
    return None


def as_yaml(file: dict[str, Any]) -> bytes:
    """JSON is YAML, but for surrogate pairs, for which YAML has another escape."""
    text = json.dumps(file)
    for character in {c for c in json.dumps(file, ensure_ascii=False) if ord(c) > 0xFFFF}:
        text = text.replace(json.dumps(character)[1:-1], f"\\U{ord(character):08x}")
    return text.encode()


@given(FILES)
def test_the_fast_check_and_the_schema_agree(file: dict[str, Any]) -> None:
    settings = settings_or_refusal(as_yaml(file))
    problems = [error.message for error in validator().iter_errors(file)]
    assert (settings is None) == bool(problems), problems


@given(FILES)
def test_no_choice_is_lost(file: dict[str, Any]) -> None:
    settings = settings_or_refusal(as_yaml(file))
    if settings is not None:
        for name, value in file.items():
            if name in {
                "environment",
                "profile",
                "policies",
                "state_dir",
                "gate_existing",
                "receipt_valid_minutes",
            }:
                assert getattr(settings.values, name) == value


@given(st.text(max_size=80))
def test_any_text_is_settings_or_refused(text: str) -> None:
    settings_or_refusal(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=60))
def test_any_bytes_are_settings_or_refused(data: bytes) -> None:
    settings_or_refusal(data)


@given(st.text(alphabet="version: 1\n-[]{},&*!|>?'\"#%@`~=<tb.0xe", max_size=60))
def test_anything_that_is_nearly_yaml_is_settings_or_refused(text: str) -> None:
    settings_or_refusal(("version: 1\n" + text).encode())
