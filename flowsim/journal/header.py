"""What the analysis must know about a run besides its rows: a plain, JSON-serialisable header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Limit:
    """A length of time, in hours or in working days; exactly one of the two is given."""

    hours: float | None = None
    working_days: float | None = None

    def __post_init__(self) -> None:
        if (self.hours is None) == (self.working_days is None):
            raise ValueError("a limit has either hours or working_days")


@dataclass(frozen=True)
class StepDeadline:
    """The deadline of a send step: ``within`` counts from one instant (``counts_from``) to another (``to``).

    ``counts_from`` is created, authored or received; ``to`` is sent, received, seen or done.
    """

    within: Limit
    counts_from: str
    to: str

    def __post_init__(self) -> None:
        if self.counts_from not in ("created", "authored", "received"):
            raise ValueError(f"a deadline cannot count from {self.counts_from!r}")
        if self.to not in ("sent", "received", "seen", "done"):
            raise ValueError(f"a deadline cannot wait for {self.to!r}")


@dataclass(frozen=True)
class Service:
    """A service or relay, at the place in the list that is its code in the journal."""

    id: str
    label: str
    kind: str
    party: int
    organisation: str
    practice: bool = False


@dataclass(frozen=True)
class Pathway:
    """A pathway with its targets and its thresholds of a delayed start, by name of urgency.

    A pathway without targets has no start of care. A waiting filler only fills waiting lists at the
    start of a run and is left out of all results.
    """

    id: str
    label: str
    targets: Mapping[str, Limit]
    delayed_after: Mapping[str, Limit]
    waiting_filler: bool = False


@dataclass(frozen=True)
class Step:
    """A step of a pathway, at the place in the list that is its code in the journal.

    ``deadline`` is for the main recipient, ``copy_deadline`` for the copies.
    """

    id: str
    pathway: int
    kind: str
    message: int = 0
    milestone: int = 0
    deadline: StepDeadline | None = None
    copy_deadline: StepDeadline | None = None


@dataclass(frozen=True)
class Defect:
    """A defect that the run can have, at the place in the list that is its code in the journal.

    ``fault`` is its class; ``happened_days`` is after how many days it was found in reality.
    """

    id: str
    kind: str
    fault: int
    organisation: str
    latent: bool
    begins_hours: float
    happened_days: int | None = None


@dataclass(frozen=True)
class RunHeader:
    """What the analysis must know about a run besides its rows: times, services, pathways and steps.

    Times are hours from ``start`` (an ISO date). ``inhabitants`` is what rates per 100,000 divide by,
    ``chase_hours`` what bringing in one missing item takes, ``consultation_hours`` what a GP's takes;
    ``monitor`` says whether one watches.
    """

    start: str
    warm_up_hours: float
    observe_hours: float
    follow_up_hours: float
    end_hours: float
    holidays: tuple[str, ...]
    inhabitants: float
    services: tuple[Service, ...]
    pathways: tuple[Pathway, ...]
    steps: tuple[Step, ...]
    defects: tuple[Defect, ...] = ()
    escalation_levels: int = 0
    chase_hours: float = 0.0
    consultation_hours: float = 1.0 / 3.0
    monitor: bool = False

    @property
    def start_date(self) -> date:
        """Return the date at which the run's hour 0 lies."""
        return date.fromisoformat(self.start)

    @property
    def holiday_dates(self) -> list[date]:
        """Return the public holidays as dates."""
        return [date.fromisoformat(day) for day in self.holidays]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunHeader:
        """Build a header from plain data, as ``to_dict`` gives it; KeyError where a field is missing."""
        return cls(
            start=str(data["start"]),
            warm_up_hours=float(data["warm_up_hours"]),
            observe_hours=float(data["observe_hours"]),
            follow_up_hours=float(data["follow_up_hours"]),
            end_hours=float(data["end_hours"]),
            holidays=tuple(str(day) for day in data["holidays"]),
            inhabitants=float(data["inhabitants"]),
            services=tuple(_service(item) for item in data["services"]),
            pathways=tuple(_pathway(item) for item in data["pathways"]),
            steps=tuple(_step(item) for item in data["steps"]),
            defects=tuple(Defect(**item) for item in data.get("defects", ())),
            escalation_levels=int(data.get("escalation_levels", 0)),
            chase_hours=float(data.get("chase_hours", 0.0)),
            consultation_hours=float(data.get("consultation_hours", 1.0 / 3.0)),
            monitor=bool(data.get("monitor", False)),
        )

    @classmethod
    def from_json(cls, text: str) -> RunHeader:
        """Build a header from the JSON text that ``to_json`` gives."""
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain data (lists, dicts, numbers and text)."""
        data = asdict(self)
        data["pathways"] = [_pathway_dict(p) for p in self.pathways]
        data["steps"] = [
            {
                **asdict(s),
                "deadline": _deadline_dict(s.deadline),
                "copy_deadline": _deadline_dict(s.copy_deadline),
            }
            for s in self.steps
        ]
        return data

    def to_json(self) -> str:
        """Return the header as JSON text; equal headers give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _limit(data: Mapping[str, Any]) -> Limit:
    hours, days = data.get("hours"), data.get("working_days")
    return Limit(None if hours is None else float(hours), None if days is None else float(days))


def _limit_dict(limit: Limit) -> dict[str, float]:
    if limit.hours is not None:
        return {"hours": limit.hours}
    return {"working_days": limit.working_days or 0}


def _service(data: Mapping[str, Any]) -> Service:
    return Service(
        id=str(data["id"]),
        label=str(data["label"]),
        kind=str(data["kind"]),
        party=int(data["party"]),
        organisation=str(data["organisation"]),
        practice=bool(data.get("practice", False)),
    )


def _pathway(data: Mapping[str, Any]) -> Pathway:
    return Pathway(
        id=str(data["id"]),
        label=str(data["label"]),
        targets={str(k): _limit(v) for k, v in data["targets"].items()},
        delayed_after={str(k): _limit(v) for k, v in data["delayed_after"].items()},
        waiting_filler=bool(data.get("waiting_filler", False)),
    )


def _pathway_dict(pathway: Pathway) -> dict[str, Any]:
    return {
        "id": pathway.id,
        "label": pathway.label,
        "targets": {k: _limit_dict(v) for k, v in pathway.targets.items()},
        "delayed_after": {k: _limit_dict(v) for k, v in pathway.delayed_after.items()},
        "waiting_filler": pathway.waiting_filler,
    }


def _step(data: Mapping[str, Any]) -> Step:
    return Step(
        id=str(data["id"]),
        pathway=int(data["pathway"]),
        kind=str(data["kind"]),
        message=int(data.get("message", 0)),
        milestone=int(data.get("milestone", 0)),
        deadline=_deadline(data.get("deadline")),
        copy_deadline=_deadline(data.get("copy_deadline")),
    )


def _deadline(data: Mapping[str, Any] | None) -> StepDeadline | None:
    return None if data is None else StepDeadline(_limit(data), str(data["from"]), str(data["to"]))


def _deadline_dict(deadline: StepDeadline | None) -> dict[str, Any] | None:
    if deadline is None:
        return None
    return {**_limit_dict(deadline.within), "from": deadline.counts_from, "to": deadline.to}
