"""The same cases in two worlds: differences case by case, and what they come to over replications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.statistics.intervals import LEVEL, mean_interval

#: Columns of ``case_differences.csv``.
CASE_COLUMNS: Final = (
    "scenario",
    "baseline",
    "measure",
    "group",
    "cases",
    "unmatched",
    "sooner_share",
    "same_share",
    "later_share",
    "difference",
    "low",
    "high",
    "difference_where_any",
    "case_gain",
    "replications",
)
#: Times that differ by less, in days, are the same: a tenth of a second.
_SAME: Final = 1e-6
#: By what cases are split, besides the whole.
_GROUPS: Final = (("pathway",), ("urgency",), ("pathway", "urgency"))


def case_differences(
    scenario: pd.DataFrame, baseline: pd.DataFrame, column: str = "time_to_care_days"
) -> pd.DataFrame:
    """Return each case that both worlds have, with its two values and the difference.

    Both frames hold the cases of one and the same replication. Columns: ``case, pathway, urgency, value,
    baseline_value, difference``; cases without a value (no start of care) are left out. A case is the same
    by its number, which only seed, replication and origin decide.
    """
    keys = ["case", "pathway", "urgency"]
    left = scenario[[*keys, column]].rename(columns={column: "value"}).dropna(subset=["value"])
    right = baseline[["case", column]].rename(columns={column: "baseline_value"})
    both = left.merge(right.dropna(), on="case", how="inner", validate="one_to_one")
    return both.assign(difference=both["value"] - both["baseline_value"])


def case_pairs(
    frames: Iterable[tuple[str, str, int, pd.DataFrame, pd.DataFrame]],
    column: str = "time_to_care_days",
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return what happens to the same cases in two worlds, over replications: ``CASE_COLUMNS``.

    ``frames`` has (scenario, baseline, replication, cases of the scenario, cases of the baseline).
    ``cases`` are those in both, over all replications, and ``unmatched`` those in one only. The shares say
    how many have the value sooner, at the same instant, or later. ``difference`` is the mean over cases,
    with a t-interval over replications, as cases of one replication share their queues; and
    ``difference_where_any`` the mean over those that differ. ``case_gain`` is what pairing case by case is
    worth beyond pairing by replication: the variance of single cases' values, both sides, over that of
    their differences.
    """
    cells: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for scenario, baseline, _, one, other in frames:
        both = case_differences(one, other, column)
        unmatched = _with_value(one, column) + _with_value(other, column) - 2 * len(both)
        for group, part in _groups(both):
            row = _of_cases(part) | {"unmatched": unmatched if not group else 0}
            cells.setdefault((scenario, baseline, group), []).append(row)
    rows = [
        {"scenario": s, "baseline": b, "measure": column, "group": group, **_over_replications(parts, level)}
        for (s, b, group), parts in cells.items()
    ]
    return pd.DataFrame(rows, columns=list(CASE_COLUMNS))


def _with_value(cases: pd.DataFrame, column: str) -> int:
    return int(cases[column].notna().sum())


def _groups(both: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the whole, then each group under its name as in the summary."""
    yield "", both
    for names in _GROUPS:
        for values, part in both.groupby(list(names), observed=True):
            yield ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True)), part


def _of_cases(part: pd.DataFrame) -> dict[str, float]:
    difference = part["difference"].to_numpy()
    sides = part["value"].var() + part["baseline_value"].var()
    return {
        "cases": len(part),
        "sooner": int((difference < -_SAME).sum()),
        "later": int((difference > _SAME).sum()),
        "sum": float(difference.sum()),
        "sides": float(sides) * len(part),
        "spread": float(part["difference"].var()) * len(part),
    }


def _over_replications(parts: Sequence[dict[str, float]], level: float) -> dict[str, Any]:
    """Return one row of the result: counts added up, the mean difference by replication."""
    total = {name: sum(part[name] for part in parts) for name in parts[0]}
    cases, changed = total["cases"], total["sooner"] + total["later"]
    means = [part["sum"] / part["cases"] for part in parts if part["cases"]]
    interval = mean_interval(means, level)

    def share(count: float) -> float:
        return count / cases if cases else np.nan

    return {
        "cases": int(cases),
        "unmatched": int(total["unmatched"]),
        "sooner_share": share(total["sooner"]),
        "same_share": share(cases - changed),
        "later_share": share(total["later"]),
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "difference_where_any": total["sum"] / changed if changed else 0.0,
        "case_gain": total["sides"] / total["spread"] if total["spread"] > 0 else np.inf,
        "replications": len(means),
    }
