"""In which order practices join the platform, and who has joined at a level."""

from __future__ import annotations

import math

import networkx as nx

from flowsim.errors import UsageError, did_you_mean
from flowsim.topology.graph import PracticeNode, Region, stable_hash
from flowsim.units import parse_share
from flowsim.vocabulary import ServiceKind


def joining_order(region: Region, order: str | tuple[str, ...], seed: int) -> tuple[int, ...]:
    """Return practices (indices) in the order in which they join; those outside the roll-out are left out.

    ``random``: by a hash of seed and practice id, so that adding a practice moves no other.
    ``largest_first``, ``smallest_first``: by listed patients. ``most_connected``: by the flow that joining
    moves to the platform (see ``connected_flow``). A tuple of ids: these first, in that order, then the
    rest largest first. Ties go by id. Raises UsageError for an unknown order or id.
    """
    able = [p for p in region.practices if not p.outside]
    largest = sorted(able, key=lambda p: (-p.patients, p.id))
    if not isinstance(order, str):
        named = [_practice(region, able, identifier) for identifier in order]
        chosen = {p.index for p in named}
        return tuple(p.index for p in (*named, *(p for p in largest if p.index not in chosen)))
    if order == "largest_first":
        return tuple(p.index for p in largest)
    if order == "smallest_first":
        return tuple(p.index for p in sorted(able, key=lambda p: (p.patients, p.id)))
    if order == "random":
        return tuple(p.index for p in sorted(able, key=lambda p: (stable_hash(f"{seed}:{p.id}"), p.id)))
    if order == "most_connected":
        flow = connected_flow(region)
        return tuple(p.index for p in sorted(able, key=lambda p: (-flow[p.index], p.id)))
    legal = ("random", "largest_first", "smallest_first", "most_connected")
    raise UsageError(f"'{order}' is no joining order.", did_you_mean(order, legal))


def connected_flow(region: Region) -> dict[int, float]:
    """Return for each practice (index) its patients times the platform's services that they use.

    This is the weighted degree of the practice in the graph of practices and the services of
    organisations on the platform; each edge becomes a platform route when the practice joins.
    """
    graph: nx.Graph[tuple[str, int]] = nx.Graph()
    kinds = sorted({s.kind for s in region.services if s.on_platform and s.kind != ServiceKind.error_queue})
    areas: list[str | None] = [None, *sorted({s.area for s in region.services if s.area})]
    for practice in region.practices:
        graph.add_node(("practice", practice.index))
        for kind in kinds:
            for area in areas:
                service = region.resolve(kind, practice.index, area, -1)
                if service is not None and region.services[service].on_platform:
                    ends = ("practice", practice.index), ("service", service)
                    graph.add_edge(*ends, weight=practice.patients)
    return {p.index: float(graph.degree(("practice", p.index), weight="weight")) for p in region.practices}


def practices_at(level: str | tuple[str, ...], order: tuple[int, ...], region: Region) -> frozenset[int]:
    """Return the practices (indices) on the platform at a level, the first of the joining order.

    ``"25 %"`` is a share of the practices that can join, half rounded up; ``"2 practices"`` a number; a
    tuple of ids just these. Levels of one order are nested. Raises UsageError for an unknown id or a
    number above what there is.
    """
    able = [region.practices[i] for i in order]
    if not isinstance(level, str):
        return frozenset(_practice(region, able, identifier).index for identifier in level)
    words = level.split()
    if words[-1:] in (["practices"], ["practice"]):
        number = int(words[0])
        if number > len(order):
            raise UsageError(f'"{level}" is more than the {len(order)} practices that can join.')
    else:
        # A hair is added, because 0.15 × 30 is a hair below 4.5.
        number = math.floor(parse_share(level) * len(order) + 0.5 + 1e-9)
    return frozenset(order[:number])


def _practice(region: Region, able: list[PracticeNode], identifier: str) -> PracticeNode:
    found = next((p for p in able if p.id == identifier), None)
    if found is None:
        if any(p.id == identifier for p in region.practices):
            raise UsageError(f"The practice '{identifier}' is outside the roll-out and cannot join.")
        known = [p.id for p in able]
        raise UsageError(f"There is no practice '{identifier}'.", did_you_mean(identifier, known))
    return found
