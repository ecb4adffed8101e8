"""Week by week: visits that are missed, medication lists that differ, deviations true and reported."""

from __future__ import annotations

from textwrap import fill
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsim.charts import inputs
from flowsim.charts.style import (
    LINE_STYLES,
    MUTED,
    Chart,
    End,
    add_footer,
    add_key,
    add_title,
    distinct,
    finished,
    label_ends,
    localise,
    new_figure,
    styled,
)
from flowsim.labels import Labels, load_labels
from flowsim.statistics import decimals, mean_interval

#: Lines of the wide panels, one a scenario; the parts are divided and shown per so many.
WIDE: Final = {
    "missed": ("visits_missed", "visits_due", 1000.0),
    "differing": ("cases_differing", "cases_followed", 100.0),
}
#: Lines of the small panels, one panel a scenario.
SMALL: Final = {
    "true": ("deviations", "cases_followed", 1000.0),
    "reported": ("deviations_reported", "cases_followed", 1000.0),
}
#: Small panels in a row, and at most so many scenarios with one.
COLUMNS: Final = 3
SCENARIOS_MOST: Final = 9
#: A scenario's name over its panel is broken into lines of so many letters.
TITLE_LETTERS: Final = 20
#: Numbers on the logarithmic axis of small panels.
_TICKS: Final = (0.1, 1.0, 10.0, 100.0, 1000.0)
#: Titles compare the mean over so many last weeks.
LAST_WEEKS: Final = 4
_GO_LIVES = "go_lives"
_KEYS: Final = ["rates", "order", "level", "week"]


