"""What an experiment file may say: the question, the world, what is varied and compared."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowsim.config.catalogue_file import ChannelsFile, FaultsFile
from flowsim.config.defects_file import DefectsFile
from flowsim.config.economics_file import EconomicsFile
from flowsim.config.levers_file import LeversFile
from flowsim.config.logs_file import LogsFile
from flowsim.config.pathway_file import PathwayFile
from flowsim.config.people_file import PeopleFile
from flowsim.config.response_file import ResponseFile, Watch
from flowsim.config.rules_file import MonitorFile
from flowsim.config.topology_file import TopologyFile
from flowsim.config.values import Basis, Distribution, Estimate, Identifier, Model, PlainDuration
from flowsim.units import Duration, parse_share
from flowsim.vocabulary import Certainty


def _practices(value: Any) -> Any:
    """Take a share ("25 %"), a number ("2 practices") or a list of ids."""
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError('is a list that names nobody; for no practice at all write "0 %"')
        return tuple(value)
    if isinstance(value, str) and value.split()[-1:] in (["practices"], ["practice"]):
        number = value.split()[0]
        if len(value.split()) != 2 or not number.isdigit():
            raise ValueError(f'must be such as "25 %" or "2 practices" (got "{value}")')
        return f"{number} practices"
    share = parse_share(value)
    return f"{100 * share:.6g} %"


#: "25 %", "2 practices", or a list of practice ids.
PracticesField = Annotated[str | tuple[Identifier, ...], BeforeValidator(_practices)]


def _order(value: Any) -> Any:
    """Take a rule, or a list of practices."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("is a list that names nobody; name practices, or write a rule such as random")
    return tuple(value) if isinstance(value, list) else value


OrderRule = Literal["random", "largest_first", "smallest_first", "most_connected"]
#: A rule, or practices by id.
OrderField = Annotated[OrderRule | tuple[Identifier, ...], BeforeValidator(_order)]


class Joining(Model):
    """What joining the platform changes for a practice, beside the channel."""

    search_factor: float = Field(default=1.0, ge=0, description="Times its search minutes.")
    handling_factor: float = Field(
        default=1.0, ge=0, description="Times its handling minutes (more items shown)."
    )
    stale_share: Estimate = Field(
        description="Share of senders' addresses that are stale right after go-live."
    )
    stale_lag: PlainDuration = Field(description="In this time two in three stale addresses are mended.")
    old_inbox_read: Estimate = Field(description="Share of items in the old inbox that somebody still reads.")


class GoLive(Model):
    """Practices and organisations that join, or leave, on a date inside the run."""

    on: dt.date = Field(description="The date.")
    gp_practices: PracticesField | None = Field(default=None, description="The level from that date on.")
    organisations: tuple[Identifier, ...] = Field(default=(), description="Organisations that join then.")
    leave: tuple[Identifier, ...] = Field(default=(), description="Organisations that leave then.")

    @model_validator(mode="after")
    def _somebody(self) -> GoLive:
        if self.gp_practices is None and not self.organisations and not self.leave:
            raise ValueError("names nobody: give gp_practices, organisations or leave")
        both = sorted(set(self.organisations) & set(self.leave))
        if both:
            raise ValueError(f"lets {', '.join(both)} join and leave on the same day")
        return self


class Diffusion(Model):
    """Practices that join one by one along a Bass curve: a what-if, not a forecast."""

    innovation_per_year: float = Field(gt=0, description="Chance a year to join unprompted (Bass's p).")
    imitation_per_year: float = Field(ge=0, description="Pull a year of those who have joined (Bass's q).")
    over: Literal["region", "neighbours"] = Field(
        default="region",
        description="Who pulls: the region's mean curve, or practices that share municipal services.",
    )


class Waves(Model):
    """Practices that go live in groups at even intervals from the opening of the window."""

    practices: int = Field(ge=1, description="How many in each wave.")
    every: PlainDuration = Field(description="Between two waves.")

    @model_validator(mode="after")
    def _takes_time(self) -> Waves:
        if self.every.hours <= 0:
            raise ValueError("every must be longer than nothing")
        return self


