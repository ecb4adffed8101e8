"""What a file on routing may say: who owns which incident, in which hours, and who is next."""

from __future__ import annotations

import datetime as dt

from pydantic import Field, model_validator

from flowsim.config.catalogue_file import ChannelName, FaultName
from flowsim.config.pathway_file import MessageName
from flowsim.config.rules_file import LevelName, PartyName
from flowsim.config.topology_file import OpeningHours
from flowsim.config.values import Basis, Identifier, Model, PlainDuration
from flowsim.errors import did_you_mean
from flowsim.units import HOURS_PER_WEEK, Duration
from flowsim.vocabulary import RuleKind


class NextOwner(Model):
    """One owner in a line of owners, and how long it has before the next is asked."""

    owner: Identifier = Field(description="Who: a name under owners.")
    within: PlainDuration | None = Field(
        default=None, description="Working hours of that owner until the next in line is asked; none: never."
    )


class Owner(Model):
    """Somebody who takes incidents, and when."""

    label: str = Field(default="", description="What people read.")
    calendar: Identifier = Field(default="always", description="Hours in which it works: under calendars.")


class Route(Model):
    """Which incidents go to whom; a list that is not given means any. The first route that fits counts."""

    rules: tuple[str, ...] = Field(default=(), description="Rules, by id as in the file of rules.")
    kinds: tuple[RuleKind, ...] = Field(default=(), description="Kinds of rule.")
    guess: tuple[FaultName, ...] = Field(default=(), description="Classes of fault; it points at one.")
    messages: tuple[MessageName, ...] = Field(default=(), description="Kinds of message.")
    channels: tuple[ChannelName, ...] = Field(default=(), description="Channels.")
    sender_parties: tuple[PartyName, ...] = Field(default=(), description="Types of the sender.")
    receiver_parties: tuple[PartyName, ...] = Field(default=(), description="Types of the receiver.")
    units: tuple[str, ...] = Field(default=(), description="In whose log it stands, by id.")
    levels: tuple[LevelName, ...] = Field(default=(), description="Soft or hard.")
    severity: int = Field(
        default=4, ge=1, le=4, description="At least so severe: 1 only the most severe, 4 all."
    )
    to: tuple[NextOwner, ...] = Field(min_length=1, description="The line of owners; the first is told.")

    @model_validator(mode="after")
    def _goes_on(self) -> Route:
        for step in self.to[:-1]:
            if step.within is None:
                raise ValueError(f"needs a within for '{step.owner}', or the next in line is never asked")
        for step in self.to:
            if step.within is not None and not step.within:
                raise ValueError(f"needs a within longer than nothing for '{step.owner}'")
        return self


class Downtime(Model):
    """A planned stop: alerts that lie inside it are held and counted, and not raised."""

    id: Identifier = Field(description="Its name.")
    begins: dt.datetime = Field(description="When it begins, standard time, such as 2024-03-01 22:00.")
    ends: dt.datetime = Field(description="When it has ended, with what had piled up.")
    why: str = Field(default="", description="What for.")
    channels: tuple[ChannelName, ...] = Field(default=(), description="Only these channels; none: all.")
    units: tuple[str, ...] = Field(
        default=(), description="Only what one of these units sends, gets or has in its log; none: all."
    )
    rules: tuple[str, ...] = Field(default=(), description="Only these rules; none: all.")

    @model_validator(mode="after")
    def _ordered(self) -> Downtime:
        if self.begins.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError("needs times without a zone: standard time, all year")
        if self.ends <= self.begins:
            raise ValueError(f"ends ({self.ends}) before it begins ({self.begins})")
        return self


class RoutingFile(Model):
    """Who owns which incident, in which hours, who is asked next, and planned downtime."""

    basis: Basis = Field(description="Where the numbers come from.")
    calendars: dict[Identifier, OpeningHours] = Field(
        default_factory=dict, description='By name; "always" exists without being written.'
    )
    owners: dict[Identifier, Owner] = Field(min_length=1, description="By name.")
    routes: tuple[Route, ...] = Field(min_length=1, description="In order; the first that fits counts.")
    downtime: tuple[Downtime, ...] = Field(default=(), description="Planned stops.")
    reopen_within: PlainDuration = Field(
        default=Duration(2 * HOURS_PER_WEEK),
        description="An alert so soon after its incident was closed opens it again; later it is a new one.",
    )

    @model_validator(mode="after")
    def _named(self) -> RoutingFile:
        for name, owner in self.owners.items():
            if owner.calendar != "always" and owner.calendar not in self.calendars:
                hint = did_you_mean(owner.calendar, [*self.calendars, "always"])
                raise ValueError(
                    f"names no calendar '{owner.calendar}' for the owner '{name}' that there is. {hint}"
                )
        for calendar, hours in self.calendars.items():
            if hours.every is not None:
                raise ValueError(
                    f"has a calendar '{calendar}' that is a look at times; owners need hours of work"
                )
        for route in self.routes:
            for step in route.to:
                if step.owner not in self.owners:
                    hint = did_you_mean(step.owner, self.owners)
                    raise ValueError(f"names no owner '{step.owner}' that there is. {hint}")
        names = [each.id for each in self.downtime]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"has two times of downtime that are called {', '.join(double)}")
        return self
