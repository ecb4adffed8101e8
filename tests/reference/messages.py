"""A second, independent simulation of a pathway: one SimPy process for each message and each thread.

It is an oracle: slow, written for reading, and sharing nothing with the kernel but the files it is told by.
It knows the steps send, work, wait and milestone, urgency on lists, and the faults not_emitted, rejected,
unwatched and late with tries that are lost. It draws from ``random.Random``, so only means can agree.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from flowsim.config.experiment_file import Design

URGENCIES = ("immediate", "urgent", "soon", "routine")
Life = Generator[simpy.Event, Any, Any]


def hours(distribution: Any, rng: random.Random) -> float:
    """Return a draw in hours from a distribution of a file."""
    if distribution.kind == "fixed":
        return float(distribution.value.hours)
    if distribution.kind == "triangular":
        return rng.triangular(distribution.low.hours, distribution.high.hours, distribution.mode.hours)
    if distribution.kind == "uniform":
        return rng.uniform(distribution.low.hours, distribution.high.hours)
    raise ValueError(f"the reference does not know {distribution.kind}")


def opens(now: float) -> float:
    """Return the first office hour (08-16 on weekdays) from now on; the run begins on a Monday."""
    for day in range(int(now // 24), int(now // 24) + 4):
        if day % 7 < 5 and now < 24 * day + 16:
            return max(now, 24.0 * day + 8)
    raise AssertionError("a weekend has two days")


@dataclass
class Message:
    """A message on its way: where from and to, and what has become of it."""

    step: Any
    sender: str
    to: str
    channel: str
    silent: bool = False


@dataclass
class Outcome:
    """What is compared with the kernel."""

    care_hours: dict[int, float] = field(default_factory=dict)
    created: dict[int, float] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=lambda: {u: [] for u in URGENCIES})
    messages: list[Message] = field(default_factory=list)


class Reference:
    """One replication of a design whose practices number ``practices`` and areas ``areas``."""

    def __init__(self, design: Design, seed: int, practices: int, areas: int, cases_per_day: float) -> None:
        """Run over the same time as the kernel; the share of practices on the platform is the design's."""
        self.design, self.rng, self.env = design, random.Random(seed), simpy.Environment()
        (self.pathway,) = design.pathways.values()
        self.practices, self.areas = practices, areas
        self.joined = round(float(str(design.adoption.gp_practices).split()[0]) / 100 * practices)
        self.lists: dict[str, simpy.PriorityResource] = {}
        self.out = Outcome()
        self.env.process(self.arrivals(cases_per_day))
        self.env.run(design.warm_up.hours + design.observe.hours + design.follow_up.hours)

    def staff(self, service: str) -> simpy.PriorityResource:
        """Return a service's people; the numbers are those of benchmarks/referral/topology.yaml."""
        people = 2 if service.startswith("clinic") else 10**6 if service == "patients" else 1
        return self.lists.setdefault(service, simpy.PriorityResource(self.env, people))

    def arrivals(self, per_day: float) -> Life:
        """Draw each working day's cases: a Poisson number, spread evenly over the office hours."""
        for case_day in range(int(1e6)):
            if case_day % 7 < 5:
                at = 24.0 * case_day + 8
                while (at := at + self.rng.expovariate(per_day / 8)) < 24.0 * case_day + 16:
                    yield self.env.timeout(at - self.env.now)
                    self.env.process(self.case(len(self.out.created)))
            yield self.env.timeout(24.0 * (case_day + 1) - self.env.now)

    def case(self, case: int) -> Life:
        """Walk one case through the pathway's steps."""
        urgency = self.rng.choices(*zip(*self.pathway.starts.urgency.items(), strict=True))[0]
        gp, area = f"gp_{self.rng.randrange(self.practices)}", self.rng.randrange(self.areas)
        where = {"origin": gp, "referral_intake": f"intake_{area}", "clinic": f"clinic_{area}"}
        self.out.created[case] = self.env.now
        for step in self.pathway.steps:
            if step.do == "send":
                for copy in step.copies:
                    self.env.process(self.sent_and_read(step, where, copy))
                to_read = self.env.process(self.sent_and_read(step, where, step.to))
                if step.waits and not (yield to_read):
                    return
            elif step.do == "work":
                level = URGENCIES.index(urgency) if step.priority == "urgency" else 9
                waited = yield from self.work(where[step.service], hours(step.minutes, self.rng), level)
                if step.id == "assess":
                    self.out.waits[urgency].append(waited)
            elif step.do == "wait":
                yield self.env.timeout(hours(step.time, self.rng))
            elif step.name == "care_started":
                self.out.care_hours[case] = self.env.now - self.out.created[case]

    def work(self, service: str, length: float, level: int) -> Life:
        """Wait for somebody at an office that is open, and be worked on; return the hours waited."""
        staff, listed = self.staff(service), self.env.now
        turn = staff.request(priority=level)
        yield turn
        while service != "patients" and (closed := opens(self.env.now) - self.env.now) > 0:
            # Nobody holds a person while the office is closed: others may overtake until it opens, when those
            # who go before others ask a moment earlier.
            staff.release(turn)
            yield self.env.timeout(closed + 1e-6 * level)
            turn = staff.request(priority=level)
            yield turn
        waited = self.env.now - listed
        yield self.env.timeout(length)
        staff.release(turn)
        return waited

    def sent_and_read(self, step: Any, where: dict[str, str], role: str) -> Life:
        """Be one message's life: sent, perhaps lost and found, and read if it is for reading."""
        sender, to = where[step.sender], where.get(role, role)
        practice = next((int(s[3:]) for s in (sender, to) if s.startswith("gp_")), -1)
        channel = "letter" if to == "patients" else "platform" if practice < self.joined else "edi"
        message = Message(step, sender, to, channel)
        self.out.messages.append(message)
        arrived = yield from self.travel(message)
        if not arrived:
            message.silent = True
            found = self.design.faults.found_by["receiver_misses"]
            if self.rng.random() >= found.chance.value:
                return False
            yield self.env.timeout(hours(found.delay, self.rng))
            message.silent = False
            yield self.env.timeout(hours(self.design.faults.redelivery, self.rng))
        if step.reading is not None:
            yield from self.work(to, hours(step.reading, self.rng), 9)
        return True

    def hit(self, fault: str, channel: str) -> bool:
        """Return whether a fault of the files strikes a message on a channel."""
        settings = self.design.faults.faults[fault]  # type: ignore[index]
        return channel in settings.channels and self.rng.random() < settings.rate.value

    def travel(self, message: Message) -> Life:
        """Carry a message; True where it comes before its receiver, False where nobody will see it."""
        settings = self.design.channels.channels[message.channel]  # type: ignore[index]
        if self.hit("not_emitted", message.channel):
            return False
        if self.hit("late", message.channel):
            delay = self.design.faults.faults["late"].delay
            yield self.env.timeout(hours(delay, self.rng))
        tries = 1
        while self.rng.random() < settings.attempt_loss.value:
            again = math.ceil(self.env.now + settings.resend.min_gap.hours)
            yield self.env.timeout(again - self.env.now)
            if tries == settings.resend.attempts:
                return (yield from self.told(message))
            tries += 1
        yield self.env.timeout(hours(settings.latency, self.rng))
        if self.hit("rejected", message.channel):
            return (yield from self.told(message)) if settings.receipts == "both" else False
        return not self.hit("unwatched", message.channel)

    def told(self, message: Message) -> Life:
        """Let the sender's people handle a failure, if anybody looks at it."""
        if self.rng.random() < 0.2:
            return False
        owner = message.sender if message.sender.startswith("gp_") else "hospital"
        yield from self.work(f"errors of {owner}", self.rng.triangular(2, 14, 5) / 60, 9)
        yield self.env.timeout(hours(self.design.faults.redelivery, self.rng))
        return True
