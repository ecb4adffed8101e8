"""The same input gives the same journal: in any blocks, compiled or plain, beside whatever else there is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowsim.plan import Plan
from flowsim.vocabulary import CommandKind, Event, Fault
from tests.small_worlds import (
    Rows,
    at,
    busy_plan,
    digest,
    index,
    named,
    of_pathway,
    one,
    pathway,
    plan,
    read,
    rows_of,
    with_defect,
)

ROOT = Path(__file__).parents[2]
CASES = 2000


def eventful(plan: Plan, **how: Any) -> Rows:
    """Return the journal of a run in which the world does something of each kind."""
    broker, intake = index(plan, "broker"), index(plan, "hospital/intake")
    practice, town = index(plan, "practice_1/inbox"), index(plan, "town/case_office")
    orders = [
        (30, CommandKind.activate_defect, 0, 0), (40, CommandKind.set_adoption, practice, 1),
        (50, CommandKind.set_relay, broker, 0), (58, CommandKind.set_relay, broker, 1),
        (60, CommandKind.set_staff, intake, 1), (80, CommandKind.set_owner, town, 0),
        (120, CommandKind.set_owner, town, 1), (130, CommandKind.set_endpoint, intake, 0),
        (150, CommandKind.set_endpoint, intake, 1), (200, CommandKind.mend_defect, 0, 1),
        (210, CommandKind.snapshot, intake, 0),
    ]  # fmt: skip
    world = [at(hours, one(kind, a, b)) for hours, kind, a, b in orders]
    return rows_of(with_defect(plan, Fault.unwatched, chance=0.5), world, **how)


def digests() -> list[str]:
    """Return what a process finds: journals of a faulty, an ideal and a faultless world, and the cases."""
    found = [eventful(busy_plan(days=80, level="34 %"))]
    found += [rows_of(busy_plan(days=10, **{twin: True})) for twin in ("ideal", "faults_off")]
    return [*map(digest, found), str(sum(found[0]["event"] == Event.created))]


def test_the_same_seed_gives_the_same_journal_and_another_seed_or_replication_another() -> None:
    first = digest(rows_of(busy_plan(days=10)))
    assert digest(rows_of(busy_plan(days=10))) == first
    assert digest(rows_of(busy_plan(days=10, seed=2))) != first
    assert digest(rows_of(busy_plan(days=10), replication=2)) != first


@pytest.mark.parametrize("block_rows", [256, 1000, 1 << 17])
def test_the_size_of_blocks_shows_nowhere(block_rows: int) -> None:
    given = busy_plan(days=10, level="34 %")
    assert digest(eventful(given, block_rows=block_rows)) == digest(eventful(given))


def test_compiled_and_plain_give_the_same_journal_on_thousands_of_cases() -> None:
    """Through every step kind, fault class and command; the plain form runs in a process of its own."""
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        pytest.skip("this process is the plain form")
    program = "from tests.behaviour.test_kernel_same_bytes import digests; print('\\n'.join(digests()))"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    plain = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert plain.stdout.split() == digests()
    assert int(plain.stdout.split()[-1]) >= CASES


def test_adding_an_unrelated_pathway_leaves_the_others_rows_as_they_are() -> None:
    """Tasks share no list, place or narrow relay with referrals; steps and services are compared by id.

    Nothing is misaddressed here: what goes astray lands on the other's lists.
    """
    faults = read("faults_many")
    del faults["faults"]["misaddressed"]
    settings = {
        "topology": "region",
        "channels": "channels_rough",
        "faults": faults,
        "level": "34 %",
        "stale": 0.2,
    }
    alone, before, behind = (
        plan("tasks", **settings),
        plan("referral", "tasks", **settings),
        plan("tasks", "referral", **settings),
    )
    wanted = named(alone, of_pathway(alone, rows_of(alone), "tasks"))
    assert len(wanted) > 200
    for both in (before, behind):
        assert named(both, of_pathway(both, rows_of(both), "tasks")) == wanted


def test_a_pathway_that_shares_nothing_may_be_put_before_one_that_reads_strays() -> None:
    """A message at the end of its pathway, misread: the time for that comes from no other pathway's step."""
    first = pathway(
        "- {id: refer, do: send, message: referral, sender: origin, to: practice_2/inbox}", times="0 h, 1 h"
    )
    other = pathway("- {id: work, do: work, service: home_nursing, minutes: 9 h}", times="0 h", name="other")
    faults = read("faults_none") | {"faults": {"misaddressed": {"rate": 1.0, "channels": ["edi"]}}}
    faults["misdelivery"] = {"forwards": 1.0, "notifies": 0, "dead_endpoint": 0}
    alone, both = plan(first, faults=faults), plan(first, other, faults=faults)
    assert named(both, of_pathway(both, rows_of(both), "tiny")) == named(alone, rows_of(alone))


