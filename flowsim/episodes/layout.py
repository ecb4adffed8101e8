"""The tables and small tuples of arrays that the compiled loop of ``rows`` works on."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from flowsim.vocabulary import Milestone

Array: TypeAlias = np.ndarray[Any, Any]

CASE_ROW: Final = np.dtype(
    [
        ("case", np.int64),
        ("created", np.float64),
        ("horizon", np.float64),
        ("arrived", np.float64),
        ("withdrawn", np.float64),
        ("closed", np.float64),
        ("milestones", np.float64, (len(Milestone) + 1,)),  # by number of the milestone; 0 is not used
        ("pathway", np.int32),
        ("origin", np.int32),
        ("practice", np.int32),
        ("urgency", np.uint8),
        ("touched", np.uint8),
    ],
    align=True,
)

DELIVERY_ROW: Final = np.dtype(
    [
        ("case", np.int64),
        ("delivery", np.int64),
        ("horizon", np.float64),
        ("case_row", np.int64),
        ("authored", np.float64),
        ("sent", np.float64),
        ("received", np.float64),
        ("listed", np.float64),
        ("seen", np.float64),
        ("done", np.float64),
        ("silent", np.float64),
        ("told", np.float64),
        ("found", np.float64),
        ("ended", np.float64),
        ("step", np.int32),
        ("sender", np.int32),
        ("intended", np.int32),
        ("attempts", np.int32),
        ("arrivals", np.int32),  # times it was received at the intended service
        ("doubles", np.int32),  # times a second copy of it was put on the intended service's list
        ("defect", np.int16),
        ("channel", np.uint8),
        ("fault", np.uint8),
        ("found_by", np.uint8),
        ("last_state", np.uint8),
        ("stage_failed", np.uint8),
    ],
    align=True,
)

#: The stages of a delivery in order; ``stage_failed`` names the first that it did not get through.
STAGES: Final = ("", "authored", "emitted", "transported", "accepted", "listed", "opened", "acted")


class Window(NamedTuple):
    """Which cases count: created in [opens, closes), each followed for ``follow_up`` hours."""

    opens: float
    closes: float
    follow_up: float


class StepTable(NamedTuple):
    """What the loop must know of each step, by its code."""

    pathway: Array  # int32
    counts: Array  # bool: the pathway is part of the results
    milestone: Array  # uint8
    request: Array  # bool: sends a request for care
    place: Array  # bool: waits for a bed or slot, on a list of its own


class Lengths(NamedTuple):
    """Lengths of all lists now, and at the end of each day that has passed.

    Column 2 s is the work list of service s, and 2 s + 1 those who wait for its beds or slots.
    """

    now: Array  # int32, by list
    daily: Array  # int32, day × list
    day: Array  # int64 of length 1: days already written


class Used(NamedTuple):
    """How many rows and slots are in use; arrays of one number, so that the loop can count on."""

    cases: Array
    deliveries: Array
    slots: Array
