"""The embedded engine in this very process: only for a process that judges, and that others end at its deadline.

A process that is itself a worker gains nothing from a second one below it, and pays with two changes of process for
each question. Whoever uses this must be killable at any time, must not hold anything that a crash would spoil, and has
nobody in it who waits for anything else. `plangate.policy.embedded` is for all others.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import AnswerError, Reply, query_values, rule_answers
from plangate.policy.base import Doubt, PolicySet, Present, RuleAnswer
from plangate.policy.embedded import REGORUS_VERSION, EngineLimits, setup_of
from plangate.policy.letters import has_odd_letters
from plangate.policy.numbers import is_exact_input

_HEADER: Final = worker.HEADER_BYTES


class InlineEngine:
    """Judges with regorus, here. Nothing bounds an evaluation but the end of the process.

    Args:
        policies: What to load, at once.
        limits: ``memory_bytes`` counts for the whole process from now on.

    Raises:
        EngineError: They cannot be loaded.
    """

    decision_ids: tuple[str, ...] = ()
    version = f"regorus {REGORUS_VERSION}"

    def __init__(self, policies: PolicySet, limits: EngineLimits) -> None:
        self._limits = limits
        self._policies = policies
        from plangate.policy.narrowing import needs_of  # noqa: PLC0415 - no other engine needs it

        self._needs = needs_of(policies) if policies.rules else {}
        worker.limit_memory(limits.memory_bytes)
        self._worker: worker.Worker | None = self._loaded()
        self._silent = {
            number: Reply(value=[[], []] if rule.id in policies.handles_unknowns else [[]])
            for number, rule in enumerate(policies.rules)
            if rule.id in self._needs
        }

    def _loaded(self) -> worker.Worker:
        try:
            return worker.Worker(setup_of(self._policies, self._limits))
        except BaseException as problem:
            if isinstance(problem, KeyboardInterrupt | SystemExit):
                raise
            raise EngineError(f"loading the policies failed: {worker.clean(problem)}") from problem

    def begin(
        self, policies: PolicySet, document: bytes, deadline_s: float, present: Present | None = None
    ) -> Callable[[], Sequence[RuleAnswer]]:
        """The same as `evaluate`, later."""
        return lambda: self.evaluate(policies, document, deadline_s, present)

    def evaluate(
        self, policies: PolicySet, document: bytes, deadline_s: float, present: Present | None = None
    ) -> Sequence[RuleAnswer]:
        """See `plangate.policy.base.Engine`. The deadline is kept by whoever ends this process.

        Rules that can say nothing of a document with just this ``present`` are not evaluated; the answers are the same.
        """
        del deadline_s
        if not policies.rules:
            return ()
        if policies.sha256 != self._policies.sha256:
            raise EngineError("the policy engine holds other policies than those that it is asked about")
        exact = is_exact_input(document, "the plan")
        out = io.BytesIO()
        loaded, self._worker = self._worker or self._loaded(), None
        asked = range(len(policies.rules)) if exact or present is None else self._asked(present)
        try:
            judging = loaded.for_letters(odd=has_odd_letters(document))
            chosen = judging.chosen(tuple(asked)) if len(asked) < len(policies.rules) else ""
            if not chosen:
                asked = range(len(policies.rules))
            rule = chosen or judging.together
            together = judging.at_once(document, rule) if rule and not exact else ""
            if not together:
                judging.evaluate(out, document, exact=exact, chosen=chosen)
        except BaseException as problem:  # the engine's panics are no Exception
            if isinstance(problem, KeyboardInterrupt | SystemExit):
                raise
            raise EngineError(f"evaluating the policies failed: {worker.clean(problem)}") from problem
        # An engine that failed half-way is not asked again: only one that came to its end is kept.
        self._worker = loaded
        replies = self._of_all(together, asked) if together else self._replies(out.getvalue(), asked)
        return rule_answers(policies.rules, policies.handles_unknowns, replies)

    def _asked(self, present: Present) -> Sequence[int]:
        """Numbers of the rules that may have something to say."""
        needs = self._needs
        return [
            number
            for number, rule in enumerate(self._policies.rules)
            if (needed := needs.get(rule.id)) is None or needed.shares(present)
        ]

    def _of_all(self, answers: str, asked: Sequence[int]) -> Sequence[Reply]:
        """One reply for each rule, of which those that were asked answered at once."""
        count = len(self._policies.rules)
        if len(answers) > self._limits.max_answer_bytes:
            raise self._too_long()
        try:
            values = msgspec.json.decode(answers)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise EngineError("the policy engine gave garbage instead of an answer") from problem
        if not isinstance(values, list) or len(values) != len(asked):
            raise EngineError(f"the policy engine gave garbage instead of an answer: not {len(asked)} values")
        if len(asked) == count:
            return [Reply(value=value) for value in values]
        replies = self._silent | {n: Reply(value=value) for n, value in zip(asked, values, strict=True)}
        if len(replies) != count:
            raise EngineError("the policy engine did not answer for all rules")
        return [replies[number] for number in range(count)]

    def _too_long(self) -> EngineError:
        most = self._limits.max_answer_bytes
        return EngineError(f"the policies gave more than {most} bytes (max_answer_bytes)")

    def _replies(self, said: bytes, asked: Sequence[int]) -> Sequence[Reply]:
        """One reply for each rule, or none at all. All at once are the replies of those that were asked."""
        names = [rule.id for rule in self._policies.rules]
        if len(said) > self._limits.max_answer_bytes:
            raise self._too_long()
        replies: dict[int, Reply] = {}
        is_done = False
        try:
            while said:
                kind, end = said[:4], _HEADER + int.from_bytes(said[4:_HEADER], "big")
                body, said = said[_HEADER:end], said[end:]
                if kind == b"ALLA":
                    replies = dict(self._silent) if len(asked) < len(names) else {}
                    values = query_values(body, len(asked))
                    replies |= {n: Reply(value=value) for n, value in zip(asked, values, strict=True)}
                elif kind in {b"ANSW", b"FAIL"}:
                    number, _, text = body.partition(b"\n")
                    replies[int(number)] = _reply(kind, text)
                is_done = kind == b"DONE"
        except (AnswerError, ValueError) as problem:
            raise EngineError(f"the policy engine gave garbage instead of an answer: {problem}") from problem
        missing = [name for number, name in enumerate(names) if number not in replies]
        if missing or not is_done or len(replies) != len(names):
            raise EngineError(f"the policy engine did not answer for {', '.join(missing) or 'all rules'}")
        return [replies[number] for number in range(len(names))]

    def settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline_s: float
    ) -> Mapping[Doubt, tuple[tuple[str, ...], ...]]:
        """Nothing: it has no partial evaluation."""
        del policies, doubts, document, deadline_s
        return {}

    def close(self) -> None:
        """Let go of the engine."""
        self._worker = None


def _reply(kind: bytes, text: bytes) -> Reply:
    if kind == b"FAIL":
        return Reply(error=text.decode(errors="replace") or "it failed without a word")
    if json.loads(text) == {}:
        return Reply(error="it is undefined")
    return Reply(value=query_values(text, 1)[0])
