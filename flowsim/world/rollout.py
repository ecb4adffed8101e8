"""The roll-out: practices go live on the platform, or leave it, on given dates."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from flowsim.vocabulary import CommandKind
from flowsim.world.mailbox import Mailbox


def roll_out(
    env: simpy.Environment,
    mail: Mailbox,
    go_lives: tuple[tuple[float, tuple[tuple[int, int], ...]], ...],
) -> Generator[simpy.Event, Any, None]:
    """Switch practices at each go-live: ``go_lives`` has (hours, ((service, 1 joins or 0 leaves), …))."""
    for at_hours, moves in go_lives:
        yield env.timeout(max(at_hours - env.now, 0.0))
        for service, joins in moves:
            mail.command(CommandKind.set_adoption, service, joins)
