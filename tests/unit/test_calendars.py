"""Opening hours, holidays, looks at a list and arrival profiles, by examples that a reader can check."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from flowsim.kernel.calendars import (
    add_working_hours,
    at_working_hours,
    is_open,
    next_close,
    next_open,
    time_in_day,
    working_hours,
)
from flowsim.plan.calendars import (
    ALWAYS,
    ALWAYS_OPEN,
    EVEN_PROFILE,
    OFFICE_HOURS,
    Calendars,
    CalendarSpec,
    CalendarStore,
    ProfileSpec,
    ProfileStore,
    day_indices,
    norwegian_holidays,
)

MONDAY = date(2024, 1, 8)


def one(spec: CalendarSpec, start: date = MONDAY, days: int = 28, **more: object) -> Calendars:
    store = CalendarStore(start, days, **more)  # type: ignore[arg-type]
    assert store.add(spec) == 0
    return store.arrays()


def test_office_hours_give_the_wait_of_theory() -> None:
    # P(no wait) is the share of time open; E[wait] is the sum of gap squared over twice the cycle.
    office = one(OFFICE_HOURS)
    minutes = (np.arange(7 * 24 * 60) + 0.5) / 60.0
    waits = np.array([next_open(office, 0, t) - t for t in minutes])
    assert (waits == 0.0).mean() == pytest.approx(40 / 168)
    assert round(float((waits == 0.0).mean()), 4) == 0.2381
    assert waits.mean() == pytest.approx((4 * 16**2 + 64**2) / (2 * 168), abs=1e-3)
    assert round(float(waits.mean()), 3) == 15.238


def test_a_list_looked_at_every_d_hours_makes_waits_uniform() -> None:
    looks = one(CalendarSpec("rhythm", every_hours=6.0, phase_hours=1.5))
    waits = np.sort(
        [next_open(looks, 0, 1.5 + (i + 0.5) / 100) - (1.5 + (i + 0.5) / 100) for i in range(600)]
    )
    assert waits == pytest.approx((np.arange(600) + 0.5) / 100)


def test_an_office_is_open_at_its_first_instant_and_closed_at_its_last() -> None:
    office = one(OFFICE_HOURS)
    assert [is_open(office, 0, t) for t in (7.99, 8.0, 15.99, 16.0)] == [False, True, True, False]
    assert next_open(office, 0, 16.0) == 32.0
    assert next_open(office, 0, 8.0) == 8.0
    assert next_close(office, 0, 9.0) == 16.0
    assert next_close(office, 0, 16.0) == 16.0


def test_friday_afternoon_goes_on_on_monday() -> None:
    office = one(OFFICE_HOURS)
    friday = 4 * 24.0
    assert next_open(office, 0, friday + 16.0) == 7 * 24.0 + 8.0
    assert add_working_hours(office, 0, friday + 15.0, 2.0) == 7 * 24.0 + 9.0
    # Two working days of eight hours, from a Thursday noon.
    assert add_working_hours(office, 0, 3 * 24.0 + 12.0, 16.0) == 7 * 24.0 + 12.0


def test_work_that_fills_the_day_ends_when_the_day_ends() -> None:
    office = one(OFFICE_HOURS)
    assert add_working_hours(office, 0, 8.0, 8.0) == 16.0
    assert at_working_hours(office, 0, 8.0) == 16.0
    assert at_working_hours(office, 0, 8.5) == 32.5
    assert working_hours(office, 0, 16.0) == working_hours(office, 0, 32.0) == 8.0


def test_no_work_takes_no_time_even_when_closed() -> None:
    office = one(OFFICE_HOURS)
    assert add_working_hours(office, 0, 3.0, 0.0) == 3.0
    assert at_working_hours(office, 0, 0.0) == 0.0


def test_a_holiday_is_closed_or_has_the_hours_of_a_weekday() -> None:
    wednesday = 48.0
    closed = one(OFFICE_HOURS, holidays={2})
    assert next_open(closed, 0, wednesday + 9.0) == 72.0 + 8.0
    usual = one(CalendarSpec("weekly", OFFICE_HOURS.hours, on_holidays="as_usual"), holidays={2})
    assert is_open(usual, 0, wednesday + 9.0)
    sundays = (*OFFICE_HOURS.hours, (6, 10.0, 12.0))
    like_sunday = one(CalendarSpec("weekly", sundays, on_holidays=6), holidays={2})
    assert next_open(like_sunday, 0, wednesday) == wednesday + 10.0
    assert next_close(like_sunday, 0, wednesday + 11.0) == wednesday + 12.0


def test_a_night_shift_runs_into_the_next_day_also_from_before_the_start() -> None:
    nights = one(CalendarSpec("weekly", tuple((day, 20.0, 32.0) for day in range(7))))
    assert is_open(nights, 0, 0.0)
    assert next_close(nights, 0, 0.0) == 8.0
    assert next_close(nights, 0, 21.0) == 32.0
    assert working_hours(nights, 0, 48.0) == 24.0


def test_openings_that_touch_or_overlap_are_one() -> None:
    double = one(CalendarSpec("weekly", ((0, 8.0, 12.0), (0, 12.0, 15.0), (0, 14.0, 16.0))))
    assert next_close(double, 0, 9.0) == 16.0
    assert working_hours(double, 0, 24.0) == 8.0


def test_round_the_clock_every_day_is_always() -> None:
    whole_week = CalendarSpec("weekly", tuple((day, 0.0, 24.0) for day in range(7)))
    assert one(whole_week).calendar["kind"][0] == ALWAYS
    always = one(ALWAYS_OPEN)
    assert is_open(always, 0, 1e6)
    assert (
        next_open(always, 0, 3.5) == working_hours(always, 0, 3.5) == at_working_hours(always, 0, 3.5) == 3.5
    )
    assert add_working_hours(always, 0, 3.5, 2.0) == 5.5
    assert next_close(always, 0, 3.5) == math.inf


def test_never_is_never() -> None:
    never = one(CalendarSpec("never"))
    assert not is_open(never, 0, 5.0)
    assert next_open(never, 0, 5.0) == add_working_hours(never, 0, 5.0, 1.0) == math.inf
    assert at_working_hours(never, 0, 1.0) == math.inf
    assert working_hours(never, 0, 1e4) == 0.0


@pytest.mark.parametrize(
    ("every", "phase"), [(6.0, 0.0), (0.1, 0.0), (7.3, 2.1), (1 / 3, 0.7), (336.0, 100.0)]
)
def test_what_is_listed_exactly_at_a_look_is_looked_at_then(every: float, phase: float) -> None:
    looks = one(CalendarSpec("rhythm", every_hours=every, phase_hours=phase))
    t = 0.0
    for number in range(500):
        look = next_open(looks, 0, t)
        assert look == phase + number * every
        assert next_open(looks, 0, look) == look
        assert is_open(looks, 0, look)
        t = math.nextafter(look, math.inf)
        assert not is_open(looks, 0, t)


def test_work_begun_at_a_look_goes_on_by_the_clock() -> None:
    looks = one(CalendarSpec("rhythm", every_hours=6.0, phase_hours=1.5))
    assert add_working_hours(looks, 0, 1.5, 0.25) == 1.75
    assert add_working_hours(looks, 0, 2.0, 0.25) == 7.75
    assert working_hours(looks, 0, 100.0) == 0.0


def test_past_the_days_laid_out_nothing_opens() -> None:
    office = one(OFFICE_HOURS, days=7, margin_days=7)
    end = 14 * 24.0
    total = working_hours(office, 0, end)
    assert total == 80.0
    for t in (end - 1.0, end, end + 1e6, math.inf):
        assert next_open(office, 0, t) == math.inf
        assert not is_open(office, 0, t)
        assert working_hours(office, 0, t) == total
        assert add_working_hours(office, 0, t, 0.5) == math.inf
    assert at_working_hours(office, 0, total) == 11 * 24.0 + 16.0
    assert at_working_hours(office, 0, total + 0.5) == math.inf


def test_calendars_side_by_side_do_not_read_each_other() -> None:
    specs = [
        OFFICE_HOURS,
        CalendarSpec("rhythm", every_hours=5.0),
        CalendarSpec("weekly", ((6, 10.0, 12.0),)),
        ALWAYS_OPEN,
        CalendarSpec("weekly", ((2, 22.0, 30.0),), on_holidays=2),
    ]
    store = CalendarStore(MONDAY, 14, {3}, margin_days=10)
    rows = [store.add(spec) for spec in [*specs, *specs]]
    assert rows == [0, 1, 2, 3, 4] * 2
    together = store.arrays()
    for row, spec in enumerate(specs):
        alone = one(spec, days=14, holidays={3}, margin_days=10)
        for t in np.linspace(0.0, 26 * 24.0, 400):
            for function in (is_open, next_open, working_hours, at_working_hours):
                assert function(together, row, t) == function(alone, 0, t)
            assert add_working_hours(together, row, t, 9.5) == add_working_hours(alone, 0, t, 9.5)


def test_norwegian_holidays_of_2024_are_the_twelve() -> None:
    found = norwegian_holidays(date(2024, 1, 1), 366)
    expected = ["01-01", "03-28", "03-29", "03-31", "04-01", "05-01", "05-09", "05-17", "05-19", "05-20"]
    assert [day.strftime("%m-%d") for day in found] == [*expected, "12-25", "12-26"]
    assert norwegian_holidays(date(2024, 5, 1), 16) == [date(2024, 5, 1), date(2024, 5, 9)]
    assert day_indices(date(2024, 5, 1), norwegian_holidays(date(2024, 4, 1), 60)) == {-30, 0, 8, 16, 18, 19}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (CalendarSpec("monthly"), "unknown calendar"),
        (CalendarSpec("weekly"), "needs opening hours"),
        (CalendarSpec("weekly", ((7, 8.0, 16.0),)), "no weekday"),
        (CalendarSpec("weekly", ((0, 16.0, 8.0),)), "do not fit"),
        (CalendarSpec("weekly", ((0, 8.0, 33.0),)), "do not fit"),
        (CalendarSpec("rhythm"), "above 0"),
        (CalendarSpec("rhythm", every_hours=1.0, phase_hours=-1.0), "0 or more"),
        (CalendarSpec("weekly", OFFICE_HOURS.hours, on_holidays="half"), "on_holidays is"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_opening_hours_that_make_no_sense_are_refused(bad: CalendarSpec, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CalendarStore(MONDAY, 7).add(bad)


def test_day_shares_average_one_over_the_year_and_holidays_count_as_sunday() -> None:
    weights = tuple(float(10 + day if hour in range(8, 16) else 1) for day in range(7) for hour in range(24))
    start = date(2024, 3, 1)
    holidays = day_indices(start, norwegian_holidays(start, 500))
    store = ProfileStore(start, 500, holidays)
    assert (store.add(ProfileSpec(weights)), store.add(EVEN_PROFILE), store.add(ProfileSpec(weights))) == (
        0,
        1,
        0,
    )
    profiles = store.arrays()
    assert profiles.day_share.shape[1] >= 500
    assert profiles.day_share[:, :365].mean(axis=1) == pytest.approx([1.0, 1.0])
    assert (profiles.day_share[1] == 1.0).all()
    may_17, sunday, friday = (day_indices(start, [date(2024, 5, day)]) for day in (17, 26, 24))
    day = {name: min(index) for name, index in (("holiday", may_17), ("sunday", sunday), ("friday", friday))}
    shares = profiles.day_share[0]
    assert shares[day["holiday"]] == shares[day["sunday"]] > shares[day["friday"]] > 0.0
    assert profiles.weekday[day["holiday"]] == 6
    assert profiles.weekday[0] == start.weekday()


def test_time_in_day_inverts_the_hours_of_the_weekday() -> None:
    weights = np.zeros((7, 24))
    weights[0, 8], weights[0, 9], weights[0, 23] = 1.0, 2.0, 1.0
    weights[1] = 1.0
    store = ProfileStore(MONDAY, 30)
    store.add(ProfileSpec(tuple(weights.ravel())))
    hours = store.arrays().hour_cumulative
    assert [time_in_day(hours, 0, 0, x) for x in (0.0, 0.125, 0.25, 0.5, 0.875)] == [8.0, 8.5, 9.0, 9.5, 23.5]
    assert [time_in_day(hours, 0, 1, x) for x in (0.0, 0.25, 0.75)] == pytest.approx([0.0, 6.0, 18.0])
    for weekday in range(7):
        # The last uniform that a draw can give, and the last double below 1.
        for x in (1.0 - 2.0**-33, math.nextafter(1.0, 0.0)):
            assert 23.0 < time_in_day(hours, 0, weekday, x) < 24.0


@pytest.mark.parametrize(
    ("weights", "words"),
    [((1.0,) * 24, "168 hours"), ((0.0,) * 168, "add up to 0"), ((-1.0,) * 168, "from 0 upwards")],
)
def test_a_profile_that_makes_no_week_is_refused(weights: tuple[float, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ProfileStore(MONDAY, 7).add(ProfileSpec(weights))
