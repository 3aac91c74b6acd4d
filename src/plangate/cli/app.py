"""The command tree. Only the module of the command that is asked for is imported."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import typer

HELP: Final = "The gate between a planned infrastructure change and the cloud: no proof, no execution."
COMMANDS: Final = {
    "check": "Judge a plan: allow (0), deny (1), could not decide (3).",
    "plan": "Compare a CloudFormation template with what is there in AWS.",
    "apply": "Run a saved plan, if it is allowed, exactly as it was judged.",
    "change-set": "CloudFormation change sets: create one, to be judged and applied.",
    "kubernetes": "Ask a cluster what it would make of manifests.",
    "status": "Tell what was made in AWS, and whether a run was cut off.",
    "drift": "Say whether what is there in AWS is still what a template wants.",
    "reconcile": "Keep what is there in AWS as a template wants it.",
    "iam": "Print the IAM policy that a plan for AWS needs.",
    "explain": "Say why: a rule, or everything about one resource of a plan.",
    "rules": "List the rules, or show one.",
    "policy": "Write policies: new, check, test, mutate, docs, explain, bundle.",
    "audit": "List, show and verify what was decided.",
    "serve": "Answer other orchestrators over HTTP.",
    "init": "Write a commented plangate.yaml.",
    "schema": "Print a JSON Schema.",
}


def command(first: list[str]) -> Any:
    """The click command for a command line.

    Args:
        first: Its first words, if any. For a known command only that one's module is imported.
    """
    app = typer.Typer(
        suggest_commands=False,  # click makes a suggestion itself
        help=HELP,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _root(
        version: bool = typer.Option(False, "--version", "-V", help="Print the version and exit."),  # noqa: FBT001, FBT003
    ) -> None:
        del version  # answered in main, before anything is imported

    _add(app, "plangate.cli", COMMANDS, first)
    return typer.main.get_command(app)


def _add(app: typer.Typer, package: str, commands: Mapping[str, str], words: Sequence[str]) -> None:
    """Add the command that the first word names, or all of them."""
    for name in words[:1] if words[:1] and words[0] in commands else commands:
        word = name.replace("-", "_")
        module = import_module(f"{package}.{word}")
        if hasattr(module, "SUBCOMMANDS"):
            group = typer.Typer(
                suggest_commands=False, no_args_is_help=True, add_completion=False, rich_markup_mode=None
            )
            group.callback()(lambda: None)
            _add(group, module.__name__, module.SUBCOMMANDS, words[1:] if words[:1] == [name] else ())
            app.add_typer(group, name=name, help=commands[name])
        elif hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=commands[name])
        else:
            app.command(name, help=commands[name])(getattr(module, word))
