"""Resources of Pulumi's providers as the Terraform providers that they are made from would have them.

Pulumi's providers for AWS, Azure and Google Cloud are generated from Terraform's: the same attributes, in camel case,
lists of blocks in the plural, and a block that there is at most one of as an object. Turning that back is mechanical;
what is named otherwise stands in `_TYPES`. A type without an adapter is still given its Terraform name, because what
is known of names (that it holds data, that it has no region) holds for it as well.

Source: https://github.com/pulumi/pulumi-terraform-bridge/blob/main/pkg/tfbridge/names.go
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from plangate.facts.base import Adapter, Native, Translated
from plangate.facts.kubernetes_types import MODELLED, WORKLOADS
from plangate.model.plan import Reference, Resource
from plangate.model.values import UNKNOWN, AllUnknown, pointer, pointer_tokens

BUILT_IN: Final = "pulumi.com/builtin/pulumi"
"""Provider of what no plugin makes."""
LOGICAL: Final = "pulumi_logical"
"""What no provider makes: stacks, components, and providers themselves."""

_PREFIXES: Final[Mapping[str, str]] = {
    "aws": "aws",
    "azure": "azurerm",
    "azuread": "azuread",
    "gcp": "google",
}
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "aws_default_security_group",
        "aws:ec2/defaultSubnet:DefaultSubnet": "aws_default_subnet",
        "aws:ec2/defaultVpc:DefaultVpc": "aws_default_vpc",
        "aws:ec2/eip:Eip": "aws_eip",
        "aws:ec2/eipAssociation:EipAssociation": "aws_eip_association",
        "aws:ec2/instance:Instance": "aws_instance",
        "aws:ec2/launchConfiguration:LaunchConfiguration": "aws_launch_configuration",
        "aws:ec2/launchTemplate:LaunchTemplate": "aws_launch_template",
        "aws:ec2/networkInterface:NetworkInterface": "aws_network_interface",
        "aws:ec2/securityGroup:SecurityGroup": "aws_security_group",
        "aws:ec2/securityGroupRule:SecurityGroupRule": "aws_security_group_rule",
        "aws:ec2/spotInstanceRequest:SpotInstanceRequest": "aws_spot_instance_request",
        "aws:ec2/subnet:Subnet": "aws_subnet",
        "aws:ec2/vpc:Vpc": "aws_vpc",
        "aws:alb/loadBalancer:LoadBalancer": "aws_alb",
        "aws:applicationloadbalancing/listener:Listener": "aws_alb_listener",
        "aws:applicationloadbalancing/listenerRule:ListenerRule": "aws_alb_listener_rule",
        "aws:applicationloadbalancing/loadBalancer:LoadBalancer": "aws_alb",
        "aws:elasticloadbalancing/loadBalancer:LoadBalancer": "aws_elb",
        "aws:elasticloadbalancingv2/listener:Listener": "aws_lb_listener",
        "aws:elasticloadbalancingv2/listenerRule:ListenerRule": "aws_lb_listener_rule",
        "aws:elasticloadbalancingv2/loadBalancer:LoadBalancer": "aws_lb",
        "aws:elb/loadBalancer:LoadBalancer": "aws_elb",
        "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
        "aws:rds/instance:Instance": "aws_db_instance",
        "aws:rds/snapshot:Snapshot": "aws_db_snapshot",
        "aws:s3/bucketAclV2:BucketAclV2": "aws_s3_bucket_acl",
        "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": (
            "aws_s3_bucket_server_side_encryption_configuration"
        ),
        "aws:s3/bucketV2:BucketV2": "aws_s3_bucket",
        "aws:s3/bucketVersioningV2:BucketVersioningV2": "aws_s3_bucket_versioning",
        "azure:authorization/assignment:Assignment": "azurerm_role_assignment",
        "azure:authorization/roleDefinition:RoleDefinition": "azurerm_role_definition",
        "azure:compute/scaleSet:ScaleSet": "azurerm_virtual_machine_scale_set",
        "azure:containerservice/registry:Registry": "azurerm_container_registry",
        "azure:keyvault/keyVault:KeyVault": "azurerm_key_vault",
        "azure:lb/loadBalancer:LoadBalancer": "azurerm_lb",
        "azure:operationalinsights/analyticsWorkspace:AnalyticsWorkspace": "azurerm_log_analytics_workspace",
        "azure:sql/sqlServer:SqlServer": "azurerm_sql_server",
        "azure:storage/customerManagedKey:CustomerManagedKey": "azurerm_storage_account_customer_managed_key",
        "gcp:cloudrun/iamBinding:IamBinding": "google_cloud_run_service_iam_binding",
        "gcp:cloudrun/iamMember:IamMember": "google_cloud_run_service_iam_member",
        "gcp:cloudrun/iamPolicy:IamPolicy": "google_cloud_run_service_iam_policy",
    }
)
"""Types whose Terraform name is not made of module and name.

