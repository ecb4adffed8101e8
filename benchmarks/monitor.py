"""How many observations a second the monitor takes, and how much memory: a whole region's logs, all rules.

    python -m benchmarks.monitor [--json] [--weeks 4]

The observations of a Trondheim run with everything on (``year.yaml``), on imperfect logs, as they come in
the order of their receipt: rows of different logs are out of order by up to a day. They are handed over by
the hour, as a monitor would get them. The length is also doubled, which must not change what is held.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from flowsim.catalogue import catalogue_path
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.rules_file import MonitorFile
from flowsim.experiment.logs import catalogue_logs, logs_of, source_settings
from flowsim.experiment.rules import resolve_rules
from flowsim.experiment.watching import joined_practices
from flowsim.journal import RunHeader
from flowsim.monitor.engine import Engine
from flowsim.observe import ObservationFold
from flowsim.plan import build_plan
from flowsim.simulation import prepare, simulate
from flowsim.units import Duration

HERE = Path(__file__).parent


def measure(weeks: int, hours: float) -> dict[str, Any]:
    """Return observations, seconds and what was held at most, handing over ``hours`` of rows at a time."""
    design = load_study(HERE / "year.yaml").base
    design = design.model_copy(update={"observe": Duration(weeks * 168.0)})
    plan = build_plan(design)
    header = RunHeader.from_dict(plan.header)
    logs = logs_of(catalogue_logs(), joined_practices(design))
    fold = ObservationFold(logs)
    fold.start(header)
    prepare()
    simulate(plan, 1, fold.take)
    seen = fold.finish()
    told = source_settings(logs, fold.directory)
    rules = resolve_rules(
        load(catalogue_path("monitor", "rules"), MonitorFile), fold.directory, set(told)
    ).rules
    cuts = np.searchsorted(seen["received"], np.arange(hours, header.end_hours + hours, hours), side="right")
    engine = Engine(rules, fold.directory, told, header.start_date, header.holiday_dates)
    engine.take(seen[:1])
    engine.advance(48.0)  # compiled, or loaded compiled, before the clock starts
    engine = Engine(rules, fold.directory, told, header.start_date, header.holiday_dates)
    began = time.perf_counter()
    first = 0
    for n, cut in enumerate(cuts.tolist(), 1):
        engine.take(seen[first:cut])
        engine.advance(n * hours)
        first = cut
    seconds = time.perf_counter() - began
    return {
        "weeks": weeks,
        "handed_over_every_hours": hours,
        "observations": len(seen),
        "rules": len(rules),
        "seconds": round(seconds, 2),
        "observations_per_s": round(len(seen) / seconds),
        "open_at_most": engine.most_open,
        "alerts": len(engine.alerts),
    }


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print plain JSON")
    parser.add_argument("--weeks", type=int, default=4, help="weeks in the window")
    options = parser.parse_args(words)
    found = [measure(options.weeks, 1.0), measure(options.weeks, 24.0), measure(2 * options.weeks, 24.0)]
    json.dump(found, sys.stdout, indent=None if options.json else 1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
