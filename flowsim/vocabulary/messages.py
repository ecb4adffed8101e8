"""Words about messages: the truth about one, its faults, how it travels, what kind it is."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


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
    reconciliation = 9  # what was ordered is compared with what left the sender's system, at intervals
    phone_confirmation = 10  # the sender phones to ask whether it came
    monitor = 11  # an alert of the integrity monitor was acted on


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
