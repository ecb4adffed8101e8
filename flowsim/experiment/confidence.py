"""How sure the results are, as tables beside the comparison: one file each, and what they are read back as.

``pairing.csv``: what pairing by replication was worth. ``many_comparisons.csv``: p-values adjusted for how
many there are. ``rare_shares.csv``: counts with score intervals. ``steady_state.csv``: whether warm-up was
long enough. ``case_differences.csv``: the same cases in two worlds, where cases are kept.
``conditional_shares.csv``: shares lost from known chances, where messages are kept and nothing but the
catalogue's rates decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.parquet as pq

from flowsim.config.compose import Study
from flowsim.config.experiment_file import Design
from flowsim.experiment.conditional import COLUMNS, conditional_table, has_known_chances
from flowsim.plan import build_plan
from flowsim.plan.calendars import norwegian_holidays
from flowsim.statistics import (
    baselines,
    case_pairs,
    many_comparisons,
    pairing_gains,
    pairs,
    rare_shares,
    settling,
)

#: The tables, by the names of their files.
TABLES: Final = (
    "pairing",
    "many_comparisons",
    "rare_shares",
    "steady_state",
    "case_differences",
    "conditional_shares",
)
_CASE: Final = ["case", "pathway", "urgency", "time_to_care_days"]


def comparison_tables(
    study: Study, summary: pd.DataFrame, scenarios: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the tables that follow from the summary; those about differences only with a baseline rule."""
    if summary.empty:
        return {}
    tables = {"rare_shares": rare_shares(summary)}
    rule = study.baseline_rule()
    if rule:
        differences = pairs(summary, baselines(scenarios, rule))
        tables["pairing"] = pairing_gains(differences)
        tables["many_comparisons"] = many_comparisons(differences, study.declared_measures())
    return tables


def steady_table(study: Study, backlog: pd.DataFrame | None) -> pd.DataFrame:
    """Return whether the lists of each scenario had settled when the window opened."""
    if backlog is None or backlog.empty or "waiting_for" not in backlog:
        return pd.DataFrame()
    base = study.base
    transient = {point.name for point in study.points if changes_inside(point.design)}
    days = int(backlog["day"].max())
    holidays = norwegian_holidays(base.start, days)
    return settling(backlog, base.start, base.warm_up.hours / 24.0, transient, holidays)


def changes_inside(design: Design) -> bool:
    """Return whether something changes for good inside a run, so that there is no steady state to come to."""
    adoption = design.adoption
    rolled = adoption.rolls_out(design.view) or bool(adoption.go_live) or adoption.diffusion is not None
    return rolled or adoption.leave_per_year.value > 0 or bool(design.defects.known)


def case_table(study: Study, scenarios: pd.DataFrame, kept: Sequence[tuple[str, int, Path]]) -> pd.DataFrame:
    """Return how the same cases fare in each scenario and its baseline; empty where no cases are kept.

    ``kept`` has the scenario, the replication and the file of its cases.
    """
    rule = study.baseline_rule()
    if study.experiment.keep == "summary" or not rule:
        return pd.DataFrame()
    baseline_of = baselines(scenarios, rule)
    files = {(scenario, replication): path for scenario, replication, path in kept if path.exists()}

    def frames() -> Iterator[tuple[str, str, int, pd.DataFrame, pd.DataFrame]]:
        for (scenario, replication), path in files.items():
            baseline = baseline_of.get(scenario, "")
            other = files.get((baseline, replication))
            if other is not None:
                yield scenario, baseline, replication, _cases(path), _cases(other)

    return case_pairs(frames())


def conditional_shares(study: Study, kept: Sequence[tuple[str, int, Path]]) -> pd.DataFrame:
    """Return shares lost from known chances for the scenarios that allow it.

    ``kept`` has the scenario, the replication and the file of its messages; empty where none are kept.
    """
    tables = []
    for point in study.points:
        paths = [path for scenario, _, path in kept if scenario == point.name and path.exists()]
        if paths and has_known_chances(point.design):
            frames = [pq.read_table(path, columns=COLUMNS).to_pandas() for path in paths]
            tables.append(conditional_table(point.name, build_plan(point.design), frames))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _cases(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(path, columns=_CASE).to_pandas()
    return frame


def read(path: Path) -> pd.DataFrame:
    """Return one of the tables as it was written; one without rows where there is no such file."""
    if not path.is_file():
        return pd.DataFrame()
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    words = frame.select_dtypes(exclude="number").columns
    frame[words] = frame[words].fillna("")
    return (
        frame.assign(group=frame["group"].astype(object).fillna("").astype(str))
        if "group" in frame
        else frame
    )
