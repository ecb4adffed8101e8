"""The roll-out: practices and organisations go live on the platform, or leave it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from flowsim.plan.rollout import GoLive
from flowsim.vocabulary import CommandKind, Event
from flowsim.world.mailbox import Mailbox


def roll_out(
    env: simpy.Environment,
    mail: Mailbox,
    lives: tuple[GoLive, ...],
    training_hours: float,
    testing_hours: float = 0.0,
) -> Generator[simpy.Event, Any, None]:
    """Switch each organisation at its go-live, in order of time.

    ``training_hours`` is for each person to train, ``testing_hours`` for the go-live.
    """
    for life in lives:
        if life.before:
            continue
        yield env.timeout(max(life.at_hours - env.now, 0.0))
        for service in life.services:
            mail.command(CommandKind.set_adoption, service, int(life.joins))
        # One row for the whole organisation: at its first service, with what training and tests took.
        if life.joins:
            hours = life.people * training_hours + testing_hours
            mail.note(Event.went_live, life.services[0], hours=hours)
        else:
            mail.note(Event.left_platform, life.services[0])
