"""Durations, shares, money and the calendar: what a file says in words, as numbers, and back again.

Files say ``4 h``, ``2 working days``, ``20 %`` and ``80 MNOK``; the model counts hours as float from the
start date, on the standard clock without summer time (every day has 24 h), shares between 0 and 1, and NOK.
The ``parse_`` functions raise ``ValueError`` with the predicate of a sentence ("must be …"), so that
whoever knows the name of the setting can put it in front.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import total_ordering
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsim.errors import did_you_mean

Language = Literal["nb", "en"]

HOURS_PER_DAY: Final = 24.0
HOURS_PER_WEEK: Final = 168.0
DAYS_PER_YEAR: Final = 365.0
HOURS_PER_YEAR: Final = HOURS_PER_DAY * DAYS_PER_YEAR
SECONDS_PER_HOUR: Final = 3600.0
MINUTES_PER_HOUR: Final = 60.0

#: Between the thousands of a number: thin, and no line breaks there.
THIN_SPACE: Final = "\u202f"
MINUS: Final = "\u2212"

# Hours are a fraction whose parts are whole numbers, so that "90 s" is exactly 0.025 h.
_HOURS_OF_UNIT: Final[dict[str, tuple[int, int]]] = {
    "s": (1, 3600),
    "second": (1, 3600),
    "seconds": (1, 3600),
    "min": (1, 60),
    "minute": (1, 60),
    "minutes": (1, 60),
    "h": (1, 1),
    "hour": (1, 1),
    "hours": (1, 1),
    "day": (24, 1),
    "days": (24, 1),
    "week": (168, 1),
    "weeks": (168, 1),
    "year": (8760, 1),
    "years": (8760, 1),
}
_WORKING_DAY_UNITS: Final = ("working day", "working days")
_LEGAL_UNITS: Final = ("s", "min", "h", "day", "days", "week", "weeks", "year", *_WORKING_DAY_UNITS)
_QUANTITY = re.compile(
    r"([+\-\u2212]?)\s*(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d{1,3})?\s*([^\d\s].*)?", re.IGNORECASE
)
_EXAMPLE: Final = 'for example "4 h", "3 days" or "2 working days"'
_NOK_OF_UNIT: Final[dict[str, int]] = {
    "NOK": 1,
    "MNOK": 10**6,
    "million NOK": 10**6,
    "billion NOK": 10**9,
}
_MONEY_EXAMPLE: Final = 'for example "650 NOK", "80 MNOK" or "6.7 billion NOK"'


@total_ordering
@dataclass(frozen=True)
class Duration:
    """A length of time: hours on the clock, or working days on a calendar; never both.

    Two durations compare only where both are on the clock or both in working days, because which of
    "30 h" and "2 working days" is longer depends on the day; anything else raises ``ValueError``.

    >>> str(parse_duration("48 hours")), parse_duration("2 working days").working_days
    ('2 days', 2.0)
    """

    hours: float = 0.0
    working_days: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no length of time."""
        if not all(math.isfinite(part) and part >= 0 for part in (self.hours, self.working_days)):
            raise ValueError("must be finite and not negative")
        if self.hours and self.working_days:
            raise ValueError("must be either hours or working days, not both")

    def __lt__(self, other: Duration) -> bool:
        """Return whether this one is shorter; ``ValueError`` where that depends on the calendar."""
        if (self.hours and other.working_days) or (self.working_days and other.hours):
            raise ValueError(f"must be in the same kind of days to compare ({self} and {other})")
        return (self.hours, self.working_days) < (other.hours, other.working_days)

    def __bool__(self) -> bool:
        """Return whether it takes any time at all."""
        return bool(self.hours or self.working_days)

    def __str__(self) -> str:
        """Return the text that ``parse_duration`` reads back to the same duration."""
        if self.working_days:
            return _counted(self.working_days, "working day")
        for hours, unit in ((HOURS_PER_WEEK, "week"), (HOURS_PER_DAY, "day")):
            count = self.hours / hours
            if count >= 1 and count == int(count) and count * hours == self.hours:
                return _counted(count, unit)
        minutes = self.hours * MINUTES_PER_HOUR
        if 1 <= minutes < MINUTES_PER_HOUR and minutes == int(minutes) and minutes / 60 == self.hours:
            return f"{int(minutes)} min"
        return f"{_plain(self.hours)} h"


def parse_duration(value: object) -> Duration:
    """Return the duration that a text such as "4 h", "26 weeks" or "2 working days" stands for.

    Units: s, min, h, days, weeks, years (of 365 days), working days. Raises ``ValueError`` with a
    sentence and an example for a bare number, an unknown unit, a negative number and months.
    """
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError(f'must be a duration such as "4 h" (got {shown(value)})')
    number, unit = _quantity(value, _EXAMPLE, "a duration")
    if not unit:
        raise ValueError(f'must have a unit (got "{value}"); {_EXAMPLE}')
    unit = " ".join(unit.split())
    if unit in _WORKING_DAY_UNITS:
        return Duration(working_days=_finite(number, value))
    if unit in ("month", "months"):
        raise ValueError(f'must not be in months, whose length varies (got "{value}"); for example "30 days"')
    if unit not in _HOURS_OF_UNIT:
        known = did_you_mean(unit, _LEGAL_UNITS)
        raise ValueError(f'must have a known unit (got "{value}"). {known}')
    times, over = _HOURS_OF_UNIT[unit]
    return Duration(hours=_finite(number * times / over, value))


