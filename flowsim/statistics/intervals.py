"""Means and shares with their simulation intervals, and how many digits these support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL: Final = 0.95


class Interval(NamedTuple):
    """An estimate with its simulation interval; the ends are NaN where n is below 2."""

    mean: float
    low: float
    high: float
    n: int


def critical_t(n: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
    """Return Student's two-sided critical value for the mean of ``n`` values; NaN below 2."""
    count = np.asarray(n, dtype=np.float64)
    freedom = np.where(count >= 2, count - 1, np.nan)
    return np.asarray(stats.t.ppf(0.5 + level / 2, freedom), dtype=np.float64)


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the mean over replications with its t-interval; missing values are left out.

    ``values``: one number a replication, any unit, which the result shares.
    """
    data = np.asarray(values, dtype=np.float64)
    data = data[~np.isnan(data)]
    n = data.size
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(data.mean())
    if n == 1:
        return Interval(mean, np.nan, np.nan, 1)
    half = float(critical_t(n, level)) * float(data.std(ddof=1)) / n**0.5
    return Interval(mean, mean - half, mean + half, n)


def share_interval(hits: int, trials: int, level: float = LEVEL) -> Interval:
    """Return a share with its score interval (Wilson 1927), for counts of independent items.

    Where nothing (or everything) was seen, the open end is the exact one-sided bound
    1 - (1 - level)^(1/n), which the rule of three writes as 3/n. Raises ValueError on impossible
    counts.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"hits must lie between 0 and trials (got {hits} of {trials})")
    if trials == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    z = np.array([stats.norm.ppf(0.5 + level / 2)])
    low, high = score_ends(np.array([hits / trials]), np.array([float(trials)]), z, level)
    return Interval(hits / trials, float(low[0]), float(high[0]), trials)


def score_ends(
    share: NDArray[np.float64],
    trials: NDArray[np.float64],
    critical: NDArray[np.float64],
    level: float,
    one_sided: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of score intervals (Wilson 1927) of shares of so many independent items.

    ``trials`` need not be whole: an effective number is not. Where nothing or everything was seen the open
    end is the exact one-sided bound, unless ``one_sided`` is False.
    """
    squared = critical**2
    centre = share + squared / (2 * trials)
    half = critical * np.sqrt(share * (1 - share) / trials + squared / (4 * trials**2))
    scale = 1 + squared / trials
    low, high = np.maximum((centre - half) / scale, 0.0), np.minimum((centre + half) / scale, 1.0)
    if one_sided:
        bound = 1 - (1 - level) ** (1 / trials)
        low, high = np.where(share == 1, 1 - bound, low), np.where(share == 0, bound, high)
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)


def decimals(low: float, high: float, most: int = 3) -> int:
    """Return how many decimals a range supports: its half width shows in the last digit.

    Negative where not even the ones are certain (−1: tens). ``most`` caps it, and is the answer
    where the range has no width or is not known.
    """
    half = abs(high - low) / 2
    if not np.isfinite(half) or half == 0:
        return most
    return min(most, -int(np.floor(np.log10(half))))


def rounded(value: float, bounds: Sequence[float], most: int = 3) -> float:
    """Return the value with no more digits than its range ``(low, high)`` supports."""
    return round(float(value), decimals(bounds[0], bounds[1], most))
