"""Levers that change nothing here: no mistake, but an analyst who compares them should know it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from flowsim.config.catalogue_file import AuditWay, FoundWay
from flowsim.config.experiment_file import Design
from flowsim.config.levers_file import Act, Lever
from flowsim.experiment.world_checks import Finding, goes_live_inside, joiners, sends
from flowsim.topology import Region

#: Why an act changes nothing; "" where it changes something.
Reason = Callable[[Design, Region, Lever, Act], str]


def lever_warnings(design: Design, region: Region) -> Iterator[tuple[str, Finding]]:
    """Give every lever in use that changes nothing, by name, with the reason for each of its acts."""
    for i, name in enumerate(design.use_levers):
        lever = design.levers.levers[name]
        if lever.strength == 0.0:
            message = f"The lever '{name}' changes nothing: reach × adherence × effect is 0."
            yield name, (("use_levers", i), message, "")
            continue
        reasons = [_REASONS[act.on](design, region, lever, act) for act in lever.acts]
        if all(reasons):
            message = f"The lever '{name}' changes nothing here: {'; '.join(dict.fromkeys(reasons))}."
            yield name, (("use_levers", i), message, "")


def _fault(design: Design, _region: Region, _lever: Lever, act: Act) -> str:
    settings = design.faults.faults.get(act.what)  # type: ignore[call-overload]
    kinds = {step.message for step in sends(design)}
    strikes = (
        settings is not None
        and settings.rate.value > 0.0
        and (not settings.only or kinds & set(settings.only))
    )
    defects = (*design.defects.latent, *design.defects.known)
    if strikes or any(hit.fault == act.what for hit in defects):
        return "" if act.full != 1.0 else "its factor is 1"
    return f"'{act.what}' never strikes"


def _way(design: Design, _region: Region, lever: Lever, act: Act) -> str:
    faults = design.faults
    ways: dict[str, AuditWay | FoundWay | None] = {str(name): way for name, way in faults.found_by.items()}
    ways |= {"audit": faults.audit, "reconciliation": faults.reconciliation}
    way = ways.get(act.what)
    if way is None:
        return f"the faults file has no way back '{act.what}'"
    if not any(act.what in settings.found_by for settings in faults.faults.values()):
        return f"no fault can come to light by '{act.what}'"
    kinds = set(getattr(way, "messages", ()))
    if kinds and not kinds & {step.message for step in sends(design)}:
        return f"no pathway here sends what '{act.what}' can find"
    if lever.strength * act.full <= way.chance.value:
        return f"the chance of '{act.what}' is {100 * way.chance.value:.4g} % without it"
    return ""


def _staff(_design: Design, region: Region, lever: Lever, act: Act) -> str:
    own = [service.staff for service in region.services if service.kind == act.what and service.staff > 0]
    if not own:
        return f"the topology has no staff of kind '{act.what}'"
    factor = 1.0 + lever.strength * (act.full - 1.0)
    if all(round(number * factor) == number for number in own):
        return f"× {factor:.3g} is no whole person more or less at any '{act.what}'"
    return ""


def _addresses(design: Design, region: Region, _lever: Lever, _act: Act) -> str:
    stale = design.adoption.joining.stale_share.value > 0.0 and goes_live_inside(design, region)
    aging = design.faults.addresses
    if stale or (aging is not None and (aging.former_gp.value > 0.0 or aging.doctors_leave_per_year > 0.0)):
        return ""
    return "no address goes stale"


def _paper(design: Design, _region: Region, _lever: Lever, _act: Act) -> str:
    return "" if design.outages else "there is no outage"


def _owners(design: Design, region: Region, _lever: Lever, _act: Act) -> str:
    own = design.defects.owners
    if own is not None:
        often = own.reorganisations_per_year > 0.0 and own.lost_at_reorganisation.value > 0.0
        if often or (own.lost_at_go_live.value > 0.0 and goes_live_inside(design, region)):
            return ""
    if any(service.staff > 0 and not service.watched for service in region.services):
        return ""
    return "no list loses its owner"


def _coverage(design: Design, region: Region, lever: Lever, act: Act) -> str:
    if not design.defects.latent or not goes_live_inside(design, region):
        return "there are no latent defects to test for"
    base = design.defects.testing.coverage.value
    return "" if lever.strength * act.full > base else f"{100 * base:.4g} % is tested without it"


def _training(design: Design, region: Region, lever: Lever, act: Act) -> str:
    learning = design.people.learning
    if learning is None or not goes_live_inside(design, region):
        return "there is no dip to train for"
    base = learning.training.spares.value
    return "" if lever.strength * act.full > base else f"training spares {100 * base:.4g} % without it"


def _escalation(design: Design, _region: Region, _lever: Lever, act: Act) -> str:
    if not (design.defects.latent or design.defects.known) or not design.defects.escalation.levels:
        return "no defect is lifted through levels"
    return "" if act.full != 1.0 else "its factor is 1"


def _pace(design: Design, region: Region, _lever: Lever, act: Act) -> str:
    adoption = design.adoption
    named = adoption.organisations
    inside = any(o.on_platform if named is None else o.id in named for o in region.topology.organisations)
    at_start = adoption.level_at_start(design.view) not in ("0 %", "0 practices")
    if not (inside or at_start or goes_live_inside(design, region)):
        return "nobody is on the platform"
    return "" if act.full != 1.0 else "its factor is 1"


def _together(design: Design, region: Region, _lever: Lever, act: Act) -> str:
    if joiners(design, region) == 0:
        return "no practice goes live inside the run"
    return "" if act.full > design.adoption.together else "they wait for as many without it"


_REASONS: Final[dict[str, Reason]] = {
    "fault": _fault,
    "way": _way,
    "search": _pace,
    "handling": _pace,
    "slips": _pace,
    "staff": _staff,
    "addresses": _addresses,
    "paper_fallback": _paper,
    "owners": _owners,
    "test_coverage": _coverage,
    "training": _training,
    "escalation": _escalation,
    "together": _together,
}