def parse_share(value: object) -> float:
    """Return a share between 0 and 1, from "20 %", "0.15 %" or 0.2.

    Raises ``ValueError`` with a sentence and an example for anything else, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f'must be a share such as "20 %" or 0.2 (got {shown(value)})')
    if not isinstance(value, str):
        if not 0 <= value <= 1:  # false for nan too
            hint = f'; did you mean "{value} %"?' if 1 < value <= 100 else ""
            raise ValueError(f"must lie between 0 and 1, or 0 % and 100 % (got {shown(value)}){hint}")
        return float(value)
    number, unit = _quantity(value, 'for example "20 %" or 0.2', "a share")
    if unit not in ("", "%"):
        raise ValueError(f'must be a share such as "20 %" or 0.2 (got "{value}")')
    share = float(number / 100 if unit == "%" else number)
    if not share <= 1:
        raise ValueError(f'must lie between 0 and 1, or 0 % and 100 % (got "{value}"); for example "20 %"')
    return share


def parse_money(value: object) -> float:
    """Return the NOK that a text such as "650 NOK", "80 MNOK" or "6.7 billion NOK" stands for.

    Raises ``ValueError`` with a sentence and an example for a bare number, an unknown unit and a negative
    number.
    """
    if not isinstance(value, str):
        raise ValueError(f"must be an amount of money with its unit (got {shown(value)}); {_MONEY_EXAMPLE}")
    number, unit = _quantity(value, _MONEY_EXAMPLE, "an amount of money")
    unit = " ".join(unit.split())
    if unit not in _NOK_OF_UNIT:
        known = did_you_mean(unit, _NOK_OF_UNIT)
        raise ValueError(f'must have a known unit of money (got "{value}"). {known}')
    return _finite(number * _NOK_OF_UNIT[unit], value, _MONEY_EXAMPLE)


def money_text(nok: float) -> str:
    """Return an amount as text that ``parse_money`` reads back to the same number.

    >>> money_text(80e6), money_text(5745.0)
    ('80 MNOK', '5745 NOK')
    """
    millions = f"{nok / 1e6:.12g} MNOK"
    return millions if nok >= 1e6 and parse_money(millions) == nok else f"{_plain(nok)} NOK"


def shown(value: object) -> str:
    """Return what was written in a file, as it would be written there, cut where it is long.

    >>> shown("-3 days"), shown(True), shown(None), shown([1])
    ('"-3 days"', 'true', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    if len(text) > 60:  # a line of the console has room for no more
        text = text[:60] + "…"
    return f'"{text}"' if isinstance(value, str) else text


def _quantity(text: str, example: str, what: str) -> tuple[Decimal, str]:
    """Split "4 h" into a number and a unit, or raise ``ValueError`` with a sentence."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        if re.match(r"[+\-\u2212]?\s*\d+,\d", text.strip()):
            raise ValueError(f'must have a decimal point, not a comma (got "{text}"); {example}')
        raise ValueError(f'must be {what} with a number and a unit (got "{text}"); {example}')
    sign, digits, power, unit = match.groups()
    unit = (unit or "").strip()
    if unit.startswith(","):
        raise ValueError(f'must have a decimal point, not a comma (got "{text}"); {example}')
    # Decimal keeps "0.15 %" the very number that 0.0015 is.
    number = Decimal(digits + (power or ""))
    if sign in ("-", MINUS) and number:
        raise ValueError(f'must not be negative (got "{text}"); {example}')
    return number, unit


def _finite(number: Decimal, text: str, example: str = _EXAMPLE) -> float:
    """Return a number as float, or raise ``ValueError`` where it is too large to be one."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f'must not be so large (got "{text}"); {example}')
    return value


def _plain(value: float) -> str:
    """Return the shortest digits that read back to the same float, whole numbers without a point."""
    return str(int(value)) if value == int(value) and value < 1e15 else repr(value)


def _counted(count: float, unit: str) -> str:
    return f"{_plain(count)} {unit}" + ("" if count == 1 else "s")


def format_number(value: float, language: Language = "en", decimals: int = 0) -> str:
    """Return a number as people read it: a thin space between thousands, decimal comma in Norwegian.

    A missing number (nan) is "–".

    >>> format_number(43210.5, "nb", 1).replace(THIN_SPACE, " ")
    '43 210,5'
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    digits = f"{abs(value):,.{decimals}f}".replace(",", THIN_SPACE)
    if language == "nb":
        digits = digits.replace(".", ",")
    # What rounds to nothing has no sign.
    return MINUS + digits if value < 0 and digits.strip("0.,") else digits


def format_share(share: float, language: Language = "en", decimals: int = 1) -> str:
    """Return a share (0 to 1) as per cent.

    >>> format_share(0.1234, "nb"), format_share(0.5, decimals=0)
    ('12,3 %', '50 %')
    """
    return format_number(share * 100, language, decimals) + ("" if math.isnan(share) else " %")


def format_duration(hours: float, language: Language = "en") -> str:
    """Return hours in the unit that reads best: s, min, h, or days of 24 hours ("døgn").

    Negative numbers are differences.

    >>> format_duration(0.5), format_duration(100.8, "nb")
    ('30 min', '4,2 døgn')
    """
    if math.isnan(hours):
        return "–"
    size = abs(hours)
    if size < 1 / MINUTES_PER_HOUR:
        return format_number(hours * SECONDS_PER_HOUR, language) + " s"
    if size < 1:
        return format_number(hours * MINUTES_PER_HOUR, language) + " min"
    if size < 2 * HOURS_PER_DAY:
        return format_number(hours, language, 1) + (" t" if language == "nb" else " h")
    return format_number(hours / HOURS_PER_DAY, language, 1) + (" døgn" if language == "nb" else " days")


@dataclass(frozen=True)
class Clock:
    """Hours since midnight of the start date ↔ dates, on standard time all year (no summer time).

    >>> Clock(date(2024, 1, 1)).to_datetime(36.5)
    datetime.datetime(2024, 1, 2, 12, 30)
    """

    start: date

    def to_datetime(self, hours: float) -> datetime:
        """Return the date and time at an hour, to the microsecond."""
        return datetime(self.start.year, self.start.month, self.start.day) + timedelta(hours=hours)

    def to_hours(self, when: date) -> float:
        """Return the hour of a date (its midnight) or of a date with time (without zone)."""
        if not isinstance(when, datetime):
            return (when - self.start).days * HOURS_PER_DAY
        return (when - self.to_datetime(0)).total_seconds() / SECONDS_PER_HOUR

    def to_datetimes(self, hours: ArrayLike) -> NDArray[np.datetime64]:
        """Return datetime64[us] for an array of hours; nan becomes NaT."""
        values = np.asarray(hours, dtype=np.float64)
        known = np.isfinite(values)
        microseconds = np.rint(np.where(known, values, 0.0) * SECONDS_PER_HOUR * 1e6)
        result = np.datetime64(self.start, "us") + microseconds.astype("timedelta64[us]")
        return np.where(known, result, np.datetime64("NaT", "us"))

    def weekday(self, hours: float) -> int:
        """Return the day of the week at an hour; Monday is 0."""
        return (self.start.weekday() + math.floor(hours / HOURS_PER_DAY)) % 7


class WorkingDays:
    """Monday to Friday without the given holidays, and the instant n working days after an instant.

    The clock time is kept: Friday 15:00 and one working day is Monday 15:00. An instant on a day that is
    not worked counts from the start of the next working day: Saturday 14:00 and one working day is
    Tuesday 00:00. Half a working day is 12 hours of the same 24-hour working day.

    >>> easter = WorkingDays(date(2024, 3, 25), 14, [date(2024, 3, 28), date(2024, 3, 29), date(2024, 4, 1)])
    >>> float(easter.add(2 * 24 + 15, 1))  # Wednesday 15:00 before Easter → Tuesday after, 15:00
    207.0
    """

    def __init__(self, start: date, days: int, holidays: Iterable[date] = ()) -> None:
        """Take the start date, the number of days that ``working`` shall cover, and the holidays."""
        self.start = np.datetime64(start, "D")
        self.calendar = np.busdaycalendar(
            weekmask="1111100", holidays=[np.datetime64(day, "D") for day in holidays]
        )
        dates = self.start + np.arange(days)
        #: For each day from the start: whether it is worked. Shape (days,), read-only.
        self.working: NDArray[np.bool_] = np.is_busday(dates, busdaycal=self.calendar)
        self.working.flags.writeable = False

    def add(self, hours: ArrayLike, working_days: ArrayLike) -> NDArray[np.float64]:
        """Return the hours that lie so many working days after the given hours.

        Both are numbers or arrays that broadcast; working days are not negative and may have fractions.
        Hours that are nan or infinite stay as they are. Days after the last known holiday are worked
        from Monday to Friday.
        """
        given, counts = np.broadcast_arrays(
            np.asarray(hours, dtype=np.float64), np.asarray(working_days, dtype=np.float64)
        )
        if not (counts >= 0).all():
            raise ValueError("must not be a negative number of working days; for example 2")
        known = np.isfinite(given)
        instants = np.where(known, given, 0.0)
        day = np.floor(instants / HOURS_PER_DAY)
        clock = instants - day * HOURS_PER_DAY
        first = self.start + day.astype(np.int64)
        clock = np.where(np.is_busday(first, busdaycal=self.calendar), clock, 0.0)
        whole = np.floor(counts)
        clock = clock + (counts - whole) * HOURS_PER_DAY
        carry = clock >= HOURS_PER_DAY
        clock = np.where(carry, clock - HOURS_PER_DAY, clock)
        steps = (whole + carry).astype(np.int64)
        last = np.busday_offset(first, steps, roll="forward", busdaycal=self.calendar)
        result = (last - self.start).astype(np.int64) * HOURS_PER_DAY + clock
        return np.where(known, result, given)
