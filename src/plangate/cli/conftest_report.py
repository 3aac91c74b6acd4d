"""``--format conftest-json``: conftest's own report, and beside it what that report has no place for."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from plangate.cli import streams

if TYPE_CHECKING:
    from plangate.gate import Decision

CONFTEST_JSON: Final = "conftest-json"


def write_conftest_report(decision: "Decision", output: Path | None) -> None:
    """Conftest's report to a file or standard output, and the summary of the decision to standard error.

    When a rule could not be judged there is no such report, as with conftest: an empty one would say that all is well.

    Raises:
        UsageError: The file cannot be written.
    """
    from plangate.cli.main import complain
    from plangate.errors import UsageError
    from plangate.report import conftest_json
    from plangate.report.base import one_line
    from plangate.report.text import summary

    if decision.problem is not None:
        complain(decision.problem)
        return
    if decision.results:
        report = conftest_json.render(decision.results)
        if output is None:
            streams.tell(report)
        else:
            try:
                output.write_text(report, encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{output}: the report cannot be written: {error.strerror}") from error
    else:
        streams.say("no conftest report: not everything could be judged\n")
        for outcome in decision.document["outcomes"]:
            if outcome["outcome"] == "error":
                streams.say(f"  {one_line(outcome['rule'])}: {one_line(outcome['message'])}\n")
    streams.say(f"{summary(decision.document)}\n")
