"""Which tests can notice a fault in a policy: those whose file leads to it by imports and references.

Decided by file and from the text alone, so that nothing is left out: what a reference with a computed key may lead to
counts. A test that does not lead to a policy gives the same answer whatever that policy says.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from plangate.policy.program import head_name
from plangate.policy.syntax import Module, rule_exprs

Path = tuple[str, ...]


class FileTests(Struct, frozen=True, kw_only=True):
    """The tests of one file: their full names, ``<package>.<rule>``, in the order of the file."""

    file: str
    tests: tuple[str, ...]


class Reach(Struct, frozen=True, kw_only=True):
    """What it takes to try the mutants of one policy file.

    Attributes:
        file: The policy file.
        tests: Test files that lead to it, its own first: they are the likeliest to notice.
        needed: Every file that these lead to, the policy and themselves included, sorted.
    """

    file: str
    tests: tuple[FileTests, ...]
    needed: tuple[str, ...]


def reaches(policies: Sequence[Module], tests: Sequence[Module]) -> Mapping[str, Reach]:
    """File name to what leads to it, for every policy."""
    modules = (*policies, *tests)
    uses = _uses(modules)
    closures = {module.file: _closure(module.file, uses) for module in modules}
    found = {}
    for policy in policies:
        leading = [module for module in tests if policy.file in closures[module.file]]
        leading.sort(key=lambda module: (own_tests(policy.file) != module.file, module.file))
        needed = closures[policy.file].union(*(closures[module.file] for module in leading))
        found[policy.file] = Reach(
            file=policy.file,
            tests=tuple(
                FileTests(file=module.file, tests=names)
                for module in leading
                if (names := names_of_tests(module))
            ),
            needed=tuple(sorted(needed)),
        )
    return found


def own_tests(file: str) -> str:
    """The file in which a policy's own tests are: ``x_test.rego`` beside ``x.rego``."""
    path = PurePosixPath(file)
    return str(path.with_name(f"{path.stem}_test.rego"))


def names_of_tests(module: Module) -> tuple[str, ...]:
    """The tests of a file, each once, in its order."""
    names = (head_name(rule) for rule in module.rules)
    return tuple(
        dict.fromkeys(f"{'.'.join(module.package)}.{name}" for name in names if name.startswith("test_"))
    )


def _closure(file: str, uses: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found, waiting = {file}, [file]
    while waiting:
        for used in uses[waiting.pop()]:
            if used not in found:
                found.add(used)
                waiting.append(used)
    return frozenset(found)


def _uses(modules: Sequence[Module]) -> Mapping[str, frozenset[str]]:
    """File name to the files that this one may look into."""
    packages: dict[Path, set[str]] = {}
    below: dict[Path, set[str]] = {}
    for module in modules:
        packages.setdefault(module.package, set()).add(module.file)
        for length in range(len(module.package)):
            below.setdefault(module.package[:length], set()).add(module.file)
    found = {}
    for module in modules:
        used = set(packages[module.package])
        for path, above in set(_paths(module)):
            used |= below.get(path, set())
            for length in range(above, len(path) + 1):
                used |= packages.get(path[:length], set())
        found[module.file] = frozenset(used)
    return found


def _paths(module: Module) -> Iterator[tuple[Path, int]]:
    """Every path below ``data`` that a file spells, up to the first computed key. Variables count as names.

    With each, the length of the shortest package that it may lead into: a name that is not imported leads into the
    file's own package or one below.
    """
    aliases = {item.alias: item.path[1:] for item in module.imports if item.path[0] == "data"} | {"data": ()}
    for rule in module.rules:
        exprs = tuple(rule_exprs(rule))
        heads = {id(expr.parts[0]) for expr in exprs if expr.form == "ref"}
        for expr in exprs:
            head = expr.parts[0] if expr.form == "ref" else expr
            if head.form != "var" or id(expr) in heads:
                continue
            path = [*aliases.get(head.value, (*module.package, head.value))]
            for step in expr.parts[1:] if expr.form == "ref" else ():
                if step.form != "scalar" or not isinstance(step.value, str):
                    break
                path.append(step.value)
            yield tuple(path), 0 if head.value in aliases else len(module.package)
