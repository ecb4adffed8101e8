"""Where messages come out: the right service, a wrong one, a dead endpoint, or a refusal."""

from __future__ import annotations

import math

from flowsim.kernel.compiling import compiled, hot, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.lists import end, list_up
from flowsim.kernel.queues import schedule
from flowsim.kernel.rows import write
from flowsim.kernel.silence import get_stuck
from flowsim.kernel.state import (
    BROKEN,
    DOUBLE,
    MAIN,
    MEND,
    MISREAD,
    READ,
    RECEIPT_LIMIT,
    RUNNING,
    Journal,
    State,
)
from flowsim.kernel.tokens import ROUTINE_LEVEL, draw, new_token, service_of
from flowsim.plan.layout import COPIES, DIAL_STALE, RECEIPTS_BOTH, RECEIPTS_NONE, ROLE_PRACTICE, Arrays
from flowsim.vocabulary import Event, Fault, Purpose, StepKind
from flowsim.vocabulary import State as Truth

TRANSPORT_RECEIPT = int(Event.transport_receipt)
APPLICATION_RECEIPT = int(Event.application_receipt)
RECEIVED = int(Event.received)
LISTED_EVENT = int(Event.listed)
OPENED = int(Event.opened)
REJECTED_EVENT = int(Event.rejected)
NONE = int(Truth.none)
TOLD = int(Truth.told)
SILENT = int(Truth.silent)
SEEN = int(Truth.seen)
NO_RECEIPT = int(Fault.no_receipt)
REJECTED = int(Fault.rejected)
MISADDRESSED = int(Fault.misaddressed)
UNWATCHED = int(Fault.unwatched)
DUPLICATED = int(Fault.duplicated)
DRAW_WRONG = int(Purpose.wrong_service)
DRAW_ATTEMPT = int(Purpose.attempt)
DRAW_STALE = int(Purpose.stale)
DRAW_FORMER = int(Purpose.former_practice)
DRAW_ERROR = int(Purpose.error_queue)
WORK_STEP = int(StepKind.work)


@inlined
def address_of(plan: Arrays, state: State, t: int, now: float) -> int:
    """Return where a message is addressed to: the right service, a wrong one, or an old address."""
    token = state.token[t]
    intended = int(token["intended"])
    setting = plan.setting[0]
    service = state.service[intended]
    step = int(token["send_step"])
    if service["changed_at"] >= 0.0 and setting["stale_share"] > 0.0:
        stale, read, _, _ = draw(plan, state, t, step, DRAW_STALE, 0)
        age = now - service["changed_at"]
        share = state.dial[DIAL_STALE] * service["stale"] * setting["stale_share"]
        if stale < share * math.exp(-age / setting["stale_lag"]) and read >= setting["old_inbox_read"]:
            return int(setting["dead_endpoint"])
    if state.case[token["case"]]["moved_at"] >= 0.0 and to_practice(plan, state, t):
        case = state.case[token["case"]]
        stale, _, _, _ = draw(plan, state, t, step, DRAW_FORMER, 0)
        age = now - case["moved_at"]
        if stale < state.dial[DIAL_STALE] * setting["moved_share"] * math.exp(-age / setting["moved_lag"]):
            # The former practice is there and takes it in: the receipt is a good one.
            return int(plan.practice[case["former"]]["service"])
    if token["doom"] >> MISADDRESSED & 1:
        dead, which, _, _ = draw(plan, state, t, step, DRAW_WRONG, 0)
        others = int(plan.service[intended]["wrong_count"])
        if dead < setting["dead_share"] or others == 0:
            return int(setting["dead_endpoint"])
        return int(plan.wrong[plan.service[intended]["wrong_first"] + int(which * others)])
    return intended


@compiled
def old_address(plan: Arrays, state: State, t: int) -> int:
    """Return which old address a message is addressed to, as the number of its service and one; 0: none."""
    token = state.token[t]
    return int(token["intended"]) + 1 if token["actual"] == plan.setting[0]["dead_endpoint"] else 0


@inlined
def to_practice(plan: Arrays, state: State, t: int) -> bool:
    """Return whether a message is meant for the patient's own practice, whichever that is now."""
    token = state.token[t]
    step = int(token["send_step"])
    if token["copy"] > 0:
        return bool(plan.copy_role[step * COPIES + int(token["copy"]) - 1] == ROLE_PRACTICE)
    return bool(plan.step[step]["role"] == ROLE_PRACTICE)