https://github.com/pulumi/pulumi-aws/blob/master/provider/cmd/pulumi-resource-aws/bridge-metadata.json (``renames``),
and the same file of pulumi-azure and pulumi-gcp
"""
_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "azure:appservice": "",
        "azure:compute": "",
        "azure:containerservice": "",
        "azure:keyvault": "key_vault",
        "azure:network": "",
        "gcp:artifactregistry": "artifact_registry",
        "gcp:cloudfunctionsv2": "cloudfunctions2",
        "gcp:cloudrun": "cloud_run",
        "gcp:cloudrunv2": "cloud_run_v2",
        "gcp:organizations": "organization",
        "gcp:projects": "project",
        "gcp:secretmanager": "secret_manager",
    }
)
"""Modules that Terraform's names have otherwise, or not at all."""

_MAPS: Final = frozenset(
    {
        "tags",
        "tags_all",
        "labels",
        "effective_labels",
        "pulumi_labels",
        "annotations",
        "metadata",
        "variables",
    }
)
"""Attributes that hold keys of the author's, not ours to rename."""
_TEXTS: Final = frozenset({"policy", "assume_role_policy", "inline_policy"})
"""Attributes that Terraform has as JSON text, and a Pulumi program may give as an object."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
MAX_VARIANTS: Final = 8
"""Spellings of one path. Each list on the way may have two."""


def translate(resource: Resource) -> Translated | None:
    """A resource of Pulumi as it is to the Terraform provider, or to Kubernetes."""
    package, _, rest = resource.type.partition(":")
    module, _, name = rest.partition(":")
    if package == "kubernetes" and name:
        # Kubernetes' objects are written as everywhere.
        version = module.removeprefix("core/")
        native_type = _patched(f"{version}/{name}")
        return Translated(resource=replace(resource, type=native_type, provider=package, cloud=""))
    if package == "aws-native":
        return _native(resource, module, name)
    # What looks like a component, and has a type of a cloud's, is an object of the cloud's.
    if package == "pulumi" or (resource.provider == BUILT_IN and package not in _PREFIXES):
        return Translated(resource=replace(resource, type=LOGICAL))
    before = None if resource.before is None else _members(resource.before)
    translated = replace(
        resource,
        type=_type(resource.type),
        before=before,
        after=None if resource.after is None else before if resource.existing else {},
        planned=resource.planned if isinstance(resource.planned, AllUnknown) else _members(resource.planned),
        references=tuple(sorted(set(_references(resource.references)), key=_order)),
        unresolved=tuple(sorted({path for at in resource.unresolved for path in _spellings(at)})),
        configured=None
        if resource.configured is None
        else frozenset(name for key in resource.configured for name in _names(key)),
    )
    return Translated(resource=translated, path_of=_PathOf(resource))


def _patched(native_type: str) -> str:
    """The type of which something patches an object, and of pods also the type of which it lists some.

    What a patch or list does not say is then not known of the pods, and not harmless.

    Source: https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
    """
    patched, listed = native_type.removesuffix("Patch"), native_type.removesuffix("List")
    return patched if patched in MODELLED else listed if listed in WORKLOADS else native_type


def _native(resource: Resource, module: str, name: str) -> Translated:
    """A resource of the provider that is made from CloudFormation's types, with their properties in camel case."""
    # Only a plan that has one pays for what CloudFormation needs.
    from plangate.facts.cloudformation import TWINS, translated, twin_of  # noqa: PLC0415

    wanted = f"AWS::{module}::{name}"
    known = next((each for each in TWINS if each.lower() == wanted.lower()), wanted)
    found = translated(resource, twin_of(known))
    return replace(found, path_of=lambda path: _camel(found.path_of(path)))


