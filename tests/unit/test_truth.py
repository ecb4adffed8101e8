"""The truth beside the logs: which faults a delivery had, from when to when, and what lay behind them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import EpisodesFold
from flowsim.journal import RunHeader, replay
from flowsim.truth import EPISODE_COLUMNS, ITEM_COLUMNS, TOUCHED_COLUMNS, Truth, TruthFold
from flowsim.units import WorkingDays
from flowsim.vocabulary import (
    Channel,
    CommandKind,
    Event,
    Fault,
    FoundBy,
    MessageKind,
    Party,
    State,
    Urgency,
    message_key,
)
from tests.journals import pieces
from tests.small_worlds import Rows, at, busy_plan, index, one, rows_of
from tests.unit.test_observe import CASE, DEAD, ERRORS, GP, INTAKE, KEY, MESSAGE, WRONG, block, header, row

DEFECT = {
    "id": "letters", "kind": "letters", "fault": int(Fault.not_emitted), "organisation": "gp", "latent": True,
    "begins_hours": 0.0, "happened_days": 110,
}  # fmt: skip
RELAY = 7
MOVING, SILENT, SEEN, TOLD, ENDED = State.moving, State.silent, State.seen, State.told, State.ended


def small(**changes: Any) -> RunHeader:
    """Return the small run with a relay, a defect and a deadline of a working day for referrals."""
    plain = header().to_dict()
    relay = {"id": "post", "label": "", "kind": "post", "party": Party.other, "organisation": ""}
    plain["services"] = [*plain["services"], relay]
    plain["defects"] = [DEFECT]
    plain["steps"][0]["deadline"] = {"working_days": 1, "from": "authored", "to": "seen"}
    return RunHeader.from_dict({**plain, **changes})


def truth(*rows: dict[str, Any], cuts: tuple[int, ...] = ()) -> Truth:
    """Return the truth of some rows."""
    (found,) = replay(pieces(block(*rows), list(cuts)), small(), [TruthFold()])
    assert isinstance(found, Truth)
    return found


def on(time: float, event: Event, service: int, peer: int = -1, **more: Any) -> dict[str, Any]:
    """Return a row with its truth; the message is for the intake unless said otherwise."""
    return row(time, event, service, peer, **{"intended": INTAKE, "state": MOVING, **more})


AUTHORED = on(1.0, Event.authored, GP, INTAKE)
SENT = on(1.0, Event.sent, GP, INTAKE)
RECEIVED = on(2.0, Event.received, INTAKE, GP)


def fault(*rows: dict[str, Any], which: int = 0) -> dict[str, Any]:
    """Return one of the faults that some rows give."""
    found: dict[str, Any] = truth(*rows).items.iloc[which].to_dict()
    return found


def test_a_delivery_that_arrives_in_time_has_no_row() -> None:
    seen = on(9.0, Event.taken, INTAKE, GP, state=SEEN)
    assert len(truth(AUTHORED, SENT, RECEIVED, seen).items) == 0


def test_a_fault_says_everything_of_its_delivery() -> None:
    silent = {"fault": Fault.not_emitted, "state": SILENT, "defect": 0}
    found = fault(on(1.0, Event.authored, GP, INTAKE, **silent))
    assert found == {
        "key": KEY, "case": CASE, "delivery": MESSAGE, "fault": "not_emitted", "defect": 0, "sender": GP,
        "intended": INTAKE, "message": MessageKind.referral, "channel": Channel.edi, "template": 0,
        "urgency": Urgency.soon, "authored": 1.0, "began": 1.0, "ended": np.inf, "people_noticed": np.inf,
        "told": np.inf,
    }  # fmt: skip
    assert tuple(truth().items.columns) == ITEM_COLUMNS
    assert tuple(truth().episodes.columns) == EPISODE_COLUMNS
    assert tuple(truth().touched.columns) == TOUCHED_COLUMNS


@pytest.mark.parametrize(
    ("given", "fault_class", "began"),
    [
        (on(5.0, Event.abandoned, GP, INTAKE, state=SILENT, fault=Fault.undelivered), "undelivered", 5.0),
        (on(5.0, Event.received, WRONG, GP, state=SILENT, fault=Fault.misaddressed), "misaddressed", 5.0),
        (on(5.0, Event.received, INTAKE, GP, state=SILENT, fault=Fault.no_receipt), "no_receipt", 5.0),
        (on(5.0, Event.listed, INTAKE, GP, state=SILENT, fault=Fault.unwatched), "unwatched", 5.0),
        (on(5.0, Event.vanished, INTAKE, GP, state=SILENT, fault=Fault.vanished), "vanished", 5.0),
        (on(5.0, Event.listed, INTAKE, GP, fault=Fault.duplicated), "duplicated", 5.0),
    ],
)
def test_a_fault_begins_where_it_takes_effect(given: dict[str, Any], fault_class: str, began: float) -> None:
    found = fault(AUTHORED, SENT, given)
    assert (found["fault"], found["began"], found["authored"]) == (fault_class, began, 1.0)


def test_people_notice_and_the_message_is_seen_in_the_end() -> None:
    lost = {"fault": Fault.unwatched}
    rows = (
        AUTHORED, SENT, RECEIVED, on(2.0, Event.listed, INTAKE, GP, state=SILENT, **lost),
        on(30.0, Event.found, INTAKE, GP, attempt=FoundBy.referrer_chases, **lost),
        on(30.0, Event.resent, GP, INTAKE, **lost), on(31.0, Event.listed, INTAKE, GP, list_length=1, **lost),
        on(33.0, Event.taken, INTAKE, GP, state=SEEN, **lost),
        on(40.0, Event.found, INTAKE, GP, attempt=FoundBy.audit, state=SEEN, **lost),
    )  # fmt: skip
    found = truth(*rows).items
    assert found["fault"].tolist() == ["unwatched", "late"]
    assert found["people_noticed"].tolist() == [30.0, np.inf], "late only when it is seen, and over then"
    assert found["ended"].tolist() == [33.0, 33.0]
    assert found["began"].tolist() == [2.0, 1.0]


@pytest.mark.parametrize("way", [FoundBy.command, FoundBy.monitor])
def test_what_a_command_or_the_monitor_finds_no_person_noticed(way: FoundBy) -> None:
    silent = on(1.0, Event.authored, GP, INTAKE, state=SILENT, fault=Fault.not_emitted)
    found = fault(silent, on(9.0, Event.found, INTAKE, GP, attempt=way, fault=Fault.not_emitted))
    assert found["people_noticed"] == np.inf


def test_the_sender_is_told_of_a_rejection() -> None:
    lost = {"fault": Fault.rejected}
    found = fault(AUTHORED, SENT, on(2.0, Event.received, INTAKE, GP, **lost),
                  on(2.5, Event.rejected, GP, INTAKE, state=TOLD, **lost),
                  on(2.5, Event.listed, ERRORS, GP, state=TOLD, **lost))  # fmt: skip
    assert (found["began"], found["told"]) == (2.0, 2.5)


def test_taken_back_and_the_end_of_a_case_end_its_faults() -> None:
    silent = on(1.0, Event.authored, GP, INTAKE, state=SILENT, fault=Fault.not_emitted)
    back = on(7.0, Event.withdrawn, GP, INTAKE, state=ENDED, fault=Fault.not_emitted)
    assert fault(silent, back)["ended"] == 7.0
    created = on(0.5, Event.created, GP, GP, delivery=0)
    closed = on(8.0, Event.closed, GP, delivery=0, step=-1)
    assert fault(created, silent, closed)["ended"] == 8.0


def test_nobody_mends_a_double_by_reading_it() -> None:
    double = on(2.0, Event.listed, INTAKE, GP, fault=Fault.duplicated)
    seen = on(3.0, Event.taken, INTAKE, GP, state=SEEN, fault=Fault.duplicated)
    assert fault(AUTHORED, SENT, RECEIVED, double, seen)["ended"] == np.inf


def test_rows_of_a_second_copy_say_nothing_of_the_first() -> None:
    silent = on(2.0, Event.vanished, INTAKE, GP, state=SILENT, fault=Fault.vanished)
    double = on(3.0, Event.taken, INTAKE, GP, state=State.none, fault=Fault.vanished)
    assert fault(AUTHORED, SENT, silent, double)["ended"] == np.inf


def test_a_task_without_a_message_can_vanish_too() -> None:
    task = {"delivery": 0, "step": 1, "intended": -1, "state": State.none}
    rows = (
        on(2.0, Event.listed, INTAKE, -1, list_length=1, **task),
        on(3.0, Event.vanished, INTAKE, -1, **task),
        on(9.0, Event.found, INTAKE, -1, attempt=FoundBy.patient_calls, **task),
        on(12.0, Event.taken, INTAKE, -1, **task),
    )
    found = fault(*rows)
    assert (found["fault"], found["delivery"], found["intended"]) == ("vanished", 0, INTAKE)
    assert (found["began"], found["people_noticed"], found["ended"]) == (3.0, 9.0, 12.0)


def test_past_its_deadline_is_late_from_the_day_it_was_written() -> None:
    """Authored on Monday 1 January at 01:00: due on Tuesday at 01:00, the 25th hour."""
    in_time, late = (on(t, Event.taken, INTAKE, GP, state=SEEN) for t in (25.0, 25.1))
    assert len(truth(AUTHORED, SENT, RECEIVED, in_time).items) == 0
    found = fault(AUTHORED, SENT, RECEIVED, late)
    assert (found["fault"], found["began"], found["ended"]) == ("late", 1.0, 25.1)
    never = truth(AUTHORED, SENT, RECEIVED).items
    assert never["fault"].tolist() == ["late"]
    assert never["ended"].tolist() == [np.inf]


# --- what lies behind -----------------------------------------------------------------------------------


def about(time: float, event: Event, service: int, defect: int = -1) -> dict[str, Any]:
    """Return a row that the world wrote about itself."""
    return row(time, event, service, case=0, delivery=0, step=-1, defect=defect, channel=0, attempt=0)


def episodes(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return each episode as a tuple, with the keys that it touched."""
    found = truth(*rows)
    keys = {n: part["key"].tolist() for n, part in found.touched.groupby("episode")}
    return [
        (*line, keys.get(n, [])) for n, line in enumerate(found.episodes.itertuples(index=False, name=None))
    ]


