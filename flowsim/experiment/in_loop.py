"""The monitor in the loop: it reads what a run has written up to now, and hands tickets to those who act.

journal so far ─► observations ─► engine ─► alerts ─► tickets, with the messages that they name
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowsim.config.experiment_file import Design
from flowsim.experiment.logs import logs_of, only, source_settings
from flowsim.experiment.rules import resolve_rules
from flowsim.experiment.watching import joined_practices
from flowsim.journal import Block, RunHeader
from flowsim.monitor.engine import Engine
from flowsim.monitor.records import alert_facts
from flowsim.monitor.routing import Routing
from flowsim.observe.fold import ObservationFold
from flowsim.plan import Plan
from flowsim.simulation import Clock, Mail, RunInfo, simulate
from flowsim.vocabulary import (
    Event,
    Fault,
    Level,
    RuleKind,
    Seen,
    Source,
    Urgency,
    Verdict,
    case_keys,
    row_keys,
)
from flowsim.world.response import Item, Ticket, watch

#: Rows that a block of the journal has at least when it is handed on.
_BLOCK: Final = 1 << 14
#: Rows kept apart before they are put in order with the others.
_LOOSE: Final = 1 << 15
_KNOWN: Final = np.dtype([("key", np.int64), ("case", np.int64), ("delivery", np.int64), ("step", np.int32)])
_UNREAD: Final = np.dtype([("key", np.int64), ("unit", np.int32), ("reads", np.bool_)])
_COMES: Final = (Seen.received, Seen.accepted)
_READS: Final = (Seen.opened, Seen.closed, Seen.followed_up)


def simulate_watched(design: Design, plan: Plan, replication: int, take: Callable[[Block], None]) -> RunInfo:
    """Run one replication of a design in which a monitor watches and people act on it; as ``simulate``.

    ``take`` gets blocks of the usual size, although the monitor reads a little at a time.
    """
    response = plan.world.response
    assert response is not None
    monitor = Monitor(design, RunHeader.from_dict(plan.header))
    gathered: list[Block] = []

    def hand_on(least: int) -> None:
        if gathered and sum(len(block) for block in gathered) >= least:
            take(np.concatenate(gathered))
            gathered.clear()

    def read(block: Block) -> None:
        monitor.take(block)
        gathered.append(block.copy())
        hand_on(_BLOCK)

    def live(clock: Clock, mail: Mail) -> Any:
        def sweep(now: float) -> list[Ticket]:
            mail.flush()  # what has happened up to now is in the journal
            return monitor.sweep(now)

        return watch(clock, mail, response, sweep)

    info = simulate(plan, replication, read, [live])
    hand_on(0)
    return info


class Monitor:
    """The monitor of one run; ``take`` gets the journal, ``sweep`` gives the tickets up to an instant."""

    def __init__(self, design: Design, header: RunHeader) -> None:
        """Set up logs, rules and engine as the design says; it must be watched."""
        assert design.monitor is not None
        assert design.logs is not None
        logs = only(logs_of(design.logs, joined_practices(design)), design.watch.read())
        self._fold = ObservationFold(logs)
        self._fold.start(header)
        self.directory = self._fold.directory
        told = source_settings(logs, self.directory)
        self._rules = resolve_rules(design.monitor, self.directory, told).rules
        every = design.watch.every.hours
        self.engine = Engine(
            self._rules, self.directory, told, header.start_date, header.holiday_dates, every
        )
        self._routing = Routing(header.start_date)
        self._known = Known()
        handling = told.get(Source.handling)
        self._unread = Unread(handling.units if handling is not None else None)
        self._sample = design.response.sample if design.response is not None else 0
        self._services = len(header.services)

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        self._fold.take(block)
        self._known.take(block)

    def sweep(self, now: float) -> list[Ticket]:
        """Return a ticket for each incident of which alerts have come up by now, the oldest first.

        The journal must have been read up to now. What came after all before anybody could act makes no
        ticket, nor does what is inconclusive.
        """
        rows = self._fold.drain(now)
        self._unread.take(rows)
        self.engine.take(rows)
        found: dict[str, list[Any]] = {}
        for row in self.engine.advance(now):
            if row["verdict"] != Verdict.inconclusive and np.isinf(row["recovered"]):
                group = alert_facts(row, self._rules, self.directory, self._routing).group
                found.setdefault(group, []).append(row)
        return [self._ticket(group, alerts) for group, alerts in found.items()]

    def _ticket(self, group: str, alerts: list[Any]) -> Ticket:
        first = alerts[0]
        items = {item.key: item for alert in alerts for item in self._items(alert)}
        about_messages = [int(a["urgency"]) for a in alerts if a["key"] or a["subject"]]
        return Ticket(
            incident=group,
            hard=any(alert["level"] == Level.hard for alert in alerts),
            urgency=min(about_messages, default=int(Urgency.routine)),
            unit=self._service(int(first["receiver"] if first["receiver"] >= 0 else first["unit"])),
            alerts=len(alerts),
            items=tuple(items.values()),
        )

    def _service(self, unit: int) -> int:
        """Return the service that a unit is, or was before it had another address; -1 for none."""
        if unit >= self._services:
            return self.directory.units[unit].old_address_of
        return unit

    def _items(self, alert: Any) -> Iterator[Item]:
        """Give the messages that an alert names: by id, by patient, as missing, or as unread."""
        rule = self._rules[int(alert["rule"])]
        guess = rule.guess[0] if rule.guess else Fault.none
        if alert["key"]:
            yield from self._known.items([int(alert["key"])], guess)
        elif alert["subject"]:
            yield from self._known.of_subject(int(alert["subject"]), int(alert["template"]), guess)
        elif rule.kind == RuleKind.balance:
            yield from self._known.items(self.engine.missing(alert), guess)
        elif rule.kind == RuleKind.idle and alert["unit"] >= 0:
            yield from self._known.items(self._unread.at(int(alert["unit"]), self._sample), guess)


class Known:
    """Which message of which case a number stands for, as long as the case goes on."""

    def __init__(self) -> None:
        self._rows = np.zeros(0, _KNOWN)  # in order of key
        self._loose: list[NDArray[Any]] = []
        self._closed: list[NDArray[Any]] = []
        self._count = 0

    def take(self, block: Block) -> None:
        """Read the messages written and the tasks put on lists, and the cases that are over."""
        task = (block["event"] == Event.listed) & (block["delivery"] == 0) & (block["step"] >= 0)
        rows = block[(block["event"] == Event.authored) | task]
        if len(rows):
            fresh = np.zeros(len(rows), _KNOWN)
            fresh["key"] = row_keys(rows)
            for name in ("case", "delivery", "step"):
                fresh[name] = rows[name]
            self._loose.append(fresh)
            self._count += len(fresh)
        closed = block["case"][(block["event"] == Event.closed) & (block["delivery"] == 0)]
        if len(closed):
            self._closed.append(closed.copy())
        if self._count > _LOOSE:
            self._tidy()

    def items(self, keys: Iterable[int], guess: Fault) -> Iterator[Item]:
        """Give an item for each number; of a case that is over only the number is left."""
        wanted = np.fromiter(keys, np.int64)
        if not len(wanted):
            return
        self._tidy()
        places = np.minimum(np.searchsorted(self._rows["key"], wanted), max(len(self._rows) - 1, 0))
        for key, place in zip(wanted.tolist(), places.tolist(), strict=True):
            if len(self._rows) and self._rows["key"][place] == key:
                row = self._rows[place]
                yield Item(key, int(row["case"]), int(row["delivery"]), guess)
            else:
                yield Item(key, 0, 0, guess)

    def of_subject(self, subject: int, step: int, guess: Fault) -> Iterator[Item]:
        """Give the messages of the patient's case that a step has sent; one without a case if it is over."""
        self._tidy()
        rows = self._rows[
            (case_keys(self._rows["case"]) == subject) & ((self._rows["step"] == step) | (step < 0))
        ]
        rows = rows[rows["delivery"] != 0]
        for row in rows:
            yield Item(int(row["key"]), int(row["case"]), int(row["delivery"]), guess)
        if not len(rows):
            yield Item(subject, 0, 0, guess)

    def _tidy(self) -> None:
        """Put all in order of their numbers, each once, without the cases that are over."""
        if not self._loose and not self._closed:
            return
        rows = np.concatenate([self._rows, *self._loose])
        if self._closed:
            rows = rows[~np.isin(rows["case"], np.concatenate(self._closed))]
        _, first = np.unique(rows["key"], return_index=True)
        self._rows = rows[first]
        self._loose, self._closed, self._count = [], [], 0


