"""Journals of visits and medication lists, by hand or at random, and a plain reckoning of what they hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from flowsim.journal import Block, RunHeader
from flowsim.vocabulary import Event, Milestone, Urgency
from tests.journals import Story, small_header

OPENS, OBSERVE, FOLLOW_UP = 100.0, 200.0, 400.0
#: Steps of the two pathways that are added to the small world's: the first of each begins a case.
PLAN, DUE, DONE, MISSED, LIST, DIFFER, AGREE, REPORT = range(10, 18)
_STEPS = (
    ("plan", 4, 0), ("due", 4, Milestone.visit_due), ("done", 4, Milestone.visit_done),
    ("missed", 4, Milestone.visit_missed), ("list", 5, 0), ("differ", 5, Milestone.lists_differ),
    ("agree", 5, Milestone.lists_agree), ("report", 5, Milestone.deviation_reported),
)  # fmt: skip


def header(**changes: Any) -> RunHeader:
    """Return the small world with a pathway of visits and one of lists, each case followed for 400 hours."""
    data = small_header().to_dict()
    nothing = {"targets": {}, "delayed_after": {}}
    data["pathways"] += [{"id": name, "label": name, **nothing} for name in ("visits", "lists")]
    data["steps"] += [
        {"id": name, "pathway": pathway, "kind": "milestone", "milestone": milestone}
        for name, pathway, milestone in _STEPS
    ]
    times = {"warm_up_hours": OPENS, "observe_hours": OBSERVE, "follow_up_hours": FOLLOW_UP}
    return RunHeader.from_dict({**data, **times, "end_hours": OPENS + OBSERVE + FOLLOW_UP, **changes})


def begin(story: Story, time: float, case: int, step: int = LIST) -> Story:
    """Add the beginning of a case of visits or lists."""
    return story.created(time, case, Urgency.routine, step)


def close(story: Story, time: float, case: int) -> Story:
    """Add the end of a case."""
    return story.row(time, Event.closed, case, step=-1)


def random_recurring(seed: int, cases: int) -> Block:
    """Return a random journal of both pathways; instants are often equal, and often on a week's edge."""
    rng = np.random.default_rng(seed)
    story = Story()
    for case in range(1, cases + 1):
        born = float(rng.choice([OPENS, rng.uniform(0.0, 400.0)]))
        first = int(rng.choice([PLAN, LIST]))
        begin(story, born, case, first)
        kinds = [DUE, DONE, MISSED] if first == PLAN else [DIFFER, AGREE, REPORT]
        times = np.sort(born + np.round(rng.exponential(60.0, int(rng.integers(0, 30))).cumsum()))
        edges = OPENS + 168.0 * rng.integers(0, 4, len(times))
        times = np.where((rng.random(len(times)) < 0.1) & (edges >= born), edges, times)
        for time in times:
            story.reached(float(time), case, int(rng.choice(kinds)))
        if rng.random() < 0.4:
            close(story, max([born, *times.tolist()]) + 100.0 * float(rng.random()), case)
    return story.block


_COUNTED = {
    Milestone.visit_due: "visits_due", Milestone.visit_done: "visits_done",
    Milestone.visit_missed: "visits_missed", Milestone.deviation_reported: "deviations_reported",
}  # fmt: skip


def week_of(time: float) -> int:
    """Return the week of an instant; the first from the opening is 1."""
    return int((time - OPENS) // 168.0) + 1


def by_hand(block: Block, head: RunHeader) -> tuple[dict[int, dict[str, float]], Counter[tuple[Any, ...]]]:
    """Return counts by case, and by (week, pathway, measure): case by case and row by row."""
    cases: dict[int, dict[str, float]] = {}
    weeks: Counter[tuple[Any, ...]] = Counter()
    born = block[(block["event"] == Event.created) & (block["time"] >= OPENS)]
    for row in born[born["time"] < OPENS + OBSERVE]:
        name = head.pathways[head.steps[row["step"]].pathway].id
        if name in ("visits", "lists"):
            created = float(row["time"])
            own = block[(block["case"] == row["case"]) & (block["time"] < created + FOLLOW_UP)]
            rows = [(float(r["time"]), _kind(r, head)) for r in own[own["event"] != Event.created]]
            cases[int(row["case"])] = _one_case(name, created, rows, weeks)
    return cases, +weeks


def _kind(row: Any, head: RunHeader) -> Milestone | None:
    """Return which milestone a row is, None for the end of the case."""
    return None if row["event"] == Event.closed else Milestone(head.steps[row["step"]].milestone)


def _one_case(
    name: str, created: float, rows: list[tuple[float, Milestone | None]], weeks: Counter[tuple[Any, ...]]
) -> dict[str, float]:
    """Return a case's counts, and add what it has to the weeks."""
    counts = {**dict.fromkeys(_COUNTED.values(), 0.0), "deviations": 0.0}
    until = next((time for time, kind in rows if kind is None), created + FOLLOW_UP)
    for time, kind in rows:
        if kind in _COUNTED:
            counts[_COUNTED[kind]] += 1
            weeks[week_of(time), name, _COUNTED[kind]] += 1
    spans = _spans(rows, until)
    counts["differing_days"] = sum(end - start for start, end in spans) / 24.0
    for start, end in spans:
        weeks.update((k, name, "cases_differing") for k in range(week_of(start), week_of(end)))
        if end - start >= 24.0 and start > created:
            counts["deviations"] += 1
            weeks[week_of(start), name, "deviations"] += 1
    weeks.update((k, name, "cases_followed") for k in range(week_of(created), week_of(until)))
    return counts


def _spans(rows: list[tuple[float, Milestone | None]], until: float) -> list[tuple[float, float]]:
    """Return the times in which a case's lists differed."""
    spans, since = [], None
    for time, kind in rows:
        if kind == Milestone.lists_differ and since is None:
            since = time
        elif kind == Milestone.lists_agree and since is not None:
            spans.append((since, time))
            since = None
    return [*spans, (since, until)] if since is not None else spans
