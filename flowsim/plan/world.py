"""What people and organisations do by themselves during a run, as the processes of the world need it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from flowsim.plan.defects import DefectsPlan
from flowsim.plan.levers import Turn, dial_turns, factor_at, highest, lever_turns
from flowsim.plan.response import ResponsePlan, response_plan
from flowsim.plan.rollout import GoLive, hours_of
from flowsim.plan.services import Builder
from flowsim.topology import ServiceNode
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import Pace, ServiceKind

HOURS_PER_WEEK = 168.0
#: A dip of which less than this is left has worn off.
_WORN_OFF = 0.01


@dataclass(frozen=True)
class OutagePlan:
    """A relay that is down at an instant or by chance; ``lasts`` is a row of the distributions."""

    relay: int
    at_hours: float | None
    per_year: float
    lasts: int


@dataclass(frozen=True)
class StaffingPlan:
    """How many there are at each service, week by week: (hours, share away) and a factor from levers.

    ``staff`` has (service, name, number). ``instants`` are (hours, week): the begin of each week (from
    Monday to Sunday, counted from 0), and whatever a lever changes within one. ``away`` is by week,
    ``training`` by service and week.
    """

    staff: tuple[tuple[int, str, int], ...]
    instants: tuple[tuple[float, int], ...]
    away: tuple[float, ...]
    training: dict[tuple[int, int], float]
    factor: dict[int, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class OwnersPlan:
    """Lists that can lose their owner: those of each organisation, by name, and how they are found."""

    lists: dict[str, tuple[tuple[int, str], ...]]
    unowned: tuple[int, ...]
    at_go_live: float
    reorganisations_per_year: float
    at_reorganisation: float
    found_then: int
    search_every: int
    #: From when on a list keeps its owner, and the share of lists for which that holds.
    kept_from: float
    kept: float


@dataclass(frozen=True)
class DoctorsPlan:
    """A practice whose doctors leave now and then: its inbox, name and number of doctors."""

    service: int
    name: str
    doctors: float
    per_year: float


@dataclass(frozen=True)
class WorldPlan:
    """What people and organisations do by themselves during the run.

    ``pace`` has (hours, service, what, factor) for each change of how people work; ``dials`` has
    (hours, dial, factor) for what levers turn.
    """

    go_lives: tuple[GoLive, ...] = ()
    outages: tuple[OutagePlan, ...] = ()
    dials: tuple[tuple[float, int, float], ...] = ()
    pace: tuple[tuple[float, int, Pace, float], ...] = ()
    staffing: StaffingPlan | None = None
    defects: DefectsPlan | None = None
    owners: OwnersPlan | None = None
    doctors: tuple[DoctorsPlan, ...] = ()
    #: Staff hours of training for each person, and of testing for each go-live.
    training_hours: float = 0.0
    testing_hours: float = 0.0
    response: ResponsePlan | None = None


def world_plan(builder: Builder, lives: tuple[GoLive, ...], defects: DefectsPlan | None) -> WorldPlan:
    """Return what happens by itself in a design; a twin without faults has no outages and no lost owners."""
    design = builder.design
    staffing = _staffing(builder, lives)
    if design.ideal:
        return WorldPlan(staffing=staffing)
    training = design.people.learning.training.hours if design.people.learning else 0.0
    testing = design.defects.testing
    coverage = highest(lever_turns(design), "test_coverage", testing.coverage.value)
    return WorldPlan(
        go_lives=lives,
        outages=() if design.faults_off else _outages(builder),
        dials=dial_turns(design),
        pace=_pace(builder, lives),
        staffing=staffing,
        defects=defects,
        owners=None if design.faults_off else _owners(builder),
        doctors=() if design.faults_off else _doctors(builder),
        training_hours=training,
        testing_hours=coverage * testing.hours,
        response=response_plan(builder),
    )


def _outages(builder: Builder) -> tuple[OutagePlan, ...]:
    """Return the outages of a design."""
    design = builder.design
    index = {relay.id: relay.index for relay in builder.region.relays}
    return tuple(
        OutagePlan(
            index[o.relay],
            None if o.at is None else hours_of(design.start, o.at),
            o.per_year or 0.0,
            builder.distribution(o.lasts),
        )
        for o in design.outages
    )


# --- how people work -----------------------------------------------------------------------------------


def _pace(builder: Builder, lives: tuple[GoLive, ...]) -> tuple[tuple[float, int, Pace, float], ...]:
    """Return each change of pace: usability for all who are on the platform, and the dip after go-lives.

    Right after a go-live a service searches, enters and slips so much more; after ``lasts`` a third of it
    is left (exp(-t / lasts)). It is followed week by week. Those who joined before a settled run have no dip.
    """
    changes: list[tuple[float, int, Pace, float]] = []
    ends = _ends(lives)
    for life in lives:
        if not life.joins:
            continue
        for service in life.services:
            end = ends.get((service, life.at_hours), builder.end_hours)
            changes += _pace_of(builder, life, service, end)
    return tuple(sorted(changes))


def _ends(lives: tuple[GoLive, ...]) -> dict[tuple[int, float], float]:
    """Return when each stay of a service on the platform ends, by (service, when it joined)."""
    ends: dict[tuple[int, float], float] = {}
    since: dict[int, float] = {}
    for life in lives:
        for service in life.services:
            if life.joins:
                since[service] = life.at_hours
            elif service in since:
                ends[service, since.pop(service)] = life.at_hours
    return ends


def _pace_of(
    builder: Builder, life: GoLive, service: int, end: float
) -> list[tuple[float, int, Pace, float]]:
    """Return the changes of pace of one service from a go-live until it leaves or the run ends."""
    turns = lever_turns(builder.design)
    instants = {life.at_hours, *(t.at_hours for t in turns if t.at_hours > life.at_hours)}
    learning = builder.design.people.learning
    if learning is not None and not life.before and learning.lasts.hours > 0.0:
        week = life.at_hours
        while week < min(end, life.at_hours + 4.6 * learning.lasts.hours):  # exp(-4.6) is 1 %
            instants.add(week)
            week += HOURS_PER_WEEK
        instants.add(life.at_hours + learning.history_moved.hours)
    out: list[tuple[float, int, Pace, float]] = []
    last = dict.fromkeys(Pace, 1.0)
    for at in sorted(instant for instant in instants if instant < end):
        for what in Pace:
            factor = _pace_at(builder, turns, life, what, at)
            if factor != last[what]:
                out.append((at, service, what, factor))
                last[what] = factor
    if end < builder.end_hours:
        out += [(end, service, what, 1.0) for what in Pace if last[what] != 1.0]
    return out


def _pace_at(builder: Builder, turns: list[Turn], life: GoLive, what: Pace, at: float) -> float:
    """Return a service's factor at an instant: usability × levers × (1 + what is left of the dip)."""
    people = builder.design.people
    factor = float(getattr(people.usability, what.name))
    factor *= factor_at(turns, what.name, at)  # type: ignore[arg-type]
    learning = people.learning
    if learning is None or life.before:
        return factor
    since = at - life.at_hours
    by_then = [turn for turn in turns if turn.at_hours <= life.at_hours]
    spared = highest(by_then, "training", learning.training.spares.value)
    left = math.exp(-since / learning.lasts.hours) if learning.lasts.hours > 0.0 else 0.0
    dip = float(getattr(learning, what.name).value) * (1.0 - spared) * (left if left >= _WORN_OFF else 0.0)
    if what == Pace.handling and since < learning.history_moved.hours:
        dip += learning.double_entry.value
    return factor * (1.0 + dip)


