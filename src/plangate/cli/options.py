"""Options that several commands share, with one wording each."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plangate import wiring
    from plangate.parsers import base as parsing

Plan = Annotated[
    str,
    typer.Argument(
        help="Saved plan (tfplan) or its JSON (`terraform show -json tfplan`); - reads standard input."
    ),
]
Applied = Annotated[
    str,
    typer.Argument(
        metavar="PLAN",
        help="Saved plan (tfplan), a plan for a cluster, or, with --context, a file or folder of Kubernetes "
        "manifests.",
    ),
]
Context = Annotated[
    str | None,
    typer.Option("--context", help="Kubernetes: context of the kubeconfig, which names the cluster."),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        help="Kubernetes: the kubeconfig; without --context its current one. [default: KUBECONFIG, or "
        "~/.kube/config]",
    ),
]
KubernetesNamespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Kubernetes: for objects that say none. [default: the context's]"),
]
Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Files, folders or patterns: saved plans, plan JSON, Terraform source, Kubernetes manifests, "
        "CloudFormation templates and change sets, Pulumi previews, Compose files, ARM templates; - reads "
        "standard input.",
    ),
]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="Terraform variable for source. Repeatable."),
]
VariableFiles = Annotated[
    list[Path] | None, typer.Option("--var-file", help="Terraform variables for source. Repeatable.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameters", metavar="NAME=VALUE", help="CloudFormation parameter. Repeatable."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="PATTERN", help="Paths that folders are searched without. Repeatable."),
]
ConftestDirs = Annotated[
    list[Path] | None,
    typer.Option(
        "--conftest",
        metavar="DIR",
        help="Folder of conftest policies, which judge each file as it is, besides the rules. Repeatable.",
    ),
]
Namespaces = Annotated[
    list[str] | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NS",
        help="Namespace of conftest policies, or a pattern. Repeatable. [default: main]",
    ),
]
AllNamespaces = Annotated[
    bool, typer.Option("--all-namespaces", help="Every namespace of the conftest policies.")
]
Combine = Annotated[
    bool,
    typer.Option("--combine", help="Conftest policies judge all files as one list of path and contents."),
]
RegoVersion = Annotated[
    str | None,
    typer.Option("--rego-version", metavar="v0|v1", help="Syntax of the conftest policies. [default: v1]"),
]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file. [default: plangate.yaml, if there]")
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", help="Where the plan is meant to be applied; a receipt counts there only."
    ),
]
PolicyDirs = Annotated[
    list[Path] | None,
    typer.Option(
        "--policy", "-p", help="Folder or bundle of Rego policies, besides the shipped ones. Repeatable."
    ),
]
DataPaths = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        "-d",
        help="JSON or YAML document for policies, or a folder of them; read as `data`. Repeatable.",
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", help="standard or strict; strict denies what is known only after apply."),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="Folder of keys and log. [default: PLANGATE_STATE_DIR, or .plangate]"),
]
Chdir = Annotated[
    Path | None,
    typer.Option("--chdir", help="Folder in which the saved plan was made. [default: where it lies]"),
]
Region = Annotated[
    str, typer.Option("--region", help="Region in AWS. [default: aws.region of the settings, or AWS_REGION]")
]
AwsProfile = Annotated[str, typer.Option("--aws-profile", help="Profile of the AWS configuration files.")]
AssumeRole = Annotated[str, typer.Option("--assume-role", metavar="ARN", help="Role to take on in AWS.")]
TrustedKeys = Annotated[
    list[Path] | None,
    typer.Option("--trusted-key", help="Public key file of another gate whose receipts count. Repeatable."),
]


def conftest_choices(
    policies: "Sequence[Path] | None",
    namespaces: "Sequence[str] | None",
    all_namespaces: bool,  # noqa: FBT001 - as the command line has it
    combine: bool,  # noqa: FBT001
    rego_version: str | None,
) -> "wiring.ConftestChoices | None":
    """What the command line says of conftest policies.

    Raises:
        UsageError: It says something of them and names none.
    """
    from plangate.errors import UsageError
    from plangate.wiring import ConftestChoices

    if not policies:
        given = {
            "--namespace": namespaces,
            "--all-namespaces": all_namespaces,
            "--combine": combine,
            "--rego-version": rego_version,
        }
        for option, value in given.items():
            if value:
                raise UsageError(f"{option}: it is for conftest policies (expected --conftest DIR too)")
        return None
    return ConftestChoices(
        policies=policies,
        namespaces=tuple(namespaces or ()),
        all_namespaces=all_namespaces,
        combine=combine,
        rego_version=rego_version or "v1",
    )


def cluster(
    context: str | None, kubeconfig: Path | None, namespace: str | None
) -> "wiring.ClusterChoice | None":
    """What the command line says of a Kubernetes cluster; ``None`` when it names none.

    Raises:
        UsageError: A namespace, and no cluster.
    """
    from plangate.errors import UsageError
    from plangate.wiring import ClusterChoice

    if context is None and kubeconfig is None:
        if namespace is not None:
            raise UsageError("--namespace: of which cluster is not said (expected --context too)")
        return None
    return ClusterChoice(kubeconfig=kubeconfig, context=context or "", namespace=namespace or "")


def said(
    variables: list[str] | None, variable_files: list[Path] | None, parameters: list[str] | None
) -> "parsing.Options":
    """What the command line says about the inputs.

    Raises:
        UsageError: Not ``NAME=VALUE``.
    """
    from plangate.parsers.base import Options

    return Options(
        variables=pairs("--var", variables or ()),
        variable_files=tuple(variable_files or ()),
        parameters=pairs("--parameters", parameters or ()),
        environ=os.environ,
    )


def pairs(option: str, given: "Sequence[str]") -> dict[str, str]:
    """What a repeated option with ``NAME=VALUE`` says.

    Raises:
        UsageError: Not ``NAME=VALUE``.
    """
    from plangate.errors import UsageError

    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise UsageError(f"{option} {each!r} (expected NAME=VALUE)")
        found[name] = value
    return found
