"""A builder of tiny journals by hand, and of large random ones, for tests of what reads journals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from flowsim.journal import Block, RunHeader
from flowsim.vocabulary import (
    JOURNAL_SCHEMA,
    Channel,
    Event,
    Fault,
    MessageKind,
    Milestone,
    Party,
    State,
    Urgency,
)

#: Services of the small world, by the name of their code.
GP, INTAKE, CLINIC, WRONG, HOME, PATIENT = range(6)
#: Steps of the small world.
REFER, ASSESS, START, SUMMARY, ORDER, STATUS, FILLER, BED, TURNED_AWAY, STAY = range(10)

FOLLOW_UP = 91 * 24.0


def small_header(**changes: Any) -> RunHeader:
    """Return a header: a referral with care, an order without, a filler of lists, a stay with no request.

    It starts on Monday 1 January 2024, warms up for a week, observes four and follows each for 91 days.
    """
    referral = MessageKind.referral
    copy = {"working_days": 0.5, "from": "authored", "to": "received"}
    within = {"hours": 48.0, "from": "authored", "to": "seen"}
    data: dict[str, Any] = {
        "start": "2024-01-01",
        "warm_up_hours": 168.0,
        "observe_hours": 672.0,
        "follow_up_hours": FOLLOW_UP,
        "end_hours": 168.0 + 672.0 + FOLLOW_UP,
        "holidays": ["2024-01-01", "2024-03-28", "2024-03-29", "2024-04-01"],
        "inhabitants": 1000,
        "services": [
            {"id": name, "label": name, "kind": kind, "party": party, "organisation": party.name}
            for name, kind, party in (
                ("gp", "gp_office", Party.gp),
                ("intake", "referral_intake", Party.hospital),
                ("clinic", "clinic", Party.hospital),
                ("wrong", "clinic", Party.hospital),
                ("home", "home_nursing", Party.municipality),
                ("patients", "patients", Party.patient),
            )
        ],
        "pathways": [
            {
                "id": "referral",
                "label": "Referral",
                "targets": {"urgent": {"hours": 240.0}, "routine": {"working_days": 30}},
                "delayed_after": {"urgent": {"hours": 336.0}, "routine": {"hours": 1440.0}},
            },
            {"id": "order", "label": "Order", "targets": {}, "delayed_after": {}},
            {
                "id": "filler",
                "label": "",
                "targets": {"routine": {"hours": 1.0}},
                "delayed_after": {},
                "waiting_filler": True,
            },
            {
                "id": "stay",
                "label": "Stay",
                "targets": {"urgent": {"hours": 24.0}},
                "delayed_after": {"urgent": {"hours": 48.0}},
            },
        ],
        "steps": [
            {
                "id": "refer",
                "pathway": 0,
                "kind": "send",
                "message": referral,
                "deadline": within,
                "copy_deadline": copy,
            },
            {"id": "assess", "pathway": 0, "kind": "milestone", "milestone": Milestone.assessed},
            {"id": "start", "pathway": 0, "kind": "milestone", "milestone": Milestone.care_started},
            {
                "id": "summary",
                "pathway": 0,
                "kind": "send",
                "message": MessageKind.discharge_summary,
                "deadline": {"working_days": 1, "from": "created", "to": "sent"},
            },
            {"id": "order", "pathway": 1, "kind": "send", "message": MessageKind.lab_order},
            {
                "id": "status",
                "pathway": 0,
                "kind": "send",
                "message": MessageKind.referral_status,
                "deadline": {"hours": 24.0, "from": "received", "to": "done"},
            },
            {"id": "fill", "pathway": 2, "kind": "send", "message": referral},
            {"id": "bed", "pathway": 0, "kind": "place"},
            {"id": "no", "pathway": 0, "kind": "milestone", "milestone": Milestone.turned_away},
            {"id": "stay", "pathway": 3, "kind": "place"},
        ],
    }
    data.update(changes)
    return RunHeader.from_dict(data)


class Story:
    """Writes the rows of a journal one by one; ``block`` gives them in time order."""

    def __init__(self) -> None:
        self._rows: list[dict[str, int | float]] = []

    def row(self, time: float, event: Event, case: int, delivery: int = 0, **more: int | float) -> Story:
        """Add a row; what is not said is 0."""
        self._rows.append({"time": time, "event": event, "case": case, "delivery": delivery, **more})
        return self

    def created(self, time: float, case: int, urgency: Urgency = Urgency.urgent, step: int = REFER) -> Story:
        """Add the beginning of a case at the GP."""
        return self.row(time, Event.created, case, step=step, service=GP, peer=GP, urgency=urgency)

    def authored(
        self,
        time: float,
        case: int,
        delivery: int = 256,
        state: State = State.moving,
        fault: Fault = Fault.none,
        step: int = REFER,
        sender: int = GP,
        intended: int = INTAKE,
    ) -> Story:
        """Add the authoring of a delivery, from the GP to the intake unless said otherwise."""
        return self.row(
            time,
            Event.authored,
            case,
            delivery,
            step=step,
            service=sender,
            peer=intended,
            intended=intended,
            state=state,
            fault=fault,
            channel=Channel.edi,
        )

    def on(
        self,
        time: float,
        event: Event,
        case: int,
        delivery: int = 256,
        service: int = INTAKE,
        state: State = State.moving,
        fault: Fault = Fault.none,
        **more: int | float,
    ) -> Story:
        """Add a later row about a delivery, at the intake unless said otherwise."""
        return self.row(
            time,
            event,
            case,
            delivery,
            service=service,
            state=state,
            fault=fault,
            channel=more.pop("channel", Channel.edi),
            **more,
        )

    def delivered(self, time: float, case: int, delivery: int = 256, seen_after: float = 4.0) -> Story:
        """Add sending, arrival, listing, reading and the end of the work, without any fault."""
        self.on(time, Event.sent, case, delivery, service=GP)
        self.on(time + 1.0, Event.received, case, delivery)
        self.on(time + 1.0, Event.listed, case, delivery, list_length=1)
        self.on(time + seen_after, Event.taken, case, delivery, state=State.seen)
        return self.on(time + seen_after + 1.0, Event.done, case, delivery, state=State.seen)

    def reached(self, time: float, case: int, step: int) -> Story:
        """Add a milestone of a case."""
        return self.row(time, Event.milestone, case, step=step)

    @property
    def block(self) -> Block:
        """All rows in time order; rows at one instant keep the order in which they were written."""
        rows = sorted(self._rows, key=lambda r: r["time"])
        block = np.zeros(len(rows), JOURNAL_SCHEMA)
        for i, row in enumerate(rows):
            for name, value in row.items():
                block[i][name] = value
        return block


def pieces(block: Block, cuts: Sequence[int]) -> list[Block]:
    """Cut a block at the given places; empty pieces are allowed."""
    edges = [0, *sorted(min(c, len(block)) for c in cuts), len(block)]
    return [block[a:b] for a, b in pairwise(edges)]


def random_story(seed: int, cases: int) -> Block:
    """Return a random journal with every fate in it: some cases before and after the window, too."""
    rng = np.random.default_rng(seed)
    story = Story()
    for case in range(cases):
        t = float(rng.uniform(0.0, 1000.0))
        key = (int(rng.integers(1, 5)) << 32) | case
        story.created(t, key, Urgency(int(rng.choice([1, 3]))), step=int(rng.choice([REFER, REFER, FILLER])))
        match int(rng.integers(0, 6)):
            case 0:
                story.authored(t, key, state=State.silent, fault=Fault.not_emitted)
                found = t + float(rng.exponential(800.0))
                story.on(found, Event.found, key, fault=Fault.not_emitted, attempt=1)
                story.delivered(found, key)
            case 1:
                story.authored(t, key)
                story.on(t + 1.0, Event.sent, key, service=GP)
                lost = {"state": State.silent, "fault": Fault.misaddressed}
                story.on(t + 2.0, Event.received, key, service=WRONG, **lost)
            case 2:
                story.authored(t, key)
                story.delivered(t + 1.0, key, seen_after=float(rng.exponential(60.0)) + 1.0)
            case 3:
                story.authored(t, key)
                story.on(t + 1.0, Event.withdrawn, key, delivery=0, state=State.none)
                story.on(t + 1.0, Event.cancelled, key, state=State.ended)
            case 4:
                story.authored(t, key)
                story.on(t + 1.0, Event.rejected, key, service=GP, state=State.told, fault=Fault.rejected)
            case _:
                story.authored(t, key)
                story.delivered(t, key)
        if rng.random() < 0.7:
            story.reached(t + float(rng.exponential(900.0)), key, START)
    return story.block
