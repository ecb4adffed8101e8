"""Who owns an incident: routes, owners' working hours, who is asked next, and planned downtime.

Files say it in words (``config/routing_file.py``); ``experiment/routing.py`` turns one into the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, Protocol

from flowsim.units import HOURS_PER_DAY, HOURS_PER_WEEK
from flowsim.vocabulary import Channel, Fault, Level, MessageKind, Party, RuleKind, Urgency

#: Days looked ahead for an open hour; a calendar without one in so long never opens.
_DAYS_AHEAD: Final = 400
#: Severity of a hard alert about a message; a soft one is a step less severe.
_SEVERITY: Final = {Urgency.immediate: 1, Urgency.urgent: 1, Urgency.soon: 2, Urgency.routine: 3}
_STREAM_SEVERITY: Final = 2
SEVERITY_LEAST: Final = 4


def severity(level: Level, urgency: int | None) -> int:
    """Return how severe an alert is, from 1 (most) to 4.

    A hard one about a message: immediate and urgent 1, soon 2, routine or not known 3; about a stream
    (urgency None) 2, as nobody knows what is in it. Soft is a step less severe, but about a stream always 4.
    """
    if urgency is None:
        return _STREAM_SEVERITY if level == Level.hard else SEVERITY_LEAST
    known = urgency in list(Urgency)
    hard = _SEVERITY[Urgency(urgency)] if known else _SEVERITY[Urgency.routine]
    return hard if level == Level.hard else min(hard + 1, SEVERITY_LEAST)


@dataclass(frozen=True)
class OfficeHours:
    """When an owner works: open spans for each weekday (Monday first), in hours of the day.

    ``weekday`` is that of the start date, ``holidays`` are days counted from it.
    """

    spans: tuple[tuple[tuple[float, float], ...], ...] = (((0.0, HOURS_PER_DAY),),) * 7
    weekday: int = 0
    holidays: frozenset[int] = frozenset()
    on_holidays: Literal["closed", "as_sunday", "as_usual"] = "as_usual"

    def on(self, day: int) -> tuple[tuple[float, float], ...]:
        """Return the open spans of a day, counted from the start date."""
        if day in self.holidays and self.on_holidays != "as_usual":
            return self.spans[6] if self.on_holidays == "as_sunday" else ()
        return self.spans[(self.weekday + day) % 7]

    def add(self, at: float, hours: float) -> float:
        """Return when so many open hours have passed after an instant; infinite where it never opens."""
        left = hours
        first = math.floor(at / HOURS_PER_DAY)
        for day in range(first, first + _DAYS_AHEAD + math.ceil(hours)):
            midnight = day * HOURS_PER_DAY
            for opens, closes in self.on(day):
                begin = max(midnight + opens, at)
                open_for = midnight + closes - begin
                if open_for <= 0.0:
                    continue
                if left <= open_for:
                    return begin + left
                left -= open_for
        return math.inf


@dataclass(frozen=True)
class Handover:
    """One owner in a line, and the working hours it has before the next is asked (None: no end)."""

    owner: str
    within: float | None = None


class Routable(Protocol):
    """What a route looks at; an ``Incident`` has it."""

    @property
    def rule(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> RuleKind: ...  # noqa: D102
    @property
    def guess(self) -> tuple[Fault, ...]: ...  # noqa: D102
    @property
    def message(self) -> MessageKind | None: ...  # noqa: D102
    @property
    def channel(self) -> Channel | None: ...  # noqa: D102
    @property
    def sender_party(self) -> Party | None: ...  # noqa: D102
    @property
    def receiver_party(self) -> Party | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> Level: ...  # noqa: D102
    @property
    def severity(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Route:
    """Which incidents go to whom; an empty set means any."""

    to: tuple[Handover, ...]
    rules: frozenset[str] = frozenset()
    kinds: frozenset[RuleKind] = frozenset()
    guess: frozenset[Fault] = frozenset()
    messages: frozenset[MessageKind] = frozenset()
    channels: frozenset[Channel] = frozenset()
    sender_parties: frozenset[Party] = frozenset()
    receiver_parties: frozenset[Party] = frozenset()
    units: frozenset[str] = frozenset()
    levels: frozenset[Level] = frozenset()
    severity: int = SEVERITY_LEAST

    def fits(self, incident: Routable) -> bool:
        """Return whether an incident goes this way."""
        asked: tuple[tuple[frozenset[object], object], ...] = (
            (frozenset(self.rules), incident.rule),
            (frozenset(self.kinds), incident.kind),
            (frozenset(self.messages), incident.message),
            (frozenset(self.channels), incident.channel),
            (frozenset(self.sender_parties), incident.sender_party),
            (frozenset(self.receiver_parties), incident.receiver_party),
            (frozenset(self.units), incident.unit),
            (frozenset(self.levels), incident.level),
        )
        named = all(not wanted or has in wanted for wanted, has in asked)
        pointed = not self.guess or not self.guess.isdisjoint(incident.guess)
        return named and pointed and incident.severity <= self.severity


@dataclass(frozen=True)
class Downtime:
    """A planned stop, in hours; alerts whose since and deadline lie inside are held. Empty sets mean any."""

    id: str
    begins: float
    ends: float
    channels: frozenset[Channel] = frozenset()
    units: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()

    def holds(
        self, since: float, deadline: float, rule: str, channel: Channel | None, units: frozenset[str]
    ) -> bool:
        """Return whether an alert lies inside it; ``units`` are its unit, sender and receiver."""
        return (
            self.begins <= since
            and deadline <= self.ends
            and (not self.rules or rule in self.rules)
            and (not self.channels or channel in self.channels)
            and (not self.units or not self.units.isdisjoint(units))
        )


@dataclass(frozen=True)
class Routing:
    """All of it: routes in order, owners' hours, downtime, and how soon a closed incident opens again.

    ``start`` is the date from which times are counted, so that a stored state fits a log that begins on
    another day.
    """

    start: date
    routes: tuple[Route, ...] = ()
    hours: Mapping[str, OfficeHours] = field(default_factory=dict)
    downtime: tuple[Downtime, ...] = ()
    reopen_within: float = 2 * HOURS_PER_WEEK

    def owner(self, incident: Routable, since: float, now: float) -> tuple[str, float]:
        """Return who owns an incident that nobody has acknowledged since, and by when somebody must.

        Each owner in the line has its working hours; then the next is asked. "" and infinity where no route
        fits, infinity where nobody comes after.
        """
        route = next((each for each in self.routes if each.fits(incident)), None)
        if route is None:
            return "", math.inf
        begun = since
        for step in route.to[:-1]:
            due = self._due(step, begun)
            if now < due:
                return step.owner, due
            begun = due
        return route.to[-1].owner, self._due(route.to[-1], begun)

    def _due(self, step: Handover, begun: float) -> float:
        if step.within is None:
            return math.inf
        return self.hours.get(step.owner, OfficeHours()).add(begun, step.within)
