"""The directory of a run: its services, their old addresses, its templates and its kinds of activity."""

from __future__ import annotations

from typing import Final

from flowsim.journal import RunHeader, Service
from flowsim.observe.directory import Directory, Unit
from flowsim.vocabulary import Party, RelayKind, ServiceKind

#: Outside denominators, in the order of their numbers (``template`` of an activity row).
ACTIVITIES: Final = (
    "consultations",  # at a GP's, those that begin a case
    "outpatient_visits",
    "admissions",
    "discharges",
    "examinations",  # in a laboratory or at radiology
    "visits",  # at home
)
_NO_ADDRESS: Final = frozenset(
    [ServiceKind.patients.value, ServiceKind.error_queue.value, *(kind.value for kind in RelayKind)]
)


def directory_of(header: RunHeader) -> Directory:
    """Return the directory of a run.

    Unit s is service s. Unit (number of services + s) is the old address of service s, where messages for
    the dead endpoint come out. A template is a step, called ``pathway/step``.
    """
    now = [_unit(service) for service in header.services]
    old = [_old_address(service, number) for number, service in enumerate(header.services)]
    templates = tuple(f"{header.pathways[step.pathway].id}/{step.id}" for step in header.steps)
    return Directory((*now, *old), templates, ACTIVITIES)


def _unit(service: Service) -> Unit:
    party = Party(service.party) if service.party in list(Party) else Party.other
    address = service.kind not in _NO_ADDRESS
    return Unit(service.id, service.label, service.kind, party, service.organisation, address)


def _old_address(service: Service, number: int) -> Unit:
    party = Party(service.party) if service.party in list(Party) else Party.other
    return Unit(
        id=f"{service.id}@old",
        label=f"old address of {service.label}",
        kind=ServiceKind.dead_endpoint.value,
        party=party,
        organisation=service.organisation,
        old_address_of=number,
    )
