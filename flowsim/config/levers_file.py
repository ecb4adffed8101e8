"""What the catalogue's file on levers may say: measures that a region can take, what they do and cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flowsim.config.catalogue_file import FaultName, WayName
from flowsim.config.values import Basis, Estimate, Identifier, Model, PlainDuration
from flowsim.errors import nearest
from flowsim.vocabulary import ServiceKind

PayerName = Literal["municipality", "hospital_trust", "practice", "state"]
Knob = Literal[
    "fault", "way", "search", "handling", "slips", "staff", "addresses", "paper_fallback", "owners",
    "test_coverage", "training", "escalation", "together",
]  # fmt: skip

#: Knobs that need to be told which one of a kind is meant, and the legal names.
_NAMED = {
    "fault": FaultName.__args__,  # type: ignore[attr-defined]
    "way": WayName.__args__,  # type: ignore[attr-defined]
    "staff": tuple(kind.value for kind in ServiceKind),
}


class Act(Model):
    """One thing that a lever does: which setting it moves, and where to at full effect."""

    on: Knob = Field(description="What is moved.")
    what: str = Field(default="", description="Which fault class, way back or kind of service.")
    full: float = Field(
        ge=0,
        description="Fully: a factor (fault, search, handling, slips, staff, addresses, escalation), "
        "a chance (way, paper_fallback, owners, test_coverage, training), or a number (together).",
    )

    @model_validator(mode="after")
    def _named(self) -> Act:
        legal = _NAMED.get(self.on, ())
        if legal and self.what not in legal:
            near = nearest(self.what, legal)
            hint = f" Did you mean '{near}'?" if near else f" Legal: {', '.join(legal)}"
            raise ValueError(f"on {self.on} needs what: '{self.what}' is none.{hint}")
        if not legal and self.what:
            raise ValueError(f"on {self.on} takes no what (got '{self.what}')")
        if self.on in ("way", "paper_fallback", "owners", "test_coverage", "training") and self.full > 1:
            raise ValueError(f"on {self.on} is a chance: full must be from 0 to 1 (got {self.full:g})")
        if self.on == "together" and (self.full < 1 or self.full % 1):
            raise ValueError(
                f"on together is a number of practices: full must be 1, 2, … (got {self.full:g})"
            )
        return self


class Cost(Model):
    """What a lever costs whom, for the whole region."""

    payer: PayerName = Field(description="Who pays.")
    hours_per_year: float = Field(default=0.0, ge=0, description="Staff hours a year.")
    money_per_year: float = Field(default=0.0, ge=0, description="NOK a year.")
    money_once: float = Field(default=0.0, ge=0, description="NOK once.")


class Lever(Model):
    """A measure: whom it reaches, who keeps to it, when it works, what it does, what it costs."""

    label: str = Field(description="What people read.")
    acts: tuple[Act, ...] = Field(min_length=1, description="What it does.")
    reach: Estimate = Field(description="Share of those concerned whom it reaches.")
    adherence: Estimate = Field(description="Share of those who keep to it.")
    effect: Estimate = Field(description="Share of the full effect that it has; its range includes 0.")
    start_up: PlainDuration = Field(description="From the start of the run until it works.")
    costs: tuple[Cost, ...] = Field(default=(), description="What it costs whom.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from.")

    @model_validator(mode="after")
    def _may_do_nothing(self) -> Lever:
        if self.effect.range is not None and self.effect.range[0] > 0:
            raise ValueError("effect: the range of a lever's effect must include 0; nobody has measured it")
        return self

    @property
    def strength(self) -> float:
        """Return the share of the full effect that comes out: reach × adherence × effect."""
        return self.reach.value * self.adherence.value * self.effect.value


class LeversFile(Model):
    """Measures that a region can take; an experiment says which are on."""

    basis: Basis = Field(description="Where the numbers come from.")
    levers: dict[Identifier, Lever] = Field(default_factory=dict, description="By name.")
