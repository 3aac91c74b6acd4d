"""The command tree. Only the module of the command that is asked for is imported."""

from importlib import import_module
from typing import Any, Final

import typer

HELP: Final = "The gate between a planned infrastructure change and the cloud: no proof, no execution."
COMMANDS: Final = {
    "check": "Judge a plan: allow (0), deny (1), could not decide (3).",
    "apply": "Run a saved plan, if it is allowed, exactly as it was judged.",
    "explain": "Say why: a rule, or everything about one resource of a plan.",
    "rules": "List the rules, or show one.",
    "audit": "List, show and verify what was decided.",
    "init": "Write a commented plangate.yaml.",
    "schema": "Print a JSON Schema.",
}


def command(first: list[str]) -> Any:
    """The click command for a command line.

    Args:
        first: Its first word, if any. For a known command only that one's module is imported.
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

    wanted = [word for word in first if word in COMMANDS] or list(COMMANDS)
    for name in wanted:
        module = import_module(f"plangate.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=COMMANDS[name])
        else:
            app.command(name, help=COMMANDS[name])(getattr(module, name))
    return typer.main.get_command(app)
