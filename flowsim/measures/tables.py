"""From the episodes of a run to the tables of plain arrays that measures read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flowsim.episodes import Episodes
from flowsim.journal import RunHeader
from flowsim.measures.registry import Array, Level, Table
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import Fate, Fault, FirstOutcome, MessageKind, Milestone


@dataclass(frozen=True)
class TwinTimes:
    """Times to care in a twin run: the same cases, in any order.

    ``case`` int64 of shape (n,), ``time_to_care_days`` float of shape (n,).
    """

    case: Array
    time_to_care_days: Array

    @classmethod
    def of(cls, episodes: Episodes) -> TwinTimes:
        """Return the times to care of a run that is to serve as a twin."""
        cared = episodes.cases["has_care"].to_numpy()
        return cls(
            episodes.cases["case"].to_numpy()[cared], episodes.cases["time_to_care_days"].to_numpy()[cared]
        )

    def at(self, cases: Array) -> Array:
        """Return the twin's days for the given cases; ValueError if one is missing in the twin.

        A case that is left out would bias every difference, so it is an error and not a gap.
        """
        order = np.argsort(self.case, kind="stable")
        place = np.searchsorted(self.case, cases, sorter=order)
        place = np.minimum(place, max(len(order) - 1, 0))
        if len(cases) and (not len(order) or (self.case[order[place]] != cases).any()):
            raise ValueError("the twin run lacks cases of this run: seed, cases and window must be the same")
        return np.asarray(self.time_to_care_days)[order[place]] if len(cases) else np.zeros(0)


def codes(column: pd.Series[Any], members: Iterable[Any]) -> Array:
    """Return the enum's number for each word of a column of categories or of text; 0 for any other word."""
    by_name = {str(member.name): int(member) for member in members}
    category = column.astype("category").cat
    table = np.array([by_name.get(str(word), 0) for word in category.categories] + [0], np.int16)
    return table[category.codes.to_numpy()]


def group_codes(frame: pd.DataFrame, names: tuple[str, ...]) -> tuple[Array, list[str]]:
    """Return a group code for each row (−1: none) and each group's name, as pathway=…,urgency=…."""
    total = np.zeros(len(frame), np.int64)
    labels = [""]
    for name in names:
        category = frame[name].astype("category").cat
        code = category.codes.to_numpy().astype(np.int64)
        words = [str(word) for word in category.categories]
        total = np.where((total < 0) | (code < 0), -1, total * len(words) + code)
        labels = [f"{before},{name}={word}".lstrip(",") for before in labels for word in words]
    return total, labels


def delivery_columns(episodes: Episodes) -> dict[str, Array]:
    """Return the columns that measures of deliveries read."""
    frame, cases = episodes.deliveries, episodes.cases
    columns: dict[str, Array] = {
        "fate": codes(frame["fate"], Fate).astype(np.int8),
        "first_outcome": codes(frame["first_outcome"], FirstOutcome).astype(np.int8),
        "fault": codes(frame["fault"], Fault).astype(np.int8),
        "has_deadline": frame["has_deadline"].to_numpy(),
    }
    for days in (30, 90):
        columns[f"unseen_{days}"] = frame[f"unseen_after_{days}_days"].to_numpy()
        columns[f"followed_{days}"] = frame[f"followed_{days}_days"].to_numpy()
    kind, main = codes(frame["kind"], MessageKind), frame["copy"].to_numpy() == 0
    columns["noticed"] = frame["told_hours"].notna().to_numpy() | frame["found_hours"].notna().to_numpy()
    columns["referral"] = main & (kind == MessageKind.referral)
    columns.update(_summaries(frame, cases, main & (kind == MessageKind.discharge_summary)))
    return columns


def _summaries(frame: pd.DataFrame, cases: pd.DataFrame, chosen: Array) -> dict[str, Array]:
    here = np.flatnonzero(chosen)
    part = frame.iloc[here]
    discharged = cases.set_index("case")["discharged_hours"].reindex(part["case"]).to_numpy()
    sent, authored = part["sent_hours"].to_numpy(), part["authored_hours"].to_numpy()
    due = np.where(np.isnan(discharged), authored, discharged) + 24.0
    followed, in_time = np.zeros(len(frame), np.bool_), np.zeros(len(frame), np.bool_)
    with np.errstate(invalid="ignore"):
        unsent_back = np.isnan(sent) & (part["ended_hours"].to_numpy() <= due)
        followed[here] = ((due <= part["horizon_hours"].to_numpy()) | (sent <= due)) & ~unsent_back
        in_time[here] = sent <= due
    return {"summary_followed": followed, "summary_in_time": in_time}


def referral_columns(deliveries: dict[str, Array], frame: pd.DataFrame, follow_up: float) -> dict[str, Array]:
    """Return the columns that measures of referrals read; ``frame`` has the referrals only."""
    chosen = deliveries["referral"]
    hours = (frame["received_hours"] - frame["authored_hours"]).to_numpy()
    return {
        "fate": deliveries["fate"][chosen],
        "has_deadline": deliveries["has_deadline"][chosen],
        "delivery_hours": np.where(np.isnan(hours), follow_up, hours),
    }


