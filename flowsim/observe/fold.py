"""The fold over the journal that gives what a monitor can see: observations, as addressed.

journal rows ─► rows.read_rows (what a log shows) ─► imperfect (how it comes) ─► held until received
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowsim.journal import Block, RunHeader
from flowsim.observe import lists, rows
from flowsim.observe.imperfect import Imperfections, Stretch, blank
from flowsim.observe.layout import Memory, empty_memory, world_of
from flowsim.observe.logs import Logs, claims
from flowsim.observe.naming import directory_of
from flowsim.vocabulary import OBSERVATION_SCHEMA, Milestone, Seen, Source, case_keys, row_keys

# Rows read between two looks at whether the memory has room. Small enough to stay in cache.
_SLICE: Final = 32_768
_FIRST_SLOTS: Final = 1 << 17
_DAY: Final = 24.0


class ObservationFold:
    """The fold that gives blocks of ``OBSERVATION_SCHEMA``, in the order in which the monitor gets them.

    ``hand_out`` is called with each block; without it, ``drain(until)`` gives what has come. When the
    journal has been read up to an instant, all that is received by then is there. The rows, and their
    order, are the same for any division of the journal into blocks and any instants of draining.
    """

    def __init__(self, logs: Logs | None = None, hand_out: Callable[[Block], None] | None = None) -> None:
        self._logs = logs if logs is not None else Logs()
        self._hand_out = hand_out

    def start(self, header: RunHeader) -> None:
        """Set up for the run that the header describes."""
        services = len(header.services)
        self._header = header
        self.directory = directory_of(header)
        self._world = world_of(header, int(Milestone.care_started))
        self._memory = empty_memory(services, _FIRST_SLOTS)
        self._allowed = claims(self._logs, self.directory)
        self._imperfections = Imperfections(self._logs, self.directory)
        self._out = np.zeros(_SLICE * rows.MOST, OBSERVATION_SCHEMA)
        self._given = 0
        self._raw: list[NDArray[Any]] = []
        self._held: list[Stretch] = []
        self._now = 0.0
        self._clock = _Clock(self._logs)

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        for first in range(0, len(block), _SLICE):
            self._take_slice(block[first : first + _SLICE])
        if self._hand_out is not None and len(block):
            self._deliver(self.drain(self._now))

    def drain(self, until: float = np.inf) -> Block:
        """Return what the monitor has received by ``until`` and not been given yet, in that order.

        The journal must have been read up to ``until``, all rows before it.
        """
        self._advance(min(until, self._header.end_hours))
        self._send()
        if not self._held:
            return np.zeros(0, OBSERVATION_SCHEMA)
        found = np.concatenate([stretch.rows for stretch in self._held])
        order = np.concatenate([stretch.order for stretch in self._held])
        come = found["received"] <= until
        later = ~come
        self._held = [Stretch(found[later], order[later])] if later.any() else []
        found, order = found[come], order[come]
        return found[np.lexsort((order, found["received"]))]

    def finish(self) -> Block:
        """Return all that is left, whenever the monitor receives it; nothing where it was handed out."""
        rest = self.drain()
        if self._hand_out is None:
            return rest
        self._deliver(rest)
        return rest[:0]

    def _deliver(self, given: Block) -> None:
        if len(given) and self._hand_out is not None:
            self._hand_out(given)

    def _take_slice(self, block: Block) -> None:
        self._now = float(block[-1]["time"])
        self._make_room(len(block), float(block[0]["time"]))
        keys = row_keys(block)
        first = 0
        while first < len(block):
            self._advance(float(block[first]["time"]))
            first, written = rows.read_rows(
                block, keys, first, self._clock.next, self._world, self._memory, self._allowed, self._out
            )
            self._give(self._out[:written].copy())
        self._send()

    def _advance(self, now: float) -> None:
        """Let the clock strike for all that is due by ``now``, before anything that happens then."""
        while self._clock.next <= now:
            at = self._clock.next
            for what in self._clock.strike():
                if what == lists.SNAPSHOT:
                    self._give(lists.snapshot(self._memory, self._logs, self._allowed, at))
                elif what == lists.DAY:
                    self._give(_activity(self._memory, self._allowed, at))
                else:
                    self._give(_heartbeat(Source(what), at))

    def _give(self, raw: NDArray[Any]) -> None:
        """Put rows behind those that are to go on their way."""
        if len(raw):
            self._raw.append(raw)

    def _send(self) -> None:
        """Send rows through what happens to them on their way, and hold them until they are received."""
        if not self._raw:
            return
        raw = np.concatenate(self._raw) if len(self._raw) > 1 else self._raw[0]
        self._raw = []
        known = raw["subject"] != 0
        raw["subject"] = np.where(known, case_keys(raw["subject"]), 0)
        self._held.append(self._imperfections.apply(raw, self._given))
        self._given += len(raw)

    def _make_room(self, more: int, now: float) -> None:
        slots = len(self._memory.keys)
        if self._memory.used[0] + more <= slots // 2:
            return
        known = rows.count_known(self._memory, now) + more
        wanted = max(_FIRST_SLOTS, 1 << int(4 * known - 1).bit_length())
        fresh: Memory = empty_memory(0, wanted)
        new = self._memory._replace(keys=fresh.keys, records=fresh.records)
        rows.rebuild(self._memory, new, now)
        self._memory = new


class _Clock:
    """When the next snapshot, end of a day or heartbeat is due; at one instant days come first."""

    def __init__(self, logs: Logs) -> None:
        every = {lists.DAY: _DAY}
        if logs.snapshot_every > 0.0:
            every[lists.SNAPSHOT] = logs.snapshot_every
        for source, log in sorted(logs.sources.items()):
            if log.heartbeat > 0.0:
                every[int(source)] = log.heartbeat
        self._every = every
        self._struck = dict.fromkeys(every, 0)
        self.next = self._due()

    def strike(self) -> list[int]:
        """Return what is due at ``next``, and go on to what is due after it."""
        now = self.next
        due = [what for what, n in self._struck.items() if (n + 1) * self._every[what] <= now]
        for what in due:
            self._struck[what] += 1
        self.next = self._due()
        return due

    def _due(self) -> float:
        return min((n + 1) * self._every[what] for what, n in self._struck.items())


def _activity(memory: Memory, allowed: Any, at: float) -> NDArray[Any]:
    """Return the counts of the day that ends at an instant, and begin the next day."""
    kind, unit = np.nonzero(memory.ever & allowed[Source.activity, : memory.ever.shape[1]])
    found = blank(len(kind))
    found["time"] = at
    found["unit"] = unit
    found["template"] = kind
    found["count"] = memory.counts[kind, unit]
    found["seen"] = Seen.activity
    found["source"] = Source.activity
    memory.counts[:] = 0
    return found


def _heartbeat(source: Source, at: float) -> NDArray[Any]:
    """Return the row by which a source says that it is there."""
    found = blank(1)
    found["time"] = at
    found["seen"] = Seen.heartbeat
    found["source"] = source
    return found


def observe(blocks: Iterable[Block], header: RunHeader, logs: Logs | None = None) -> Iterator[Block]:
    """Yield what can be seen of a stream of journal blocks, in the order in which a monitor gets it."""
    given: list[Block] = []
    fold = ObservationFold(logs, given.append)
    fold.start(header)
    for block in blocks:
        fold.take(block)
        yield from given
        given.clear()
    fold.finish()
    yield from given
