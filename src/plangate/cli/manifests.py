"""From Kubernetes manifests to objects of a cluster: foreseen by its API server, judged, applied."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from plangate.cli import streams

if TYPE_CHECKING:
    from plangate import wiring
    from plangate.cli.progress import Progress
    from plangate.errors import CannotDecideError
    from plangate.executor.kubernetes.connection import Cluster
    from plangate.wiring.clusters import Manifests


def apply_manifests(name: str, choices: "wiring.Choices", progress: "Progress") -> int:
    """Apply the manifests that a file or folder holds, if they are allowed.

    Objects in a namespace, or of a type, that these manifests make themselves cannot be dry-run before it is there.
    Then there are two rounds, each with a decision of its own; and nothing is made of manifests that are denied as
    written.

    Returns:
        The exit code.
    """
    from plangate.errors import CannotDecideError
    from plangate.wiring import clusters

    with clusters.cluster_of(choices) as cluster:
        introduce(cluster)
        try:
            progress("reading manifests")
            manifests = clusters.read_manifests(name, choices)
            tell_left_alone(manifests)
            early = clusters.first_stage(cluster, manifests)
        except CannotDecideError as error:
            return _judged(name, choices, progress, error)

        def foreseen(chosen: "Manifests") -> "wiring.Document":
            document, _ = clusters.cluster_document(name, cluster, chosen, progress)
            tell_warnings(cluster, chosen)
            return document

        if early is not None:
            streams.say(
                "two rounds: namespaces and definitions first, since the API server cannot foresee what needs them\n"
            )
            code = _judged(name, choices, progress, manifests.document) or _round(
                name, choices, progress, partial(foreseen, early)
            )
            if code:
                return code
            cluster.forget_types()
        return _round(name, choices, progress, partial(foreseen, manifests))


def introduce(cluster: "Cluster") -> None:
    """Say which cluster it is, and what is run to be let in, before anything is asked of it."""
    from plangate.report.base import one_line

    streams.say(f"cluster: {one_line(cluster.url)} (context {one_line(cluster.context)})\n")
    if cluster.credentials_program:
        streams.say(f"credentials: the kubeconfig says to run {cluster.credentials_program!r}\n")


def tell_left_alone(manifests: "Manifests") -> None:
    """Say which files of a folder are not applied."""
    from plangate.report.base import one_line

    for each in manifests.left_alone:
        streams.say(f"left alone, since it is no manifest: {one_line(each)}\n")


def tell_warnings(cluster: "Cluster", manifests: "Manifests") -> None:
    """Say what the API server warned of."""
    from plangate.report.base import one_line

    for each in cluster.warnings():
        streams.say(f"warning of the API server: {one_line(manifests.scrub(each))}\n")


def _round(
    name: str, choices: "wiring.Choices", progress: "Progress", foreseen: Callable[[], "wiring.Document"]
) -> int:
    from plangate import wiring
    from plangate.cli.apply import run
    from plangate.errors import CannotDecideError

    try:
        document = foreseen()
    except CannotDecideError as error:
        return _judged(name, choices, progress, error)
    with wiring.open_session([name], choices, progress, given=document) as session:
        return run(session, choices, progress)


def _judged(
    name: str,
    choices: "wiring.Choices",
    progress: "Progress",
    given: "wiring.Document | CannotDecideError | None",
) -> int:
    """Record the decision on the manifests as written, or why there can be none; told unless it is an allow."""
    from plangate import gate, wiring
    from plangate.cli.answer import announce_keys, exit_code, write_report

    with wiring.open_session([name], choices, progress, given=given) as session:
        announce_keys(session)
        decision = gate.check(session.gate, session.run)
        code = exit_code(decision)
        if code:
            write_report("text", decision, None)
        return code
