"""All built-in rules, by id. A rule that is not listed does not exist; a test compares it with the folder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plangate.rules import (
    allowed_providers,
    allowed_regions,
    blast_radius,
    bucket_encrypted,
    bucket_no_public_access,
    bucket_versioned,
    cluster_endpoint_private,
    database_encrypted,
    database_not_public,
    iam_no_full_admin,
    ingress_no_open_admin_ports,
    ingress_no_open_all,
    instance_metadata_v2,
    instance_no_public_ip,
    key_rotation,
    listener_tls,
    no_provisioners,
    no_stateful_destroy,
    required_tags,
    volume_encrypted,
)
from plangate.rules.base import Rule

_ALL: Final[tuple[Rule, ...]] = (
    instance_no_public_ip.RULE,
    instance_metadata_v2.RULE,
    ingress_no_open_admin_ports.RULE,
    ingress_no_open_all.RULE,
    bucket_no_public_access.RULE,
    bucket_encrypted.RULE,
    bucket_versioned.RULE,
    database_not_public.RULE,
    database_encrypted.RULE,
    volume_encrypted.RULE,
    iam_no_full_admin.RULE,
    listener_tls.RULE,
    key_rotation.RULE,
    cluster_endpoint_private.RULE,
    required_tags.RULE,
    allowed_regions.RULE,
    no_stateful_destroy.RULE,
    blast_radius.RULE,
    no_provisioners.RULE,
    allowed_providers.RULE,
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.spec.id: rule for rule in _ALL})
"""Every rule by id, in the order in which they are listed and asked."""
