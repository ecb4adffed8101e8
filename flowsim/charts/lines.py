"""Which scenarios stand on one line of a chart over adoption levels, and which are one point of it.

A line is a rate set, a view, a joining order, or whatever else a grid varies beside the level. Scenarios of
a line and level that differ only in the seed of a random joining order are one point: the mean over orders,
with the range over orders (lowest to highest) beside it. That range is no simulation interval: more
replications do not narrow it.
"""

from __future__ import annotations

import json
from typing import Final

import pandas as pd

from flowsim import statistics
from flowsim.charts import inputs
from flowsim.labels import Labels
from flowsim.statistics import RATES, setting_columns

ORDER: Final = "adoption.order"
SEED: Final = "adoption.order_seed"
VIEW: Final = "view"
#: Between what tells a line from others, and between a setting and its value.
_BETWEEN: Final = ";"
_IS: Final = "="


def lines(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`inputs.levels` does, with ``line, view, point`` for each scenario that is drawn.

    ``line`` tells lines of one rate set apart ("view=transition"), ``point`` names the scenario that stands
    for all of a point. Scenarios with names of their own are drawn if they differ from the grid only in
    what lines are made of; without a grid over levels, each scenario is a level of its own.
    """
    table = scenarios.reset_index(drop=True)
    names = table["scenario"].astype(str)
    plain = inputs.levels(table).assign(line="", view="", point=names)
    grid = names.str.contains(_IS, regex=False)
    varied = _varied(table, setting_columns(table))
    if inputs.ADOPTION not in varied or not set(varied) - {inputs.ADOPTION, RATES} or not grid.any():
        return plain
    fixed = [c for c in varied if c not in (inputs.ADOPTION, RATES, VIEW, ORDER, SEED)]
    as_in_grid = table[fixed].astype(str).eq(table.loc[grid, fixed].astype(str).iloc[0]).all(axis=1)
    table = table[grid | as_in_grid].reset_index(drop=True)
    by = _varied(table, [c for c in varied if c not in (inputs.ADOPTION, RATES, SEED)])
    known = inputs.levels(table)
    known["level"] = table[inputs.ADOPTION].astype(str)
    known["line"] = [_BETWEEN.join(f"{c}{_IS}{row[c]}" for c in by) for row in table.to_dict("records")]
    known["view"] = table[VIEW].astype(str) if VIEW in by else ""
    known["order"] = inputs.in_order(known["level"], known["practices_share"])
    seed = table[SEED].astype(str) if SEED in table.columns else ""
    key = known["line"] + "\0" + known["rates"] + "\0" + known["level"]
    if (key + "\0" + seed).duplicated().any():
        return plain
    known["point"] = known.groupby(key, sort=False)["scenario"].transform("first")
    return known


def _varied(table: pd.DataFrame, columns: list[str]) -> list[str]:
    """Return the columns that do not hold the same text in every row."""
    return [c for c in columns if len(set(table[c].astype(str))) > 1]


def line_label(labels: Labels, line: str, rates: str) -> str:
    """Return what people read at the end of a line: its view, joining order or levers, and its rate set."""
    words = [labels.word("rates", rates)] if rates else []
    for part in line.split(_BETWEEN) if line else []:
        setting, _, value = part.partition(_IS)
        family = {VIEW: "view", ORDER: "joining_order"}.get(setting, "")
        words.append(labels.word(family, value) if family else _value(labels, value))
    return ", ".join(words)


def _value(labels: Labels, value: str) -> str:
    """Return a setting's value in words; a list by what it names."""
    if value.startswith("["):
        named = [labels.word("lever", name) for name in json.loads(value)]
        return ", ".join(named) if named else labels.text("none_of_it")
    return labels.level(value)


def pooled(
    summary: pd.DataFrame, comparison: pd.DataFrame, known: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return means and differences by point: ``scenario`` is the one that stands for it.

    Columns of :func:`statistics.means` (the first table) and ``COMPARISON_COLUMNS`` (the second), with
    ``orders, order_low, order_high``: over how many joining orders, and the lowest and highest of them.
    ``known`` comes from :func:`lines`; scenarios that it does not have are left out.
    """
    point: dict[str, str] = dict(zip(known["scenario"], known["point"], strict=True))
    own = summary[summary["scenario"].isin(list(point))]
    keys = ["scenario", "measure", "group"]
    each = statistics.means(own)
    spread = _spread(each.assign(scenario=each["scenario"].map(point)), keys, "mean")
    own = own.assign(scenario=own["scenario"].map(point))
    mean = own.groupby(["scenario", "replication", "measure", "group", "unit"], sort=False)["value"].mean()
    level = statistics.means(mean.reset_index()).merge(spread, on=keys)
    if comparison.empty:
        return level, pd.DataFrame()
    drawn = comparison[comparison["scenario"].isin(list(point))]
    against: dict[str, str] = dict(zip(drawn["scenario"], drawn["baseline"], strict=True))
    pairs = statistics.pairs(summary, against)
    # A baseline that is no point of a line stands for itself.
    stands_for = {name: point.get(name, name) for name in (*against, *against.values())}
    pairs = pairs.assign(
        of=pairs["scenario"],
        scenario=pairs["scenario"].map(stands_for),
        baseline=pairs["baseline"].map(stands_for),
    )
    keys = ["scenario", "baseline", "measure", "group"]
    each = pairs.groupby([*keys, "of"], sort=False)["difference"].mean().reset_index()
    mean = pairs.groupby([*keys, "replication", "unit"], sort=False)["difference"].mean()
    return level, statistics.differences(mean.reset_index()).merge(_spread(each, keys, "difference"), on=keys)


def _spread(table: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    """Return how many orders a point has, and the lowest and highest; nan where there is only one."""
    found = table.groupby(keys, sort=False)[column].agg(orders="count", order_low="min", order_high="max")
    found.loc[found["orders"] < 2, ["order_low", "order_high"]] = float("nan")
    return found.reset_index()
