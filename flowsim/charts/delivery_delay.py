"""How long deliveries take by message kind and channel, with the unseen counted and the deadline drawn in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from flowsim.charts import inputs
from flowsim.charts.style import (
    FEW,
    INK,
    MARKERS,
    MUTED,
    Chart,
    add_footer,
    add_key,
    add_title,
    cell,
    distinct,
    finished,
    new_figure,
    styled,
)
from flowsim.labels import Labels, load_labels
from flowsim.vocabulary import Channel

QUANTILES: Final = {"p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}
#: At most this many kinds of message, the most frequent first.
KINDS_MOST: Final = 8
#: What stands on the axis, in hours.
TICKS_HOURS: Final = (1 / 60, 1 / 4, 1.0, 6.0, 24.0, 7 * 24.0, 30 * 24.0, 90 * 24.0, 365 * 24.0)


def delivery_delay(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    deadlines: Mapping[str, float] | None = None,
    scenario: str | None = None,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw the delay from authored to seen, a strip for each kind of message and channel.

    ``profile``: ``scenario, replication, kind, channel, outcome, low_hours, high_hours, count``;
    outcome "seen" has the edges of a bin, lost and waiting have none, and count as not seen.
    ``deadlines``: hours by kind. ``scenario``: default the one of equal rates nearest to half the
    practices, where most channels are used.
    """
    frame = prepare(profile, scenarios, deadlines or {}, scenario, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    deadlines: Mapping[str, float],
    scenario: str | None,
    view: str,
    basis: str,
) -> pd.DataFrame:
    """Return the chart's frame: a row for each kind and channel, with quantiles in hours.

    A quantile that lies among the unseen is infinite. ``late_or_unseen`` is a share of all
    deliveries not cancelled; NaN where the kind has no deadline.
    """
    known = inputs.levels(scenarios)
    name = scenario or inputs.middle_scenario(known)
    here = known.set_index("scenario").loc[name]
    part = profile[profile["scenario"].astype(str) == name]
    replications = int(part["replication"].nunique())
    table = inputs.delivery_delay(part)
    kinds = table.groupby("kind")["count"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    for rank, kind in enumerate(kinds.index[:KINDS_MOST]):
        of_kind = table[table["kind"] == kind]
        for channel in sorted(of_kind["channel"].unique(), key=_channel_order):
            strip = of_kind[of_kind["channel"] == channel]
            rows.append(
                {"rank": rank, "kind": kind, "channel": channel, **_strip(strip, deadlines.get(str(kind)))}
            )
    return pd.DataFrame(rows).assign(
        scenario=name,
        level=here["level"],
        rates=here["rates"],
        replications=replications,
        view=view,
        basis=basis,
    )


def _channel_order(name: str) -> int:
    return int(Channel[name]) if name in Channel.__members__ else len(Channel) + 1


def _strip(histogram: pd.DataFrame, deadline: float | None) -> dict[str, float]:
    """Return quantiles and shares of one histogram, the unseen included."""
    seen = histogram[histogram["outcome"] == "seen"].sort_values("low_hours")
    total, by_bin = float(histogram["count"].sum()), seen["count"].to_numpy(np.float64)
    low, high = seen["low_hours"].to_numpy(np.float64), seen["high_hours"].to_numpy(np.float64)
    result = {name: _quantile(low, high, by_bin, share * total) for name, share in QUANTILES.items()}
    result["unseen"] = 1 - by_bin.sum() / total
    result["deadline_hours"], result["late_or_unseen"] = np.nan, np.nan
    if deadline is not None:
        inside = np.clip((deadline - low) / (high - low), 0.0, 1.0)
        result |= {"deadline_hours": deadline, "late_or_unseen": 1 - float((inside * by_bin).sum()) / total}
    return result | {"deliveries": total}


def _quantile(
    low: NDArray[np.float64], high: NDArray[np.float64], counts: NDArray[np.float64], rank: float
) -> float:
    """Return the hour by which ``rank`` deliveries were seen, evenly within a bin; infinite if never."""
    reached = counts.cumsum()
    at = int(np.searchsorted(reached, rank))
    if at == len(reached):
        return float(np.inf)
    return float(low[at] + (high[at] - low[at]) * (rank - (reached[at] - counts[at])) / counts[at])


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    rows = frame.reset_index(drop=True)
    places = np.arange(len(rows)) + 0.6 * rows["rank"].to_numpy()
    figure = new_figure(max(3.0, 1.75 + 0.27 * (places[-1] + 1)), key_inches=0.36)
    axes = figure.subplots()
    channels = sorted(rows["channel"].unique(), key=_channel_order)
    colours = dict(zip(channels, distinct(len(channels)), strict=True))
    markers = dict(zip(channels, MARKERS, strict=False))
    finite = rows[[*QUANTILES, "deadline_hours"]].replace(np.inf, np.nan)
    left = max(1 / 60, float(finite.min().min()) / 1.6)
    right = max(48.0, float(finite.max().max()) * 1.6)
    for place, (_, row) in zip(places, rows.iterrows(), strict=True):
        _draw_strip(axes, float(place), row, colours[row["channel"]], markers[row["channel"]], (left, right))
    _deadlines(axes, rows, places, labels)
    _axis(axes, rows, places, labels, (left, right))
    for tick, channel in zip(axes.get_yticklabels(), rows["channel"], strict=True):
        tick.set_color(colours[channel])
    add_title(figure, _title(rows, labels))
    few = any(_few(row) for _, row in rows.iterrows())
    add_key(figure, labels.text("delay_key") + ("\n" + labels.text("delay_few", few=FEW) if few else ""))
    per_replication = float(rows["deliveries"].sum() / rows["replications"].max())
    add_footer(figure, inputs.footer(frame, labels, per_replication, "deliveries_counted"))
    return finished(figure)


def _draw_strip(
    axes: Axes, place: float, row: pd.Series[float], colour: str, marker: str, limits: tuple[float, float]
) -> None:
    """Draw one strip: 10 to 90 % thin, middle half thick, median as a dot, an arrow where unseen."""
    p10, p25, p50, p75, p90 = (float(np.clip(row[name], *limits)) for name in QUANTILES)
    axes.plot([p10, p90], [place, place], color=colour, lw=1.6, solid_capstyle="butt")
    axes.plot([p25, p75], [place, place], color=colour, lw=6, solid_capstyle="butt", alpha=0.55)
    if np.isfinite(row["p50"]):
        axes.plot([p50], [place], marker=marker, color=colour, ms=6, mec="white", mew=0.8)
    if not np.isfinite(row["p90"]):
        axes.annotate(
            "",
            (limits[1], place),
            (-14, 0),
            textcoords="offset points",
            arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0},
        )


