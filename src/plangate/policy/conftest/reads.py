"""What a rule can read of a raw document, from its syntax tree.

The walk of `plangate.policy.flow`, on paths from the top of the document. A rule that found nothing, and can read a
place where a plan has a value that is not known yet, has not said that the plan is good.
"""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from plangate.policy.aliases import NOTHING, Alias, ReadLog
from plangate.policy.flow import Walk
from plangate.policy.problems import Problems
from plangate.policy.program import Path, Program
from plangate.policy.reads import ANY, WHOLE, Read
from plangate.policy.syntax import Expr, Module
from plangate.policy.variables import Scope
from plangate.policy.vocabulary import Vocabulary

_RAW: Final = "raw"
_DOCUMENT: Final = Alias(frozenset({(_RAW, ())}))
_LISTS: Final = frozenset({("resource_changes",), ("resource_drift",)})
_MARKS: Final = "after_unknown"
"""Where Terraform's plan JSON says what is not known, beside ``after``."""


class RawReads(Struct, frozen=True, kw_only=True):
    """What one rule can read, as paths from the top of the document."""

    reads: frozenset[Read]

    def touched(self, unknown: Collection[Path]) -> tuple[str, ...]:
        """The unknown places that it can read and has not looked up as such, as people write them, sorted."""
        return tuple(
            sorted(
                ".".join(path)
                for path in unknown
                if any(read.touches(path) for read in self.reads) and not self._looks_up(path)
            )
        )

    def _looks_up(self, path: Path) -> bool:
        """It reads ``after_unknown`` for this value of ``after``: its author thought of it."""
        if "after" not in path:
            return False
        place = path.index("after")
        marks = (*path[:place], _MARKS, *path[place + 1 :])
        return any(
            len(read.path) > place and read.path[place] == _MARKS and read.touches(marks)
            for read in self.reads
        )


EVERYTHING: Final = RawReads(reads=frozenset({Read(path=WHOLE, deep=True)}))


def raw_reads(program: Program, path: Path) -> RawReads:
    """What all definitions of one rule can read of ``input``.

    Args:
        program: All modules, free of recursion and of undefined names.
        path: The rule, without ``data``.

    Raises:
        PolicyLoadError: A ``not`` that the embedded engine would get wrong.
    """
    log, problems = _RawLog(), Problems()
    walk = _RawWalk(program, log, _NoVocabulary(), problems, negations=True)
    for definition in program.rules.get(path, ()):
        log.look(walk.rule_value(definition.rule, Scope(definition.module)) or NOTHING, deep=True)
    problems.raise_first()
    return log.raw_reads()


class _NoVocabulary(Vocabulary):
    """A raw document has no schema that we know."""

    def step(self, module: Module, alias: Alias, key: Expr) -> None:
        """Nothing is wrong."""

    def value(self, module: Module, alias: Alias, constant: Expr) -> None:
        """Nothing is wrong."""

    def pointer(self, resource: Alias, pointer: Path) -> None:
        """Nothing is kept."""

    def kind(self, module: Module, constant: Expr) -> None:
        """Nothing is wrong."""


class _RawLog(ReadLog):
    """Collects paths from the top, whatever they lead to."""

    def __init__(self) -> None:
        super().__init__()
        self._reads: set[Read] = set()
        self._all = False

    def everything(self) -> None:
        self._all = True

    def look(self, alias: Alias, *, deep: bool) -> None:
        self._reads.update(Read(path=path, deep=deep) for root, path in alias.places if root == _RAW)
        if deep and alias.inside is not None:
            self.look(alias.inside, deep=True)

    def distinct(self, alias: Alias) -> None:
        # Entries of a Terraform plan differ by their address, which is always known.
        self.look(Alias(frozenset(place for place in alias.places if not _is_entry(place[1]))), deep=True)
        if alias.inside is not None:
            self.distinct(alias.inside)

    def pointer(self, alias: Alias, pointer: Path) -> None:
        del pointer  # only the normalized plan lists what is unknown
        self.look(alias, deep=True)

    def raw_reads(self) -> RawReads:
        """All of it."""
        return EVERYTHING if self._all else RawReads(reads=frozenset(self._reads))


def _is_entry(path: Path) -> bool:
    """A place in a list of a Terraform plan in which no two entries have the same address and deposed key."""
    if path[-1:] != (ANY,):
        return False
    return path[:-1] in _LISTS or (path[0] == "planned_values" and path[-2] == "resources")


class _RawWalk(Walk):
    """Nothing of a raw document is sure to be there but the document itself."""

    document = _DOCUMENT

    def value(self, expr: Expr, scope: Scope) -> Alias:
        compares = expr.form == "operator" and expr.value in {"==", "!="}
        if compares or (expr.form == "assign" and expr.value == "="):
            left, right = expr.parts
            for side, other in ((left, right), (right, left)):
                if side.form == "scalar" and other.form == "ref":
                    # Whatever is below it, a composite value differs from a plain one.
                    self.log.look(self.value(other, scope), deep=False)
                    return NOTHING
        return super().value(expr, scope)

    def is_defined(self, expr: Expr, scope: Scope) -> bool:
        head = expr.parts[0] if expr.form == "ref" else expr
        if head.form != "var":
            return False
        if scope.find(head.value) is not None:
            return False
        path = self.program.global_path(scope.module, head.value)
        if path is None or path[0] == "input":
            return path == ("input",) and head is expr
        return super().is_defined(expr, scope)
