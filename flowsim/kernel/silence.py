"""Messages in a silent state: who might find them, and what happens when somebody does."""

from __future__ import annotations

import math

from flowsim.kernel.compiling import compiled, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.queues import schedule, take_out
from flowsim.kernel.rows import notify, write
from flowsim.kernel.state import (
    FOUND,
    LISTED,
    REDELIVER,
    RETURNING,
    STUCK,
    WAKE,
    WORK,
    WORKING,
    Journal,
    State,
)
from flowsim.kernel.tokens import draw
from flowsim.plan.layout import DIAL_WAY, MESSAGES, URGENCIES, Arrays
from flowsim.vocabulary import Channel, Event, Fault, FoundBy, NoticeKind, Party, Purpose
from flowsim.vocabulary import State as Truth

FORWARDED = int(Event.forwarded)
FOUND_EVENT = int(Event.found)
RESENT = int(Event.resent)
VANISHED_EVENT = int(Event.vanished)
PHONE = int(Channel.phone)
PATIENT = int(Party.patient)
VANISHED = int(Fault.vanished)
INCOMPLETE = int(Fault.incomplete)
MOVING = int(Truth.moving)
SILENT = int(Truth.silent)
SEEN = int(Truth.seen)
BY_CALL = int(FoundBy.patient_calls)
BY_CHASING = int(FoundBy.referrer_chases)
BY_MISSING = int(FoundBy.receiver_misses)
BY_RECORD = int(FoundBy.shared_record_look)
BY_NOTICE = int(FoundBy.misdelivery_notice)
BY_FORWARD = int(FoundBy.forwarded)
BY_AUDIT = int(FoundBy.audit)
BY_COMMAND = int(FoundBy.command)
BY_RECONCILIATION = int(FoundBy.reconciliation)
BY_PHONE = int(FoundBy.phone_confirmation)
BY_MONITOR = int(FoundBy.monitor)
DEFECT_REPORTED = int(NoticeKind.defect_reported)
LIST_FOUND = int(NoticeKind.list_found)
WAY_SHIFT = 20
DRAW_FOUND = int(Purpose.found_chance)
DRAW_WRONG_RECEIVER = int(Purpose.wrong_receiver)
DRAW_REDELIVERY = int(Purpose.redelivery)


@compiled
def get_stuck(plan: Arrays, state: State, t: int, now: float) -> None:
    """Leave a message in a silent state, and draw whether, how and when somebody will find it."""
    token = state.token[t]
    token["phase"] = STUCK
    token["found_at"] = math.inf
    token["found_by"] = 0
    mask = int(plan.fault_ways[token["fault"]])
    message = int(plan.step[token["send_step"]]["message"])
    urgency = int(state.case[token["case"]]["urgency"])
    setting = plan.setting[0]
    for way in range(BY_CALL, BY_PHONE + 1):
        if not mask >> way & 1 or way == BY_NOTICE or way == BY_FORWARD or way == BY_COMMAND:
            continue
        if way == BY_CALL and token["copy"] > 0:
            continue  # patients have their own letter, and know of no copy
        if way == BY_RECORD and not (
            state.service[token["sender"]]["on_platform"] == 1
            and state.service[token["intended"]]["on_platform"] == 1
        ):
            continue
        u0, u1, _, _ = draw(plan, state, t, token["send_step"], DRAW_FOUND, way)
        dial = state.dial[DIAL_WAY + way]
        if way == BY_AUDIT or way == BY_RECONCILIATION:
            every = setting["audit_every"] if way == BY_AUDIT else setting["reconcile_every"]
            chance = dial * (setting["audit_chance"] if way == BY_AUDIT else setting["reconcile_chance"])
            # A chance so small that none of it is left beside 1 is never, too.
            if every <= 0.0 or 1.0 - chance >= 1.0:
                continue
            looks = 0.0
            if chance < 1.0:
                looks = math.floor(math.log(u0) / math.log(1.0 - chance))
            at = now + every * (u1 + looks)
        else:
            chance = dial * plan.way_chance[(way * MESSAGES + message) * URGENCIES + urgency]
            if plan.way_delay[way] < 0 or u0 >= chance:
                continue
            at = now + sample(plan.tables, plan.way_delay[way], u1)
        if at < token["found_at"]:
            token["found_at"] = at
            token["found_by"] = way
    if token["found_at"] < setting["end"]:
        schedule(state, token["found_at"], FOUND, t, token["generation"])


