"""A scenario against its baseline: differences, break-evens, and in how many draws it is better.

The cost of the earlier systems stands in a difference only where one of the two pays more of it than the
other. It has no value, so such a difference has none either, only a lowest and a highest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from flowsim.config.economics_file import EconomicsFile, Payer
from flowsim.economics.assumptions import Amount, Assumptions, Places, Point, drawn, extremes, ranged
from flowsim.economics.ledger import (
    FORMS,
    PAYERS,
    SOCIETY,
    SUM,
    Ledger,
    World,
    cost_per_actor,
    ledger,
    taking_part,
)
from flowsim.statistics import mean_interval

#: Amounts closer to nought than this are no difference.
_SAME_NOK: Final = 1e-3
_REALISED: Final = "benefit.realised"


@dataclass(frozen=True)
class Side:
    """A scenario with the numbers that it is reckoned with."""

    name: str
    world: World
    settings: EconomicsFile
    assumptions: Assumptions

    def ledger(self, places: Places | None, **fixed: Amount) -> Ledger:
        """Return the ledger at places within the ranges (None: at the values), some numbers set otherwise."""
        return ledger(self.world, self.settings, {**self.point(places), **fixed})

    def point(self, places: Places | None) -> Point:
        """Return the numbers at places within the ranges (None: at the values)."""
        return self.assumptions.values() if places is None else self.assumptions.at(places)


@dataclass(frozen=True)
class Pair:
    """A scenario and the baseline that it is compared with."""

    own: Side
    base: Side
    #: For each payer and form what the replications cannot tell from nought, in NOK a year.
    luck: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """Return the paths of all numbers that vary on either side."""
        return ranged(self.own.assumptions, self.base.assumptions)

    def without_legacy(self, places: Places | None, **fixed: Amount) -> dict[tuple[str, str], Amount]:
        """Return scenario minus baseline for each payer and form, earlier systems left out."""
        own, base = (side.ledger(places, **fixed) for side in (self.own, self.base))
        keys = [key for key in own if key[1] == SUM and key[0] != SOCIETY]
        return {
            (payer, form): own[payer, SUM, form] - base.get((payer, SUM, form), 0.0)
            for payer, _, form in keys
        }

    def legacy_saved(self, payer: Payer) -> float:
        """Return the share of a payer's earlier systems that only the baseline pays for."""
        return self.base.world.keeps_legacy(payer) - self.own.world.keeps_legacy(payer)

    @property
    def incomplete(self) -> set[str]:
        """Return the payers that changed systems at costs nobody has stated, and society with them.

        Their running cost is taken as unchanged, which is no finding.
        """
        changed = {p for p in PAYERS if self.legacy_saved(p) and p not in self.own.settings.operating_cost}
        return changed | {SOCIETY} if changed else set()

    def difference(self, places: Places | None, **fixed: Amount) -> dict[tuple[str, str], Amount]:
        """Return scenario minus baseline in NOK a year for each payer and society, and each form."""
        point = {**self.own.point(places), **fixed}
        result = self.without_legacy(places, **fixed)
        for payer in PAYERS:
            saved = self.legacy_saved(payer)
            if payer in self.own.settings.legacy_cost and saved:
                for form in (form for form in FORMS if (payer, form) in result):
                    result[payer, form] = result[payer, form] + saved * point[f"legacy_cost.{payer}"]
        return with_society(result)


def with_society(amounts: Mapping[tuple[str, str], Amount]) -> dict[tuple[str, str], Amount]:
    """Return amounts by payer and form with society's beside them: the sum over payers."""
    result = dict(amounts)
    for (_, form), amount in amounts.items():
        result[SOCIETY, form] = result.get((SOCIETY, form), 0.0) + amount
    return result


