"""The life of one delivery: authored, sent, relayed, received, lost, found.

What will go wrong is drawn when the message is authored, from its own address, and kept as bits
(``doom``); each takes effect at its own place on the way. A channel without receipts tells nobody.
"""

from __future__ import annotations

import math

from flowsim.kernel.compiling import compiled, hot, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.faults import defects_of, doom_of
from flowsim.kernel.lists import list_up
from flowsim.kernel.queues import put, schedule
from flowsim.kernel.receiving import address_of, arrived, old_address, tell_sender
from flowsim.kernel.retries import next_try, resend_rule, start_retrier
from flowsim.kernel.rows import write
from flowsim.kernel.silence import get_stuck
from flowsim.kernel.state import (
    ACTIVE,
    ALARM,
    DELIVERIES,
    HELD,
    HOP,
    PASS,
    RECEIVE,
    RESEND,
    TRAVELLING,
    Journal,
    State,
)
from flowsim.kernel.tokens import ROUTINE_LEVEL, draw, service_of
from flowsim.plan.layout import (
    ADDRESS_EDI,
    ADDRESS_PORTAL,
    DIAL_FALLBACK,
    RECEIPTS_NONE,
    Arrays,
)
from flowsim.vocabulary import Channel, Event, Fault, Party, Purpose
from flowsim.vocabulary import State as Truth

AUTHORED = int(Event.authored)
SENT = int(Event.sent)
RELAY_IN = int(Event.relay_in)
RELAY_OUT = int(Event.relay_out)
RECEIVED = int(Event.received)
ABANDONED = int(Event.abandoned)

MOVING = int(Truth.moving)
SILENT = int(Truth.silent)

PLATFORM = int(Channel.platform)
EDI = int(Channel.edi)
LETTER = int(Channel.letter)
PORTAL = int(Channel.portal)
PHONE = int(Channel.phone)
PATIENT = int(Party.patient)

NOT_EMITTED = int(Fault.not_emitted)
UNDELIVERED = int(Fault.undelivered)
LATE = int(Fault.late)
INCOMPLETE = int(Fault.incomplete)
COPY_OMITTED = int(Fault.copy_omitted)
NO_ENDPOINT = int(Fault.no_endpoint)

DRAW_ATTEMPT = int(Purpose.attempt)
DRAW_LATE = int(Purpose.late_delay)
DRAW_FALLBACK = int(Purpose.fallback)

HOPS = 4


@inlined
def choose_channel(state: State, sender: int, to: int) -> int:
    """Return how a message from one service to another travels, decided at the moment of sending."""
    a = state.service[sender]
    b = state.service[to]
    if a["on_platform"] == 1 and b["on_platform"] == 1:
        return PLATFORM
    if b["address"] == ADDRESS_PORTAL:
        return PORTAL
    if a["address"] == ADDRESS_EDI and b["address"] == ADDRESS_EDI:
        return EDI
    return LETTER


