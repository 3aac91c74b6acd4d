"""What a template brings along that cannot be read from it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.model.plan import Resource

_TRANSFORM: Final = "Fn::Transform"
_READ_AS_THEY_ARE: Final = frozenset({"AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"})
"""Transforms that are carried out here, or whose types are read as they stand."""

_NESTED: Final[Mapping[str, str]] = {
    "AWS::CloudFormation::Stack": "a nested stack, whose template is not read",
    "AWS::CloudFormation::StackSet": "a stack set, whose template is not read",
    "AWS::Serverless::Application": "a nested application, whose template is not read",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": "a product, whose template is not read",
}


def opaque_transforms(root: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each macro that may change the template before it is deployed."""
    if _TRANSFORM in root:
        yield f"{_TRANSFORM} at the top of the template may change all of it"
    for title in ("Parameters", "Mappings", "Conditions", "Globals"):
        section = root.get(title)
        members = [section, *section.values()] if isinstance(section, Mapping) else []
        if any(isinstance(each, Mapping) and _TRANSFORM in each for each in members):
            yield f"{_TRANSFORM} in {title} may change what the rest of the template means"
    declared = root.get("Transform")
    for transform in declared if isinstance(declared, list) else [declared]:
        name = transform.get("Name") if isinstance(transform, Mapping) else transform
        if name is None and not isinstance(transform, Mapping):
            continue
        if not isinstance(name, str) or name not in _READ_AS_THEY_ARE:
            yield f"the transform {str(name)[:100]} may change the whole template"


def opaque_resource(resource: Resource) -> Iterator[str]:
    """A sentence for a resource that stands for others that are not in the template."""
    said = _NESTED.get(resource.type)
    if said is None and resource.type.endswith("::MODULE"):
        said = "a module, whose resources are not in the template"
    if said is not None:
        yield f"{resource.address} is {said}"
