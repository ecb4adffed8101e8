"""``flowsim detectability``: replications on any executor, then the tables and the map."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib import pyplot as plt

from flowsim.charts import detectability as detectability_chart
from flowsim.charts.style import save
from flowsim.config.compose import Study
from flowsim.config.experiment_file import Design
from flowsim.config.twins import design_key
from flowsim.errors import Interrupted, RunFailed
from flowsim.experiment.basis import basis_of
from flowsim.experiment.detectability import (
    FRAMES,
    burden_table,
    detectability_table,
    rules_table,
    score_replication,
    score_table,
)
from flowsim.experiment.jobs import Job, Kind, Program
from flowsim.experiment.tables import read_table, write_csv
from flowsim.experiment.watching import Setting
from flowsim.runner import Options, pool_of, processes
from flowsim.runner.scheduling import InlineExecutor, Progress, Schedule
from flowsim.runner.store import MANIFEST, RUNS, is_whole, locked, work_on, write_json

CHARTS: Final = "charts"
MAP: Final = "detectability"
#: Which alerts the map shows: hard and soft ones, as some classes have soft rules only.
LEVEL: Final = "any"


@dataclass(frozen=True)
class Detected:
    """The tables over all replications, and what was written."""

    table: pd.DataFrame
    burden: pd.DataFrame
    files: tuple[Path, ...]
    replications: int
    new: int


def detect(
    study: Study,
    options: Options,
    program: Program,
    setting: Setting,
    progress: Progress,
    executor: Callable[[], Executor] | None = None,
) -> Detected:
    """Score replications 1 to n of an experiment's base and write the tables and the map.

    Finished replications are kept in the folder and not done again, by the same files and program. Results
    do not depend on workers or executor. Writes ``score.csv``, ``detectability.csv``, ``alerts.csv``,
    ``rules.csv`` and ``charts/detectability``. Raises ``RunFailed`` and ``Interrupted``, as ``run_study``.
    """
    design = study.designs()[0].design
    count = options.replications or study.experiment.replications.at_least
    jobs = _jobs(design, count, program, setting)
    with locked(options.out):
        runs = options.out / RUNS
        runs.mkdir(parents=True, exist_ok=True)
        for left in runs.glob("*.part"):
            shutil.rmtree(left, ignore_errors=True)
        done = {job.hash for job in jobs if is_whole(runs / job.hash)}
        before = len(done)
        schedule = Schedule(jobs, done, progress)
        carry_out = partial(score_replication, setting=setting)

        def call(job: Job) -> tuple[Any, ...]:
            return work_on, job, runs, carry_out

        try:
            with pool_of(executor or partial(processes, options.workers)) as pool:
                window = 1 if isinstance(pool, InlineExecutor) else options.workers
                failures = schedule.run(pool, call, window)
        except KeyboardInterrupt:
            raise Interrupted(
                f"Interrupted. {len(done)} finished replications are kept in {options.out}.",
                f"To go on: {options.again}",
            ) from None
        if failures:
            lines = "\n".join(f"  {failure}" for failure in failures)
            raise RunFailed(
                f"{len(failures)} replications failed:\n{lines}", f"To try again: {options.again}"
            )
        return _write(design, options.out, jobs, setting, len(done) - before)


def _jobs(design: Design, count: int, program: Program, setting: Setting) -> list[Job]:
    """Return a job for each replication, with a hash of all that its score rests on."""
    key = design_key(design)
    told = {
        "design": key,
        "program": [program.version, program.kernel, program.code],
        "logs": {name: logs.model_dump(mode="json") for name, logs in setting.logs.items()},
        "rules": setting.rules.model_dump(mode="json"),
        "sets": setting.sets,
        "strictness": setting.strictness,
        "joined": sorted(setting.joined),
    }
    jobs = []
    for number in range(1, count + 1):
        text = json.dumps([told, number], sort_keys=True)
        name = blake2b(text.encode(), digest_size=10).hexdigest()
        jobs.append(Job(Kind.scenario, design.scenario, number, key, design, "score", name))
    return jobs


def _read(runs: Path, jobs: Sequence[Job], name: str) -> pd.DataFrame:
    """Return a frame of all replications, in their order."""
    parts = [
        read_table(runs / job.hash / f"{name}.parquet").assign(replication=job.replication) for job in jobs
    ]
    return pd.concat(parts, ignore_index=True)


def _write(design: Design, out: Path, jobs: Sequence[Job], setting: Setting, new: int) -> Detected:
    """Write tables, map and manifest from the folders of all replications."""
    frames = {name: _read(out / RUNS, jobs, name) for name in FRAMES}
    table = detectability_table(frames["classes"], frames["times"], setting.rules)
    burden = burden_table(frames["burden"])
    tables = {
        "score": score_table(frames["classes"], frames["burden"]),
        "detectability": table,
        "alerts": burden,
        "rules": rules_table(frames["rules"]),
    }
    for name, frame in tables.items():
        write_csv(frame, out / f"{name}.csv")
    files = [out / f"{name}.csv" for name in tables]
    basis = basis_of(design)
    if (table["due"] > 0).any():
        chart = detectability_chart(table, burden, LEVEL, design.view, design.rates, basis)
        files += save(chart, out / CHARTS, MAP)
        plt.close(chart.figure)
    facts = {
        "experiment": design.experiment,
        "replications": len(jobs),
        "view": design.view,
        "rates": design.rates,
        "basis": basis,
        "logs": list(setting.logs),
        "strictness": setting.strictness,
        "whole": True,
    }
    write_json(out / MANIFEST, facts)
    return Detected(table, burden, tuple(files), len(jobs), new)
