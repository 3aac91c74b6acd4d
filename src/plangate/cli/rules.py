"""``plangate rules``: what would judge a plan here."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plangate.decision.outcome import RuleSpec
    from plangate.wiring import Choices

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("list")
def list_rules(
    *,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """List every rule that would judge a plan here: built-in rules and policies, as the settings weigh them."""
    import json

    from plangate.cli.answer import renderer

    renderer(output_format)
    specs = known_rules(_choices(config, environment, policy, data)).specs
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
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
) -> int:
    """Show one rule: what it demands, why, how to fix a failure, and its settings."""
    streams.tell(describe(rule, known_rules(_choices(config, environment, policy, data))))
    return 0


def _choices(
    config: Path | None, environment: str | None, policy: list[Path] | None, data: list[Path] | None
) -> "Choices":
    from plangate import wiring

    return wiring.Choices(config=config, environment=environment, policies=policy or (), data=data or ())


class Known(Struct, frozen=True, kw_only=True):
    """The rules that would judge here, sorted by id, and the settings that each may have: JSON Schemas by name."""

    specs: "Sequence[RuleSpec]"
    settings: Mapping[str, Mapping[str, Any]]


def known_rules(choices: "Choices") -> Known:
    """Every rule that would judge here.

    Raises:
        UsageError: The settings make no sense.
        PolicyLoadError: A policy must not be judged with.
    """
    from plangate import wiring
    from plangate.decision.conditions import CONDITIONS

    settings = wiring.settings_for(choices)
    rules, loaded = wiring.rule_specs(settings, choices)
    specs = [*CONDITIONS.values(), *(rule.spec for rule in rules.values())]
    specs += [wiring.chosen_spec(spec, settings) for spec in loaded.rules]
    schemas = {rule_id: rule.settings_schema.get("properties", {}) for rule_id, rule in rules.items()}
    return Known(specs=sorted(specs, key=lambda spec: spec.id), settings={**schemas, **loaded.settings})


def describe(rule: str, known: Known) -> str:
    """One rule as text.

    Raises:
        UsageError: There is no such rule; names the nearest one.
    """
    import difflib
    import json

    from plangate.errors import UsageError
    from plangate.rules.registry import RULES

    by_id = {spec.id: spec for spec in known.specs}
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
    if spec.types:
        lines[-1:] = [f"  kinds: {', '.join(spec.kinds)}"] if spec.kinds else []
        lines.append(f"  types: {', '.join(spec.types)}")
    built_in = RULES.get(rule)
    why = built_in.rationale if built_in else spec.description
    if why:
        lines += ["", f"Why: {why}"]
    if spec.remediation:
        lines += ["", f"Fix: {spec.remediation}"]
    if built_in:
        lines += ["", "Fails:", *_indented(built_in.bad), "", "Passes:", *_indented(built_in.good)]
    if settings := known.settings.get(rule):
        lines += ["", f"Settings (rules.{rule}.settings in plangate.yaml):"]
        lines += _indented(json.dumps(settings, indent=2))
    if built_in:
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
        "types": list(spec.types),
        "remediation": spec.remediation,
        "frameworks": {name: list(controls) for name, controls in spec.frameworks},
        "source": spec.source,
    }