def test_another_office_in_the_region_leaves_an_outage_when_it_was() -> None:
    """Every relay gets another number by it."""
    topology = read("region")
    office = {"id": "library", "kind": "other", "services": [{"id": "desk", "kind": "other", "staff": 1}]}
    more = {**topology, "organisations": [*topology["organisations"], office]}
    outage = [{"relay": "platform", "per_year": 100, "lasts": {"kind": "exponential", "mean": "5 h"}}]
    held: list[list[tuple[Any, ...]]] = []
    for each in (topology, more):
        given = plan("tasks", topology=each, outages=outage, days=60)
        held.append(named(given, of_pathway(given, rows_of(given), "tasks")))
    assert held[0] == held[1]
    assert any(row[3] > 0 and "platform" in row for row in held[0]), "no message met an outage"


def test_labels_change_nothing() -> None:
    topology, care = read("region"), read("care")
    for part in (*topology["organisations"], *topology["practices"], *topology["relays"]):
        part["label"] = f"Another {part['id']}"
    for service in topology["organisations"][0]["services"]:
        service["label"] = "A ward by another name"
    care["label"] = topology["name"] = "Another"
    first = rows_of(plan("care", "tasks", topology="region", faults="faults_many", channels="channels_rough"))
    second = rows_of(plan(care, "tasks", topology=topology, faults="faults_many", channels="channels_rough"))
    assert digest(first) == digest(second)


def test_twice_the_durations_give_twice_the_times() -> None:
    """Exactly: doubling is exact in floating point, and luck depends on no time."""
    text = """
- {{id: write, do: work, service: origin, minutes: {{kind: exponential, mean: {0} min}}}}
- {{id: refer, do: send, message: referral, sender: origin, to: referral_intake,
   reading: {{kind: uniform, low: {0} min, high: {1} min}}}}
- {{id: bed, do: place, service: ward, hold: {{kind: exponential, mean: {1} min}},
   patience: {{kind: exponential, mean: {1} h}}}}
- {{id: rest, do: wait, time: {{kind: triangular, low: 0 min, mode: {0} min, high: {1} min}}}}
"""

    def scaled(factor: int) -> Rows:
        times = ", ".join(f"{factor * n * 15} min" for n in range(120))
        given = pathway(text.format(30 * factor, 60 * factor), times=times)
        channels = read("channels_plain")
        for channel in channels["channels"].values():
            channel["latency"] = {"kind": "exponential", "mean": f"{factor} h"}
        channels["channels"]["edi"]["resend"]["min_gap"] = f"{5 * factor} h"
        channels["channels"]["edi"]["attempt_loss"] = 0.2
        topology, faults = read("bare"), {**read("faults_none"), "redelivery": f"{6 * factor} h"}
        topology["practice_template"]["error_queue"]["minutes"] = f"{30 * factor} min"
        return rows_of(plan(given, channels=channels, topology=topology, faults=faults, days=60 * factor))

    once, twice = scaled(1), scaled(2)
    twice["time"] /= 2.0
    twice["hours"] /= 2.0
    assert len(once) > 1000 and digest(once) == digest(twice)


def test_rows_are_in_order_of_time_and_nobody_comes_back_after_the_end() -> None:
    rows = eventful(busy_plan(days=10, level="34 %"))
    assert np.all(np.diff(rows["time"]) >= 0) and rows["time"][-1] < 240.0
    closed = rows[(rows["event"] == Event.closed)]
    assert len(np.unique(closed["case"])) == len(closed)
    last = {case: n for n, case in enumerate(rows["case"].tolist())}
    assert all(rows["event"][last[case]] == Event.closed for case in closed["case"].tolist())
