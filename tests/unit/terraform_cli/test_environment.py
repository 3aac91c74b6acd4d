from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from plangate.terraform_cli import acting_environment, providers_folder, reading_environment

ALWAYS = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
READING = ALWAYS | {"HOME": "/empty", "AWS_EC2_METADATA_DISABLED": "true"}
KEPT_FOR_READING = {
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERRAFORM_CONFIG",
    "TF_CLI_CONFIG_FILE",
    "TF_PLUGIN_CACHE_DIR",
}
OTHERS = {
    "TF_DATA_DIR",
    "AWS_SECRET_ACCESS_KEY",
    "PLANGATE_KEY",
    "TF_CLI_ARGS_plan",
    "TF_LOG",
    "TF_VAR_x",
    "TF_WORKSPACE",
}
NAMES = st.one_of(
    st.sampled_from(sorted(KEPT_FOR_READING | OTHERS)),
    st.text(st.characters(codec="ascii", categories=["Lu", "Nd", "Pc"]), min_size=1),
)


@given(st.dictionaries(NAMES, st.text(max_size=5)))
def test_reading_passes_on_nothing_that_is_not_listed(environ: dict[str, str]) -> None:
    seen = reading_environment(environ, home=Path("/empty"))

    assert seen == READING | {k: v for k, v in environ.items() if k in KEPT_FOR_READING and v}


@given(st.dictionaries(NAMES, st.text(max_size=5)))
def test_acting_passes_on_everything_but_what_changes_terraform(environ: dict[str, str]) -> None:
    dropped = ("TF_CLI_ARGS", "TF_LOG", "TF_REATTACH_PROVIDERS", "TF_DISABLE_PLUGIN_TLS", "PLANGATE_")

    seen = acting_environment(environ)

    assert seen == {k: v for k, v in environ.items() if not k.startswith(dropped)} | ALWAYS


def test_the_plans_workspace_beats_the_users() -> None:
    assert acting_environment({"TF_WORKSPACE": "red"}, workspace="blue") == ALWAYS | {"TF_WORKSPACE": "blue"}
    assert acting_environment({"TF_WORKSPACE": "red"}) == ALWAYS | {"TF_WORKSPACE": "red"}


def test_terraforms_own_settings_are_still_found_without_the_home(tmp_path: Path) -> None:
    def settings(**environ: str) -> str | None:
        return reading_environment(environ, home=Path("/empty")).get("TF_CLI_CONFIG_FILE")

    assert settings() is None
    assert settings(HOME=str(tmp_path)) is None
    tofu = tmp_path / ".config" / "opentofu" / "tofurc"
    tofu.parent.mkdir(parents=True)
    tofu.touch()
    assert settings(HOME=str(tmp_path)) == str(tofu)
    (tmp_path / ".terraformrc").touch()
    assert settings(HOME=str(tmp_path)) == str(tmp_path / ".terraformrc")
    assert settings(HOME=str(tmp_path), TF_CLI_CONFIG_FILE="/mine") == "/mine"
    assert settings(HOME=str(tmp_path), TERRAFORM_CONFIG="/mine") is None


def test_providers_are_found_where_init_puts_them() -> None:
    folder = Path("/project")
    assert providers_folder(folder, {}) == Path("/project/.terraform/providers")
    assert providers_folder(folder, {"TF_DATA_DIR": ""}) == Path("/project/.terraform/providers")
    assert providers_folder(folder, {"TF_DATA_DIR": "../data"}) == Path("/project/../data/providers")
    assert providers_folder(folder, {"TF_DATA_DIR": "/data"}) == Path("/data/providers")
