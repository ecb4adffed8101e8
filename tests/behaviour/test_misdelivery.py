"""A notice of wrong delivery brings a message back: a way of recovery that starts with the wrong receiver."""

from __future__ import annotations

import itertools
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.vocabulary import Event, Fault, FoundBy, State
from tests.small_worlds import Rows, index, pathway, plan, read, rows_of

NUMBER = 200
REDELIVERY_HOURS = 6.0 + 1.0  # faults_none.yaml, and the phone's latency in channels_plain.yaml


@cache
def all_misaddressed(notifies: float, forwards: float = 0.0, dead: float = 0.0) -> Rows:
    """Return what happens to referrals between practices that all come out at the wrong one."""
    tiny = pathway(
        "- {id: refer, do: send, message: referral, sender: origin, to: practice_2/inbox, reading: 1 min}",
        times=", ".join(f"{n} h" for n in range(NUMBER)),
    )
    faults = read("faults_none") | {"faults": {"misaddressed": {"rate": 1.0, "channels": ["edi"]}}}
    faults["misdelivery"] = {"forwards": forwards, "notifies": notifies, "dead_endpoint": dead}
    return rows_of(plan(tiny, faults=faults))


def cases(rows: Rows, event: Event, **where: int) -> set[int]:
    """Return the cases that have a row of an event, with columns as said."""
    chosen = rows["event"] == event
    for column, value in where.items():
        chosen &= rows[column] == value
    return set(rows["case"][chosen].tolist())


def told_by_notice(rows: Rows) -> set[int]:
    return cases(rows, Event.found, attempt=FoundBy.misdelivery_notice)


def seen_where_meant(rows: Rows) -> set[int]:
    meant = index(plan("tasks"), "practice_2/inbox")
    return cases(rows, Event.taken, service=meant, state=State.seen)


def test_without_a_notice_nobody_sees_what_came_to_the_wrong_place() -> None:
    rows = all_misaddressed(0.0)
    assert len(cases(rows, Event.received, fault=Fault.misaddressed)) == NUMBER
    assert told_by_notice(rows) == seen_where_meant(rows) == set()
    last = {int(row["case"]): State(row["state"]) for row in rows if row["delivery"]}
    assert list(last.values()) == [State.silent] * NUMBER


def test_a_notice_brings_every_message_to_the_right_place_after_it_was_read_at_the_wrong_one() -> None:
    rows = all_misaddressed(1.0)
    assert len(told_by_notice(rows)) == len(seen_where_meant(rows)) == NUMBER
    assert cases(rows, Event.forwarded) == set()
    for case in sorted(told_by_notice(rows))[:20]:
        own = rows[rows["case"] == case]
        steps = [Event(e) for e in own["event"]]
        # Read by the wrong receiver, the sender told, sent once more by phone, read by the right one.
        ordered = [Event.received, Event.done, Event.found, Event.resent, Event.received, Event.taken]
        places = [steps.index(Event.received)]
        for event in ordered[1:]:
            places.append(steps.index(event, places[-1] + 1))
        found, came = (float(own["time"][places[i]]) for i in (2, 4))
        assert came - found == pytest.approx(REDELIVERY_HOURS)


def test_nobody_at_a_dead_endpoint_sends_a_notice() -> None:
    rows = all_misaddressed(1.0, dead=1.0)
    assert told_by_notice(rows) == seen_where_meant(rows) == set()


def test_more_notices_bring_back_the_same_messages_and_more() -> None:
    found = [told_by_notice(all_misaddressed(share)) for share in (0.2, 0.5, 0.8)]
    for fewer, more in itertools.pairwise(found):
        assert fewer < more


@settings(max_examples=15, deadline=None)
@given(notifies=st.floats(0, 1), forwards=st.floats(0, 1))
def test_a_wrong_receiver_passes_on_or_tells_or_does_nothing(notifies: float, forwards: float) -> None:
    notifies = min(notifies, 1.0 - forwards)
    rows = all_misaddressed(notifies, forwards)
    passed, told = cases(rows, Event.forwarded), told_by_notice(rows)
    assert not passed & told
    assert seen_where_meant(rows) == passed | told
    # 200 draws: within five standard errors of the two shares together.
    both = notifies + forwards
    assert abs(len(passed | told) / NUMBER - both) < 5 * (both * (1 - both) / NUMBER) ** 0.5 + 0.02
