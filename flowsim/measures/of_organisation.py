"""Measures of the organisation: where staff hours go, how long defects live, what anybody notices."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from flowsim.episodes import DIRECTIONS, Episodes
from flowsim.episodes.organisation import PURPOSES, Organisation
from flowsim.journal import RunHeader
from flowsim.measures.registry import Array, Better, Columns, Level, mean, measure, share
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import FirstOutcome

_WORK, _DEFECTS, _ALL = Level.work, Level.defects, Level.deliveries
_HOURS = "hours a year"
#: A month, for what a practice can notice in one.
MONTH_HOURS: Final = HOURS_PER_YEAR / 12.0
#: Who notices, by the way in which an item comes to light; the others are nobody in a practice.
_SENDER_NOTICES: Final = (
    "patient_calls", "referrer_chases", "misdelivery_notice", "reconciliation", "phone_confirmation",
)  # fmt: skip
_RECEIVER_NOTICES: Final = ("receiver_misses", "shared_record_look", "forwarded")


def _hours(g: Columns, purpose: str) -> float:
    return float(g["hours"][g["purpose"] == PURPOSES.index(purpose)].sum())


@measure(_WORK, _HOURS, Better.lower)
def staff_hours_searching(g: Columns) -> float:
    """Staff hours a year spent looking for information, in the pathways that are simulated."""
    return _hours(g, "searching")


@measure(_WORK, _HOURS, Better.lower)
def staff_hours_chasing(g: Columns) -> float:
    """Staff hours a year on error queues, and on bringing in what was found missing."""
    return _hours(g, "chasing")


@measure(_WORK, _HOURS, Better.lower)
def staff_hours_doing_again(g: Columns) -> float:
    """Staff hours a year on what came twice, or came to the wrong service."""
    return _hours(g, "doing_again")


@measure(_WORK, _HOURS, Better.lower)
def staff_hours_training(g: Columns) -> float:
    """Staff hours of training and tests for go-lives in the window, as if every year had as many."""
    return _hours(g, "training")


@measure(_WORK, _HOURS, Better.neutral)
def staff_hours_clinical(g: Columns) -> float:
    """Staff hours a year on the work itself, without search."""
    return _hours(g, "clinical")


@measure(_WORK, "a year", Better.lower)
def consultations_displaced(g: Columns) -> float:
    """Consultations a year that GPs' hours of search, chasing, doing again and training would make room for.

    Only where a GP's hours are in the group; the length of a consultation is a setting of people.
    """
    gp = g["gp"]
    if not gp.any():
        return float("nan")
    lost = gp & (g["purpose"] != PURPOSES.index("clinical"))
    return float(g["hours"][lost].sum()) / float(g["consultation"][0])


@measure(_DEFECTS, "defects", Better.lower)
def defects_began(g: Columns) -> float:
    """Defects that began in the run: those that came with a go-live and no test had found."""
    return float(len(g["hit"]))


@measure(_DEFECTS, "share", Better.higher)
def defects_mended_share(g: Columns) -> float:
    """Defects mended by the end of the run, of those that began."""
    return share(np.count_nonzero(g["mended"]), len(g["mended"]))


@measure(_DEFECTS, "days", Better.lower)
def defect_days_to_believed_mean(g: Columns) -> float:
    """Mean of the days from a defect's beginning until it is believed; never counts until the run's end."""
    return mean(g["days_to_believed"])


@measure(_DEFECTS, "days", Better.lower)
def defect_days_to_discovered_mean(g: Columns) -> float:
    """Mean of the days from a defect's beginning until every level has accepted it.

    One that never was counts until the run's end.
    """
    return mean(g["days_to_discovered"])


@measure(_DEFECTS, "days", Better.lower)
def defect_days_to_mended_mean(g: Columns) -> float:
    """Mean of the days from a defect's beginning until it is mended; never counts until the run's end."""
    return mean(g["days_to_mended"])


@measure(_DEFECTS, "deliveries", Better.lower)
def defect_deliveries_hit(g: Columns) -> float:
    """Deliveries that defects hit, in the whole run."""
    return float(g["hit"].sum())


@measure(_ALL, "failures", Better.lower)
def silent_ratio(g: Columns) -> float:
    """Silent failures that nobody had found by the horizon, for each failure that somebody noticed.

    Noticed: the sender was told, or somebody found it. No value where nobody noticed any.
    """
    silent = g["first_outcome"] == FirstOutcome.failed_silently
    noticed = np.count_nonzero(g["noticed"])
    return np.count_nonzero(silent & ~g["noticed"]) / noticed if noticed else float("nan")


@measure(Level.practices, "share", Better.neutral)
def practices_noticing_share(g: Columns) -> float:
    """Practice-months of the window in which somebody at the practice notices a failure, of all of them.

    Noticing: an error queue of its own, something missed, chased or asked for, a notice from elsewhere.
    """
    return share(np.count_nonzero(g["notices"]), len(g["notices"]))


def work_columns(organisation: Organisation, header: RunHeader) -> dict[str, Array]:
    """Return the columns that measures of staff hours read: hours a year, purpose, whether a GP's."""
    frame = organisation.work
    per_year = HOURS_PER_YEAR / header.observe_hours if header.observe_hours > 0.0 else np.nan
    return {
        "hours": frame["hours"].to_numpy(float) * per_year,
        "purpose": np.array([PURPOSES.index(p) for p in frame["purpose"]], np.int64),
        "gp": (frame["party"] == "gp").to_numpy(bool),
        "consultation": np.full(len(frame), header.consultation_hours),
    }


