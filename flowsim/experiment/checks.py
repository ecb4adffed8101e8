"""What is checked before anything runs, beyond what each file's model says. Imports nothing heavy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from flowsim.config.compose import DesignPoint, Study, load_study
from flowsim.config.documents import DataPath, Document, dotted
from flowsim.config.kinds import KINDS, kind_of
from flowsim.config.loading import load_yaml, validate
from flowsim.config.schema import (
    DefectsFile,
    LeversFile,
    MonitorFile,
    PathwayFile,
    PeopleFile,
    RoutingFile,
    TopologyFile,
)
from flowsim.errors import Fault, FaultsInFile, UsageError, did_you_mean
from flowsim.experiment.lever_checks import lever_warnings
from flowsim.experiment.world_checks import Finding, latent_warnings, view_warnings, world_findings
from flowsim.topology import Region, ServiceLoad, build, joining_order, load_per_service, practices_at, warn
from flowsim.topology.checks import Where, check_topology, in_document
from flowsim.topology.pathway_checks import check_pathway

#: Busiest services named in the summary of a file.
_BUSIEST = 3


@dataclass(frozen=True)
class Checked:
    """A file that is right: what it is in a line, and what its author should know.

    An experiment has ``loads`` too: what its pathways ask of each service before any fault.
    """

    path: str
    summary: str
    warnings: tuple[str, ...] = ()
    loads: tuple[ServiceLoad, ...] = ()


def check_file(path: str | os.PathLike[str]) -> Checked:
    """Check a file of any kind with all that it names; raises ``FaultsInFile`` with every fault."""
    document = load_yaml(path)
    kind = kind_of(document)
    if kind == "experiment":
        study = load_study(path)
        warnings = check_study(study)
        base = study.base
        size = f"{len(study.points)} scenarios, {len(base.pathways)} pathways, {base.topology.name}"
        loads = load_per_service(build(base.topology), base.pathways.values())
        summary = f"experiment: {size}. {busiest(loads)}"
        return Checked(str(path), summary, tuple(warnings), tuple(loads))
    model = validate(document, KINDS[kind])
    if isinstance(model, TopologyFile):
        _raise(check_topology(model, in_document(document)))
        region = build(model)
        counts = (
            f"{len(region.services)} services, {len(region.relays)} relays, {len(region.practices)} practices"
        )
        return Checked(str(path), f"topology: {model.name}, {counts}.")
    if isinstance(model, PathwayFile):
        return Checked(str(path), f"pathway: {model.label}, {len(model.steps)} steps.")
    return Checked(str(path), f"{kind}{_sizes(model)}.")


def _sizes(model: BaseModel) -> str:
    """Return what a file of the catalogue has, to stand behind its kind."""
    if isinstance(model, DefectsFile):
        levels = len(model.escalation.levels)
        return (
            f": {len(model.latent)} latent classes, {len(model.known)} known, {levels} levels of escalation"
        )
    if isinstance(model, PeopleFile):
        dip = "with" if model.learning is not None else "without"
        return f": absence {100 * model.absence.value:.4g} %, {dip} a dip after go-lives"
    if isinstance(model, LeversFile):
        return f": {', '.join(model.levers)}" if model.levers else ": none"
    if isinstance(model, MonitorFile):
        return f": {len(model.rules)} rules, strictness {model.strictness:g}"
    if isinstance(model, RoutingFile):
        return f": {len(model.routes)} routes, {len(model.owners)} owners"
    return ""


def check_study(study: Study) -> list[str]:
    """Check that the parts of every design point fit together, and return what the analyst should know.

    Raises ``FaultsInFile`` with every fault. Scenarios that share a topology and pathways are checked
    once.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    regions: dict[object, Region] = {}
    vain = _InVain()
    for point in study.points:
        design = point.design
        world = (id(design.topology), *map(id, design.pathways.values()))
        if world not in regions:
            document = study.document_of(point)
            found = _world_faults(point, document)
            faults += found
            if found:
                continue
            regions[world] = build(design.topology)
            pathways = list(design.pathways.values())
            warnings += warn(regions[world], pathways, _within(document, ("topology",)))
        found = _setting_faults(study, point, regions[world])
        faults += found
        if not found:
            warnings += _placed(study, point, view_warnings(design, regions[world]))
            vain.look(study, point, regions[world])
    _raise(faults)
    warnings += vain.everywhere()
    return [str(warning) for warning in dict.fromkeys(warnings)]


