"""What pairing by replication is worth, with its interval, and why where it is worth little.

The gain is the variance that unpaired replications would have had over that of the paired differences:
a gain of 4 means that pairing was worth four times the replications.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from flowsim.statistics.comparing import CELL
from flowsim.statistics.intervals import LEVEL, critical_t, mean_interval

#: Below this gain a reason is told.
LITTLE_GAIN: Final = 1.5
#: Columns of ``pairing.csv``.
PAIRING_COLUMNS: Final = (
    "scenario",
    "baseline",
    "measure",
    "group",
    "pairing_gain",
    "low",
    "high",
    "correlation",
    "replications",
    "reason",
)
#: Differences that vary less than this part of what their sides vary are rounding, and do not vary.
_ROUNDING: Final = 1e-18


class Reason(StrEnum):
    """Why pairing by replication brought little; the first that applies."""

    nothing_varies = "nothing_varies"  # neither side differs between replications
    one_sided = "one_sided"  # one side varies so much less that no pairing could bring much
    other_events = "other_events"  # what is counted in one world hardly occurs in the other
    few_replications = "few_replications"  # too few to tell the gain from LITTLE_GAIN
    opposed = "opposed"  # luck that is good for one side is bad for the other
    little_shared = "little_shared"  # the two sides share little of their luck


class PairedDifference(NamedTuple):
    """A difference taken replication by replication, and what the pairing was worth."""

    difference: float
    low: float
    high: float
    n: int
    pairing_gain: float
    gain_low: float
    gain_high: float


def paired_difference(scenario: ArrayLike, baseline: ArrayLike, level: float = LEVEL) -> PairedDifference:
    """Return scenario minus baseline, paired by replication, with its t-interval and the pairing's gain.

    Both arrays hold one value a replication, in the same order; the gain's interval is that of
    :func:`gain_interval`. Raises ValueError on unequal lengths.
    """
    left, right = np.asarray(scenario, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"paired values must be equally many (got {left.size} and {right.size})")
    both = ~(np.isnan(left) | np.isnan(right))
    left, right = left[both], right[both]
    mean, low, high, n = mean_interval(left - right, level)
    if n < 2:
        return PairedDifference(mean, low, high, n, np.nan, np.nan, np.nan)
    spreads = np.array([[values.var(ddof=1)] for values in (left, right, left + right, left - right)])
    gain, gain_low, gain_high = (float(x[0]) for x in _gains(spreads, np.array([float(n)]), level))
    return PairedDifference(mean, low, high, n, gain, gain_low, gain_high)


def _gains(
    spreads: NDArray[np.float64], n: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return gains with their intervals, from variances in rows: both sides, sum, difference.

    var(x) + var(y) = (var(x + y) + var(x - y)) / 2, so the gain is (1 + F) / 2 with F the ratio of the
    variances of sum and difference. These are two correlated variances, for which the interval of a
    ratio is exact where replications are normal: F (K ± √(K² − 1)), K = 1 + 2 (1 − r²) t² / (n − 2), r
    the correlation of sum and difference (Pitman 1939; Morgan 1939).
    """
    left, right, total, difference = spreads
    unpaired = left + right
    constant = difference <= _ROUNDING * unpaired
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(constant, np.where(unpaired > 0, np.inf, np.nan), unpaired / difference)
        ratio = total / difference
        squared = (left - right) ** 2 / (total * difference)
        t = critical_t(n - 1, level)  # n − 2 degrees of freedom
        k = 1 + 2 * np.clip(1 - squared, 0, 1) * t**2 / (n - 2)
        root = np.sqrt(k**2 - 1)
        low, high = (1 + ratio * (k - root)) / 2, (1 + ratio * (k + root)) / 2
    return gain, np.where(constant, np.nan, low), np.where(constant, np.nan, high)


def pairing_gains(table: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return what pairing was worth for every comparison, and the reason where it was worth little.

    ``table`` comes from :func:`pairs`; the columns are ``PAIRING_COLUMNS``. ``correlation`` is that of the
    two sides over replications. ``low`` and ``high`` are missing below three replications, and where
    differences do not vary at all (the gain is then infinite). ``reason`` is a :class:`Reason` where the
    gain is below ``LITTLE_GAIN`` or is not known, else empty.
    """
    keys = ["scenario", "baseline", *CELL]
    complete = table.dropna(subset=["difference"])
    complete = complete.assign(total=complete["value"] + complete["baseline_value"])
    grouped = complete.groupby(keys, sort=False, observed=True)
    names = ["value", "baseline_value", "total", "difference"]
    variance, mean = grouped[names].var(), grouped[["value", "baseline_value"]].mean()
    spreads = variance[names].to_numpy(dtype=np.float64).T
    left, right, total, difference = spreads
    n = grouped.size().to_numpy(dtype=np.int64)
    gain, low, high = _gains(spreads, n.astype(np.float64), level)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (total - difference) / (4 * np.sqrt(left * right))
        best = (left + right) / (np.sqrt(left) - np.sqrt(right)) ** 2
    share = (grouped["unit"].first() == "share").to_numpy()
    nested = np.where(share, nested_gain(mean["value"], mean["baseline_value"]), np.inf)
    rules = [
        (gain >= LITTLE_GAIN, ""),
        (n < 3, Reason.few_replications),
        (np.isnan(gain), Reason.nothing_varies),
        (best < LITTLE_GAIN, Reason.one_sided),
        (nested < LITTLE_GAIN, Reason.other_events),
        (high >= LITTLE_GAIN, Reason.few_replications),
        (correlation < 0, Reason.opposed),
    ]
    reason = np.select([rule for rule, _ in rules], [str(word) for _, word in rules], Reason.little_shared)
    result = variance.assign(pairing_gain=gain, correlation=correlation, replications=n, reason=reason)
    result = result.assign(low=low, high=high)
    return result.reset_index()[list(PAIRING_COLUMNS)]


def nested_gain(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return the gain where the rarer events of one world are all among those of the other.

    Shares p and q of the same items, with a common draw for each: Var(X) + Var(Y) over Var(X − Y) is
    (p (1 − p) + q (1 − q)) / (|p − q| (1 − |p − q|)), about (p + q) / |p − q| where both are rare. No
    pairing of independent items can gain more. Infinite where the shares are equal.
    """
    p, q = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    gap = np.abs(p - q)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = (p * (1 - p) + q * (1 - q)) / (gap * (1 - gap))
    return np.asarray(np.where(gap > 0, gain, np.inf), dtype=np.float64)
