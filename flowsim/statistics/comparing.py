"""Tables of many scenarios: means, baselines, paired differences, and the assumption range.

The tables are tidy: scenario, replication, measure, group, value, unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from flowsim.statistics.intervals import LEVEL, critical_t
from flowsim.vocabulary import COMPARISON_COLUMNS

#: The value of a baseline rule that means "as in the scenario itself".
SAME: Final = "same"
#: The column of the scenarios table that names the set of assumed rates.
RATES: Final = "rates"
#: Settings of an experiment that have no dot in their names.
PLAIN_SETTINGS: Final = frozenset(
    ["start", "warm_up", "observe", "follow_up", "seed", "view", RATES, "outages", "use_levers"]
)
CELL: Final = ["measure", "group"]


def means(summary: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return every measure's mean over replications with its simulation interval.

    ``summary`` has the columns of ``SUMMARY_COLUMNS``; the result ``scenario, measure, group,
    mean, low, high, unit, replications``, in the order in which they first stand in ``summary``.
    """
    return _aggregate(summary, ["scenario", *CELL], "value", level).rename(columns={"value": "mean"})


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
    both = left.merge(right, on=["baseline", "replication", *CELL], how="inner", validate="many_to_one")
    both["difference"] = both["value"] - both["baseline_value"]
    columns = ["scenario", "baseline", "replication", *CELL, "value", "baseline_value", "difference", "unit"]
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
    result = _aggregate(table, ["scenario", "baseline", *CELL], "difference", level)
    return result[list(COMPARISON_COLUMNS)]


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
    grouped = joined.groupby([*settings, *CELL], sort=False, observed=True, dropna=False)
    result = grouped.agg(
        assumption_low=(value, "min"), assumption_high=(value, "max"), rate_sets=(over, "nunique")
    ).reset_index()
    alone = result["rate_sets"] < 2
    result.loc[alone, ["assumption_low", "assumption_high"]] = np.nan
    result["contains_zero"] = (result["assumption_low"] <= 0) & (result["assumption_high"] >= 0)
    return result
