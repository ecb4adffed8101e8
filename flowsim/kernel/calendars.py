"""Working-time arithmetic on opening hours, in the compiled kernel and in plain Python alike.

Every function takes the arrays of ``plan.calendars`` and the row of a calendar. Times are hours from
the start date, never before it. What lies past the days laid out never comes: infinity.

A *rhythm* (a list looked at every D hours) is open only at the instants of a look. It has no working
hours of its own: ``working_hours`` is 0, and work that a look begins goes on by the clock.
"""

from __future__ import annotations

import math

from flowsim.kernel.compiling import compiled, hot
from flowsim.plan.calendars import ALWAYS, RHYTHM, WEEKLY, Calendars, Floats

LAST_INSTANT = math.nextafter(24.0, 0.0)


@compiled
def _opening(calendars: Calendars, first_day: int, days: int, beyond: int, t: float) -> int:
    """Return the first opening that closes after t; the one at infinity if there is none."""
    if not t < 24.0 * days:
        return beyond
    opening = int(calendars.day_index[first_day + int(t / 24.0)])
    # Ends at the opening at infinity at the latest; a day has few openings.
    while calendars.closes[opening] <= t:
        opening += 1
    return opening


@compiled
def _next_look(period: float, phase: float, t: float) -> float:
    """Return the first of phase, phase + period, ... that is not before t."""
    if not t < math.inf:
        return math.inf
    look = max(math.floor((t - phase) / period), 0)
    # The quotient may be off by a rounding; the product is what every look is made of.
    while look > 0 and phase + (look - 1) * period >= t:
        look -= 1
    while phase + look * period < t:
        look += 1
    return phase + look * period


@hot
def is_open(calendars: Calendars, c: int, t: float) -> bool:
    """Return whether calendar c is open at t hours; a rhythm is open at the instant of a look only."""
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if kind == ALWAYS:
        return True
    if kind == WEEKLY:
        beyond = int(spec["first"]) + int(spec["count"])
        opening = _opening(calendars, int(spec["first_day"]), int(spec["days"]), beyond, t)
        # At infinity nothing is open, though the last opening begins there.
        return bool(calendars.opens[opening] <= t < math.inf)
    if kind == RHYTHM:
        return bool(_next_look(float(spec["period"]), float(spec["phase"]), t) == t < math.inf)
    return False


@compiled
def next_open(calendars: Calendars, c: int, t: float) -> float:
    """Return the first instant from t on (hours) at which calendar c is open: t itself if it is.

    For a rhythm it is the next look; what is listed exactly at a look is looked at then.
    """
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if kind == ALWAYS:
        return float(t)
    if kind == WEEKLY:
        beyond = int(spec["first"]) + int(spec["count"])
        opening = _opening(calendars, int(spec["first_day"]), int(spec["days"]), beyond, t)
        return max(float(calendars.opens[opening]), float(t))
    if kind == RHYTHM:
        return float(_next_look(float(spec["period"]), float(spec["phase"]), t))
    return math.inf


@compiled
def next_close(calendars: Calendars, c: int, t: float) -> float:
    """Return when the opening that t falls in ends (hours); t itself where calendar c is closed at t."""
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if kind == ALWAYS:
        return math.inf
    if kind != WEEKLY:
        return float(t)
    beyond = int(spec["first"]) + int(spec["count"])
    opening = _opening(calendars, int(spec["first_day"]), int(spec["days"]), beyond, t)
    return float(calendars.closes[opening]) if calendars.opens[opening] <= t else float(t)


@compiled
def working_hours(calendars: Calendars, c: int, t: float) -> float:
    """Return how many hours calendar c has been open from the start date to t."""
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if kind == ALWAYS:
        return float(t)
    if kind != WEEKLY:
        return 0.0
    beyond = int(spec["first"]) + int(spec["count"])
    opening = _opening(calendars, int(spec["first_day"]), int(spec["days"]), beyond, t)
    before = float(calendars.cumulative[opening])
    if opening < beyond and calendars.opens[opening] < t:
        before += t - float(calendars.opens[opening])
    return before


@compiled
def _reach(calendars: Calendars, low: int, beyond: int, hours: float) -> float:
    """Return when ``hours`` (above 0) working hours are reached, in opening ``low`` or later."""
    # The last opening with fewer hours before it than are wanted; steps double, as most are near.
    step = 1
    while low + step <= beyond and calendars.cumulative[low + step] < hours:
        low += step
        step *= 2
    high = min(low + step, beyond + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if calendars.cumulative[middle] < hours:
            low = middle
        else:
            high = middle
    return float(calendars.opens[low]) + (hours - float(calendars.cumulative[low]))


@compiled
def at_working_hours(calendars: Calendars, c: int, hours: float) -> float:
    """Return the earliest time (hours) by which calendar c has been open that many hours."""
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if hours <= 0.0:
        return 0.0
    if kind == ALWAYS:
        return float(hours)
    if kind != WEEKLY:
        return math.inf
    first = int(spec["first"])
    return float(_reach(calendars, first, first + int(spec["count"]), hours))


@compiled
def add_working_hours(calendars: Calendars, c: int, t: float, hours: float) -> float:
    """Return the earliest time from t on by which that many more working hours have passed.

    No hours is t itself. Under a rhythm the next look begins the work, and the clock carries it on.
    """
    if hours <= 0.0:
        return float(t)
    spec = calendars.calendar[c]
    kind = int(spec["kind"])
    if kind == ALWAYS:
        return float(t + hours)
    if kind == RHYTHM:
        return float(_next_look(float(spec["period"]), float(spec["phase"]), t)) + hours
    if kind != WEEKLY:
        return math.inf
    beyond = int(spec["first"]) + int(spec["count"])
    opening = _opening(calendars, int(spec["first_day"]), int(spec["days"]), beyond, t)
    if opening >= beyond:
        return math.inf
    begin = max(float(calendars.opens[opening]), t)
    left = float(calendars.closes[opening]) - begin
    if hours <= left:
        return float(begin + hours)
    more = float(calendars.cumulative[opening + 1]) + (hours - left)
    return float(_reach(calendars, opening + 1, beyond, more))


@compiled
def time_in_day(hour_cumulative: Floats, profile: int, weekday: int, x: float) -> float:
    """Return the hour of the day in [0, 24) by which the share 0 <= x < 1 of a day's arrivals has come.

    ``hour_cumulative`` is that of ``plan.calendars.Profiles``; within an hour arrivals are even.
    """
    low = 0
    high = 24
    while high - low > 1:
        middle = (low + high) // 2
        if hour_cumulative[profile, weekday, middle] <= x:
            low = middle
        else:
            high = middle
    before = float(hour_cumulative[profile, weekday, low])
    width = float(hour_cumulative[profile, weekday, low + 1]) - before
    hour = float(low)
    if width > 0.0:
        hour += (x - before) / width
    # A rounding must not push the last instant into the next day.
    return min(hour, LAST_INSTANT)
