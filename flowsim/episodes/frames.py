"""From raw instants and codes to the result tables: fates, first outcomes, clocks and words.

The definitions are those of docs/model.md; each is written once, here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.episodes.layout import STAGES
from flowsim.journal import Limit, RunHeader
from flowsim.units import WorkingDays
from flowsim.vocabulary import (
    Channel,
    Fate,
    Fault,
    FirstOutcome,
    FoundBy,
    MessageKind,
    Milestone,
    Party,
    State,
    Urgency,
)

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Raw: TypeAlias = np.ndarray[Any, Any]

#: Pairs of parties between which the flow of information is reported; everything else is "other".
DIRECTIONS: Final = ("gp-hospital", "hospital-municipality", "gp-municipality", "patient", "other")
#: Messages that ask for care: the statutory clock runs from the receipt of the first at the organisation.
REQUESTS: Final = frozenset({MessageKind.referral, MessageKind.medical_information})
#: A receiver assesses a referral within this many working days of receiving it (Norwegian regulation).
ASSESSMENT_WORKING_DAYS: Final = 10
_FAR_DAYS: Final = 400  # working-day arithmetic may reach past the end of the run


@dataclass(frozen=True)
class Episodes:
    """The results of one run: a row per case, a row per delivery, and small frames for charts.

    ``profiles`` has backlog, delivery_delay, time_to_care and stages (see ``profiles``), and weeks (see
    ``recurring``, which also gives the counts of visits and deviations in ``cases``).
    """

    cases: pd.DataFrame
    deliveries: pd.DataFrame
    profiles: dict[str, pd.DataFrame]


def working_days(header: RunHeader) -> WorkingDays:
    """Return the calendar of the run's working days."""
    days = int(np.ceil(header.end_hours / 24.0)) + _FAR_DAYS
    return WorkingDays(header.start_date, days, header.holiday_dates)


def words(codes: Raw, names: Sequence[str]) -> pd.Categorical:
    """Return codes as categories; a code outside the names becomes missing, equal names are one."""
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    # The last place of the table stands for every unknown code.
    table = np.array([*(place[name] for name in names), -1], np.int32)
    codes = np.asarray(codes, np.int64)
    known = np.where((codes >= 0) & (codes < len(names)), codes, len(names))
    return pd.Categorical.from_codes(table[known], categories=pd.Index(list(place), dtype="str"))


def enum_words(codes: Raw, members: Iterable[Any], zero: str = "") -> pd.Categorical:
    """Return the numbers of an enum as categories; 0 becomes the word ``zero`` if the enum has no 0."""
    by_code = {int(member): str(member.name) for member in members}
    by_code.setdefault(0, zero)
    order = sorted(by_code)
    return words(np.searchsorted(order, codes), [by_code[code] for code in order])


def after(instants: Floats, limit: Limit, calendar: WorkingDays) -> Floats:
    """Return the hours that lie a limit after given hours; nan stays nan."""
    if limit.hours is not None:
        return instants + limit.hours
    return calendar.add(instants, float(limit.working_days or 0))


