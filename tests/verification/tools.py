"""Runs the small worlds of this folder through their configuration files, and compares with theory.

The rule of a comparison: the simulated mean must lie within ``t`` standard errors of the theory, with
``t`` from the false-alarm rate of all comparisons of the suite together, and the standard error must be
below 2 % of the theory, so that a wrong mechanism cannot hide in noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from flowsim.config.compose import load_study
from flowsim.plan import Plan, build_plan
from flowsim.simulation import Process, simulate
from flowsim.vocabulary import Event

FOLDER = Path(__file__).parent

#: The chance that a right program fails any comparison at all, and the number of comparisons that it is
#: shared out over; ``agrees`` counts them and refuses more.
FALSE_ALARMS = 0.01
COMPARISONS = 100
#: The standard error that a comparison may have, as a share of the theory.
PRECISION = 0.02

#: How many comparisons have been made so far.
made = itertools.count(1)

Rows = NDArray[Any]
Floats = NDArray[np.float64]


class Spells(NamedTuple):
    """From one event to another, one entry a case: ``end`` is infinite where it has not come."""

    case: NDArray[np.int64]
    begin: Floats
    end: Floats
    urgency: NDArray[np.uint8]


@cache
def plan_of(file: str, scenario: str | None = None) -> Plan:
    """Return the plan of an experiment file below this folder (a scenario, or its only design point)."""
    points = load_study(FOLDER / file).designs()
    names = [point.name for point in points]
    return build_plan(points[0 if scenario is None else names.index(scenario)].design)


def rows_of(plan: Plan, replication: int, processes: Iterable[Process] = ()) -> Rows:
    """Return all journal rows of one replication, in order."""
    blocks: list[Rows] = []
    simulate(plan, replication, lambda block: blocks.append(block.copy()), processes, block_rows=1 << 15)
    return np.concatenate(blocks)


def replications(plan: Plan, number: int, figure: Callable[[Rows], ArrayLike]) -> Floats:
    """Return a figure (or several) of each of the replications 1 to ``number``: [number, figures]."""
    found = [np.atleast_1d(np.asarray(figure(rows_of(plan, r)), float)) for r in range(1, number + 1)]
    return np.array(found)


def step_of(plan: Plan, name: str) -> int:
    """Return the number that a step has in the journal."""
    return [step["id"] for step in plan.header["steps"]].index(name)


def service_of(plan: Plan, name: str) -> int:
    """Return the number that a service or relay has in the journal."""
    return [service["id"] for service in plan.header["services"]].index(name)


def spells(rows: Rows, step: int, begin: Event = Event.listed, end: Event = Event.taken) -> Spells:
    """Return from when to when each case was between two events at a step that it comes to once."""
    here = rows[rows["step"] == step]
    first, last = here[here["event"] == begin], here[here["event"] == end]
    first, last = first[np.argsort(first["case"])], last[np.argsort(last["case"])]
    assert len(np.unique(first["case"])) == len(first)
    assert len(np.unique(last["case"])) == len(last)
    ends = np.full(len(first), np.inf)
    place = np.searchsorted(first["case"], last["case"])
    assert np.array_equal(first["case"][place], last["case"])
    ends[place] = last["time"]
    return Spells(first["case"], first["time"], ends, first["urgency"])


def observed(plan: Plan, times: Floats) -> NDArray[np.bool_]:
    """Return which instants lie in the observation window."""
    begin = plan.header["warm_up_hours"]
    return (times >= begin) & (times < begin + plan.header["observe_hours"])


def limit(number: int) -> float:
    """Return how many standard errors a mean of so many replications may lie off."""
    return float(stats.t.ppf(1.0 - FALSE_ALARMS / COMPARISONS / 2.0, number - 1))


def agrees(
    above: ArrayLike,
    theory: float,
    below: ArrayLike = 1.0,
    error_of_reference: float = 0.0,
    scale: float | None = None,
) -> None:
    """Assert that a mean agrees with theory: Σ above / Σ below over independent replications.

    The standard error is that of a ratio of means (delta method). ``scale`` is what it is held against
    where the theory is 0; ``error_of_reference`` is the theory's own, where that is an estimate.
    """
    top = np.asarray(above, float)
    bottom = np.broadcast_to(np.asarray(below, float), top.shape)
    assert len(top) >= 10
    assert next(made) <= COMPARISONS, "more comparisons than the false-alarm rate is shared out over"
    mean = top.sum() / bottom.sum()
    error = float(np.std(top - mean * bottom, ddof=1) / np.sqrt(len(top)) / bottom.mean())
    allowed = limit(len(top)) * np.hypot(error, error_of_reference)
    size = abs(theory if scale is None else scale)
    told = f"simulated {mean:.6g} ± {error:.2g}, theory {theory:.6g}, {abs(mean - theory) / error:.1f} SE off"
    assert error < PRECISION * size, f"too few to tell: {told}"
    assert abs(mean - theory) <= allowed, told


def erlang_b(servers: int, load: float) -> float:
    """Return the share that finds all servers busy where nobody waits (Erlang's loss formula)."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_wait(servers: int, arrivals: float, rate: float) -> float:
    """Return the mean wait in M/M/c: C / (cμ − λ) with C from Erlang's delay formula."""
    load = arrivals / rate
    b = erlang_b(servers, load)
    c = b / (1.0 - load / servers * (1.0 - b))
    return c / (servers * rate - arrivals)
