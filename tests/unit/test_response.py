"""The response team with a sweep that a test makes up: hours, order, skimming, and what a check does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.episodes import OrganisationFold
from flowsim.journal import RunHeader
from flowsim.measures import of_monitor
from flowsim.measures.registry import Table
from flowsim.plan import Plan
from flowsim.simulation import Clock, Mail
from flowsim.vocabulary import CommandKind, Event, Fault, FoundBy, message_key
from flowsim.world.response import Item, Ticket, watch
from tests.small_worlds import Rows, digest, index, pathway, plan, read, rows_of, with_defect

#: Monday 8 January 2024 at 00:00 is hour 0; the office is open from hour 8 to 16.
HOURS = ", ".join(f"{n} h" for n in range(6))
REFER = "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, reading: 15 min}"
BASIS = {"source": "Invented for tests.", "certainty": "assumed"}
TEAM = {
    "basis": BASIS, "staff": 1, "calendar": "office", "incident": "30 min", "item": "15 min",
    "unchecked": 0, "swamped_at": 100, "sample": 20,
}  # fmt: skip
#: Who is watched has rules and logs; the sweep is the test's own.
MONITOR = {
    "monitor": {
        "basis": BASIS,
        "rules": [{
            "id": "emission", "kind": "response", "why": "What is ordered is sent.",
            "when": {"seen": ["ordered"]}, "then": {"seen": ["sent"]}, "hard": "4 h",
        }],
    },
    "logs": {"basis": BASIS, "snapshots_every": "24 h", "logs": {"orders": {}, "sent_log": {}}},
}  # fmt: skip


@cache
def base(**more: Any) -> Plan:
    """Return a plan of six referrals, with a team, that can all be hit by a defect which nobody notices."""
    team = {**TEAM, **more}
    faults = {**read("faults_none"), "faults": {"not_emitted": {"rate": 0, "channels": ["edi"]}}}
    made = plan(pathway(REFER, times=HOURS), faults=faults, response=team, **MONITOR)
    return with_defect(made, Fault.not_emitted)


def run(made: Plan, tickets: Mapping[float, Iterable[Ticket]], lost: bool = True) -> Rows:
    """Return the journal of a run in which a sweep gives these tickets at these hours."""

    def live(clock: Clock, mail: Mail) -> Any:
        if lost:
            mail.command(CommandKind.activate_defect, 0)
        yield clock.timeout(0.0)

    def watched(clock: Clock, mail: Mail) -> Any:
        assert made.world.response is not None
        return watch(clock, mail, made.world.response, lambda now: tickets.get(now, ()))

    return rows_of(made, [live, watched])


def item(row: Any, guess: Fault) -> Item:
    case, delivery = int(row["case"]), int(row["delivery"])
    return Item(message_key(case, delivery), case, delivery, guess)


def items(made: Plan, lost: bool = True, guess: Fault = Fault.not_emitted) -> tuple[Item, ...]:
    """Return every message of such a run, in the order in which they were written."""
    rows = run(made, {}, lost)
    authored = rows[rows["event"] == Event.authored]
    return tuple(item(row, guess) for row in authored)


def ticket(made: Plan, *about: Item, name: str = "a", hard: bool = True, urgency: int = 3) -> Ticket:
    return Ticket(name, hard, urgency, index(made, "hospital/intake"), len(about) or 1, about)


def found(rows: Rows) -> list[float]:
    """Return when each message was brought back by acting on an alert."""
    back = rows[(rows["event"] == Event.found) & (rows["attempt"] == FoundBy.monitor)]
    return [float(time) for time in back["time"]]


def spent(rows: Rows) -> float:
    return float(rows["hours"][rows["event"] == Event.alert_handled].sum())


def test_a_ticket_is_worked_in_opening_hours_item_by_item() -> None:
    """Half an hour to take it up, a quarter for each item; it came at six, the office opens at eight."""
    made = base()
    rows = run(made, {6.0: [ticket(made, *items(made)[:3])]})
    assert found(rows) == [8.75, 9.0, 9.25]
    assert spent(rows) == pytest.approx(1.25)
    assert (rows["attempt"][rows["event"] == Event.alert_raised] == 3).all()
    assert (rows["time"][rows["event"] == Event.alert_raised] == 6.0).all()


def test_what_is_not_done_at_closing_time_goes_on_the_next_day() -> None:
    made = base()
    rows = run(made, {15.0: [ticket(made, *items(made)[:3])]})
    assert found(rows) == [15.75, 16.0, 24 + 8.25]


def test_hard_comes_before_soft_urgent_before_routine_and_else_who_came_first() -> None:
    made = base()
    a, b, c, d, e, _ = items(made)
    given = [
        ticket(made, a, name="soft", hard=False, urgency=0),
        ticket(made, b, name="routine"),
        ticket(made, c, name="routine, later"),
        ticket(made, d, name="urgent", urgency=1),
    ]
    rows = run(made, {6.0: given, 7.0: [ticket(made, e, name="urgent, at seven", urgency=1)]})
    assert found(rows) == [8.75, 9.5, 10.25, 11.0, 11.75]
    order = rows["case"][(rows["event"] == Event.found)]
    assert list(order) == [item.case for item in (d, e, b, c, a)]


def test_an_incident_that_waits_grows_and_is_taken_up_once() -> None:
    made = base()
    every = items(made)
    rows = run(made, {6.0: [ticket(made, *every[:2])], 7.0: [ticket(made, *every[2:4])]})
    assert found(rows) == [8.75, 9.0, 9.25, 9.5]
    assert spent(rows) == pytest.approx(1.5)


def test_more_items_than_a_row_has_room_for_take_further_rows() -> None:
    made = base(item="1 s", calendar="always")
    rows = run(made, {6.0: [Ticket("a", True, 3, -1, 300, items(made)[:1] * 300)]})
    assert list(rows["attempt"][rows["event"] == Event.alert_raised]) == [255, 45]
    assert list(rows["attempt"][rows["event"] == Event.alert_handled]) == [255, 45]
    assert spent(rows) == pytest.approx(0.5 + 300 / 3600, abs=1e-5)


def test_a_swamped_team_takes_less_time_and_misses_its_share() -> None:
    made = base(swamped_at=1, skim=0.2, missed=1.0)
    every = items(made)
    given = [ticket(made, *every[:3], name="first"), ticket(made, *every[3:], name="second")]
    rows = run(made, {9.0: given})
    # While the second waits, the first is skimmed: its three items take 3 minutes each, and none is acted on.
    assert found(rows) == pytest.approx([9 + 0.5 + 0.15 + 0.5 + 0.25 * k for k in (1, 2, 3)])
    assert spent(rows) == pytest.approx(0.65 + 1.25)


def test_a_false_alarm_costs_the_check_and_changes_no_message() -> None:
    made = base()
    alarms = {9.0: [ticket(made, *items(made, lost=False))]}
    with_alarm, without = run(made, alarms, lost=False), run(made, {}, lost=False)
    assert spent(with_alarm) == pytest.approx(0.5 + 6 * 0.25)
    assert digest(with_alarm[with_alarm["event"] < Event.went_live]) == digest(without)


def test_what_is_sent_again_without_a_check_is_listed_twice_and_no_more() -> None:
    long = REFER.replace("reading: 15 min", "reading: 30 h")
    team = {**TEAM, "unchecked": 1.0}
    made = plan(pathway(long, times="0 h"), response=team, **MONITOR)
    rows = rows_of(made)
    authored = rows[rows["event"] == Event.authored][0]
    about = item(authored, Fault.not_emitted)
    again = run(made, {9.0: [ticket(made, about)]}, lost=False)
    extra = (again["event"] == Event.listed).sum() - (rows["event"] == Event.listed).sum()
    assert extra == 1
    checked = run(made, {9.0: [ticket(made, about._replace(guess=Fault.unwatched))]}, lost=False)
    assert (checked["event"] == Event.listed).sum() == (rows["event"] == Event.listed).sum()


def test_nobody_acts_where_nobody_is_to_act() -> None:
    made = plan(pathway(REFER, times=HOURS), response=TEAM, watch={"acts": False}, **MONITOR)
    made = with_defect(made, Fault.not_emitted)
    about = items(made)
    rows = run(made, {9.0: [ticket(made, *about)]})
    assert found(rows) == []
    assert (rows["event"] == Event.alert_raised).sum() == 1
    assert (rows["event"] == Event.alert_handled).sum() == 0
    assert digest(rows[rows["event"] != Event.alert_raised]) == digest(run(made, {}))


def test_soft_alerts_can_be_left_to_whoever_looks() -> None:
    made = base(soft_too=False)
    rows = run(made, {9.0: [ticket(made, *items(made), hard=False)]})
    assert not np.isin(rows["event"], [Event.alert_raised, Event.alert_handled, Event.found]).any()


def test_the_burden_and_what_it_brought_are_measured() -> None:
    made = base()
    every = items(made)
    rows = run(made, {9.0: [ticket(made, *every[:3]), ticket(made, name="stream")]})
    header = RunHeader.from_dict(made.header)
    fold = OrganisationFold()
    fold.start(header)
    fold.take(rows)
    table = Table(of_monitor.monitor_columns(fold.finish(), header))
    working_days = 15  # of 20 days from a Monday on
    assert of_monitor.monitor_alerts_per_day(table) == pytest.approx(4 / working_days)
    assert of_monitor.monitor_tickets_per_day(table) == pytest.approx(2 / working_days)
    assert of_monitor.monitor_items_found(table) == 3
    assert of_monitor.monitor_false_share(table) == 0.0
    assert of_monitor.monitor_hours(table) == pytest.approx((1.25 + 0.5) * 365 / 20, rel=1e-3)


@given(
    names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=6),
    sweeps=st.lists(st.integers(6, 30), min_size=6, max_size=6),
    urgencies=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
@settings(max_examples=30, deadline=None)
def test_more_staff_never_end_later(names: list[str], sweeps: list[int], urgencies: list[int]) -> None:
    """Each message is found at the same time or sooner where each ticket is its own and all are as urgent."""

    def when(staff: int) -> list[float]:
        made = base(staff=staff)
        every = items(made)
        tickets: dict[float, list[Ticket]] = {}
        for k, name in enumerate(names):
            given = ticket(made, every[k], name=f"{name}{k}")
            tickets.setdefault(float(sweeps[k]), []).append(given)
        return sorted(found(run(made, tickets)))

    one, two, many = when(1), when(2), when(6)
    assert len(one) == len(two) == len(many) == len(names)
    assert all(later >= sooner for later, sooner in zip(one, two, strict=True))
    assert all(later >= sooner for later, sooner in zip(two, many, strict=True))
