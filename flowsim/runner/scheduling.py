"""Jobs through any ``concurrent.futures`` executor: twins before what needs them, nothing lost on the way."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Final, Protocol

from flowsim.errors import FaultsInFile
from flowsim.experiment.jobs import Job

#: A full disk hits every job, so none is begun after it.
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Progress(Protocol):
    """Who is told how far the runs have come."""

    def begin(self, done: int, total: int) -> None:
        """Hear how many runs there are in all, and how many are there already."""

    def advance(self, done: int, total: int, failed: int) -> None:
        """Hear that one more run has finished or failed."""

    def note(self, text: str) -> None:
        """Hear a sentence worth telling."""


@dataclass(frozen=True)
class Failure:
    """A job that could not be finished, and why."""

    job: Job
    reason: str

    def __str__(self) -> str:
        """Return the job and the reason as one line."""
        return f"{self.job}: {self.reason}"


class InlineExecutor(Executor):
    """Runs each job at once in this process: for one worker, for a debugger, and for tests."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  a future carries whatever went wrong
            future.set_exception(error)
        return future


class Schedule:
    """The jobs of a run: which are done, which may begin, which have failed."""

    def __init__(self, jobs: Iterable[Job], done: set[str], progress: Progress) -> None:
        """Take the jobs in the order to begin them, and the hashes of those that are done already."""
        self.jobs = list({job.hash: job for job in jobs}.values())
        self.done = done
        self.progress = progress
        self.failures: list[Failure] = []
        self._waiting = [job for job in self.jobs if job.hash not in done]
        self._stopped = False

    def run(self, executor: Executor, call: Callable[[Job], tuple[Any, ...]], window: int) -> list[Failure]:
        """Run all jobs, at most ``window`` begun at a time, and return what failed.

        ``call(job)`` gives the function and its arguments for the executor. Raises ``FaultsInFile`` where
        a job finds a mistake in the user's files, and lets a ``KeyboardInterrupt`` through.
        """
        running: dict[Future[Any], Job] = {}
        self.progress.begin(self._count(), len(self.jobs))
        while True:
            while len(running) < window and (job := self._next()) is not None:
                try:
                    running[executor.submit(*call(job))] = job
                except BrokenExecutor:
                    self._waiting.insert(0, job)
                    self._stopped = True
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                self._finish(running.pop(future), future.exception())
        return self.failures

    @property
    def unfinished(self) -> list[Job]:
        """Return the jobs that are not done."""
        return [job for job in self.jobs if job.hash not in self.done]

    def _count(self) -> int:
        return len(self.jobs) - len(self.unfinished)

    def _next(self) -> Job | None:
        """Return the next job whose twins are done; drop those whose twins have failed."""
        if self._stopped:
            return None
        failed = {failure.job.hash: failure.job for failure in self.failures}
        for place, job in enumerate(self._waiting):
            missing = [failed[need] for need in job.needs if need in failed]
            if missing:
                self._fail(self._waiting.pop(place), f"needs '{missing[0]}', which failed")
                return self._next()
            if all(need in self.done for need in job.needs):
                return self._waiting.pop(place)
        return None

    def _finish(self, job: Job, error: BaseException | None) -> None:
        if error is None:
            self.done.add(job.hash)
            self.progress.advance(self._count(), len(self.jobs), len(self.failures))
        elif isinstance(error, FaultsInFile):
            raise error
        elif isinstance(error, BrokenExecutor):
            self._stopped = True
            self._fail(job, "its worker process ended suddenly (killed, or out of memory)")
        elif isinstance(error, OSError):
            self._stopped = self._stopped or error.errno in _DISK_FULL
            place = f" ({error.filename})" if error.filename else ""
            self._fail(job, f"{error.strerror or error}{place}")
        else:
            self._fail(job, f"{type(error).__name__}: {error}")

    def _fail(self, job: Job, reason: str) -> None:
        self.failures.append(Failure(job, reason))
        self.progress.advance(self._count(), len(self.jobs), len(self.failures))
