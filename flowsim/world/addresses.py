"""Addresses: doctors leave, and others' address books go stale for their patients."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from flowsim.plan.world import DoctorsPlan
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import CommandKind, Event
from flowsim.world.mailbox import Mailbox


def doctors_leave(
    env: simpy.Environment, mail: Mailbox, plan: DoctorsPlan
) -> Generator[simpy.Event, Any, None]:
    """Let a practice's doctors leave now and then; each concerns the mail of one doctor's patients."""
    n = 0
    while True:
        luck, _ = mail.draw(f"doctor/{plan.name}", n)
        yield env.timeout(-math.log(luck) * HOURS_PER_YEAR / (plan.doctors * plan.per_year))
        mail.command(CommandKind.set_address, plan.service, round(1e6 / max(plan.doctors, 1.0)))
        mail.note(Event.address_changed, plan.service)
        n += 1
