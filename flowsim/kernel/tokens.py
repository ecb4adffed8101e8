"""The slots of tokens and cases, and what a token needs to know: its luck, its services.

A token is a thread of a case. Its slot is used again when it ends; whatever is still scheduled for it
carries the old generation and is void.
"""

from __future__ import annotations

from flowsim.kernel.compiling import compiled, hot, inlined
from flowsim.kernel.draws import place_purpose, uniforms, visit_attempt
from flowsim.kernel.state import (
    CASES_LEFT,
    FREE,
    FREE_CASE,
    FREE_TOKEN,
    REPLICATION,
    RUNNING,
    TOKENS_LEFT,
    WIDEST,
    State,
)
from flowsim.plan.layout import (
    LEVEL_LAST,
    PRIORITY_FIRST,
    PRIORITY_LAST,
    PRIORITY_URGENCY,
    ROLE_ORIGIN,
    ROLE_PRACTICE,
    Arrays,
)

ROUTINE_LEVEL = LEVEL_LAST - 1


@hot
def new_token(state: State, c: int, step: int, role: int) -> int:
    """Return a fresh token of a case, standing at a step."""
    t = int(state.counter[FREE_TOKEN])
    token = state.token[t]
    state.counter[FREE_TOKEN] = token["next"]
    state.counter[TOKENS_LEFT] -= 1
    case = state.case[c]
    token["case"] = c
    token["step"] = step
    token["thread"] = step
    token["last"] = -1
    token["role"] = role
    token["phase"] = RUNNING
    token["list"] = -1
    token["place"] = -1
    token["at"] = -1
    token["delivery"] = 0
    token["visit"] = 0
    token["copy"] = 0
    token["channel"] = 0
    token["attempt"] = 0
    token["fault"] = 0
    token["defect"] = -1
    token["state"] = 0
    token["found_at"] = 0.0
    token["doom"] = 0
    token["errand"] = 0
    token["search"] = 0.0
    # A slot is used again: nothing of whoever had it before may show in a row or a draw.
    token["sender"] = -1
    token["intended"] = -1
    token["actual"] = -1
    token["send_step"] = -1
    token["elder"] = -1
    token["sibling"] = case["first"]
    if case["first"] >= 0:
        state.token[case["first"]]["elder"] = t
    case["first"] = t
    case["tokens"] += 1
    state.counter[WIDEST] = max(state.counter[WIDEST], case["tokens"])
    return t


@hot
def free_token(state: State, t: int) -> None:
    """Give a token's slot back; what is scheduled for it is void from now on."""
    token = state.token[t]
    case = state.case[token["case"]]
    younger = token["sibling"]
    elder = token["elder"]
    if elder >= 0:
        state.token[elder]["sibling"] = younger
    else:
        case["first"] = younger
    if younger >= 0:
        state.token[younger]["elder"] = elder
    case["tokens"] -= 1
    token["generation"] += 1
    token["life"] += 1
    token["phase"] = FREE
    token["next"] = state.counter[FREE_TOKEN]
    state.counter[FREE_TOKEN] = t
    state.counter[TOKENS_LEFT] += 1


@inlined
def new_case(state: State) -> int:
    """Return a fresh case slot."""
    c = int(state.counter[FREE_CASE])
    case = state.case[c]
    state.counter[FREE_CASE] = case["next"]
    state.counter[CASES_LEFT] -= 1
    case["tokens"] = 0
    case["first"] = -1
    case["started"] = 0
    return c


@compiled
def free_case(state: State, c: int) -> None:
    """Give a case's slot back."""
    case = state.case[c]
    case["generation"] += 1
    case["next"] = state.counter[FREE_CASE]
    state.counter[FREE_CASE] = c
    state.counter[CASES_LEFT] += 1


@hot
def draw(
    plan: Arrays, state: State, t: int, step: int, purpose: int, attempt: int
) -> tuple[float, float, float, float]:
    """Return four uniforms for a token at a step, for a purpose."""
    token = state.token[t]
    case = state.case[token["case"]]
    return uniforms(
        plan.setting[0]["seed"],
        state.counter[REPLICATION],
        case["family"],
        case["n"],
        place_purpose(plan.step[step]["place"], purpose),
        visit_attempt(token["visit"], token["copy"], attempt),
    )


@hot
def level_of(state: State, t: int, priority: int) -> int:
    """Return the level of a list on which a token stands; lower is served first."""
    if priority == PRIORITY_URGENCY:
        return int(state.case[state.token[t]["case"]]["urgency"]) + 1
    if priority == PRIORITY_FIRST:
        return 0
    if priority == PRIORITY_LAST:
        return LEVEL_LAST
    return ROUTINE_LEVEL


@hot
def service_of(plan: Arrays, state: State, c: int, role: int) -> int:
    """Return the service that a role means for a case."""
    case = state.case[c]
    if role == ROLE_ORIGIN:
        return int(case["origin"])
    if role == ROLE_PRACTICE:
        return int(plan.practice[case["gp"]]["service"])
    setting = plan.setting[0]
    return int(
        plan.role_service[
            (role * setting["practices"] + int(case["practice"])) * setting["areas"] + int(case["area"])
        ]
    )
