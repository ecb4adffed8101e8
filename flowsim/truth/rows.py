"""The compiled loop that follows each delivery's truth and writes down every fault it ever has.

All compiled functions stand in this one file: Numba's cache looks at the file of the outer function only.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from flowsim.journal.compiling import compiled
from flowsim.truth.layout import ORIGINS, TARGETS, Array, Found, Limits, Table
from flowsim.vocabulary import Event, Fault, FoundBy, State

_E_CREATED, _E_AUTHORED, _E_SENT = int(Event.created), int(Event.authored), int(Event.sent)
_E_RECEIVED, _E_DONE, _E_CLOSED = int(Event.received), int(Event.done), int(Event.closed)
_E_FOUND, _E_RESENT, _E_VANISHED = int(Event.found), int(Event.resent), int(Event.vanished)
_E_LISTED, _E_OPENED = int(Event.listed), int(Event.opened)
_S_NONE, _S_TOLD = int(State.none), int(State.told)
_S_SEEN, _S_ENDED = int(State.seen), int(State.ended)
_F_VANISHED, _F_LATE, _F_REJECTED = int(Fault.vanished), int(Fault.late), int(Fault.rejected)
_F_NO_RECEIPT = int(Fault.no_receipt)
_BY_COMMAND, _BY_MONITOR = int(FoundBy.command), int(FoundBy.monitor)
_CREATED, _AUTHORED, _RECEIVED_FIRST = (ORIGINS.index(w) for w in ("created", "authored", "received"))
_TO_SENT, _TO_RECEIVED, _TO_SEEN, _TO_DONE = (TARGETS.index(w) for w in ("sent", "received", "seen", "done"))

#: Events after which an item is no longer lost: somebody has it, or nobody wants it.
_ENDS = np.zeros(256, np.bool_)
_ENDS[[Event.taken, Event.opened, Event.cancelled, Event.withdrawn]] = True
#: Events of a task without a message that matter here.
_OF_TASK = np.zeros(256, np.bool_)
_OF_TASK[[Event.vanished, Event.found, Event.taken, Event.cancelled]] = True

#: What is over is remembered for so many hours, as rows about it may still come.
_AFTER: Final = 60 * 24.0


@compiled
def _place(keys: Array, key: int) -> int:
    """Return the slot of a key, or the empty one where it belongs."""
    mask = len(keys) - 1
    i = (key ^ (key >> 32)) & mask
    while keys[i] != 0 and keys[i] != key:
        i = (i + 1) & mask
    return int(i)


@compiled
def count_known(table: Table, now: float) -> int:
    """Return how many deliveries and cases are not forgotten yet."""
    known = 0
    for i in range(len(table.keys)):
        if table.keys[i] != 0 and table.records[i]["expires"] > now:
            known += 1
    return known


@compiled
def rebuild(old: Table, new: Table, now: float) -> None:
    """Copy what is not forgotten yet into a new table."""
    for i in range(len(old.keys)):
        if old.keys[i] != 0 and old.records[i]["expires"] > now:
            j = _place(new.keys, old.keys[i])
            new.keys[j] = old.keys[i]
            new.records[j] = old.records[i]
            new.used[0] += 1


@compiled
def due_at(limits: Limits, which: int, step: int, start: float) -> float:
    """Return when a deadline passes; as ``units.WorkingDays.add`` counts working days."""
    days = limits.working_days[which, step]
    at = start + limits.hours[which, step]
    if days <= 0.0:
        return float(at)
    day = math.floor(at / 24.0)
    clock = at - 24.0 * day if limits.working[day] else 0.0
    whole = math.floor(days)
    clock += (days - whole) * 24.0
    if clock >= 24.0:
        clock -= 24.0
        whole += 1
    place = min(limits.rank[day] + whole, len(limits.days) - 1)
    return float(limits.days[place] * 24.0 + clock)


@compiled
def _enter(table: Table, key: int, row: Any) -> int:
    """Begin to follow a delivery, a task or a case; its slot."""
    i = _place(table.keys, key)
    if table.keys[i] == 0:
        table.keys[i] = key
        table.used[0] += 1
    r = table.records[i]
    r["expires"] = math.inf
    r["authored"] = row["time"]
    r["deadline"] = math.inf
    r["case"] = row["case"]
    r["delivery"] = row["delivery"]
    r["item"] = -1
    r["sender"] = row["service"]
    r["intended"] = row["intended"]
    r["template"] = row["step"]
    r["target"] = 0
    r["channel"] = row["channel"]
    r["urgency"] = row["urgency"]
    return i


@compiled
def _known(table: Table, key: int, now: float) -> int:
    """Return the slot of what is followed, -1 where it is not."""
    i = _place(table.keys, key)
    if table.keys[i] == 0 or table.records[i]["expires"] <= now:
        return -1
    return i


@compiled
def _note(found: Found, table: Table, keys: Any, fault: int, began: float, row: Any, r: Any) -> None:
    """Write down a fault that the delivery has not had before; ``keys`` are its own and its case's."""
    items = found.items
    last = r["item"]
    while last >= 0:
        if items[last]["fault"] == fault:
            return
        last = items[last]["previous"]
    k = found.used[0]
    found.used[0] += 1
    it = items[k]
    it["key"] = keys[0]
    it["case"] = r["case"]
    it["delivery"] = r["delivery"]
    it["authored"] = r["authored"]
    it["began"] = began
    it["ended"] = math.inf
    it["people_noticed"] = math.inf
    it["told"] = math.inf
    it["previous"] = r["item"]
    it["sender"] = r["sender"]
    it["intended"] = r["intended"]
    it["template"] = r["template"]
    it["where"] = row["service"]
    it["old"] = row["list_length"] - 1 if row["event"] == _E_RECEIVED else -1
    it["defect"] = row["defect"]
    it["fault"] = fault
    it["channel"] = r["channel"]
    it["urgency"] = r["urgency"]
    it["apart"] = 1 if row["event"] == _E_LISTED and row["list_length"] == 0 else 0
    r["item"] = k
    it["before"] = -1
    c = _place(table.keys, keys[1])
    if table.keys[c] != 0:
        it["before"] = table.records[c]["item"]
        table.records[c]["item"] = k


