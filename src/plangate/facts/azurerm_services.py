"""Keys, clusters, functions, registries and logs of Azure."""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.addresses import covers_everyone
from plangate.facts.base import (
    AZURE,
    AZURE_3,
    Adapter,
    Blocks,
    Native,
    Raw,
    blocks_in,
    flag,
    has_text,
    text,
    texts,
    whole_number,
)
from plangate.facts.links import any_referrer
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate


def _key(native: Native) -> dict[str, Any]:
    """A key rotates when its policy has an ``automatic`` part; without a policy it does not.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/key_vault_key
    """
    return {"rotation": _rotates(native.blocks("rotation_policy"))}


def _rotates(policies: Blocks | Unknown) -> Tri:
    if policies is UNKNOWN:
        return UNKNOWN
    found: list[Tri] = []
    for policy in policies:
        parts = blocks_in(policy.get("automatic"))
        if parts is UNKNOWN:
            found.append(UNKNOWN)
            continue
        found += (
            _is_given(part.get(name))
            for part in parts
            for name in ("time_after_creation", "time_before_expiry")
        )
    return any_of(found)


def _is_given(value: Raw) -> Tri:
    return UNKNOWN if value is UNKNOWN else has_text(value)


def _hsm_key(native: Native) -> dict[str, Any]:
    """A key of a hardware module, whose rotation is a resource of its own.

    Source:
    https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/key_vault_managed_hardware_security_module_key_rotation_policy
    """
    return {
        "rotation": any_referrer(
            native,
            "azurerm_key_vault_managed_hardware_security_module_key_rotation_policy",
            "/managed_hsm_key_id",
            lambda policy: any_of(
                _is_given(policy.values.get(name)) for name in ("time_after_creation", "time_before_expiry")
            ),
        )
    }


def _cluster(native: Native) -> dict[str, Any]:
    """A cluster's API is on the internet, for everyone, unless it is private or names networks.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/kubernetes_cluster; older
    versions of the provider have ``api_server_authorized_ip_ranges`` beside the block.
    """
    private = flag(native.setting("private_cluster_enabled"), default=False)
    ranges = [
        _ranges(native, "api_server_access_profile"),
        texts(native.setting("api_server_authorized_ip_ranges")),
    ]
    return {
        "public_endpoint": all_of([negate(private), *(_for_everyone(given) for given in ranges)]),
        "secrets_encrypted": _has(native.blocks("key_management_service")),
    }


def _automatic_cluster(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/kubernetes_automatic_cluster."""
    return {
        "public_endpoint": all_of(
            [
                negate(_has(native.blocks("private_cluster"))),
                _for_everyone(_ranges(native, "api_server_access")),
            ]
        ),
        "secrets_encrypted": _has(native.blocks("key_management_service")),
    }


def _ranges(native: Native, name: str) -> tuple[str | Unknown, ...] | Unknown:
    """The networks that a block lets in; none when it names none."""
    blocks = native.blocks(name)
    if blocks is UNKNOWN:
        # Left out, everyone is let in, which is the worse case.
        return () if native.may_be_unset(name) else UNKNOWN
    found: list[str | Unknown] = []
    for block in blocks:
        listed = texts(native.inner(block, name, "authorized_ip_ranges"))
        if listed is UNKNOWN:
            return UNKNOWN
        found += listed
    return tuple(found)


def _for_everyone(ranges: tuple[str | Unknown, ...] | Unknown) -> Tri:
    if ranges is UNKNOWN:
        return UNKNOWN
    return covers_everyone(ranges) if ranges else True


def _has(blocks: Blocks | Unknown) -> Tri:
    return UNKNOWN if blocks is UNKNOWN else len(blocks) > 0


def _function_app(native: Native) -> dict[str, Any]:
    """Whether an app's functions ask for a key is said in their code, so only what shuts the app as a whole is known.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/linux_function_app and
    https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
    """
    word = text(native.setting("public_network_access"))
    shut = flag(native.setting("public_network_access_enabled"), default=True) is False or (
        isinstance(word, str) and word.lower() == "disabled"
    )
    return {"public": False if shut or _asks_for_identity(native) else UNKNOWN}


def _asks_for_identity(native: Native) -> bool:
    """Whether the app certainly turns away who has not signed in."""
    newer, older = native.blocks("auth_settings_v2"), native.blocks("auth_settings")
    if newer is not UNKNOWN and any(
        block.get("auth_enabled") is True
        and block.get("require_authentication") is True
        and block.get("unauthenticated_action") != "AllowAnonymous"
        and block.get("excluded_paths") in (None, [], ())
        for block in newer
    ):
        return True
    return older is not UNKNOWN and any(
        block.get("enabled") is True and block.get("unauthenticated_client_action") == "RedirectToLoginPage"
        for block in older
    )


def _registry(_native: Native) -> dict[str, Any]:
    """Tags can be moved unless each is locked by itself; images are scanned where the subscription pays for it.

    Source: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock and
    https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-introduction
    """
    return {"immutable_tags": False, "scan_on_push": UNKNOWN}


def _workspace(native: Native) -> dict[str, Any]:
    """A workspace for logs: keys of ours are those of a cluster that it is linked to.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/log_analytics_workspace
    and https://learn.microsoft.com/azure/azure-monitor/logs/customer-managed-keys
    """
    days = whole_number(native.setting("retention_in_days"))
    linked = any_referrer(native, "azurerm_log_analytics_linked_service", "/workspace_id", lambda _: UNKNOWN)
    # How long is not documented when nothing is said: it depends on the price tier.
    return {"encrypted": linked, "retention_days": UNKNOWN if days is None else days}


_FUNCTION_APPS: Final = (
    "function_app",
    "function_app_slot",
    "function_app_flex_consumption",
    "linux_function_app",
    "linux_function_app_slot",
    "windows_function_app",
    "windows_function_app_slot",
)
_PAGES: Final[tuple[tuple[str, str, Callable[[Native], dict[str, Any]]], ...]] = (
    ("key_vault_key", "crypto.key", _key),
    ("key_vault_managed_hardware_security_module_key", "crypto.key", _hsm_key),
    ("kubernetes_cluster", "kubernetes.cluster", _cluster),
    ("kubernetes_automatic_cluster", "kubernetes.cluster", _automatic_cluster),
    ("container_registry", "container.registry", _registry),
    ("log_analytics_workspace", "log.group", _workspace),
    *((page, "serverless.function", _function_app) for page in _FUNCTION_APPS),
)

_GONE: Final = frozenset({"function_app", "function_app_slot"})

ADAPTERS: Final = {
    f"azurerm_{page}": Adapter(kind=kind, adapt=adapt, docs=(AZURE_3 if page in _GONE else AZURE) + page)
    for page, kind, adapt in _PAGES
}
