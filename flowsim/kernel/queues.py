"""The queue of what is scheduled, and the order in which tokens stand on lists.

The queue is a heap of four children a node with the key (time, rank of the kind, sequence). An entry
whose generation is no longer its target's is void: that is how anything scheduled is taken back.
"""

from __future__ import annotations

from flowsim.kernel.compiling import hot, inlined
from flowsim.kernel.state import (
    ALARM,
    ARRIVE,
    MOVE,
    PLACE_FREE,
    QUEUE_LENGTH,
    SEQUENCE,
    SLOT,
    WAKE,
    WITHDRAW,
    Records,
    State,
)
from flowsim.plan.layout import LEVEL_UNSERVED, LEVELS

RANK_SHIFT = 48
SEQUENCE_MASK = (1 << RANK_SHIFT) - 1


@hot
def schedule(state: State, time: float, kind: int, target: int, generation: int) -> None:
    """Put an entry into the queue: kind is what will happen to the target at a time in hours."""
    queue = state.queue
    sequence = state.counter[SEQUENCE] + 1
    state.counter[SEQUENCE] = sequence
    key = (int(kind) << RANK_SHIFT) | int(sequence)
    hole = int(state.counter[QUEUE_LENGTH])
    state.counter[QUEUE_LENGTH] = hole + 1
    while hole > 0:
        parent = (hole - 1) >> 2
        above = queue[parent]
        if above["time"] < time or (above["time"] == time and above["key"] < key):
            break
        below = queue[hole]
        below["time"] = above["time"]
        below["key"] = above["key"]
        below["target"] = above["target"]
        below["generation"] = above["generation"]
        hole = parent
    entry = queue[hole]
    entry["time"] = time
    entry["key"] = key
    entry["target"] = target
    entry["generation"] = generation


@inlined
def comes_first(queue: Records, a: int, b: int) -> bool:
    """Return whether entry a of the queue comes before entry b."""
    earlier = queue[a]["time"] < queue[b]["time"]
    same = queue[a]["time"] == queue[b]["time"]
    return bool(earlier | (same & (queue[a]["key"] < queue[b]["key"])))


@inlined
def drop_first(state: State) -> None:
    """Take the first entry out of the queue."""
    queue = state.queue
    length = int(state.counter[QUEUE_LENGTH]) - 1
    state.counter[QUEUE_LENGTH] = length
    if length == 0:
        return
    last = queue[length]
    time = float(last["time"])
    key = int(last["key"])
    target = int(last["target"])
    generation = int(last["generation"])
    hole = 0
    while True:
        child = 4 * hole + 1
        if child >= length:
            break
        best = child
        if child + 3 < length:
            # Without branches: which of four comes first is anybody's guess, and a wrong guess costs more.
            left = child + 1 if comes_first(queue, child + 1, child) else child
            right = child + 3 if comes_first(queue, child + 3, child + 2) else child + 2
            best = right if comes_first(queue, right, left) else left
        else:
            for other in range(child + 1, length):
                best = other if comes_first(queue, other, best) else best
        above = queue[best]
        best_time = float(above["time"])
        best_key = int(above["key"])
        if best_time > time or (best_time == time and best_key > key):
            break
        below = queue[hole]
        below["time"] = best_time
        below["key"] = best_key
        below["target"] = above["target"]
        below["generation"] = above["generation"]
        hole = best
    entry = queue[hole]
    entry["time"] = time
    entry["key"] = key
    entry["target"] = target
    entry["generation"] = generation


@inlined
def is_void(state: State, kind: int, target: int, generation: int) -> bool:
    """Return whether the token that an entry is for has gone on to something else."""
    if kind == ARRIVE or kind == WAKE or kind == SLOT or kind == PLACE_FREE:
        return False
    if kind == WITHDRAW or kind == MOVE or kind == ALARM:
        return False
    return bool(state.token[target]["generation"] != generation)


@hot
def put(state: State, slot: int, level: int, t: int) -> None:
    """Put a token at the end of a level of a list (slot: a service's work list or queue for places)."""
    token = state.token[t]
    place = slot * LEVELS + level
    tail = state.tail[place]
    token["list"] = slot
    token["level"] = level
    token["previous"] = tail
    token["next"] = -1
    if tail >= 0:
        state.token[tail]["next"] = t
    else:
        state.head[place] = t
    state.tail[place] = t


@hot
def take_out(state: State, t: int) -> None:
    """Take a token out of the list that it is on."""
    token = state.token[t]
    place = token["list"] * LEVELS + token["level"]
    before = token["previous"]
    after = token["next"]
    if before >= 0:
        state.token[before]["next"] = after
    else:
        state.head[place] = after
    if after >= 0:
        state.token[after]["previous"] = before
    else:
        state.tail[place] = before
    token["list"] = -1


@hot
def first_of(state: State, slot: int) -> int:
    """Return the token that is served next on a list, or -1."""
    base = slot * LEVELS
    for level in range(LEVEL_UNSERVED):
        if state.head[base + level] >= 0:
            return int(state.head[base + level])
    return -1
