"""Which kinds of fault can be found with which logs: a map with which an owner can ask for a log."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
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
    contrast,
    finished,
    new_figure,
    styled,
)
from flowsim.labels import Labels, load_labels
from flowsim.units import THIN_SPACE

#: The panels, left to right, and the columns of each.
LOGS: Final = ("perfect", "imperfect")
SETS: Final = ("receipts_only", "and_lists", "and_orders", "and_denominators", "all")
#: A class counts as found where at least this share of its faults is.
MOST: Final = 0.5
#: Below this share, what was found was found by chance: no days are told.
SELDOM: Final = 0.03
_ROW_INCHES: Final = 0.36
_NOTHING: Final = "#ececec"
_HALF_DAY: Final = 0.5
_HOUR: Final = 1 / 24


def detectability(
    table: pd.DataFrame,
    burden: pd.DataFrame,
    level: str = "any",
    view: str = "transition",
    rates: str = "equal",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Return the map: classes of fault in rows, sets of logs in columns, perfect and imperfect logs.

    ``table``: ``logs, sources, unit, class, level, due, spoken_of_share, recall, low, high,
    median_days_found, replications``; items of ``level`` are drawn (hard: alerts that ask to act; any: soft
    ones too). ``burden``: ``logs, sources, level, per_working_day``. Raises ValueError where nothing was due.
    """
    frame = prepare(table, burden, level).assign(view=view, rates=rates, basis=basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(table: pd.DataFrame, burden: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return a row for each cell, classes in the order in which more logs show them."""
    part = table[(table["unit"] == "item") & (table["level"] == level) & (table["due"] > 0)]
    if part.empty:
        raise ValueError("no fault lasted long enough to be due")
    columns = ["recall", "low", "high", "median_days_found", "due", "spoken_of_share", "replications"]
    part = part[["logs", "sources", "class", "level", *columns]]
    daily = burden.pivot_table("per_working_day", ["logs", "sources"], "level", aggfunc="mean")
    for name in ("hard", "soft"):
        column = daily[name] if name in daily else pd.Series(np.nan, index=daily.index)
        part = part.join(column.rename(f"{name}_a_day"), on=["logs", "sources"])
    order = _order(part)
    part = part.assign(order=part["class"].map(order), place=part["sources"].map(SETS.index))
    part = part.assign(panel=part["logs"].map(LOGS.index)).sort_values(["panel", "order", "place"])
    return part.drop(columns=["place", "panel"]).reset_index(drop=True)


def _order(part: pd.DataFrame) -> dict[str, int]:
    """Return the place of each class: by the first set of logs that shows most of it, then by how much."""
    logs = "imperfect" if "imperfect" in set(part["logs"]) else str(part["logs"].iloc[0])
    wide = part[part["logs"] == logs].pivot_table("recall", "class", "sources", observed=True)
    wide = wide.reindex(index=sorted(part["class"].unique()), columns=list(SETS)).fillna(0.0)
    shown = wide.to_numpy() >= MOST
    first = np.where(shown.any(axis=1), shown.argmax(axis=1), len(SETS))
    keys = pd.DataFrame({"first": first, "sum": -wide.to_numpy().sum(axis=1)}, index=wide.index)
    return {str(name): n for n, name in enumerate(keys.sort_values(["first", "sum"], kind="stable").index)}


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    classes = list(frame.sort_values("order", kind="stable")["class"].drop_duplicates())
    panels = [logs for logs in LOGS if logs in set(frame["logs"])]
    figure = new_figure(2.6 + _ROW_INCHES * (len(classes) + 2), key_inches=0.34)
    axes_row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, logs in zip(axes_row, panels, strict=True):
        _panel(axes, frame[frame["logs"] == logs], classes, labels)
        axes.set_title(labels.word("logs", logs), pad=10)
    names = [labels.word("fault", name) for name in classes]
    burden = [labels.text(f"detectability_{level}_a_day") for level in ("hard", "soft")]
    axes_row[0].set_yticks(
        [*range(len(classes)), len(classes) + 0.25, len(classes) + 1.25], [*names, *burden]
    )
    add_title(figure, _title(frame, labels))
    add_key(figure, labels.text("detectability_key"))
    add_footer(figure, inputs.footer_short(frame, labels))
    return finished(figure)


def _panel(axes: Axes, part: pd.DataFrame, classes: list[str], labels: Labels) -> None:
    """Draw one panel: a cell for each class and set of logs, and the alerts a day beneath."""
    sets = [name for name in SETS if name in set(part["sources"])]
    for each in part.itertuples():
        _cell(axes, sets.index(str(each.sources)), classes.index(str(each[3])), each, labels)
    for x, name in enumerate(sets):
        row = part[part["sources"] == name].iloc[0]
        for below, level in enumerate(("hard", "soft")):
            text = _a_day(float(row[f"{level}_a_day"]), labels)
            axes.text(x, len(classes) + 0.25 + below, text, ha="center", va="center")
    axes.axhline(len(classes) - 0.37, color=MUTED, lw=0.8)
    axes.set_xlim(-0.5, len(sets) - 0.5)
    axes.set_ylim(len(classes) + 1.75, -0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(sets)), [labels.word("source_set", name) for name in sets], rotation=90)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(axes: Axes, x: int, y: int, each: Any, labels: Labels) -> None:
    """Draw a cell: the share found as colour and text, with days beneath; grey where no rule can show it."""
    shown = each.spoken_of_share > 0
    # The palest and the darkest tenth are left out, so that a cell is seen and its text is read.
    colour = to_hex(colormaps["Blues"](0.03 + 0.87 * float(each.recall))) if shown else _NOTHING
    left, right, low, high = x - 0.47, x + 0.47, y - 0.46, y + 0.46
    axes.fill([left, right, right, left], [low, low, high, high], color=colour, lw=0)
    text = labels.percent(float(each.recall), 0)
    seldom = each.recall < SELDOM
    if not shown:
        text = "–" if seldom else text
    elif not seldom and np.isfinite(each.median_days_found):
        text += "\n" + _days(float(each.median_days_found), labels)
    # White where it stands out more than ink does: the two are even at a contrast of 4 with white.
    ink = MUTED if not shown else "white" if contrast(colour) > 4 else INK
    axes.text(x, y, text, ha="center", va="center", color=ink, linespacing=1.05)


def _days(days: float, labels: Labels) -> str:
    """Return days as short as a cell needs them."""
    if days < _HOUR:
        return labels.text("detectability_at_once")
    if days < _HALF_DAY:
        return labels.text("detectability_hours", hours=labels.number(24 * days))
    return labels.text("days_short", value=labels.number(days)).replace(" ", THIN_SPACE)


def _a_day(value: float, labels: Labels) -> str:
    return labels.number(value, 0 if value >= 10 else 1) if np.isfinite(value) else "–"


def _title(frame: pd.DataFrame, labels: Labels) -> str:
    """Return of how many classes most faults are found, by the first set of logs and by the last."""
    logs = "imperfect" if "imperfect" in set(frame["logs"]) else str(frame["logs"].iloc[0])
    part = frame[frame["logs"] == logs]
    found = part[part["recall"] >= MOST].groupby("sources")["class"].nunique()
    sets = [name for name in SETS if name in set(part["sources"])]
    words = {
        "under": labels.under(cell(frame, "rates")),
        "logs": labels.word("logs_in_sentence", logs),
        "classes": labels.number(part["class"].nunique()),
        "first": labels.word("source_set_in_sentence", sets[0]),
        "low": labels.number(float(found.get(sets[0], 0))),
        "last": labels.word("source_set_in_sentence", sets[-1]),
        "high": labels.number(float(found.get(sets[-1], 0))),
    }
    return labels.text("detectability_title" if len(sets) > 1 else "detectability_title_single", **words)
