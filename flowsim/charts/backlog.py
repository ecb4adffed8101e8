"""Backlog: how many items wait on each kind of work list, day by day, with outages shaded."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsim.charts import inputs
from flowsim.charts.style import (
    LINE_STYLES,
    Chart,
    End,
    add_footer,
    add_key,
    add_title,
    cell,
    finished,
    label_ends,
    localise,
    new_figure,
    ramp,
    styled,
)
from flowsim.labels import Labels, load_labels
from flowsim.statistics import decimals, mean_interval

#: At most this many kinds of list, the longest first.
KINDS_MOST: Final = 6
#: The end of a run is the mean over this many last days, so that a weekend does not decide.
LAST_DAYS: Final = 7
COLUMNS_MOST: Final = 3


def backlog(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    outages: pd.DataFrame | None = None,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw the mean length of work lists over the run, a panel for each kind of service.

    ``profile``: ``scenario, replication, day, service_kind, list_length`` (and ``party``, added up);
    ``outages``: ``from_day, to_day``, shaded. One rate set is drawn (equal rates where there are
    any); the title compares its lowest and highest level at the end of the run.
    """
    frame = prepare(profile, scenarios, outages, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(
    profile: pd.DataFrame, scenarios: pd.DataFrame, outages: pd.DataFrame | None, view: str, basis: str
) -> pd.DataFrame:
    """Return the chart's frame: panel ``length`` by kind, level and day, and panel ``outage``.

    ``final_difference`` and its ends compare the highest with the lowest level over the last days,
    paired by replication; ``assumption_low`` and ``assumption_high`` are its range over rate sets.
    """
    known = inputs.levels(scenarios)
    table = inputs.backlog(profile).merge(known, on="scenario")
    table["service_kind"] = table["service_kind"].astype(str)
    longest = table.groupby("service_kind")["list_length"].mean().sort_values(ascending=False, kind="stable")
    table = table[table["service_kind"].isin(longest.index[:KINDS_MOST])]
    leading = inputs.leading_rates(known)
    keys = ["service_kind", "order", "level", "day"]
    frame = inputs.over_replications(table[table["rates"] == leading], keys, "list_length")
    frame = frame.rename(columns={"mean": "length", "n": "replications"}).assign(panel="length")
    frame = frame.merge(_final(table, leading), on="service_kind", how="left")
    frame["rank"] = frame["service_kind"].map({kind: i for i, kind in enumerate(longest.index)})
    frame = frame.sort_values(["rank", "order", "day"], ignore_index=True)
    if outages is not None and len(outages):
        frame = pd.concat([frame, outages[["from_day", "to_day"]].assign(panel="outage")], ignore_index=True)
    else:
        frame = frame.assign(from_day=np.nan, to_day=np.nan)
    return frame.assign(rates=leading, view=view, basis=basis)


def _final(table: pd.DataFrame, leading: str) -> pd.DataFrame:
    """Return highest minus lowest level at the end of the run, for each kind of service."""
    last = table[table["day"] > table["day"].max() - LAST_DAYS]
    keys = ["service_kind", "rates", "replication", "order"]
    ends = last.groupby(keys)["list_length"].mean().unstack("order")
    difference = (ends[ends.columns.max()] - ends[ends.columns.min()]).rename("difference").reset_index()
    by_set = difference.groupby(["service_kind", "rates"])["difference"].mean().reset_index()
    rows = []
    for kind, of_kind in difference[difference["rates"] == leading].groupby("service_kind"):
        sets = by_set.loc[by_set["service_kind"] == kind, "difference"].dropna()
        interval = mean_interval(of_kind["difference"].to_numpy())
        span = (float(sets.min()), float(sets.max())) if len(sets) > 1 else (np.nan, np.nan)
        rows.append((kind, *interval[:3], *span))
    names = ["final_difference", "final_low", "final_high", "assumption_low", "assumption_high"]
    return pd.DataFrame(rows, columns=["service_kind", *names])


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    lengths = frame[frame["panel"] == "length"]
    outages = frame[frame["panel"] == "outage"]
    kinds = lengths.sort_values("rank")["service_kind"].unique().tolist()
    names = lengths.drop_duplicates("level").sort_values("order")["level"].tolist()
    columns = min(COLUMNS_MOST, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = new_figure(1.5 + 1.9 * rows, key_inches=0.2)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for i, axes in enumerate(grid.flat):
        if i >= len(kinds):
            axes.set_axis_off()
            continue
        _panel(axes, lengths[lengths["service_kind"] == kinds[i]], names, outages, labels)
        axes.set_title(list_name(kinds[i], labels))
        axes.set_ylabel(labels.text("backlog_items") if i % columns == 0 else "")
        axes.tick_params(labelbottom=i + columns >= len(kinds))
    grid[-1, 0].set_xlabel(labels.text("backlog_days"), loc="left")
    add_key(
        figure, labels.text("backlog_key") + (" · " + labels.text("backlog_outage") if len(outages) else "")
    )
    add_title(figure, _title(lengths, names, labels))
    add_footer(figure, inputs.footer_short(lengths, labels))
    corner = min(columns, len(kinds)) - 1
    _ends(grid[0, corner], lengths[lengths["service_kind"] == kinds[corner]], names, labels)
    return finished(figure)


def list_name(kind: str, labels: Labels) -> str:
    """Return what a list is called: the kind of service, or waiting for its places."""
    name = labels.word("service_kind", kind.removesuffix(inputs.PLACES))
    return labels.text("backlog_places", kind=name) if kind.endswith(inputs.PLACES) else name


def _panel(axes: Axes, part: pd.DataFrame, names: list[str], outages: pd.DataFrame, labels: Labels) -> None:
    for outage in outages[["from_day", "to_day"]].itertuples(index=False):
        # An outage of hours would not be seen on an axis of months: never narrower than half a day.
        axes.axvspan(outage[0], max(outage[1], outage[0] + 0.5), color="#cfcfcf", lw=0)
    colours = ramp(len(names))
    for i, name in enumerate(names):
        line = part[part["level"] == name]
        axes.plot(line["day"], line["length"], color=colours[i], ls=LINE_STYLES[i % len(LINE_STYLES)], lw=1.4)
        if i in (0, len(names) - 1):
            axes.fill_between(line["day"], line["low"], line["high"], color=colours[i], alpha=0.15, lw=0)
    axes.set_xlim(float(part["day"].min()), float(part["day"].max()))
    # A wide interval of few replications must not press the lines down to the axis.
    longest, highest = max(1.0, float(part["length"].max())), part["high"].max()
    axes.set_ylim(
        0, 1.15 * longest if np.isnan(highest) else min(1.1 * max(longest, float(highest)), 1.9 * longest)
    )
    localise(axes.yaxis, labels)


def _ends(axes: Axes, part: pd.DataFrame, names: list[str], labels: Labels) -> None:
    last = part[part["day"] == part["day"].max()].set_index("level")["length"]
    colours = ramp(len(names))
    label_ends(
        axes,
        [
            End(float(last[name]), inputs.short_level(labels, name), colours[i])
            for i, name in enumerate(names)
            if name in last.index
        ],
    )


def _title(lengths: pd.DataFrame, names: list[str], labels: Labels) -> str:
    """Return the list whose end differs most between the highest and the lowest level."""
    values = {
        "under": labels.under(cell(lengths, "rates")),
        "low": inputs.level_name(labels, names[0]),
        "high": inputs.level_name(labels, names[-1]),
    }
    ends = lengths.drop_duplicates("service_kind")
    if len(names) == 1:
        last = lengths[lengths["day"] == lengths["day"].max()]
        row = inputs.largest(last, "length")
        service = list_name(row["service_kind"], labels)
        return labels.text(
            "backlog_title_single", service=service, value=labels.number(row["length"]), **values
        )
    clear = ends[(ends["final_low"] > 0) | (ends["final_high"] < 0)]
    clear = clear[clear["final_difference"].abs() >= 1]
    if clear.empty:
        unsure = any(inputs.depends(row) for _, row in ends.iterrows())
        return labels.text("backlog_title_same" + ("_depends" if unsure else ""), **values)
    row = inputs.largest(clear.assign(size=clear["final_difference"].abs()), "size")
    digits = decimals(float(row["final_low"]), float(row["final_high"]), most=0)
    longer = labels.text(
        "backlog_longer" if row["final_difference"] > 0 else "backlog_shorter",
        value=labels.number(float(row["size"]), digits),
    )
    return labels.text(
        "backlog_title" + ("_depends" if inputs.depends(row) else ""),
        service=list_name(row["service_kind"], labels),
        change=longer,
        **values,
    )
