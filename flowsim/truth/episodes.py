"""What lies behind many faults at once: defects, lists without an owner, old addresses and outages."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.journal import Block, RunHeader
from flowsim.vocabulary import Event, Fault, ServiceKind, State

#: Columns of ``episodes``, in order.
EPISODE_COLUMNS: Final = ("kind", "number", "fault", "began", "ended", "people_noticed")
#: Columns of ``touched``, in order.
TOUCHED_COLUMNS: Final = ("episode", "key")
KINDS: Final = ("defect", "unwatched_list", "old_address", "outage")

_WORLD_FIRST: Final = int(Event.went_live)
Keys = NDArray[np.int64]
_NO_KEYS: Final = np.zeros(0, np.int64)


class World:
    """Gathers what the world wrote about itself, and which messages a relay that was down held or lost."""

    def __init__(self, header: RunHeader) -> None:
        self._header = header
        self._told: list[tuple[float, int, int, int]] = []
        self._down: set[int] = set()
        self._held: list[tuple[NDArray[Any], NDArray[Any], Keys]] = []

    def take(self, block: Block, keys: Keys) -> None:
        """Read one block of the journal, with the key of each row's delivery."""
        down = set(self._down)
        for row in block[block["event"] >= _WORLD_FIRST]:
            event, service = int(row["event"]), int(row["service"])
            self._told.append((float(row["time"]), event, service, int(row["defect"])))
            if event == Event.relay_down:
                self._down.add(service)
                down.add(service)
            elif event == Event.relay_up:
                self._down.discard(service)
        if down:
            stopped = (block["list_length"] > 0) | (block["state"] == State.silent)
            here = np.isin(block["service"], list(down))
            mine = (block["event"] == Event.relay_in) & stopped & here & (block["delivery"] != 0)
            self._held.append((block["time"][mine], block["service"][mine], keys[mine]))

    def frames(self, items: NDArray[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return ``episodes`` in order of their beginning, and ``touched``."""
        found = [*self._defects(items), *self._lists(items), *self._old(items), *self._outages()]
        found.sort(key=lambda each: (each[0][3], KINDS.index(each[0][0]), each[0][1]))
        episodes = pd.DataFrame([each for each, _ in found], columns=list(EPISODE_COLUMNS))
        touched = [np.unique(keys) for _, keys in found]
        number = np.repeat(np.arange(len(found)), [len(keys) for keys in touched])
        every = np.concatenate([_NO_KEYS, *touched])
        return episodes, pd.DataFrame({"episode": number.astype(np.int64), "key": every})

    def _defects(self, items: NDArray[Any]) -> list[Any]:
        began, believed, mended = (
            self._first(event) for event in (Event.defect_began, Event.defect_believed, Event.defect_mended)
        )
        found = []
        for d, at in sorted(began.items()):
            fault = Fault(self._header.defects[d].fault).name
            row = ("defect", d, fault, at, mended.get(d, np.inf), believed.get(d, np.inf))
            found.append((row, items["key"][items["defect"] == d]))
        return found

    def _first(self, event: Event) -> dict[int, float]:
        times: dict[int, float] = {}
        for time, told, _, defect in self._told:
            if told == event:
                times.setdefault(defect, time)
        return times

    def _lists(self, items: NDArray[Any]) -> list[Any]:
        """Return each time that a list had no owner; from the first item on where it never had one."""
        lies = items[(items["fault"] == Fault.unwatched) & (items["apart"] == 0)]
        windows = self._windows(Event.owner_lost, Event.owner_given)
        for s in np.unique(lies["where"]):
            first = float(lies["began"][lies["where"] == s].min())
            known = windows.setdefault(int(s), [])
            if not known or first < known[0][0]:
                given = [t for t, event, at, _ in self._told if event == Event.owner_given and at == s]
                known.insert(0, (first, min([*given[:1], *(span[0] for span in known[:1])], default=np.inf)))
        found = []
        for s, spans in sorted(windows.items()):
            for began, ended in spans:
                touched = (lies["where"] == s) & (lies["began"] >= began) & (lies["began"] <= ended)
                row = ("unwatched_list", s, Fault.unwatched.name, began, ended, ended)
                found.append((row, lies["key"][touched]))
        return found

    def _old(self, items: NDArray[Any]) -> list[Any]:
        """Return each old address, from the first message that came out there until none lies there."""
        dead = np.array([s.kind == ServiceKind.dead_endpoint for s in self._header.services] + [False])
        there = items[(items["fault"] == Fault.misaddressed) & dead[items["where"]] & (items["old"] >= 0)]
        found = []
        for s in np.unique(there["old"]):
            mine = there[there["old"] == s]
            began, ended = float(mine["began"].min()), float(mine["ended"].max())
            found.append(
                (("old_address", int(s), Fault.misaddressed.name, began, ended, np.inf), mine["key"])
            )
        return found

    def _outages(self) -> list[Any]:
        none = (np.zeros(0), np.zeros(0, np.int32), _NO_KEYS)
        time, relay, key = (np.concatenate(parts) for parts in zip(none, *self._held, strict=True))
        found = []
        for r, spans in sorted(self._windows(Event.relay_down, Event.relay_up).items()):
            for began, ended in spans:
                mine = (relay == r) & (time >= began) & (time <= ended)
                found.append((("outage", r, "", began, ended, np.inf), key[mine]))
        return found

    def _windows(self, begins: Event, ends: Event) -> dict[int, list[tuple[float, float]]]:
        """Return for each service from when to when a state held; infinite where it had not ended."""
        windows: dict[int, list[tuple[float, float]]] = {}
        for time, event, service, _ in self._told:
            spans = windows.get(service, [])
            if event == begins:
                windows.setdefault(service, []).append((time, np.inf))
            elif event == ends and spans and spans[-1][1] == np.inf:
                spans[-1] = (spans[-1][0], time)
        return windows