def deliveries_frame(raw: Raw, raw_cases: Raw, header: RunHeader) -> pd.DataFrame:
    """Return one row per delivery of the cohort, in the order in which they were authored.

    Instants are hours from the start and nan where they did not come before the case's horizon;
    received, listed and done are those at the intended service, and a message that its application
    refused or never answered for was not received. ``defect`` is -1 where no defect caused the fault.
    Raises AssertionError if a delivery has no fate, for then a definition has a hole.
    """
    owner = raw["case_row"]
    horizon = raw_cases["horizon"][owner]
    deadline, to_instant, has_deadline = _deadlines(raw, raw_cases["created"][owner], header)
    with np.errstate(invalid="ignore"):
        was_late = (to_instant > deadline) | (np.isnan(to_instant) & (deadline < horizon))
    fate = _fates(raw, was_late)
    first = _first_outcomes(raw)
    party = np.array([s.party for s in header.services], np.int64)
    sender_party, receiver_party = _at(party, raw["sender"]), _at(party, raw["intended"])
    services = [s.id for s in header.services]
    step_pathway = np.array([s.pathway for s in header.steps], np.int64)
    step_message = np.array([s.message for s in header.steps], np.int64)
    columns: dict[str, Any] = {
        "case": raw_cases["case"][owner],
        "delivery": raw["delivery"],
        "copy": (raw["delivery"] & 0xFF).astype(np.int16),
        "step": words(raw["step"], step_names(header)),
        "kind": enum_words(step_message[raw["step"]], MessageKind),
        "pathway": words(step_pathway[raw["step"]], [p.id for p in header.pathways]),
        "urgency": enum_words(raw_cases["urgency"][owner], Urgency),
        "channel": enum_words(raw["channel"], Channel),
        "sender": words(raw["sender"], services),
        "intended": words(raw["intended"], services),
        "sender_party": enum_words(sender_party, Party),
        "receiver_party": enum_words(receiver_party, Party),
        "direction": words(_directions(sender_party, receiver_party), DIRECTIONS),
        **{f"{name}_hours": raw[name].copy() for name in ("authored", "sent", "received", "listed")},
        **{f"{name}_hours": raw[name].copy() for name in ("seen", "done")},
        "fault": enum_words(raw["fault"], Fault),
        "defect": raw["defect"].copy(),
        "attempts": raw["attempts"].copy(),
        "duplicates": np.maximum(raw["arrivals"] - 1, 0) + raw["doubles"],
        **{f"{name}_hours": raw[name].copy() for name in ("silent", "told", "found", "ended")},
        "found_by": enum_words(raw["found_by"], FoundBy),
        "has_deadline": has_deadline,
        "deadline_hours": deadline,
        "horizon_hours": horizon,
        "last_state": enum_words(raw["last_state"], State),
        "fate": enum_words(fate, Fate),
        "was_late": was_late,
        "first_outcome": enum_words(first, FirstOutcome),
        "stage_failed": words(_stages(raw), STAGES),
    }
    for days in (30, 90):
        columns.update(_unseen(raw, horizon, days))
    return pd.DataFrame(columns, copy=False)


def step_names(header: RunHeader) -> list[str]:
    """Return a name for each step: its pathway and its id, as ids are unique within a pathway at most."""
    return [f"{header.pathways[s.pathway].id}.{s.id}" for s in header.steps]


def _at(table: Raw, codes: Raw) -> Raw:
    """Look codes up; a code that is no service (-1) gives 0."""
    known = (codes >= 0) & (codes < len(table))
    if not len(table):
        return np.zeros(len(codes), np.int64)
    return np.where(known, table[np.where(known, codes, 0)], 0)


def _deadlines(raw: Raw, created: Floats, header: RunHeader) -> tuple[Floats, Floats, Bools]:
    """Return when each delivery is due, when what is due happened (nan: never), and whether a limit is set.

    The main recipient's deadline and that of the copies are two.
    """
    calendar = working_days(header)
    due, happened = np.full(len(raw), np.nan), np.full(len(raw), np.nan)
    limited = np.zeros(len(raw), np.bool_)
    is_copy = (raw["delivery"] & 0xFF) > 0
    limits = [s.deadline for s in header.steps], [s.copy_deadline for s in header.steps]
    for copies, by_step in enumerate(limits):
        for deadline in dict.fromkeys(limit for limit in by_step if limit is not None):
            chosen = np.array([limit == deadline for limit in by_step], np.bool_)
            here = np.flatnonzero(chosen[raw["step"]] & (is_copy == bool(copies)))
            counts_from = deadline.counts_from
            origin = created[here] if counts_from == "created" else raw[counts_from][here]
            due[here] = after(origin, deadline.within, calendar)
            happened[here] = raw[deadline.to][here]
            limited[here] = True
    return due, happened, limited


def _fates(raw: Raw, was_late: Bools) -> NDArray[np.uint8]:
    """Return each delivery's fate: the first of the list that matches, read from state and never from age."""
    seen = ~np.isnan(raw["seen"])
    with np.errstate(invalid="ignore"):
        brought_in = (raw["found"] >= raw["silent"]) & (raw["seen"] >= raw["found"])
    silent_now = raw["last_state"] == State.silent
    fate = np.select(
        [
            ~seen & ~np.isnan(raw["ended"]),
            brought_in,
            seen & was_late,
            seen,
            silent_now,
            np.isin(raw["last_state"], (State.moving, State.told)),
        ],
        [Fate.cancelled, Fate.recovered, Fate.late, Fate.on_time, Fate.lost, Fate.waiting],
        default=0,
    ).astype(np.uint8)
    counts = np.bincount(fate, minlength=len(Fate) + 1)
    assert counts[0] == 0, "the fates do not add up to the deliveries created: a delivery has none"
    assert counts.sum() == len(raw), "the fates do not add up to the deliveries created"
    return fate


