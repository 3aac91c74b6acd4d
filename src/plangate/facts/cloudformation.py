"""CloudFormation's types as the Terraform provider's, so that the same adapters and rules judge both.

A type without a table keeps its attributes to itself: it becomes a type that no adapter reads, whose name says whether
it may hold data, as that of a provider's type does. See docs/adr/0009-translation.md.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from plangate.facts import (
    aws_compute,
    aws_database,
    aws_disks,
    aws_iam,
    aws_load_balancers,
    aws_network,
    aws_security_groups,
    aws_services,
    aws_storage,
    aws_templates,
    cloudformation_compute,
    cloudformation_data,
    cloudformation_services,
)
from plangate.facts.base import Raw, Translated, Values
from plangate.facts.cloudformation_shape import (
    Part,
    Table,
    Twin,
    edge_attribute,
    listed,
    member,
    moved_path,
    snake,
    unknown_places,
)
from plangate.facts.cloudformation_tags import TAGGED, UNTAGGED
from plangate.model.plan import Action, Reference, Resource
from plangate.model.values import UNKNOWN, AllUnknown, pointer_tokens

TWINS: Final[Mapping[str, Twin]] = {
    **cloudformation_compute.TWINS,
    **cloudformation_data.TWINS,
    **cloudformation_services.TWINS,
}
"""Types that have an adapter, or say something of one that has."""

_NAMES: Final[Mapping[str, str]] = {
    "AWS::AmazonMQ::Broker": "aws_mq_broker",
    "AWS::Athena::NamedQuery": "aws_athena_named_query",
    "AWS::DirectoryService::MicrosoftAD": "aws_directory_service_directory",
    "AWS::DirectoryService::SimpleAD": "aws_directory_service_directory",
    "AWS::ECR::PublicRepository": "aws_ecrpublic_repository",
    "AWS::ElastiCache::CacheCluster": "aws_elasticache_cluster",
    "AWS::ElastiCache::ServerlessCache": "aws_elasticache_serverless_cache",
    "AWS::Glue::Database": "aws_glue_catalog_database",
    "AWS::Glue::Table": "aws_glue_catalog_table",
    "AWS::Route53::HostedZone": "aws_route53_zone",
    "AWS::Route53::RecordSet": "aws_route53_record",
    "AWS::DocDB::DBInstance": "aws_docdb_cluster_instance",
    "AWS::ECS::Service": "aws_ecs_service",
    "AWS::ECS::TaskDefinition": "aws_ecs_task_definition",
    "AWS::KinesisFirehose::DeliveryStream": "aws_kinesis_firehose_delivery_stream",
}
"""Types without an adapter whose name with the provider is another one than their own in lower case."""

_MAY_HOLD_DATA: Final = frozenset({
    "AWS::APS::Workspace", "AWS::Connect::Instance", "AWS::CustomerProfiles::Domain", "AWS::EMR::WALWorkspace",
    "AWS::Lightsail::Instance", "AWS::Location::GeofenceCollection", "AWS::ManagedBlockchain::Member",
    "AWS::ManagedBlockchain::Node", "AWS::Rekognition::Collection", "AWS::SageMaker::Domain",
    "AWS::SageMaker::NotebookInstance", "AWS::SDB::Domain", "AWS::VoiceID::Domain",
})  # fmt: skip
"""Types that may hold data although their name does not sound like it."""

_NOT_ITSELF: Final = (
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::CustomResource",
    "AWS::Serverless::Application",
    "AWS::ServiceCatalog::",
)
"""Types of AWS that stand for something else: what is behind them is not known from their name."""

_TAG_PROPERTIES: Final = (
    "Tags", "TagList", "UserPoolTags", "HostedZoneTags", "FileSystemTags", "AccessPointTags", "BackupVaultTags",
    "BackupPlanTags", "IdentityPoolTags", "HealthCheckTags", "FrameworkTags", "ReportPlanTags", "ResourceGroupTags",
    "BotTags", "BotAliasTags", "PipelineTags",
)  # fmt: skip
_NEVER_TAGGED: Final = ("Custom::", "AWS::CDK::", "AWS::CloudFormation::CustomResource")
_OWN_TAGS: Final = frozenset({
    "launch-template", "capacity-reservation", "capacity-reservation-fleet", "client-vpn-endpoint", "fleet",
})  # fmt: skip
"""``ResourceType`` of tags for the thing itself, beside those for what it starts."""

_MODELLED: Final = frozenset(
    native_type
    for module in (
        aws_compute, aws_database, aws_disks, aws_iam, aws_load_balancers, aws_network, aws_security_groups,
        aws_services, aws_storage, aws_templates,
    )
    for native_type in module.ADAPTERS
)  # fmt: skip


def translate(resource: Resource) -> Translated | None:
    """A resource of a template, or of a change set, as the provider has it."""
    return translated(resource, twin_of(resource.type))


@lru_cache(maxsize=4096)
def twin_of(native_type: str) -> Twin:
    """What a type is to the provider; one without attributes for a type that has no adapter."""
    twin = TWINS.get(native_type)
    if twin is not None:
        return twin
    untagged = native_type in UNTAGGED or native_type.startswith(_NEVER_TAGGED)
    tags = "Tags" if native_type in TAGGED else "" if untagged else "?"
    return Twin(type=_fallback(native_type), tags=tags)


def _fallback(native_type: str) -> str:
    """A provider's type that no adapter reads. ``_store`` at its end says that it may hold data."""
    parts = native_type.split("::")
    known = parts[0] == "AWS" and len(parts) == 3 and not native_type.startswith(_NOT_ITSELF)  # noqa: PLR2004
    if not known or native_type in _MAY_HOLD_DATA:
        return "aws_" + "_".join(snake(part) for part in parts if part != "AWS") + "_store"
    name = _NAMES.get(native_type, f"aws_{parts[1].lower()}_{snake(parts[2])}")
    return f"{name}_unmodelled" if name in _MODELLED else name


