"""The fold that follows every case of the cohort to its horizon and gives the result tables."""

from __future__ import annotations

from typing import Final

import numpy as np

from flowsim.episodes import layout, profiles, rows
from flowsim.episodes.frames import REQUESTS, Episodes, cases_frame, deliveries_frame
from flowsim.episodes.recurring import RecurringFold
from flowsim.journal import Block, RunHeader
from flowsim.vocabulary import JOURNAL_SCHEMA, StepKind

# Rows read between two looks at whether the tables have room. Small enough to stay in cache.
_SLICE: Final = 32_768
_FIRST_SLOTS: Final = 1 << 17


class EpisodesFold:
    """The fold that gives ``Episodes``: one row a case and one row a delivery, and the profiles.

    Only cases created in the observation window count (the cohort), and only what happens less than
    ``follow_up_hours`` after a case's own creation: the state at that horizon decides every fate.
    """

    def start(self, header: RunHeader) -> None:
        """Set up empty tables for the run."""
        self._header = header
        opens = header.warm_up_hours
        self._window = layout.Window(opens, opens + header.observe_hours, header.follow_up_hours)
        self._steps = _step_table(header)
        self._cases = np.zeros(1, layout.CASE_ROW)
        self._deliveries = np.zeros(1, layout.DELIVERY_ROW)
        self._slots = _empty_slots(_FIRST_SLOTS)
        self._used = layout.Used(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))
        self._recurring = RecurringFold()
        self._recurring.start(header)
        days = int(np.ceil(header.end_hours / 24.0))
        services = len(header.services)
        self._lengths = layout.Lengths(
            np.zeros(2 * services, np.int32), np.zeros((days, 2 * services), np.int32), np.zeros(1, np.int64)
        )

    def take(self, block: Block) -> None:
        """Read one block of the journal."""
        # One array type only (read-only, contiguous), so that the loop is compiled once.
        view = np.ascontiguousarray(block, dtype=JOURNAL_SCHEMA)[:]
        view.flags.writeable = False
        self._recurring.take(view)
        for first in range(0, len(view), _SLICE):
            part = view[first : first + _SLICE]
            self._make_room(len(part), float(part["time"][0]))
            rows.read_rows(
                part,
                self._window,
                self._steps,
                self._cases,
                self._deliveries,
                self._slots,
                self._used,
                self._lengths,
            )

    def finish(self) -> Episodes:
        """Return the tables; AssertionError if the fates do not add up to the deliveries created."""
        header = self._header
        rows.end_days(header.end_hours, self._lengths)
        raw_cases = self._cases[: int(self._used.cases[0])]
        raw_deliveries = self._deliveries[: int(self._used.deliveries[0])]
        deliveries = deliveries_frame(raw_deliveries, raw_cases, header)
        cases = cases_frame(raw_cases, raw_deliveries, deliveries, header)
        recurring = self._recurring.finish()
        return Episodes(
            cases=recurring.beside(cases),
            deliveries=deliveries,
            profiles={
                "backlog": profiles.backlog(self._lengths.daily, header),
                "delivery_delay": profiles.delivery_delay(deliveries),
                "time_to_care": profiles.time_to_care(cases, header),
                "stages": profiles.stages(deliveries),
                "weeks": recurring.weeks,
            },
        )

    def _make_room(self, count: int, now: float) -> None:
        """Make sure that ``count`` more rows cannot overfill a table."""
        self._cases = _grown(self._cases, int(self._used.cases[0]) + count)
        self._deliveries = _grown(self._deliveries, int(self._used.deliveries[0]) + count)
        if 2 * (int(self._used.slots[0]) + count) > len(self._slots):
            # Forget the cases whose horizon has passed; grow if those left fill more than a quarter.
            self._rebuild(len(self._slots), now)
            needed = 4 * (int(self._used.slots[0]) + count)
            if needed > len(self._slots):
                self._rebuild(1 << (needed - 1).bit_length(), now)

    def _rebuild(self, size: int, now: float) -> None:
        fresh = _empty_slots(size)
        rows.rebuild(self._slots, fresh, self._used.slots, self._cases, self._deliveries, now)
        self._slots = fresh


def _grown(table: Block, rows_needed: int) -> Block:
    if rows_needed <= len(table):
        return table
    bigger = np.empty(max(2 * len(table), rows_needed), table.dtype)
    bigger[: len(table)] = table
    return bigger


def _empty_slots(size: int) -> Block:
    return np.full(size, -1, np.int64)


def _step_table(header: RunHeader) -> layout.StepTable:
    steps, pathways = header.steps, header.pathways
    return layout.StepTable(
        pathway=np.array([s.pathway for s in steps], np.int32),
        counts=np.array([not pathways[s.pathway].waiting_filler for s in steps], np.bool_),
        milestone=np.array([s.milestone for s in steps], np.uint8),
        request=np.array([s.message in REQUESTS for s in steps], np.bool_),
        place=np.array([s.kind == StepKind.place.name for s in steps], np.bool_),
    )
