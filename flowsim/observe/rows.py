"""The compiled loop that turns journal rows into observations, as addressed and without the truth.

It reads what happened and never the columns of the truth. All compiled functions stand in this one file:
Numba's cache looks at the file of the outer function only.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from flowsim.journal.compiling import compiled
from flowsim.observe.layout import FORGET_ENDED_HOURS, FORGET_HOURS, Array, Memory, World
from flowsim.vocabulary import Event, FoundBy, Seen, Source

# Numba freezes plain integers into the compiled code, but cannot look into an enum.
_E_CREATED, _E_AUTHORED, _E_SENT = int(Event.created), int(Event.authored), int(Event.sent)
_E_TRANSPORT, _E_APPLICATION = int(Event.transport_receipt), int(Event.application_receipt)
_E_RECEIVED, _E_LISTED, _E_OPENED = int(Event.received), int(Event.listed), int(Event.opened)
_E_TAKEN, _E_DONE, _E_FORWARDED = int(Event.taken), int(Event.done), int(Event.forwarded)
_E_FOUND, _E_RESENT, _E_CANCELLED = int(Event.found), int(Event.resent), int(Event.cancelled)
_E_WITHDRAWN, _E_VANISHED, _E_ABANDONED = int(Event.withdrawn), int(Event.vanished), int(Event.abandoned)
_E_REJECTED, _E_PLACED, _E_LEFT = int(Event.rejected), int(Event.placed), int(Event.left)
_E_MILESTONE = int(Event.milestone)
_BY_NOTICE = int(FoundBy.misdelivery_notice)

_ORDER_ENDED, _RECEIVED, _ACCEPTED = int(Seen.order_ended), int(Seen.received), int(Seen.accepted)
_OPENED, _CLOSED, _WRONG = int(Seen.opened), int(Seen.closed), int(Seen.wrong_delivery)
_CARE, _ORDERS, _RECEIVED_LOG = int(Seen.care_started), int(Source.orders), int(Source.received_log)
_HANDLING, _NOTICES, _CARE_STARTS = int(Source.handling), int(Source.notices), int(Source.care_starts)

#: What the sender's own systems say of an event, and in which log.
_AT_SENDER: Final = {
    Event.authored: (Seen.ordered, Source.orders),
    Event.sent: (Seen.sent, Source.sent_log),
    Event.transport_receipt: (Seen.transport_receipt, Source.transport_receipts),
    Event.abandoned: (Seen.transport_failed, Source.transport_receipts),
    Event.application_receipt: (Seen.application_receipt, Source.application_receipts),
    Event.rejected: (Seen.application_rejected, Source.application_receipts),
    Event.resent: (Seen.followed_up, Source.handling),
}
_SEEN_OF = np.zeros(256, np.int64)
_SOURCE_OF = np.zeros(256, np.int64)
for _event, (_seen, _source) in _AT_SENDER.items():
    _SEEN_OF[_event], _SOURCE_OF[_event] = _seen, _source
_ON_LISTS: Final = (Event.listed, Event.taken, Event.done, Event.vanished)
_OTHER: Final = (Event.received, Event.forwarded, Event.opened, Event.withdrawn)
#: Whether an event tells something of a message, and of a task on a list.
_OF_MESSAGE = np.zeros(256, np.bool_)
_OF_MESSAGE[[*_AT_SENDER, *_ON_LISTS, *_OTHER, Event.found, Event.cancelled]] = True
_OF_TASK = np.zeros(256, np.bool_)
_OF_TASK[[*_ON_LISTS, Event.found, Event.cancelled]] = True
_OF_LISTS = np.zeros(256, np.bool_)
_OF_LISTS[[*_ON_LISTS, Event.opened]] = True
_ENDS = np.zeros(256, np.bool_)
_ENDS[[Event.opened, Event.taken, Event.done, Event.cancelled, Event.withdrawn]] = True

_FORGET, _FORGET_ENDED = float(FORGET_HOURS), float(FORGET_ENDED_HOURS)

#: No journal row gives more observations than this.
MOST: Final = 4


@compiled
def place_of(keys: Array, key: int) -> int:
    """Return the slot of a key, or the empty one where it belongs."""
    mask = len(keys) - 1
    i = (key ^ (key >> 32)) & mask
    while keys[i] != 0 and keys[i] != key:
        i = (i + 1) & mask
    return int(i)


@compiled
def rebuild(old: Memory, new: Memory, now: float) -> None:
    """Copy what is not forgotten yet into a new table."""
    new.used[0] = 0
    for i in range(len(old.keys)):
        if old.keys[i] != 0 and old.records[i]["expires"] > now:
            j = place_of(new.keys, old.keys[i])
            new.keys[j] = old.keys[i]
            new.records[j] = old.records[i]
            new.used[0] += 1


@compiled
def count_known(memory: Memory, now: float) -> int:
    """Return how many messages are not forgotten yet."""
    known = 0
    for i in range(len(memory.keys)):
        if memory.keys[i] != 0 and memory.records[i]["expires"] > now:
            known += 1
    return known


@compiled
def _start(record: Any, row: Any, world: World) -> None:
    """Begin to remember a message or task, of which nothing is known but this row."""
    event, step = row["event"], row["step"]
    record["case"] = row["case"]
    record["on_a"] = 0
    record["on_b"] = 0
    record["list_a"] = -1
    record["list_b"] = -1
    record["apart"] = 0
    record["template"] = step
    record["message"] = world.message[step] if step >= 0 else 0
    record["sender"] = -1
    record["receiver"] = -1
    if row["delivery"] == 0:
        record["receiver"] = row["service"]
    elif event in (_E_TRANSPORT, _E_APPLICATION, _E_ABANDONED, _E_REJECTED, _E_CANCELLED, _E_WITHDRAWN):
        record["sender"] = row["service"]
    else:
        record["sender"] = row["peer"]


@compiled
def _emit(out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, seen: int, at: Any) -> int:
    """Write an observation, if its source has the rows of that unit; ``at`` is source and unit."""
    source, unit = at
    if not allowed[source, unit]:
        return n
    o = out[n]
    o["time"] = row["time"]
    o["received"] = row["time"]
    o["key"] = key
    o["subject"] = row["case"]
    o["unit"] = unit
    o["sender"] = record["sender"]
    o["receiver"] = record["receiver"]
    o["template"] = record["template"]
    o["count"] = 0
    o["seen"] = seen
    o["source"] = source
    o["message"] = record["message"]
    o["channel"] = record["channel"]
    o["attempt"] = record["attempt"]
    o["urgency"] = record["urgency"]
    return n + 1


@compiled
def _list_up(row: Any, record: Any, memory: Memory) -> bool:
    """Put an item on a list; False where it lies there already and the journal only says so again."""
    s, length = row["service"], row["list_length"]
    there = (record["list_a"] == s and record["on_a"] > 0) or (record["list_b"] == s and record["on_b"] > 0)
    if there and length > 0 and length == memory.lengths[s]:
        return False
    memory.listed[s] = True
    if length > 0:
        memory.lengths[s] = length
    record["apart"] = 1 if length == 0 else 0
    if record["on_a"] == 0 or record["list_a"] == s:
        if record["on_a"] == 0:
            record["since_a"] = row["time"]
        record["list_a"] = s
        record["on_a"] += 1
    else:
        if record["on_b"] == 0:
            record["since_b"] = row["time"]
        record["list_b"] = s
        record["on_b"] += 1
    record["expires"] = math.inf
    return True


@compiled
def _take_off(record: Any, s: int) -> bool:
    """Take one entry of an item off a list; whether there was one."""
    if record["list_a"] == s and record["on_a"] > 0:
        record["on_a"] -= 1
        return True
    if record["list_b"] == s and record["on_b"] > 0:
        record["on_b"] -= 1
        return True
    return False


@compiled
def _close_entries(
    out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, memory: Memory, whole: bool
) -> int:
    """Take an item off the lists on which it stands, all of it or one entry, and say so."""
    for _ in range(2):
        s = record["list_b"] if record["on_b"] > 0 else record["list_a"]
        entries = record["on_b"] if record["on_b"] > 0 else record["on_a"]
        if entries == 0:
            break
        for _k in range(entries if whole else 1):
            _take_off(record, s)
            if record["apart"] == 0:
                memory.lengths[s] -= 1
        n = _emit(out, n, allowed, row, key, record, _CLOSED, (_HANDLING, s))
        if not whole:
            break
    return n


@compiled
def _sender_row(out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, dead: Array) -> int:
    """Give what the sender's own systems show: ordered, sent, receipts, what was sent again."""
    event, s = row["event"], row["service"]
    if event in (_E_AUTHORED, _E_SENT, _E_RESENT):
        record["sender"] = s
        record["receiver"] = row["peer"]
        if row["peer"] >= 0 and dead[row["peer"]] and row["list_length"] > 0:
            record["receiver"] = len(dead) + row["list_length"] - 1
    return _emit(out, n, allowed, row, key, record, _SEEN_OF[event], (_SOURCE_OF[event], s))


