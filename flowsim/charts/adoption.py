"""Adoption against what goes wrong: levels above, paired differences to the baseline beneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from flowsim import statistics
from flowsim.charts import inputs
from flowsim.charts.lines import line_label, lines, pooled
from flowsim.charts.style import (
    FOOTER_INCHES,
    LINE_STYLES,
    MARGIN_INCHES,
    MARKERS,
    MUTED,
    Chart,
    End,
    add_footer,
    add_title,
    cell,
    distinct,
    finished,
    label_ends,
    localise,
    new_figure,
    styled,
)
from flowsim.labels import Labels, load_labels

#: For each panel the measures and groups of which the first that has values is drawn; the title is about
#: the first panel.
PANELS: Final = (
    (("silent_failure_share", "kind=referral"), ("silent_failure_share", "")),
    (("referrals_lost_share", ""), ("deliveries_lost_share", "")),
    (("referrals_late_share", ""), ("deliveries_late_share", "")),
)
#: What the footer counts, the first that has values.
COUNTED: Final = (("referrals_created", "referrals_counted"), ("deliveries_created", "deliveries_counted"))
KEY_INCHES: Final = 0.28


def adoption(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    comparison: pd.DataFrame,
    measures: Sequence[str | tuple[str, str]] = (),
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw measures over the share of practices on the platform, a line for each rate set, view or order.

    ``summary``, ``scenarios`` and ``comparison`` are the result tables (``SUMMARY_COLUMNS``,
    ``COMPARISON_COLUMNS``). A measure is a name (whole) or a name with a group; by default silent
    failures, lost and late referrals (all messages where there are no referrals). Bars are
    simulation intervals, the grey band is the assumption range, a coloured one the range over joining
    orders (see ``charts.lines``); beneath stand the paired differences to the baseline with all of them.
    Raises ValueError where no measure has values.
    """
    frame = prepare(summary, scenarios, comparison, measures, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    comparison: pd.DataFrame,
    measures: Sequence[str | tuple[str, str]],
    view: str,
    basis: str,
) -> pd.DataFrame:
    """Return the chart's frame: a row for each measure, quantity (level, difference) and scenario."""
    table = summary.assign(group=summary["group"].fillna(""))
    wanted = _wanted(table, measures)
    known = lines(scenarios)
    if len(comparison):
        comparison = comparison.assign(group=comparison["group"].fillna(""))
        comparison = comparison.merge(wanted[["measure", "group"]])
    at, against = pooled(table.merge(wanted[["measure", "group"]]), comparison, known)
    both = [at.rename(columns={"mean": "value"}).assign(quantity="level", baseline="")]
    if len(against):
        both.append(against.rename(columns={"difference": "value"}).assign(quantity="difference"))
    frame = pd.concat(both, ignore_index=True)
    frame = frame.merge(wanted, on=["measure", "group"]).merge(known.drop(columns="point"), on="scenario")
    in_panel = frame.groupby(["panel", "quantity", "level", "line"])
    frame["assumption_low"] = in_panel["value"].transform("min")
    frame["assumption_high"] = in_panel["value"].transform("max")
    alone = in_panel["rates"].transform("nunique") < 2
    frame.loc[alone, ["assumption_low", "assumption_high"]] = np.nan
    baseline = pd.concat([known, inputs.levels(scenarios)]).drop_duplicates("scenario").set_index("scenario")
    frame["baseline_level"] = frame["baseline"].map(baseline["level"])
    frame["baseline_share"] = frame["baseline"].map(baseline["practices_share"])
    # Without practices to count, or where that tells no levels apart, they stand side by side in their order.
    if known.duplicated(["line", "rates", "practices_share"]).any() and known["point"].is_unique:
        frame[["practices_share", "baseline_share"]] = np.nan
    steps = frame["order"] / max(1, int(known["order"].max()))
    frame["place"] = frame["practices_share"].where(frame["practices_share"].notna(), steps)
    frame["view"] = frame["view"].where(frame["view"] != "", view)
    frame = frame.assign(basis=basis, **_counted(table))
    return frame.sort_values(["panel", "quantity", "line", "rates", "order"], ignore_index=True)


def _wanted(table: pd.DataFrame, measures: Sequence[str | tuple[str, str]]) -> pd.DataFrame:
    """Return ``measure, group, panel`` for what is drawn. Raises ValueError where nothing can be."""
    has = set(table.loc[table["value"].notna(), ["measure", "group"]].itertuples(index=False, name=None))
    asked = [((m, ""),) if isinstance(m, str) else (m,) for m in measures] or PANELS
    found = [next((pair for pair in pairs if pair in has), None) for pairs in asked]
    rows = [(*pair, i) for i, pair in enumerate(pair for pair in found if pair is not None)]
    if not rows:
        names = ", ".join(measure for pairs in asked for measure, _ in pairs[:1])
        raise ValueError(f"none of these measures has values: {names}")
    return pd.DataFrame(rows, columns=["measure", "group", "panel"])


