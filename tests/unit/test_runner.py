"""Running a study: whatever happens, what is finished is kept, and the same command goes on from there."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # the workers of a test find the module by its name
import studies

from flowsim.config.compose import Study, load_study
from flowsim.errors import FaultsInFile, Interrupted, OutputConflict, RunFailed, UsageError
from flowsim.experiment.jobs import Job, Kind, Program
from flowsim.runner import Options, Outcome, Silent, default_workers, run_study
from flowsim.runner.store import CarryOut, checksum, is_whole


@pytest.fixture(autouse=True)
def charts(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Take the place of the charts, which take longer than all the rest; they have their own tests."""
    drawn: list[Path] = []

    def draw(folder: Path, *_: object) -> tuple[list[Path], list[str]]:
        drawn.append(folder)
        return [], ["stages: there are no numbers for it"]

    monkeypatch.setattr("flowsim.runner.output.draw_charts", draw)
    return drawn


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return load_study(studies.write_study(tmp_path))


def go(
    study: Study,
    out: Path,
    carry_out: CarryOut = studies.pretend,
    program: Program = studies.PROGRAM,
    **more: Any,
) -> Outcome:
    executor = more.pop("executor", None)
    progress = more.pop("progress", None)
    return run_study(study, Options(out, **more), program, carry_out, progress, executor)


def contents(folder: Path) -> dict[str, str]:
    """Return every file's hash but those that hold times and machines."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", "run_info.json")
    }


class Recorder:
    """Remembers which jobs were carried out, in order."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def __call__(self, job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        self.jobs.append(job)
        return studies.pretend(job, folder, twins)


