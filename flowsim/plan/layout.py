"""The arrays of a plan: the kernel's whole input, one record type for each noun.

Indices: services come first, relays continue the same numbering, so that one ``service`` column of
the journal names both. -1 means none. Times are hours, distributions are rows of the store.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.plan.calendars import Calendars, Profiles
from flowsim.plan.distributions import Distributions

Records = NDArray[Any]

#: Sizes that arrays are laid out for; word lists are checked against them when a plan is built.
MESSAGES: Final = 32
FAULTS: Final = 16
CHANNELS: Final = 8
WAYS: Final = 12
URGENCIES: Final = 4
COPIES: Final = 4
REGISTERS: Final = 8
#: Levels of a list, served from the lowest: first, the four urgencies, last; then one that is not served:
#: what lies there is shown on the list and vanishes before anybody takes it.
LEVELS: Final = 7
LEVEL_LAST: Final = 5
LEVEL_UNSERVED: Final = 6
#: Factors that the world can turn during a run: fault classes by number, ways back from DIAL_WAY on. The
#: place of no fault has the highest factor of a fault class, or 1.
DIALS: Final = 32
DIAL_WAY: Final = 16
DIAL_STALE: Final = 28
DIAL_FALLBACK: Final = 29
#: The clock stands among them, so that the kernel has one array less to hand on.
CLOCK: Final = 31

#: Roles that need no look-up: the service where the case began, the patient's own practice.
ROLE_ORIGIN: Final = -2
ROLE_PRACTICE: Final = -3

#: How a service is reached from outside the platform.
ADDRESS_EDI: Final = 0
ADDRESS_PORTAL: Final = 1
ADDRESS_NONE: Final = 2

#: Staff of a list that nobody ever waits for.
UNLIMITED: Final = -1

#: How the times of arrivals are given.
ARRIVALS_PROFILE: Final = 0
ARRIVALS_HOURLY: Final = 1
ARRIVALS_TIMES: Final = 2
ARRIVALS_AT_START: Final = 3
ARRIVALS_AT_OPENING: Final = 4

#: Who stands where on a list: in turn, by urgency, before or after all.
PRIORITY_NONE: Final = 0
PRIORITY_URGENCY: Final = 1
PRIORITY_FIRST: Final = 2
PRIORITY_LAST: Final = 3

#: Receipts of a channel.
RECEIPTS_NONE: Final = 0
RECEIPTS_TRANSPORT: Final = 1
RECEIPTS_BOTH: Final = 2

STEP: Final = np.dtype(
    [
        ("place", np.int64),  # 24-bit code of the step's id within its pathway: part of a draw's address
        ("alarm", np.float64),  # hours from authored after which an unseen delivery raises a deadline row
        ("kind", np.int64),
        ("next", np.int64),
        ("pathway", np.int64),
        ("role", np.int64),  # whose list or place; for send: the recipient
        ("sender", np.int64),  # role
        ("copies", np.int64),  # how many (for shared: services asked about); their roles are in ``copy_role``
        ("message", np.int64),
        ("template", np.int64),
        ("waits", np.int64),
        ("reading", np.int64),
        ("minutes", np.int64),
        ("search", np.int64),
        ("priority", np.int64),
        ("patience", np.int64),
        ("impatient", np.int64),
        ("hold", np.int64),
        ("turned_away", np.int64),
        ("calendar", np.int64),
        ("first", np.int64),  # first of ``choice`` (branch) or ``target`` (fork)
        ("count", np.int64),
        ("register_a", np.int64),
        ("register_b", np.int64),
        ("value", np.int64),
        ("flag", np.int64),
        ("yes", np.int64),  # where compare goes when equal, shared when so; where repeat goes back to
        ("no", np.int64),
        ("milestone", np.int64),
    ],
    align=True,
)

SERVICE: Final = np.dtype(
    [
        ("slot_rate", np.float64),  # appointments per open hour; 0: none
        ("ignored", np.float64),  # of an error queue: the share that nobody acts on
        ("per_hour", np.float64),  # of a relay: capacity; 0: unlimited
        ("resend_scan", np.float64),
        ("resend_gap", np.float64),
        ("resend_abandon", np.float64),
        ("is_relay", np.int64),
        ("relay_kind", np.int64),
        ("drops", np.int64),
        ("delay", np.int64),  # of a relay: distribution
        ("resend_attempts", np.int64),  # 0: as the channel says
        ("party", np.int64),
        ("organisation", np.int64),  # a number for each: who shares a system, if not on the platform
        ("practice", np.int64),
        ("calendar", np.int64),
        ("slot_calendar", np.int64),
        ("staff", np.int64),
        ("places", np.int64),
        ("watched", np.int64),
        ("address", np.int64),
        ("on_platform", np.int64),
        ("error_queue", np.int64),
        ("error_minutes", np.int64),
        ("client", np.int64),
        ("swamped_at", np.int64),
        ("wrong_first", np.int64),  # services that its mail can go to by mistake: in ``wrong``
        ("wrong_count", np.int64),
    ],
    align=True,
)

FAMILY: Final = np.dtype(
    [
        ("hash", np.int64),  # 31 bits of the stable id of pathway and origin
        ("per_day", np.float64),
        ("withdrawal_chance", np.float64),
        ("urgency_0", np.float64),  # cumulative shares of urgency
        ("urgency_1", np.float64),
        ("urgency_2", np.float64),
        ("step", np.int64),
        ("pathway", np.int64),
        ("origin", np.int64),
        ("practice", np.int64),  # -1: drawn
        ("mode", np.int64),
        ("profile", np.int64),
        ("first", np.int64),  # of ``arrival`` (hourly rates or times)
        ("count", np.int64),
        ("area_first", np.int64),  # of ``area`` (cumulative weights)
        ("area_count", np.int64),
        ("practice_first", np.int64),  # of ``practice_weight`` and ``practice_index``
        ("practice_count", np.int64),
        ("withdrawal", np.int64),
    ],
    align=True,
)

CHANNEL: Final = np.dtype(
    [
        ("attempt_loss", np.float64),
        ("receipt_loss", np.float64),
        ("receipt_watch", np.float64),
        ("search_factor", np.float64),
        ("resend_scan", np.float64),
        ("resend_gap", np.float64),
        ("resend_abandon", np.float64),
        ("resend_attempts", np.int64),
        ("latency", np.int64),
        ("receipts", np.int64),
        ("receipt_limit", np.int64),
    ],
    align=True,
)

PRACTICE: Final = np.dtype(
    [
        ("service", np.int64),
        ("peer", np.int64),  # first of those that its patients may change to, in ``practice_index``
        ("peers", np.int64),
    ],
    align=True,
)

SETTING: Final = np.dtype(
    [
        ("end", np.float64),
        ("opens", np.float64),  # when the observation window opens
        ("search_factor", np.float64),
        ("handling_factor", np.float64),
        ("stale_share", np.float64),
        ("stale_lag", np.float64),
        ("old_inbox_read", np.float64),
        ("forwards", np.float64),
        ("notifies", np.float64),
        ("dead_share", np.float64),
        ("audit_every", np.float64),
        ("audit_chance", np.float64),
        ("reconcile_every", np.float64),
        ("reconcile_chance", np.float64),
        ("search_per_system", np.float64),  # share more search for each further system that knows the patient
        ("skim_missed", np.float64),  # chance that a swamped list's item is passed over for good
        ("swamped_slips", np.float64),  # factor on slips of a sender whose list is swamped
        ("skim_minutes", np.float64),  # factor on the time for an item of a swamped list
        ("moves_per_hour", np.float64),  # patients who change GP, at the turn of a month
        ("moved_share", np.float64),  # of address books that still have the former GP right after
        ("moved_lag", np.float64),
        ("seed", np.int64),
        ("ideal", np.int64),
        ("redelivery", np.int64),
        ("late_delay", np.int64),
        ("vanish_delay", np.int64),
        ("months", np.int64),  # where the beginnings of months stand in ``arrival``
        ("dead_endpoint", np.int64),
        ("platform", np.int64),
        ("gateway", np.int64),
        ("broker", np.int64),
        ("register", np.int64),
        ("post", np.int64),
        ("areas", np.int64),
        ("practices", np.int64),
        ("services", np.int64),
        ("relays", np.int64),
    ],
    align=True,
)

DEFECT: Final = np.dtype(
    [
        ("hash", np.int64),
        ("chance", np.float64),
        ("chance_copy", np.float64),
        ("fault", np.int64),
        ("messages", np.int64),  # a bit for each kind
        ("template", np.int64),  # -1: all
        ("channel", np.int64),
        ("organisation", np.int64),  # whose services send, -1: all
        ("sender", np.int64),  # service, -1: all
        ("receiver", np.int64),
    ],
    align=True,
)


class Arrays(NamedTuple):
    """Everything that the kernel reads and never writes."""

    setting: Records  # SETTING[1]
    step: Records  # STEP[steps]
    service: Records  # SERVICE[services + relays]
    family: Records  # FAMILY[families]
    channel: Records  # CHANNEL[CHANNELS]
    defect: Records  # DEFECT[defects]
    role_service: NDArray[np.int64]  # [roles * practices * areas]
    copy_role: NDArray[np.int64]  # [steps * COPIES]
    choice: NDArray[np.float64]  # cumulative shares of branches, per urgency
    target: NDArray[np.int64]  # where choices and forks go
    fault_rate: NDArray[np.float64]  # [steps * CHANNELS * FAULTS]
    fault_ways: NDArray[np.int64]  # [FAULTS] bit mask over FoundBy
    way_chance: NDArray[np.float64]  # [WAYS * MESSAGES * URGENCIES]
    way_delay: NDArray[np.int64]  # [WAYS]
    wrong: NDArray[np.int64]
    area: NDArray[np.float64]
    practice_weight: NDArray[np.float64]
    practice_index: NDArray[np.int64]
    practice: Records  # PRACTICE[practices]
    arrival: NDArray[np.float64]  # hourly rates, given times; then the hours at which months begin
    profiles: Profiles
    calendars: Calendars
    tables: Distributions
