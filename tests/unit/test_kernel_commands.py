"""Each command of the world takes effect at its instant, and each notice is heard at the mail's.

Every world here is a process of a few lines, and the journal is compared as far as the command changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from flowsim.plan import Plan
from flowsim.simulation import Clock, Mail, Notice, Process
from flowsim.vocabulary import CommandKind, Event, Fault, FoundBy, MessageKind, NoticeKind
from flowsim.world.region import WAY_SHIFT
from tests.small_worlds import at, index, log, one, parse, pathway, plan, read, rows_of, same, with_defect

READ = "- {id: refer, do: send, message: referral, sender: origin, to: %s, reading: 15 min}"
ARRIVED = (" created ", " authored ", " sent ", "receipt ")


def told(plan: Plan, *processes: Process, without: tuple[str, ...] = ARRIVED) -> str:
    """Return the journal without the rows of how messages and cases begin."""
    return "\n".join(
        line for line in log(plan, processes).splitlines() if not any(word in line for word in without)
    )


def first_delivery(plan: Plan) -> dict[str, int]:
    """Return the case and delivery of the first message of a plan."""
    row = next(row for row in rows_of(plan) if row["event"] == Event.authored)
    return {"case": int(row["case"]), "delivery": int(row["delivery"])}


def hearing(kinds: tuple[NoticeKind, ...], heard: list[tuple[float, Notice]]) -> Process:
    """Return a world that writes down each notice with its own time."""

    def process(clock: Clock, mail: Mail) -> Iterator[Any]:
        del mail
        for kind in kinds:
            clock.listen(kind, lambda notice: heard.append((clock.now, notice)))
        yield clock.timeout(0.0)

    return process  # type: ignore[return-value]


# ------------------------------------------------------------------------------------------ commands


def test_set_adoption_changes_how_messages_travel_from_that_instant_on() -> None:
    given = plan(pathway(READ % "referral_intake", times="0 h, 5 h"))
    join = at(5, one(CommandKind.set_adoption, index(given, "practice_1/inbox"), 1))
    authored = [line for line in log(given, [join]).splitlines() if "authored" in line]
    assert authored == [
        "0 authored refer practice_1 intake main/edi/1/moving",
        "5 authored refer practice_1 intake main/platform/1/moving",
    ]


def test_joining_leaves_stale_addresses_for_a_while() -> None:
    """A share of 100 % right after go-live; after 60 lags none is left."""
    results = (
        "- {id: tell, do: send, message: lab_result, sender: origin, to: practice_1/inbox, reading: 1 min}"
    )
    given = plan(pathway(results, at="hospital/laboratory", times="1 h, 11 h, 320 days"), stale=1.0, days=330)
    arrays = given.arrays._replace(setting=given.arrays.setting.copy())
    arrays.setting["old_inbox_read"] = 0.0
    join = at(10, one(CommandKind.set_adoption, index(given, "practice_1/inbox"), 1))
    received = [
        line.split()[3]
        for line in log(replace(given, arrays=arrays), [join]).splitlines()
        if "received" in line
    ]
    assert received == ["practice_1", "dead_endpoint", "practice_1"]


def test_set_endpoint_kills_an_address_and_brings_it_back() -> None:
    given = plan(pathway(READ % "referral_intake", times="0 h, 5 h"))
    intake = index(given, "hospital/intake")
    dead = [at(1, one(CommandKind.set_endpoint, intake, 0)), at(6, one(CommandKind.set_endpoint, intake, 1))]
    assert same(told(given, *dead), """
        2 received refer dead_endpoint practice_1 length=1 main/edi/1/silent misaddressed
        7 received refer intake practice_1 main/edi/1/moving
        7 listed refer intake practice_1 length=1 main/edi/1/moving
        7 taken refer intake practice_1 main/edi/1/seen
        7.25 done refer intake practice_1 main/edi/1/seen
        7.25 closed - practice_1 -
    """)  # fmt: skip
    assert "2 application_receipt refer practice_1 dead_endpoint" in log(given, dead), (
        "a dead endpoint accepts"
    )


def test_more_staff_start_at_once_and_fewer_finish_what_they_have() -> None:
    given = plan(
        pathway("- {id: look, do: work, service: referral_intake, minutes: 4 h}", times="0 h, 0 h, 0 h")
    )
    intake = index(given, "hospital/intake")
    staff = [
        at(hours, one(CommandKind.set_staff, intake, number)) for hours, number in ((1, 2), (2, 0), (9, 1))
    ]
    assert same(told(given, *staff, without=(" created ", " listed ", " closed ")), """
        0 taken look intake -
        1 taken look intake - length=1
        4 done look intake - length=1
        5 done look intake - length=1
        9 taken look intake -
        13 done look intake -
    """)  # fmt: skip


def test_an_owner_finds_what_lay_on_the_list_and_starts_on_it() -> None:
    given = plan(pathway(READ % "discharge_office"))
    owner = at(5, one(CommandKind.set_owner, index(given, "hospital/unread"), 1))
    assert same(told(given, owner), """
        2 received refer unread practice_1 main/edi/1/moving
        2 listed refer unread practice_1 length=1 main/edi/1/silent unwatched
        5 found refer unread practice_1 length=1 main/edi/8/moving unwatched
        5 taken refer unread practice_1 main/edi/1/seen unwatched
        5.25 done refer unread practice_1 main/edi/1/seen unwatched
        5.25 closed - practice_1 -
    """)  # fmt: skip


def test_what_an_owner_has_not_come_to_yet_waits_and_is_lost_no_more() -> None:
    given = plan(pathway(READ % "discharge_office", times="0 h, 0 h"))
    unread = index(given, "hospital/unread")
    worlds = [at(4, one(CommandKind.set_staff, unread, 0)), at(5, one(CommandKind.set_owner, unread, 1))]
    assert list(log(given, worlds).splitlines())[-2:] == [
        "5 found refer unread practice_1 length=2 main/edi/8/moving unwatched",
        "5 found refer unread practice_1 length=2 main/edi/8/moving unwatched",
    ]


def test_without_its_owner_what_lies_on_a_list_is_seen_by_nobody() -> None:
    given = plan(pathway(READ % "radiology"))
    gone = at(5, one(CommandKind.set_owner, index(given, "hospital/unmanned"), 0))
    assert (
        told(given, gone).splitlines()[-1]
        == "5 listed refer unmanned practice_1 length=1 main/edi/1/silent unwatched"
    )


def test_a_defect_hits_its_class_of_messages_while_it_is_active_and_mending_sends_them_again() -> None:
    given = with_defect(plan(pathway(READ % "referral_intake", times="0 h, 5 h, 10 h")), Fault.unwatched)
    life = [at(4, one(CommandKind.activate_defect, 0)), at(9, one(CommandKind.mend_defect, 0, 1))]
    lines = told(given, *life).splitlines()
    assert same("\n".join(line for line in lines if "unwatched" in line), """
        7 listed refer intake practice_1 main/edi/1/silent unwatched
        9 found refer intake practice_1 main/edi/8/moving unwatched
        9 resent refer practice_1 intake main/phone/1/moving unwatched
        16 received refer intake practice_1 main/phone/1/moving unwatched
        16 listed refer intake practice_1 length=1 main/phone/1/moving unwatched
        16 taken refer intake practice_1 main/phone/1/seen unwatched
        16.25 done refer intake practice_1 main/phone/1/seen unwatched
    """)  # fmt: skip
    assert sum("taken" in line for line in lines) == 3


def test_mending_without_sending_again_helps_only_what_comes_later() -> None:
    given = with_defect(plan(pathway(READ % "referral_intake", times="0 h, 5 h, 10 h")), Fault.unwatched)
    life = [at(4, one(CommandKind.activate_defect, 0)), at(9, one(CommandKind.mend_defect, 0, 0))]
    rows = rows_of(given, life)
    assert sum(rows["event"] == Event.taken) == 2 and not np.any(rows["event"] == Event.found)


def test_a_defect_hits_only_the_route_and_kind_that_it_names() -> None:
    given = plan(pathway(f"{(READ % 'referral_intake')[:-1]}, copies: [home_nursing]}}"))
    home, intake = index(given, "town/home"), index(given, "hospital/intake")
    active = at(0, one(CommandKind.activate_defect, 0))

    def hit(**only: Any) -> list[int]:
        rows = rows_of(with_defect(given, Fault.not_emitted, **only), [active])
        return sorted({int(row["intended"]) for row in rows if row["fault"] == Fault.not_emitted})

    assert hit() == sorted([home, intake])
    assert hit(receiver=home) == [home] == hit(copies_only=1)
    assert hit(message=int(MessageKind.referral), receiver=intake) == [intake]
    assert (
        hit(message=int(MessageKind.lab_result))
        == []
        == hit(template=5)
        == hit(channel=1)
        == hit(sender=home)
    )
    assert hit(chance=0.0) == []


def test_resending_what_was_lost_brings_it_back() -> None:
    given = with_defect(plan(pathway(READ % "referral_intake")), Fault.not_emitted)
    again = one(CommandKind.resend, **first_delivery(given))
    lines = told(given, at(0, one(CommandKind.activate_defect, 0)), at(5, again)).splitlines()
    assert lines[:2] == [
        "5 found refer intake practice_1 main/edi/8/moving not_emitted",
        "5 resent refer practice_1 intake main/phone/1/moving not_emitted",
    ]
    assert "taken" in lines[-3] and "seen" in lines[-3]


def test_resending_what_was_not_lost_costs_its_receiver_time() -> None:
    given = plan(pathway(READ % "radiology"))
    twice = at(5, one(CommandKind.resend, **first_delivery(given)))
    assert (
        told(given, twice).splitlines()[-1] == "5 listed refer unmanned practice_1 length=2 main/edi/1/none"
    )


def test_forwarding_brings_what_was_lost_to_the_right_service() -> None:
    given = with_defect(plan(pathway(READ % "referral_intake")), Fault.unwatched)
    passed_on = at(5, one(CommandKind.forward, **first_delivery(given)))
    found = [
        line
        for line in log(given, [at(0, one(CommandKind.activate_defect, 0)), passed_on]).splitlines()
        if "found" in line
    ]
    assert found == ["5 found refer intake practice_1 main/edi/6/moving unwatched"]


def test_sending_again_what_a_wrong_receiver_is_reading_frees_the_reader() -> None:
    """Only the other practice can get it by mistake; it reads for 15 minutes, and then a second one."""
    faults = parse("""
        basis: {source: test, certainty: assumed}
        faults: {misaddressed: {rate: 1.0, channels: [platform, edi]}}
        misdelivery: {forwards: 0, notifies: 0, dead_endpoint: 0}
        redelivery: 6 h
        rate_sets: {equal: {}}
    """)
    topology = read("bare")
    topology["practices"] = topology["practices"][:2]
    tell = pathway(READ % "practice_2/inbox", at="hospital/laboratory", times="0 h, 0.05 h, 0.1 h")
    given = plan(tell, topology=topology, faults=faults)
    again = at(2.1, one(CommandKind.resend, **first_delivery(given)))
    taken = [
        line for line in log(given, [again]).splitlines() if " taken " in line and " practice_1 " in line
    ]
    assert [line.split()[0] for line in taken] == ["2", "2.1", "2.35"]


def test_what_is_removed_from_a_list_vanishes_until_it_is_sent_again() -> None:
    given = plan(pathway(READ % "radiology"))
    about = first_delivery(given)
    worlds = [at(5, one(CommandKind.remove, **about)), at(6, one(CommandKind.resend, **about))]
    assert same("\n".join(told(given, *worlds).splitlines()[2:]), """
        5 vanished refer unmanned practice_1 main/edi/1/silent vanished
        6 found refer unmanned practice_1 main/edi/8/moving vanished
        6 resent refer practice_1 unmanned main/phone/1/moving vanished
        13 received refer unmanned practice_1 main/phone/1/moving vanished
        13 listed refer unmanned practice_1 length=1 main/phone/1/moving vanished
    """)  # fmt: skip


def test_a_task_without_a_message_can_vanish_and_be_put_back() -> None:
    given = plan(pathway("- {id: look, do: work, service: radiology, minutes: 4 h}"))
    case = int(rows_of(given)["case"][0])
    worlds = [at(5, one(CommandKind.remove, case=case)), at(7, one(CommandKind.resend, case=case))]
    assert same(log(given, worlds), """
        0 created look practice_1 practice_1
        0 listed look unmanned - length=1
        5 vanished look unmanned -
        7 found look unmanned -
        13 listed look unmanned - length=1
    """)  # fmt: skip


def test_a_snapshot_tells_the_length_of_a_list() -> None:
    given = plan(pathway(READ % "radiology", times="0 h, 1 h"))
    unmanned = index(given, "hospital/unmanned")
    found = log(
        given, [at(2.5, one(CommandKind.snapshot, unmanned)), at(4, one(CommandKind.snapshot, unmanned))]
    )
    assert [line for line in found.splitlines() if "snapshot" in line] == [
        "2.5 snapshot - unmanned - length=1",
        "4 snapshot - unmanned - length=2",
    ]


def test_a_relay_that_is_down_holds_its_messages_and_lets_them_go_in_turn() -> None:
    topology = {**read("bare"), "relays": [{"id": "platform", "kind": "platform"}]}
    given = plan(pathway(READ % "referral_intake", times="0 h, 1 h, 4 h"), topology=topology, level="100 %")
    platform = index(given, "platform")
    outage = [
        at(0.5, one(CommandKind.set_relay, platform, 0)),
        at(4, one(CommandKind.set_relay, platform, 1)),
    ]
    assert same("\n".join(line for line in log(given, outage).splitlines() if "relay" in line), """
        0 relay_out refer platform practice_1 main/platform/1/moving
        1 relay_in refer platform practice_1 length=1 main/platform/1/moving
        4 relay_out refer platform practice_1 main/platform/1/moving
        4 relay_out refer platform practice_1 main/platform/1/moving
    """)  # fmt: skip


def test_a_relay_that_drops_loses_in_silence_what_has_no_receipt_and_nothing_while_it_is_up() -> None:
    relay = {"id": "platform", "kind": "platform", "when_down": "drops"}
    topology = {**read("bare"), "relays": [relay]}
    given = plan(pathway(READ % "referral_intake", times="0 h, 1 h, 5 h"), topology=topology, level="100 %")
    platform = index(given, "platform")
    outage = [
        at(0.5, one(CommandKind.set_relay, platform, 0)),
        at(4, one(CommandKind.set_relay, platform, 1)),
    ]
    found = log(given, outage)
    assert "1 relay_in refer platform practice_1 main/platform/1/silent undelivered" in found
    assert "abandoned" not in found and found.count(" taken ") == 2


def test_a_client_tries_again_when_a_relay_drops_what_has_receipts() -> None:
    topology = {**read("bare"), "relays": [{"id": "broker", "kind": "broker", "when_down": "drops"}]}
    given = plan(pathway(READ % "referral_intake", times="1 h"), topology=topology)
    broker = index(given, "broker")
    outage = [at(0, one(CommandKind.set_relay, broker, 0)), at(4, one(CommandKind.set_relay, broker, 1))]
    found = [line for line in log(given, outage).splitlines() if " sent " in line or " taken " in line]
    assert found == [
        "1 sent refer practice_1 intake main/edi/1/moving",
        "6 sent refer practice_1 intake main/edi/2/moving",
        "8 taken refer intake practice_1 main/edi/2/seen",
    ]


# ------------------------------------------------------------------------------------------- notices


def test_the_world_hears_of_a_defect_once_from_each_who_reports_it() -> None:
    faults = {
        **read("faults_many"),
        "faults": {"unwatched": {"rate": 0, "channels": ["edi"], "found_by": ["receiver_misses"]}},
    }
    faults["found_by"] = {"receiver_misses": {"chance": 1.0, "delay": "3 h"}}
    given = plan(pathway(READ % "referral_intake", times="0 h, 1 h, 2 h"), faults={**faults, "audit": None})
    heard: list[tuple[float, Notice]] = []
    world = [hearing((NoticeKind.defect_reported,), heard), at(0, one(CommandKind.activate_defect, 0))]
    broken = with_defect(given, Fault.unwatched)
    rows = rows_of(broken, world)
    reporter = index(given, "hospital/intake") | FoundBy.receiver_misses << WAY_SHIFT
    assert [(now, n.time, n.kind, n.a, n.b) for now, n in heard] == [
        (5.0, 5.0, NoticeKind.defect_reported, 0, reporter)
    ]
    assert (heard[0][1].case, heard[0][1].delivery) == tuple(
        rows[["case", "delivery"]][rows["event"] == 2][0]
    )


def test_the_world_hears_of_a_list_that_nobody_owns_when_something_is_found_there() -> None:
    faults = {**read("faults_many"), "audit": None}
    faults["found_by"] = {"receiver_misses": {"chance": 1.0, "delay": "30 h"}}
    given = plan(pathway(READ % "discharge_office"), faults={**faults, "everywhere": 0.0})
    heard: list[tuple[float, Notice]] = []
    rows_of(given, [hearing((NoticeKind.list_found,), heard)])
    now, notice = heard[0]
    assert (now, notice.a) == (32.0, index(given, "hospital/unread"))


def test_the_world_hears_once_of_a_swamped_list_until_half_of_it_is_gone() -> None:
    topology = read("bare")
    topology["organisations"][0]["services"][0]["swamped_at"] = 2
    times = "0 h, 0.1 h, 0.2 h, 0.3 h, 10 h, 10.1 h, 10.2 h"
    given = plan(
        pathway("- {id: look, do: work, service: referral_intake, minutes: 1 h}", times=times),
        topology=topology,
    )
    heard: list[tuple[float, Notice]] = []
    rows_of(given, [hearing((NoticeKind.list_swamped,), heard)])
    assert [(now, n.a, n.b) for now, n in heard] == [
        (0.2, index(given, "hospital/intake"), 2),
        (10.2, index(given, "hospital/intake"), 2),
    ]


def test_the_world_hears_of_a_deadline_with_an_alarm_for_the_main_recipient_only() -> None:
    text = READ % "radiology"
    text = f"{text[:-1]}, copies: [discharge_office], deadline: {{within: 7 h, alarm: true}}}}"
    given = plan(pathway(text))
    heard: list[tuple[float, Notice]] = []
    rows = rows_of(given, [hearing((NoticeKind.deadline_passed,), heard)])
    assert [(now, n.a) for now, n in heard] == [(7.0, index(given, "hospital/unmanned"))]
    assert rows["time"][rows["event"] == Event.deadline].tolist() == [7.0]


def test_what_was_seen_in_time_raises_no_alarm() -> None:
    text = f"{(READ % 'referral_intake')[:-1]}, deadline: {{within: 7 h, alarm: true}}}}"
    assert "deadline" not in log(plan(pathway(text)))


def test_nobody_is_stopped_for_a_notice_that_nobody_asked_for() -> None:
    topology = read("bare")
    topology["organisations"][0]["services"][0]["swamped_at"] = 1
    given = plan(
        pathway("- {id: look, do: work, service: referral_intake, minutes: 1 h}", times="0 h, 0 h"),
        topology=topology,
    )
    heard: list[tuple[float, Notice]] = []
    rows_of(given, [hearing((NoticeKind.deadline_passed,), heard)])
    assert heard == []


def test_many_notices_of_one_instant_are_all_heard_in_order() -> None:
    """300 messages are late at the same instant, more than the kernel's list of notices holds."""
    text = f"{(READ % 'radiology')[:-1]}, deadline: {{within: 7 h, alarm: true}}}}"
    given = plan(pathway(text, times=", ".join(["1 h"] * 300)))
    heard: list[tuple[float, Notice]] = []
    rows = rows_of(given, [hearing((NoticeKind.deadline_passed,), heard)])
    assert [now for now, _ in heard] == [8.0] * 300
    assert [n.case for _, n in heard] == rows["case"][rows["event"] == Event.deadline].tolist()


