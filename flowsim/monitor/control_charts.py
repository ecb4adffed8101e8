"""Control charts of volumes and shares: a CUSUM on counts, with its threshold from a false-alarm interval."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.stats import poisson

#: Steps of the grid on which the chart's course is followed; a finer one changes thresholds by under 1 %.
_GRID: Final = 120
#: A threshold is looked for up to here; a chart that needs more never alarms.
_HIGHEST: Final = 60.0


Counts = TypeVar("Counts", float, NDArray[np.float64])


def step(count: Counts, mean: float, change: float) -> Counts:
    """Return what a bucket adds: the log-likelihood ratio of a mean changed by a factor, for a Poisson count.

    >>> round(step(10, 10.0, 0.5), 3)
    -1.931
    """
    return count * float(np.log(change)) + mean * (1.0 - change)


def run_length(mean: float, change: float, threshold: float) -> float:
    """Return the mean number of buckets to a false alarm of the chart S = max(0, S + step) > threshold.

    By a Markov chain over S (Brook and Evans 1972): the middle of each of ``_GRID`` parts stands for it.
    """
    width = threshold / (_GRID - 0.5)
    places = np.arange(_GRID) * width
    far = int(poisson.isf(1e-12, mean)) + 2
    counts = np.arange(far, dtype=np.float64)
    chance = poisson.pmf(counts, mean)
    reached = np.maximum(0.0, places[:, None] + step(counts, mean, change)[None, :])
    inside = reached <= threshold
    column = np.minimum(np.rint(reached / width).astype(np.int64), _GRID - 1)
    moves = np.zeros((_GRID, _GRID))
    rows = np.broadcast_to(np.arange(_GRID)[:, None], reached.shape)
    np.add.at(moves, (rows[inside], column[inside]), np.broadcast_to(chance, reached.shape)[inside])
    # SciPy's: NumPy's hands so small a system to all cores, which wait for each other when others work too.
    lengths = linalg.solve(np.eye(_GRID) - moves, np.ones(_GRID))
    return float(lengths[0])


@lru_cache(maxsize=4096)
def threshold(mean: float, change: float, buckets: float) -> float:
    """Return the least threshold whose mean time between false alarms is at least so many buckets."""
    low, high = 0.05, 1.0
    while run_length(mean, change, high) < buckets:
        low, high = high, 2.0 * high
        if high > _HIGHEST:
            return float("inf")
    for _ in range(18):
        middle = 0.5 * (low + high)
        if run_length(mean, change, middle) < buckets:
            low = middle
        else:
            high = middle
    return high


def rounded(mean: float) -> float:
    """Return a mean to two figures, so that streams that are alike share a threshold."""
    return float(f"{mean:.2g}") if mean > 0.0 else 0.0


class Chart:
    """One stream's chart: learns what is usual, then watches for a change by a factor."""

    def __init__(self, change: float, buckets: float, training_until: float) -> None:
        """Take the factor to look for, the buckets between false alarms, and when learning ends (hours)."""
        self.change = change
        self.buckets = buckets
        self.training_until = training_until
        self.value = 0.0
        self.since = 0.0
        self._events = 0.0
        self._basis = 0.0

    def take(self, begin: float, end: float, count: float, basis: float, least: float = 0.0) -> bool:
        """Take a bucket's count and what it is measured by (activity, trials); True: an alarm.

        ``least`` is the smallest rate that is believed. A threshold for the bucket's own mean is used, so
        quiet and busy weeks are judged alike.
        """
        if end <= self.training_until:
            self._events += count
            self._basis += basis
            self.since = end
            return False
        if self._basis <= 0.0 or (self._events <= 0.0 and least <= 0.0):
            return False
        mean = max(self._events / self._basis, least) * basis
        if mean <= 0.0:
            return False
        if self.value == 0.0:
            self.since = begin
        self.value = max(0.0, self.value + step(count, mean, self.change))
        if self.value > threshold(rounded(mean), self.change, self.buckets):
            self.value = 0.0
            return True
        return False