def case_columns(episodes: Episodes, header: RunHeader) -> dict[str, Array]:
    """Return the columns that measures of all cases read."""
    frame = episodes.cases
    assessed, due = frame["assessed_hours"].to_numpy(), frame["assessment_due_hours"].to_numpy()
    horizon, withdrawn = frame["horizon_hours"].to_numpy(), frame["withdrawn_hours"].to_numpy()
    with_step = {header.pathways[s.pathway].id for s in header.steps if s.milestone == Milestone.assessed}
    assesses = frame["pathway"].isin(with_step).to_numpy()
    arrived = ~np.isnan(frame["arrived_hours"].to_numpy())
    with np.errstate(invalid="ignore"):
        gave_up = np.isnan(assessed) & (withdrawn <= due)
        followed = assesses & arrived & (~np.isnan(assessed) | (due <= horizon)) & ~gave_up
        in_time = assessed <= due
    per_year = HOURS_PER_YEAR / header.observe_hours if header.observe_hours > 0 else np.nan
    per_100_000 = 100_000.0 / header.inhabitants if header.inhabitants > 0 else np.nan
    return {
        "time_to_care": frame["time_to_care_days"].to_numpy(),
        "follow_up": (horizon - frame["created_hours"].to_numpy()) / 24.0,
        "target": frame["target_days"].to_numpy(),
        "delayed_after": frame["delayed_after_days"].to_numpy(),
        "delayed": frame["delayed_start"].to_numpy(),
        "started": frame["started"].to_numpy(),
        "withdrawn": frame["withdrawn"].to_numpy(),
        "not_started": frame["not_started"].to_numpy(),
        "turned_away": frame["turned_away"].to_numpy(),
        "clocked": frame["has_clock"].to_numpy() & ~np.isnan(frame["target_days"].to_numpy()),
        "breach": frame["statutory_breach"].to_numpy(),
        "hidden": frame["hidden_delay"].to_numpy(),
        "touched": frame["touched"].to_numpy(),
        "silent_failures": frame["silent_failures"].to_numpy(),
        "assessment_followed": followed,
        "assessment_in_time": in_time,
        "people_factor": np.full(len(frame), per_year * per_100_000),
    }


def discharge_columns(episodes: Episodes, header: RunHeader) -> dict[str, Array]:
    """Return which cases can wait for a discharge, the days each waited, and the factor to a year.

    Waiting begins when the patient is found ready and ends with the discharge, the withdrawal or the
    horizon. Time in which the patient had been called off is no waiting: messages that say so alternate
    with those that say ready again.
    """
    frame = episodes.cases
    with_step = {
        header.pathways[s.pathway].id for s in header.steps if s.milestone == Milestone.discharge_ready
    }
    ready = frame["discharge_ready_hours"].to_numpy()
    ends = [frame[f"{name}_hours"].to_numpy() for name in ("horizon", "discharged", "withdrawn")]
    end = np.fmin.reduce(ends)
    told = _authored(episodes, MessageKind.discharge_ready)
    called_off = _authored(episodes, MessageKind.discharge_ready_cancelled)
    again = told["sum"] - told["min"]  # the instants of all but the first, added up
    still_off = np.where(called_off["count"] > 0, called_off["count"] - (told["count"] - 1), 0)
    paused = np.where(called_off["count"] > 0, again - called_off["sum"] + still_off * end, 0.0)
    days = np.maximum(end - ready - paused, 0.0) / 24.0
    year = HOURS_PER_YEAR / header.observe_hours if header.observe_hours > 0 else np.nan
    return {
        "leaves_hospital": frame["pathway"].isin(with_step).to_numpy(),
        "discharge_waiting": np.where(np.isnan(ready), 0.0, days),
        "year_factor": np.full(len(frame), year),
    }


def _authored(episodes: Episodes, kind: MessageKind) -> dict[str, Array]:
    """Return for each case how many main deliveries of a kind it has, and when: first, and added up."""
    frame = episodes.deliveries
    here = (codes(frame["kind"], MessageKind) == kind) & (frame["copy"].to_numpy() == 0)
    hours = frame.loc[here, "authored_hours"].groupby(frame.loc[here, "case"])
    table = hours.agg(["count", "sum", "min"]).reindex(episodes.cases["case"], fill_value=0.0)
    return {str(name): table[name].to_numpy() for name in table.columns}


def tables(
    episodes: Episodes, header: RunHeader, ideal: TwinTimes | None, same_adoption: TwinTimes | None
) -> dict[Level, tuple[Table, pd.DataFrame]]:
    """Return, for each level, its table and the frame with its group columns, row by row."""
    deliveries = delivery_columns(episodes)
    referrals = episodes.deliveries[deliveries["referral"]]
    cases = case_columns(episodes, header) | discharge_columns(episodes, header)
    cared = episodes.cases["has_care"].to_numpy()
    care = {name: column[cared] for name, column in cases.items()}
    cared_cases = episodes.cases[cared]
    ids = cared_cases["case"].to_numpy()
    if ideal is not None:
        care["excess"] = care["time_to_care"] - ideal.at(ids)
    if same_adoption is not None:
        care["excess_faults"] = care["time_to_care"] - same_adoption.at(ids)
    referral_table = referral_columns(deliveries, referrals, header.follow_up_hours)
    return {
        Level.deliveries: (Table(deliveries), episodes.deliveries),
        Level.referrals: (Table(referral_table), referrals),
        Level.cases: (Table(cases), episodes.cases),
        Level.care: (Table(care), cared_cases),
    }
