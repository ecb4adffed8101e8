"""The closed word lists of flowsim, in the field's own terms.

Every code that the kernel writes and the analysis reads is defined here once. Numbers are part of
the journal's file format: a member is never renumbered, new members are added at the end.
``docs/glossary.md`` has each word in English and Norwegian.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

import numpy as np


class Event(IntEnum):
    """What a journal row says happened."""

    created = 1  # a case began (peer: the patient's practice)
    authored = 2  # the sender's system shows the message as sent (service: sender, peer: intended)
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


class State(IntEnum):
    """Truth about a delivery after a journal row; the fate is read from it, never from time."""

    none = 0  # the row is not about a delivery
    moving = 1  # a scheduled event or a watched list will show it to the intended service
    told = 2  # it failed, the sender was told, and somebody will act
    silent = 3  # no scheduled event and no watched list will show it to the intended service
    seen = 4  # staff at the intended service have taken or opened it
    ended = 5  # cancelled or withdrawn before it was seen


class Fate(IntEnum):
    """What became of a delivery by the horizon; exactly one, the first that matches."""

    cancelled = 1
    recovered = 2
    late = 3
    on_time = 4
    lost = 5
    waiting = 6


class FirstOutcome(IntEnum):
    """What happened to a delivery first, whatever was done about it later."""

    arrived = 1
    failed_told = 2
    failed_silently = 3
    pending = 4  # nothing yet by the horizon


class Fault(IntEnum):
    """The classes of fault that a delivery can have; 0 is none."""

    none = 0
    not_emitted = 1
    undelivered = 2
    no_receipt = 3
    rejected = 4
    misaddressed = 5
    unwatched = 6
    vanished = 7
    duplicated = 8
    late = 9
    incomplete = 10
    copy_omitted = 11
    no_endpoint = 12


class Cause(StrEnum):
    """What an excess delay can be charged to."""

    sending = "sending"
    transport = "transport"
    addressing = "addressing"
    lists = "lists"
    receipts = "receipts"
    search = "search"


CAUSE_OF_FAULT: Final[dict[Fault, Cause]] = {
    Fault.not_emitted: Cause.sending,
    Fault.copy_omitted: Cause.sending,
    Fault.incomplete: Cause.sending,
    Fault.undelivered: Cause.transport,
    Fault.late: Cause.transport,
    Fault.misaddressed: Cause.addressing,
    Fault.no_endpoint: Cause.addressing,
    Fault.unwatched: Cause.lists,
    Fault.vanished: Cause.lists,
    Fault.no_receipt: Cause.receipts,
    Fault.rejected: Cause.receipts,
    Fault.duplicated: Cause.receipts,
}


class FoundBy(IntEnum):
    """Who brings a silent item back; written in ``attempt`` of a found row."""

    patient_calls = 1
    referrer_chases = 2
    receiver_misses = 3
    shared_record_look = 4  # only where sender and receiver are both on the platform
    misdelivery_notice = 5  # a wrong receiver that reads it tells the sender
    forwarded = 6  # a wrong receiver that reads it passes it on
    audit = 7  # somebody goes through the list at intervals
    command = 8  # the organisation acted (mended defect, found list, response team)


class Channel(IntEnum):
    """How a message travels."""

    platform = 1
    edi = 2
    letter = 3
    portal = 4
    phone = 5


class Urgency(IntEnum):
    """How urgent a case is; lower is served first."""

    immediate = 0
    urgent = 1
    soon = 2
    routine = 3


class MessageKind(IntEnum):
    """Kinds of message (Norwegian standards; see facts in docs/model.md)."""

    referral = 1
    referral_status = 2
    referral_forwarded = 3
    discharge_summary = 4
    outpatient_note = 5
    lab_order = 6
    radiology_order = 7
    lab_result = 8
    radiology_report = 9
    misdelivery_notice = 10
    discharge_ready_reply = 11
    dialogue_request = 12
    dialogue_reply = 13
    patient_admitted = 14
    discharge_ready = 15
    discharge_ready_cancelled = 16
    patient_discharged = 17
    admission_report = 18
    health_information = 19
    discharge_report = 20
    medical_information = 21
    health_information_to_gp = 22
    service_notice = 23
    appointment_letter = 24
    outcome_letter = 25
    medication_list = 26
    task = 27


class Milestone(IntEnum):
    """Named points of a pathway that measures use."""

    care_started = 1
    assessed = 2
    discharge_ready = 3
    discharged = 4
    decided = 5
    turned_away = 6
    custom_1 = 7
    custom_2 = 8


class Party(IntEnum):
    """The type of an organisation, as results are grouped."""

    gp = 1
    hospital = 2
    municipality = 3
    specialist = 4
    patient = 5
    other = 6


class ServiceKind(StrEnum):
    """What a service does; pathways name services by kind, never by name."""

    gp_office = "gp_office"
    referral_intake = "referral_intake"
    clinic = "clinic"
    ward = "ward"
    discharge_office = "discharge_office"
    laboratory = "laboratory"
    radiology = "radiology"
    case_office = "case_office"
    home_nursing = "home_nursing"
    short_term_ward = "short_term_ward"
    emergency_clinic = "emergency_clinic"
    specialist_office = "specialist_office"
    patients = "patients"
    error_queue = "error_queue"
    dead_endpoint = "dead_endpoint"
    other = "other"


class RelayKind(StrEnum):
    """What messages pass through on their way."""

    platform = "platform"
    gateway = "gateway"
    broker = "broker"
    address_register = "address_register"
    message_client = "message_client"
    post = "post"


class StepKind(IntEnum):
    """The steps that a pathway is made of; each has a schema class and a kernel function."""

    send = 1
    work = 2
    place = 3
    wait = 4
    branch = 5
    fork = 6
    join = 7
    set = 8
    copy = 9
    compare = 10
    repeat = 11
    cancel = 12
    milestone = 13
    end = 14


class Certainty(StrEnum):
    """How sure a number is; see docs/model.md."""

    read = "read"
    press = "press"
    seed = "seed"
    derived = "derived"
    assumed = "assumed"


class Basis(StrEnum):
    """What a result rests on: the weakest of its inputs, weakest last."""

    measured = "measured"
    literature = "literature"
    replayed = "replayed"
    assumed = "assumed"


class CommandKind(IntEnum):
    """What the world can tell the mail to do; each takes effect at once."""

    set_adoption = 1
    set_endpoint = 2
    set_staff = 3
    set_relay = 4
    set_owner = 5
    activate_defect = 6
    mend_defect = 7
    resend = 8
    forward = 9
    remove = 10
    snapshot = 11


class NoticeKind(IntEnum):
    """What the mail can tell the world; only what changes the organisation."""

    defect_reported = 1
    list_found = 2
    list_swamped = 3
    deadline_passed = 4


class Purpose(IntEnum):
    """What a random draw is for; part of its address, so never renumbered."""

    arrival = 1
    case = 2  # urgency, area, practice, withdrawal chance
    withdrawal = 3
    send = 4  # emission, address, application, list
    send_more = 5  # late, duplicated, incomplete, copy
    wrong_service = 6
    attempt = 7  # loss, receipt loss, latency
    late_delay = 8
    found_chance = 9  # attempt word: the way
    wrong_receiver = 10
    work = 11  # minutes, search minutes, patience
    place = 12
    wait = 13
    branch = 14
    redelivery = 15
    defect = 16
    stale = 17
    error_queue = 18
    phase = 19  # of a service's or an audit's rhythm
    adoption_order = 20
    expansion = 21  # of a topology written by rule
    world = 22


#: One journal row. The first columns are what happened; the last four are the truth, which no
#: monitor sees. Times are hours from the start date. ``case`` is (family hash << 32) | n; a
#: ``delivery`` is unique within its case: (place << 24) | (visit << 8) | copy, 0 where the row is
#: not about one; copy 0 is the main recipient.
JOURNAL_SCHEMA: Final = np.dtype(
    [
        ("time", np.float64),
        ("case", np.int64),
        ("delivery", np.int64),
        ("step", np.int32),
        ("service", np.int32),
        ("peer", np.int32),
        ("list_length", np.int32),
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