def _counted(table: pd.DataFrame) -> dict[str, Any]:
    """Return how many cases a replication has on average, and what they are."""
    whole = table[(table["group"] == "") & (table["value"] > 0)].groupby("measure")["value"].mean()
    for measure, counted in COUNTED:
        if measure in whole.index:
            return {"cases": float(whole[measure]), "counted": counted}
    return {"cases": np.nan, "counted": ""}


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    frame = inputs.with_texts(frame, ["group", "rates", "line", "view", "baseline_level"])
    panels = sorted(frame["panel"].unique())
    quantities = [q for q in ("level", "difference") if (frame["quantity"] == q).any()]
    figure = new_figure(1.5 + 2.35 * len(quantities), key_inches=KEY_INCHES)
    grid = figure.subplots(len(quantities), len(panels), squeeze=False, sharex=True)
    sets = _series(frame)
    for row, quantity in enumerate(quantities):
        for column, panel in enumerate(panels):
            part = frame[(frame["panel"] == panel) & (frame["quantity"] == quantity)]
            _panel(grid[row, column], part, quantity, sets, labels, column == 0)
            if row == 0:
                grid[row, column].set_title(_heading(part, labels))
    _places(grid[-1, :], frame, labels)
    _legend(figure, labels, frame)
    add_title(figure, _title(frame, labels))
    add_footer(figure, _footer(frame, labels))
    for row, quantity in enumerate(quantities):
        part = frame[(frame["panel"] == panels[-1]) & (frame["quantity"] == quantity)]
        _ends(grid[row, -1], part, sets, labels)
    return finished(figure)