def defect_columns(organisation: Organisation, header: RunHeader) -> dict[str, Array]:
    """Return the columns that measures of defects read; what never came counts until the end of the run."""
    frame = organisation.defects
    began = frame["began_hours"].to_numpy(float)
    columns: dict[str, Array] = {
        "hit": frame["hit"].to_numpy(np.int64),
        "mended": frame["mended_hours"].notna().to_numpy(bool),
    }
    for name in ("believed", "discovered", "mended"):
        until = frame[f"{name}_hours"].fillna(header.end_hours).to_numpy(float)
        columns[f"days_to_{name}"] = (until - began) / 24.0
    return columns


def practice_frame(episodes: Episodes, header: RunHeader) -> pd.DataFrame:
    """Return a row for each practice, month of the window and direction: whether a failure is noticed there.

    Columns: direction, notices. The direction "" is any.
    """
    practices = [s.id for s in header.services if s.practice and s.kind != "error_queue"]
    months = max(int(np.ceil(header.observe_hours / MONTH_HOURS)), 1)
    seen = _noticed_at(episodes.deliveries, header, {p: k for k, p in enumerate(practices)}, months)
    frames = []
    for direction in ("", *DIRECTIONS):
        part = seen if direction == "" else seen[seen["direction"] == direction]
        notices = np.zeros(len(practices) * months, np.bool_)
        notices[part["slot"].to_numpy(np.int64)] = True
        frames.append(pd.DataFrame({"direction": direction, "notices": notices}))
    return pd.concat(frames, ignore_index=True)


def _noticed_at(
    deliveries: pd.DataFrame, header: RunHeader, practice: dict[str, int], months: int
) -> pd.DataFrame:
    """Return slot (practice × month) and direction of each failure that a practice notices in the window."""
    # Few come to light: only for these are words looked up.
    deliveries = deliveries[deliveries["told_hours"].notna() | deliveries["found_hours"].notna()]
    way = deliveries["found_by"].astype(str).to_numpy()
    told, found = deliveries["told_hours"].to_numpy(float), deliveries["found_hours"].to_numpy(float)
    sender, receiver = deliveries["sender"].astype(str), deliveries["intended"].astype(str)
    by_sender = np.isin(way, _SENDER_NOTICES)
    by_receiver = np.isin(way, _RECEIVER_NOTICES)
    frames = []
    for who, at, mask in (
        (sender, told, ~np.isnan(told)),
        (sender, found, by_sender & ~np.isnan(found)),
        (receiver, found, by_receiver & ~np.isnan(found)),
    ):
        number = who[mask].map(practice).to_numpy(float)
        month = np.floor((at[mask] - header.warm_up_hours) / MONTH_HOURS)
        good = ~np.isnan(number) & (month >= 0) & (month < months)
        frames.append(
            pd.DataFrame(
                {
                    "slot": (number[good] * months + month[good]).astype(np.int64),
                    "direction": deliveries["direction"].astype(str).to_numpy()[mask][good],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
