"""The engine: observations in any order in, alerts out, judged at sweeps (docs/monitor.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.monitor import core, layout, slots
from flowsim.monitor.alerts import identity, in_order, sweep_at
from flowsim.monitor.heartbeats import Heartbeats
from flowsim.monitor.lanes import Lane, Statistics, Working, all_seen, due_rows, events
from flowsim.monitor.matching import Claims, Matcher, keys_of
from flowsim.monitor.rules import SOURCE_OF, Rule, SourceSetting
from flowsim.monitor.silence import Hearing
from flowsim.monitor.streams import StreamRule, in_hours
from flowsim.observe.directory import Directory
from flowsim.units import Duration, WorkingDays
from flowsim.vocabulary import ALERT_SCHEMA, OBSERVATION_SCHEMA, RuleKind, Seen, Source

Rows = NDArray[Any]

_KINDS = {
    RuleKind.response: layout.RESPONSE,
    RuleKind.precedence: layout.PRECEDENCE,
    RuleKind.persistence: layout.PERSISTENCE,
    RuleKind.at_most: layout.AT_MOST,
    RuleKind.idle: layout.IDLE,
    RuleKind.balance: layout.MATCHING,
    RuleKind.rate_change: layout.TRIAL,
}
#: Sweeps walked at once; more would only hold more rows.
_SWEEPS_AT_ONCE = 24.0
_WORKING_DAYS_AHEAD = 366 * 30
_FIRST_SLOTS = 1 << 12


class Engine:
    """Evaluates rules over observations; memory follows what is open.

    ``sources`` has those that are on. ``off`` lists the rules that cannot be evaluated for want of one.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        directory: Directory,
        sources: Mapping[Source, SourceSetting],
        start: date,
        holidays: Iterable[date] = (),
        every: float = 1.0,
    ) -> None:
        """Take rules, the names behind the numbers, the sources that are on, and the calendar."""
        self.rules = tuple(rules)
        self.directory = directory
        self.sources = dict(sources)
        self.every = every
        self.off = tuple(rule.id for rule in self.rules if not rule.sources <= set(self.sources))
        self.statistics = Statistics(*(dict.fromkeys(self.sources, 0) for _ in range(3)))
        self._days = WorkingDays(start, _WORKING_DAYS_AHEAD, holidays)
        self._hearing = Hearing(self.sources)
        self._table = np.zeros(len(self.rules), layout.RULE_ROW)
        self._lane_of = np.zeros(len(self.rules), np.int64)
        self._working: dict[int, Working] = {}
        self._lanes: list[Lane] = []
        self._lateness = np.full(256, -1.0)  # by source; negative: it is off
        for source, setting in self.sources.items():
            self._lateness[source] = setting.lateness
        self._set_up()
        units = len(directory.units) + 1
        self._tables = layout.Tables(
            np.zeros(_FIRST_SLOTS, layout.SLOT),
            np.full(_FIRST_SLOTS, -1, np.int64),
            np.array([-1, 0], np.int64),
            np.full((units, layout.RING), -math.inf),
            np.zeros(units, np.int64),
        )
        self._tables.slots["rule"] = -1
        slots.rehash(self._tables.slots[:0], self._tables)
        self._alerts = np.zeros(1 << 10, ALERT_SCHEMA)
        self._count = 0
        self._swept = 0.0
        self._missing: dict[tuple[Any, ...], NDArray[np.int64]] = {}
        self._heartbeats = Heartbeats(self.rules, self.off, self._hearing, every)
        self._recovered: list[int] = []
        self.most_open = 0

    # --- setting up ---------------------------------------------------------------------------------

    def _set_up(self) -> None:
        lanes: dict[float, list[int]] = {}
        for number, rule in enumerate(self.rules):
            if rule.id in self.off:
                continue
            lateness = max((self.sources[s].lateness for s in rule.sources), default=0.0)
            row = self._table[number]
            row["lateness"] = lateness
            row["tolerance"] = in_hours(rule.tolerance)
            row["most"] = rule.most
            if rule.kind == RuleKind.heartbeat:
                continue
            row["kind"] = _KINDS[rule.kind]
            awaited = rule.then.seen if rule.then is not None else frozenset[Seen]()
            row["waits_for"] = sum({1 << int(SOURCE_OF[seen]) for seen in awaited})
            lanes.setdefault(lateness, []).append(number)
            self._working[number] = self._work(number, rule, lateness)
        for lane, (lateness, numbers) in enumerate(sorted(lanes.items())):
            seen = np.zeros(256, np.bool_)
            for number in numbers:
                self._lane_of[number] = lane
                seen[all_seen(self.rules[number])] = True
            self._lanes.append(Lane(lateness, numbers, seen))

    def _work(self, number: int, rule: Rule, lateness: float) -> Working:
        streams = None
        if rule.kind in (RuleKind.balance, RuleKind.rate_change):
            streams = StreamRule(rule, number, lateness, self.every)
        keyed = rule.kind != RuleKind.rate_change or rule.then is not None
        return Working(
            rule,
            Matcher(rule.when, self.directory),
            Matcher(rule.then, self.directory) if rule.then is not None else None,
            Claims(rule, self.directory, self.sources),
            streams,
            keyed,
        )

    # --- input --------------------------------------------------------------------------------------

    def take(self, block: Rows) -> None:
        """Take observations, in any order; rows of a source that is off are left out."""
        if not len(block):
            return
        lateness = self._lateness
        rows = np.ascontiguousarray(block, dtype=OBSERVATION_SCHEMA)
        known = lateness[rows["source"]] >= 0.0
        if not known.all():
            rows = rows[known]
        latest = rows["received"] - lateness[rows["source"]]
        te = np.maximum(rows["time"], latest)
        self._count_rows(rows, latest > rows["time"])
        for source in self.sources:
            own = rows["source"] == source
            if own.any():
                self._hearing.take(source, te[own])
        for lane in self._lanes:
            wanted = lane.seen[rows["seen"]]
            if wanted.any():
                lane.rows.append(rows[wanted])
                lane.te.append(te[wanted])

    def _count_rows(self, rows: Rows, late: NDArray[np.bool_]) -> None:
        told = self.statistics
        nameless = (rows["key"] == 0) & (rows["seen"] > Seen.activity) & (rows["seen"] != Seen.snapshot_taken)
        for counts, flags in ((told.rows, slice(None)), (told.late, late), (told.without_key, nameless)):
            by_source = np.bincount(rows["source"][flags], minlength=256)
            for source in counts:
                counts[source] += int(by_source[source])

    # --- sweeping -----------------------------------------------------------------------------------

    def advance(self, now: float) -> Rows:
        """Sweep up to now (hours; all received by then has been taken); return the alerts raised."""
        before = self._count
        last = math.floor(now / self.every) * self.every
        while self._swept < last:
            self._swept = min(last, self._swept + _SWEEPS_AT_ONCE * self.every, self._next_judgement())
            self._sweep(self._swept)
        return in_order(self._alerts[before : self._count])

    def _next_judgement(self) -> float:
        """Return the next sweep at which a bucket is judged: sweeps walked at once must not pass over it.

        What a bucket misses, and whether a source is silent, would else depend on when it was asked.
        """
        streams = (working.streams for working in self._working.values())
        return min((each.judged_at for each in streams if each is not None), default=math.inf)

    def finish(self, end: float) -> Rows:
        """Sweep until every row taken by ``end`` is judged; return all alerts."""
        most = max((setting.lateness for setting in self.sources.values()), default=0.0)
        self.advance(sweep_at(end + most, self.every) + self.every)
        return self.alerts

    @property
    def alerts(self) -> Rows:
        """Return all alerts so far, in order of their raising."""
        return in_order(self._alerts[: self._count])

    def take_recovered(self) -> Rows:
        """Return the alerts that recovered since the last call, as they are now."""
        places, self._recovered = sorted(set(self._recovered)), []
        found: Rows = in_order(self._alerts[places])
        return found

    def missing(self, alert: Any) -> NDArray[np.int64]:
        """Return the ids that a balance alert lists as missing; none for other alerts."""
        return self._missing.get(identity(alert), np.zeros(0, np.int64))

    @property
    def open_obligations(self) -> int:
        """Return how many obligations and memories are held now."""
        return int(self._tables.free[1])

    @property
    def watermarks(self) -> dict[Source, float]:
        """Return up to which effective time each source is known, at the last sweep."""
        return {source: self._swept - setting.lateness for source, setting in self.sources.items()}

    def evidence(self, alert: Any) -> dict[str, Any]:
        """Return what shows an alert: what was seen and where, what was awaited, what was known by then."""
        rule = self.rules[alert["rule"]]
        at = float(alert["raised"])
        awaited = rule.then.seen if rule.then is not None else frozenset[Seen]()
        return {
            "rule": rule.id,
            "seen": sorted(each.name for each in rule.when.seen),
            "seen_in": sorted({SOURCE_OF[s].name for s in rule.when.seen if s in SOURCE_OF}),
            "since": float(alert["since"]),
            "awaited": sorted(each.name for each in awaited),
            "awaited_in": sorted({SOURCE_OF[each].name for each in awaited}),
            "deadline": float(alert["deadline"]),
            "known_up_to": {s.name: at - self.sources[s].lateness for s in sorted(rule.sources)},
        }

    def _sweep(self, at: float) -> None:
        self._hearing.advance(at)
        silence = self._hearing.silence()
        cutoffs = np.array([at - lane.lateness for lane in self._lanes])
        for lane, cutoff in zip(self._lanes, cutoffs.tolist(), strict=True):
            rows, te = due_rows(lane, cutoff)
            self._walk_lane(lane, rows, te, silence)
        raised = self._room(self.open_obligations * 2, self.open_obligations)
        core.scan(self._table, self._lane_of, self._tables, silence, raised, cutoffs, self.every)
        self._gather(raised)
        for number, working in self._working.items():
            if working.streams is not None:
                self._judge(number, working, float(cutoffs[self._lane_of[number]]))
        self._judge_heartbeats(at)
        self.most_open = max(self.most_open, self.open_obligations)

    def _walk_lane(self, lane: Lane, rows: Rows, te: NDArray[np.float64], silence: layout.Silence) -> None:
        if not len(rows):
            return
        seen = rows["seen"]
        by_seen = {int(each): np.flatnonzero(seen == each) for each in np.unique(seen)}
        whole = by_seen.get(int(Seen.snapshot_taken))
        on_lists = [n for n in lane.rules if self.rules[n].kind == RuleKind.persistence]
        if whole is not None and on_lists:
            self._walk(on_lists[0], events(te, whole, layout.WHOLE), rows, silence)
        for number in lane.rules:
            self._take_rule(number, rows, te, by_seen, silence)

    def _take_rule(
        self,
        number: int,
        rows: Rows,
        te: NDArray[np.float64],
        by_seen: dict[int, NDArray[np.int64]],
        silence: layout.Silence,
    ) -> None:
        working = self._working[number]
        rule = working.rule
        opens = working.claims.keep(rows, working.when.places(rows, by_seen))
        ends = working.then.places(rows, by_seen) if working.then is not None else opens[:0]
        if rule.kind == RuleKind.balance:
            ends = working.claims.keep(rows, ends)
        streams = working.streams
        if streams is not None:
            if rule.activity and int(Seen.activity) in by_seen:
                places = by_seen[int(Seen.activity)]
                places = places[np.isin(rows["template"][places], sorted(rule.activity))]
                streams.count_activity(te[places], rows["count"][places])
            if rule.kind == RuleKind.balance or rule.then is None:
                streams.count(te[opens], keys_of(rows, opens, rule.by), rows, opens, second=False)
                streams.count(te[ends], keys_of(rows, ends, rule.by), rows, ends, second=True)
        if not working.keyed or not len(opens) + len(ends):
            return
        events = self._events_of(working, rows, te, opens, ends)
        if len(events):
            self._walk(number, events, rows, silence)

    def _events_of(
        self,
        working: Working,
        rows: Rows,
        te: NDArray[np.float64],
        opens: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> Rows:
        rule = working.rule
        by: tuple[str, ...] = rule.by
        if rule.kind == RuleKind.persistence:
            by = ("key", "unit")
        elif working.streams is not None:
            by = ("key",)
        places = np.concatenate([ends, opens])
        role = np.full(len(places), layout.OPENS, np.uint8)
        role[: len(ends)] = layout.ENDS  # first, where one row is both
        keys = keys_of(rows, places, by)
        order = np.argsort(places, kind="stable")
        order = order[keys[order] != 0]
        places = places[order]
        found = np.zeros(len(order), layout.EVENT)
        found["row"], found["role"], found["key"], found["te"] = places, role[order], keys[order], te[places]
        if working.streams is not None:
            found["stream"] = keys_of(rows, places, rule.by)
        begins = found["role"] == layout.OPENS
        if rule.kind == RuleKind.precedence:
            begins[:] = True  # what precedes counts until its own limit
        for level, limit in ((layout.SOFT, rule.soft), (layout.HARD, rule.hard)):
            found["limit"][:, level] = math.inf
            if limit is not None:
                found["limit"][begins, level] = self._deadlines(found["te"][begins], limit)
        return found

    def _deadlines(self, te: NDArray[np.float64], limit: Duration) -> NDArray[np.float64]:
        return (self._days.add(te, limit.working_days) if limit.working_days else te) + limit.hours

    def _walk(self, number: int, events: Rows, rows: Rows, silence: layout.Silence) -> None:
        self._grow(len(events))
        raised = self._room(2 * len(events), len(events) * 2)
        core.walk(self._table, number, events, rows, self._tables, silence, raised, self.every)
        self._gather(raised)

    def _grow(self, more: int) -> None:
        needed = self.open_obligations + more
        size = len(self._tables.slots)
        if needed <= size:
            return
        bigger = 1 << (needed - 1).bit_length()
        old = self._tables.slots
        fresh = np.zeros(bigger, layout.SLOT)
        fresh[:size] = old
        fresh["rule"][size:] = -1
        self._tables = self._tables._replace(slots=fresh, heads=np.full(bigger, -1, np.int64))
        slots.rehash(old, self._tables)

    def _room(self, alerts: int, outcomes: int) -> layout.Raised:
        needed = self._count + alerts
        if needed > len(self._alerts):
            bigger = np.zeros(1 << (needed - 1).bit_length(), ALERT_SCHEMA)
            bigger[: self._count] = self._alerts[: self._count]
            self._alerts = bigger
        used = np.array([self._count, 0, 0], np.int64)
        return layout.Raised(
            self._alerts, np.zeros(outcomes + 1, layout.OUTCOME), used, np.zeros(2 * alerts + 2, np.int64)
        )

    def _gather(self, raised: layout.Raised) -> None:
        self._count = int(raised.used[0])
        self._recovered += raised.touched[: raised.used[2]].tolist()
        outcomes = raised.outcomes[: raised.used[1]]
        for number in np.unique(outcomes["rule"]).tolist():
            streams = self._working[number].streams
            assert streams is not None
            for failed in (False, True):
                part = outcomes[(outcomes["rule"] == number) & (outcomes["failed"] == failed)]
                streams.count(part["since"], part["stream"], part, np.arange(len(part)), second=failed)

    def _judge(self, number: int, working: Working, cutoff: float) -> None:
        streams = working.streams
        assert streams is not None

        def silent(begin: float, end: float) -> bool:
            return any(self._hearing.was_silent(s, begin, end, cutoff) for s in working.rule.sources)

        for alert, stream in streams.judge(cutoff, silent):
            self._write(alert)
            if working.rule.kind == RuleKind.balance:
                keys = np.zeros(int(self._tables.free[1]) + 1, np.int64)
                n = slots.missing(
                    self._tables, number, stream, float(alert["since"]), float(alert["deadline"]), keys
                )
                self._missing[identity(alert)] = np.sort(keys[:n])

    def _judge_heartbeats(self, at: float) -> None:
        for alert, key in self._heartbeats.new(at):
            self._heartbeats.places[key] = self._write(alert)
        for place, ends in self._heartbeats.over():
            alert = self._alerts[place]
            if math.isinf(alert["recovered"]):
                alert["recovered"] = max(ends, float(alert["raised"]))
                self._recovered.append(place)

    def _write(self, alert: Any) -> int:
        self._room(1, 0)
        self._alerts[self._count] = alert
        self._count += 1
        return self._count - 1
