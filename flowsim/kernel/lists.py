"""Work lists with staff and opening hours, and places: who is served next, and when.

A list is a real one: items lie on it in order, and a free member of staff takes the next at the
instant that one is free. Nothing is booked ahead.
"""

from __future__ import annotations

import math

from flowsim.kernel.calendars import add_working_hours, at_working_hours, is_open, next_open, working_hours
from flowsim.kernel.compiling import compiled, hot, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.queues import first_of, put, schedule, take_out
from flowsim.kernel.rows import notify, write, write_case, write_hours
from flowsim.kernel.silence import get_stuck, vanish
from flowsim.kernel.state import (
    DONE,
    HOLD_END,
    LISTED,
    MEND,
    PASS,
    PASSING,
    PATIENCE,
    PLACE_FREE,
    QUEUING,
    READ,
    SLOT,
    STAYING,
    VANISH,
    WAKE,
    WORK,
    WORKING,
    Journal,
    State,
)
from flowsim.kernel.tokens import draw, free_case, free_token
from flowsim.plan.layout import LEVEL_UNSERVED, UNLIMITED, Arrays
from flowsim.vocabulary import Event, Fault, NoticeKind, Pace, Purpose, StepKind
from flowsim.vocabulary import State as Truth

LISTED_EVENT = int(Event.listed)
TAKEN = int(Event.taken)
DONE_EVENT = int(Event.done)
PLACED = int(Event.placed)
LEFT = int(Event.left)
CLOSED = int(Event.closed)
RELAY_IN = int(Event.relay_in)
MOVING = int(Truth.moving)
SILENT = int(Truth.silent)
SEEN = int(Truth.seen)
UNWATCHED = int(Fault.unwatched)
VANISHED = int(Fault.vanished)
SEARCH = int(Pace.search)
HANDLING = int(Pace.handling)
LIST_SWAMPED = int(NoticeKind.list_swamped)
DRAW_WORK = int(Purpose.work)
DRAW_PLACE = int(Purpose.place)
DRAW_SKIM = int(Purpose.skim)
WORK_STEP = int(StepKind.work)


@compiled
def system_of(plan: Arrays, state: State, s: int) -> int:
    """Return which record system a service works in: the platform (-1), or its organisation's own."""
    return -1 if state.service[s]["on_platform"] == 1 else int(plan.service[s]["organisation"])


@compiled
def other_systems(plan: Arrays, state: State, t: int, s: int) -> int:
    """Return how many systems hold the patient's information beside the one that a service works in.

    Counted over the service, the patient's practice and the service where the case began.
    """
    case = state.case[state.token[t]["case"]]
    own = system_of(plan, state, s)
    practice = system_of(plan, state, int(plan.practice[case["gp"]]["service"]))
    origin = system_of(plan, state, int(case["origin"]))
    return int(practice != own) + int(origin != own and origin != practice)


@inlined
def work_hours(plan: Arrays, state: State, t: int, s: int) -> float:
    """Return how long staff need for a list entry: handling and, unless ideal, search."""
    token = state.token[t]
    errand = token["errand"]
    setting = plan.setting[0]
    token["search"] = 0.0
    if errand == PASS:
        return 1.0 / float(plan.service[s]["per_hour"])
    if errand == WORK:
        step = plan.step[token["step"]]
        u0, u1, _, _ = draw(plan, state, t, token["step"], DRAW_WORK, 0)
        hours = sample(plan.tables, step["minutes"], u0)
        if setting["ideal"]:
            return hours
        joined = plan.service[s]["practice"] >= 0 and state.service[s]["on_platform"] == 1
        hours *= state.service[s]["pace"][HANDLING]
        if joined:
            hours *= setting["handling_factor"]
        if step["search"] >= 0:
            search = sample(plan.tables, step["search"], u1)
            if token["channel"] > 0:
                search *= plan.channel[token["channel"]]["search_factor"]
            if joined:
                search *= setting["search_factor"]
            search *= state.service[s]["pace"][SEARCH]
            if setting["search_per_system"] > 0.0:
                search *= 1.0 + setting["search_per_system"] * other_systems(plan, state, t, s)
            token["search"] = search
            hours += search
        return float(hours)
    if errand == MEND:
        u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_WORK, 2)
        return sample(plan.tables, plan.service[s]["error_minutes"], u0)
    reading = plan.step[token["send_step"]]["reading"]
    following = int(plan.step[token["send_step"]]["next"])
    if reading < 0 and following >= 0 and plan.step[following]["kind"] == WORK_STEP:
        reading = plan.step[following]["minutes"]
    if reading < 0:
        return 0.0
    u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_WORK, 1)
    return float(sample(plan.tables, reading, u0) * state.service[s]["pace"][HANDLING])


@hot
def attended(plan: Arrays, state: State, s: int, now: float) -> bool:
    """Return whether somebody at a service could take an item at this instant, given free staff."""
    service = state.service[s]
    return (
        service["watched"] == 1
        and service["up"] == 1
        and is_open(plan.calendars, plan.service[s]["calendar"], now)
    )


