"""The tables of the loop that follows faults: what is known of open deliveries, and the faults themselves."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.journal import RunHeader
from flowsim.journal.header import StepDeadline
from flowsim.units import HOURS_PER_DAY, WorkingDays

Array = NDArray[Any]

#: One fault of one delivery. Times are hours, infinite where it has not come. ``previous`` is the delivery's
#: fault before it, ``before`` the case's; -1: none. ``where``: the service of the row that showed it;
#: ``old``: whose old address it came out at; ``apart``: it lies outside the list that the journal counts.
ITEM: Final = np.dtype(
    [
        ("key", np.int64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("authored", np.float64),
        ("began", np.float64),
        ("ended", np.float64),
        ("people_noticed", np.float64),
        ("told", np.float64),
        ("previous", np.int64),
        ("before", np.int64),
        ("sender", np.int32),
        ("intended", np.int32),
        ("template", np.int32),
        ("where", np.int32),
        ("old", np.int32),
        ("defect", np.int16),
        ("fault", np.uint8),
        ("channel", np.uint8),
        ("urgency", np.uint8),
        ("apart", np.uint8),
    ],
    align=True,
)

#: What is known of an open delivery, or of a case (``authored``: when it was created).
RECORD: Final = np.dtype(
    [
        ("expires", np.float64),
        ("authored", np.float64),
        ("deadline", np.float64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("item", np.int64),
        ("sender", np.int32),
        ("intended", np.int32),
        ("template", np.int32),
        ("target", np.uint8),
        ("channel", np.uint8),
        ("urgency", np.uint8),
    ],
    align=True,
)

#: What a deadline waits for, and what it counts from; 0: no deadline, or it was met.
TARGETS: Final = ("", "sent", "received", "seen", "done")
ORIGINS: Final = ("", "created", "authored", "received")
_FAR_DAYS: Final = 800  # working days are known so far past the end of a run


class Limits(NamedTuple):
    """The deadlines by step (row 0: of the main recipient, row 1: of copies), and the working days."""

    hours: Array  # float64
    working_days: Array  # float64
    origin: Array  # uint8, a place in ORIGINS
    target: Array  # uint8, a place in TARGETS
    working: Array  # bool, by day
    rank: Array  # int64, by day: the place in ``days`` of the first working day from it on
    days: Array  # int64: the days that are worked


class Table(NamedTuple):
    """A hash table with open addressing."""

    keys: Array  # int64; 0: empty
    records: Array  # RECORD
    used: Array  # int64 of length 1


class Found(NamedTuple):
    """The faults that were written down, and how many they are."""

    items: Array  # ITEM
    used: Array  # int64 of length 1


def limits_of(header: RunHeader) -> Limits:
    """Return the deadlines of a run's steps."""
    count = len(header.steps)
    hours, working_days = np.zeros((2, count)), np.zeros((2, count))
    origin, target = np.zeros((2, count), np.uint8), np.zeros((2, count), np.uint8)
    for number, step in enumerate(header.steps):
        for which, deadline in enumerate((step.deadline, step.copy_deadline)):
            if isinstance(deadline, StepDeadline):
                hours[which, number] = deadline.within.hours or 0.0
                working_days[which, number] = deadline.within.working_days or 0.0
                origin[which, number] = ORIGINS.index(deadline.counts_from)
                target[which, number] = TARGETS.index(deadline.to)
    length = int(np.ceil(header.end_hours / HOURS_PER_DAY)) + _FAR_DAYS
    working = WorkingDays(header.start_date, length, header.holiday_dates).working.copy()
    days = np.flatnonzero(working).astype(np.int64)
    rank = np.concatenate([[0], np.cumsum(working)[:-1]]).astype(np.int64)
    return Limits(hours, working_days, origin, target, working, rank, days)


def empty_table(slots: int) -> Table:
    """Return a table with so many slots (a power of two) and nothing in it."""
    return Table(np.zeros(slots, np.int64), np.zeros(slots, RECORD), np.zeros(1, np.int64))
