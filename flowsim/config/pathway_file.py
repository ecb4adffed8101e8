"""What a pathway file may say: where cases start, how often, and the steps that they walk."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from flowsim.config.starts import ServiceRef, Starts, Target, UrgencyName, Withdrawal
from flowsim.config.values import (
    Basis,
    Distribution,
    DurationField,
    Identifier,
    Model,
    Share,
    shares_sum_to_one,
)
from flowsim.errors import nearest
from flowsim.vocabulary import MessageKind, Milestone, Urgency


def _member(enum: type, what: str) -> Any:
    names = {m.name for m in enum}  # type: ignore[attr-defined]

    def check(value: Any) -> Any:
        if value not in names:
            near = nearest(str(value), sorted(names))
            hint = f" Did you mean '{near}'?" if near else ""
            raise ValueError(f"'{value}' is not a {what}.{hint} Legal: {', '.join(sorted(names))}")
        return value

    return BeforeValidator(check)


MessageName = Annotated[str, _member(MessageKind, "message kind")]
MilestoneName = Annotated[str, _member(Milestone, "milestone")]


class Deadline(Model):
    """A limit on a message, from one instant to another."""

    since: Literal["created", "authored", "received"] = Field(default="authored", description="Counts from.")
    to: Literal["sent", "received", "seen", "done"] = Field(default="seen", description="Counts to.")
    within: DurationField = Field(description='The limit, such as "10 working days".')
    alarm: bool = Field(default=False, description="Write a deadline row and tell the world when it passes.")


class Step(Model):
    """What all steps have."""

    id: Identifier = Field(description="The step's name; the key of its random draws.")
    next: Identifier | None = Field(default=None, description="Where to go on; default: the step below.")


def _example(step: dict[str, Any]) -> ConfigDict:
    """Return a step class's settings: a step of its kind as an example for its documentation."""
    return ConfigDict(json_schema_extra={"examples": [step]})


class Send(Step):
    """Send a message to a service, with copies to others; goes on when it has arrived, or at once."""

    model_config = _example(
        {
            "id": "refer",
            "do": "send",
            "message": "referral",
            "sender": "origin",
            "to": "referral_intake",
            "copies": ["home_nursing"],
        }
    )

    do: Literal["send"]
    message: MessageName = Field(description="The kind of message.")
    sender: ServiceRef = Field(description="Who sends.")
    to: ServiceRef = Field(description="Who is meant to get it.")
    copies: tuple[ServiceRef, ...] = Field(default=(), max_length=4, description="Who is to get a copy.")
    template: Identifier = Field(
        default="standard", description="The document template (defects hit templates)."
    )
    waits: bool = Field(default=True, description="Go on when it has arrived; no: go on at once.")
    reading: Distribution | None = Field(
        default=None, description="Staff time to read a copy, or the message where nobody waits for it."
    )
    deadline: Deadline | None = Field(default=None, description="The limit for the main recipient.")
    copy_deadline: Deadline | None = Field(default=None, description="The limit for the copies.")


class Work(Step):
    """Wait on a service's work list until a free member of staff takes it, and be worked on."""

    model_config = _example(
        {
            "id": "assess",
            "do": "work",
            "service": "referral_intake",
            "minutes": "20 min",
            "priority": "urgency",
        }
    )

    do: Literal["work"]
    service: ServiceRef = Field(description="Whose list.")
    minutes: Distribution = Field(description="Clinical handling time.")
    search: Distribution | None = Field(default=None, description="Time spent looking for information.")
    priority: Literal["urgency", "first", "last", "none"] = Field(
        default="none",
        description="Place on the list: by the case's urgency, before or after all, or in turn.",
    )
    patience: Distribution | None = Field(default=None, description="Leaves the list after this long.")
    impatient: Identifier | None = Field(default=None, description="Where to go then; default: withdraws.")


