"""Which logs there are, how late and how whole they come: what ``observe`` is told about a site.

Files say it in words (``config/logs_file.py``); ``experiment/logs.py`` turns them into this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowsim.observe.chance import chances
from flowsim.observe.directory import Directory
from flowsim.vocabulary import Party, Source

ALL_PARTIES: Final = frozenset(Party)

#: What a hash is taken for, so that no two decisions share their luck.
(
    FOR_MISSING,
    FOR_CLOCK,
    FOR_IDS,
    FOR_DELAY,
    FOR_UNSENT,
    FOR_UNSENT_KEY,
    FOR_ENDED,
    FOR_AUTO,
    FOR_OPENED,
) = range(9)


@dataclass(frozen=True)
class SourceLog:
    """How one source delivers; times in hours, shares from 0 to 1.

    A row comes ``low`` to ``high`` hours after what it tells of; of ``late_share`` of the rows up to
    ``late_by`` hours later still. ``lateness`` and ``silent_after`` are what the monitor is told.
    ``practices_on_platform`` adds those to ``parties``. ``missing`` units of it are left out.
    """

    low: float = 0.0
    high: float = 0.0
    late_share: float = 0.0
    late_by: float = 0.0
    lateness: float = 0.0
    heartbeat: float = 0.0  # 0: none
    silent_after: float = float("inf")
    parties: frozenset[Party] = ALL_PARTIES
    practices_on_platform: bool = False
    missing: float = 0.0


@dataclass(frozen=True)
class Logs:
    """All logs of a site. A source that is not in ``sources`` is switched off.

    ``joined`` are the practices' services that are on the platform. The rest are imperfections: clocks
    that differ by up to ``clock`` hours, ``ids_lost`` receiving units to which no id comes through the
    gateway, orders that are never sent (``unsent``) of which ``unsent_ended`` say so within
    ``ended_within`` hours, items that the system closes by itself (``auto_closed``) after
    ``auto_closed_after`` hours, and items that are opened and left lying (``opened_only``).
    """

    sources: Mapping[Source, SourceLog] = field(
        default_factory=lambda: {source: SourceLog() for source in Source}
    )
    seed: int = 0
    snapshot_every: float = 24.0
    clock: float = 0.0
    ids_lost: float = 0.0
    unsent: float = 0.0
    unsent_ended: float = 0.0
    ended_within: float = 0.0
    auto_closed: float = 0.0
    auto_closed_after: float = 0.0
    opened_only: float = 0.0
    joined: frozenset[int] = frozenset()


def claims(logs: Logs, directory: Directory) -> NDArray[np.bool_]:
    """Return which source has the rows of which unit (source × unit; the last column: of no unit)."""
    units = directory.units
    numbers = np.arange(len(units))
    table = np.zeros((max(Source) + 1, len(units) + 1), np.bool_)
    parties = np.array([int(unit.party) for unit in units], np.int64)
    joined = np.isin(numbers, list(logs.joined))
    for source, log in logs.sources.items():
        there = np.isin(parties, [int(party) for party in log.parties])
        if log.practices_on_platform:
            there |= joined
        if log.missing > 0.0:
            there &= chances(logs.seed, FOR_MISSING, numbers, int(source)) >= log.missing
        table[source, :-1] = there
        table[source, -1] = True
    return table


def without_ids(logs: Logs, directory: Directory) -> NDArray[np.bool_]:
    """Return the units to which the gateway carries no ids of e-messages (and one more, for no unit)."""
    numbers = np.arange(len(directory.units))
    inside = np.array([unit.kind != "error_queue" for unit in directory.units], np.bool_)
    lost = np.zeros(len(numbers) + 1, np.bool_)
    lost[:-1] = inside & (chances(logs.seed, FOR_IDS, numbers) < logs.ids_lost)
    return lost


def clock_offsets(logs: Logs, directory: Directory) -> NDArray[np.float64]:
    """Return by how many hours each unit's clock is ahead (one more, 0, for no unit)."""
    offsets = np.zeros(len(directory.units) + 1, np.float64)
    luck: NDArray[Any] = chances(logs.seed, FOR_CLOCK, np.arange(len(directory.units)))
    offsets[:-1] = logs.clock * (2.0 * luck - 1.0)
    return offsets
