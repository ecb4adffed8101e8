"""The result tables as a person reads them on the console: means with intervals, and differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from flowsim.charts.lines import lines as points_of_lines
from flowsim.charts.lines import pooled
from flowsim.config.grid import short_names
from flowsim.labels import Labels, load_labels
from flowsim.statistics import decimals, means, setting_columns

#: Columns of the overview: heading, and the measures of which the first that has values is shown.
COLUMNS: Final = (
    ("referrals", ("referrals_created",)),
    ("messages", ("deliveries_created",)),
    ("lost (95 %)", ("referrals_lost_share", "deliveries_lost_share")),
    ("late", ("referrals_late_share", "deliveries_late_share")),
    ("failed silently", ("silent_failure_share",)),
    ("median to care start", ("time_to_care_days_median",)),
    ("90th percentile", ("time_to_care_days_p90",)),
    ("visits missed", ("visits_missed_share",)),
    ("days lists differ", ("medication_deviation_days_share",)),
    ("new a 1,000 days", ("medication_deviations_true_per_1000_days",)),
    ("reported a 1,000 days", ("medication_deviations_reported_per_1000_days",)),
    ("defects discovered after", ("defect_days_to_discovered_mean",)),
    ("hit by defects", ("defect_deliveries_hit",)),
)
#: What the overview says about the last level of each baseline.
DIFFERENCE: Final = (("referrals_lost_share", "lost"), ("deliveries_lost_share", "lost"))
_DIGITS_MOST: Final = 3


class Shown(NamedTuple):
    """A number with its simulation interval, in a measure's unit."""

    mean: float
    low: float
    high: float
    unit: str


def overview(
    summary: pd.DataFrame, scenarios: pd.DataFrame, comparison: pd.DataFrame, language: str = "en"
) -> str:
    """Return the table of scenarios with intervals, and the paired differences of the last levels."""
    labels = load_labels(language)
    values = _whole(means(summary))
    shown = [
        (heading, measure)
        for heading, measures in COLUMNS
        if (measure := next((m for m in measures if _has_values(values, m)), None)) is not None
    ]
    names = [str(name) for name in scenarios["scenario"] if any(key[0] == name for key in values)]
    heads, rows = _row_names(scenarios, names)
    body = [
        [*row, *(text_of(values.get((name, measure)), labels) for _, measure in shown)]
        for name, row in zip(names, rows, strict=True)
    ]
    lines = aligned([*heads, *(heading for heading, _ in shown)], body, left=len(heads))
    lines += _over_orders(summary, scenarios, labels)
    return "\n".join([*lines, *_last_differences(comparison, labels), *_not_begun(values, names, labels)])


def _over_orders(summary: pd.DataFrame, scenarios: pd.DataFrame, labels: Labels) -> list[str]:
    """Return a sentence for each level about the range over joining orders, where there are several."""
    known = points_of_lines(scenarios)
    if known["point"].nunique() == len(known):
        return []
    whole = summary[summary["group"] == ""]
    level, _ = pooled(whole, pd.DataFrame(), known)
    measure = next((m for m, _ in DIFFERENCE if m in set(level["measure"])), "")
    level = level[(level["measure"] == measure) & (level["orders"] > 1)]
    told = level.merge(known, on="scenario").sort_values(["line", "order"]).to_dict("records")
    return ["", *(_order_line(row, labels) for row in told)] if told else []


def _order_line(row: Mapping[Any, Any], labels: Labels) -> str:
    shown = text_of(Shown(row["mean"], row["order_low"], row["order_high"], row["unit"]), labels)
    return (
        f"{labels.measure(row['measure']).capitalize()} at {labels.level(row['level'])}, mean and range over "
        f"{row['orders']} joining orders (lowest to highest, no simulation interval): {shown}"
    )


def difference_table(
    comparison: pd.DataFrame, measures: Sequence[str] = (), many: pd.DataFrame | None = None
) -> str:
    """Return paired differences to the baseline for the whole; all measures where none is named.

    ``many`` is the table of comparisons adjusted for how many there are; without it that column is left out.
    """
    labels = load_labels("en")
    part = comparison[comparison["group"] == ""]
    if measures:
        part = part[part["measure"].isin(list(measures))]
    if part.empty:
        return "Nothing is compared here."
    heads = ["scenario", "baseline", "measure", "difference (95 %, paired)"]
    body = []
    for row in part.to_dict("records"):
        interval = Shown(row["difference"], row["low"], row["high"], row["unit"])
        body.append([row["scenario"], row["baseline"], row["measure"], text_of(interval, labels, sign=True)])
    if many is None or many.empty:
        return "\n".join(aligned(heads, body, left=3))
    adjusted = _adjusted(many)
    body = [[*row, adjusted.get((row[0], row[1], row[2]), "–")] for row in body]
    note = (
        "Adjusted p: * of the measures that the experiment declares (compare.measures), by Holm: the chance "
        "of any false alarm among them; of all others the false-discovery rate."
    )
    return "\n".join([*aligned([*heads, "adjusted p"], body, left=3), "", note])


