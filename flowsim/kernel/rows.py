"""Writing journal rows and notices: the only two ways in which the kernel tells anything."""

from __future__ import annotations

from flowsim.kernel.compiling import compiled, inlined
from flowsim.kernel.state import NOTICES, SUBSCRIBED


@compiled
def write(state, journal, now, event, t, step, service, peer, length):  # type: ignore[no-untyped-def]
    """Write a row about a token, and about its delivery if it carries one."""
    k = journal.count[0]
    journal.count[0] = k + 1
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


@compiled
def write_case(state, journal, now, event, c, step, service, peer):  # type: ignore[no-untyped-def]
    """Write a row about a case."""
    k = journal.count[0]
    journal.count[0] = k + 1
    row = journal.rows[k]
    case = state.case[c]
    row["time"] = now
    row["case"] = case["id"]
    row["delivery"] = 0
    row["step"] = step
    row["service"] = service
    row["peer"] = peer
    row["list_length"] = 0
    row["event"] = event
    row["urgency"] = case["urgency"]
    row["channel"] = 0
    row["attempt"] = 0
    row["intended"] = -1
    row["defect"] = -1
    row["fault"] = 0
    row["state"] = 0


@inlined
def write_service(journal, now, event, service, length):  # type: ignore[no-untyped-def]
    """Write a row about a service alone (a snapshot of its list)."""
    k = journal.count[0]
    journal.count[0] = k + 1
    row = journal.rows[k]
    row["time"] = now
    row["case"] = 0
    row["delivery"] = 0
    row["step"] = -1
    row["service"] = service
    row["peer"] = -1
    row["list_length"] = length
    row["event"] = event
    row["urgency"] = 0
    row["channel"] = 0
    row["attempt"] = 0
    row["intended"] = -1
    row["defect"] = -1
    row["fault"] = 0
    row["state"] = 0


@compiled
def notify(state, now, kind, a, b, case, delivery):  # type: ignore[no-untyped-def]
    """Tell the world something that it has asked to hear; the kernel stops after this entry."""
    if not int(state.count[SUBSCRIBED]) >> int(kind) & 1:
        return
    k = state.count[NOTICES]
    if k >= len(state.notice):
        return
    state.count[NOTICES] = k + 1
    notice = state.notice[k]
    notice["time"] = now
    notice["kind"] = kind
    notice["a"] = a
    notice["b"] = b
    notice["case"] = case
    notice["delivery"] = delivery
