"""The compiled walk: rows that fit a rule, in order of their effective time, through what is open.

What a verdict is depends on times alone and not on when it is looked at: whoever comes late to an
obligation whose deadline has passed finds the same as a sweep would have found. So a walk may take an
hour of rows or a day. All compiled functions stand in this one file, for Numba's cache looks at the file
of the outer function only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

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
from flowsim.vocabulary import Verdict

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])

VIOLATED, INCONCLUSIVE = int(Verdict.violated), int(Verdict.inconclusive)
#: How long after its deadline a broken obligation is remembered for recovery (hours): 13 weeks.
REMEMBER: Final = 13 * 168.0


def _compiled(function: AnyFunction) -> AnyFunction:
    """Compile a function that makes no array; references are not counted, as in ``episodes.rows``."""
    options = {"nogil": True, "_nrt": False}
    try:
        compiled = numba.njit(function, cache=True, **options)  # type: ignore[call-overload]
    except RuntimeError:  # no folder can be written to: compile anew in each process
        compiled = numba.njit(function, **options)  # type: ignore[call-overload]
    return cast(AnyFunction, compiled)


@_compiled
def bucket_of(key: int, rule: int, heads: int) -> int:
    """Return the chain that a key of a rule belongs to."""
    h = (key ^ (rule * 7046029254386353131)) * -7046029288634856825
    return (h >> 29) & (heads - 1)


@_compiled
def find(tables: Tables, rule: int, key: int) -> int:
    """Return the slot of a key, or -1."""
    k = tables.heads[bucket_of(key, rule, len(tables.heads))]
    while k >= 0 and (tables.slots[k]["key"] != key or tables.slots[k]["rule"] != rule):
        k = tables.slots[k]["next"]
    return int(k)


@_compiled
def add(tables: Tables, rule: int, key: int) -> int:
    """Return a new slot for a key, empty."""
    k = tables.free[0]
    slot = tables.slots[k]
    tables.free[0] = slot["next"]
    tables.free[1] += 1
    b = bucket_of(key, rule, len(tables.heads))
    slot["next"] = tables.heads[b]
    tables.heads[b] = k
    slot["key"] = key
    slot["rule"] = rule
    slot["open"] = 0
    slot["count"] = 0
    slot["last"] = -math.inf
    slot["since"] = 0.0
    slot["message_key"] = 0
    for level in range(LEVELS):
        slot["limit"][level] = math.inf
        slot["alert"][level] = -1
    return int(k)


@_compiled
def drop(tables: Tables, k: int) -> None:
    """Forget a slot."""
    slot = tables.slots[k]
    b = bucket_of(slot["key"], slot["rule"], len(tables.heads))
    if tables.heads[b] == k:
        tables.heads[b] = slot["next"]
    else:
        before = tables.heads[b]
        while tables.slots[before]["next"] != k:
            before = tables.slots[before]["next"]
        tables.slots[before]["next"] = slot["next"]
    slot["rule"] = -1
    slot["next"] = tables.free[0]
    tables.free[0] = k
    tables.free[1] -= 1


@_compiled
def the_limit(limit: Array) -> float:
    """Return the hard limit, or the soft one where there is no hard."""
    return float(limit[HARD] if limit[HARD] < math.inf else limit[SOFT])


@_compiled
def sweep_at(instant: float, every: float) -> float:
    """Return the first sweep at or after an instant."""
    return math.ceil(instant / every) * every


@_compiled
def was_silent(silence: Silence, sources: int, since: float, deadline: float, cutoff: float) -> bool:
    """Return whether one of the sources was silent while something was awaited, as known at a cutoff."""
    for s in range(len(silence.gaps)):
        if not sources >> s & 1:
            continue
        for g in range(silence.gaps[s] - 1, -1, -1):
            if silence.ends[s, g] <= since:
                break
            known = min(silence.ends[s, g], cutoff) - silence.begins[s, g] > silence.after[s]
            if known and (silence.begins[s, g] < deadline or silence.ends[s, g] > cutoff):
                return True
    return False


@_compiled
def open_at(slot: Any, row: Any, te: float) -> None:
    """Begin what is open with the row that opens it."""
    slot["open"] = 1
    slot["since"] = te
    slot["count"] = 1
    slot["message_key"] = row["key"]
    slot["subject"] = row["subject"]
    slot["unit"] = row["unit"]
    slot["sender"] = row["sender"]
    slot["receiver"] = row["receiver"]
    slot["template"] = row["template"]
    slot["message"] = row["message"]
    slot["channel"] = row["channel"]
    slot["urgency"] = row["urgency"]


@_compiled
def raise_alert(
    rules: Array, silence: Silence, raised: Raised, slot: Any, level: int, deadline: float, every: float
) -> None:
    """Write an alert of a slot: its deadline is past. ``known`` is when it could be judged."""
    rule = rules[slot["rule"]]
    known = deadline
    if rule["kind"] == PRECEDENCE or rule["kind"] == PERSISTENCE:
        known = deadline + rule["tolerance"]
    at = sweep_at(known + rule["lateness"], every)
    n = raised.used[0]
    raised.used[0] = n + 1
    alert = raised.alerts[n]
    alert["raised"] = at
    alert["since"] = slot["since"]
    alert["deadline"] = deadline
    alert["earliest"] = known
    alert["recovered"] = math.inf
    alert["key"] = slot["message_key"]
    alert["subject"] = slot["subject"]
    alert["rule"] = slot["rule"]
    alert["unit"] = slot["unit"]
    alert["sender"] = slot["sender"]
    alert["receiver"] = slot["receiver"]
    alert["template"] = slot["template"]
    alert["count"] = slot["count"]
    alert["level"] = level + 1
    alert["message"] = slot["message"]
    alert["channel"] = slot["channel"]
    alert["urgency"] = slot["urgency"]
    silent = rule["kind"] != AT_MOST and was_silent(
        silence, rule["waits_for"], slot["since"], deadline, at - rule["lateness"]
    )
    alert["verdict"] = INCONCLUSIVE if silent else VIOLATED
    slot["alert"][level] = n


@_compiled
def recover(raised: Raised, slot: Any, te: float) -> None:
    """Write into the alerts of a slot that what was missing has come."""
    for level in range(LEVELS):
        n = slot["alert"][level]
        if n >= 0 and raised.alerts[n]["recovered"] == math.inf:
            raised.alerts[n]["recovered"] = max(te, raised.alerts[n]["raised"])
            raised.touched[raised.used[2]] = n
            raised.used[2] += 1
            slot["alert"][level] = -1


@_compiled
def overdue(
    rules: Array, silence: Silence, raised: Raised, slot: Any, te: float, every: float, at: bool
) -> None:
    """Raise the alerts of a slot whose deadlines lie before an instant (or at it)."""
    for level in range(LEVELS):
        limit = slot["limit"][level]
        if slot["alert"][level] == -1 and (limit < te or (at and limit <= te)):
            raise_alert(rules, silence, raised, slot, level, limit, every)


@_compiled
def response(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """What happens must be followed by something."""
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


@_compiled
def precedence(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """What happens must have been preceded; ``limit[HARD]`` of what precedes is until when it counts."""
    te = event["te"]
    k = find(tables, r, event["key"])
    if k < 0:
        k = add(tables, r, event["key"])
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


@_compiled
def unpreceded(rules: Array, silence: Silence, raised: Raised, slot: Any, every: float) -> None:
    """Raise the alert of something that nothing has preceded."""
    level = HARD if slot["limit"][HARD] < math.inf else SOFT
    raise_alert(rules, silence, raised, slot, level, slot["since"], every)
    slot["alert"][level] = -1
    slot["open"] = 0


@_compiled
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


@_compiled
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


@_compiled
def persistence(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """What stands on a list leaves it with something that closes it."""
    te = event["te"]
    if event["role"] == WHOLE:
        unit = row["unit"]
        if unit >= 0:
            tables.snapshots[unit, tables.taken[unit] % RING] = te
            tables.taken[unit] += 1
        return
    k = find(tables, r, event["key"])
    if k < 0:
        k = add(tables, r, event["key"])
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


@_compiled
def at_most(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """Not more than so often within the limit of the first."""
    te = event["te"]
    k = find(tables, r, event["key"])
    if k < 0:
        k = add(tables, r, event["key"])
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


@_compiled
def idle(
    rules: Array, tables: Tables, silence: Silence, raised: Raised, event: Any, row: Any, r: int, every: float
) -> None:
    """A stream that gets items has some of them read."""
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
            if slot["limit"][level] < te and slot["alert"][level] == -1:
                # Its time had passed, and now there are enough of them.
                raise_alert(rules, silence, raised, slot, level, te, every)


@_compiled
def matching(tables: Tables, raised: Raised, event: Any, row: Any, r: int, trial: bool) -> None:
    """Remember what has not been answered: the missing ids of a balance, the trials of a share."""
    te = event["te"]
    k = find(tables, r, event["key"])
    if event["role"] != OPENS and k >= 0:
        if not trial or te <= tables.slots[k]["limit"][HARD]:
            drop(tables, k)
            k = -1
    if event["role"] != ENDS and k < 0:
        k = add(tables, r, event["key"])
        open_at(tables.slots[k], row, te)
        tables.slots[k]["stream"] = event["stream"]
        tables.slots[k]["limit"][HARD] = event["limit"][HARD]
        if trial:
            outcome(raised, tables.slots[k], 0)


@_compiled
def outcome(raised: Raised, slot: Any, failed: int) -> None:
    """Write down that a trial began, or failed."""
    n = raised.used[1]
    raised.used[1] = n + 1
    found = raised.outcomes[n]
    found["since"] = slot["since"]
    found["stream"] = slot["stream"]
    found["subject"] = slot["subject"]
    found["rule"] = slot["rule"]
    found["unit"] = slot["unit"]
    found["sender"] = slot["sender"]
    found["receiver"] = slot["receiver"]
    found["template"] = slot["template"]
    found["message"] = slot["message"]
    found["channel"] = slot["channel"]
    found["failed"] = failed


@_compiled
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


@_compiled
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


@_compiled
def missing(tables: Tables, r: int, stream: int, since: float, until: float, out: Array) -> int:
    """Write the keys of a stream that nothing has answered into ``out``; return how many."""
    n = 0
    for k in range(len(tables.slots)):
        slot = tables.slots[k]
        if slot["rule"] == r and slot["stream"] == stream and since <= slot["since"] < until and n < len(out):
            out[n] = slot["message_key"]
            n += 1
    return n


@_compiled
def rehash(old: Array, tables: Tables) -> None:
    """Move the slots of an old table into a bigger one, each to its own place."""
    for k in range(len(tables.heads)):
        tables.heads[k] = -1
    for k in range(len(tables.slots) - 1, len(old) - 1, -1):
        tables.slots[k]["rule"] = -1
        tables.slots[k]["next"] = k + 1 if k + 1 < len(tables.slots) else -1
    tables.free[0] = len(old) if len(old) < len(tables.slots) else -1
    for k in range(len(old)):
        slot = tables.slots[k]
        if slot["rule"] < 0:
            slot["next"] = tables.free[0]
            tables.free[0] = k
        else:
            b = bucket_of(slot["key"], slot["rule"], len(tables.heads))
            slot["next"] = tables.heads[b]
            tables.heads[b] = k
