"""How the kernel's cost per delivery and its memory grow with the size of a run.

Run as ``python -m benchmarks.growth [--json] [--largest N]``: runs of topologies/trondheim.yaml, with all
pathways of experiments/adoption_levels_full.yaml, from about 10,000 deliveries to N (10 million), each in a
process of its own. Cost is processor time, so that other programs on the machine matter less.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from flowsim.config.compose import load_study
from flowsim.plan import build_plan
from flowsim.plan.smallest import smallest_plan
from flowsim.simulation import Block, prepare, simulate
from flowsim.units import Duration

ROOT = Path(__file__).parents[1]
EXPERIMENT = ROOT / "experiments" / "adoption_levels_full.yaml"
DAYS_PER_YEAR = 365.0
#: Shorter runs are repeated, as one of a few milliseconds cannot be timed.
SHORT_DAYS = 40.0
#: Deliveries of a day, about; only sets the lengths of the runs.
DELIVERIES_PER_DAY = 5500.0


def forget(_block: Block) -> None:
    """Take a block of rows and keep nothing of it."""


def one(days: float) -> dict[str, Any]:
    """Run so many days and return deliveries, seconds of processor time, cost per delivery and memory."""
    design = load_study(EXPERIMENT).base
    nothing = Duration(0.0)
    # A Monday without a holiday near it, so that a run of two days is like one of a year.
    start = date(2024, 1, 8)
    changes = {"start": start, "warm_up": nothing, "observe": Duration(24.0 * days), "follow_up": nothing}
    plan = build_plan(design.model_copy(update=changes))
    prepare()
    simulate(smallest_plan(), 1, forget)
    runs = max(1, round(SHORT_DAYS / days))
    began = time.process_time()
    infos = [simulate(plan, run + 1, forget) for run in range(runs)]
    seconds = (time.process_time() - began) / runs
    info = infos[0]
    return {
        "days": days,
        "deliveries": info.deliveries,
        "rows": info.rows,
        "events": info.events,
        "seconds": seconds,
        "us_per_delivery": 1e6 * seconds / max(info.deliveries, 1),
        "us_per_event": 1e6 * seconds / max(info.events, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measured(days: float) -> dict[str, Any]:
    """Return what ``one`` says of a run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.growth", "--days", str(days)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout))


def growth(largest: float) -> dict[str, Any]:
    """Return the runs from 10,000 deliveries upwards, tenfold each, and a year of Trondheim.

    ``factor`` is the dearest run's cost per delivery over the cheapest's.
    """
    prepare()
    sizes = [float(10**k) for k in range(4, 9) if 10**k <= largest]
    runs = [measured(size / DELIVERIES_PER_DAY) for size in sizes]
    costs = [run["us_per_delivery"] for run in runs]
    return {"runs": runs, "factor": max(costs) / min(costs), "trondheim_year": measured(DAYS_PER_YEAR)}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--largest", type=float, default=1e7, help="deliveries of the largest run, about")
    parser.add_argument("--days", type=float, help="run only so many days, and print JSON")
    options = parser.parse_args(arguments)
    if options.days is not None:
        print(json.dumps(one(options.days)))
        return 0
    figures = growth(options.largest)
    if options.json:
        print(json.dumps(figures, indent=2))
        return 0
    print(f"{'days':>10} {'deliveries':>12} {'seconds':>9} {'us/delivery':>12} {'peak MB':>8}")
    for run in [*figures["runs"], figures["trondheim_year"]]:
        print(f"{run['days']:>10.1f} {run['deliveries']:>12,} {run['seconds']:>9.2f} "
              f"{run['us_per_delivery']:>12.2f} {run['peak_mb']:>8.0f}")  # fmt: skip
    print(f"cost per delivery, dearest over cheapest: {figures['factor']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
