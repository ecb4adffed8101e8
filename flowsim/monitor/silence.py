"""When each source was heard, and when it was silent for too long."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from flowsim.monitor.layout import Silence
from flowsim.monitor.rules import SourceSetting
from flowsim.vocabulary import Source


class Hearing:
    """The instants at which each source was heard, up to its watermark, and the gaps between them."""

    def __init__(self, sources: Mapping[Source, SourceSetting]) -> None:
        """Begin at hour 0, with every source just heard."""
        self.settings = dict(sources)
        self._waiting: dict[Source, list[NDArray[np.float64]]] = {s: [] for s in sources}
        self.last = dict.fromkeys(sources, 0.0)
        #: Gaps longer than the shortest limit that anybody asks for, by source: (begins, ends).
        self.gaps: dict[Source, list[tuple[float, float]]] = {s: [] for s in sources}
        self._worth = {s: setting.silent_after for s, setting in sources.items()}

    def also_worth(self, source: Source, hours: float) -> None:
        """Keep gaps of this length too (a heartbeat rule asks for them)."""
        self._worth[source] = min(self._worth[source], hours)

    def take(self, source: Source, te: NDArray[np.float64]) -> None:
        """Take instants at which a source was heard, in any order."""
        self._waiting[source].append(te)

    def advance(self, sweep: float) -> None:
        """Look at what was heard up to each source's watermark at a sweep."""
        for source, parts in self._waiting.items():
            if not parts:
                continue
            mark = sweep - self.settings[source].lateness
            te = np.concatenate(parts)
            due = te <= mark
            heard = np.concatenate([[self.last[source]], np.sort(te[due])])
            for k in np.flatnonzero(np.diff(heard) > self._worth[source]):
                self.gaps[source].append((float(heard[k]), float(heard[k + 1])))
            self.last[source] = float(heard[-1])
            rest = te[~due]
            self._waiting[source] = [rest] if len(rest) else []

    def silence(self) -> Silence:
        """Return the gaps as tables by number of the source; what is not over ends at infinity."""
        size = max(Source) + 1
        found = {source: [*gaps, (self.last[source], math.inf)] for source, gaps in self.gaps.items()}
        most = max((len(gaps) for gaps in found.values()), default=1)
        begins, ends = np.full((size, most), math.inf), np.full((size, most), math.inf)
        count, after = np.zeros(size, np.int64), np.full(size, math.inf)
        for source, gaps in found.items():
            count[source] = len(gaps)
            after[source] = self.settings[source].silent_after
            begins[source, : len(gaps)] = [gap[0] for gap in gaps]
            ends[source, : len(gaps)] = [gap[1] for gap in gaps]
        return Silence(begins, ends, count, after)

    def was_silent(self, source: Source, begin: float, end: float, cutoff: float) -> bool:
        """Return whether a source was silent between two instants, as known at a cutoff."""
        after = self.settings[source].silent_after
        for begins, ends in [*self.gaps[source], (self.last[source], math.inf)]:
            if ends > begin and begins < end and min(ends, cutoff) - begins > after:
                return True
        return False
