"""The region as a graph: who can be addressed, what messages pass through, and who serves whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import networkx as nx

from flowsim.config.topology_file import ErrorQueue, Organisation, Practice, Relay, TopologyFile
from flowsim.topology.expand import expand
from flowsim.vocabulary import Party, RelayKind, ServiceKind

if TYPE_CHECKING:
    from flowsim.config.topology_file import PracticeTemplate

    Graph = nx.DiGraph[int]  # the class takes no parameter when the program runs

#: The inbox that every practice has, and the one that takes what it fails to send.
INBOX: Final = "inbox"
ERRORS: Final = "errors"
PATIENTS_KEY: Final = "patients/patients"
DEAD_ENDPOINT_KEY: Final = "nowhere/dead_endpoint"

#: Whose area is a district of the municipality, and not a clinical one.
_BY_DISTRICT: Final = (ServiceKind.home_nursing, ServiceKind.home_care)

_PARTY: Final = {
    "hospital": Party.hospital,
    "municipality": Party.municipality,
    "specialist": Party.specialist,
    "patients": Party.patient,
    "other": Party.other,
}


@dataclass(frozen=True)
class ServiceNode:
    """An addressable inbox; ``index`` is its number in the journal, -1 stands for none or unlimited."""

    index: int
    key: str
    label: str
    kind: ServiceKind
    party: Party
    organisation: str
    area: str | None = None
    practice: int = -1
    municipality: str = ""
    staff: int = -1
    calendar: str = "always"
    places: int | None = None
    slots_per_week: float | None = None
    slot_calendar: str = "always"
    waiting_at_start: int = 0
    watched: bool = True
    address: Literal["edi", "portal", "none"] = "edi"
    swamped_at: int | None = None
    error_queue: int = -1
    client: int = -1
    on_platform: bool = False
    #: Only for kind ``error_queue``: how long its items take and how many nobody acts on.
    error_settings: ErrorQueue | None = None


@dataclass(frozen=True)
class RelayNode:
    """What messages pass through; ``index`` is its number in the journal, after the services."""

    index: int
    id: str
    label: str
    kind: RelayKind
    settings: Relay


@dataclass(frozen=True)
class PracticeNode:
    """A GP practice: its inbox (a service's index), doctors and listed patients."""

    index: int
    id: str
    label: str
    service: int
    gps: float
    patients: int
    municipality: str
    district: str | None
    outside: bool


@dataclass(frozen=True)
class Region:
    """Services and relays with their numbers in the journal, practices, and the graph between them."""

    topology: TopologyFile
    services: tuple[ServiceNode, ...]
    relays: tuple[RelayNode, ...]
    practices: tuple[PracticeNode, ...]
    graph: Graph = field(compare=False)
    patients: int
    dead_endpoint: int
    _organisations: dict[str, Organisation] = field(compare=False, repr=False)
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    def candidates(self, ref: str) -> tuple[int, ...]:
        """Return every service that a step's service name can mean for some patient, in journal order.

        ``origin`` means whatever the case began at, so it has no candidates of its own: ().
        """
        if ref not in self._known:
            self._known[ref] = tuple(s.index for s in self.services if _is_meant(ref, s, self._organisations))
        return self._known[ref]

    def resolve(self, ref: str, practice: int, area: str | None, origin: int) -> int | None:
        """Return the service (its index) that a step means for a patient, or None if nobody does it.

        ``practice`` is the patient's (its index, -1 for none), ``area`` the case's, ``origin`` the
        service where the case began. Of those that serve the patient's municipality, organisations that
        name it go before those that serve all; then the case's area (for home nursing and home care, the
        practice's district) goes before services without area, and only a case without area goes to any.
        What is left is shared out by a stable hash of the practice's id: a practice always uses the same
        one.
        """
        if ref == "origin":
            return origin
        found: Iterable[int] = self.candidates(ref)
        if ref == ServiceKind.gp_office:
            return self.practices[practice].service if practice >= 0 else None
        home = self.practices[practice] if practice >= 0 else None
        if home is None:
            return self._by_area(tuple(found), area, "")
        near: list[int] = []
        general: list[int] = []
        for index in found:
            how = self.serves(self.services[index], home.municipality)
            if how:
                (near if how == "named" else general).append(index)
        for group in (near, general):
            answer = self._by_area(tuple(group), area, home.id, home.district)
            if answer is not None:
                return answer
        return None

    def serves(self, service: ServiceNode, municipality: str) -> Literal["named", "all", ""]:
        """Return whether a service is for a municipality's patients: by name, as for all, or not ("")."""
        organisation = self._organisations.get(service.organisation)
        if organisation is None:  # practices, patients and the dead endpoint
            return "all"
        if organisation.kind == "municipality":
            return "named" if municipality in (organisation.id, *organisation.serves) else ""
        if not organisation.serves:
            return "all"
        return "named" if municipality in organisation.serves else ""

    def _by_area(
        self, group: tuple[int, ...], area: str | None, practice: str, district: str | None = None
    ) -> int | None:
        """Return the one of a group with the right area; practice "" takes the first."""

        def wanted(index: int) -> str | None:
            return district if self.services[index].kind in _BY_DISTRICT else area

        same = [i for i in group if wanted(i) and self.services[i].area == wanted(i)]
        for_all = [i for i in group if self.services[i].area is None]
        fitting = same or for_all or [i for i in group if wanted(i) is None]
        if not fitting:
            return None
        return fitting[stable_hash(practice) % len(fitting) if practice else 0]


def stable_hash(text: str) -> int:
    """Return a 64-bit number that a text always gives, on every machine (blake2b)."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _is_meant(ref: str, service: ServiceNode, organisations: dict[str, Organisation]) -> bool:
    """Return whether a service name (kind, or organisation/service by id or kind) can mean a service."""
    if "/" not in ref:
        return service.kind == ref
    who, what = ref.split("/", 1)
    own, name = service.key.split("/", 1)
    organisation = organisations.get(own)
    kind = organisation.kind if organisation else ("patients" if own == "patients" else "")
    return who in (own, kind) and what in (name, service.kind)


def build(topology: TopologyFile) -> Region:
    """Return the region that a topology file describes, with every service and relay numbered.

    Services come in the file's order, each organisation's error queue after its own, then the
    practices; last the patients (if the file has none) and one dead endpoint that accepts mail and that
    nobody reads. Relays follow. What the ``generate`` block stands for is written out first.
    """
    topology = expand(topology)
    services: list[ServiceNode] = []
    first_relay = _count_services(topology)
    relays = tuple(
        RelayNode(first_relay + i, relay.id, relay.label or relay.id, relay.kind, relay)
        for i, relay in enumerate(topology.relays)
    )
    number_of = {relay.id: relay.index for relay in relays}
    for organisation in topology.organisations:
        _add_organisation(services, organisation, number_of)
    practices = _add_practices(services, topology, number_of)
    patients = next((s.index for s in services if s.kind == ServiceKind.patients), None)
    if patients is None:
        patients = len(services)
        services.append(
            ServiceNode(
                patients, PATIENTS_KEY, "Patients", ServiceKind.patients, Party.patient, "patients",
                address="none",
            )
        )  # fmt: skip
    services.append(
        ServiceNode(
            len(services), DEAD_ENDPOINT_KEY, "Dead endpoint", ServiceKind.dead_endpoint, Party.other,
            "nowhere", staff=0, watched=False,
        )
    )  # fmt: skip
    organisations = {organisation.id: organisation for organisation in topology.organisations}
    nodes = tuple(services)
    graph = connections(nodes, relays)
    return Region(topology, nodes, relays, practices, graph, patients, len(nodes) - 1, organisations)


def _count_services(topology: TopologyFile) -> int:
    queues = sum(o.error_queue is not None for o in topology.organisations)
    own = sum(len(o.services) for o in topology.organisations)
    template = topology.practice_template
    a_practice = 2 if template is not None and template.error_queue is not None else 1
    has_patients = any(s.kind == ServiceKind.patients for o in topology.organisations for s in o.services)
    return own + queues + a_practice * len(topology.practices) + (1 if has_patients else 2)


def _add_organisation(
    services: list[ServiceNode], organisation: Organisation, number_of: dict[str, int]
) -> None:
    party = _PARTY[organisation.kind]
    municipality = organisation.id if organisation.kind == "municipality" else ""
    client = number_of.get(organisation.message_client or "", -1)
    queue = len(services) + len(organisation.services) if organisation.error_queue is not None else -1
    name = organisation.label or organisation.id
    for service in organisation.services:
        services.append(
            ServiceNode(
                len(services), f"{organisation.id}/{service.id}", service.label or f"{name}: {service.id}",
                service.kind, party, organisation.id, area=service.area, municipality=municipality,
                staff=service.staff, calendar=service.calendar, places=service.places,
                slots_per_week=service.slots_per_week,
                slot_calendar=service.slot_calendar or service.calendar,
                waiting_at_start=service.waiting_at_start, watched=service.watched, address=service.address,
                swamped_at=service.swamped_at, error_queue=queue, client=client,
                on_platform=organisation.on_platform,
            )
        )  # fmt: skip
    if organisation.error_queue is not None:
        services.append(_error_queue(len(services), organisation.id, name, party, organisation.error_queue))
        services[-1] = replace(
            services[-1], municipality=municipality, client=client, on_platform=organisation.on_platform
        )


def _error_queue(index: int, organisation: str, name: str, party: Party, queue: ErrorQueue) -> ServiceNode:
    return ServiceNode(
        index, f"{organisation}/{ERRORS}", f"{name}: failed messages", ServiceKind.error_queue, party,
        organisation, staff=queue.staff, calendar=queue.calendar, address="none", error_settings=queue,
    )  # fmt: skip


def _add_practices(
    services: list[ServiceNode], topology: TopologyFile, number_of: dict[str, int]
) -> tuple[PracticeNode, ...]:
    if not topology.practices:
        return ()
    template = topology.practice_template
    if template is None:
        raise ValueError("has practices but no practice_template")
    districts = _districts(topology)
    dealt: dict[str, int] = {}
    nodes = []
    for i, practice in enumerate(topology.practices):
        district = practice.district
        choices = districts.get(practice.municipality, [])
        if district is None and choices:
            turn = dealt.get(practice.municipality, 0)
            dealt[practice.municipality] = turn + 1
            district = choices[turn % len(choices)]
        nodes.append(
            PracticeNode(
                i, practice.id, practice.label or practice.id, len(services), practice.gps, practice.patients,
                practice.municipality, district, practice.outside,
            )
        )  # fmt: skip
        _add_practice(services, i, practice, template, number_of)
    return tuple(nodes)


def _add_practice(
    services: list[ServiceNode],
    i: int,
    practice: Practice,
    template: PracticeTemplate,
    number_of: dict[str, int],
) -> None:
    index = len(services)
    label = practice.label or practice.id
    client = number_of.get(template.message_client or "", -1)
    services.append(
        ServiceNode(
            index, f"{practice.id}/{INBOX}", label, ServiceKind.gp_office, Party.gp, practice.id,
            practice=i, municipality=practice.municipality,
            staff=max(1, round(practice.gps * template.staff_per_gp)), calendar=template.calendar,
            slot_calendar=template.calendar, address="edi" if practice.edi else "none",
            error_queue=index + 1 if template.error_queue is not None else -1, client=client,
        )
    )  # fmt: skip
    if template.error_queue is not None:
        queue = _error_queue(index + 1, practice.id, label, Party.gp, template.error_queue)
        services.append(replace(queue, practice=i, municipality=practice.municipality, client=client))


def _districts(topology: TopologyFile) -> dict[str, list[str]]:
    """Return the home-nursing areas of each municipality, in the file's order."""
    return {
        o.id: [s.area for s in o.services if s.kind == ServiceKind.home_nursing and s.area]
        for o in topology.organisations
        if o.kind == "municipality"
    }


def connections(
    services: tuple[ServiceNode, ...], relays: tuple[RelayNode, ...], joined: frozenset[int] = frozenset()
) -> Graph:
    """Return the directed graph of services and relays (nodes are journal numbers).

    Nodes carry ``layer`` ("service" or "relay"), ``key`` and ``kind``; an edge says that messages pass
    that way. A message client is passed in both directions, so a path through one is not yet a route: for
    that see ``routes.route``. ``joined`` are practices (their indices) that are on the platform.
    """
    graph: Graph = nx.DiGraph()
    for service in services:
        graph.add_node(service.index, layer="service", key=service.key, kind=str(service.kind))
    for relay in relays:
        graph.add_node(relay.index, layer="relay", key=relay.id, kind=str(relay.kind))
    first = first_of_kind(relays)
    chain = [first[k] for k in (RelayKind.address_register, RelayKind.broker) if k in first]
    graph.add_edges_from(pairwise(chain))
    for service in services:
        on_platform = service.on_platform or service.practice in joined
        door = first.get(RelayKind.gateway, -1) if on_platform else service.client
        if service.address == "edi" and door >= 0 and chain:
            nx.add_path(graph, [service.index, door, chain[0]])
            nx.add_path(graph, [chain[-1], door, service.index])
        own = [first.get(RelayKind.platform, -1)] if on_platform or service.address == "portal" else []
        for relay_index in (*own, first.get(RelayKind.post, -1)):
            if relay_index >= 0:
                graph.add_edges_from([(service.index, relay_index), (relay_index, service.index)])
    return graph


def first_of_kind(relays: tuple[RelayNode, ...]) -> dict[RelayKind, int]:
    """Return the journal number of the first relay of each kind; routes use the first."""
    first: dict[RelayKind, int] = {}
    for relay in relays:
        first.setdefault(relay.kind, relay.index)
    return first
