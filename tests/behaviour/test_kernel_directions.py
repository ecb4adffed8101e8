"""Which way things go, with the same luck on both sides; what must not move does not move at all."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from flowsim.plan import Plan
from flowsim.vocabulary import Channel, Event, Milestone, Party, State
from tests.small_worlds import (
    EVERYTHING,
    Rows,
    busy_plan,
    digest,
    named,
    of_pathway,
    pathway,
    plan,
    read,
    rows_of,
)

LEVELS = ("0 %", "34 %", "67 %", "100 %")


def waits(rows: Rows) -> dict[int, float]:
    """Return how long each case lay on the list of its only work step."""
    listed = {int(r["case"]): float(r["time"]) for r in rows if r["event"] == Event.listed}
    return {
        int(r["case"]): float(r["time"]) - listed[int(r["case"])] for r in rows if r["event"] == Event.taken
    }


def lost(rows: Rows) -> set[tuple[int, int]]:
    """Return the deliveries that are in a silent state, or given up, at the end."""
    last = {
        (int(r["case"]), int(r["delivery"])): State(r["state"]) for r in rows if r["delivery"] and r["state"]
    }
    return {delivery for delivery, state in last.items() if state in {State.silent, State.told}}


def channels_between(given: Plan, rows: Rows) -> dict[frozenset[Party], set[Channel]]:
    """Return by which channels authored messages went between types of party."""
    party = [Party(s["party"]) for s in given.header["services"]]
    found: dict[frozenset[Party], set[Channel]] = {}
    for row in rows[rows["event"] == Event.authored]:
        ends = frozenset({party[row["service"]], party[row["peer"]]})
        found.setdefault(ends, set()).add(Channel(row["channel"]))
    return found


def test_nobody_waits_longer_with_more_staff_on_a_first_come_list() -> None:
    text = "- {id: look, do: work, service: home_nursing, minutes: {kind: exponential, mean: 1 h}}"
    times = ", ".join(f"{0.45 * n:g} h" for n in range(500))
    found = []
    for staff in (2, 3, 4):
        topology = read("bare")
        topology["organisations"][1]["services"][1]["staff"] = staff
        found.append(waits(rows_of(plan(pathway(text, times=times), topology=topology, days=30))))
    for fewer, more in itertools.pairwise(found):
        assert fewer.keys() <= more.keys()
        assert all(more[case] <= wait + 1e-9 for case, wait in fewer.items())
        assert sum(more.values()) < sum(fewer.values())


def test_more_attempts_lose_none_that_fewer_would_not() -> None:
    times = ", ".join(f"{n} h" for n in range(300))
    given = pathway(
        "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, reading: 1 min}",
        times=times,
    )
    found = []
    for attempts in (1, 2, 3, 6):
        channels, topology = read("channels_plain"), read("bare")
        channels["channels"]["edi"] |= {
            "attempt_loss": 0.4,
            "resend": {"scan_every": "0 h", "min_gap": "1 h", "attempts": attempts},
        }
        topology["practice_template"]["error_queue"]["ignored"] = 1.0
        found.append(lost(rows_of(plan(given, channels=channels, topology=topology, days=30))))
    assert len(found[0]) > 90 and len(found[-1]) < 10
    for fewer, more in itertools.pairwise(found):
        assert more < fewer


def test_no_faults_lose_nothing_and_faults_lose_something() -> None:
    assert lost(rows_of(busy_plan(faults_off=True))) == set()
    assert len(lost(rows_of(busy_plan()))) > 50


def test_faults_everywhere_at_a_share_hit_a_subset() -> None:
    """Fewer faults are some of the same, because the same luck meets a lower rate."""
    hit = []
    for share in (0.2, 0.6, 1.0):
        rows = rows_of(
            plan("tasks", topology="region", faults={**read("faults_many"), "everywhere": share}, days=60)
        )
        silent = rows[rows["state"] == State.silent]
        hit.append(set(zip(silent["case"].tolist(), silent["delivery"].tolist(), strict=True)))
    assert hit[0] < hit[1] < hit[2]


def test_nobody_and_everybody_on_the_platform_use_one_channel_each() -> None:
    settings: dict[str, Any] = {"channels": "channels_rough", "faults": "faults_many", "days": 20}
    topology = read("region")
    topology["practices"][2]["edi"] = True
    between = {}
    for level in ("0 %", "34 %", "100 %"):
        given = plan(*EVERYTHING, topology=topology, level=level, **settings)
        between[level] = channels_between(given, rows_of(given))
    pair = frozenset({Party.gp, Party.hospital})
    assert between["0 %"][pair] == {Channel.edi}
    assert between["34 %"][pair] == {Channel.edi, Channel.platform}
    assert between["100 %"][pair] == {Channel.platform}
    for found in between.values():
        assert found[frozenset({Party.hospital, Party.patient})] == {Channel.letter}
        assert found[frozenset({Party.hospital, Party.municipality})] == {Channel.platform}


def alike() -> dict[str, Any]:
    """Return settings under which platform and edi have the same latency, rates, receipts and ways back."""
    channels, faults = read("channels_plain"), read("faults_many")
    same = {"latency": {"kind": "exponential", "mean": "2 h"}, "receipts": "none"}
    channels["channels"]["platform"] = channels["channels"]["edi"] = same
    for fault in faults["faults"].values():
        fault["channels"] = ["platform", "edi"]
        fault["found_by"] = [way for way in fault.get("found_by", []) if way != "shared_record_look"]
    return {"topology": _only_electronic(), "channels": channels, "faults": faults, "days": 30}


def _only_electronic() -> Any:
    """Return the region without relays, in which everybody but patients has an electronic address."""
    topology = read("region")
    for organisation in topology["organisations"]:
        organisation.pop("message_client", None)
        for service in organisation["services"]:
            service.pop("address", None)
    topology["practice_template"].pop("message_client")
    for practice in topology["practices"]:
        practice.pop("edi", None)
    return {**topology, "relays": []}


def test_equal_rates_and_equal_structure_make_adoption_change_nothing() -> None:
    """But for the name of the channel, every row is the same at every level."""
    settings = alike()
    found = []
    for level in LEVELS:
        given = plan(*EVERYTHING, level=level, **settings)
        rows = rows_of(given)
        electronic = np.isin(rows["channel"], [Channel.platform, Channel.edi])
        assert np.sum(electronic) > 1000
        rows["channel"][electronic] = 0
        found.append(digest(rows))
    assert len(set(found)) == 1


def test_what_hospital_and_town_send_each_other_does_not_move_with_adoption_where_nothing_is_shared() -> None:
    """A negative control: tasks share no list with referrals, as nothing is misaddressed."""
    faults = read("faults_many")
    del faults["faults"]["misaddressed"]
    control, moved = [], []
    for level in LEVELS:
        given = plan(
            "tasks",
            "referral",
            topology="region",
            channels="channels_rough",
            faults=faults,
            level=level,
            stale=0.3,
        )
        rows = rows_of(given)
        control.append(named(given, of_pathway(given, rows, "tasks")))
        moved.append(digest(of_pathway(given, rows, "referral")))
    assert all(each == control[0] for each in control) and len(control[0]) > 200
    assert len(set(moved)) == len(LEVELS)


@pytest.mark.parametrize(("factor", "harms"), [(5.0, True), (0.0, False)])
def test_a_world_in_which_joining_harms_says_so_and_one_in_which_it_helps_too(
    factor: float, harms: bool
) -> None:
    """Two worlds that differ only in how often the platform goes wrong; the model presupposes neither."""
    settings = alike()
    classes = ("not_emitted", "undelivered", "no_receipt", "rejected", "misaddressed", "unwatched")
    settings["faults"]["rate_sets"] = {"set": {"platform": dict.fromkeys(classes, factor)}}
    outcome = []
    for level in LEVELS:
        given = plan("referral", level=level, rates="set", **settings)
        rows = rows_of(given)
        milestones = np.array([s["milestone"] for s in given.header["steps"]])
        cared = (rows["event"] == Event.milestone) & (milestones[rows["step"]] == Milestone.care_started)
        outcome.append((len(lost(rows)), int(np.sum(cared))))
    silent, started = zip(*outcome, strict=True)
    if harms:
        assert silent[0] < silent[1] < silent[2] < silent[3] and started[3] < started[0]
    else:
        assert silent[0] > silent[1] > silent[2] > silent[3] and started[3] > started[0]


def test_more_beds_and_more_slots_let_nobody_in_later_on_the_whole() -> None:
    starts = []
    for beds, slots in ((1, 20), (3, 40), (9, 400)):
        topology = read("region")
        topology["organisations"][0]["services"][2]["places"] = beds
        topology["organisations"][0]["services"][3]["slots_per_week"] = slots
        rows = rows_of(plan("referral", topology=topology, days=30))
        starts.append(int(np.sum(rows["event"] == Event.placed)))
    assert starts[0] < starts[1] < starts[2]


def test_longer_search_and_handling_at_a_practice_that_joined_cost_time_only_there() -> None:
    given = pathway("- {id: look, do: work, service: gp_office, minutes: 1 h, search: 1 h}", times="0 h")
    slow = {
        "search_factor": 3.0,
        "handling_factor": 2.0,
        "stale_share": 0,
        "stale_lag": "1 day",
        "old_inbox_read": 0,
    }
    ends = []
    for level in ("0 %", "100 %"):
        rows = rows_of(plan(given, adoption={"gp_practices": level, "joining": slow}))
        ends.append(float(rows["time"][rows["event"] == Event.done][0]))
    assert ends == [2.0, 5.0]