def busiest(loads: list[ServiceLoad]) -> str:
    """Return the sentence that names the busiest services, without faults."""
    known = sorted((row for row in loads if 0 < row.load < float("inf")), key=lambda row: -row.load)
    if not known:
        return "No load."
    told = ", ".join(f"{row.key} {100 * row.load:.0f} % of its {row.of}" for row in known[:_BUSIEST])
    return f"Busiest: {told}."


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise FaultsInFile(faults)


def _within(document: Document, prefix: DataPath) -> Where:
    """Return the ``where`` of a part of a composed document."""
    whole = in_document(document)
    return lambda path: whole((*prefix, *path))


def _world_faults(point: DesignPoint, document: Document) -> list[Fault]:
    """Return why the topology of a point cannot be simulated, or why its pathways do not fit it."""
    topology = point.design.topology
    faults = check_topology(topology, _within(document, ("topology",)))
    if faults:
        return faults
    region = build(topology)
    for name, pathway in point.design.pathways.items():
        faults += check_pathway(region, pathway, _within(document, ("pathways", name)))
    return faults


def _setting_faults(study: Study, point: DesignPoint, region: Region) -> list[Fault]:
    """Return what a point's settings name that the region does not have."""
    found = list(_adoption_findings(point, region))
    if not found:  # what follows counts practices
        found = [*_naming_findings(point, region), *world_findings(point.design, region)]
    return _placed(study, point, found)


class _InVain:
    """Levers and latent defects that change nothing: told if that holds in every scenario that has them."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self.found: dict[str, list[Fault]] = {}

    def look(self, study: Study, point: DesignPoint, region: Region) -> None:
        """Look at one more scenario."""
        design = point.design
        self.used.update([*design.use_levers, *(["defects"] if design.defects.latent else [])])
        found = [("defects", finding) for finding in latent_warnings(design, region)]
        for subject, finding in [*found, *lever_warnings(design, region)]:
            self.found.setdefault(subject, []).extend(_placed(study, point, [finding]))

    def everywhere(self) -> list[Fault]:
        """Return the warnings about what is in vain wherever it is used."""
        vain = [told for subject, told in self.found.items() if len(told) == self.used[subject]]
        return [fault for told in vain for fault in told]


def _placed(study: Study, point: DesignPoint, given: Iterable[Finding]) -> list[Fault]:
    """Return findings as faults at the lines that were written for a point."""
    found = list(given)
    if not found:
        return []
    document = study.document_of(point)
    where = in_document(document)
    faults = []
    for path, message, hint in found:
        file, line, source = where(path)
        faults.append(Fault(file, line, dotted(path, document.data), message, hint, source))
    return faults


def _adoption_findings(point: DesignPoint, region: Region) -> Iterator[Finding]:
    adoption = point.design.adoption
    try:
        order = joining_order(region, adoption.order, point.design.order_seed)
    except UsageError as error:
        yield ("adoption", "order"), error.message, error.hint
        return
    levels: list[tuple[DataPath, str | tuple[str, ...]]] = [
        (("adoption", "gp_practices"), adoption.gp_practices)
    ]
    levels += [
        (("adoption", "go_live", i, "gp_practices"), live.gp_practices)
        for i, live in enumerate(adoption.go_live)
        if live.gp_practices is not None
    ]
    levels.append((("adoption", "before"), adoption.before))
    for path, level in levels:
        try:
            practices_at(level, order, region)
        except UsageError as error:
            yield path, error.message, error.hint


def _naming_findings(point: DesignPoint, region: Region) -> Iterator[Finding]:
    organisations = [organisation.id for organisation in region.topology.organisations]
    for index, name in enumerate(point.design.adoption.organisations or ()):
        if name not in organisations:
            path: DataPath = ("adoption", "organisations", index)
            yield path, f"There is no organisation '{name}'.", did_you_mean(name, organisations)
    relays = [relay.id for relay in region.topology.relays]
    for index, outage in enumerate(point.design.outages):
        if outage.relay not in relays:
            yield (
                ("outages", index, "relay"),
                f"There is no relay '{outage.relay}'.",
                did_you_mean(outage.relay, relays),
            )
