"""Everybody who lives in the region: the processes of the world, started together."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Protocol

import simpy

from flowsim.plan.world import OwnersPlan, WorldPlan
from flowsim.vocabulary import NoticeKind
from flowsim.world import owners
from flowsim.world.addresses import doctors_leave
from flowsim.world.defects import ReportDesk, defect
from flowsim.world.levers import keep_pace, turn_dials
from flowsim.world.mailbox import Mailbox
from flowsim.world.outages import outage
from flowsim.world.rollout import roll_out
from flowsim.world.staffing import staffing

#: A notice of a defect has the way above the reporter's number.
WAY_SHIFT = 20
REPORTER = (1 << WAY_SHIFT) - 1

Story = Generator[simpy.Event, Any, None]


class Listens(Protocol):
    """A clock at which one can listen for what the mail tells the world."""

    def listen(self, kind: NoticeKind, listener: Any) -> None:
        """Call a listener with each notice of a kind."""


def stories(env: simpy.Environment, mail: Mailbox, plan: WorldPlan, relays: Sequence[str]) -> Iterator[Story]:
    """Give the process of each part of a region's life; ``relays`` names services and relays by number."""
    # Levers come first, so that at one instant what they change holds for what happens then.
    yield turn_dials(env, mail, plan.dials)
    yield keep_pace(env, mail, plan.pace)
    if plan.staffing is not None:
        yield staffing(env, mail, plan.staffing)
    if plan.owners is not None:
        yield from _lists(env, mail, plan, plan.owners)
    yield roll_out(env, mail, plan.go_lives, plan.training_hours, plan.testing_hours)
    for o in plan.outages:
        yield outage(env, mail, o.relay, relays[o.relay], o.lasts, o.at_hours, o.per_year)
    for practice in plan.doctors:
        yield doctors_leave(env, mail, practice)
    if plan.defects is not None:
        desk = ReportDesk(env, mail, plan.defects.proof)
        _listen(env, NoticeKind.defect_reported, lambda n: desk.report(n.a, n.b & REPORTER, n.b >> WAY_SHIFT))
        for own in plan.defects.defects:
            yield defect(env, mail, desk, plan.defects, own)


def _lists(env: simpy.Environment, mail: Mailbox, plan: WorldPlan, own: OwnersPlan) -> Iterator[Story]:
    """Give the processes of lists that lose and get owners."""
    lists = owners.Lists(env, mail, own)
    _listen(env, NoticeKind.list_found, lambda notice: env.process(lists.found(notice.a)))
    yield owners.every_list_an_owner(env, lists, own)
    yield owners.go_lives(env, mail, lists, own, plan.go_lives)
    for organisation in own.lists:
        yield owners.reorganisations(env, mail, lists, own, organisation)
    yield owners.searches(env, mail, lists, own)


def _listen(env: Any, kind: NoticeKind, listener: Any) -> None:
    """Listen at a clock that can be listened at (the simulation's)."""
    clock: Listens = env
    clock.listen(kind, listener)