def _adjusted(many: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Return the adjusted p-values of the whole as text by scenario, baseline and measure."""
    part = many[(many["group"] == "") & many["adjusted_p"].notna()]
    return {
        (row["scenario"], row["baseline"], row["measure"]): _p_text(row["adjusted_p"])
        + ("*" if row["family"] == "declared" else " ")
        for row in part.to_dict("records")
    }


def _p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def aggregate(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    comparison: pd.DataFrame,
    manifest: Mapping[str, Any],
    economics: Mapping[str, pd.DataFrame] | None = None,
) -> dict[str, Any]:
    """Return everything that ``show`` could say as plain data, for scripts; missing numbers are None.

    ``economics`` are the tables of cost and benefit by name, where there are any.
    """
    table = means(summary)
    return {
        "experiment": manifest.get("experiment", ""),
        "replications": manifest.get("replications", 0),
        "view": manifest.get("view", ""),
        "basis": manifest.get("basis", ""),
        "notice": manifest.get("notice", ""),
        "scenarios": _records(scenarios),
        "measures": _records(table),
        "comparison": _records(comparison),
        **{name: _records(frame) for name, frame in (economics or {}).items()},
    }


def text_of(shown: Shown | None, labels: Labels, sign: bool = False) -> str:
    """Return a number with its interval, with no more digits than the interval supports; "–" for none."""
    if shown is None or math.isnan(shown.mean):
        return "–"
    scale = 100.0 if shown.unit == "share" else 1.0
    mean, low, high = (scale * x for x in shown[:3])
    # What differs in the last bits of a float does not vary; and where nothing varies there is no interval.
    varies = high - low > 1e-9 * max(1.0, abs(mean))
    digits = max(0, decimals(low, high, _DIGITS_MOST)) if varies else int(mean % 1 > 0)
    text = labels.number(mean, digits, sign) + _unit(shown.unit, sign)
    if varies:
        between = " to " if sign else "–"
        text += f" ({labels.number(low, digits, sign)}{between}{labels.number(high, digits, sign)})"
    return text


def aligned(heads: Sequence[str], body: Iterable[Sequence[str]], left: int) -> list[str]:
    """Return lines of columns under their heads, the first ``left`` ones flush left."""
    rows = [list(heads), *([*row] for row in body)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return [
        "  ".join(
            text.ljust(width) if i < left else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _unit(unit: str, difference: bool) -> str:
    if unit == "share":
        return " points" if difference else " %"
    return {"days": " d", "hours": " h"}.get(unit, "")


def _whole(table: pd.DataFrame) -> dict[tuple[str, str], Shown]:
    """Return the values for the whole run by scenario and measure."""
    part = table[table["group"] == ""]
    columns = [part[name].tolist() for name in ("scenario", "measure", "mean", "low", "high", "unit")]
    return {
        (str(s), str(m)): Shown(mean, low, high, unit)
        for s, m, mean, low, high, unit in zip(*columns, strict=True)
    }


def _has_values(values: Mapping[tuple[str, str], Shown], measure: str) -> bool:
    found = [shown for (_, name), shown in values.items() if name == measure]
    counted = measure.endswith("_created")
    return any(not math.isnan(shown.mean) and (shown.mean > 0 or not counted) for shown in found)


def _row_names(scenarios: pd.DataFrame, names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and texts that name each row: the varied settings of a grid, else the scenario."""
    table = scenarios.set_index("scenario").loc[list(names)]
    columns = [c for c in setting_columns(scenarios) if c in table.columns]
    short = short_names(columns)
    rows = table[columns].astype(str).to_numpy().tolist() if columns else []
    grid = bool(columns) and all(
        name == ", ".join(f"{short[c]}={v}" for c, v in zip(columns, row, strict=True))
        for name, row in zip(names, rows, strict=True)
    )
    return ([short[c] for c in columns], rows) if grid else (["scenario"], [[name] for name in names])


def _last_differences(comparison: pd.DataFrame, labels: Labels) -> list[str]:
    """Return a sentence for each baseline about the last scenario that is compared with it."""
    for measure, word in DIFFERENCE:
        part = comparison[(comparison["measure"] == measure) & (comparison["group"] == "")]
        part = part[part["difference"].notna()]
        if part.empty:
            continue
        last = part.drop_duplicates("baseline", keep="last").to_dict("records")
        return ["", *(_difference_line(row, word, labels) for row in last)]
    return []


def _difference_line(row: Mapping[Any, Any], word: str, labels: Labels) -> str:
    interval = Shown(row["difference"], row["low"], row["high"], row["unit"])
    text = (
        text_of(interval, labels, sign=True).replace(" points", f" points {word}").replace(")", ", paired)")
    )
    return f"From '{row['baseline']}' to '{row['scenario']}': {text}"


def _not_begun(values: Mapping[tuple[str, str], Shown], names: Sequence[str], labels: Labels) -> list[str]:
    """Return the sentence about cases whose care had not begun, which are counted."""
    found = [values.get((name, "not_started_share")) for name in names]
    shares = [shown.mean for shown in found if shown is not None and not math.isnan(shown.mean)]
    if not shares:
        return []
    low, high = (labels.percent(share) for share in (min(shares), max(shares)))
    between = low if low == high else f"{low} to {high}"
    return [f"{between} of cases had not begun by the end of follow-up and are counted."]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame as plain rows; missing numbers are None, as JSON has no other word for it."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]
