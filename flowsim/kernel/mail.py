"""The event loop: takes what is scheduled in order, and does what the world commands.

``advance`` handles what lies strictly before a limit. It stops early when it has a notice for the
world, when a block of journal rows is full, or when an array needs room; called again, it goes on
where it stopped. Commands are obeyed first, at the instant at which they were given.
"""

from __future__ import annotations

import math

from flowsim.kernel.arrivals import arrive, change_practice, next_arrival
from flowsim.kernel.commands import obey, room_for
from flowsim.kernel.compiling import entry, inlined
from flowsim.kernel.draws import place_purpose, sample, uniforms
from flowsim.kernel.limits import alarm, impatient
from flowsim.kernel.lists import (
    end,
    give_place,
    leave_list,
    open_slot,
    queue_slot,
    release,
    serve,
    wait_hours,
)
from flowsim.kernel.queues import RANK_SHIFT, drop_first, first_of, is_void, schedule, take_out
from flowsim.kernel.receiving import arrived, receive, tell_sender
from flowsim.kernel.retries import client_tries
from flowsim.kernel.rows import write, write_hours
from flowsim.kernel.silence import found, misread, report, report_incomplete, send_back, vanish
from flowsim.kernel.state import (
    ALARM,
    ARRIVE,
    BLOCK_FULL,
    BUDGET,
    CASES_LEFT,
    CLIENT,
    DONE,
    DOUBLE,
    EVENTS,
    FOUND,
    HOLD_END,
    HOP,
    MEND,
    MISREAD,
    MOVE,
    NEED_ROOM,
    NOTICED,
    NOTICES,
    PASS,
    PATIENCE,
    PAUSED,
    PLACE_FREE,
    QUEUE_LENGTH,
    REACHED,
    RECEIPT_LIMIT,
    RECEIVE,
    REDELIVER,
    RESEND,
    ROOM,
    ROOM_TO_END,
    RUNNING,
    SLOT,
    STEP,
    TOKENS_LEFT,
    VANISH,
    WAKE,
    WIDEST,
    WITHDRAW,
    Commands,
    Journal,
    State,
)
from flowsim.kernel.steps import run, withdraw
from flowsim.kernel.transport import (
    attempt,
    pass_relays,
    relay_at,
    try_again,
)
from flowsim.plan.layout import CLOCK, Arrays
from flowsim.vocabulary import Event, Purpose
from flowsim.vocabulary import State as Truth

DONE_EVENT = int(Event.done)
RELAY_OUT = int(Event.relay_out)
RECEIVED = int(Event.received)
DEADLINE = int(Event.deadline)
SEEN = int(Truth.seen)
DRAW_WORLD = int(Purpose.world)


@entry
def advance(plan: Arrays, state: State, commands: Commands, journal: Journal, limit: float) -> int:
    """Handle everything strictly before a limit in hours; return why it stopped (see kernel.state)."""
    while True:
        room = ROOM + ROOM_TO_END * state.counter[WIDEST]
        if commands.progress[1] < commands.progress[0]:
            room += room_for(state, commands.command[commands.progress[1]])
        if journal.length[0] + room > len(journal.rows):
            return BLOCK_FULL
        if room_is_short(state, room):
            return NEED_ROOM
        if 2 * state.counter[NOTICES] > len(state.notice):
            return NOTICED
        if commands.progress[1] < commands.progress[0]:
            obey(plan, state, journal, commands.command[commands.progress[1]])
            commands.progress[1] += 1
        elif state.counter[NOTICES] > 0:
            return NOTICED
        elif state.counter[QUEUE_LENGTH] == 0:
            return REACHED
        else:
            first = state.queue[0]
            now = float(first["time"])
            if now >= limit:
                return REACHED
            if state.counter[BUDGET] == 0:
                return PAUSED
            state.counter[BUDGET] -= 1
            kind = int(first["key"]) >> RANK_SHIFT
            target = int(first["target"])
            generation = int(first["generation"])
            # Read before the queue is put in order, so that the token is on its way from memory meanwhile.
            void = is_void(state, kind, target, generation)
            drop_first(state)
            state.counter[EVENTS] += 1
            state.dial[CLOCK] = now
            t = -1 if void else happen(plan, state, journal, kind, target, generation, now)
            if t >= 0:
                run(plan, state, journal, t, now)