class Adoption(Model):
    """Who is on the platform."""

    gp_practices: PracticesField = Field(default="0 %", description="Practices on it from before the start.")
    order: OrderField = Field(
        default="random", description="In which order practices join; a list names them."
    )
    organisations: tuple[Identifier, ...] | None = Field(
        default=None, description="Organisations on it; none: as the topology says."
    )
    go_live: tuple[GoLive, ...] = Field(default=(), description="Changes inside the run.")
    order_seed: int | None = Field(
        default=None, ge=0, description="Deals out a random order; none: the experiment's seed."
    )
    before: PracticesField = Field(
        default="0 %", description="In the transition view: the level at which the window opens."
    )
    roll_out: PlainDuration = Field(
        default=Duration(8 * 168.0, 0.0),
        description="In the transition view: the others go live evenly over this time from then on.",
    )
    waves: Waves | None = Field(default=None, description="Instead of evenly: in waves.")
    together: int = Field(
        default=1, ge=1, description="Nobody goes live inside the run until so many are ready to."
    )
    leave_per_year: Estimate = Field(
        default=Estimate(value=0.0), description="Chance a year that a practice leaves the platform again."
    )
    diffusion: Diffusion | None = Field(
        default=None, description="All others join one by one, in that order, along a Bass curve."
    )
    joining: Joining = Field(description="What joining changes.")

    @model_validator(mode="after")
    def _one_roll_out(self) -> Adoption:
        given = {"go_live": bool(self.go_live), "diffusion": self.diffusion, "waves": self.waves}
        both = [name for name, value in given.items() if value]
        if len(both) > 1:
            raise ValueError(f"has both {' and '.join(both)}; give one")
        return self

    @model_validator(mode="after")
    def _one_thing_a_day(self) -> Adoption:
        days: dict[dt.date, list[GoLive]] = {}
        for change in self.go_live:
            days.setdefault(change.on, []).append(change)
        for day, changes in days.items():
            if sum(change.gp_practices is not None for change in changes) > 1:
                raise ValueError(f"go_live sets two levels of gp_practices on {day}; give one")
            joining = {name for change in changes for name in change.organisations}
            both = sorted(joining & {name for change in changes for name in change.leave})
            if both:
                raise ValueError(f"go_live lets {', '.join(both)} join and leave on {day}")
        return self

    def rolls_out(self, view: str) -> bool:
        """Return whether practices go live evenly or in waves from the opening of the window on."""
        if self.go_live or self.diffusion is not None:
            return False
        return view == "transition" or self.waves is not None

    def level_at_start(self, view: str) -> str | tuple[str, ...]:
        """Return the level of practices on the platform when the run begins."""
        return self.before if self.rolls_out(view) else self.gp_practices


class Outage(Model):
    """A relay that is down, at a date or by chance."""

    relay: Identifier = Field(description="Which relay.")
    at: dt.datetime | None = Field(default=None, description="When it begins.")
    per_year: float | None = Field(default=None, ge=0, description="Or how often it happens.")
    lasts: Distribution = Field(description="How long.")

    @model_validator(mode="after")
    def _one(self) -> Outage:
        if (self.at is None) == (self.per_year is None):
            raise ValueError("needs exactly one of at and per_year")
        return self


class Until(Model):
    """When there are enough replications."""

    difference_in: str = Field(description="The measure whose compared differences must be precise.")
    half_width: str | float = Field(
        description='The half width to reach, in the measure\'s unit: "0.1 points", 0.5.'
    )


class Replications(Model):
    """How many replications, and when to stop."""

    at_least: int = Field(default=10, ge=1, description="Run at least this many.")
    at_most: int = Field(default=10, ge=1, description="And at most this many.")
    step: int = Field(
        default=5,
        ge=1,
        description="Looked at after each batch of this size; below 5 intervals promise too much.",
    )
    until: Until | None = Field(default=None, description="Stop when precise enough; none: run at_least.")

    @model_validator(mode="after")
    def _ordered(self) -> Replications:
        if self.at_most < self.at_least:
            raise ValueError(f"at_most ({self.at_most}) is below at_least ({self.at_least})")
        return self


class Compare(Model):
    """Which scenario each is compared to."""

    to: dict[str, Any] = Field(description='Settings of the baseline; "same" keeps the scenario\'s own.')
    measures: tuple[str, ...] | None = Field(
        default=None,
        description="The measures that the question is about, declared beforehand; none: that of until.",
    )


