"""Where cases come from: Poisson streams by hour of the week, given rates, given times."""

from __future__ import annotations

import math
from typing import Any

from flowsim.kernel.calendars import time_in_day
from flowsim.kernel.compiling import compiled, inlined
from flowsim.kernel.draws import place_purpose, sample, uniforms
from flowsim.kernel.queues import schedule
from flowsim.kernel.rows import write_case
from flowsim.kernel.state import (
    ARRIVE,
    CASES,
    MAIN,
    MOVE,
    REPLICATION,
    WITHDRAW,
    Journal,
    State,
)
from flowsim.kernel.tokens import new_case, new_token
from flowsim.plan.layout import (
    ARRIVALS_AT_OPENING,
    ARRIVALS_AT_START,
    ARRIVALS_HOURLY,
    ARRIVALS_TIMES,
    REGISTERS,
    Arrays,
)
from flowsim.vocabulary import Event, Purpose

CREATED = int(Event.created)
DRAW_ARRIVAL = int(Purpose.arrival)
DRAW_CASE = int(Purpose.case)
DRAW_WITHDRAWAL = int(Purpose.withdrawal)
DRAW_MOVES = int(Purpose.moves)


@inlined
def arrive(plan: Arrays, state: State, journal: Journal, f: int, now: float) -> int:
    """Begin a case of a family, and schedule the family's next."""
    family = plan.family[f]
    number = int(state.family[f]["n"])
    state.family[f]["n"] = number + 1
    c = new_case(state)
    case = state.case[c]
    case["id"] = (int(family["hash"]) << 32) | number
    case["family"] = family["hash"]
    case["n"] = number
    case["created"] = now
    case["origin"] = family["origin"]
    state.counter[CASES] += 1
    for k in range(REGISTERS):
        state.register[c * REGISTERS + k] = 0
    seed = plan.setting[0]["seed"]
    replication = state.counter[REPLICATION]
    u0, u1, u2, u3 = uniforms(seed, replication, family["hash"], number, place_purpose(0, DRAW_CASE), 0)
    urgency = 0
    if u0 >= family["urgency_0"]:
        urgency = 1
    if u0 >= family["urgency_1"]:
        urgency = 2
    if u0 >= family["urgency_2"]:
        urgency = 3
    case["urgency"] = urgency
    case["area"] = weighted(plan.area, int(family["area_first"]), int(family["area_count"]), u1)
    if family["practice"] >= 0:
        case["practice"] = family["practice"]
    else:
        k = weighted(plan.practice_weight, int(family["practice_first"]), int(family["practice_count"]), u2)
        case["practice"] = plan.practice_index[int(family["practice_first"]) + k]
    case["gp"] = case["practice"]
    case["moved_at"] = -1.0
    if plan.setting[0]["moves_per_hour"] > 0.0:
        plan_change_of_practice(plan, state, c, now)
    write_case(
        state,
        journal,
        now,
        CREATED,
        c,
        family["step"],
        family["origin"],
        plan.practice[case["practice"]]["service"],
    )
    if u3 < family["withdrawal_chance"]:
        v0, _, _, _ = uniforms(
            seed, replication, family["hash"], number, place_purpose(0, DRAW_WITHDRAWAL), 0
        )
        at = now + sample(plan.tables, family["withdrawal"], v0)
        if at < plan.setting[0]["end"]:
            schedule(state, at, WITHDRAW, c, case["generation"])
    t = new_token(state, c, family["step"], MAIN)
    next_arrival(plan, state, f)
    return t


@inlined
def plan_change_of_practice(plan: Arrays, state: State, c: int, now: float) -> None:
    """Draw when a patient will change GP, if so before the run ends: always at the turn of a month."""
    case = state.case[c]
    u0, _, _, _ = uniforms(
        plan.setting[0]["seed"],
        state.counter[REPLICATION],
        case["family"],
        case["n"],
        place_purpose(0, DRAW_MOVES),
        0,
    )
    wish = now - math.log(u0) / plan.setting[0]["moves_per_hour"]
    k = int(plan.setting[0]["months"])  # the last of them lies beyond the end
    while plan.arrival[k] < min(wish, plan.setting[0]["end"]):
        k += 1
    if plan.arrival[k] < plan.setting[0]["end"]:
        schedule(state, plan.arrival[k], MOVE, c, case["generation"])


@inlined
def change_practice(plan: Arrays, state: State, c: int, now: float) -> None:
    """Let a patient have another GP from now on, drawn by size among those of the same municipality."""
    case = state.case[c]
    own = plan.practice[case["practice"]]
    if own["peers"] == 0:
        return
    _, u1, _, _ = uniforms(
        plan.setting[0]["seed"],
        state.counter[REPLICATION],
        case["family"],
        case["n"],
        place_purpose(0, DRAW_MOVES),
        0,
    )
    k = weighted(plan.practice_weight, int(own["peer"]), int(own["peers"]), u1)
    case["former"] = case["gp"]
    case["gp"] = plan.practice_index[int(own["peer"]) + k]
    case["moved_at"] = now


@compiled
def weighted(weights: Any, first: int, count: int, u: float) -> int:
    """Return which of some cumulative weights (ending at 1) a uniform falls into."""
    low = 0
    high = count - 1
    while low < high:
        middle = (low + high) // 2
        if u < weights[first + middle]:
            high = middle
        else:
            low = middle + 1
    return max(low, 0)


@compiled
def next_arrival(plan: Arrays, state: State, f: int) -> None:
    """Schedule a family's next case: a Poisson stream drawn day by day, or the next given time."""
    family = plan.family[f]
    own = state.family[f]
    end = plan.setting[0]["end"]
    mode = family["mode"]
    if mode == ARRIVALS_AT_START or mode == ARRIVALS_AT_OPENING or mode == ARRIVALS_TIMES:
        k = int(own["k"])
        if k < family["count"]:
            own["k"] = k + 1
            at = 0.0
            if mode == ARRIVALS_AT_OPENING:
                at = float(plan.setting[0]["opens"])
            elif mode == ARRIVALS_TIMES:
                at = float(plan.arrival[int(family["first"]) + k])
            if at < end:
                schedule(state, at, ARRIVE, f, 0)
        return
    length = 1.0 if mode == ARRIVALS_HOURLY else 24.0
    while True:
        if own["day"] < 0:
            own["day"] = 0
            own["k"] = 0
            own["passed"] = 0.0
        day = int(own["day"])
        if day * length >= end:
            return
        if mode == ARRIVALS_HOURLY:
            if day >= family["count"]:
                return
            mean = float(plan.arrival[int(family["first"]) + day])
        else:
            mean = float(family["per_day"]) * float(plan.profiles.day_share[family["profile"], day])
        if mean > 0.0:
            k = int(own["k"])
            own["k"] = k + 1
            u, _, _, _ = uniforms(
                plan.setting[0]["seed"],
                state.counter[REPLICATION],
                family["hash"],
                day,
                place_purpose(k, DRAW_ARRIVAL),
                0,
            )
            own["passed"] -= math.log(u) / mean
            if own["passed"] < 1.0:
                passed = float(own["passed"])
                if mode != ARRIVALS_HOURLY:
                    weekday = int(plan.profiles.weekday[day])
                    passed = time_in_day(plan.profiles.hour_cumulative, family["profile"], weekday, passed)
                at = day * length + passed
                if at < end:
                    schedule(state, at, ARRIVE, f, 0)
                return
        own["day"] = day + 1
        own["k"] = 0
        own["passed"] = 0.0
