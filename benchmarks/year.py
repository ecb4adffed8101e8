"""A year of Trondheim with everything on: how many deliveries, and how long one core takes.

    python -m benchmarks.year [--json] [--weeks 52]

Every pathway of the catalogue at full size, defects, absence and learning, levers, addresses that age,
outages and practices that go live all through the year; full journal, rows handed out and forgotten.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

from flowsim.config.compose import load_study
from flowsim.journal import Block
from flowsim.plan import build_plan
from flowsim.simulation import prepare, simulate
from flowsim.units import Duration
from flowsim.vocabulary import Event, Fault

HERE = Path(__file__).parent


def measure(weeks: int) -> dict[str, Any]:
    """Return deliveries, rows and seconds of a run, and how often each fault and event of the world came."""
    design = load_study(HERE / "year.yaml").base
    plan = build_plan(design.model_copy(update={"observe": Duration(weeks * 168.0)}))
    prepare()
    events, faults = np.zeros(256, np.int64), np.zeros(256, np.int64)

    def count(block: Block) -> None:
        nonlocal events, faults
        events += np.bincount(block["event"], minlength=256)
        # A fault is counted where its delivery was authored with it, or where it took effect.
        faults += np.bincount(block["fault"], minlength=256)

    simulate(plan, 1, count)
    info = simulate(plan, 1, lambda _block: None)
    return {
        "deliveries": info.deliveries,
        "seconds": round(info.seconds, 3),
        "deliveries_per_s": round(info.deliveries / info.seconds),
        "rows": info.rows,
        "events": info.events,
        "stops_per_1000_deliveries": round(1000 * info.stops / info.deliveries, 5),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "defects_possible": len(plan.arrays.defect),
        "world": {e.name: int(events[e]) for e in Event if e >= Event.went_live},
        "rows_with_fault": {f.name: int(faults[f]) for f in Fault if f != Fault.none},
    }


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--weeks", type=int, default=52, help="length of the run")
    given = parser.parse_args(words)
    told = measure(given.weeks)
    if given.json:
        print(json.dumps(told, indent=2))
        return
    for name, value in told.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
