"""Who starts, where and how often; and which service a pathway's words mean for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.config.pathway_file import PathwayFile
from flowsim.errors import Fault, FaultsInFile
from flowsim.plan.layout import (
    ARRIVALS_AT_OPENING,
    ARRIVALS_AT_START,
    ARRIVALS_HOURLY,
    ARRIVALS_PROFILE,
    ARRIVALS_TIMES,
    COPIES,
    FAMILY,
    PRACTICE,
    PRIORITY_URGENCY,
    ROLE_ORIGIN,
)
from flowsim.plan.services import Builder
from flowsim.plan.steps import NEVER_REACHED, Steps, empty_step, place_code, urgency_shares
from flowsim.topology import Region, ServiceNode, stable_hash
from flowsim.topology.load import cases_at_opening, cases_per_week
from flowsim.vocabulary import StepKind

#: The pathway of those who wait for a place when the run starts.
FILLER = "waiting_at_start"


@dataclass
class Families:
    """All families (pathway × origin) while they are laid out."""

    build: Builder
    steps: Steps
    rows: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    area: list[float] = field(default_factory=list)
    arrival: list[float] = field(default_factory=list)
    practice_weight: list[float] = field(default_factory=list)
    practice_index: list[int] = field(default_factory=list)

    def add(self, pathway: PathwayFile, number: int) -> None:
        """Add a family for each origin of a pathway."""
        region = self.build.region
        if not region.candidates(pathway.starts.at):
            message = f"pathway '{pathway.id}' starts at '{pathway.starts.at}', which no organisation has"
            raise FaultsInFile([Fault(pathway.id, None, "starts.at", message)])
        area_first, areas = self._areas(pathway)
        weekly = cases_per_week(region, pathway)
        first, last_two = self.steps.first[pathway.id], urgency_shares(pathway)
        drawn: dict[tuple[int, ...], tuple[int, int]] = {}
        opening = cases_at_opening(region, pathway)
        for origin in region.candidates(pathway.starts.at):
            name = f"{pathway.id}/{region.services[origin].key}"
            rows = [self._new(name)]
            self._arrivals(rows[0], pathway, weekly[origin])
            if opening.get(origin, 0.0) > 0.0:
                rows.append(self._new(f"{name}/opening"))
                rows[1]["mode"] = ARRIVALS_AT_OPENING
                rows[1]["count"] = _whole(opening[origin], f"{self.build.design.seed}/{name}")
            for row in rows:
                row["step"], row["pathway"], row["origin"] = first, number, origin
                row["urgency_0"], row["urgency_1"], row["urgency_2"] = last_two
                row["area_first"], row["area_count"] = area_first, areas
                row["practice"] = region.services[origin].practice
                if pathway.withdrawal is not None:
                    row["withdrawal_chance"] = pathway.withdrawal.chance
                    row["withdrawal"] = self.build.distribution(pathway.withdrawal.after)
                if row["practice"] < 0:
                    served = _practices_of(region, region.services[origin])
                    if served not in drawn:
                        drawn[served] = self._practices(served)
                    row["practice_first"], row["practice_count"] = drawn[served]

    def practices(self) -> NDArray[Any]:
        """Return PRACTICE records: each practice's inbox, and where its patients may change to.

        Those of the same municipality, by listed patients; a practice alone there has none.
        """
        practices = self.build.region.practices
        out = np.zeros(max(1, len(practices)), PRACTICE)
        out["service"] = self.build.region.patients
        for row, practice in zip(out, practices, strict=False):
            others = tuple(
                p.index
                for p in practices
                if p.municipality == practice.municipality and p.index != practice.index
            )
            row["service"] = practice.service
            if others:
                row["peer"], row["peers"] = self._practices(others)
        return out

    def add_fillers(self, number: int) -> None:
        """Add those who wait for places at the start: one step each, at the lowest priority."""
        region = self.build.region
        for service in region.services:
            if not service.waiting_at_start:
                continue
            row = self._new(f"{FILLER}/{service.key}")
            row["step"], row["pathway"], row["origin"] = len(self.steps.rows), number, service.index
            row["urgency_0"] = row["urgency_1"] = row["urgency_2"] = 0.0
            row["practice"] = 0
            row["mode"], row["count"] = ARRIVALS_AT_START, service.waiting_at_start
            self._filler_step(number, service)

    def _filler_step(self, number: int, service: ServiceNode) -> None:
        """Lay out the one step of a filler: the place, held as long as a pathway holds it."""
        row = empty_step(StepKind.place, place_code(service.key), number)
        row["role"] = ROLE_ORIGIN
        row["priority"] = PRIORITY_URGENCY
        row["hold"] = self._hold(service)
        self.steps.rows.append(row)
        self.steps.names.append((FILLER, None))
        self.steps.copy_role.extend([-1] * COPIES)

    def _hold(self, service: ServiceNode) -> int:
        """Return how long the first pathway that uses a service's places holds them; -1: no time."""
        for (pathway, _), row in zip(self.steps.names, self.steps.rows, strict=True):
            if row["kind"] != int(StepKind.place) or row["role"] < 0 or pathway == FILLER:
                continue
            ref = self.steps.roles[int(row["role"])][1]
            if service.index in self.build.region.candidates(ref) and (held := self._held(row)) >= 0:
                return held
        return -1

    def _held(self, row: Any) -> int:
        """Return the hold of a place: its own, or the first wait that follows before the next place."""
        hold, following = int(row["hold"]), int(row["next"])
        for _ in self.steps.rows:
            if hold >= 0 or following < 0:
                return hold
            row = self.steps.rows[following]
            if row["kind"] == int(StepKind.wait):
                hold = int(row["minutes"])
            following = -1 if row["kind"] == int(StepKind.place) else int(row["next"])
        return hold

    def _new(self, name: str) -> Any:
        """Return a fresh family; its hash is the first word of its draws' addresses."""
        row = np.zeros((), FAMILY)
        row["hash"] = stable_hash(name) & 0x7FFFFFFF
        row["practice"] = row["withdrawal"] = -1
        row["profile"] = self.build.profile(None)
        for other, known in zip(self.names, self.rows, strict=True):
            if known["hash"] == row["hash"]:
                message = f"'{other}' and '{name}' would share their random draws"
                raise FaultsInFile([Fault(name, None, "", message, "Rename one of them.")])
        self.rows.append(row)
        self.names.append(name)
        return row

    def _arrivals(self, row: Any, pathway: PathwayFile, weekly: float) -> None:
        """Write how often a family's cases start."""
        arrivals = pathway.starts.arrivals
        row["first"] = len(self.arrival)
        if arrivals.times:
            row["mode"], row["count"] = ARRIVALS_TIMES, len(arrivals.times)
            self.arrival.extend(sorted(t.hours for t in arrivals.times))
        elif arrivals.hourly:
            row["mode"], row["count"] = ARRIVALS_HOURLY, len(arrivals.hourly)
            self.arrival.extend(rate * pathway.scale for rate in arrivals.hourly)
        else:
            row["mode"], row["per_day"] = ARRIVALS_PROFILE, weekly / 7.0
            row["profile"] = self.build.profile(arrivals.profile)

    def _areas(self, pathway: PathwayFile) -> tuple[int, int]:
        """Add a pathway's cumulative weights of clinical areas."""
        first = len(self.area)
        weights = np.array(list(pathway.starts.areas.values()) or [1.0])
        self.area.extend([float(c) for c in np.cumsum(weights / weights.sum())[:-1]] + [NEVER_REACHED])
        return first, len(weights)

    def _practices(self, served: tuple[int, ...]) -> tuple[int, int]:
        """Add the cumulative weights of practices by listed patients."""
        practices = self.build.region.practices
        first = len(self.practice_weight)
        if not served:
            self.practice_weight.append(NEVER_REACHED)
            self.practice_index.append(0)
            return first, 1
        weights = np.array([practices[p].patients for p in served], float)
        cumulative = [float(c) for c in np.cumsum(weights / weights.sum())[:-1]]
        self.practice_weight.extend([*cumulative, NEVER_REACHED])
        self.practice_index.extend(served)
        return first, len(served)


