"""Who goes live on the platform, or leaves it, and when: by date, evenly, in waves, or along a curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import networkx as nx

from flowsim.config.experiment_file import Design, Diffusion
from flowsim.plan.levers import lever_turns
from flowsim.plan.services import Builder
from flowsim.topology import Region, practices_at, stable_hash
from flowsim.units import HOURS_PER_YEAR
from flowsim.vocabulary import Party, ServiceKind

HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class GoLive:
    """An organisation or practice that joins the platform at an instant, or leaves it.

    ``before``: it had joined before the run began. ``people`` are those who must be trained.
    """

    at_hours: float
    organisation: str
    party: Party
    services: tuple[int, ...]
    joins: bool = True
    before: bool = False
    people: float = 0.0


def go_lives(builder: Builder, order: tuple[int, ...], joined: frozenset[int]) -> tuple[GoLive, ...]:
    """Return every go-live and leaving of a design in order of time, those from before the run first."""
    design, region = builder.design, builder.region
    if design.ideal:
        return ()
    adoption = design.adoption
    practices = [(0.0, p, True, True) for p in sorted(joined)]
    if adoption.diffusion is not None:
        still = tuple(p for p in order if p not in joined)
        joins: Iterable[tuple[float, int, bool]] = _spread(builder, still, adoption.diffusion)
    elif adoption.go_live:
        joins = _dated(builder, order, joined)
    else:
        joins = _in_turn(builder, order, joined)
    practices += [(at, p, on, False) for at, p, on in _together(list(joins), _together_of(design))]
    practices += [(at, p, False, False) for at, p in _leaving(builder, practices)]
    practices = list(_changes(practices))
    people = design.people.learning.training.people_per_doctor if design.people.learning else 0.0
    moves = [_practice(region, *move, people) for move in practices]
    moves += _organisations(builder)
    return tuple(sorted(moves, key=lambda move: (move.at_hours, move.organisation)))


def _practice(region: Region, at: float, practice: int, joins: bool, before: bool, people: float) -> GoLive:
    """Return a practice's go-live."""
    node = region.practices[practice]
    services = tuple(s.index for s in region.services if s.practice == practice)
    return GoLive(at, node.id, Party.gp, services, joins, before, node.gps * people)


def _organisations(builder: Builder) -> Iterator[GoLive]:
    """Return the go-lives of organisations: those on the platform from before, and those with a date."""
    design, region = builder.design, builder.region
    named = design.adoption.organisations
    for organisation in region.topology.organisations:
        services = [s for s in region.services if s.organisation == organisation.id]
        if not services:
            continue
        of = GoLive(
            0.0,
            organisation.id,
            services[0].party,
            tuple(s.index for s in services),
            people=float(sum(s.staff for s in services if s.staff > 0)),
        )
        if organisation.id in named if named is not None else organisation.on_platform:
            yield replace(of, before=True)
        for change in design.adoption.go_live:
            if organisation.id in change.organisations or organisation.id in change.leave:
                at = hours_of(design.start, change.on)
                yield replace(of, at_hours=at, joins=organisation.id in change.organisations)


def _dated(
    builder: Builder, order: tuple[int, ...], joined: frozenset[int]
) -> Iterator[tuple[float, int, bool]]:
    """Return the practices' go-lives on given dates: each sets a level, so practices can leave as well."""
    design = builder.design
    now = joined
    for change in sorted(design.adoption.go_live, key=lambda c: c.on):
        if change.gp_practices is None:
            continue
        level = practices_at(change.gp_practices, order, builder.region)
        at = hours_of(design.start, change.on)
        yield from ((at, p, True) for p in order if p in level - now)
        yield from ((at, p, False) for p in order if p in now - level)
        now = level


