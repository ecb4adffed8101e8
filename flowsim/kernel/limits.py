"""What happens when a time limit passes: patience on a list or for a place, and deadlines with an alarm."""

from __future__ import annotations

from flowsim.kernel.compiling import inlined
from flowsim.kernel.lists import leave_list
from flowsim.kernel.queues import take_out
from flowsim.kernel.rows import notify, write
from flowsim.kernel.silence import report_missed
from flowsim.kernel.state import LISTED, RUNNING, STUCK, Journal, State
from flowsim.kernel.steps import withdraw
from flowsim.plan.layout import Arrays
from flowsim.vocabulary import Event, NoticeKind
from flowsim.vocabulary import State as Truth

CANCELLED = int(Event.cancelled)
DEADLINE = int(Event.deadline)
SEEN = int(Truth.seen)
ENDED = int(Truth.ended)
NO_STATE = int(Truth.none)
DEADLINE_PASSED = int(NoticeKind.deadline_passed)


@inlined
def impatient(plan: Arrays, state: State, journal: Journal, t: int, now: float) -> bool:
    """Stop waiting on a list or for a place: go elsewhere, or withdraw."""
    token = state.token[t]
    c = int(token["case"])
    other = plan.step[token["step"]]["impatient"]
    if other < 0:
        withdraw(plan, state, journal, c, now)
        return False
    if token["phase"] == LISTED:
        leave_list(state, t)
        if token["delivery"] != 0 and token["state"] != SEEN:
            token["state"] = ENDED
        left = state.service[token["at"]]["length"]
        write(state, journal, now, CANCELLED, t, token["step"], token["at"], token["sender"], left)
    elif token["phase"] == STUCK:
        # It had vanished from the list, and now it is too late for it.
        report_missed(plan, state, t, now)
        if token["delivery"] != 0 and token["state"] != SEEN:
            token["state"] = ENDED
            write(state, journal, now, CANCELLED, t, token["step"], token["at"], token["sender"], 0)
    else:
        state.service[token["at"]]["queue_length"] -= 1
        take_out(state, t)
        left = state.service[token["at"]]["queue_length"]
        write(state, journal, now, CANCELLED, t, token["step"], token["at"], -1, left)
    token["generation"] += 1
    token["delivery"] = 0
    token["phase"] = RUNNING
    token["step"] = other
    return True


@inlined
def alarm(plan: Arrays, state: State, journal: Journal, t: int, life: int, now: float) -> None:
    """Write that a limit has passed without the message having been seen, and tell the world."""
    token = state.token[t]
    if (
        token["life"] != life
        or token["delivery"] == 0
        or token["state"] == SEEN
        or token["state"] == NO_STATE
    ):
        return
    step = plan.step[token["send_step"]]
    if token["authored_at"] + step["alarm"] != now:
        return
    write(state, journal, now, DEADLINE, t, token["send_step"], token["intended"], token["sender"], 0)
    notify(
        state,
        now,
        DEADLINE_PASSED,
        token["intended"],
        token["send_step"],
        state.case[token["case"]]["id"],
        token["delivery"],
    )
