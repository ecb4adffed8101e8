"""One function for each kind of step; each answers whether the token goes on at this instant."""

from __future__ import annotations

from flowsim.kernel.compiling import compiled, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.lists import ask_place, end, leave_list, list_up, release, wait_hours
from flowsim.kernel.queues import schedule, take_out
from flowsim.kernel.rows import write, write_case
from flowsim.kernel.state import (
    BROKEN,
    HELD,
    LISTED,
    PASSING,
    PAUSE_AFTER,
    QUEUE_LENGTH,
    QUEUING,
    READER,
    STEP,
    TOKENS_LEFT,
    WAITING,
    WAKE,
    WORKING,
    Journal,
    State,
)
from flowsim.kernel.tokens import draw, free_case, free_token, level_of, new_token, service_of
from flowsim.kernel.transport import post
from flowsim.plan.layout import COPIES, REGISTERS, Arrays
from flowsim.vocabulary import Event, Milestone, Purpose, StepKind
from flowsim.vocabulary import State as Truth

SEND = int(StepKind.send)
WORK = int(StepKind.work)
PLACE = int(StepKind.place)
WAIT = int(StepKind.wait)
BRANCH = int(StepKind.branch)
FORK = int(StepKind.fork)
JOIN = int(StepKind.join)
SET = int(StepKind.set)
COPY = int(StepKind.copy)
COMPARE = int(StepKind.compare)
REPEAT = int(StepKind.repeat)
CANCEL = int(StepKind.cancel)
MILESTONE = int(StepKind.milestone)
SHARED = int(StepKind.shared)

CLOSED = int(Event.closed)
CANCELLED = int(Event.cancelled)
WITHDRAWN = int(Event.withdrawn)
MILESTONE_EVENT = int(Event.milestone)
CARE_STARTED = int(Milestone.care_started)
SEEN = int(Truth.seen)
ENDED = int(Truth.ended)
NO_STATE = int(Truth.none)
DRAW_WAIT = int(Purpose.wait)
DRAW_BRANCH = int(Purpose.branch)
ERRAND_WORK = 0