def test_a_defect_lives_from_go_live_to_its_mending() -> None:
    hit = {"state": SILENT, "fault": Fault.not_emitted, "defect": 0}
    rows = (
        about(0.0, Event.defect_began, GP, 0), on(1.0, Event.authored, GP, INTAKE, **hit),
        on(2.0, Event.authored, GP, INTAKE, **{**hit, "defect": -1, "case": 78}),
        about(50.0, Event.defect_believed, -1, 0), about(90.0, Event.defect_mended, -1, 0),
    )  # fmt: skip
    assert episodes(*rows) == [("defect", 0, "not_emitted", 0.0, 90.0, 50.0, [KEY])]


def test_a_defect_is_not_charged_with_what_else_befell_a_message() -> None:
    rows = (about(0.0, Event.defect_began, GP, 0), AUTHORED,
            on(5.0, Event.vanished, INTAKE, GP, fault=Fault.vanished, state=SILENT, defect=0))  # fmt: skip
    assert fault(*rows)["defect"] == -1
    assert episodes(*rows)[0][-1] == []


def test_a_list_without_an_owner_touches_what_lies_there() -> None:
    lies = {"state": SILENT, "fault": Fault.unwatched, "list_length": 1}
    rows = (
        AUTHORED, on(4.0, Event.listed, INTAKE, GP, **lies), about(4.0, Event.owner_lost, INTAKE),
        on(5.0, Event.authored, GP, INTAKE, case=78),
        on(6.0, Event.listed, INTAKE, GP, **{**lies, "list_length": 0, "case": 78}),  # a pool apart from it
        about(60.0, Event.owner_given, INTAKE),
    )  # fmt: skip
    assert episodes(*rows) == [("unwatched_list", INTAKE, "unwatched", 4.0, 60.0, 60.0, [KEY])]


