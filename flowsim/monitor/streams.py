"""What is counted by stream and bucket: balances between two tiers, and charts of volumes and shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.monitor.alerts import stream_alert, sweep_at
from flowsim.monitor.control_charts import Chart
from flowsim.monitor.rules import Rule
from flowsim.units import Duration
from flowsim.vocabulary import Level, RuleKind

Rows = NDArray[Any]
#: Whether a source of the rule was silent in a stretch, as known at a cutoff.
Silent = Callable[[float, float], bool]

#: The smallest share of losses that is believed (a rule that has never seen one would alarm at the first).
LEAST_SHARE = 1e-4
#: Columns that can name a stream.
_NAMES = ("unit", "sender", "receiver", "template", "message", "channel", "subject")


def in_hours(duration: Duration | None) -> float:
    """Return a duration in plain hours, a working day as 24; infinite for none."""
    if duration is None:
        return math.inf
    return duration.hours + 24.0 * duration.working_days


@dataclass
class _Bucket:
    """Counts of one stream in one bucket."""

    first: float = 0.0
    second: float = 0.0


@dataclass
class _Stream:
    """One stream: a row that names it, its open buckets, and its running sums."""

    row: Any
    buckets: dict[int, _Bucket] = field(default_factory=dict)
    difference: float = 0.0
    least: float = 0.0
    asked: float = 0.0
    since: float = 0.0
    chart: Chart | None = None


class StreamRule:
    """A balance or a rate change: counts what comes, and judges each bucket when it is whole."""

    def __init__(self, rule: Rule, number: int, lateness: float, every: float) -> None:
        """Take the rule, its number, its lane's lateness and the time between sweeps."""
        self.rule = rule
        self.number = number
        self.width = in_hours(rule.every)
        self._lateness = lateness
        self._every = every
        self._streams: dict[int, _Stream] = {}
        self._activity: dict[int, float] = {}
        self._next = 0
        hard = rule.kind == RuleKind.balance and rule.hard is not None
        self._level = Level.hard if hard else Level.soft

    def count(
        self,
        te: NDArray[Any],
        stream: NDArray[Any],
        rows: Rows,
        places: NDArray[np.int64],
        second: bool,
    ) -> None:
        """Count rows at some places into the buckets of their streams, on the first tier or the second."""
        if not len(te):
            return
        bucket = np.floor(te / self.width).astype(np.int64)
        order = np.lexsort((bucket, stream))
        stream, bucket = stream[order], bucket[order]
        new = np.flatnonzero(np.r_[True, (stream[1:] != stream[:-1]) | (bucket[1:] != bucket[:-1])])
        times = np.diff(np.r_[new, len(order)])
        first = places[order[new]]
        for name, number, place, n in zip(
            stream[new].tolist(), bucket[new].tolist(), first.tolist(), times.tolist(), strict=True
        ):
            known = self._streams.get(name)
            if known is None:
                known = self._streams[name] = _Stream(rows[place].copy())
            entry = known.buckets.setdefault(number, _Bucket())
            if second:
                entry.second += n
            else:
                entry.first += n

    def count_activity(self, te: NDArray[Any], counts: NDArray[Any]) -> None:
        """Count what went on outside; a count stands at the end of its day, which belongs to that day."""
        bucket = np.ceil(te / self.width).astype(np.int64) - 1
        for number, n in zip(bucket.tolist(), counts.tolist(), strict=True):
            self._activity[number] = self._activity.get(number, 0.0) + n

    @property
    def judged_at(self) -> float:
        """Return the sweep (hours) at which the next bucket is whole; what is missing is asked just then."""
        due = (self._next + 1) * self.width + self._limit
        sweep = sweep_at(due + self._lateness, self._every)
        while sweep - self._lateness < due:  # a rounding short
            sweep += self._every
        return sweep

    @property
    def _limit(self) -> float:
        """How long after its end a bucket's trials are decided; only a share of losses has trials."""
        trials = self.rule.kind == RuleKind.rate_change and self.rule.then is not None
        return in_hours(self.rule.hard) if trials else 0.0

    def judge(self, cutoff: float, silent: Silent) -> Iterator[tuple[Any, int]]:
        """Give an alert, and its stream, for each bucket that is whole at a cutoff and out of order."""
        limit = self._limit
        while (self._next + 1) * self.width + limit <= cutoff:
            number, self._next = self._next, self._next + 1
            begin, end = number * self.width, (number + 1) * self.width
            activity = self._activity.pop(number, 0.0)
            left_out = silent(begin, end)
            for name in sorted(self._streams):
                stream = self._streams[name]
                entry = stream.buckets.pop(number, None) or _Bucket()
                if left_out:
                    continue
                if self.rule.kind == RuleKind.balance:
                    found = self._balance(stream, entry, begin, end)
                else:
                    found = self._chart(stream, entry, begin, end, activity)
                if found is not None:
                    yield self._alert(stream, *found, end, limit), name

    def _balance(self, stream: _Stream, entry: _Bucket, begin: float, end: float) -> tuple[float, int] | None:
        if stream.difference == stream.least:
            stream.since = begin
        stream.difference += entry.first - entry.second
        stream.asked += entry.first
        if stream.difference <= stream.least:
            stream.least, stream.asked, stream.since = stream.difference, 0.0, end
            return None
        short = stream.difference - stream.least
        if short <= self.rule.most + self.rule.share * stream.asked:
            return None
        since = stream.since
        stream.difference = stream.least = stream.asked = 0.0
        stream.since = end
        return since, int(short)

    def _chart(
        self, stream: _Stream, entry: _Bucket, begin: float, end: float, activity: float
    ) -> tuple[float, int] | None:
        if stream.chart is None:
            buckets = in_hours(self.rule.false_alarm) / self.width
            stream.chart = Chart(self.rule.share, buckets, in_hours(self.rule.training))
        trials = self.rule.then is not None
        count, basis = (entry.second, entry.first) if trials else (entry.first, activity)
        if not stream.chart.take(begin, end, count, basis, LEAST_SHARE if trials else 0.0):
            return None
        return stream.chart.since, int(count)

    def _alert(self, stream: _Stream, since: float, count: int, end: float, limit: float) -> Any:
        raised = sweep_at(end + limit + self._lateness, self._every)
        alert = stream_alert(self.number, self._level, since, end, end + limit, raised, count)
        for column in set(_NAMES) & set(self.rule.by):
            alert[column] = stream.row[column]
        return alert