@entry
def begin_families(plan: Arrays, state: State) -> None:
    """Schedule every family's first case."""
    for f in range(len(plan.family)):
        next_arrival(plan, state, f)


@entry
def world_draw(plan: Arrays, replication: int, family: int, n: int, row: int) -> tuple[float, float]:
    """Return a uniform and a sample of a distribution (a row; -1: 0) for something that the world does."""
    u0, u1, _, _ = uniforms(plan.setting[0]["seed"], replication, family, n, place_purpose(0, DRAW_WORLD), 0)
    if row < 0:
        return u0, 0.0
    return u0, sample(plan.tables, row, u1)


@entry
def world_wait(plan: Arrays, now: float, hours: float, calendar: int) -> float:
    """Return the instant that lies so many open hours of a calendar on, for something that the world does."""
    return wait_hours(plan, now, hours, calendar)


@inlined
def room_is_short(state: State, room: int) -> bool:
    """Return whether what comes next might not find room."""
    return bool(
        state.counter[QUEUE_LENGTH] + room > len(state.queue)
        or state.counter[TOKENS_LEFT] < ROOM
        or state.counter[CASES_LEFT] < 2
    )


@inlined
def happen(
    plan: Arrays, state: State, journal: Journal, kind: int, target: int, generation: int, now: float
) -> int:
    """Do what an entry of the queue says; return the token that walks on, or -1."""
    if kind == ARRIVE:
        return arrive(plan, state, journal, target, now)
    if kind == WAKE:
        wake(plan, state, journal, target, now)
        return -1
    if kind == SLOT:
        return slot(plan, state, journal, target, now)
    if kind == PLACE_FREE:
        return place_free(plan, state, journal, target, now)
    if kind == WITHDRAW:
        if state.case[target]["generation"] == generation and state.case[target]["started"] == 0:
            withdraw(plan, state, journal, target, now)
        return -1
    if kind == MOVE:
        if state.case[target]["generation"] == generation:
            change_practice(plan, state, target, now)
        return -1
    if kind == ALARM:
        alarm(plan, state, journal, target, generation, now)
        return -1
    return target if token_event(plan, state, journal, kind, target, now) else -1


@inlined
def token_event(plan: Arrays, state: State, journal: Journal, kind: int, t: int, now: float) -> bool:
    """Do what was scheduled for a token; True if it walks on through its steps at this instant."""
    if kind == DONE:
        return done(plan, state, journal, t, now)
    if kind == RECEIVE:
        return receive(plan, state, journal, t, now)
    if kind == STEP:
        return True
    if kind == HOLD_END:
        return hold_end(plan, state, journal, t, now)
    if kind == REDELIVER:
        return redeliver(plan, state, journal, t, now)
    if kind == PATIENCE:
        return impatient(plan, state, journal, t, now)
    if kind == HOP:
        hop(plan, state, journal, t, now)
    elif kind == FOUND:
        found(plan, state, journal, t, now)
    elif kind == RESEND:
        try_again(plan, state, journal, t, now)
    elif kind == RECEIPT_LIMIT:
        tell_sender(plan, state, journal, t, DEADLINE, now)
    elif kind == CLIENT:
        client_tries(plan, state, journal, t, now)
    elif kind == VANISH:
        vanish(plan, state, journal, t, now)
    return False


@inlined
def wake(plan: Arrays, state: State, journal: Journal, s: int, now: float) -> None:
    """Look at a list because it opens, or because a relay is up again."""
    service = state.service[s]
    service["wake_at"] = math.inf
    relay = plan.service[s]
    if relay["is_relay"] == 1 and relay["per_hour"] == 0.0:
        t = first_of(state, s)
        if t >= 0 and service["up"] == 1:
            leave_list(state, t)
            write(
                state,
                journal,
                now,
                RELAY_OUT,
                t,
                state.token[t]["send_step"],
                s,
                state.token[t]["sender"],
                service["length"],
            )
            if service["length"] > 0:
                schedule(state, now, WAKE, s, 0)
            state.token[t]["hop"] += 1
            pass_relays(plan, state, journal, t, now)
        return
    serve(plan, state, journal, s, now)