@compiled
def _list_row(out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, memory: Memory) -> int:
    """Give what a work list shows: put there, taken, done; what vanishes leaves without a row."""
    event, s = row["event"], row["service"]
    if event == _E_LISTED:
        if _list_up(row, record, memory):
            n = _emit(out, n, allowed, row, key, record, _ACCEPTED, (_HANDLING, s))
        return n
    if event in (_E_TAKEN, _E_VANISHED):
        _take_off(record, s)
        memory.lengths[s] = row["list_length"]
        if event == _E_TAKEN:
            memory.taken[s] = row["time"]
            n = _emit(out, n, allowed, row, key, record, _OPENED, (_HANDLING, s))
        return n
    if event == _E_OPENED:
        return _emit(out, n, allowed, row, key, record, _OPENED, (_HANDLING, s))
    return _emit(out, n, allowed, row, key, record, _CLOSED, (_HANDLING, s))


@compiled
def _taken_back(out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, memory: Memory) -> int:
    """Give what is seen of an order taken back, or of one entry that leaves its list."""
    s = row["service"]
    if row["delivery"] != 0 and s == record["sender"]:
        n = _emit(out, n, allowed, row, key, record, _ORDER_ENDED, (_ORDERS, s))
        return _close_entries(out, n, allowed, row, key, record, memory, True)
    # What was seen already, a second copy, or a task: it is the list's own row.
    if _take_off(record, s):
        memory.lengths[s] = row["list_length"]
        n = _emit(out, n, allowed, row, key, record, _CLOSED, (_HANDLING, s))
    return n


