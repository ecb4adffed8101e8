"""The fold that gives the truth as frames: faults of deliveries, and what lay behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.journal import Block, RunHeader
from flowsim.truth import rows
from flowsim.truth.episodes import EPISODE_COLUMNS, TOUCHED_COLUMNS, World
from flowsim.truth.layout import ITEM, Found, Table, empty_table, limits_of
from flowsim.vocabulary import Fault, case_keys, row_keys

_SLICE: Final = 32_768
_FIRST_SLOTS: Final = 1 << 17

#: Columns of ``items``, in order.
ITEM_COLUMNS: Final = (
    "key",
    "case",
    "delivery",
    "fault",
    "defect",
    "sender",
    "intended",
    "message",
    "channel",
    "template",
    "urgency",
    "authored",
    "began",
    "ended",
    "people_noticed",
    "told",
)
#: Faults that nobody mends by reading the message: what happened once stays so.
_STAYS: Final = (Fault.duplicated, Fault.incomplete, Fault.no_endpoint)


@dataclass(frozen=True)
class Truth:
    """What really went wrong in a run; times in hours, infinite where it did not come.

    ``items``: a row for each class of fault that a delivery ever had (``ITEM_COLUMNS``), the whole run, in
    the order in which they began to show. ``episodes``: a row for each defect, list without an owner, old
    address and outage (``EPISODE_COLUMNS``). ``touched``: which deliveries an episode touched, by its place
    in ``episodes`` and the delivery's key (``TOUCHED_COLUMNS``). docs/data.md has all columns.
    """

    items: pd.DataFrame
    episodes: pd.DataFrame
    touched: pd.DataFrame


class TruthFold:
    """The fold that gives ``Truth``."""

    def start(self, header: RunHeader) -> None:
        """Set up empty tables for the run."""
        self._header = header
        self._limits = limits_of(header)
        self._table = empty_table(_FIRST_SLOTS)
        self._items = np.zeros(4 * _SLICE, ITEM)
        self._used = np.zeros(1, np.int64)
        self._world = World(header)

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        for first in range(0, len(block), _SLICE):
            part = block[first : first + _SLICE]
            keys = row_keys(part)
            self._make_room(len(part), float(part["time"][0]))
            found = Found(self._items, self._used)
            rows.read_rows(part, keys, case_keys(part["case"]), self._limits, self._table, found)
            self._world.take(part, keys)

    def finish(self) -> Truth:
        """Return the truth."""
        items = np.concatenate([self._items[: self._used[0]], self._overdue()])
        mended = items["ended"].copy()
        mended[np.isin(items["fault"], _STAYS)] = np.inf
        items["ended"] = mended
        defects = self._header.defects
        of = np.array([d.fault for d in defects] + [0], np.int64)
        # A defect is charged with its own class of fault only.
        own = (items["defect"] >= 0) & (of[items["defect"]] == items["fault"])
        items["defect"] = np.where(own, items["defect"], -1)
        episodes, touched = self._world.frames(items)
        return Truth(self._frame(items), episodes, touched)

    def _overdue(self) -> NDArray[Any]:
        """Return those still waiting for what their deadline asks, when it passed before the run's end."""
        records = self._table.records
        late = (self._table.keys != 0) & (records["target"] != 0) & (
            records["deadline"] < self._header.end_hours
        )  # fmt: skip
        place = np.flatnonzero(late)
        place = place[np.lexsort((self._table.keys[place], records["authored"][place]))]
        found = np.zeros(len(place), ITEM)
        for name in ("case", "delivery", "authored", "sender", "intended", "template", "channel", "urgency"):
            found[name] = records[name][place]
        found["key"] = self._table.keys[place]
        found["began"] = found["authored"]
        for name in ("ended", "people_noticed", "told"):
            found[name] = np.inf
        found["fault"], found["defect"], found["old"], found["where"] = Fault.late, -1, -1, -1
        known = self._items[: self._used[0]]
        told = known["key"][known["fault"] == Fault.late]
        return found[~np.isin(found["key"], told)]

    def _frame(self, items: NDArray[Any]) -> pd.DataFrame:
        message = np.array([step.message for step in self._header.steps] or [0], np.int64)
        columns: dict[str, Any] = {name: items[name] for name in ITEM_COLUMNS if name != "message"}
        columns["fault"] = [Fault(int(fault)).name for fault in items["fault"]]
        columns["message"] = message[items["template"]]
        return pd.DataFrame({name: columns[name] for name in ITEM_COLUMNS})

    def _make_room(self, more: int, now: float) -> None:
        if self._used[0] + 2 * more > len(self._items):
            grown = np.zeros(2 * len(self._items) + 2 * more, ITEM)
            grown[: self._used[0]] = self._items[: self._used[0]]
            self._items = grown
        if self._table.used[0] + more > len(self._table.keys) // 2:
            known = rows.count_known(self._table, now) + more
            new: Table = empty_table(max(_FIRST_SLOTS, 1 << int(4 * known - 1).bit_length()))
            rows.rebuild(self._table, new, now)
            self._table = new


__all__ = ["EPISODE_COLUMNS", "ITEM_COLUMNS", "TOUCHED_COLUMNS", "Truth", "TruthFold"]
