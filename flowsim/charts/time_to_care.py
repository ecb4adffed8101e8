"""Time to care by adoption level: who has started, withdrawn, or still waits, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsim.charts import inputs
from flowsim.charts.style import (
    LINE_STYLES,
    MARKERS,
    MUTED,
    Chart,
    End,
    Mark,
    add_footer,
    add_key,
    add_title,
    cell,
    finished,
    label_ends,
    new_figure,
    ramp,
    short_marks,
    styled,
    wrapped_key,
)
from flowsim.labels import Labels, load_labels
from flowsim.statistics import mean_interval
from flowsim.vocabulary import Urgency

#: At most this many panels side by side; the urgencies with most cases are shown.
PANELS_MOST: Final = 3


def time_to_care(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    pathway: str | None = None,
    targets: Mapping[tuple[str, str], float] | None = None,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw the share of cases that have started care by each day since they were created.

    ``profile``: ``scenario, replication, pathway, urgency, day, started, withdrawn, not_started``
    (and ``turned_away``), counts by day 0..τ. ``pathway``: which one; default the one with most
    cases. ``targets``: days by (pathway, urgency), drawn as a vertical line. One rate set is drawn
    (equal rates where there are any); the title compares its lowest and highest level.
    """
    frame = prepare(profile, scenarios, pathway, targets or {}, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    pathway: str | None,
    targets: Mapping[tuple[str, str], float],
    view: str,
    basis: str,
) -> pd.DataFrame:
    """Return the chart's frame: a row for each urgency, level and day; shares are of 1."""
    known = inputs.levels(scenarios)
    table = inputs.time_to_care(profile)
    chosen = pathway or str(table[table["day"] == 0].groupby("pathway")["cases"].sum().idxmax())
    table = table[table["pathway"] == chosen].merge(known, on="scenario")
    table["share"] = table["started"] / table["cases"]
    table["withdrawn_share"] = table["withdrawn"] / table["cases"]
    leading = inputs.leading_rates(known)
    keys = ["urgency", "order", "level", "day"]
    shown = table[table["rates"] == leading]
    frame = inputs.over_replications(shown, keys, "share").rename(
        columns={"mean": "started", "low": "started_low", "high": "started_high", "n": "replications"}
    )
    others = (
        shown.groupby(keys, sort=True)[["withdrawn_share", "not_started", "cases"]]
        .mean()
        .reset_index(drop=True)
    )
    frame["withdrawn"] = others["withdrawn_share"]
    frame[["not_started", "cases"]] = others[["not_started", "cases"]]
    target = [targets.get((chosen, urgency), np.nan) for urgency in frame["urgency"]]
    frame = frame.assign(pathway=chosen, target_days=target, **_finding(table, leading))
    return frame.assign(rates=leading, view=view, basis=basis)


def _headline(last: pd.DataFrame) -> str:
    """Return the urgency that the title is about: most cases, where some had started and some not."""
    by_urgency = last.groupby("urgency").agg(cases=("cases", "sum"), share=("share", "mean"))
    open_still = by_urgency[by_urgency["share"].between(0.02, 0.98)]
    return str((open_still if len(open_still) else by_urgency)["cases"].idxmax())


