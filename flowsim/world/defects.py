"""The life of a defect: latent at go-live, active, reported, believed, lifted level by level, mended."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from flowsim.plan.defects import DefectPlan, DefectsPlan, LevelPlan
from flowsim.vocabulary import CommandKind, Event
from flowsim.world.mailbox import Mailbox

#: More reports than anybody asks for.
PROVEN = 1 << 30

Story = Generator[simpy.Event, Any, None]


class ReportDesk:
    """Where reports of defects come in; whoever waits for enough of them is woken."""

    def __init__(self, env: simpy.Environment, mail: Mailbox, proof: frozenset[int]) -> None:
        """Begin with no reports; ``proof`` are the ways of which one find is enough."""
        self._proof = proof
        self._env = env
        self._mail = mail
        self._count: dict[int, int] = {}
        self._wanted: dict[int, tuple[int, simpy.Event]] = {}

    def report(self, defect: int, reporter: int, way: int) -> None:
        """Take in one more independent report of a defect; a list of what is missing is proof by itself."""
        self._count[defect] = self._count.get(defect, 0) + (PROVEN if way in self._proof else 1)
        self._mail.note(Event.defect_reported, reporter, defect)
        self._wake(defect)

    def enough(self, defect: int, number: int) -> simpy.Event:
        """Return an event that happens when a defect has so many reports."""
        event = self._env.event()
        self._wanted[defect] = (number, event)
        self._wake(defect)
        return event

    def _wake(self, defect: int) -> None:
        number, event = self._wanted.get(defect, (0, None))
        if event is not None and not event.triggered and self._count.get(defect, 0) >= number:
            event.succeed()


def defect(
    env: simpy.Environment, mail: Mailbox, desk: ReportDesk, plan: DefectsPlan, own: DefectPlan
) -> Story:
    """Live a defect's life, if it is there at all."""
    if not is_there(mail, own):
        return
    yield env.timeout(own.at_hours)
    reach, share = own.reach, mail.draw(f"defect/{own.name}/reach", own.k)[0]
    part = reach[0] + (reach[1] - reach[0]) * share
    mail.command(CommandKind.activate_defect, own.index, case=max(round(part * 1e6), 1))
    mail.note(Event.defect_began, defect=own.index)

    fewest, most = plan.reports
    luck, _ = mail.draw(f"defect/{own.name}/reports", own.k)
    yield desk.enough(own.index, fewest + int(luck * (most - fewest + 1)))
    mail.note(Event.defect_believed, defect=own.index)

    for number, level in enumerate(plan.levels):
        yield from lift(env, mail, plan, own, level)
        mail.note(Event.defect_escalated, defect=own.index, level=number + 1)
    if plan.mends < 0:
        return  # nobody mends it within the run
    yield env.timeout(mail.draw(f"defect/{own.name}/mended", own.k, plan.mends)[1])
    mail.command(CommandKind.mend_defect, own.index, int(plan.resend))
    mail.note(Event.defect_mended, defect=own.index)


def is_there(mail: Mailbox, own: DefectPlan) -> bool:
    """Return whether a latent defect came with its go-live and tests have let it through."""
    if math.isinf(own.number):
        return True
    luck, _ = mail.draw(f"defect/{own.name}/number", 0)
    if own.k >= how_many(luck, own.number):
        return False
    tested, _ = mail.draw(f"defect/{own.name}/tested", own.k)
    return tested >= own.removed


def how_many(luck: float, mean: float) -> int:
    """Return a Poisson number by inversion: it never falls with luck, nor with the mean."""
    k = 0
    chance = math.exp(-mean)
    reached = chance
    while reached < luck and k < 1000:
        k += 1
        chance *= mean / k
        reached += chance
    return k


def lift(
    env: simpy.Environment, mail: Mailbox, plan: DefectsPlan, own: DefectPlan, level: LevelPlan
) -> Story:
    """Bring a defect before a level again and again until it is accepted there."""
    name = f"defect/{own.name}/{level.name}"
    if level.crosses and plan.crossing >= 0:
        hours = mail.draw(f"{name}/crossing", own.k, plan.crossing)[1]
        yield env.timeout(mail.open_hours(level.calendar, hours * pace(plan, env.now)))
    turn = 0
    while True:
        # Every turn of every defect of a name has luck of its own.
        luck, hours = mail.draw(name, own.k * 4096 + turn, level.takes)
        yield env.timeout(mail.open_hours(level.calendar, hours * pace(plan, env.now)))
        if luck < level.accepts:
            return
        hours = mail.draw(f"{name}/again", own.k * 4096 + turn, level.again_after)[1]
        yield env.timeout(mail.open_hours(level.calendar, hours * pace(plan, env.now)))
        turn += 1


def pace(plan: DefectsPlan, now: float) -> float:
    """Return the factor on every length of time of the escalation now."""
    factor = 1.0
    for at, value in plan.faster:
        if at <= now:
            factor = value
    return factor
