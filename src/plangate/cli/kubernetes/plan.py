"""``plangate kubernetes plan``: what a cluster would make of manifests, recorded in a file."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options, streams


def plan(
    manifests: Annotated[str, typer.Argument(help="File, folder or pattern of Kubernetes manifests.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must not be there yet.")],
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    namespace: options.KubernetesNamespace = None,
    config: options.Config = None,
) -> int:
    """Ask a cluster what it would make of manifests, and record it. Nothing is changed by that.

    The file is as secret as what the manifests hold.
    """
    from plangate import wiring
    from plangate.audit.private_files import create as create_file
    from plangate.cli.manifests import introduce, tell_left_alone, tell_warnings
    from plangate.cli.progress import Progress
    from plangate.errors import UsageError
    from plangate.wiring import clusters

    taken = UsageError(f"{out}: there already", hint="--out names a new file")
    if out.exists() or out.is_symlink():
        raise taken
    choices = wiring.Choices(config=config, cluster=options.cluster(context, kubeconfig, namespace))
    with Progress() as progress, clusters.cluster_of(choices) as cluster:
        introduce(cluster)
        found = clusters.read_manifests(manifests, choices)
        tell_left_alone(found)
        if clusters.first_stage(cluster, found) is not None:
            raise UsageError(
                f"{manifests}: some of it is in a namespace, or of a type, that it makes itself, which the API server "
                "cannot foresee",
                hint="apply the namespaces and definitions first, or all of it with `plangate apply --context`",
            )
        document, planned = clusters.cluster_document(manifests, cluster, found, progress)
        tell_warnings(cluster, found)
    if not create_file(out, document.data):
        raise taken
    changes = Counter(each.change for each in planned.objects)
    told = ", ".join(f"{count} {change}" for change, count in sorted(changes.items()))
    streams.tell(f"{out}: {told}, in {planned.server}\n")
    return 0
