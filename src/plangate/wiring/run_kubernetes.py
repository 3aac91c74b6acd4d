"""Runs plans of Kubernetes objects."""

import hashlib

from plangate.model.plan import Plan
from plangate.parsers.base import Input, Limits
from plangate.wiring.choices import Choices
from plangate.wiring.clusters import BEGINS, cluster_of
from plangate.wiring.documents import Document
from plangate.wiring.executors import Means
from plangate.wiring.session import Session


def fits(document: Document) -> bool:
    """Plans that we made for a cluster, which begin with their schema."""
    return document.data.startswith(BEGINS)


def means(session: Session, document: Document, choices: Choices) -> Means:
    """With the cluster that the command line names.

    Raises:
        UsageError: It names none that could be asked.
    """
    del document
    from plangate.executor.kubernetes.apply import KubernetesExecutor  # noqa: PLC0415 - an extra

    # Nobody closes the connection: it is looked through until the command ends.
    return Means(
        name="kubernetes",
        anywhere=True,  # a plan names its cluster
        executor=KubernetesExecutor(cluster_of(choices)),
        follow_up=lambda data: _follow_up(data, session.limits),
    )


def _follow_up(data: bytes, limits: Limits) -> Plan:
    from plangate.parsers import formats  # noqa: PLC0415
    from plangate.parsers.base import Options  # noqa: PLC0415
    from plangate.parsers.kubernetes_plan import parse  # noqa: PLC0415

    source = Input(
        name="the objects after apply", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data)
    )
    return parse(formats.read_documents(source, limits), Options(), limits)
