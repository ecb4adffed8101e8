"""Pathways as the kernel reads them: steps, roles, branches, and who can walk them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.pathway_file import (
    AnyStep,
    Branch,
    Cancel,
    Compare,
    Copy,
    Fork,
    Join,
    PathwayFile,
    Place,
    Reach,
    Repeat,
    Send,
    Set,
    Shared,
    Wait,
    Work,
)
from flowsim.errors import Fault, FaultsInFile
from flowsim.plan.layout import (
    COPIES,
    PRIORITY_FIRST,
    PRIORITY_LAST,
    PRIORITY_NONE,
    PRIORITY_URGENCY,
    REGISTERS,
    ROLE_ORIGIN,
    ROLE_PRACTICE,
    STEP,
    URGENCIES,
)
from flowsim.plan.services import Builder
from flowsim.topology import stable_hash
from flowsim.units import Duration
from flowsim.vocabulary import MessageKind, Milestone, StepKind, Urgency

_PRIORITY = {
    "none": PRIORITY_NONE,
    "urgency": PRIORITY_URGENCY,
    "first": PRIORITY_FIRST,
    "last": PRIORITY_LAST,
}
#: A working day in hours of the clock, for alarms only; results count working days exactly.
ALARM_HOURS_PER_WORKING_DAY = 24.0 * 7.0 / 5.0
#: Above every uniform: nothing behind it is ever chosen.
NEVER_REACHED = 2.0


@dataclass
class Steps:
    """The steps of all pathways while they are laid out."""

    build: Builder
    rows: list[Any] = field(default_factory=list)
    names: list[tuple[str, AnyStep | None]] = field(default_factory=list)
    copy_role: list[int] = field(default_factory=list)
    choice: list[float] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    roles: list[tuple[str, str]] = field(default_factory=list)
    templates: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def role(self, pathway: str, ref: str) -> int:
        """Return the number of a service name in a pathway."""
        if ref == "origin":
            return ROLE_ORIGIN
        if ref == "gp_office":
            return ROLE_PRACTICE
        if (pathway, ref) not in self.roles:
            self.roles.append((pathway, ref))
        return self.roles.index((pathway, ref))

    def add(self, pathway: PathwayFile, number: int) -> None:
        """Lay out the steps of a pathway; they refer to each other by place in the whole list."""
        base = len(self.rows)
        self.first[pathway.id] = base
        places = _places(pathway)
        index = {step.id: base + i for i, step in enumerate(pathway.steps)}
        registers = _registers(pathway)
        for i, step in enumerate(pathway.steps):
            row = empty_step(StepKind[step.do], places[step.id], number)
            row["next"] = base + i + 1 if i + 1 < len(pathway.steps) else -1
            if step.next is not None:
                row["next"] = index[step.next]
            self.copy_role.extend([-1] * COPIES)
            self.rows.append(row)
            self.names.append((pathway.id, step))
            self._fill(row, pathway.id, step, index, registers)

    def _fill(
        self, row: Any, pathway: str, step: AnyStep, index: dict[str, int], registers: dict[str, int]
    ) -> None:
        """Write what a kind of step has of its own."""
        build = self.build
        if isinstance(step, Send):
            self._fill_send(row, pathway, step)
        elif isinstance(step, Work | Place):
            self._fill_list(row, pathway, step, index)
        elif isinstance(step, Wait):
            row["minutes"] = build.distribution(step.time)
            row["calendar"] = build.calendar(step.calendar, f"{pathway}/{step.id}") if step.calendar else -1
        elif isinstance(step, Branch):
            self._fill_branch(row, step, index)
        elif isinstance(step, Fork):
            row["first"], row["count"] = len(self.target), len(step.branches)
            self.target.extend(index[b] for b in step.branches)
        elif isinstance(step, Shared):
            row["yes"], row["no"] = index[step.yes], index[step.no]
            self._fill_roles(row, pathway, step.services)
        elif isinstance(step, Cancel):
            row["value"] = index[step.thread] if step.thread else -1
        elif isinstance(step, Reach):
            row["milestone"] = int(Milestone[step.name])
        else:
            _fill_registers(row, step, index, registers)

    def _fill_list(self, row: Any, pathway: str, step: Work | Place, index: dict[str, int]) -> None:
        """Write whose list or place it is, and how long one waits and stays."""
        build = self.build
        row["role"] = self.role(pathway, step.service)
        row["priority"] = _PRIORITY[step.priority]
        row["patience"] = build.distribution(step.patience)
        row["impatient"] = index[step.impatient] if step.impatient else -1
        if isinstance(step, Work):
            row["minutes"] = build.distribution(step.minutes)
            row["search"] = build.distribution(step.search)
        else:
            row["hold"] = build.distribution(step.hold)
            row["turned_away"] = index[step.turned_away] if step.turned_away else -1

    def _fill_send(self, row: Any, pathway: str, step: Send) -> None:
        """Write who sends what to whom."""
        row["role"] = self.role(pathway, step.to)
        row["sender"] = self.role(pathway, step.sender)
        row["message"] = int(MessageKind[step.message])
        row["template"] = self.templates.setdefault(step.template, len(self.templates))
        row["waits"] = int(step.waits)
        row["reading"] = self.build.distribution(step.reading)
        self._fill_roles(row, pathway, step.copies)
        if step.deadline is not None and step.deadline.alarm:
            row["alarm"] = alarm_hours(step.deadline.within)

    def _fill_roles(self, row: Any, pathway: str, refs: tuple[str, ...]) -> None:
        """Write the further services that a step names: copy recipients, or those asked about."""
        row["copies"] = len(refs)
        at = COPIES * (len(self.rows) - 1)
        for k, ref in enumerate(refs):
            self.copy_role[at + k] = self.role(pathway, ref)

    def _fill_branch(self, row: Any, step: Branch, index: dict[str, int]) -> None:
        """Write a branch's cumulative shares for each urgency, all of the same length."""
        first = max(len(self.choice), len(self.target))
        row["first"], row["count"] = first, len(step.choices)
        # Shares and targets of a branch stand at the same places.
        self.choice.extend([0.0] * (first - len(self.choice)))
        self.target.extend([-1] * (first - len(self.target)))
        for urgency in Urgency:
            own = [c.share if urgency.name in c.urgency else 0.0 for c in step.choices]
            shares = own if any(own) else [c.share if not c.urgency else 0.0 for c in step.choices]
            cumulative = np.cumsum(shares)
            last = max(i for i, share in enumerate(shares) if share > 0.0)
            cumulative[last:] = NEVER_REACHED
            self.choice.extend(float(c) for c in cumulative)
            self.target.extend(index[c.go] for c in step.choices)

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Return STEP records, roles of copies, cumulative shares and targets."""
        padded = [*self.choice, *[0.0] * (len(self.target) - len(self.choice))]
        return (
            np.array(self.rows, STEP),
            np.array(self.copy_role or [-1], np.int64),
            np.array(padded or [0.0], np.float64),
            np.array(self.target or [-1], np.int64),
        )


def empty_step(kind: StepKind, place: int, pathway: int) -> Any:
    """Return a STEP record of a kind in which everything else is none."""
    row = np.zeros((), STEP)
    for name in ("next", "role", "sender", "reading", "minutes", "search", "patience", "impatient",
                 "hold", "turned_away", "calendar", "yes", "no", "value"):  # fmt: skip
        row[name] = -1
    row["kind"], row["place"], row["pathway"], row["alarm"] = int(kind), place, pathway, -1.0
    return row


def place_code(name: str) -> int:
    """Return the 24-bit code that a name always gives, never 0: part of a draw's address."""
    return (stable_hash(name) & 0xFFFFFF) or 1


