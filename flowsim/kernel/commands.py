"""What the world can tell the mail to do; each takes effect at once, with all its consequences."""

from __future__ import annotations

from typing import Any

from flowsim.kernel.compiling import inlined
from flowsim.kernel.lists import end, list_up
from flowsim.kernel.queues import schedule
from flowsim.kernel.receiving import twin
from flowsim.kernel.rows import write, write_service
from flowsim.kernel.silence import get_stuck, vanish
from flowsim.kernel.state import (
    ACTIVE,
    DOUBLE,
    FOUND,
    FREE,
    LISTED,
    MISREAD,
    READ,
    RETRIER,
    STUCK,
    WAKE,
    WORK,
    Journal,
    State,
)
from flowsim.kernel.tokens import ROUTINE_LEVEL
from flowsim.plan.layout import DIAL_WAY, DIALS, LEVELS, Arrays
from flowsim.vocabulary import CommandKind, Event, Fault, FoundBy
from flowsim.vocabulary import State as Truth

SET_ADOPTION = int(CommandKind.set_adoption)
SET_ENDPOINT = int(CommandKind.set_endpoint)
SET_STAFF = int(CommandKind.set_staff)
SET_RELAY = int(CommandKind.set_relay)
SET_OWNER = int(CommandKind.set_owner)
ACTIVATE_DEFECT = int(CommandKind.activate_defect)
MEND_DEFECT = int(CommandKind.mend_defect)
RESEND = int(CommandKind.resend)
FORWARD = int(CommandKind.forward)
REMOVE = int(CommandKind.remove)
SNAPSHOT = int(CommandKind.snapshot)
SET_PACE = int(CommandKind.set_pace)
SET_DIAL = int(CommandKind.set_dial)
SET_ADDRESS = int(CommandKind.set_address)
NOTE = int(CommandKind.note)
#: Factors and hours travel in commands as whole millionths.
MILLION = 1e6

LISTED_EVENT = int(Event.listed)
FOUND_EVENT = int(Event.found)
SNAPSHOT_EVENT = int(Event.snapshot)
NONE = int(Truth.none)
MOVING = int(Truth.moving)
SILENT = int(Truth.silent)
UNWATCHED = int(Fault.unwatched)
BY_FORWARD = int(FoundBy.forwarded)
BY_COMMAND = int(FoundBy.command)


@inlined
def room_for(state: State, command: Any) -> int:
    """Return how many rows or queue entries a command may need, at most."""
    if command["kind"] == SET_OWNER:
        return int(state.service[command["a"]]["length"])
    if command["kind"] == MEND_DEFECT:
        return len(state.token)
    return 0


@inlined
def obey(plan: Arrays, state: State, journal: Journal, command: Any) -> None:
    """Do what a command says, at the instant at which it was given."""
    kind = command["kind"]
    a = int(command["a"])
    b = int(command["b"])
    now = float(command["time"])
    if kind == SET_ADOPTION:
        if state.service[a]["on_platform"] != b:
            state.service[a]["on_platform"] = b
            # Joining and leaving both give a new address; others' address books follow with a lag.
            state.service[a]["changed_at"] = now
            state.service[a]["stale"] = 1.0
    elif kind == SET_ENDPOINT:
        state.service[a]["live"] = b
    elif kind == SET_STAFF:
        state.service[a]["staff"] = b
        schedule(state, now, WAKE, a, 0)
    elif kind == SET_RELAY:
        state.service[a]["up"] = b
        if b == 1:
            schedule(state, now, WAKE, a, 0)
    elif kind == SET_OWNER:
        set_owner(plan, state, journal, a, b, now)
    elif kind == ACTIVATE_DEFECT:
        activate(state, a, command["case"] / MILLION if command["case"] > 0 else 1.0)
    elif kind == MEND_DEFECT:
        mend(state, a, b, now)
    elif kind == SNAPSHOT:
        write_service(journal, now, SNAPSHOT_EVENT, a, state.service[a]["length"], -1, 0, 0.0)
    elif kind == SET_PACE:
        state.service[a]["pace"][b] = command["case"] / MILLION
    elif kind == SET_DIAL:
        state.dial[a] = b / MILLION
        if a < DIAL_WAY:
            state.dial[0] = 1.0
            for fault in range(1, DIAL_WAY):
                state.dial[0] = max(state.dial[0], state.dial[fault])
    elif kind == SET_ADDRESS:
        state.service[a]["changed_at"] = now
        state.service[a]["stale"] = b / MILLION
    elif kind == NOTE:
        hours = command["delivery"] / MILLION
        write_service(journal, now, a, b, 0, int(command["case"]) >> 8, int(command["case"]) & 0xFF, hours)
    else:
        act_on(plan, state, journal, kind, b, command["case"], command["delivery"], now)


