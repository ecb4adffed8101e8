"""Levers: measures that begin to work at an instant and change rates, chances, or the pace of people."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from flowsim.vocabulary import CommandKind, Pace
from flowsim.world.mailbox import Mailbox

MILLION = 1e6


def turn_dials(
    env: simpy.Environment, mail: Mailbox, dials: tuple[tuple[float, int, float], ...]
) -> Generator[simpy.Event, Any, None]:
    """Turn each dial at its instant: ``dials`` has (hours, dial, factor) in order of time."""
    for at_hours, dial, factor in dials:
        yield env.timeout(max(at_hours - env.now, 0.0))
        mail.command(CommandKind.set_dial, dial, round(factor * MILLION))


def keep_pace(
    env: simpy.Environment, mail: Mailbox, pace: tuple[tuple[float, int, Pace, float], ...]
) -> Generator[simpy.Event, Any, None]:
    """Let people be as fast as they are at each instant: (hours, service, what, factor) in order of time."""
    for at_hours, service, what, factor in pace:
        yield env.timeout(max(at_hours - env.now, 0.0))
        mail.command(CommandKind.set_pace, service, int(what), case=round(factor * MILLION))
