"""The compiled walk: rows that fit a rule, in order of their effective time, through what is open.

What a verdict is depends on times alone and not on when it is looked at: whoever comes late to an
obligation whose deadline has passed finds the same as a sweep would have found. So a walk may take an
hour of rows or a day.
"""

from __future__ import annotations

import math
from typing import Any, Final

from flowsim.monitor.compiling import compiled, entry
from flowsim.monitor.layout import (
    AT_MOST,
    ENDS,
    HARD,
    IDLE,
    LEVELS,
    OPENS,
    PERSISTENCE,
    PRECEDENCE,
    RESPONSE,
    RING,
    SOFT,
    TRIAL,
    WHOLE,
    Array,
    Raised,
    Silence,
    Tables,
)
from flowsim.monitor.slots import add, drop, find, find_or_add
from flowsim.monitor.verdicts import open_at, outcome, overdue, raise_alert, recover, the_limit

#: How long after its deadline a broken obligation is remembered for recovery (hours): 13 weeks.
REMEMBER: Final = 13 * 168.0


@compiled
def response(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Take what must be followed by something, or what follows."""
    te = event["te"]
    tolerance = rules[r]["tolerance"]
    k = find(tables, r, event["key"])
    if event["role"] != OPENS:
        if k >= 0 and tables.slots[k]["open"] == 1:
            overdue(rules, silence, raised, tables.slots[k], te, every, False)
            recover(raised, tables.slots[k], te)
            tables.slots[k]["open"] = 0
            if tolerance <= 0.0 and event["role"] == ENDS:
                drop(tables, k)
                return
        if tolerance > 0.0:
            if k < 0:
                k = add(tables, r, event["key"])
            tables.slots[k]["last"] = te
    if event["role"] != ENDS:
        if k < 0:
            k = add(tables, r, event["key"])
        slot = tables.slots[k]
        if slot["open"] == 1:
            overdue(rules, silence, raised, slot, te, every, False)
            for level in range(LEVELS):
                if slot["alert"][level] == -1:
                    slot["limit"][level] = event["limit"][level]
        elif te - slot["last"] > tolerance or slot["last"] == -math.inf:
            open_at(slot, row, te)
            for level in range(LEVELS):
                slot["limit"][level] = event["limit"][level]
                slot["alert"][level] = -1


@compiled
def precedence(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Take what must have been preceded, or what precedes and counts until its limit."""
    te = event["te"]
    k = find_or_add(tables, r, event["key"])
    slot = tables.slots[k]
    if slot["open"] == 1 and slot["since"] + rules[r]["tolerance"] < te:
        unpreceded(rules, silence, raised, slot, every)
    if event["role"] != OPENS:
        slot["open"] = 0
        slot["last"] = the_limit(event["limit"])
    if event["role"] != ENDS and slot["open"] == 0 and te > slot["last"]:
        open_at(slot, row, te)
        slot["limit"][SOFT] = event["limit"][SOFT]
        slot["limit"][HARD] = event["limit"][HARD]


@compiled
def unpreceded(rules: Array, silence: Silence, raised: Raised, slot: Any, every: float) -> None:
    """Raise the alert of something that nothing has preceded."""
    level = HARD if slot["limit"][HARD] < math.inf else SOFT
    raise_alert(rules, silence, raised, slot, level, slot["since"], every)
    slot["alert"][level] = -1
    slot["open"] = 0


@compiled
def next_whole(tables: Tables, unit: int, since: float) -> float:
    """Return when a unit's list was next seen whole after an instant; infinite: not yet."""
    found = math.inf
    if unit < 0 or unit >= len(tables.taken):
        return found
    for n in range(min(tables.taken[unit], RING)):
        at = tables.snapshots[unit, n]
        if since < at < found:
            found = at
    return found


@compiled
def left(
    rules: Array,
    tables: Tables,
    silence: Silence,
    raised: Raised,
    slot: Any,
    te: float,
    every: float,
    at: bool,
) -> bool:
    """Judge an item that a whole snapshot no longer showed; True if it is over and done with."""
    tolerance = rules[slot["rule"]]["tolerance"]
    gone = next_whole(tables, slot["unit"], slot["since"])
    if gone + tolerance > te or (gone + tolerance == te and not at):
        return False
    if slot["last"] >= slot["since"] - tolerance and slot["last"] <= gone + tolerance:
        return True
    level = HARD if slot["limit"][HARD] < math.inf else SOFT
    if slot["alert"][level] == -1:
        raise_alert(rules, silence, raised, slot, level, gone, every)
        if slot["last"] > gone + tolerance:
            recover(raised, slot, slot["last"])
            return True
    return False


@compiled
def persistence(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Take what stands on a list, what closes it, and the mark of a whole snapshot."""
    te = event["te"]
    if event["role"] == WHOLE:
        unit = row["unit"]
        if unit >= 0:
            tables.snapshots[unit, tables.taken[unit] % RING] = te
            tables.taken[unit] += 1
        return
    k = find_or_add(tables, r, event["key"])
    slot = tables.slots[k]
    if slot["open"] == 1 and left(rules, tables, silence, raised, slot, te, every, False):
        slot["open"] = 0
    if event["role"] != OPENS:
        slot["last"] = te
        if slot["alert"][SOFT] >= 0 or slot["alert"][HARD] >= 0:
            recover(raised, slot, te)
            slot["open"] = 0
    if event["role"] != ENDS:
        recover(raised, slot, te)
        open_at(slot, row, te)
        slot["limit"][SOFT] = event["limit"][SOFT]
        slot["limit"][HARD] = event["limit"][HARD]


@compiled
def at_most(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Count what may happen only so often within the limit of the first."""
    te = event["te"]
    k = find_or_add(tables, r, event["key"])
    slot = tables.slots[k]
    level = HARD if event["limit"][HARD] < math.inf else SOFT
    if slot["open"] == 1 and te <= slot["limit"][level]:
        slot["count"] += 1
    else:
        open_at(slot, row, te)
        slot["limit"][level] = event["limit"][level]
    if slot["count"] == rules[r]["most"] + 1:
        raise_alert(rules, silence, raised, slot, level, te, every)
        slot["alert"][level] = -1


@compiled
def idle(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Take what a stream gets, or that something of it is read."""
    te = event["te"]
    most = rules[r]["most"]
    k = find(tables, r, event["key"])
    if k >= 0 and tables.slots[k]["count"] > most:
        overdue(rules, silence, raised, tables.slots[k], te, every, False)
    if event["role"] != OPENS and k >= 0:
        recover(raised, tables.slots[k], te)
        drop(tables, k)
        k = -1
    if event["role"] == ENDS:
        return
    if k < 0:
        k = add(tables, r, event["key"])
        open_at(tables.slots[k], row, te)
        for level in range(LEVELS):
            tables.slots[k]["limit"][level] = event["limit"][level]
    else:
        tables.slots[k]["count"] += 1
    slot = tables.slots[k]
    if slot["count"] == most + 1:
        for level in range(LEVELS):
            # Where its time has passed already, it is broken now that there are enough of them.
            slot["limit"][level] = max(slot["limit"][level], te)


@compiled
def matching(tables: Tables, raised: Raised, event: Any, row: Any, r: int, trial: bool) -> None:
    """Remember what has not been answered: the missing ids of a balance, the trials of a share."""
    te = event["te"]
    k = find(tables, r, event["key"])
    if event["role"] != OPENS and k >= 0 and (not trial or te <= tables.slots[k]["limit"][HARD]):
        drop(tables, k)
        k = -1
    if event["role"] != ENDS and k < 0:
        k = add(tables, r, event["key"])
        open_at(tables.slots[k], row, te)
        tables.slots[k]["stream"] = event["stream"]
        tables.slots[k]["limit"][HARD] = event["limit"][HARD]
        if trial:
            outcome(raised, tables.slots[k], 0)


@entry
def walk(
    rules: Array,
    r: int,
    events: Array,
    rows: Array,
    tables: Tables,
    silence: Silence,
    raised: Raised,
    every: float,
) -> None:
    """Take the events of one rule through what is open."""
    kind = rules[r]["kind"]
    for n in range(len(events)):
        event = events[n]
        row = rows[event["row"]]
        if kind == RESPONSE:
            response(rules, tables, silence, raised, event, row, r, every)
        elif kind == PERSISTENCE:
            persistence(rules, tables, silence, raised, event, row, r, every)
        elif kind == AT_MOST:
            at_most(rules, tables, silence, raised, event, row, r, every)
        elif kind == IDLE:
            idle(rules, tables, silence, raised, event, row, r, every)
        elif kind == PRECEDENCE:
            precedence(rules, tables, silence, raised, event, row, r, every)
        else:
            matching(tables, raised, event, row, r, kind == TRIAL)


@entry
def scan(
    rules: Array, lane: Array, tables: Tables, silence: Silence, raised: Raised, cutoff: Array, every: float
) -> None:
    """Judge what is due in every lane, and forget what is over."""
    for k in range(len(tables.slots)):
        slot = tables.slots[k]
        r = slot["rule"]
        if r < 0:
            continue
        c = cutoff[lane[r]]
        rule = rules[r]
        kind = rule["kind"]
        if kind == RESPONSE:
            if slot["open"] == 1:
                overdue(rules, silence, raised, slot, c, every, True)
                if the_limit(slot["limit"]) + REMEMBER < c:
                    drop(tables, k)
            elif slot["last"] + rule["tolerance"] < c:
                drop(tables, k)
        elif kind == PERSISTENCE:
            if slot["open"] == 1:
                if left(rules, tables, silence, raised, slot, c, every, True) or (
                    slot["since"] + REMEMBER < c and (slot["alert"][SOFT] >= 0 or slot["alert"][HARD] >= 0)
                ):
                    drop(tables, k)
            elif slot["last"] + rule["tolerance"] < c:
                drop(tables, k)
        elif kind == AT_MOST:
            if the_limit(slot["limit"]) < c:
                drop(tables, k)
        elif kind == IDLE:
            if slot["count"] > rule["most"]:
                overdue(rules, silence, raised, slot, c, every, True)
        elif kind == PRECEDENCE:
            if slot["open"] == 1 and slot["since"] + rule["tolerance"] <= c:
                unpreceded(rules, silence, raised, slot, every)
            if slot["open"] == 0 and slot["last"] < c:
                drop(tables, k)
        elif kind == TRIAL:
            if slot["limit"][HARD] <= c:
                outcome(raised, slot, 1)
                drop(tables, k)
        elif slot["since"] + REMEMBER < c:
            drop(tables, k)