# --- staff ---------------------------------------------------------------------------------------------


def _staffing(builder: Builder, lives: tuple[GoLive, ...]) -> StaffingPlan | None:
    """Return who is away when; None where nobody ever is and no lever adds staff."""
    design, region = builder.design, builder.region
    people = design.people
    turns = [turn for turn in lever_turns(design) if turn.on == "staff"]
    training = _training(builder, lives)
    if not (people.absence.value > 0.0 or people.holidays or turns or training):
        return None
    factor: dict[int, tuple[tuple[float, float], ...]] = {}
    for service in region.services:
        own = sorted({t.at_hours for t in turns if t.what == service.kind})
        if own:
            factor[service.index] = tuple((at, factor_at(turns, "staff", at, service.kind)) for at in own)
    monday = first_monday(builder)
    begins = [0.0, *(monday + k * HOURS_PER_WEEK for k in range(week_of(builder, builder.end_hours) + 1))]
    times = sorted({at for at in (*begins, *(t.at_hours for t in turns)) if at < builder.end_hours})
    weeks = week_of(builder, builder.end_hours) + 1
    away = tuple(_away(builder, monday + HOURS_PER_WEEK * (k - (monday > 0.0))) for k in range(weeks))
    staff = tuple((s.index, s.key, s.staff) for s in region.services if s.staff > 0)
    return StaffingPlan(staff, tuple((at, week_of(builder, at)) for at in times), away, training, factor)


