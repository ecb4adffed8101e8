"""Work lists and beds against queueing theory, each through its own configuration files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tools import (
    Floats,
    Rows,
    agrees,
    erlang_b,
    erlang_wait,
    observed,
    plan_of,
    replications,
    rows_of,
    service_of,
    spells,
    step_of,
)

from flowsim.plan import Plan
from flowsim.vocabulary import Event, Milestone, Urgency

FILE = "queues/queues.yaml"


def waits(plan: Plan, rows: Rows, urgency: Urgency | None = None) -> Floats:
    """Return how long those who came in the window stood on the desk's list; all were served."""
    of = spells(rows, step_of(plan, "serve"))
    mine = observed(plan, of.begin)
    if urgency is not None:
        mine &= of.urgency == urgency
    found = (of.end - of.begin)[mine]
    assert np.all(np.isfinite(found))
    return found


def mean_wait_agrees(scenario: str, theory: float, number: int = 20) -> None:
    """Assert the mean wait at the desk."""
    plan = plan_of(FILE, scenario)

    def figures(rows: Rows) -> tuple[float, int]:
        found = waits(plan, rows)
        return found.sum(), len(found)

    total, count = replications(plan, number, figures).T
    agrees(total, theory, count)


@pytest.mark.parametrize(
    ("scenario", "servers", "arrivals", "rate", "known"),
    [
        ("M/M/1", 1, 5.0, 8.0, 0.2083),
        ("M/M/3", 3, 0.2, 0.1, 4.444),
        ("M/M/4", 4, 0.2, 0.1, 0.8696),
    ],
)
def test_waits_on_a_list_are_those_of_m_m_c(
    scenario: str, servers: int, arrivals: float, rate: float, known: float
) -> None:
    """Mean wait is C / (cμ − λ)."""
    theory = erlang_wait(servers, arrivals, rate)
    assert theory == pytest.approx(known, rel=2e-4)
    mean_wait_agrees(scenario, theory)


@pytest.mark.parametrize(
    ("scenario", "second_moment"), [("M/D/1", 1.0), ("M/U/1", 4.0 / 3.0), ("M/LN/1", 2.0)]
)
def test_waits_grow_with_the_spread_of_the_minutes(scenario: str, second_moment: float) -> None:
    """Mean wait in M/G/1 is λ E[S²] / (2 (1 − ρ)): Pollaczek and Khinchine."""
    mean_wait_agrees(scenario, 0.7 * second_moment / (2.0 * 0.3))


def test_the_urgent_are_served_first_and_nobody_is_interrupted() -> None:
    """Sojourns by urgency are Cobham's: R / ((1 − σ before)(1 − σ)) + 1/μ = 2.0 and 6.0 h."""
    plan = plan_of(FILE, "Cobham")

    def figures(rows: Rows) -> list[float]:
        found = [waits(plan, rows, urgency) for urgency in (Urgency.urgent, Urgency.routine)]
        return [x for w in found for x in (w.sum() + len(w) * 1.0, len(w))]

    urgent, urgents, routine, routines = replications(plan, 20, figures).T
    agrees(urgent, 2.0, urgents)
    agrees(routine, 6.0, routines)


def test_those_without_patience_leave_the_list() -> None:
    """M/M/9 with abandonment: 15.77 % leave, and all together wait 4.731 h in the mean.

    Birth and death: λ up, nμ + (n − 9)θ down; P(abandon) = θ Lq / λ, Wq = Lq / λ.
    """
    arrivals, service, patience, servers = 2.0 / 3.0, 1.0 / 15.0, 1.0 / 30.0, 9
    n = np.arange(1, 400)
    down = np.minimum(n, servers) * service + np.maximum(n - servers, 0) * patience
    weight = np.concatenate([[1.0], np.cumprod(arrivals / down)])
    queue = float(weight @ np.maximum(np.arange(400) - servers, 0) / weight.sum())
    assert (patience * queue / arrivals, queue / arrivals) == pytest.approx((0.1577, 4.731), rel=5e-4)

    plan = plan_of(FILE, "M/M/9+M")
    step = step_of(plan, "serve")

    def figures(rows: Rows) -> tuple[int, float, int]:
        taken = spells(rows, step)
        gone = spells(rows, step, end=Event.cancelled)
        assert np.array_equal(taken.case, gone.case)
        assert not np.any(np.isfinite(taken.end) & np.isfinite(gone.end))
        mine = observed(plan, taken.begin)
        wait = (np.minimum(taken.end, gone.end) - taken.begin)[mine]
        return np.isfinite(gone.end[mine]).sum(), wait.sum(), mine.sum()

    left, wait, count = replications(plan, 20, figures).T
    agrees(left, patience * queue / arrivals, count)
    agrees(wait, queue / arrivals, count)


