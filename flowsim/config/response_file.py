"""What a file on the response team may say: who acts on the monitor's alerts, when, and how long it takes."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from flowsim.config.values import Basis, Distribution, Estimate, Identifier, Model, PlainDuration
from flowsim.units import Duration
from flowsim.vocabulary import Source

#: The sets of sources that have a name; the first switches the monitor off.
SOURCE_SETS: Final[dict[str, frozenset[Source]]] = {
    "none": frozenset(),
    "receipts_only": frozenset({Source.sent_log, Source.transport_receipts, Source.application_receipts}),
    "all": frozenset(Source),
}
SourceName = Literal[
    "orders", "sent_log", "transport_receipts", "application_receipts", "received_log", "list_snapshots",
    "handling", "notices", "care_starts", "activity",
]  # fmt: skip

if {*SourceName.__args__} != {source.name for source in Source}:  # type: ignore[attr-defined]
    raise AssertionError("SourceName and Source differ")


class Watch(Model):
    """How the monitor is used: what it may read, how strict it is, and whether anybody acts on it."""

    sources: Literal["none", "receipts_only", "all"] | tuple[SourceName, ...] = Field(
        default="all", description="Logs that it may read; none: there is no monitor."
    )
    strictness: float = Field(
        default=1.0, gt=0, description="Limits of its rules are divided by this: 2 is twice as strict."
    )
    every: PlainDuration = Field(default=Duration(1.0, 0.0), description="It sweeps at this interval.")
    acts: bool = Field(default=True, description="Whether the response team acts on its alerts.")

    @model_validator(mode="after")
    def _sensible(self) -> Watch:
        if self.every.hours <= 0.0:
            raise ValueError("every must be longer than nothing")
        if isinstance(self.sources, tuple):
            double = sorted({name for name in self.sources if self.sources.count(name) > 1})
            if double:
                raise ValueError(f"sources names {', '.join(double)} twice")
            if not self.sources:
                raise ValueError("sources is a list that names none; for no monitor at all write none")
        return self

    def read(self) -> frozenset[Source]:
        """Return the sources that the monitor may read."""
        if isinstance(self.sources, tuple):
            return frozenset(Source[name] for name in self.sources)
        return SOURCE_SETS[self.sources]


class ResponseFile(Model):
    """The response team: who acts on alerts, in which hours, how long it takes, and what is left out."""

    basis: Basis = Field(description="Where the numbers come from.")
    staff: int = Field(ge=1, description="How many are at it at a time.")
    calendar: Identifier = Field(default="always", description="When they are; a calendar of the topology.")
    incident: Distribution = Field(
        description="Staff time each time an incident is taken up: read it, look it up, find who owns it."
    )
    item: Distribution = Field(description="Staff time for each item: check it, and act if it is lost.")
    unchecked: Estimate = Field(
        description="Share of items that are sent again without asking the receiver first."
    )
    swamped_at: int = Field(ge=1, description="With so many tickets waiting, they skim.")
    skim: float = Field(default=1.0, gt=0, le=1, description="Skimming: times the staff time of each item.")
    missed: Estimate = Field(
        default=Estimate(value=0.0), description="Skimming: share of items closed without being acted on."
    )
    soft_too: bool = Field(default=True, description="Whether they look at soft alerts, too.")