@inlined
def set_owner(plan: Arrays, state: State, journal: Journal, s: int, watched: int, now: float) -> None:
    """Give a list an owner, who starts on it, or take the owner away: what lies there is unseen."""
    service = state.service[s]
    if service["watched"] == watched:
        return
    service["watched"] = watched
    if watched == 1:
        discover(state, journal, s, now)
        schedule(state, now, WAKE, s, 0)
        return
    for level in range(LEVELS):
        t = int(state.head[s * LEVELS + level])
        while t >= 0:
            token = state.token[t]
            if token["delivery"] != 0 and token["state"] == MOVING:
                token["fault"] = UNWATCHED
                token["state"] = SILENT
                write(
                    state,
                    journal,
                    now,
                    LISTED_EVENT,
                    t,
                    token["send_step"],
                    s,
                    token["sender"],
                    service["length"],
                )
                get_stuck(plan, state, t, now)
                token["phase"] = LISTED
            t = int(token["next"])


@inlined
def discover(state: State, journal: Journal, s: int, now: float) -> None:
    """Find what lies unseen on a list, now that it has an owner; a free member of staff will take it."""
    for level in range(LEVELS):
        t = int(state.head[s * LEVELS + level])
        while t >= 0:
            token = state.token[t]
            if token["state"] == SILENT and token["intended"] == s and token["errand"] != MISREAD:
                token["state"] = MOVING
                attempt = token["attempt"]
                token["attempt"] = BY_COMMAND
                step = token["step"] if token["errand"] == WORK else token["send_step"]
                write(
                    state,
                    journal,
                    now,
                    FOUND_EVENT,
                    t,
                    step,
                    s,
                    token["sender"],
                    state.service[s]["length"],
                )
                token["attempt"] = attempt
            t = int(token["next"])


@inlined
def activate(state: State, d: int, reach: float) -> None:
    """Begin a defect, with a factor on its chance; the active ones are kept in order of their numbers."""
    if state.dial[DIALS + d] == 0.0:
        k = int(state.counter[ACTIVE])
        while k > 0 and state.running[k - 1] > d:
            state.running[k] = state.running[k - 1]
            k -= 1
        state.running[k] = d
        state.counter[ACTIVE] += 1
    state.dial[DIALS + d] = reach


@inlined
def deactivate(state: State, d: int) -> None:
    """End a defect that is active."""
    if state.dial[DIALS + d] == 0.0:
        return
    state.dial[DIALS + d] = 0.0
    left = int(state.counter[ACTIVE]) - 1
    k = 0
    while state.running[k] != d:
        k += 1
    while k < left:
        state.running[k] = state.running[k + 1]
        k += 1
    state.counter[ACTIVE] = left


@inlined
def mend(state: State, d: int, resend: int, now: float) -> None:
    """End a defect; with the policy to send again, everything it hit is found now."""
    deactivate(state, d)
    if resend == 0:
        return
    for t in range(len(state.token)):
        token = state.token[t]
        if (
            token["phase"] != FREE
            and token["defect"] == d
            and token["delivery"] != 0
            and token["state"] == SILENT
        ):
            token["found_by"] = BY_COMMAND
            schedule(state, now, FOUND, t, token["generation"])


@inlined
def act_on(
    plan: Arrays, state: State, journal: Journal, kind: int, way: int, case: int, delivery: int, now: float
) -> None:
    """Resend, forward or remove one delivery of one case, if it is still about; ``way``: who found it."""
    for t in range(len(state.token)):
        token = state.token[t]
        if token["phase"] == FREE or token["role"] == RETRIER or token["role"] == DOUBLE:
            continue
        if token["delivery"] != delivery or state.case[token["case"]]["id"] != case:
            continue
        if kind == REMOVE:
            if token["phase"] == LISTED:
                vanish(plan, state, journal, t, now)
                return
        elif token["state"] == SILENT or token["phase"] == STUCK:
            token["found_by"] = way if way > 0 else (BY_FORWARD if kind == FORWARD else BY_COMMAND)
            schedule(state, now, FOUND, t, token["generation"])
            return
        elif kind == RESEND and token["state"] != NONE:
            # It was not lost: sending it again only costs its receiver time.
            d = twin(state, t, DOUBLE)
            if list_up(plan, state, journal, d, int(token["intended"]), ROUTINE_LEVEL, READ, now):
                end(plan, state, journal, d, now)
            return
