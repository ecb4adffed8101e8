"""Known answers for intervals, paired comparisons, the stopping rule and survival."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from flowsim import statistics
from flowsim.vocabulary import COMPARISON_COLUMNS

RULE = {"adoption.gp_practices": "2 practices", "rates": "same"}


@pytest.fixture
def scenarios() -> pd.DataFrame:
    levels, rates = ["0 %", "2 practices", "100 %"], ["equal", "platform_better"]
    rows = [
        {"scenario": f"{a}|{r}", "adoption.gp_practices": a, "rates": r, "practices_on_platform": n}
        for r in rates
        for a, n in zip(levels, [0, 2, 40], strict=True)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def summary(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Each scenario is the replication's own luck plus an effect of scenario and replication."""
    effect = {"0 %": 0.02, "2 practices": 0.0, "100 %": 0.03}
    rows = []
    for s in scenarios.itertuples(index=False):
        level, rates = s[1], s[2]
        for replication in range(1, 5):
            value = replication * 10 + effect[level] * (-1 if rates == "platform_better" else 1)
            value += 0.001 * (replication % 2) * (level == "100 %")
            rows.append((s[0], replication, "referrals_lost_share", "", value, "share"))
    columns = ["scenario", "replication", "measure", "group", "value", "unit"]
    return pd.DataFrame(rows, columns=columns)


def test_a_mean_has_the_t_interval_of_the_textbook() -> None:
    """Values 1..5: mean 3, s = 1.5811, t(4) = 2.7764, half width 1.9632."""
    interval = statistics.mean_interval([1, 2, 3, 4, 5])
    assert interval.mean == 3 and interval.n == 5
    assert interval.high - 3 == pytest.approx(1.9632, abs=1e-4)
    assert 3 - interval.low == pytest.approx(1.9632, abs=1e-4)


def test_one_value_has_a_mean_and_no_interval() -> None:
    interval = statistics.mean_interval([2.5, np.nan])
    assert interval.mean == 2.5 and interval.n == 1
    assert np.isnan(interval.low) and np.isnan(interval.high)
    assert statistics.mean_interval([]).n == 0


def test_pairing_removes_the_luck_that_both_worlds_share() -> None:
    luck = np.array([10.0, 20.0, 30.0, 40.0])
    moved = luck + np.array([1.0, 2.0, 1.0, 2.0])
    result = statistics.paired_difference(moved, luck)
    assert result.difference == pytest.approx(1.5)
    unpaired = np.var(moved, ddof=1) + np.var(luck, ddof=1)
    assert result.pairing_gain == pytest.approx(unpaired / (1 / 3))
    assert statistics.paired_difference(luck + 1, luck).pairing_gain == np.inf


def test_unequal_numbers_of_replications_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="equally many"):
        statistics.paired_difference([1, 2, 3], [1, 2])


def test_a_share_has_the_score_interval() -> None:
    """Wilson for 10 of 100: 0.0552 to 0.1744 (Newcombe 1998, table I has the method)."""
    interval = statistics.share_interval(10, 100)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0552, 0.1744)


def test_nothing_seen_gives_the_rule_of_three() -> None:
    interval = statistics.share_interval(0, 1000)
    assert interval.low == 0 and interval.high == pytest.approx(3 / 1000, rel=0.005)
    every = statistics.share_interval(1000, 1000)
    assert every.high == 1 and every.low == pytest.approx(1 - interval.high)
    assert np.isnan(statistics.share_interval(0, 0).mean)


def test_more_hits_than_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and trials"):
        statistics.share_interval(3, 2)


def test_running_half_widths_equal_those_of_each_prefix() -> None:
    values = np.random.default_rng(1).normal(1e6, 1.0, size=(30, 2))
    half = statistics.prefix_half_widths(values)
    for n in (2, 7, 30):
        for column in (0, 1):
            interval = statistics.mean_interval(values[:n, column])
            assert half[n - 1, column] == pytest.approx((interval.high - interval.low) / 2, rel=1e-6)
    assert np.isnan(half[0]).all()


def test_enough_needs_the_next_batch_to_agree() -> None:
    """The first ten do not vary at all, the next five do: ten is a lucky narrow moment."""
    lucky = np.concatenate([np.zeros(10), [5.0, -5.0, 5.0, -5.0, 5.0], np.zeros(400)])
    n = statistics.enough(lucky, half_width=0.5, at_least=10, batch=5)
    half = statistics.prefix_half_widths(lucky)[:, 0]
    assert half[9] == 0 and half[14] > 0.5
    assert n is not None and n > 10
    assert half[n - 1] <= 0.5 and half[n + 4] <= 0.5 and half[n - 6] > 0.5


def test_every_comparison_must_be_precise() -> None:
    calm = np.tile([0.0, 0.1], 50)
    wild = np.tile([-100.0, 100.0], 50)
    assert statistics.enough(calm, 0.2, at_least=10) == 10
    assert statistics.enough(np.column_stack([calm, wild]), 0.2, at_least=10) is None


def test_a_missing_replication_ends_the_prefix_that_counts() -> None:
    values = np.tile([0.0, 0.1], 20)
    values[12] = np.nan
    assert statistics.enough(values, 0.2, at_least=10, batch=5) is None
    assert statistics.enough(values, 0.2, at_least=10, batch=2) == 10


