"""How busy each service will be with nothing going wrong: work asked for against work it can do.

Sums of means, walked along the pathways without simulating: no queue, no fault, no patience and no
withdrawal. It tells before a run whether a list would grow without bound.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from flowsim.config.pathway_file import AnyStep, PathwayFile, Place, Send, Wait, Work
from flowsim.config.topology_file import OpeningHours, TopologyFile, parse_span
from flowsim.config.values import (
    AnyDistribution,
    Empirical,
    Exponential,
    Fixed,
    Gamma,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)
from flowsim.topology.graph import Region
from flowsim.topology.walks import expected_visits, solve, ways, with_next
from flowsim.units import HOURS_PER_WEEK

_WEEKS_PER_YEAR = 365.0 / 7.0
_Z90 = NormalDist().inv_cdf(0.9)

#: Norwegian public holidays that fall on Monday to Friday: 8.47 a year (mean of 2000-2050, derived).
HOLIDAYS_PER_YEAR = 8.47
_WEEKDAYS_PER_YEAR = 365.0 * 5.0 / 7.0


@dataclass(frozen=True)
class ServiceLoad:
    """What is asked of a service's staff (hours a week), slots (a week) or beds, and what it has."""

    service: int
    key: str
    of: Literal["staff", "slots", "beds"]
    offered: float
    capacity: float

    @property
    def load(self) -> float:
        """Return the share of the capacity that is asked for; above 1 the list grows without bound."""
        if self.offered == 0.0:
            return 0.0
        return self.offered / self.capacity if self.capacity else math.inf


def load_per_service(region: Region, pathways: Iterable[PathwayFile]) -> list[ServiceLoad]:
    """Return a row for each service and what it has of staff, slots and beds, in journal order.

    Staff: hours of work a week (clinical, searching and reading) against staff × opening hours. Slots:
    taken a week against opened a week. Beds: beds in use on average against places. Shares of branches
    are taken as they stand, the two ways of a ``compare`` or ``shared`` as equally likely, a repeat as
    often as it says unless a case leaves before; cases at the opening are left out, as those that begin
    make up for those that end; threads that only come to something when a message fails are left out too
    (see ``reminders``). Unlimited staff has infinite capacity; holidays are spread over the year.
    """
    staff: dict[int, float] = defaultdict(float)
    places: dict[int, float] = defaultdict(float)
    for pathway in pathways:
        _walk(region, pathway, staff, places)
    calendars = {name: open_hours_per_week(c) for name, c in region.topology.calendars.items()}
    calendars.setdefault("always", HOURS_PER_WEEK)
    rows = []
    for service in region.services:
        i = service.index
        open_hours = calendars.get(service.calendar, HOURS_PER_WEEK)
        hours = math.inf if service.staff < 0 or math.isinf(open_hours) else service.staff * open_hours
        rows.append(ServiceLoad(i, service.key, "staff", staff.get(i, 0.0), hours))
        if service.slots_per_week is not None:
            share = _share_not_holiday(region.topology.calendars.get(service.slot_calendar))
            rows.append(
                ServiceLoad(i, service.key, "slots", places.get(i, 0.0), service.slots_per_week * share)
            )
        if service.places is not None:
            rows.append(ServiceLoad(i, service.key, "beds", places.get(i, 0.0), float(service.places)))
    return rows


def open_hours_per_week(calendar: OpeningHours) -> float:
    """Return the mean hours a week that a calendar is open; infinite where somebody looks at intervals.

    At a look everything on the list is taken, so the list has no capacity of its own.
    """
    if calendar.always:
        return HOURS_PER_WEEK
    if calendar.every is not None:
        return math.inf
    a_day = sum(end - begin for begin, end in (parse_span(span) for span in calendar.hours))
    return a_day * len(calendar.days) * _share_not_holiday(calendar)


def _share_not_holiday(calendar: OpeningHours | None) -> float:
    """Return the share of a calendar's open days that are no public holiday (in the mean year)."""
    weekend = ("saturday", "sunday")
    if calendar is None or not calendar.days or calendar.holidays == "as_usual":
        return 1.0
    if calendar.holidays == "as_sunday" and "sunday" in calendar.days:
        return 1.0
    weekdays = sum(day not in weekend for day in calendar.days) / len(calendar.days)
    return 1.0 - weekdays * HOLIDAYS_PER_YEAR / _WEEKDAYS_PER_YEAR


