"""Opening hours, public holidays and arrival profiles as flat arrays for the kernel.

Times are hours from midnight at the start date, on the standard clock (every day has 24 h). Weekdays
are numbered as in Python: Monday is 0. An opening is half-open: open at its first instant, closed at
its last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALWAYS: Final = 0
WEEKLY: Final = 1
RHYTHM: Final = 2
NEVER: Final = 3

SUNDAY: Final = 6
DAYS_PER_YEAR: Final = 365
#: How many days past the horizon opening hours are laid out, so that a look-up seldom runs out.
MARGIN_DAYS: Final = 400

#: One row a calendar. Openings are ``opens[first : first + count]``, then one at infinity that ends
#: every search; days are ``day_index[first_day : first_day + days]``; ``period`` and ``phase`` (hours)
#: belong to a rhythm.
CALENDAR_DTYPE: Final = np.dtype(
    [
        ("kind", np.int64),
        ("first", np.int64),
        ("count", np.int64),
        ("first_day", np.int64),
        ("days", np.int64),
        ("period", np.float64),
        ("phase", np.float64),
    ]
)


class Calendars(NamedTuple):
    """All calendars of a plan, as the kernel reads them.

    ``calendar`` (CALENDAR_DTYPE), ``opens`` and ``closes`` (hours), ``cumulative`` (working hours
    before each opening), ``day_index`` (the first opening that closes after each midnight).
    """

    calendar: NDArray[Any]
    opens: Floats
    closes: Floats
    cumulative: Floats
    day_index: Integers


class Profiles(NamedTuple):
    """All arrival profiles of a plan, as the kernel reads them.

    ``day_share[profile, day]`` (1 on average over the year from the start date),
    ``hour_cumulative[profile, weekday, hour]`` (0 to 1 within the day, 25 columns), ``weekday[day]``
    (a holiday counts as Sunday).
    """

    day_share: Floats
    hour_cumulative: Floats
    weekday: Integers


@dataclass(frozen=True)
class CalendarSpec:
    """When a service works: always, in weekly hours, by a look at every so many hours, or never.

    ``hours`` holds (weekday, open hour, close hour), several a day allowed; a close hour above 24
    runs into the next day. ``on_holidays`` is "closed", "as_usual", or the weekday (0 to 6) whose hours
    apply. A rhythm looks at ``phase_hours``, then every ``every_hours``.
    """

    kind: str = "always"
    hours: tuple[tuple[int, float, float], ...] = ()
    on_holidays: str | int = "closed"
    every_hours: float = 0.0
    phase_hours: float = 0.0


@dataclass(frozen=True)
class ProfileSpec:
    """How arrivals spread over the week: 168 weights from Monday 00:00; holidays behave as Sunday."""

    weights: tuple[float, ...]


ALWAYS_OPEN: Final = CalendarSpec()
OFFICE_HOURS: Final = CalendarSpec("weekly", tuple((day, 8.0, 16.0) for day in range(5)))
#: Arrivals alike at every hour of every day.
EVEN_PROFILE: Final = ProfileSpec((1.0,) * 168)


class CalendarStore:
    """Collects the calendars of a plan, each once, and lays them out from the start date.

    ``holidays`` are day indices (0 is the start date, negative ones are before it).
    """

    def __init__(
        self,
        start: date,
        horizon_days: int,
        holidays: Iterable[int] = (),
        margin_days: int = MARGIN_DAYS,
    ) -> None:
        """Take the start date, the days simulated, holidays and the days laid out beyond."""
        self._start = start
        self._days = horizon_days + margin_days
        self._holidays = frozenset(holidays)
        self._rows: dict[CalendarSpec, int] = {}

    def add(self, spec: CalendarSpec) -> int:
        """Return the row of a calendar, adding it if it is new; raises ValueError if it is malformed."""
        if spec not in self._rows:
            _check_calendar(spec)
            self._rows[spec] = len(self._rows)
        return self._rows[spec]

    def __len__(self) -> int:
        """Return how many calendars there are."""
        return len(self._rows)

    def arrays(self) -> Calendars:
        """Return all calendars so far as the arrays that ``kernel.calendars`` reads."""
        calendar = np.zeros(len(self._rows), CALENDAR_DTYPE)
        opens, closes, cumulative, day_index = (np.zeros(0),) * 3 + (np.zeros(0, np.int64),)
        for row, spec in enumerate(self._rows):
            kind, begin, end = _openings(spec, self._start, self._days, self._holidays)
            calendar[row] = (kind, len(opens), len(begin), 0, 0, spec.every_hours, spec.phase_hours)
            if kind != WEEKLY:
                continue
            midnights = 24.0 * np.arange(self._days)
            calendar[row]["first_day"], calendar[row]["days"] = len(day_index), self._days
            first_after = np.searchsorted(end, midnights, side="right") + len(opens)
            day_index = np.concatenate([day_index, first_after.astype(np.int64)])
            opens = np.concatenate([opens, begin, [math.inf]])
            closes = np.concatenate([closes, end, [math.inf]])
            cumulative = np.concatenate([cumulative, [0.0], np.cumsum(end - begin)])
        return Calendars(calendar, opens, closes, cumulative, day_index)


class ProfileStore:
    """Collects the arrival profiles of a plan, each once, and lays them out from the start date.

    ``holidays`` are day indices and must reach over the year from the start date.
    """

    def __init__(self, start: date, horizon_days: int, holidays: Iterable[int] = ()) -> None:
        """Take the start date, the days simulated (a year at the least is laid out) and holidays."""
        days = max(horizon_days, DAYS_PER_YEAR) + 1
        self._weekday = (start.weekday() + np.arange(days, dtype=np.int64)) % 7
        for day in holidays:
            if 0 <= day < days:
                self._weekday[day] = SUNDAY
        self._rows: dict[ProfileSpec, int] = {}

    def add(self, spec: ProfileSpec) -> int:
        """Return the row of a profile, adding it if it is new; raises ValueError if it is not well formed."""
        if spec not in self._rows:
            if len(spec.weights) != 168:
                raise ValueError(f"a weekly profile has 168 hours; this one has {len(spec.weights)}")
            if not all(math.isfinite(weight) and weight >= 0.0 for weight in spec.weights):
                raise ValueError("every weight of a weekly profile must be a number from 0 upwards")
            if sum(spec.weights) <= 0.0:
                raise ValueError("the weights of a weekly profile add up to 0")
            self._rows[spec] = len(self._rows)
        return self._rows[spec]

    def __len__(self) -> int:
        """Return how many profiles there are."""
        return len(self._rows)

    def arrays(self) -> Profiles:
        """Return all profiles so far as the arrays that ``kernel.calendars.time_in_day`` reads."""
        day_share = np.zeros((len(self._rows), len(self._weekday)))
        hour_cumulative = np.zeros((len(self._rows), 7, 25))
        for row, spec in enumerate(self._rows):
            weights = np.asarray(spec.weights, np.float64).reshape(7, 24)
            by_weekday = weights.sum(axis=1)
            shares = by_weekday[self._weekday]
            day_share[row] = shares / shares[:DAYS_PER_YEAR].mean()
            # A weekday without arrivals gets even hours: never used, but never undefined either.
            weights[by_weekday == 0.0] = 1.0
            hour_cumulative[row, :, 1:] = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
            hour_cumulative[row, :, 24] = 1.0
        return Profiles(day_share, hour_cumulative, self._weekday)


def norwegian_holidays(start: date, days: int) -> list[date]:
    """Return the Norwegian public holidays of ``days`` days from a date, in order.

    Source: package ``holidays``, country NO. Sundays that are no public holiday are not among them.
    """
    import holidays  # noqa: PLC0415  (slow to load, and only building a plan needs it)

    end = start + timedelta(days=days)
    known = holidays.country_holidays("NO", years=range(start.year, end.year + 1))
    return sorted(day for day in known if start <= day < end)


def day_indices(start: date, dates: Iterable[date]) -> frozenset[int]:
    """Return dates as days from the start date (0 is the start date)."""
    return frozenset((day - start).days for day in dates)


def _check_calendar(spec: CalendarSpec) -> None:
    """Refuse opening hours that are not well formed, saying why."""
    if spec.kind not in ("always", "weekly", "rhythm", "never"):
        raise ValueError(f"unknown calendar {spec.kind!r}; known are always, weekly, rhythm, never")
    if spec.kind == "rhythm":
        if not (math.isfinite(spec.every_hours) and spec.every_hours > 0.0):
            raise ValueError(f"a rhythm needs every_hours above 0, not {spec.every_hours:g}")
        if not (math.isfinite(spec.phase_hours) and spec.phase_hours >= 0.0):
            raise ValueError(f"phase_hours must be 0 or more, not {spec.phase_hours:g}")
    for weekday, opening, closing in spec.hours:
        if weekday not in range(7):
            raise ValueError(f"{weekday} is no weekday; Monday is 0 and Sunday 6")
        if not (0.0 <= opening < 24.0 and opening < closing <= opening + 24.0):
            raise ValueError(f"opening hours {opening:g} to {closing:g} do not fit in 24 hours")
    if spec.kind == "weekly" and not spec.hours:
        raise ValueError("a weekly calendar needs opening hours")
    if spec.on_holidays not in ("closed", "as_usual", *range(7)):
        raise ValueError(f"on_holidays is closed, as_usual or a weekday (0 to 6), not {spec.on_holidays!r}")


def _openings(
    spec: CalendarSpec, start: date, days: int, holidays: frozenset[int]
) -> tuple[int, Floats, Floats]:
    """Return a calendar's kind and its openings in order, none touching another."""
    none = np.zeros(0)
    if spec.kind != "weekly":
        return {"always": ALWAYS, "rhythm": RHYTHM, "never": NEVER}[spec.kind], none, none
    pieces: list[tuple[float, float]] = []
    # The day before the start may run into it.
    for day in range(-1, days):
        weekday = (start.weekday() + day) % 7
        if day in holidays and spec.on_holidays != "as_usual":
            if spec.on_holidays == "closed":
                continue
            weekday = int(spec.on_holidays)
        pieces += [(24.0 * day + a, 24.0 * day + b) for on, a, b in spec.hours if on == weekday]
    merged: list[list[float]] = []
    for earliest, latest in sorted(pieces):
        begin, end = max(earliest, 0.0), min(latest, 24.0 * days)
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    if merged == [[0.0, 24.0 * days]]:
        return ALWAYS, none, none
    bounds = np.array(merged, np.float64).reshape(-1, 2)
    return WEEKLY, bounds[:, 0].copy(), bounds[:, 1].copy()
