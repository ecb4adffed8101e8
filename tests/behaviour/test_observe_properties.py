"""What can be seen does not depend on the truth, on how the journal is cut, nor on when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.experiment.logs import catalogue_logs, logs_of
from flowsim.journal import RunHeader
from flowsim.observe import Logs, ObservationFold, observe
from flowsim.vocabulary import TRUTH_COLUMNS, CommandKind, Event, Seen, message_keys
from tests.journals import pieces
from tests.small_worlds import Rows, busy_plan, digest, index, one, rows_of
from tests.small_worlds import at as at_hours

IMPERFECT = logs_of(catalogue_logs())
ALL_LOGS = [Logs(), IMPERFECT]


@cache
def run() -> tuple[RunHeader, Rows]:
    """Return the journal of a small region in which every fault strikes and a list loses its owner."""
    plan = busy_plan(level="34 %", days=30)
    ward = index(plan, "town/home")
    owner = [
        at_hours(
            100.0, one(CommandKind.set_owner, ward, 0), one(CommandKind.note, int(Event.owner_lost), ward)
        ),
        at_hours(
            400.0, one(CommandKind.set_owner, ward, 1), one(CommandKind.note, int(Event.owner_given), ward)
        ),
    ]
    return RunHeader.from_dict(plan.header), rows_of(plan, owner)


def whole(rows: Rows, logs: Logs) -> Rows:
    return np.concatenate(list(observe([rows], run()[0], logs)))


@cache
def expected(which: int) -> Rows:
    return whole(run()[1], ALL_LOGS[which])


@pytest.mark.parametrize("which", [0, 1])
def test_the_truth_is_not_read(which: int) -> None:
    noise = np.random.default_rng(1)
    rows = run()[1].copy()
    for name in TRUTH_COLUMNS:
        rows[name] = noise.integers(0, 13, len(rows))
    assert digest(whole(rows, ALL_LOGS[which])) == digest(expected(which))


@pytest.mark.parametrize("which", [0, 1])
@given(cuts=st.lists(st.integers(0, 60_000), max_size=12))
@settings(max_examples=15, deadline=None)
def test_the_same_rows_for_any_cut(which: int, cuts: list[int]) -> None:
    header, rows = run()
    found = np.concatenate(list(observe(pieces(rows, cuts), header, ALL_LOGS[which])))
    assert digest(found) == digest(expected(which))


@pytest.mark.parametrize("which", [0, 1])
@given(every=st.floats(0.7, 60.0))
@settings(max_examples=10, deadline=None)
def test_draining_now_and_then_gives_the_same_as_all_at_once(which: int, every: float) -> None:
    header, rows = run()
    fold = ObservationFold(ALL_LOGS[which])
    fold.start(header)
    given: list[Rows] = []
    first, now = 0, every
    while now < header.end_hours:
        last = int(np.searchsorted(rows["time"], now))  # what happens before this instant
        fold.take(rows[first:last])
        given.append(fold.drain(now))
        assert (given[-1]["received"] <= now).all()
        first, now = last, now + every
    fold.take(rows[first:])
    given.append(fold.finish())
    assert digest(np.concatenate(given)) == digest(expected(which))


def test_what_has_been_received_by_now_does_not_change_with_what_follows() -> None:
    """The hourly monitor misses nothing: rows that come later are received later."""
    header, rows = run()
    fold = ObservationFold(IMPERFECT)
    fold.start(header)
    fold.take(rows[rows["time"] < 300.0])
    known = fold.drain(300.0)
    assert digest(known) == digest(expected(1)[expected(1)["received"] <= 300.0])


# --- the fate of a case, against the kernel's own lists -----------------------------------------------------


def test_snapshots_agree_with_the_lengths_that_the_journal_tells() -> None:
    """Each list's last told length before the hour of a snapshot, and those that lie apart from it."""
    header, rows = run()
    place = np.array([step.kind == "place" for step in header.steps] + [True])
    told = (Event.listed, Event.taken, Event.vanished)
    mine = rows[np.isin(rows["event"], told) & ~place[rows["step"]] & (rows["list_length"] >= 0)]
    seen = expected(0)
    checked = 0
    for at in (240.0, 480.0, 600.0):
        shown = seen[(seen["seen"] == Seen.snapshot_taken) & (seen["time"] == at)]
        before = mine[mine["time"] < at]
        for snapshot in shown:
            own = before[before["service"] == snapshot["unit"]]
            apart = own[(own["event"] == Event.listed) & (own["list_length"] == 0)]
            found = rows[(rows["event"] == Event.found) & (rows["time"] < at)]
            gone = np.isin(rows["event"], (Event.cancelled, Event.withdrawn)) & (rows["time"] < at)
            if (
                len(own) == 0
                or len(apart)
                or (gone.any()
                and _touched(rows[gone], own))
                or _touched(found, own)
            ):
                continue
            entries = seen[
                (seen["seen"] == Seen.on_list) & (seen["time"] == at) & (seen["unit"] == snapshot["unit"])
            ]
            assert entries["count"].sum() == own[-1]["list_length"]
            checked += 1
    assert checked > 10


def _touched(rows: Rows, own: Rows) -> bool:
    """Return whether any of the rows is about a message or task that was on this list."""
    return bool(np.isin(_keys(rows), _keys(own)).any())


def _keys(rows: Rows) -> Any:
    return message_keys(rows["case"], rows["delivery"])


def test_every_message_of_the_journal_is_ordered_once_and_sent_as_often_as_it_was_tried() -> None:
    _, rows = run()
    seen = expected(0)
    for event, what in (
        (Event.authored, Seen.ordered),
        (Event.sent, Seen.sent),
        (Event.received, Seen.received),
    ):
        mine = rows[rows["event"] == event]
        keys = message_keys(mine["case"], mine["delivery"])
        found = seen[seen["seen"] == what]
        assert sorted(found["key"].tolist()) == sorted(keys.tolist())


def test_a_list_that_loses_its_owner_stays_in_the_snapshots_and_nothing_is_opened_there() -> None:
    header, _ = run()
    home = [service.id for service in header.services].index("town/home")
    seen = expected(0)
    mine = seen[(seen["unit"] == home) & (seen["time"] > 100.0) & (seen["time"] < 400.0)]
    listed = mine["key"][mine["seen"] == Seen.accepted]  # some mail is read without a list
    assert len(listed)
    assert not np.isin(mine["key"][mine["seen"] == Seen.opened], listed).any()
    lengths = mine["count"][mine["seen"] == Seen.snapshot_taken]
    assert (lengths[1:] > 0).all()
    assert (seen["seen"][(seen["unit"] == home) & (seen["time"] > 400.0)] == Seen.opened).any()
