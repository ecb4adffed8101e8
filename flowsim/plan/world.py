"""What the organisation does by itself during a run: who goes live when, and which relays fail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time

from flowsim.config.experiment_file import Diffusion
from flowsim.plan.services import Builder
from flowsim.topology import Region, practices_at
from flowsim.units import HOURS_PER_YEAR

#: A go-live: when (hours from the start), and which services join (1) or leave (0).
GoLives = tuple[tuple[float, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True)
class OutagePlan:
    """A relay that is down at an instant or by chance; ``lasts`` is a row of the distributions."""

    relay: int
    at_hours: float | None
    per_year: float
    lasts: int


@dataclass(frozen=True)
class WorldPlan:
    """What the organisation does by itself during the run."""

    go_lives: GoLives = ()
    outages: tuple[OutagePlan, ...] = ()


def world_plan(builder: Builder, order: tuple[int, ...], joined: frozenset[int]) -> WorldPlan:
    """Return the go-lives and outages of a design; a twin without faults has no outages."""
    design, region = builder.design, builder.region
    if design.ideal:
        return WorldPlan()
    if design.adoption.diffusion is not None:
        still = tuple(p for p in order if p not in joined)
        go_lives = _spread(region, still, design.adoption.diffusion, builder.end_hours)
    else:
        go_lives = _dated(builder, order, joined)
    return WorldPlan(go_lives, () if design.faults_off else _outages(builder))


def _dated(builder: Builder, order: tuple[int, ...], joined: frozenset[int]) -> GoLives:
    """Return the go-lives on given dates: each sets a level, so practices can leave as well."""
    design, region = builder.design, builder.region
    out = []
    now = joined
    for change in sorted(design.adoption.go_live, key=lambda c: c.on):
        level = practices_at(change.gp_practices, order, region)
        moves = _moves(region, level - now, 1) + _moves(region, now - level, 0)
        out.append((_hours(design.start, datetime.combine(change.on, time())), moves))
        now = level
    return tuple(out)


def _spread(region: Region, still: tuple[int, ...], diffusion: Diffusion, end_hours: float) -> GoLives:
    """Return go-lives along a Bass curve: the k-th of n joins when the curve passes (k - 1/2) / n."""
    out = []
    for k, practice in enumerate(still):
        at = joining_years((k + 0.5) / len(still), diffusion) * HOURS_PER_YEAR
        if at >= end_hours:
            break
        out.append((at, _moves(region, frozenset([practice]), 1)))
    return tuple(out)


def joining_years(share: float, diffusion: Diffusion) -> float:
    """Return after how many years a share has joined: the inverse of Bass's curve.

    F(t) = (1 - exp(-(p+q)t)) / (1 + (q/p) exp(-(p+q)t)), with p innovation and q imitation a year
    (Bass 1969).
    """
    p, q = diffusion.innovation_per_year, diffusion.imitation_per_year
    return -math.log((1.0 - share) / (1.0 + q / p * share)) / (p + q)


def _moves(region: Region, practices: frozenset[int], joins: int) -> tuple[tuple[int, int], ...]:
    """Return the services of some practices with what becomes of them."""
    return tuple((s.index, joins) for s in region.services if s.practice in practices)


def _outages(builder: Builder) -> tuple[OutagePlan, ...]:
    """Return the outages of a design."""
    design = builder.design
    index = {relay.id: relay.index for relay in builder.region.relays}
    return tuple(
        OutagePlan(
            index[o.relay],
            None if o.at is None else _hours(design.start, o.at),
            o.per_year or 0.0,
            builder.distribution(o.lasts),
        )
        for o in design.outages
    )


def _hours(start: date, instant: datetime) -> float:
    """Return an instant in hours from the start date."""
    return (instant - datetime.combine(start, time())).total_seconds() / 3600.0
