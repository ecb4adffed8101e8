"""The state of incidents in a SQLite file, so that what people said of them survives a restart."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from flowsim.errors import OutputConflict
from flowsim.monitor.records import Item, Record, finite
from flowsim.units import HOURS_PER_DAY
from flowsim.vocabulary import Channel, Fault, IncidentState, Level, MessageKind, Party, RuleKind

#: The version of the tables; a file of a later one is refused.
VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE version (version INTEGER NOT NULL, start TEXT NOT NULL, now REAL);
CREATE TABLE incident (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, level TEXT NOT NULL, severity INTEGER NOT NULL,
    count INTEGER NOT NULL, facts TEXT NOT NULL
);
CREATE TABLE item (
    incident TEXT NOT NULL, item TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (incident, item)
);
CREATE TABLE held (downtime TEXT NOT NULL, alert TEXT NOT NULL, PRIMARY KEY (downtime, alert));
CREATE TABLE history (incident TEXT NOT NULL, hour REAL NOT NULL, state TEXT NOT NULL, who TEXT, note TEXT);
"""


@dataclass(frozen=True)
class Saved:
    """What a file holds: incidents, alerts held by a planned downtime, and how far time had come."""

    records: tuple[Record, ...] = ()
    held: dict[str, set[str]] = field(default_factory=dict)
    now: float = -math.inf


class Store:
    """A SQLite file with incidents; made where there is none.

    Raises ``OutputConflict`` for a file that is no such database, or of a later version of flowsim, or that
    cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file, and check that it is one of ours."""
        self.path = Path(path)
        try:
            self._db = sqlite3.connect(self.path)
        except sqlite3.Error as error:
            raise self._conflict(f"cannot be read as the state of a monitor ({error})") from None
        try:
            self._check()
        except OutputConflict:
            self._db.close()
            raise

    def _check(self) -> None:
        """Raise ``OutputConflict`` unless the file is new or one of ours."""
        try:
            found = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in found}
        except sqlite3.Error as error:
            raise self._conflict(f"cannot be read as the state of a monitor ({error})") from None
        if not tables:
            self._new = True
            return
        self._new = False
        if not {"version", "incident", "item", "held", "history"} <= tables:
            raise self._conflict("is a database of something else")
        row = self._db.execute("SELECT version, start, now FROM version").fetchone()
        if row is None:
            raise self._conflict("is a database of something else")
        version, start, now = row
        if version > VERSION:
            raise self._conflict(f"was written by a later flowsim (version {version} of the state)")
        self._start, self._now = date.fromisoformat(start), now

    def load(self, start: date) -> Saved:
        """Return all that the file holds, with times counted from a start date; begins a new file."""
        if self._new:
            with self._writing():
                self._db.executescript(_TABLES)
                self._db.execute("INSERT INTO version VALUES (?, ?, NULL)", (VERSION, start.isoformat()))
            self._new, self._start = False, start
            return Saved()
        # Whole days, so that times of a log with the same start come back to the last bit.
        shift = (self._start - start).days * HOURS_PER_DAY
        items: dict[str, dict[str, Item]] = {}
        for incident, item, facts in self._db.execute(
            "SELECT incident, item, facts FROM item ORDER BY rowid"
        ):
            items.setdefault(incident, {})[item] = _item(json.loads(facts), shift)
        records = [
            _record(json.loads(facts), items.get(identifier, {}), shift)
            for identifier, facts in self._db.execute("SELECT id, facts FROM incident ORDER BY rowid")
        ]
        held: dict[str, set[str]] = {}
        for window, alert in self._db.execute("SELECT downtime, alert FROM held"):
            held.setdefault(window, set()).add(alert)
        now = -math.inf if self._now is None else self._now + shift
        if shift:  # from now on all times count from the new date
            self._start = start
            for record in records:
                record.unsaved.update(record.items)
            self.save(records, now, held)
            with self._writing():
                self._db.execute("UPDATE version SET start = ?", (start.isoformat(),))
                self._db.execute("UPDATE history SET hour = hour + ?", (shift,))
        return Saved(tuple(records), held, now)

    def save(self, records: Iterable[Record], now: float, held: Mapping[str, set[str]]) -> None:
        """Write incidents as they are, and alerts held back, in one transaction."""
        with self._writing():
            for record in records:
                state, level = record.state.value, record.level.name
                row = (record.id, state, level, record.severity, record.count, _text(record))
                self._db.execute(
                    "INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = "
                    "excluded.state, level = excluded.level, severity = excluded.severity, "
                    "count = excluded.count, facts = excluded.facts",
                    row,
                )
                self._db.executemany(
                    "INSERT INTO item VALUES (?, ?, ?) ON CONFLICT (incident, item) DO UPDATE SET facts = "
                    "excluded.facts",
                    [(record.id, name, _item_text(record.items[name])) for name in sorted(record.unsaved)],
                )
                record.unsaved.clear()
            self._db.executemany(
                "INSERT OR IGNORE INTO held VALUES (?, ?)",
                [(window, alert) for window in sorted(held) for alert in sorted(held[window])],
            )
            self._db.execute("UPDATE version SET now = ?", (finite(now),))

    def note(self, incident: str, hour: float, state: IncidentState, who: str, note: str) -> None:
        """Write who changed a state, when and why, into the history."""
        with self._writing():
            self._db.execute(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?)", (incident, hour, state.value, who, note)
            )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _writing(self) -> _Writing:
        return _Writing(self)

    def _conflict(self, what: str) -> OutputConflict:
        return OutputConflict(f"{self.path} {what}.", "Name another file for the state, or move this one.")


