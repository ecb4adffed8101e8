"""Cost and benefit per payer: what each gains or loses against the baseline, beside what it may have saved.

What the earlier systems cost is not known, so it is drawn as a grey bar and in no point: a point to the
right of the bar is a gain whatever they cost, one to the left of it a loss, one beside it depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from flowsim.charts import inputs
from flowsim.charts.style import (
    FOOTER_INCHES,
    INK,
    MARGIN_INCHES,
    MARKERS,
    TEXT_POINTS,
    Chart,
    add_footer,
    add_key,
    add_title,
    cell,
    distinct,
    finished,
    localise,
    new_figure,
    styled,
)
from flowsim.economics import FORMS, PAYERS, SOCIETY, SUM_DIFFERENCE
from flowsim.labels import Labels, load_labels

_MILLION: Final = 1e6
_KEY_INCHES: Final = 0.66
_ROW_INCHES: Final = 0.4
_GREY: Final = "#c9c9c9"
#: Whose finding is the title, where it has one.
_LEADING: Final = "municipality"


def economics(
    tables: Mapping[str, pd.DataFrame],
    scenarios: pd.DataFrame,
    facts: Mapping[str, Any],
    replications: int,
    view: str = "settled",
    basis: str = "assumed",
    language: str = "en",
) -> Chart:
    """Draw each payer's difference to the baseline in a year, for each form of the benefit.

    ``tables`` has economics, break_even and better_than_before, ``facts`` year and inhabitants. A point is
    at the values of all numbers, the line goes from lowest to highest over their ranges, the grey bar is
    what the earlier systems may have cost. Raises ValueError where nothing is compared.
    """
    frame = prepare(tables, scenarios).assign(
        year=int(facts["year"]),
        inhabitants=float(facts["inhabitants"]),
        replications=replications,
        view=view,
        basis=basis,
    )
    return Chart(draw(frame, load_labels(language)), frame)


def prepare(tables: Mapping[str, pd.DataFrame], scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return the chart's frame: a row for each payer, scenario that is compared, and form, in MNOK a year."""
    table = tables["economics"].fillna({"form": ""})
    compared = table[table["item"] == SUM_DIFFERENCE]
    if compared.empty:
        raise ValueError("nothing is compared")
    known = inputs.levels(scenarios)
    rates = inputs.leading_rates(known)
    frame = compared.merge(known[known["rates"] == rates], on="scenario")
    even = tables["break_even"].fillna({"form": "", "note": ""})
    legacy = even[even["quantity"] == "legacy_cost"].rename(columns={"value": "break_even", "note": "why"})
    keys = ["scenario", "payer", "form"]
    frame = frame.merge(legacy[[*keys, "break_even", "why"]], on=keys, how="left")
    baseline = tables["better_than_before"].drop_duplicates("scenario").set_index("scenario")["baseline"]
    frame["baseline"] = frame["scenario"].map(_baselines(even, baseline))
    frame["baseline_level"] = frame["baseline"].map(known.set_index("scenario")["level"])
    frame = frame.merge(_legacy(table), on=["scenario", "payer"], how="left")
    base = _legacy(table).rename(columns={"scenario": "baseline", "least": "base_least", "most": "base_most"})
    frame = frame.merge(base, on=["baseline", "payer"], how="left")
    frame["legacy_low"] = (frame["base_least"] - frame["least"]).fillna(0.0)
    frame["legacy_high"] = (frame["base_most"] - frame["most"]).fillna(0.0)
    better = tables["better_than_before"]
    unknown = set(better.loc[better["note"] == "running_cost_unknown", "payer"])
    frame["running_cost_unknown"] = frame["payer"].isin(unknown)
    for column in ("low", "value", "high", "break_even", "legacy_low", "legacy_high"):
        frame[column] = frame[column] / _MILLION
    place = {payer: i for i, payer in enumerate((*PAYERS, SOCIETY))}
    frame["place"] = frame["payer"].map(place)
    at_stake = frame.groupby("payer")[["low", "high"]].transform(lambda c: c.abs().max()).max(axis=1) > 0
    frame["row"] = frame["scenario"].map({name: i for i, name in enumerate(scenarios["scenario"])})
    names = ["payer", "scenario", "level", "rates", "order", "row", "form", "low", "value", "high"]
    names += ["legacy_low", "legacy_high", "break_even", "why", "baseline_level", "running_cost_unknown"]
    ordered = frame[at_stake].sort_values(["place", "row"], kind="stable", ignore_index=True)
    return ordered[names]


def _baselines(even: pd.DataFrame, better: pd.Series[Any]) -> dict[str, str]:
    """Return each scenario's baseline."""
    named = even[even["baseline"].fillna("") != ""].drop_duplicates("scenario")
    return {**better.to_dict(), **dict(zip(named["scenario"], named["baseline"], strict=True))}


def _legacy(table: pd.DataFrame) -> pd.DataFrame:
    """Return what each payer may pay for earlier systems: ``scenario, payer, least, most``, not negative."""
    part = table[table["item"] == "legacy_cost"]
    costs = {"least": -part["high"], "most": -part["low"]}
    return part[["scenario", "payer"]].assign(**costs)