def _places(row: NDArray[Any], frame: pd.DataFrame, labels: Labels) -> None:
    """Name what stands on the x axis: the share of practices, or the levels where none is known."""
    if frame["practices_share"].notna().all():
        row[len(row) // 2].set_xlabel(labels.text("practices_axis"))
        return
    named = frame.drop_duplicates("level").sort_values("place")
    for axes in row:
        names = [inputs.short_level(labels, name) for name in named["level"]]
        axes.set_xticks(100 * named["place"], names, rotation=90)


def _series(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the lines and rate sets that are drawn, in a fixed order, equal rates first."""
    found = set(frame[["line", "rates"]].itertuples(index=False, name=None))
    return sorted(found, key=lambda one: (one[0], one[1] != inputs.EQUAL, one[1]))


def _heading(part: pd.DataFrame, labels: Labels) -> str:
    measure, group = part["measure"].iloc[0], part["group"].iloc[0]
    text = labels.measure(measure)
    return f"{text},\n{labels.group(group)}" if group else text


def _scale(unit: str) -> float:
    """Return what a value is multiplied with to be drawn: shares as percent."""
    return 100.0 if unit == "share" else 1.0


def _panel(
    axes: Axes, part: pd.DataFrame, quantity: str, sets: list[tuple[str, str]], labels: Labels, first: bool
) -> None:
    """Draw one measure: bands for the ranges over assumptions and orders, bars for simulation intervals."""
    if part.empty:
        axes.set_axis_off()
        return
    unit = str(part["unit"].iloc[0])
    scale = _scale(unit)
    for _, own in part.groupby("line", sort=True):
        band = own.drop_duplicates("level").sort_values("place")
        low, high = scale * band["assumption_low"], scale * band["assumption_high"]
        axes.fill_between(100 * band["place"], low, high, color=MUTED, alpha=0.18, lw=0)
    for i, (name, rates) in enumerate(sets):
        line = part[(part["line"] == name) & (part["rates"] == rates)].sort_values("place")
        if line.empty:
            continue
        value = scale * line["value"]
        bars = np.nan_to_num([value - scale * line["low"], scale * line["high"] - value])
        orders = scale * line["order_low"], scale * line["order_high"]
        axes.fill_between(100 * line["place"], *orders, color=distinct(len(sets))[i], alpha=0.2, lw=0)
        axes.errorbar(
            100 * line["place"] + 1.2 * (i - (len(sets) - 1) / 2),
            value,
            yerr=bars,
            color=distinct(len(sets))[i],
            linestyle=LINE_STYLES[i % len(LINE_STYLES)],
            marker=MARKERS[i % len(MARKERS)],
            lw=1.4,
            elinewidth=1.4,
            capsize=2.5,
        )
    axes.set_xlim(-4, 104)
    axes.set_xticks([0, 50, 100])
    localise(axes.yaxis, labels)
    if quantity == "level":
        axes.set_ylim(bottom=0)
        axes.set_ylabel(labels.unit(unit))
    else:
        axes.axhline(0, color=MUTED, lw=1.0)
        if part["baseline_share"].notna().any():
            axes.plot(
                100 * float(part["baseline_share"].dropna().iloc[0]), 0, "o", mfc="white", mec=MUTED, ms=6
            )
        points = labels.unit("points" if unit == "share" else unit)
        baseline = inputs.short_level(labels, str(part["baseline_level"].iloc[0]))
        axes.set_ylabel(labels.text("difference_axis", baseline=baseline, unit=points) if first else points)


def _legend(figure: Figure, labels: Labels, frame: pd.DataFrame) -> None:
    """Name intervals and ranges by what they are."""
    bar = Line2D([], [], color=MUTED, marker="|", markersize=9, lw=0, markeredgewidth=1.6)
    handles: list[Line2D | Patch] = [bar]
    names = [labels.text("simulation_interval")]
    if frame["assumption_low"].notna().any():
        handles.append(Patch(color=MUTED, alpha=0.25, lw=0))
        names.append(labels.text("assumption_range"))
    if frame["order_low"].notna().any():
        handles.append(Patch(color=distinct(1)[0], alpha=0.25, lw=0))
        names.append(labels.text("order_range", orders=labels.number(float(frame["orders"].max()))))
    width, height = figure.get_size_inches()
    corner = (MARGIN_INCHES / width, FOOTER_INCHES / height)
    legend = figure.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=corner,
        ncols=len(handles),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.3,
        columnspacing=1.2,
    )
    legend.set_in_layout(False)


def _ends(axes: Axes, part: pd.DataFrame, sets: list[tuple[str, str]], labels: Labels) -> None:
    last = part[part["order"] == part["order"].max()]
    colours = dict(zip(sets, distinct(len(sets)), strict=True))
    ends = [
        End(
            _scale(str(row["unit"])) * float(row["value"]),
            line_label(labels, str(row["line"]), str(row["rates"])),
            colours[row["line"], row["rates"]],
        )
        for row in last.to_dict("records")
        if row["line"] or row["rates"]
    ]
    left, right = axes.get_xlim()
    label_ends(axes, ends, x=min(1.0, (100 * float(last["place"].max()) + 2 - left) / (right - left)))


def _footer(frame: pd.DataFrame, labels: Labels) -> str:
    views = sorted(set(frame["view"]))
    frame = frame.assign(view=views[0] if len(views) == 1 else inputs.BOTH)
    if pd.notna(frame["cases"].iloc[0]):
        return inputs.footer(frame, labels, float(frame["cases"].iloc[0]), cell(frame, "counted"))
    return inputs.footer_short(frame, labels)


def _title(frame: pd.DataFrame, labels: Labels) -> str:
    """Return the finding of the first measure, leading rates; where there are two views, that of each."""
    rates = inputs.leading_rates(frame)
    part = frame[(frame["rates"] == rates) & (frame["panel"] == frame["panel"].min())]
    first = part.sort_values(["view", "line"]).drop_duplicates("view")["line"]
    part = part[part["line"].isin(first)].sort_values(["view", "order"])
    differences = part[part["quantity"] == "difference"].drop_duplicates("view", keep="last")
    under = labels.under(rates)
    if differences.empty:
        return _single(part.iloc[-1], under, labels)
    row = differences.iloc[-1]
    texts = {
        "under": under,
        # Two findings leave no room for the group, which the panel's heading tells.
        "subject": _subject(row, labels) if len(differences) == 1 else labels.sentence(str(row["measure"])),
        "high": inputs.level_name(labels, row["level"]),
        "low": inputs.level_name(labels, row["baseline_level"]),
    }
    depends = "_depends" if any(inputs.depends(one) for _, one in differences.iterrows()) else ""
    if len(differences) > 1:
        same = labels.text("not_clear")
        each = [
            labels.text("in_view", view=labels.word("view", one["view"]), change=_change(one, labels) or same)
            for _, one in differences.iterrows()
        ]
        return labels.text(f"two_views{depends}", changes=", ".join(each), **texts)
    change = _change(row, labels)
    return labels.text(f"{'finding' if change else 'no_difference'}{depends}", change=change, **texts)


def _change(row: pd.Series[Any], labels: Labels) -> str:
    """Return by how much a difference is higher or lower; "" where its interval has 0 in it."""
    scale = _scale(row["unit"])
    value, low, high = (scale * float(row[c]) for c in ("value", "low", "high"))
    digits = statistics.decimals(low, high, most=2)
    if low <= 0 <= high or round(value, digits) == 0:
        return ""
    amount = labels.number(abs(value), digits)
    if row["unit"] == "share":
        amount = labels.text("points", value=amount)
    else:
        amount = labels.text("amount", value=amount, unit=labels.unit(row["unit"]))
    return labels.text("higher" if value > 0 else "lower", difference=amount)


def _subject(row: pd.Series[Any], labels: Labels) -> str:
    """Return the measure as the subject of a sentence, with its group."""
    sentence = labels.sentence(str(row["measure"]))
    return (
        labels.text("of_group", sentence=sentence, group=labels.group(row["group"]))
        if row["group"]
        else sentence
    )


def _single(row: pd.Series[Any], under: str, labels: Labels) -> str:
    """Return the title where nothing is compared: the value of the highest level."""
    unit, scale = str(row["unit"]), _scale(str(row["unit"]))
    digits = statistics.decimals(scale * float(row["low"]), scale * float(row["high"]), most=2)
    value = labels.text(
        "amount", value=labels.number(scale * float(row["value"]), digits), unit=labels.unit(unit)
    )
    return labels.text(
        "single_level",
        under=under,
        subject=_subject(row, labels),
        value=value,
        level=inputs.level_name(labels, str(row["level"])),
    )
