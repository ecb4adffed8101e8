"""The compiled loop that turns journal rows into one growing row per case and per delivery.

The two tables hold raw instants and codes only; ``frames`` derives fates, deadlines and words from
them when the run is over. A hash table with open addressing finds the row of a (case, delivery), and
forgets a case once its horizon has passed, so what is looked up in stays as small as what is open.

All compiled functions stand in this one file: Numba's cache looks at the file of the outer function
only, and would go on using old code if an inner one stood elsewhere and was edited.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.episodes.layout import Array, Lengths, StepTable, Used, Window
from flowsim.journal.compiling import compiled
from flowsim.vocabulary import Event, Fault, Milestone, State

_AUTHORED, _EMITTED, _TRANSPORTED, _ACCEPTED, _LISTED, _OPENED, _ACTED = range(1, 8)

# Numba freezes plain integers into the compiled code, but cannot look into an enum.
_E_CREATED, _E_AUTHORED, _E_SENT = int(Event.created), int(Event.authored), int(Event.sent)
_E_RECEIVED, _E_LISTED, _E_TAKEN = int(Event.received), int(Event.listed), int(Event.taken)
_E_DONE, _E_CLOSED, _E_FOUND = int(Event.done), int(Event.closed), int(Event.found)
_E_WITHDRAWN, _E_MILESTONE, _E_SNAPSHOT = int(Event.withdrawn), int(Event.milestone), int(Event.snapshot)
_E_VANISHED, _E_REJECTED, _E_RESENT = int(Event.vanished), int(Event.rejected), int(Event.resent)
_E_PLACED, _E_LEFT = int(Event.placed), int(Event.left)
_E_APPLICATION = int(Event.application_receipt)
_S_NONE, _S_TOLD, _S_SILENT = int(State.none), int(State.told), int(State.silent)
_S_SEEN, _S_ENDED = int(State.seen), int(State.ended)
_F_INCOMPLETE, _F_REJECTED, _F_NO_RECEIPT = int(Fault.incomplete), int(Fault.rejected), int(Fault.no_receipt)
_F_NO_ENDPOINT = int(Fault.no_endpoint)
_MILESTONES = len(Milestone) + 1

_LOW: Final = 0xFFFFFFFF
_TAG: Final = 0xFFFFFFFF  # the bits of a slot that repeat the key's; most misses end here
_EMPTY: Final = -1


@compiled
def _mixed(case: int, delivery: int) -> int:
    """Return 32 well-mixed bits of a key."""
    # All steps stay within 63 bits, so the plain-Python form gives the same numbers without overflow.
    x = ((case >> 32) ^ case ^ (delivery >> 22) ^ (delivery << 3)) & _LOW
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _LOW
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _LOW
    return x ^ (x >> 16)


@compiled
def _find(slots: Array, cases: Array, deliveries: Array, case: int, delivery: int) -> int:
    """Return the line of a delivery, or of a case where ``delivery`` is 0; -1 where there is none."""
    mixed = _mixed(case, delivery)
    tag = mixed & _TAG
    mask = len(slots) - 1
    i = mixed & mask
    while slots[i] != _EMPTY:
        if slots[i] & _TAG == tag:
            line = slots[i] >> 32
            if delivery == 0:
                if line & 1 == 0 and cases[line >> 1]["case"] == case:
                    return int(line >> 1)
            elif line & 1 == 1:
                d = deliveries[line >> 1]
                if d["delivery"] == delivery and d["case"] == case:
                    return int(line >> 1)
        i = (i + 1) & mask
    return -1


@compiled
def _enter(slots: Array, used: Array, case: int, delivery: int, line: int) -> None:
    """Enter a key that is not there; a slot holds the line, which table it is in, and some key bits."""
    mixed = _mixed(case, delivery)
    mask = len(slots) - 1
    i = mixed & mask
    while slots[i] != _EMPTY:
        i = (i + 1) & mask
    slots[i] = ((line << 1 | (delivery != 0)) << 32) | (mixed & _TAG)
    used[0] += 1


@compiled
def rebuild(old: Array, new: Array, used: Array, cases: Array, deliveries: Array, now: float) -> None:
    """Enter what is in ``old`` and has not reached its horizon into ``new``; count it in ``used``."""
    used[0] = 0
    for i in range(len(old)):
        if old[i] != _EMPTY:
            line = old[i] >> 33
            if (old[i] >> 32) & 1 == 0:
                if cases[line]["horizon"] > now:
                    _enter(new, used, cases[line]["case"], 0, line)
            elif deliveries[line]["horizon"] > now:
                _enter(new, used, deliveries[line]["case"], deliveries[line]["delivery"], line)


@compiled
def _failed_at(event: int, at_intended: bool, fault: int, seen: bool) -> int:
    """Return the stage that a delivery did not get through, from the row at which it failed."""
    stage = _TRANSPORTED
    if event == _E_AUTHORED:
        stage = _AUTHORED if fault == _F_INCOMPLETE else _EMITTED
    elif fault in (_F_REJECTED, _F_NO_RECEIPT) or event == _E_REJECTED:
        stage = _ACCEPTED
    elif seen:
        stage = _ACTED
    elif event in (_E_LISTED, _E_VANISHED):
        stage = _OPENED
    elif event in (_E_RECEIVED, _E_APPLICATION):
        # Accepted by a wrong endpoint, or at the right one and on no list.
        stage = _LISTED if at_intended else _ACCEPTED
    return stage


@compiled
def _case_row(t: float, event: int, case: Any, step: int, steps: StepTable) -> None:
    """Write a row that is about a case itself into the case's line."""
    if event == _E_MILESTONE:
        m = steps.milestone[step]
        if m < _MILESTONES and np.isnan(case["milestones"][m]):
            case["milestones"][m] = t
    elif event == _E_WITHDRAWN:
        if np.isnan(case["withdrawn"]):
            case["withdrawn"] = t
    elif event == _E_CLOSED and np.isnan(case["closed"]):
        case["closed"] = t


