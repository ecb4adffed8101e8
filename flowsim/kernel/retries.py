"""The sender's message client: when it tries again, and what it does without a receipt."""

from __future__ import annotations

import math

from flowsim.kernel.compiling import hot, inlined
from flowsim.kernel.draws import sample
from flowsim.kernel.lists import end
from flowsim.kernel.queues import schedule
from flowsim.kernel.receiving import old_address, twin
from flowsim.kernel.rows import write
from flowsim.kernel.state import (
    CLIENT,
    DOUBLE,
    RECEIVE,
    RETRIER,
    TRAVELLING,
    Journal,
    State,
)
from flowsim.kernel.tokens import draw
from flowsim.plan.layout import Arrays
from flowsim.vocabulary import Event, Purpose

SENT = int(Event.sent)
ABANDONED = int(Event.abandoned)
DRAW_ATTEMPT = int(Purpose.attempt)


@hot
def resend_rule(plan: Arrays, t_service: int, channel: int) -> tuple[int, float, float, float]:
    """Return attempts, scan, gap and limit in hours: the message client's own rule, or the channel's."""
    client = plan.service[t_service]["client"]
    if client >= 0 and plan.service[client]["resend_attempts"] > 0:
        relay = plan.service[client]
        return (
            int(relay["resend_attempts"]),
            float(relay["resend_scan"]),
            float(relay["resend_gap"]),
            float(relay["resend_abandon"]),
        )
    rule = plan.channel[channel]
    return (
        int(rule["resend_attempts"]),
        float(rule["resend_scan"]),
        float(rule["resend_gap"]),
        float(rule["resend_abandon"]),
    )


@hot
def next_try(scan: float, gap: float, now: float) -> float:
    """Return when a client tries again: after the gap, at its next look."""
    at = now + gap
    return math.ceil(at / scan) * scan if scan > 0.0 else at


@inlined
def start_retrier(state: State, t: int, receipt_at: float, again: float) -> None:
    """Let the sender's client go on trying although the message is on its way."""
    r = twin(state, t, RETRIER)
    other = state.token[r]
    other["due"] = receipt_at
    other["phase"] = TRAVELLING
    schedule(state, again, CLIENT, r, other["generation"])


@inlined
def client_tries(plan: Arrays, state: State, journal: Journal, r: int, now: float) -> None:
    """Let a client that has no receipt try once more, or give up; the first arrival counts."""
    other = state.token[r]
    if other["due"] <= now:
        end(plan, state, journal, r, now)
        return
    tries, scan, gap, limit = resend_rule(plan, other["sender"], other["channel"])
    if other["attempt"] >= tries or (limit > 0.0 and now - other["sent_at"] > limit):
        write(state, journal, now, ABANDONED, r, other["send_step"], other["sender"], other["actual"], 0)
        end(plan, state, journal, r, now)
        return
    other["attempt"] += 1
    channel = plan.channel[other["channel"]]
    loss, unheard, latency, _ = draw(plan, state, r, other["send_step"], DRAW_ATTEMPT, other["attempt"])
    write(
        state,
        journal,
        now,
        SENT,
        r,
        other["send_step"],
        other["sender"],
        other["actual"],
        old_address(plan, state, r),
    )
    if loss >= channel["attempt_loss"]:
        due = now + sample(plan.tables, channel["latency"], latency)
        first = state.token[other["of"]]
        d = twin(state, r, DOUBLE)
        later = due
        if (
            first["generation"] == other["of_generation"]
            and first["phase"] == TRAVELLING
            and due < first["due"]
        ):
            # It overtakes: the message comes with this try and its receipt, the double with the earlier one.
            later = float(first["due"])
            state.token[d]["attempt"] = first["attempt"]
            first["attempt"] = other["attempt"]
            first["generation"] += 1
            first["due"] = due
            other["of_generation"] = first["generation"]
            schedule(state, due, RECEIVE, other["of"], first["generation"])
        state.token[d]["phase"] = TRAVELLING
        schedule(state, later, RECEIVE, d, state.token[d]["generation"])
        if unheard >= channel["receipt_loss"]:
            other["due"] = min(float(other["due"]), due)
    schedule(state, next_try(scan, gap, now), CLIENT, r, other["generation"])
