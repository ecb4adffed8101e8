"""Is warm-up long enough? MSER-5 on known series, and what is told about lists that had not settled."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from flowsim.experiment.confidence_overview import warm_up_lines
from flowsim.statistics import STEADY_COLUMNS, Settling, mser, settling, weekly

MONDAY = dt.date(2024, 1, 1)


def backlog(level: np.ndarray, replications: int = 10, scenario: str = "a", seed: int = 1) -> pd.DataFrame:
    """Return a profile of one list with a level a day, and luck of its own in each replication."""
    generator = np.random.default_rng(seed)
    frames = []
    for replication in range(1, replications + 1):
        noise = generator.normal(0, 2, len(level))
        frames.append(pd.DataFrame({
            "scenario": scenario, "replication": replication, "day": np.arange(1, len(level) + 1),
            "service_kind": "clinic", "waiting_for": "place", "list_length": level + noise,
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def verdict(level: np.ndarray, warm_up_days: float, **more: object) -> pd.Series:
    return settling(backlog(level, **more), MONDAY, warm_up_days).iloc[0]  # type: ignore[arg-type]


DAYS = np.arange(30 * 7)


def test_mser_is_the_minimum_of_the_definition() -> None:
    series = np.concatenate([np.arange(20, 0, -1.0), np.tile([0.0, 1.0], 30)])
    means = series.reshape(-1, 5).mean(axis=1)
    k = len(means)
    errors = [((means[d:] - means[d:].mean()) ** 2).sum() / (k - d) ** 2 for d in range(k - 4)]
    cut, batches = mser(series)
    assert (cut, batches) == (5 * int(np.argmin(errors)), k)
    assert cut == 20


def test_mser_leaves_out_the_start_of_a_known_transient() -> None:
    """10 e^(−t/20) above a level with noise 0.5: after 60 values a twentieth of it is left."""
    generator = np.random.default_rng(3)
    decay = 10 * np.exp(-np.arange(400) / 20)
    cuts = [mser(decay + generator.normal(0, 0.5, 400))[0] for _ in range(200)]
    assert 40 <= np.median(cuts) <= 100
    flat = [mser(generator.normal(0, 0.5, 400))[0] for _ in range(200)]
    assert np.median(flat) <= 40


def test_short_series_are_not_cut() -> None:
    assert mser([]) == (0, 0)
    assert mser(np.arange(12.0)) == (0, 2)


def test_weeks_run_from_monday_to_friday_and_leave_out_holidays() -> None:
    level = np.arange(28.0)
    data = backlog(level, replications=2).assign(list_length=lambda f: f["day"] - 1.0)
    series, first = weekly(data, MONDAY)
    assert series.shape == (2, 20)
    assert first.tolist() == [0, 7, 14, 21]
    assert series[0, :6].tolist() == [0, 1, 2, 3, 4, 7]
    series, first = weekly(data, dt.date(2024, 1, 3), [dt.date(2024, 1, 16)])  # Wednesday; a Tuesday off
    assert first.tolist() == [5, 19]
    assert series[0, 0] == 5


def test_the_rhythm_of_the_week_is_no_transient() -> None:
    found = verdict(50 + 20 * (DAYS % 7 == 0), 28)
    assert found["verdict"] == Settling.settled


def test_a_list_that_settles_in_time_is_settled() -> None:
    level = 100 + 80 * np.exp(-DAYS / 7)
    assert verdict(level, 56)["verdict"] == Settling.settled
    late = verdict(level, 0)
    assert late["verdict"] == Settling.late
    assert 2 <= late["settles_after_weeks"] <= 8
    assert late["low"] > 0 and late["backlog_before"] > late["backlog_after"]


def test_a_list_that_grows_to_the_end_never_settles() -> None:
    found = verdict(100.0 + DAYS, 28)
    assert found["verdict"] == Settling.never
    assert found["settles_after_weeks"] > 15
    assert found["high"] < 0


def test_flat_lists_are_hardly_ever_warned_about() -> None:
    """60 lists without any transient: a warning needs 99 % certainty, 5 % and an item."""
    wrong = sum(
        verdict(np.full(len(DAYS), 20.0), 28, seed=seed)["verdict"] != Settling.settled for seed in range(60)
    )
    assert wrong <= 1


def test_a_small_change_is_not_told() -> None:
    assert verdict(100 + 3 * (DAYS < 70), 28)["verdict"] == Settling.settled
    assert verdict(100 + 20 * (DAYS < 70), 28)["verdict"] == Settling.late


def test_a_transient_study_is_not_judged() -> None:
    found = settling(backlog(100.0 + DAYS), MONDAY, 28, transient=["a"])
    assert tuple(found.columns) == STEADY_COLUMNS
    assert found["verdict"].tolist() == [Settling.transient]
    assert warm_up_lines(found) == []


def test_the_console_names_the_list_the_weeks_and_the_size() -> None:
    level = 100 + 80 * np.exp(-DAYS / 15)
    both = pd.concat([backlog(level), backlog(level, scenario="b")])
    (line,) = warm_up_lines(settling(both, MONDAY, 14))
    assert line.startswith("Warm-up: the clinic (waiting list) settles after ")
    assert "in 'a' and 1 more scenarios, and warm_up is 2 weeks" in line
    assert "% longer than later" in line
    assert warm_up_lines(pd.DataFrame()) == []
    (line,) = warm_up_lines(settling(backlog(100.0 + DAYS), MONDAY, 28))
    assert "The run is too short to say when it settles" in line


@pytest.mark.parametrize("weeks", [0, 1, 3])
def test_short_runs_are_not_warned_about(weeks: int) -> None:
    found = settling(backlog(np.arange(7.0 * weeks)), MONDAY, 0)
    assert set(found["verdict"]) <= {str(Settling.settled)}
