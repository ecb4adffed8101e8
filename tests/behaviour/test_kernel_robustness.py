"""Worlds at their limits: nobody at work, nobody looking, too much of everything. No hang, no leak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from flowsim.kernel import state as k
from flowsim.simulation import Clock, Mail, simulate
from flowsim.vocabulary import CommandKind, Event, Fault, NoticeKind, State
from tests.invariants import checked
from tests.small_worlds import (
    at,
    busy_plan,
    digest,
    index,
    lines,
    log,
    one,
    pathway,
    plan,
    read,
    rows_of,
    with_defect,
)

REFER = "- {id: refer, do: send, message: referral, sender: origin, to: %s, reading: 15 min}"
OFTEN = ", ".join(f"{n / 10} h" for n in range(200))


def test_a_list_without_staff_is_never_worked_and_counts_as_waiting() -> None:
    rows, _ = checked(plan(pathway(REFER % "radiology", times=OFTEN)))
    assert np.sum(rows["event"] == Event.taken) == 0
    assert rows["list_length"].max() == 200
    last = {int(row["case"]): State(row["state"]) for row in rows if row["state"]}
    assert set(last.values()) == {State.moving}, "on a watched list: waiting, not lost"


def test_a_region_without_any_staff_runs_to_its_end() -> None:
    topology = read("region")
    for organisation in topology["organisations"]:
        for service in organisation["services"]:
            service["staff"] = 0
            service["places"] = 0 if "places" in service else None
    settings = {"topology": topology, "faults": "faults_many", "channels": "channels_rough", "days": 4}
    given = plan("referral", "care", "tasks", **settings)
    rows, times = checked(given)
    taken = rows["service"][rows["event"] == Event.taken]
    assert times > 300 and np.all(given.arrays.service["staff"][taken] != 0), (
        "practices and error queues only"
    )


def test_arrivals_above_capacity_leave_a_list_that_grows_and_nothing_lost() -> None:
    """Ten an hour for one who does two: after the first 20 hours 160 wait."""
    given = plan(
        pathway("- {id: look, do: work, service: referral_intake, minutes: 30 min}", times=OFTEN),
        days=20 / 24,
    )
    rows, _ = checked(given)
    lengths = rows[rows["event"] == Event.listed]["list_length"]
    assert lengths[-1] == pytest.approx(160, abs=2) and np.all(np.diff(lengths) >= 0)
    assert np.sum(rows["event"] == Event.taken) == 40


def test_a_list_looked_at_at_intervals_keeps_what_comes_between_until_the_next_look() -> None:
    rows, _ = checked(plan(pathway(REFER % "emergency_clinic", times=OFTEN)))
    received = {int(r["case"]): float(r["time"]) for r in rows if r["event"] == Event.received}
    for row in rows[rows["event"] == Event.taken]:
        at_look = 6.0 + 24.0 * np.ceil((received[int(row["case"])] - 6.0) / 24.0)
        assert row["time"] == at_look
    assert np.sum(rows["event"] == Event.done) == 200


def test_a_narrow_relay_passes_one_at_a_time_in_turn() -> None:
    """Four an hour: five messages at once leave 15 minutes apart."""
    topology = {**read("bare"), "relays": [{"id": "broker", "kind": "broker", "per_hour": 4}]}
    given = plan(pathway(REFER % "referral_intake", times=", ".join(["1 h"] * 5)), topology=topology)
    rows, _ = checked(given)
    assert rows["time"][rows["event"] == Event.relay_out].tolist() == [1.25, 1.5, 1.75, 2.0, 2.25]
    assert rows["list_length"][rows["event"] == Event.relay_in].tolist() == [1, 1, 2, 3, 4]


def test_a_narrow_relay_that_drops_in_an_outage_queues_as_long_as_it_is_up() -> None:
    relay = {"id": "broker", "kind": "broker", "per_hour": 4, "when_down": "drops"}
    given = plan(
        pathway(REFER % "referral_intake", times=", ".join(["1 h"] * 5)),
        topology={**read("bare"), "relays": [relay]},
    )
    rows, _ = checked(given)
    assert np.sum(rows["event"] == Event.taken) == 5 and np.sum(rows["event"] == Event.sent) == 5


@pytest.mark.parametrize("per_hour", [None, 4])
def test_an_outage_holds_everything_and_loses_nothing(per_hour: int | None) -> None:
    topology = {**read("bare"), "relays": [{"id": "broker", "kind": "broker", "per_hour": per_hour}]}
    given = plan(pathway(REFER % "referral_intake", times=OFTEN), topology=topology)
    broker = index(given, "broker")
    outage = [
        at(hours, one(CommandKind.set_relay, broker, up))
        for hours, up in ((3, 0), (9, 1), (9.05, 0), (12, 1))
    ]
    rows, _ = checked(given, outage)
    passed = rows[rows["event"] == Event.relay_out]
    assert len(passed) == 200 == np.sum(rows["event"] == Event.taken)
    if per_hour is None:
        assert not np.any((passed["time"] > 3) & (passed["time"] < 9))
        order = rows[rows["event"] == Event.sent]["case"].tolist()
        assert passed["case"].tolist() == order, "first in, first out"


def test_a_case_withdrawn_while_a_relay_holds_its_message_leaves_the_relay() -> None:
    topology = {**read("bare"), "relays": [{"id": "broker", "kind": "broker"}]}
    first = pathway(REFER % "referral_intake", times="1 h, 2 h", withdrawal={"chance": 1.0, "after": "4 h"})
    given = plan(first, topology=topology)
    broker = index(given, "broker")
    outage = [at(hours, one(CommandKind.set_relay, broker, up)) for hours, up in ((0, 0), (5.5, 1))]
    rows, _ = checked(given, outage)
    assert [line for line in lines(given, rows) if "refer" in line and float(line.split()[0]) > 4][:2] == [
        "5 withdrawn refer practice_1 intake main/edi/1/ended",
        "5.5 relay_out refer broker practice_1 main/edi/1/moving",
    ]


def test_a_case_withdrawn_after_a_relay_let_its_message_go_does_not_touch_the_relay_again() -> None:
    relay = {"id": "broker", "kind": "broker", "per_hour": 4}
    several = pathway(
        REFER % "referral_intake", times=", ".join(["1 h"] * 6), withdrawal={"chance": 1.0, "after": "2 h"}
    )
    given = plan(several, topology={**read("bare"), "relays": [relay]})
    rows, _ = checked(given)
    assert np.sum(rows["event"] == Event.relay_out) == 6


def test_whoever_holds_a_bed_and_waits_for_another_keeps_it_until_then() -> None:
    topology = read("bare")
    topology["organisations"][1]["services"].append(
        {"id": "short_term", "kind": "short_term_ward", "staff": 1, "places": 1}
    )
    given = plan(
        pathway(
            "- {id: bed, do: place, service: ward}\n"
            "- {id: next_bed, do: place, service: short_term_ward, hold: 5 h}",
            times="0 h, 1 h, 2 h",
        ),
        topology=topology,
    )
    rows, _ = checked(given)
    found = [line for line in lines(given, rows) if " placed " in line or " left " in line]
    assert [line.split()[:4] for line in found] == [
        ["0", "placed", "bed", "ward"], ["0", "left", "bed", "ward"],
        ["0", "placed", "next_bed", "short_term"],
        ["1", "placed", "bed", "ward"],
        ["5", "left", "next_bed", "short_term"], ["5", "left", "bed", "ward"],
        ["5", "placed", "next_bed", "short_term"],
        ["5", "placed", "bed", "ward"],
        ["10", "left", "next_bed", "short_term"], ["10", "left", "bed", "ward"],
        ["10", "placed", "next_bed", "short_term"],
        ["15", "left", "next_bed", "short_term"],
    ]  # fmt: skip


@pytest.mark.parametrize("block_rows", [1, 7, 256])
def test_blocks_too_small_for_an_event_grow_and_show_nowhere(block_rows: int) -> None:
    given = busy_plan(days=4)
    assert digest(rows_of(given, block_rows=block_rows)) == digest(rows_of(given))


def test_a_small_start_grows_into_the_same_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    given = busy_plan(days=4)
    wanted = digest(rows_of(given))
    first = k.new_state
    monkeypatch.setattr(
        "flowsim.kernel.state.new_state", lambda arrays, replication: first(arrays, replication, 1, 1)
    )
    assert digest(rows_of(given)) == wanted


def test_defects_mended_with_many_items_waiting_find_them_all_in_one_instant() -> None:
    given = with_defect(plan(pathway(REFER % "referral_intake", times=OFTEN)), Fault.not_emitted)
    world = [
        at(0, lambda m: m.command(CommandKind.activate_defect, 0)),
        at(30, lambda m: m.command(CommandKind.mend_defect, 0, 1)),
    ]
    rows, _ = checked(given, world, block_rows=64)
    assert np.sum(rows["event"] == Event.found) == 200 == np.sum(rows["event"] == Event.taken)
    assert set(rows["time"][rows["event"] == Event.found].tolist()) == {30.0}


def test_an_owner_who_comes_and_goes_many_times_leaves_every_item_in_one_place() -> None:
    given = plan(pathway(REFER % "radiology", times=OFTEN), faults="faults_many")
    unmanned = index(given, "hospital/unmanned")

    def fickle(clock: Clock, mail: Mail) -> Iterator[Any]:
        for turn in range(60):
            yield clock.timeout(1.0)
            mail.command(CommandKind.set_owner, unmanned, turn % 2)
            mail.command(CommandKind.set_staff, unmanned, turn % 3)

    rows, _ = checked(given, [fickle])  # type: ignore[list-item]
    assert np.sum(rows["event"] == Event.done) > 50


def test_a_world_that_answers_every_notice_with_commands_without_delay_comes_to_an_end() -> None:
    """Swamped lists get staff, and deadlines bring messages again: all at that instant."""
    given = busy_plan(days=6)
    answered: list[NoticeKind] = []

    def answer(mail: Mail, notice: Any) -> None:
        answered.append(notice.kind)
        if notice.kind == NoticeKind.list_swamped:
            mail.command(CommandKind.set_staff, notice.a, 5)
        else:
            mail.command(CommandKind.resend, case=notice.case, delivery=notice.delivery)

    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        for kind in NoticeKind:
            clock.listen(kind, lambda notice: answer(mail, notice))
        for _ in range(100):
            yield clock.timeout(0.0)

    rows, _ = checked(given, [world])  # type: ignore[list-item]
    assert {NoticeKind.list_swamped, NoticeKind.deadline_passed} <= set(answered)
    assert rows["time"][-1] > 140


def test_stops_stay_rare_beside_deliveries() -> None:
    """The budget of the design: fewer than one stop for 1,000 deliveries."""

    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        for kind in (NoticeKind.defect_reported, NoticeKind.list_found):
            mail.subscribe(kind)
        yield clock.timeout(0.0)

    info = simulate(busy_plan(days=60), 1, lambda _: None, [world])  # type: ignore[list-item]
    assert info.deliveries > 5000 and info.stops * 1000 < info.deliveries


def test_a_wait_beyond_the_end_is_never_over() -> None:
    """A wait longer than the run leaves its case open, and a wait of nothing goes on at once."""
    given = plan(
        pathway(
            "- {id: none, do: wait, time: 0 h}\n- {id: ever, do: wait, time: 900 days}\n- {id: over, do: end}"
        )
    )
    assert log(given) == "0 created none practice_1 practice_1"