def _fill_registers(row: Any, step: AnyStep, index: dict[str, int], registers: dict[str, int]) -> None:
    """Write what a step does with the case's registers."""
    if isinstance(step, Join):
        row["register_a"], row["value"] = registers[f"join {step.id}"], step.threads
    elif isinstance(step, Set):
        row["register_a"], row["value"], row["flag"] = registers[step.into], step.value, int(step.add)
    elif isinstance(step, Copy):
        row["register_a"], row["register_b"] = registers[step.source], registers[step.target]
    elif isinstance(step, Compare):
        row["register_a"], row["register_b"] = registers[step.first], registers[step.second]
        row["yes"], row["no"] = index[step.equal], index[step.different]
    elif isinstance(step, Repeat):
        row["register_a"], row["value"] = registers[f"repeat {step.id}"], step.times
        row["yes"] = index[step.to]


def alarm_hours(within: Duration) -> float:
    """Return a limit in hours of the clock; a working day counts as 33.6 h (a week has five)."""
    return within.hours + within.working_days * ALARM_HOURS_PER_WORKING_DAY


def _places(pathway: PathwayFile) -> dict[str, int]:
    """Return the 24-bit code of each step, from its id alone; ValueError where two agree."""
    out: dict[str, int] = {}
    for step in pathway.steps:
        code = place_code(step.id)
        for other, known in out.items():
            if known == code:
                message = f"steps '{other}' and '{step.id}' of '{pathway.id}' would share their random draws"
                raise FaultsInFile([Fault(pathway.id, None, "steps", message, "Rename one of them.")])
        out[step.id] = code
    return out


def _registers(pathway: PathwayFile) -> dict[str, int]:
    """Return the number of each register: those named, and one for each join and repeat."""
    names: dict[str, int] = {}
    for step in pathway.steps:
        if isinstance(step, Set):
            names.setdefault(step.into, len(names))
        elif isinstance(step, Copy):
            names.setdefault(step.source, len(names))
            names.setdefault(step.target, len(names))
        elif isinstance(step, Compare):
            names.setdefault(step.first, len(names))
            names.setdefault(step.second, len(names))
        elif isinstance(step, Join):
            names.setdefault(f"join {step.id}", len(names))
        elif isinstance(step, Repeat):
            names.setdefault(f"repeat {step.id}", len(names))
    if len(names) > REGISTERS:
        message = (
            f"pathway '{pathway.id}' needs {len(names)} registers (joins and repeats count); "
            f"there are {REGISTERS}"
        )
        raise FaultsInFile([Fault(pathway.id, None, "steps", message, "Split the pathway.")])
    return names


def urgency_shares(pathway: PathwayFile) -> tuple[float, ...]:
    """Return the cumulative shares of the urgencies but the last."""
    shares = [pathway.starts.urgency.get(u.name, 0.0) for u in Urgency]  # type: ignore[call-overload]
    cumulative = np.cumsum(shares)
    last = max(i for i, share in enumerate(shares) if share > 0.0)
    cumulative[last:] = NEVER_REACHED
    return tuple(float(c) for c in cumulative[: URGENCIES - 1])