@inlined
def author(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Send the message that a token carries; True if it is there at once (ideal) and was read."""
    token = state.token[t]
    state.counter[DELIVERIES] += 1
    step = int(token["send_step"])
    token["authored_at"] = now
    token["attempt"] = 1
    token["state"] = MOVING
    sender = int(token["sender"])
    intended = int(token["intended"])
    token["actual"] = intended
    if plan.setting[0]["ideal"]:
        token["channel"] = 0
        write(state, journal, now, AUTHORED, t, step, sender, intended, 0)
        write(state, journal, now, SENT, t, step, sender, intended, 0)
        write(state, journal, now, RECEIVED, t, step, intended, sender, 0)
        return arrived(plan, state, journal, t, now)
    channel = choose_channel(state, sender, intended)
    token["channel"] = channel
    doom = doom_of(plan, state, t)
    if state.counter[ACTIVE] > 0:
        doom = defects_of(plan, state, t, doom)
    # Patients have no electronic address by nature: a letter to one is no fault of addressing.
    if (
        channel == LETTER
        and state.service[sender]["address"] == ADDRESS_EDI
        and plan.service[intended]["party"] != PATIENT
    ):
        token["fault"] = NO_ENDPOINT
    if doom >> INCOMPLETE & 1:
        token["fault"] = INCOMPLETE
    token["doom"] = doom
    token["actual"] = address_of(plan, state, t, now)
    actual = int(token["actual"])
    old = old_address(plan, state, t)
    if plan.step[step]["alarm"] >= 0.0 and token["copy"] == 0:
        schedule(state, now + plan.step[step]["alarm"], ALARM, t, token["life"])
    if doom >> NOT_EMITTED & 1 or doom >> COPY_OMITTED & 1:
        token["fault"] = NOT_EMITTED if doom >> NOT_EMITTED & 1 else COPY_OMITTED
        token["state"] = SILENT
        write(state, journal, now, AUTHORED, t, step, sender, actual, old)
        get_stuck(plan, state, t, now)
        return False
    if doom >> LATE & 1:
        token["fault"] = LATE
    write(state, journal, now, AUTHORED, t, step, sender, actual, old)
    token["sent_at"] = now
    token["phase"] = TRAVELLING
    if doom >> LATE & 1:
        u0, _, _, _ = draw(plan, state, t, step, DRAW_LATE, 0)
        token["hop"] = -1
        schedule(
            state, now + sample(plan.tables, plan.setting[0]["late_delay"], u0), HOP, t, token["generation"]
        )
    else:
        attempt(plan, state, journal, t, now)
    return False


@hot
def attempt(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Make one try to send: it leaves the sender's system, is lost or not, and enters the first relay."""
    token = state.token[t]
    channel = plan.channel[token["channel"]]
    loss, _, latency, _ = draw(plan, state, t, token["send_step"], DRAW_ATTEMPT, token["attempt"])
    token["lost"] = 1 if (token["doom"] >> UNDELIVERED & 1 or loss < channel["attempt_loss"]) else 0
    token["latency"] = sample(plan.tables, channel["latency"], latency)
    unheard = token["lost"] == 1 and channel["receipts"] == RECEIPTS_NONE
    if unheard:
        token["fault"] = UNDELIVERED
        token["state"] = SILENT
    write(
        state,
        journal,
        now,
        SENT,
        t,
        token["send_step"],
        token["sender"],
        token["actual"],
        old_address(plan, state, t),
    )
    if unheard:
        get_stuck(plan, state, t, now)
        return
    token["phase"] = TRAVELLING
    token["hop"] = 0
    pass_relays(plan, state, journal, t, now)


@compiled
def relay_at(plan: Arrays, state: State, t: int) -> int:
    """Return the relay at the token's place on its route, or -1."""
    token = state.token[t]
    setting = plan.setting[0]
    channel = token["channel"]
    hop = token["hop"]
    if channel == EDI:
        if hop == 0:
            sender = token["sender"]
            return (
                int(setting["gateway"])
                if state.service[sender]["on_platform"] == 1
                else int(plan.service[sender]["client"])
            )
        if hop == 1:
            return int(setting["register"])
        if hop == 2:
            return int(setting["broker"])
        to = token["intended"]
        return (
            int(setting["gateway"])
            if state.service[to]["on_platform"] == 1
            else int(plan.service[to]["client"])
        )
    if hop > 0:
        return -1
    if channel == PLATFORM or channel == PORTAL:
        return int(setting["platform"])
    if channel == LETTER:
        return int(setting["post"])
    return -1


@compiled
def falls_back(plan: Arrays, state: State, t: int) -> bool:
    """Return whether a sender who meets an outage uses paper and phone, as the region has agreed."""
    if state.dial[DIAL_FALLBACK] <= 0.0:
        return False
    token = state.token[t]
    u, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_FALLBACK, token["attempt"])
    return bool(u < state.dial[DIAL_FALLBACK])