@compiled
def _case_row(items: Array, t: float, row: Any, case_key: int, table: Table) -> None:
    """Follow a case: when it was created, and that all of it is over when it ends."""
    if row["event"] == _E_CREATED:
        _enter(table, case_key, row)
        return
    i = _known(table, case_key, t)
    if i < 0:
        return
    k = table.records[i]["item"]
    while k >= 0:
        items[k]["ended"] = min(items[k]["ended"], t)
        k = items[k]["before"]
    table.records[i]["expires"] = t


@compiled
def _mark(items: Array, k: int, t: float, row: Any) -> None:
    """Write into a delivery's faults what a row says of them: found, told, over."""
    event, state = row["event"], row["state"]
    noticed = event == _E_FOUND and row["attempt"] != _BY_COMMAND and row["attempt"] != _BY_MONITOR
    over = _ENDS[event] and (state in (_S_SEEN, _S_ENDED) or row["delivery"] == 0)
    while k >= 0:
        it = items[k]
        if it["ended"] == math.inf:
            if noticed:
                it["people_noticed"] = min(it["people_noticed"], t)
            if state == _S_TOLD and it["fault"] == row["fault"]:
                it["told"] = min(it["told"], t)
            if over and t >= it["began"]:
                it["ended"] = t
        k = it["previous"]


@compiled
def _met(row: Any, r: Any) -> bool:
    """Return whether a row is what the delivery's deadline waits for."""
    event, target = row["event"], r["target"]
    if target == _TO_SENT:
        return event in (_E_SENT, _E_RESENT)
    if target == _TO_RECEIVED:
        return _arrived(row, r)
    if target == _TO_SEEN:
        return bool(row["state"] == _S_SEEN)
    return bool(event == _E_DONE and row["state"] == _S_SEEN and row["service"] == r["intended"])


