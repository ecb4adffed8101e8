"""Time to an event: a count where all are followed, and estimates for logs that were cut off early."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from flowsim.statistics.intervals import LEVEL


def cumulative_incidence(
    times: ArrayLike, events: ArrayLike, at: ArrayLike, event: int = 1
) -> NDArray[np.float64]:
    """Return the share of all cases that had ``event`` by each time: a count, for full follow-up.

    ``times``: when each case's first event came, in any unit; ``events``: which one it was (0:
    none by the end of follow-up). Right only where nobody is censored before the last of ``at``;
    use :func:`aalen_johansen` otherwise. No cases give NaN.
    """
    when, which = np.asarray(times, dtype=np.float64), np.asarray(events)
    grid = np.asarray(at, dtype=np.float64)
    if when.size == 0:
        return np.full(grid.shape, np.nan)
    return np.searchsorted(np.sort(when[which == event]), grid, side="right") / when.size


def kaplan_meier(times: ArrayLike, observed: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Return the share still without the event at each time, where some were censored earlier.

    ``observed`` is False where follow-up ended before the event. Kaplan and Meier 1958, by scipy.
    """
    when, seen = np.asarray(times, dtype=np.float64), np.asarray(observed, dtype=bool)
    curve = stats.ecdf(stats.CensoredData(uncensored=when[seen], right=when[~seen])).sf
    return np.asarray(curve.evaluate(np.asarray(at, dtype=np.float64)), dtype=np.float64)


def _at_risk(times: ArrayLike, events: ArrayLike, event: int) -> tuple[NDArray[Any], ...]:
    """Return each moment, how many had this event then, how many any, and how many were still at risk."""
    when, which = np.asarray(times, dtype=np.float64), np.asarray(events)
    moments, start = np.unique(when, return_inverse=True)
    of_this = np.bincount(start, weights=which == event, minlength=moments.size)
    of_any = np.bincount(start, weights=which != 0, minlength=moments.size)
    leaving = np.bincount(start, minlength=moments.size)
    at_risk = when.size - np.concatenate(([0], leaving.cumsum()[:-1])) if when.size else leaving
    return moments, of_this, of_any, at_risk


def aalen_johansen(times: ArrayLike, events: ArrayLike, at: ArrayLike, event: int = 1) -> NDArray[np.float64]:
    """Return the share that had ``event`` by each time, with competing events and early censoring.

    ``events``: 0 where the case was censored at its time, else the number of the event that came
    first. Aalen and Johansen 1978: at each time t, S(t−) · (events of this kind) / (at risk).
    """
    moments, of_this, of_any, at_risk = _at_risk(times, events, event)
    surviving = np.cumprod(1 - of_any / at_risk)
    before = np.concatenate(([1.0], surviving[:-1]))[: moments.size]
    reached = np.concatenate(([0.0], np.cumsum(before * of_this / at_risk)))
    return reached[np.searchsorted(moments, np.asarray(at, dtype=np.float64), side="right")]


def aalen_johansen_interval(
    times: ArrayLike, events: ArrayLike, at: ArrayLike, event: int = 1, level: float = LEVEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of pointwise intervals of :func:`aalen_johansen`, for independent cases.

    The variance is that of the delta method (Marubini and Valsecchi 1995), which is
    F (1 − F) / n where nobody is censored; the ends are those on the scale log(−log F), so they stay within 0
    and 1, and missing where the estimate is 0 or 1. Cases of one simulated replication share their queues, so
    there the interval over replications is the right one; this one is for a log of which there is one.
    """
    moments, of_this, of_any, at_risk = _at_risk(times, events, event)
    before = np.concatenate(([1.0], np.cumprod(1 - of_any / at_risk)))[: moments.size]
    reached = np.cumsum(before * of_this / at_risk)
    # At the last moment all may leave at once; what divides by their number is then multiplied by nothing.
    left = np.maximum(at_risk - of_any, 1)
    a = of_any / (at_risk * left)
    b = before**2 * (at_risk - of_this) * of_this / at_risk**3
    c = before * of_this / at_risk**2
    sums = [
        np.concatenate(([0.0], np.cumsum(x))) for x in (a, a * reached, a * reached**2, b, c, c * reached)
    ]
    place = np.searchsorted(moments, np.asarray(at, dtype=np.float64), side="right")
    share = np.concatenate(([0.0], reached))[place]
    one, linear, square, own, cross, cross_linear = (x[place] for x in sums)
    variance = share**2 * one - 2 * share * linear + square + own - 2 * (share * cross - cross_linear)
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    z = stats.norm.ppf(0.5 + level / 2)
    spread = z * np.sqrt(np.maximum(variance, 0.0)) / (safe * np.log(safe))
    low, high = safe ** np.exp(-spread), safe ** np.exp(spread)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def restricted_mean(times: ArrayLike, observed: ArrayLike, until: float) -> float:
    """Return the mean of min(time, until) from a log that was cut off early: the area under Kaplan–Meier.

    ``observed`` is False where follow-up ended before any event. NaN without cases, and where everybody was
    lost from sight before ``until`` with the event still to come, as nothing then says how the curve goes on.
    """
    when, seen = np.asarray(times, dtype=np.float64), np.asarray(observed, dtype=bool)
    if not when.size:
        return float("nan")
    surviving = float(kaplan_meier(when, seen, [when.max()])[0])
    if when.max() < until and surviving > 0:
        return float("nan")
    steps = np.unique(np.concatenate(([0.0, until], when[(when > 0) & (when < until)])))
    return float((kaplan_meier(when, seen, steps[:-1]) * np.diff(steps)).sum())


def cut_off(
    created: ArrayLike, times: ArrayLike, events: ArrayLike, at: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return times and events of cases as a log shows them that was written out at an instant.

    ``created`` and ``at`` are on one clock, ``times`` from creation in the same unit. Cases created later are
    not in the log; of the others, what has not happened by then is censored (event 0) at the time seen.
    """
    began = np.asarray(created, dtype=np.float64)
    there = began < at
    seen = at - began[there]
    when, which = np.asarray(times, dtype=np.float64)[there], np.asarray(events, dtype=np.int64)[there]
    return np.minimum(when, seen), np.where(when <= seen, which, 0)
