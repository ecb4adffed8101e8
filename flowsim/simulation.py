"""The heart: a SimPy clock that carries the compiled mail along, and hands out the journal's blocks.

What people and organisations do is a SimPy process in ``world``; what happens to messages is the
kernel's. At one instant the world acts first, then the mail. The mail runs up to the next thing that
the world does, and stops early when it has something to tell the world.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

import numpy as np
import simpy

from flowsim.kernel import state as k
from flowsim.kernel.compiling import direct, is_kept, kernel_hash
from flowsim.kernel.mail import advance, begin_families, world_draw, world_wait
from flowsim.plan import Plan
from flowsim.plan.layout import CLOCK
from flowsim.plan.smallest import smallest_plan
from flowsim.topology import stable_hash
from flowsim.vocabulary import CommandKind, Event, NoticeKind
from flowsim.world.region import stories

Block = np.ndarray[Any, Any]
#: A process of the world: given the clock and the mail, it lives its life.
Process = Callable[["Clock", "Mail"], Generator[simpy.Event, Any, None]]

__all__ = ["Clock", "Mail", "Notice", "RunInfo", "kernel_hash", "prepare", "simulate"]


class Notice(NamedTuple):
    """Something that the mail tells the world."""

    time: float
    kind: NoticeKind
    a: int
    b: int
    case: int
    delivery: int


class RunInfo(NamedTuple):
    """What there is to tell about a run, beside its journal."""

    deliveries: int
    cases: int
    events: int
    rows: int
    stops: int
    seconds: float
    tokens_peak: int
    warnings: tuple[str, ...]


class Mail:
    """The messages of one replication: runs on call, takes commands, collects notices."""

    def __init__(
        self, plan: Plan, replication: int, take: Callable[[Block], None], block_rows: int = 1 << 14
    ) -> None:
        """Start with an empty system; ``take`` is handed each full block of journal rows."""
        self.plan = plan
        self.take = take
        self.now = 0.0
        self.rows = 0
        self.notices: list[Notice] = []
        self._state = k.new_state(plan.arrays, replication)
        self._journal = k.new_journal(block_rows)
        self._commands = k.new_commands()
        begin_families(plan.arrays, self._state)
        self._advance = direct(advance, plan.arrays, self._state, self._commands, self._journal, 0.0)

    @property
    def state(self) -> k.State:
        """Return the kernel's own arrays (for tests and for looking on)."""
        return self._state

    def subscribe(self, kind: NoticeKind) -> None:
        """Ask to be told of a kind of notice."""
        self._state.counter[k.SUBSCRIBED] |= 1 << int(kind)

    def command(self, kind: CommandKind, a: int = 0, b: int = 0, case: int = 0, delivery: int = 0) -> None:
        """Tell the mail to do something now; nothing happens to any message before it is done."""
        commands = self._commands
        if commands.progress[0] == len(commands.command):
            self._commands = commands = k.Commands(
                np.concatenate([commands.command, np.zeros_like(commands.command)]), commands.progress
            )
        commands.command[commands.progress[0]] = (self.now, case, delivery, int(kind), a, b)
        commands.progress[0] += 1

    def note(
        self, event: Event, service: int = -1, defect: int = -1, level: int = 0, hours: float = 0.0
    ) -> None:
        """Write a row into the journal about something that the world has done."""
        self.command(
            CommandKind.note, int(event), service, case=defect << 8 | level, delivery=round(hours * 1e6)
        )

    def open_hours(self, calendar: int, hours: float) -> float:
        """Return how long from now until so many open hours of a calendar have passed."""
        return float(world_wait(self.plan.arrays, self.now, hours, calendar)) - self.now

    def draw(self, name: str, n: int, row: int = -1) -> tuple[float, float]:
        """Return a uniform and a duration in hours for the n-th time that the world needs luck for a name."""
        family = stable_hash(f"world/{name}") & 0x7FFFFFFF
        replication = int(self._state.counter[k.REPLICATION])
        u, hours = world_draw(self.plan.arrays, replication, family, n, row)
        return float(u), float(hours)

    def advance(self, limit: float) -> float:
        """Do the commands, then everything strictly before ``limit`` hours; return the time reached."""
        state = self._state
        idle = self._commands.progress[0] == 0 and state.counter[k.NOTICES] == 0
        if idle and (state.counter[k.QUEUE_LENGTH] == 0 or state.queue["time"][0] >= limit):
            return limit  # nothing is due: not worth the call
        while True:
            why = int(
                self._advance(self.plan.arrays, self._state, self._commands, self._journal, float(limit))
            )
            if self._commands.progress[1] == self._commands.progress[0]:
                self._commands.progress[:] = 0
            if why == k.BLOCK_FULL:
                if self._journal.length[0] == 0:
                    self._journal = k.new_journal(2 * len(self._journal.rows))
                self.flush()
            elif why == k.NEED_ROOM:
                self._grow()
            elif why == k.NOTICED:
                self._collect()
                return float(self._state.dial[CLOCK])
            else:
                return limit

    def flush(self) -> None:
        """Hand over the rows written so far."""
        rows = int(self._journal.length[0])
        if rows:
            self.take(self._journal.rows[:rows])
            self.rows += rows
        self._journal.length[0] = 0

    def _collect(self) -> None:
        state = self._state
        self.notices.extend(
            Notice(
                float(n["time"]),
                NoticeKind(int(n["kind"])),
                int(n["a"]),
                int(n["b"]),
                int(n["case"]),
                int(n["delivery"]),
            )
            for n in state.notice[: state.counter[k.NOTICES]]
        )
        state.counter[k.NOTICES] = 0
        state.counter[k.STOPS] += 1

    def _grow(self) -> None:
        state = self._state
        tokens, cases, entries = len(state.token), len(state.case), len(state.queue)
        if state.counter[k.TOKENS_LEFT] < k.ROOM:
            tokens *= 2
        if state.counter[k.CASES_LEFT] < k.ROOM:
            cases *= 2
        if state.counter[k.QUEUE_LENGTH] + 2 * len(state.token) > entries:
            entries = max(2 * entries, 4 * len(state.token))
        if (tokens, cases, entries) == (len(state.token), len(state.case), len(state.queue)):
            entries *= 2
        self._state = k.grown(state, tokens, cases, entries)

    def take_notices(self) -> list[Notice]:
        """Return the notices so far, and forget them."""
        notices, self.notices = self.notices, []
        return notices


