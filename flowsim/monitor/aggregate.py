"""Counts for those who need no tickets: how many of what, where and when, with nobody to be picked out.

Small counts are left out, and so is what would give them away by subtraction. The method is that of
hypercubes (Giessing and Repsilber 2002), in its plainest sound form. Think of a table with its margins as
one larger table, in which each dimension has one more place, the total. A *move* takes two places in each
dimension: two that are no totals (one gains what the other loses) or one and the total (both gain). It
changes the 2^n corners by one each, up or down, and all sums still hold. If all corners of a move are left
out, and stay positive when it is made, a reader cannot tell the table from the moved one: no corner is
known. So each cell that is left out gets a move, the one that costs least. The move that goes to the total
in every dimension always exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations, product
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.errors import UsageError
from flowsim.monitor.rules import Rule
from flowsim.observe.directory import Directory
from flowsim.vocabulary import Level, MessageKind, Party

#: Cells with fewer than this many are left out unless a setting says otherwise.
THRESHOLD: Final = 5
#: The place of a margin in a dimension.
TOTAL: Final = "(all)"
#: What is kept of a cell's neighbours in each dimension when a move is sought.
_NEIGHBOURS_MAX: Final = 8
_CELLS_MAX: Final = 20_000_000

Array = np.ndarray[Any, Any]
Place = tuple[int, ...]


def alert_frame(alerts: Array, rules: Sequence[Rule], directory: Directory, start: date) -> pd.DataFrame:
    """Return alerts as a frame whose columns can be counted by.

    Columns: rule (id), class (the first class of fault that the rule points at, or "unknown"), unit, party
    (of the unit), message, level, week (ISO, of the time it was raised), subject (a pseudonym; 0: not known).
    """
    units = directory.units
    days = np.floor(alerts["raised"] / 24.0).astype(np.int64)
    week_of = {day: _iso_week(start + timedelta(days=int(day))) for day in np.unique(days)}
    known = [unit if 0 <= unit < len(units) else -1 for unit in alerts["unit"].tolist()]
    kinds = {kind.value: kind.name for kind in MessageKind}
    return pd.DataFrame(
        {
            "rule": [rules[place].id for place in alerts["rule"]],
            "class": [_guess(rules[place]) for place in alerts["rule"]],
            "unit": [units[unit].id if unit >= 0 else "unknown" for unit in known],
            "party": [(units[unit].party if unit >= 0 else Party.other).name for unit in known],
            "message": [kinds.get(kind, "unknown") for kind in alerts["message"].tolist()],
            "level": [Level(level).name for level in alerts["level"].tolist()],
            "week": [week_of[day] for day in days],
            "subject": alerts["subject"].copy(),
        }
    )


def _guess(rule: Rule) -> str:
    return rule.guess[0].name if rule.guess else "unknown"


def _iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def aggregate(
    rows: pd.DataFrame,
    dimensions: Sequence[str],
    threshold: int = THRESHOLD,
    subject: str | None = None,
) -> pd.DataFrame:
    """Count rows by the chosen columns, with all margins; small counts and what reveals them are left out.

    Returns the dimensions as text ("(all)": the margin over it), ``count`` (whole; missing where it is left
    out) and ``left_out``. Combinations that did not occur have no row: their count is 0, and is no secret.
    A count is small below ``threshold``, or where it is about fewer different ``subject`` (a column of
    numbers; those that are 0 are taken for different people). UsageError where a column is not there, the
    threshold is below 2 (then nothing is small), or the table would be too large.
    """
    missing = [name for name in dimensions if name not in rows.columns]
    if missing or not dimensions:
        raise UsageError(f"There is no column to count by: {', '.join(missing) or 'none was chosen'}.")
    if threshold < 2:
        raise UsageError("The least count that is shown must be 2 or more.")
    names = [sorted(rows[name].astype(str).unique()) for name in dimensions]
    shape = tuple(len(each) + 1 for each in names)
    if np.prod([float(size) for size in shape]) > _CELLS_MAX:
        raise UsageError("That is too large a table.", "Count by fewer columns, or by coarser ones.")
    codes = [
        np.searchsorted(each, rows[name].astype(str)) for name, each in zip(dimensions, names, strict=True)
    ]
    counts = _with_margins(codes, shape)
    people = counts if subject is None else _different(codes, shape, rows[subject].to_numpy(np.int64))
    left_out = suppressed(counts, (counts > 0) & (np.minimum(counts, people) < threshold))
    places = np.argwhere(counts > 0)
    table = pd.DataFrame(
        {
            name: pd.Series([[*each, TOTAL][code] for code in places[:, axis]], dtype="str")
            for axis, (name, each) in enumerate(zip(dimensions, names, strict=True))
        }
    )
    shown = pd.Series(counts[tuple(places.T)], dtype="Int64")
    hidden = pd.Series(left_out[tuple(places.T)], dtype=bool)
    return table.assign(count=shown.mask(hidden), left_out=hidden)


def _margins(codes: Sequence[Array], shape: Place) -> list[list[Array]]:
    """Return the places of all rows in the table and in each of its margins."""
    dimensions = range(len(shape))
    return [
        [np.full_like(codes[d], shape[d] - 1) if d in summed else codes[d] for d in dimensions]
        for size in range(len(shape) + 1)
        for summed in combinations(dimensions, size)
    ]


def _with_margins(codes: Sequence[Array], shape: Place) -> Array:
    counts = np.zeros(shape, np.int64)
    for places in _margins(codes, shape):
        np.add.at(counts, tuple(places), 1)
    return counts


def _different(codes: Sequence[Array], shape: Place, subject: Array) -> Array:
    """Return how many different subjects each cell is about, margins included."""
    people = np.zeros(shape, np.int64)
    who = np.where(subject == 0, -1 - np.arange(len(subject)), subject)
    for places in _margins(codes, shape):
        flat = np.ravel_multi_index(tuple(places), shape)
        cells = np.unique(np.stack([flat, who]), axis=1)[0]
        np.add.at(people.reshape(-1), cells, 1)
    return people


def suppressed(counts: Array, small: Array) -> Array:
    """Return which cells of a table must be left out so that nobody can work out those that are small.

    ``counts`` holds the margins in the last place of each dimension; ``small`` says which cells, margins
    too, must not be known. A reader who knows that each cell left out is at least 1 has two values or more
    for it, whatever is subtracted from what.
    """
    left_out = small.copy()
    safe = np.zeros_like(small)  # has a move all of whose corners are left out
    # The smallest first: what protects them often protects others.
    order = np.argwhere(small)
    for place in order[np.argsort(counts[tuple(order.T)], kind="stable")]:
        if not safe[tuple(place)]:
            corners = _cheapest_move(tuple(int(index) for index in place), counts, left_out)
            left_out[corners] = True
            safe[corners] = True
    return left_out


def _cheapest_move(place: Place, counts: Array, left_out: Array) -> tuple[Array, ...]:
    """Return the corners of the move through a place that costs least: the counts that are newly lost."""
    choices = [_neighbours(place, axis, counts, left_out) for axis in range(counts.ndim)]
    # One row a move; the last always exists: to a cell that this one sums, or is, and to all its totals.
    partners = np.array([*product(*choices), _to_totals(place, counts)], dtype=np.int64)
    here = np.array(place, dtype=np.int64)
    cost = np.zeros(len(partners), np.int64)
    up = np.ones(len(partners), bool)  # corners stay positive when this cell gains
    down = np.ones(len(partners), bool)  # … or loses
    for turned in product((False, True), repeat=counts.ndim):
        axes = np.array(turned)
        corner = tuple(np.where(axes, partners, here).T)
        value = counts[corner]
        totals = np.array(counts.shape) - 1
        swaps = axes & (partners != totals) & (here != totals)  # one gains what the other loses
        gains = swaps.sum(axis=1) % 2 == 0
        up &= np.where(gains, value >= 1, value >= 2)
        down &= np.where(gains, value >= 2, value >= 1)
        cost += np.where(left_out[corner], 0, value)
    possible = np.flatnonzero(up | down)
    best = partners[possible[np.argmin(cost[possible])]]
    return tuple(np.array(list(product(*zip(place, best.tolist(), strict=True)))).T)


def _to_totals(place: Place, counts: Array) -> Place:
    """Return the partner of a place with a total wherever it has none, and a cell that it sums elsewhere."""
    totals = [index == size - 1 for index, size in zip(place, counts.shape, strict=True)]
    beneath = tuple(
        slice(None, -1) if total else slice(index, index + 1)
        for index, total in zip(place, totals, strict=True)
    )
    inner = np.argwhere(counts[beneath] > 0)[0].tolist()
    return tuple(inner[axis] if total else counts.shape[axis] - 1 for axis, total in enumerate(totals))


def _neighbours(place: Place, axis: int, counts: Array, left_out: Array) -> list[int]:
    """Return the places along a dimension to which a move may go: the cheapest few, and the total."""
    line = tuple(slice(None) if d == axis else index for d, index in enumerate(place))
    values, lost = counts[line], left_out[line]
    total = counts.shape[axis] - 1
    others = [j for j in np.flatnonzero(values[:total]).tolist() if j != place[axis]]
    others.sort(key=lambda j: (0 if lost[j] else int(values[j]), j))
    few = others[:_NEIGHBOURS_MAX]
    return few if place[axis] == total else [*few, total]
