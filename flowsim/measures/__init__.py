"""The named measures of a run: unit, direction, formula, and one small function each.

``MEASURES`` holds them all in the order of the report. ``measure_all`` computes them for the whole
run and for each group.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

# The modules enter their measures into the registry when they are imported.
from flowsim.episodes import DIRECTIONS, Episodes, Organisation
from flowsim.journal import RunHeader
from flowsim.measures import of_care, of_deliveries, of_monitor, of_organisation, of_recurring
from flowsim.measures.registry import MEASURES, Better, Columns, Level, Measure, Table, share
from flowsim.measures.tables import TwinTimes, codes, group_codes, tables
from flowsim.vocabulary import Fault

__all__ = [
    "GROUPS",
    "MEASURES",
    "Better",
    "Level",
    "Measure",
    "TwinTimes",
    "measure_all",
    "of_care",
    "of_deliveries",
    "of_monitor",
    "of_organisation",
    "of_recurring",
]

_CARE_GROUPS: Final = (("pathway",), ("urgency",), ("pathway", "urgency"))

#: By what each level's measures are split, besides the whole; practices in a way of their own, by direction.
#: Care depends on pathway and urgency only.
GROUPS: Final[dict[Level, tuple[tuple[str, ...], ...]]] = {
    Level.deliveries: (("pathway",), ("urgency",), ("kind",), ("channel",), ("direction",)),
    Level.referrals: (("pathway",), ("urgency",), ("channel",), ("direction",)),
    Level.cases: _CARE_GROUPS,
    Level.care: _CARE_GROUPS,
    Level.visits: _CARE_GROUPS,
    Level.lists: _CARE_GROUPS,
    Level.practices: (),
    Level.work: (("party",), ("organisation",)),
    Level.defects: (("defect",), ("party",)),
    Level.monitor: (),
}

Row = tuple[str, str, float, str]


def measure_all(
    episodes: Episodes,
    header: RunHeader,
    ideal: TwinTimes | None = None,
    same_adoption: TwinTimes | None = None,
    organisation: Organisation | None = None,
) -> pd.DataFrame:
    """Return every measure of a run, for the whole run and for each group.

    Columns: measure, group (empty for the whole, else pathway=…, urgency=…, kind=…, channel=…,
    direction=…, fault=…, party=…, organisation=…, defect=…, or pathway=…,urgency=…), value, unit. Measures
    of excess delay are there only where their twin is given, those of staff hours and defects where the
    organisation is, those of visits and medication lists where a pathway has them. A measure without a
    value is nan for the whole and is left out of groups. ValueError if a twin lacks a case.
    """
    rows: list[Row] = []
    every = tables(episodes, header, ideal, same_adoption)
    every |= of_recurring.recurring_tables(episodes, header) | _organisation_tables(organisation, header)
    for level, (table, frame) in every.items():
        here = [m for m in MEASURES.values() if m.level == level]
        chosen = [m for m in here if all(name in table.columns for name in m.needs)]
        rows += _values(chosen, table, "")
        for names in GROUPS[level]:
            group, labels = group_codes(frame, names)
            for code, part in table.groups(group):
                rows += [row for row in _values(chosen, part, labels[code]) if row[2] == row[2]]
    rows += _fault_rows(episodes)
    rows += _noticing_rows(episodes, header)
    order = {name: place for place, name in enumerate(MEASURES)}
    rows.sort(key=lambda row: order[row[0]])
    return pd.DataFrame(rows, columns=["measure", "group", "value", "unit"])


def _values(chosen: list[Measure], columns: Columns, group: str) -> list[Row]:
    return [(m.name, group, m.function(columns), m.unit) for m in chosen]


def _organisation_tables(
    organisation: Organisation | None, header: RunHeader
) -> dict[Level, tuple[Table, pd.DataFrame]]:
    """Return the tables of staff hours, of defects if any began, and of the monitor if there is one."""
    if organisation is None:
        return {}
    work = Table(of_organisation.work_columns(organisation, header)), organisation.work
    given = {Level.work: work}
    if not organisation.defects.empty:
        defects = organisation.defects.assign(defect=organisation.defects["kind"])
        given[Level.defects] = Table(of_organisation.defect_columns(organisation, header)), defects
    if not organisation.monitor.empty:
        columns = of_monitor.monitor_columns(organisation, header)
        given[Level.monitor] = Table(columns), organisation.monitor
    return given


def _noticing_rows(episodes: Episodes, header: RunHeader) -> list[Row]:
    """Return the share of practice-months in which a failure is noticed, for all and by direction."""
    frame = of_organisation.practice_frame(episodes, header)
    one = [m for m in MEASURES.values() if m.level == Level.practices]
    rows: list[Row] = []
    for direction in ("", *DIRECTIONS):
        notices = frame["notices"].to_numpy(bool)[(frame["direction"] == direction).to_numpy()]
        found = _values(one, Table({"notices": notices}), f"direction={direction}" if direction else "")
        rows += [row for row in found if not direction or row[2] == row[2]]
    return rows


def _fault_rows(episodes: Episodes) -> list[Row]:
    """Return the share of all deliveries that had each fault, also of those that never came."""
    counts = np.bincount(codes(episodes.deliveries["fault"], Fault), minlength=len(Fault))
    unit = MEASURES["faults_share"].unit
    return [
        ("faults_share", f"fault={fault.name}", share(counts[fault], counts.sum()), unit)
        for fault in Fault
        if fault is not Fault.none and counts.sum()
    ]
