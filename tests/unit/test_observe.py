"""What can be seen of each journal row, with the ends as addressed, and what can not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowsim.journal import RunHeader
from flowsim.observe import ACTIVITIES, Logs, directory_of, observe
from flowsim.observe.logs import SourceLog
from flowsim.vocabulary import (
    JOURNAL_SCHEMA,
    Channel,
    Event,
    FoundBy,
    MessageKind,
    Milestone,
    Party,
    Seen,
    Source,
    Urgency,
    message_key,
)

GP, INTAKE, WRONG, WARD, HOME, ERRORS, DEAD = range(7)
REFER, ASSESS, START, STAY = range(4)
CASE, MESSAGE = 77, 256
KEY = message_key(CASE, MESSAGE)
#: The number of the unit that is the old address of the intake.
OLD_INTAKE = 7 + INTAKE


def header(**changes: Any) -> RunHeader:
    """Return a small run: a referral that is assessed, and a stay."""
    kinds = [
        ("gp", "gp_office", Party.gp),
        ("intake", "referral_intake", Party.hospital),
        ("wrong", "referral_intake", Party.hospital),
        ("ward", "ward", Party.hospital),
        ("home", "home_nursing", Party.municipality),
        ("errors", "error_queue", Party.gp),
        ("dead", "dead_endpoint", Party.other),
    ]
    data = {
        "start": "2024-01-01", "warm_up_hours": 0.0, "observe_hours": 240.0, "follow_up_hours": 0.0,
        "end_hours": 240.0, "holidays": [], "inhabitants": 1000,
        "services": [
            {"id": name, "label": name, "kind": kind, "party": party, "organisation": party.name}
            for name, kind, party in kinds
        ],
        "pathways": [{"id": "referral", "label": "", "targets": {}, "delayed_after": {}}],
        "steps": [
            {"id": "refer", "pathway": 0, "kind": "send", "message": MessageKind.referral},
            {"id": "assess", "pathway": 0, "kind": "work"},
            {"id": "start", "pathway": 0, "kind": "milestone", "milestone": Milestone.care_started},
            {"id": "stay", "pathway": 0, "kind": "place"},
        ],
    }  # fmt: skip
    return RunHeader.from_dict({**data, **changes})


def row(time: float, event: Event, service: int, peer: int = -1, **more: Any) -> dict[str, Any]:
    """Return a row about the message; what is not said is as the kernel writes it."""
    usual = {
        "time": time, "event": event, "service": service, "peer": peer, "case": CASE, "delivery": MESSAGE,
        "step": REFER, "channel": Channel.edi, "attempt": 1, "urgency": Urgency.soon,
    }  # fmt: skip
    return {**usual, **more}


def block(*rows: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return rows as a block of the journal."""
    out = np.zeros(len(rows), JOURNAL_SCHEMA)
    out["intended"] = out["defect"] = -1
    for i, each in enumerate(rows):
        for name, value in each.items():
            out[i][name] = value
    return out


def seen(*rows: dict[str, Any], logs: Logs | None = None, **chosen: Any) -> np.ndarray[Any, Any]:
    """Return all observations of some rows, or only those with the given columns."""
    whole = logs or Logs(snapshot_every=0.0)
    found = np.concatenate([*observe([block(*rows)], header(), whole)] or [block()[["time"]]])
    for name, value in chosen.items():
        found = found[found[name] == value]
    return found