@inlined
def receive(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Bring a message to the endpoint where it comes out; True if its token goes on walking."""
    token = state.token[t]
    step = int(token["send_step"])
    receipts = plan.channel[token["channel"]]["receipts"]
    if receipts != RECEIPTS_NONE:
        _, unheard, _, _ = draw(plan, state, t, step, DRAW_ATTEMPT, token["attempt"])
        if unheard >= plan.channel[token["channel"]]["receipt_loss"]:
            write(state, journal, now, TRANSPORT_RECEIPT, t, step, token["sender"], token["actual"], 0)
    if token["role"] == DOUBLE:
        # The same message id again: acknowledged again, not processed again.
        write(
            state,
            journal,
            now,
            RECEIVED,
            t,
            step,
            token["actual"],
            token["sender"],
            old_address(plan, state, t),
        )
        end(plan, state, journal, t, now)
        return False
    if state.service[token["actual"]]["live"] == 0:
        token["actual"] = plan.setting[0]["dead_endpoint"]
    actual = int(token["actual"])
    doom = int(token["doom"])
    if actual != token["intended"]:
        token["fault"] = MISADDRESSED
        token["state"] = SILENT
        old = old_address(plan, state, t)
        write(state, journal, now, RECEIVED, t, step, actual, token["sender"], old)
        if receipts == RECEIPTS_BOTH:
            write(state, journal, now, APPLICATION_RECEIPT, t, step, token["sender"], actual, old)
        get_stuck(plan, state, t, now)
        if actual != plan.setting[0]["dead_endpoint"]:
            list_up(plan, state, journal, t, actual, ROUTINE_LEVEL, MISREAD, now)
        return False
    if doom >> REJECTED & 1 or doom >> NO_RECEIPT & 1:
        return refuse(plan, state, journal, t, receipts, now)
    write(state, journal, now, RECEIVED, t, step, actual, token["sender"], 0)
    if receipts == RECEIPTS_BOTH:
        write(state, journal, now, APPLICATION_RECEIPT, t, step, token["sender"], actual, 0)
    if doom >> DUPLICATED & 1:
        token["fault"] = DUPLICATED
        d = twin(state, t, DOUBLE)
        if list_up(plan, state, journal, d, actual, ROUTINE_LEVEL, READ, now):
            end(plan, state, journal, d, now)
    if doom >> UNWATCHED & 1:
        token["fault"] = UNWATCHED
        token["state"] = SILENT
        write(state, journal, now, LISTED_EVENT, t, step, actual, token["sender"], 0)
        get_stuck(plan, state, t, now)
        return False
    return arrived(plan, state, journal, t, now)


@inlined
def refuse(plan: Arrays, state: State, journal: Journal, t: int, receipts: int, now: float) -> bool:
    """Let the receiving application reject a message, or never answer; without receipts nobody is told."""
    token = state.token[t]
    step = int(token["send_step"])
    rejected = int(token["doom"]) >> REJECTED & 1
    token["fault"] = REJECTED if rejected else NO_RECEIPT
    if receipts != RECEIPTS_BOTH:
        token["state"] = SILENT
        write(state, journal, now, RECEIVED, t, step, token["actual"], token["sender"], 0)
        get_stuck(plan, state, t, now)
        return False
    if rejected:
        write(state, journal, now, RECEIVED, t, step, token["actual"], token["sender"], 0)
        tell_sender(plan, state, journal, t, REJECTED_EVENT, now)
        return False
    channel = plan.channel[token["channel"]]
    _, watch, limit, _ = draw(plan, state, t, step, DRAW_ERROR, 0)
    if watch < channel["receipt_watch"] and channel["receipt_limit"] >= 0:
        write(state, journal, now, RECEIVED, t, step, token["actual"], token["sender"], 0)
        schedule(
            state,
            now + sample(plan.tables, channel["receipt_limit"], limit),
            RECEIPT_LIMIT,
            t,
            token["generation"],
        )
        token["phase"] = BROKEN
        return False
    token["state"] = SILENT
    write(state, journal, now, RECEIVED, t, step, token["actual"], token["sender"], 0)
    get_stuck(plan, state, t, now)
    return False


@compiled
def tell_sender(plan: Arrays, state: State, journal: Journal, t: int, event: int, now: float) -> None:
    """Show a failure to the sender: it goes onto the error queue, or nobody acts on it."""
    token = state.token[t]
    sender = int(token["sender"])
    q = int(plan.service[sender]["error_queue"])
    u, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_ERROR, token["attempt"])
    if q < 0 or u < plan.service[q]["ignored"]:
        token["state"] = SILENT
        write(state, journal, now, event, t, token["send_step"], sender, token["actual"], 0)
        get_stuck(plan, state, t, now)
        return
    token["state"] = TOLD
    write(state, journal, now, event, t, token["send_step"], sender, token["actual"], 0)
    list_up(plan, state, journal, t, q, ROUTINE_LEVEL, MEND, now)


@hot
def arrived(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Hand a message over at the right service; True if its token goes on walking at this instant."""
    token = state.token[t]
    step = plan.step[token["send_step"]]
    actual = int(token["actual"])
    if token["role"] == MAIN:
        token["phase"] = RUNNING
        if step["reading"] < 0:
            if not next_works_on_it(plan, state, t):
                token["state"] = SEEN
                write(state, journal, now, OPENED, t, token["send_step"], actual, token["sender"], 0)
            return True
        return list_up(plan, state, journal, t, actual, ROUTINE_LEVEL, READ, now)
    if step["reading"] < 0:
        token["state"] = SEEN
        write(state, journal, now, OPENED, t, token["send_step"], actual, token["sender"], 0)
        return True
    return list_up(plan, state, journal, t, actual, ROUTINE_LEVEL, READ, now)


@inlined
def next_works_on_it(plan: Arrays, state: State, t: int) -> bool:
    """Return whether the step below a send is work on this message at the service that got it."""
    token = state.token[t]
    following = plan.step[plan.step[token["send_step"]]["next"]]
    if plan.step[token["send_step"]]["next"] < 0 or following["kind"] != WORK_STEP:
        return False
    return bool(service_of(plan, state, token["case"], following["role"]) == token["actual"])


@compiled
def twin(state: State, t: int, role: int) -> int:
    """Return a new token that carries the same delivery as another."""
    token = state.token[t]
    r = new_token(state, token["case"], token["send_step"], role)
    other = state.token[r]
    for_same = state.token[t]
    other["delivery"] = for_same["delivery"]
    other["sender"] = for_same["sender"]
    other["intended"] = for_same["intended"]
    other["actual"] = for_same["actual"]
    other["send_step"] = for_same["send_step"]
    other["copy"] = for_same["copy"]
    other["channel"] = for_same["channel"]
    other["attempt"] = for_same["attempt"]
    other["visit"] = for_same["visit"]
    other["sent_at"] = for_same["sent_at"]
    other["fault"] = for_same["fault"]
    other["defect"] = for_same["defect"]
    other["state"] = NONE
    other["of"] = t
    other["of_generation"] = for_same["generation"]
    return r