def _finding(table: pd.DataFrame, leading: str) -> dict[str, Any]:
    """Return what the title says: highest against lowest level on the last day, with both intervals."""
    last = table[table["day"] == table["day"].max()]
    headline = _headline(last[last["rates"] == leading])
    last = last[last["urgency"] == headline]
    wide = last.pivot(index=["rates", "replication"], columns="order", values="share")
    difference = wide[wide.columns.max()] - wide[wide.columns.min()]
    by_set = difference.groupby("rates").mean().dropna()
    ranged = len(by_set) > 1
    interval = mean_interval(difference.loc[leading].to_numpy())
    return {
        "headline": headline,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "assumption_low": float(by_set.min()) if ranged else np.nan,
        "assumption_high": float(by_set.max()) if ranged else np.nan,
    }


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    urgencies = _urgencies(frame)
    names = frame.drop_duplicates("level").sort_values("order")["level"].tolist()
    shown = short_marks([labels.level(name) for name in names])
    key = wrapped_key(shown)
    figure = new_figure(4.3 + 0.19 * len(names) + 0.17 * len(key), key_inches=0.17 * len(key))
    rows = figure.subplots(
        2, len(urgencies), squeeze=False, sharex=True, height_ratios=[1, (0.19 * len(names) + 0.62) / 2.6]
    )
    colours = ramp(len(names))
    for column, urgency in enumerate(urgencies):
        part = frame[frame["urgency"] == urgency]
        _curves(rows[0, column], part, names, colours, labels)
        _beneath(rows[1, column], part, dict(zip(names, shown, strict=True)), colours, labels, column == 0)
        rows[0, column].set_title(labels.word("urgency", urgency))
        rows[0, column].set_ylabel(labels.text("care_started") if column == 0 else "")
        rows[0, column].tick_params(labelleft=column == 0)
        rows[1, column].set_xlabel(labels.text("care_days") if column == len(urgencies) // 2 else "")
    add_title(figure, _title(frame, names, labels))
    per_level = frame[frame["day"] == 0].groupby("level")["cases"].sum().mean()
    add_footer(figure, inputs.footer(frame, labels, float(per_level), "cases"))
    if key:
        add_key(figure, "\n".join(key))
    last = frame[frame["urgency"] == urgencies[-1]]
    _ends(rows[0, -1], last, dict(zip(names, shown, strict=True)), colours)
    return finished(figure)


def _urgencies(frame: pd.DataFrame) -> list[str]:
    """Return the urgencies shown, most urgent first."""
    cases = frame[frame["day"] == 0].groupby("urgency")["cases"].sum().sort_values(ascending=False)
    ranks = {urgency.name: int(urgency) for urgency in Urgency}
    return sorted(map(str, cases.index[:PANELS_MOST]), key=lambda name: (ranks.get(name, len(ranks)), name))


def _curves(axes: Axes, part: pd.DataFrame, names: list[str], colours: list[str], labels: Labels) -> None:
    """Draw started (solid or dashed by level) and withdrawn (thin) for one urgency."""
    horizon = float(part["day"].max())
    for i, name in enumerate(names):
        line = part[part["level"] == name].sort_values("day")
        if line.empty:
            continue
        style = {"color": colours[i], "linestyle": LINE_STYLES[i % len(LINE_STYLES)]}
        every = max(1, len(line) // 4)
        axes.plot(
            line["day"],
            100 * line["started"],
            marker=MARKERS[i % len(MARKERS)],
            markevery=(i * every // 6, every),
            **style,
        )
        axes.fill_between(
            line["day"],
            100 * line["started_low"],
            100 * line["started_high"],
            color=colours[i],
            alpha=0.15,
            lw=0,
        )
        axes.plot(line["day"], 100 * line["withdrawn"], color=colours[i], lw=0.9, linestyle=(0, (2, 2)))
    top = 100 * float(part.loc[part["day"] == horizon, "withdrawn"].max())
    axes.annotate(
        labels.text("care_withdrawn"),
        (horizon, top),
        xytext=(-2, 4),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85},
    )
    target = part["target_days"].iloc[0]
    if pd.notna(target) and target <= horizon:
        axes.axvline(float(target), color=MUTED, lw=1.0, ls=(0, (4, 2)))
        text = labels.text("care_target", days=labels.number(float(target)))
        axes.set_title(text, loc="right", weight="normal", color=MUTED, size=9)
    axes.set_xlim(0, horizon)
    axes.set_ylim(0, 102)


def _days(horizon: float) -> list[int]:
    """Return three days, from 0 to the end of follow-up, at which cases left are counted."""
    return [0, round(horizon / 2), round(horizon)]


def _beneath(
    axes: Axes, part: pd.DataFrame, names: dict[str, Mark], colours: list[str], labels: Labels, first: bool
) -> None:
    """Write how many cases have not started, withdrawn or been turned away, at three days."""
    horizon = float(part["day"].max())
    days = _days(horizon)
    axes.set_xticks(days)
    axes.set_ylim(len(names) - 0.4, -0.6)
    marks = [mark.short if first else "" for mark in names.values()]
    axes.set_yticks(range(len(names)), marks)
    for tick, colour in zip(axes.get_yticklabels(), colours, strict=True):
        tick.set_color(colour)
    for row, name in enumerate(names):
        counts = part[part["level"] == name].set_index("day")["not_started"]
        for day in days:
            if day in counts.index:
                align = "left" if day == 0 else "right" if day == days[-1] else "center"
                text = labels.number(float(counts[day]))
                axes.text(day, row, text, ha=align, va="center", color=colours[row])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    if first:
        axes.set_title(labels.text("care_not_started"), weight="normal", size=9)


def _ends(axes: Axes, part: pd.DataFrame, names: dict[str, Mark], colours: list[str]) -> None:
    last = part[part["day"] == part["day"].max()].set_index("level")["started"]
    ends = [
        End(100 * float(last[name]), mark.short, colours[i])
        for i, (name, mark) in enumerate(names.items())
        if name in last.index
    ]
    label_ends(axes, ends)


def _title(frame: pd.DataFrame, names: list[str], labels: Labels) -> str:
    horizon = frame["day"].max()
    last = frame[frame["day"] == horizon]
    urgency = cell(frame, "headline")
    shares = last[last["urgency"] == urgency].set_index("level")["started"]
    low, high = names[0], names[-1]
    close = low != high and abs(shares[high] - shares[low]) < 0.02
    values = {
        "under": labels.under(cell(frame, "rates")),
        "group": labels.word("urgency", urgency),
        "days": labels.number(float(horizon)),
        "low": inputs.level_name(labels, low),
        "high": inputs.level_name(labels, high),
        "share_low": labels.percent(float(shares[low]), 1 if close else 0),
        "share_high": labels.percent(float(shares[high]), 1 if close else 0),
    }
    if len(names) == 1:
        return labels.text("care_title_single", **values)
    row = frame.iloc[0]
    key = "care_title_same" if row["difference_low"] <= 0 <= row["difference_high"] else "care_title"
    return labels.text(key + ("_depends" if inputs.depends(row) else ""), **values)
