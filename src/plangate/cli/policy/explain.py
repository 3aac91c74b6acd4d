"""``plangate policy explain``: why a Rego rule has a finding about a resource, or why not."""

from typing import TYPE_CHECKING, Annotated

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plangate.decision.outcome import Outcome
    from plangate.model.plan import Plan
    from plangate.model.redaction import Redactor
    from plangate.policy.base import PolicySet
    from plangate.wiring import Session


def explain(
    plan: Annotated[
        str, typer.Argument(help="What holds the resource: anything that `plangate check` takes.")
    ],
    rule: Annotated[str, typer.Argument(help="Id of a Rego rule.")],
    address: Annotated[str, typer.Argument(help='Address of the resource; "" for the plan as a whole.')],
    *,
    depth: Annotated[
        int, typer.Option("--depth", help="Calls to follow from a line that does not hold.")
    ] = 1,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    state_dir: options.StateDir = None,
    chdir: options.Chdir = None,
) -> int:
    """Explain why a Rego rule has a finding about a resource, or why not, line by line. Records nothing."""
    from plangate import wiring
    from plangate.authoring.explanation import MOST_DEPTH, explain_rule, explanation_lines
    from plangate.cli.progress import Progress
    from plangate.errors import UsageError
    from plangate.gate import encode_plan

    if not 0 <= depth <= MOST_DEPTH:
        raise UsageError(f"--depth {depth} (expected 0 to {MOST_DEPTH})")
    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        state_dir=state_dir,
        chdir=chdir,
    )
    with Progress() as progress, wiring.open_session([plan], choices, progress) as session:
        built_in, policies = wiring.rule_specs(session.settings, choices)
        _refuse(rule, address, plan, built_in, policies)
        whole, redactor = wiring.plan_for_rules(session)
        _insist_on(address, plan, whole)
        outcomes = list(_outcomes(session, whole, rule, address))
        explained = explain_rule(policies, rule, address, encode_plan(whole), depth=depth)
        lines = list(_head(rule, address, outcomes, redactor))
        lines += explanation_lines(explained, address, lambda value: redactor.values(value, ()))
    streams.tell("\n".join(lines) + "\n")
    return 0


def _refuse(rule: str, address: str, plan: str, built_in: "Iterable[str]", policies: "PolicySet") -> None:
    """Say of a rule that is not written in Rego where to look."""
    import difflib

    from plangate.errors import UsageError

    if rule in policies.packages:
        return
    if rule in built_in:
        raise UsageError(
            f"{rule} is a built-in rule, not written in Rego",
            hint=f"plangate explain '{address}' --plan '{plan}' shows its facts and outcome; "
            f"plangate explain {rule} says what it demands",
        )
    near = difflib.get_close_matches(rule, policies.packages, n=1)
    raise UsageError(
        f"no rule {rule!r}",
        hint=f"did you mean {near[0]}?" if near else "`plangate rules list` shows the ids of all rules",
    )


def _insist_on(address: str, name: str, plan: "Plan") -> None:
    import difflib

    from plangate.errors import UsageError

    addresses = {resource.address for resource in plan.resources}
    if address and address not in addresses:
        near = difflib.get_close_matches(address, addresses, n=1)
        raise UsageError(f"{address}: not in {name}", hint=f"did you mean {near[0]}?" if near else "")


def _outcomes(session: "Session", plan: "Plan", rule: str, address: str) -> "Iterable[Outcome]":
    from plangate.gate import encode_plan

    for judge in session.gate.judging.judges:
        if rule in judge.specs:
            outcomes, _ = judge.ask(plan, lambda: encode_plan(plan))()
            for outcome in outcomes:
                if outcome.rule == rule and outcome.address in {address, ""}:
                    yield outcome


def _head(rule: str, address: str, outcomes: "Iterable[Outcome]", redactor: "Redactor") -> "Iterable[str]":
    from plangate.report.base import one_line

    told = False
    name = one_line(address) or "the plan"
    for outcome in outcomes:
        told = True
        message = f": {one_line(redactor.text(outcome.message))}" if outcome.message else ""
        yield f"{rule} on {name}: {outcome.status.value}{message}"
    if not told:
        yield f"{rule} on {name}: no outcome, it is not in the rule's scope"