class Unread:
    """What came in at each unit and was not read there, as the logs tell it.

    ``readers`` are the units whose reading is in the logs (empty: all), without which nothing is known to be
    unread; None where no log has it.
    """

    def __init__(self, readers: frozenset[int] | None) -> None:
        self._readers = None if readers is None else np.array(sorted(readers), np.int32)
        self._rows = np.zeros(0, _UNREAD)
        self._loose: list[NDArray[Any]] = []
        self._count = 0

    def take(self, rows: NDArray[Any]) -> None:
        """Read observations in the order in which the monitor gets them."""
        if self._readers is None:
            return
        reads = np.isin(rows["seen"], _READS)
        wanted = (reads | np.isin(rows["seen"], _COMES)) & (rows["key"] != 0)
        if len(self._readers):
            wanted &= reads | np.isin(rows["unit"], self._readers)
        if wanted.any():
            fresh = np.zeros(int(wanted.sum()), _UNREAD)
            fresh["key"], fresh["unit"] = rows["key"][wanted], rows["unit"][wanted]
            fresh["reads"] = reads[wanted]
            self._loose.append(fresh)
            self._count += len(fresh)
        if self._count > _LOOSE:
            self._tidy()

    def at(self, unit: int, most: int) -> list[int]:
        """Return the numbers of the unread at a unit, the oldest first, at most so many."""
        self._tidy()
        found: list[int] = self._rows["key"][self._rows["unit"] == unit][:most].tolist()
        return found

    def _tidy(self) -> None:
        """Leave what is unread, each once, in the order in which it came."""
        if not self._loose:
            return
        rows = np.concatenate([self._rows, *self._loose])
        coming = rows[~rows["reads"] & ~np.isin(rows["key"], rows["key"][rows["reads"]])]
        _, first = np.unique(coming["key"], return_index=True)
        self._rows = coming[np.sort(first)]
        self._loose, self._count = [], 0
