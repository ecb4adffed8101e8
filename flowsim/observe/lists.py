"""Snapshots of work lists: what lies there at an hour, and what the system does with it by itself."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowsim.observe import logs as names
from flowsim.observe.chance import chances
from flowsim.observe.imperfect import blank
from flowsim.observe.layout import Memory
from flowsim.observe.logs import Logs
from flowsim.vocabulary import Seen, Source

#: What the clock of the fold strikes for, beside heartbeats (their source's number).
DAY: Final = -2
SNAPSHOT: Final = -1


def snapshot(memory: Memory, logs: Logs, allowed: Any, at: float) -> NDArray[Any]:
    """Return the rows of all lists at an instant, and what became of their items since the last snapshot.

    An item that closes itself (``auto_closed``) leaves the snapshots when its time is up. One that is
    opened and left (``opened_only``) is opened before its first snapshot, on a list where somebody works.
    """
    items, since = _items(memory, at)
    key, unit = items["key"], items["unit"]
    age = at - since
    own = chances(logs.seed, names.FOR_AUTO, key, unit) < logs.auto_closed
    handled = allowed[Source.handling, unit]
    closed = own & (age >= logs.auto_closed_after)
    closing = items[closed & (age - logs.snapshot_every < logs.auto_closed_after) & handled]
    closing["seen"], closing["source"], closing["count"] = Seen.closed, Source.handling, 0
    left = chances(logs.seed, names.FOR_OPENED, key, unit) < logs.opened_only
    worked = memory.taken[unit] > since
    opened = items[left & ~closed & worked & (age < logs.snapshot_every) & handled]
    opened["seen"], opened["source"], opened["count"] = Seen.opened, Source.handling, 0
    if Source.list_snapshots not in logs.sources:
        return np.concatenate([closing, opened])
    shown = items[~closed & allowed[Source.list_snapshots, unit]]
    return np.concatenate([closing, opened, shown, _whole(memory, shown, allowed, at)])


def _items(memory: Memory, at: float) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return a row for each item on a list, by list and key, and since when it is there."""
    records = memory.records
    parts, since = [], []
    for entries, place, began in (("on_a", "list_a", "since_a"), ("on_b", "list_b", "since_b")):
        found = np.flatnonzero((memory.keys != 0) & (records[entries] > 0))
        chosen = records[found]
        part = blank(len(found))
        for name in ("sender", "receiver", "template", "message", "channel", "attempt", "urgency"):
            part[name] = chosen[name]
        part["key"], part["subject"] = memory.keys[found], chosen["case"]
        part["unit"], part["count"] = chosen[place], chosen[entries]
        parts.append(part)
        since.append(chosen[began])
    items, began_at = np.concatenate(parts), np.concatenate(since)
    items["time"] = at
    items["seen"], items["source"] = Seen.on_list, Source.list_snapshots
    order = np.lexsort((items["key"], items["unit"]))
    return items[order], began_at[order]


def _whole(memory: Memory, shown: NDArray[Any], allowed: Any, at: float) -> NDArray[Any]:
    """Return for each list that ever had an item how many its snapshot has."""
    units = np.flatnonzero(memory.listed & allowed[Source.list_snapshots, : len(memory.listed)])
    counts = np.bincount(shown["unit"], minlength=len(memory.listed))
    whole = blank(len(units))
    whole["time"] = at
    whole["unit"], whole["count"] = units, counts[units]
    whole["seen"], whole["source"] = Seen.snapshot_taken, Source.list_snapshots
    return whole
