"""Measures of what recurs: visits that are missed, medication lists that differ, deviations and reports.

They are about the patients of pathways that have such visits or lists, and are not there in other runs.
A patient counts for the days from the case's creation to its end, or to τ. True deviations are what the
model knows; reported ones are what somebody wrote down: the two are never mixed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from flowsim.episodes import Episodes
from flowsim.journal import RunHeader
from flowsim.measures.registry import Array, Better, Columns, Level, Table, measure, share
from flowsim.vocabulary import Milestone

_VISITS, _LISTS = Level.visits, Level.lists
_PER_1000_DAYS = "per 1,000 patient-days"
_COLUMNS = (
    "visits_due", "visits_done", "visits_missed", "deviations", "deviations_reported", "differing_days",
    "followed_days",
)  # fmt: skip


def recurring_tables(episodes: Episodes, header: RunHeader) -> dict[Level, tuple[Table, pd.DataFrame]]:
    """Return the tables of patients with visits and of patients with lists, where there are any."""
    found = {}
    for level, milestone in ((_VISITS, Milestone.visit_due), (_LISTS, Milestone.lists_differ)):
        with_step = {header.pathways[s.pathway].id for s in header.steps if s.milestone == milestone}
        if with_step:
            frame = episodes.cases[episodes.cases["pathway"].isin(with_step)]
            columns: dict[str, Array] = {name: frame[name].to_numpy() for name in _COLUMNS}
            found[level] = Table(columns), frame
    return found


def _per_1000_days(g: Columns, name: str) -> float:
    return 1000.0 * share(g[name].sum(), g["followed_days"].sum())


@measure(_VISITS, "visits", Better.neutral)
def visits_due(g: Columns) -> float:
    """Visits of care plans that came due, each at its own instant."""
    return float(g["visits_due"].sum())


@measure(_VISITS, "share", Better.lower)
def visits_missed_share(g: Columns) -> float:
    """Visits whose time passed without anybody coming, of the visits due.

    One that is due shortly before τ may be neither done nor missed by then.
    """
    return share(g["visits_missed"].sum(), g["visits_due"].sum())


@measure(_VISITS, _PER_1000_DAYS, Better.lower)
def visits_missed_per_1000_days(g: Columns) -> float:
    """Visits missed for every 1,000 days of patients with a care plan."""
    return _per_1000_days(g, "visits_missed")


@measure(_VISITS, "share", Better.lower)
def patients_with_missed_visit_share(g: Columns) -> float:
    """Patients with a care plan who missed at least one visit by τ."""
    return share(np.count_nonzero(g["visits_missed"]), len(g["visits_missed"]))


@measure(_LISTS, "share", Better.lower)
def medication_deviation_days_share(g: Columns) -> float:
    """Share of patient-days on which a medication list was not right, at one place or at all.

    Also where all lists agree with each other and none with what the patient is meant to take.
    """
    return share(g["differing_days"].sum(), g["followed_days"].sum())


@measure(_LISTS, _PER_1000_DAYS, Better.lower)
def medication_deviations_true_per_1000_days(g: Columns) -> float:
    """Deviations that began and lasted a day or more, for every 1,000 patient-days.

    Those with which a list began are left out. A list on its way for some hours is none.
    """
    return _per_1000_days(g, "deviations")


@measure(_LISTS, _PER_1000_DAYS, Better.neutral)
def medication_deviations_reported_per_1000_days(g: Columns) -> float:
    """Deviations that somebody found and reported, for every 1,000 patient-days.

    More reports can mean more deviations, or more people who look and write.
    """
    return _per_1000_days(g, "deviations_reported")
