"""What runs: every scenario and its twins, each replication a job with a hash of all that it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import flowsim
from flowsim.config.compose import DesignPoint, Study
from flowsim.config.experiment_file import Design
from flowsim.config.twins import design_key, ideal_twin, same_adoption_twin
from flowsim.errors import UsageError, did_you_mean

#: Packages and modules whose change changes no run's results.
_AFTER_THE_RUN: Final = frozenset(
    [
        "charts",
        "cli",
        "cli_detectability",
        "cli_export",
        "economics",
        "experiment",
        "exports",
        "labels",
        "monitor",
        "observe",
        "report",
        "runner",
        "statistics",
        "truth",
    ]
)
#: Modules of this package that a run with a monitor rests on.
_OF_THE_LOOP: Final = ("in_loop", "logs", "rules", "watching")


class Kind(StrEnum):
    """What a job simulates."""

    ideal = "ideal"
    same_adoption = "same_adoption"
    scenario = "scenario"


@dataclass(frozen=True)
class Job:
    """One replication of one design: the smallest thing that is run, kept and done again.

    ``needs`` are the hashes of the twins' jobs whose times this one reads (ideal, same adoption).
    """

    kind: Kind
    label: str
    replication: int
    design_key: str
    design: Design = field(repr=False, compare=False)
    keep: str
    hash: str
    needs: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the job as a person names it."""
        return f"{self.label}, replication {self.replication}"


@dataclass(frozen=True)
class Program:
    """Which program makes the results: its version, its compiled kernel, and its code up to the measures."""

    version: str
    kernel: str
    code: str


_ROOT: Final = Path(flowsim.__file__).parent


@cache
def code_hash(without: frozenset[str] = _AFTER_THE_RUN) -> str:
    """Return 16 hexadecimal digits over the source of all modules that results rest on.

    Charts, reports and the command line are left out: changing them leaves runs valid. Other results than
    a run's rest on more, and leave out others (``without``: packages and modules by name).
    """
    files = _ROOT.rglob("*.py")
    return _digest(f for f in files if f.relative_to(_ROOT).parts[0].removesuffix(".py") not in without)


@cache
def monitor_code_hash() -> str:
    """Return the same over what a run rests on besides, where a monitor watches."""
    loop = [_ROOT / "experiment" / f"{name}.py" for name in _OF_THE_LOOP]
    return _digest([*(_ROOT / "monitor").glob("*.py"), *(_ROOT / "observe").glob("*.py"), *loop])


def _digest(files: Iterable[Path]) -> str:
    """Return 16 hexadecimal digits over the names and bytes of source files."""
    digest = blake2b(digest_size=8)
    for file in sorted(files):
        digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


class Campaign:
    """The jobs of a study: its scenarios (or some of them) and their twins, by replication."""

    def __init__(self, study: Study, program: Program, only: Sequence[str] = ()) -> None:
        """Take the study, the program that runs it, and the scenarios to run; none: all.

        Raises ``UsageError`` for a name or pattern that no scenario has.
        """
        self.study = study
        self.program = program
        self.points = chosen(study.designs(), only)
        self._keys: dict[int, tuple[str, str, str]] = {}
        self._twins: dict[str, tuple[Kind, Design]] = {}
        for index, point in enumerate(self.points):
            self._keys[index] = self._prepare(point.design)

    def jobs(self, replication: int) -> list[Job]:
        """Return one replication's jobs, twins first; replications count from 1."""
        twins = {
            key: self._job(kind, design.scenario, replication, key, design)
            for key, (kind, design) in self._twins.items()
        }
        return [*twins.values(), *self._scenarios(replication, twins)]

    def scenario_jobs(self, replication: int) -> list[Job]:
        """Return one replication's jobs without the twins, in the order of the scenarios."""
        return [job for job in self.jobs(replication) if job.kind == Kind.scenario]

    def _prepare(self, design: Design) -> tuple[str, str, str]:
        """Return the keys of a design and its twins (empty where no pathway leads to care)."""
        if not any(pathway.targets for pathway in design.pathways.values()):
            return design_key(design), "", ""
        keys = []
        for kind, twin in (
            (Kind.ideal, ideal_twin(design)),
            (Kind.same_adoption, same_adoption_twin(design)),
        ):
            key = design_key(twin)
            self._twins.setdefault(key, (kind, twin))
            keys.append(key)
        return design_key(design), keys[0], keys[1]

    def _scenarios(self, replication: int, twins: dict[str, Job]) -> Iterator[Job]:
        for index, point in enumerate(self.points):
            key, *of_twins = self._keys[index]
            needs = tuple(twins[twin].hash for twin in of_twins if twin)
            yield self._job(Kind.scenario, point.name, replication, key, point.design, needs)

    def _job(
        self,
        kind: Kind,
        label: str,
        replication: int,
        key: str,
        design: Design,
        needs: tuple[str, ...] = (),
    ) -> Job:
        keep = self.study.experiment.keep if kind == Kind.scenario else "times"
        program = [self.program.version, self.program.kernel, self.program.code]
        if design.is_watched:
            program.append(monitor_code_hash())
        text = json.dumps([kind, key, replication, keep, needs, *program])
        name = blake2b(text.encode(), digest_size=10).hexdigest()
        return Job(kind, label, replication, key, design, keep, name, needs)


def chosen(points: Sequence[DesignPoint], only: Sequence[str]) -> list[DesignPoint]:
    """Return the points whose names are given, or match a pattern such as ``*rates=equal``; none: all.

    Raises ``UsageError`` for a name or pattern that no scenario has.
    """
    if not only:
        return list(points)
    names = [point.name for point in points]
    for wanted in only:
        if not any(_is_meant(name, wanted) for name in names):
            raise UsageError(f"No scenario is called '{wanted}'.", did_you_mean(wanted, names))
    return [point for point in points if any(_is_meant(point.name, wanted) for wanted in only)]


def _is_meant(name: str, wanted: str) -> bool:
    return name == wanted or fnmatchcase(name, wanted)