class Place(Step):
    """Take a bed or a slot, waiting for one to be free."""

    model_config = _example({"id": "bed", "do": "place", "service": "ward", "hold": "3 days"})

    do: Literal["place"]
    service: ServiceRef = Field(description="Whose beds or slots.")
    hold: Distribution | None = Field(
        default=None, description="How long it is kept; none: until the next place is got, or the end."
    )
    priority: Literal["urgency", "first", "last", "none"] = Field(default="none", description="As for work.")
    patience: Distribution | None = Field(default=None, description="Stops waiting after this long.")
    impatient: Identifier | None = Field(default=None, description="Where to go then; default: withdraws.")
    turned_away: Identifier | None = Field(
        default=None, description="Where to go if none is free; default: waits."
    )


class Wait(Step):
    """Let time pass."""

    model_config = _example({"id": "recovery", "do": "wait", "time": "2 weeks"})

    do: Literal["wait"]
    time: Distribution = Field(description="How long.")
    calendar: Identifier | None = Field(default=None, description="Count only this calendar's open hours.")


class Choice(Model):
    """One way out of a branch."""

    share: Share = Field(description="How often.")
    go: Identifier = Field(description="The step to go to.")
    urgency: tuple[UrgencyName, ...] = Field(default=(), description="Only for these; none: for all.")


class Branch(Step):
    """Go one of several ways by chance (choices for an urgency replace the general ones)."""

    model_config = _example(
        {
            "id": "outcome",
            "do": "branch",
            "choices": [{"share": "70 %", "go": "visit"}, {"share": "30 %", "go": "refuse"}],
        }
    )

    do: Literal["branch"]
    choices: tuple[Choice, ...] = Field(min_length=1, description="The ways, with their shares.")

    @model_validator(mode="after")
    def _whole(self) -> Branch:
        for urgency in (None, *Urgency.__members__):
            shares = [c.share for c in self.choices if (urgency in c.urgency if urgency else not c.urgency)]
            if shares:
                shares_sum_to_one(shares, f"the shares{f' for {urgency}' if urgency else ''}")
        if all(c.urgency for c in self.choices):
            covered = {u for c in self.choices for u in c.urgency}
            missing = sorted(set(Urgency.__members__) - covered)
            if missing:
                raise ValueError(f"no choice for urgency {', '.join(missing)}")
        return self


class Fork(Step):
    """Start more threads of the case, each at a step; this thread goes on below."""

    model_config = _example({"id": "tell", "do": "fork", "branches": ["tell_gp", "tell_patient"]})

    do: Literal["fork"]
    branches: tuple[Identifier, ...] = Field(
        min_length=1, max_length=8, description="Where each thread starts."
    )


class Join(Step):
    """Wait until so many threads have come here; the last goes on, the others end."""

    model_config = _example({"id": "all_told", "do": "join", "threads": 3})

    do: Literal["join"]
    threads: int = Field(ge=2, le=9, description="How many.")


class Set(Step):
    """Write a number into a register of the case, or add to it."""

    model_config = _example(
        {"id": "new_medicine", "do": "set", "into": "list_at_ward", "value": 1, "add": True}
    )

    do: Literal["set"]
    into: Identifier = Field(description="Which register.")
    value: int = Field(default=0, description="The number.")
    add: bool = Field(default=False, description="Add it to what is there.")


class Copy(Step):
    """Copy one register into another, as a list that is received replaces the local one."""

    model_config = _example(
        {"id": "list_received", "do": "copy", "source": "list_at_ward", "target": "list_at_gp"}
    )

    do: Literal["copy"]
    source: Identifier = Field(description="From.")
    target: Identifier = Field(description="To.")


class Compare(Step):
    """Go one of two ways by whether two registers agree."""

    model_config = _example(
        {
            "id": "same_list",
            "do": "compare",
            "first": "list_at_ward",
            "second": "list_at_gp",
            "equal": "finished",
            "different": "clear_up",
        }
    )

    do: Literal["compare"]
    first: Identifier = Field(description="One register.")
    second: Identifier = Field(description="The other.")
    equal: Identifier = Field(description="Where to go if they agree.")
    different: Identifier = Field(description="Where to go if not.")


class Repeat(Step):
    """Go back to an earlier step a number of times."""

    model_config = _example({"id": "next_visit", "do": "repeat", "to": "visit", "times": 5})

    do: Literal["repeat"]
    to: Identifier = Field(description="Where to go back to.")
    times: int = Field(ge=1, le=10000, description="How often in all.")


