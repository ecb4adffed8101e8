"""Words about what can be seen of the flow, and what a monitor says of it."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, Final

import numpy as np


class Source(IntEnum):
    """A log that an owner can hand over or refuse; each can be switched off."""

    orders = 1  # what the record system was told to send
    sent_log = 2  # what left the sender's system
    transport_receipts = 3
    application_receipts = 4
    received_log = 5  # what came in at an endpoint
    list_snapshots = 6  # whole work lists, at intervals
    handling = 7  # taken onto a list, opened, closed, followed up
    notices = 8  # of wrong delivery
    care_starts = 9
    activity = 10  # outside denominators: consultations, admissions, discharges, visits


class Seen(IntEnum):
    """What an observation says; the numbers are also the order of things that happen at one instant."""

    heartbeat = 1  # the source is alive, whether or not anything happened
    activity = 2  # count: so many in the day that ends here
    ordered = 3  # authored, to be sent
    order_ended = 4  # it is not to be sent any more: taken back, printed, handed over
    sent = 5  # a row for each attempt
    transport_receipt = 6
    transport_failed = 7  # abandoned or refused in transport, as the sender's client shows it
    received = 8
    application_receipt = 9  # positive: available, not read
    application_rejected = 10
    accepted = 11  # it was put on a work list
    on_list = 12  # a row of a snapshot
    snapshot_taken = 13  # the snapshot of a list is whole (count: its items)
    opened = 14  # taken from a list, or read
    closed = 15  # done, or closed without further work
    followed_up = 16  # a failure was dealt with: sent again in another way
    wrong_delivery = 17  # a receiver says: this was not for us
    care_started = 18


class RuleKind(StrEnum):
    """The kinds of rule that a monitor knows."""

    response = "response"  # what happens must be followed by something within a time
    precedence = "precedence"  # what happens must have been preceded by something
    balance = "balance"  # two tiers must count the same
    persistence = "persistence"  # what is on a list leaves it with a closing event
    at_most = "at_most"  # not more than so often
    idle = "idle"  # a list or an endpoint that gets items has its items read
    rate_change = "rate_change"  # a volume or a share stays what it was
    heartbeat = "heartbeat"  # a source is heard


class Level(IntEnum):
    """How much an alert asks for."""

    soft = 1  # look at it when there is time
    hard = 2  # act


class Verdict(IntEnum):
    """What a monitor says about one obligation."""

    pending = 0
    satisfied = 1
    violated = 2
    inconclusive = 3  # a source that would have shown it was silent


class IncidentState(StrEnum):
    """Where an incident stands with those who own it."""

    new = "new"
    acknowledged = "acknowledged"
    explained = "explained"
    closed = "closed"


#: One observation. Times are hours from the start of the log's clock. ``unit`` is the service in whose
#: log it stands, ``sender`` and ``receiver`` the two ends *as addressed*; all three are numbers in the
#: ``Directory``, as is ``template``; -1 where not known. ``key`` names the message (a 64-bit number, 0
#: where no id was carried over), ``subject`` the pseudonymous patient or conversation (0: not known).
OBSERVATION_SCHEMA: Final = np.dtype(
    [
        ("time", np.float64),  # by the source's own clock
        ("received", np.float64),  # when the monitor got it
        ("key", np.int64),
        ("subject", np.int64),
        ("unit", np.int32),
        ("sender", np.int32),
        ("receiver", np.int32),
        ("template", np.int32),
        ("count", np.int32),
        ("seen", np.uint8),
        ("source", np.uint8),
        ("message", np.uint8),
        ("channel", np.uint8),
        ("attempt", np.uint8),
        ("urgency", np.uint8),
    ],
    align=True,
)

#: One alert. ``rule`` is its place in the list of rules. ``key`` is 0 for one about a stream; ``count``
#: is how many are missing, unread or too many. ``since`` is the time of what it waits on (for a stream:
#: its first), ``deadline`` when the rule was broken, ``earliest`` when it could have been known at the
#: earliest with logs at once, ``raised`` when it was known, ``recovered`` when what was missing came
#: after all (infinite: not yet).
ALERT_SCHEMA: Final = np.dtype(
    [
        ("raised", np.float64),
        ("since", np.float64),
        ("deadline", np.float64),
        ("earliest", np.float64),
        ("recovered", np.float64),
        ("key", np.int64),
        ("subject", np.int64),
        ("rule", np.int32),
        ("unit", np.int32),
        ("sender", np.int32),
        ("receiver", np.int32),
        ("template", np.int32),
        ("count", np.int32),
        ("level", np.uint8),
        ("verdict", np.uint8),
        ("message", np.uint8),
        ("channel", np.uint8),
        ("urgency", np.uint8),
    ],
    align=True,
)

_M1: Final = 0xBF58476D1CE4E5B9
_M2: Final = 0x94D049BB133111EB


def message_key(case: int, delivery: int) -> int:
    """Return the 63-bit number that stands for a delivery in observations; never 0.

    The finaliser of splitmix64 (Steele, Lea and Flood 2014) over case and delivery. ``message_keys`` gives
    the same for arrays.
    """
    return int(message_keys(np.array([case]), np.array([delivery]))[0])


def message_keys(case: np.ndarray[Any, Any], delivery: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ``message_key`` for arrays of cases and deliveries (int64)."""
    z = case.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + delivery.astype(np.uint64)
    for shift, factor in ((30, _M1), (27, _M2)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z = (z ^ (z >> np.uint64(31))) >> np.uint64(1)
    keys: np.ndarray[Any, Any] = np.maximum(z, 1).astype(np.int64)
    return keys


def row_keys(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the number of the message of each journal row; of a task without one, of its case's step."""
    about = np.where(rows["delivery"] != 0, rows["delivery"], -2 - rows["step"].astype(np.int64))
    return message_keys(rows["case"], about)


def case_keys(cases: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the number that stands for each case as a whole: the ``subject`` of observations."""
    return message_keys(cases, np.array([-1]))
