"""The names behind the numbers of observations: units, templates, and what is known of each unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowsim.vocabulary import Party


@dataclass(frozen=True)
class Unit:
    """A service, an old address or a relay, at the place in the list that is its number.

    ``kind`` is the kind of service where it is known. ``has_address`` says whether it has an electronic
    address, so that receipts can be expected from it. ``old_address_of`` is the number of the unit that
    once had this address.
    """

    id: str
    label: str
    kind: str = "other"
    party: Party = Party.other
    organisation: str = ""
    has_address: bool = True
    old_address_of: int = -1


@dataclass(frozen=True)
class Directory:
    """Who and what the numbers in observations stand for."""

    units: tuple[Unit, ...]
    templates: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()

    def unit(self, number: int) -> str:
        """Return the id of a unit, or "" where the number is -1."""
        return self.units[number].id if 0 <= number < len(self.units) else ""

    def template(self, number: int) -> str:
        """Return the id of a template, or "" where the number is -1."""
        return self.templates[number] if 0 <= number < len(self.templates) else ""


def numbered(ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each id in a list of ids."""
    return {identifier: number for number, identifier in enumerate(ids)}