@compiled
def found(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Let somebody find a message that lay in a silent state: it is on its way again."""
    token = state.token[t]
    if token["state"] == MOVING:
        return  # its list has got an owner in the meantime
    if token["phase"] == LISTED:
        s = int(token["at"])
        if state.service[s]["watched"] == 0:
            notify(state, now, LIST_FOUND, s, 0, state.case[token["case"]]["id"], token["delivery"])
        state.service[s]["length"] -= 1
        take_out(state, t)
    elif token["phase"] == WORKING:
        # Whoever was reading it lets it go, and is free for the next.
        state.service[token["at"]]["busy"] -= 1
        schedule(state, now, WAKE, int(token["at"]), 0)
    token["generation"] += 1
    if token["delivery"] == 0 or token["state"] == SEEN:
        task_found(plan, state, journal, t, now)
        return
    token["state"] = MOVING
    tries = token["attempt"]
    token["attempt"] = token["found_by"]
    write(state, journal, now, FOUND_EVENT, t, token["send_step"], token["intended"], token["sender"], 0)
    token["attempt"] = tries
    way = token["found_by"]
    if way != BY_COMMAND:
        reporter = int(token["intended"])
        if way == BY_CHASING:
            reporter = int(state.case[token["case"]]["origin"])  # who asked: for a result, its receiver
        elif way == BY_RECONCILIATION or way == BY_PHONE or way == BY_MONITOR:
            reporter = int(token["sender"])
        report(plan, state, t, reporter, way, now)
    send_back(plan, state, journal, t, now)


@compiled
def report(plan: Arrays, state: State, t: int, reporter: int, way: int, now: float) -> None:
    """Let somebody who has met a defect's victim say so; a service counts once, each patient for himself.

    So does each item of a comparison of what was ordered with what left, and of an alert: a list of many is
    not one person's complaint. The notice has the way (0: an error queue or a reader) above the reporter's
    number.
    """
    d = int(state.token[t]["defect"])
    if d < 0:
        return
    if way != BY_RECONCILIATION and way != BY_MONITOR and way != BY_CALL:
        if state.reported[d, reporter] == 1 and plan.service[reporter]["party"] != PATIENT:
            return
        state.reported[d, reporter] = 1
    case = state.case[state.token[t]["case"]]["id"]
    notify(state, now, DEFECT_REPORTED, d, reporter | way << WAY_SHIFT, case, state.token[t]["delivery"])


@inlined
def report_incomplete(plan: Arrays, state: State, t: int, now: float) -> None:
    """Let a reader who sees that a defect has left a message incomplete say so, or read on.

    The chance is that of missing a message that one expects.
    """
    token = state.token[t]
    d = int(token["defect"])
    if d < 0 or plan.defect[d]["fault"] != INCOMPLETE or not int(token["doom"]) >> INCOMPLETE & 1:
        return
    message = int(plan.step[token["send_step"]]["message"])
    urgency = int(state.case[token["case"]]["urgency"])
    u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_FOUND, BY_MISSING)
    chance = plan.way_chance[(BY_MISSING * MESSAGES + message) * URGENCIES + urgency]
    if u0 < state.dial[DIAL_WAY + BY_MISSING] * chance:
        report(plan, state, t, int(token["intended"]), 0, now)


@compiled
def report_missed(plan: Arrays, state: State, t: int, now: float) -> None:
    """Let whoever waited in vain say so, with the chance that a patient calls: too late for this one item."""
    token = state.token[t]
    if token["delivery"] == 0 or token["defect"] < 0:
        return
    message = int(plan.step[token["send_step"]]["message"])
    urgency = int(state.case[token["case"]]["urgency"])
    u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_FOUND, BY_CALL)
    chance = plan.way_chance[(BY_CALL * MESSAGES + message) * URGENCIES + urgency]
    if u0 < state.dial[DIAL_WAY + BY_CALL] * chance:
        report(plan, state, t, int(token["intended"]), BY_CALL, now)


@inlined
def task_found(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Let somebody miss a task that vanished from a list: it is put there again, no message is sent."""
    token = state.token[t]
    tries = token["attempt"]
    token["attempt"] = token["found_by"]
    write(state, journal, now, FOUND_EVENT, t, token["step"], token["at"], token["sender"], 0)
    token["attempt"] = tries
    token["phase"] = RETURNING
    u0, _, _, _ = draw(plan, state, t, token["step"], DRAW_REDELIVERY, token["attempt"])
    schedule(
        state, now + sample(plan.tables, plan.setting[0]["redelivery"], u0), REDELIVER, t, token["generation"]
    )


@compiled
def send_back(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Give a failed or found message to the right service by phone: what people fall back on."""
    token = state.token[t]
    token["state"] = MOVING
    token["phase"] = RETURNING
    token["doom"] = 0
    token["channel"] = PHONE
    write(state, journal, now, RESENT, t, token["send_step"], token["sender"], token["intended"], 0)
    u0, u1, _, _ = draw(plan, state, t, token["send_step"], DRAW_REDELIVERY, token["attempt"])
    hours = sample(plan.tables, plan.setting[0]["redelivery"], u0)
    hours += sample(plan.tables, plan.channel[PHONE]["latency"], u1)
    schedule(state, now + hours, REDELIVER, t, token["generation"])


@inlined
def misread(plan: Arrays, state: State, journal: Journal, t: int, s: int, now: float) -> None:
    """Let a wrong receiver pass on what it has read, tell the sender, or do nothing."""
    token = state.token[t]
    token["phase"] = STUCK
    u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_WRONG_RECEIVER, 0)
    setting = plan.setting[0]
    if u0 < setting["forwards"]:
        write(state, journal, now, FORWARDED, t, token["send_step"], s, token["intended"], 0)
        token["found_by"] = BY_FORWARD
        found(plan, state, journal, t, now)
    elif u0 < setting["forwards"] + setting["notifies"]:
        token["found_by"] = BY_NOTICE
        found(plan, state, journal, t, now)
    elif token["found_at"] < setting["end"]:
        schedule(state, max(float(token["found_at"]), now), FOUND, t, token["generation"])


@compiled
def vanish(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Take an item off a list without its being done; its thread waits for somebody to notice.

    Where the work had a time by which it must be begun (patience), that goes on: a visit that nobody makes
    is missed then, and not made later.
    """
    token = state.token[t]
    s = int(token["at"])
    errand = token["errand"]
    state.service[s]["length"] -= 1
    take_out(state, t)
    if errand != WORK or plan.step[token["step"]]["patience"] < 0 or token["state"] == SILENT:
        token["generation"] += 1
    token["fault"] = VANISHED
    step = token["step"] if errand == WORK else token["send_step"]
    if token["delivery"] == 0:
        # A task without a message: what its own step is decides the luck of being missed.
        token["send_step"] = token["step"]
    elif token["state"] != SEEN:
        token["state"] = SILENT
    write(state, journal, now, VANISHED_EVENT, t, step, s, token["sender"], state.service[s]["length"])
    get_stuck(plan, state, t, now)
