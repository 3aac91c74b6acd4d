"""``plangate rules``: what would judge a plan here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plangate.decision.outcome import RuleSpec

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("list")
def list_rules(
    *,
    config: options.Config = None,
    policy: options.PolicyDirs = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """List every rule that would judge a plan here: built-in rules and policies, as the settings weigh them."""
    import json

    from plangate.cli.answer import renderer

    renderer(output_format)
    specs = load_specs(config, policy or ())
    if output_format == "json":
        streams.tell(json.dumps([_document(spec) for spec in specs], indent=2) + "\n")
        return 0
    width = max((len(spec.id) for spec in specs), default=0)
    for spec in specs:
        weight = f"{spec.severity.value}, {spec.enforcement.value}"
        streams.tell(f"{spec.id:<{width}}  {weight:<22}  {spec.title}\n")
    streams.tell(f"{len(specs)} rules\n")
    return 0


@app.command("show")
def show(
    rule: Annotated[str, typer.Argument(help="Rule id.")],
    *,
    config: options.Config = None,
    policy: options.PolicyDirs = None,
) -> int:
    """Show one rule: what it demands, why, how to fix a failure, and its settings."""
    streams.tell(describe(rule, load_specs(config, policy or ())))
    return 0


def load_specs(config: Any, policies: "Sequence[Any]") -> "list[RuleSpec]":
    """Every rule that would judge here, sorted by id.

    Raises:
        UsageError: The settings make no sense.
        PolicyLoadError: A policy must not be judged with.
    """
    from plangate import wiring
    from plangate.decision.conditions import CONDITIONS

    choices = wiring.Choices(config=config, policies=policies)
    settings = wiring.settings_for(choices)
    rules, loaded = wiring.rule_specs(settings, choices)
    specs = [*CONDITIONS.values(), *(rule.spec for rule in rules.values())]
    specs += [wiring.chosen_spec(spec, settings) for spec in loaded.rules]
    return sorted(specs, key=lambda spec: spec.id)


def describe(rule: str, specs: "Sequence[RuleSpec]") -> str:
    """One rule as text.

    Raises:
        UsageError: There is no such rule; names the nearest one.
    """
    import difflib
    import json

    from plangate.errors import UsageError
    from plangate.rules.registry import RULES

    by_id = {spec.id: spec for spec in specs}
    spec = by_id.get(rule)
    if spec is None:
        near = difflib.get_close_matches(rule, by_id, n=1)
        raise UsageError(
            f"no rule {rule!r}",
            hint=f"did you mean {near[0]}?" if near else "`plangate rules list` shows all rules",
        )
    lines = [
        f"{spec.id}: {spec.title}",
        f"  {spec.severity.value}, {spec.enforcement.value}; unknown: {spec.on_unknown.value}; from {spec.source}",
        f"  kinds: {', '.join(spec.kinds) or 'every resource, or the plan as a whole'}",
    ]
    built_in = RULES.get(rule)
    why = built_in.rationale if built_in else spec.description
    if why:
        lines += ["", f"Why: {why}"]
    if spec.remediation:
        lines += ["", f"Fix: {spec.remediation}"]
    if built_in:
        lines += ["", "Fails:", *_indented(built_in.bad), "", "Passes:", *_indented(built_in.good)]
        if built_in.settings_schema.get("properties"):
            properties = json.dumps(built_in.settings_schema["properties"], indent=2)
            lines += ["", f"Settings (rules.{rule}.settings in plangate.yaml):", *_indented(properties)]
        lines += ["", *(f"See {link}" for link in built_in.references)]
    for framework, controls in spec.frameworks:
        lines.append(f"{framework}: {', '.join(controls)}")
    return "\n".join(lines) + "\n"


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.strip("\n").splitlines()]


def _document(spec: "RuleSpec") -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "severity": spec.severity.value,
        "enforcement": spec.enforcement.value,
        "on_unknown": spec.on_unknown.value,
        "kinds": list(spec.kinds),
        "remediation": spec.remediation,
        "frameworks": {name: list(controls) for name, controls in spec.frameworks},
        "source": spec.source,
    }
