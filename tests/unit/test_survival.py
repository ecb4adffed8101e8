"""Survival with competing events against published values, and logs that were cut off early."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.statistics import (
    aalen_johansen,
    aalen_johansen_interval,
    cumulative_incidence,
    cut_off,
    kaplan_meier,
    restricted_mean,
)

#: Months to relapse (1), death in remission (2) or the end of follow-up (0) of 35 transplanted patients:
#: Scrucca, Santucci and Aversa 2007, Bone Marrow Transplantation 40, 381-387.
MONTHS = np.fromstring(
    "13 1 72 7 8 67 9 5 70 4 7 68 1 10 7 3 4 4 3 3 22 8 2 0 0 35 35 4 14 26 3 2 8 32 12", dtype=float, sep=" "
)
STATUS = np.fromstring(
    "2 1 0 2 2 0 2 2 0 0 0 0 2 2 2 1 1 1 1 1 2 1 2 2 1 0 0 2 2 2 2 0 0 0 1", dtype=np.int64, sep=" "
)


def test_aalen_johansen_gives_the_values_of_another_program() -> None:
    """Cumulative incidence after 0 to 4 months of published data, as scikit-survival 0.28 prints it."""
    relapse = aalen_johansen(MONTHS, STATUS, [0, 1, 2, 3, 4], 1)
    death = aalen_johansen(MONTHS, STATUS, [0, 1, 2, 3, 4], 2)
    assert relapse.round(4).tolist() == [0.0286, 0.0571, 0.0571, 0.1458, 0.2049]
    assert death.round(4).tolist() == [0.0286, 0.0571, 0.0857, 0.1153, 0.1448]
    either = 1 - kaplan_meier(MONTHS, STATUS != 0, [0, 1, 2, 3, 4])
    assert either.round(4).tolist() == [0.0571, 0.1143, 0.1429, 0.2611, 0.3498]


def test_the_variance_is_binomial_where_nobody_is_censored() -> None:
    times = np.arange(1.0, 101.0)
    events = np.tile([1, 2, 1, 2, 2], 20)
    share = aalen_johansen(times, events, [50.0])[0]
    low, high = aalen_johansen_interval(times, events, [50.0])
    spread = 1.959964 * np.sqrt(share * (1 - share) / 100) / abs(share * np.log(share))
    assert low[0] == pytest.approx(share ** np.exp(spread))
    assert high[0] == pytest.approx(share ** np.exp(-spread))


def test_the_interval_holds_the_truth_in_logs_that_are_cut_off() -> None:
    """Start at rate 1, leave at rate 0.5, censored evenly in 0 to 4: F(1) = 2/3 (1 − e^−1.5), 1,000 logs."""
    generator, truth, held = np.random.default_rng(4), 2 / 3 * (1 - np.exp(-1.5)), 0
    for _ in range(1000):
        start, leave = generator.exponential(1.0, 150), generator.exponential(2.0, 150)
        end = generator.uniform(0, 4, 150)
        when = np.minimum(np.minimum(start, leave), end)
        which = np.where(end <= when, 0, np.where(start <= leave, 1, 2))
        low, high = aalen_johansen_interval(when, which, [1.0])
        held += low[0] <= truth <= high[0]
    assert 0.93 <= held / 1000 <= 0.97


def test_outside_of_what_was_seen_there_is_no_interval() -> None:
    low, high = aalen_johansen_interval([1.0, 2.0], [1, 1], [0.5, 3.0])
    assert np.isnan(low).all() and np.isnan(high).all()


# --- logs that are cut off ------------------------------------------------------------------------------


def test_a_log_has_no_later_cases_and_no_later_events() -> None:
    times, events = cut_off([0, 0, 5, 9, 10], [3, 12, 4, 0.5, 1], [1, 1, 2, 1, 1], at=10.0)
    assert times.tolist() == [3, 10, 4, 0.5]
    assert events.tolist() == [1, 0, 2, 1]


def test_estimates_from_a_log_agree_with_the_count_of_the_whole() -> None:
    """20,000 cases over 100 days with waits that do not depend on when; the log is written out on day 60."""
    generator = np.random.default_rng(8)
    created = generator.uniform(0, 100, 20_000)
    wait, leave = generator.gamma(4, 5, 20_000), generator.exponential(80, 20_000)
    times = np.minimum(np.minimum(wait, leave), 91.0)
    events = np.where(times == 91.0, 0, np.where(wait <= leave, 1, 2))
    log_times, log_events = cut_off(created, times, events, 60.0)
    days = [10.0, 20.0, 40.0]
    counted = cumulative_incidence(times, events, days)
    assert aalen_johansen(log_times, log_events, days) == pytest.approx(counted, abs=0.015)
    seen = [np.mean((log_events == 1) & (log_times <= day)) for day in days]
    ignoring = 1 - kaplan_meier(log_times, log_events == 1, days)
    assert (np.array(seen)[1:] < counted[1:] - 0.02).all()
    assert (ignoring[1:] > counted[1:] + 0.02).all()
    area = restricted_mean(log_times, log_events != 0, 50.0)
    truth = np.minimum(times, 50.0).mean()
    assert area == pytest.approx(truth, abs=0.3)


CASES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=40)


@given(CASES)
def test_the_area_is_the_plain_mean_where_nobody_is_censored_early(cases: list[tuple[int, int]]) -> None:
    times = np.array([61 if event == 0 else time for time, event in cases], dtype=float)
    events = np.array([event for _, event in cases])
    assert restricted_mean(times, events != 0, 61.0) == pytest.approx(times.mean())
    assert restricted_mean(times, events != 0, 30.0) == pytest.approx(np.minimum(times, 30.0).mean())


@given(CASES, st.integers(1, 60))
def test_a_longer_log_knows_more(cases: list[tuple[int, int]], at: int) -> None:
    """A case stays in the log, its time never falls, and an event that was seen is not taken back."""
    times, events = np.array([t for t, _ in cases], float), np.array([e for _, e in cases])
    created = np.zeros(len(cases))
    (early, what), (late, then) = (cut_off(created, times, events, float(end)) for end in (at, at + 7))
    assert (late >= early).all()
    assert (then[what != 0] == what[what != 0]).all()


def test_nothing_is_said_beyond_what_was_followed() -> None:
    assert np.isnan(restricted_mean([1.0, 2.0], [True, False], 5.0))
    assert np.isnan(restricted_mean([], [], 5.0))
    assert restricted_mean([1.0, 2.0], [True, True], 5.0) == pytest.approx(1.5)