@compiled
def _found(out: Array, n: int, allowed: Array, row: Any, key: int, record: Any, memory: Memory) -> int:
    """Give what is seen when somebody brings in what was lost: an item closed, perhaps a notice."""
    if row["attempt"] == _BY_NOTICE and row["delivery"] != 0:
        n = _emit(out, n, allowed, row, key, record, _WRONG, (_NOTICES, row["peer"]))
    if row["list_length"] == 0:  # else it stays where it is: its list has got an owner
        n = _close_entries(out, n, allowed, row, key, record, memory, False)
    return n


@compiled
def _count(row: Any, world: World, memory: Memory) -> None:
    """Count what a row is outside of messages: a consultation, an admission, a visit."""
    event, s = row["event"], row["service"]
    if s < 0:
        return
    kind = -1
    if event == _E_CREATED:
        kind = world.created[s]
    elif event == _E_PLACED:
        kind = world.placed[s]
    elif event == _E_LEFT:
        kind = world.left[s]
    elif event == _E_DONE and row["step"] >= 0 and world.work[row["step"]]:
        kind = world.done[s]
    if kind >= 0:
        memory.counts[kind, s] += 1
        memory.ever[kind, s] = True


@compiled
def _remembered(row: Any, key: int, world: World, memory: Memory) -> int:
    """Return the slot of a message or task, with what this row says of it."""
    i = place_of(memory.keys, key)
    record = memory.records[i]
    if memory.keys[i] == 0:
        memory.keys[i] = key
        memory.used[0] += 1
        _start(record, row, world)
    elif record["expires"] <= row["time"]:
        _start(record, row, world)
    record["urgency"] = row["urgency"]
    record["channel"] = row["channel"]
    if row["event"] != _E_FOUND:  # there it says who found it
        record["attempt"] = row["attempt"]
    return i


