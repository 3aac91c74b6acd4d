"""What a decision has to say to a caller that shows it to people: findings, reasons and counts, in a few words."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from plangate.server.front import Decided

_WARNS: Final = b'"warns"'
_HELD_UP: Final = frozenset({"denies", "blocks"})
_MAX_SUMMARY: Final = 3


class Finding(Struct, frozen=True, kw_only=True):
    """An outcome that did something to the decision; fields as in the decision document."""

    rule: str
    address: str
    outcome: str
    effect: str = ""
    message: str = ""
    severity: str = ""
    title: str = ""
    remediation: str = ""

    @property
    def sentence(self) -> str:
        """Rule, address and message in one line."""
        return one_line(f"{self.rule}: {self.address}: {self.message or self.title or self.outcome}")


class Told(Struct, frozen=True, kw_only=True):
    """What of a decision document people are told.

    Attributes:
        outcomes: All outcomes.
        reasons: Why there is no allow, beside the outcomes.
        counts: Outcomes by their status.
    """

    outcomes: Sequence[Finding] = ()
    reasons: Sequence[str] = ()
    counts: dict[str, int] = {}

    @property
    def holding(self) -> list[Finding]:
        """Findings that hold the change up, or would in mode ``enforce``."""
        return [finding for finding in self.outcomes if finding.effect in _HELD_UP]

    @property
    def warning(self) -> list[Finding]:
        """Findings that only warn."""
        return [finding for finding in self.outcomes if finding.effect == "warns"]

    def summary(self) -> str:
        """Why there is no allow, in a line: the first findings, and how many more there are."""
        said = [one_line(reason) for reason in self.reasons]
        said += [finding.sentence for finding in self.holding]
        more = f" (and {len(said) - _MAX_SUMMARY} more)" if len(said) > _MAX_SUMMARY else ""
        return "; ".join(said[:_MAX_SUMMARY]) + more

    def counted(self) -> str:
        """The counts in a line."""
        words = (("pass", "passed"), ("fail", "failed"), ("unknown", "unknown"), ("error", "errored"))
        return ", ".join(f"{self.counts.get(key, 0)} {word}" for key, word in words)


_DECODER: Final = msgspec.json.Decoder(Told)
_NOTHING: Final = Told()


def told(decided: Decided) -> Told:
    """What a decision says to people."""
    return _DECODER.decode(decided.document)


def told_if_any(decided: Decided) -> Told:
    """As `told`; nothing, and faster, for an allow that has nothing to warn of."""
    # Quotes within a text are escaped: where a finding warns, these bytes are there.
    if decided.result == "allow" and _WARNS not in decided.document:
        return _NOTHING
    return told(decided)


def one_line(text: str) -> str:
    """A text without line breaks and other control characters."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def cut(text: str, limit: int) -> str:
    """A text of at most so many characters; a mark shows where it was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def is_about(decided: Decided, *formats: str) -> bool:
    """Whether the input was read as one of these formats, and not as something that looks like it."""
    # As above: a text that holds this has its quotes escaped.
    return any(b'"plan":{"format":"%s",' % name.encode() in decided.document for name in formats)