def _type(token: str) -> str:
    """Terraform's name of a type."""
    known = _TYPES.get(token)
    if known is not None:
        return known
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    module = module.partition("/")[0].lower()
    module = _MODULES.get(f"{package}:{module}", "" if module == "index" else module)
    parts = (_PREFIXES.get(package, package), module, _snake(name))
    return "_".join(part for part in parts if part)


class _PathOf:
    """The way back: a JSON Pointer of the provider's attributes → of the properties, as written."""

    def __init__(self, resource: Resource) -> None:
        self._values = resource.planned if resource.after is not None else resource.before or {}

    def __call__(self, path: str) -> str:
        value: Any = self._values
        found: list[str] = []
        for token in pointer_tokens(path):
            if isinstance(value, Mapping):
                if token.isdecimal():
                    continue  # a block that there is at most one of
                key = next((key for key in value if token in _names(key)), token)
                value = value.get(key)
            elif isinstance(value, list | tuple) and token.isdecimal():
                key = token
                value = value[int(token)] if int(token) < len(value) else None
            else:
                key, value = token, None
            found.append(key)
        return pointer(*found)


def _members(values: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an object under each of their names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        plain, *others = _names(key)
        read = _value(plain, value)
        found[plain] = read
        if others and (read is UNKNOWN or read in ([], ()) or _is_blocks(read)):
            # A list of blocks: Terraform has it in the singular.
            found.update((name, read) for name in others if name not in values and name not in found)
    return found


def _value(name: str, value: Any) -> Any:
    if name in _TEXTS and isinstance(value, Mapping):
        return _text(value)
    if name in _MAPS and isinstance(value, Mapping):
        return value
    if isinstance(value, Mapping):
        return [_members(value)]
    if isinstance(value, list | tuple):
        return [_members(item) if isinstance(item, Mapping) else item for item in value]
    return value


def _text(value: Mapping[str, Any]) -> Any:
    """JSON text of an object; unknown when something in it is."""
    try:
        return json.dumps(value, default=_number)
    except TypeError:
        return UNKNOWN


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


def _is_blocks(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) or item is UNKNOWN for item in value)


def _references(references: tuple[Reference, ...]) -> Iterator[Reference]:
    for reference in references:
        for at in _spellings(reference.at):
            yield replace(reference, at=at)


def _order(reference: Reference) -> tuple[str, str, bool]:
    return reference.at, reference.address, reference.exact


def _spellings(at: str) -> list[str]:
    """A pointer with every name that its members may have."""
    found = [""]
    for token in pointer_tokens(at):
        names = _names(token)
        found = [f"{head}{pointer(name)}" for head in found for name in names][:MAX_VARIANTS]
    return found


@lru_cache(maxsize=1 << 14)
def _names(key: str) -> tuple[str, ...]:
    """A property's name in snake case, and in the singular where that is another."""
    plain = _snake(key)
    single = _singular(plain)
    return (plain,) if single == plain else (plain, single)


def _camel(path: str) -> str:
    """A JSON Pointer of CloudFormation's properties in Pulumi's case."""
    return pointer(*(token[:1].lower() + token[1:] for token in pointer_tokens(path)))


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def _logical(_native: Native) -> dict[str, Any]:
    return {"tags": None, "tags_complete": True, "stateful": False, "regional": False}


ADAPTERS: Final = {
    LOGICAL: Adapter(
        kind="resource.part",
        adapt=_logical,
        docs="https://www.pulumi.com/docs/iac/concepts/components/",
    )
}
