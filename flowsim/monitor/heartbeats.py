"""Alerts about the logs themselves: a source that has not been heard for too long."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from flowsim.monitor.alerts import stream_alert, sweep_at
from flowsim.monitor.rules import Rule
from flowsim.monitor.silence import Hearing
from flowsim.monitor.streams import in_hours
from flowsim.vocabulary import Level, RuleKind, Source

#: Rule, source, level and begin of a silence.
Key = tuple[int, Source, Level, float]


class Heartbeats:
    """The rules that a source must be heard, and the alerts they have raised."""

    def __init__(self, rules: Sequence[Rule], off: Collection[str], hearing: Hearing, every: float) -> None:
        """Take the rules that are on, and what hears the sources."""
        self._hearing = hearing
        self._every = every
        #: Where the engine has written the alert of each silence.
        self.places: dict[Key, int] = {}
        self._limits: list[tuple[int, Source, Level, float]] = []
        for number, rule in enumerate(rules):
            if rule.kind != RuleKind.heartbeat or rule.id in off:
                continue
            for source in sorted(rule.sources):
                for level, limit in ((Level.soft, rule.soft), (Level.hard, rule.hard)):
                    if limit is not None:
                        self._limits.append((number, source, level, in_hours(limit)))
                        hearing.also_worth(source, in_hours(limit))

    def new(self, at: float) -> Iterator[tuple[Any, Key]]:
        """Give an alert for each silence that is too long at a sweep and was not told before."""
        for number, source, level, limit in self._limits:
            lateness = self._hearing.settings[source].lateness
            for begins, ends in self._gaps(source):
                deadline = begins + limit
                key = (number, source, level, begins)
                if ends <= deadline or deadline > at - lateness or key in self.places:
                    continue
                raised = sweep_at(deadline + lateness, self._every)
                alert = stream_alert(number, level, begins, deadline, deadline, raised, 1)
                yield alert, key

    def over(self) -> Iterator[tuple[int, float]]:
        """Give the place of each alert whose silence is over, and when it ended."""
        for (_, source, _, begins), place in self.places.items():
            for known, ends in self._gaps(source):
                if known == begins and math.isfinite(ends):
                    yield place, ends

    def _gaps(self, source: Source) -> list[tuple[float, float]]:
        return [*self._hearing.gaps[source], (self._hearing.last[source], math.inf)]
