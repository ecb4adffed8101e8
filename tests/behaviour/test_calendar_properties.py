"""Working-time arithmetic agrees with counting minutes, for any opening hours, holidays and start date."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.kernel.calendars import (
    add_working_hours,
    at_working_hours,
    is_open,
    next_close,
    next_open,
    working_hours,
)
from flowsim.plan.calendars import Calendars, CalendarSpec, CalendarStore

DAYS = 10
STEP = 0.25  # hours; every opening below is a multiple, so that one sample a quarter tells all


@st.composite
def weekly(draw: st.DrawFn) -> tuple[CalendarSpec, date, frozenset[int]]:
    """Return opening hours on a grid of quarters, a start date and some holidays."""
    openings = []
    for _ in range(draw(st.integers(1, 8))):
        begin = draw(st.integers(0, 95))
        length = draw(st.integers(1, 96))
        openings.append((draw(st.integers(0, 6)), begin * STEP, (begin + length) * STEP))
    on_holidays = draw(st.sampled_from(["closed", "as_usual", 0, 5, 6]))
    start = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 13)))
    holidays = frozenset(draw(st.lists(st.integers(-1, DAYS), max_size=4)))
    return CalendarSpec("weekly", tuple(openings), on_holidays), start, holidays


def by_quarters(spec: CalendarSpec, start: date, holidays: frozenset[int]) -> np.ndarray:
    """Return for each quarter of an hour whether the place is open, by looking at every opening."""
    quarters = np.zeros(DAYS * 96, bool)
    for day in range(-1, DAYS):
        weekday = (start + timedelta(days=day)).weekday()
        if day in holidays and spec.on_holidays == "closed":
            continue
        if day in holidays and spec.on_holidays != "as_usual":
            weekday = int(spec.on_holidays)
        for on, begin, end in spec.hours:
            if on == weekday:
                first, last = round(begin / STEP) + 96 * day, round(end / STEP) + 96 * day
                quarters[max(first, 0) : max(last, 0)] = True
    return quarters


def laid_out(spec: CalendarSpec, start: date, holidays: frozenset[int]) -> Calendars:
    """Return the kernel's arrays for exactly the days that are counted."""
    store = CalendarStore(start, DAYS, holidays, margin_days=0)
    store.add(spec)
    return store.arrays()


@given(weekly())
def test_open_and_closed_are_what_counting_says(case: tuple[CalendarSpec, date, frozenset[int]]) -> None:
    calendars, quarters = laid_out(*case), by_quarters(*case)
    always = quarters.all()
    counted = np.concatenate([[0.0], np.cumsum(quarters) * STEP])
    for i, is_it in enumerate(quarters):
        # The first instant of the quarter, its middle and its last instant are alike.
        begin = i * STEP
        for t in (begin, begin + STEP / 2, math.nextafter(begin + STEP, 0.0)):
            assert is_open(calendars, 0, t) == is_it
            assert (next_open(calendars, 0, t) == t) == is_it
            assert (next_close(calendars, 0, t) > t) == is_it
        assert working_hours(calendars, 0, begin) == pytest.approx(counted[i], abs=1e-9)
        if not is_it:
            later = np.flatnonzero(quarters[i:])
            assert next_open(calendars, 0, begin) == (begin + later[0] * STEP if later.size else math.inf)
        elif not always:
            later = np.flatnonzero(~quarters[i:])
            assert next_close(calendars, 0, begin) == (begin + later[0] * STEP if later.size else DAYS * 24.0)


@given(weekly(), st.floats(0.0, DAYS * 24.0), st.floats(0.0, 60.0))
def test_adding_working_hours_adds_working_hours(
    case: tuple[CalendarSpec, date, frozenset[int]], t: float, hours: float
) -> None:
    calendars, quarters = laid_out(*case), by_quarters(*case)
    end = add_working_hours(calendars, 0, t, hours)
    before = working_hours(calendars, 0, t)
    assert end >= t
    if math.isinf(end):
        assert before + hours > quarters.sum() * STEP - 1e-9
        return
    assert working_hours(calendars, 0, end) == pytest.approx(before + hours, abs=1e-9)
    if hours > 1e-6:
        # Earliest: a moment before, less had passed.
        assert working_hours(calendars, 0, end - 1e-7) < before + hours
        assert end == pytest.approx(at_working_hours(calendars, 0, before + hours), abs=1e-7)


@given(weekly(), st.floats(0.001, 200.0))
def test_at_working_hours_is_the_earliest_inverse(
    case: tuple[CalendarSpec, date, frozenset[int]], hours: float
) -> None:
    calendars, quarters = laid_out(*case), by_quarters(*case)
    t = at_working_hours(calendars, 0, hours)
    if quarters.all():
        assert t == hours
    elif hours > quarters.sum() * STEP:
        assert t == math.inf
    else:
        assert working_hours(calendars, 0, t) == pytest.approx(hours, abs=1e-9)
        assert working_hours(calendars, 0, t - 1e-7) < hours


@given(weekly(), st.floats(0.0, DAYS * 24.0), st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_work_done_in_two_parts_ends_when_it_would_in_one(
    case: tuple[CalendarSpec, date, frozenset[int]], t: float, first: float, second: float
) -> None:
    calendars = laid_out(*case)
    whole = add_working_hours(calendars, 0, t, first + second)
    parts = add_working_hours(calendars, 0, add_working_hours(calendars, 0, t, first), second)
    done, wanted = working_hours(calendars, 0, parts), working_hours(calendars, 0, whole)
    # Compared in working hours: a rounding at closing time may move the end to the next opening.
    assert done == pytest.approx(wanted, abs=1e-8)


@given(st.floats(0.01, 1000.0), st.floats(0.0, 500.0), st.floats(0.0, 10_000.0))
def test_a_look_comes_within_one_period_and_never_before_it_is_asked_for(
    every: float, phase: float, t: float
) -> None:
    store = CalendarStore(date(2024, 1, 1), DAYS)
    store.add(CalendarSpec("rhythm", every_hours=every, phase_hours=phase))
    calendars = store.arrays()
    look = next_open(calendars, 0, t)
    assert look >= t
    assert look >= phase
    assert look - max(t, phase) <= every * (1 + 1e-9)
    assert next_open(calendars, 0, look) == look
    number = (look - phase) / every
    assert number == pytest.approx(round(number), abs=1e-6)
