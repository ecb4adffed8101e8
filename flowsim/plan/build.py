"""From a design to a plan: the kernel's arrays, the journal's header, and what the world does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowsim.config.catalogue_file import AuditWay
from flowsim.config.experiment_file import Design
from flowsim.config.pathway_file import PathwayFile, Send
from flowsim.config.values import AnyDistribution, Fixed
from flowsim.plan.defects import defects_plan
from flowsim.plan.families import FILLER, Families, role_table
from flowsim.plan.layout import SETTING, Arrays
from flowsim.plan.levers import lifted_ways
from flowsim.plan.rates import channel_array, fault_rates, found_ways
from flowsim.plan.rollout import go_lives
from flowsim.plan.services import Builder, service_array
from flowsim.plan.steps import Steps
from flowsim.plan.world import WorldPlan, month_turns, moves_per_hour, world_plan
from flowsim.topology import Region, build, first_of_kind, joining_order, practices_at
from flowsim.units import Duration
from flowsim.vocabulary import RelayKind, StepKind


@dataclass(frozen=True)
class Plan:
    """The whole input of a simulation but the replication; built once a design."""

    arrays: Arrays = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    world: WorldPlan
    end_hours: float


def build_plan(design: Design) -> Plan:
    """Return the plan of a design; raise FaultsInFile where its parts do not fit together."""
    region = build(design.topology)
    builder = Builder.of(design, region)
    order = joining_order(region, design.adoption.order, design.order_seed)
    joined = practices_at(design.adoption.level_at_start(design.view), order, region)
    pathways = list(design.pathways.values())
    services = service_array(builder, _on_platform(design, region, joined))
    steps = Steps(builder)
    families = Families(builder, steps)
    for number, pathway in enumerate(pathways):
        steps.add(pathway, number)
    for number, pathway in enumerate(pathways):
        families.add(pathway, number)
    families.add_fillers(len(pathways))
    practice = families.practices()
    channel, rates = channel_array(builder), fault_rates(builder, steps)
    mask, chance, delay = found_ways(builder)
    roles, practices, areas = role_table(builder, steps, pathways)
    setting = _setting(builder, practices, areas)
    setting["months"] = len(families.arrival)
    lives = go_lives(builder, order, joined)
    defects, defect, told = defects_plan(builder, steps, lives)
    world = world_plan(builder, lives, defects)
    step, copy_role, choice, target = steps.arrays()
    arrays = Arrays(
        setting=setting,
        step=step,
        service=services,
        family=np.array(families.rows),
        channel=channel,
        defect=defect,
        role_service=roles,
        copy_role=copy_role,
        choice=choice,
        target=target,
        fault_rate=rates,
        fault_ways=mask,
        way_chance=chance,
        way_delay=delay,
        wrong=np.array(builder.wrong or [0], np.int64),
        area=np.array(families.area or [1.0]),
        practice_weight=np.array(families.practice_weight or [1.0]),
        practice_index=np.array(families.practice_index or [0], np.int64),
        practice=practice,
        arrival=np.array([*families.arrival, *month_turns(builder)]),
        profiles=builder.profiles.arrays(),
        calendars=builder.calendars.arrays(),
        tables=builder.distributions.arrays(),
    )
    header = {**_header(builder, steps, pathways), "defects": told}
    if world.response is not None:
        header["monitor"] = True
    return Plan(arrays, header, world, builder.end_hours)


def _on_platform(design: Design, region: Region, joined: frozenset[int]) -> frozenset[int]:
    """Return the services that are on the platform at the start."""
    named = design.adoption.organisations
    return frozenset(
        s.index
        for s in region.services
        if (
            s.practice in joined
            if s.practice >= 0
            else (s.on_platform if named is None else s.organisation in named)
        )
    )


def _setting(builder: Builder, practices: int, areas: int) -> Any:
    """Return the SETTING record."""
    design, region = builder.design, builder.region
    faults, joining = design.faults, design.adoption.joining
    relay = first_of_kind(region.relays)
    out = np.zeros(1, SETTING)
    row = out[0]
    row["end"], row["opens"] = builder.end_hours, design.warm_up.hours
    row["seed"] = design.seed
    row["ideal"] = int(design.ideal)
    row["search_factor"] = joining.search_factor
    row["handling_factor"] = joining.handling_factor
    row["stale_share"] = 0.0 if design.faults_off else joining.stale_share.value
    row["stale_lag"] = max(joining.stale_lag.hours, 1e-9)
    row["old_inbox_read"] = joining.old_inbox_read.value
    row["forwards"] = faults.misdelivery.forwards.value
    row["notifies"] = faults.misdelivery.notifies.value
    row["dead_share"] = faults.misdelivery.dead_endpoint.value
    row["audit_every"], row["audit_chance"] = _looks(design, "audit", faults.audit)
    row["reconcile_every"], row["reconcile_chance"] = _looks(design, "reconciliation", faults.reconciliation)
    _people(builder, row)
    row["redelivery"] = builder.distribution(faults.redelivery)
    late = faults.faults.get("late")
    row["late_delay"] = builder.distribution(late.delay if late is not None else None)
    vanished = faults.faults.get("vanished")
    shown = vanished.delay if vanished is not None else None
    row["vanish_delay"] = builder.distribution(shown or Fixed(value=Duration(0.0, 0.0)))
    row["dead_endpoint"] = region.dead_endpoint
    for name, kind in (
        ("platform", RelayKind.platform),
        ("gateway", RelayKind.gateway),
        ("broker", RelayKind.broker),
        ("register", RelayKind.address_register),
        ("post", RelayKind.post),
    ):
        row[name] = relay.get(kind, -1)
    row["practices"], row["areas"] = practices, areas
    row["services"], row["relays"] = len(region.services), len(region.relays)
    return out


def _people(builder: Builder, row: Any) -> None:
    """Write what the kernel must know of how people work, and of addresses that age."""
    design = builder.design
    people = design.people
    row["search_per_system"] = people.search_per_system.value
    row["skim_minutes"] = people.overload.minutes
    row["swamped_slips"] = 1.0 + people.overload.slips.value
    row["skim_missed"] = 0.0 if design.faults_off or design.ideal else people.overload.missed.value
    row["moves_per_hour"] = moves_per_hour(builder)
    addresses = design.faults.addresses
    if addresses is not None:
        row["moved_share"] = addresses.former_gp.value
        row["moved_lag"] = max(addresses.books_follow.hours, 1e-9)


def _looks(design: Design, way: str, settings: AuditWay | None) -> tuple[float, float]:
    """Return how often somebody looks (hours), and the chance to see an item; levers can lift it."""
    if settings is None:
        return 0.0, 0.0
    return _fixed_hours(settings.every), max(settings.chance.value, lifted_ways(design).get(way, 0.0))


def _fixed_hours(value: AnyDistribution) -> float:
    """Return the hours of a fixed length of time (0 for anything else: never)."""
    given = getattr(value, "value", None)
    return given.hours if isinstance(given, Duration) else 0.0


def _limit(duration: Duration) -> dict[str, float]:
    """Return a limit as the header has it."""
    return {"working_days": duration.working_days} if duration.working_days else {"hours": duration.hours}


def _header(builder: Builder, steps: Steps, pathways: list[PathwayFile]) -> dict[str, Any]:
    """Return what the analysis must know about a run besides its rows, as plain data."""
    design, region = builder.design, builder.region
    services = [
        {
            "id": s.key,
            "label": s.label,
            "kind": str(s.kind),
            "party": int(s.party),
            "organisation": s.organisation,
            "practice": s.practice >= 0,
        }
        for s in region.services
    ]
    services += [
        {"id": r.id, "label": r.label, "kind": "relay", "party": 6, "organisation": r.id, "practice": False}
        for r in region.relays
    ]
    number = {p.id: i for i, p in enumerate(pathways)}
    return {
        "start": design.start.isoformat(),
        "warm_up_hours": design.warm_up.hours,
        "observe_hours": design.observe.hours,
        "follow_up_hours": design.follow_up.hours,
        "end_hours": builder.end_hours,
        "holidays": [day.isoformat() for day in builder.holidays],
        "inhabitants": region.topology.inhabitants,
        "escalation_levels": len(design.defects.escalation.levels),
        "chase_hours": design.people.chase.hours,
        "consultation_hours": design.people.consultation.hours,
        "services": services,
        "pathways": [
            {
                "id": p.id,
                "label": p.label,
                "targets": {u: _limit(t.care_within) for u, t in p.targets.items()},
                "delayed_after": {u: _limit(t.delayed_after) for u, t in p.targets.items()},
            }
            for p in pathways
        ]
        + [{"id": FILLER, "label": FILLER, "targets": {}, "delayed_after": {}, "waiting_filler": True}],
        "steps": [
            _step_header(step, row, number.get(name, len(pathways)))
            for (name, step), row in zip(steps.names, steps.rows, strict=True)
        ],
    }


def _step_header(step: Any, row: Any, number: int) -> dict[str, Any]:
    """Return one step as the header has it."""
    out: dict[str, Any] = {
        "id": step.id if step is not None else FILLER,
        "pathway": number,
        "kind": StepKind(int(row["kind"])).name,
        "message": int(row["message"]),
        "milestone": int(row["milestone"]),
        "deadline": None,
        "copy_deadline": None,
    }
    if isinstance(step, Send):
        for name in ("deadline", "copy_deadline"):
            limit = getattr(step, name)
            if limit is not None:
                out[name] = {**_limit(limit.within), "from": limit.since, "to": limit.to}
    return out
