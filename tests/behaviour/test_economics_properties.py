"""What must hold of cost and benefit whatever the numbers are, drawn at random."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from economy import scenarios, settings, summary, tables

from flowsim.config.economics_file import EconomicsFile
from flowsim.economics import FORMS, PAYERS, SOCIETY
from flowsim.economics.assumptions import Assumptions, Point, extremes, ranged
from flowsim.economics.comparing import Pair, Side, actors_needed, break_evens
from flowsim.economics.ledger import LEGACY, PARTIES, SAVED, STAFF, SUM, Lever, World, cost_per_actor, ledger

SETTINGS = settings()
share = st.floats(0.0, 1.0)
hours = st.floats(0.0, 1e6)
some = budget(max_examples=60, deadline=None)
few = budget(max_examples=15, deadline=None)


@st.composite
def worlds(draw: st.DrawFn, joined: float | None = None) -> World:
    """Draw a scenario: who has joined, any hours and days, perhaps a lever."""
    on = draw(st.sampled_from([0.0, 1.0])) if joined is None else joined
    keys = [(item, party) for item in STAFF for party in PARTIES]
    measured = {key: draw(hours) for key in keys}
    levers = draw(st.lists(st.builds(Lever, st.sampled_from(PAYERS), hours, hours, hours), max_size=2))
    return World(
        inhabitants=draw(st.floats(1e3, 1e6)),
        joined={"municipality": on, "hospital_trust": on, "practice": draw(share)},
        hours=measured,
        before={key: draw(hours) for key in keys},
        waiting_days=draw(st.floats(0.0, 1e5)),
        levers=tuple(levers),
    )


@st.composite
def points(draw: st.DrawFn, file: EconomicsFile = SETTINGS) -> Point:
    """Draw every number from its range."""
    assumptions = Assumptions(file)
    return assumptions.at({path: np.array(draw(share)) for path in ranged(assumptions)})


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Draw a scenario and its baseline, with hours saved against that baseline."""
    base = draw(worlds())
    own = replace(draw(worlds()), before=base.hours, inhabitants=base.inhabitants)
    base = replace(base, before=base.hours)
    sides = [Side(n, w, SETTINGS, Assumptions(SETTINGS)) for n, w in (("own", own), ("base", base))]
    return Pair(*sides)


def close(a: float, b: float) -> bool:
    """Return whether two amounts are the same to a millionth, or to an øre."""
    return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-2)


@some
@given(worlds(), points())
def test_transfers_sum_to_nought_over_payers(world: World, point: Point) -> None:
    found = ledger(world, SETTINGS, point)
    assert sum(found[payer, "waiting_days", ""] for payer in ("municipality", "hospital_trust")) == 0.0
    assert found[SOCIETY, "waiting_days", ""] == 0.0


@some
@given(worlds(), points(), st.floats(0.0, 1e5))
def test_societys_sum_does_not_move_with_the_price_of_a_waiting_day(
    world: World, point: Point, price: float
) -> None:
    other = {**point, "waiting_day.prices.2024": price}
    here, there = (ledger(world, SETTINGS, p) for p in (point, other))
    for form in FORMS:
        assert close(here[SOCIETY, SUM, form], there[SOCIETY, SUM, form])


@some
@given(worlds(), points())
def test_societys_items_are_the_sums_over_payers(world: World, point: Point) -> None:
    found = ledger(world, SETTINGS, point)
    for payer, item, form in [key for key in found if key[0] == SOCIETY]:
        parts = [found[p, item, form] for p in PAYERS if (p, item, form) in found]
        assert close(found[payer, item, form], sum(parts))


@some
@given(worlds(), points(), st.floats(0.0, 3.0))
def test_the_forms_are_never_added_to_each_other_or_to_simulated_hours(
    world: World, point: Point, times: float
) -> None:
    """A sum is the same costs with one form; other search hours move one of the four sums and no other."""
    found = ledger(world, SETTINGS, point)
    for payer in ("municipality", "hospital_trust", "practice"):
        for form in FORMS:
            apart = found[payer, SUM, form] - found[payer, SUM, "none"]
            assert close(apart, found[payer, "benefit", form])
    more = {key: value * times if key[0] in SAVED else value for key, value in world.hours.items()}
    moved = ledger(replace(world, hours=more), SETTINGS, point)
    for form in ("none", "proportional", "threshold"):
        assert found[SOCIETY, SUM, form] == moved[SOCIETY, SUM, form]