class _Writing:
    """A transaction whose troubles are told as an ``OutputConflict``."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> None:
        self.store._db.__enter__()  # noqa: SLF001 (its own file's class)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.store._db.__exit__(kind, error, trace)  # noqa: SLF001 (likewise)
        if isinstance(error, sqlite3.Error):
            raise self.store._conflict(f"cannot be written ({error})") from None  # noqa: SLF001


_WORDS: Final = {
    "message": MessageKind,
    "channel": Channel,
    "sender_party": Party,
    "receiver_party": Party,
}


def _text(record: Record) -> str:
    """Return an incident without its items as JSON, words for numbers."""
    facts = dict(record.facts)
    facts["kind"] = record.facts["kind"].value
    facts["guess"] = [fault.name for fault in record.facts["guess"]]
    for name in _WORDS:
        facts[name] = facts[name].name if facts[name] is not None else None
    plain = {
        "id": record.id,
        "group": record.group,
        "number": record.number,
        "first": list(record.first),
        "facts": facts,
        "first_since": record.first_since,
        "last": record.last,
        "level": record.level.name,
        "severity": record.severity,
        "asked_since": record.asked_since,
        "state": record.state.value,
        "changed": finite(record.changed),
        "reopened": record.reopened,
        "owner": record.owner,
        "told_owner": record.told_owner,
    }
    return json.dumps(plain, ensure_ascii=False)


def _record(plain: dict[str, Any], items: dict[str, Item], shift: float) -> Record:
    facts = dict(plain["facts"])
    facts["kind"] = RuleKind(facts["kind"])
    facts["guess"] = tuple(Fault[name] for name in facts["guess"])
    for name, words in _WORDS.items():
        facts[name] = words[facts[name]] if facts[name] is not None else None
    raised, since, rule = plain["first"]
    changed = plain["changed"]
    return Record(
        id=plain["id"],
        group=plain["group"],
        number=plain["number"],
        first=(raised + shift, since + shift, rule),
        facts=facts,
        first_since=plain["first_since"] + shift,
        last=plain["last"] + shift,
        level=Level[plain["level"]],
        severity=plain["severity"],
        asked_since=plain["asked_since"] + shift,
        state=IncidentState(plain["state"]),
        changed=-math.inf if changed is None else changed + shift,
        reopened=plain["reopened"],
        owner=plain["owner"],
        told_owner=plain["told_owner"],
        items=items,
        alerts={alert for item in items.values() for alert in item.alerts},
    )


def _item_text(item: Item) -> str:
    alerts = {alert: finite(at) for alert, at in item.alerts.items()}
    return json.dumps({"key": item.key, "count": item.count, "alerts": alerts})


def _item(plain: dict[str, Any], shift: float) -> Item:
    alerts = {alert: math.inf if at is None else at + shift for alert, at in plain["alerts"].items()}
    return Item(plain["key"], plain["count"], alerts)
