"""Cost and benefit on the console: a row for each scenario and payer, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from flowsim.economics import FORMS, PAYERS, SOCIETY
from flowsim.experiment.overview import aligned
from flowsim.experiment.tables import missing
from flowsim.labels import Labels, load_labels
from flowsim.statistics import decimals

#: What the column of costs adds up: a payer's own, without transfers.
COSTS: Final = ("operating_cost", "introduction_cost", "staff_training", "lever_cost")
_MILLION: Final = 1e6


class Block(NamedTuple):
    """A table with a line above and lines beneath; the first two columns are words."""

    heading: str
    heads: list[str]
    rows: list[list[str]]
    lines: list[str]


def economics_block(
    tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any], language: str = "en"
) -> Block:
    """Return the short table of cost and benefit per payer.

    ``tables`` has economics, break_even and better_than_before; ``facts`` is what the manifest says of
    economics. Amounts are in MNOK a year, in whole ones where their ranges are wider than that.
    """
    labels = load_labels(language)
    economics = tables["economics"]
    payers = [payer for payer in (*PAYERS, SOCIETY) if _matters(economics, payer)]
    scenarios = list(dict.fromkeys(economics["scenario"]))
    rows = [_row(tables, scenario, payer, labels) for scenario in scenarios for payer in payers]
    # A scenario's name stands once.
    rows = [[row[0] if i % len(payers) == 0 else "", *row[1:]] for i, row in enumerate(rows)]
    heads = [
        labels.text("economics_scenario"),
        labels.text("economics_payer"),
        labels.text("economics_costs"),
        labels.word("economic_item", "waiting_days"),
        labels.text("economics_benefit"),
        labels.word("economic_item", "legacy_cost"),
        labels.text("economics_breaks_even"),
        labels.text("economics_better"),
    ]
    heading = labels.text(
        "economics_heading", year=facts["year"], inhabitants=labels.number(facts["inhabitants"])
    )
    return Block(heading, heads, rows, _lines(tables, facts, labels))


def _matters(economics: pd.DataFrame, payer: str) -> bool:
    """Return whether a payer pays, gets or saves anything anywhere."""
    part = economics[(economics["payer"] == payer) & economics["unit"].str.startswith("NOK")]
    return bool((part[["low", "value", "high"]].fillna(0.0).abs() > 0).any(axis=None))


def _row(tables: Mapping[str, pd.DataFrame], scenario: str, payer: str, labels: Labels) -> list[str]:
    part = tables["economics"]
    part = part[(part["scenario"] == scenario) & (part["payer"] == payer)]
    costs = part[part["item"].isin(COSTS)][["low", "value", "high"]].sum()
    by_item = {(row["item"], row["form"]): row for row in part.to_dict("records")}
    benefits = [by_item.get(("benefit", form)) for form in FORMS]
    waiting, legacy = by_item.get(("waiting_days", "")), by_item.get(("legacy_cost", ""))
    return [
        scenario,
        labels.word("payer", payer),
        _amount(costs, labels),
        _amount(waiting, labels),
        " / ".join(_amount(row, labels) for row in benefits),
        "–" if legacy is None or not legacy["low"] else _ends(legacy["low"], legacy["high"], labels),
        _breaks_even(tables["break_even"], scenario, payer, labels),
        _better(tables["better_than_before"], scenario, payer, labels),
    ]


def _amount(row: Mapping[Any, Any] | pd.Series[Any] | None, labels: Labels) -> str:
    """Return an amount in millions; "–" where there is none."""
    if row is None or missing(row["value"]):
        return "–"
    low, value, high = (float(row[name]) / _MILLION for name in ("low", "value", "high"))
    return labels.number(value, max(0, decimals(low, high, most=1)) if high > low else 1)


def _ends(low: float, high: float, labels: Labels) -> str:
    """Return a range in millions, the smaller number first."""
    a, b = (labels.number(x / _MILLION) for x in (low, high))
    return a if a == b else f"{a} … {b}"


def _breaks_even(table: pd.DataFrame, scenario: str, payer: str, labels: Labels) -> str:
    """Return the cost of earlier systems at which a payer breaks even, lowest to highest over the forms."""
    part = table[
        (table["scenario"] == scenario) & (table["payer"] == payer) & (table["quantity"] == "legacy_cost")
    ]
    values = part["value"].dropna()
    if part.empty or values.empty:
        return "–"
    return _ends(float(values.min()), float(values.max()), labels) + _star(
        part["note"], "above_operating_cost"
    )


def _better(table: pd.DataFrame, scenario: str, payer: str, labels: Labels) -> str:
    """Return in how many draws a payer is better off, lowest to highest over the forms."""
    part = table[(table["scenario"] == scenario) & (table["payer"] == payer)]
    if part.empty:
        return "–"
    if (part["same"] == 1.0).all():
        return "="
    low, high = (_percent(float(x), labels) for x in (part["better"].min(), part["better"].max()))
    return (low if low == high else f"{low} … {high}") + _star(part["note"], "running_cost_unknown")


def _percent(share: float, labels: Labels) -> str:
    """Return a share in whole percent; none and all only where it is just that."""
    inside = min(max(share, 0.01), 0.99)
    mark = "<" if 0 < share < 0.005 else ">" if 0.995 < share < 1 else ""
    return f"{mark}{labels.percent(inside if mark else share, 0)}"


def _star(notes: pd.Series[Any], code: str) -> str:
    return "*" if (notes == code).any() else ""


def _lines(tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any], labels: Labels) -> list[str]:
    """Return what must be known of the table: forms, actors needed, what is left out."""
    better = labels.text("economics_better")
    forms = " / ".join(labels.word("benefit_form", form) for form in FORMS)
    lines = [labels.text("economics_forms", forms=forms)]
    lines.append(labels.text("economics_better_is", better=better, draws=labels.text("economics_draws")))
    if (tables["better_than_before"]["note"] == "running_cost_unknown").any():
        lines.append(labels.text("economics_incomplete"))
    lines += _actors(tables["break_even"], facts, labels)
    families = {"economics_not_measured": "economic_item", "economics_not_stated": "payer"}
    for key, codes in facts["notes"]:
        family = families.get(key, "staff_party")
        lines.append(labels.text(key, what=", ".join(labels.word(family, code) for code in codes)))
    return lines


def _actors(table: pd.DataFrame, facts: Mapping[str, Any], labels: Labels) -> list[str]:
    """Return how many actors must join for the stated cost per actor; once where all scenarios agree."""
    columns = ["payer", "low", "value", "high", "note"]
    part = table[table["quantity"] == "actors"][columns].drop_duplicates()
    lines = []
    for row in part.to_dict("records"):
        common = {"target": labels.number(facts["target"] / _MILLION)}
        if missing(row["value"]):
            why = labels.word("break_even_note", row["note"])
            lines.append(labels.text("economics_actors_none", why=why, **common))
            continue
        possible = labels.number(facts["possible"])
        beyond = labels.text("economics_beyond", possible=possible)
        low, value, high = (_whole(row[name], labels, beyond) for name in ("low", "value", "high"))
        lines.append(
            labels.text("economics_actors", actors=value, low=low, high=high, possible=possible, **common)
        )
    return lines


def _whole(number: float, labels: Labels, beyond: str) -> str:
    """Return how many whole actors a break-even asks for."""
    return beyond if missing(number) else labels.number(math.ceil(number - 1e-9))


def plain(block: Block) -> str:
    """Return a block as lines for a pipe or a file."""
    return "\n".join([block.heading, "", *aligned(block.heads, block.rows, left=2), *block.lines])
