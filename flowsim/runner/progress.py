"""Progress on the console: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

#: Plain lines come at each of so many parts of the runs.
LINES = 10


class ConsoleProgress:
    """Tells a person how far the runs have come; only what is finished counts."""

    def __init__(self, stream: TextIO) -> None:
        """Write to a stream, which is a terminal or not."""
        self.stream = stream
        self._bar: Bar | None = None
        self._task: int | None = None
        self._began = 0.0
        self._done_before = 0
        self._told = 0
        self._batches = 0

    def __enter__(self) -> Self:
        """Show the bar, if the stream is a terminal."""
        if self.stream.isatty():
            from rich.console import Console  # noqa: PLC0415  not needed in a pipe
            from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

            console = Console(file=self.stream)
            columns = (BarColumn(bar_width=20), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=console, transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def begin(self, done: int, total: int) -> None:
        """Start over with a number of runs, some of which are there already."""
        self._began = time.monotonic()
        self._done_before = done
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task("", total=total)
            self._bar.update(self._task, total=total, completed=done, description=f"{done}/{total} runs")  # type: ignore[arg-type]
        elif done < total:
            there = " are there already" if done and not self._batches else ""
            self._line(f"{done}/{total} runs{there}")
        self._batches += 1
        self._told = done * LINES // max(total, 1)

    def advance(self, done: int, total: int, failed: int) -> None:
        """Show how many runs are finished and failed, and about how long the rest will take."""
        text = f"{done}/{total} runs   {failed} failed{self._left(done, total)}"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, description=text)  # type: ignore[arg-type]
        elif done * LINES // max(total, 1) > self._told:
            self._told = done * LINES // total
            self._line(text)

    def note(self, text: str) -> None:
        """Write a sentence above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        self.stream.write(text + "\n")
        self.stream.flush()

    def _left(self, done: int, total: int) -> str:
        """Return the time left at the pace so far, "" while nothing is known."""
        new = done - self._done_before
        if new <= 0 or done >= total:
            return ""
        seconds = (time.monotonic() - self._began) / new * (total - done)
        if seconds < 90:
            return f"   about {max(1, round(seconds))} s left"
        return (
            f"   about {round(seconds / 60)} min left"
            if seconds < 5400
            else f"   about {seconds / 3600:.1f} h left"
        )
