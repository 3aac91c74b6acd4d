"""Keys, clusters, functions, registries and logs of Google."""

from collections.abc import Callable
from typing import Any, Final

from plangate.facts.addresses import covers_everyone
from plangate.facts.base import (
    GOOGLE,
    Adapter,
    Blocks,
    Native,
    Raw,
    blocks_in,
    flag,
    has_text,
    text,
    whole_number,
)
from plangate.facts.google_members import given_to_everyone
from plangate.facts.links import points_somewhere
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate, pointer

_DEFAULT_RETENTION_DAYS: Final = 30
_KEYS: Final = ("google_kms_crypto_key", "google_kms_crypto_key_version")


def _key(native: Native) -> dict[str, Any]:
    """A key rotates when it has a period; only symmetric keys whose material Google made can.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/kms_crypto_key and
    https://cloud.google.com/kms/docs/key-rotation
    """
    purpose = text(native.setting("purpose"))
    imported = flag(native.setting("import_only"), default=False)
    symmetric = purpose in (UNKNOWN, "", "ENCRYPT_DECRYPT")
    level = _protection_level(native)
    if not symmetric or imported is True or level in ("EXTERNAL", "EXTERNAL_VPC"):
        return {"rotation": None}
    period = native.setting("rotation_period")
    if has_text(period):
        return {"rotation": True}
    # Without a period it keeps its material, unless it turns out to be a key that cannot rotate.
    return {"rotation": UNKNOWN if UNKNOWN in (period, purpose, imported, level) else False}


def _protection_level(native: Native) -> str | Unknown:
    """Where the key's material lies: with Google, in software, unless told otherwise."""
    versions = native.blocks("version_template")
    if versions is UNKNOWN:
        return "" if native.may_be_unset("version_template") else UNKNOWN
    return text(versions[0].get("protection_level")) if versions else ""


def _cluster(native: Native) -> dict[str, Any]:
    """A cluster's API is on the internet, for everyone, unless it is private or names networks.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/container_cluster and
    https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation
    """
    by_address = all_of([negate(_is_private(native)), _lets_everyone(native)])
    endpoints = native.blocks("control_plane_endpoints_config")
    if endpoints is UNKNOWN:
        # Left out, the address is there: then only "yes" is certain.
        left_out = native.may_be_unset("control_plane_endpoints_config")
        return _cluster_facts(native, True if left_out and by_address is True else UNKNOWN)
    with_address = all_of(_inside_all(endpoints, "ip_endpoints_config", "enabled", default=True))
    by_name = any_of(_inside_all(endpoints, "dns_endpoint_config", "allow_external_traffic", default=False))
    return _cluster_facts(native, any_of([by_name, all_of([with_address, by_address])]))


def _inside_all(blocks: Blocks, name: str, attribute: str, *, default: bool) -> list[Tri]:
    """A flag of every block of a name inside these blocks."""
    found: list[Tri] = []
    for block in blocks:
        inside = blocks_in(block.get(name))
        if inside is UNKNOWN:
            found.append(UNKNOWN)
        else:
            found += (flag(each.get(attribute), default=default) for each in inside)
    return found


def _cluster_facts(native: Native, public: Tri) -> dict[str, Any]:
    return {"public_endpoint": public, "secrets_encrypted": _encrypts_secrets(native)}


def _is_private(native: Native) -> Tri:
    """Whether the cluster's API has an address in its network only."""
    blocks = native.blocks("private_cluster_config")
    if blocks is UNKNOWN:
        return False if native.may_be_unset("private_cluster_config") else UNKNOWN
    return any_of(
        flag(native.inner(block, "private_cluster_config", "enable_private_endpoint"), default=False)
        for block in blocks
    )


def _lets_everyone(native: Native) -> Tri:
    """Whether the networks that may reach the API are all; naming none lets nobody in but Google."""
    name = "master_authorized_networks_config"
    blocks = native.blocks(name)
    if blocks is UNKNOWN:
        return True if native.may_be_unset(name) else UNKNOWN
    if not blocks:
        return True
    found: list[Tri] = []
    for block in blocks:
        networks = blocks_in(block.get("cidr_blocks"))
        if networks is UNKNOWN:
            found.append(UNKNOWN)
            continue
        texts_of = [text(each.get("cidr_block")) for each in networks]
        found.append(covers_everyone(texts_of))
    return any_of(found)


