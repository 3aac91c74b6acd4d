"""Every module can be imported, and stands in the coverage report also when nothing uses it."""

import importlib
import pkgutil

import plangate

MODULES = [module.name for module in pkgutil.walk_packages(plangate.__path__, "plangate.")]


def test_all_modules_are_found() -> None:
    assert {"plangate.cli.main", "plangate.server.supervisor", "plangate.policy.worker"} <= set(MODULES)


def test_every_module_can_be_imported() -> None:
    assert [importlib.import_module(name).__name__ for name in MODULES] == MODULES
