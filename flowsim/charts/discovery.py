"""How long defects live until they are discovered: the spread over replications, beside what happened."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsim.charts import inputs
from flowsim.charts.style import (
    INK,
    MUTED,
    Chart,
    add_footer,
    add_key,
    add_title,
    cell,
    finished,
    localise,
    new_figure,
    ramp,
    styled,
)
from flowsim.labels import Labels, load_labels

#: Levels of the spread that are drawn.
QUANTILES: Final = {"low_95": 0.025, "low": 0.1, "median": 0.5, "high": 0.9, "high_95": 0.975}
KINDS_MOST: Final = 6


def discovery(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw for each scenario after how many days defects are discovered: median, middle 80 and 95 %.

    ``profile``: ``scenario, replication, kind, began_hours, discovered_hours (empty: not by the end),
    end_hours, hit, happened_days``. One not discovered counts as later than the run is long.
    """
    frame = prepare(profile, scenarios, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(profile: pd.DataFrame, scenarios: pd.DataFrame, view: str, basis: str) -> pd.DataFrame:
    """Return a row for each scenario and kind of defect: days at each quantile (inf: later than the run)."""
    known = inputs.levels(scenarios).set_index("scenario")
    rows = []
    for (scenario, kind), part in profile.groupby(["scenario", "kind"], sort=False, observed=True):
        days = ((part["discovered_hours"] - part["began_hours"]) / 24.0).fillna(np.inf).to_numpy(float)
        watched = float(((part["end_hours"] - part["began_hours"]) / 24.0).max())
        at = np.sort(days)
        quantiles = {name: float(at[min(int(q * len(at)), len(at) - 1)]) for name, q in QUANTILES.items()}
        rows.append(
            {
                "scenario": scenario,
                "level": known.loc[str(scenario), "level"],
                "rates": known.loc[str(scenario), "rates"],
                "order": known.loc[str(scenario), "order"],
                "kind": kind,
                **quantiles,
                "not_discovered": float(np.mean(np.isinf(days))),
                "watched_days": watched,
                "happened_days": float(part["happened_days"].max()),
                "hit": float(part["hit"].mean()),
                "defects": len(part),
                "replications": int(part["replication"].nunique()),
            }
        )
    frame = pd.DataFrame(rows).sort_values(["order", "kind"], kind="stable", ignore_index=True)
    kept = frame["kind"].drop_duplicates().head(KINDS_MOST)
    return frame[frame["kind"].isin(kept)].assign(view=view, basis=basis).reset_index(drop=True)


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    frame = inputs.with_texts(frame, ["kind", "level", "rates"])
    kinds = list(dict.fromkeys(frame["kind"]))
    heights = [0.3 * int((frame["kind"] == kind).sum()) + 0.4 for kind in kinds]
    figure = new_figure(1.9 + sum(heights), key_inches=0.2)
    panels = figure.subplots(len(kinds), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axes, kind in zip(panels, kinds, strict=True):
        part = frame[frame["kind"] == kind].reset_index(drop=True)
        _panel(axes, part, labels, float(frame["watched_days"].max()), titled=len(kinds) > 1)
    panels[-1].set_xlabel(labels.text("discovery_axis"))
    add_title(figure, _title(frame, labels))
    add_key(figure, labels.text("discovery_key"))
    add_footer(figure, inputs.footer(frame, labels, float(frame["hit"].max()), "deliveries_counted"))
    return finished(figure)


def _panel(axes: Axes, part: pd.DataFrame, labels: Labels, end: float, titled: bool) -> None:
    """Draw one kind of defect: a row for each scenario, and when it was found in reality."""
    colour = ramp(3)[1]
    for row, each in part.iterrows():
        y = int(str(row))
        low_95, low, high, high_95 = (min(float(each[n]), end) for n in ("low_95", "low", "high", "high_95"))
        axes.plot([low_95, high_95], [y, y], color=colour, lw=1.0, solid_capstyle="butt")
        axes.plot([low, high], [y, y], color=colour, lw=4.0, solid_capstyle="butt")
        if np.isinf(each["high_95"]):
            axes.annotate("", (1.02 * end, y), (high_95, y), arrowprops={"arrowstyle": "->", "color": colour})
        if np.isfinite(each["median"]):
            axes.plot([each["median"]], [y], "o", color=INK, ms=5)
        axes.annotate(_beside(each, labels), (1.04 * end, y), va="center", annotation_clip=False)
    happened = float(part["happened_days"].max())
    if np.isfinite(happened):
        axes.axvline(happened, color=MUTED, lw=1.2, ls=(0, (4, 2)))
        axes.annotate(
            labels.text("discovery_happened", days=labels.number(happened)),
            (happened, -0.62),
            (4, 2),
            textcoords="offset points",
            color=MUTED,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(part)), [inputs.level_name(labels, str(level)) for level in part["level"]])
    axes.set_ylim(len(part) - 0.4, -0.7)
    axes.set_xlim(0, 1.02 * end)
    axes.tick_params(left=False)
    localise(axes.xaxis, labels)
    if titled:
        axes.set_title(str(part["kind"].iloc[0]).replace("_", " "))


def _beside(each: pd.Series[float], labels: Labels) -> str:
    """Return what stands beside a row: the median, or how many were not discovered."""
    if np.isinf(each["median"]):
        return labels.text("discovery_never", share=labels.percent(float(each["not_discovered"]), 0))
    return labels.text("days_short", value=labels.number(float(each["median"])))


def _title(frame: pd.DataFrame, labels: Labels) -> str:
    """Return when half of the first kind are discovered, in the quickest scenario and in the slowest."""
    first = frame[frame["kind"] == frame["kind"].iloc[0]].sort_values("median", kind="stable")
    low, high = first.iloc[0], first.iloc[-1]
    under = labels.under(cell(frame, "rates"))
    words = {
        "under": under,
        "kind": str(low["kind"]).replace("_", " "),
        "low": _median(low, labels),
        "high": _median(high, labels),
        "best": inputs.level_name(labels, str(low["level"])),
        "worst": inputs.level_name(labels, str(high["level"])),
    }
    if np.isinf(low["median"]):
        return labels.text("discovery_title_never", **words, days=labels.number(float(low["watched_days"])))
    if len(first) == 1:
        return labels.text("discovery_title_single", **words)
    return labels.text("discovery_title", **words)


def _median(row: pd.Series[float], labels: Labels) -> str:
    days = float(row["median"])
    if np.isinf(days):
        return labels.text("discovery_beyond", days=labels.number(float(row["watched_days"])))
    return labels.text("discovery_days", days=labels.number(days))
