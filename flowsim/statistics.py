"""Intervals, paired differences, replications needed, and survival with competing events.

Two kinds of interval, never mixed. The *simulation interval* says how much luck is left in the
replications (columns ``low`` and ``high``). The *assumption range* says how far the answer moves
over sets of assumed rates (columns ``assumption_low`` and ``assumption_high``); more replications
do not narrow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from flowsim.vocabulary import COMPARISON_COLUMNS

#: The value of a baseline rule that means "as in the scenario itself".
SAME: Final = "same"
#: The column of the scenarios table that names the set of assumed rates.
RATES: Final = "rates"
#: Settings of an experiment that have no dot in their names.
PLAIN_SETTINGS: Final = frozenset(
    ["start", "warm_up", "observe", "follow_up", "seed", "view", RATES, "outages", "use_levers"]
)
LEVEL: Final = 0.95
_CELL: Final = ["measure", "group"]


class Interval(NamedTuple):
    """An estimate with its simulation interval; the ends are NaN where n is below 2."""

    mean: float
    low: float
    high: float
    n: int


class PairedDifference(NamedTuple):
    """A difference taken replication by replication, and what the pairing was worth."""

    difference: float
    low: float
    high: float
    n: int
    pairing_gain: float


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


def paired_difference(scenario: ArrayLike, baseline: ArrayLike, level: float = LEVEL) -> PairedDifference:
    """Return scenario minus baseline, paired by replication, with its t-interval.

    Both arrays hold one value a replication, in the same order. ``pairing_gain`` is the variance
    that unpaired replications would have had, over the variance of the paired differences: 4
    means that pairing was worth four times the replications. Raises ValueError on unequal lengths.
    """
    left, right = np.asarray(scenario, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"paired values must be equally many (got {left.size} and {right.size})")
    both = ~(np.isnan(left) | np.isnan(right))
    left, right = left[both], right[both]
    mean, low, high, n = mean_interval(left - right, level)
    gain = np.nan
    if n >= 2:
        gain = _ratio(float(left.var(ddof=1) + right.var(ddof=1)), float((left - right).var(ddof=1)))
    return PairedDifference(mean, low, high, n, gain)


def _ratio(unpaired: float, paired: float) -> float:
    """Return unpaired over paired variance; infinite where only the pairs do not vary."""
    if paired > 0:
        return unpaired / paired
    return np.inf if unpaired > 0 else np.nan


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
    bound = 1 - (1 - level) ** (1 / trials)
    if hits == 0:
        return Interval(0.0, 0.0, bound, trials)
    if hits == trials:
        return Interval(1.0, 1 - bound, 1.0, trials)
    ends = stats.binomtest(hits, trials).proportion_ci(confidence_level=level, method="wilson")
    return Interval(hits / trials, float(ends.low), float(ends.high), trials)


# --- how many replications are enough -----------------------------------------------------------


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


# --- tables: scenario, replication, measure, group, value, unit -----------------------------------


def means(summary: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return every measure's mean over replications with its simulation interval.

    ``summary`` has the columns of ``SUMMARY_COLUMNS``; the result ``scenario, measure, group,
    mean, low, high, unit, replications``, in the order in which they first stand in ``summary``.
    """
    return _aggregate(summary, ["scenario", *_CELL], "value", level).rename(columns={"value": "mean"})


def _aggregate(frame: pd.DataFrame, keys: list[str], column: str, level: float) -> pd.DataFrame:
    """Return mean, t-interval and count of a column by keys, all at once."""
    grouped = frame.groupby(keys, sort=False, observed=True)
    parts = grouped.agg(
        **{
            column: (column, "mean"),
            "deviation": (column, "std"),
            "replications": (column, "count"),
            "unit": ("unit", "first"),
        }
    )
    n = parts["replications"].to_numpy()
    half = critical_t(n, level) * parts["deviation"].to_numpy() / np.sqrt(np.maximum(n, 1))
    parts["low"], parts["high"] = parts[column] - half, parts[column] + half
    return parts.reset_index()[[*keys, column, "low", "high", "unit", "replications"]]


def setting_columns(scenarios: pd.DataFrame, rule: Iterable[str] = ()) -> list[str]:
    """Return the columns of the scenarios table that are varied settings.

    A setting has a dot in its name (``adoption.gp_practices``), is one of ``PLAIN_SETTINGS``, or is named
    in ``rule``; the others describe the scenario, as ``practices_on_platform`` does.
    """
    named = PLAIN_SETTINGS.union(rule)
    return [c for c in map(str, scenarios.columns) if "." in c or c in named]


def baselines(scenarios: pd.DataFrame, rule: Mapping[str, str]) -> dict[str, str]:
    """Return the baseline of every scenario that has one and is not its own.

    ``rule`` says for each varied setting which value the baseline has; ``same`` is the
    scenario's own value, and so is what the rule does not name. Raises ValueError where the rule
    names an unknown setting or a value that no scenario has.
    """
    table = scenarios.reset_index(drop=True)
    columns = setting_columns(table, rule)
    for setting, wanted in rule.items():
        if setting not in table.columns:
            raise ValueError(
                f"compare.to names '{setting}', which is not varied; varied: {', '.join(columns)}"
            )
        known = table[setting].astype(str)
        if _plain(wanted) != SAME and _plain(wanted) not in set(known.map(_plain)):
            values = ", ".join(dict.fromkeys(known))
            raise ValueError(f"compare.to.{setting}: no scenario has '{wanted}'; there are: {values}")
    own = [tuple(_plain(v) for v in row) for row in table[columns].itertuples(index=False)]
    fixed = [_plain(rule.get(c, SAME)) for c in columns]
    names = table["scenario"].astype(str).tolist()
    by_settings = dict(zip(own, names, strict=True))
    found = {}
    for name, held in zip(names, own, strict=True):
        wanted_values = tuple(v if f == SAME else f for v, f in zip(held, fixed, strict=True))
        baseline = by_settings.get(wanted_values)
        if baseline is not None and baseline != name:
            found[name] = baseline
    return found


