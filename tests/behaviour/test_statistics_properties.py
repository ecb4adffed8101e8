"""What must hold for intervals and survival curves whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flowsim import statistics

TIMES = st.integers(min_value=0, max_value=30)
CASES = st.lists(st.tuples(TIMES, st.integers(min_value=0, max_value=2)), min_size=1, max_size=60)
VALUES = st.floats(min_value=-1e6, max_value=1e6)
GRID = np.arange(-1, 32)


@given(CASES)
def test_aalen_johansen_is_a_count_when_nobody_is_censored_early(cases: list[tuple[int, int]]) -> None:
    times = np.array([31 if event == 0 else time for time, event in cases], dtype=float)
    events = np.array([event for _, event in cases])
    for event in (1, 2):
        counted = statistics.cumulative_incidence(times, events, GRID, event)
        estimated = statistics.aalen_johansen(times, events, GRID, event)
        assert estimated == pytest.approx(counted, abs=1e-9)


@given(CASES)
def test_with_one_kind_of_event_aalen_johansen_is_one_minus_kaplan_meier(
    cases: list[tuple[int, int]],
) -> None:
    times = np.array([time for time, _ in cases], dtype=float)
    events = np.array([int(event > 0) for _, event in cases])
    estimated = statistics.aalen_johansen(times, events, GRID)
    assert estimated == pytest.approx(1 - statistics.kaplan_meier(times, events == 1, GRID), abs=1e-9)


@given(CASES)
def test_competing_events_never_add_up_to_more_than_all(cases: list[tuple[int, int]]) -> None:
    times, events = np.array(cases, dtype=float).T
    both = sum(statistics.aalen_johansen(times, events, GRID, event) for event in (1, 2))
    assert (np.diff(both) >= -1e-12).all() and both[-1] <= 1 + 1e-9


@given(hnp.arrays(float, st.integers(2, 40), elements=VALUES), VALUES)
def test_a_shift_of_all_values_moves_the_interval_with_them(values: np.ndarray, shift: float) -> None:
    first, moved = statistics.mean_interval(values), statistics.mean_interval(values + shift)
    assert moved.mean == pytest.approx(first.mean + shift, abs=1e-6)
    assert moved.high - moved.low == pytest.approx(first.high - first.low, rel=1e-6, abs=1e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_inside_its_interval_and_the_interval_inside_nought_and_one(
    counts: tuple[int, int],
) -> None:
    share, low, high, n = statistics.share_interval(*counts)
    assert 0 <= low <= share <= high <= 1
    assert low < high and n == counts[1]


@settings(max_examples=50)
@given(
    hnp.arrays(float, st.tuples(st.integers(12, 60), st.integers(1, 3)), elements=st.floats(-10, 10)),
    st.integers(1, 6),
)
def test_later_replications_never_change_an_answer_already_given(values: np.ndarray, batch: int) -> None:
    whole = statistics.enough(values, 3.0, at_least=5, batch=batch)
    for known in range(len(values)):
        early = statistics.enough(values[:known], 3.0, at_least=5, batch=batch)
        assert early is None or early == whole


@given(VALUES, VALUES, VALUES)
def test_rounding_moves_a_value_by_less_than_half_its_range(value: float, one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    change = abs(statistics.rounded(value, (low, high)) - value)
    assert change <= max((high - low) / 4, 0.0005) * (1 + 1e-6) + 1e-9
