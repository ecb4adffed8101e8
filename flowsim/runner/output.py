"""What an output folder holds beside its runs: the configuration, the result tables, profiles and charts."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pandas as pd

from flowsim.charts.inputs import BOTH
from flowsim.config.compose import Study
from flowsim.economics import economics_tables
from flowsim.errors import UsageError
from flowsim.experiment import confidence
from flowsim.experiment.basis import basis_of, organisations_joined, practices_joined
from flowsim.experiment.drawing import chart_facts, draw_charts
from flowsim.experiment.jobs import Campaign, Job
from flowsim.experiment.levers import lever_costs
from flowsim.experiment.tables import (
    comparison_table,
    merged,
    read_csv,
    read_table,
    summary_table,
    write_csv,
    write_table,
)
from flowsim.runner.store import MANIFEST, RUNS, read_manifest, write_json, write_resolved

SUMMARY: Final = "summary.csv"
SCENARIOS: Final = "scenarios.csv"
COMPARISON: Final = "comparison.csv"
#: What levers cost whom, where any is on.
LEVERS: Final = "levers.csv"
#: Tables that are written where the experiment names economics.
_ECONOMICS: Final = {
    "economics": "economics.csv",
    "break_even": "break_even.csv",
    "better_than_before": "better_than_before.csv",
}
GIVEN: Final = "experiment.yaml"
PROFILES: Final = "profiles"
CHARTS: Final = "charts"

_LIBRARIES: Final = ("numba", "numpy", "pandas", "pyarrow", "scipy", "simpy")


def view_of(study: Study) -> str:
    """Return which view the scenarios of a study show: settled, transition, or both."""
    views = {point.design.view for point in study.points}
    return views.pop() if len(views) == 1 else BOTH


def scenarios_table(study: Study) -> pd.DataFrame:
    """Return one row a scenario: its varied settings, and how many practices are on the platform.

    With economics also what these read: who else is on the platform, and the inhabitants.
    """
    rows: list[dict[str, Any]] = []
    for row, point in zip(study.scenario_rows(), study.points, strict=True):
        more = organisations_joined(point.design) if study.base.economics is not None else {}
        rows.append({**row, **practices_joined(point.design), **more})
    return pd.DataFrame(rows)


def begin(out: Path, study: Study, campaign: Campaign, workers: int) -> None:
    """Write what says which configuration the folder belongs to, before anything runs."""
    (out / RUNS).mkdir(exist_ok=True)
    for left in (out / RUNS).glob("*.part"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copyfile(study.path, out / GIVEN)
    write_resolved(out, study.resolved())
    write_json(out / MANIFEST, {**_manifest(study, campaign), "whole": False, "workers": workers})


def finish(
    out: Path, study: Study, campaign: Campaign, replications: int, told: Mapping[str, Any]
) -> list[str]:
    """Write tables, merged profiles, charts and the manifest for replications 1 to ``replications``.

    Returns what could not be drawn, and why.
    """
    jobs = [job for number in range(1, replications + 1) for job in campaign.scenario_jobs(number)]
    scenarios = scenarios_table(study)
    summary = read_summary(out, jobs)
    write_csv(summary, out / SUMMARY)
    write_csv(scenarios, out / SCENARIOS)
    write_csv(comparison_table(summary, scenarios, study.baseline_rule()), out / COMPARISON)
    levers = lever_costs(study)
    if not levers.empty:
        write_csv(levers, out / LEVERS)
    told = {**told, **_write_economics(out, study, summary, scenarios, levers)}
    _write_profiles(out, jobs)
    _write_confidence(out, study, jobs, summary, scenarios)
    write_json(out / MANIFEST, {**_manifest(study, campaign), "replications": replications, **told})
    return Results(out).draw()[1]


def _write_economics(
    out: Path,
    study: Study,
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    levers: pd.DataFrame,
) -> dict[str, Any]:
    """Write the tables of cost and benefit, and return what the manifest says of them; {} without."""
    base = study.base.economics
    settings = {p.name: p.design.economics for p in study.points if p.design.economics is not None}
    if base is None:
        # A folder may have had economics before: it holds runs, and these do not rest on them.
        for left in (*(out / name for name in _ECONOMICS.values()), *(out / CHARTS).glob("economics.*")):
            left.unlink(missing_ok=True)
        return {}
    rule = study.baseline_rule()
    tables = economics_tables(summary, scenarios, settings, rule, levers, basis_of(study.base))
    for name, table in zip(_ECONOMICS, tables[:3], strict=True):
        write_csv(table, out / _ECONOMICS[name])
    return {
        "economics": {
            "year": base.year,
            "inhabitants": base.inhabitants.value,
            "target": base.joining.target,
            "possible": base.joining.possible.value,
            "notes": [[key, list(codes)] for key, codes in tables.notes],
        }
    }


def _write_confidence(
    out: Path, study: Study, jobs: Sequence[Job], summary: pd.DataFrame, scenarios: pd.DataFrame
) -> None:
    """Write what says how sure the results are, and take away what an earlier state of the folder had."""
    tables = confidence.comparison_tables(study, summary, scenarios)
    backlog = out / PROFILES / "backlog.parquet"
    tables["steady_state"] = confidence.steady_table(study, read_table(backlog) if backlog.exists() else None)
    kept = [(job.label, job.replication, out / RUNS / job.hash / "cases.parquet") for job in jobs]
    tables["case_differences"] = confidence.case_table(study, scenarios, kept)
    messages = [(job.label, job.replication, out / RUNS / job.hash / "messages.parquet") for job in jobs]
    tables["conditional_shares"] = confidence.conditional_shares(study, messages)
    for name in confidence.TABLES:
        path = out / f"{name}.csv"
        if name in tables and not tables[name].empty:
            write_csv(tables[name], path)
        else:
            path.unlink(missing_ok=True)


def read_summary(out: Path, jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the summary of finished jobs: by scenario in their order, then replication."""
    return summary_table(_parts(out, jobs, "summary.parquet"))


