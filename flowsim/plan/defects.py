"""The defects that a run can have: a record for each, and what the world needs to live their lives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.defects_file import Hit, Known, Latent
from flowsim.plan.layout import DEFECT
from flowsim.plan.levers import factor_at, highest, lever_turns
from flowsim.plan.rollout import GoLive, hours_of
from flowsim.plan.services import Builder, organisations
from flowsim.plan.steps import Steps
from flowsim.topology import Region, stable_hash
from flowsim.vocabulary import Channel, Fault, FoundBy, MessageKind

#: Slots for latent defects of a go-live reach to this share of the law of their number.
_NEARLY_ALL = 1.0 - 1e-6


@dataclass(frozen=True)
class DefectPlan:
    """One defect that may be: when it begins, and by which luck it is there at all.

    A latent one is the ``k``-th of its class at a go-live: it is there if the go-live's Poisson number
    (mean ``number``) is above k and tests have not removed it (chance ``removed``).
    """

    index: int
    name: str
    at_hours: float
    number: float
    k: int
    removed: float
    reach: tuple[float, float]


@dataclass(frozen=True)
class LevelPlan:
    """A level of the escalation; ``takes`` and ``again_after`` are rows of the distributions."""

    name: str
    calendar: int
    takes: int
    accepts: float
    again_after: int
    crosses: bool


@dataclass(frozen=True)
class DefectsPlan:
    """All defects of a design, and how they are noticed, lifted and mended."""

    defects: tuple[DefectPlan, ...]
    reports: tuple[int, int]
    proof: frozenset[int]
    levels: tuple[LevelPlan, ...]
    crossing: int
    mends: int
    resend: bool
    #: (from this hour on, factor on every length of time of the escalation)
    faster: tuple[tuple[float, float], ...]


def defects_plan(
    builder: Builder, steps: Steps, lives: tuple[GoLive, ...]
) -> tuple[DefectsPlan | None, NDArray[Any], list[dict[str, Any]]]:
    """Return the world's plan of defects, their DEFECT records, and what the header tells of them."""
    design = builder.design
    settings = design.defects
    none = design.faults_off or design.ideal or not (settings.latent or settings.known)
    if none:
        return None, np.zeros(0, DEFECT), []
    rows: list[Any] = []
    plans: list[DefectPlan] = []
    told: list[dict[str, Any]] = []
    coverage = highest(lever_turns(design), "test_coverage", settings.testing.coverage.value)
    met: set[str] = set()
    for life in lives:
        # Defects come with the go-lives inside the run; whoever joined long before has had them.
        if not life.joins or life.before or life.organisation in met:
            continue
        # Whoever leaves and joins again meets no second set of the same defects.
        met.add(life.organisation)
        for kind in settings.latent:
            if kind.at != life.party.name:
                continue
            name = f"{kind.id}/{life.organisation}"
            for k in range(_slots(kind.number)):
                rows.append(_record(builder, steps, kind, f"{name}/{k}", life.organisation))
                plans.append(
                    DefectPlan(
                        len(plans), name, life.at_hours, kind.number, k, coverage * kind.visible, kind.reach
                    )
                )
                told.append(_told(kind, f"{name}/{k}", life.organisation, None, life.at_hours))
    for known in settings.known:
        at = max(hours_of(design.start, known.begins), 0.0)
        rows.append(_record(builder, steps, known, known.id, known.sender))
        plans.append(DefectPlan(len(plans), known.id, at, math.inf, 0, 0.0, (known.reach, known.reach)))
        told.append(_told(known, known.id, known.sender or "", known.happened, at))
    return _plan(builder, plans), np.array(rows, DEFECT), told


def _plan(builder: Builder, plans: list[DefectPlan]) -> DefectsPlan:
    """Return how the defects are noticed, lifted and mended, with rows of the distributions."""
    settings = builder.design.defects
    levels, owner = [], None
    for level in settings.escalation.levels:
        levels.append(
            LevelPlan(
                level.id,
                builder.calendar(level.calendar, f"escalation/{level.id}"),
                builder.distribution(level.takes),
                level.accepts,
                builder.distribution(level.again_after),
                owner is not None and owner != level.owner,
            )
        )
        owner = level.owner
    turns = lever_turns(builder.design)
    times = sorted({0.0, *(turn.at_hours for turn in turns if turn.on == "escalation")})
    faster = tuple((at, settings.escalation.faster * factor_at(turns, "escalation", at)) for at in times)
    return DefectsPlan(
        tuple(plans),
        settings.noticing.reports,
        frozenset(int(FoundBy[way]) for way in settings.noticing.proof),
        tuple(levels),
        builder.distribution(settings.escalation.crossing),
        builder.distribution(settings.mending.takes) if settings.mending is not None else -1,
        settings.mending.resend if settings.mending is not None else False,
        faster,
    )


def _slots(mean: float) -> int:
    """Return for how many defects of a class a go-live has room: all but one in a million such go-lives."""
    if mean <= 0.0:
        return 0
    k, chance = 0, math.exp(-mean)
    reached = chance
    while reached < _NEARLY_ALL:
        k += 1
        chance *= mean / k
        reached += chance
    return k


def _record(builder: Builder, steps: Steps, hit: Hit, name: str, organisation: str | None) -> Any:
    """Return a DEFECT record; its chances are shares of the reach, which the world gives when it begins."""
    row = np.zeros((), DEFECT)
    row["hash"] = stable_hash(f"defect/{name}") & 0x7FFFFFFF
    row["chance"] = 0.0 if hit.copies_only else 1.0
    row["chance_copy"] = 1.0
    row["fault"] = int(Fault[hit.fault])
    row["messages"] = sum(1 << int(MessageKind[kind]) for kind in hit.messages)
    row["template"] = -1 if hit.template is None else steps.templates.get(hit.template, -2)
    row["channel"] = -1 if hit.channel is None else int(Channel[hit.channel])
    row["organisation"] = organisation_number(builder.region, organisation) if organisation else -1
    row["sender"] = row["receiver"] = -1
    if isinstance(hit, Known) and hit.copies_reach is not None and hit.reach > 0.0:
        row["chance_copy"] = hit.copies_reach / hit.reach
    if isinstance(hit, Known) and hit.receiver is not None:
        row["receiver"] = builder.region.candidates(hit.receiver)[0]
    return row


def organisation_number(region: Region, name: str) -> int:
    """Return the number of an organisation or practice, as services' records have it; -1 for none."""
    return next((k for k, o in enumerate(organisations(region)) if o == name), -1)


def _told(
    hit: Latent | Known, name: str, organisation: str, happened: int | None, at: float
) -> dict[str, Any]:
    """Return what the analysis must know of a defect."""
    return {
        "id": name,
        "kind": hit.id,
        "fault": int(Fault[hit.fault]),
        "organisation": organisation,
        "latent": isinstance(hit, Latent),
        "begins_hours": at,
        "happened_days": happened,
    }
