"""Words about the region: who there is, what pathways are made of, what the world does."""

from __future__ import annotations

from enum import IntEnum, StrEnum


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
    visit_due = 9  # of a care plan; counted, as the two below are
    visit_done = 10
    visit_missed = 11  # its time passed and nobody came: it is gone, not late
    lists_differ = 12  # a patient's medication lists disagree from now
    lists_agree = 13
    deviation_reported = 14  # somebody wrote a report of it


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
    home_care = "home_care"
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
    shared = 15


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
    activate_defect = 6  # case: the reach in millionths, 0 for all
    mend_defect = 7
    resend = 8
    forward = 9
    remove = 10
    snapshot = 11
    set_pace = 12  # of a service: how fast it searches and handles, how often its people slip
    set_dial = 13  # of a fault class or a way back: times its rate or chance
    set_address = 14  # a service has a new address; address books follow with a lag
    note = 15  # write a row about something that the world did


class Pace(IntEnum):
    """What of a service's work the world can change, as a factor on what the files say."""

    search = 0
    handling = 1
    slips = 2


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
    moves = 23  # whether, when and where to a patient changes GP
    former_practice = 24
    skim = 25
    fallback = 26
    joining = 27  # of a practice along a curve over the graph
