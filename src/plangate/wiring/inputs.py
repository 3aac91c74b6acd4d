"""The inputs of a run, ready for the gate: each with how it is read, and what it is called."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from plangate.decision.document import Subject
from plangate.errors import CannotDecideError, PlanParseError, UsageError
from plangate.gate import PlanInput
from plangate.model.plan import Plan
from plangate.parsers.base import Limits
from plangate.settings import Settings
from plangate.wiring.choices import Choices
from plangate.wiring.documents import (
    ZIP_MARK,
    Document,
    bare_plan,
    parse_document,
    parsed,
    read_document,
    subject_of,
)
from plangate.wiring.search import STANDARD_INPUT, Found

if TYPE_CHECKING:
    from plangate.parsers.hcl.folder import SourceTree

_NO_DIGEST: Final = "0" * 64
SOURCE_MEDIA_TYPE: Final = "application/vnd.plangate.terraform-source"


class Inputs:
    """Makes the inputs of one run. What several of them share is read once.

    Args:
        found: What there is to judge.
        settings: The settings.
        choices: What the command line says.
        limits: The parsers' limits.
        given: What to judge instead of reading the one thing that was found, or why there is nothing to judge.
    """

    def __init__(
        self,
        found: Sequence[Found],
        settings: Settings,
        choices: Choices,
        limits: Limits,
        given: Document | CannotDecideError | None = None,
    ) -> None:
        self._found = found
        self._given = given
        self._settings = settings
        self._choices = choices
        self._limits = limits

    def all(self) -> list[PlanInput]:
        """One for each thing found, in the same order."""
        if self._given is not None:
            return [self._as_given(self._found[0].name, self._given)]
        return [self._module(item) if item.is_module else self._file(item) for item in self._found]

    def only_document(self) -> Document | None:
        """The one file that there is to judge; ``None`` for anything else."""
        if self._given is not None:
            return self._given if isinstance(self._given, Document) else None
        (only, *others) = self._found
        return None if others or only.is_module or only.problem else self._document(only)

    def _as_given(self, name: str, given: Document | CannotDecideError) -> PlanInput:
        def parse() -> Plan:
            if isinstance(given, CannotDecideError):
                raise given
            return parse_document(given, self._settings, self._choices, self._limits)

        return PlanInput(
            name=name,
            parse=parse,
            subject=lambda: subject_of(given) if isinstance(given, Document) else _unread(name),
            covers=frozenset,
            raw=lambda: given.data if isinstance(given, Document) else b"",
        )

    @cache  # noqa: B019 - lives as long as the run
    def _document(self, item: Found) -> Document:
        return self._read(item)

    def _read(self, item: Found) -> Document:
        return read_document(item.name, self._limits, path=item.path)

    def _file(self, item: Found) -> PlanInput:
        covered: list[int] = []
        alone = len(self._found) == 1
        subjects: list[Subject] = []
        raws: list[bytes] = []
        keep = raws.append if self._choices.conftest is not None else None

        def document() -> Document:
            # Of many documents none is kept: together they may be more than the memory.
            found = self._document(item) if alone else self._read(item)
            subjects[:] = [subject_of(found)]
            return found

        def parse() -> Plan | None:
            if item.problem:
                raise PlanParseError(
                    item.name,
                    item.problem,
                    hint="check what it is rendered to, or leave it out with --exclude",
                )
            try:
                data = document()
            except UsageError as error:
                raise PlanParseError(item.name, str(error).removeprefix(f"{item.name}: ")) from error
            plan = self._parsed(data, named=item.named, shown=keep)
            if plan is None or plan.source.format != "terraform-plan":
                return plan
            located, sources = self._located(plan)
            if item.named:  # a plan that somebody left in the folder says nothing about what will be applied
                covered.extend(sources)
            return located

        if alone and not item.problem:
            document()  # the one thing that was named is not there: a mistake, and no decision

        def subject() -> Subject:
            if not subjects and not item.problem:
                with suppress(UsageError):
                    document()
            return subjects[0] if subjects else _unread(item.name)

        return PlanInput(
            name=item.name, parse=parse, subject=subject, covers=lambda: frozenset(covered), raw=raws.pop
        )

    def _parsed(
        self, document: Document, *, named: bool, shown: Callable[[bytes], None] | None
    ) -> Plan | None:
        if document.data.startswith(ZIP_MARK) or (named and self._choices.conftest is None):
            return parse_document(document, self._settings, self._choices, self._limits, shown)
        from plangate.parsers import formats  # noqa: PLC0415
        from plangate.wiring.documents import input_of  # noqa: PLC0415

        if shown is not None:
            shown(document.data)
        documents = formats.read_documents(input_of(document), self._limits)
        plan = parsed(documents, self._settings, self._choices, self._limits)
        if plan is None and self._choices.conftest is not None:
            if formats.is_like_a_plan(documents):
                raise formats.refuse(documents, self._limits)
            return bare_plan(document)
        return plan

    def _module(self, item: Found) -> PlanInput:
        tree, _ = self._tree(item.path or Path())
        modules: list[int] = []

        def parse() -> Plan:
            plan, used = self._source_plan(item)
            folders = {tree.root / each for each in used}
            modules.extend(
                number
                for number, each in enumerate(self._found)
                if each.is_module and not each.named and (each.path or Path()).resolve() in folders
            )
            return plan

        def subject() -> Subject:
            return Subject(name=item.name, sha256=tree.sha256, size=tree.size, media_type=SOURCE_MEDIA_TYPE)

        return PlanInput(name=item.name, parse=parse, subject=subject, covers=lambda: frozenset(modules))

    @cache  # noqa: B019 - lives as long as the run
    def _source_plan(self, item: Found) -> tuple[Plan, frozenset[str]]:
        """The plan of a module's source, and the folders that are only used in it."""
        from plangate.parsers.hcl.plan import parse_with_modules  # noqa: PLC0415

        tree, module = self._tree(item.path or Path())
        return parse_with_modules(tree, module, item.name, self._choices.options, self._limits)

    @cache  # noqa: B019 - lives as long as the run
    def _tree(self, folder: Path) -> "tuple[SourceTree, str]":
        """The tree that a module may read, and the module's place in it: the repository, or the folder alone."""
        from plangate.parsers.hcl.folder import SourceTree  # noqa: PLC0415

        real = folder.resolve()
        root = next((above for above in (real, *real.parents) if (above / ".git").exists()), real)
        module = "" if root == real else real.relative_to(root).as_posix()
        shown = os.path.normpath(os.path.join(folder, os.path.relpath(root, real)))  # noqa: PTH118 - as written
        return SourceTree(root, self._limits, "" if shown == "." else shown), module

    def _located(self, plan: Plan) -> tuple[Plan, list[int]]:
        """A plan with the places of its resources in the sources that are judged with it, and the sources' numbers.

        A source is the plan's, and so not judged by itself, when every resource that it has is in the plan.
        """
        from plangate.model.address import patterns  # noqa: PLC0415

        numbers: list[int] = []
        known = {pattern for resource in plan.resources for pattern in patterns(resource.address)}
        for number, item in enumerate(self._found):
            if not item.is_module or not item.named:
                continue
            from plangate.parsers.hcl.plan import locations  # noqa: PLC0415

            try:
                source, _ = self._source_plan(item)
            except PlanParseError:
                continue  # it is an input of its own, and refused there
            places = locations(source)
            resources = []
            for resource in plan.resources:
                place = next((places[p] for p in patterns(resource.address) if p in places), None)
                resources.append(
                    resource if place is None else replace(resource, location=place[0], places=place[1])
                )
            plan = replace(plan, resources=tuple(resources))
            managed = [each.address for each in source.resources if each.mode == "managed"]
            if (
                managed
                and not source.opaque
                and all(any(pattern in known for pattern in patterns(address)) for address in managed)
            ):
                numbers.append(number)
        return plan, numbers


def _unread(name: str) -> Subject:
    shown = "standard input" if name == STANDARD_INPUT else name
    return Subject(name=shown, sha256=_NO_DIGEST, size=0, media_type="application/octet-stream")
