"""What a topology file may say: services with staff and opening hours, relays, practices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowsim.config.values import Basis, Distribution, Identifier, Model, PlainDuration, Share
from flowsim.vocabulary import RelayKind, ServiceKind

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
OrganisationKind = Literal["hospital", "municipality", "specialist", "patients", "other"]


class OpeningHours(Model):
    """Weekly hours, or a rhythm at which somebody looks."""

    always: bool = Field(default=False, description="Open around the clock.")
    days: tuple[Weekday, ...] = Field(default=(), description="Open days.")
    hours: tuple[str, ...] = Field(default=(), description='Open spans such as "08:00-16:00".')
    holidays: Literal["closed", "as_sunday", "as_usual"] = Field(
        default="closed", description="Public holidays (Norwegian)."
    )
    every: PlainDuration | None = Field(default=None, description="Looked at this often, for an instant.")
    phase: PlainDuration | None = Field(default=None, description="First look after the start; none: drawn.")

    @model_validator(mode="after")
    def _opens(self) -> OpeningHours:
        forms = (self.always, bool(self.days), self.every is not None)
        if sum(forms) != 1:
            raise ValueError("never opens: needs one of always: true, days with hours, or every")
        if self.days and not self.hours:
            raise ValueError('never opens: days need hours such as "08:00-16:00"')
        if self.every is not None and self.every.hours <= 0:
            raise ValueError("every must be longer than nothing")
        for span in self.hours:
            parse_span(span)
        return self


def parse_span(span: str) -> tuple[float, float]:
    """Return the opening and closing hour of a span such as "08:00-16:00"; raise ValueError."""
    try:
        begin, end = (int(h) + int(m) / 60.0 for h, m in (part.split(":") for part in span.split("-")))
    except ValueError:
        raise ValueError(f'"{span}" is not a span of hours such as "08:00-16:00"') from None
    if not 0.0 <= begin < end <= 24.0:
        raise ValueError(f'"{span}" must open before it closes, within 00:00-24:00')
    return begin, end


class Profile(Model):
    """When in the week arrivals come: a weight for each weekday and for each hour."""

    days: tuple[float, ...] = Field(min_length=7, max_length=7, description="Weights Monday to Sunday.")
    hours: tuple[float, ...] = Field(min_length=24, max_length=24, description="Weights 00-01 to 23-24.")

    @model_validator(mode="after")
    def _positive(self) -> Profile:
        if min(*self.days, *self.hours) < 0 or not sum(self.days) or not sum(self.hours):
            raise ValueError("weights must not be negative and must not all be 0")
        return self


class Resend(Model):
    """How a message client sends again when no transport receipt comes."""

    scan_every: PlainDuration = Field(description="How often it looks.")
    min_gap: PlainDuration = Field(description="Shortest time between tries.")
    attempts: int = Field(ge=1, le=50, description="Tries in all, the first included.")
    abandon_after: PlainDuration | None = Field(default=None, description="Gives up after this long.")


class Relay(Model):
    """What messages pass through: it can be slow or down."""

    id: Identifier = Field(description="The relay's name.")
    label: str = Field(default="", description="What people read.")
    kind: RelayKind = Field(description="What it is.")
    delay: Distribution | None = Field(default=None, description="Time in it when it is up.")
    per_hour: float | None = Field(default=None, gt=0, description="Capacity; none: unlimited.")
    when_down: Literal["holds", "drops"] = Field(default="holds", description="What happens in an outage.")
    resend: Resend | None = Field(default=None, description="For message clients; none: as the channel's.")


def _staff(value: Any) -> Any:
    if value == "unlimited":
        return -1
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f'must be a whole number from 0, or "unlimited" (got {value!r})')
    return value


Staff = Annotated[int, BeforeValidator(_staff)]


class Service(Model):
    """An addressable inbox with staff, opening hours, a work list, and places where it has any."""

    id: Identifier = Field(description="Its name within the organisation.")
    label: str = Field(default="", description="What people read.")
    kind: ServiceKind = Field(description="What it does; pathways name services by kind.")
    area: Identifier | None = Field(default=None, description="Clinical area or district; none: all.")
    staff: Staff = Field(default=0, description='People who work its list at a time, or "unlimited".')
    calendar: Identifier = Field(default="always", description="Opening hours of its list.")
    places: int | None = Field(default=None, ge=0, description="Beds.")
    slots_per_week: float | None = Field(default=None, gt=0, description="Appointments opened a week.")
    slot_calendar: Identifier | None = Field(default=None, description="When slots are; default: calendar.")
    waiting_at_start: int = Field(default=0, ge=0, description="Patients already waiting for its places.")
    watched: bool = Field(default=True, description="Somebody opens its list.")
    address: Literal["edi", "portal", "none"] = Field(
        default="edi", description="How it is reached from outside."
    )
    swamped_at: int | None = Field(default=None, ge=1, description="A list this long is told to the world.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from, if not as above.")

    @model_validator(mode="after")
    def _one_kind_of_place(self) -> Service:
        if self.places is not None and self.slots_per_week is not None:
            raise ValueError("has both places (beds) and slots_per_week; give one")
        if self.waiting_at_start and self.places is None and self.slots_per_week is None:
            raise ValueError("has waiting_at_start but neither places nor slots_per_week")
        return self


class ErrorQueue(Model):
    """Who handles failed messages of an organisation: its list, staff and habits."""

    staff: Staff = Field(default=1, description="People on it.")
    calendar: Identifier = Field(default="always", description="When it is worked.")
    minutes: Distribution = Field(description="Time to handle one.")
    ignored: Share = Field(description="The share that nobody acts on.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from.")


class Organisation(Model):
    """A hospital, municipality, specialist or other, with its services."""

    id: Identifier = Field(description="Its name.")
    label: str = Field(default="", description="What people read.")
    kind: OrganisationKind = Field(description="What it is.")
    on_platform: bool = Field(default=False, description="It uses the shared record.")
    message_client: Identifier | None = Field(default=None, description="Its message client (a relay).")
    serves: tuple[Identifier, ...] = Field(default=(), description="Municipalities served; none: all.")
    inhabitants: int | None = Field(default=None, ge=0, description="For a municipality.")
    error_queue: ErrorQueue | None = Field(default=None, description="Who handles failures; none: nobody.")
    services: tuple[Service, ...] = Field(default=(), description="Its services.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from, if not as above.")


class Practice(Model):
    """A GP practice: synthetic and numbered."""

    id: Identifier = Field(description="Its name; the key of its random draws.")
    label: str = Field(default="", description="What people read.")
    gps: float = Field(gt=0, description="Doctors.")
    patients: int = Field(ge=1, description="Listed patients.")
    municipality: Identifier = Field(description="Where its patients live.")
    district: Identifier | None = Field(
        default=None, description="Home-nursing area; none: dealt out in turn."
    )
    edi: bool = Field(default=True, description="It can be reached by e-message.")
    outside: bool = Field(default=False, description="Not asked to join the platform (outside the roll-out).")


class PracticeTemplate(Model):
    """What all practices have in common."""

    message_client: Identifier | None = Field(default=None, description="Their message client (a relay).")
    staff_per_gp: float = Field(gt=0, description="People a doctor's office puts on the inbox at a time.")
    calendar: Identifier = Field(description="When the inbox is worked.")
    error_queue: ErrorQueue | None = Field(default=None, description="Who handles failures; none: nobody.")
    basis: Basis | None = Field(default=None, description="Where the numbers come from.")


class PracticeGroup(Model):
    """Practices written by rule: so many in a municipality, with unequal sizes that add up."""

    municipality: Identifier = Field(description="Where their patients live.")
    id: Identifier = Field(default="practice", description="Their ids are this and a number: practice_07.")
    label: str = Field(default="Practice", description="What people read before the number.")
    number: int = Field(ge=1, description="How many practices.")
    gps: int = Field(ge=1, description="Doctors in all of them.")
    patients: int = Field(ge=1, description="Listed patients in all of them.")
    spread: Share = Field(default=0.4, description="Spread of sizes: standard deviation of their logarithm.")
    list_spread: Share = Field(default=0.12, description="The same for patients a doctor.")
    outside: bool = Field(default=False, description="Not asked to join the platform.")

    @model_validator(mode="after")
    def _enough(self) -> PracticeGroup:
        if self.gps < self.number or self.patients < self.number:
            raise ValueError(f"needs a doctor and a patient for each of its {self.number} practices")
        return self


class ServiceRule(Model):
    """A municipal service whose staff and beds follow the number of inhabitants."""

    id: Identifier = Field(description="Its name within the municipality.")
    label: str = Field(default="", description="What people read; the municipality's name comes before it.")
    kind: ServiceKind = Field(description="What it does.")
    calendar: Identifier = Field(default="always", description="Opening hours of its list.")
    inhabitants_per_staff: float = Field(
        gt=0, description="One member of staff at a time for so many; at least 1."
    )
    inhabitants_per_place: float | None = Field(
        default=None, gt=0, description="A bed for so many; at least 1."
    )
    inhabitants_per_district: int | None = Field(
        default=None, ge=1, description="Split into districts of about this size; none: one for all."
    )
    address: Literal["edi", "portal", "none"] = Field(
        default="edi", description="How it is reached from outside."
    )


class MunicipalityGroup(Model):
    """Municipalities written by rule: unequal, numbered, each with its services and practices."""

    id: Identifier = Field(description="Their ids are this and a number: north_07.")
    label: str = Field(description="What people read before the number.")
    number: int = Field(ge=1, description="How many municipalities.")
    inhabitants: int = Field(ge=1, description="In all of them.")
    smallest: int = Field(default=1000, ge=1, description="No municipality has fewer inhabitants.")
    spread: float = Field(
        default=1.0, ge=0, le=3, description="Standard deviation of the logarithm of sizes."
    )
    on_platform: int = Field(default=0, ge=0, description="So many use the shared record, the largest first.")
    message_client: Identifier | None = Field(default=None, description="Their message client (a relay).")
    served_by: tuple[Identifier, ...] = Field(
        default=(), description="Organisations whose serves gets them all."
    )
    error_queue: ErrorQueue | None = Field(default=None, description="Who handles failures; none: nobody.")
    services: tuple[ServiceRule, ...] = Field(default=(), description="What each of them has.")
    gps_per_1000: float = Field(gt=0, description="Doctors for 1,000 inhabitants.")
    gps_per_practice: float = Field(gt=0, description="Mean size of a practice.")
    spread_of_practices: Share = Field(default=0.4, description="As spread of a group of practices.")
    basis: Basis | None = Field(default=None, description="Where the numbers come from, if not as above.")

    @model_validator(mode="after")
    def _fits(self) -> MunicipalityGroup:
        if self.smallest * self.number > self.inhabitants:
            raise ValueError(
                f"{self.number} municipalities of {self.smallest} are more than {self.inhabitants}"
            )
        if self.on_platform > self.number:
            raise ValueError(f"has {self.on_platform} on the platform, but {self.number} in all")
        return self


class Generate(Model):
    """What is written by rule instead of one by one; the same seed always gives the same region."""

    seed: int = Field(default=1, ge=0, description="Deals out the sizes; nothing else depends on it.")
    practices: tuple[PracticeGroup, ...] = Field(default=(), description="Practices.")
    municipalities: tuple[MunicipalityGroup, ...] = Field(default=(), description="Whole municipalities.")


class TopologyFile(Model):
    """The region: who there is, what they are reached by, and how much they can do."""

    name: str = Field(description="What people read.")
    country: Literal["NO"] = Field(default="NO", description="For public holidays.")
    notice: str = Field(default="", description="A line that every output of a named place carries.")
    basis: Basis = Field(description="Where the numbers come from.")
    inhabitants: int = Field(ge=1, description="For rates per inhabitant.")
    calendars: dict[Identifier, OpeningHours] = Field(default_factory=dict, description='"always" exists.')
    profiles: dict[Identifier, Profile] = Field(default_factory=dict, description="When arrivals come.")
    relays: tuple[Relay, ...] = Field(default=(), description="What messages pass through.")
    organisations: tuple[Organisation, ...] = Field(min_length=1, description="Everybody but the practices.")
    practice_template: PracticeTemplate | None = Field(default=None, description="Common to all practices.")
    practices: tuple[Practice, ...] = Field(default=(), description="The GP practices.")
    generate: Generate | None = Field(default=None, description="Practices and municipalities by rule.")