class Cancel(Step):
    """End the other threads of the case that began at a step (or all others)."""

    model_config = _example({"id": "no_reminder", "do": "cancel", "thread": "reminder"})

    do: Literal["cancel"]
    thread: Identifier | None = Field(
        default=None, description="The step at which they began; none: all others."
    )


class Reach(Step):
    """Mark a named point of the pathway."""

    model_config = _example({"id": "care", "do": "milestone", "name": "care_started"})

    do: Literal["milestone"]
    name: MilestoneName = Field(description="Which point.")


class Shared(Step):
    """Go one of two ways by whether all these services are on the platform at that instant."""

    model_config = _example(
        {
            "id": "one_list",
            "do": "shared",
            "services": ["gp_office", "home_nursing"],
            "yes": "finished",
            "no": "send_list",
        }
    )

    do: Literal["shared"]
    services: tuple[ServiceRef, ...] = Field(min_length=1, max_length=4, description="Which services.")
    yes: Identifier = Field(description="Where to go if all are on it.")
    no: Identifier = Field(description="Where to go if not.")


class End(Step):
    """End this thread."""

    model_config = _example({"id": "finished", "do": "end"})

    do: Literal["end"]


AnyStep = Annotated[
    Send
    | Work
    | Place
    | Wait
    | Branch
    | Fork
    | Join
    | Set
    | Copy
    | Compare
    | Repeat
    | Cancel
    | Reach
    | Shared
    | End,
    Field(discriminator="do"),
]

#: The step classes by the name of their kind.
STEP_CLASSES: dict[str, type[Step]] = {
    "send": Send, "work": Work, "place": Place, "wait": Wait, "branch": Branch, "fork": Fork, "join": Join,
    "set": Set, "copy": Copy, "compare": Compare, "repeat": Repeat, "cancel": Cancel, "milestone": Reach,
    "shared": Shared, "end": End,
}  # fmt: skip


class PathwayFile(Model):
    """A pathway: one kind of case, from its start to its end."""

    id: Identifier = Field(description="The pathway's name; the key of its random draws.")
    label: str = Field(description="What people read.")
    basis: Basis = Field(description="Where the numbers come from.")
    background: bool = Field(default=False, description="Runs as load for others; said in the output.")
    scale: float = Field(default=1.0, gt=0, description="1 is full size; 0.1 simulates one case in ten.")
    starts: Starts = Field(description="Where and how often.")
    targets: dict[UrgencyName, Target] = Field(default_factory=dict, description="Start of care, by urgency.")
    withdrawal: Withdrawal | None = Field(default=None, description="Who gives up.")
    steps: tuple[AnyStep, ...] = Field(min_length=1, description="What happens, in order.")

    @model_validator(mode="after")
    def _names(self) -> PathwayFile:
        ids = [s.id for s in self.steps]
        double = sorted({i for i in ids if ids.count(i) > 1})
        if double:
            raise ValueError(f"two steps are called {', '.join(double)}")
        for step in self.steps:
            for target in step_targets(step):
                if target not in ids:
                    near = nearest(target, ids)
                    hint = f" Did you mean '{near}'?" if near else f" Steps: {', '.join(ids)}"
                    raise ValueError(f"step '{step.id}' goes to '{target}', which is no step here.{hint}")
        if self.targets:
            missing = sorted(set(self.starts.urgency) - set(self.targets))
            if missing:
                raise ValueError(f"has targets, but none for urgency {', '.join(missing)}")
        return self


def step_targets(step: Step) -> list[str]:
    """Return the ids of all steps that a step can lead to by name."""
    out = [step.next] if step.next else []
    for name in ("impatient", "turned_away", "to", "equal", "different", "thread", "yes", "no"):
        value = getattr(step, name, None)
        if isinstance(value, str) and not (name == "to" and isinstance(step, Send)):
            out.append(value)
    if isinstance(step, Fork):
        out.extend(step.branches)
    if isinstance(step, Branch):
        out.extend(c.go for c in step.choices)
    return out