def test_stopping_hardly_lowers_the_coverage() -> None:
    """True mean 0, s = 1, target 0.4: 95 % intervals at the stop cover 0 in about 95 of 100 runs."""
    values = np.random.default_rng(7).normal(size=(400, 120))
    stops = [statistics.enough(run, 0.4, at_least=10, batch=5) for run in values]
    assert None not in stops
    intervals = [statistics.mean_interval(run[:n]) for run, n in zip(values, stops, strict=True)]
    covered = np.mean([i.low <= 0 <= i.high for i in intervals])
    assert 0.92 <= covered <= 0.985
    assert np.mean([n for n in stops if n]) == pytest.approx(27, abs=4)


def test_the_running_mean_ends_at_the_mean_interval() -> None:
    table = statistics.convergence([1, 2, 3, 4, 5])
    last, interval = table.iloc[-1], statistics.mean_interval([1, 2, 3, 4, 5])
    assert (last["mean"], last["low"], last["high"]) == pytest.approx(tuple(interval[:3]))


def test_the_baseline_is_found_within_the_same_rate_set(scenarios: pd.DataFrame) -> None:
    assert statistics.baselines(scenarios, RULE) == {
        "0 %|equal": "2 practices|equal",
        "100 %|equal": "2 practices|equal",
        "0 %|platform_better": "2 practices|platform_better",
        "100 %|platform_better": "2 practices|platform_better",
    }


def test_a_baseline_that_no_scenario_has_is_an_error_with_the_known_values(scenarios: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"no scenario has '50 %'; there are: 0 %, 2 practices, 100 %"):
        statistics.baselines(scenarios, {"adoption.gp_practices": "50 %"})
    with pytest.raises(ValueError, match="not varied"):
        statistics.baselines(scenarios, {"adoption.hospital": "0 %"})


def test_comparisons_are_paired_by_replication(summary: pd.DataFrame, scenarios: pd.DataFrame) -> None:
    table = statistics.compare(summary, scenarios, RULE)
    assert tuple(table.columns) == COMPARISON_COLUMNS
    row = table.set_index("scenario").loc["100 %|equal"]
    expected = statistics.paired_difference([0.031, 0.03, 0.031, 0.03], [0.0] * 4)
    assert row["difference"] == pytest.approx(expected.difference)
    assert row["low"] == pytest.approx(expected.low) and row["high"] == pytest.approx(expected.high)
    assert row["replications"] == 4 and row["unit"] == "share"


def test_rows_in_another_order_give_the_same_comparison(
    summary: pd.DataFrame, scenarios: pd.DataFrame
) -> None:
    keys = ["scenario", "measure", "group"]
    straight = statistics.compare(summary, scenarios, RULE).set_index(keys).sort_index()
    shuffled = summary.sample(frac=1, random_state=3)
    mixed = statistics.compare(shuffled, scenarios, RULE).set_index(keys).sort_index()
    pd.testing.assert_frame_equal(straight, mixed)


def test_pairing_gains_agree_with_the_single_difference(
    summary: pd.DataFrame, scenarios: pd.DataFrame
) -> None:
    table = statistics.pairs(summary, statistics.baselines(scenarios, RULE))
    gains = statistics.pairing_gains(table).set_index("scenario")["pairing_gain"]
    part = table[table["scenario"] == "100 %|equal"]
    single = statistics.paired_difference(part["value"], part["baseline_value"])
    assert gains["100 %|equal"] == pytest.approx(single.pairing_gain)


def test_the_assumption_range_spans_the_rate_sets(summary: pd.DataFrame, scenarios: pd.DataFrame) -> None:
    comparison = statistics.compare(summary, scenarios, RULE)
    table = statistics.assumption_range(comparison, scenarios).set_index("adoption.gp_practices")
    assert table.loc["0 %", "assumption_low"] == pytest.approx(-0.02)
    assert table.loc["0 %", "assumption_high"] == pytest.approx(0.02)
    assert bool(table.loc["0 %", "contains_zero"]) and table.loc["0 %", "rate_sets"] == 2


def test_one_rate_set_gives_no_assumption_range(summary: pd.DataFrame, scenarios: pd.DataFrame) -> None:
    equal = scenarios[scenarios["rates"] == "equal"]
    table = statistics.assumption_range(statistics.means(summary), equal, value="mean")
    assert table["assumption_low"].isna().all() and not table["contains_zero"].any()


def test_kaplan_meier_gives_the_textbook_curve() -> None:
    """Times 1, 2+, 3, 4: S = 3/4, then 3/4 · 1/2 = 3/8, then 0."""
    survival = statistics.kaplan_meier([1, 2, 3, 4], [True, False, True, True], [0, 1, 2, 3, 4])
    assert survival == pytest.approx([1, 0.75, 0.75, 0.375, 0])


def test_aalen_johansen_gives_the_textbook_curve() -> None:
    """Times 1 (care), 2 (censored), 3 (withdrawn), 4 (care): 1/4, then + 3/8 · 1 at 4."""
    care = statistics.aalen_johansen([1, 2, 3, 4], [1, 0, 2, 1], [0, 1, 2, 3, 4])
    assert care == pytest.approx([0, 0.25, 0.25, 0.25, 0.625])


def test_no_cases_give_no_share() -> None:
    assert np.isnan(statistics.cumulative_incidence([], [], [1.0])).all()
    assert statistics.aalen_johansen([], [], [1.0]) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (3.4567, (3.1, 3.8), 3.5),
        (3.4567, (3.42, 3.49), 3.46),
        (43210.0, (42100.0, 44300.0), 43000.0),
        (3.4567, (3.4567, 3.4567), 3.457),
        (-0.4321, (-0.9, 0.1), -0.4),
    ],
)
def test_a_number_keeps_no_more_digits_than_its_range(
    value: float, bounds: tuple[float, float], expected: float
) -> None:
    assert statistics.rounded(value, bounds) == pytest.approx(expected)
