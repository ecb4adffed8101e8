"""What the catalogue's file on defects may say: common causes, how they are noticed, escalated and mended."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from flowsim.config.catalogue_file import ChannelName, FaultName, WayName
from flowsim.config.pathway_file import MessageName
from flowsim.config.starts import ServiceRef
from flowsim.config.values import Basis, Distribution, Estimate, Identifier, Model, Share

#: Faults that a defect can give a class of messages; the others are structural or one message's own.
DefectFault = Literal[
    "not_emitted", "undelivered", "no_receipt", "rejected", "misaddressed", "unwatched", "vanished",
    "duplicated", "late", "incomplete", "copy_omitted",
]  # fmt: skip

if not {*DefectFault.__args__} <= {*FaultName.__args__}:  # type: ignore[attr-defined]
    raise AssertionError("DefectFault names a fault that FaultName does not have")

PartyName = Literal["gp", "hospital", "municipality", "specialist"]


class Hit(Model):
    """The class of deliveries that a defect hits, and how."""

    id: Identifier = Field(description="Its name; the key of its random draws.")
    fault: DefectFault = Field(description="What happens to them.")
    messages: tuple[MessageName, ...] = Field(min_length=1, description="Kinds of message.")
    template: Identifier | None = Field(default=None, description="Only this document template; none: all.")
    channel: ChannelName | None = Field(default=None, description="Only on this channel; none: all.")
    copies_only: bool = Field(default=False, description="Only the copies.")


class Latent(Hit):
    """A kind of defect that a go-live can bring with it, unseen at first."""

    at: PartyName = Field(description="Whose go-live brings it; it hits what that organisation sends.")
    number: float = Field(ge=0, description="Mean number at each such go-live, before testing.")
    reach: tuple[Share, Share] = Field(description="Lowest and highest share of the class that it hits.")
    visible: Share = Field(description="How visible it is to a tester: 1 is found by full test coverage.")
    basis: Basis | None = Field(default=None, description="Where its numbers come from.")

    @model_validator(mode="after")
    def _ordered(self) -> Latent:
        if self.reach[0] > self.reach[1]:
            raise ValueError(f"reach falls: {self.reach[0]:g} to {self.reach[1]:g}")
        return self


class Known(Hit):
    """One certain defect, as in a replay of something that happened."""

    sender: Identifier | None = Field(
        default=None, description="Only from this organisation or practice; none: all."
    )
    receiver: ServiceRef | None = Field(
        default=None, description="Only to this service (organisation/service); none: all."
    )
    reach: Share = Field(gt=0, description="Share of the class that it hits.")
    copies_reach: Share | None = Field(
        default=None, description="Share of the copies that it hits; none: as of the others."
    )
    begins: dt.date = Field(description="The day on which it begins, such as a go-live.")
    happened: int | None = Field(
        default=None, ge=1, description="After how many days it was found in reality; drawn in charts."
    )
    basis: Basis | None = Field(default=None, description="Where its numbers come from.")


class Testing(Model):
    """Tests before a go-live: each latent defect is removed with a chance by how visible it is."""

    coverage: Estimate = Field(description="Share of what could be tested that is tested.")
    hours: float = Field(default=0.0, ge=0, description="Staff hours for each go-live at full coverage.")


class Noticing(Model):
    """How a defect is taken up: independent reports by those who miss something or read an error queue."""

    reports: tuple[int, int] = Field(
        description="Fewest and most independent reports before it is believed; each number as likely."
    )
    proof: tuple[WayName | Literal["monitor"], ...] = Field(
        default=("reconciliation", "monitor"),
        description="Ways of which one find is enough, as it shows them all.",
    )
    basis: Basis | None = Field(default=None, description="Where the numbers come from.")

    @model_validator(mode="after")
    def _ordered(self) -> Noticing:
        if not 1 <= self.reports[0] <= self.reports[1]:
            raise ValueError(f"reports must rise from at least 1 (got {self.reports[0]}, {self.reports[1]})")
        return self


class Level(Model):
    """A step of the escalation: somebody must accept the matter before it goes on."""

    id: Identifier = Field(description="Its name; the key of its random draws.")
    owner: Identifier = Field(description="Whose level it is; the same owner twice in a row is no crossing.")
    calendar: Identifier = Field(default="always", description="Hours in which it is dealt with.")
    takes: Distribution = Field(description="Until it is dealt with, in that calendar's hours.")
    accepts: Share = Field(gt=0, description="Chance that it is accepted and goes on.")
    again_after: Distribution = Field(description="If not accepted: until it is brought up again.")


class Escalation(Model):
    """The levels that a defect is lifted through, and what crossing from one owner to another costs."""

    levels: tuple[Level, ...] = Field(default=(), description="In order.")
    crossing: Distribution | None = Field(
        default=None, description="On top, each time the next level has another owner."
    )
    faster: float = Field(default=1.0, ge=0, description="Times all these lengths of time.")

    @model_validator(mode="after")
    def _names(self) -> Escalation:
        ids = [level.id for level in self.levels]
        double = sorted({name for name in ids if ids.count(name) > 1})
        if double:
            raise ValueError(f"two levels are called {', '.join(double)}")
        return self


class Mending(Model):
    """What happens once the last level has accepted a defect."""

    takes: Distribution = Field(description="Until it is mended.")
    resend: bool = Field(default=True, description="What it has hit is then sent again.")


class Owners(Model):
    """Lists that lose their owner at a go-live or a reorganisation, until somebody finds them."""

    lost_at_go_live: Estimate = Field(
        description="Chance for each list of an organisation, at its own go-live."
    )
    reorganisations_per_year: float = Field(
        default=0.0, ge=0, description="How often an organisation reorganises."
    )
    lost_at_reorganisation: Estimate = Field(description="Chance for each of its lists then.")
    found_then: Distribution = Field(description="From somebody finding the list to its having an owner.")
    search_every: Distribution | None = Field(
        default=None, description="Somebody goes through all lists at this interval; none: nobody does."
    )


class DefectsFile(Model):
    """Common causes: latent and known defects, how they are noticed and mended, lists without an owner."""

    basis: Basis = Field(description="Where the numbers come from.")
    latent: tuple[Latent, ...] = Field(default=(), description="What go-lives can bring.")
    known: tuple[Known, ...] = Field(default=(), description="Certain defects.")
    testing: Testing = Field(default=Testing(coverage=Estimate(value=0.0)), description="Before go-lives.")
    noticing: Noticing = Field(default=Noticing(reports=(1, 1)), description="How they are noticed.")
    escalation: Escalation = Field(default=Escalation(), description="How they are lifted.")
    mending: Mending | None = Field(default=None, description="How they end; none: they never do.")
    owners: Owners | None = Field(default=None, description="Lists without an owner; none: no list loses it.")

    @model_validator(mode="after")
    def _names(self) -> DefectsFile:
        names = [d.id for d in self.latent] + [d.id for d in self.known]
        double = sorted({n for n in names if names.count(n) > 1})
        if double:
            raise ValueError(f"two defects are called {', '.join(double)}")
        return self