def luck(pair: Pair, by_replication: Sequence[tuple[World, World]]) -> dict[tuple[str, str], float]:
    """Return the half width of the simulation interval of each difference, at the values of all numbers.

    ``by_replication`` has scenario and baseline of each replication. Nought where there are fewer than two.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for own, base in by_replication:
        once = Pair(replace(pair.own, world=own), replace(pair.base, world=base))
        for key, amount in with_society(once.without_legacy(None)).items():
            found.setdefault(key, []).append(float(amount))
    ends = {key: mean_interval(values) for key, values in found.items()}
    return {key: (e.high - e.low) / 2 if e.n >= 2 else 0.0 for key, e in ends.items()}


class BreakEven(NamedTuple):
    """Where a payer is as well off as in the baseline; without a value, ``note`` says why."""

    payer: str
    quantity: str
    form: str
    low: float
    value: float
    high: float
    unit: str
    note: str


def break_evens(pair: Pair) -> list[BreakEven]:
    """Return the legacy cost and the realised share at which payers break even, for each form."""
    found = [row for payer in taking_part(pair.own.world, pair.own.settings) for row in _legacy(pair, payer)]
    return found + _realised(pair)


def _legacy(pair: Pair, payer: Payer) -> list[BreakEven]:
    """Return the cost of earlier systems at which a payer breaks even: its difference is linear in it."""
    saved = pair.legacy_saved(payer)
    if not saved:
        return []

    def solved(places: Places | None) -> dict[str, Amount]:
        return {form: -d / saved + 0.0 for (p, form), d in pair.without_legacy(places).items() if p == payer}

    values, ends = solved(None), extremes(pair.paths, solved)
    stated = payer in pair.own.settings.operating_cost
    rows = []
    for form, value in values.items():
        if not (value or any(ends[form])):
            continue  # nothing is at stake for this payer
        note = "" if stated else "above_operating_cost"
        if value < 0:
            note = "better_at_any_legacy_cost" if saved > 0 else "worse_at_any_legacy_cost"
        shown = _shown(ends[form][0], float(value), ends[form][1], np.inf)
        rows.append(BreakEven(payer, "legacy_cost", form, *shown, "NOK a year", note))
    return rows


def _realised(pair: Pair) -> list[BreakEven]:
    """Return the realised share of the benefit at which its payer breaks even: linear in it, too.

    Where the cost of earlier systems plays a part there are only two ends, one for each end of its range;
    all other numbers are at their values.
    """
    payer = pair.own.settings.benefit.payer
    forms = ("proportional", "threshold")

    def solved(places: Places | None) -> dict[str, Amount]:
        nothing, everything = (pair.difference(places, **{_REALISED: r}) for r in (0.0, 1.0))
        return {form: _root(nothing[payer, form], everything[payer, form]) for form in forms}

    values, ends = solved(None), extremes([f"legacy_cost.{payer}"], solved)
    rows = []
    for form in forms:
        low, value, high = ends[form][0], float(values[form]), ends[form][1]
        shown = _shown(low, value, high, 1.0)
        rows.append(BreakEven(payer, "realised_share", form, *shown, "share", _why_none(low, value, high)))
    return rows


def _shown(low: float, value: float, high: float, most: float) -> tuple[float, float, float]:
    """Return what of a break-even lies between 0 and the most that is possible; nan for the rest.

    A range that reaches below 0 begins there. A missing high end means that it goes on beyond.
    """
    ends = 0.0 if low < 0 <= high else low, value, high
    low, value, high = (x if 0 <= x <= most else np.nan for x in ends)
    return low, value, high


def _root(at_none: Amount, at_all: Amount) -> Amount:
    """Return the share at which a difference linear in it is nought; infinite where the share moves nothing.

    Minus infinity: better without any; infinity: not enough, however much.
    """
    slope = np.asarray(at_all - at_none, dtype=np.float64)
    level = np.asarray(at_none, dtype=np.float64)
    moves = np.abs(slope) > _SAME_NOK
    with np.errstate(divide="ignore", invalid="ignore"):
        root = -level / np.where(moves, slope, 1.0)
    return np.where(moves, root, np.where(np.isnan(level), np.nan, np.where(level >= 0, -np.inf, np.inf)))


def _why_none(low: float, value: float, high: float) -> str:
    """Return why a break-even share has no value; "" where it has one."""
    if 0 <= value <= 1:
        return ""
    if np.isinf(low) and np.isinf(high):
        return "share_moves_nothing"
    if value < 0 or high < 0:
        return "better_without_any"
    # Where it is not even known whether the earlier systems were dear or cheap, there are only two ends.
    return "all_is_not_enough" if value > 1 or low > 1 else "legacy_unknown"


def actors_needed(side: Side) -> list[BreakEven]:
    """Return how many must join for an actor's cost to fall to the stated figure: fixed/n + variable = it."""
    joining = side.settings.joining
    rows = []
    for payer in side.settings.operating_cost:
        if not side.world.joined.get(payer, 0.0):
            continue

        def solved(places: Places | None, payer: Payer = payer) -> dict[str, Amount]:
            return {"": _actors(side.point(places), payer, joining.target)}

        value, most = float(solved(None)[""]), joining.possible.value
        low, high = extremes(ranged(side.assumptions), solved)[""]
        note = "more_than_there_are" if value > most else ""
        if np.isinf(value):
            note = "variable_cost_alone_is_above"
        rows.append(BreakEven(payer, "actors", "", *_shown(low, value, high, most), "actors", note))
    return rows


def _actors(point: Point, payer: Payer, target: float) -> Amount:
    """Return the number of actors at which one's cost is the target; infinite where none is enough."""
    variable = cost_per_actor(point, payer, np.inf)
    fixed = cost_per_actor(point, payer, 1.0) - variable
    room = np.asarray(target - variable, dtype=np.float64)
    return np.where(room > 0, np.maximum(fixed / np.where(room > 0, room, 1.0), 1.0), np.inf)


def better_shares(
    pairs: Sequence[Pair], number: int, seed: int
) -> Mapping[tuple[str, str], tuple[float, float]]:
    """Return for each payer and form the share of draws in which the scenario is better, and is the same.

    ``pairs`` are one comparison under each rate set: the draws are spread evenly over them. Never over
    replications: what is drawn are the assumptions; a difference that the replications cannot tell from
    nought counts as the same.
    """
    paths = sorted({path for pair in pairs for path in pair.paths})
    places = drawn(paths, number, seed)
    # What cannot be reckoned under one rate set (hours not measured) is counted under none.
    keys = set.intersection(*(set(pair.difference(None)) for pair in pairs))
    better, same = dict.fromkeys(keys, 0), dict.fromkeys(keys, 0)
    for first, pair in enumerate(pairs):
        mine = {path: values[first :: len(pairs)] for path, values in places.items()}
        count = len(range(first, number, len(pairs)))
        found = pair.difference(mine)
        for key in keys:
            d = np.broadcast_to(np.asarray(found[key], dtype=np.float64), (count,))
            least = max(_SAME_NOK, pair.luck.get(key, 0.0))
            better[key] += int(np.count_nonzero(d > least))
            same[key] += int(np.count_nonzero(np.abs(d) <= least))
    return {key: (better[key] / number, same[key] / number) for key in better}
