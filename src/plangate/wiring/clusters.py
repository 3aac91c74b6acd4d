"""Which Kubernetes cluster the command line names, and the plan of applying files to it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.errors import PlanParseError, UsageError
from plangate.model.redaction import Redactor
from plangate.parsers.base import Limits
from plangate.wiring.choices import Choices, limits_of, settings_for
from plangate.wiring.documents import Document, input_of, read_document
from plangate.wiring.search import Found, search

if TYPE_CHECKING:
    from plangate.executor.kubernetes.connection import Cluster
    from plangate.executor.kubernetes.document import ClusterPlan
    from plangate.executor.kubernetes.planning import Wanted

_KUBECONFIG: Final = "KUBECONFIG"
_DEFAULT: Final = "~/.kube/config"
_REVIEW: Final = "AdmissionReview"
_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
BEGINS: Final = b'{"schema":"plangate.dev/kubernetes-plan/v1"'
"""The first bytes of a plan for a cluster."""


class Manifests(Struct, frozen=True, kw_only=True):
    """Manifests that are to be applied.

    Attributes:
        wanted: Each object.
        scrub: Removes their secrets from texts.
        document: The one file that they are in; ``None`` when there are several.
        left_alone: Names of files that are no manifests.
    """

    wanted: "tuple[Wanted, ...]"
    scrub: Callable[[str], str]
    document: Document | None = None
    left_alone: tuple[str, ...] = ()


def cluster_of(choices: Choices) -> "Cluster":
    """A connection to the cluster that the command line names; a context manager that closes it.

    Raises:
        UsageError: It names none, or the kubeconfig, its context or the package is not there.
    """
    from plangate.executor.kubernetes.connection import Cluster, Where  # noqa: PLC0415 - an extra

    chosen = choices.cluster
    if chosen is None:
        raise UsageError(
            "which cluster it is for is not said", hint="name its context in the kubeconfig with --context"
        )
    return Cluster(
        Where(
            kubeconfig=chosen.kubeconfig or _kubeconfig(), context=chosen.context, namespace=chosen.namespace
        )
    )


def _kubeconfig() -> Path:
    named = os.environ.get(_KUBECONFIG, "")
    if os.pathsep in named.strip(os.pathsep):
        raise UsageError(
            f"{_KUBECONFIG} names several files, and which of them counts is not guessed",
            hint="name one with --kubeconfig (`kubectl config view --flatten` makes one of them)",
        )
    return Path(named.strip(os.pathsep) or _DEFAULT).expanduser()


def read_manifests(name: str, choices: Choices) -> Manifests:
    """The manifests that a file, a folder or a pattern stands for; what ``plangate check`` leaves alone is left alone.

    Raises:
        UsageError: There is nothing.
        PlanParseError: Something there is no manifest, or not one that we fully understand.
    """
    from plangate.executor.kubernetes.planning import Wanted  # noqa: PLC0415 - an extra
    from plangate.parsers import formats, kubernetes  # noqa: PLC0415

    settings = settings_for(choices)
    limits = limits_of(settings)
    found = search([name], (*settings.values.exclude, *choices.exclude), limits.max_files)
    wanted: list[Wanted] = []
    left_alone: list[str] = []
    secrets: set[str] = set()
    for item in found:
        document = _read(item, limits)
        documents = formats.read_documents(input_of(document), limits)
        if (known := formats.format_of(documents)) is None:
            if item.named:
                raise formats.refuse(documents, limits)
            left_alone.append(item.name)
            continue
        if known.id != kubernetes.ID:
            raise PlanParseError(item.name, f"a {known.title}, which is not applied to a cluster as it is")
        for number, value in enumerate(documents.values, 1):
            if value.get("kind") == _REVIEW:
                raise PlanParseError(
                    item.name, f"document {number} is an admission review, which is applied to nothing"
                )
        plan = formats.parse(documents, choices.options, limits)
        for each in plan.resources if plan is not None else ():
            line = each.location.line if each.location is not None else 0
            wanted.append(
                Wanted(address=each.address, file=item.name, line=line, manifest=dict(each.after or {}))
            )
        secrets |= plan.secrets if plan is not None else set()
    if not wanted:
        raise UsageError(f"{name}: no Kubernetes manifests there")
    if len(wanted) > limits.max_resources:
        raise UsageError(f"{name}: more than {limits.max_resources} objects")
    return Manifests(
        wanted=tuple(wanted),
        scrub=Redactor(secrets, os.urandom(32)).text,
        document=document if len(found) == 1 else None,
        left_alone=tuple(left_alone),
    )


def _read(item: Found, limits: Limits) -> Document:
    if item.is_module or item.problem:
        raise PlanParseError(item.name, item.problem or "Terraform source, which is not applied to a cluster")
    if Path(item.name).name in _KUSTOMIZATIONS:
        raise PlanParseError(
            item.name,
            "a kustomization, whose files are not applied as they are",
            hint="apply what `kubectl kustomize` makes of it",
        )
    return read_document(item.name, limits, path=item.path)


def first_stage(cluster: "Cluster", manifests: Manifests) -> Manifests | None:
    """The manifests without which the API server cannot foresee the others; ``None`` when it can."""
    from plangate.executor.kubernetes.planning import first_stage as first  # noqa: PLC0415

    found = first(cluster, manifests.wanted)
    return replace(manifests, wanted=tuple(found)) if found else None


def is_cluster_plan(name: str) -> bool:
    """Whether a file is a plan for a cluster, and no manifest."""
    try:
        with Path(name).open("rb") as file:
            return file.read(len(BEGINS)) == BEGINS
    except OSError:
        return False


def cluster_document(
    name: str, cluster: "Cluster", manifests: Manifests, progress: Callable[[str], None]
) -> "tuple[Document, ClusterPlan]":
    """The plan of applying these manifests, as a document to judge and to run.

    Raises:
        CannotDecideError: The API server refuses one of them, or cannot be asked.
    """
    from plangate.executor.kubernetes.document import encode  # noqa: PLC0415
    from plangate.executor.kubernetes.planning import foresee  # noqa: PLC0415

    plan = foresee(cluster, manifests.wanted, scrub=manifests.scrub, progress=progress)
    data = encode(plan)
    return Document(name=name, path=None, data=data, sha256=hashlib.sha256(data).hexdigest()), plan
