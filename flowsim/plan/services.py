"""Services and relays of a region as the kernel reads them, with their opening hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.experiment_file import Design
from flowsim.config.topology_file import OpeningHours, Resend, parse_span
from flowsim.config.values import AnyDistribution
from flowsim.plan.calendars import (
    ALWAYS_OPEN,
    CalendarSpec,
    CalendarStore,
    ProfileSpec,
    ProfileStore,
    day_indices,
    norwegian_holidays,
)
from flowsim.plan.distributions import DistributionSpec, DistributionStore
from flowsim.plan.layout import (
    ADDRESS_EDI,
    ADDRESS_NONE,
    ADDRESS_PORTAL,
    SERVICE,
    UNLIMITED,
)
from flowsim.topology import Region, RelayNode, ServiceNode, stable_hash
from flowsim.units import Duration
from flowsim.vocabulary import RelayKind, ServiceKind

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDRESS = {"edi": ADDRESS_EDI, "portal": ADDRESS_PORTAL, "none": ADDRESS_NONE}
#: A wrong service is one of so many others at most.
WRONG_MAX = 20
#: Holidays are known for this long past the run, as opening hours are.
MARGIN_DAYS = 800


@dataclass
class Builder:
    """What the parts of a plan have in common while it is built."""

    design: Design
    region: Region
    distributions: DistributionStore
    calendars: CalendarStore
    profiles: ProfileStore
    holidays: tuple[date, ...]
    end_hours: float
    wrong: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, design: Design, region: Region) -> Builder:
        """Return a builder for a design in a region."""
        end = design.warm_up.hours + design.observe.hours + design.follow_up.hours
        days = int(end // 24) + 2
        holidays = tuple(norwegian_holidays(design.start - timedelta(days=1), days + MARGIN_DAYS))
        indices = day_indices(design.start, holidays)
        return cls(
            design,
            region,
            DistributionStore(),
            CalendarStore(design.start, days, indices),
            ProfileStore(design.start, days, indices),
            holidays,
            end,
        )

    def distribution(self, value: AnyDistribution | None) -> int:
        """Return the row of a distribution, -1 for none; its parameters become hours."""
        if value is None:
            return -1
        params: dict[str, float] = {}
        values: tuple[float, ...] = ()
        weights: tuple[float, ...] = ()
        for name in type(value).model_fields:
            given = getattr(value, name)
            if isinstance(given, Duration):
                params[name] = given.hours
            elif name == "values":
                values = tuple(v.hours for v in given)
            elif name == "weights":
                weights = tuple(given) or (1.0,) * len(values)
            elif isinstance(given, int | float):
                params[name] = float(given)
        return self.distributions.add(DistributionSpec(value.kind, params, values, weights))

    def calendar(self, name: str, key: str) -> int:
        """Return the row of a calendar; a rhythm without a phase gets its own from the seed and the key."""
        known = self.region.topology.calendars
        if name == "always" and name not in known:
            return self.calendars.add(ALWAYS_OPEN)
        return self.calendars.add(calendar_spec(known[name], f"{self.design.seed}/{key}"))

    def profile(self, name: str | None) -> int:
        """Return the row of an arrival profile; none is even over the week."""
        if name is None:
            return self.profiles.add(ProfileSpec((1.0,) * 168))
        profile = self.region.topology.profiles[name]
        return self.profiles.add(ProfileSpec(tuple(d * h for d in profile.days for h in profile.hours)))


def calendar_spec(hours: OpeningHours, key: str) -> CalendarSpec:
    """Return opening hours in the form that the calendar store takes."""
    if hours.always:
        return ALWAYS_OPEN
    if hours.every is not None:
        every = hours.every.hours
        phase = hours.phase.hours if hours.phase is not None else every * (stable_hash(key) / 2.0**64)
        return CalendarSpec("rhythm", (), "closed", every, phase)
    spans = [parse_span(span) for span in hours.hours]
    weekly = tuple((WEEKDAYS.index(day), a, b) for day in hours.days for a, b in spans)
    on_holidays: str | int = 6 if hours.holidays == "as_sunday" else hours.holidays
    return CalendarSpec("weekly", weekly, on_holidays)


def organisations(region: Region) -> list[str]:
    """Return all organisations and practices by name, in the order of their numbers."""
    return list(dict.fromkeys(service.organisation for service in region.services))


def service_array(build: Builder, on_platform: frozenset[int]) -> NDArray[Any]:
    """Return SERVICE records of all services, then of all relays."""
    region = build.region
    out = np.zeros(len(region.services) + len(region.relays), SERVICE)
    number = {name: k for k, name in enumerate(organisations(region))}
    for name in ("practice", "calendar", "slot_calendar", "error_queue", "error_minutes", "client", "delay"):
        out[name] = -1
    for service in region.services:
        _fill_service(build, out[service.index], service, service.index in on_platform)
        out[service.index]["organisation"] = number[service.organisation]
    for relay in region.relays:
        out[relay.index]["organisation"] = -1
        _fill_relay(build, out[relay.index], relay)
    return out


def _fill_service(build: Builder, row: Any, service: ServiceNode, joined: bool) -> None:
    """Write one service's record."""
    patients = service.kind == ServiceKind.patients
    watched = service.watched or (
        (build.design.faults_off or build.design.ideal) and service.kind != ServiceKind.dead_endpoint
    )
    row["party"] = int(service.party)
    row["practice"] = service.practice
    row["calendar"] = build.calendar(service.calendar, service.key)
    row["staff"] = UNLIMITED if patients and service.staff < 0 else service.staff
    row["places"] = -1 if service.places is None else service.places
    if service.slots_per_week is not None:
        row["slot_calendar"] = build.calendar(service.slot_calendar, service.key)
        row["slot_rate"] = service.slots_per_week / _weekly_hours(build.region, service.slot_calendar)
    row["watched"] = int(watched)
    row["address"] = _ADDRESS[service.address]
    row["on_platform"] = int(joined)
    row["error_queue"] = service.error_queue
    row["client"] = service.client
    row["swamped_at"] = service.swamped_at or 0
    if service.error_settings is not None:
        row["error_minutes"] = build.distribution(service.error_settings.minutes)
        row["ignored"] = service.error_settings.ignored
    others = _mistaken_for(build.region, service)
    row["wrong_first"] = len(build.wrong)
    row["wrong_count"] = len(others)
    build.wrong.extend(others)


