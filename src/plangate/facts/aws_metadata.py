"""The instance metadata service of AWS: whether it answers without a session token.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#metadata-options
and https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html, which says
what wins: the launch, then the account's defaults, then the image, and without any of them tokens are
optional.
"""

from plangate.facts.base import Native, Raw, Values, text
from plangate.facts.links import account_setting
from plangate.model.values import UNKNOWN, Tri


def own_tokens_required(native: Native) -> Tri | None:
    """What the resource's own ``metadata_options`` say; ``None`` when they leave it open."""
    blocks = native.blocks("metadata_options")
    if blocks is UNKNOWN:
        return None if native.may_be_unset("metadata_options") else UNKNOWN
    return _required(native, blocks[0]) if blocks else None


def tokens_required(native: Native, template: Tri | None = None) -> Tri:
    """Whether tokens are required, with the template's word and the account's default for what is left open."""
    own = own_tokens_required(native)
    if own is not None:
        return own
    inherited = template
    if inherited is None:
        inherited = account_setting(native, "aws_ec2_instance_metadata_defaults", _account_requires)
    # The block may still be written with `dynamic`, which overrides what is inherited; only "no" is certain
    # then.
    certain = native.values.get("metadata_options") is not UNKNOWN
    return inherited if certain or inherited is False else UNKNOWN


def _account_requires(native: Native) -> Tri:
    tokens = _tokens(native.values.get("http_tokens"))
    return False if tokens is None else tokens


def _required(native: Native, block: Values) -> Tri | None:
    endpoint = text(native.inner(block, "metadata_options", "http_endpoint"))
    if endpoint == "disabled":
        return True
    tokens = _tokens(native.inner(block, "metadata_options", "http_tokens"))
    # With the endpoint not known, "optional" may still turn out harmless.
    return UNKNOWN if endpoint is UNKNOWN and tokens is not True else tokens


def _tokens(value: Raw) -> Tri | None:
    if value is None or value in ("", "no-preference"):
        return None
    return True if value == "required" else False if value == "optional" else UNKNOWN
