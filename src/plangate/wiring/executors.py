"""Which executor runs what was judged: a module ``run_NAME`` of this package for each kind of plan that can be run."""

from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol

from msgspec import Struct

from plangate.errors import UsageError
from plangate.executor.base import Executor
from plangate.model.plan import Plan
from plangate.wiring.choices import Choices
from plangate.wiring.documents import Document
from plangate.wiring.session import Session, document_of

_NAMES: Final = ("terraform", "aws", "change_set", "kubernetes")


class Means(Struct, frozen=True, kw_only=True):
    """How one plan is run.

    Attributes:
        name: Of the executor: in the log, and as the audience of receipts.
        executor: Runs the plan.
        follow_up: Parses the `plangate.executor.base.ExecutionReport.followup` that it leaves: the resources as they
            were found, not as they are wanted.
        repeatable: The same bytes may run again, after another decision: the plan holds what it starts from.
        quarantine: Shuts off the resource at an address, and says what it did; ``None`` where nobody knows how.
        anywhere: A plan's bytes run once whatever the environment is called, and not once in each.
    """

    name: str
    executor: Executor
    follow_up: Callable[[bytes], Plan]
    anywhere: bool = False
    repeatable: bool = False
    quarantine: Callable[[str], str] | None = None


class _Module(Protocol):
    """What a ``run_NAME`` module has."""

    def fits(self, document: Document) -> bool:
        """Whether this executor runs such plans: told by the first bytes, cheap, never raises."""

    def means(self, session: Session, document: Document, choices: Choices) -> Means:
        """The executor, ready to run.

        Raises:
            UsageError: A tool, a package or a setting is missing.
        """


def executor_name(document: Document | None) -> str:
    """The executor of a document; empty when it is judged only, and nothing could run it."""
    found = None if document is None else _module_for(document)
    return "" if found is None else found[0]


def means_for(session: Session, choices: Choices) -> Means:
    """How the one file of this run is run.

    Raises:
        UsageError: It is no plan that could be run exactly as judged, or its executor is not there.
    """
    document = document_of(session)
    found = _module_for(document)
    if found is None:
        raise UsageError(
            f"{document.name}: not a saved plan, so there is nothing that could be run exactly as judged",
            hint="make one with `terraform plan -out tfplan` and hand in tfplan; Kubernetes manifests need --context",
        )
    return found[1].means(session, document, choices)


def _module_for(document: Document) -> tuple[str, _Module] | None:
    for name in _NAMES:
        module: _Module = import_module(f"plangate.wiring.run_{name}")
        if module.fits(document):
            return name, module
    return None
