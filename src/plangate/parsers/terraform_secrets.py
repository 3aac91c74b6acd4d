"""Everything in a Terraform plan that is a secret, so that no output shows it.

Three sources: what the document marks (``*_sensitive`` shadows, sensitive variables and outputs), what well-known
attribute names say (plans of format 0.1 mark nothing, and providers forget), and user data, whose lines often carry
what the names do not.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.parsers.terraform_values import MIN_SECRET_CHARS, leaves, secrets_in

USER_DATA: Final = frozenset({"user_data", "user_data_base64", "custom_data", "metadata_startup_script"})
"""Start-up scripts, in clear or base64-encoded."""

SECRET_NAMES: Final = USER_DATA | {
    "access_token",
    "admin_password",
    "administrator_login_password",
    "administrator_password",
    "api_key",
    "api_token",
    "auth_token",
    "client_key",
    "client_secret",
    "connection_string",
    "master_auth_token",
    "master_password",
    "password",
    "primary_access_key",
    "primary_connection_string",
    "private_key",
    "private_key_openssh",
    "private_key_pem",
    "private_key_pem_pkcs8",
    "root_password",
    "secondary_access_key",
    "secondary_connection_string",
    "secret",
    "secret_binary",
    "secret_key",
    "secret_string",
    "sensitive_value",
    "token",
}
"""Attributes whose value is a secret whatever the provider's schema says, at the top level of a resource."""

SECRET_NAMES_BY_TYPE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "aws_ssm_parameter": frozenset({"value"}),
        "kubernetes_secret": frozenset({"data", "binary_data"}),
        "kubernetes_secret_v1": frozenset({"data", "binary_data"}),
        "random_password": frozenset({"result", "bcrypt_hash"}),
    }
)
_NONE: Final[frozenset[str]] = frozenset()


def change_secrets(native_type: str, change: Mapping[str, Any]) -> set[str]:
    """Secrets in the two sides of one change."""
    found: set[str] = set()
    for side in ("before", "after"):
        values = change.get(side)
        found |= secrets_in(values, change.get(f"{side}_sensitive"))
        if isinstance(values, dict):
            found |= named_secrets(native_type, values)
    return found


def named_secrets(native_type: str, values: Mapping[str, Any]) -> set[str]:
    """Values of attributes that are secret by their name; user data also decoded, as a whole."""
    names = (SECRET_NAMES & values.keys()) | (SECRET_NAMES_BY_TYPE.get(native_type, _NONE) & values.keys())
    found: set[str] = set()
    for name in names:
        texts = leaves(values[name])
        found |= texts
        if name in USER_DATA:
            found |= {decoded for text in texts if len(decoded := _decoded(text)) >= MIN_SECRET_CHARS}
    return found


def document_secrets(
    root: Mapping[str, Any], configuration: Mapping[str, Any], variables: Mapping[str, Any]
) -> set[str]:
    """Secrets outside of the change entries: variables, outputs, and the state before and after."""
    found: set[str] = set()
    declared = below(configuration.get("root_module"), "variables")
    for name, declaration in declared.items() if isinstance(declared, dict) else ():
        if below(declaration, "sensitive"):
            found |= leaves(below(variables.get(name), "value")) | leaves(declaration.get("default"))
    for values in (root.get("planned_values"), below(root.get("prior_state"), "values")):
        outputs = below(values, "outputs")
        for output in outputs.values() if isinstance(outputs, dict) else ():
            if below(output, "sensitive"):
                found |= leaves(output.get("value"))
        for resource in state_resources(values):
            attributes = resource.get("values")
            found |= secrets_in(attributes, resource.get("sensitive_values"))
            if isinstance(attributes, dict):
                found |= named_secrets(str(resource.get("type")), attributes)
    return found


def state_resources(values: Any) -> Iterator[Mapping[str, Any]]:
    """Resources of all modules of a ``planned_values`` or of a state's ``values``."""
    pending = [below(values, "root_module")]
    while pending:
        module = pending.pop()
        if isinstance(module, dict):
            listed, children = module.get("resources"), module.get("child_modules")
            yield from (r for r in listed if isinstance(r, dict)) if isinstance(listed, list) else ()
            pending += children if isinstance(children, list) else []


def below(value: Any, key: str) -> Any:
    """A member of what may be an object; ``None`` when it is not there."""
    return value.get(key) if isinstance(value, dict) else None


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
