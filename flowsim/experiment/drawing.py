"""The charts of an experiment, drawn from its result tables alone, so that they can be drawn again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib import pyplot as plt

from flowsim.charts.adoption import adoption
from flowsim.charts.backlog import backlog
from flowsim.charts.delivery_delay import delivery_delay
from flowsim.charts.discovery import discovery
from flowsim.charts.economics import economics
from flowsim.charts.lines import SEED
from flowsim.charts.stages import stages
from flowsim.charts.style import Chart, save
from flowsim.charts.time_to_care import time_to_care
from flowsim.charts.weeks import weeks
from flowsim.config.experiment_file import Design
from flowsim.config.pathway_file import Send
from flowsim.topology.load import mean_hours
from flowsim.units import HOURS_PER_DAY, Clock, Duration

#: A working day on the clock of a chart: five a week, holidays aside.
_DAYS_PER_WORKING_DAY: Final = 7 / 5


def chart_facts(design: Design) -> dict[str, Any]:
    """Return what charts draw in beside the results, as plain data: targets, deadlines, dated outages.

    A limit in working days is drawn at 7/5 as many days, as most span a weekend; an outage at its mean
    length.
    """
    pathways = design.pathways
    return {
        "targets": [
            {"pathway": name, "urgency": urgency, "days": _hours(target.care_within) / HOURS_PER_DAY}
            for name, pathway in pathways.items()
            for urgency, target in pathway.targets.items()
        ],
        # Where pathways give a kind of message different limits, the strictest is drawn.
        "deadlines": dict(
            sorted(
                (
                    (step.message, _hours(step.deadline.within))
                    for pathway in pathways.values()
                    for step in pathway.steps
                    if isinstance(step, Send) and step.deadline is not None and step.deadline.to == "seen"
                ),
                key=lambda pair: (pair[0], -pair[1]),
            )
        ),
        "outages": [
            {"from_day": begin / HOURS_PER_DAY, "to_day": (begin + mean_hours(outage.lasts)) / HOURS_PER_DAY}
            for outage in design.outages
            if outage.at is not None
            for begin in [Clock(design.start).to_hours(outage.at)]
        ],
    }


def first_order(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return the scenarios with the first of several seeds of a joining order (all where there is one)."""
    if SEED not in scenarios.columns or scenarios.empty:
        return scenarios
    seeds = scenarios[SEED].astype(str)
    return scenarios[seeds == seeds.iloc[0]].reset_index(drop=True)


def _hours(limit: Duration) -> float:
    return limit.hours + limit.working_days * _DAYS_PER_WORKING_DAY * HOURS_PER_DAY


def draw_charts(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    profiles: Mapping[str, pd.DataFrame],
    manifest: Mapping[str, Any],
    language: str = "en",
) -> tuple[list[Path], list[str]]:
    """Draw every chart that the results have numbers for, and return the files and what was left out.

    ``tables`` has summary, scenarios and comparison, and the tables of economics where there are any;
    ``manifest`` has view, basis and ``charts`` (see
    ``chart_facts``). What is left out is told as "name: reason".
    """
    common = {"view": manifest["view"], "basis": manifest["basis"], "language": language}
    every = tables["scenarios"]
    # Where joining orders are drawn by several seeds, only the chart of levels shows all of them.
    scenarios = first_order(every)
    drawings: dict[str, Callable[[], Chart]] = {
        "adoption": lambda: adoption(tables["summary"], every, tables["comparison"], **common),
    }
    for view, part in _by_view(scenarios, manifest["view"]):
        suffix = "" if len(drawings) == 1 else f"_{view}"
        drawings |= _drawings_of_a_view(profiles, part, manifest["charts"], {**common, "view": view}, suffix)
    if "economics" in tables:
        replications = int(tables["summary"]["replication"].max())
        drawings["economics"] = lambda: economics(
            tables, every, manifest["economics"], replications, **common
        )
    if not profiles.get("defects", pd.DataFrame()).empty:
        drawings["discovery"] = lambda: discovery(profiles["defects"], scenarios, **common)
    files: list[Path] = []
    left_out: list[str] = []
    for name, drawing in drawings.items():
        profile = profiles.get(_family(name), pd.DataFrame())
        if name not in ("adoption", "economics", "discovery") and profile.empty:
            left_out.append(f"{name}: there are no numbers for it")
            continue
        try:
            chart = drawing()
        except ValueError as error:
            left_out.append(f"{name}: {error}")
            continue
        files += save(chart, folder, name)
        plt.close(chart.figure)
    return files, left_out


def _by_view(scenarios: pd.DataFrame, given: str) -> list[tuple[str, pd.DataFrame]]:
    """Return the scenarios of each view, as listed: a chart shows one view, and names it."""
    if "view" not in scenarios.columns:
        return [(given, scenarios)]
    views = list(dict.fromkeys(scenarios["view"].astype(str)))
    return [(view, scenarios[scenarios["view"] == view].drop(columns="view")) for view in views]


def _family(name: str) -> str:
    """Return the family of a chart: its name without the view."""
    return name.removesuffix("_transition").removesuffix("_settled")


def _drawings_of_a_view(
    profiles: Mapping[str, pd.DataFrame],
    scenarios: pd.DataFrame,
    facts: Mapping[str, Any],
    common: Mapping[str, str],
    suffix: str,
) -> dict[str, Callable[[], Chart]]:
    """Return what draws the charts of one view's scenarios, by name."""
    targets = {(t["pathway"], t["urgency"]): t["days"] for t in facts["targets"]}
    outages = pd.DataFrame(facts["outages"], columns=["from_day", "to_day"]) if facts["outages"] else None
    return {
        f"time_to_care{suffix}": lambda: time_to_care(
            profiles["time_to_care"], scenarios, targets=targets, **common
        ),
        f"delivery_delay{suffix}": lambda: delivery_delay(
            profiles["delivery_delay"], scenarios, facts["deadlines"], **common
        ),
        f"stages{suffix}": lambda: stages(profiles["stages"], scenarios, **common),
        f"backlog{suffix}": lambda: backlog(profiles["backlog"], scenarios, outages, **common),
        f"weeks{suffix}": lambda: weeks(profiles["weeks"], scenarios, **common),
    }
