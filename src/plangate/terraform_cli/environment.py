"""The two environments that terraform runs in.

*Reading* a plan starts provider programs before anything was judged: they get nothing but what terraform
needs to find them. *Acting* on an approved plan gets the user's environment, without what would change
terraform's arguments, its output, or the provider programs it talks to.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ALWAYS: Final = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
_READING_KEEPS: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERRAFORM_CONFIG",
    "TF_CLI_CONFIG_FILE",
    "TF_PLUGIN_CACHE_DIR",
)
# Proxies are not kept: they may carry a password, and reading a plan needs no network.
_ACTING_DROPS: Final = (
    "TF_CLI_ARGS",
    "TF_LOG",
    "TF_REATTACH_PROVIDERS",
    "TF_DISABLE_PLUGIN_TLS",
    "PLANGATE_",
)
"""Prefixes: extra arguments, traces with secrets, providers started by somebody else, our own settings."""


def reading_environment(environ: Mapping[str, str], *, home: Path) -> dict[str, str]:
    """What ``terraform show`` gets: an allow-list, with an empty home.

    No cloud credentials, no ``TF_VAR_*``, ``TF_TOKEN_*``, ``TF_CLI_ARGS*`` or ``TF_LOG*``. Terraform's own
    settings file is still found, because provider mirrors and development overrides stand in it.

    Args:
        environ: The user's environment.
        home: An empty folder, which becomes ``HOME``.
    """
    kept = {name: environ[name] for name in _READING_KEEPS if environ.get(name)}
    if "TF_CLI_CONFIG_FILE" not in kept and "TERRAFORM_CONFIG" not in kept and (found := _settings(environ)):
        kept["TF_CLI_CONFIG_FILE"] = str(found)
    # A provider's SDK would otherwise ask the machine's metadata service for credentials.
    return kept | _ALWAYS | {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}


def acting_environment(environ: Mapping[str, str], *, workspace: str = "") -> dict[str, str]:
    """What ``terraform apply`` and ``plan`` get: the user's environment, with its credentials.

    ``TF_VAR_*`` stays: a saved plan carries its variables, but not the ephemeral ones.

    Args:
        environ: The user's environment.
        workspace: Overrides ``TF_WORKSPACE`` when not empty.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_ACTING_DROPS)}
    return kept | _ALWAYS | ({"TF_WORKSPACE": workspace} if workspace else {})


def providers_folder(working_dir: Path, environ: Mapping[str, str]) -> Path:
    """Absolute path of the folder with the providers that ``init`` installed, whether it is there or not.

    Args:
        working_dir: The initialized folder.
        environ: The user's environment: ``TF_DATA_DIR`` may name another place than ``.terraform``.
    """
    return (working_dir / (environ.get("TF_DATA_DIR") or ".terraform") / "providers").absolute()


def _settings(environ: Mapping[str, str]) -> Path | None:
    """The settings file that terraform or tofu would find in the user's home.

    Source: https://developer.hashicorp.com/terraform/cli/config/config-file and
    https://opentofu.org/docs/cli/config/config-file/
    """
    home = environ.get("HOME")
    if not home:
        return None
    configuration = Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"))
    for candidate in (
        Path(home, ".terraformrc"),
        Path(home, ".tofurc"),
        configuration / "opentofu" / "tofurc",
    ):
        if candidate.is_file():
            return candidate
    return None
