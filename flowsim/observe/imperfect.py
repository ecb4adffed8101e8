"""What happens to a log on its way to the monitor: late, by other clocks, without ids, with orders unsent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.observe import logs as names
from flowsim.observe.chance import chances, hashes, two_chances
from flowsim.observe.directory import Directory
from flowsim.observe.logs import Logs, clock_offsets, without_ids
from flowsim.vocabulary import OBSERVATION_SCHEMA, Channel, Party, Seen, Source, message_keys

Rows = NDArray[Any]

#: What stands in the receiver's log, under the id that came through the gateway.
_AT_RECEIVER = np.zeros(256, np.bool_)
_AT_RECEIVER[[Seen.received, Seen.accepted, Seen.on_list, Seen.opened, Seen.closed]] = True
#: What is dated by whoever reports it, not by a unit's clock.
_NO_CLOCK = np.zeros(256, np.bool_)
_NO_CLOCK[[Seen.activity, Seen.heartbeat]] = True
#: Those whose e-messages go through the gateway of the shared record.
_GATEWAY = (Party.hospital, Party.municipality)
#: Rows that one row gives at most, so that each has a number of its own.
_FAN = 4


@dataclass(frozen=True)
class Stretch:
    """Observations as they reach the monitor, each with a number in the order in which they arose."""

    rows: Rows
    order: NDArray[np.int64]


class Imperfections:
    """Does to rows what a site's logs do to them; the same for any division into blocks."""

    def __init__(self, logs: Logs, directory: Directory) -> None:
        self._logs = logs
        self._offsets = clock_offsets(logs, directory)
        self._lost = without_ids(logs, directory)
        gateway = [unit.party in _GATEWAY for unit in directory.units]
        self._gateway = np.array([*gateway, False], np.bool_)
        self._settings = np.zeros((4, max(Source) + 1))
        for source, log in logs.sources.items():
            self._settings[:, source] = log.low, log.high, log.late_share, log.late_by

    def apply(self, raw: Rows, first: int) -> Stretch:
        """Return the rows as they come; ``first`` is how many rows there were before these."""
        order = (first + np.arange(len(raw))) * _FAN
        rows = raw
        if self._logs.unsent > 0.0:
            rows, order = self._with_unsent(raw, order)
        rows["received"] = rows["time"] + self._delays(rows)
        self._lose_ids(rows)
        if self._logs.clock > 0.0:
            rows["time"] += np.where(_NO_CLOCK[rows["seen"]], 0.0, self._offsets[rows["unit"]])
        return Stretch(rows, order)

    def _with_unsent(self, raw: Rows, order: Any) -> tuple[Rows, Any]:
        """Add orders that nobody will send, beside some of those that somebody will."""
        seed, logs = self._logs.seed, self._logs
        place = np.flatnonzero(raw["seen"] == Seen.ordered)
        place = place[chances(seed, names.FOR_UNSENT, raw["key"][place]) < logs.unsent]
        more = raw[place].copy()
        more["key"] = hashes(seed, names.FOR_UNSENT_KEY, raw["key"][place])
        more["subject"] = hashes(seed, names.FOR_UNSENT_KEY, more["key"])
        luck = chances(seed, names.FOR_ENDED, more["key"])
        ends = luck < logs.unsent_ended
        ended = more[ends].copy()
        ended["seen"] = Seen.order_ended
        # What is left of the luck is as even as it was.
        ended["time"] += logs.ended_within * luck[ends] / max(logs.unsent_ended, 1e-12)
        rows = np.concatenate([raw, more, ended])
        return rows, np.concatenate([order, order[place] + 1, order[place][ends] + 2])

    def _delays(self, rows: Rows) -> Any:
        """Return how many hours after it happened the monitor gets each row."""
        low, high, late, by = self._settings[:, rows["source"]]
        if not self._settings.any():
            return low
        bits = np.ascontiguousarray(rows["time"]).view(np.int64)
        told = rows["unit"].astype(np.int64) * 256 + rows["seen"]
        first, second = two_chances(self._logs.seed, names.FOR_DELAY, message_keys(rows["key"], bits), told)
        delay = low + (high - low) * first
        return delay + np.where(second < late, by * second / np.maximum(late, 1e-12), 0.0)

    def _lose_ids(self, rows: Rows) -> None:
        """Take the ids away that the gateway does not carry to a receiver."""
        if self._logs.ids_lost <= 0.0:
            return
        at = np.flatnonzero(
            (rows["channel"] == Channel.edi) & _AT_RECEIVER[rows["seen"]] & self._lost[rows["unit"]]
        )
        inside = self._gateway[rows["sender"][at]] | self._gateway[rows["unit"][at]]
        rows["key"][at[inside]] = 0


def blank(count: int) -> Rows:
    """Return rows about nobody, to be filled in."""
    rows = np.zeros(count, OBSERVATION_SCHEMA)
    for name in ("unit", "sender", "receiver", "template"):
        rows[name] = -1
    return rows
