"""A file on routing in words → routes, hours and downtime as incidents take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from flowsim.config.documents import Document
from flowsim.config.routing_file import Downtime as DowntimeWords
from flowsim.config.routing_file import Route as RouteWords
from flowsim.config.routing_file import RoutingFile
from flowsim.config.rules_file import MonitorFile
from flowsim.config.topology_file import OpeningHours, Weekday, parse_span
from flowsim.errors import Fault as Mistake
from flowsim.errors import did_you_mean
from flowsim.monitor.routing import Downtime, Handover, OfficeHours, Route, Routing
from flowsim.units import Clock
from flowsim.vocabulary import Channel, Fault, Level, MessageKind, Party

_WEEKDAYS: tuple[str, ...] = Weekday.__args__  # type: ignore[attr-defined]


def resolve_routing(file: RoutingFile, start: date, holidays: Iterable[date] = ()) -> Routing:
    """Return what a routing file says, with times in hours from a start date.

    ``holidays`` are those on which calendars are closed, as their ``holidays`` key says.
    """
    free = frozenset((day - start).days for day in holidays)
    clock = Clock(start)
    always = OfficeHours()
    calendars = {name: _hours(hours, start, free) for name, hours in file.calendars.items()}
    return Routing(
        start=start,
        routes=tuple(_route(each) for each in file.routes),
        hours={name: calendars.get(owner.calendar, always) for name, owner in file.owners.items()},
        downtime=tuple(_downtime(each, clock) for each in file.downtime),
        reopen_within=file.reopen_within.hours,
    )


def routing_faults(document: Document, file: RoutingFile, rules: MonitorFile) -> list[Mistake]:
    """Return the rules that a routing file names and a file of rules does not have, each with its line."""
    known = [rule.id for rule in rules.rules]
    parts: list[tuple[str, Sequence[RouteWords | DowntimeWords]]] = [
        ("routes", file.routes),
        ("downtime", file.downtime),
    ]
    return [
        document.fault((part, i, "rules", j), f"There is no rule '{name}'.", did_you_mean(name, known))
        for part, entries in parts
        for i, entry in enumerate(entries)
        for j, name in enumerate(entry.rules)
        if name not in known
    ]


def _hours(hours: OpeningHours, start: date, free: frozenset[int]) -> OfficeHours:
    if hours.always:
        return OfficeHours()
    spans = tuple(sorted(parse_span(span) for span in hours.hours))
    week = tuple(spans if name in hours.days else () for name in _WEEKDAYS)
    return OfficeHours(week, start.weekday(), free, hours.holidays)


def _route(route: RouteWords) -> Route:
    return Route(
        to=tuple(
            Handover(step.owner, step.within.hours if step.within is not None else None) for step in route.to
        ),
        rules=frozenset(route.rules),
        kinds=frozenset(route.kinds),
        guess=frozenset(Fault[name] for name in route.guess),
        messages=frozenset(MessageKind[name] for name in route.messages),
        channels=frozenset(Channel[name] for name in route.channels),
        sender_parties=frozenset(Party[name] for name in route.sender_parties),
        receiver_parties=frozenset(Party[name] for name in route.receiver_parties),
        units=frozenset(route.units),
        levels=frozenset(Level[name] for name in route.levels),
        severity=route.severity,
    )


def _downtime(window: DowntimeWords, clock: Clock) -> Downtime:
    return Downtime(
        id=window.id,
        begins=clock.to_hours(window.begins),
        ends=clock.to_hours(window.ends),
        channels=frozenset(Channel[name] for name in window.channels),
        units=frozenset(window.units),
        rules=frozenset(window.rules),
    )
