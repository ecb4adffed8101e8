"""One run watched by several monitors at once: the same flow, seen through different logs.

journal ─┬─► truth
         ├─► observations of perfect logs   ─► an engine for each set of sources
         └─► observations of imperfect logs ─► an engine for each set of sources

Nobody acts on the alerts, so that they can be scored against what happens without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim import simulation
from flowsim.catalogue import catalogue_path
from flowsim.config.experiment_file import Design
from flowsim.config.loading import load
from flowsim.config.logs_file import LogsFile
from flowsim.config.rules_file import MonitorFile
from flowsim.errors import UsageError, did_you_mean
from flowsim.experiment.logs import catalogue_logs, logs_of, source_settings
from flowsim.experiment.rules import RuleOff, resolve_rules
from flowsim.journal import Block, RunHeader
from flowsim.monitor.due import due_times
from flowsim.monitor.engine import Engine
from flowsim.monitor.rules import Rule
from flowsim.monitor.score import Exposure, Score, Truth, score
from flowsim.observe import ObservationFold
from flowsim.observe.directory import Directory
from flowsim.observe.naming import directory_of
from flowsim.plan import build_plan
from flowsim.plan.smallest import smallest_plan
from flowsim.topology import build, joining_order, practices_at
from flowsim.truth import TruthFold
from flowsim.units import HOURS_PER_DAY, HOURS_PER_WEEK, WorkingDays
from flowsim.vocabulary import JOURNAL_SCHEMA, Event, Party, Source, case_keys

_RECEIPTS: Final = frozenset([Source.sent_log, Source.transport_receipts, Source.application_receipts])
_LISTS: Final = _RECEIPTS | {Source.received_log, Source.handling, Source.list_snapshots}
_ORDERS: Final = _LISTS | {Source.orders}
_DENOMINATORS: Final = _ORDERS | {Source.activity, Source.care_starts}
#: What an owner can be asked for, each with all that stands before it.
SOURCE_SETS: Final[dict[str, frozenset[Source]]] = {
    "receipts_only": _RECEIPTS,
    "and_lists": _LISTS,
    "and_orders": _ORDERS,
    "and_denominators": _DENOMINATORS,
    "all": _DENOMINATORS | {Source.notices},
}
#: The logs that there are: as if nothing were wrong with them, and as they come.
LOGS: Final = ("perfect", "imperfect")
#: What becomes due in the last week of a run is left out: its alert may come after the end.
SETTLE_HOURS: Final = HOURS_PER_WEEK


@dataclass(frozen=True)
class Seeing:
    """A monitor's view: which logs, by name, and which of their sources, by name of the set."""

    logs: str
    sources: str


@dataclass(frozen=True)
class Watch:
    """What one monitor said: its alerts, what they list as missing, its rules, and those that are off."""

    alerts: Block
    missing: Callable[[Any], Sequence[int]]
    rules: tuple[Rule, ...]
    off: tuple[RuleOff, ...]


@dataclass(frozen=True)
class Watched:
    """A run, its truth with ``due`` beside each fault, and what each monitor said of it."""

    truth: Truth
    exposure: Exposure
    directory: Directory
    watches: Mapping[Seeing, Watch]

    def score(self, seeing: Seeing) -> Score:
        """Return what one monitor's alerts were worth."""
        watch = self.watches[seeing]
        return score(watch.alerts, watch.missing, watch.rules, self.directory, self.truth, self.exposure)


@dataclass(frozen=True)
class Setting:
    """What watches a run: logs by name, the rules, the sets of sources, how strict, and who has joined."""

    logs: Mapping[str, LogsFile]
    rules: MonitorFile
    sets: tuple[str, ...] = tuple(SOURCE_SETS)
    strictness: float = 1.0
    joined: frozenset[int] = frozenset()