def test_notices_that_commands_bring_about_are_all_heard() -> None:
    """In one instant more lists are swamped by command than the kernel's list of notices holds."""
    topology = read("bare")
    services = [{"id": f"pool_{n}", "kind": "other", "staff": 0, "swamped_at": 2} for n in range(150)]
    topology["organisations"].append({"id": "pools", "kind": "other", "services": services})
    given = plan(
        *(pathway(READ % f"pools/pool_{n}", name=f"pathway_{n}") for n in range(150)), topology=topology
    )
    messages = rows_of(given)[["case", "delivery", "event"]]
    again = [
        one(CommandKind.resend, case=int(row["case"]), delivery=int(row["delivery"]))
        for row in messages if row["event"] == Event.authored
    ]  # fmt: skip
    heard: list[tuple[float, Notice]] = []
    rows_of(given, [hearing((NoticeKind.list_swamped,), heard), at(9, *again)])
    assert [now for now, _ in heard] == [9.0] * 150
    assert len({n.a for _, n in heard}) == 150


# ---------------------------------------------------------------------------------------------- ties


def test_at_one_instant_the_world_acts_first_and_then_the_mail() -> None:
    """The practice joins at 5:00 sharp, and the message of 5:00 already goes by the platform."""
    given = plan(pathway(READ % "referral_intake", times="5 h"))
    for hours, channel in ((5.0, "platform"), (np.nextafter(5.0, 6.0), "edi")):
        join = at(float(hours), one(CommandKind.set_adoption, index(given, "practice_1/inbox"), 1))
        assert f"5 authored refer practice_1 intake main/{channel}/1/moving" in log(given, [join])


