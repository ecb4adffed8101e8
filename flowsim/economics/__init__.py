"""Cost and benefit per payer: what a year costs whom in each scenario, and at which unknowns it breaks even.

Reads result tables and an economics file, and changes neither: no simulation knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pandas as pd

from flowsim.config.economics_file import EconomicsFile
from flowsim.economics.assumptions import Assumptions, Places, extremes, ranged
from flowsim.economics.comparing import (
    Pair,
    Side,
    actors_needed,
    better_shares,
    break_evens,
    luck,
    with_society,
)
from flowsim.economics.ledger import BENEFIT, FORMS, LEGACY, PAYERS, SIMULATED, SOCIETY, STAFF, SUM
from flowsim.economics.worlds import LEVER_COLUMNS, NEEDED, Note, displaced, notes, worlds
from flowsim.statistics import RATES, baselines, setting_columns
from flowsim.vocabulary import Basis, Certainty

__all__ = [
    "BETTER_COLUMNS",
    "BREAK_EVEN_COLUMNS",
    "DIFFERENCE",
    "ECONOMICS_COLUMNS",
    "FORMS",
    "ITEMS",
    "LEVER_COLUMNS",
    "NEEDED",
    "NOK",
    "PAYERS",
    "SOCIETY",
    "SUM_DIFFERENCE",
    "Note",
    "Tables",
    "economics_tables",
]

NOK: Final = "NOK a year"
#: A payer's sum against the baseline's: without earlier systems, and with what is paid for them.
SUM_DIFFERENCE: Final = "difference_without_legacy"
DIFFERENCE: Final = "difference"
CONSULTATIONS: Final = "consultations_displaced"
#: What the share of draws is called wherever it is shown.
DRAWS: Final = "share of draws of the assumptions, not a probability"
#: Items in the order of the table, with the beginnings of the numbers that each rests on.
ITEMS: Final[dict[str, tuple[str, ...]]] = {
    "operating_cost": ("operating_cost.", "joining."),
    "introduction_cost": ("introduction.",),
    **dict.fromkeys(STAFF, ("hourly_cost.",)),
    "lever_cost": ("hourly_cost.", "introduction.years"),
    "waiting_days": ("waiting_day.",),
    CONSULTATIONS: (),
    LEGACY: ("legacy_cost.",),
    BENEFIT: ("benefit.",),
    SUM: ("",),
    SUM_DIFFERENCE: ("",),
    DIFFERENCE: ("",),
}
_SIMULATED_ITEMS: Final = {
    *STAFF,
    "lever_cost",
    "waiting_days",
    CONSULTATIONS,
    SUM,
    SUM_DIFFERENCE,
    DIFFERENCE,
}

ECONOMICS_COLUMNS: Final = ("scenario", "payer", "item", "form", "low", "value", "high", "unit", "basis")
BREAK_EVEN_COLUMNS: Final = (
    "scenario",
    "baseline",
    "payer",
    "quantity",
    "form",
    "low",
    "value",
    "high",
    "unit",
    "note",
)
BETTER_COLUMNS: Final = (
    "scenario",
    "baseline",
    "payer",
    "form",
    "better",
    "same",
    "draws",
    "rate_sets",
    "unit",
    "note",
)


class Tables(NamedTuple):
    """The three tables of an experiment's economics, and what is left out in them."""

    economics: pd.DataFrame
    break_even: pd.DataFrame
    better: pd.DataFrame
    notes: list[Note]


def economics_tables(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    settings: Mapping[str, EconomicsFile],
    rule: Mapping[str, str],
    levers: pd.DataFrame | None = None,
    basis: str = Basis.assumed.value,
) -> Tables:
    """Return cost and benefit per payer, break-evens, and shares of draws, for all scenarios that were run.

    ``summary`` has the columns of ``SUMMARY_COLUMNS``; ``scenarios`` those of ``NEEDED`` and the settings;
    ``settings`` the economics of each scenario; ``rule`` is the experiment's ``compare.to`` ({}: nothing is
    compared); ``levers`` has ``LEVER_COLUMNS``; ``basis`` is what the simulation rests on. Results have
    ``ECONOMICS_COLUMNS``, ``BREAK_EVEN_COLUMNS`` and ``BETTER_COLUMNS``: NOK a year, negative where the payer
    pays; low and high are the extremes over the stated ranges of all numbers, and say nothing of luck.
    Raises ValueError as ``worlds`` and ``baselines`` do.
    """
    run = scenarios[scenarios["scenario"].astype(str).isin(set(summary["scenario"].astype(str)))]
    baseline_of = baselines(scenarios, rule) if rule else {}
    found = worlds(summary, run, baseline_of, levers)
    sides = {
        name: Side(name, world, settings[name], Assumptions(settings[name])) for name, world in found.items()
    }
    pairs = _pairs(sides, summary, run, baseline_of, levers)
    rows = [row for side in sides.values() for row in _rows(side, pairs.get(side.name), basis)]
    economics = _with_consultations(pd.DataFrame(rows, columns=list(ECONOMICS_COLUMNS)), summary, basis)
    # Draws and what is not stated are the file's own, whatever a scenario changes in its amounts.
    first = next(iter(settings.values()))
    return Tables(
        economics,
        _break_even_table(sides, pairs),
        _better_table(run, pairs, first),
        notes(found, first, bool(pairs)),
    )


