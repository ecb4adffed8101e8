"""The journal's events and columns, and the columns of the result tables."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np


class Event(IntEnum):
    """What a journal row says happened."""

    created = 1  # a case began (peer: the patient's practice)
    authored = 2  # the sender's system shows the message as sent (service: sender, peer: as addressed)
    sent = 3  # it left the sender's system; a row for each attempt
    relay_in = 4  # a relay took it over (service: the relay)
    relay_out = 5  # a relay let it go
    transport_receipt = 6  # the sender got a transport acknowledgement
    application_receipt = 7  # the sender got a positive application receipt: available, not read
    received = 8  # it reached an endpoint (service: the endpoint, peer: sender)
    listed = 9  # it was put on a work list (list_length: entries after it was put there)
    opened = 10  # it was read where no list entry is worked (shared record, portal)
    taken = 11  # a free member of staff took it from the list (list_length: entries left)
    done = 12  # the work on it was finished
    closed = 13  # a case ended, or an item was closed without further work
    forwarded = 14  # a wrong receiver passed it on
    found = 15  # an item in a silent state was found by somebody (attempt: the way, see FoundBy)
    resent = 16  # it was sent again because somebody found or handled its failure
    cancelled = 17  # taken back by the sender's side
    withdrawn = 18  # the patient withdrew or died
    vanished = 19  # it left a list without being done
    abandoned = 20  # transport gave up after all attempts; the sender's client shows it
    rejected = 21  # the sender got a negative application receipt
    placed = 22  # a bed or slot was taken
    left = 23  # a bed or slot was freed
    milestone = 24  # a named point of the pathway was reached (step says which)
    deadline = 25  # a limit with an alarm passed without what it waits for
    snapshot = 26  # the length of a list at an instant, written on request
    # What the organisation does, written by the world (service: where; defect: which, where it is about one).
    went_live = 27  # a service joined the platform (hours: staff hours of training for it)
    left_platform = 28
    defect_began = 29
    defect_reported = 30  # one more independent report of it (service: who)
    defect_believed = 31  # enough reports: somebody takes it up
    defect_escalated = 32  # a level accepted it (attempt: which, from 1)
    defect_mended = 33
    owner_lost = 34  # nobody opens this list any more
    owner_given = 35
    address_changed = 36  # others' address books are stale from now
    relay_down = 37  # an outage began (service: the relay)
    relay_up = 38
    alert_raised = 39  # a ticket of the monitor came in (service: whom it is about; attempt: its alerts)
    alert_handled = 40  # people have worked on a ticket (attempt: items looked at; hours: what it took)


#: One journal row. The first columns are what happened; the last four are the truth, which no
#: monitor sees. Times are hours from the start date. ``hours`` is staff time: in a taken row what the
#: work will take in all, in a done row the part of it that was search, in a went_live row training.
#: In rows of a message that is addressed to, or comes out at, the dead endpoint, ``list_length`` tells
#: which old address it is: one more than the number of the service that had it.
#: ``case`` is (family hash << 32) | n; a ``delivery`` is unique within its case:
#: (place << 24) | (visit << 8) | copy, 0 where the row is not about one; copy 0 is the main recipient.
JOURNAL_SCHEMA: Final = np.dtype(
    [
        ("time", np.float64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("step", np.int32),
        ("service", np.int32),
        ("peer", np.int32),
        ("list_length", np.int32),
        ("hours", np.float32),
        ("event", np.uint8),
        ("channel", np.uint8),
        ("attempt", np.uint8),
        ("urgency", np.uint8),
        ("intended", np.int32),
        ("defect", np.int16),
        ("fault", np.uint8),
        ("state", np.uint8),
    ],
    align=True,
)

#: Columns of the truth: never handed to a monitor.
TRUTH_COLUMNS: Final = ("intended", "defect", "fault", "state")

#: Columns of the result tables, exactly.
SUMMARY_COLUMNS: Final = ("scenario", "replication", "measure", "group", "value", "unit")
COMPARISON_COLUMNS: Final = (
    "scenario",
    "baseline",
    "measure",
    "group",
    "difference",
    "low",
    "high",
    "unit",
    "replications",
)


def delivery_code(place: int, visit: int, copy: int) -> int:
    """Return the number of a delivery within its case (copy 0 is the main recipient)."""
    return (place << 24) | (visit << 8) | copy


def copy_of(delivery: int) -> int:
    """Return which copy a delivery is; 0 is the main recipient."""
    return delivery & 0xFF
