"""The kernel's own arrays: tokens, cases, lists, the queue, commands, notices and journal rows.

``State`` grows between two calls when the kernel asks for room; nothing in it depends on how large
it is. Scalars stand in ``State.counter`` (whole numbers) under the names below.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.plan.layout import DIAL_FALLBACK, DIALS, LEVELS, REGISTERS, Arrays
from flowsim.vocabulary import JOURNAL_SCHEMA

Records = NDArray[Any]

# Places in State.counter.
QUEUE_LENGTH: Final = 0
SEQUENCE: Final = 1
FREE_TOKEN: Final = 2
FREE_CASE: Final = 3
TOKENS_LEFT: Final = 4
CASES_LEFT: Final = 5
NOTICES: Final = 6
EVENTS: Final = 7
DELIVERIES: Final = 8
REPLICATION: Final = 9
SUBSCRIBED: Final = 10
BUDGET: Final = 11  # stop after so many events; -1: none
CASES: Final = 12
STOPS: Final = 13
WIDEST: Final = 14  # most threads that a case has had at a time
ACTIVE: Final = 15  # defects that are active
COUNTS: Final = 16

#: Room that one queue entry may need, at most, in rows, queue entries and tokens, beside what it
#: takes to end the threads of a case.
ROOM: Final = 128
#: Rows, queue entries or tokens after which a thread's walk goes on as an entry of its own.
PAUSE_AFTER: Final = 64
#: Rows or queue entries that ending one thread may need, at most.
ROOM_TO_END: Final = 4

# What a call to advance answers.
REACHED: Final = 0
NOTICED: Final = 1
BLOCK_FULL: Final = 2
NEED_ROOM: Final = 3
PAUSED: Final = 4

# Kinds of queue entries; the number is the rank at equal times: what frees comes before what wants.
DONE: Final = 1
HOLD_END: Final = 2
WAKE: Final = 3
PLACE_FREE: Final = 4
SLOT: Final = 5
WITHDRAW: Final = 6
HOP: Final = 7
RECEIVE: Final = 8
FOUND: Final = 9
REDELIVER: Final = 10
RESEND: Final = 11
RECEIPT_LIMIT: Final = 12
ALARM: Final = 13
PATIENCE: Final = 14
STEP: Final = 15
CLIENT: Final = 16
ARRIVE: Final = 17
VANISH: Final = 18
MOVE: Final = 19

# What a token is doing.
FREE: Final = 0
RUNNING: Final = 1  # between two steps, at this instant
TRAVELLING: Final = 2  # its message is on the way
HELD: Final = 3  # its message waits at a relay
LISTED: Final = 4  # on a work list
WORKING: Final = 5  # in work
QUEUING: Final = 6  # waiting for a place
STAYING: Final = 7  # in a place, until it ends
WAITING: Final = 8  # time passes
STUCK: Final = 9  # its message is in a silent state and on no list
JOINING: Final = 10  # waits for other threads
BROKEN: Final = 11  # its message failed, is on the sender's error queue
RETURNING: Final = 12  # found, on its way to the right service
PASSING: Final = 13  # being passed through a relay of limited capacity

# What a token is for.
MAIN: Final = 0  # walks the pathway
READER: Final = 1  # carries a copy, or a message nobody waits for; ends when it is read
DOUBLE: Final = 2  # a second arrival of a message: costs time, carries nothing
RETRIER: Final = 3  # the sender's client, trying again although the message is on its way

# What staff are asked to do with a list entry.
WORK: Final = 0  # the work step
READ: Final = 1  # read a copy, a message nobody waits for, or a double
MEND: Final = 2  # handle a failed message (error queue)
PASS: Final = 3  # let it through a relay of limited capacity
MISREAD: Final = 4  # read a message that was not for them

#: The fields are as small as what they hold, those that most events touch first: a year's run holds tens of
#: thousands of tokens, and most of what an event costs is fetching its token from memory.
TOKEN: Final = np.dtype(
    [
        ("delivery", np.int64),
        ("case", np.int32),
        ("generation", np.int32),
        ("step", np.int32),
        ("send_step", np.int32),
        ("last", np.int32),  # the step at which it stood before; -1: going back to it is no new visit
        ("sender", np.int32),
        ("intended", np.int32),
        ("at", np.int32),  # the service that works on it
        ("actual", np.int32),
        ("visit", np.int32),
        ("defect", np.int16),
        ("doom", np.int16),  # faults that wait for the message, a bit for each
        ("phase", np.int8),
        ("role", np.int8),
        ("errand", np.int8),  # what the list entry asks for
        ("state", np.int8),
        ("copy", np.int8),
        ("channel", np.int8),
        ("attempt", np.int8),
        ("fault", np.int8),
        ("hop", np.int8),
        ("lost", np.int8),
        ("level", np.int8),
        ("found_by", np.int8),
        ("next", np.int32),
        ("previous", np.int32),
        ("list", np.int32),
        ("sibling", np.int32),
        ("elder", np.int32),
        ("place", np.int32),
        ("place_step", np.int32),  # at which it got the place
        ("thread", np.int32),
        ("life", np.int32),  # which use of the slot this is
        ("of", np.int32),  # RETRIER: the token it tries for
        ("of_generation", np.int32),
        ("search", np.float32),  # hours of the work under way that are search
        ("sent_at", np.float64),
        ("latency", np.float64),  # of the try under way
        ("due", np.float64),  # when its message arrives (TRAVELLING), or its receipt (RETRIER)
        ("authored_at", np.float64),
        ("found_at", np.float64),
    ],
    align=True,
)

CASE: Final = np.dtype(
    [
        ("id", np.int64),
        ("created", np.float64),
        ("moved_at", np.float64),  # when the patient changed GP; -1: has not
        ("family", np.int32),  # the hash (31 bits): first word of every draw's address
        ("n", np.int32),
        ("generation", np.int32),
        ("area", np.int32),
        ("practice", np.int32),  # at the start; decides which services are the patient's
        ("gp", np.int32),  # the practice now
        ("former", np.int32),  # the practice before the last change
        ("origin", np.int32),
        ("tokens", np.int32),
        ("first", np.int32),  # of its tokens
        ("next", np.int32),  # in the free list
        ("urgency", np.int8),
        ("started", np.int8),
    ],
    align=True,
)

SERVICE: Final = np.dtype(
    [
        ("changed_at", np.float64),
        ("stale", np.float64),  # share of its mail that a changed address concerns
        ("wake_at", np.float64),
        ("pace", np.float64, (3,)),  # factors on search, handling and slips (vocabulary.Pace)
        ("slot_last", np.int64),
        ("staff", np.int64),
        ("busy", np.int64),
        ("watched", np.int64),
        ("on_platform", np.int64),
        ("address", np.int64),
        ("live", np.int64),
        ("up", np.int64),
        ("length", np.int64),
        ("queue_length", np.int64),  # waiting for its places
        ("free", np.int64),  # places
        ("slot_open", np.int64),  # a slot is scheduled
        ("swamped", np.int64),
    ],
    align=True,
)

FAMILY: Final = np.dtype(
    [
        ("passed", np.float64),  # share of the day's mean number already passed
        ("n", np.int64),
        ("day", np.int64),
        ("k", np.int64),
    ],
    align=True,
)

ENTRY: Final = np.dtype(
    [("time", np.float64), ("key", np.int64), ("target", np.int32), ("generation", np.int32)], align=True
)
NOTICE: Final = np.dtype(
    [
        ("time", np.float64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("kind", np.int64),
        ("a", np.int64),
        ("b", np.int64),
    ],
    align=True,
)
COMMAND: Final = np.dtype(
    [
        ("time", np.float64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("kind", np.int64),
        ("a", np.int64),
        ("b", np.int64),
    ],
    align=True,
)


class State(NamedTuple):
    """What the kernel reads and writes."""

    counter: NDArray[np.int64]
    token: Records
    case: Records
    register: NDArray[np.int64]  # [cases * REGISTERS]
    service: Records
    family: Records
    queue: Records
    head: NDArray[np.int64]  # [(services + relays) * 2 * LEVELS]: work lists, then waiting for places
    tail: NDArray[np.int64]
    running: NDArray[np.int64]  # [defects] the active ones first, in order of their numbers
    reported: NDArray[np.int8]  # [defects, services]
    #: [DIALS + defects] factors on rates and chances, the time of the last entry taken, and of each
    #: defect the factor on its chance (0: not active)
    dial: NDArray[np.float64]
    notice: Records


class Commands(NamedTuple):
    """What the world has told the mail to do and the mail has not done yet."""

    command: Records
    progress: NDArray[np.int64]  # [2]: how many, how many done


class Journal(NamedTuple):
    """The block of journal rows being filled."""

    rows: Records
    length: NDArray[np.int64]  # [1]


def new_state(plan: Arrays, replication: int, tokens: int = 4096, cases: int = 2048) -> State:
    """Return an empty state for a plan, with its services as they are at the start."""
    n = len(plan.service)
    service = np.zeros(n, SERVICE)
    for name in ("staff", "watched", "on_platform", "address"):
        service[name] = plan.service[name]
    service["free"] = np.maximum(plan.service["places"], 0)
    service["live"] = 1
    service["up"] = 1
    service["changed_at"] = -1.0
    service["wake_at"] = np.inf
    service["slot_last"] = -1
    service["pace"] = 1.0
    state = State(
        counter=np.zeros(COUNTS, np.int64),
        token=np.zeros(0, TOKEN),
        case=np.zeros(0, CASE),
        register=np.zeros(0, np.int64),
        service=service,
        family=np.zeros(len(plan.family), FAMILY),
        queue=np.zeros(0, ENTRY),
        head=np.full(n * 2 * LEVELS, -1, np.int64),
        tail=np.full(n * 2 * LEVELS, -1, np.int64),
        running=np.full(max(len(plan.defect), 1), -1, np.int64),
        reported=np.zeros((max(len(plan.defect), 1), n), np.int64),
        dial=np.concatenate([np.ones(DIAL_FALLBACK), np.zeros(DIALS - DIAL_FALLBACK + len(plan.defect) + 1)]),
        notice=np.zeros(64, NOTICE),
    )
    state.family["day"] = -1
    state.counter[REPLICATION] = replication
    state.counter[FREE_TOKEN] = state.counter[FREE_CASE] = -1
    state.counter[BUDGET] = -1
    return grown(state, tokens, cases, 4 * tokens + 4 * len(plan.family) + 1024)


def grown(state: State, tokens: int, cases: int, entries: int) -> State:
    """Return the state with room for so many tokens, cases and queue entries (never fewer than now)."""
    token = _longer(state.token, tokens)
    case = _longer(state.case, cases)
    # New slots are chained in front of the free list, lowest first, so that growth is repeatable.
    _chain(token["next"], len(state.token), state.counter, FREE_TOKEN, TOKENS_LEFT)
    _chain(case["next"], len(state.case), state.counter, FREE_CASE, CASES_LEFT)
    return state._replace(
        token=token,
        case=case,
        register=_longer(state.register, len(case) * REGISTERS),
        queue=_longer(state.queue, entries),
    )


def _longer(array: Records, length: int) -> Records:
    if length <= len(array):
        return array
    out = np.zeros(length, array.dtype)
    out[: len(array)] = array
    return out


def _chain(nexts: NDArray[np.int64], first: int, count: NDArray[np.int64], head: int, left: int) -> None:
    fresh = len(nexts) - first
    if fresh <= 0:
        return
    nexts[first:] = np.arange(first + 1, len(nexts) + 1)
    nexts[-1] = count[head]
    count[head] = first
    count[left] += fresh


def new_journal(rows: int = 1 << 17) -> Journal:
    """Return an empty block with room for so many rows."""
    return Journal(np.zeros(rows, JOURNAL_SCHEMA), np.zeros(1, np.int64))


def new_commands(room: int = 256) -> Commands:
    """Return an empty list of commands."""
    return Commands(np.zeros(room, COMMAND), np.zeros(2, np.int64))