def translated(resource: Resource, twin: Twin) -> Translated:
    """A resource with the provider's type and attributes.

    Args:
        resource: Its property names may be in any case.
        twin: What its type is to the provider.
    """
    table = twin.table
    planned = _attributes(twin, table, _set_values(resource)) if resource.after is not None else {}
    before = None if resource.before is None else _attributes(twin, table, resource.before)
    values = planned if resource.after is not None else before or {}
    native_type = twin.type if isinstance(twin.type, str) else twin.type(_set_values(resource))
    references = _references(resource, twin, table)
    own = replace(
        resource,
        type=native_type,
        before=before,
        planned=planned,
        references=references,
        unresolved=_unresolved(resource, twin, table, values, references),
        configured=None if isinstance(planned, AllUnknown) else frozenset(planned),
    )
    return Translated(
        resource=own,
        parts=tuple(_parts(resource, twin)),
        path_of=lambda at: table.written(pointer_tokens(at)) or at,
        whole=True,
    )


def _set_values(resource: Resource) -> Values:
    """Values as they will be, else as they are, without what is only computed."""
    values = resource.planned if resource.after is not None else resource.before or {}
    configured = resource.configured
    if configured is None or isinstance(values, AllUnknown) or resource.action is Action.UPDATE:
        return values
    return {key: value for key, value in values.items() if value is not UNKNOWN or key in configured}


def _attributes(twin: Twin, table: Table, values: Values) -> Values:
    if isinstance(values, AllUnknown):
        return values
    found = table.attributes(values)
    if twin.adjust is not None:
        twin.adjust(values, found)
    found |= _tags(twin, values)
    physical = values.get("PhysicalResourceId")
    if isinstance(physical, str):
        # What a change set calls a thing that is there; most often the provider's id of it.
        found.setdefault("id", physical)
    return found


def _references(resource: Resource, twin: Twin, table: Table) -> tuple[Reference, ...]:
    return tuple(
        replace(reference, at=at, attribute=edge_attribute(reference))
        for reference in resource.references
        for at in sorted(moved_path(table, twin.moves, reference.at))
    )


def _unresolved(
    resource: Resource, twin: Twin, table: Table, values: Values, references: Iterable[Reference]
) -> tuple[str, ...]:
    """Attributes that nothing can follow: those that were so, and unknown ones that no reference explains."""
    found = {at for path in resource.unresolved for at in moved_path(table, twin.moves, path)}
    followed = {reference.at for reference in references}
    found |= {at for at in unknown_places(values) if at not in followed}
    return tuple(sorted(found))


def _parts(resource: Resource, twin: Twin) -> Iterable[Resource]:
    if twin.parts is None or resource.after is None:
        return
    whole = isinstance(resource.planned, AllUnknown)
    for number, part in enumerate(twin.parts(_set_values(resource))):
        yield _part(resource, part, number, whole=whole)


def _part(resource: Resource, part: Part, number: int, *, whole: bool) -> Resource:
    values = {**part.values, part.link: UNKNOWN}
    return replace(
        resource,
        address=f"{resource.address}#{number}",
        type=part.type,
        before=None,
        planned=AllUnknown() if whole else values,
        references=(Reference(at=f"/{part.link}", address=resource.address, exact=True, attribute="id"),),
        unresolved=tuple(sorted(set(unknown_places(part.values)))),
        configured=None if whole else frozenset(values),
    )


# --- tags ---


def _tags(twin: Twin, values: Values) -> dict[str, Any]:
    """Tags as the provider has them: ``tags``, and ``tags_all`` unknown where more may come."""
    if "TagSpecifications" in (twin.tags, *values):
        return _pairs(_template_tags(values))
    found = next((value for name in _TAG_PROPERTIES if (value := member(values, name)) is not None), None)
    if found is not None:
        return _pairs(found)
    # Nothing is written: then there are none, or the type has none, or that is not known here.
    return {"tags": {} if twin.tags == "Tags" else UNKNOWN} if twin.tags else {}


def _template_tags(values: Values) -> Raw:
    """Tags of a launch template itself, which it has beside those of what it starts."""
    specifications = listed(member(values, "TagSpecifications"))
    if specifications is None:
        return UNKNOWN
    found: list[Any] = []
    for specification in specifications:
        kind = member(specification, "ResourceType")
        tags = listed(member(specification, "Tags"))
        if kind is UNKNOWN or tags is None:
            found.append(UNKNOWN)
        elif kind in _OWN_TAGS:
            found += tags
    return found


def _pairs(tags: Raw) -> dict[str, Any]:
    if isinstance(tags, Mapping) and not isinstance(tags, AllUnknown):
        return {"tags": dict(tags)}
    if not isinstance(tags, list | tuple):
        return {"tags": UNKNOWN}
    found: dict[str, Any] = {}
    complete = True
    for pair in tags:
        key = member(pair, "Key")
        if not isinstance(key, str):
            complete = False
            continue
        value = member(pair, "Value")
        found[key] = "" if value is None else value
    if complete:
        return {"tags": found}
    return {"tags": found, "tags_all": UNKNOWN} if found else {"tags": UNKNOWN}
