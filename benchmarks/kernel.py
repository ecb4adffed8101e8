"""How much faster the compiled kernel is than SimPy at the same referrals, both writing every journal row.

Run as ``python -m benchmarks.kernel [--json]``. The kernel runs with the world coupled: an hourly sweep,
go-lives, an outage. The two sides take turns; speeds are medians of processor time (other programs on the
machine then matter less). Exit code 1, and no ratio, where the means of the two sides disagree.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import simpy

from benchmarks.means import Tally, disagreements
from benchmarks.simpy_bare import Bare
from benchmarks.simpy_idiom import Model
from flowsim.config.compose import load_study
from flowsim.plan import Plan, build_plan
from flowsim.simulation import Block, Clock, Mail, RunInfo, prepare, simulate
from flowsim.units import Duration
from flowsim.vocabulary import JOURNAL_SCHEMA, NoticeKind

ROOT = Path(__file__).parents[1]
EXPERIMENT = ROOT / "benchmarks" / "referral" / "experiment.yaml"
TOLERANCE = 0.01
BARE_AT_LEAST = 0.75
HOURS_PER_WEEK = 168.0


def forget(_block: Block) -> None:
    """Take a block of rows and keep nothing of it."""


def sweep(clock: Clock, mail: Mail) -> Generator[simpy.Event, Any, None]:
    """Look at every list once an hour, and hear of every list that is swamped."""
    clock.listen(NoticeKind.list_swamped, lambda notice: None)  # noqa: ARG005
    while True:
        yield clock.timeout(1.0)
        int(mail.state.service["length"].sum())


def plan_of(weeks: int | None = None, patients: int | None = None) -> Plan:
    """Return the plan of benchmarks/referral, or of a smaller or longer one of its kind."""
    design = load_study(EXPERIMENT).base
    changes: dict[str, Any] = {}
    if weeks is not None:
        changes = {"observe": Duration(weeks * HOURS_PER_WEEK), "follow_up": Duration(weeks * HOURS_PER_WEEK)}
    if patients is not None:
        generate = design.topology.generate
        assert generate is not None
        group = generate.practices[0].model_copy(update={"patients": patients})
        generate = generate.model_copy(update={"practices": (group,)})
        changes["topology"] = design.topology.model_copy(update={"generate": generate})
    return build_plan(design.model_copy(update=changes))


def cases_per_working_day(plan: Plan) -> float:
    """Return the mean number of cases that begin on a working day, in all practices."""
    family = plan.arrays.family
    return float((family["per_day"] * plan.arrays.profiles.day_share[family["profile"]].max(axis=1)).sum())


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of processor time that some work took, and what it gave."""
    gc.collect()
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


class Sides:
    """The two sides, and what was measured of them."""

    def __init__(self, plan: Plan, kernel_turns: int) -> None:
        """Measure ``kernel_turns`` replications of the kernel in each of its turns."""
        self.plan = plan
        self.kernel_turns = kernel_turns
        self.weeks = plan.end_hours / HOURS_PER_WEEK
        self.cases = cases_per_working_day(plan)
        self.replication = 0
        self.infos: list[tuple[float, RunInfo]] = []
        self.simpy_speed: list[float] = []
        self.bare_speed: list[float] = []
        window = float(plan.header["observe_hours"]), float(plan.header["follow_up_hours"])
        self.tally = {"kernel": Tally(*window), "simpy": Tally(*window)}

    def kernel(self) -> None:
        """Take a turn of the kernel; ``seconds`` are without keeping the rows for the means."""
        for _ in range(self.kernel_turns):
            blocks: list[Block] = []

            def keep(block: Block, blocks: list[Block] = blocks) -> None:
                blocks.append(block.copy())

            self.replication += 1
            seconds, info = timed(lambda: simulate(self.plan, self.replication, forget, [sweep]))
            self.infos.append((seconds, info))
            simulate(self.plan, self.replication, keep, [sweep])
            self.tally["kernel"].add(np.concatenate(blocks))

    def simpy(self, seed: int) -> None:
        """Take a turn of the SimPy idiom."""
        seconds, model = timed(lambda: Model(seed, self.cases, self.weeks))
        self.simpy_speed.append(model.deliveries / seconds)
        self.tally["simpy"].add(np.array(model.rows, JOURNAL_SCHEMA))

    def bare(self, seed: int) -> None:
        """Take a turn of the bare idiom."""
        seconds, model = timed(lambda: Bare(seed, self.cases, self.weeks))
        self.bare_speed.append(model.deliveries / seconds)