def first_monday(builder: Builder) -> float:
    """Return the hour at which the first Monday of a run begins."""
    return (7 - builder.design.start.weekday()) % 7 * 24.0


def week_of(builder: Builder, at: float) -> int:
    """Return the number of the week of an instant; the days before the first Monday are week 0."""
    monday = first_monday(builder)
    return math.floor((at - monday) / HOURS_PER_WEEK) + int(monday > 0.0)


def _away(builder: Builder, at: float) -> float:
    """Return the share of people away in the week that begins at an hour."""
    people = builder.design.people
    day = f"{builder.design.start + timedelta(hours=max(at, 0.0)):%m-%d}"
    return people.absence.value + sum(h.away.value for h in people.holidays if h.first <= day <= h.last)


def _training(builder: Builder, lives: tuple[GoLive, ...]) -> dict[tuple[int, int], float]:
    """Return the share of staff at training, by service and the week before its go-live.

    A go-live on a Monday has the whole week before; one at the start of the run has been trained for.
    """
    learning = builder.design.people.learning
    if learning is None or learning.training.away.value <= 0.0 or builder.design.ideal:
        return {}
    out: dict[tuple[int, int], float] = {}
    for life in lives:
        if life.joins and not life.before and life.at_hours > 0.0:
            week = max(week_of(builder, math.nextafter(life.at_hours, 0.0)), 0)
            out |= {(service, week): learning.training.away.value for service in life.services}
    return out


# --- lists and addresses -------------------------------------------------------------------------------


def _owners(builder: Builder) -> OwnersPlan | None:
    """Return which lists can lose their owner, and which have none from the start; None if none can."""
    settings = builder.design.defects.owners
    turns = [turn for turn in lever_turns(builder.design) if turn.on == "owners"]
    if settings is None and not turns:
        return None
    lists: dict[str, tuple[tuple[int, str], ...]] = {}
    for service in builder.region.services:
        if _has_readers(service):
            own = lists.get(service.organisation, ())
            lists[service.organisation] = (*own, (service.index, service.key))
    unowned = tuple(s.index for s in builder.region.services if _has_readers(s) and not s.watched)
    return OwnersPlan(
        lists,
        unowned,
        settings.lost_at_go_live.value if settings else 0.0,
        settings.reorganisations_per_year if settings else 0.0,
        settings.lost_at_reorganisation.value if settings else 0.0,
        builder.distribution(settings.found_then) if settings else -1,
        builder.distribution(settings.search_every) if settings else -1,
        min((turn.at_hours for turn in turns), default=float("inf")),
        max((turn.value for turn in turns), default=0.0),
    )


def _has_readers(service: ServiceNode) -> bool:
    """Return whether a service's list is one that somebody opens by duty."""
    without = (ServiceKind.dead_endpoint, ServiceKind.patients, ServiceKind.error_queue)
    return service.kind not in without and service.staff > 0


def _doctors(builder: Builder) -> tuple[DoctorsPlan, ...]:
    """Return the practices whose doctors leave now and then."""
    addresses = builder.design.faults.addresses
    if addresses is None or addresses.doctors_leave_per_year <= 0.0:
        return ()
    per_year = addresses.doctors_leave_per_year
    return tuple(DoctorsPlan(p.service, p.id, p.gps, per_year) for p in builder.region.practices)


def month_turns(builder: Builder) -> list[float]:
    """Return the hours at which months begin within the run, and one beyond its end."""
    start = builder.design.start
    year, month = start.year, start.month
    out: list[float] = []
    while not out or out[-1] < builder.end_hours:
        month += 1
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
        out.append(hours_of(start, start.replace(year=year, month=month, day=1)))
    return out


def moves_per_hour(builder: Builder) -> float:
    """Return the rate at which a patient changes GP."""
    addresses = builder.design.faults.addresses
    if addresses is None or builder.design.faults_off or builder.design.ideal:
        return 0.0
    return addresses.patients_change_gp.value / HOURS_PER_YEAR
