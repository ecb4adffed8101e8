"""Is a topology whole? One small function a finding, each naming the offender and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel

from flowsim.config.documents import DataPath, Document, dotted
from flowsim.config.topology_file import Organisation, Service, TopologyFile
from flowsim.errors import Fault, did_you_mean
from flowsim.topology.expand import expand
from flowsim.topology.graph import ERRORS
from flowsim.vocabulary import RelayKind, ServiceKind

#: Tells for a path of a file, such as ("relays", 0, "id"), the file, the line and its text.
Where = Callable[[DataPath], tuple[str, int | None, str]]

#: What a finding gives before it is told where it stands: path, what is wrong, what mends it.
Finding = tuple[DataPath, str, str]

#: Keys that the region itself uses for services that the file does not name.
RESERVED = ("patients", "nowhere")


def in_document(document: Document) -> Where:
    """Return the ``where`` that points into a document that was read from files."""

    def where(path: DataPath) -> tuple[str, int | None, str]:
        origin = document.where(path)
        return origin.file, origin.line, document.source(origin.line, origin.file)

    return where


def check_topology(topology: TopologyFile, where: Where | None = None) -> list[Fault]:
    """Return every reason why a topology cannot be simulated as it stands; none where it can.

    What its ``generate`` block stands for is checked too, and pointed at as far as the file has it.
    """
    expanded = expand(topology)
    found = [finding for check in CHECKS for finding in check(expanded)]
    return as_faults(found, expanded, topology.name, where)


def as_faults(found: Iterable[Finding], file: BaseModel, name: str, where: Where | None) -> list[Fault]:
    """Return findings as faults in a file; without ``where`` the file is called by its name."""
    findings = list(found)
    data = file.model_dump(mode="json") if findings else None
    faults = []
    for path, message, hint in findings:
        place, line, source = where(path) if where is not None else (name, None, "")
        faults.append(Fault(place, line, dotted(path, data), message, hint, source))
    return faults


def _services(topology: TopologyFile) -> Iterator[tuple[DataPath, Organisation, Service]]:
    for i, organisation in enumerate(topology.organisations):
        for j, service in enumerate(organisation.services):
            yield ("organisations", i, "services", j), organisation, service


def duplicate_id(topology: TopologyFile) -> Iterator[Finding]:
    """Find two things of a kind with one id, or an id that the region itself uses."""
    who: list[tuple[DataPath, str]] = [
        (("organisations", i, "id"), o.id)
        for i, o in enumerate(topology.organisations)
        if o.kind != "patients"
    ]
    who += [(("practices", i, "id"), p.id) for i, p in enumerate(topology.practices)]
    yield from _twice(who, "organisation or practice")
    for path, identifier in who:
        if identifier in RESERVED:
            yield path, f"'{identifier}' is a name that flowsim itself uses.", f"Write '{identifier}_1'."
    yield from _twice([(("relays", i, "id"), r.id) for i, r in enumerate(topology.relays)], "relay")
    for i, organisation in enumerate(topology.organisations):
        own: list[tuple[DataPath, str]] = [
            (("organisations", i, "services", j, "id"), s.id) for j, s in enumerate(organisation.services)
        ]
        yield from _twice(own, f"service of '{organisation.id}'")
        for path, identifier in own:
            if identifier == ERRORS and organisation.error_queue is not None:
                yield path, f"'{ERRORS}' is the name of the error queue.", "Give the service another id."


def _twice(ids: Iterable[tuple[DataPath, str]], what: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, identifier in ids:
        if identifier in seen:
            yield path, f"A second {what} is called '{identifier}'.", f"Write '{identifier}_2'."
        seen.add(identifier)


def unknown_calendar(topology: TopologyFile) -> Iterator[Finding]:
    """Find a calendar that is named but not defined."""
    known = ["always", *topology.calendars]
    named: list[tuple[DataPath, str | None]] = []
    for path, _, service in _services(topology):
        named += [((*path, "calendar"), service.calendar), ((*path, "slot_calendar"), service.slot_calendar)]
    for i, organisation in enumerate(topology.organisations):
        if organisation.error_queue is not None:
            named.append((("organisations", i, "error_queue", "calendar"), organisation.error_queue.calendar))
    template = topology.practice_template
    if template is not None:
        named.append((("practice_template", "calendar"), template.calendar))
        if template.error_queue is not None:
            named.append((("practice_template", "error_queue", "calendar"), template.error_queue.calendar))
    for path, name in named:
        if name is not None and name not in known:
            yield path, f"There is no calendar '{name}'.", did_you_mean(name, known)


def slots_without_calendar(topology: TopologyFile) -> Iterator[Finding]:
    """Find appointments that are opened around the clock, because nobody said when."""
    for path, organisation, service in _services(topology):
        name = service.slot_calendar or service.calendar
        hours = topology.calendars.get(name)
        if service.slots_per_week is not None and (
            name == "always" or (hours is not None and not hours.days)
        ):
            message = (
                f"'{organisation.id}/{service.id}' has slots, but no opening hours to put them in ('{name}')."
            )
            yield (*path, "slots_per_week"), message, "Give it a slot_calendar with days and hours."


def unknown_relay(topology: TopologyFile) -> Iterator[Finding]:
    """Find a message client that is no relay, or a relay of another kind."""
    kinds = {relay.id: relay.kind for relay in topology.relays}
    clients = [relay.id for relay in topology.relays if relay.kind == RelayKind.message_client]
    named: list[tuple[DataPath, str | None]] = [
        (("organisations", i, "message_client"), o.message_client)
        for i, o in enumerate(topology.organisations)
    ]
    if topology.practice_template is not None:
        named.append((("practice_template", "message_client"), topology.practice_template.message_client))
    for path, name in named:
        if name is None:
            continue
        if name not in kinds:
            yield path, f"There is no relay '{name}'.", did_you_mean(name, clients)
        elif kinds[name] != RelayKind.message_client:
            yield path, f"'{name}' is a {kinds[name]}, not a message client.", did_you_mean(name, clients)


def unknown_municipality(topology: TopologyFile) -> Iterator[Finding]:
    """Find a municipality that is named but is no organisation of that kind."""
    known = [o.id for o in topology.organisations if o.kind == "municipality"]
    named: list[tuple[DataPath, str]] = [
        (("practices", i, "municipality"), p.municipality) for i, p in enumerate(topology.practices)
    ]
    for i, organisation in enumerate(topology.organisations):
        named += [(("organisations", i, "serves", j), name) for j, name in enumerate(organisation.serves)]
    for path, name in named:
        if name not in known:
            hint = did_you_mean(name, known) or "Write an organisation of kind municipality."
            yield path, f"There is no municipality '{name}'.", hint


def unknown_district(topology: TopologyFile) -> Iterator[Finding]:
    """Find a practice whose district is no home-nursing area of its municipality."""
    for i, practice in enumerate(topology.practices):
        known = [
            service.area
            for _, organisation, service in _services(topology)
            if organisation.id == practice.municipality
            and service.kind == ServiceKind.home_nursing
            and service.area
        ]
        if practice.district is not None and practice.district not in known:
            message = f"'{practice.municipality}' has no home nursing for the district '{practice.district}'."
            yield ("practices", i, "district"), message, did_you_mean(practice.district, known)


def practices_without_template(topology: TopologyFile) -> Iterator[Finding]:
    """Find practices where nothing says what they have in common."""
    if topology.practices and topology.practice_template is None:
        hint = "Add practice_template: {staff_per_gp: 0.25, calendar: office}."
        yield (
            ("practices",),
            "There are practices, but no practice_template with their staff and hours.",
            hint,
        )


def missing_relay(topology: TopologyFile) -> Iterator[Finding]:
    """Find routes that need a relay of a kind that is not there.

    A topology without any relay is whole: its messages take the channel's time and nothing else.
    """
    if not topology.relays:
        return
    kinds = {relay.kind for relay in topology.relays}
    inside = any(o.on_platform for o in topology.organisations)
    outside = bool(topology.practices) or any(not o.on_platform for o in topology.organisations)
    needed = [
        (RelayKind.broker, outside, "e-messages pass through it"),
        (RelayKind.platform, inside, "organisations with on_platform: true use it"),
        (RelayKind.gateway, inside and outside, "mail between the platform and the others passes through it"),
    ]
    for kind, wanted, why in needed:
        if wanted and kind not in kinds:
            message = f"There is no relay of kind {kind}, but {why}."
            yield ("relays",), message, f"Add {{id: {kind}, kind: {kind}}}."


def missing_message_client(topology: TopologyFile) -> Iterator[Finding]:
    """Find organisations off the platform that can get e-messages but have no message client."""
    clients = [relay.id for relay in topology.relays if relay.kind == RelayKind.message_client]
    if not topology.relays:
        return
    hint = f"Write message_client: {clients[0]}." if clients else "Add a relay of kind message_client."
    for i, organisation in enumerate(topology.organisations):
        addressed = any(s.address == "edi" for s in organisation.services) and organisation.kind != "patients"
        if addressed and not organisation.on_platform and organisation.message_client is None:
            message = (
                f"'{organisation.id}' is not on the platform and has no message client for its e-messages."
            )
            yield ("organisations", i), message, hint
    template = topology.practice_template
    if topology.practices and template is not None and template.message_client is None:
        message = "Practices have no message client for their e-messages."
        yield ("practice_template",), message, hint


def several_patients(topology: TopologyFile) -> Iterator[Finding]:
    """Find more than one service that stands for the patients."""
    found = [path for path, _, service in _services(topology) if service.kind == ServiceKind.patients]
    for path in found[1:]:
        yield path, "A second service stands for the patients.", "Take it out; one is enough for all."


#: Every check of a topology, in the order in which its findings are told.
CHECKS: tuple[Callable[[TopologyFile], Iterator[Finding]], ...] = (
    duplicate_id,
    unknown_calendar,
    slots_without_calendar,
    unknown_relay,
    unknown_municipality,
    unknown_district,
    practices_without_template,
    missing_relay,
    missing_message_client,
    several_patients,
)