def weeks(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw visits missed and lists that differ over the weeks since the window opened.

    ``profile``: ``scenario, replication, week, pathway, measure, count``, as the episodes give it. Wide
    panels have a line for each scenario, small ones true and reported deviations of one scenario. Weeks in
    which practices or organisations went live are ticked. One rate set is drawn (equal rates where there
    are any). Raises ValueError where nothing recurs.
    """
    frame = prepare(profile, scenarios, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(profile: pd.DataFrame, scenarios: pd.DataFrame, view: str, basis: str) -> pd.DataFrame:
    """Return the chart's frame: a row for each series, scenario and week, and for each week with go-lives.

    ``final_*`` compare, for each wide panel, the scenario that ends farthest from the first with the
    first, paired by replication; ``assumption_low`` and ``assumption_high`` are its range over rate sets.
    """
    known = inputs.levels(scenarios)
    leading = inputs.leading_rates(known)
    table = inputs.weeks(profile).merge(known, on="scenario")
    parts, finals = [], []
    for series, (part, whole, per) in {**WIDE, **SMALL}.items():
        if not {part, whole} <= set(table.columns):
            continue
        # Only pathways that have both, added up: those with visits say nothing about lists.
        both = table[table[part].notna() & (table[whole] > 0)]
        chosen = both.groupby(["replication", *_KEYS], as_index=False)[[part, whole]].sum()
        if chosen.empty:
            continue
        chosen["share"] = per * chosen[part] / chosen[whole]
        here = chosen[chosen["rates"] == leading]
        parts.append(inputs.over_replications(here, _KEYS, "share").assign(panel=series))
        if series in WIDE:
            finals.append({"panel": series, **_final(chosen, leading)})
    if not parts:
        raise ValueError("nothing recurs in these runs")
    frame = pd.concat(parts, ignore_index=True).rename(columns={"mean": "value", "n": "replications"})
    frame = frame.merge(pd.DataFrame(finals), on="panel", how="left")
    live = table[(table["rates"] == leading) & (table[_GO_LIVES] > 0)].groupby(_KEYS)[_GO_LIVES].mean()
    frame = pd.concat([frame, live.rename("value").reset_index().assign(panel=_GO_LIVES)], ignore_index=True)
    return frame.assign(view=view, basis=basis)


def _final(table: pd.DataFrame, leading: str) -> dict[str, Any]:
    """Return how far the scenario that ends farthest from the first is from it."""
    last = table[table["week"] > table["week"].max() - LAST_WEEKS]
    ends = last.groupby(["rates", "replication", "order"])["share"].mean().unstack("order")
    mine = ends.loc[leading]
    first = mine.columns.min()
    away = (mine.mean() - mine[first].mean()).abs()
    other = int(away.idxmax())
    difference = mine[other] - mine[first]
    by_set = (ends[other] - ends[first]).groupby("rates").mean().dropna()
    _, low, high, _ = mean_interval(difference.to_numpy())
    name = table.drop_duplicates("order").set_index("order")["level"]
    return {
        "low_level": name[first],
        "high_level": name[other],
        "final_at_low": float(mine[first].mean()),
        "final_at_high": float(mine[other].mean()),
        "final_low": low,
        "final_high": high,
        "assumption_low": float(by_set.min()) if len(by_set) > 1 else np.nan,
        "assumption_high": float(by_set.max()) if len(by_set) > 1 else np.nan,
    }


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    lines = frame[frame["panel"] != _GO_LIVES]
    live = frame[frame["panel"] == _GO_LIVES]
    names = lines.drop_duplicates("level").sort_values("order")["level"].tolist()
    wide = [panel for panel in WIDE if (lines["panel"] == panel).any()]
    small = names[:SCENARIOS_MOST] if (lines["panel"] == "true").any() else []
    rows = [[panel] * COLUMNS for panel in wide]
    for first in range(0, len(small), COLUMNS):
        places = [f"level {i}" for i in range(first, min(first + COLUMNS, len(small)))]
        rows.append([*places, *["."] * (COLUMNS - len(places))])
    heights = [2.1] * len(wide) + [1.6] * (len(rows) - len(wide))
    figure = new_figure(1.35 + sum(heights), key_inches=0.36 if small else 0.2)
    grid = figure.subplot_mosaic(rows, height_ratios=heights)  # type: ignore[arg-type]
    for panel in wide:
        _wide(grid[panel], lines[lines["panel"] == panel], names, labels)
        _go_lives(grid[panel], live)
        grid[panel].set_title(labels.text(f"weeks_{panel}"))
    for i, name in enumerate(small):
        axes = grid[f"level {i}"]
        _small(axes, lines[(lines["level"] == name) & lines["panel"].isin(SMALL)], lines, labels)
        _go_lives(axes, live[live["level"] == name])
        axes.set_title(fill(labels.level(name), TITLE_LETTERS))
        axes.set_ylabel(labels.text("weeks_deviations") if i % COLUMNS == 0 else "")
    bottom = f"level {(len(small) - 1) // COLUMNS * COLUMNS}" if small else wide[-1]
    grid[bottom].set_xlabel(labels.text("weeks_axis"), loc="left")
    key = labels.text("weeks_key") + (" · " + labels.text("weeks_key_go_lives") if len(live) else "")
    add_key(figure, key + ("\n" + labels.text("weeks_key_lists") if small else ""))
    add_title(figure, _title(lines, labels))
    add_footer(figure, inputs.footer_short(lines, labels))
    for panel in wide:
        _ends(grid[panel], lines[lines["panel"] == panel], names, labels)
    return finished(figure)


def _wide(axes: Axes, part: pd.DataFrame, names: list[str], labels: Labels) -> None:
    """Draw one measure, a line a scenario."""
    colours = distinct(len(names))
    for i, name in enumerate(names):
        line = part[part["level"] == name]
        # Where colours come round again, the kind of line is another.
        style = LINE_STYLES[(i + i // len(set(colours))) % len(LINE_STYLES)]
        axes.plot(line["week"], line["value"], color=colours[i], ls=style, lw=1.4)
        axes.fill_between(line["week"], line["low"], line["high"], color=colours[i], alpha=0.15, lw=0)
    _limits(axes, part)
    localise(axes.yaxis, labels)


def _small(axes: Axes, part: pd.DataFrame, every: pd.DataFrame, labels: Labels) -> None:
    """Draw true and reported deviations of one scenario, on the logarithmic scale of all."""
    colours = distinct(len(SMALL))
    shown = every.loc[every["panel"].isin(SMALL) & (every["value"] > 0), "value"]
    low, high = 0.6 * float(shown.min()), 1.7 * float(shown.max())
    for i, series in enumerate(SMALL):
        line = part[(part["panel"] == series) & (part["value"] > 0)]
        axes.plot(line["week"], line["value"], color=colours[i], ls=LINE_STYLES[i], lw=1.4)
        edge = line["low"].clip(lower=low)
        axes.fill_between(line["week"], edge, line["high"], color=colours[i], alpha=0.15, lw=0)
    axes.set_yscale("log")
    axes.set_xlim(float(part["week"].min()), float(part["week"].max()))
    axes.set_ylim(low, high)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_yticks(ticks, [labels.number(tick, int(tick < 1)) for tick in ticks])
    axes.set_yticks([], minor=True)


def _limits(axes: Axes, part: pd.DataFrame) -> None:
    axes.set_xlim(float(part["week"].min()), float(part["week"].max()))
    highest, widest = float(part["value"].max()), part["high"].max()
    # A wide interval of few replications must not press the lines down to the axis.
    axes.set_ylim(0, 1.1 * highest if np.isnan(widest) else min(1.05 * float(widest), 1.5 * highest) or 1.0)


def _go_lives(axes: Axes, live: pd.DataFrame) -> None:
    """Tick the weeks in which somebody went live, at the top of a panel."""
    for week in sorted(set(live["week"])):
        axes.plot([week, week], [0.94, 1.0], color=MUTED, lw=1.2, transform=axes.get_xaxis_transform())


def _ends(axes: Axes, part: pd.DataFrame, names: list[str], labels: Labels) -> None:
    last = part[part["week"] == part["week"].max()].set_index("level")["value"]
    colours = distinct(len(names))
    label_ends(
        axes,
        [
            End(float(last[name]), inputs.short_level(labels, name), colours[i])
            for i, name in enumerate(names)
            if name in last.index
        ],
    )


def _title(lines: pd.DataFrame, labels: Labels) -> str:
    """Return how the scenario that ends farthest from the first ends: lists, or else visits."""
    panel = "differing" if (lines["panel"] == "differing").any() else "missed"
    row = lines[lines["panel"] == panel].iloc[0]
    low, high = float(row["final_low"]), float(row["final_high"])
    digits = decimals(low, high, most=2) if high > low else 1
    values = {
        "under": labels.under(str(row["rates"])),
        "low": labels.level(str(row["low_level"])),
        "high": labels.level(str(row["high_level"])),
        "at_low": labels.number(float(row["final_at_low"]), max(digits, 0)),
        "at_high": labels.number(float(row["final_at_high"]), max(digits, 0)),
    }
    if len(set(lines["level"])) == 1:
        return labels.text(f"weeks_title_{panel}_single", **values)
    if not (low > 0 or high < 0):
        unsure = inputs.depends(row)
        return labels.text(f"weeks_title_{panel}_same" + ("_depends" if unsure else ""), **values)
    return labels.text(f"weeks_title_{panel}" + ("_depends" if inputs.depends(row) else ""), **values)
