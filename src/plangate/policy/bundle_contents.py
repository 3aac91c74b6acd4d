"""What bundles promise about their policies.

A bundle's modules stand within its roots, its rules are those that it lists, no other source adds to its packages,
and no two bundles may define the same thing. Only the library is in many: exact copies of it count as one.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from plangate.errors import PolicyLoadError
from plangate.policy.trust import BundleUsed, Roots

if TYPE_CHECKING:
    from plangate.policy.files import PolicyFiles
    from plangate.policy.syntax import Module

_LIBRARY: Final = "plangate/lib"


def check_bundles(files: "PolicyFiles", modules: "Sequence[Module]", rules: Mapping[str, str]) -> None:
    """Hold the loaded policies against the manifests of the bundles that they are from.

    Args:
        files: All files that were read.
        modules: Those of them that are evaluated, without copies of the library.
        rules: Rule id to file.

    Raises:
        PolicyLoadError: A module outside of its bundle's roots, a package that a bundle shares with another source,
            a rule that a bundle lists and does not hold or the other way round, or two bundles with common roots.
    """
    if not files.bundles:
        return
    source_of = {file.name: file.source for file in files.modules}
    packages = _packages(files.bundles, modules, source_of)
    for bundle in files.bundles:
        _check_rules(bundle, {rule for rule, file in rules.items() if source_of[file] == bundle.source})
    _check_overlap(files.bundles, packages)


def _packages(
    bundles: Sequence[BundleUsed], modules: "Sequence[Module]", source_of: Mapping[str, str]
) -> dict[str, set[str]]:
    """Bundle to its packages as paths; each within its roots, and in no other source."""
    roots = {bundle.source: Roots(bundle.roots) for bundle in bundles}
    found: dict[str, set[str]] = {source: set() for source in roots}
    owners: dict[str, str] = {}
    for module in modules:
        source, package = source_of[module.file], ".".join(module.package)
        if source in roots and not roots[source].hold(module.package):
            raise module.error(module.package_start, f"package {package} is outside of the bundle's roots")
        other = owners.setdefault(package, source)
        if other != source and (source in roots or other in roots):
            raise module.error(module.package_start, f"package {package} is in {other} and in {source}")
        if source in roots:
            found[source].add("/".join(module.package))
    return found


def _check_rules(bundle: BundleUsed, found: set[str]) -> None:
    if bundle.rules is None:
        return
    if missing := sorted(set(bundle.rules) - found):
        raise PolicyLoadError(bundle.source, f"lists rules that it does not hold: {', '.join(missing[:5])}")
    if extra := sorted(found - set(bundle.rules)):
        raise PolicyLoadError(bundle.source, f"holds rules that it does not list: {', '.join(extra[:5])}")


def _check_overlap(bundles: Sequence[BundleUsed], packages: Mapping[str, set[str]]) -> None:
    owned: list[tuple[list[str], str]] = []
    for bundle in bundles:
        roots = [root for root in bundle.roots if root != _LIBRARY]
        if len(roots) < len(bundle.roots):
            # Of the library, which every bundle may bring along, only what is its own.
            own = {package for package in packages[bundle.source] if package.startswith(f"{_LIBRARY}/")}
            roots += [each for each in own if not Roots(own - {each}).hold(each.split("/"))]
        owned += [(root.split("/") if root else [], bundle.source) for root in roots]
    # In this order whatever is below a root follows right after it, for no bundle's own roots overlap.
    for (above, one), (below, other) in pairwise(sorted(owned)):
        if below[: len(above)] == above:
            root = f"{'/'.join(below)!r} of {other}"
            raise PolicyLoadError(other, f"root {root} overlaps {'/'.join(above)!r} of {one}")
