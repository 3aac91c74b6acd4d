"""What ``deny`` reads and ``undetermined`` forgets.

A rule with an ``undetermined`` of its own is taken at its word: what is in neither set passes. So each value that
``deny`` depends on and that may not be known yet has to be looked at there as well, or an unknown passes in silence.
"""

from collections.abc import Collection, Iterator

from plangate.errors import PolicyLoadError
from plangate.policy.flow import rule_reads
from plangate.policy.problems import Problems
from plangate.policy.program import Program
from plangate.policy.reads import ANY, Path, Read, Reads
from plangate.policy.register import RulePackage
from plangate.policy.vocabulary import Sighting, Vocabulary

_NEVER_UNKNOWN = frozenset({("facts", "tags_complete")})


def gaps(program: Program, rule: RulePackage) -> Iterator[PolicyLoadError]:
    """A warning for each value that ``deny`` reads, that may be unknown, and that ``undetermined`` does not read.

    Args:
        program: All modules, in which nothing is wrong.
        rule: A rule with an ``undetermined`` of its own.
    """
    package, module = rule.module.package, rule.module
    asked, answered = Vocabulary(), Vocabulary()
    rule_reads(program, package, Problems(), asked, ("deny",))
    covered = rule_reads(program, package, Problems(), answered, ("undetermined",))
    seen: set[tuple[frozenset[str], Path]] = set()
    for sighting in _that_matter(tuple(asked.sightings)):
        if _is_covered(sighting, covered, answered) or (sighting.kinds, sighting.path) in seen:
            continue
        seen.add((sighting.kinds, sighting.path))
        start = sighting.start
        if sighting.module is not module:
            start = next(found.rule.start for found in program.rules[(*package, "deny")])
        what = ".".join(sighting.path)
        yield module.error(
            start,
            f"deny reads {what}, and undetermined does not: where it is unknown, this rule passes",
            hint=_hint(sighting.path),
            code="undetermined-gap",
        )


def _that_matter(sightings: Collection[Sighting]) -> Iterator[Sighting]:
    """Places whose value may be unknown and make ``deny`` silent: facts, and the ends of paths in ``after``."""
    sightings = [found for found in sightings if not found.negated]
    longer = {
        (found.kinds, found.path[:length]) for found in sightings for length in range(1, len(found.path))
    }
    for found in sightings:
        path = found.path
        if path[0] == "facts":
            # In a text, an unknown fact is the word "unknown", and the finding is there all the same.
            if len(path) == 2 and not found.told and path not in _NEVER_UNKNOWN:  # noqa: PLR2004 - facts.<name>
                yield found
        elif path == ("region",) or (
            path[0] == "after" and len(path) > 1 and (found.kinds, path) not in longer
        ):
            yield found


def _is_covered(sighting: Sighting, covered: Reads, answered: Vocabulary) -> bool:
    """Whether ``undetermined`` looks at the value, too.

    An unknown fact is a text, so any look at it will do. An unknown attribute is missing: it has to be asked for.
    """
    if any((other.module, other.start) == (sighting.module, sighting.start) for other in answered.sightings):
        return True  # Both go through the same helper, so its author has thought of it.

    def fits(kinds: Collection[str]) -> bool:
        return not kinds or not sighting.kinds or not sighting.kinds.isdisjoint(kinds)

    reads = [*covered.own, *(read for kind, found in covered.others if fits({kind} - {""}) for read in found)]
    if sighting.path[0] == "after":
        reads = [read for read in reads if read.deep and len(read.path) < 2]  # noqa: PLR2004 - all of after
        reads += [Read(path=path, deep=True) for kinds, path in answered.pointers if fits(kinds)]
    else:
        reads += [
            Read(path=other.path, deep=True)
            for other in answered.sightings
            if fits(other.kinds) and other.path[1:]
        ]
    return any(read.touches(sighting.path) for read in reads)


def _hint(path: Path) -> str:
    if path[0] == "facts":
        return f'in undetermined, look at `resource.{".".join(path)} == "unknown"`'
    if path == ("region",):
        return 'in undetermined, look at `resource.region == "unknown"`'
    pointer = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in path[1:] if key != ANY)
    return f'in undetermined, look at `lib.is_unknown(resource, "{pointer}")`'