def cases_per_week(region: Region, pathway: PathwayFile) -> dict[int, float]:
    """Return the mean number of cases a week that begin at each origin (its index).

    "inhabitant" and "share" count for the region. "share" is divided evenly over the origins, and so is
    "inhabitant", but over municipal services by the inhabitants of their municipalities.
    """
    origins = region.candidates(pathway.starts.at)
    arrivals = pathway.starts.arrivals
    if not origins:
        return {}
    if arrivals.hourly:
        weekly = HOURS_PER_WEEK * sum(arrivals.hourly) / len(arrivals.hourly)
        return dict.fromkeys(origins, weekly * pathway.scale)
    if arrivals.times:
        span = max(HOURS_PER_WEEK, *(t.hours for t in arrivals.times))
        return dict.fromkeys(origins, HOURS_PER_WEEK * len(arrivals.times) / span * pathway.scale)
    return _per_origin(region, pathway, (arrivals.per_year or 0.0) / _WEEKS_PER_YEAR * pathway.scale)


def cases_at_opening(region: Region, pathway: PathwayFile) -> dict[int, float]:
    """Return the mean number of cases at each origin (its index) that are there when the window opens."""
    return _per_origin(region, pathway, pathway.starts.arrivals.at_opening * pathway.scale)


def _per_origin(region: Region, pathway: PathwayFile, rate: float) -> dict[int, float]:
    """Return what a rate means for each origin: for itself, or by its listed patients, or its part."""
    origins = region.candidates(pathway.starts.at)
    per = pathway.starts.arrivals.per
    if per == "listed_patient":
        return {
            i: rate * region.practices[p].patients if (p := region.services[i].practice) >= 0 else 0.0
            for i in origins
        }
    if per == "inhabitant":
        rate *= region.topology.inhabitants
        return {i: rate * share for i, share in _by_inhabitants(region, origins).items()}
    return dict.fromkeys(origins, rate if per == "origin" else rate / len(origins))


def _by_inhabitants(region: Region, origins: tuple[int, ...]) -> dict[int, float]:
    """Return each origin's share of the inhabitants: its municipality's, divided over the origins there.

    Even where an origin is no municipality's, or a municipality does not say how many live there.
    """
    living = {o.id: o.inhabitants for o in region.topology.organisations if o.inhabitants}
    homes = [region.services[i].organisation for i in origins]
    if not all(home in living for home in homes):
        return dict.fromkeys(origins, 1.0 / len(origins))
    total = sum(living[home] or 0 for home in set(homes))
    return {
        i: (living[home] or 0) / total / homes.count(home) for i, home in zip(origins, homes, strict=True)
    }


def _walk(region: Region, pathway: PathwayFile, staff: dict[int, float], places: dict[int, float]) -> None:
    """Add what a pathway asks of each service: staff hours a week; slots a week, or beds in use."""
    visits = expected_visits(pathway)
    holds = _holds_hours(pathway, region.topology)
    starts = cases_per_week(region, pathway)
    patients = _patients(region, pathway, starts)
    for ref, hours, is_place, per_case in _demands(pathway, visits, holds):
        for service, weekly in _shared_out(region, ref, starts, patients):
            if not is_place:
                staff[service] += weekly * per_case * hours
            elif region.services[service].slots_per_week is not None:
                places[service] += weekly * per_case
            else:
                places[service] += weekly * per_case * hours / HOURS_PER_WEEK


def _demands(
    pathway: PathwayFile, visits: dict[str, float], holds: dict[str, float]
) -> Iterator[tuple[str, float, bool, float]]:
    """Give each demand of a case as (service, hours, whether it is a place, how often)."""
    for step in pathway.steps:
        often = visits[step.id]
        if isinstance(step, Work):
            search = mean_hours(step.search) if step.search is not None else 0.0
            yield step.service, mean_hours(step.minutes) + search, False, often
        elif isinstance(step, Place):
            hold = mean_hours(step.hold) if step.hold is not None else holds[step.id]
            yield step.service, hold, True, often
        elif isinstance(step, Send) and step.reading is not None:
            for ref in (*step.copies, *(() if step.waits else (step.to,))):
                yield ref, mean_hours(step.reading), False, often


def _patients(
    region: Region, pathway: PathwayFile, starts: dict[int, float]
) -> dict[tuple[int, str | None], float]:
    """Return the cases a week of each practice (index, -1 for none) and area."""
    weights = pathway.starts.areas
    areas: dict[str | None, float] = {None: 1.0}
    if weights:
        areas = {area: w / sum(weights.values()) for area, w in weights.items()}
    out: dict[tuple[int, str | None], float] = defaultdict(float)
    for origin, weekly in starts.items():
        shares = _practices_of(region, origin)
        for practice, share in shares.items():
            for area, weight in areas.items():
                out[practice, area] += weekly * share * weight
    return out


