"""``plangate-hook``: the entry for pre-commit. Judges whatever it is given together, loads every policy.

Seconds matter here, so this imports no command line library, terminal library or cloud SDK; a test looks. It leaves
no receipts: what is committed is not what will be applied. ``SKIP`` turns it off, so it is early feedback and never
the gate.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from plangate.cli import streams
from plangate.cli.main import complain, guarded
from plangate.errors import EXIT_ALLOW, NothingToJudgeError, PlangateError, UsageError

if TYPE_CHECKING:
    from plangate.wiring import Choices

_POLICY_SUFFIX = ".rego"


def entry() -> NoReturn:
    """The program ``plangate-hook``."""
    streams.leave(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the hook.

    Args:
        arguments: Options and file names; ``sys.argv`` by default.

    Returns:
        0 when every plan is allowed and every policy loads, else the worst code: 3 could not decide, 2 usage, 1 denied.
    """
    return guarded(lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    if not given.files:
        # Nothing was judged, and that must not look as if something had been allowed.
        raise UsageError(
            "no file names, so nothing was judged", hint="pre-commit gives them; see `plangate-hook --help`"
        )
    from plangate import wiring
    from plangate.parsers.base import Options

    choices = wiring.Choices(
        config=given.config,
        environment=given.environment,
        policies=given.policy,
        data=given.data,
        profile=given.profile,
        state_dir=given.state_dir,
        options=Options(environ=os.environ),
        exclude=given.exclude,
        chosen=not given.any,
    )
    # What is wrong for every file is said once.
    wiring.settings_for(choices)
    policies = [name for name in given.files if name.endswith(_POLICY_SUFFIX)]
    plans = [name for name in given.files if not name.endswith(_POLICY_SUFFIX)]
    codes = [_load(policies, choices)] if policies else []
    codes += [_judge(plans, choices)] if plans else []
    return max(codes)


def _judge(names: Sequence[str], choices: "Choices") -> int:
    from plangate import gate, wiring
    from plangate.cli.answer import announce_keys, exit_code, write_report

    try:
        with wiring.open_session(names, choices, lambda _: None) as session:
            announce_keys(session)
            decision = gate.check(session.gate, session.run)
        if isinstance(decision.problem, NothingToJudgeError) and not choices.chosen:
            streams.say("plangate: none of these files is a plan of any kind\n")
            return EXIT_ALLOW
        write_report("text", decision, None)
    except PlangateError as error:
        return complain(error)
    return exit_code(decision)


def _load(names: Sequence[str], choices: "Choices") -> int:
    """0 when the policies of the settings load, and the changed ones with them."""
    from msgspec.structs import replace

    from plangate import wiring

    settings = wiring.settings_for(choices)
    roots = [root.resolve() for root in (*settings.policy_roots(), *choices.policies)]
    strangers = {
        path.parent
        for path in map(Path, names)
        if not any(path.resolve().is_relative_to(root) for root in roots)
    }
    try:
        wiring.rule_specs(settings, replace(choices, policies=(*choices.policies, *sorted(strangers))))
    except PlangateError as error:
        return complain(error)
    return EXIT_ALLOW


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plangate-hook",
        description="Judge plans and load policies before they are committed. Exits with 0 only if all are in order.",
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="Plan (JSON or saved), or policy (.rego).")
    parser.add_argument(
        "--any", action="store_true", help="Leave files alone that are no plan; without it they are refused."
    )
    parser.add_argument(
        "--exclude", action="append", default=[], help="Paths that folders are searched without."
    )
    parser.add_argument("--config", type=Path, help="Settings file. [default: plangate.yaml, if there]")
    parser.add_argument("--environment", help="Where the plans are meant to be applied.")
    parser.add_argument(
        "--policy", type=Path, action="append", default=[], help="Folder of Rego policies. Repeatable."
    )
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="Data documents for policies. Repeatable."
    )
    parser.add_argument("--profile", help="standard or strict.")
    parser.add_argument("--state-dir", type=Path, help="Folder of keys and log.")
    return parser


if __name__ == "__main__":
    sys.exit(main())