@inlined
def run(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> None:
    """Walk a token through its steps until it waits for something or ends.

    A walk that fills much of the room goes on at this instant as an entry of its own.
    """
    rows = journal.length[0]
    entries = state.counter[QUEUE_LENGTH]
    tokens = state.counter[TOKENS_LEFT]
    while step_once(plan, state, journal, t, now):
        if (
            journal.length[0] - rows > PAUSE_AFTER
            or state.counter[QUEUE_LENGTH] - entries > PAUSE_AFTER
            or tokens - state.counter[TOKENS_LEFT] > PAUSE_AFTER
        ):
            state.token[t]["phase"] = WAITING
            schedule(state, now, STEP, t, state.token[t]["generation"])
            return


@inlined
def step_once(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Do the step that a token stands at; True if it stands at another one and goes on."""
    token = state.token[t]
    if token["role"] == READER or token["step"] < 0:
        end(plan, state, journal, t, now)
        return False
    if token["step"] <= token["last"]:
        # Back at an earlier step: a new visit, with luck and messages of its own.
        token["visit"] += 1
    token["last"] = token["step"]
    kind = plan.step[token["step"]]["kind"]
    if kind == WORK:
        return do_work(plan, state, journal, t, now)
    if kind == SEND:
        return do_send(plan, state, journal, t, now)
    if kind == MILESTONE:
        return do_milestone(plan, state, journal, t, now)
    if kind == PLACE:
        return do_place(plan, state, journal, t, now)
    if kind == WAIT:
        return do_wait(plan, state, t, now)
    if kind == BRANCH:
        return do_branch(plan, state, t)
    if kind == FORK:
        return do_fork(plan, state, t, now)
    if kind == JOIN:
        return do_join(plan, state, journal, t, now)
    if kind == SET:
        return do_set(plan, state, t)
    if kind == COPY:
        return do_copy(plan, state, t)
    if kind == COMPARE:
        return do_compare(plan, state, t)
    if kind == REPEAT:
        return do_repeat(plan, state, t)
    if kind == CANCEL:
        return do_cancel(plan, state, journal, t, now)
    if kind == SHARED:
        return do_shared(plan, state, t)
    return do_end(plan, state, journal, t, now)


@inlined
def do_send(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """send: author the message and its copies; go on when it has arrived, or at once."""
    token = state.token[t]
    step = int(token["step"])
    c = int(token["case"])
    definition = plan.step[step]
    for k in range(definition["copies"]):
        r = new_token(state, c, step, READER)
        state.token[r]["visit"] = state.token[t]["visit"]
        if post(plan, state, journal, r, step, plan.copy_role[step * COPIES + k], k + 1, now):
            end(plan, state, journal, r, now)
    token["step"] = definition["next"]
    if definition["waits"]:
        return post(plan, state, journal, t, step, definition["role"], 0, now)
    r = new_token(state, c, step, READER)
    state.token[r]["visit"] = state.token[t]["visit"]
    if post(plan, state, journal, r, step, definition["role"], 0, now):
        end(plan, state, journal, r, now)
    return True


@inlined
def do_work(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """work: onto the service's list, until staff have taken it and are done."""
    token = state.token[t]
    step = plan.step[token["step"]]
    s = service_of(plan, state, token["case"], step["role"])
    level = level_of(state, t, step["priority"])
    if list_up(plan, state, journal, t, s, level, ERRAND_WORK, now):
        token["delivery"] = 0
        token["step"] = step["next"]
        return True
    return False


@inlined
def do_place(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """place: take a bed or slot, or wait for one, or be turned away."""
    token = state.token[t]
    token["delivery"] = 0
    step = plan.step[token["step"]]
    s = service_of(plan, state, token["case"], step["role"])
    full = state.service[s]["free"] <= 0 or state.service[s]["queue_length"] > 0
    if step["turned_away"] >= 0 and plan.service[s]["slot_rate"] == 0.0 and full:
        token["step"] = step["turned_away"]
        return True
    if ask_place(plan, state, journal, t, s, level_of(state, t, step["priority"]), now):
        token["step"] = step["next"]
        return True
    return False


@inlined
def do_wait(plan: Arrays, state: State, t: int, now: float) -> bool:
    """wait: let time pass, by the clock or in a calendar's open hours."""
    token = state.token[t]
    step = plan.step[token["step"]]
    u0, _, _, _ = draw(plan, state, t, token["step"], DRAW_WAIT, 0)
    at = wait_hours(plan, now, sample(plan.tables, step["minutes"], u0), step["calendar"])
    token["delivery"] = 0
    token["step"] = step["next"]
    if at <= now:
        return True
    token["phase"] = WAITING
    if at < plan.setting[0]["end"]:
        schedule(state, at, STEP, t, token["generation"])
    return False


@inlined
def do_branch(plan: Arrays, state: State, t: int) -> bool:
    """branch: go one of several ways, by the shares for the case's urgency."""
    token = state.token[t]
    step = plan.step[token["step"]]
    u0, _, _, _ = draw(plan, state, t, token["step"], DRAW_BRANCH, 0)
    first = int(step["first"]) + int(state.case[token["case"]]["urgency"]) * int(step["count"])
    k = 0
    while k < step["count"] - 1 and u0 >= plan.choice[first + k]:
        k += 1
    token["step"] = plan.target[first + k]
    return True


@inlined
def do_fork(plan: Arrays, state: State, t: int, now: float) -> bool:
    """fork: start the other threads at this instant, and go on."""
    token = state.token[t]
    step = plan.step[token["step"]]
    for k in range(step["count"]):
        other = new_token(state, int(token["case"]), plan.target[int(step["first"]) + k], 0)
        state.token[other]["visit"] = token["visit"]
        state.token[other]["channel"] = token["channel"]
        state.token[other]["phase"] = WAITING
        schedule(state, now, STEP, other, state.token[other]["generation"])
    token["step"] = step["next"]
    return True


@inlined
def do_join(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """join: wait for the other threads; the last to come goes on."""
    token = state.token[t]
    step = plan.step[token["step"]]
    place = int(token["case"]) * REGISTERS + int(step["register_a"])
    state.register[place] += 1
    if state.register[place] < step["value"]:
        release(plan, state, journal, t, now)
        token["delivery"] = 0
        end(plan, state, journal, t, now)
        return False
    state.register[place] = 0
    token["step"] = step["next"]
    return True


@inlined
def do_set(plan: Arrays, state: State, t: int) -> bool:
    """set: write or add a number."""
    token = state.token[t]
    step = plan.step[token["step"]]
    place = int(token["case"]) * REGISTERS + int(step["register_a"])
    state.register[place] = step["value"] + (state.register[place] if step["flag"] == 1 else 0)
    token["step"] = step["next"]
    return True


@inlined
def do_copy(plan: Arrays, state: State, t: int) -> bool:
    """copy: one register becomes what another is."""
    token = state.token[t]
    step = plan.step[token["step"]]
    base = int(token["case"]) * REGISTERS
    state.register[base + int(step["register_b"])] = state.register[base + int(step["register_a"])]
    token["step"] = step["next"]
    return True


@inlined
def do_compare(plan: Arrays, state: State, t: int) -> bool:
    """compare: go one way if two registers agree, else the other."""
    token = state.token[t]
    step = plan.step[token["step"]]
    base = int(token["case"]) * REGISTERS
    same = state.register[base + int(step["register_a"])] == state.register[base + int(step["register_b"])]
    token["step"] = step["yes"] if same else step["no"]
    return True


@inlined
def do_shared(plan: Arrays, state: State, t: int) -> bool:
    """shared: go one way if all these services are on the platform now, else the other."""
    token = state.token[t]
    step = plan.step[token["step"]]
    answer = int(step["yes"])
    for k in range(step["copies"]):
        s = service_of(plan, state, token["case"], plan.copy_role[int(token["step"]) * COPIES + k])
        if state.service[s]["on_platform"] == 0:
            answer = int(step["no"])
    token["step"] = answer
    return True


@inlined
def do_repeat(plan: Arrays, state: State, t: int) -> bool:
    """repeat: go back so many times, then on; each round draws its own luck."""
    token = state.token[t]
    step = plan.step[token["step"]]
    place = int(token["case"]) * REGISTERS + int(step["register_a"])
    state.register[place] += 1
    if state.register[place] < step["value"]:
        token["visit"] += 1
        token["last"] = -1
        token["step"] = step["yes"]
    else:
        state.register[place] = 0
        token["step"] = step["next"]
    return True


@inlined
def do_cancel(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """cancel: end the case's other threads, all or those that began at one step."""
    token = state.token[t]
    step = plan.step[token["step"]]
    other = int(state.case[token["case"]]["first"])
    while other >= 0:
        following = int(state.token[other]["sibling"])
        if other != t and (step["value"] < 0 or state.token[other]["thread"] == step["value"]):
            stop(plan, state, journal, other, CANCELLED, now)
        other = following
    token["step"] = step["next"]
    return True


@inlined
def do_milestone(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """milestone: a named point is reached."""
    token = state.token[t]
    step = plan.step[token["step"]]
    c = int(token["case"])
    write_case(state, journal, now, MILESTONE_EVENT, c, token["step"], state.case[c]["origin"], -1)
    if step["milestone"] == CARE_STARTED:
        state.case[c]["started"] = 1
    token["step"] = step["next"]
    return True


@inlined
def do_end(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """end: this thread is over; with the last one the case is closed."""
    end(plan, state, journal, t, now)
    return False


@compiled
def stop(plan: Arrays, state: State, journal: Journal, t: int, event: int, now: float) -> None:
    """Take a token out of whatever it is doing; its unseen delivery is cancelled or withdrawn."""
    token = state.token[t]
    phase = token["phase"]
    s = int(token["at"])
    if phase == LISTED or phase == HELD or (phase == BROKEN and token["list"] >= 0):
        leave_list(state, t)
    elif phase == QUEUING:
        state.service[s]["queue_length"] -= 1
        take_out(state, t)
    elif phase == WORKING or phase == PASSING:
        state.service[s]["busy"] -= 1
        schedule(state, now, WAKE, s, 0)
    if token["delivery"] != 0 and token["state"] != SEEN and token["state"] != NO_STATE:
        token["state"] = ENDED
        write(state, journal, now, event, t, token["send_step"], token["sender"], token["intended"], 0)
    elif phase == LISTED or phase == QUEUING:
        # Without a message under way there is still an entry that leaves a list.
        left = state.service[s]["length"] if phase == LISTED else state.service[s]["queue_length"]
        write(state, journal, now, CANCELLED, t, token["step"], s, token["sender"], left)
    token["delivery"] = 0
    release(plan, state, journal, t, now)
    free_token(state, t)


@compiled
def withdraw(plan: Arrays, state: State, journal: Journal, c: int, now: float) -> None:
    """Let the patient withdraw or die: every thread of the case ends."""
    case = state.case[c]
    write_case(state, journal, now, WITHDRAWN, c, -1, case["origin"], -1)
    while case["first"] >= 0:
        stop(plan, state, journal, int(case["first"]), WITHDRAWN, now)
    write_case(state, journal, now, CLOSED, c, -1, case["origin"], -1)
    free_case(state, c)
