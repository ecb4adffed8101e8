"""What will go wrong with a message: drawn when it is authored, from its own address, kept as bits.

Independent faults by their rates, then those of the defects that are active and hit its class.
"""

from __future__ import annotations

from flowsim.kernel.compiling import hot, inlined
from flowsim.kernel.draws import place_purpose, uniforms, visit_attempt
from flowsim.kernel.state import ACTIVE, REPLICATION, State
from flowsim.kernel.tokens import draw
from flowsim.plan.layout import CHANNELS, DIALS, FAULTS, Arrays
from flowsim.vocabulary import Fault, Pace, Purpose

NOT_EMITTED = int(Fault.not_emitted)
UNDELIVERED = int(Fault.undelivered)
NO_RECEIPT = int(Fault.no_receipt)
REJECTED = int(Fault.rejected)
MISADDRESSED = int(Fault.misaddressed)
UNWATCHED = int(Fault.unwatched)
VANISHED = int(Fault.vanished)
DUPLICATED = int(Fault.duplicated)
LATE = int(Fault.late)
INCOMPLETE = int(Fault.incomplete)
COPY_OMITTED = int(Fault.copy_omitted)
SLIPS = int(Pace.slips)

DRAW_SEND = int(Purpose.send)
DRAW_SEND_MORE = int(Purpose.send_more)
DRAW_DEFECT = int(Purpose.defect)


@hot
def rate(plan: Arrays, state: State, place: int, fault: int) -> float:
    """Return how often a fault strikes a message now; ``place`` is where its step and channel begin."""
    return float(plan.fault_rate[place + fault] * state.dial[fault])


@inlined
def doom_of(plan: Arrays, state: State, t: int) -> int:
    """Return the bits of the independent faults that a message will have."""
    token = state.token[t]
    channel = int(token["channel"])
    step = int(token["send_step"])
    place = (step * CHANNELS + channel) * FAULTS
    # What people do wrong, and not what systems do, follows training and load.
    sender = state.service[token["sender"]]
    slips = sender["pace"][SLIPS]
    if sender["swamped"] == 1:
        slips *= plan.setting[0]["swamped_slips"]
    emit, address, reject, silent = draw(plan, state, t, step, DRAW_SEND, 0)
    pool, late, double, undelivered = draw(plan, state, t, step, DRAW_SEND_MORE, 0)
    # Most messages meet no fault, and all of that is told by one look at the highest of the rates.
    top = plan.fault_rate[place] * state.dial[0] * max(slips, 1.0)
    far = 1.0 - top
    if (
        top <= emit <= far
        and address >= top
        and reject >= top
        and silent >= top
        and top <= pool <= far
        and top <= late <= far
        and double >= top
        and undelivered >= top
    ):
        return 0
    doom = 0
    if emit < rate(plan, state, place, NOT_EMITTED):
        doom |= 1 << NOT_EMITTED
    elif token["copy"] > 0 and emit > 1.0 - slips * rate(plan, state, place, COPY_OMITTED):
        doom |= 1 << COPY_OMITTED
    if address < slips * rate(plan, state, place, MISADDRESSED):
        doom |= 1 << MISADDRESSED
    if reject < rate(plan, state, place, REJECTED):
        doom |= 1 << REJECTED
    elif silent < rate(plan, state, place, NO_RECEIPT):
        doom |= 1 << NO_RECEIPT
    if pool < rate(plan, state, place, UNWATCHED):
        doom |= 1 << UNWATCHED
    elif pool > 1.0 - rate(plan, state, place, VANISHED):
        doom |= 1 << VANISHED
    if late < rate(plan, state, place, LATE):
        doom |= 1 << LATE
    elif late > 1.0 - slips * rate(plan, state, place, INCOMPLETE):
        doom |= 1 << INCOMPLETE
    if double < rate(plan, state, place, DUPLICATED):
        doom |= 1 << DUPLICATED
    if undelivered < rate(plan, state, place, UNDELIVERED):
        doom |= 1 << UNDELIVERED
    return doom


@inlined
def defects_of(plan: Arrays, state: State, t: int, doom: int) -> int:
    """Add the faults of the defects that are active now and hit this message."""
    token = state.token[t]
    step = plan.step[token["send_step"]]
    for k in range(state.counter[ACTIVE]):
        d = int(state.running[k])
        defect = plan.defect[d]
        if not int(defect["messages"]) >> int(step["message"]) & 1:
            continue
        if defect["template"] >= 0 and defect["template"] != step["template"]:
            continue
        if defect["channel"] >= 0 and defect["channel"] != token["channel"]:
            continue
        if (
            defect["organisation"] >= 0
            and defect["organisation"] != plan.service[token["sender"]]["organisation"]
        ):
            continue
        if defect["sender"] >= 0 and defect["sender"] != token["sender"]:
            continue
        if defect["receiver"] >= 0 and defect["receiver"] != token["intended"]:
            continue
        chance = (defect["chance_copy"] if token["copy"] > 0 else defect["chance"]) * state.dial[DIALS + d]
        if chance <= 0.0:
            continue
        case = state.case[token["case"]]
        # The defect's own hash stands for the case's number, so that defects do not share their luck.
        u, _, _, _ = uniforms(
            plan.setting[0]["seed"],
            state.counter[REPLICATION],
            int(case["family"]) ^ int(defect["hash"]),
            case["n"],
            place_purpose(step["place"], DRAW_DEFECT),
            visit_attempt(token["visit"], token["copy"], 0),
        )
        fault = int(defect["fault"])
        # A lever on a class of fault works on both its forms, the independent one and the defect's.
        if u < chance * state.dial[fault]:
            doom |= 1 << fault
            token["defect"] = d
    return doom
