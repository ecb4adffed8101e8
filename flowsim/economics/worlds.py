"""From the result tables to what the ledger reads of each scenario, and what is missing there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from flowsim.config.economics_file import EconomicsFile, Payer, StaffParty
from flowsim.economics.ledger import PARTIES, PARTY_OF, PAYERS, STAFF, Lever, World
from flowsim.statistics import means

#: Columns that the scenarios table must have beside its settings.
NEEDED: Final = (
    "scenario",
    "practices_on_platform",
    "practices_total",
    "municipality_on_platform",
    "hospital_on_platform",
    "inhabitants",
)
#: Columns of a frame of what levers cost; amounts for the whole simulated region.
LEVER_COLUMNS: Final = ("scenario", "lever", "payer", "hours_per_year", "money_per_year", "money_once")
WAITING: Final = "discharge_waiting_days"
DISPLACED: Final = "consultations_displaced"

#: A sentence of the texts, and what its places are filled with (codes).
Note = tuple[str, tuple[str, ...]]


def worlds(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    baseline_of: Mapping[str, str],
    levers: pd.DataFrame | None = None,
) -> dict[str, World]:
    """Return what the ledger reads of each scenario that was run, in their order.

    ``summary`` has the columns of ``SUMMARY_COLUMNS``; what is read are means over replications. Raises
    ValueError where ``scenarios`` lacks a column of ``NEEDED``, or a lever has an unknown payer.
    """
    missing = [name for name in NEEDED if name not in scenarios.columns]
    if missing:
        raise ValueError(f"the scenarios table lacks {', '.join(missing)}")
    measured = _measured(summary)
    paid = _levers(levers)
    run = set(summary["scenario"].astype(str))
    found = {}
    for row in scenarios.to_dict("records"):
        name = str(row["scenario"])
        if name not in run:
            continue
        baseline = baseline_of.get(name, name if name in baseline_of.values() else "")
        found[name] = World(
            inhabitants=float(row["inhabitants"]),
            joined={
                "municipality": float(row["municipality_on_platform"]),
                "hospital_trust": float(row["hospital_on_platform"]),
                "practice": float(row["practices_on_platform"]) / max(float(row["practices_total"]), 1.0),
            },
            hours=_hours(measured, name),
            before=_hours(measured, baseline) if baseline in run else None,
            waiting_days=measured.get((name, WAITING, "")),
            levers=paid.get(name, ()),
        )
    return found


def displaced(summary: pd.DataFrame) -> dict[str, float]:
    """Return the consultations a year that other work takes the place of, by scenario; {} if not measured."""
    return {name: value for (name, measure, _), value in _measured(summary).items() if measure == DISPLACED}


def notes(found: Mapping[str, World], settings: EconomicsFile, compared: bool) -> list[Note]:
    """Return what a reader must know of what is left out: not measured, not stated, without a price."""
    told: list[Note] = []
    measured = {item for world in found.values() for item, _ in world.hours}
    lacking = [item for item in STAFF if item not in measured]
    if any(world.waiting_days is None for world in found.values()):
        lacking.append("waiting_days")
    if lacking:
        told.append(("economics_not_measured", tuple(lacking)))
    unstated = [p for p in PAYERS if p != "state" and p not in settings.operating_cost]
    if unstated:
        told.append(("economics_not_stated", tuple(unstated)))
    unpriced = {party for world in found.values() for _, party in world.hours}
    paid = {PARTY_OF.get(each.payer) for w in found.values() for each in w.levers if each.hours_per_year}
    lacking = [p for p in PARTIES if p in unpriced | paid and p not in settings.hourly_cost]
    lacking += ["state"] if None in paid else []
    if lacking:
        told.append(("economics_without_price", tuple(lacking)))
    if not compared:
        told.append(("economics_not_compared", ()))
    return told


def _measured(summary: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Return the mean over replications of every measure that is read here, by scenario and group."""
    wanted = summary[summary["measure"].isin([*STAFF.values(), WAITING, DISPLACED])]
    if wanted.empty:
        return {}
    table = means(wanted.assign(group=wanted["group"].fillna("")))
    table = table[table["mean"].notna()]
    keys = zip(table["scenario"].astype(str), table["measure"], table["group"], strict=True)
    return dict(zip(keys, table["mean"].astype(float).tolist(), strict=True))


def _hours(
    measured: Mapping[tuple[str, str, str], float], scenario: str
) -> dict[tuple[str, StaffParty], float]:
    """Return a scenario's measured staff time by item and party."""
    return {
        (item, party): measured[scenario, measure, f"party={party}"]
        for item, measure in STAFF.items()
        for party in PARTIES
        if (scenario, measure, f"party={party}") in measured
    }


def _levers(table: pd.DataFrame | None) -> dict[str, tuple[Lever, ...]]:
    """Return what the levers of each scenario cost."""
    found: dict[str, tuple[Lever, ...]] = {}
    for row in [] if table is None else table.to_dict("records"):
        payer: Payer | None = next((p for p in PAYERS if p == row["payer"]), None)
        if payer is None:
            raise ValueError(f"the lever {row['lever']} has the unknown payer {row['payer']}")
        amounts = (float(row[name]) for name in LEVER_COLUMNS[3:])
        name = str(row["scenario"])
        found[name] = (*found.get(name, ()), Lever(payer, *amounts))
    return found