def _practices_of(region: Region, origin: int) -> dict[int, float]:
    """Return whose patients begin cases at a service: its own practice's, or those it serves, by size."""
    service = region.services[origin]
    if service.practice >= 0:
        return {service.practice: 1.0}
    served = {p.index: p.patients for p in region.practices if region.serves(service, p.municipality)}
    return {p: patients / sum(served.values()) for p, patients in served.items()} or {-1: 1.0}


def _shared_out(
    region: Region, ref: str, starts: dict[int, float], patients: dict[tuple[int, str | None], float]
) -> Iterator[tuple[int, float]]:
    """Give the services that a service name means, each with the cases a week that use it."""
    if ref == "origin":
        yield from starts.items()
        return
    for (practice, area), weekly in patients.items():
        service = region.resolve(ref, practice, area, -1)
        if service is not None:
            yield service, weekly


def _holds_hours(pathway: PathwayFile, topology: TopologyFile) -> dict[str, float]:
    """Return for each place without a stated hold how long it is kept: until the next place, or the end."""
    steps = {step.id: i for i, step in enumerate(pathway.steps)}
    out: dict[str, float] = defaultdict(float)
    for urgency, share in pathway.starts.urgency.items():
        flow = np.zeros((len(steps), len(steps)))
        spent = np.zeros(len(steps))
        for i, (step, following) in enumerate(with_next(pathway)):
            if not isinstance(step, Place):
                spent[i] = _spent_hours(step, topology)
                for target, weight in ways(step, following, urgency, threads=None):
                    flow[i, steps[target]] += weight
        ahead = solve(flow, spent)
        for step, following in with_next(pathway):
            if isinstance(step, Place) and following is not None:
                out[step.id] += share * float(ahead[steps[following]])
    return defaultdict(float, out)


def _spent_hours(step: AnyStep, topology: TopologyFile) -> float:
    if isinstance(step, Wait):
        calendar = topology.calendars.get(step.calendar or "")
        hours = open_hours_per_week(calendar) if calendar is not None else HOURS_PER_WEEK
        return mean_hours(step.time) * (1.0 if math.isinf(hours) else HOURS_PER_WEEK / hours)
    if isinstance(step, Work):
        return mean_hours(step.minutes) + (mean_hours(step.search) if step.search is not None else 0.0)
    return 0.0


def mean_hours(distribution: AnyDistribution) -> float:  # noqa: PLR0911  one closed form each
    """Return the mean of a distribution in hours (closed forms)."""
    d = distribution
    if isinstance(d, Fixed):
        return d.value.hours
    if isinstance(d, Exponential | Gamma):
        return d.mean.hours
    if isinstance(d, Uniform):
        return (d.low.hours + d.high.hours) / 2.0
    if isinstance(d, Triangular):
        return (d.low.hours + d.mode.hours + d.high.hours) / 3.0
    if isinstance(d, Lognormal):
        if d.median is None or d.p90 is None:
            return d.mean.hours if d.mean is not None else 0.0
        sigma = math.log(d.p90.hours / d.median.hours) / _Z90
        return d.median.hours * math.exp(sigma * sigma / 2.0)
    if isinstance(d, Weibull):
        return d.scale.hours * math.gamma(1.0 + 1.0 / d.shape)
    if isinstance(d, Empirical):
        weights = d.weights or (1.0,) * len(d.values)
        return sum(v.hours * w for v, w in zip(d.values, weights, strict=True)) / sum(weights)
    if d.sd.hours == 0.0:
        return min(max(d.mean.hours, d.low.hours), d.high.hours)
    bell = NormalDist()
    low, high = ((x.hours - d.mean.hours) / d.sd.hours for x in (d.low, d.high))
    inside = bell.cdf(high) - bell.cdf(low)
    return d.mean.hours + d.sd.hours * (bell.pdf(low) - bell.pdf(high)) / inside


def load_table(rows: Iterable[ServiceLoad]) -> str:
    """Return loads as text, a line for each service that is used at all."""
    lines = [f"{'service':44s} {'of':6s} {'offered':>10s} {'capacity':>10s} {'load':>6s}"]
    lines.extend(
        f"{r.key:44s} {r.of:6s} {r.offered:10.1f} {r.capacity:10.1f} {r.load:6.2f}"
        for r in rows
        if r.offered > 0
    )
    return "\n".join(lines)
