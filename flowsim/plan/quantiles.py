"""Probability distributions as quantile tables: one uniform in, one duration in hours out.

A distribution is inverted once, when the plan is built, and the kernel only interpolates. A table
has three parts, each linear between its nodes (``u`` is the uniform, ``P`` = 1/16):

* body, ``P <= u <= 1 - P``: equal cells, their width a power of two, so that finding one is exact;
* two tails, each cut into 28 octaves from ``P`` down to 2**-32, each octave into equal cells. A
  uniform of 32 bits reaches 2**-33, where a table of equal cells would be blind;
* two extremes, for the one uniform of 2**32 that lies beyond the last octave. The upper one is the
  root mean square of what lies beyond, so that a heavy tail keeps its variance.

A table is refined until its mean and variance are within 1e-4 of the distribution's own, or refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QuantileFunction = Callable[[Floats], NDArray[np.floating[Any]]]

#: Octaves in each tail, from 2**-4 down to 2**-32.
OCTAVES: Final = 28
TAIL: Final = 1.0 / 16.0
#: How far a table's mean and variance may lie from the distribution's own, relatively.
TOLERANCE: Final = 1e-4
#: Cells tried in turn: body (7 times a power of two), each octave of the lower tail, of the upper tail.
REFINEMENTS: Final = ((224, 8, 16), (448, 8, 32), (896, 16, 64), (1792, 16, 128), (3584, 32, 256))


class Continuous(NamedTuple):
    """A distribution ready to be tabulated: quantiles from below and from above, and its moments."""

    lower: QuantileFunction
    upper: QuantileFunction
    mean: float
    variance: float


class QuantileTable(NamedTuple):
    """A quantile table: its nodes (hours), the cells of its body and of an octave of each tail."""

    nodes: Floats
    body: int
    lower: int
    upper: int


def table_moments(table: QuantileTable) -> tuple[float, float]:
    """Return the exact mean and variance of what a quantile table gives."""
    widths, starts, ends = _cells(table)
    return moments_of_cells(widths, starts, ends)


def tabulate(name: str, continuous: Continuous) -> QuantileTable:
    """Refine a table until its mean and variance are right; raises ValueError with how far it is off."""
    worst, what = math.inf, "mean"
    for body, lower, upper in REFINEMENTS:
        with np.errstate(over="ignore", invalid="ignore"):
            table = QuantileTable(_nodes(continuous, body, lower, upper), body, lower, upper)
            mean, variance = table_moments(table)
        off = {
            "mean": abs(mean / continuous.mean - 1.0),
            "variance": abs(variance / continuous.variance - 1.0),
        }
        what, worst = max(off.items(), key=lambda item: item[1] if math.isfinite(item[1]) else math.inf)
        if all(value <= TOLERANCE for value in off.values()):
            return table
    raise ValueError(
        f"{name}: the {what} of its quantile table is off by {worst:.1e} (allowed {TOLERANCE:.0e}); "
        "its tail is too heavy for a table"
    )


def _nodes(continuous: Continuous, body: int, lower: int, upper: int) -> Floats:
    """Return the nodes: body, lower tail and its extreme, upper tail and its extreme; tails go inwards."""
    middle: Floats = TAIL + np.arange(body + 1, dtype=np.float64) * ((1.0 - 2.0 * TAIL) / body)
    inside = np.where(middle <= 0.5, continuous.lower(middle), continuous.upper(1.0 - middle))
    beyond = 2.0**-32
    # Gauss-Legendre in each octave beyond the last: what the missing tail adds to the second moment.
    points, weights = np.polynomial.legendre.leggauss(6)
    starts = beyond * 2.0 ** -np.arange(1.0, 201.0)
    where: Floats = np.asarray(starts[:, None] * (1.5 + points[None, :] / 2.0), np.float64)
    square = float(np.sum(continuous.upper(where) ** 2 * weights[None, :] / 2.0 * starts[:, None]))
    nodes: Floats = np.concatenate(
        [
            inside,
            continuous.lower(_tail_grid(lower)),
            continuous.lower(np.array([beyond / 2.0])),
            continuous.upper(_tail_grid(upper)),
            [math.sqrt(square / beyond)],
        ],
        dtype=np.float64,
    )
    return nodes


def _tail_grid(cells: int) -> Floats:
    """Return the places of a tail's nodes, rising from 2**-32 to 1/16 with ``cells`` to an octave."""
    octaves = 2.0 ** (np.arange(OCTAVES) - 32.0)
    grid = octaves[:, None] * (1.0 + np.arange(cells)[None, :] / cells)
    return np.append(grid.ravel(), TAIL)


def _cells(table: QuantileTable) -> tuple[Floats, Floats, Floats]:
    """Return the probability, first value and last value of every cell of a quantile table."""
    nodes, body = table.nodes, table.body
    inside = nodes[: body + 1]
    widths: list[Floats] = [np.full(body, (1.0 - 2.0 * TAIL) / body)]
    starts: list[Floats] = [inside[:-1]]
    ends: list[Floats] = [inside[1:]]
    position = body + 1
    for cells in (table.lower, table.upper):
        tail = nodes[position : position + OCTAVES * cells + 2]
        widths += [np.diff(_tail_grid(cells)), np.array([2.0**-32])]
        starts += [tail[:-2], tail[-1:]]
        ends += [tail[1:-1], tail[-1:]]
        position += len(tail)
    return np.concatenate(widths), np.concatenate(starts), np.concatenate(ends)


def moments_of_cells(widths: Floats, starts: Floats, ends: Floats) -> tuple[float, float]:
    """Return mean and variance of a piecewise-linear quantile function, exactly."""
    mean = float(np.sum(widths * (starts + ends)) / 2.0)
    a, b = starts - mean, ends - mean
    return mean, float(np.sum(widths * (a * a + a * b + b * b)) / 3.0)