def test_commands_of_one_instant_take_effect_in_the_order_given() -> None:
    given = plan(pathway("- {id: look, do: work, service: referral_intake, minutes: 1 h}"))
    intake = index(given, "hospital/intake")
    words = [one(CommandKind.set_staff, intake, 0), one(CommandKind.set_staff, intake, 1)]
    assert " taken " in log(given, [at(0, *words)])
    assert " taken " not in log(given, [at(0, *reversed(words))])


def test_a_chain_of_worlds_without_delay_ends_before_the_mail_of_that_instant() -> None:
    given = plan(pathway(READ % "referral_intake", times="5 h"))
    practice = index(given, "practice_1/inbox")

    def chain(clock: Clock, mail: Mail) -> Iterator[Any]:
        yield clock.timeout(5.0)
        for step in range(11):
            mail.command(CommandKind.set_adoption, practice, (step + 1) % 2)
            yield clock.timeout(0.0)

    assert "5 authored refer practice_1 intake main/platform/1/moving" in log(given, [chain])  # type: ignore[list-item]


def test_what_the_world_does_on_a_notice_happens_before_the_rest_of_that_instant() -> None:
    """Two messages pass their limit at 7:00; hearing of one, the world takes the other off the list."""
    text = f"{(READ % 'radiology')[:-1]}, deadline: {{within: 7 h, alarm: true}}}}"
    given = plan(pathway(text, times="0 h, 0 h"))
    cases = list(dict.fromkeys(rows_of(given)["case"].tolist()))
    delivery = first_delivery(given)["delivery"]

    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        clock.listen(
            NoticeKind.deadline_passed,
            lambda n: (
                mail.command(CommandKind.remove, case=cases[1], delivery=delivery)
                if n.case == cases[0]
                else None
            ),
        )
        yield clock.timeout(0.0)

    found = [
        (Event(row["event"]).name, cases.index(row["case"]))
        for row in rows_of(given, [world])  # type: ignore[list-item]
        if row["time"] == 7
    ]
    assert found == [("deadline", 0), ("vanished", 1), ("deadline", 1)]


