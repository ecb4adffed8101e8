"""The monitor's alerts make people act: a sweep at intervals, and a team that works its tickets.

The world knows only a callable that gives tickets; who makes them stands on the other side of the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import simpy

from flowsim.plan.response import ResponsePlan
from flowsim.vocabulary import CommandKind, Event, Fault, FoundBy
from flowsim.world.mailbox import Mailbox

Story = Generator[simpy.Event, Any, None]

#: A row of the journal has room for so many alerts or items; what is more takes further rows.
ROW_MOST: Final = 255
#: What is asked whether anybody is at work: so little work that it is done at once.
_AT_ONCE: Final = 1e-6
#: Classes whose remedy is to send again; all others are phoned through.
_SENT_AGAIN: Final = frozenset(
    [
        Fault.not_emitted,
        Fault.undelivered,
        Fault.no_receipt,
        Fault.rejected,
        Fault.copy_omitted,
    ]
)


class Item(NamedTuple):
    """A message or task that an alert names, and the class of fault that the rule guesses.

    ``key`` is its name, that of its luck too. A case of 0 is one that is over: there is nothing to act on.
    """

    key: int
    case: int
    delivery: int
    guess: Fault = Fault.none


class Ticket(NamedTuple):
    """What the monitor hands over about one incident at one sweep.

    ``incident`` is a name that does not change while the incident grows; it is the key of its luck. ``unit``
    is the number of the service it is about (-1: not known), ``alerts`` how many came in, ``items`` the
    messages that they name: none for an alert about a stream.
    """

    incident: str
    hard: bool
    urgency: int
    unit: int
    alerts: int
    items: tuple[Item, ...] = ()


#: Gives the tickets that have come up by an instant (hours).
Sweep = Callable[[float], Iterable[Ticket]]


@dataclass(order=True)
class _Waiting:
    """A ticket on the desk: hard before soft, then by urgency, then as they came; it grows while it waits."""

    rank: tuple[bool, int, int]
    ticket: Ticket = field(compare=False)
    items: list[Item] = field(compare=False)


class Team:
    """Those who work tickets: each takes the next, in opening hours, and looks at its items one by one."""

    def __init__(self, env: simpy.Environment, mail: Mailbox, plan: ResponsePlan) -> None:
        """Begin with an empty desk and everybody at it."""
        self._env = env
        self._mail = mail
        self._plan = plan
        self._desk = simpy.PriorityStore(env)
        self._on_desk: dict[str, _Waiting] = {}
        self._came = 0
        self._opened: dict[str, int] = {}
        for _ in range(plan.staff):
            env.process(self._member())

    def take(self, ticket: Ticket) -> None:
        """Take in a ticket; of an incident that waits already, it only makes that ticket longer."""
        waiting = self._on_desk.get(ticket.incident)
        if waiting is not None:
            waiting.items.extend(ticket.items)
            return
        self._came += 1
        waiting = _Waiting((not ticket.hard, ticket.urgency, self._came), ticket, list(ticket.items))
        self._on_desk[ticket.incident] = waiting
        self._desk.put(waiting)

    def _member(self) -> Story:
        """Live a member's days: the most pressing ticket first; what comes while nobody is in waits."""
        while True:
            waiting = yield self._desk.get()
            closed = self._mail.open_hours(self._plan.calendar, _AT_ONCE) - _AT_ONCE
            if closed > _AT_ONCE:
                yield self._desk.put(waiting)
                yield self._env.timeout(closed)
                continue
            swamped = len(self._desk.items) >= self._plan.swamped_at
            del self._on_desk[waiting.ticket.incident]
            yield from self._work(waiting, swamped)

    def _work(self, waiting: _Waiting, swamped: bool) -> Story:
        """Take up an incident, then check its items one by one, and act on those that seem lost."""
        ticket, plan = waiting.ticket, self._plan
        n = self._opened[ticket.incident] = self._opened.get(ticket.incident, -1) + 1
        hours = self._mail.draw(f"response/{ticket.incident}", n, plan.incident)[1]
        yield self._env.timeout(self._mail.open_hours(plan.calendar, hours))
        spent, looked_at = hours, 0
        for item in waiting.items:
            if looked_at == ROW_MOST:
                self._mail.note(Event.alert_handled, ticket.unit, level=looked_at, hours=spent)
                spent, looked_at = 0.0, 0
            hours = self._mail.draw(f"response/item/{item.key:x}", 0, plan.item)[1]
            hours *= plan.skim if swamped else 1.0
            yield self._env.timeout(self._mail.open_hours(plan.calendar, hours))
            spent, looked_at = spent + hours, looked_at + 1
            if item.case and not (swamped and self._luck(item, "missed") < plan.missed):
                self._act(item)
        self._mail.note(Event.alert_handled, ticket.unit, level=looked_at, hours=spent)

    def _act(self, item: Item) -> None:
        """Bring back a message that is lost. The check shows one that is not, and then nothing is done.

        Only what is sent again without a check can come twice.
        """
        again = item.guess in _SENT_AGAIN and self._luck(item, "unchecked") < self._plan.unchecked
        kind = CommandKind.resend if again else CommandKind.forward
        self._mail.command(kind, b=int(FoundBy.monitor), case=item.case, delivery=item.delivery)

    def _luck(self, item: Item, what: str) -> float:
        return self._mail.draw(f"response/item/{item.key:x}/{what}", 0)[0]


def watch(env: simpy.Environment, mail: Mailbox, plan: ResponsePlan, sweep: Sweep) -> Story:
    """Let the monitor sweep at its interval, and hand what it finds to the team; without one, take note."""
    team = Team(env, mail, plan) if plan.staff > 0 else None
    n = 0
    while True:
        n += 1
        at = n * plan.every_hours
        yield env.timeout(at - env.now)
        for ticket in sweep(at):
            if not ticket.hard and not plan.soft_too:
                continue
            for first in range(0, ticket.alerts, ROW_MOST):
                mail.note(Event.alert_raised, ticket.unit, level=min(ticket.alerts - first, ROW_MOST))
            if team is not None:
                team.take(ticket)
