"""Other orchestrators' interfaces: one file each, named in ``server.contracts``.

A contract is a module with `routes`, which makes its routes from the front, the guard of the process and its own
settings. It says problems in its caller's format (``render`` of `plangate.server.endpoint.Endpoint`), asks with
`plangate.server.front.Front.decide`, and knows nothing of other contracts.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Protocol

from starlette.routing import Route

from plangate.errors import UsageError
from plangate.server.endpoint import Guard
from plangate.server.front import Front


class Contract(Protocol):
    """A contract's module."""

    def routes(self, front: Front, guard: Guard, settings: Mapping[str, Any]) -> Sequence[Route]:
        """Its routes.

        Args:
            front: Decides.
            guard: For its endpoints.
            settings: Those of ``server.contracts.<name>``, not checked yet.

        Raises:
            UsageError: The settings make no sense.
        """


CONTRACTS: Final[Mapping[str, str]] = {
    "cloudformation-hooks": "plangate.server.contracts.cloudformation_hooks",
    "kubernetes": "plangate.server.contracts.kubernetes",
    "terraform-run-tasks": "plangate.server.contracts.run_tasks",
}
"""Name in the settings to module."""


def _module(name: str) -> Contract:
    if name not in CONTRACTS:
        raise UsageError(
            f"server.contracts: no contract {name!r:.80}", hint=f"there are: {', '.join(CONTRACTS)}"
        )
    module: Contract = import_module(CONTRACTS[name])
    return module


def contract_routes(front: Front, guard: Guard) -> list[Route]:
    """The routes of all contracts that the settings name.

    Raises:
        UsageError: There is no such contract, or its settings make no sense.
    """
    found: list[Route] = []
    for name, settings in front.server.contracts.items():
        found += _module(name).routes(front, guard, settings)
    return found
