"""Replications scored side by side, each kept when it is whole, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from flowsim import __version__, charts, simulation
from flowsim.catalogue import catalogue_path
from flowsim.charts.detectability import detectability
from flowsim.config.compose import Study
from flowsim.config.loading import load
from flowsim.config.rules_file import MonitorFile
from flowsim.experiment.detectability import (
    FRAMES,
    burden_table,
    detectability_table,
    rules_table,
    score_replication,
    score_table,
)
from flowsim.experiment.jobs import Campaign, Program, code_hash
from flowsim.experiment.logs import catalogue_logs
from flowsim.experiment.tables import read_table
from flowsim.experiment.watching import Setting, joined_practices
from flowsim.runner import processes
from flowsim.runner.store import RUNS, is_whole, locked, work_on

MAP: Final = "detectability"


@dataclass(frozen=True)
class Scored:
    """What all replications say: the table of classes, alerts a day, each rule's worth, every number."""

    table: pd.DataFrame
    burden: pd.DataFrame
    rules: pd.DataFrame
    scores: pd.DataFrame

    def write(self, folder: Path, language: str) -> list[Path]:
        """Write the tables as CSV and the map with its numbers; return the files."""
        written = []
        for name, frame in (
            ("detectability", self.table), ("burden", self.burden),
            ("rules", self.rules), ("score", self.scores),
        ):  # fmt: skip
            written.append(folder / f"{name}.csv")
            frame.to_csv(written[-1], index=False, lineterminator="\n")
        chart = detectability(self.table, self.burden, language=language)
        (folder / "charts").mkdir(exist_ok=True)
        written += charts.save(chart, folder / "charts", MAP)
        return written


def score_study(
    study: Study,
    folder: Path,
    replications: int,
    logs: Sequence[str],
    rules: str,
    workers: int,
    say: Callable[[str], None],
) -> Scored:
    """Score replications 1 to n of an experiment's base, on processes, and put them together.

    What is done is taken from the folder's runs; their names hold the hash of all that they depend on.
    """
    path = Path(rules) if rules.endswith((".yaml", ".yml")) else catalogue_path("monitor", rules)
    file = load(path, MonitorFile)
    setting = Setting(
        {name: catalogue_logs(f"logs_{name}") for name in logs}, file, joined=joined_practices(study.base)
    )
    known = f"{code_hash()} {setting.rules!r} {setting.logs!r}"
    campaign = Campaign(study, Program(__version__, simulation.kernel_hash(), known), ())
    runs = folder / RUNS
    with locked(folder):
        jobs = [campaign.scenario_jobs(n)[0] for n in range(1, replications + 1)]
        missing = [job for job in jobs if not is_whole(runs / job.hash)]
        say(f"{study.experiment.name}: {replications} replications, {len(missing)} to do.")
        with processes(workers) as pool:
            score = partial(score_replication, setting=setting)
            for n, done in enumerate([pool.submit(work_on, job, runs, score) for job in missing], 1):
                done.result()
                say(f"{n} of {len(missing)} done")
    frames = {
        name: pd.concat(
            [
                read_table(runs / job.hash / f"{name}.parquet").assign(replication=job.replication)
                for job in jobs
            ],
            ignore_index=True,
        )
        for name in FRAMES
    }
    return Scored(
        detectability_table(frames["classes"], frames["times"], file),
        burden_table(frames["burden"]),
        rules_table(frames["rules"]),
        score_table(frames["classes"], frames["burden"]),
    )