def out_of_order(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
    """Take so long that jobs finish in another order than they were begun."""
    time.sleep(0.03 * (1 - studies.luck(job)))
    return studies.pretend(job, folder, twins)


# --- what a run writes ----------------------------------------------------------------------------


def test_a_run_writes_the_tables_with_exactly_their_columns(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = go(study, out)
    # 4 scenarios, 2 levels' twins and 1 ideal twin, each twice
    assert (outcome.runs, outcome.new_runs, outcome.replications) == (14, 14, 2)
    summary = (out / "summary.csv").read_text().splitlines()
    assert summary[0] == "scenario,replication,measure,group,value,unit"
    assert len(summary) == 1 + 4 * 2 * 4
    header, first, *_ = (out / "comparison.csv").read_text().splitlines()
    assert header == "scenario,baseline,measure,group,difference,low,high,unit,replications"
    assert first.startswith(
        '"gp_practices=100 %, rates=equal","gp_practices=0 %, rates=equal",referrals_created,,0.0,'
    )
    assert (out / "scenarios.csv").read_text().splitlines()[:2] == [
        "scenario,adoption.gp_practices,rates,practices_on_platform,practices_total",
        '"gp_practices=0 %, rates=equal",0 %,equal,0,3',
    ]
    assert (out / "experiment.yaml").read_bytes() == study.path.read_bytes()
    backlog = pd.read_parquet(out / "profiles" / "backlog.parquet")
    assert list(backlog.columns[:2]) == ["scenario", "replication"]
    assert len(backlog) == 4 * 2 * 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["whole"], manifest["replications"], manifest["basis"]) == (True, 2, "assumed")
    assert not (out / ".lock").exists()


def test_the_difference_is_paired_by_replication(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path / "out")
    summary = pd.read_csv(tmp_path / "out" / "summary.csv", keep_default_na=False)
    part = summary[(summary.measure == "referrals_lost_share") & (summary.group == "")]
    wide = part.pivot(index="replication", columns="scenario", values="value").astype(float)
    wanted = (wide["gp_practices=100 %, rates=equal"] - wide["gp_practices=0 %, rates=equal"]).mean()
    table = pd.read_csv(tmp_path / "out" / "comparison.csv", keep_default_na=False)
    row = table[(table.measure == "referrals_lost_share") & (table.group == "")].iloc[0]
    assert float(row.difference) == pytest.approx(wanted)


def test_twins_come_before_what_reads_them_and_are_simulated_once_for_all(
    study: Study, tmp_path: Path
) -> None:
    recorder = Recorder()
    go(study, tmp_path / "out", recorder)
    done: set[str] = set()
    for job in recorder.jobs:
        assert set(job.needs) <= done
        done.add(job.hash)
    kinds = [job.kind for job in recorder.jobs if job.replication == 1]
    assert (kinds.count(Kind.ideal), kinds.count(Kind.same_adoption), kinds.count(Kind.scenario)) == (1, 2, 4)


def test_results_do_not_depend_on_the_executor_or_on_what_finishes_first(
    study: Study, tmp_path: Path
) -> None:
    go(study, tmp_path / "one")
    go(study, tmp_path / "other", out_of_order, executor=lambda: ThreadPoolExecutor(4), workers=4)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_processes_give_the_same_bytes_as_one_worker(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path / "one")
    go(study, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_charts_are_drawn_at_the_end_and_what_is_left_out_is_told(
    study: Study, tmp_path: Path, charts: list[Path]
) -> None:
    told: list[str] = []
    progress = Silent()
    progress.note = told.append  # type: ignore[method-assign]
    go(study, tmp_path / "out", progress=progress)
    assert charts == [tmp_path / "out" / "charts"]
    assert told == ["No chart of stages: there are no numbers for it."]


def test_the_number_of_workers_is_that_of_the_cores() -> None:
    assert default_workers() >= 1


# --- going on -------------------------------------------------------------------------------------


def test_the_same_command_again_runs_nothing_and_writes_the_same(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(study, out)
    before = contents(out)
    recorder = Recorder()
    assert go(study, out, recorder).new_runs == 0
    assert recorder.jobs == []
    assert contents(out) == before


def test_more_replications_add_to_those_that_are_there(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path / "out", replications=1)
    recorder = Recorder()
    go(study, tmp_path / "out", recorder, replications=3)
    assert {job.replication for job in recorder.jobs} == {2, 3}
    go(study, tmp_path / "whole", replications=3)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("damage", ["truncated", "missing", "run_info"])
def test_a_damaged_run_is_noticed_and_done_again(study: Study, tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    go(study, out)
    before = contents(out)
    victim = next(out.glob("runs/*/summary.parquet"))
    if damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-7])
    elif damage == "missing":
        victim.unlink()
    else:
        (victim.parent / "run_info.json").write_text("{")
    assert not is_whole(victim.parent)
    recorder = Recorder()
    assert go(study, out, recorder).new_runs == 1
    assert [job.hash for job in recorder.jobs] == [victim.parent.name]
    assert contents(out) == before


def test_what_a_killed_run_left_half_written_is_not_taken_for_done(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(study, out, replications=1)
    whole = next(out.glob("runs/*/summary.parquet")).parent
    whole.rename(whole.with_name(whole.name + ".part"))
    go(study, out, replications=1)
    assert is_whole(whole)
    assert not list(out.glob("runs/*.part"))


def test_an_interrupt_keeps_what_is_finished_and_says_how_to_go_on(study: Study, tmp_path: Path) -> None:
    out, calls = tmp_path / "out", []

    def interrupted(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        calls.append(job)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return studies.pretend(job, folder, twins)

    with pytest.raises(Interrupted) as error:
        go(study, out, interrupted, again="flowsim run small.yaml")
    assert error.value.exit_code == 130
    assert (
        str(error.value)
        == f"Interrupted. 5 finished runs are kept in {out}. To go on: flowsim run small.yaml"
    )
    assert go(study, out).new_runs == 14 - 5
    go(study, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")


def test_only_some_scenarios_can_be_run_and_the_rest_later(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(study, out, only=("*rates=equal",))
    summary = pd.read_csv(out / "summary.csv")
    assert set(summary["scenario"]) == {"gp_practices=0 %, rates=equal", "gp_practices=100 %, rates=equal"}
    go(study, out)
    go(study, tmp_path / "whole")
    assert contents(out)["summary.csv"] == contents(tmp_path / "whole")["summary.csv"]


def test_a_scenario_that_does_not_exist_is_a_mistake_of_usage(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'gp_practices=100 %, rates=equal'"):
        go(study, tmp_path / "out", only=("gp_practices=10 %, rates=equal",))
    assert not (tmp_path / "out").exists()


# --- failures -------------------------------------------------------------------------------------


def test_a_failing_run_is_named_and_the_others_are_kept(study: Study, tmp_path: Path) -> None:
    def fails(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        if (
            job.kind == Kind.scenario
            and job.replication == 2
            and job.label.startswith("gp_practices=100 %, rates=eq")
        ):
            raise RuntimeError("the mail went wrong")
        return studies.pretend(job, folder, twins)

    out = tmp_path / "out"
    with pytest.raises(RunFailed) as error:
        go(study, out, fails, again="flowsim run x")
    text = str(error.value)
    assert (
        "1 run failed:\n  gp_practices=100 %, rates=equal, replication 2: RuntimeError: the mail went wrong"
        in text
    )
    assert "13 runs are kept" in text
    assert "the tables hold replications 1 to 1, which are whole" in text
    assert text.endswith("To try again what is missing: flowsim run x")
    assert set(pd.read_csv(out / "summary.csv")["replication"]) == {1}
    assert json.loads((out / "manifest.json").read_text())["whole"] is False
    assert "the mail went wrong" in next(out.glob("runs/*.part/error.txt")).read_text()
    assert go(study, out).new_runs == 1


def test_what_needs_a_twin_that_failed_is_not_begun(study: Study, tmp_path: Path) -> None:
    def fails(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        if job.kind == Kind.ideal:
            raise RuntimeError("no")
        assert job.kind != Kind.scenario
        return studies.pretend(job, folder, twins)

    with pytest.raises(RunFailed, match="needs 'ideal messages, replication 1', which failed"):
        go(study, tmp_path / "out", fails)
    assert not (tmp_path / "out" / "summary.csv").exists()


def test_a_full_disk_is_said_plainly_and_nothing_more_is_begun(study: Study, tmp_path: Path) -> None:
    calls: list[Job] = []

    def full(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        calls.append(job)
        if len(calls) == 4:
            raise OSError(errno.ENOSPC, "No space left on device", "big.parquet")
        return studies.pretend(job, folder, twins)

    with pytest.raises(RunFailed) as error:
        go(study, tmp_path / "out", full)
    assert "No space left on device (big.parquet)" in str(error.value)
    assert "3 runs are kept" in str(error.value)
    assert "10 were not begun" in str(error.value)
    assert len(calls) == 4


def test_a_killed_worker_is_survived(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RunFailed, match=r"replication 2: its worker process ended suddenly") as error:
        go(study, out, studies.die, workers=2)
    assert error.value.exit_code == 1
    kept = [folder for folder in (out / "runs").iterdir() if is_whole(folder)]
    assert len(kept) >= 7
    assert go(study, out).new_runs == 14 - len(kept)


def test_a_mistake_in_a_file_that_only_a_run_finds_is_told_as_one(study: Study, tmp_path: Path) -> None:
    from flowsim.errors import Fault

    def finds(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        raise FaultsInFile([Fault("a.yaml", 3, "", "is wrong.")])

    with pytest.raises(FaultsInFile, match=r"a\.yaml:3"):
        go(study, tmp_path / "out", finds)


# --- one folder, one configuration, one run -------------------------------------------------------


def test_another_configuration_is_refused_and_nothing_is_overwritten(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(study, out)
    before = contents(out)
    other = load_study(studies.write_study(tmp_path / "b", studies.EXPERIMENT.replace("seed: 1", "seed: 2")))
    with pytest.raises(OutputConflict) as error:
        go(other, out)
    assert "another configuration:\n  seed: 1 there, 2 now" in str(error.value)
    assert "Nothing was overwritten" in str(error.value)
    assert contents(out) == before


def test_a_change_deep_in_a_named_file_is_seen_too(study: Study, tmp_path: Path) -> None:
    go(study, tmp_path / "out", replications=1)
    path = studies.write_study(tmp_path / "b")
    topology = path.parent / "minimal.yaml"
    topology.write_text(topology.read_text().replace("attempts: 6", "attempts: 5", 1))
    with pytest.raises(
        OutputConflict, match=r"topology\.relays\.gp_client\.resend\.attempts: 6 there, 5 now"
    ):
        go(load_study(path), tmp_path / "out")


@pytest.mark.parametrize("part", ["version", "kernel", "code"])
def test_another_version_is_refused(study: Study, tmp_path: Path, part: str) -> None:
    go(study, tmp_path / "out", replications=1)
    other = Program(**{**vars(studies.PROGRAM), part: "2"})
    with pytest.raises(
        OutputConflict,
        match=f"another version of flowsim:\n  {part}: {getattr(studies.PROGRAM, part)} there, 2 now",
    ):
        go(study, tmp_path / "out", program=other)


def test_a_folder_with_other_files_is_left_alone(study: Study, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("years of work")
    with pytest.raises(OutputConflict, match=r"not results of flowsim \(thesis\.doc\)"):
        go(study, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.doc"]


def test_a_folder_that_cannot_be_made_is_said_plainly(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputConflict, match="cannot be written"):
        go(study, tmp_path / "file")


def test_a_second_run_into_the_same_folder_is_refused(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    held = os.open(out / ".lock", os.O_CREAT | os.O_RDWR)
    os.write(held, b"process 4711 on here\n")
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(OutputConflict, match="is in use by process 4711 on here"):
        go(study, out)
    os.close(held)
    # What is left of it is a lock file that nobody holds.
    assert go(study, out).new_runs == 14


# --- how many replications ------------------------------------------------------------------------


UNTIL = (
    "replications: {at_least: 2, at_most: 12, step: 2, "
    "until: {difference_in: referrals_lost_share, half_width: %s}}"
)


@pytest.mark.parametrize(
    ("width", "replications", "precise"), [("1000 points", 4, True), ("0.0001 points", 12, False)]
)
def test_replications_are_added_until_differences_are_precise(
    tmp_path: Path, width: str, replications: int, precise: bool
) -> None:
    text = studies.EXPERIMENT.replace("replications: {at_least: 2, at_most: 2}", UNTIL % width)
    study = load_study(studies.write_study(tmp_path, text))
    outcome = go(study, tmp_path / "out")
    assert (outcome.replications, outcome.precise) == (replications, precise)


def test_the_answer_is_the_same_whatever_was_there_before(tmp_path: Path) -> None:
    text = studies.EXPERIMENT.replace("replications: {at_least: 2, at_most: 2}", UNTIL % "6 points")
    study = load_study(studies.write_study(tmp_path, text))
    first = go(study, tmp_path / "one")
    go(study, tmp_path / "two", replications=12)
    second = go(study, tmp_path / "two", out_of_order, executor=lambda: ThreadPoolExecutor(4), workers=4)
    assert 4 < first.replications < 12
    assert first.replications == second.replications
    assert contents(tmp_path / "one")["summary.csv"] == contents(tmp_path / "two")["summary.csv"]


def test_a_checksum_reads_every_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (1 << 20) + b"a")
    (tmp_path / "b").write_bytes(b"x" * (1 << 20) + b"b")
    assert checksum(tmp_path / "a") != checksum(tmp_path / "b")
