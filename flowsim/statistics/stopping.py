"""How many replications are enough, judged on complete prefixes and never on what finished first."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from flowsim.statistics.intervals import LEVEL, critical_t


def prefix_half_widths(differences: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
    """Return the half width of the t-interval after 1, 2, … replications.

    ``differences``: shape (replications, comparisons), in replication order. The result has the
    same shape; its first row is NaN, and so is everything from a missing value on.
    """
    data = _columns(differences)
    n = np.arange(1, len(data) + 1, dtype=np.float64)[:, None]
    # Centred on the first replication, so that running sums keep their precision.
    shifted = data - data[:1]
    sums, squares = shifted.cumsum(axis=0), (shifted**2).cumsum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(squares - sums**2 / n, 0.0) / (n - 1)
        half: NDArray[np.float64] = critical_t(n, level) * np.sqrt(variance / n)
    return half


def enough(
    differences: ArrayLike, half_width: float, at_least: int, batch: int = 5, level: float = LEVEL
) -> int | None:
    """Return how many replications are enough, or None while that cannot be said yet.

    The answer is the smallest step n = at_least, at_least + batch, … where every compared
    difference has a half width of at most ``half_width`` both at n and at n + batch: asking twice
    keeps a lucky narrow moment from stopping the run. It is judged on the prefix 1..n without
    gaps, never on what finished first. ``differences``: shape (replications, comparisons) in
    replication order; a missing replication is a row of NaN, and later rows do not count.
    """
    data = _columns(differences)
    if at_least < 1 or batch < 1:
        raise ValueError("at_least and batch must be 1 or more")
    gaps = np.isnan(data).any(axis=1)
    complete = int(gaps.argmax()) if gaps.any() else len(data)
    precise = np.all(prefix_half_widths(data[:complete], level) <= half_width, axis=1)
    for n in range(at_least, complete - batch + 1, batch):
        if precise[n - 1] and precise[n + batch - 1]:
            return n
    return None


def convergence(differences: ArrayLike, level: float = LEVEL) -> pd.DataFrame:
    """Return the running mean and interval of one difference: ``replications, mean, low, high``."""
    data = _columns(differences)[:, 0]
    n = np.arange(1, data.size + 1)
    mean, half = data.cumsum() / n, prefix_half_widths(data, level)[:, 0]
    return pd.DataFrame({"replications": n, "mean": mean, "low": mean - half, "high": mean + half})


def _columns(differences: ArrayLike) -> NDArray[np.float64]:
    data = np.asarray(differences, dtype=np.float64)
    return data[:, None] if data.ndim == 1 else data
