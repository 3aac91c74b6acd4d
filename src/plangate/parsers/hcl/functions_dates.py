"""Functions of points in time, written as RFC 3339 says; none reads a clock.

Source: https://developer.hashicorp.com/terraform/language/functions/formatdate
"""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from msgspec import Struct

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import TEXT, Function
from plangate.parsers.hcl.values import Value

_STAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,100}+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION: Final = re.compile(r"([0-9]{1,30}+\.?[0-9]{0,30}+|\.[0-9]{1,30}+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_MAX_DURATION_NS: Final = 2**63 - 1
_SECOND_NS: Final = 1_000_000_000
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKEN: Final = re.compile(r"'((?:[^']|'')*+)'|([A-Za-z])\2*+|([^A-Za-z']++)")


class _Time(Struct, frozen=True, kw_only=True):
    """A point in time.

    Attributes:
        nanoseconds: Since the start of the year 1, UTC.
        offset: Minutes east of UTC in which it is shown.
    """

    nanoseconds: int
    offset: int

    def local(self) -> datetime:
        """The clock on the wall, to the second.

        Raises:
            OverflowError: Outside of the years 1 to 9999.
        """
        return _FIRST + timedelta(seconds=self.nanoseconds // _SECOND_NS, minutes=self.offset)

    def zone(self, separator: str) -> str:
        """The offset in digits."""
        hours, minutes = divmod(abs(self.offset), 60)
        return f"{'-' if self.offset < 0 else '+'}{hours:02d}{separator}{minutes:02d}"


def _time(stamp: str) -> _Time | None:
    """The point in time, or None for the year 0.

    Raises:
        ValueError: Not a timestamp.
    """
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise ValueError("not a valid RFC 3339 timestamp")
    offset = 0
    if match[9]:
        hours, minutes = int(match[10]), int(match[11])
        if hours > 23 or minutes > 59:  # noqa: PLR2004 -- of a day, of an hour
            raise ValueError("not a valid RFC 3339 timestamp")
        offset = (hours * 60 + minutes) * (-1 if match[9] == "-" else 1)
    if match[1] == "0000":
        return None
    local = datetime(*(int(match[i]) for i in range(1, 7)), tzinfo=UTC)  # type: ignore[arg-type,misc]
    since = local - _FIRST
    seconds = since.days * 86_400 + since.seconds - offset * 60
    return _Time(nanoseconds=seconds * _SECOND_NS + int((match[7] or "")[:9].ljust(9, "0")), offset=offset)


def _duration(text: str) -> int:
    """Nanoseconds."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0
    total = Fraction(0)
    at = 0
    while match := _DURATION.match(rest, at):
        total += int(Fraction(match[1].removesuffix(".")) * _UNITS[match[2]])
        at = match.end()
    if not rest or at != len(rest) or total > _MAX_DURATION_NS:
        raise ValueError("not a valid duration")
    return sign * int(total)


def _timeadd(stamp: str, duration: str) -> Value:
    start, step = _time(stamp), _duration(duration)
    if start is None:
        return UNKNOWN
    end = _Time(nanoseconds=start.nanoseconds + step, offset=start.offset)
    try:
        shown = end.local()
    except OverflowError:
        return UNKNOWN
    return (
        shown.strftime("%Y").rjust(4, "0")
        + shown.strftime("-%m-%dT%H:%M:%S")
        + (end.zone(":") if end.offset else "Z")
    )


def _timecmp(left: str, right: str) -> Value:
    first, second = _time(left), _time(right)
    if first is None or second is None:
        return UNKNOWN
    return (first.nanoseconds > second.nanoseconds) - (first.nanoseconds < second.nanoseconds)


def _formatdate(layout: str, stamp: str) -> Value:
    time = _time(stamp)
    if time is None:
        return UNKNOWN
    try:
        fields = _fields(time, time.local())
    except OverflowError:
        return UNKNOWN
    made: list[str] = []
    at = 0
    while at < len(layout):
        match = _TOKEN.match(layout, at)
        if match is None:
            raise ValueError("a quote that is not closed")
        at = match.end()
        if match[2]:
            if match[0] not in fields:
                raise ValueError("a letter in the format that means nothing there")
            made.append(fields[match[0]])
        else:
            made.append(match[3] if match[1] is None else match[1].replace("''", "'"))
    return "".join(made)


def _fields(time: _Time, local: datetime) -> dict[str, str]:
    half = local.hour % 12 or 12
    noon = "AM" if local.hour < 12 else "PM"  # noqa: PLR2004 -- noon
    month, day = _MONTHS[local.month - 1], _DAYS[local.weekday()]
    return {
        "YYYY": f"{local.year:04d}",
        "YY": f"{local.year % 100:02d}",
        "MMMM": month,
        "MMM": month[:3],
        "MM": f"{local.month:02d}",
        "M": str(local.month),
        "DD": f"{local.day:02d}",
        "D": str(local.day),
        "EEEE": day,
        "EEE": day[:3],
        "hh": f"{local.hour:02d}",
        "h": str(local.hour),
        "HH": f"{half:02d}",
        "H": str(half),
        "AA": noon,
        "aa": noon.lower(),
        "mm": f"{local.minute:02d}",
        "m": str(local.minute),
        "ss": f"{local.second:02d}",
        "s": str(local.second),
        "ZZZZZ": time.zone(":"),
        "ZZZZ": time.zone(""),
        "ZZZ": time.zone("") if time.offset else "UTC",
        "Z": time.zone(":") if time.offset else "Z",
    }


FUNCTIONS: Final = (
    Function(name="formatdate", run=_formatdate, parameters=(TEXT, TEXT)),
    Function(name="timeadd", run=_timeadd, parameters=(TEXT, TEXT)),
    Function(name="timecmp", run=_timecmp, parameters=(TEXT, TEXT)),
)
