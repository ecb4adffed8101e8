"""What is kept of an incident: its alerts, item by item, and what they add up to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from flowsim.monitor.routing import Routing, severity
from flowsim.monitor.rules import Rule, rule_name
from flowsim.observe.directory import Directory
from flowsim.units import HOURS_PER_DAY
from flowsim.vocabulary import Channel, Fault, IncidentState, Level, MessageKind, Party, RuleKind


@dataclass(frozen=True)
class Incident:
    """One ticket: what is wrong on which way, how much of it, since when, and who has it.

    ``sender``, ``receiver``, ``unit`` and ``template`` are ids, "" where not known. ``count`` is how many
    messages (of a stream: how many missing, unread or too many), ``recovered`` how many of them came after
    all. ``first_since`` is the earliest since of its alerts, ``raised`` and ``last`` the first and the latest
    time at which one was raised, in hours. ``severity`` runs from 1 (most severe) to 4. ``due`` is when the
    next owner is asked if nobody has acknowledged it.
    """

    id: str
    rule: str
    kind: RuleKind
    guess: tuple[Fault, ...]
    sender: str
    receiver: str
    template: str
    message: MessageKind | None
    channel: Channel | None
    count: int
    first_since: float
    raised: float
    last: float
    level: Level
    severity: int
    state: IncidentState
    owner: str = ""
    due: float = math.inf
    unit: str = ""
    sender_party: Party | None = None
    receiver_party: Party | None = None
    recovered: int = 0
    reopened: int = 0
    changed: float = -math.inf  # when its state was last changed

    @property
    def outstanding(self) -> int:
        """Return how much of it has not come after all."""
        return self.count - self.recovered


@dataclass(frozen=True)
class AlertFacts:
    """An alert with names for numbers, and which incident and item it belongs to."""

    id: str
    group: str
    item: str
    key: int
    rule: str
    kind: RuleKind
    guess: tuple[Fault, ...]
    sender: str
    receiver: str
    unit: str
    template: str
    message: MessageKind | None
    channel: Channel | None
    sender_party: Party | None
    receiver_party: Party | None
    count: int
    since: float
    deadline: float
    raised: float
    recovered: float
    level: Level
    severity: int
    verdict: int

    @property
    def order(self) -> tuple[float, float, str, str]:
        """Return the place of an alert among others, whatever order they came in."""
        return (self.raised, self.since, self.rule, self.id)


def alert_facts(row: Any, rules: Sequence[Rule], directory: Directory, routing: Routing) -> AlertFacts:
    """Return a row of ALERT_SCHEMA with names for its numbers."""
    rule = rules[int(row["rule"])]
    name = rule_name(rule.id)
    key, subject = int(row["key"]), int(row["subject"])
    stream = key == 0 and subject == 0
    sender, receiver = directory.unit(int(row["sender"])), directory.unit(int(row["receiver"]))
    unit, template = directory.unit(int(row["unit"])), directory.template(int(row["template"]))
    message = MessageKind(int(row["message"])) if row["message"] else None
    channel = Channel(int(row["channel"])) if row["channel"] else None
    way = [sender, receiver, template, message.name if message else "", channel.name if channel else ""]
    guess = ",".join(fault.name for fault in rule.guess)
    # What is the same in all that one defect does; a stream is its own. Heartbeats differ by their source.
    group = json.dumps([rule.id, unit, *way] if stream else [rule.kind.value, guess or name, *way])
    # Since by the calendar, so that a log that begins on another day tells the same alert.
    when = f"{routing.start.toordinal() * HOURS_PER_DAY + float(row['since']):.4f}"
    item = str(key) if key else f"{name} {subject} {when}"
    level = Level(int(row["level"]))
    return AlertFacts(
        id=_digest(f"{group} {rule.id} {int(level)} {item} {when}"),
        group=group,
        item=item,
        key=key,
        rule=name,
        kind=rule.kind,
        guess=rule.guess,
        sender=sender,
        receiver=receiver,
        unit=unit,
        template=template,
        message=message,
        channel=channel,
        sender_party=_party(directory, int(row["sender"])),
        receiver_party=_party(directory, int(row["receiver"])),
        count=max(int(row["count"]), 1) if stream else 1,
        since=float(row["since"]),
        deadline=float(row["deadline"]),
        raised=float(row["raised"]),
        recovered=float(row["recovered"]),
        level=level,
        severity=severity(level, None if stream else int(row["urgency"])),
        verdict=int(row["verdict"]),
    )


def _party(directory: Directory, number: int) -> Party | None:
    return directory.units[number].party if 0 <= number < len(directory.units) else None


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass
class Item:
    """One message, or one spell of a stream: how much it is, and which of its alerts came after all."""

    key: int = 0
    count: int = 0
    alerts: dict[str, float] = field(default_factory=dict)  # alert → when it recovered, or infinity

    @property
    def came(self) -> int:
        """Return how much of it came after all: all or nothing, as each of its alerts must have recovered."""
        return self.count if all(math.isfinite(at) for at in self.alerts.values()) else 0


@dataclass
class Record:
    """An incident as it grows; ``view`` gives what others see."""

    id: str
    group: str
    number: int  # the n-th incident of its group
    first: tuple[float, float, str]  # raised, since and rule of its first alert
    facts: Mapping[str, Any]  # what all its alerts share
    first_since: float
    last: float
    level: Level
    severity: int
    asked_since: float  # from when its owners' hours count
    state: IncidentState = IncidentState.new
    changed: float = -math.inf
    reopened: int = 0
    owner: str = ""  # who had it when it was acknowledged
    told_owner: str = ""
    items: dict[str, Item] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    unsaved: set[str] = field(default_factory=set)  # items that a store has not seen as they are
    count: int = 0  # of all items
    came: int = 0

    def __post_init__(self) -> None:
        """Add up the items that it begins with."""
        self.count = sum(item.count for item in self.items.values())
        self.came = sum(item.came for item in self.items.values())

    @classmethod
    def begin(cls, fact: AlertFacts, number: int) -> Record:
        """Return a new record for the first alert of an incident, still without it."""
        shared = (
            "kind", "guess", "sender", "receiver", "unit", "template", "message", "channel", "sender_party",
            "receiver_party",
        )  # fmt: skip
        return cls(
            id=f"{_digest(fact.group)[:10]}-{number}",
            group=fact.group,
            number=number,
            first=(fact.raised, fact.since, fact.rule),
            facts={name: getattr(fact, name) for name in shared},
            first_since=fact.since,
            last=fact.raised,
            level=fact.level,
            severity=fact.severity,
            asked_since=fact.raised,
        )

    def add(self, fact: AlertFacts) -> bool:
        """Add an alert, or what has become of it; False where nothing changed."""
        item = self.items.setdefault(fact.item, Item(fact.key))
        known = item.alerts.get(fact.id)
        recovered = fact.recovered if known is None else min(known, fact.recovered)
        count = max(item.count, fact.count)
        if known is not None and known == recovered and count == item.count:
            return False
        self.count += count - item.count
        self.came -= item.came
        item.alerts[fact.id], item.count = recovered, count
        self.came += item.came
        self.alerts.add(fact.id)
        self.unsaved.add(fact.item)
        self.first = min(self.first, (fact.raised, fact.since, fact.rule))
        self.first_since = min(self.first_since, fact.since)
        self.last = max(self.last, fact.raised)
        self.level = max(self.level, fact.level)
        self.severity = min(self.severity, fact.severity)
        return True

    def reopen(self, at: float) -> None:
        """Open a closed incident again, because more of it came."""
        self.state, self.changed, self.asked_since = IncidentState.new, at, at
        self.reopened += 1
        self.owner = self.told_owner = ""


def view(record: Record) -> Incident:
    """Return what others see of a record; its owner is told by whoever knows the routes."""
    return Incident(
        id=record.id,
        rule=record.first[2],
        count=record.count,
        first_since=record.first_since,
        raised=record.first[0],
        last=record.last,
        level=record.level,
        severity=record.severity,
        state=record.state,
        recovered=record.came,
        reopened=record.reopened,
        changed=record.changed,
        **record.facts,
    )


def rank(incident: Incident) -> tuple[int, int, float, str]:
    """Return the place of an incident in a list: the most severe first, then the oldest."""
    return (incident.severity, -int(incident.level), incident.raised, incident.id)


def finite(value: float) -> float | None:
    """Return a number for JSON: None where it is infinite or not a number."""
    return value if np.isfinite(value) else None
