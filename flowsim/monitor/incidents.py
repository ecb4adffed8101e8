"""Alerts → incidents: one defect is one ticket with a growing count, an owner and a state.

Alerts about messages are one incident where kind of rule, classes of fault, sender, channel, template, kind
of message and receiver are the same; alerts about a stream where rule and stream are. What an incident says
does not depend on how its alerts were split over calls, and counts never fall.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flowsim.errors import UsageError, did_you_mean
from flowsim.monitor.records import AlertFacts, Incident, Record, alert_facts, rank, view
from flowsim.monitor.routing import Routing
from flowsim.monitor.rules import Rule
from flowsim.monitor.store import Store
from flowsim.observe.directory import Directory
from flowsim.vocabulary import IncidentState, Level, Verdict

#: The exit code where hard incidents are open, so that a ticket tool can act on it.
HARD_INCIDENTS = 10

_STILL_OPEN = (IncidentState.new, IncidentState.acknowledged)


class Incidents:
    """All incidents so far; alerts go in, what has changed comes out.

    With a ``store`` their states survive a restart: what it holds is read at once, and every change is
    written.
    """

    def __init__(
        self,
        directory: Directory,
        rules: Sequence[Rule],
        routing: Routing,
        store: Store | None = None,
    ) -> None:
        """Take the names behind the numbers, the engine's rules in its order, and who owns what."""
        self.directory = directory
        self.rules = tuple(rules)
        self.routing = routing
        self.now = -math.inf
        #: Verdicts that could not be given because a source was silent, by rule.
        self.inconclusive: Counter[str] = Counter()
        self._unclear: set[str] = set()
        self._store = store
        self._groups: dict[str, list[Record]] = {}
        self._by_id: dict[str, Record] = {}
        self._held: dict[str, set[str]] = {window.id: set() for window in routing.downtime}
        if store is not None:
            saved = store.load(routing.start)
            self.now = saved.now
            for record in saved.records:
                self._keep(record)
            for window, alerts in saved.held.items():
                self._held.setdefault(window, set()).update(alerts)

    @property
    def held(self) -> dict[str, int]:
        """Return how many alerts each planned downtime has held back."""
        return {window: len(alerts) for window, alerts in self._held.items()}

    def take(self, alerts: np.ndarray[Any, Any], now: float | None = None) -> list[Incident]:
        """Take alerts (rows of ALERT_SCHEMA), new ones and ones that have recovered since.

        Returns the incidents that changed and that somebody should hear of: new, opened again or growing,
        and acknowledged ones that became hard; acknowledged and explained ones else stay quiet but count on.
        ``now`` is the hour up to which is known; without it that of the latest alert. The same alert twice
        counts once.
        """
        changed: dict[str, Record] = {}
        loud: set[str] = set()
        facts = [alert_facts(row, self.rules, self.directory, self.routing) for row in alerts]
        for fact in sorted(facts, key=lambda each: each.order):
            self.now = max(self.now, fact.raised)
            if fact.verdict == Verdict.inconclusive:
                if fact.id not in self._unclear:
                    self._unclear.add(fact.id)
                    self.inconclusive[fact.rule] += 1
                continue
            if self._hold(fact):
                continue
            record = self._record_of(fact)
            before = record.level
            if not record.add(fact):
                continue
            changed[record.id] = record
            rose = record.state == IncidentState.acknowledged and record.level > before
            if record.state == IncidentState.new or rose:
                loud.add(record.id)
        if now is not None:
            self.now = max(self.now, now)
        for identifier in loud:
            record = changed[identifier]
            record.told_owner = self._view(record).owner
        self._save(changed.values())
        return self._views(record for record in changed.values() if record.id in loud)

    def tick(self, now: float) -> list[Incident]:
        """Let time pass; returns new incidents that went on to another owner since they were last told."""
        self.now = max(self.now, now)
        moved = []
        for record in self._by_id.values():
            if record.state == IncidentState.new:
                owner = self._view(record).owner
                if record.told_owner != owner:
                    record.told_owner = owner
                    moved.append(record)
        self._save(moved)
        return self._views(moved)

    def set_state(
        self, identifier: str, state: IncidentState, at: float, by: str = "", note: str = ""
    ) -> Incident:
        """Note that somebody acknowledged, explained, closed or opened again an incident, at an hour.

        Raises ``UsageError`` with the nearest id for one that does not exist.
        """
        if identifier not in self._by_id:
            hint = did_you_mean(identifier, sorted(self._by_id))
            raise UsageError(f"There is no incident '{identifier}'.", hint)
        record = self._by_id[identifier]
        self.now = max(self.now, at)
        if record.state == IncidentState.new:
            # Whoever has it now keeps it: nobody else is asked once somebody looks at it.
            record.owner = self.routing.owner(self._view(record), record.asked_since, at)[0]
        record.state, record.changed = state, at
        if state == IncidentState.new:
            record.asked_since = at
        self._save([record])
        if self._store is not None:
            self._store.note(identifier, at, state, by, note)
        return self._view(record)

    def open(self, level: Level | None = None) -> list[Incident]:
        """Return the incidents that are new or acknowledged, the most severe first; of one level if told."""
        found = (record for record in self._by_id.values() if record.state in _STILL_OPEN)
        return self._views(record for record in found if level is None or record.level == level)

    def all(self) -> list[Incident]:
        """Return all incidents, the most severe first."""
        return self._views(self._by_id.values())

    def keys(self, identifier: str) -> tuple[int, ...]:
        """Return the numbers of the messages in an incident; none for one about a stream."""
        record = self._by_id[identifier]
        return tuple(sorted(item.key for item in record.items.values() if item.key))

    def _hold(self, fact: AlertFacts) -> bool:
        """Hold an alert back where a planned downtime explains it; True if so."""
        units = frozenset(name for name in (fact.unit, fact.sender, fact.receiver) if name)
        for window in self.routing.downtime:
            if window.holds(fact.since, fact.deadline, fact.rule, fact.channel, units):
                self._held[window.id].add(fact.id)
                return True
        return False

    def _record_of(self, fact: AlertFacts) -> Record:
        """Return the record that an alert belongs to, opened again or new where its incident was closed."""
        records = self._groups.get(fact.group, [])
        for record in records:
            if fact.id in record.alerts:
                return record
        for record in reversed(records):
            if record.state != IncidentState.closed or fact.raised <= record.changed:
                return record
            if fact.raised <= record.changed + self.routing.reopen_within:
                record.reopen(fact.raised)
                return record
            break
        return self._keep(Record.begin(fact, len(records) + 1))

    def _keep(self, record: Record) -> Record:
        self._groups.setdefault(record.group, []).append(record)
        self._by_id[record.id] = record
        return record

    def _view(self, record: Record) -> Incident:
        incident = view(record)
        if record.state != IncidentState.new:
            return replace(incident, owner=record.owner)
        owner, due = self.routing.owner(incident, record.asked_since, self.now)
        return replace(incident, owner=owner, due=due)

    def _views(self, records: Iterable[Record]) -> list[Incident]:
        return sorted((self._view(record) for record in records), key=rank)

    def _save(self, records: Iterable[Record]) -> None:
        if self._store is not None:
            self._store.save(records, self.now, self._held)


def exit_code(incidents: Iterable[Incident]) -> int:
    """Return 10 where a hard incident is open and not all of it came after all, else 0."""
    return (
        HARD_INCIDENTS
        if any(
            each.level == Level.hard and each.state in _STILL_OPEN and each.outstanding > 0
            for each in incidents
        )
        else 0
    )
