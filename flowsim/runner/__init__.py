"""Where an experiment runs: any ``concurrent.futures`` executor, run folders that survive, and going on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flowsim.config.compose import Study
from flowsim.errors import Interrupted, RunFailed
from flowsim.experiment.jobs import Campaign, Job, Program
from flowsim.experiment.tables import replications_enough
from flowsim.runner import output
from flowsim.runner.scheduling import Failure, InlineExecutor, Progress, Schedule
from flowsim.runner.store import RUNS, CarryOut, check_folder, is_whole, locked, work_on

__all__ = ["Options", "Outcome", "Progress", "Silent", "default_workers", "pool_of", "processes", "run_study"]

#: Failures named one by one on the console; the rest is counted.
FAILURES_SHOWN = 5


@dataclass(frozen=True)
class Options:
    """How to run: where to, on how many processes, and how much of the experiment.

    ``again`` is the command that goes on after an interrupt.
    """

    out: Path
    workers: int = 1
    replications: int | None = None
    only: tuple[str, ...] = ()
    again: str = "the same command"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: replications of every scenario, runs done and new, and the time it took."""

    replications: int
    runs: int
    new_runs: int
    seconds: float
    precise: bool | None


class Silent:
    """Progress that nobody hears."""

    def begin(self, done: int, total: int) -> None:
        """Say nothing."""

    def advance(self, done: int, total: int, failed: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


def default_workers() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_study(
    study: Study,
    options: Options,
    program: Program,
    carry_out: CarryOut,
    progress: Progress | None = None,
    executor: Callable[[], Executor] | None = None,
) -> Outcome:
    """Run what is missing of a study in its output folder, and write the result tables.

    ``carry_out`` is what a job does (``experiment.working.carry_out``). ``executor`` makes the executor;
    by default processes, or this one where there is one worker. Results do not depend on either. Raises
    ``UsageError``, ``OutputConflict``, ``RunFailed`` (the rest is kept and tabled) and ``Interrupted``.
    """
    heard = progress or Silent()
    campaign = Campaign(study, program, options.only)
    began = time.perf_counter()
    with locked(options.out):
        check_folder(options.out, study.resolved(), program)
        output.begin(options.out, study, campaign, options.workers)
        run = _Run(study, campaign, options, heard)
        try:
            with pool_of(executor or partial(processes, options.workers)) as pool:
                run.all_batches(pool, carry_out)
        except KeyboardInterrupt:
            raise Interrupted(
                f"Interrupted. {len(run.done)} finished runs are kept in {options.out}.",
                f"To go on: {options.again}",
            ) from None
        replications = run.complete_replications()
        if replications:
            told = {
                "whole": not run.failures,
                "workers": options.workers,
                "precise": run.precise,
                "failed": [str(f) for f in run.failures],
            }
            for left_out in output.finish(options.out, study, campaign, replications, told):
                heard.note(f"No chart of {left_out}.")
    if run.failures:
        raise _failed(run, replications, options)
    seconds = time.perf_counter() - began
    return Outcome(replications, len(run.done), run.new, seconds, run.precise)


def processes(workers: int) -> Executor:
    """Return an executor of new processes, or of this one where one worker is wanted."""
    if workers <= 1:
        return InlineExecutor()
    # Started afresh, not forked: a fork copies locks that other threads hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which decides what is kept."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def pool_of(make: Callable[[], Executor]) -> Iterator[Executor]:
    """Hold an executor; where it is left by an exception, end its processes and what they do."""
    before = set(multiprocessing.active_children())
    pool = make()
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
            child.join()
        raise
    pool.shutdown()


class _Run:
    """One run of a study: batches of replications until there are enough."""

    def __init__(self, study: Study, campaign: Campaign, options: Options, progress: Progress) -> None:
        self.study = study
        self.campaign = campaign
        self.options = options
        self.progress = progress
        self.done: set[str] = set()
        self.failures: list[Failure] = []
        self.new = 0
        self.target = 0
        #: Whether the stopping rule is met; None where there is none.
        self.precise: bool | None = None
        self._checked: set[str] = set()
        self._scenarios = output.scenarios_table(study)

    def all_batches(self, pool: Executor, carry_out: CarryOut) -> None:
        """Run batch after batch; each is judged when it is whole, so the answer is always the same."""
        rule = self.study.experiment.replications
        judged = rule.until is not None and self.options.replications is None
        self.target = self._first_target()
        while True:
            self._batch(pool, carry_out)
            if self.failures or not judged:
                return
            self.precise = self._enough()
            if self.precise or self.target >= rule.at_most:
                return
            self.target = min(self.target + rule.step, rule.at_most)

    def complete_replications(self) -> int:
        """Return the largest n such that replications 1 to n of every scenario are done."""
        for number in range(1, self.target + 1):
            if any(job.hash not in self.done for job in self.campaign.scenario_jobs(number)):
                return number - 1
        return self.target

    def _first_target(self) -> int:
        """Return how many replications to run before the stopping rule can be asked."""
        rule = self.study.experiment.replications
        if self.options.replications is not None:
            return self.options.replications
        return rule.at_least if rule.until is None else min(max(2, rule.at_least) + rule.step, rule.at_most)

    def _batch(self, pool: Executor, carry_out: CarryOut) -> None:
        """Run what is missing up to the target."""
        runs = self.options.out / RUNS
        jobs = [job for number in range(1, self.target + 1) for job in self.campaign.jobs(number)]
        for job in jobs:
            if job.hash not in self._checked:
                self._checked.add(job.hash)
                if is_whole(runs / job.hash):
                    self.done.add(job.hash)
        before = len(self.done)
        schedule = Schedule(jobs, self.done, self.progress)

        def call(job: Job) -> tuple[Any, ...]:
            return work_on, job, runs, carry_out

        # A few jobs beyond the workers, so that none waits for this process to hand out the next.
        window = 1 if isinstance(pool, InlineExecutor) else self.options.workers + 2
        try:
            self.failures = schedule.run(pool, call, window)
        finally:
            self.new += len(self.done) - before
        self.unfinished = schedule.unfinished

    def _enough(self) -> bool:
        """Return whether the stopping rule is met by replications 1 to the target."""
        rule = self.study.experiment.replications
        assert rule.until is not None
        jobs = [job for number in range(1, self.target + 1) for job in self.campaign.scenario_jobs(number)]
        summary = output.read_summary(self.options.out, jobs)
        wanted = self.study.baseline_rule()
        return replications_enough(summary, self._scenarios, wanted, rule.until, rule.at_least, rule.step)


def _failed(run: _Run, replications: int, options: Options) -> RunFailed:
    """Return the error that names what failed, what is kept, and how to go on."""
    shown = [f"  {failure}" for failure in run.failures[:FAILURES_SHOWN]]
    more = len(run.failures) - FAILURES_SHOWN
    if more > 0:
        shown.append(f"  and {more} more")
    rest = len(run.unfinished) - len(run.failures)
    kept = f"{len(run.done)} runs are kept in {options.out}" + (
        f", {rest} were not begun" if rest > 0 else ""
    )
    tables = (
        f"; the tables hold replications 1 to {replications}, which are whole."
        if replications
        else "; no replication is whole, so there are no tables."
    )
    count = len(run.failures)
    message = (
        f"{count} {'run' if count == 1 else 'runs'} failed:\n" + "\n".join(shown) + f"\n{kept}{tables}\n"
    )
    return RunFailed(message, f"To try again what is missing: {options.again}")
