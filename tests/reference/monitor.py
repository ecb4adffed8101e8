"""A slow and obvious monitor, straight from docs/monitor.md: lists, dictionaries, one obligation at a time.

It shares no code with ``flowsim.monitor`` but the words of its rules. Counts by stream (balance, rate
change) are not here: they have tests of their own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from flowsim.monitor.rules import SOURCE_OF, Pattern, Rule, SourceSetting
from flowsim.observe.directory import Directory
from flowsim.units import Duration, WorkingDays
from flowsim.vocabulary import Channel, Level, RuleKind, Seen, Source, Verdict

REMEMBER = 13 * 168.0
Alert = tuple[Any, ...]


class Row:
    """An observation with its effective time."""

    def __init__(self, raw: Any, sources: Mapping[Source, SourceSetting]) -> None:
        for name in raw.dtype.names:
            setattr(self, name, raw[name].item())
        self.te = max(self.time, self.received - sources[Source(self.source)].lateness)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Reference:
    """All alerts of a log that has come to its end at ``last``, the last sweep."""

    def __init__(
        self,
        rules: Sequence[Rule],
        directory: Directory,
        sources: Mapping[Source, SourceSetting],
        start: date,
        rows: Any,
        last: float,
        every: float = 1.0,
    ) -> None:
        self.directory, self.sources, self.every, self.last = directory, sources, every, last
        self.days = WorkingDays(start, 366 * 30, ())
        self.rows = sorted(
            (Row(raw, sources) for raw in rows if Source(int(raw["source"])) in sources),
            key=lambda r: (
                r.te,
                r.seen,
                r.key,
                r.subject,
                r.unit,
                r.sender,
                r.receiver,
                r.template,
                r.attempt,
            ),
        )
        self.alerts: list[Alert] = []
        for number, rule in enumerate(rules):
            if rule.sources <= set(sources):
                self.number, self.rule = number, rule
                self.lateness = max((sources[s].lateness for s in rule.sources), default=0.0)
                self.cutoff = last - self.lateness
                getattr(self, rule.kind.value)()
        self.alerts.sort()

    # --- what a rule sees -------------------------------------------------------------------------

    def fits(self, pattern: Pattern | None, row: Row) -> bool:
        if pattern is None or row.seen not in pattern.seen:
            return False
        units = self.directory.units
        party = [units[n].party if n >= 0 else None for n in (row.sender, row.receiver)]
        kind = units[row.unit].kind if row.unit >= 0 else None
        return (
            (not pattern.messages or row.message in pattern.messages)
            and (not pattern.channels or row.channel in pattern.channels)
            and (not pattern.urgencies or row.urgency in pattern.urgencies)
            and (not pattern.templates or row.template in pattern.templates)
            and (not pattern.units or row.unit in pattern.units)
            and (not pattern.sender_parties or party[0] in pattern.sender_parties)
            and (not pattern.receiver_parties or party[1] in pattern.receiver_parties)
            and (not pattern.unit_kinds or kind in pattern.unit_kinds)
        )

    def expected(self, row: Row) -> bool:
        """Whether the logs of the answer claim to have it, with its id where the rule goes by ids."""
        for seen in self.rule.then.seen if self.rule.then else ():
            source = SOURCE_OF[seen]
            by_sender = source <= Source.application_receipts or seen == Seen.followed_up
            unit, setting = (row.sender if by_sender else row.receiver), self.sources[source]
            if setting.units and unit not in setting.units:
                return False
            if "key" in self.rule.by and row.channel == Channel.edi and unit in setting.without_ids:
                return False
        return True

    def by_key(self, by: tuple[str, ...]) -> dict[tuple[Any, ...], list[tuple[str, Row]]]:
        """What happens for each key, in order: ("B", row) before ("A", row) where one row is both."""
        found: dict[tuple[Any, ...], list[tuple[str, Row]]] = defaultdict(list)
        for row in self.rows:
            key = tuple(getattr(row, name) for name in by)
            if row.te > self.cutoff or 0 in (
                v for n, v in zip(by, key, strict=True) if n in ("key", "subject")
            ):
                continue
            if self.fits(self.rule.then, row):
                found[key].append(("B", row))
            if self.fits(self.rule.when, row) and self.expected(row):
                found[key].append(("A", row))
        return found

    def limits(self) -> list[tuple[Level, Duration]]:
        pairs = ((Level.soft, self.rule.soft), (Level.hard, self.rule.hard))
        return [(level, limit) for level, limit in pairs if limit is not None]

    def after(self, te: float, limit: Duration) -> float:
        return (
            float(self.days.add(te, limit.working_days)) + limit.hours
            if limit.working_days
            else te + limit.hours
        )

    # --- silence ----------------------------------------------------------------------------------

    def gaps(self, source: Source) -> list[tuple[float, float]]:
        mark = self.last - self.sources[source].lateness
        heard = [0.0, *sorted(r.te for r in self.rows if r.source == source and r.te <= mark)]
        return [*pairwise(heard), (heard[-1], math.inf)]

    def silent(self, since: float, deadline: float, cutoff: float) -> bool:
        for source in {SOURCE_OF[seen] for seen in self.rule.then.seen} if self.rule.then else ():
            for begins, ends in self.gaps(source):
                if min(ends, cutoff) - begins <= self.sources[source].silent_after or ends <= since:
                    continue
                if begins < deadline or ends > cutoff:
                    return True
        return False

    # --- verdicts ---------------------------------------------------------------------------------

    def tell(
        self, level: Level, row: Row, since: float, deadline: float, recovered: float, count: int = 1
    ) -> None:
        known = deadline
        if self.rule.kind in (RuleKind.precedence, RuleKind.persistence):
            known += self.rule.tolerance.hours
        raised = math.ceil((known + self.lateness) / self.every) * self.every
        silent = self.rule.kind != RuleKind.at_most and self.silent(since, deadline, raised - self.lateness)
        verdict = Verdict.inconclusive if silent else Verdict.violated
        self.alerts.append(
            (raised, self.number, int(level), int(verdict), row.key, since, deadline, max(recovered, raised),
             count, row.unit, row.sender, row.receiver)
        )  # fmt: skip

    def response(self) -> None:
        tolerance = self.rule.tolerance.hours
        for events in self.by_key(self.rule.by).values():
            place, last = 0, -math.inf
            while place < len(events):
                what, first = events[place]
                place += 1
                if what == "B":
                    last = first.te
                    continue
                if tolerance > 0.0 and first.te - last <= tolerance:
                    continue
                ends, deadline = math.inf, {}
                for level, limit in self.limits():
                    deadline[level] = self.after(first.te, limit)
                broken: set[Level] = set()
                while place < len(events):
                    what, row = events[place]
                    broken |= {level for level, at in deadline.items() if at < row.te}
                    if what == "B":
                        ends = last = row.te
                        place += 1
                        break
                    for level, limit in self.limits():
                        if level not in broken:
                            deadline[level] = self.after(row.te, limit)
                    place += 1
                longest = deadline.get(Level.hard, deadline.get(Level.soft, math.inf))
                for level, at in deadline.items():
                    if level in broken or (ends == math.inf and at <= self.cutoff):
                        recovered = ends if ends <= longest + REMEMBER else math.inf
                        self.tell(level, first, first.te, at, recovered)

    def precedence(self) -> None:
        tolerance = self.rule.tolerance.hours
        level, limit = self.limits()[-1]
        for events in self.by_key(self.rule.by).values():
            until = -math.inf
            pending: Row | None = None
            for what, row in [*events, ("end", None)]:
                now = row.te if row is not None else math.inf
                if pending is not None and pending.te + tolerance < now:
                    if pending.te + tolerance <= self.cutoff:
                        self.tell(level, pending, pending.te, pending.te, math.inf)
                    pending = None
                if row is None:
                    break
                if what == "B":
                    pending, until = None, self.after(row.te, limit)
                elif pending is None and row.te > until:
                    pending = row

    def at_most(self) -> None:
        level, limit = self.limits()[-1]
        for events in self.by_key(self.rule.by).values():
            first: Row | None = None
            count, until = 0, -math.inf
            for _, row in events:
                if first is None or row.te > until:
                    first, count, until = row, 0, self.after(row.te, limit)
                count += 1
                if count == self.rule.most + 1:
                    self.tell(level, first, first.te, row.te, math.inf, count)

    def idle(self) -> None:
        for events in self.by_key(self.rule.by).values():
            unread: list[Row] = []
            for what, row in [*events, ("end", None)]:
                if row is not None and what == "A":
                    unread.append(row)
                    continue
                ends = row.te if row is not None else math.inf
                for level, limit in self.limits():
                    if len(unread) <= self.rule.most:
                        continue
                    at = max(self.after(unread[0].te, limit), unread[self.rule.most].te)
                    if at < ends and at <= self.cutoff:
                        count = sum(each.te <= at for each in unread)
                        self.tell(level, unread[0], unread[0].te, at, ends, count)
                unread = []

    def persistence(self) -> None:
        tolerance = self.rule.tolerance.hours
        level = self.limits()[-1][0]
        whole: dict[int, list[float]] = defaultdict(list)
        for row in self.rows:
            if row.seen == Seen.snapshot_taken and row.te <= self.cutoff:
                whole[row.unit].append(row.te)
        for (_, unit), events in self.by_key(("key", "unit")).items():
            stood = [row for what, row in events if what == "A"]
            closings = [row.te for what, row in events if what == "B"]
            for n, row in enumerate(stood):
                gone = min((at for at in whole[unit] if at > row.te), default=math.inf)
                again = stood[n + 1].te if n + 1 < len(stood) else math.inf
                if again <= gone + tolerance or gone + tolerance > self.cutoff:
                    continue
                if any(row.te - tolerance <= te <= gone + tolerance for te in closings):
                    continue
                later = min((te for te in closings if te > gone + tolerance), default=math.inf)
                self.tell(level, row, row.te, gone, min(later, again))

    def heartbeat(self) -> None:
        for source in self.rule.sources:
            for level, limit in self.limits():
                for begins, ends in self.gaps(source):
                    deadline = begins + limit.hours
                    if ends > deadline and deadline <= self.last - self.lateness:
                        raised = math.ceil((deadline + self.lateness) / self.every) * self.every
                        self.alerts.append(
                            (raised, self.number, int(level), int(Verdict.violated), 0, begins, deadline,
                             max(ends, raised), 1, -1, -1, -1)
                        )  # fmt: skip


def plain(alerts: Any) -> list[Alert]:
    """Return the engine's alerts in the form of the reference's."""
    names = ("raised", "rule", "level", "verdict", "key", "since", "deadline", "recovered", "count", "unit",
             "sender", "receiver")  # fmt: skip
    return sorted(tuple(np.asarray(each[name]).item() for name in names) for each in alerts)