@compiled
def _state(t: float, event: int, at_intended: bool, row: Any, d: Any) -> None:
    """Write the truth of a row about a delivery: state, fault, and the stage of its first failure."""
    fault, state = row["fault"], row["state"]
    if state == _S_NONE:
        return  # a second copy, or the sender's client trying again: the truth is in the first's rows
    if fault != 0:
        d["fault"] = fault
        d["defect"] = row["defect"]
    d["last_state"] = state
    if state in (_S_SILENT, _S_TOLD) and np.isnan(d["silent"]) and np.isnan(d["told"]):
        d["stage_failed"] = _failed_at(event, at_intended, fault, not np.isnan(d["seen"]))
    if state == _S_SILENT and np.isnan(d["silent"]):
        d["silent"] = t
    elif state == _S_TOLD and np.isnan(d["told"]):
        d["told"] = t
    elif state == _S_SEEN and np.isnan(d["seen"]):
        d["seen"] = t
    elif state == _S_ENDED and np.isnan(d["ended"]):
        d["ended"] = t


@compiled
def _not_accepted(d: Any, case: Any, request: bool) -> None:
    """Undo a receipt: the endpoint had it, but its application refused it or never took it in."""
    if np.isnan(d["seen"]) and d["arrivals"] > 0:
        if request and case["arrived"] == d["received"]:
            case["arrived"] = np.nan
        d["received"] = np.nan
        d["arrivals"] = 0


@compiled
def _delivery_row(  # noqa: C901, PLR0912 (one branch an event)
    t: float, event: int, row: Any, d: Any, case: Any, request: bool
) -> None:
    """Write a row about a delivery into the delivery's line."""
    at_intended = row["service"] == d["intended"]
    if event == _E_SENT:
        d["attempts"] += 1
        if np.isnan(d["sent"]):
            d["sent"] = t
            d["channel"] = row["channel"]
    elif event == _E_RESENT and np.isnan(d["sent"]):
        d["sent"] = t  # what was shown as sent before had never left
    elif event == _E_RECEIVED:
        if at_intended:
            d["arrivals"] += 1
            if np.isnan(d["received"]):
                d["received"] = t
                if request and np.isnan(case["arrived"]):
                    case["arrived"] = t
    elif event == _E_LISTED:
        if at_intended and row["state"] == _S_NONE:
            d["doubles"] += 1
        elif at_intended and np.isnan(d["listed"]) and np.isnan(d["seen"]):
            d["listed"] = t
    elif event == _E_DONE:
        if at_intended and row["state"] == _S_SEEN and np.isnan(d["done"]):
            d["done"] = t
    elif event == _E_FOUND and np.isnan(d["found"]):
        d["found"] = t
        d["found_by"] = row["attempt"]
    _state(t, event, at_intended, row, d)
    if row["state"] in (_S_SILENT, _S_TOLD) and row["fault"] in (_F_REJECTED, _F_NO_RECEIPT):
        _not_accepted(d, case, request)
    # Having no electronic address is no fault of a message's passage, but how the two work.
    if row["fault"] not in (0, _F_NO_ENDPOINT):
        case["touched"] = 1


