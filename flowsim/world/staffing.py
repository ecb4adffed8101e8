"""Staffing: who is away this week, by absence, holidays and training; and whom levers add."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from flowsim.plan.world import StaffingPlan
from flowsim.vocabulary import CommandKind
from flowsim.world.mailbox import Mailbox


def staffing(env: simpy.Environment, mail: Mailbox, plan: StaffingPlan) -> Generator[simpy.Event, Any, None]:
    """Set each service's staff week by week; somebody always covers, so that one at least is there."""
    there = {service: number for service, _, number in plan.staff}
    for begins, week in plan.instants:
        yield env.timeout(max(begins - env.now, 0.0))
        for service, name, number in plan.staff:
            share = min(plan.away[week] + plan.training.get((service, week), 0.0), 1.0)
            luck, _ = mail.draw(f"absence/{name}", week)
            employed = round(number * _factor(plan, service, begins))
            present = max(employed - how_many(luck, employed, share), 1)
            if present != there[service]:
                mail.command(CommandKind.set_staff, service, present)
                there[service] = present


def _factor(plan: StaffingPlan, service: int, now: float) -> float:
    """Return the factor that levers have put on a service's staff by now."""
    factor = 1.0
    for at, value in plan.factor.get(service, ()):
        if at <= now:
            factor = value
    return factor


def how_many(luck: float, number: int, share: float) -> int:
    """Return how many of a number are away if each is with a chance: the binomial law, inverted."""
    if share <= 0.0 or number <= 0:
        return 0
    if share >= 1.0:
        return number
    k = 0
    chance = (1.0 - share) ** number
    reached = chance
    while reached < luck and k < number:
        chance *= (number - k) / (k + 1) * share / (1.0 - share)
        k += 1
        reached += chance
    return k
