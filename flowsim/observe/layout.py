"""The tables of the loop over the journal: what is remembered of each message that is about."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.journal import RunHeader
from flowsim.observe.naming import ACTIVITIES
from flowsim.vocabulary import ServiceKind

Array = NDArray[Any]

#: What is remembered of a message or task. It may stand on two lists at once (``on_a``, ``on_b`` entries);
#: ``apart`` is 1 where it lies where nobody looks, outside the list that the journal counts.
RECORD: Final = np.dtype(
    [
        ("expires", np.float64),
        ("since_a", np.float64),
        ("since_b", np.float64),
        ("case", np.int64),
        ("sender", np.int32),
        ("receiver", np.int32),
        ("template", np.int32),
        ("list_a", np.int32),
        ("list_b", np.int32),
        ("on_a", np.int16),
        ("on_b", np.int16),
        ("apart", np.uint8),
        ("message", np.uint8),
        ("channel", np.uint8),
        ("attempt", np.uint8),
        ("urgency", np.uint8),
    ],
    align=True,
)

#: A message that is on no list is forgotten so long after it was last heard of, in hours.
FORGET_HOURS: Final = 120 * 24.0
#: So long after it was opened, done or taken back.
FORGET_ENDED_HOURS: Final = 14 * 24.0

_PLACED: Final = {
    ServiceKind.clinic: "outpatient_visits",
    ServiceKind.specialist_office: "outpatient_visits",
    ServiceKind.ward: "admissions",
    ServiceKind.short_term_ward: "admissions",
}
_LEFT: Final = {ServiceKind.ward: "discharges", ServiceKind.short_term_ward: "discharges"}
_DONE: Final = {
    ServiceKind.laboratory: "examinations",
    ServiceKind.radiology: "examinations",
    ServiceKind.home_care: "visits",
    ServiceKind.home_nursing: "visits",
}
_CREATED: Final = {ServiceKind.gp_office: "consultations"}


class World(NamedTuple):
    """What the loop must know of services and steps, by number."""

    dead: Array  # bool: the endpoint where messages to old addresses come out
    created: Array  # int8: the activity that a row of this event at this service is; -1: none
    placed: Array
    left: Array
    done: Array
    message: Array  # uint8, by step
    place: Array  # bool, by step: waits for a bed or slot
    work: Array  # bool, by step
    care: Array  # bool, by step: the milestone that care has started


class Memory(NamedTuple):
    """What is remembered: a hash table with open addressing, and what is counted by list."""

    keys: Array  # int64; 0: empty
    records: Array  # RECORD
    used: Array  # int64 of length 1
    lengths: Array  # int32, by service: entries of its list, as the journal counts them
    listed: Array  # bool, by service: whether its list has ever had an item
    taken: Array  # float64, by service: when an item was last taken from its list
    counts: Array  # int64, activity × service: today
    ever: Array  # bool, activity × service


def world_of(header: RunHeader, care_started: int) -> World:
    """Return what the loop must know of a run."""
    kinds = [service.kind for service in header.services]
    steps = header.steps
    return World(
        np.array([kind == ServiceKind.dead_endpoint for kind in kinds], np.bool_),
        _activity(kinds, _CREATED),
        _activity(kinds, _PLACED),
        _activity(kinds, _LEFT),
        _activity(kinds, _DONE),
        np.array([step.message for step in steps], np.uint8),
        np.array([step.kind == "place" for step in steps], np.bool_),
        np.array([step.kind == "work" for step in steps], np.bool_),
        np.array([step.milestone == care_started for step in steps], np.bool_),
    )


def _activity(kinds: list[str], names: dict[ServiceKind, str]) -> Array:
    number = {kind.value: ACTIVITIES.index(name) for kind, name in names.items()}
    return np.array([number.get(kind, -1) for kind in kinds], np.int8)


def empty_memory(services: int, slots: int) -> Memory:
    """Return an empty memory with so many slots (a power of two)."""
    return Memory(
        np.zeros(slots, np.int64),
        np.zeros(slots, RECORD),
        np.zeros(1, np.int64),
        np.zeros(services, np.int32),
        np.zeros(services, np.bool_),
        np.full(services, -np.inf),
        np.zeros((len(ACTIVITIES), services), np.int64),
        np.zeros((len(ACTIVITIES), services), np.bool_),
    )
