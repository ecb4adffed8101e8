"""What recurs in a case: visits that are due, done or missed, and medication lists that differ.

Only cases of the cohort count, each up to its own horizon. What is kept grows with these cases and with
the weeks of the run, not with what happens in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from flowsim.journal import Block, RunHeader
from flowsim.vocabulary import Event, Milestone

Array: TypeAlias = np.ndarray[Any, Any]

WEEK_HOURS: Final = 168.0
#: Lists that differ for less are no deviation: a list on its way to the other place for some hours.
LASTING_HOURS: Final = 24.0
#: Milestones that are counted, with the names of their counts.
COUNTED: Final = {
    Milestone.visit_due: "visits_due",
    Milestone.visit_done: "visits_done",
    Milestone.visit_missed: "visits_missed",
    Milestone.deviation_reported: "deviations_reported",
}
#: What the table of weeks has of a pathway, if it has visits and if it has lists.
OF_VISITS: Final = ("visits_due", "visits_done", "visits_missed", "cases_followed")
OF_LISTS: Final = ("deviations", "deviations_reported", "cases_followed", "cases_differing")
#: Practices and organisations that join the platform in a week; of no pathway.
GO_LIVES: Final = "go_lives"
_LISTS: Final = (Milestone.lists_differ, Milestone.lists_agree)
_CLOSED: Final = 255  # stands beside milestones for the end of a case

_CASE: Final = np.dtype(
    [
        ("case", np.int64),
        ("created", np.float64),
        ("horizon", np.float64),
        ("closed", np.float64),
        ("since", np.float64),  # the lists have differed since then; nan: they agree
        ("differing", np.float64),  # hours in which they did, without those since then
        ("deviations", np.int32),
        *((name, np.int32) for name in COUNTED.values()),
        ("pathway", np.int32),
    ]
)


@dataclass(frozen=True)
class Recurring:
    """Counts of each case that has any, and the table of weeks.

    ``counts``: case, visits_due, visits_done, visits_missed, deviations (lists that differed for a day or
    more, those found so at the beginning left out), deviations_reported, differing_days. ``weeks``: week
    (the first from the opening of the window is 1), pathway, measure, count; cases_followed and
    cases_differing are at the end of the week, all else is in it, and a deviation counts where it began.
    """

    counts: pd.DataFrame
    weeks: pd.DataFrame

    def beside(self, cases: pd.DataFrame) -> pd.DataFrame:
        """Return a table of cases with the counts, 0 where a case has none."""
        indexed = self.counts.set_index("case").reindex(cases["case"])
        kinds = self.counts.dtypes
        return cases.assign(
            **{name: indexed[name].fillna(0).to_numpy(kinds[name]) for name in indexed.columns}
        )


class RecurringFold:
    """The fold that gives ``Recurring``; a run without such milestones costs it nothing."""

    def start(self, header: RunHeader) -> None:
        """Set up empty tables for the run."""
        self._header = header
        self._opens, self._closes = header.warm_up_hours, header.warm_up_hours + header.observe_hours
        self._kind = np.array([s.milestone for s in header.steps], np.uint8)
        self._pathway = np.array([s.pathway for s in header.steps], np.int32)
        chosen = np.isin(self._kind, [*COUNTED, *_LISTS])
        self._followed = np.isin(np.arange(len(header.pathways)), self._pathway[chosen])
        self._rows = np.zeros(0, _CASE)
        self._sorted = np.zeros(0, np.int64)  # ids in order of size, and where they stand in the rows
        self._place = np.zeros(0, np.int64)
        span = max(header.end_hours - self._opens, 0.0)
        shape = (int(np.ceil(span / WEEK_HOURS)) + 1, len(header.pathways))
        names = dict.fromkeys([*OF_VISITS, *OF_LISTS])
        self._weeks = {name: np.zeros(shape, np.int64) for name in names}
        self._go_lives = np.zeros(shape[0], np.int64)

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        if not self._followed.any():
            return
        event, time = block["event"], block["time"]
        live = (event == Event.went_live) & (time >= self._opens)
        np.add.at(self._go_lives, self._week(time[live]), 1)
        born = block[(event == Event.created) & (time >= self._opens) & (time < self._closes)]
        self._begin(born[self._followed[self._pathway[born["step"]]]])
        rows = block[((event == Event.milestone) | (event == Event.closed)) & (block["delivery"] == 0)]
        kind = np.where(rows["event"] == Event.closed, _CLOSED, self._kind[rows["step"]])
        line = self._line(rows["case"])
        here = line >= 0
        line, kind, at = line[here], kind[here], rows["time"][here]
        here = at < self._rows["horizon"][line]
        line, kind, at = line[here], kind[here], at[here]
        for milestone, name in COUNTED.items():
            self._count(name, line[kind == milestone], at[kind == milestone])
        self._compare(line, kind, at)
        ended = kind == _CLOSED
        self._rows["closed"][line[ended]] = at[ended]

    def finish(self) -> Recurring:
        """Return the counts and the weeks; what is open at a case's horizon counts until then."""
        rows = self._rows
        until = np.fmin(rows["closed"], rows["horizon"])
        open_still = np.flatnonzero(~np.isnan(rows["since"]))
        self._agree(open_still, rows["since"][open_still], until[open_still])
        change = np.zeros_like(self._weeks["cases_followed"])
        np.add.at(change, (self._week(rows["created"]), rows["pathway"]), 1)
        np.add.at(change, (self._week(until), rows["pathway"]), -1)
        self._weeks["cases_followed"] = change.cumsum(axis=0)
        self._weeks["cases_differing"] = self._weeks["cases_differing"].cumsum(axis=0)
        names = ("case", *(OF_VISITS[:3]), "deviations", "deviations_reported")
        counts = pd.DataFrame({name: rows[name].copy() for name in names})
        return Recurring(counts.assign(differing_days=rows["differing"] / 24.0), self._table())

    def _begin(self, born: Block) -> None:
        """Begin to follow cases of the cohort."""
        if not len(born):
            return
        fresh = np.zeros(len(born), _CASE)
        fresh["case"], fresh["created"] = born["case"], born["time"]
        fresh["horizon"] = born["time"] + self._header.follow_up_hours
        fresh["closed"] = fresh["since"] = np.nan
        fresh["pathway"] = self._pathway[born["step"]]
        order = np.argsort(fresh["case"], kind="stable")
        at = np.searchsorted(self._sorted, fresh["case"][order])
        self._place = np.insert(self._place, at, len(self._rows) + order)
        self._sorted = np.insert(self._sorted, at, fresh["case"][order])
        self._rows = np.concatenate([self._rows, fresh])

    def _line(self, cases: Array) -> Array:
        """Return where cases stand in the rows, -1 for those that are not followed."""
        if not len(self._sorted):
            return np.full(len(cases), -1)
        at = np.minimum(np.searchsorted(self._sorted, cases), len(self._sorted) - 1)
        return np.where(self._sorted[at] == cases, self._place[at], -1)

    def _week(self, hours: Array) -> Array:
        """Return in which week instants lie; the week that the window opens with is 0."""
        return np.floor((hours - self._opens) / WEEK_HOURS).astype(np.int64)

    def _count(self, name: str, line: Array, at: Array) -> None:
        np.add.at(self._rows[name], line, 1)
        np.add.at(self._weeks[name], (self._week(at), self._rows["pathway"][line]), 1)

    def _compare(self, line: Array, kind: Array, at: Array) -> None:
        """Read when lists begin to differ and agree again; what says the same as before changes nothing."""
        chosen = np.isin(kind, (*_LISTS, _CLOSED))
        order = np.argsort(line[chosen], kind="stable")
        line, at = line[chosen][order], at[chosen][order]
        differ = kind[chosen][order] == Milestone.lists_differ
        if not len(line):
            return
        first = np.concatenate([[True], line[1:] != line[:-1]])
        before = np.concatenate([[False], differ[:-1]])
        before[first] = ~np.isnan(self._rows["since"][line[first]])
        turn = differ != before
        line, at, differ = line[turn], at[turn], differ[turn]
        # Turns of a case alternate, so an end has its beginning right before it, or in an earlier block.
        since = np.concatenate([[np.nan], at[:-1]])
        first = np.concatenate([[True], line[1:] != line[:-1]]) if len(line) else np.zeros(0, np.bool_)
        since = np.where(first, self._rows["since"][line], since[: len(line)])
        np.add.at(
            self._weeks["cases_differing"],
            (self._week(at[differ]), self._rows["pathway"][line[differ]]),
            1,
        )
        self._agree(line[~differ], since[~differ], at[~differ])
        last = np.concatenate([line[1:] != line[:-1], [True]]) if len(line) else first
        self._rows["since"][line[last]] = np.where(differ, at, np.nan)[last]

    def _agree(self, line: Array, since: Array, at: Array) -> None:
        """End a time in which lists differed."""
        pathway = self._rows["pathway"][line]
        np.add.at(self._rows["differing"], line, at - since)
        np.add.at(self._weeks["cases_differing"], (self._week(at), pathway), -1)
        lasting = (at - since >= LASTING_HOURS) & (since > self._rows["created"][line])
        self._count("deviations", line[lasting], since[lasting])

    def _table(self) -> pd.DataFrame:
        """Return the weeks, for each pathway what it has."""
        columns: list[tuple[str, str, Array]] = []
        for p in np.flatnonzero(self._followed):
            kinds = self._kind[self._pathway == p]
            visits = OF_VISITS if Milestone.visit_due in kinds else ()
            lists = OF_LISTS if Milestone.lists_differ in kinds else ()
            name = self._header.pathways[p].id
            columns += [(name, m, self._weeks[m][:-1, p]) for m in dict.fromkeys((*visits, *lists))]
        if columns:
            columns.append(("", GO_LIVES, self._go_lives[:-1]))
        week = np.arange(1, len(self._go_lives))
        frames = [
            pd.DataFrame({"week": week, "pathway": pathway, "measure": measure, "count": count})
            for pathway, measure, count in columns
        ]
        nothing = pd.DataFrame({"week": [], "pathway": [], "measure": [], "count": []})
        return pd.concat(frames, ignore_index=True) if frames else nothing