@some
@given(pairs())
def test_a_legacy_cost_at_break_even_put_back_gives_nought(pair: Pair) -> None:
    for row in break_evens(pair):
        if row.quantity != "legacy_cost" or row.payer != "municipality" or math.isnan(row.value):
            continue
        stated = {"legacy_cost.municipality": row.value}
        own, base = (side.ledger(None, **stated) for side in (pair.own, pair.base))
        total = own["municipality", SUM, row.form] + own["municipality", LEGACY, ""]
        total -= base["municipality", SUM, row.form] + base["municipality", LEGACY, ""]
        assert close(total, 0.0), row
        assert close(pair.difference(None, **stated)["municipality", row.form], 0.0), row


@some
@given(pairs())
def test_a_realised_share_at_break_even_put_back_gives_nought(pair: Pair) -> None:
    for row in break_evens(pair):
        if row.quantity == "realised_share" and not math.isnan(row.value):
            back = pair.difference(None, **{"benefit.realised": row.value})
            assert close(back["municipality", row.form], 0.0), row
            assert 0 <= row.value <= 1


@some
@given(points(), st.floats(1.0, 500.0), st.floats(0.0, 500.0))
def test_more_who_join_never_raise_the_cost_of_an_actor(point: Point, actors: float, more: float) -> None:
    few_join = float(cost_per_actor(point, "municipality", actors))
    assert float(cost_per_actor(point, "municipality", actors + more)) <= few_join * (1 + 1e-12)


@few
@given(st.integers(40, 130))
def test_a_number_of_actors_at_break_even_put_back_gives_the_target(target: int) -> None:
    file = settings(joining__target=f"{target} MNOK")
    world = World(1e5, {"municipality": 1.0, "hospital_trust": 1.0, "practice": 1.0})
    side = Side("own", world, file, Assumptions(file))
    (row,) = actors_needed(side)
    if math.isnan(row.value):
        assert row.note
    elif row.value > 1:
        cost = cost_per_actor(side.point(None), "municipality", row.value)
        assert close(cost, target * 1e6)


@some
@given(worlds())
def test_the_unknown_legacy_cost_is_never_shown_as_a_value(world: World) -> None:
    found = ledger(world, SETTINGS, Assumptions(SETTINGS).values())
    if world.joined["municipality"]:
        assert found["municipality", LEGACY, ""] == 0.0
    else:
        assert math.isnan(found["municipality", LEGACY, ""])
    assert not any(math.isnan(amount) for key, amount in found.items() if key[1] == SUM)


@few
@given(pairs(), st.data())
def test_amounts_lie_between_the_extremes_that_are_shown(pair: Pair, data: st.DataObject) -> None:
    """No point inside the ranges gives more or less than their corners do."""
    places = {path: np.array(data.draw(share)) for path in pair.paths}
    ends = extremes(pair.paths, pair.difference)
    for key, amount in pair.difference(places).items():
        low, high = ends[key]
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        assert low - slack <= float(np.min(amount)) <= high + slack, key


@few
@given(st.floats(0.5, 1.5), st.floats(0.5, 1.5))
def test_tables_keep_what_is_unknown_empty_and_values_within_their_ranges(a: float, b: float) -> None:
    factors = {"before": 1.0, "as it was": a, "all join": b, "stay apart": 1.0}
    found = tables(summary=summary(scenarios(), factors=factors))
    table = found.economics
    legacy = table[table["item"] == LEGACY]
    assert (legacy["value"].isna() | (legacy["low"] == 0.0)).all()
    known = table[table["value"].notna() & table["low"].notna()]
    slack = 1e-9 * known["value"].abs()
    assert (known["low"] <= known["value"] + slack).all() and (known["value"] <= known["high"] + slack).all()
    shares = found.better[["better", "same"]].to_numpy()
    assert (shares >= 0).all() and (shares.sum(axis=1) <= 1 + 1e-12).all()


@pytest.mark.parametrize("number", [0.1, 0.5, 0.9])
def test_more_of_the_benefit_is_never_worse_for_who_has_it(number: float) -> None:
    less, more = (settings(benefit__realised__value=x) for x in (number, min(1.0, number + 0.1)))
    world = World(1e5, {"municipality": 1.0, "hospital_trust": 1.0, "practice": 0.8})
    low, high = (ledger(world, file, Assumptions(file).values()) for file in (less, more))
    for form in ("proportional", "threshold"):
        assert high["municipality", SUM, form] >= low["municipality", SUM, form]