@compiled
def _about(out: Array, n: int, allowed: Array, row: Any, key: int, world: World, memory: Memory) -> int:
    """Give what is seen of a row about a message or a task on a list."""
    event = row["event"]
    record = memory.records[_remembered(row, key, world, memory)]
    if _OF_LISTS[event]:
        n = _list_row(out, n, allowed, row, key, record, memory)
    elif event == _E_RECEIVED:
        unit = row["service"]
        if world.dead[unit] and row["list_length"] > 0:
            unit = len(world.dead) + row["list_length"] - 1
        n = _emit(out, n, allowed, row, key, record, _RECEIVED, (_RECEIVED_LOG, unit))
    elif event == _E_FORWARDED:
        n = _emit(out, n, allowed, row, key, record, _WRONG, (_NOTICES, row["service"]))
    elif event == _E_FOUND:
        n = _found(out, n, allowed, row, key, record, memory)
    elif event in (_E_CANCELLED, _E_WITHDRAWN):
        n = _taken_back(out, n, allowed, row, key, record, memory)
    else:
        n = _sender_row(out, n, allowed, row, key, record, world.dead)
    if record["on_a"] == 0 and record["on_b"] == 0:
        record["expires"] = row["time"] + (_FORGET_ENDED if _ENDS[event] else _FORGET)
    return n


@compiled
def _matters(event: int, step: int, delivery: int, world: World) -> bool:
    """Return whether a row is about a message, or a task on a work list."""
    if delivery != 0:
        return bool(_OF_MESSAGE[event])
    if step < 0 or world.place[step]:
        return False  # those who wait for a bed or slot are no items of work
    return bool(_OF_TASK[event])


@compiled
def read_rows(
    block: Array,
    keys: Array,
    first: int,
    before: float,
    world: World,
    memory: Memory,
    allowed: Array,
    out: Array,
) -> tuple[int, int]:
    """Read rows from ``first`` on that happen before an instant; how far it came, and how many it wrote."""
    n = 0
    i = first
    while i < len(block) and block[i]["time"] < before:
        row = block[i]
        event = row["event"]
        if event in (_E_CREATED, _E_PLACED, _E_LEFT, _E_DONE):
            _count(row, world, memory)
        if _matters(event, row["step"], row["delivery"], world):
            n = _about(out, n, allowed, row, keys[i], world, memory)
        elif event == _E_MILESTONE and row["step"] >= 0 and world.care[row["step"]]:
            # The record knows where care began; the journal does not say, so no unit is claimed.
            n = _care(out, n, allowed, row)
        i += 1
    return i, n


@compiled
def _care(out: Array, n: int, allowed: Array, row: Any) -> int:
    """Give the start of a patient's care, with the service where the case began as its sender."""
    if not allowed[_CARE_STARTS, -1]:
        return n
    o = out[n]
    o["time"] = row["time"]
    o["received"] = row["time"]
    o["key"] = 0
    o["subject"] = row["case"]
    o["unit"] = -1
    o["sender"] = row["service"]
    o["receiver"] = -1
    o["template"] = row["step"]
    o["count"] = 0
    o["seen"] = _CARE
    o["source"] = _CARE_STARTS
    o["message"] = 0
    o["channel"] = 0
    o["attempt"] = 0
    o["urgency"] = row["urgency"]
    return n + 1
