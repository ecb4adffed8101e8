"""Alerts by hand, and the small world that they speak of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np

from flowsim.monitor.routing import Handover, OfficeHours, Route, Routing
from flowsim.monitor.rules import Pattern, Rule
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Duration
from flowsim.vocabulary import (
    ALERT_SCHEMA,
    Channel,
    Fault,
    Level,
    MessageKind,
    Party,
    RuleKind,
    Seen,
    Source,
    Urgency,
    Verdict,
)

GP, INTAKE, PATIENTS = range(3)
DIRECTORY = Directory(
    (
        Unit("gp", "Practice", party=Party.gp),
        Unit("intake", "Intake", party=Party.hospital),
        Unit("patients", "Patients", party=Party.patient, has_address=False),
    ),
    ("referral/refer", "letter/letter"),
)


def rule(identifier: str, kind: RuleKind = RuleKind.response, guess: Iterable[Fault] = ()) -> Rule:
    return Rule(identifier, kind, Pattern(frozenset([Seen.sent])), guess=tuple(guess))


RULES = (
    rule("emission", guess=[Fault.not_emitted]),
    rule("opened.urgent", guess=[Fault.unwatched]),
    rule("opened.routine", guess=[Fault.unwatched]),
    rule("count", RuleKind.balance, [Fault.not_emitted]),
    Rule(
        "heard.orders",
        RuleKind.heartbeat,
        Pattern(frozenset([Seen.heartbeat])),
        hard=Duration(24.0),
        sources=frozenset([Source.orders]),
    ),
)
EMISSION, OPENED_URGENT, OPENED_ROUTINE, COUNT, HEARD = range(5)

#: Monday 1 January 2024; an office is open on weekdays from 8 to 16, and closed on New Year's Day.
START = date(2024, 1, 1)
WEEK = (((8.0, 16.0),),) * 5 + ((), ())
OFFICE = OfficeHours(WEEK, weekday=0, holidays=frozenset([0]), on_holidays="closed")
ROUTING = Routing(
    START,
    routes=(
        Route((Handover("desk", 4.0), Handover("chief", 8.0), Handover("board")), severity=2),
        Route((Handover("office", 8.0), Handover("chief"))),
    ),
    hours={"office": OFFICE, "desk": OfficeHours(), "chief": OFFICE},
)


def alert(rule: int = EMISSION, key: int = 1, raised: float = 50.0, **changes: Any) -> Any:
    """Return one row of ALERT_SCHEMA: a hard alert about a referral of the practice, raised at an hour."""
    row = np.zeros(1, ALERT_SCHEMA)
    values: dict[str, Any] = {
        "raised": raised,
        "since": raised - 10.0,
        "deadline": raised - 2.0,
        "earliest": raised - 2.0,
        "recovered": math.inf,
        "key": key,
        "subject": 7,
        "rule": rule,
        "unit": GP,
        "sender": GP,
        "receiver": INTAKE,
        "template": 0,
        "count": 1,
        "level": Level.hard,
        "verdict": Verdict.violated,
        "message": MessageKind.referral,
        "channel": Channel.edi,
        "urgency": Urgency.routine,
    }
    for name, value in {**values, **changes}.items():
        row[name] = value
    return row


def stream(rule: int = COUNT, raised: float = 50.0, count: int = 5, **changes: Any) -> Any:
    """Return an alert about a stream: key and subject 0."""
    return alert(rule, 0, raised, count=count, subject=0, template=-1, **changes)


def alerts(*rows: Any) -> Any:
    """Return rows as one array."""
    return np.concatenate(rows) if rows else np.zeros(0, ALERT_SCHEMA)
