"""What is open for each key of each rule: a table with chained buckets."""

from __future__ import annotations

import math

from flowsim.monitor.compiling import compiled, entry
from flowsim.monitor.layout import LEVELS, Array, Tables


@compiled
def bucket_of(key: int, rule: int, heads: int) -> int:
    """Return the chain that a key of a rule belongs to."""
    h = (key ^ (rule * 7046029254386353131)) * -7046029288634856825
    return (h >> 29) & (heads - 1)


@compiled
def find(tables: Tables, rule: int, key: int) -> int:
    """Return the slot of a key, or -1."""
    k = tables.heads[bucket_of(key, rule, len(tables.heads))]
    while k >= 0 and (tables.slots[k]["key"] != key or tables.slots[k]["rule"] != rule):
        k = tables.slots[k]["next"]
    return int(k)


@compiled
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


@compiled
def find_or_add(tables: Tables, rule: int, key: int) -> int:
    """Return the slot of a key; a new one, empty, where it has none."""
    k = find(tables, rule, key)
    return k if k >= 0 else add(tables, rule, key)


@compiled
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


@entry
def missing(tables: Tables, r: int, stream: int, since: float, until: float, out: Array) -> int:
    """Write the keys of a stream that nothing has answered into ``out``; return how many."""
    n = 0
    for k in range(len(tables.slots)):
        slot = tables.slots[k]
        if slot["rule"] == r and slot["stream"] == stream and since <= slot["since"] < until and n < len(out):
            out[n] = slot["message_key"]
            n += 1
    return n


@entry
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