@compiled
def phone_instead(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Send a message once more by phone, past the relay that is down."""
    token = state.token[t]
    token["channel"] = PHONE
    token["attempt"] += 1
    token["lost"] = 0
    token["hop"] = HOPS
    _, _, latency, _ = draw(plan, state, t, token["send_step"], DRAW_ATTEMPT, token["attempt"])
    token["latency"] = sample(plan.tables, plan.channel[PHONE]["latency"], latency)
    write(
        state,
        journal,
        now,
        SENT,
        t,
        token["send_step"],
        token["sender"],
        token["actual"],
        old_address(plan, state, t),
    )
    depart(plan, state, t, now)


@hot
def pass_relays(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Take a message through the relays of its route until one holds it or it is out on its way."""
    token = state.token[t]
    token["phase"] = TRAVELLING
    while token["hop"] < HOPS:
        r = relay_at(plan, state, t)
        if r < 0:
            token["hop"] += 1
            continue
        relay = plan.service[r]
        if state.service[r]["up"] == 0 and falls_back(plan, state, t):
            phone_instead(plan, state, journal, t, now)
            return
        if state.service[r]["up"] == 0 and relay["drops"] == 1:
            token["lost"] = 1
            if plan.channel[token["channel"]]["receipts"] == RECEIPTS_NONE:
                # It went in and never comes out, and there is no receipt that anybody could miss.
                token["fault"] = UNDELIVERED
                token["state"] = SILENT
                write(state, journal, now, RELAY_IN, t, token["send_step"], r, token["sender"], 0)
                get_stuck(plan, state, t, now)
                return
            break
        stopped = state.service[r]["up"] == 0 or state.service[r]["length"] > 0
        if stopped and relay["per_hour"] == 0.0:
            state.service[r]["length"] += 1
            write(
                state,
                journal,
                now,
                RELAY_IN,
                t,
                token["send_step"],
                r,
                token["sender"],
                state.service[r]["length"],
            )
            put(state, r, ROUTINE_LEVEL, t)
            token["at"] = r
            token["phase"] = HELD
            return
        if relay["per_hour"] > 0.0:
            list_up(plan, state, journal, t, r, ROUTINE_LEVEL, PASS, now)
            return
        if relay["delay"] >= 0:
            _, _, _, u = draw(
                plan,
                state,
                t,
                token["send_step"],
                DRAW_ATTEMPT,
                64 + 4 * int(token["attempt"]) + int(token["hop"]),
            )
            write(state, journal, now, RELAY_IN, t, token["send_step"], r, token["sender"], 0)
            schedule(state, now + sample(plan.tables, relay["delay"], u), HOP, t, token["generation"])
            return
        write(state, journal, now, RELAY_OUT, t, token["send_step"], r, token["sender"], 0)
        token["hop"] += 1
    depart(plan, state, t, now)


@inlined
def depart(plan: Arrays, state: State, t: int, now: float) -> None:
    """Send a message on its last stretch; its sender's client waits for the receipt."""
    token = state.token[t]
    channel = plan.channel[token["channel"]]
    tries, scan, gap, _ = resend_rule(plan, token["sender"], token["channel"])
    if token["lost"] == 1:
        schedule(state, next_try(scan, gap, now), RESEND, t, token["generation"])
        return
    token["due"] = now + token["latency"]
    schedule(state, token["due"], RECEIVE, t, token["generation"])
    if channel["receipts"] == RECEIPTS_NONE or tries < 1:
        return
    _, unheard, _, _ = draw(plan, state, t, token["send_step"], DRAW_ATTEMPT, token["attempt"])
    again = next_try(scan, gap, now)
    if unheard < channel["receipt_loss"] or token["due"] > again:
        start_retrier(state, t, math.inf if unheard < channel["receipt_loss"] else float(token["due"]), again)


@inlined
def try_again(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Send a lost message again, or give up: the sender's client then shows it as abandoned."""
    token = state.token[t]
    tries, _, _, limit = resend_rule(plan, token["sender"], token["channel"])
    if token["attempt"] < tries and not (limit > 0.0 and now - token["sent_at"] > limit):
        token["attempt"] += 1
        attempt(plan, state, journal, t, now)
        return
    token["fault"] = UNDELIVERED
    tell_sender(plan, state, journal, t, ABANDONED, now)


@hot
def post(
    plan: Arrays, state: State, journal: Journal, t: int, step: int, role: int, copy: int, now: float
) -> bool:
    """Address a message from a send step to a role, and author it; True if its token goes on at once."""
    token = state.token[t]
    token["send_step"] = step
    token["copy"] = copy
    token["sender"] = service_of(plan, state, token["case"], plan.step[step]["sender"])
    token["intended"] = service_of(plan, state, token["case"], role)
    token["delivery"] = (int(plan.step[step]["place"]) << 24) | (int(token["visit"]) << 8) | copy
    token["fault"] = 0
    token["defect"] = -1
    token["doom"] = 0
    return author(plan, state, journal, t, now)
