"""A published model: calls to operators, four in ten with a call back by a nurse, 1,000 min from empty.

Published (50 replications), mean (sd): operator wait 3.5 (1.9) min, operators busy 92.9 (2.3) %; nurse
wait 48.5 (19.4) min, nurses busy 97.1 (1.0) %. Recomputed with another engine (200 replications), with
half widths of 95 % intervals: 3.20 ± 0.27, 92.64 ± 0.33, 46.68 ± 2.45, 97.19 ± 0.13.

The published means are over what was finished by the end. The nurses' load is 10 Erlang on 9, so about
63 of 656 call-backs still wait then; the mean in which they count too, each followed until a nurse took
it, is longer. It was not published: a plain recursion over free servers (Kiefer and Wolfowitz), with its
own random numbers, stands in.
"""

from __future__ import annotations

import heapq
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tools import Floats, Rows, Spells, agrees, plan_of, replications, spells, step_of

from flowsim.vocabulary import Event

END = 1000.0
OPERATORS, NURSES = 13, 9
#: Mean and its standard error, as published and as recomputed.
KNOWN = {
    "operator_wait": ((3.5, 1.9 / 50**0.5), (3.20, 0.27 / 1.96)),
    "operators_busy": ((92.9, 2.3 / 50**0.5), (92.64, 0.33 / 1.96)),
    "nurse_wait": ((48.5, 19.4 / 50**0.5), (46.68, 2.45 / 1.96)),
    "nurses_busy": ((97.1, 1.0 / 50**0.5), (97.19, 0.13 / 1.96)),
}


def figures_of(calls: Spells, done: Floats, servers: int) -> tuple[float, float, float, int]:
    """Return mean wait of the finished, per cent busy with them, mean wait of all, and how many still wait.

    In minutes; all are those who called before the end, each followed until somebody took the call.
    """
    came = calls.begin < END
    finished = done <= END
    wait = calls.end[came] - calls.begin[came]
    busy = (done[finished] - calls.end[finished]).sum() / (servers * END) * 100.0
    return wait[finished[came]].mean(), busy, wait.mean(), (calls.end[came] > END).sum()


@cache
def simulated() -> dict[str, Floats]:
    """Return each figure of 1,200 replications."""
    plan = plan_of("call_centre/call_centre.yaml")
    steps = [(step_of(plan, "answer"), OPERATORS), (step_of(plan, "nurse"), NURSES)]

    def figures(rows: Rows) -> list[float]:
        rows["time"] *= 60.0
        out: list[float] = []
        for step, servers in steps:
            done = spells(rows, step, end=Event.done).end
            out += figures_of(spells(rows, step), done, servers)
        return out

    found = replications(plan, 1200, figures).T
    names = ["operator_wait", "operators_busy", "operator_all", "operators_waiting"]
    names += ["nurse_wait", "nurses_busy", "nurse_all", "nurses_waiting"]
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("source", ["published", "recomputed"])
@pytest.mark.parametrize("name", KNOWN)
def test_the_call_centre_is_as_published(name: str, source: str) -> None:
    """Waits and busy shares of the finished agree with the published and the recomputed means."""
    value, error = KNOWN[name][0 if source == "published" else 1]
    agrees(simulated()[name], value, error_of_reference=error)


def served(arrivals: Floats, times: Floats, servers: int) -> Floats:
    """Return when each of those who come in order is taken by the first server to be free."""
    free = [0.0] * servers
    taken = np.empty(len(arrivals))
    for i, (at, time) in enumerate(zip(arrivals.tolist(), times.tolist(), strict=True)):
        begin = max(at, free[0])
        heapq.heapreplace(free, begin + time)
        taken[i] = begin
    return taken


def recursion(seed: int, runs: int) -> Floats:
    """Return the figures of the nurses by a recursion that has nothing in common with the kernel."""
    luck = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        calls = np.sort(luck.uniform(0.0, END, luck.poisson(END * 100.0 / 60.0)))
        talk = luck.triangular(5.0, 7.0, 10.0, len(calls))
        ends = served(calls, talk, OPERATORS) + talk
        back = np.sort(ends[(luck.random(len(ends)) < 0.4) & (ends <= END)])
        talk = luck.uniform(10.0, 20.0, len(back))
        taken = served(back, talk, NURSES)
        found.append(figures_of(Spells(back, back, taken, back), taken + talk, NURSES))  # type: ignore[arg-type]
    return np.array(found).T


def test_the_unfinished_call_backs_count_and_wait_longer() -> None:
    """Some 63 still wait at the end; with them the mean is that of an independent recursion, and longer."""
    ours = simulated()
    finished, _, everyone, waiting = recursion(5, 300)
    for name, reference in (("nurse_wait", finished), ("nurse_all", everyone), ("nurses_waiting", waiting)):
        error = float(np.std(reference, ddof=1) / np.sqrt(len(reference)))
        agrees(ours[name], float(reference.mean()), error_of_reference=error)
    agrees(ours["nurses_waiting"], 63.0, error_of_reference=3.0)
    longer = ours["nurse_all"] - ours["nurse_wait"]
    assert longer.mean() > 5.0 * np.std(longer, ddof=1) / np.sqrt(len(longer))
