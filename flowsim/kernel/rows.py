"""Writing journal rows and notices: the only two ways in which the kernel tells anything."""

from __future__ import annotations

from flowsim.kernel.compiling import compiled, hot, inlined
from flowsim.kernel.state import NOTICES, SUBSCRIBED, Journal, State


@compiled
def write(
    state: State,
    journal: Journal,
    now: float,
    event: int,
    t: int,
    step: int,
    service: int,
    peer: int,
    length: int,
) -> None:
    """Write a row about a token, and about its delivery if it carries one."""
    k = journal.length[0]
    journal.length[0] = k + 1
    row = journal.rows[k]
    token = state.token[t]
    case = state.case[token["case"]]
    row["time"] = now
    row["case"] = case["id"]
    row["delivery"] = token["delivery"]
    row["step"] = step
    row["service"] = service
    row["peer"] = peer
    row["list_length"] = length
    row["hours"] = 0.0
    row["event"] = event
    row["urgency"] = case["urgency"]
    if token["delivery"] != 0:
        row["channel"] = token["channel"]
        row["attempt"] = token["attempt"]
        row["intended"] = token["intended"]
        row["defect"] = token["defect"]
        row["fault"] = token["fault"]
        row["state"] = token["state"]
    else:
        row["channel"] = 0
        row["attempt"] = 0
        row["intended"] = -1
        row["defect"] = -1
        row["fault"] = 0
        row["state"] = 0


@hot
def write_case(
    state: State, journal: Journal, now: float, event: int, c: int, step: int, service: int, peer: int
) -> None:
    """Write a row about a case."""
    k = journal.length[0]
    journal.length[0] = k + 1
    row = journal.rows[k]
    case = state.case[c]
    row["time"] = now
    row["case"] = case["id"]
    row["delivery"] = 0
    row["step"] = step
    row["service"] = service
    row["peer"] = peer
    row["list_length"] = 0
    row["hours"] = 0.0
    row["event"] = event
    row["urgency"] = case["urgency"]
    row["channel"] = 0
    row["attempt"] = 0
    row["intended"] = -1
    row["defect"] = -1
    row["fault"] = 0
    row["state"] = 0


@inlined
def write_service(
    journal: Journal,
    now: float,
    event: int,
    service: int,
    length: int,
    defect: int,
    level: int,
    hours: float,
) -> None:
    """Write a row about a service or a defect alone: a snapshot of a list, or what the world did."""
    k = journal.length[0]
    journal.length[0] = k + 1
    row = journal.rows[k]
    row["time"] = now
    row["case"] = 0
    row["delivery"] = 0
    row["step"] = -1
    row["service"] = service
    row["peer"] = -1
    row["list_length"] = length
    row["hours"] = hours
    row["event"] = event
    row["urgency"] = 0
    row["channel"] = 0
    row["attempt"] = level
    row["intended"] = -1
    row["defect"] = defect
    row["fault"] = 0
    row["state"] = 0


@hot
def write_hours(journal: Journal, hours: float) -> None:
    """Write staff hours into the row written last."""
    journal.rows[journal.length[0] - 1]["hours"] = hours


@compiled
def notify(state: State, now: float, kind: int, a: int, b: int, case: int, delivery: int) -> None:
    """Tell the world something that it has asked to hear; the kernel stops after this entry."""
    if not int(state.counter[SUBSCRIBED]) >> int(kind) & 1:
        return
    k = state.counter[NOTICES]
    if k >= len(state.notice):
        return
    state.counter[NOTICES] = k + 1
    notice = state.notice[k]
    notice["time"] = now
    notice["kind"] = kind
    notice["a"] = a
    notice["b"] = b
    notice["case"] = case
    notice["delivery"] = delivery