def _parts(out: Path, jobs: Sequence[Job], name: str) -> list[tuple[str, int, pd.DataFrame]]:
    """Return the named table of each job, scenario by scenario, each with its replications in order."""
    order = {label: place for place, label in enumerate(dict.fromkeys(job.label for job in jobs))}
    ordered = sorted(jobs, key=lambda job: (order[job.label], job.replication))
    return [
        (job.label, job.replication, read_table(out / RUNS / job.hash / name))
        for job in ordered
        if (out / RUNS / job.hash / name).exists()
    ]


def _write_profiles(out: Path, jobs: Sequence[Job]) -> None:
    """Write each profile of all scenarios and replications into one file."""
    names = {path.stem for job in jobs for path in (out / RUNS / job.hash / PROFILES).glob("*.parquet")}
    (out / PROFILES).mkdir(exist_ok=True)
    for name in sorted(names):
        parts = _parts(out, jobs, f"{PROFILES}/{name}.parquet")
        write_table(merged(parts), out / PROFILES / f"{name}.parquet")


def _manifest(study: Study, campaign: Campaign) -> dict[str, Any]:
    """Return what a reader must know about a folder; times and machine stand here only."""
    base = study.base
    return {
        "experiment": study.experiment.name,
        "question": study.experiment.question,
        "program": {
            "version": campaign.program.version,
            "kernel": campaign.program.kernel,
            "code": campaign.program.code,
        },
        "seed": base.seed,
        "view": view_of(study),
        "basis": basis_of(base),
        "notice": base.topology.notice,
        "background": {p.label: p.scale for p in base.pathways.values() if p.scale != 1},
        "topology": {
            "name": base.topology.name,
            "inhabitants": base.topology.inhabitants,
            "practices": practices_joined(base)["practices_total"],
        },
        "charts": chart_facts(base),
        "windows": {name: str(getattr(base, name)) for name in ("warm_up", "observe", "follow_up")},
        "compare": study.baseline_rule(),
        "scenarios": len(campaign.points),
        "scenarios_of_the_experiment": len(study.points),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "libraries": {name: _version(name) for name in _LIBRARIES},
        },
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "unknown"


class Results:
    """The tables of an output folder, as ``show``, ``compare`` and ``chart`` read them."""

    def __init__(self, out: Path) -> None:
        """Open a folder; raises ``UsageError`` where it holds no results (yet)."""
        manifest = read_manifest(out)
        if manifest is None or not (out / SUMMARY).is_file():
            state = "is not finished" if manifest is not None else "holds no results of flowsim"
            hint = (
                "The same 'flowsim run' goes on from there."
                if manifest is not None
                else "Run an experiment first."
            )
            raise UsageError(f"{out} {state}.", hint)
        self.out = out
        self.manifest = manifest

    @property
    def summary(self) -> pd.DataFrame:
        """Return ``summary.csv``."""
        return read_csv(self.out / SUMMARY)

    @property
    def scenarios(self) -> pd.DataFrame:
        """Return ``scenarios.csv``."""
        return read_csv(self.out / SCENARIOS)

    @property
    def comparison(self) -> pd.DataFrame:
        """Return ``comparison.csv``."""
        return read_csv(self.out / COMPARISON)

    def confidence(self, name: str) -> pd.DataFrame:
        """Return a table of ``confidence.TABLES``; one without rows where the folder has none."""
        return confidence.read(self.out / f"{name}.csv")

    @property
    def economics(self) -> dict[str, pd.DataFrame]:
        """Return the tables of cost and benefit by name; {} where the experiment names no economics."""
        if (
            not all((self.out / file).is_file() for file in _ECONOMICS.values())
            or "economics" not in self.manifest
        ):
            return {}
        return {name: read_csv(self.out / file) for name, file in _ECONOMICS.items()}

    @property
    def profiles(self) -> dict[str, pd.DataFrame]:
        """Return the merged profiles by name."""
        return {path.stem: read_table(path) for path in sorted((self.out / PROFILES).glob("*.parquet"))}

    def draw(self, language: str = "en") -> tuple[list[Path], list[str]]:
        """Draw all charts into the folder, and return their files and what was left out, with the reason.

        Scenarios that were not run are left out of every chart.
        """
        summary, scenarios = self.summary, self.scenarios
        run = scenarios[scenarios["scenario"].isin(set(summary["scenario"]))]
        tables = {"summary": summary, "scenarios": run, "comparison": self.comparison, **self.economics}
        return draw_charts(self.out / CHARTS, tables, self.profiles, self.manifest, language)
