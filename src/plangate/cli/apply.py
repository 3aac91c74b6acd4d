"""``plangate apply``: run a saved plan, exactly as it was judged, once."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plangate import wiring
    from plangate.cli.progress import Progress
    from plangate.executor.base import ExecutionEvent, ExecutionReport
    from plangate.gate.execution import Execution

_MAX_FOUND: Final = 20
"""Addresses in a line; all of them are in the log."""


def apply(
    plan: options.Applied,
    *,
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", help="Receipt of an earlier check. Without it the plan is judged first."),
    ] = None,
    trusted_key: options.TrustedKeys = None,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    profile: options.ProfileName = None,
    state_dir: options.StateDir = None,
    chdir: options.Chdir = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run of this plan that was cut off (plans for AWS).")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, max=64, help="Resources changed at once (plans for AWS). [default: 10]"
        ),
    ] = None,
    lock_timeout: Annotated[
        float,
        typer.Option(
            "--lock-timeout",
            min=0.0,
            help="Seconds to wait for another run's lock (saved plans, plans for AWS).",
        ),
    ] = 0.0,
    on_failure: Annotated[
        str,
        typer.Option(
            "--on-failure",
            help="keep, or rollback: take back what a failed run made, as a plan that is judged (plans for AWS).",
        ),
    ] = "keep",
    aws_profile: options.AwsProfile = "",
    assume_role: options.AssumeRole = "",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    namespace: options.KubernetesNamespace = None,
) -> int:
    """Run a plan, if it is allowed. Nothing runs on anything but an allow.

    Kubernetes manifests are dry-run by the cluster that --context names, judged as it would store them, and applied.
    """
    from plangate import wiring
    from plangate.cli.progress import Progress
    from plangate.errors import EXIT_EXECUTION_FAILED, UsageError
    from plangate.wiring.clusters import is_cluster_plan

    if on_failure not in {"keep", "rollback"}:
        raise UsageError(f"--on-failure {on_failure!r} (expected keep or rollback)")
    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        profile=profile,
        state_dir=state_dir,
        chdir=chdir,
        aws=wiring.AwsChoices(
            profile=aws_profile, role=assume_role, workers=workers, resume=resume, lock_timeout_s=lock_timeout
        ),
        cluster=options.cluster(context, kubeconfig, namespace),
    )
    with Progress() as progress:
        if choices.cluster is not None and not is_cluster_plan(plan):
            if receipt is not None:
                raise UsageError(
                    "--receipt: a receipt is for a plan, and these are manifests",
                    hint="make the plan with `plangate kubernetes plan`, check it, and apply it",
                )
            from plangate.cli.manifests import apply_manifests

            return apply_manifests(plan, choices, progress)
        with wiring.open_session([plan], choices, progress) as session:
            code = run(session, choices, progress, receipt=receipt, trusted_key=trusted_key or ())
            taken_back = None
            if code == EXIT_EXECUTION_FAILED and on_failure == "rollback":
                taken_back = _taken_back(session, choices)
        if taken_back is not None:
            _roll_back(taken_back, choices, progress)
        return code


def _taken_back(session: "wiring.Session", choices: "wiring.Choices") -> bytes | None:
    from plangate import wiring
    from plangate.errors import UsageError
    from plangate.model.aws_plan import is_aws_plan
    from plangate.wiring.aws import rollback_of

    if not is_aws_plan(wiring.document_of(session).data):
        raise UsageError("--on-failure rollback: only a run of a plan for AWS can be taken back")
    return rollback_of(session, choices)


def _roll_back(plan: bytes, choices: "wiring.Choices", progress: "Progress") -> None:
    """Judge and run what takes a failed run back; how that ends is recorded, and the run has failed all the same."""
    from msgspec.structs import replace

    from plangate import wiring
    from plangate.wiring.aws import written_plan

    streams.say("rolling back what the failed run made\n")
    again = replace(choices, aws=replace(choices.aws, resume=False))
    with written_plan(plan, choices) as path, wiring.open_session([str(path)], again, progress) as session:
        run(session, again, progress)


def run(
    session: "wiring.Session",
    choices: "wiring.Choices",
    progress: "Progress",
    *,
    receipt: Path | None = None,
    trusted_key: "Sequence[Path]" = (),
) -> int:
    """Judge the one document of a session, or take a receipt for it, run it and tell how it ended.

    Returns:
        The exit code.
    """
    from plangate import gate, wiring
    from plangate.cli.answer import announce_keys, exit_code, write_report
    from plangate.decision.decide import Result
    from plangate.errors import EXIT_ALLOW, EXIT_EXECUTION_FAILED, EXIT_INTERRUPTED, CannotDecideError
    from plangate.gate.execution import execute
    from plangate.wiring.approval import approval_by_receipt, approval_of
    from plangate.wiring.executors import means_for

    announce_keys(session)
    means = means_for(session, choices)
    if receipt is not None:
        leave, receipt_sha256 = approval_by_receipt(session, receipt, trusted_key or ())
        _, redactor = wiring.plan_with_secrets(session)
    else:
        decision = gate.check(session.gate, session.run)
        write_report("text", decision, None)
        if decision.judgement.result is not Result.ALLOW:
            return exit_code(decision)
        leave, receipt_sha256, redactor = approval_of(session, decision), None, decision.redactor

    progress("applying")
    document = wiring.document_of(session).data
    values = session.settings.values
    with _watching(document, progress) as watch:
        execution = execute(
            session.gate,
            means.executor,
            leave,
            document,
            executor_name=means.name,
            receipt_sha256=receipt_sha256,
            scrub=redactor.text,
            follow_up=means.follow_up,
            watch=watch,
            anywhere=means.anywhere,
            repeatable=means.repeatable,
            quarantine=means.quarantine,
            quarantine_for=[rule for rule, chosen in values.rules.items() if chosen.quarantine],
            obligation_timeout_s=values.limits.obligation_timeout_s,
        )
    try:
        streams.tell(_report(execution))
    except CannotDecideError:
        # It is done and in the log: that nobody listens any more changes neither.
        streams.say(
            f"standard output cannot be written; `plangate audit show {leave.decision_id}` tells how it ended\n"
        )
    if execution.report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_ALLOW if execution.succeeded else EXIT_EXECUTION_FAILED


@contextmanager
def _watching(document: bytes, progress: "Progress") -> "Iterator[Callable[[ExecutionEvent], None]]":
    """What is told of every event: a line for each that ends something; on a terminal, a tree of a plan for AWS."""
    from plangate.model.aws_plan import decode_plan, is_aws_plan
    from plangate.report.base import one_line

    def say(event: "ExecutionEvent") -> None:
        if event.address and event.type.endswith(("_complete", "_errored")):
            words = f"{event.type.replace('_', ' ')}: {one_line(event.address)} {one_line(event.action)}"
            failed = event.message and event.type.endswith("_errored")
            message = f": {one_line(event.message)}" if failed else ""
            progress.say(f"  {words.rstrip()}{message}")

    if not (sys.stderr.isatty() and is_aws_plan(document)):
        yield say
        return
    from rich.console import Console

    from plangate.cli.run_tree import RunTree

    with RunTree(decode_plan(document), Console(stderr=True)) as tree:

        def both(event: "ExecutionEvent") -> None:
            tree(event)
            if event.type.endswith("_errored"):
                say(event)

        yield both


def _report(execution: "Execution") -> str:
    from plangate.report.base import one_line

    lines = [f"  ! {one_line(problem)}" for problem in execution.report.problems]
    lines += _what_is_there(execution.report)
    for checked in execution.obligations:
        mark = "✓" if checked.result == "met" else "✗"
        obligation = checked.obligation
        text = f"  {mark} obligation {checked.result}: {obligation.rule} at {one_line(obligation.address)}"
        lines.append(f"{text}: {one_line(checked.message)}" if checked.message else text)
    done = execution.report.events.get("apply_complete", 0)
    made = f"{done} change{'' if done == 1 else 's'} made"
    if execution.succeeded:
        met = len(execution.obligations)
        checks = f", {met} obligation{'' if met == 1 else 's'} met" if met else ""
        last = f"applied: {made}, a new plan finds nothing left to do{checks}"
    else:
        status = execution.report.status.value.replace("_", " ")
        word = "obligations not met" if execution.report.status.value == "succeeded" else status
        last = f"execution failed: {word}, {made}"
    last += f"; log entry {execution.entry.index}"
    return "\n".join([*lines, last]) + "\n"


def _what_is_there(report: "ExecutionReport") -> list[str]:
    """A line for each way in which resources stand, with the first of them."""
    from plangate.report.base import one_line

    lines = []
    for standing, addresses in report.what_is_there().items():
        more = len(addresses) - _MAX_FOUND
        listed = ", ".join(map(one_line, addresses[:_MAX_FOUND])) + (f" and {more} more" if more > 0 else "")
        lines.append(f"  {standing}: {listed}")
    return lines
