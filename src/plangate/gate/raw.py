"""The part of the road for judges of raw documents: a file as it was handed in, besides the plan in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from plangate.decision.outcome import Outcome, Status
from plangate.errors import CannotDecideError
from plangate.gate.parts import JudgedInput, PlanInput, RawJudge, RawSaid
from plangate.model.redaction import Redactor

_NOTHING = RawSaid(outcomes=(), results=())


class RawAnswer(Struct, frozen=True, kw_only=True):
    """What came of one input.

    Attributes:
        said: What its judge says of it alone.
        silent: Ids of the rules that are asked later, about all files together.
        kept: The document, for then.
    """

    said: RawSaid = _NOTHING
    silent: frozenset[str] = frozenset()
    kept: bytes | None = None


def judge_raw(judge: RawJudge | None, each: PlanInput) -> RawAnswer:
    """Judge one input that was parsed, or keep it for when all are judged together.

    Raises:
        CannotDecideError: It is no one document, cannot be read as one, or the rules could not be asked.
    """
    if judge is None:
        return RawAnswer()
    if each.raw is None:
        raise CannotDecideError(
            f"{each.name}: conftest policies judge JSON and YAML files, and this is a folder of source",
            hint="judge the plan instead, or leave the folder out with --exclude",
        )
    data = each.raw()
    if judge.combines:
        return RawAnswer(silent=frozenset(judge.specs), kept=data)
    return RawAnswer(said=judge.ask(each.name, data))


def judge_together(judge: RawJudge | None, judged: Sequence[JudgedInput]) -> RawSaid:
    """What a judge to whom all files are one says of them. A file that could not be read is an error of every rule."""
    if judge is None or not judge.combines:
        return _NOTHING
    files = [(each.read.subject.name, each.raw) for each in judged]
    read = [(name, raw) for name, raw in files if raw is not None]
    if len(read) < len(files):
        missing = next(name for name, raw in files if raw is None)
        return _failed(judge, f"{missing} is missing from what is judged together")
    try:
        return judge.ask_together(read)
    except CannotDecideError as problem:
        return _failed(judge, str(problem))


def _failed(judge: RawJudge, problem: str) -> RawSaid:
    outcomes = [
        Outcome(rule=rule, address="", status=Status.ERROR, message=problem) for rule in sorted(judge.specs)
    ]
    return RawSaid(outcomes=outcomes, results=())


def report(
    judged: Sequence[JudgedInput], together: RawSaid, redactor: Redactor
) -> tuple[Mapping[str, Any], ...]:
    """The judge's own report, without secrets: by namespace, then by file. Nothing when anything is missing from it."""
    if together.results:
        return tuple(_clean(result, redactor) for result in together.results)
    if any(each.problem is not None or not each.results for each in judged):
        return ()
    by_namespace = zip(*(each.results for each in judged), strict=True)
    return tuple(_clean(result, redactor) for results in by_namespace for result in results)


def _clean(result: Mapping[str, Any], redactor: Redactor) -> Mapping[str, Any]:
    return {
        key: value if key in {"filename", "namespace", "successes"} else _without_secrets(value, redactor)
        for key, value in result.items()
    }


def _without_secrets(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, Mapping):
        return {redactor.text(key): _without_secrets(item, redactor) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item, redactor) for item in value]
    return value