@hot
def idle(state: State, s: int) -> bool:
    """Return whether a member of staff is free."""
    service = state.service[s]
    return bool(service["staff"] == UNLIMITED or service["busy"] < service["staff"])


@compiled
def list_up(
    plan: Arrays, state: State, journal: Journal, t: int, s: int, level: int, errand: int, now: float
) -> bool:
    """Put a token on a service's work list; True if the work was done at once and took no time."""
    token = state.token[t]
    service = state.service[s]
    token["errand"] = errand
    token["at"] = s
    service["length"] += 1
    if errand == PASS:
        write(state, journal, now, RELAY_IN, t, token["send_step"], s, token["sender"], service["length"])
    else:
        step = token["step"] if errand == WORK else token["send_step"]
        unseen = service["watched"] == 0 and token["delivery"] != 0 and token["state"] == MOVING
        if unseen:
            token["fault"] = UNWATCHED
            token["state"] = SILENT
            get_stuck(plan, state, t, now)
        write(state, journal, now, LISTED_EVENT, t, step, s, token["sender"], service["length"])
    if token["doom"] >> VANISHED & 1 and token["delivery"] != 0 and (errand == WORK or errand == READ):
        # It is shown on the list, and will be gone before anybody takes it.
        token["doom"] ^= 1 << VANISHED
        u0, _, _, _ = draw(plan, state, t, token["send_step"], DRAW_WORK, 3)
        level = LEVEL_UNSERVED
        shown = sample(plan.tables, plan.setting[0]["vanish_delay"], u0)
        schedule(state, now + shown, VANISH, t, token["generation"])
    elif service["length"] == 1 and attended(plan, state, s, now) and idle(state, s):
        return begin(plan, state, journal, t, s, now, True)
    put(state, s, level, t)
    token["phase"] = LISTED
    if errand == WORK:
        patience = plan.step[token["step"]]["patience"]
        if patience >= 0:
            _, _, u2, _ = draw(plan, state, t, token["step"], DRAW_WORK, 0)
            schedule(state, now + sample(plan.tables, patience, u2), PATIENCE, t, token["generation"])
    swamped_at = plan.service[s]["swamped_at"]
    if swamped_at > 0 and service["length"] >= swamped_at and service["swamped"] == 0:
        service["swamped"] = 1
        notify(state, now, LIST_SWAMPED, s, service["length"], 0, 0)
    arrange_wake(plan, state, s, now)
    return False


@hot
def arrange_wake(plan: Arrays, state: State, s: int, now: float) -> None:
    """See to it that a list with items is looked at when its service opens next."""
    service = state.service[s]
    if service["watched"] == 0 or service["up"] == 0 or not idle(state, s):
        return
    at = next_open(plan.calendars, plan.service[s]["calendar"], now)
    if at < service["wake_at"]:
        service["wake_at"] = at
        if at < plan.setting[0]["end"]:
            schedule(state, at, WAKE, s, 0)


@hot
def begin(plan: Arrays, state: State, journal: Journal, t: int, s: int, now: float, at_once: bool) -> bool:
    """Let a member of staff take a token; True if the work takes no time and may be done at once."""
    token = state.token[t]
    service = state.service[s]
    service["length"] -= 1
    if service["swamped"] == 1 and 2 * service["length"] < plan.service[s]["swamped_at"]:
        service["swamped"] = 0
    # Patience and being found by others end here.
    token["generation"] += 1
    errand = token["errand"]
    if errand == PASS:
        token["phase"] = PASSING
    else:
        step = token["step"] if errand == WORK else token["send_step"]
        if token["delivery"] != 0 and s == token["intended"] and token["state"] != 0:
            token["state"] = SEEN
        write(state, journal, now, TAKEN, t, step, s, token["sender"], service["length"])
        token["phase"] = WORKING
    hours = work_hours(plan, state, t, s)
    if service["swamped"] == 1 and errand != PASS:
        hours *= plan.setting[0]["skim_minutes"]
        token["search"] *= plan.setting[0]["skim_minutes"]
    if errand != PASS:
        write_hours(journal, hours)
    if at_once and hours == 0.0 and (errand == WORK or errand == READ):
        write(
            state,
            journal,
            now,
            DONE_EVENT,
            t,
            token["step"] if errand == WORK else token["send_step"],
            s,
            token["sender"],
            0,
        )
        return True
    service["busy"] += 1
    schedule(state, now + hours, DONE, t, token["generation"])
    return False


@compiled
def passed_over(plan: Arrays, state: State, t: int) -> bool:
    """Return whether staff of a swamped list skim an item and miss what it asks for."""
    token = state.token[t]
    if token["errand"] != WORK and token["errand"] != READ:
        return False
    step = token["step"] if token["errand"] == WORK else token["send_step"]
    u0, _, _, _ = draw(plan, state, t, step, DRAW_SKIM, 0)
    return bool(u0 < plan.setting[0]["skim_missed"])


