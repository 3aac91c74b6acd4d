"""A suite from folders: policies checked as for judging, their tests checked for what the engine would get wrong."""

from collections.abc import Sequence
from pathlib import Path

from plangate.authoring.suite import Suite, parse_texts
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.files import DATA_SUFFIXES, LoadLimits, read_data, read_files, read_rego
from plangate.policy.hazards_in_tests import check_tests
from plangate.policy.load import load, with_builders
from plangate.policy.program import Program


def read_suite(sources: Sequence[PolicySource], data: Sequence[Path] = ()) -> tuple[Suite, PolicySet]:
    """Policies and their tests below folders, and the policies as the gate loads them.

    Args:
        sources: Folders of policies with their tests.
        data: Documents besides those in the folders.

    Raises:
        PolicyLoadError: A policy must not be judged with, or a test means something else to OPA.
    """
    limits = LoadLimits()
    policies = load(sources, limits, data=data)
    files = read_files(sources, limits)
    tests = with_builders(files.tests)
    modules = parse_texts((*policies.modules, *((file.name, file.text) for file in tests)))
    check_tests(Program(modules, policies.data), modules[len(policies.modules) :])
    own = {file.name for file in (*files.modules, *files.tests)}
    suite = Suite(
        modules=policies.modules,
        tests=tuple((file.name, file.text) for file in tests),
        data=policies.data,
        foreign=frozenset({*(name for name, _ in policies.modules), *(file.name for file in tests)} - own),
    )
    return suite, policies


def read_plain(sources: Sequence[PolicySource], data: Sequence[Path] = (), *, v0: bool = False) -> Suite:
    """Rego of any kind below folders: policies for other tools, libraries.

    Every file may hold tests. As with ``opa test``, every JSON and YAML file is data.

    Raises:
        PolicyLoadError: Not Rego, or Rego that means something else to OPA.
    """
    limits = LoadLimits()
    files = read_rego(sources, limits)
    documents: dict[str, object] = {}
    roots = [source.root for source in sources if _has_data(source.root)]
    read_data([*roots, *data], limits, documents)
    modules = parse_texts([(file.name, file.text) for file in files], v0=v0)
    check_tests(Program(modules, documents), modules, any_data=True)
    tests = {file.name for file in files if file.name.endswith("_test.rego")}
    return Suite(
        modules=tuple((file.name, file.text) for file in files if file.name not in tests),
        tests=tuple((file.name, file.text) for file in files if file.name in tests),
        data=documents,
        v0=v0,
        plain=True,
    )


def _has_data(root: Path) -> bool:
    return any(path.suffix in DATA_SUFFIXES for path in root.rglob("*"))
