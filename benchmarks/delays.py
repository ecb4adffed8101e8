"""How far "finished cases only" is off, and what survival estimates do about it, as in docs/delays.md.

Run ``flowsim run benchmarks/pairing.yaml -o OUT`` first, then ``python -m benchmarks.delays OUT``. Two
scenarios of that folder are compared, replication by replication and for referrals of GPs only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.measures.registry import mean
from flowsim.runner.store import MANIFEST, RUNS
from flowsim.statistics import (
    aalen_johansen,
    cumulative_incidence,
    cut_off,
    kaplan_meier,
    mean_interval,
    restricted_mean,
)

PATHWAY: Final = "gp_referral"
#: The two worlds that are compared: many and few practices on a platform that has the worse rates.
WORLDS: Final = ("gp_practices=0 %, rates=platform_worse", "gp_practices=100 %, rates=platform_worse")
URGENCIES: Final = ("urgent", "soon", "routine", "")
#: When a log is written out, in days after the window has opened, and the day by which the started are told.
EXPORTS: Final = ((56.0, 28.0), (63.0, 28.0), (119.0, 70.0))
STARTED, LEFT = 1, 2


def runs(out: Path) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Yield the scenario, the replication and the cases of every run of the two worlds."""
    for folder in sorted((out / RUNS).iterdir()):
        job = json.loads((folder / "run_info.json").read_text(encoding="utf-8"))["job"]
        path = folder / "cases.parquet"
        if job["label"] in WORLDS and path.exists():
            yield job["label"], int(job["replication"]), pd.read_parquet(path)


def figures(cases: pd.DataFrame, opens: float, follow_up: float) -> dict[str, float]:
    """Return means and shares of one run's referrals, by what is done with the unfinished.

    ``whole`` counts each case to min(start, τ), as all of flowsim does; ``finished`` leaves out those who
    have not begun by τ. Of a log that was written out at a day: ``exported`` is the mean of those finished by
    then, ``area`` the mean from the area under Kaplan–Meier, and shares started by another day are the
    ``count`` of the same cases followed to the end, Aalen–Johansen's (``aj``), 1 − Kaplan–Meier with those
    who left as censored (``km``), and what is ``seen`` in the log.
    """
    days = cases["time_to_care_days"].to_numpy()
    started = cases["started"].to_numpy()
    left = (cases["withdrawn"] | cases["turned_away"]).to_numpy()
    events = np.where(started, STARTED, np.where(left, LEFT, 0))
    created = (cases["created_hours"].to_numpy() - opens) / 24.0
    found = {
        "cases": float(len(cases)),
        "not_begun": float(np.mean(events == 0)),
        "whole": float(days.mean()),
        "finished": mean(days[started]),
    }
    for export, day in EXPORTS:
        when, which = cut_off(created, days, events, export)
        here, there = which == STARTED, created < export
        found[f"exported_{export:g}"] = mean(when[here])
        if export >= follow_up:
            found[f"area_{export:g}"] = restricted_mean(when, which != 0, follow_up)
        shares = {
            "count": cumulative_incidence(days[there], events[there], [day], STARTED)[0],
            "aj": aalen_johansen(when, which, [day], STARTED)[0],
            "km": 1 - kaplan_meier(when, here, [day])[0],
            "seen": np.mean(here & (when <= day)),
        }
        found |= {f"{name}_{export:g}_{day:g}": float(share) for name, share in shares.items()}
    return found


def measured(out: Path) -> dict[str, Any]:
    """Return every figure by urgency: its mean in each world and its paired difference, with intervals."""
    windows = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["windows"]
    opens, follow_up = (24.0 * _days(windows[name]) for name in ("warm_up", "follow_up"))
    rows = []
    for world, replication, cases in runs(out):
        of_pathway = cases[cases["pathway"] == PATHWAY]
        for urgency in URGENCIES:
            part = of_pathway[of_pathway["urgency"] == urgency] if urgency else of_pathway
            key = {"world": world, "replication": replication, "urgency": urgency}
            rows.append({**key, **figures(part, opens, follow_up / 24.0)})
    table = pd.DataFrame(rows).set_index(["urgency", "world", "replication"]).sort_index()
    return {urgency or "all": _compared(table.loc[urgency]) for urgency in URGENCIES}


def _days(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"week": 7.0, "day": 1.0}[unit.rstrip("s")]


def _compared(table: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in table.columns:
        few, many = (table.loc[world, name] for world in WORLDS)
        found[name] = {
            "few": mean_interval(few)[:3],
            "many": mean_interval(many)[:3],
            "difference": mean_interval(many - few)[:3],
        }
    for export, day in EXPORTS:  # each estimate against the count of the same cases, followed to the end
        for name in ("aj", "km", "seen"):
            off = table[f"{name}_{export:g}_{day:g}"] - table[f"count_{export:g}_{day:g}"]
            ends = {
                key: mean_interval(off.loc[w])[:3] for key, w in zip(("few", "many"), WORLDS, strict=True)
            }
            found[f"{name}_{export:g}_{day:g}_off"] = ends
    return found


def main() -> None:
    """Print the figures as lines, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="output folder of benchmarks/pairing.yaml")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    found = measured(options.out)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for urgency, names in found.items():
        print(urgency)
        for name, values in names.items():
            told = "   ".join(
                f"{key} {m:.4f} ({low:.4f} to {high:.4f})" for key, (m, low, high) in values.items()
            )
            print(f"  {name:<18} {told}")


if __name__ == "__main__":
    main()