def test_a_list_that_never_had_an_owner_begins_with_its_first_item() -> None:
    lies = on(4.0, Event.listed, INTAKE, GP, state=SILENT, fault=Fault.unwatched, list_length=1)
    assert episodes(AUTHORED, lies) == [("unwatched_list", INTAKE, "unwatched", 4.0, np.inf, np.inf, [KEY])]
    given = about(60.0, Event.owner_given, INTAKE)
    assert episodes(AUTHORED, lies, given)[0][3:5] == (4.0, 60.0)


def test_an_old_address_lasts_until_nothing_lies_there() -> None:
    lost = {"fault": Fault.misaddressed, "list_length": INTAKE + 1}
    rows = (
        AUTHORED, on(4.0, Event.received, DEAD, GP, state=SILENT, **lost),
        on(5.0, Event.authored, GP, INTAKE, case=78),
        on(9.0, Event.received, DEAD, GP, state=SILENT, case=78, **lost),
        on(20.0, Event.taken, INTAKE, GP, state=SEEN, fault=Fault.misaddressed),
        on(30.0, Event.taken, INTAKE, GP, state=SEEN, fault=Fault.misaddressed, case=78),
    )  # fmt: skip
    keys = sorted([KEY, message_key(78, MESSAGE)])
    assert episodes(*rows) == [("old_address", INTAKE, "misaddressed", 4.0, 30.0, np.inf, keys)]


