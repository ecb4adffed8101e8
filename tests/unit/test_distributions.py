"""Quantile tables keep the distributions they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from flowsim.kernel.draws import sample
from flowsim.plan.distributions import (
    FIXED,
    TABLE,
    DistributionSpec,
    DistributionStore,
    build_table,
    moments,
)
from flowsim.plan.quantiles import QuantileTable, table_moments

Frozen = stats.distributions.rv_frozen


def lognormal(mu: float, sigma: float) -> Frozen:
    return stats.lognorm(sigma, scale=math.exp(mu))


def truncated(mean: float, sd: float, low: float = 0.0, high: float = math.inf) -> Frozen:
    return stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)


def spec(kind: str, **params: float) -> DistributionSpec:
    return DistributionSpec(kind, params)


CASES = [
    (spec("exponential", mean=3.0), stats.expon(scale=3.0)),
    (spec("uniform", low=2.0, high=5.0), stats.uniform(2.0, 3.0)),
    (spec("triangular", low=1.0, mode=2.0, high=7.0), stats.triang(1 / 6, 1.0, 6.0)),
    (spec("triangular", low=1.0, mode=1.0, high=7.0), stats.triang(0.0, 1.0, 6.0)),
    (spec("triangular", low=1.0, mode=7.0, high=7.0), stats.triang(1.0, 1.0, 6.0)),
    (spec("lognormal", mean=3.0, sd=6.0), lognormal(math.log(3) - math.log(5) / 2, math.sqrt(math.log(5)))),
    (spec("lognormal", mean=24.0, sd=0.1), lognormal(math.log(24), 0.1 / 24)),
    (spec("lognormal", median=24.0, p90=96.0), lognormal(math.log(24), math.log(4) / stats.norm.ppf(0.9))),
    (spec("lognormal", median=24.0, p90=720.0), lognormal(math.log(24), math.log(30) / stats.norm.ppf(0.9))),
    (spec("gamma", mean=3.0, sd=1.0), stats.gamma(9.0, scale=1 / 3)),
    (spec("gamma", mean=3.0, sd=9.0), stats.gamma(1 / 9, scale=27.0)),
    (spec("weibull", shape=0.5, scale=9.0), stats.weibull_min(0.5, scale=9.0)),
    (spec("weibull", shape=3.0, scale=9.0), stats.weibull_min(3.0, scale=9.0)),
    (spec("truncated_normal", mean=3.0, sd=9.0), truncated(3, 9)),
    (spec("truncated_normal", mean=-30.0, sd=3.0), truncated(-30, 3)),
    (spec("truncated_normal", mean=5.0, sd=3.0, low=1.0, high=6.0), truncated(5, 3, 1, 6)),
    (spec("truncated_normal", mean=5.0, sd=3.0, low=7.0, high=9.0), truncated(5, 3, 7, 9)),
    (spec("truncated_normal", mean=500.0, sd=3.0, low=7.0, high=490.0), truncated(500, 3, 7, 490)),
]
NAMES = [str(case[0]) for case in CASES]


def sampler(distribution: DistributionSpec) -> Callable[[float], float]:
    store = DistributionStore()
    row = store.add(distribution)
    tables = store.arrays()
    return lambda u: sample(tables, row, u)


@pytest.mark.parametrize(("distribution", "reference"), CASES, ids=NAMES)
def test_moments_are_those_of_scipy(distribution: DistributionSpec, reference: Frozen) -> None:
    # A small coefficient of variation costs digits of the variance on both sides.
    assert moments(distribution) == pytest.approx(reference.stats("mv"), rel=1e-4)
    table = build_table(distribution)
    if table.kind == TABLE:
        quantiles = QuantileTable(table.nodes, table.entries, table.lower, table.upper)
        assert table_moments(quantiles) == pytest.approx(reference.stats("mv"), rel=1.1e-4)


@pytest.mark.parametrize(("distribution", "reference"), CASES, ids=NAMES)
def test_samples_lie_on_the_quantile_function_from_end_to_end(
    distribution: DistributionSpec, reference: Frozen
) -> None:
    draw = sampler(distribution)
    body = (np.arange(997) + 0.5) / 997
    tails = 2.0 ** -np.linspace(3.0, 31.9, 57)
    scale = reference.std()
    for u in body:
        assert draw(u) == pytest.approx(reference.ppf(u), rel=1e-3, abs=1e-4 * scale)
    for u in tails:
        # What is interpolated between two neighbours of a tail is within a few thousandths.
        assert draw(u) == pytest.approx(reference.ppf(u), rel=5e-3, abs=1e-4 * scale)
        assert draw(1.0 - u) == pytest.approx(reference.isf(u), rel=5e-3)


@pytest.mark.parametrize("distribution", [case[0] for case in CASES], ids=NAMES)
def test_a_larger_uniform_never_gives_a_shorter_time(distribution: DistributionSpec) -> None:
    draw = sampler(distribution)
    ends = 2.0 ** -np.linspace(4.0, 33.0, 400)
    places = np.unique(np.concatenate([ends, 1.0 - ends, np.linspace(0.01, 0.99, 600)]))
    drawn = np.array([draw(u) for u in places])
    assert (np.diff(drawn) >= 0.0).all()
    assert drawn[0] >= 0.0
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("distribution", [case[0] for case in CASES], ids=NAMES)
def test_the_kernel_draws_the_mean_that_the_table_promises(distribution: DistributionSpec) -> None:
    draw = sampler(distribution)
    # Midpoints of equal shares, so there is no sampling error; finer in the tails, where tables are.
    edges = np.unique(
        np.concatenate([2.0 ** -np.linspace(0, 32, 1200), 1 - 2.0 ** -np.linspace(0, 32, 1200)])
    )
    edges = np.unique(np.concatenate([edges, np.linspace(0.02, 0.98, 1000)]))
    mean = sum((b - a) * draw((a + b) / 2) for a, b in pairwise(edges))
    assert mean == pytest.approx(moments(distribution)[0], rel=1e-3)


def test_fixed_is_the_same_whatever_the_uniform() -> None:
    draw = sampler(spec("fixed", value=4.5))
    assert {draw(2.0**-33), draw(0.5), draw(1 - 2.0**-33)} == {4.5}


def test_empirical_gives_each_value_its_share() -> None:
    weighted = DistributionSpec("empirical", {}, (5.0, 1.0, 2.0, 9.0), (3.0, 1.0, 4.0, 0.0))
    draw = sampler(weighted)
    drawn = [draw((i + 0.5) / 800) for i in range(800)]
    assert {value: drawn.count(value) for value in set(drawn)} == {1.0: 100, 2.0: 400, 5.0: 300}
    assert moments(weighted)[0] == pytest.approx(np.mean(drawn))
    assert moments(weighted)[1] == pytest.approx(np.var(drawn))


def test_empirical_linear_spreads_each_share_over_its_interval() -> None:
    histogram = DistributionSpec("empirical_linear", {}, (1.0, 2.0, 4.0, 10.0), (1.0, 0.0, 3.0))
    draw = sampler(histogram)
    assert [draw(u) for u in (0.0625, 0.125, 0.625)] == pytest.approx([1.25, 1.5, 7.0])
    drawn = [draw((i + 0.5) / 4000) for i in range(4000)]
    assert not any(2.0 < value < 4.0 for value in drawn)
    assert moments(histogram) == pytest.approx((np.mean(drawn), np.var(drawn)), rel=1e-4)


def test_a_store_holds_each_distribution_once_and_in_order() -> None:
    store = DistributionStore()
    first = store.add(DistributionSpec("lognormal", {"mean": 3.0, "sd": 6.0}))
    second = store.add(spec("fixed", value=1.0))
    again = store.add(DistributionSpec("lognormal", {"sd": 6.0, "mean": 3.0}))
    assert (first, second, again, len(store)) == (0, 1, 0, 2)
    tables = store.arrays()
    assert list(tables.dist["kind"]) == [TABLE, FIXED]
    assert sample(tables, second, 0.3) == 1.0


def test_tables_side_by_side_do_not_read_each_other() -> None:
    alone = {str(case[0]): sampler(case[0]) for case in CASES}
    store = DistributionStore()
    rows = {str(case[0]): store.add(case[0]) for case in CASES}
    tables = store.arrays()
    for name, row in rows.items():
        for u in (2.0**-33, 0.01, 0.5, 0.99, 1.0 - 2.0**-33):
            assert sample(tables, row, u) == alone[name](u)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (spec("pareto", mean=1.0), "unknown distribution 'pareto'"),
        (spec("gamma", mean=1.0), r"needs the parameters \(mean, sd\)"),
        (spec("gamma", mean=1.0, sd=0.0), "sd must be above 0"),
        (spec("lognormal", mean=0.0, sd=1.0), "mean must be above 0"),
        (spec("lognormal", median=5.0, p90=5.0), "median is not below p90"),
        (spec("uniform", low=5.0, high=2.0), "low is not below high"),
        (spec("uniform", low=5.0, high=math.inf), "high is not a finite number"),
        (spec("uniform", low=-5.0, high=2.0), "low is negative"),
        (spec("truncated_normal", mean=5.0, sd=1.0, low=-1.0), "low is negative"),
        (spec("truncated_normal", mean=5.0, sd=1.0, low=99.0), "practically nothing"),
        (spec("triangular", low=1.0, mode=9.0, high=7.0), "mode is not below high"),
        (spec("fixed", value=math.nan), "value is not a finite number"),
        (DistributionSpec("fixed", {"value": 1.0}, (1.0,), (1.0,)), "only an empirical"),
        (DistributionSpec("empirical", {}, (1.0, 2.0), (1.0,)), "as many weights as values"),
        (DistributionSpec("empirical", {}, (1.0, -2.0), (1.0, 1.0)), "from 0 upwards"),
        (DistributionSpec("empirical", {}, (1.0, 2.0), (0.0, 0.0)), "add up to 0"),
        (DistributionSpec("empirical_linear", {}, (3.0, 2.0), (1.0,)), "must rise"),
        (DistributionSpec("empirical_linear", {}, (3.0,), ()), "one weight fewer"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_makes_no_duration_is_refused_with_its_reason(bad: DistributionSpec, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_table(bad)


def test_a_tail_too_heavy_for_a_table_is_refused_with_how_far_it_is_off() -> None:
    with pytest.raises(ValueError, match=r"quantile table is off by .* \(allowed 1e-04\)"):
        build_table(spec("lognormal", mean=1.0, sd=1e6))
