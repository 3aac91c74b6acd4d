"""``plangate explain``: a rule, or everything about one resource of a plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plangate.gate import Judge
    from plangate.model.plan import Resource
    from plangate.model.redaction import Redactor

_MOST_PATHS: Final = 12
"""Paths on one line; what the provider computes is a long list that nobody reads."""


def explain(
    target: Annotated[str, typer.Argument(metavar="ADDRESS|RULE", help="Rule id, or address of a resource.")],
    *,
    plan: Annotated[
        str | None, typer.Option("--plan", help="The plan that holds the resource. [default: tfplan]")
    ] = None,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    state_dir: options.StateDir = None,
    chdir: options.Chdir = None,
) -> int:
    """Explain a rule, or what the gate sees in one resource and what each rule says of it. Records nothing."""
    from plangate import wiring
    from plangate.cli.rules import describe, known_rules
    from plangate.errors import UsageError

    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        state_dir=state_dir,
        chdir=chdir,
    )
    known = known_rules(choices)
    if any(spec.id == target for spec in known.specs):
        streams.tell(describe(target, known))
        return 0
    if plan is None and not Path("tfplan").is_file():
        if "." not in target:
            describe(target, known)
        raise UsageError(f"{target}: which plan is it in?", hint=f"plangate explain '{target}' --plan tfplan")
    from plangate.cli.progress import Progress

    with Progress() as progress, wiring.open_session([plan or "tfplan"], choices, progress) as session:
        whole, redactor = wiring.plan_for_rules(session)
        resources = [resource for resource in whole.resources if resource.address == target]
        if not resources:
            import difflib

            near = difflib.get_close_matches(target, [r.address for r in whole.resources], n=1)
            raise UsageError(
                f"{target}: not in {plan or 'tfplan'}", hint=f"did you mean {near[0]}?" if near else ""
            )
        lines = [line for resource in resources for line in _resource(resource, redactor)]
        lines += ["", "What the rules say:"]
        lines += _outcomes(session.gate.judging.judges, whole, target, redactor)
    streams.tell("\n".join(lines) + "\n")
    return 0


def _resource(resource: "Resource", redactor: "Redactor") -> "Iterable[str]":
    from plangate.report.base import one_line

    yield f"{one_line(resource.address)}{f' (deposed {resource.deposed})' if resource.deposed else ''}"
    kind = resource.kind or "none (no adapter for this type)"
    yield f"  {resource.type} by {resource.provider or 'an unnamed provider'}, kind {kind}"
    order = f" ({resource.replace_order.value})" if resource.replace_order else ""
    yield f"  action: {resource.action.value}{order}{f', {resource.reason}' if resource.reason else ''}"
    if resource.previous_address:
        yield f"  moved from {one_line(resource.previous_address)}"
    if resource.region != "":
        yield f"  region: {resource.region!s}"
    for name, value in sorted(resource.facts.items()):
        yield f"  fact {name}: {redactor.text(one_line(_shown(value)))}"
    if resource.unknown:
        yield f"  known only after apply: {_listed(resource.unknown)}"
    if resource.sensitive:
        yield f"  sensitive: {_listed(resource.sensitive)}"
    for edge in resource.references:
        yield f"  {edge.at} reads {one_line(edge.address)}{'' if edge.exact else ' (any instance of it)'}"
    for path in resource.unresolved:
        yield f"  {path} reads something that the plan does not define (a local value, say)"


def _shown(value: object) -> str:
    """A fact as it stands in the plan document."""
    import msgspec

    from plangate.model.document import unknown_as_text

    encoder = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
    return encoder.encode(value).decode()


def _listed(paths: "Sequence[str]") -> str:
    from plangate.report.base import one_line

    shown = ", ".join(one_line(path) or "everything" for path in paths[:_MOST_PATHS])
    more = len(paths) - _MOST_PATHS
    return f"{shown} and {more} more" if more > 0 else shown


def _outcomes(judges: "Iterable[Judge]", plan: Any, address: str, redactor: "Redactor") -> "Iterable[str]":
    from plangate.gate import encode_plan
    from plangate.report.base import one_line

    for judge in judges:
        outcomes, _ = judge.ask(plan, lambda: encode_plan(plan))()
        for outcome in outcomes:
            if outcome.address == address:
                message = f": {one_line(redactor.text(outcome.message))}" if outcome.message else ""
                yield f"  {outcome.status.value:<14} {outcome.rule}{message}"