def _in_turn(
    builder: Builder, order: tuple[int, ...], joined: frozenset[int]
) -> Iterator[tuple[float, int, bool]]:
    """Return go-lives from the opening of the window: evenly over the roll-out, or in waves."""
    design = builder.design
    level = practices_at(design.adoption.gp_practices, order, builder.region)
    still = [p for p in order if p in level and p not in joined]
    opens = design.warm_up.hours
    for k, practice in enumerate(still):
        if design.adoption.waves is not None:
            at = opens + (k // design.adoption.waves.practices) * design.adoption.waves.every.hours
        else:
            days = design.adoption.roll_out.hours * k / len(still) / HOURS_PER_DAY
            at = opens + HOURS_PER_DAY * math.floor(days)
        yield at, practice, True


def _together_of(design: Design) -> int:
    """Return how many must be ready before anybody goes live, levers included."""
    turns = [turn.value for turn in lever_turns(design) if turn.on == "together"]
    return int(max([design.adoption.together, *turns]))


def _together(moves: list[tuple[float, int, bool]], number: int) -> Iterator[tuple[float, int, bool]]:
    """Let nobody go live until so many are ready; then all of them, and the others as they come.

    Whoever is to leave before that day never goes live.
    """
    ready = [move for move in moves if move[2]]
    opens = ready[number - 1][0] if len(ready) >= number else math.inf
    for at, practice, joins in moves:
        when = max(at, opens) if joins else at
        gone = joins and any(p == practice and not on and at <= t <= when for t, p, on in moves)
        if when < math.inf and not gone:
            yield when, practice, joins


def _changes(moves: list[tuple[float, int, bool, bool]]) -> Iterator[tuple[float, int, bool, bool]]:
    """Return the moves in order of time, without those of a practice that is there, or gone, already."""
    on: set[int] = set()
    for move in sorted(moves, key=lambda move: move[0]):
        _, practice, joins, _ = move
        if joins != (practice in on):
            on.symmetric_difference_update({practice})
            yield move


def _leaving(
    builder: Builder, joined: Iterable[tuple[float, int, bool, bool]]
) -> Iterator[tuple[float, int]]:
    """Return which practices leave again, and when, by a luck of their own."""
    per_year = builder.design.adoption.leave_per_year.value
    if per_year <= 0.0:
        return
    for at, practice, joins, _ in joined:
        if not joins:
            continue
        name = builder.region.practices[practice].id
        years = -math.log(_luck(builder.design, f"leave/{name}")) / -math.log1p(-min(per_year, 1.0 - 1e-9))
        leaves = at + years * HOURS_PER_YEAR
        if leaves < builder.end_hours:
            yield leaves, practice


def _luck(design: Design, name: str) -> float:
    """Return a uniform above 0 that a name always has under the seed of the joining order."""
    return (stable_hash(f"{design.order_seed}/{name}") + 0.5) / 2.0**64


def _spread(builder: Builder, still: tuple[int, ...], diffusion: Diffusion) -> list[tuple[float, int, bool]]:
    """Return go-lives along a Bass curve."""
    if diffusion.over == "neighbours":
        return _over_graph(builder, still, diffusion)
    out = []
    for k, practice in enumerate(still):
        at = joining_years((k + 0.5) / len(still), diffusion) * HOURS_PER_YEAR
        if at >= builder.end_hours:
            break
        out.append((at, practice, True))
    return out


def joining_years(share: float, diffusion: Diffusion) -> float:
    """Return after how many years a share has joined: the inverse of Bass's curve.

    F(t) = (1 - exp(-(p+q)t)) / (1 + (q/p) exp(-(p+q)t)), with p innovation and q imitation a year
    (Bass 1969).
    """
    p, q = diffusion.innovation_per_year, diffusion.imitation_per_year
    return -math.log((1.0 - share) / (1.0 + q / p * share)) / (p + q)


def neighbours(region: Region) -> nx.Graph[Any]:
    """Return the graph of practices (their indices) that share services of a municipality.

    The weight of an edge is how many they share: the case office links a municipality, home nursing a
    district of it.
    """
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_nodes_from(p.index for p in region.practices)
    kinds = (ServiceKind.case_office, ServiceKind.home_nursing, ServiceKind.short_term_ward)
    for kind in kinds:
        users: dict[int, list[int]] = {}
        for practice in region.practices:
            service = region.resolve(kind, practice.index, None, -1)
            if service is not None:
                users.setdefault(service, []).append(practice.index)
        for group in users.values():
            for i, a in enumerate(group):
                for b in group[i + 1 :]:
                    weight = graph.get_edge_data(a, b, {"weight": 0})["weight"]
                    graph.add_edge(a, b, weight=weight + 1)
    return graph


def _over_graph(
    builder: Builder, still: tuple[int, ...], diffusion: Diffusion
) -> list[tuple[float, int, bool]]:
    """Return go-lives where a practice is pulled by the share of its neighbours that have joined.

    Day by day each practice gathers a hazard of p + q × that share; it joins when that passes a
    threshold of its own, -ln(u).
    """
    graph = neighbours(builder.region)
    able = {p.index for p in builder.region.practices if not p.outside}
    on = able - set(still)
    needed = {p: -math.log(_luck(builder.design, f"joins/{builder.region.practices[p].id}")) for p in still}
    gathered = dict.fromkeys(still, 0.0)
    out = []
    for day in range(int(builder.end_hours // HOURS_PER_DAY)):
        for p in still:
            if p in on:
                continue
            edges = {b: w["weight"] for b, w in graph[p].items() if b in able}
            pull = sum(w for b, w in edges.items() if b in on) / max(sum(edges.values()), 1)
            hazard = diffusion.innovation_per_year + diffusion.imitation_per_year * pull
            gathered[p] += hazard * HOURS_PER_DAY / HOURS_PER_YEAR
        ready = [p for p in still if p not in on and gathered[p] >= needed[p]]
        out += [(HOURS_PER_DAY * day, p, True) for p in ready]
        on |= set(ready)
    return out


def hours_of(start: date, instant: date | datetime) -> float:
    """Return an instant, or the beginning of a day, in hours from the start date."""
    at = instant if isinstance(instant, datetime) else datetime.combine(instant, time())
    return (at - datetime.combine(start, time())).total_seconds() / 3600.0