class WatchFold:
    """The fold over a journal, live or stored, that lets several monitors see it and keeps the truth."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def start(self, header: RunHeader) -> None:
        """Set up the truth and all monitors."""
        self._header = header
        self.directory = directory_of(header)
        self._truth = TruthFold()
        self._truth.start(header)
        self._deliveries = 0
        self._engines: dict[Seeing, Engine] = {}
        self._rules: dict[Seeing, tuple[tuple[Rule, ...], tuple[RuleOff, ...]]] = {}
        self._folds: list[ObservationFold] = []
        for name, file in self._setting.logs.items():
            logs = logs_of(file, self._setting.joined)
            told = source_settings(logs, self.directory)
            engines = []
            for chosen in self._setting.sets:
                sources = {s: setting for s, setting in told.items() if s in SOURCE_SETS[chosen]}
                resolved = self._resolve(sources)
                engine = Engine(
                    resolved.rules, self.directory, sources, header.start_date, header.holiday_dates
                )
                seeing = Seeing(name, chosen)
                self._engines[seeing] = engine
                self._rules[seeing] = resolved.rules, resolved.off
                engines.append(engine)
            fold = ObservationFold(logs, _to_all(engines))
            fold.start(header)
            self._folds.append(fold)

    def take(self, block: Block) -> None:
        """Let truth and monitors read one block of the journal, and the monitors sweep up to its end."""
        self._deliveries += int((block["event"] == Event.authored).sum())
        self._truth.take(block)
        for fold in self._folds:
            fold.take(block)
        if len(block):
            for engine in self._engines.values():
                engine.advance(float(block["time"][-1]))

    def finish(self) -> Watched:
        """Return what everybody said, and the truth."""
        end = self._header.end_hours
        for fold in self._folds:
            fold.finish()
        for engine in self._engines.values():
            engine.finish(end)
        watches = {
            seeing: Watch(engine.alerts, _listed(engine), *self._rules[seeing])
            for seeing, engine in self._engines.items()
        }
        return Watched(self._true(), self._exposure(), self.directory, watches)

    def _resolve(self, sources: Mapping[Source, Any]) -> Any:
        return resolve_rules(
            self._setting.rules, self.directory, frozenset(sources), self._setting.strictness
        )

    def _days(self) -> WorkingDays:
        days = int(np.ceil(self._header.end_hours / HOURS_PER_DAY)) + 1
        return WorkingDays(self._header.start_date, days, self._header.holiday_dates)

    def _true(self) -> Truth:
        """Return the truth with due times: by all rules, so that each set of sources owes the same."""
        known = self._truth.finish()
        rules = self._resolve(dict.fromkeys(Source)).rules
        due = due_times(known.items, rules, self.directory, self._days())
        subject = case_keys(known.items["case"].to_numpy(np.int64))
        return Truth(known.items.assign(due=due, subject=subject), known.episodes, known.touched)

    def _exposure(self) -> Exposure:
        header = self._header
        first, last = (int(h // HOURS_PER_DAY) for h in (header.warm_up_hours, header.end_hours))
        staffed = [
            unit
            for unit in self.directory.units
            if unit.has_address and unit.old_address_of < 0 and unit.party != Party.patient
        ]
        return Exposure(
            deliveries=self._deliveries,
            working_days=float(self._days().working[first:last].sum()),
            units=len(staffed),
            end=header.end_hours,
            begin=header.warm_up_hours,
            settle=SETTLE_HOURS,
        )


def _listed(engine: Engine) -> Callable[[Any], Sequence[int]]:
    """Return what gives the ids that an alert lists as missing."""
    return lambda alert: engine.missing(alert).tolist()


def _to_all(engines: Sequence[Engine]) -> Callable[[Block], None]:
    def give(block: Block) -> None:
        for engine in engines:
            engine.take(block)

    return give


def watch(design: Design, replication: int, setting: Setting) -> Watched:
    """Simulate one replication of a design and return what each monitor said of it."""
    plan = build_plan(design)
    fold = WatchFold(setting)
    fold.start(RunHeader.from_dict(plan.header))
    simulation.simulate(plan, replication, fold.take)
    return fold.finish()


def setting_of(
    design: Design, logs: str, rules: str, sources: Sequence[str] = (), strictness: float = 1.0
) -> Setting:
    """Return what shall watch a design: logs (both, perfect, imperfect) and rules by name or file.

    ``sources`` are names of sets; none: all. Raises ``UsageError`` with the nearest for an unknown name, and
    ``FaultsInFile`` for a file with faults.
    """
    if logs not in ("both", *LOGS):
        raise UsageError(f"There are no logs called '{logs}'.", did_you_mean(logs, ("both", *LOGS)))
    for name in sources:
        if name not in SOURCE_SETS:
            raise UsageError(f"There is no set of sources called '{name}'.", did_you_mean(name, SOURCE_SETS))
    file = Path(rules) if rules.endswith((".yaml", ".yml")) else catalogue_path("monitor", rules)
    return Setting(
        logs={name: catalogue_logs(f"logs_{name}") for name in LOGS if logs in ("both", name)},
        rules=load(file, MonitorFile),
        sets=tuple(name for name in SOURCE_SETS if not sources or name in sources),
        strictness=strictness,
        joined=joined_practices(design),
    )


def prepare(say: Callable[[str], None]) -> None:
    """Compile what is compiled, or load it, before workers start; ``say`` is told before a long wait."""
    simulation.prepare(say)
    header = RunHeader.from_dict(smallest_plan().header)
    setting = Setting(
        {"perfect": catalogue_logs("logs_perfect")}, load(catalogue_path("monitor", "rules"), MonitorFile)
    )
    fold = WatchFold(setting)
    fold.start(header)
    fold.take(np.zeros(1, JOURNAL_SCHEMA))
    fold.finish()


def joined_practices(design: Design) -> frozenset[int]:
    """Return the services of practices that are on the platform at the end of a run.

    They keep logs that practices outside do not hand over; one that joins late is taken to have kept them
    from the start.
    """
    adoption = design.adoption
    levels = [adoption.gp_practices]
    levels += [change.gp_practices for change in sorted(adoption.go_live, key=lambda c: c.on)
               if change.gp_practices is not None]  # fmt: skip
    region = build(design.topology)
    order = joining_order(region, adoption.order, design.order_seed)
    joined = practices_at(levels[-1], order, region)
    return frozenset(n for n, service in enumerate(region.services) if service.practice in joined)