def _weekly_hours(region: Region, name: str) -> float:
    """Return a calendar's open hours in a week without holidays."""
    hours = region.topology.calendars.get(name)
    if hours is None or hours.always:
        return 168.0
    return len(hours.days) * sum(b - a for a, b in (parse_span(span) for span in hours.hours))


def _mistaken_for(region: Region, service: ServiceNode) -> list[int]:
    """Return whom a message can go to by mistake: of the same kind, else of the same organisation."""
    if service.kind in (ServiceKind.patients, ServiceKind.dead_endpoint, ServiceKind.error_queue):
        return []
    same = [s.index for s in region.services if s.kind == service.kind and s.index != service.index]
    if not same:
        same = [
            s.index
            for s in region.services
            if s.organisation == service.organisation
            and s.index != service.index
            and s.kind != ServiceKind.error_queue
            and s.staff != 0
        ]
    # Those nearest by a stable order of names, so that a large region has no list of hundreds.
    key = {i: stable_hash(f"{service.key}>{region.services[i].key}") for i in same}
    return sorted(same, key=lambda i: key[i])[:WRONG_MAX]


def _fill_relay(build: Builder, row: Any, relay: RelayNode) -> None:
    """Write one relay's record: a relay of limited capacity is a list with one server."""
    settings = relay.settings
    row["is_relay"] = 1
    row["relay_kind"] = list(RelayKind).index(relay.kind)
    row["calendar"] = build.calendars.add(ALWAYS_OPEN)
    row["staff"] = 1 if settings.per_hour else UNLIMITED
    row["watched"] = 1
    row["places"] = -1
    row["per_hour"] = 0.0 if build.design.ideal else settings.per_hour or 0.0
    row["drops"] = int(settings.when_down == "drops")
    row["delay"] = build.distribution(settings.delay)
    if settings.resend is not None:
        fill_resend(row, settings.resend)


def fill_resend(row: Any, rule: Resend) -> None:
    """Write a resend rule into a relay's or a channel's record."""
    row["resend_scan"] = rule.scan_every.hours
    row["resend_gap"] = rule.min_gap.hours
    row["resend_abandon"] = rule.abandon_after.hours if rule.abandon_after is not None else 0.0
    row["resend_attempts"] = rule.attempts