@inlined
def slot(plan: Arrays, state: State, journal: Journal, s: int, now: float) -> int:
    """Give a clinic's slot to whoever waits first, and schedule the next."""
    state.service[s]["slot_open"] = 0
    t = first_of(state, queue_slot(plan, s))
    if t < 0:
        return -1
    take_out(state, t)
    state.service[s]["queue_length"] -= 1
    open_slot(plan, state, s, now)
    if give_place(plan, state, journal, t, s, now):
        state.token[t]["step"] = plan.step[state.token[t]["step"]]["next"]
        return t
    return -1


@inlined
def place_free(plan: Arrays, state: State, journal: Journal, s: int, now: float) -> int:
    """Give a bed that has become free to whoever waits first."""
    t = first_of(state, queue_slot(plan, s))
    if t < 0 or state.service[s]["free"] <= 0:
        return -1
    take_out(state, t)
    state.service[s]["queue_length"] -= 1
    if give_place(plan, state, journal, t, s, now):
        state.token[t]["step"] = plan.step[state.token[t]["step"]]["next"]
        return t
    return -1


@inlined
def done(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Finish the work on a token; the member of staff takes the next item at this instant."""
    token = state.token[t]
    s = int(token["at"])
    errand = token["errand"]
    state.service[s]["busy"] -= 1
    if errand == PASS:
        write(
            state,
            journal,
            now,
            RELAY_OUT,
            t,
            token["send_step"],
            s,
            token["sender"],
            state.service[s]["length"],
        )
        serve(plan, state, journal, s, now)
        token["hop"] += 1
        pass_relays(plan, state, journal, t, now)
        return False
    step = token["step"] if errand == 0 else token["send_step"]
    write(state, journal, now, DONE_EVENT, t, step, s, token["sender"], state.service[s]["length"])
    write_hours(journal, token["search"])
    serve(plan, state, journal, s, now)
    if errand == MEND:
        report(plan, state, t, int(token["sender"]), 0, now)
        send_back(plan, state, journal, t, now)
    elif errand == MISREAD:
        misread(plan, state, journal, t, s, now)
    elif token["role"] == DOUBLE:
        end(plan, state, journal, t, now)
    else:
        if token["defect"] >= 0 and token["delivery"] != 0:
            report_incomplete(plan, state, t, now)
        token["delivery"] = 0
        token["phase"] = RUNNING
        if errand == 0:
            token["step"] = plan.step[token["step"]]["next"]
        return True
    return False


@inlined
def redeliver(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Bring a message that was sent again before the service it was meant for."""
    token = state.token[t]
    if token["delivery"] == 0 or token["state"] == SEEN:
        # A task that had vanished: its thread stands at the step where it was.
        token["phase"] = RUNNING
        token["last"] = -1
        return True
    token["last"] = -1
    token["actual"] = token["intended"]
    write(state, journal, now, RECEIVED, t, token["send_step"], token["intended"], token["sender"], 0)
    return arrived(plan, state, journal, t, now)


@inlined
def hop(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Let a message leave a slow relay, or the sender's system after a delay there."""
    token = state.token[t]
    if token["hop"] < 0:
        attempt(plan, state, journal, t, now)
        return
    r = int(token["hop"])
    write(state, journal, now, RELAY_OUT, t, token["send_step"], relay_at(plan, state, t), token["sender"], 0)
    token["hop"] = r + 1
    pass_relays(plan, state, journal, t, now)


@inlined
def hold_end(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """End a stay or a visit; the bed is free for the next."""
    token = state.token[t]
    release(plan, state, journal, t, now)
    token["phase"] = RUNNING
    token["step"] = plan.step[token["step"]]["next"]
    return True
