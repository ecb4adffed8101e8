"""What the catalogue's file on people may say: absence, search, learning after a go-live, overload."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from flowsim.config.values import Basis, Estimate, Model, PlainDuration

NOTHING = Estimate(value=0.0)


def _day_of_year(value: object) -> str:
    """Take a day such as "07-01" (month and day)."""
    text = str(value)
    if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", text):
        raise ValueError(f'must be a month and a day such as "07-01" (got "{text}")')
    return text


DayOfYear = Annotated[str, BeforeValidator(_day_of_year)]


class Holiday(Model):
    """Weeks in which more people are away."""

    first: DayOfYear = Field(description='The first day, such as "06-24".')
    last: DayOfYear = Field(description="The last day.")
    away: Estimate = Field(description="Share of people away on top of the usual absence.")

    @model_validator(mode="after")
    def _ordered(self) -> Holiday:
        if self.last < self.first:
            raise ValueError(f"ends ({self.last}) before it begins ({self.first}); split it at the new year")
        return self


class Usability(Model):
    """How simple the platform is to use: factors for all who work on it; 1 is as the pathways say."""

    search: float = Field(default=1.0, ge=0, description="Times search minutes.")
    handling: float = Field(default=1.0, ge=0, description="Times handling (entry) minutes.")
    slips: float = Field(default=1.0, ge=0, description="Times what people do wrong.")


class Training(Model):
    """Training before a go-live: what it takes, and how much of the dip it spares."""

    hours: float = Field(default=0.0, ge=0, description="Staff hours for each person trained.")
    people_per_doctor: float = Field(
        default=2.0, ge=0, description="People to train in a practice, a doctor."
    )
    away: Estimate = Field(
        default=NOTHING, description="Share of a service's staff away for it in the week before."
    )
    spares: Estimate = Field(
        default=NOTHING, description="Share of the dip that training takes away; its range includes 0."
    )


class Learning(Model):
    """The dip: after its go-live a service searches, enters and slips more; it wears off."""

    search: Estimate = Field(default=NOTHING, description="More search right after go-live, as a share.")
    handling: Estimate = Field(default=NOTHING, description="More handling right after go-live.")
    slips: Estimate = Field(default=NOTHING, description="More slips right after go-live.")
    lasts: PlainDuration = Field(description="After this time a third of it is left.")
    double_entry: Estimate = Field(default=NOTHING, description="More handling until the history is moved.")
    history_moved: PlainDuration = Field(description="So long after go-live the history is moved.")
    training: Training = Field(default=Training(), description="Training before go-live.")


class Overload(Model):
    """What staff do whose list is swamped (``swamped_at`` of the service)."""

    minutes: float = Field(default=1.0, gt=0, le=1, description="Times the time they take for an item.")
    slips: Estimate = Field(default=NOTHING, description="More slips in what they send, as a share.")
    missed: Estimate = Field(
        default=NOTHING, description="Share of items that are skimmed and what they ask for is missed."
    )


class PeopleFile(Model):
    """How people work: absence, search, learning after a go-live, overload, and what chasing takes."""

    basis: Basis = Field(description="Where the numbers come from.")
    absence: Estimate = Field(default=NOTHING, description="Share of staff away on a usual day.")
    holidays: tuple[Holiday, ...] = Field(default=(), description="Weeks with more people away.")
    search_per_system: Estimate = Field(
        default=NOTHING,
        description="More search, as a share, for each further system that holds the patient's information.",
    )
    usability: Usability = Field(default=Usability(), description="How simple the platform is.")
    learning: Learning | None = Field(default=None, description="The dip after a go-live; none: no dip.")
    overload: Overload = Field(default=Overload(), description="What a swamped list does.")
    chase: PlainDuration = Field(description="Staff time to bring in one item that was found missing.")
    consultation: PlainDuration = Field(description="Length of a GP's consultation, for those displaced.")