def _plain(value: object) -> str:
    """Return a setting as it is compared: "25%" and "25 %" are the same."""
    return "".join(str(value).split())


def pairs(summary: pd.DataFrame, baseline_of: Mapping[str, str]) -> pd.DataFrame:
    """Return every measure's difference to the baseline, replication by replication.

    Columns ``scenario, baseline, replication, measure, group, value, baseline_value, difference,
    unit``; only replications that both have. ``baseline_of`` comes from :func:`baselines`.
    """
    left = summary.assign(baseline=summary["scenario"].astype(str).map(dict(baseline_of)))
    left = left[left["baseline"].notna()]
    right = summary.rename(columns={"scenario": "baseline", "value": "baseline_value"}).drop(columns="unit")
    right = right.assign(baseline=right["baseline"].astype(str))
    both = left.merge(right, on=["baseline", "replication", *_CELL], how="inner", validate="many_to_one")
    both["difference"] = both["value"] - both["baseline_value"]
    columns = ["scenario", "baseline", "replication", *_CELL, "value", "baseline_value", "difference", "unit"]
    return both[columns]


def compare(
    summary: pd.DataFrame, scenarios: pd.DataFrame, rule: Mapping[str, str], level: float = LEVEL
) -> pd.DataFrame:
    """Return every scenario against its baseline, with the simulation interval of the paired difference.

    ``rule`` is the experiment's ``compare.to``, for example ``{"adoption.gp_practices":
    "2 practices", "rates": "same"}``. The result has the columns of ``COMPARISON_COLUMNS``; a
    difference has its measure's unit. Raises ValueError as :func:`baselines` does.
    """
    return differences(pairs(summary, baselines(scenarios, rule)), level)


def differences(table: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return the mean of differences over replications, with its simulation interval (``pairs``' columns)."""
    result = _aggregate(table, ["scenario", "baseline", *_CELL], "difference", level)
    return result[list(COMPARISON_COLUMNS)]


def pairing_gains(table: pd.DataFrame) -> pd.DataFrame:
    """Return what pairing was worth: ``scenario, baseline, measure, group, pairing_gain``.

    ``table`` comes from :func:`pairs`. The gain is explained at :func:`paired_difference`.
    """
    keys = ["scenario", "baseline", *_CELL]
    complete = table.dropna(subset=["difference"])
    variance = complete.groupby(keys, sort=False, observed=True)[
        ["value", "baseline_value", "difference"]
    ].var()
    unpaired = (variance["value"] + variance["baseline_value"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = unpaired / variance["difference"].to_numpy()
    return variance.assign(pairing_gain=gain).reset_index()[[*keys, "pairing_gain"]]


def assumption_range(
    table: pd.DataFrame, scenarios: pd.DataFrame, value: str = "difference", over: str = RATES
) -> pd.DataFrame:
    """Return how far point estimates move over the sets of assumed rates: the assumption range.

    ``table`` is a comparison (``value="difference"``) or the result of :func:`means`
    (``value="mean"``). One row for each measure, group and combination of the other settings,
    with ``assumption_low, assumption_high, contains_zero, rate_sets``. With fewer than two sets
    there is no range: the ends are NaN and ``contains_zero`` is False.
    """
    settings = [c for c in setting_columns(scenarios) if c != over]
    known = scenarios[["scenario", *settings, *([over] if over in scenarios.columns else [])]]
    joined = table.merge(known, on="scenario", how="inner")
    if over not in joined.columns:
        joined[over] = ""
    grouped = joined.groupby([*settings, *_CELL], sort=False, observed=True, dropna=False)
    result = grouped.agg(
        assumption_low=(value, "min"), assumption_high=(value, "max"), rate_sets=(over, "nunique")
    ).reset_index()
    alone = result["rate_sets"] < 2
    result.loc[alone, ["assumption_low", "assumption_high"]] = np.nan
    result["contains_zero"] = (result["assumption_low"] <= 0) & (result["assumption_high"] >= 0)
    return result


# --- time to an event -----------------------------------------------------------------------------


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


def aalen_johansen(times: ArrayLike, events: ArrayLike, at: ArrayLike, event: int = 1) -> NDArray[np.float64]:
    """Return the share that had ``event`` by each time, with competing events and early censoring.

    ``events``: 0 where the case was censored at its time, else the number of the event that came
    first. Aalen and Johansen 1978: at each time t, S(t−) · (events of this kind) / (at risk).
    """
    when, which = np.asarray(times, dtype=np.float64), np.asarray(events)
    moments, start = np.unique(when, return_inverse=True)
    of_this = np.bincount(start, weights=which == event, minlength=moments.size)
    of_any = np.bincount(start, weights=which != 0, minlength=moments.size)
    leaving = np.bincount(start, minlength=moments.size)
    at_risk = when.size - np.concatenate(([0], leaving.cumsum()[:-1])) if when.size else leaving
    surviving = np.cumprod(1 - of_any / at_risk)
    before = np.concatenate(([1.0], surviving[:-1]))[: moments.size]
    reached = np.concatenate(([0.0], np.cumsum(before * of_this / at_risk)))
    return reached[np.searchsorted(moments, np.asarray(at, dtype=np.float64), side="right")]


# --- how many digits ------------------------------------------------------------------------------


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
