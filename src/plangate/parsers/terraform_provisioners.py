"""What of a Terraform plan runs a program as a side effect: provisioners, and data sources that do so when read."""

from collections.abc import Iterator
from typing import Final

from plangate.model.address import patterns
from plangate.model.plan import Action, Provisioner, Resource
from plangate.parsers.terraform_references import Configuration

_RUNS: Final = frozenset({Action.CREATE, Action.REPLACE, Action.DELETE})


def configured_provisioners(config: Configuration, resources: tuple[Resource, ...]) -> Iterator[Provisioner]:
    """Provisioners of the configuration, and data sources that run a program while applying.

    One with ``when = destroy`` cannot be told apart, so deletion runs them too.
    """
    touched: dict[str, bool] = {}
    for (path, name), resource in config.resources.items():
        declared = resource.get("provisioners")
        if isinstance(declared, list) and declared:
            address = "".join(f"module.{step}." for step in path) + name
            if not touched:
                touched = {patterns(r.address)[-1]: False for r in resources}
                touched.update({patterns(r.address)[-1]: True for r in resources if r.action in _RUNS})
            for provisioner in declared:
                kind = provisioner.get("type") if isinstance(provisioner, dict) else None
                yield Provisioner(address=address, type=str(kind), runs=touched.get(address, False))
    for resource_change in resources:
        # Reading this data source runs a program, and a deferred read does so while applying.
        if resource_change.type == "external" and resource_change.action is Action.READ:
            yield Provisioner(address=resource_change.address, type="external", runs=True)
