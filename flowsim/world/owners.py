"""Lists without an owner: lost at a go-live or a reorganisation, unseen until somebody finds the list."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from flowsim.plan.rollout import GoLive
from flowsim.plan.world import OwnersPlan
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import CommandKind, Event
from flowsim.world.mailbox import Mailbox

Story = Generator[simpy.Event, Any, None]


class Lists:
    """Which lists have no owner now, and what is done about one that is found."""

    def __init__(self, env: simpy.Environment, mail: Mailbox, plan: OwnersPlan) -> None:
        """Begin with the lists that the topology says nobody watches."""
        self._env = env
        self._mail = mail
        self._plan = plan
        self._name = {service: name for own in plan.lists.values() for service, name in own}
        self._unowned = set(plan.unowned)
        self._found: dict[int, int] = {}
        for service in plan.unowned:
            self._name.setdefault(service, f"unowned/{service}")

    def lose(self, service: int, chance: float, luck: float) -> None:
        """Let a list lose its owner by chance, unless the region has seen to it that each keeps one."""
        if luck >= chance or service in self._unowned or self._keeps(service):
            return
        self._unowned.add(service)
        self._mail.command(CommandKind.set_owner, service, 0)
        self._mail.note(Event.owner_lost, service)

    def give(self, service: int) -> None:
        """Give a list an owner; what lies there is found."""
        if service in self._unowned:
            self._unowned.discard(service)
            self._mail.command(CommandKind.set_owner, service, 1)
            self._mail.note(Event.owner_given, service)

    def unowned(self) -> list[int]:
        """Return the lists without an owner, in order of their numbers."""
        return sorted(self._unowned)

    def found(self, service: int) -> Story:
        """Let a list that somebody has come upon get an owner, after a while."""
        n = self._found[service] = self._found.get(service, 0) + 1
        if self._plan.found_then >= 0:
            _, hours = self._mail.draw(f"owner/{self._name[service]}", n, self._plan.found_then)
            yield self._env.timeout(hours)
        self.give(service)

    def _keeps(self, service: int) -> bool:
        """Return whether a list is one of those that always have an owner, from now on."""
        return self._env.now >= self._plan.kept_from and self.reached(service)

    def reached(self, service: int) -> bool:
        """Return whether the lever that gives every list an owner reaches this one."""
        luck, _ = self._mail.draw(f"owner/{self._name[service]}/kept", 0)
        return luck < self._plan.kept


def go_lives(
    env: simpy.Environment, mail: Mailbox, lists: Lists, plan: OwnersPlan, lives: tuple[GoLive, ...]
) -> Story:
    """Let each list of an organisation lose its owner, by chance, when the organisation goes live."""
    for life in lives:
        if life.before or not life.joins:
            continue
        yield env.timeout(max(life.at_hours - env.now, 0.0))
        for service, name in plan.lists.get(life.organisation, ()):
            lists.lose(service, plan.at_go_live, mail.draw(f"owner/{name}/go_live", 0)[0])


def reorganisations(
    env: simpy.Environment, mail: Mailbox, lists: Lists, plan: OwnersPlan, organisation: str
) -> Story:
    """Let an organisation reorganise now and then; each of its lists can lose its owner then."""
    n = 0
    while plan.reorganisations_per_year > 0.0:
        luck, _ = mail.draw(f"reorganisation/{organisation}", n)
        yield env.timeout(-math.log(luck) * HOURS_PER_YEAR / plan.reorganisations_per_year)
        for service, name in plan.lists[organisation]:
            lists.lose(service, plan.at_reorganisation, mail.draw(f"owner/{name}/reorganised", n)[0])
        n += 1


def searches(env: simpy.Environment, mail: Mailbox, lists: Lists, plan: OwnersPlan) -> Story:
    """Let somebody go through all lists at intervals and see to those without an owner."""
    n = 0
    while plan.search_every >= 0:
        yield env.timeout(max(mail.draw("owner/search", n, plan.search_every)[1], 1e-6))
        for service in lists.unowned():
            env.process(lists.found(service))
        n += 1


def every_list_an_owner(env: simpy.Environment, lists: Lists, plan: OwnersPlan) -> Story:
    """From an instant on, let the lists that the lever reaches have an owner and keep it."""
    if math.isinf(plan.kept_from):
        return
    yield env.timeout(plan.kept_from)
    for service in lists.unowned():
        if lists.reached(service):
            lists.give(service)