@styled
def draw(frame: pd.DataFrame, labels: Labels) -> Figure:
    """Draw the frame that :func:`prepare` made, or that was saved beside a chart."""
    frame = inputs.with_texts(frame, ["rates", "why", "baseline_level"])
    payers = list(dict.fromkeys(frame["payer"]))
    levels = list(dict.fromkeys(frame.sort_values("row")["level"]))
    height = 1.1 + _KEY_INCHES + len(payers) * (0.34 + _ROW_INCHES * len(levels))
    figure = new_figure(height, key_inches=_KEY_INCHES)
    grid = figure.subplots(len(payers), 1, squeeze=False, sharex=True)[:, 0]
    for axes, payer in zip(grid, payers, strict=True):
        _panel(axes, frame[frame["payer"] == payer], levels, labels)
    baseline = labels.level(cell(frame, "baseline_level"))
    grid[-1].set_xlabel(labels.text("economics_axis", baseline=baseline))
    localise(grid[-1].xaxis, labels)
    add_title(figure, _title(frame, labels))
    _legend(figure, frame, labels)
    inhabitants = labels.number(float(frame["inhabitants"].iloc[0]))
    footer = labels.text(
        "footer_short",
        view=labels.word("view", cell(frame, "view")),
        basis=labels.word("basis", cell(frame, "basis")),
        replications=labels.number(float(frame["replications"].iloc[0])),
    )
    about = labels.text("economics_about", inhabitants=inhabitants, year=int(frame["year"].iloc[0]))
    add_footer(figure, f"{footer} · {about}")
    return finished(figure)


def _panel(axes: Axes, part: pd.DataFrame, levels: list[str], labels: Labels) -> None:
    """Draw one payer: a row for each scenario, a point for each form of the benefit."""
    colours = dict(zip(FORMS, distinct(len(FORMS)), strict=True))
    for row, level in enumerate(levels):
        here = part[part["level"] == level]
        if here.empty:
            continue
        low, high = float(here["legacy_low"].iloc[0]), float(here["legacy_high"].iloc[0])
        axes.barh(row, high - low, left=-high, height=0.86, color=_GREY, lw=0)
        for each in here.to_dict("records"):
            index = FORMS.index(each["form"])
            y = row + 0.23 * (index - (len(FORMS) - 1) / 2)
            axes.plot([each["low"], each["high"]], [y, y], color=colours[each["form"]], lw=0.9)
            axes.plot(each["value"], y, MARKERS[index], color=colours[each["form"]], ms=5.5)
    axes.axvline(0, color=INK, lw=0.9, zorder=0)
    axes.set_ylim(len(levels) - 0.45, -0.55)
    axes.set_yticks(range(len(levels)), [labels.level(level) for level in levels])
    axes.tick_params(axis="y", length=0)
    name = labels.word("payer", part["payer"].iloc[0])
    unknown = bool(part["running_cost_unknown"].iloc[0])
    note = f" ({labels.word('break_even_note', 'running_cost_unknown')})" if unknown else ""
    axes.set_title(f"{name[:1].upper()}{name[1:]}{note}")


def _legend(figure: Figure, frame: pd.DataFrame, labels: Labels) -> None:
    """Name the forms of the benefit, the ranges, and the bar."""
    drawn = [form for form in FORMS if (frame["form"] == form).any()]
    colours = dict(zip(FORMS, distinct(len(FORMS)), strict=True))
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colours[form], marker=MARKERS[FORMS.index(form)], lw=0.9) for form in drawn
    ]
    names = [labels.text("economics_form", form=labels.word("benefit_form", form)) for form in drawn]
    handles.append(Patch(color=_GREY, lw=0))
    names.append(labels.text("economics_grey"))
    width, height = figure.get_size_inches()
    room = 2.6 * TEXT_POINTS / 72  # for the two lines beneath that say how to read it
    add_key(figure, labels.text("economics_key"))
    legend = figure.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(MARGIN_INCHES / width, (FOOTER_INCHES + room) / height),
        ncols=len(handles),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.3,
        columnspacing=1.0,
    )
    legend.set_in_layout(False)


def _title(frame: pd.DataFrame, labels: Labels) -> str:
    """Return the finding: for whom the last scenario pays off, and what that depends on."""
    payers = list(dict.fromkeys(frame["payer"]))
    payer = _LEADING if _LEADING in payers else payers[0]
    part = frame[frame["payer"] == payer]
    joined = part[part["legacy_high"] > 0]
    part = joined if len(joined) else part
    last = part[part["order"] == part["order"].max()]
    level = inputs.level_name(labels, str(last["level"].iloc[0]))
    common = {
        "under": labels.under(cell(frame, "rates")),
        "payer": labels.word("the_payer", payer),
        "high": level,
        "low": inputs.level_name(labels, cell(last, "baseline_level")),
    }
    if not len(joined):
        return _plain_title(last, common, labels)
    least, most = float(last["break_even"].min()), float(last["break_even"].max())
    if np.isnan(least):
        return labels.text("economics_title_any", **common)
    # One form may be better at any cost, which has no break-even of its own.
    least = 0.0 if last["break_even"].isna().any() else least
    between = _between(least, most, labels)
    return labels.text("economics_title", between=between, **common)


def _plain_title(last: pd.DataFrame, common: Mapping[str, str], labels: Labels) -> str:
    """Return the title where the earlier systems play no part: the difference, lowest to highest."""
    low, high = float(last["value"].min()), float(last["value"].max())
    if low < 0 < high:
        return labels.text("economics_title_both", between=_between(low, high, labels), **common)
    if max(-low, high) < 0.5:
        return labels.text("economics_title_same", **common)
    key = "economics_title_gain" if high > 0 else "economics_title_loss"
    least, most = sorted((abs(low), abs(high)))
    return labels.text(key, between=_between(least, most, labels), **common)


def _between(low: float, high: float, labels: Labels) -> str:
    """Return two amounts in whole millions as "35 to 80", or one where they are the same."""
    a, b = labels.number(low), labels.number(high)
    return a if a == b else labels.text("economics_between", low=a, high=b)
