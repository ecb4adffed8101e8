"""After every single event everything adds up, in worlds and under commands drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.kernel import state as k
from flowsim.plan import Plan
from flowsim.plan.layout import DIALS
from flowsim.simulation import Clock, Mail, Process
from flowsim.vocabulary import CommandKind, Event, Fault, NoticeKind, State
from tests.invariants import CheckedMail, checked
from tests.small_worlds import busy_plan, digest, pathway, plan, rows_of, with_defect

DAYS = 3
Order = tuple[float, CommandKind, int, int]

orders = st.lists(
    st.tuples(
        st.floats(0.0, DAYS * 24.0),
        st.sampled_from(CommandKind),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    max_size=40,
)


def obeying(orders: list[Order], plan: Plan) -> Process:
    """Return a world that gives commands to whatever there is, chosen by number."""

    def process(clock: Clock, mail: Mail) -> Iterator[Any]:
        for notice in NoticeKind:
            mail.subscribe(notice)
        for at, kind, a, b in sorted(orders):
            yield clock.timeout(max(at - clock.now, 0.0))
            obey(plan, mail, kind, a, b)

    return process  # type: ignore[return-value]


def obey(plan: Plan, mail: Mail, kind: CommandKind, a: int, b: int) -> None:
    """Give one command, to something that two numbers choose."""
    first_relay = int(plan.arrays.setting[0]["services"])
    service = a % first_relay
    if kind in {CommandKind.resend, CommandKind.forward, CommandKind.remove}:
        assert isinstance(mail, CheckedMail)
        known = sorted(mail.open) or sorted(mail.last)
        if known:
            case, delivery = known[b % len(known)]
            mail.command(kind, case=case, delivery=delivery if a % 4 else 0)
        return
    if kind == CommandKind.note:
        mail.note(Event.went_live, service, level=b % 4)
        return
    relays, defects = int(plan.arrays.setting[0]["relays"]), len(plan.arrays.defect)
    a, b, case = {
        CommandKind.set_relay: (first_relay + a % relays, b % 2, 0),
        CommandKind.activate_defect: (a % defects, 0, b % 2),
        CommandKind.mend_defect: (a % defects, b % 2, 0),
        CommandKind.set_staff: (service, b % 4, 0),
        CommandKind.set_pace: (service, b % 3, 1 + b * 300),
        CommandKind.set_dial: (a % DIALS, b * 300, 0),
    }.get(kind, (service, b % 2, 0))
    mail.command(kind, a, b, case=case)


def faulty(**settings_of_plan: Any) -> Plan:
    """Return the busy region with defects of several classes, none of them active yet."""
    return with_defect(
        busy_plan(**settings_of_plan), Fault.not_emitted, Fault.unwatched, Fault.misaddressed, chance=0.3
    )


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["0 %", "34 %", "100 %"]), orders)
def test_everything_adds_up_after_every_event_whatever_the_world_commands(
    seed: int, level: str, orders: list[Order]
) -> None:
    """Tokens, lists, staff, beds, cases, deliveries and the queue; causes before effects; legal truths."""
    # A month turns on the third day, so that patients change GP.
    given_plan = faulty(days=DAYS, seed=seed, level=level, start="2024-01-30")
    rows, times = checked(given_plan, [obeying(orders, given_plan)])
    assert times > 300
    assert np.sum(rows["event"] == Event.authored) > 50


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_everything_adds_up_in_the_ideal_twin_too(seed: int) -> None:
    rows, _ = checked(busy_plan(days=DAYS, seed=seed, ideal=True))
    assert not np.any(np.isin(rows["state"], [State.silent, State.told]))


def test_checking_leaves_the_journal_as_it_is() -> None:
    given_plan = busy_plan(days=DAYS)
    rows, times = checked(given_plan)
    assert digest(rows) == digest(rows_of(given_plan)) and times > 500


def test_a_run_has_every_kind_of_entry_and_phase_to_be_checked() -> None:
    """What the checks never met they cannot have found right."""
    kinds: set[int] = set()
    phases: set[int] = set()

    class Noting(CheckedMail):
        def check(self) -> None:
            kinds.update(
                (self._state.queue["key"][: int(self._state.counter[k.QUEUE_LENGTH])] >> 48).tolist()
            )
            phases.update(self._state.token["phase"].tolist())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowsim.simulation.Mail", Noting)
        down = [(20.0, CommandKind.set_relay, 6, 0), (30.0, CommandKind.set_relay, 6, 1)]
        world = faulty(days=30, level="34 %")
        rows_of(world, [obeying(down, world)])
    assert kinds == set(range(k.DONE, k.MOVE + 1))
    assert phases == set(range(k.PASSING + 1)) - {k.RUNNING, k.JOINING}


@pytest.mark.parametrize("level", ["0 %", "34 %", "100 %"])
def test_with_faults_off_nothing_is_ever_lost_or_silent_or_told(level: str) -> None:
    """A client may still give up on what is slow; the message itself (state not none) is never given up."""
    rows = rows_of(busy_plan(level=level, faults_off=True, stale=0.5))
    assert set(np.unique(rows["state"])) <= {State.none, State.moving, State.seen, State.ended}
    assert not np.any(np.isin(rows["event"], [Event.found, Event.resent, Event.rejected, Event.vanished]))
    assert np.all(rows["state"][rows["event"] == Event.abandoned] == State.none)
    assert set(np.unique(rows["fault"])) <= {Fault.none, Fault.no_endpoint}
    assert np.sum(rows["event"] == Event.authored) > 1000


def test_a_case_with_hundreds_of_threads_can_be_withdrawn_in_tiny_blocks() -> None:
    """Each round leaves a message that nobody reads; then they all end in one instant."""
    given_plan = plan(
        pathway(
            """
- {id: tell, do: send, message: task, sender: origin, to: radiology, reading: 1 min, waits: false}
- {id: again, do: repeat, to: tell, times: 700}
- {id: pause, do: wait, time: 100 h}
""",
            withdrawal={"chance": 1.0, "after": "50 h"},
        )
    )
    rows, _ = checked(given_plan, block_rows=256)
    assert np.sum(rows["event"] == Event.withdrawn) == 701
    assert rows["event"][-1] == Event.closed


def test_a_long_walk_in_one_instant_fills_no_array_beyond_its_end() -> None:
    """9,000 milestones, messages and forks without any time passing."""
    given_plan = plan(
        pathway("""
- {id: mark, do: milestone, name: custom_1}
- {id: many, do: fork, branches: [over, over, over, over, over, over, over, over]}
- {id: tell, do: send, message: task, sender: origin, to: radiology,
   copies: [clinic, ward, origin, case_office], waits: false}
- {id: again, do: repeat, to: mark, times: 500}
- {id: over, do: end}
"""),
        ideal=True,
    )
    small, large = (rows_of(given_plan, block_rows=size) for size in (256, 1 << 17))
    assert digest(small) == digest(large)
    assert np.sum(small["event"] == Event.milestone) == 500
    assert np.sum(small["event"] == Event.opened) == 2500
    assert np.all(small["time"] == 0.0)
    marks = plan(
        pathway(
            "- {id: mark, do: milestone, name: custom_1}\n- {id: again, do: repeat, to: mark, times: 900}"
        )
    )
    assert np.sum(rows_of(marks, block_rows=256)["event"] == Event.milestone) == 900
