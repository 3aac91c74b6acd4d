"""Keys, clusters, functions, registries and logs of AWS."""

from typing import Any, Final

from plangate.facts.addresses import covers_everyone
from plangate.facts.base import REGISTRY, Adapter, Native, Values, flag, has_text, text, texts, whole_number
from plangate.facts.links import any_referrer
from plangate.model.values import UNKNOWN, Tri, all_of


def _key(native: Native) -> dict[str, Any]:
    """Only symmetric encryption keys that KMS made itself rotate.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html and
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key#enable_key_rotation
    (``false``)
    """
    spec = text(native.setting("customer_master_key_spec"))
    usage = text(native.setting("key_usage"))
    can_rotate = spec in (UNKNOWN, "", "SYMMETRIC_DEFAULT") and usage in (UNKNOWN, "", "ENCRYPT_DECRYPT")
    if not can_rotate or has_text(native.setting("custom_key_store_id")):
        return {"rotation": None}
    rotates = flag(native.setting("enable_key_rotation"), default=False)
    known = (
        spec is not UNKNOWN and usage is not UNKNOWN and native.setting("custom_key_store_id") is not UNKNOWN
    )
    return {"rotation": rotates if known or rotates is True else UNKNOWN}


def _foreign_key(_native: Native) -> dict[str, Any]:
    """A replica rotates with its primary key; imported key material does not rotate by itself."""
    return {"rotation": None}


def _eks_cluster(native: Native) -> dict[str, Any]:
    """An API endpoint is public, for everyone, unless it says otherwise.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_cluster#vpc_config
    """
    config = native.blocks("vpc_config")
    if config is UNKNOWN:
        public: Tri = UNKNOWN
    else:
        block = config[0] if config else {}
        public = all_of(
            [flag(block.get("endpoint_public_access"), default=True), _for_everyone(native, block)]
        )
    encryption = native.blocks("encryption_config")
    if encryption is UNKNOWN:
        encrypted: Tri = UNKNOWN
    else:
        named = [texts(block.get("resources")) for block in encryption]
        encrypted = (
            UNKNOWN if UNKNOWN in named else any("secrets" in item for item in named if item is not UNKNOWN)
        )
    return {"public_endpoint": public, "secrets_encrypted": encrypted}


def _for_everyone(native: Native, block: Values) -> Tri:
    cidrs = texts(native.inner(block, "vpc_config", "public_access_cidrs"))
    if cidrs is UNKNOWN:
        return UNKNOWN
    return covers_everyone(cidrs) if cidrs else True


def _function(native: Native) -> dict[str, Any]:
    return {"public": any_referrer(native, "aws_lambda_function_url", "/function_name", _url_is_open)}


def _url_is_open(native: Native) -> Tri:
    """Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function_url."""
    kind = text(native.values.get("authorization_type"))
    return UNKNOWN if kind is UNKNOWN else kind != "AWS_IAM"


def _function_url(native: Native) -> dict[str, Any]:
    return {"public": _url_is_open(native)}


def _repository(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecr_repository.

    Tags are ``MUTABLE`` and images are not scanned by default.
    """
    tags = text(native.setting("image_tag_mutability"))
    scanning = native.blocks("image_scanning_configuration")
    return {
        "immutable_tags": UNKNOWN if tags is UNKNOWN else tags == "IMMUTABLE",
        "scan_on_push": UNKNOWN
        if scanning is UNKNOWN
        else flag(scanning[0].get("scan_on_push"), default=False)
        if scanning
        else False,
    }


def _log_group(native: Native) -> dict[str, Any]:
    """A log group.

    Without a key of ours, AWS encrypts with one of its own; without ``retention_in_days``, logs are kept for ever.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_log_group
    """
    key = native.setting("kms_key_id")
    days = whole_number(native.setting("retention_in_days"))
    return {
        # An unknown key that someone sets is a key all the same, but may turn out to be empty.
        "encrypted": UNKNOWN if key is UNKNOWN else has_text(key),
        "retention_days": 0 if days is None else days,
    }


ADAPTERS: Final = {
    f"aws_{page}": Adapter(kind=kind, adapt=adapt, docs=REGISTRY + page)
    for page, kind, adapt in (
        ("kms_key", "crypto.key", _key),
        ("kms_replica_key", "crypto.key", _foreign_key),
        ("kms_external_key", "crypto.key", _foreign_key),
        ("kms_replica_external_key", "crypto.key", _foreign_key),
        ("eks_cluster", "kubernetes.cluster", _eks_cluster),
        ("lambda_function", "serverless.function", _function),
        ("lambda_function_url", "serverless.function", _function_url),
        ("ecr_repository", "container.registry", _repository),
        ("cloudwatch_log_group", "log.group", _log_group),
    )
}
