"""Shares of what is rare: counts over all replications with score intervals, and chances instead of coins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from flowsim.statistics.comparing import CELL
from flowsim.statistics.intervals import LEVEL, Interval, critical_t, score_ends

#: Columns of ``rare_shares.csv``.
RARE_COLUMNS: Final = (
    "scenario",
    "measure",
    "group",
    "hits",
    "trials",
    "share",
    "low",
    "high",
    "overdispersion",
    "replications",
)
#: Shares whose denominator is a measure of its own.
_COUNTED_BY: Final = {
    "deliveries_created": (
        "deliveries_lost_share",
        "deliveries_recovered_share",
        "deliveries_waiting_share",
        "silent_failure_share",
        "failed_told_share",
    ),
    "referrals_created": ("referrals_lost_share", "referrals_recovered_share"),
}


def rare_shares(summary: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return shares that are counts of messages, pooled over replications: ``RARE_COLUMNS``.

    The interval is the score interval (Wilson 1927), which holds where the t-interval over replications
    does not: where few or none were seen. Items of one replication may share their fate (an outage, a
    defect); ``overdispersion`` is how much more counts vary between replications than independent items
    would (Pearson's χ² over its degrees of freedom), and where that is above 1 the number of items is
    divided by it and Student's critical value taken. Where nothing was seen, ``high`` is the exact one-sided
    bound; it takes items to be independent, as nothing seen tells nothing of overdispersion.
    """
    frames = [
        _counts(summary, measure, created) for created, shares in _COUNTED_BY.items() for measure in shares
    ]
    counts = pd.concat(frames, ignore_index=True)
    keys = ["scenario", *CELL]
    grouped = counts.groupby(keys, sort=False, observed=True)
    table = grouped[["hits", "trials"]].sum()
    table["replications"] = grouped.size()
    table["share"] = table["hits"] / table["trials"]
    joined = counts.merge(table["share"].reset_index(), on=keys)
    expected = joined["trials"] * joined["share"] * (1 - joined["share"])
    off = (joined["hits"] - joined["trials"] * joined["share"]) ** 2
    joined["chi"] = np.where(expected > 0, off / expected.where(expected > 0, 1.0), 0.0)
    chi = joined.groupby(keys, sort=False, observed=True)["chi"].sum().reindex(table.index)
    n = table["replications"].to_numpy()
    over = np.where(n > 1, chi / np.maximum(n - 1, 1), np.nan)
    # Without any hit, or with nothing but hits, the counts do not say how they vary.
    over = np.where(np.isin(table["share"], (0.0, 1.0)), np.nan, over)
    table["overdispersion"] = over
    wide = np.nan_to_num(over, nan=1.0) > 1
    z = np.where(wide, critical_t(n, level), stats.norm.ppf(0.5 + level / 2))
    trials = table["trials"].to_numpy() / np.where(wide, over, 1.0)
    table["low"], table["high"] = score_ends(table["share"].to_numpy(), trials, z, level)
    order = {name: place for place, name in enumerate(dict.fromkeys(summary["scenario"]))}
    result = table.reset_index()[list(RARE_COLUMNS)].astype({"hits": np.int64, "trials": np.int64})
    return result.sort_values("scenario", key=lambda s: s.map(order), kind="stable", ignore_index=True)


def _counts(summary: pd.DataFrame, measure: str, created: str) -> pd.DataFrame:
    """Return how many of how many had what a share counts, by scenario, replication and group."""
    keys = ["scenario", "replication", "group"]
    shares = summary[summary["measure"] == measure]
    trials = summary.loc[summary["measure"] == created, [*keys, "value"]]
    both = shares.merge(trials.rename(columns={"value": "trials"}), on=keys, how="inner")
    both = both[both["value"].notna() & (both["trials"] > 0)]
    hits = (both["value"] * both["trials"]).round()
    return both.assign(hits=hits)[["scenario", "replication", *CELL, "hits", "trials"]]


def conditional_share(chance: ArrayLike, struck: ArrayLike, hit: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the share that is hit by a rare independent loss, from its chances instead of its coins.

    ``chance``: for each item the known chance that the loss strikes it, given the path that it took (0
    where it never came to the throw); ``struck``: whether it did; ``hit``: whether what is counted came of
    it (lost for good, say). The share is the mean chance times the part of those struck that was hit, so
    that only the second is left to luck: Var falls from p q (1 − p q) / n to p q (1 − q) / n, by the factor
    (1 − p q) / (1 − q), and to nothing where all that is struck is hit. The interval is the score interval
    of that part. Where nothing was struck the part is not known, and the ends are 0 and the mean chance.
    Right only for losses that are independent of the path: none of a defect, none that load decides.
    Raises ValueError on unequal lengths.
    """
    chances = np.asarray(chance, dtype=np.float64)
    which, counted = np.asarray(struck, dtype=bool), np.asarray(hit, dtype=bool)
    if not chances.shape == which.shape == counted.shape:
        raise ValueError("chance, struck and hit must be equally long")
    if not chances.size:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean, n = float(chances.mean()), int(which.sum())
    if n == 0:
        return Interval(np.nan if mean > 0 else 0.0, 0.0, mean, int(chances.size))
    part = float((which & counted).sum() / n)
    z = np.array([stats.norm.ppf(0.5 + level / 2)])
    low, high = score_ends(np.array([part]), np.array([float(n)]), z, level, one_sided=False)
    return Interval(mean * part, mean * float(low[0]), mean * float(high[0]), int(chances.size))


def score_interval_of_sum(parts: Sequence[Interval], n: int) -> Interval:
    """Return the sum of independent estimates with an interval from theirs (MOVER, Zou and Donner 2008).

    Each end lies off the sum by the root of the squared distances of the parts' ends. A part without an
    estimate counts as its lower end in the sum, so that its upper end widens the interval.
    """
    means = np.array([part.low if np.isnan(part.mean) else part.mean for part in parts])
    low = np.sqrt(np.sum((means - np.array([part.low for part in parts])) ** 2))
    high = np.sqrt(np.sum((np.array([part.high for part in parts]) - means) ** 2))
    total = float(means.sum())
    return Interval(total, max(total - float(low), 0.0), min(total + float(high), 1.0), n)