@hot
def serve(plan: Arrays, state: State, journal: Journal, s: int, now: float) -> None:
    """Let a free member of staff take the next item; if more could be taken, come back at this instant."""
    service = state.service[s]
    if service["length"] == 0 or not idle(state, s):
        return
    if not attended(plan, state, s, now):
        arrange_wake(plan, state, s, now)
        return
    t = first_of(state, s)
    if t < 0:
        return
    swamped = service["swamped"] == 1 and plan.setting[0]["skim_missed"] > 0.0
    if swamped and passed_over(plan, state, t):
        vanish(plan, state, journal, t, now)
    else:
        take_out(state, t)
        begin(plan, state, journal, t, s, now, False)
    if service["length"] > 0 and idle(state, s):
        service["wake_at"] = now
        schedule(state, now, WAKE, s, 0)


@hot
def leave_list(state: State, t: int) -> None:
    """Take a token off the work list that it is on without its being worked."""
    state.service[state.token[t]["at"]]["length"] -= 1
    take_out(state, t)


@hot
def queue_slot(plan: Arrays, s: int) -> int:
    """Return the list of those waiting for a service's places."""
    return len(plan.service) + s


@inlined
def ask_place(plan: Arrays, state: State, journal: Journal, t: int, s: int, level: int, now: float) -> bool:
    """Ask for a bed or slot at a service; True if it was got at once and the token goes on."""
    token = state.token[t]
    service = state.service[s]
    token["at"] = s
    step = token["step"]
    if plan.service[s]["slot_rate"] == 0.0 and service["free"] > 0 and service["queue_length"] == 0:
        return give_place(plan, state, journal, t, s, now)
    service["queue_length"] += 1
    write(state, journal, now, LISTED_EVENT, t, step, s, -1, service["queue_length"])
    put(state, queue_slot(plan, s), level, t)
    token["phase"] = QUEUING
    patience = plan.step[step]["patience"]
    if patience >= 0:
        _, _, u2, _ = draw(plan, state, t, step, DRAW_PLACE, 0)
        schedule(state, now + sample(plan.tables, patience, u2), PATIENCE, t, token["generation"])
    if plan.service[s]["slot_rate"] > 0.0:
        open_slot(plan, state, s, now)
    return False


@hot
def open_slot(plan: Arrays, state: State, s: int, now: float) -> None:
    """Schedule the next slot of a clinic if somebody waits and none is scheduled.

    Slots lie on a grid of working time; one that nobody waited for has lapsed.
    """
    service = state.service[s]
    if service["slot_open"] == 1 or service["queue_length"] == 0:
        return
    rate = plan.service[s]["slot_rate"]
    calendar = plan.service[s]["slot_calendar"]
    following = math.floor(working_hours(plan.calendars, calendar, now) * rate) + 1
    if following <= service["slot_last"]:
        following = int(service["slot_last"]) + 1
    at = at_working_hours(plan.calendars, calendar, following / rate)
    service["slot_last"] = following
    service["slot_open"] = 1
    if at < plan.setting[0]["end"]:
        schedule(state, max(at, now), SLOT, s, 0)


@hot
def release(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Free the place that a token holds, if it holds one; who waits is served at this instant."""
    token = state.token[t]
    s = token["place"]
    if s < 0:
        return
    token["place"] = -1
    write(state, journal, now, LEFT, t, token["place_step"], s, -1, state.service[s]["queue_length"])
    if plan.service[s]["slot_rate"] == 0.0:
        state.service[s]["free"] += 1
        schedule(state, now, PLACE_FREE, s, 0)


@hot
def give_place(plan: Arrays, state: State, journal: Journal, t: int, s: int, now: float) -> bool:
    """Give a token a bed or slot; True if it goes on at once (it keeps the place on its way)."""
    token = state.token[t]
    token["generation"] += 1
    release(plan, state, journal, t, now)
    if plan.service[s]["slot_rate"] == 0.0:
        state.service[s]["free"] -= 1
    token["place"] = s
    step = token["step"]
    token["place_step"] = step
    write(state, journal, now, PLACED, t, step, s, -1, state.service[s]["queue_length"])
    hold = plan.step[step]["hold"]
    if hold < 0:
        return True
    u0, _, _, _ = draw(plan, state, t, step, DRAW_PLACE, 0)
    token["phase"] = STAYING
    schedule(state, now + sample(plan.tables, hold, u0), HOLD_END, t, token["generation"])
    return False


@inlined
def wait_hours(plan: Arrays, now: float, hours: float, calendar: int) -> float:
    """Return the instant that lies so many hours on, counted in a calendar's open hours if it has one."""
    if calendar < 0:
        return now + hours
    return add_working_hours(plan.calendars, calendar, now, hours)


@hot
def end(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """End a token; with its last one the case ends."""
    token = state.token[t]
    c = int(token["case"])
    step = token["step"]
    token["delivery"] = 0
    release(plan, state, journal, t, now)
    free_token(state, t)
    if state.case[c]["tokens"] == 0:
        write_case(state, journal, now, CLOSED, c, step, state.case[c]["origin"], -1)
        free_case(state, c)
