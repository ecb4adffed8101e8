"""Outages: a relay is down from an instant, or by chance, and comes back."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import CommandKind, Event
from flowsim.world.mailbox import Mailbox


def outage(
    env: simpy.Environment,
    mail: Mailbox,
    relay: int,
    name: str,
    lasts: int,
    at_hours: float | None,
    per_year: float,
) -> Generator[simpy.Event, Any, None]:
    """Take a relay down at ``at_hours``, or so often a year on average; each time it comes back later.

    ``name`` is the relay's id: its luck is its own, whatever else there is in the region.
    """
    n = 0
    while at_hours is not None or per_year > 0.0:
        chance, length = mail.draw(f"outage/{name}", n, lasts)
        wait = at_hours if at_hours is not None else -math.log(chance) * HOURS_PER_YEAR / per_year
        yield env.timeout(max(wait, 0.0))
        mail.command(CommandKind.set_relay, relay, 0)
        mail.note(Event.relay_down, relay)
        yield env.timeout(length)
        mail.command(CommandKind.set_relay, relay, 1)
        mail.note(Event.relay_up, relay)
        n += 1
        if at_hours is not None:
            return