def peak_mb() -> float:
    """Return the largest memory, in MB, of a process of its own that runs one replication of the kernel."""
    command = [sys.executable, "-m", "benchmarks.kernel", "--peak"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def measure(plan: Plan, turns: int, kernel_turns: int) -> dict[str, Any]:
    """Run the two sides in turns and return all figures; ``ratio`` is None where the means disagree.

    Speeds are per second of processor time on one core. An event is one queue entry taken, a row one
    journal row, a delivery one message to one receiver; ``peak_mb`` is the largest memory of a process that
    does one replication with the kernel, libraries included.
    """
    prepare()
    sides = Sides(plan, kernel_turns)
    simulate(plan, 0, forget, [sweep])
    for turn in range(turns):
        sides.kernel()
        sides.simpy(turn)
        sides.bare(turn)
    means = {name: tally.means() for name, tally in sides.tally.items()}
    differing = disagreements(means["kernel"], means["simpy"], TOLERANCE)

    def median(per: Callable[[RunInfo], int]) -> float:
        return statistics.median(per(info) / seconds for seconds, info in sides.infos)

    kernel = median(lambda info: info.deliveries)
    simpy_speed = statistics.median(sides.simpy_speed)
    deliveries = sum(info.deliveries for _, info in sides.infos)
    return {
        "ratio": None if differing else kernel / simpy_speed,
        "deliveries_per_s": kernel,
        "simpy_deliveries_per_s": simpy_speed,
        "rows_per_s": median(lambda info: info.rows),
        "events_per_s": median(lambda info: info.events),
        "cases_per_s": median(lambda info: info.cases),
        "peak_mb": peak_mb(),
        "stops_per_1000_deliveries": 1000 * sum(info.stops for _, info in sides.infos) / deliveries,
        "sweeps_per_1000_deliveries": 1000 * len(sides.infos) * plan.end_hours / deliveries,
        "bare_deliveries_per_s": statistics.median(sides.bare_speed),
        "bare_idiom_ratio": simpy_speed / statistics.median(sides.bare_speed),
        "means": means,
        "means_differing": differing,
        "turns": turns,
        "deliveries": deliveries,
    }


def table(figures: dict[str, Any]) -> str:
    """Return the figures for people to read."""
    ratio = figures["ratio"]
    against = "none: the means disagree" if ratio is None else f"{ratio:>12.1f} times"
    lines = [
        f"kernel, world coupled      {figures['deliveries_per_s']:>12,.0f} deliveries/s a core",
        f"                           {figures['rows_per_s']:>12,.0f} journal rows/s",
        f"                           {figures['events_per_s']:>12,.0f} events/s",
        f"                           {figures['cases_per_s']:>12,.0f} cases/s",
        f"SimPy, the same referrals  {figures['simpy_deliveries_per_s']:>12,.0f} deliveries/s",
        f"SimPy, bare idiom          {figures['bare_deliveries_per_s']:>12,.0f} deliveries/s",
        f"kernel against SimPy       {against}",
        f"SimPy against bare idiom   {figures['bare_idiom_ratio']:>12.2f} (at least {BARE_AT_LEAST})",
        f"stops of the kernel        {figures['stops_per_1000_deliveries']:>12.3f} per 1,000 deliveries",
        f"peak memory                {figures['peak_mb']:>12.0f} MB",
        "",
        f"{'mean':27}{'kernel':>12} {'SimPy':>12} {'difference':>11}",
    ]
    kernel, other = figures["means"]["kernel"], figures["means"]["simpy"]
    for name, value in kernel.items():
        lines.append(
            f"{name:27}{value:>12.4f} {other[name]:>12.4f} {100 * other[name] / value - 100:>+9.2f} %"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--turns", type=int, default=5, help="turns of each side")
    parser.add_argument("--kernel-turns", type=int, default=6, help="replications in each turn of the kernel")
    parser.add_argument("--peak", action="store_true", help="run once, and print the peak of memory only")
    options = parser.parse_args(arguments)
    if options.peak:
        simulate(plan_of(), 1, forget, [sweep])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return 0
    figures = measure(plan_of(), options.turns, options.kernel_turns)
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    if figures["means_differing"]:
        print(f"The two sides disagree on {', '.join(figures['means_differing'])}.", file=sys.stderr)
        return 1
    if figures["bare_idiom_ratio"] < BARE_AT_LEAST:
        print("The SimPy side is slower than its bare idiom allows; the ratio flatters.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