def _first_outcomes(raw: Raw) -> NDArray[np.uint8]:
    """Return what happened first: a failure (told or silent) before it was seen, or its arrival.

    An item on a list that nobody opens has failed silently although it was received. What vanishes
    after it was seen had arrived.
    """
    told, silent = _or_never(raw["told"]), _or_never(raw["silent"])
    seen = _or_never(raw["seen"])
    arrived = np.isfinite(seen) | ~np.isnan(raw["received"])
    return np.select(
        [(silent < seen) & (silent < told), told < seen, arrived],
        [FirstOutcome.failed_silently, FirstOutcome.failed_told, FirstOutcome.arrived],
        default=FirstOutcome.pending,
    ).astype(np.uint8)


def _or_never(instants: Floats) -> Floats:
    return np.where(np.isnan(instants), np.inf, instants)


def _stages(raw: Raw) -> NDArray[np.uint8]:
    """Return the stage of the first failure; incomplete content fails at authoring though it arrives."""
    blank = (raw["stage_failed"] == 0) & (raw["fault"] == Fault.incomplete)
    stages: NDArray[np.uint8] = raw["stage_failed"].copy()
    stages[blank] = STAGES.index("authored")
    return stages


def _directions(sender: Raw, receiver: Raw) -> NDArray[np.int64]:
    table = np.full((len(Party) + 1, len(Party) + 1), DIRECTIONS.index("other"))
    table[Party.patient, :] = table[:, Party.patient] = DIRECTIONS.index("patient")
    for a, b, name in (
        (Party.gp, Party.hospital, "gp-hospital"),
        (Party.hospital, Party.municipality, "hospital-municipality"),
        (Party.gp, Party.municipality, "gp-municipality"),
    ):
        table[a, b] = table[b, a] = DIRECTIONS.index(name)
    return table[sender, receiver]


def _unseen(raw: Raw, horizon: Floats, days: int) -> dict[str, Bools]:
    """Return whether a delivery was followed for so many days from authoring, and was not seen in them.

    What was taken back within those days needed no reading and counts as not followed.
    """
    limit = raw["authored"] + 24.0 * days
    with np.errstate(invalid="ignore"):
        seen = raw["seen"] <= limit
        followed = (limit <= horizon) & ~(~seen & (raw["ended"] <= limit))
    return {f"followed_{days}_days": followed, f"unseen_after_{days}_days": followed & ~seen}


def cases_frame(raw: Raw, raw_deliveries: Raw, deliveries: pd.DataFrame, header: RunHeader) -> pd.DataFrame:
    """Return one row per case of the cohort, in order of creation.

    ``time_to_care_days`` is restricted at the horizon τ: min(care start − creation, τ); a case not
    started counts τ, whether lost or waiting; withdrawal, death and being turned away are competing
    events, and the case counts the time until then. It is nan where the pathway has no start of care.
    A case has a statutory clock (``has_clock``) where its pathway begins with a request for care.
    ``followed_days`` is from creation to the case's end, or to τ.
    """
    services, milestone = [s.id for s in header.services], raw["milestones"]
    columns: dict[str, Any] = {
        "case": raw["case"].copy(),
        "pathway": words(raw["pathway"], [p.id for p in header.pathways]),
        "origin": words(raw["origin"], services),
        "practice": words(raw["practice"], services),
        "urgency": enum_words(raw["urgency"], Urgency),
        "created_hours": raw["created"].copy(),
        "arrived_hours": raw["arrived"].copy(),
        "care_hours": milestone[:, Milestone.care_started].copy(),
        "assessed_hours": milestone[:, Milestone.assessed].copy(),
        "discharge_ready_hours": milestone[:, Milestone.discharge_ready].copy(),
        "discharged_hours": milestone[:, Milestone.discharged].copy(),
        "decided_hours": milestone[:, Milestone.decided].copy(),
        "turned_away_hours": milestone[:, Milestone.turned_away].copy(),
        "withdrawn_hours": raw["withdrawn"].copy(),
        "closed_hours": raw["closed"].copy(),
        "horizon_hours": raw["horizon"].copy(),
    }
    columns.update(_care(raw, columns, header))
    columns["followed_days"] = (np.fmin(raw["closed"], raw["horizon"]) - raw["created"]) / 24.0
    columns.update(_from_deliveries(len(raw), raw_deliveries, deliveries))
    columns["touched"] = raw["touched"] > 0
    return pd.DataFrame(columns, copy=False)