@pytest.mark.parametrize("law", ["exponential", "fixed", "lognormal", "two values"])
def test_the_share_turned_away_does_not_depend_on_the_law_of_the_stay(law: str) -> None:
    """M/G/c/c blocks Erlang-B(4, 3) = 20.6 %, whatever the law of the stay."""
    plan = plan_of("queues/beds.yaml", law)
    refuse = step_of(plan, "refuse")
    assert plan.header["steps"][refuse]["milestone"] == Milestone.turned_away

    def figures(rows: Rows) -> tuple[int, int]:
        seen = rows[observed(plan, rows["time"])]
        refused = (seen["event"] == Event.milestone) & (seen["step"] == refuse)
        return refused.sum(), (seen["event"] == Event.created).sum()

    refused, count = replications(plan, 20, figures).T
    agrees(refused, erlang_b(4, 3.0), count)


def time_at(plan: Plan, rows: Rows, steps: list[int]) -> float:
    """Return the time that cases spend, inside the window, from being listed at some steps until done."""
    begin = plan.header["warm_up_hours"]
    end = begin + plan.header["observe_hours"]
    total = 0.0
    for step in steps:
        of = spells(rows, step, end=Event.done)
        total += np.maximum(np.minimum(of.end, end) - np.maximum(of.begin, begin), 0.0).sum()
    return total


def test_a_network_of_lists_has_product_form() -> None:
    """λ = γ + λP, each station as if alone: L = ρ/(1 − ρ) for one server, M/M/2 for two."""
    plan = plan_of("queues/jackson.yaml")
    desk = sum(0.3**k for k in range(5))
    rates = {"desk": desk, "second": 0.6 * desk, "third": 0.4 * desk}
    hours = {"desk": 27 / 60, "second": 84 / 60, "third": 63 / 60}
    servers = {"desk": 1, "second": 2, "third": 1}
    steps = {name: [step_of(plan, f"{name}_{k}") for k in range(1, 6)] for name in rates}
    found = replications(plan, 20, lambda rows: [time_at(plan, rows, steps[name]) for name in rates])
    lengths = found / plan.header["observe_hours"]
    theory = {
        name: rates[name] * (erlang_wait(servers[name], rates[name], 1 / hours[name]) + hours[name])
        for name in rates
    }
    for name in ("desk", "third"):
        load = rates[name] * hours[name]
        assert theory[name] == pytest.approx(load / (1 - load))
    for column, name in enumerate(rates):
        agrees(lengths[:, column], theory[name])
    agrees(lengths.sum(axis=1), sum(theory.values()))


@pytest.mark.parametrize("scenario", ["M/M/3", "Cobham", "M/M/9+M", "office hours"])
def test_little_holds_on_each_path(scenario: str) -> None:
    """∫ N dt = Σ (min(end, T) − start) at every horizon T: the list's own length against its items."""
    plan = plan_of(FILE, scenario)
    rows = rows_of(plan, 1)
    desk = rows[np.isin(rows["event"], [Event.listed, Event.taken, Event.cancelled])]
    assert set(desk["service"]) == {service_of(plan, "office/desk")}
    of = spells(rows, step_of(plan, "serve"))
    end = np.minimum(of.end, spells(rows, step_of(plan, "serve"), end=Event.cancelled).end)
    for horizon in plan.end_hours * np.array([0.123, 0.5, 0.987]):
        before = desk[desk["time"] < horizon]
        until = np.append(before["time"][1:], horizon)
        area = float(before["list_length"] @ (until - before["time"]))
        came = of.begin < horizon
        waited = float((np.minimum(end[came], horizon) - of.begin[came]).sum())
        assert area > 100.0
        assert area == pytest.approx(waited, rel=1e-9)


def test_outside_office_hours_one_waits_for_the_opening() -> None:
    """P(no wait) = 40/168 = 0.2381 and mean wait Σ gap² / (2 · 168) = 15.238 h, Monday–Friday 8–16."""
    theory = (4 * 16.0**2 + 64.0**2) / (2 * 168.0)
    assert theory == pytest.approx(15.238, rel=1e-4)
    plan = plan_of(FILE, "office hours")

    def figures(rows: Rows) -> tuple[int, float, int]:
        found = waits(plan, rows)
        return (found == 0.0).sum(), found.sum(), len(found)

    at_once, wait, count = replications(plan, 20, figures).T
    agrees(at_once, 40.0 / 168.0, count)
    agrees(wait, theory, count)


def test_a_list_looked_at_once_a_day_is_waited_on_evenly() -> None:
    """The wait is uniform on (0, D): mean D/2, mean square D²/3, a tenth in each tenth of D."""
    plan = plan_of(FILE, "daily look")

    def figures(rows: Rows) -> list[float]:
        found = waits(plan, rows)
        assert found.min() >= 0.0
        assert found.max() <= 24.0
        tenths = np.histogram(found, np.linspace(0.0, 24.0, 11))[0]
        return [found.sum(), (found**2).sum(), *tenths, len(found)]

    wait, square, *tenths, count = replications(plan, 20, figures).T
    agrees(wait, 12.0, count)
    agrees(square, 24.0**2 / 3.0, count)
    for tenth in tenths:
        agrees(tenth, 0.1, count)