def _pairs(
    sides: Mapping[str, Side],
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    baseline_of: Mapping[str, str],
    levers: pd.DataFrame | None,
) -> dict[str, Pair]:
    """Return each scenario with its baseline, and what luck is left in their difference."""
    replications = [
        worlds(part, scenarios, baseline_of, levers) for _, part in summary.groupby("replication", sort=True)
    ]
    pairs = {}
    for name, side in sides.items():
        baseline = baseline_of.get(name)
        if baseline is not None and baseline in sides:
            both = [(each[name], each[baseline]) for each in replications if {name, baseline} <= {*each}]
            pair = Pair(side, sides[baseline])
            pairs[name] = replace(pair, luck=luck(pair, both))
    return pairs


def _rows(side: Side, pair: Pair | None, basis: str) -> list[tuple[Any, ...]]:
    """Return a scenario's rows: every item of every payer at the values, and its extremes."""

    def amounts(places: Places | None) -> dict[tuple[str, str, str], Any]:
        found = side.ledger(places)
        if pair is not None:
            differences = {
                SUM_DIFFERENCE: with_society(pair.without_legacy(places)),
                DIFFERENCE: pair.difference(places),
            }
            for item, compared in differences.items():
                found |= {(payer, item, form): amount for (payer, form), amount in compared.items()}
        return found

    paths = ranged(side.assumptions) if pair is None else pair.paths
    values, ends = amounts(None), extremes(paths, amounts)
    order = {payer: place for place, payer in enumerate((*PAYERS, SOCIETY))}
    items = {item: place for place, item in enumerate(ITEMS)}
    forms = {form: place for place, form in enumerate(("", *FORMS))}
    keys = sorted(values, key=lambda key: (order[key[0]], items[key[1]], forms[key[2]]))
    rows = []
    for payer, item, form in keys:
        low, high = ends[payer, item, form]
        value = float(values[payer, item, form])
        row = side.name, payer, item, form, low, value, high, NOK, _basis(side, item, form, basis)
        rows.append(row)
    return rows


def _basis(side: Side, item: str, form: str, simulated: str) -> str:
    """Return the weakest basis of the numbers that an item rests on, the simulation's among them."""
    by_hours = form == SIMULATED and item == BENEFIT
    certainty = side.assumptions.weakest(("hourly_cost.",) if by_hours else ITEMS[item])
    own = Basis.assumed if certainty in (None, Certainty.assumed) else Basis.literature
    order = list(Basis)
    if item in _SIMULATED_ITEMS or by_hours:
        return max(own, Basis(simulated), key=order.index).value
    return own.value


def _with_consultations(table: pd.DataFrame, summary: pd.DataFrame, basis: str) -> pd.DataFrame:
    """Return the table with displaced consultations beside it: a number without a price, and in no sum."""
    rows = [
        (name, "practice", CONSULTATIONS, "", float("nan"), value, float("nan"), "a year", basis)
        for name, value in displaced(summary).items()
    ]
    if not rows:
        return table
    return pd.concat([table, pd.DataFrame(rows, columns=list(ECONOMICS_COLUMNS))], ignore_index=True)


def _break_even_table(sides: Mapping[str, Side], pairs: Mapping[str, Pair]) -> pd.DataFrame:
    """Return every break-even of every scenario."""
    rows = [(name, pair.base.name, *found) for name, pair in pairs.items() for found in break_evens(pair)]
    rows += [(name, "", *found) for name, side in sides.items() for found in actors_needed(side)]
    return pd.DataFrame(rows, columns=list(BREAK_EVEN_COLUMNS))


def _better_table(
    scenarios: pd.DataFrame, pairs: Mapping[str, Pair], settings: EconomicsFile
) -> pd.DataFrame:
    """Return in how many draws each scenario is better; those that differ in rates only are one row."""
    rows = []
    number, seed = settings.draws.number, settings.draws.seed
    for names in _over_rate_sets(scenarios, pairs):
        group = [pairs[name] for name in names]
        shares = better_shares(group, number, seed)
        own, base = _common_name(scenarios, names), _common_name(scenarios, [p.base.name for p in group])
        incomplete = set().union(*(pair.incomplete for pair in group))
        for payer in (*PAYERS, SOCIETY):
            for form in FORMS:
                if (payer, form) in shares:
                    better, same = shares[payer, form]
                    note = "running_cost_unknown" if payer in incomplete else ""
                    rows.append((own, base, payer, form, better, same, number, len(group), DRAWS, note))
    return pd.DataFrame(rows, columns=list(BETTER_COLUMNS))


def _over_rate_sets(scenarios: pd.DataFrame, pairs: Mapping[str, Pair]) -> list[list[str]]:
    """Return the compared scenarios in lists of those that are alike, baseline too, in all but the rates."""
    table = scenarios.set_index("scenario")
    settings = [c for c in setting_columns(scenarios) if c != RATES]
    alike: dict[Any, list[str]] = {}
    for name, pair in pairs.items():
        sides = (name, pair.base.name)
        held = tuple(tuple(str(table.loc[side, c]) for c in settings) for side in sides)
        # Without a varied rate set, two scenarios may be alike in all settings and still be two.
        key = (held, "" if RATES in table.columns else name)
        alike.setdefault(key, []).append(name)
    return list(alike.values())


def _common_name(scenarios: pd.DataFrame, names: list[str]) -> str:
    """Return a name for scenarios that differ in rates only: a grid's name without its rates."""
    if len(set(names)) == 1:
        return names[0]
    rates = scenarios.set_index("scenario")[RATES]
    plain = {", ".join(p for p in name.split(", ") if p != f"{RATES}={rates[name]}") for name in names}
    return plain.pop() if len(plain) == 1 else names[0]
