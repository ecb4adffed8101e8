"""Every fault class, event, way back and command is really hit in a year, and none without its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from flowsim.plan import Plan
from flowsim.simulation import Clock, Mail, Notice, simulate
from flowsim.vocabulary import (
    Channel,
    CommandKind,
    Event,
    Fault,
    FoundBy,
    MessageKind,
    NoticeKind,
    Pace,
    State,
)
from tests.small_worlds import Rows, busy_plan, index, rows_of, with_defect

YEAR = 365


class Everything:
    """A world that gives every command in turn all year, to things that it knows from the journal."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.given: Counter[CommandKind] = Counter()
        self.heard: list[Notice] = []
        self.known: list[tuple[int, int]] = []

    def take(self, block: Rows) -> None:
        """Remember some deliveries that were put on lists, or lie in silence, for commands about them."""
        about = block[(block["delivery"] != 0) & np.isin(block["state"], [State.moving, State.silent])]
        self.known = [(int(row["case"]), int(row["delivery"])) for row in about[-40:]]

    def live(self, clock: Clock, mail: Mail) -> Iterator[Any]:
        """Change something every few hours, and back again a little later."""
        for notice in NoticeKind:
            clock.listen(notice, self.heard.append)
        practice, intake = index(self.plan, "practice_2/inbox"), index(self.plan, "hospital/intake")
        town, broker = index(self.plan, "town/case_office"), index(self.plan, "broker")
        turns = [
            (CommandKind.activate_defect, 0, 1), (CommandKind.set_adoption, practice, 1),
            (CommandKind.set_staff, intake, 0), (CommandKind.set_staff, intake, 2),
            (CommandKind.set_relay, broker, 0), (CommandKind.set_relay, broker, 1),
            (CommandKind.set_owner, town, 0), (CommandKind.resend, 0, 0), (CommandKind.forward, 0, 0),
            (CommandKind.remove, 0, 0), (CommandKind.set_endpoint, intake, 0),
            (CommandKind.snapshot, intake, 0),
            (CommandKind.set_endpoint, intake, 1), (CommandKind.set_owner, town, 1),
            (CommandKind.mend_defect, 0, 1), (CommandKind.set_adoption, practice, 0),
            (CommandKind.set_pace, intake, int(Pace.search)),
            (CommandKind.set_dial, int(Fault.late), 2_000_000),
            (CommandKind.set_address, practice, 500_000), (CommandKind.note, 0, practice),
        ]  # fmt: skip
        notes = [event for event in Event if event >= Event.went_live]
        turn = 0
        while True:
            yield clock.timeout(7.3)
            kind, a, b = turns[turn % len(turns)]
            turn += 1
            if kind in {CommandKind.resend, CommandKind.forward, CommandKind.remove}:
                way = int(FoundBy.monitor) if turn % 2 else 0
                for case, delivery in self.known:
                    mail.command(kind, b=way, case=case, delivery=delivery)
            elif kind == CommandKind.note:
                mail.note(notes[self.given[kind] % len(notes)], b, level=1, hours=2.0)
            else:
                mail.command(kind, a, b, case=1_500_000 if kind == CommandKind.set_pace else 0)
            self.given[kind] += 1


@cache
def year() -> tuple[Everything, Rows]:
    """Return a world that has lived for a year, and its journal."""
    plan = with_defect(busy_plan(days=YEAR), Fault.unwatched, chance=0.5)
    world = Everything(plan)
    blocks: list[Rows] = []

    def take(block: Rows) -> None:
        world.take(block)
        blocks.append(block.copy())

    simulate(plan, 1, take, [world.live], block_rows=512)  # type: ignore[list-item]
    return world, np.concatenate(blocks)


def hit(rows: Rows, column: str) -> set[int]:
    """Return the values that a column has had."""
    return set(np.unique(rows[column]).tolist())


def test_a_year_meets_every_event_fault_state_and_channel() -> None:
    _, rows = year()
    assert hit(rows, "event") == {int(e) for e in Event}
    assert hit(rows, "fault") == {int(f) for f in Fault}
    assert hit(rows, "state") == {int(s) for s in State}
    assert hit(rows, "channel") == {0, *(int(c) for c in Channel)}


