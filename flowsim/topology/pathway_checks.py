"""Do pathways and topology fit together? One small function a finding, as in ``checks``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import networkx as nx

from flowsim.config.pathway_file import (
    Branch,
    Cancel,
    Compare,
    End,
    PathwayFile,
    Place,
    Repeat,
    Send,
    Shared,
    Wait,
    Work,
    step_targets,
)
from flowsim.errors import Fault, did_you_mean
from flowsim.topology.checks import Finding, Where, as_faults
from flowsim.topology.graph import Region
from flowsim.topology.load import ServiceLoad, load_per_service
from flowsim.units import format_number
from flowsim.vocabulary import ServiceKind

_NAMES_MAX = 3


def check_pathway(region: Region, pathway: PathwayFile, where: Where | None = None) -> list[Fault]:
    """Return every reason why a pathway cannot run in a region; none where it can."""
    found = [finding for check in CHECKS for finding in check(region, pathway)]
    return as_faults(found, pathway, pathway.id, where)


def warn(region: Region, pathways: Sequence[PathwayFile], where: Where | None = None) -> list[Fault]:
    """Return what an analyst should be told before a run, though it can run; ``where`` is the topology's.

    These are no mistakes in themselves: a list that nobody works is simulated with its true consequence.
    """
    found = [finding for check in WARNINGS for finding in check(region, pathways)]
    return as_faults(found, region.topology, region.topology.name, where)


def _named(pathway: PathwayFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give every service name in a pathway's steps with its path."""
    for i, step in enumerate(pathway.steps):
        if isinstance(step, Send):
            yield ("steps", i, "sender"), step.sender
            yield ("steps", i, "to"), step.to
            yield from ((("steps", i, "copies", j), ref) for j, ref in enumerate(step.copies))
        elif isinstance(step, Work | Place):
            yield ("steps", i, "service"), step.service
        elif isinstance(step, Shared):
            yield from ((("steps", i, "services", j), ref) for j, ref in enumerate(step.services))


