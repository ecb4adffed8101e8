"""Many comparisons at once: Holm for those declared beforehand, false-discovery rate for the rest."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from flowsim.statistics.comparing import CELL

#: Columns of ``many_comparisons.csv``.
MANY_COLUMNS: Final = ("scenario", "baseline", "measure", "group", "p", "family", "of", "adjusted_p")


class Family(StrEnum):
    """Which comparisons a comparison is judged together with."""

    declared = "declared"  # of the measures that the experiment declares, for the whole: Holm
    explored = "explored"  # all others: false-discovery rate


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted so that the chance of any false alarm in the family stays below the level.

    Holm 1979: the i-th smallest of m is multiplied by m − i + 1, never below the one before it, at most 1.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def paired_p(differences: pd.DataFrame) -> pd.DataFrame:
    """Return the two-sided p-value of every paired difference: ``scenario, baseline, measure, group, p``.

    ``differences`` comes from :func:`pairs`; the test is Student's, by replication. Missing below two
    replications. Where all replications have the same difference, p is 1 for nought and 0 for any other.
    """
    keys = ["scenario", "baseline", *CELL]
    grouped = differences.groupby(keys, sort=False, observed=True)["difference"]
    table = grouped.agg(["mean", "std", "count"])
    mean, deviation, n = (table[name].to_numpy() for name in ("mean", "std", "count"))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / (deviation / np.sqrt(n))
        p = 2 * stats.t.sf(t, np.where(n >= 2, n - 1, np.nan))
    p = np.where((n >= 2) & (deviation == 0), np.where(mean == 0, 1.0, 0.0), p)
    return table.assign(p=p).reset_index()[[*keys, "p"]]


def many_comparisons(differences: pd.DataFrame, declared: Collection[str]) -> pd.DataFrame:
    """Return each comparison's p-value, adjusted for how many there are: ``MANY_COLUMNS``.

    ``declared`` names the measures that the experiment declared before it was run: their comparisons for
    the whole are one family, adjusted by Holm. All others, groups included, are another, adjusted to the
    false-discovery rate (Benjamini and Hochberg 1995, by scipy): of those below 5 % about one in twenty is
    expected to be nothing. ``of`` is the size of the family. Comparisons without a p-value are in neither.
    """
    table = paired_p(differences)
    known = table["p"].notna().to_numpy()
    headline = (table["measure"].isin(list(declared)) & (table["group"] == "")).to_numpy()
    adjusted, of = np.full(len(table), np.nan), np.zeros(len(table), np.int64)
    for family, here in ((Family.declared, headline & known), (Family.explored, ~headline & known)):
        p = table["p"].to_numpy()[here]
        of[here] = p.size
        if p.size:
            adjusted[here] = holm(p) if family is Family.declared else stats.false_discovery_control(p)
    names = np.where(headline, str(Family.declared), str(Family.explored))
    table = table.assign(family=names, of=of, adjusted_p=adjusted)
    return table[list(MANY_COLUMNS)]