def _encrypts_secrets(native: Native) -> Tri:
    blocks = native.blocks("database_encryption")
    if blocks is UNKNOWN:
        return False if native.may_be_unset("database_encryption") else UNKNOWN
    states = [text(block.get("state")) for block in blocks]
    return any_of(
        UNKNOWN if state is UNKNOWN else state in {"ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"}
        for state in states
    )


def _function(native: Native) -> dict[str, Any]:
    """A function can be called by everyone when everyone is given a role on it.

    Source: https://cloud.google.com/functions/docs/securing/managing-access-iam
    """
    return {"public": given_to_everyone(native, native.resource.type, "/cloud_function")}


def _second_function(native: Native) -> dict[str, Any]:
    """A function of the second generation is a service of Cloud Run as well, where it may be opened too.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/cloudfunctions2_function_iam
    """
    return {
        "public": any_of(
            [
                given_to_everyone(native, "google_cloudfunctions2_function", "/cloud_function"),
                given_to_everyone(native, "google_cloud_run_service", "/service"),
                given_to_everyone(native, "google_cloud_run_v2_service", "/name"),
            ]
        )
    }


def _service(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/cloud_run_service_iam."""
    return {"public": _run_is_open(native)}


def _run_is_open(native: Native) -> Tri:
    return any_of(
        [
            given_to_everyone(native, "google_cloud_run_service", "/service"),
            given_to_everyone(native, "google_cloud_run_v2_service", "/name"),
        ]
    )


def _second_service(native: Native) -> dict[str, Any]:
    """A service that everyone may call, unless traffic from the internet does not reach it.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/cloud_run_v2_service
    """
    opened = any_of([flag(native.setting("invoker_iam_disabled"), default=False), _run_is_open(native)])
    internal = native.values.get("ingress") == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    return {"public": False if internal else opened}


def _repository(native: Native) -> dict[str, Any]:
    """Tags can be moved unless told otherwise; whether images are scanned is up to the project unless it is off here.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/artifact_registry_repository
    """
    return {
        "immutable_tags": _inside(native.values.get("docker_config"), "immutable_tags"),
        "scan_on_push": False if _is_not_scanned(native) else UNKNOWN,
    }


def _inside(value: Raw, name: str) -> Tri:
    blocks = blocks_in(value)
    return UNKNOWN if blocks is UNKNOWN else any_of(flag(block.get(name), default=False) for block in blocks)


def _is_not_scanned(native: Native) -> bool:
    blocks = native.blocks("vulnerability_scanning_config")
    return blocks is not UNKNOWN and any(block.get("enablement_config") == "DISABLED" for block in blocks)


def _old_registry(_native: Native) -> dict[str, Any]:
    """Source: https://cloud.google.com/artifact-registry/docs/transition/changes-gcr."""
    return {"immutable_tags": False, "scan_on_push": UNKNOWN}


def _log_bucket(native: Native) -> dict[str, Any]:
    """A bucket for logs keeps them for thirty days unless told otherwise.

    Source:
    https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/logging_project_bucket_config
    """
    days = whole_number(native.setting("retention_days"))
    return {
        "encrypted": _has_key(native),
        "retention_days": UNKNOWN if days is UNKNOWN else days or _DEFAULT_RETENTION_DAYS,
    }


def _has_key(native: Native) -> Tri:
    blocks = native.blocks("cmek_settings")
    if blocks is UNKNOWN or not blocks:
        return UNKNOWN if blocks is UNKNOWN else False
    as_list = isinstance(native.values.get("cmek_settings"), list | tuple)
    return points_somewhere(
        native, pointer("cmek_settings", *((0,) if as_list else ()), "kms_key_name"), _KEYS
    )


_PAGES: Final[tuple[tuple[str, str, Callable[[Native], dict[str, Any]]], ...]] = (
    ("kms_crypto_key", "crypto.key", _key),
    ("container_cluster", "kubernetes.cluster", _cluster),
    ("cloudfunctions_function", "serverless.function", _function),
    ("cloudfunctions2_function", "serverless.function", _second_function),
    ("cloud_run_service", "serverless.function", _service),
    ("cloud_run_v2_service", "serverless.function", _second_service),
    ("artifact_registry_repository", "container.registry", _repository),
    ("container_registry", "container.registry", _old_registry),
    *(
        (f"logging_{place}_bucket_config", "log.group", _log_bucket)
        for place in ("project", "folder", "organization", "billing_account")
    ),
)

ADAPTERS: Final = {
    f"google_{page}": Adapter(kind=kind, adapt=adapt, docs=GOOGLE + page) for page, kind, adapt in _PAGES
}