def test_an_outage_touches_what_a_relay_held_or_lost() -> None:
    rows = (
        on(1.0, Event.relay_in, RELAY, GP, case=79), about(3.0, Event.relay_down, RELAY),
        on(4.0, Event.relay_in, RELAY, GP, list_length=1), about(8.0, Event.relay_up, RELAY),
        on(9.0, Event.relay_in, RELAY, GP, list_length=1, case=80),
    )  # fmt: skip
    assert episodes(*rows) == [("outage", RELAY, "", 3.0, 8.0, np.inf, [KEY])]


# --- a whole region -------------------------------------------------------------------------------------


@cache
def region() -> tuple[RunHeader, Rows]:
    """Return the journal of a region in which every fault strikes."""
    plan = busy_plan(level="34 %", days=40)
    post = index(plan, "post")
    down = at(50.0, one(CommandKind.set_relay, post, 0), one(CommandKind.note, int(Event.relay_down), post))
    up = at(90.0, one(CommandKind.set_relay, post, 1), one(CommandKind.note, int(Event.relay_up), post))
    return RunHeader.from_dict(plan.header), rows_of(plan, [down, up])


def whole(cuts: list[int]) -> Truth:
    header, rows = region()
    (found,) = replay(pieces(rows, cuts), header, [TruthFold()])
    assert isinstance(found, Truth)
    return found


def test_the_same_truth_for_any_cut_and_every_fault_is_there() -> None:
    expected = whole([])
    assert set(expected.items["fault"]) == {f.name for f in Fault} - {"none"}
    assert "outage" in set(expected.episodes["kind"])
    assert not expected.items.duplicated(["key", "fault", "began"]).any()
    for cuts in ([1, 2, 3], list(range(0, len(region()[1]), 997))):
        found = whole(cuts)
        pd.testing.assert_frame_equal(found.items, expected.items)
        pd.testing.assert_frame_equal(found.episodes, expected.episodes)
        pd.testing.assert_frame_equal(found.touched, expected.touched)


def test_late_is_what_the_results_call_late_where_a_case_is_followed_to_the_end() -> None:
    """Another way to the same deadlines: the frame of deliveries, for a cohort of all cases."""
    header, rows = region()
    far = replace(header, warm_up_hours=0.0, observe_hours=header.end_hours, follow_up_hours=1e6)
    (episodes,) = replay([rows], far, [EpisodesFold()])
    table = episodes.deliveries
    taken_back = table["ended_hours"] <= table["deadline_hours"]
    overdue = table[table["was_late"] & (table["deadline_hours"] < header.end_hours) & ~taken_back]
    expected = {
        message_key(int(c), int(d)) for c, d in zip(overdue["case"], overdue["delivery"], strict=True)
    }
    items = whole([]).items
    late = set(items["key"][items["fault"] == "late"])
    drawn = rows[(rows["fault"] == Fault.late) & (rows["delivery"] != 0)]
    by_fault = {message_key(int(c), int(d)) for c, d in zip(drawn["case"], drawn["delivery"], strict=True)}
    fillers = {p for p, pathway in enumerate(header.pathways) if pathway.waiting_filler}
    assert len(expected) > 20
    assert expected <= late
    withdrawn = set(items["key"][items["ended"] < np.inf])
    assert (late - expected - by_fault) <= withdrawn, "those taken back after their deadline"
    assert not fillers & set(items["template"].map(lambda s: header.steps[s].pathway))


def test_working_days_are_counted_as_everywhere() -> None:
    from flowsim.truth.layout import limits_of
    from flowsim.truth.rows import due_at

    given = small(holidays=["2024-01-01", "2024-01-08"], end_hours=2400.0)
    days = WorkingDays(given.start_date, 200, [pd.Timestamp(d).date() for d in given.holidays])
    for n in (0.5, 1.0, 2.25, 10.0):
        steps = [
            {**given.to_dict()["steps"][0], "deadline": {"working_days": n, "from": "authored", "to": "seen"}}
        ]
        limits = limits_of(RunHeader.from_dict({**given.to_dict(), "steps": steps}))
        for start in np.linspace(0.0, 1500.0, 71):
            assert due_at(limits, 0, 0, float(start)) == pytest.approx(float(days.add(start, n)))
