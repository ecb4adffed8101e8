"""How often a case reaches each step of its pathway, on average, when nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flowsim.config.pathway_file import (
    AnyStep,
    Branch,
    Cancel,
    Compare,
    End,
    Fork,
    Join,
    PathwayFile,
    Repeat,
    Shared,
    Wait,
)

Matrix = NDArray[np.float64]


def expected_visits(pathway: PathwayFile) -> dict[str, float]:
    """Return how often each step is reached in a case, on average over urgencies."""
    steps = {step.id: i for i, step in enumerate(pathway.steps)}
    started = set(steps) - reminders(pathway)
    total = np.zeros(len(steps))
    for urgency, share in pathway.starts.urgency.items():
        flow = np.zeros((len(steps), len(steps)))
        for i, (step, following) in enumerate(with_next(pathway)):
            for target, weight in ways(step, following, urgency, threads=started):
                flow[i, steps[target]] += weight
        for i, step in enumerate(pathway.steps):
            if isinstance(step, Repeat):
                _share_that_goes_back(flow, i, steps[step.to], step.times)
        total += share * solve(flow.T, np.eye(1, len(steps)).ravel())
    return {name: float(total[i]) for name, i in steps.items()}


def _share_that_goes_back(flow: Matrix, repeat: int, to: int, times: int) -> None:
    """Write what share goes back at a repeat on average, where some leave on the way round.

    If r come round again, 1 + r + … + r^(times − 1) reach the repeat for each that does at first.
    """
    on = flow[repeat].copy()
    flow[repeat] = 0.0
    r = float(solve(flow.T, np.eye(len(flow))[to])[repeat])
    flow[repeat] = on
    if not 0.0 < r < 1.0 - 1e-9:
        return
    rounds = (1.0 - r**times) / (1.0 - r)
    again = (1.0 - 1.0 / rounds) / r
    onward = flow[repeat].sum() - flow[repeat, to]
    if onward > 0.0:
        flow[repeat] *= (1.0 - again) / onward
    flow[repeat, to] = again


def solve(flow: Matrix, source: Matrix) -> Matrix:
    """Return x = source + flow · x; a pathway that never ends has no answer and counts as endless."""
    try:
        return np.asarray(np.linalg.solve(np.eye(len(source)) - flow, source))
    except np.linalg.LinAlgError:
        return np.full(len(source), np.inf)


def with_next(pathway: PathwayFile) -> Iterator[tuple[AnyStep, str | None]]:
    """Give each step with the id of the one after it, None where the thread ends."""
    below = [step.id for step in pathway.steps[1:]]
    for i, step in enumerate(pathway.steps):
        yield step, None if isinstance(step, End) else step.next or (below[i] if i < len(below) else None)


def reminders(pathway: PathwayFile) -> set[str]:
    """Return the steps where threads start that only come to something when a message fails.

    These are threads that begin with a wait and that another step cancels by name, as when a ward
    phones after some days without an answer. With nothing going wrong they count as never due.
    """
    first = {step.id: step for step in pathway.steps}
    forked = {target for step in pathway.steps if isinstance(step, Fork) for target in step.branches}
    cancelled = {step.thread for step in pathway.steps if isinstance(step, Cancel)}
    return {target for target in forked & cancelled if isinstance(first[target], Wait)}


def ways(
    step: AnyStep, following: str | None, urgency: str, *, threads: set[str] | None
) -> Iterator[tuple[str, float]]:
    """Give where a step leads and how many go there on average; ``threads`` are those that forks start."""
    if isinstance(step, Branch):
        own = [c for c in step.choices if urgency in c.urgency] or [c for c in step.choices if not c.urgency]
        yield from ((c.go, c.share) for c in own)
    elif isinstance(step, Compare):
        yield from ((step.equal, 0.5), (step.different, 0.5))
    elif isinstance(step, Shared):
        yield from ((step.yes, 0.5), (step.no, 0.5))
    elif isinstance(step, Repeat):
        # Exact where nobody leaves in between; expected_visits puts in what leaving changes.
        again = (step.times - 1) / step.times
        yield step.to, again
        if following is not None:
            yield following, 1.0 - again
    else:
        if isinstance(step, Fork) and threads is not None:
            yield from ((target, 1.0) for target in step.branches if target in threads)
        if following is not None:
            yield following, 1.0 / step.threads if isinstance(step, Join) and threads is not None else 1.0
