"""What a measure is: a name, a unit, a direction, and one small function of a table's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


class Level(StrEnum):
    """Which rows a measure is about; each has its own table."""

    deliveries = "deliveries"  # all deliveries of the cohort
    referrals = "referrals"  # main deliveries (not copies) of referrals
    cases = "cases"  # all cases of the cohort
    care = "care"  # cases of pathways that have a start of care
    visits = "visits"  # cases of pathways that have visits
    lists = "lists"  # cases of pathways that have medication lists
    practices = "practices"  # practices, month by month of the window
    work = "work"  # staff hours by service and purpose
    defects = "defects"  # defects that began
    monitor = "monitor"  # the monitor, where there is one


class Better(Enum):
    """Which way a measure is good."""

    higher = "higher"
    lower = "lower"
    neutral = "neutral"


class Columns(Protocol):
    """The columns of a table, or of a part of it that is a group."""

    def __getitem__(self, name: str) -> Array: ...


@dataclass(frozen=True)
class Measure:
    """A named measure; its formula is the docstring of its function.

    ``function`` gives one number from the columns of a group; nan where the group has no value.
    ``needs`` names columns without which there is no such measure (the times of a twin run).
    """

    name: str
    unit: str
    better: Better
    level: Level
    function: Callable[[Columns], float]
    needs: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """Return what is measured, in words."""
        return " ".join((self.function.__doc__ or "").split())


MEASURES: Final[dict[str, Measure]] = {}


def measure(
    level: Level, unit: str, better: Better, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[Columns], float]], Callable[[Columns], float]]:
    """Enter a function into the registry of measures under its own name."""

    def enter(function: Callable[[Columns], float]) -> Callable[[Columns], float]:
        name = function.__name__
        if name in MEASURES:
            raise ValueError(f"two measures are called {name}")
        MEASURES[name] = Measure(name, unit, better, level, function, needs)
        return function

    return enter


class Table:
    """Columns in one order of rows; each is put in that order when it is first asked for."""

    def __init__(self, columns: dict[str, Array], order: Array | None = None) -> None:
        self.columns = columns
        self._order = order
        self._ordered: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if self._order is None:
            return self.columns[name]
        if name not in self._ordered:
            self._ordered[name] = self.columns[name][self._order]
        return self._ordered[name]

    def groups(self, codes: Array) -> Iterator[tuple[int, Part]]:
        """Yield each code that occurs with its part of the table; negative codes are in no group.

        The table is sorted once, so that a group is a slice and costs nothing.
        """
        order = np.argsort(codes, kind="stable")
        table = Table(self.columns, order)
        present, first = np.unique(codes[order], return_index=True)
        edges = [*first.tolist(), len(codes)]
        for code, start, stop in zip(present.tolist(), edges, edges[1:], strict=False):
            if code >= 0:
                yield code, Part(table, start, stop)


class Part:
    """A slice of a table's rows."""

    def __init__(self, table: Table, start: int, stop: int) -> None:
        self._table = table
        self._slice = slice(start, stop)

    def __getitem__(self, name: str) -> Array:
        return self._table[name][self._slice]


def share(part: int | np.integer[Any], whole: int | np.integer[Any]) -> float:
    """Return a share between 0 and 1; nan of nothing."""
    return float(part) / float(whole) if whole else float("nan")


def mean(values: Array) -> float:
    """Return the mean; nan of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def lower_quantile(values: Array, q: float) -> float:
    """Return the smallest value that at least the share ``q`` of the values do not exceed; nan of nothing."""
    if not len(values):
        return float("nan")
    k = min(max(int(np.ceil(q * len(values) - 1e-9)) - 1, 0), len(values) - 1)
    return float(np.partition(values, k)[k])
