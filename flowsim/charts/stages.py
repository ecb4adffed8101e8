"""Where deliveries fail: stage by type of sender and receiver, charged to stage and mechanism."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from flowsim.charts import inputs
from flowsim.charts.style import (
    FEW,
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
    ramp,
    styled,
)
from flowsim.labels import Labels, load_labels

#: The stages of a delivery in order, each named after what should have happened.
STAGES: Final = ("authored", "emitted", "transported", "accepted", "listed", "opened", "acted")
PAIRS_MOST: Final = 8
MECHANISMS_MOST: Final = 8
_PALE: Final = "#fbe9e1"
_DARK: Final = "#8c1d18"


def stages(
    profile: pd.DataFrame,
    scenarios: pd.DataFrame,
    scenario: str | None = None,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw at which stage deliveries failed first, per 1,000, by who sends to whom, and how.

    ``profile``: ``scenario, replication, stage_failed ("" for none), fault, sender_party,
    receiver_party, channel, count``. Cells with fewer than 20 failures are marked.
    ``scenario``: default the one of equal rates nearest to half the practices.
    """
    frame = prepare(profile, scenarios, scenario, view, basis)
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(
    profile: pd.DataFrame, scenarios: pd.DataFrame, scenario: str | None, view: str, basis: str
) -> pd.DataFrame:
    """Return the chart's frame: panel ``cell`` (pair and stage) and panel ``mechanism`` (stage and fault).

    ``count`` is failures over all replications, ``deliveries`` what they are counted among,
    ``fault`` in a cell the commonest mechanism there ("" where nothing failed).
    """
    known = inputs.levels(scenarios)
    name = scenario or inputs.middle_scenario(known)
    here = known.set_index("scenario").loc[name]
    part = profile[profile["scenario"].astype(str) == name]
    table = inputs.stages(part)
    frame = pd.concat([_cells(table), _mechanisms(table)], ignore_index=True)
    frame["per_1000"] = 1000 * frame["count"] / frame["deliveries"]
    return frame.assign(
        scenario=name,
        level=here["level"],
        rates=here["rates"],
        replications=int(part["replication"].nunique()),
        view=view,
        basis=basis,
    )


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each shown pair and each stage, whether anything failed there or not."""
    pair = ["sender_party", "receiver_party"]
    totals = table.groupby(pair)["count"].sum().sort_values(ascending=False, kind="stable").head(PAIRS_MOST)
    failed = table[table["stage"] != ""].sort_values("count", ascending=False, kind="stable")
    cells = failed.groupby([*pair, "stage"]).agg(count=("count", "sum"), fault=("fault", "first"))
    grid = totals.rename("deliveries").reset_index().merge(pd.DataFrame({"stage": STAGES}), how="cross")
    grid = grid.merge(cells.reset_index(), on=[*pair, "stage"], how="left")
    grid["count"], grid["fault"] = grid["count"].fillna(0).astype(int), grid["fault"].fillna("")
    return grid.assign(panel="cell")


def _mechanisms(table: pd.DataFrame) -> pd.DataFrame:
    """Return the commonest mechanisms of all deliveries, each with its stage."""
    failed = table[table["stage"] != ""].groupby(["stage", "fault"])["count"].sum().reset_index()
    failed = failed.sort_values("count", ascending=False, kind="stable").head(MECHANISMS_MOST)
    return failed.assign(panel="mechanism", deliveries=int(table["count"].sum()))


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    frame = inputs.with_texts(frame, ["fault"])
    cells = frame[frame["panel"] == "cell"].reset_index(drop=True)
    bars = frame[frame["panel"] == "mechanism"].reset_index(drop=True)
    pairs = cells.drop_duplicates(["sender_party", "receiver_party"])
    heights = [0.34 * len(pairs) + 0.25, 0.24 * max(1, len(bars)) + 0.2]
    figure = new_figure(1.9 + sum(heights), key_inches=0.2)
    upper, lower = figure.subplots(2, 1, height_ratios=heights)
    _heat_map(upper, cells, pairs, labels)
    _bars(lower, bars, labels)
    add_title(figure, _title(cells, labels))
    add_key(figure, labels.text("stages_few", few=FEW))
    replications = float(frame["replications"].max())
    total = float(bars["deliveries"].max() if len(bars) else pairs["deliveries"].sum())
    add_footer(figure, inputs.footer(frame, labels, total / replications, "deliveries_counted"))
    return finished(figure)


def _colours() -> ListedColormap:
    """Return one ramp from nearly white to dark red."""
    ends = [np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in (_PALE, _DARK)]
    return ListedColormap([tuple(ends[0] + (ends[1] - ends[0]) * x) for x in np.linspace(0, 1, 64)])


def _heat_map(axes: Axes, cells: pd.DataFrame, pairs: pd.DataFrame, labels: Labels) -> None:
    """Draw failures per 1,000 deliveries, a row for each pair of parties and a column for each stage."""
    values = cells["per_1000"].to_numpy().reshape(len(pairs), len(STAGES))
    counts = cells["count"].to_numpy().reshape(values.shape)
    sure = values[counts >= FEW]
    colours, most = _colours(), float(sure.max() if sure.size else values.max()) or 1.0
    for (row, column), value in np.ndenumerate(values):
        few = counts[row, column] < FEW
        face = colours(min(1.0, float(np.sqrt(value / most)))) if value > 0 else (1.0, 1.0, 1.0, 1.0)
        dark = contrast(to_hex(face)) >= 4.5
        axes.add_patch(
            Rectangle(
                (column - 0.48, row - 0.46),
                0.96,
                0.92,
                facecolor=face,
                edgecolor=("#ffffff" if dark else "#8f8f8f") if few and value > 0 else "#c9c9c9",
                hatch="////" if few and value > 0 else None,
                lw=0.5,
            )
        )
        if value > 0:
            text = _per_1000(labels, float(value)) + ("*" if few else "")
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                color="white" if dark else INK,
                bbox={"facecolor": face, "edgecolor": "none", "pad": 1.0} if few else None,
            )
    axes.set_xlim(-0.5, len(STAGES) - 0.5)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xticks(range(len(STAGES)), [labels.word("stage", name) for name in STAGES])
    axes.xaxis.tick_top()
    names = [
        labels.text("stages_pair", sender=labels.word("party", p[0]), receiver=labels.word("party", p[1]))
        for p in pairs[["sender_party", "receiver_party"]].itertuples(index=False)
    ]
    axes.set_yticks(range(len(pairs)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(labels.text("stages_per_1000"))


def _per_1000(labels: Labels, value: float) -> str:
    """Return a rate with two significant digits."""
    return labels.number(value, 0 if value >= 10 else 1 if value >= 1 else 2)


def _bars(axes: Axes, bars: pd.DataFrame, labels: Labels) -> None:
    """Draw the commonest mechanisms, each with the stage it is charged to."""
    axes.set_title(labels.text("stages_mechanism"))
    if bars.empty:
        axes.set_axis_off()
        return
    few = bars["count"] < FEW
    drawn = axes.barh(range(len(bars)), bars["per_1000"], color=ramp(3)[1], height=0.7)
    for patch, mark in zip(drawn, few, strict=True):
        patch.set_alpha(0.55 if mark else 1.0)
    for row, bar in bars.iterrows():
        text = _per_1000(labels, float(bar["per_1000"])) + ("*" if bar["count"] < FEW else "")
        axes.annotate(
            text, (float(bar["per_1000"]), int(str(row))), (4, 0), textcoords="offset points", va="center"
        )
    names = [
        labels.text(
            "stages_mechanism_name",
            fault=labels.word("fault", bar.fault),
            stage=labels.word("stage", bar.stage),
        )
        for bar in bars[["fault", "stage"]].itertuples(index=False)
    ]
    axes.set_yticks(range(len(bars)), names)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.12 * float(bars["per_1000"].max()))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(MUTED)
    axes.tick_params(left=False)


def _title(cells: pd.DataFrame, labels: Labels) -> str:
    """Return the cell with the most failures per 1,000, of those with enough failures."""
    failed = cells[cells["count"] >= FEW]
    failed = failed if len(failed) else cells[cells["count"] > 0]
    under = labels.under(cell(cells, "rates"))
    if failed.empty:
        return labels.text("stages_title_none", under=under)
    row = inputs.largest(failed, "per_1000")
    return labels.text(
        "stages_title",
        under=under,
        pair=labels.text(
            "stages_pair",
            sender=labels.word("party", row["sender_party"]),
            receiver=labels.word("party", row["receiver_party"]),
        ),
        stage=labels.word("stage", row["stage"]),
        mechanism=labels.word("fault", row["fault"]),
        value=_per_1000(labels, float(row["per_1000"])),
        level=inputs.level_name(labels, cell(cells, "level")),
    )
