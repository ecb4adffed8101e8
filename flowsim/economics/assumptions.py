"""The numbers of an economics file as one list: at their values, at the ends of their ranges, and drawn.

A number is named by its path in the file, such as ``operating_cost.municipality``. A *point* gives each a
number, or an array of as many numbers as there are sets of assumptions. A number that nobody has stated is
nan at its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from flowsim.config.economics_file import EconomicsFile, Money, Number, UnknownCost
from flowsim.config.values import Estimate
from flowsim.vocabulary import Certainty

Floats: TypeAlias = NDArray[np.float64]
Amount: TypeAlias = Any  # a number or an array of numbers, one a set of assumptions
Point: TypeAlias = Mapping[str, Amount]
#: For each path a place within its range: 0 at the low end, 1 at the high end.
Places: TypeAlias = Mapping[str, Floats]

#: Corners worked out at a time, so that many ranges need time and no memory.
_CHUNK_BITS: Final = 14


class Assumption(NamedTuple):
    """A number of the file: its value (nan where nobody has stated it), its range, and how sure it is."""

    value: float
    low: float
    high: float
    certainty: Certainty

    @property
    def varies(self) -> bool:
        """Return whether it has a range with two ends."""
        return self.low < self.high


class Assumptions:
    """All numbers of an economics file by path."""

    def __init__(self, settings: EconomicsFile) -> None:
        """Read the numbers of a file."""
        self.found: dict[str, Assumption] = dict(_numbers(settings, "", settings.basis.certainty))

    def values(self) -> Point:
        """Return the point at which each number has its value."""
        return {path: each.value for path, each in self.found.items()}

    def at(self, places: Places) -> Point:
        """Return the points at given places within the ranges; what has no place has its value."""
        point: dict[str, Amount] = {}
        for path, each in self.found.items():
            if path in places and each.varies:
                here = places[path]
                point[path] = np.where(here == 1.0, each.high, each.low + here * (each.high - each.low))
            else:
                point[path] = each.value if each.value == each.value else each.low
        return point

    def weakest(self, prefixes: Iterable[str]) -> Certainty | None:
        """Return ``assumed`` if any number whose path begins so is, else the first's; None of none."""
        wanted = tuple(prefixes)
        found = [each.certainty for path, each in self.found.items() if path.startswith(wanted)]
        return Certainty.assumed if Certainty.assumed in found else found[0] if found else None


def ranged(*of: Assumptions) -> list[str]:
    """Return the paths of all numbers that vary in any of the given files, in a fixed order."""
    paths = {path: None for each in of for path, number in each.found.items() if number.varies}
    return sorted(paths)


def corners(paths: list[str]) -> Iterator[Places]:
    """Yield every combination of low and high ends of the given paths, some thousand at a time."""
    count = 2 ** len(paths)
    size = min(count, 2**_CHUNK_BITS)
    for first in range(0, count, size):
        numbers = np.arange(first, first + size)
        yield {path: ((numbers >> bit) & 1).astype(np.float64) for bit, path in enumerate(paths)}


def drawn(paths: list[str], number: int, seed: int) -> Places:
    """Return places drawn evenly; a path's draws depend on seed and path alone: all scenarios share them."""
    return {
        path: np.random.default_rng([seed, _key(path)]).random(number)  # own generator, no shared state
        for path in paths
    }


def extremes(paths: list[str], work_out: Callable[[Places], Mapping[Any, Amount]]) -> dict[Any, list[float]]:
    """Return the lowest and highest of each quantity over all corners of the ranges.

    ``work_out`` gives quantities that rise or fall throughout with each single number, as all here do, so
    that their extremes lie in corners.
    """
    found: dict[Any, list[float]] = {}
    for places in corners(paths):
        for key, amount in work_out(places).items():
            low, high = float(np.min(amount)), float(np.max(amount))
            before = found.get(key, [low, high])
            found[key] = [min(before[0], low), max(before[1], high)]
    return found


def _key(path: str) -> int:
    return int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "big")


def _numbers(value: Any, path: str, certainty: Certainty) -> Iterator[tuple[str, Assumption]]:
    """Yield every number with a source in a part of the file, with its path."""
    if isinstance(value, Money | Number | Estimate | UnknownCost):
        middle = float("nan") if isinstance(value, UnknownCost) else float(value.value)
        low, high = value.range or (middle, middle)
        yield path, Assumption(middle, float(low), float(high), value.certainty or certainty)
        return
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _numbers(part, f"{path}.{name}".lstrip("."), certainty)