def test_a_year_meets_every_way_in_which_something_is_found() -> None:
    _, rows = year()
    ways = Counter(rows["attempt"][(rows["event"] == Event.found) & (rows["delivery"] != 0)].tolist())
    assert set(ways) == {int(way) for way in FoundBy}


def test_a_year_meets_every_command_and_every_notice() -> None:
    world, _ = year()
    assert set(world.given) == set(CommandKind)
    assert {notice.kind for notice in world.heard} == set(NoticeKind)


def test_every_command_shows_in_the_journal() -> None:
    """For each kind, what only that command brings about is there, and is not in a year without it."""
    world, rows = year()
    quiet = rows_of(busy_plan(days=60))
    practice, town = index(world.plan, "practice_2/inbox"), index(world.plan, "town/case_office")
    narrow = index(world.plan, "broker")
    kinds = np.array([s["message"] for s in world.plan.header["steps"]])
    by_itself = [MessageKind.referral, MessageKind.patient_admitted, MessageKind.lab_result]
    seen_by: dict[str, Callable[[Any], Any]] = {
        "set_adoption": lambda r: (r["service"] == practice)
        & (r["event"] == Event.sent) & (r["channel"] == Channel.platform),
        "set_endpoint and stale addresses": lambda r: (r["intended"] == index(world.plan, "hospital/intake"))
        & (r["service"] == index(world.plan, "nowhere/dead_endpoint")) & (r["time"] % 116.8 > 80),
        "set_relay": lambda r: (r["event"] == Event.relay_in)
        & (r["service"] == narrow) & (r["list_length"] > 0),
        "set_owner": lambda r: (r["event"] == Event.listed) & (r["service"] == town)
        & (r["intended"] == town) & (r["state"] == State.silent) & (r["list_length"] > 0),
        "defects": lambda r: r["defect"] >= 0,
        "resend, mend_defect": lambda r: (r["event"] == Event.found) & (r["attempt"] == FoundBy.command),
        # The fault of its own strikes three kinds of message only.
        "remove": lambda r: (r["event"] == Event.vanished) & ~np.isin(kinds[r["step"]], by_itself),
        "note": lambda r: r["event"] == Event.went_live,
        "snapshot": lambda r: r["event"] == Event.snapshot,
    }  # fmt: skip
    for command, mask in seen_by.items():
        assert np.sum(mask(rows)) > 0, command
        if not command.startswith("set_endpoint"):
            assert np.sum(mask(quiet)) == 0, command


def test_with_everything_off_nothing_is_hit() -> None:
    rows = rows_of(busy_plan(days=60, level="34 %", faults_off=True))
    assert hit(rows, "fault") <= {Fault.none, Fault.no_endpoint}
    assert not hit(rows, "event") & {
        Event.found,
        Event.resent,
        Event.rejected,
        Event.vanished,
        Event.forwarded,
    }


def test_each_fault_class_strikes_about_as_often_as_its_rate_says() -> None:
    """Of one class alone at 20 %, within four standard errors."""
    for fault in Fault:
        if fault in {Fault.none, Fault.vanished, Fault.no_endpoint}:
            continue
        one = {
            fault.name: {
                "rate": 0.2,
                "channels": ["platform", "edi"],
                "delay": "1 day" if fault == Fault.late else None,
            }
        }
        faults = (("faults", one),)
        rows = rows_of(_only(faults))
        about = rows[rows["delivery"] & 0xFF > 0] if fault == Fault.copy_omitted else rows
        electronic = about[
            (about["event"] == Event.authored) & np.isin(about["channel"], [Channel.platform, Channel.edi])
        ]
        struck = about[about["fault"] == fault]
        number = len(electronic)
        share = len(set(zip(struck["case"].tolist(), struck["delivery"].tolist(), strict=True))) / number
        assert abs(share - 0.2) < 4 * np.sqrt(0.2 * 0.8 / number), (fault.name, share, number)


def _only(faults: tuple[tuple[str, Any], ...]) -> Plan:
    from tests.small_worlds import plan, read

    topology = read("region")
    for practice in topology["practices"]:
        practice["edi"] = True
    return plan(
        "referral",
        "tasks",
        topology=topology,
        faults={**read("faults_none"), **dict(faults)},
        level="34 %",
        days=40,
    )
