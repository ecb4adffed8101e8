"""The queue of what is scheduled, and the order in which tokens stand on lists.

The queue is a heap of four children a node with the key (time, rank of the kind, sequence). An entry
whose generation is no longer its target's is void: that is how anything scheduled is taken back.
"""

from __future__ import annotations

from flowsim.kernel.compiling import compiled, inlined
from flowsim.kernel.state import QUEUE_LENGTH, SEQUENCE, State
from flowsim.plan.layout import LEVELS

RANK_SHIFT = 48
SEQUENCE_MASK = (1 << RANK_SHIFT) - 1


@compiled
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
        best_time = float(queue[child]["time"])
        best_key = int(queue[child]["key"])
        stop = min(child + 4, length)
        for other in range(child + 1, stop):
            other_time = float(queue[other]["time"])
            if other_time < best_time or (other_time == best_time and int(queue[other]["key"]) < best_key):
                best = other
                best_time = other_time
                best_key = int(queue[other]["key"])
        if best_time > time or (best_time == time and best_key > key):
            break
        below = queue[hole]
        above = queue[best]
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


@compiled
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


@compiled
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


@compiled
def first_of(state: State, slot: int) -> int:
    """Return the token that is served next on a list, or -1."""
    base = slot * LEVELS
    for level in range(LEVELS):
        if state.head[base + level] >= 0:
            return int(state.head[base + level])
    return -1
