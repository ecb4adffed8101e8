"""Shares of what is rare: score intervals of pooled counts, bounds where nothing was seen, and chances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flowsim.experiment.confidence_overview import unseen_lines
from flowsim.statistics import RARE_COLUMNS, conditional_share, rare_shares, share_interval


def summary(hits: list[int], trials: list[int], measure: str = "referrals_lost_share") -> pd.DataFrame:
    """Return a summary in which so many of so many referrals were lost in each replication."""
    rows = []
    for replication, (hit, of) in enumerate(zip(hits, trials, strict=True), 1):
        rows.append(("a", replication, "referrals_created", "", float(of), "deliveries"))
        rows.append(("a", replication, measure, "", hit / of, "share"))
    return pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_the_score_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    hits, trials = counts
    found = share_interval(hits, trials)
    ends = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    if hits < trials:
        assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-12)


def test_counts_are_pooled_over_replications() -> None:
    found = rare_shares(summary([3, 4, 3, 4], [1000, 1000, 1000, 1000]))
    assert tuple(found.columns) == RARE_COLUMNS
    row = found.iloc[0]
    assert (row["hits"], row["trials"], row["replications"]) == (14, 4000, 4)
    expected = share_interval(14, 4000)
    assert (row["share"], row["low"], row["high"]) == pytest.approx(tuple(expected[:3]))
    assert row["overdispersion"] < 1


def test_where_nothing_was_seen_there_is_an_upper_bound() -> None:
    found = rare_shares(summary([0, 0, 0], [1000, 1000, 1000]))
    row = found.iloc[0]
    assert (row["share"], row["low"]) == (0.0, 0.0)
    assert row["high"] == pytest.approx(3 / 3000, rel=0.002)
    assert np.isnan(row["overdispersion"])
    (line,) = unseen_lines(found)
    assert line == "Referrals lost in 'a': none of 3000 was seen; below 0.1 % (95 %, if independent)."
    assert unseen_lines(rare_shares(summary([1, 0, 0], [1000, 1000, 1000]))) == []


def test_counts_that_share_their_fate_have_a_wider_interval() -> None:
    """All of it in one replication of five, as an outage would have it."""
    even, lumped = (
        rare_shares(summary(hits, [1000] * 5)).iloc[0] for hits in ([4, 4, 4, 4, 4], [20, 0, 0, 0, 0])
    )
    assert lumped["overdispersion"] > 10
    assert lumped["high"] - lumped["low"] > 3 * (even["high"] - even["low"])


def test_replications_without_items_and_unknown_shares_are_left_out() -> None:
    both = pd.concat([summary([1, 2], [100, 100]), summary([1], [100], "delayed_start_share")])
    assert set(rare_shares(both)["measure"]) == {"referrals_lost_share"}


@pytest.mark.parametrize("clumped", [False, True])
def test_the_interval_holds_the_true_share(clumped: bool) -> None:
    """400 studies of 10 replications of 300 items at 1 %: independent, or with a chance of its own each."""
    generator, studies = np.random.default_rng(6), []
    for study in range(400):
        chance = generator.gamma(2.0, 0.005, 10) if clumped else np.full(10, 0.01)
        hits = generator.binomial(300, np.minimum(chance, 1.0))
        studies.append(summary(hits.tolist(), [300] * 10).assign(scenario=str(study)))
    found = rare_shares(pd.concat(studies))
    assert len(found) == 400
    held = (found["low"] <= 0.01) & (found["high"] >= 0.01)
    assert held.mean() >= 0.92


# --- chances instead of coins -----------------------------------------------------------------------------


def test_the_share_is_the_mean_chance_times_the_part_that_was_hit() -> None:
    chance = np.tile([0.1, 0.3], 50)
    struck = np.zeros(100, bool)
    struck[:20] = True
    hit = np.zeros(100, bool)
    hit[:5] = True
    found = conditional_share(chance, struck, hit)
    part = share_interval(5, 20)
    assert (found.mean, found.low, found.high) == pytest.approx((0.2 * 0.25, 0.2 * part.low, 0.2 * part.high))


def test_where_nothing_struck_the_ends_are_nothing_and_the_chance() -> None:
    found = conditional_share(np.full(50, 0.001), np.zeros(50, bool), np.zeros(50, bool))
    assert np.isnan(found.mean)
    assert (found.low, found.high) == (0.0, pytest.approx(0.001))
    assert conditional_share([0.0], [False], [False]).mean == 0.0
    assert conditional_share([], [], []).n == 0
    with pytest.raises(ValueError, match="equally long"):
        conditional_share([0.1], [True, False], [True])


def test_chances_vary_less_than_coins_and_mean_the_same() -> None:
    """2,000 items at 1 %, of which 8 in 10 stay lost: the variance falls to a fifth, the mean stays."""
    generator = np.random.default_rng(9)
    coins, chances = [], []
    for _ in range(2000):
        struck = generator.uniform(size=2000) < 0.01
        hit = struck & (generator.uniform(size=2000) < 0.8)
        coins.append(hit.mean())
        if struck.any():
            chances.append(conditional_share(np.full(2000, 0.01), struck, hit).mean)
    assert np.mean(chances) == pytest.approx(0.008, rel=0.01)
    assert np.mean(coins) == pytest.approx(0.008, rel=0.02)
    assert np.var(coins) / np.var(chances) == pytest.approx((1 - 0.008) / (1 - 0.8), rel=0.25)