def test_the_world_hears_a_notice_at_exactly_the_instant_of_the_mail() -> None:
    """0.1 + (0.3 - 0.1) is not 0.3: the world's own clock must not be off by a rounding."""
    text = f"{(READ % 'radiology')[:-1]}, deadline: {{within: 0.3 h, alarm: true}}}}"
    for first in range(1, 21):
        times = [0.01 * first * 3.1**n for n in range(7)]
        given = plan(pathway(text, times=", ".join(f"{t!r} h" for t in times)), days=30)
        heard: list[tuple[float, Notice]] = []
        rows_of(given, [hearing((NoticeKind.deadline_passed,), heard)])
        assert len(heard) == 7 and all(now == n.time for now, n in heard)


def test_a_run_covers_its_first_instant_and_not_its_last() -> None:
    given = plan(pathway("- {id: over, do: end}", times="0 h, 47.999 h, 48 h, 49 h"), days=2)
    ending = at(48, one(CommandKind.snapshot, 0))
    rows = rows_of(given, [at(0, one(CommandKind.snapshot, 0)), ending])
    assert rows["time"][rows["event"] == Event.created].tolist() == [0.0, 47.999]
    assert rows["time"][rows["event"] == Event.snapshot].tolist() == [0.0]


def test_who_waits_in_vain_for_what_a_defect_took_off_the_list_says_so_each_for_himself() -> None:
    """A visit that vanished is missed when its time is over, and then a defect has a report more."""
    faults = {**read("faults_none"), "found_by": {"patient_calls": {"chance": 1.0, "delay": "90 days"}}}
    faults["faults"] = {"vanished": {"rate": 0, "channels": ["edi"], "found_by": ["patient_calls"]}}
    steps = """
- {id: task, do: send, message: task, sender: origin, to: home_nursing}
- {id: visit, do: work, service: home_nursing, minutes: 1 h, patience: 8 h, impatient: missed, next: finished}
- {id: missed, do: milestone, name: visit_missed}
- {id: finished, do: end}
"""
    given = with_defect(plan(pathway(steps, times="0 h, 1 h"), faults=faults), Fault.vanished)
    heard: list[tuple[float, Notice]] = []
    rows_of(
        given, [hearing((NoticeKind.defect_reported,), heard), at(0, one(CommandKind.activate_defect, 0))]
    )
    assert [now for now, _ in heard] == [10.0, 11.0]