@compiled
def _new_case(t: float, row: Any, case: Any, window: Window, pathway: int) -> None:
    case["case"] = row["case"]
    case["created"] = t
    case["horizon"] = t + window.follow_up
    case["arrived"] = np.nan
    case["withdrawn"] = np.nan
    case["closed"] = np.nan
    for m in range(_MILESTONES):
        case["milestones"][m] = np.nan
    case["pathway"] = pathway
    case["origin"] = row["service"]
    case["practice"] = row["peer"]
    case["urgency"] = row["urgency"]
    case["touched"] = 0


@compiled
def _new_delivery(t: float, row: Any, d: Any, case_row: int, horizon: float) -> None:
    d["case"] = row["case"]
    d["horizon"] = horizon
    d["case_row"] = case_row
    d["delivery"] = row["delivery"]
    d["authored"] = t
    d["sent"] = np.nan
    d["received"] = np.nan
    d["listed"] = np.nan
    d["seen"] = np.nan
    d["done"] = np.nan
    d["silent"] = np.nan
    d["told"] = np.nan
    d["found"] = np.nan
    d["ended"] = np.nan
    d["step"] = row["step"]
    d["sender"] = row["service"]
    d["intended"] = row["intended"]
    d["attempts"] = 0
    d["arrivals"] = 0
    d["doubles"] = 0
    d["defect"] = -1
    d["channel"] = row["channel"]
    d["fault"] = 0
    d["found_by"] = 0
    d["last_state"] = 0
    d["stage_failed"] = 0


@compiled
def end_days(t: float, lengths: Lengths) -> None:
    """Write the lengths of all lists at the end of each day before ``t``."""
    while (lengths.day[0] + 1) * 24.0 <= t and lengths.day[0] < len(lengths.daily):
        for k in range(len(lengths.now)):
            lengths.daily[lengths.day[0], k] = lengths.now[k]
        lengths.day[0] += 1


@compiled
def _note_length(t: float, event: int, row: Any, steps: StepTable, lengths: Lengths) -> None:
    """Note the length of the list that a row tells of."""
    if event == _E_LISTED and row["list_length"] == 0:
        return  # what lies outside the list, where nobody looks
    end_days(t, lengths)
    waits = event != _E_SNAPSHOT and steps.place[row["step"]]
    lengths.now[2 * row["service"] + (1 if waits else 0)] = row["list_length"]


@compiled
def read_rows(  # noqa: C901 (the loop itself)
    block: Array,
    window: Window,
    steps: StepTable,
    cases: Array,
    deliveries: Array,
    slots: Array,
    used: Used,
    lengths: Lengths,
) -> None:
    """Read a block's rows into the tables, which have room for one new line a row."""
    for i in range(len(block)):
        row = block[i]
        t, event, case_id, delivery = row["time"], row["event"], row["case"], row["delivery"]
        if event in (_E_LISTED, _E_TAKEN, _E_PLACED, _E_LEFT, _E_SNAPSHOT):
            _note_length(t, event, row, steps, lengths)
        if t < window.opens:
            continue
        if event == _E_CREATED:
            if t < window.closes and steps.counts[row["step"]]:
                _new_case(t, row, cases[used.cases[0]], window, steps.pathway[row["step"]])
                _enter(slots, used.slots, case_id, 0, used.cases[0])
                used.cases[0] += 1
            continue
        line = _find(slots, cases, deliveries, case_id, delivery)
        if delivery == 0:
            if line >= 0 and t < cases[line]["horizon"]:
                _case_row(t, event, cases[line], row["step"], steps)
            continue
        if line < 0:
            if event != _E_AUTHORED:
                continue
            owner = _find(slots, cases, deliveries, case_id, 0)
            if owner < 0 or t >= cases[owner]["horizon"]:
                continue
            line = used.deliveries[0]
            _new_delivery(t, row, deliveries[line], owner, cases[owner]["horizon"])
            _enter(slots, used.slots, case_id, delivery, line)
            used.deliveries[0] += 1
        d = deliveries[line]
        if t < d["horizon"]:
            main_request = steps.request[d["step"]] and delivery & 0xFF == 0
            _delivery_row(t, event, row, d, cases[d["case_row"]], main_request)