class Clock(simpy.Environment):
    """SimPy's clock, which lets the mail run up to each of the world's events."""

    def __init__(self, mail: Mail) -> None:
        """Carry a mail along."""
        super().__init__()
        self.mail = mail
        self.listeners: list[Callable[[Notice], None]] = []

    def step(self) -> None:
        """Let the mail reach the world's next event, or the instant at which it has something to tell."""
        reached = self.mail.advance(self.peek())
        if self.mail.notices:
            self._tell_at(reached, self.mail.take_notices())
        upcoming = self.peek()
        self.mail.now = upcoming
        super().step()

    def listen(self, kind: NoticeKind, listener: Callable[[Notice], None]) -> None:
        """Call a listener with each notice of a kind, at the instant at which it is given."""
        self.mail.subscribe(kind)
        self.listeners.append(lambda notice: listener(notice) if notice.kind == kind else None)

    def _tell_at(self, instant: float, notices: list[Notice]) -> None:
        """Let the listeners hear notices at exactly an instant (hours).

        A difference of floats, added again, may miss by a rounding, and the world would act before its
        cause. From more than half the way to the instant the difference is exact (Sterbenz's lemma).
        """
        delay = max(instant - self.now, 0.0)
        if delay > 0.0 and self.now + delay != instant:
            self.timeout(0.75 * instant - self.now).callbacks.append(
                lambda _event: self._tell_at(instant, notices)
            )
        else:
            self.timeout(delay, notices).callbacks.append(self._hear)

    def _hear(self, event: simpy.Event) -> None:
        notices: list[Notice] = event.value or []
        for notice in notices:
            for listener in self.listeners:
                listener(notice)


def simulate(
    plan: Plan,
    replication: int,
    take: Callable[[Block], None],
    processes: Iterable[Process] = (),
    block_rows: int = 1 << 14,
) -> RunInfo:
    """Run one replication of a plan over [0, end); ``take`` gets each block of journal rows, in order.

    A block is valid only during the call. ``processes`` are further SimPy processes of the world.
    """
    began = time.perf_counter()
    mail = Mail(plan, replication, take, block_rows)
    clock = Clock(mail)
    for story in stories(clock, mail, plan.world, [s["id"] for s in plan.header["services"]]):
        clock.process(story)
    for process in processes:
        clock.process(process(clock, mail))
    clock.run(until=plan.end_hours)
    mail.flush()
    count = mail.state.counter
    return RunInfo(
        deliveries=int(count[k.DELIVERIES]),
        cases=int(count[k.CASES]),
        events=int(count[k.EVENTS]),
        rows=mail.rows,
        stops=int(count[k.STOPS]),
        seconds=time.perf_counter() - began,
        tokens_peak=len(mail.state.token),
        warnings=(),
    )


def prepare(say: Callable[[str], None] | None = None) -> bool:
    """Compile the kernel, or load it compiled; True if it had to be compiled.

    ``say`` is told before the wait of a first compilation.
    """
    fresh = not is_kept()
    if fresh and say is not None:
        say("Compiling the simulation kernel (once for each version of flowsim) ...")
    simulate(smallest_plan(), 1, lambda _block: None)
    return fresh