def _care(raw: Raw, columns: Mapping[str, Any], header: RunHeader) -> dict[str, Any]:
    """Return the columns about the start of care, on the patient clock and on the statutory clock."""
    calendar = working_days(header)
    created, horizon, arrived = raw["created"], raw["horizon"], raw["arrived"]
    care = _or_never(columns["care_hours"])
    gave_up = np.minimum(_or_never(columns["withdrawn_hours"]), _or_never(columns["turned_away_hours"]))
    has_care = np.array([bool(p.targets) for p in header.pathways], np.bool_)[raw["pathway"]]
    started = has_care & np.isfinite(care) & (care <= gave_up)
    ended = has_care & np.isfinite(gave_up) & ~started
    turned_away = ended & (_or_never(columns["turned_away_hours"]) < _or_never(columns["withdrawn_hours"]))
    waited_until = np.where(started, care, np.where(ended, gave_up, horizon))
    asks = {s.pathway for s in header.steps if s.message in REQUESTS}
    has_clock = has_care & np.isin(raw["pathway"], sorted(asks))
    # For those who ended by withdrawal or are not started, waited_until is a lower bound of the start.
    target = _limits(raw, created, [p.targets for p in header.pathways], calendar)
    statutory = _limits(raw, arrived, [p.targets for p in header.pathways], calendar)
    delayed_after = _limits(raw, created, [p.delayed_after for p in header.pathways], calendar)
    with np.errstate(invalid="ignore"):
        breach = has_clock & (waited_until > statutory)
        late = has_clock & (waited_until > target)
        delayed = has_care & (waited_until > delayed_after)
    return {
        "has_care": has_care,
        "has_clock": has_clock,
        "started": started,
        "withdrawn": ended & ~turned_away,
        "turned_away": turned_away,
        "not_started": has_care & ~started & ~ended,
        "time_to_care_days": np.where(has_care, (waited_until - created) / 24.0, np.nan),
        "target_days": (target - created) / 24.0,
        "delayed_after_days": (delayed_after - created) / 24.0,
        "delayed_start": delayed,
        "statutory_breach": breach,
        "hidden_delay": late & ~breach,
        "assessment_due_hours": calendar.add(arrived, float(ASSESSMENT_WORKING_DAYS)),
    }


def _limits(
    raw: Raw, origin: Floats, by_pathway: Sequence[Mapping[str, Limit]], calendar: WorkingDays
) -> Floats:
    """Return each case's limit by pathway and urgency, counted from an origin in hours; nan without."""
    due = np.full(len(raw), np.nan)
    for pathway, limits in enumerate(by_pathway):
        for urgency in Urgency:
            if urgency.name in limits:
                here = np.flatnonzero((raw["pathway"] == pathway) & (raw["urgency"] == urgency))
                due[here] = after(origin[here], limits[urgency.name], calendar)
    return due


def _from_deliveries(count: int, raw: Raw, deliveries: pd.DataFrame) -> dict[str, Any]:
    """Return a case's number of deliveries and silent failures, and how far its worst one was overdue."""
    owner = raw["case_row"]
    silent = (deliveries["first_outcome"] == FirstOutcome.failed_silently.name).to_numpy()
    seen = deliveries["seen_hours"].to_numpy()
    until = np.where(np.isnan(seen), deliveries["horizon_hours"].to_numpy(), seen)
    overdue = until - deliveries["deadline_hours"].to_numpy()
    worst = np.zeros(count)
    np.maximum.at(worst, owner, np.where(overdue > 0.0, overdue, 0.0))
    return {
        "deliveries": np.bincount(owner, minlength=count).astype(np.int32),
        "silent_failures": np.bincount(owner[silent], minlength=count).astype(np.int32),
        "most_overdue_hours": worst,
    }