def told(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return of each observation about messages what it says, whose log, and the ends."""
    found = seen(*rows)
    return [
        (Seen(o["seen"]), int(o["unit"]), int(o["sender"]), int(o["receiver"]))
        for o in found
        if o["seen"] != Seen.activity
    ]


AUTHORED = row(1.0, Event.authored, GP, INTAKE)
SENT = row(1.0, Event.sent, GP, INTAKE)
LISTED = row(2.0, Event.listed, INTAKE, GP, list_length=1, step=ASSESS)


@pytest.mark.parametrize(
    ("given", "expected", "source"),
    [
        (row(2.0, Event.sent, GP, INTAKE), (Seen.sent, GP), Source.sent_log),
        (
            row(2.0, Event.transport_receipt, GP, INTAKE),
            (Seen.transport_receipt, GP),
            Source.transport_receipts,
        ),
        (row(2.0, Event.abandoned, GP, INTAKE), (Seen.transport_failed, GP), Source.transport_receipts),
        (
            row(2.0, Event.application_receipt, GP, INTAKE),
            (Seen.application_receipt, GP),
            Source.application_receipts,
        ),
        (row(2.0, Event.rejected, GP, INTAKE), (Seen.application_rejected, GP), Source.application_receipts),
        (row(2.0, Event.received, INTAKE, GP), (Seen.received, INTAKE), Source.received_log),
        (LISTED, (Seen.accepted, INTAKE), Source.handling),
        (row(2.0, Event.listed, ERRORS, GP, list_length=1), (Seen.accepted, ERRORS), Source.handling),
        (row(2.0, Event.taken, INTAKE, GP, step=ASSESS), (Seen.opened, INTAKE), Source.handling),
        (row(2.0, Event.opened, INTAKE, GP), (Seen.opened, INTAKE), Source.handling),
        (row(2.0, Event.done, INTAKE, GP, step=ASSESS), (Seen.closed, INTAKE), Source.handling),
        (row(2.0, Event.resent, GP, INTAKE), (Seen.followed_up, GP), Source.handling),
        (row(2.0, Event.cancelled, GP, INTAKE), (Seen.order_ended, GP), Source.orders),
        (row(2.0, Event.withdrawn, GP, INTAKE), (Seen.order_ended, GP), Source.orders),
        (row(2.0, Event.forwarded, WRONG, INTAKE), (Seen.wrong_delivery, WRONG), Source.notices),
        (
            row(2.0, Event.found, INTAKE, GP, attempt=FoundBy.misdelivery_notice),
            (Seen.wrong_delivery, GP),
            Source.notices,
        ),
    ],
)  # fmt: skip
def test_each_row_is_seen_in_its_log(
    given: dict[str, Any], expected: tuple[Seen, int], source: Source
) -> None:
    ordered, *rest = [o for o in seen(AUTHORED, given) if o["seen"] != Seen.activity]
    assert (ordered["seen"], ordered["unit"], ordered["source"]) == (Seen.ordered, GP, Source.orders)
    (only,) = rest
    assert (only["seen"], only["unit"], only["source"]) == (*expected, source)
    assert only["key"] == KEY == ordered["key"]
    assert only["template"] == REFER
    assert only["message"] == MessageKind.referral
    assert (only["sender"], only["receiver"]) == (GP, INTAKE)
    assert only["subject"] == ordered["subject"] not in (0, CASE)
    assert (only["time"], only["received"], only["urgency"]) == (2.0, 2.0, Urgency.soon)


@pytest.mark.parametrize("event", [
    Event.relay_in, Event.relay_out, Event.vanished, Event.deadline, Event.snapshot, Event.defect_began,
    Event.owner_lost,
])  # fmt: skip
def test_what_no_log_says_is_not_seen(event: Event) -> None:
    assert [what for what, *_ in told(AUTHORED, row(2.0, event, INTAKE, GP))] == [Seen.ordered]


@pytest.mark.parametrize("way", [w for w in FoundBy if w != FoundBy.misdelivery_notice])
def test_being_found_is_not_seen_in_itself(way: FoundBy) -> None:
    assert [what for what, *_ in told(AUTHORED, row(2.0, Event.found, INTAKE, GP, attempt=way))] == [
        Seen.ordered
    ]


def test_ends_are_as_addressed_and_the_dead_endpoint_is_the_old_address_of_somebody() -> None:
    old = {"list_length": INTAKE + 1}
    given = told(
        row(1.0, Event.authored, GP, DEAD, **old),
        row(1.0, Event.sent, GP, DEAD, **old),
        row(2.0, Event.transport_receipt, GP, DEAD),
        row(2.0, Event.received, DEAD, GP, **old),
        row(2.0, Event.application_receipt, GP, DEAD, **old),
        row(9.0, Event.cancelled, GP, INTAKE),  # the kernel says for whom it was meant: no log knows
    )
    assert {(sender, receiver) for _, _, sender, receiver in given} == {(GP, OLD_INTAKE)}
    assert [unit for what, unit, *_ in given if what == Seen.received] == [OLD_INTAKE]


def test_a_live_inbox_that_was_closed_is_an_old_address_too() -> None:
    given = told(AUTHORED, SENT, row(2.0, Event.received, DEAD, GP, list_length=INTAKE + 1))
    assert given[-1] == (Seen.received, OLD_INTAKE, GP, INTAKE)


def test_the_directory_names_services_old_addresses_templates_and_activities() -> None:
    directory = directory_of(header())
    assert len(directory.units) == 14
    assert (directory.unit(INTAKE), directory.unit(OLD_INTAKE)) == ("intake", "intake@old")
    old = directory.units[OLD_INTAKE]
    assert (old.label, old.old_address_of, old.kind) == ("old address of intake", INTAKE, "dead_endpoint")
    assert old.party == Party.hospital
    assert directory.templates == ("referral/refer", "referral/assess", "referral/start", "referral/stay")
    assert not directory.units[ERRORS].has_address
    assert directory.activities == ACTIVITIES


def test_care_starts_are_seen_by_patient_without_a_unit() -> None:
    authored, started = seen(AUTHORED, row(5.0, Event.milestone, GP, delivery=0, step=START))
    assert (started["seen"], started["source"]) == (Seen.care_started, Source.care_starts)
    assert started["subject"] == authored["subject"]
    assert (started["unit"], started["sender"], started["key"], started["template"]) == (-1, GP, 0, START)
    assert len(seen(row(5.0, Event.milestone, GP, delivery=0, step=ASSESS))) == 0


# --- lists ----------------------------------------------------------------------------------------------


def on_lists(*rows: dict[str, Any], every: float = 24.0) -> dict[float, dict[int, list[int]]]:
    """Return the whole snapshots: by hour, by list, the keys of what lies there."""
    found = seen(*rows, logs=Logs(snapshot_every=every))
    told: dict[float, dict[int, list[int]]] = {}
    for o in found[found["seen"] == Seen.snapshot_taken]:
        mine = found[(found["seen"] == Seen.on_list) & (found["time"] == o["time"])]
        keys = mine["key"][mine["unit"] == o["unit"]].tolist()
        assert o["count"] == len(keys)
        told.setdefault(float(o["time"]), {})[int(o["unit"])] = keys
    return told


def test_a_snapshot_has_what_lies_on_each_list_at_its_hour() -> None:
    shown = on_lists(AUTHORED, LISTED, row(30.0, Event.taken, INTAKE, GP, step=ASSESS))
    assert list(shown) == [24.0 * day for day in range(1, 11)]
    assert shown[24.0] == {INTAKE: [KEY]}
    assert shown[48.0] == {INTAKE: []}, "a list that has had items is shown empty"


def test_what_happens_at_the_hour_of_a_snapshot_comes_after_it() -> None:
    shown = on_lists(AUTHORED, LISTED, row(24.0, Event.taken, INTAKE, GP, step=ASSESS))
    assert shown[24.0] == {INTAKE: [KEY]}


def test_an_item_that_vanishes_leaves_the_list_without_a_word() -> None:
    rows = (AUTHORED, LISTED, row(30.0, Event.vanished, INTAKE, GP, step=ASSESS))
    shown = on_lists(*rows)
    assert (shown[24.0], shown[48.0]) == ({INTAKE: [KEY]}, {INTAKE: []})
    assert not len(seen(*rows, seen=Seen.closed))


def test_what_lies_where_nobody_looks_is_on_the_list_all_the_same() -> None:
    """The journal counts it outside the list; a snapshot of the system would show it."""
    shown = on_lists(AUTHORED, row(2.0, Event.listed, INTAKE, GP, list_length=0))
    assert shown[24.0] == shown[240.0] == {INTAKE: [KEY]}


def test_a_list_that_loses_its_owner_does_not_get_its_items_again() -> None:
    again = row(30.0, Event.listed, INTAKE, GP, list_length=1)
    given = told(AUTHORED, LISTED, again, row(30.0, Event.owner_lost, INTAKE, case=0, delivery=0, step=-1))
    assert [what for what, *_ in given] == [Seen.ordered, Seen.accepted]


def test_a_second_copy_is_accepted_and_opened_again() -> None:
    given = told(
        AUTHORED, LISTED,
        row(2.0, Event.listed, INTAKE, GP, list_length=2),
        row(3.0, Event.taken, INTAKE, GP, list_length=1), row(4.0, Event.taken, INTAKE, GP, list_length=0),
    )  # fmt: skip
    assert [what for what, *_ in given] == [
        Seen.ordered,
        Seen.accepted,
        Seen.accepted,
        Seen.opened,
        Seen.opened,
    ]


def test_a_second_copy_taken_back_leaves_the_first_on_its_list() -> None:
    double = row(2.0, Event.listed, INTAKE, GP, list_length=2)
    rows = (AUTHORED, LISTED, double, row(3.0, Event.cancelled, INTAKE, GP, list_length=1))
    assert [what for what, *_ in told(*rows)][3:] == [Seen.closed]
    assert on_lists(*rows)[24.0] == {INTAKE: [KEY]}


def test_an_item_on_a_list_that_is_taken_back_is_closed_there() -> None:
    rows = (AUTHORED, LISTED, row(3.0, Event.withdrawn, GP, INTAKE))
    assert told(*rows)[2:] == [(Seen.order_ended, GP, GP, INTAKE), (Seen.closed, INTAKE, GP, INTAKE)]
    assert on_lists(*rows)[24.0] == {INTAKE: []}


def test_who_finds_an_item_on_an_unwatched_list_takes_it_off() -> None:
    found = row(30.0, Event.found, INTAKE, GP, attempt=FoundBy.audit)
    rows = (AUTHORED, LISTED, found)
    assert told(*rows)[2:] == [(Seen.closed, INTAKE, GP, INTAKE)]
    assert on_lists(*rows)[48.0] == {INTAKE: []}


def test_what_is_found_as_its_list_gets_an_owner_stays_there() -> None:
    rows = (AUTHORED, LISTED, row(30.0, Event.found, INTAKE, GP, list_length=1, attempt=FoundBy.command))
    assert len(told(*rows)) == 2
    assert on_lists(*rows)[48.0] == {INTAKE: [KEY]}


def test_tasks_without_a_message_have_a_key_of_their_case_and_step() -> None:
    task = {"delivery": 0, "channel": 0, "attempt": 0, "step": ASSESS}
    rows = (
        row(2.0, Event.listed, INTAKE, -1, list_length=1, **task),
        row(30.0, Event.taken, INTAKE, -1, **task),
        row(31.0, Event.done, INTAKE, -1, **task),
    )
    found = seen(*rows)
    assert [Seen(o["seen"]) for o in found] == [Seen.accepted, Seen.opened, Seen.closed]
    (key,) = {int(o["key"]) for o in found}
    assert on_lists(*rows)[24.0] == {INTAKE: [key]}
    other = seen(row(2.0, Event.listed, INTAKE, -1, list_length=1, **{**task, "step": START}))
    assert key not in (0, KEY, int(other["key"][0]))


def test_those_who_wait_for_a_bed_are_no_items_of_work() -> None:
    bed = {"delivery": 0, "channel": 0, "step": STAY}
    assert (
        told(
            row(2.0, Event.listed, WARD, -1, list_length=1, **bed), row(3.0, Event.cancelled, WARD, -1, **bed)
        )
        == []
    )


# --- the world outside ------------------------------------------------------------------------------------


def test_activity_is_counted_by_day_and_unit_and_a_day_without_is_0() -> None:
    bed = {"delivery": 0, "step": STAY}
    task = {"delivery": 0, "step": ASSESS}
    found = seen(
        row(1.0, Event.created, GP, GP, delivery=0), row(2.0, Event.created, GP, GP, delivery=0, case=78),
        row(3.0, Event.placed, WARD, **bed), row(5.0, Event.done, HOME, **task),
        row(6.0, Event.done, HOME, step=REFER),  # reading a letter is no visit
        row(30.0, Event.left, WARD, **bed), row(60.0, Event.authored, GP, INTAKE),
        seen=Seen.activity,
    )  # fmt: skip
    counts = {
        (float(o["time"]), ACTIVITIES[o["template"]], int(o["unit"])): int(o["count"])
        for o in found[found["time"] <= 72.0]
    }
    assert {key: n for key, n in counts.items() if key[0] == 24.0} == {
        (24.0, "consultations", GP): 2, (24.0, "admissions", WARD): 1, (24.0, "visits", HOME): 1,
    }  # fmt: skip
    assert counts[48.0, "discharges", WARD] == 1
    assert counts[48.0, "consultations", GP] == counts[72.0, "discharges", WARD] == 0
    assert set(found["source"]) == {Source.activity}


def test_a_source_that_is_told_to_gives_heartbeats() -> None:
    logs = Logs({Source.sent_log: SourceLog(heartbeat=50.0)}, snapshot_every=0.0)
    found = seen(AUTHORED, SENT, logs=logs, seen=Seen.heartbeat)
    assert found["time"].tolist() == [50.0, 100.0, 150.0, 200.0]
    assert set(found["source"]) == {Source.sent_log}
    assert set(found["unit"]) == {-1}