def unknown_service(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find services that a pathway names and nobody in the topology has."""
    inner = (ServiceKind.error_queue, ServiceKind.dead_endpoint)
    kinds = sorted({str(s.kind) for s in region.services if s.kind not in inner})
    for path, ref in ((("starts", "at"), pathway.starts.at), *_named(pathway)):
        if path == ("starts", "at") and ref == "origin":
            yield path, "A case cannot begin at 'origin', which is where it begins.", "Name a service kind."
        if ref == "origin" or region.candidates(ref):
            continue
        place = f"step '{pathway.steps[int(path[1])].id}'" if path[0] == "steps" else "the start"
        legal = [s.key for s in region.services] if "/" in ref else [*kinds, "origin"]
        message = (
            f"{place} of the pathway '{pathway.id}' names the service '{ref}', "
            f"but nobody in the topology '{region.topology.name}' has it."
        )
        yield path, message[0].upper() + message[1:], did_you_mean(ref, legal)


def area_without_service(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find patients with a clinical area that the pathway draws who have nobody to go to."""
    areas: list[str | None] = [a for a, w in pathway.starts.areas.items() if w > 0] or [None]
    # One practice of each district stands for all of them.
    homes = {(p.municipality, p.district): p.index for p in region.practices}
    for path, ref in _named(pathway):
        if ref == "origin" or not region.candidates(ref):
            continue
        for area in areas:
            without = sorted({
                where for (where, _), p in homes.items() if region.resolve(ref, p, area, -1) is None
            })  # fmt: skip
            if without:
                served = sorted({s.area for i in region.candidates(ref) if (s := region.services[i]).area})
                what = f"'{ref}'" + (f" for the area '{area}'" if area else "")
                hint = f"There is one for {', '.join(served)}." if served else ""
                hint += " Add a service, or the municipality to what an organisation serves."
                yield path, f"No {what} serves patients in {_some(without)}.", hint.strip()


def place_without_places(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find steps that take a bed or slot where a service has neither."""
    for i, step in enumerate(pathway.steps):
        if not isinstance(step, Place):
            continue
        ref = pathway.starts.at if step.service == "origin" else step.service
        without = [
            s.key
            for s in (region.services[k] for k in region.candidates(ref))
            if s.places is None and s.slots_per_week is None
        ]
        if without:
            message = f"Step '{step.id}' takes a bed or slot, but {_some(without)} has neither."
            yield ("steps", i, "service"), message, "Give it places or slots_per_week."


def unknown_profile(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find a profile of arrivals that the topology does not define."""
    name, known = pathway.starts.arrivals.profile, region.topology.profiles
    if name is not None and name not in known:
        message = f"The topology '{region.topology.name}' has no profile '{name}'."
        yield ("starts", "arrivals", "profile"), message, did_you_mean(name, known)


def unknown_step_calendar(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find waits that count the hours of a calendar that the topology does not define."""
    known = ["always", *region.topology.calendars]
    for i, step in enumerate(pathway.steps):
        if isinstance(step, Wait) and step.calendar is not None and step.calendar not in known:
            message = f"The topology '{region.topology.name}' has no calendar '{step.calendar}'."
            yield ("steps", i, "calendar"), message, did_you_mean(step.calendar, known)


def no_arrivals(region: Region, pathway: PathwayFile) -> Iterator[Finding]:
    """Find arrivals per listed patient that begin where nobody is listed."""
    starts = pathway.starts
    at = [region.services[i] for i in region.candidates(starts.at)]
    if starts.arrivals.per == "listed_patient" and any(s.kind != ServiceKind.gp_office for s in at):
        message = f"Arrivals are per listed patient, but '{starts.at}' is no GP practice."
        yield ("starts", "arrivals", "per"), message, "Write per: inhabitant, share or origin."


def endless_loop(region: Region, pathway: PathwayFile) -> Iterator[Finding]:  # noqa: ARG001  a check's form
    """Find ways back to an earlier step that take no time: a case would go round for ever at one instant."""
    order = [step.id for step in pathway.steps]
    instant: nx.DiGraph[str] = nx.DiGraph()
    for step, following in zip(pathway.steps, [*order[1:], None], strict=True):
        if isinstance(step, Work | Place | Wait | Send | End):
            continue
        targets = [t for t in step_targets(step) if not isinstance(step, Repeat | Cancel) or t == step.next]
        if step.next is None and following is not None and not isinstance(step, Branch | Compare | Shared):
            targets.append(following)
        instant.add_edges_from((step.id, target) for target in targets)
    for loop in sorted(sorted(part) for part in nx.strongly_connected_components(instant)):
        if len(loop) > 1 or instant.has_edge(loop[0], loop[0]):
            first = min(order.index(name) for name in loop)
            message = (
                f"The steps {', '.join(loop)} of the pathway '{pathway.id}' lead round without taking time."
            )
            yield (
                ("steps", first),
                message,
                "Put a wait or work between them, or count the rounds with 'repeat'.",
            )


def nothing_taken(region: Region, pathways: Sequence[PathwayFile]) -> Iterator[Finding]:
    """Find watched lists that a pathway uses and that have no staff, so what lands there stays.

    Told, not refused: it is simulated as it stands, and items wait there to the horizon.
    """
    asked = {
        row.service for row in load_per_service(region, pathways) if row.of == "staff" and row.offered > 0
    }
    for service in region.services:
        if service.index in asked and service.staff == 0 and service.watched:
            message = f"'{service.key}' has no staff: nothing on its list will ever be taken. Intended?"
            hint = "Give it staff, or watched: false if nobody is meant to look."
            yield _path(region, service.index), message, hint


def overload(region: Region, pathways: Sequence[PathwayFile]) -> Iterator[Finding]:
    """Find services asked for more work, slots or beds than they have; many of a kind are told as one."""
    alike: dict[tuple[ServiceKind, str], list[ServiceLoad]] = {}
    for row in load_per_service(region, pathways):
        service = region.services[row.service]
        if row.load > 1.0 and not (row.of == "staff" and service.staff == 0):  # nothing_taken tells that
            alike.setdefault((service.kind, row.of), []).append(row)
    for (kind, of), rows in alike.items():
        for group in [rows] if len(rows) > _NAMES_MAX else [[row] for row in rows]:
            worst = max(group, key=lambda row: row.load)
            unit = {"staff": "hours a week", "slots": "slots a week", "beds": "beds"}[of]
            others = f" ({len(group) - 1} more of kind {kind} are alike)" if len(group) > 1 else ""
            message = (
                f"'{worst.key}' is asked for {format_number(worst.offered, decimals=1)} {unit} and has "
                f"{format_number(worst.capacity, decimals=1)}{others}: the list grows without bound, and the "
                "result depends on the run's length."
            )
            mend = {"staff": "staff or opening hours", "slots": "slots_per_week", "beds": "places"}[of]
            yield _path(region, worst.service), message, f"Raise its {mend}, or lower the arrivals."


def _path(region: Region, index: int) -> tuple[str | int, ...]:
    """Return where a service stands in the topology file."""
    service = region.services[index]
    if service.practice >= 0:
        return ("practices", service.practice)
    for i, organisation in enumerate(region.topology.organisations):
        if organisation.id == service.organisation:
            ids = [f"{organisation.id}/{s.id}" for s in organisation.services]
            if service.key in ids:
                return ("organisations", i, "services", ids.index(service.key))
            return ("organisations", i, "error_queue")
    return ()


def _some(names: Iterable[str]) -> str:
    """Return names as a list in a sentence, the long ones cut."""
    quoted = [f"'{name}'" for name in names]
    more = len(quoted) - _NAMES_MAX
    return ", ".join(quoted[:_NAMES_MAX]) + (f" and {more} more" if more > 0 else "")


#: Every check of a pathway in a region, in the order in which its findings are told.
CHECKS: tuple[Callable[[Region, PathwayFile], Iterator[Finding]], ...] = (
    unknown_service,
    area_without_service,
    place_without_places,
    unknown_profile,
    unknown_step_calendar,
    no_arrivals,
    endless_loop,
)

#: What is told, but does not stop a run.
WARNINGS: tuple[Callable[[Region, Sequence[PathwayFile]], Iterator[Finding]], ...] = (nothing_taken, overload)