def _whole(number: float, key: str) -> int:
    """Return a mean number as a whole one, rounded up with the chance of its fraction, by a key."""
    return int(number + stable_hash(key) / 2.0**64)


def _practices_of(region: Region, origin: ServiceNode) -> tuple[int, ...]:
    """Return the practices whose patients an organisation serves, all where it names none."""
    return tuple(p.index for p in region.practices if region.serves(origin, p.municipality))


def role_table(
    build: Builder, steps: Steps, pathways: list[PathwayFile]
) -> tuple[NDArray[np.int64], int, int]:
    """Return the service of each role × practice × area, flat, with the numbers of practices and areas.

    A word that means nobody for some patients leads to the dead endpoint: the message is lost there and
    a check has warned of it.
    """
    region = build.region
    by_id = {p.id: p for p in pathways}
    areas = max([1, *(len(p.starts.areas) for p in pathways)])
    practices = max(1, len(region.practices))
    table = np.full((max(1, len(steps.roles)), practices, areas), region.dead_endpoint, np.int64)
    for r, (pathway, ref) in enumerate(steps.roles):
        names: list[str | None] = [*by_id[pathway].starts.areas] or [None]
        for p in range(practices):
            for a, area in enumerate(names):
                found = region.resolve(ref, p if region.practices else -1, area, -1)
                if found is not None:
                    table[r, p, a] = found
    return table.ravel(), practices, areas
