"""One job carried out: simulate, follow every case, measure, and write the files of one run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim import simulation
from flowsim.episodes import Episodes, EpisodesFold, Organisation, OrganisationFold
from flowsim.experiment.in_loop import simulate_watched
from flowsim.experiment.jobs import Job, Kind
from flowsim.experiment.tables import read_table, write_table
from flowsim.journal import Block, Fold, ParquetJournal, RunHeader, write_frame
from flowsim.measures import TwinTimes, measure_all
from flowsim.plan import Plan, build_plan
from flowsim.plan.smallest import smallest_plan
from flowsim.vocabulary import JOURNAL_SCHEMA

TIMES: Final = "times.parquet"
SUMMARY: Final = "summary.parquet"
PROFILES: Final = "profiles"

#: Plans are built once a process and design; a bound keeps long experiments within memory.
_PLANS_MAX: Final = 128
_plans: dict[str, Plan] = {}


def prepare(say: Callable[[str], None]) -> None:
    """Compile what is compiled, or load it, before workers start; ``say`` is told before a long wait."""
    simulation.prepare(say)
    fold = EpisodesFold()
    fold.start(RunHeader.from_dict(smallest_plan().header))
    fold.take(np.zeros(1, JOURNAL_SCHEMA))


def carry_out(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
    """Run a job, write its files into ``folder``, and return what there is to tell about the run.

    ``twins`` has the finished folder of each job that this one needs. A twin writes its times to care;
    a scenario writes its measures and profiles, and cases, messages and events as ``keep`` says.
    """
    plan = _plan(job)
    header = RunHeader.from_dict(plan.header)
    fold = EpisodesFold()
    folds: list[Fold[Any]] = [fold]
    accounts = OrganisationFold() if job.kind == Kind.scenario else None
    if accounts is not None:
        folds.append(accounts)
    if job.keep == "events":
        folds.append(ParquetJournal(folder / "events.parquet"))
    for each in folds:
        each.start(header)

    def take(block: Block) -> None:
        for each in folds:
            each.take(block)

    if job.design.is_watched:
        info = simulate_watched(job.design, plan, job.replication, take)
    else:
        info = simulation.simulate(plan, job.replication, take)
    episodes, *others = [each.finish() for each in folds]
    if accounts is not None:
        times = [_read_times(twins[need] / TIMES) for need in job.needs]
        _write_results(job, folder, header, episodes, others[0], times)
    else:
        _write_times(TwinTimes.of(episodes), folder / TIMES)
    return _plain(info)


def _plan(job: Job) -> Plan:
    """Return the plan of a job's design, built once a process."""
    if job.design_key not in _plans:
        if len(_plans) >= _PLANS_MAX:
            _plans.pop(next(iter(_plans)))
        _plans[job.design_key] = build_plan(job.design)
    return _plans[job.design_key]


def _write_results(
    job: Job,
    folder: Path,
    header: RunHeader,
    episodes: Episodes,
    organisation: Organisation,
    times: list[TwinTimes],
) -> None:
    """Write the measures and profiles of a scenario, and as much else as it keeps."""
    ideal, same_adoption = times or (None, None)
    write_table(measure_all(episodes, header, ideal, same_adoption, organisation), folder / SUMMARY)
    (folder / PROFILES).mkdir()
    frames = {**episodes.profiles, "work": organisation.work, "defects": organisation.defects}
    for name, frame in frames.items():
        write_table(frame, folder / PROFILES / f"{name}.parquet")
    if job.keep in ("cases", "messages", "events"):
        write_frame(episodes.cases, folder / "cases.parquet", header)
    if job.keep in ("messages", "events"):
        write_frame(episodes.deliveries, folder / "messages.parquet", header)


def _write_times(times: TwinTimes, path: Path) -> None:
    write_table(pd.DataFrame({"case": times.case, "time_to_care_days": times.time_to_care_days}), path)


def _read_times(path: Path) -> TwinTimes:
    frame = read_table(path)
    return TwinTimes(frame["case"].to_numpy(), frame["time_to_care_days"].to_numpy())


def _plain(info: simulation.RunInfo) -> dict[str, Any]:
    """Return what a simulation tells about its run as plain data."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in info._asdict().items()}
