"""Is warm-up long enough? MSER-5 on the weekly backlog, averaged over replications.

Only a settled study has a steady state to come to. A roll-out is transient: its results are a course of
events from the opening of the window on, and there is nothing to truncate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from flowsim.statistics.intervals import mean_interval

#: Columns of ``steady_state.csv``.
STEADY_COLUMNS: Final = (
    "scenario",
    "service_kind",
    "waiting_for",
    "weeks",
    "warm_up_weeks",
    "settles_after_weeks",
    "backlog_before",
    "backlog_after",
    "low",
    "high",
    "verdict",
)
#: Working days of a batch; with five weekdays a batch is a week, and the rhythm of the week cancels.
BATCH: Final = 5
#: Batches that are always kept, as fewer say nothing of how they vary.
_KEPT: Final = 5
#: A list counts as unsettled where what comes before MSER's cut differs from what comes after it with this
#: certainty, by at least this share of it, and by at least so many items.
_LEVEL: Final = 0.99
_SHARE: Final = 0.05
_ITEMS: Final = 1.0


class Settling(StrEnum):
    """Whether a list has come to its long-run level by the opening of the window."""

    settled = "settled"
    late = "late"  # it comes to it, but after the opening
    never = "never"  # it still moves in the second half of the run, so that nothing says when it would
    transient = "transient"  # a roll-out or another change inside the run: there is no such level


def mser(series: ArrayLike, batch: int = BATCH) -> tuple[int, int]:
    """Return how many values to leave out at the start of a series, and how many batches it has.

    The series is cut into means of ``batch`` values; left out are the d batches for which the squared
    standard error of the mean of the rest, Σ (b − b̄)² / (k − d)², is smallest (MSER, White 1997; MSER-5,
    White, Cobb and Spratt 2000). A cut beyond the middle says that the series is too short or does not
    settle. The last five batches are never left out, and values that fill no batch are not looked at.
    """
    values = np.asarray(series, dtype=np.float64)
    k = values.size // batch
    means = values[: k * batch].reshape(k, batch).mean(axis=1)
    errors = [means[d:].var() / (k - d) for d in range(max(k - _KEPT, 0) + 1)] if k else [0.0]
    return int(np.argmin(errors)) * batch, k


def weekly(
    backlog: pd.DataFrame, start: dt.date, holidays: Collection[dt.date] = ()
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return one list's length on weekdays, week by week, and how many days lie before each week.

    ``backlog`` has ``replication, day, list_length`` of one kind of service in one scenario; day 1 is
    ``start``. Only whole weeks from the first Monday on, Monday to Friday, so that :func:`mser` has a week in
    each batch; weeks with a public holiday on a weekday are left out, as lists pile up in them. The lengths
    have the shape (replications, weekdays); days without a row are 0.
    """
    table = backlog.pivot_table(index="replication", columns="day", values="list_length", aggfunc="sum")
    days = int(backlog["day"].max()) if len(backlog) else 0
    table = table.reindex(columns=range(1, days + 1)).fillna(0.0)
    monday = (7 - start.weekday()) % 7
    first = np.arange(monday, days - 6, 7, dtype=np.int64)
    off = {(day - start).days for day in holidays}
    first = (
        first[[not off.intersection(range(d, d + BATCH)) for d in first.tolist()]] if first.size else first
    )
    chosen = (first[:, None] + np.arange(BATCH)).ravel()
    return table.to_numpy(dtype=np.float64)[:, chosen], first


def settling(
    backlog: pd.DataFrame,
    start: dt.date,
    warm_up_days: float,
    transient: Collection[str] = (),
    holidays: Collection[dt.date] = (),
) -> pd.DataFrame:
    """Return for every scenario and list whether it had settled when the window opened: ``STEADY_COLUMNS``.

    ``backlog`` is the merged profile (``scenario, replication, day, service_kind, waiting_for,
    list_length``), ``transient`` names scenarios in which something changes inside the run. The series is
    averaged over replications before MSER-5 looks at it. Its cut alone would often warn in vain, as it is
    the smallest of many noisy numbers: a list is ``late`` (or ``never``, where the cut lies beyond the
    middle) only if the weeks from the opening to the cut differ from those after it, by replication, with
    99 % certainty and by 5 % and one item. ``low`` and ``high`` are that difference's ends.
    """
    rows = []
    lists = backlog.groupby(["scenario", "service_kind", "waiting_for"], sort=False, observed=True)
    for (scenario, kind, waiting), part in lists:
        row: dict[str, Any] = {"scenario": scenario, "service_kind": kind, "waiting_for": waiting}
        row["warm_up_weeks"] = warm_up_days / 7.0
        if scenario in transient:
            rows.append(row | {"verdict": str(Settling.transient)})
        else:
            rows.append(row | _judged(*weekly(part, start, holidays), warm_up_days))
    return pd.DataFrame(rows, columns=list(STEADY_COLUMNS))


def _judged(series: NDArray[np.float64], first: NDArray[np.int64], warm_up_days: float) -> dict[str, Any]:
    """Return what MSER-5 says of one list, and whether it matters; ``first`` is the day of each week."""
    if not series.size:
        return {"verdict": str(Settling.settled)}
    cut, weeks = mser(series.mean(axis=0))
    cut //= BATCH
    by_week = series.reshape(len(series), weeks, BATCH).mean(axis=2)
    after = by_week[:, cut:].mean(axis=1)
    found: dict[str, Any] = {"weeks": weeks, "settles_after_weeks": first[cut] / 7.0 if cut else 0.0}
    found["backlog_after"] = float(after.mean())
    opening = int(np.searchsorted(first, warm_up_days))
    if cut <= opening:
        return found | {"verdict": str(Settling.settled)}
    before = by_week[:, opening:cut].mean(axis=1)
    interval = mean_interval(before - after, _LEVEL)
    certain = interval.low > 0 or interval.high < 0
    large = abs(interval.mean) >= max(_SHARE * abs(found["backlog_after"]), _ITEMS)
    found |= {"backlog_before": float(before.mean()), "low": interval.low, "high": interval.high}
    unsettled = Settling.never if cut > weeks / 2 else Settling.late
    return found | {"verdict": str(unsettled if certain and large else Settling.settled)}