@compiled
def _arrived(row: Any, r: Any) -> bool:
    """Return whether a row brings a message to the right service, whose application takes it in."""
    refused = row["fault"] in (_F_REJECTED, _F_NO_RECEIPT) and row["state"] != _S_SEEN
    return bool(row["event"] == _E_RECEIVED and row["service"] == r["intended"] and not refused)


@compiled
def _set_deadline(t: float, row: Any, r: Any, limits: Limits, created: float) -> None:
    """Set the deadline of a delivery when what it counts from has happened."""
    which = 1 if row["delivery"] & 0xFF else 0
    step = r["template"]
    origin = limits.origin[which, step]
    if row["event"] == _E_AUTHORED:
        if origin in (_CREATED, _AUTHORED):
            r["deadline"] = due_at(limits, which, step, created if origin == _CREATED else t)
        if origin != 0:
            r["target"] = limits.target[which, step]
    elif origin == _RECEIVED_FIRST and r["deadline"] == math.inf and _arrived(row, r):
        r["deadline"] = due_at(limits, which, step, t)


@compiled
def _task_row(found: Found, t: float, row: Any, keys: Any, table: Table) -> None:
    """Follow a task without a message that vanishes from its list."""
    i = _known(table, keys[0], t)
    if row["event"] == _E_VANISHED:
        if i < 0:
            i = _enter(table, keys[0], row)
            table.records[i]["intended"] = row["service"]
            table.records[i]["sender"] = -1
        else:
            table.records[i]["item"] = -1  # the same step again: a fault of its own
        _note(found, table, keys, _F_VANISHED, t, row, table.records[i])
    elif i >= 0:
        _mark(found.items, table.records[i]["item"], t, row)
        if row["event"] != _E_FOUND:
            table.records[i]["expires"] = t


@compiled
def _delivery_row(found: Found, t: float, row: Any, keys: Any, limits: Limits, table: Table) -> None:
    """Follow a delivery: the faults that it has, whether it is in time, and when somebody has it."""
    event, state = row["event"], row["state"]
    if event == _E_AUTHORED:
        i = _enter(table, keys[0], row)
        c = _known(table, keys[1], t)
        created = table.records[c]["authored"] if c >= 0 else t
        _set_deadline(t, row, table.records[i], limits, created)
    else:
        i = _known(table, keys[0], t)
        if i < 0:
            return
    r = table.records[i]
    if row["fault"] != 0:
        _note(found, table, keys, row["fault"], t, row, r)
    if event == _E_RECEIVED:
        _set_deadline(t, row, r, limits, t)
    if r["target"] != 0 and (_met(row, r) or state == _S_ENDED):
        if t > r["deadline"]:
            _note(found, table, keys, _F_LATE, r["authored"], row, r)
        r["target"] = 0
    if r["item"] >= 0:
        _mark(found.items, r["item"], t, row)
    if state == _S_ENDED or (state == _S_SEEN and (event in (_E_DONE, _E_OPENED))):
        r["expires"] = t + _AFTER


@compiled
def read_rows(
    block: Array, keys: Array, case_keys: Array, limits: Limits, table: Table, found: Found
) -> None:
    """Read a block's rows; there is room for two faults a row."""
    for k in range(len(block)):
        row = block[k]
        event = row["event"]
        both = (keys[k], case_keys[k])
        if row["delivery"] != 0:
            # Rows of a second copy, or of the client trying again, have no truth: it is in the first's.
            if row["state"] != _S_NONE:
                _delivery_row(found, row["time"], row, both, limits, table)
        elif event in (_E_CREATED, _E_CLOSED):
            _case_row(found.items, row["time"], row, case_keys[k], table)
        elif _OF_TASK[event] and row["step"] >= 0:
            _task_row(found, row["time"], row, both, table)