def _deadlines(axes: Axes, rows: pd.DataFrame, places: NDArray[np.float64], labels: Labels) -> None:
    """Draw each kind's deadline through its strips, and what share misses it at the right."""
    first = True
    for _, group in rows.groupby("rank"):
        deadline = group["deadline_hours"].iloc[0]
        if pd.notna(deadline):
            top, bottom = places[group.index[0]] - 0.45, places[group.index[-1]] + 0.45
            axes.plot([deadline, deadline], [top, bottom], color=INK, lw=1.6)
            if first:
                axes.annotate(
                    labels.text("delay_deadline"),
                    (deadline, top),
                    (0, 2),
                    textcoords="offset points",
                    ha="right",
                    va="bottom",
                    color=INK,
                )
                first = False
    axes.annotate(
        labels.text("delay_late"),
        (1, 1),
        (38, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
    )
    for place, (_, row) in zip(places, rows.iterrows(), strict=True):
        share = row["late_or_unseen"] if pd.notna(row["late_or_unseen"]) else row["unseen"]
        text = labels.percent(float(share), 1) + ("*" if _few(row) else "")
        axes.annotate(
            text,
            (1, place),
            (38, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            annotation_clip=False,
        )


def _few(row: pd.Series[Any]) -> bool:
    """Return whether a strip's share rests on too few deliveries late or unseen to be a finding."""
    share = row["late_or_unseen"] if pd.notna(row["late_or_unseen"]) else row["unseen"]
    return bool(round(share * row["deliveries"]) < FEW)


def _axis(
    axes: Axes, rows: pd.DataFrame, places: NDArray[np.float64], labels: Labels, limits: tuple[float, float]
) -> None:
    """Write channels at the strips, kinds beside their groups, and times on a logarithmic axis."""
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    ticks = [hours for hours in TICKS_HOURS if limits[0] <= hours <= limits[1]]
    axes.set_xticks(ticks, [_time(labels, hours) for hours in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color="#dddddd", lw=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(labels.text("delay_axis"))
    axes.set_ylim(places[-1] + 0.7, -0.7)
    axes.set_yticks(places, [labels.word("channel", name) for name in rows["channel"]])
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_visible(False)
    widest = max(len(labels.word("channel", name)) for name in rows["channel"])
    for _, group in rows.groupby("rank"):
        axes.annotate(
            labels.word("message_kind", group["kind"].iloc[0]),
            (0, places[group.index[0]]),
            (-(widest * 5.6 + 14), 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
            annotation_clip=False,
        )


def _time(labels: Labels, hours: float) -> str:
    """Return a tick in the unit that reads best."""
    if hours < 1:
        return labels.text("minutes_short", value=labels.number(hours * 60))
    if hours < 24:
        return labels.text("hours_short", value=labels.number(hours))
    return labels.text("days_short", value=labels.number(hours / 24))


def _title(rows: pd.DataFrame, labels: Labels) -> str:
    """Return the strip that misses its deadline most often; without deadlines the slowest one."""
    missed = rows[rows["late_or_unseen"] * rows["deliveries"] >= FEW]
    often = rows[rows["deliveries"] >= FEW]
    enough = next((part for part in (missed, often) if len(part)), rows)
    by_deadline = enough["late_or_unseen"].notna().any()
    row = inputs.largest(enough, "late_or_unseen" if by_deadline else "p50")
    values = {
        "under": labels.under(cell(rows, "rates")),
        "kind": labels.word("message_kind", row["kind"]),
        "channel": labels.word("channel", row["channel"]),
        "level": inputs.level_name(labels, cell(rows, "level")),
    }
    if by_deadline:
        return labels.text("delay_title", share=labels.percent(float(row["late_or_unseen"]), 1), **values)
    if not np.isfinite(row["p50"]):
        return labels.text("delay_title_never", **values)
    return labels.text("delay_title_in_time", time=labels.duration(float(row["p50"])), **values)