class ExperimentFile(Model):
    """A question, the world it is asked in, what is varied, and what is compared."""

    name: str = Field(description="What people read.")
    question: str = Field(default="", description="The question it answers.")
    base: str | None = Field(default=None, description="Another experiment file that this one changes.")
    topology: str = Field(description="The topology file.")
    pathways: tuple[str, ...] = Field(
        min_length=1, description="Pathways: names from the catalogue, or files ending in .yaml."
    )
    channels: str = Field(default="channels", description="Channels: a name from the catalogue, or a file.")
    faults: str = Field(default="faults", description="Faults: a name from the catalogue, or a file.")
    defects: str = Field(
        default="defects_none", description="Common causes: a name from the catalogue, or a file."
    )
    people: str = Field(
        default="people_plain", description="How people work: a name from the catalogue, or a file."
    )
    levers: str = Field(default="levers", description="Levers: a name from the catalogue, or a file.")
    economics: str | None = Field(
        default=None, description="Economics: a name from the catalogue, or a file; none: no economics."
    )
    monitor: str | None = Field(
        default=None,
        description="Rules of a monitor: a name from the catalogue, or a file; none: no monitor.",
    )
    logs: str | None = Field(
        default=None,
        description="Logs that it reads: a name from the catalogue, or a file; none: logs_imperfect.",
    )
    response: str | None = Field(
        default=None, description="Who acts on alerts: a name from the catalogue, or a file; none: nobody."
    )
    start: dt.date = Field(description="The first day.")
    warm_up: PlainDuration = Field(description="Time before the window; not measured.")
    observe: PlainDuration = Field(description="Cases created in this window are measured.")
    follow_up: PlainDuration = Field(description="Each is followed for this long.")
    seed: int = Field(ge=0, lt=2**32, description="The key of all random draws.")
    view: Literal["settled", "transition"] = Field(
        default="settled", description="Months after joining, or go-lives."
    )
    rates: Identifier = Field(default="equal", description="The rate set.")
    adoption: Adoption = Field(description="Who is on the platform.")
    outages: tuple[Outage, ...] = Field(default=(), description="Relays that go down.")
    use_levers: tuple[Identifier, ...] = Field(default=(), description="Which of the levers are on.")
    watch: Watch = Field(default=Watch(), description="How the monitor is used, where one is named.")
    change: dict[str, Any] = Field(
        default_factory=dict,
        description="Changes to what the other files say, by path: faults.faults.late.rate.",
    )
    replications: Replications = Field(default=Replications(), description="How many.")
    vary: dict[str, list[Any]] = Field(
        default_factory=dict, description="Paths and their values: the full grid."
    )
    scenarios: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Named single design points."
    )
    compare: Compare | None = Field(default=None, description="Compared to what.")
    keep: Literal["summary", "cases", "messages", "events"] = Field(
        default="summary", description="What is kept."
    )


_NOTHING: Final = Basis(source="none: nothing of the kind happens", certainty=Certainty.derived)
#: What a design has where its file names nothing of the kind.
NO_DEFECTS: Final = DefectsFile(basis=_NOTHING)
PLAIN_PEOPLE: Final = PeopleFile(
    basis=_NOTHING, chase=Duration(0.0, 0.0), consultation=Duration(1.0 / 3.0, 0.0)
)
NO_LEVERS: Final = LeversFile(basis=_NOTHING)


class Design(Model):
    """One design point with every default: the whole input of a simulation but the replication."""

    experiment: str = Field(description="The experiment's name.")
    scenario: str = Field(description="The design point's name.")
    start: dt.date
    warm_up: PlainDuration
    observe: PlainDuration
    follow_up: PlainDuration
    seed: int
    view: Literal["settled", "transition"] = "settled"
    rates: Identifier = "equal"
    adoption: Adoption
    outages: tuple[Outage, ...] = ()
    topology: TopologyFile
    pathways: dict[str, PathwayFile]
    channels: ChannelsFile
    faults: FaultsFile
    defects: DefectsFile = NO_DEFECTS
    people: PeopleFile = PLAIN_PEOPLE
    levers: LeversFile = NO_LEVERS
    use_levers: tuple[Identifier, ...] = ()
    economics: EconomicsFile | None = None
    monitor: MonitorFile | None = None
    logs: LogsFile | None = None
    response: ResponseFile | None = None
    watch: Watch = Watch()
    faults_off: bool = Field(default=False, description="The same-adoption twin: no fault, no outage.")
    ideal: bool = Field(default=False, description="The ideal-message twin: each message there at once.")

    @property
    def order_seed(self) -> int:
        """Return the seed of a random joining order."""
        return self.seed if self.adoption.order_seed is None else self.adoption.order_seed

    @property
    def is_watched(self) -> bool:
        """Return whether a monitor watches the messages."""
        return self.monitor is not None and self.logs is not None and bool(self.watch.read())
