"""A checking mode for the kernel: it is stopped after every event, and everything must add up.

``CheckedMail`` is used in place of ``flowsim.simulation.Mail``; each event costs a look at the whole
state, so it is for small worlds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import numpy as np

import flowsim.simulation
from flowsim.kernel import state as k
from flowsim.plan import Plan
from flowsim.plan.layout import LEVELS, UNLIMITED
from flowsim.simulation import Mail, Process
from flowsim.vocabulary import JOURNAL_SCHEMA, CommandKind, Event, State

Rows = np.ndarray[Any, Any]

#: What may follow a truth about a delivery (apart from itself).
LEGAL = {
    State.moving: {State.told, State.silent, State.seen, State.ended},
    State.told: {State.moving, State.silent, State.ended},
    State.silent: {State.moving, State.ended},
    State.seen: set[State](),
    State.ended: set[State](),
}
#: What must have happened to a delivery before.
CAUSES = {
    Event.sent: {Event.authored},
    Event.relay_in: {Event.sent},
    Event.relay_out: {Event.sent},
    Event.transport_receipt: {Event.sent},
    Event.application_receipt: {Event.received},
    Event.received: {Event.sent, Event.resent},
    Event.opened: {Event.received},
    Event.taken: {Event.listed, Event.received},
    Event.done: {Event.taken},
    Event.forwarded: {Event.done},
    Event.found: {Event.authored},
    Event.resent: {Event.found, Event.done},
    Event.abandoned: {Event.sent},
    Event.rejected: {Event.received},
    Event.vanished: {Event.listed, Event.relay_in},
}
#: Which phases have something scheduled for their token (a wait that ends after the run has not).
SCHEDULED = {
    k.WORKING: [k.DONE], k.PASSING: [k.DONE], k.STAYING: [k.HOLD_END], k.RETURNING: [k.REDELIVER],
    k.TRAVELLING: [k.HOP, k.RECEIVE, k.RESEND, k.CLIENT], k.BROKEN: [k.RECEIPT_LIMIT],
}  # fmt: skip
ON_A_LIST = [k.LISTED, k.HELD, k.QUEUING]
#: Entries of the queue whose target is a thread, void with its generation.
OF_TOKENS = [
    k.DONE,
    k.HOLD_END,
    k.HOP,
    k.RECEIVE,
    k.FOUND,
    k.REDELIVER,
    k.RESEND,
    k.RECEIPT_LIMIT,
    k.PATIENCE,
    k.STEP,
    k.CLIENT,
]
UNDER_WAY = {State.moving, State.told, State.silent}


class CheckedMail(Mail):
    """A mail that checks itself after every event; ``cut`` services may have more at work than staff."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.last: dict[tuple[int, int], State] = {}
        self.open: set[tuple[int, int]] = set()
        self.past: dict[tuple[int, int], set[Event]] = {}
        self.authored = 0
        self.checked = 0
        self.time = 0.0
        self.cut: set[int] = set()
        self.looked = 0

    def command(self, kind: CommandKind, a: int = 0, b: int = 0, case: int = 0, delivery: int = 0) -> None:
        if kind == CommandKind.set_staff:
            self.cut.add(a)
        super().command(kind, a, b, case, delivery)

    def flush(self) -> None:
        self._follow()
        super().flush()
        self.looked = 0

    def advance(self, limit: float) -> float:
        counter = self._state.counter
        while True:
            before = int(counter[k.EVENTS])
            counter[k.BUDGET] = 1
            reached = super().advance(limit)
            counter = self._state.counter
            self._follow()
            self.check()
            if self.notices or counter[k.EVENTS] == before:
                return reached

    def _follow(self) -> None:
        """Read the rows written since, each against those before it."""
        for row in self._journal.rows[self.looked : int(self._journal.length[0])]:
            assert row["time"] >= self.time, "time runs backwards"
            self.time = float(row["time"])
            if row["delivery"] == 0 or row["state"] == State.none:
                continue
            key, event, truth = (
                (int(row["case"]), int(row["delivery"])),
                Event(row["event"]),
                State(row["state"]),
            )
            past = self.past.setdefault(key, set())
            if event == Event.authored:
                assert not past, "a delivery is authored twice"
                self.authored += 1
            else:
                assert Event.authored in past, f"{event.name} of a message that nobody wrote"
                assert event not in CAUSES or past & CAUSES[event], f"{event.name} without its cause: {past}"
                before = self.last[key]
                assert truth == before or truth in LEGAL[before], f"{before.name} became {truth.name}"
            past.add(event)
            self.last[key] = truth
            (self.open.add if truth in UNDER_WAY else self.open.discard)(key)
        self.looked = int(self._journal.length[0])

    def check(self) -> None:
        """Check everything that must add up between two events."""
        self.checked += 1
        self._check_tokens()
        self._check_lists()
        self._check_services()
        self._check_deliveries()
        self._check_queue()

    def _check_tokens(self) -> None:
        state, token = self._state, self._state.token
        alive = self.alive = np.flatnonzero(token["phase"] != k.FREE)
        assert len(token) - len(alive) == state.counter[k.TOKENS_LEFT], "threads leak"
        cases = token["case"][alive]
        number = np.bincount(cases, minlength=len(state.case))
        used = np.flatnonzero(number)
        assert len(state.case) - len(used) == state.counter[k.CASES_LEFT], "cases leak"
        assert np.array_equal(number[used], state.case["tokens"][used]), "a case miscounts its threads"
        first = alive[token["elder"][alive] < 0]
        assert np.array_equal(np.sort(first), np.sort(state.case["first"][used])), (
            "a case has lost its first thread"
        )
        _check_links(alive, token["sibling"], token["elder"], token["case"])
        phases = token["phase"][alive]
        assert not np.any((phases == k.RUNNING) | (phases == k.JOINING)), "a thread stands still in mid-step"

    def _check_lists(self) -> None:
        state, token, alive = self._state, self._state.token, self.alive
        services = len(state.service)
        on = alive[token["list"][alive] >= 0]
        lengths = np.bincount(token["list"][on], minlength=2 * services)
        assert np.array_equal(lengths[:services], state.service["length"]), "a list miscounts"
        assert np.array_equal(lengths[services:], state.service["queue_length"]), (
            "a queue for places miscounts"
        )
        listed = np.isin(token["phase"], ON_A_LIST) & (token["phase"] != k.FREE)
        assert np.array_equal(np.flatnonzero(listed), on), "on a list and somewhere else, or on none"
        place = token["list"] * LEVELS + token["level"]
        _check_links(on, token["next"], token["previous"], place)
        for ends, links in ((state.head, token["previous"]), (state.tail, token["next"])):
            outer = on[links[on] < 0]
            assert np.array_equal(np.sort(outer), np.sort(ends[ends >= 0])), "a list has lost its end"
            assert np.array_equal(ends[place[outer]], outer), "a list has another's end"

    def _check_services(self) -> None:
        state, token, plan = self._state, self._state.token, self.plan.arrays
        services = len(state.service)
        phases = token["phase"]
        at_work = (phases == k.WORKING) | (phases == k.PASSING)
        busy = np.bincount(token["at"][at_work], minlength=services)
        assert np.array_equal(busy, state.service["busy"]), "staff leak"
        staff = state.service["staff"]
        over = np.flatnonzero((staff != UNLIMITED) & (busy > staff))
        assert set(over.tolist()) <= self.cut, "more at work than there are"
        beds = (plan.service["places"] >= 0) & (plan.service["slot_rate"] == 0.0)
        held = (phases != k.FREE) & (token["place"] >= 0)
        taken = np.bincount(token["place"][held], minlength=services)
        assert np.all((state.service["free"] + taken == plan.service["places"])[beds]), "beds leak"
        assert np.all(state.service["free"] >= 0)

    def _check_deliveries(self) -> None:
        """Each delivery is in one place and in one state: created = seen + ended + told + silent + moving."""
        state, token, alive = self._state, self._state.token, self.alive
        assert self.authored == state.counter[k.DELIVERIES] == len(self.last)
        main = alive[(token["delivery"][alive] != 0) & (token["state"][alive] != State.none)]
        cases = state.case["id"][token["case"][main]].tolist()
        carried = dict(
            zip(
                zip(cases, token["delivery"][main].tolist(), strict=True),
                token["state"][main].tolist(),
                strict=True,
            )
        )
        assert len(carried) == len(main), "one delivery in two places"
        for key, truth in carried.items():
            assert self.last[key] == truth, "the journal tells another truth than the kernel"
        assert self.open <= carried.keys(), "a delivery that is under way and that nobody carries"

    def _check_queue(self) -> None:
        """Whoever is under way has something scheduled; what is scheduled for nobody is void."""
        state, token, alive = self._state, self._state.token, self.alive
        entries = state.queue[: int(state.counter[k.QUEUE_LENGTH])]
        kinds = entries["key"] >> 48
        of_tokens = np.isin(kinds, OF_TOKENS)
        kinds, entries = kinds[of_tokens], entries[of_tokens]
        valid = token["generation"][entries["target"]] == entries["generation"]
        kinds, targets = kinds[valid], entries["target"][valid]
        assert np.all(token["phase"][targets] != k.FREE), "something is scheduled for nobody"
        for phase, wanted in SCHEDULED.items():
            those = alive[token["phase"][alive] == phase]
            assert np.isin(those, targets[np.isin(kinds, wanted)]).all(), f"nothing will end phase {phase}"


def _check_links(those: Rows, following: Rows, before: Rows, owner: Rows) -> None:
    """Check that links lead forth and back again, within one owner."""
    linked = those[following[those] >= 0]
    assert np.array_equal(before[following[linked]], linked)
    assert np.array_equal(owner[following[linked]], owner[linked])


def checked(
    plan: Plan, processes: Iterable[Process] = (), replication: int = 1, block_rows: int = 1 << 12
) -> tuple[Rows, int]:
    """Run a plan in checking mode; return its rows and how many times everything was checked."""
    mails: list[CheckedMail] = []
    blocks: list[Rows] = [np.zeros(0, JOURNAL_SCHEMA)]

    class Kept(CheckedMail):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            mails.append(self)

    with patch.object(flowsim.simulation, "Mail", Kept):
        flowsim.simulation.simulate(
            plan, replication, lambda block: blocks.append(block.copy()), processes, block_rows
        )
    return np.concatenate(blocks), mails[0].checked
