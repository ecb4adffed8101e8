"""Where and how often the cases of a pathway start, and by when their care should."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flowsim.config.values import (
    Distribution,
    DurationField,
    Identifier,
    Model,
    PlainDuration,
    Share,
    shares_sum_to_one,
)

UrgencyName = Literal["immediate", "urgent", "soon", "routine"]

#: Which service a step means: ``origin`` (where the case began), a service kind ("referral_intake":
#: the one that serves the patient and the case's area; "gp_office": the patient's own practice),
#: or ``organisation/service`` for a certain one.
ServiceRef = Annotated[str, Field(pattern=r"^[a-z0-9_\-]+(/[a-z0-9_\-]+)?$")]


class Arrivals(Model):
    """How often cases start at each origin."""

    per_year: float | None = Field(default=None, ge=0, description="Mean number a year.")
    per: Literal["origin", "inhabitant", "listed_patient", "share"] = Field(
        default="origin",
        description="per_year is for each origin, inhabitant or listed patient; share: in all, divided.",
    )
    profile: Identifier | None = Field(default=None, description="Profile by hour of week; none: even.")
    at_opening: float = Field(
        default=0.0, ge=0, description="Besides, so many (per, as for per_year) when the window opens."
    )
    hourly: tuple[float, ...] = Field(default=(), description="Mean number in each hour from the start.")
    times: tuple[PlainDuration, ...] = Field(default=(), description="The exact times from the start.")

    @model_validator(mode="after")
    def _one_form(self) -> Arrivals:
        if sum((self.per_year is not None, bool(self.hourly), bool(self.times))) != 1:
            raise ValueError("needs exactly one of per_year, hourly or times")
        if any(x < 0 for x in self.hourly):
            raise ValueError("hourly rates must not be negative")
        return self


class Starts(Model):
    """Where and how often cases start, and what they are like."""

    at: ServiceRef = Field(
        description="A service kind (each such service is an origin) or organisation/service."
    )
    arrivals: Arrivals = Field(description="How often.")
    urgency: dict[UrgencyName, Share] = Field(description="The share of each urgency.")
    areas: dict[Identifier, float] = Field(default_factory=dict, description="Weight of each clinical area.")

    @model_validator(mode="after")
    def _sums(self) -> Starts:
        shares_sum_to_one(list(self.urgency.values()), "the shares of urgency")
        if any(w < 0 for w in self.areas.values()) or (self.areas and not sum(self.areas.values())):
            raise ValueError("weights of areas must not be negative and must not all be 0")
        return self


class Target(Model):
    """When care should have started, and when it counts as delayed."""

    care_within: DurationField = Field(description="The target for the start of care, from authoring.")
    delayed_after: DurationField = Field(description="A start later than this is a delayed start.")


class Withdrawal(Model):
    """Patients who withdraw or die before care starts: a competing event at its own instant."""

    chance: Share = Field(description="The share that would withdraw if nothing else happened.")
    after: Distribution = Field(description="When, from creation.")
