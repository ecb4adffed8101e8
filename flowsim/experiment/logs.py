"""Ties a file on logs to those who read it: the plain form for ``observe``, and what a monitor is told."""

from __future__ import annotations

from typing import Final

import numpy as np

from flowsim.catalogue import catalogue_path
from flowsim.config.loading import load
from flowsim.config.logs_file import LogsFile
from flowsim.config.logs_file import SourceLog as SourceFile
from flowsim.monitor.rules import SourceSetting
from flowsim.observe.directory import Directory
from flowsim.observe.logs import Logs, SourceLog, claims, without_ids
from flowsim.vocabulary import Party, Source

#: The logs that a question gets which says nothing of them.
DEFAULT_LOGS: Final = "logs_imperfect"
_ON_PLATFORM: Final = "practices_on_platform"


def catalogue_logs(name: str = DEFAULT_LOGS) -> LogsFile:
    """Return the logs that the catalogue has under a name; UsageError with the nearest for another."""
    return load(catalogue_path("logs", name), LogsFile)


def logs_of(file: LogsFile, joined: frozenset[int] = frozenset()) -> Logs:
    """Return a file's logs in plain form; ``joined`` are the practices' services on the platform.

    Durations become hours. A source that is off is left out.
    """
    return Logs(
        sources={Source[name]: _source(log) for name, log in file.logs.items() if log.on},
        seed=file.log_seed,
        snapshot_every=file.snapshots_every.value.hours,
        clock=file.clock_offset.value.hours,
        ids_lost=file.ids_lost.value,
        unsent=file.never_sent.share.value,
        unsent_ended=file.never_sent.ended.value,
        ended_within=file.never_sent.within.value.hours,
        auto_closed=file.auto_closed.share.value,
        auto_closed_after=file.auto_closed.after.value.hours,
        opened_only=file.opened_only.value,
        joined=joined,
    )


def only(logs: Logs, sources: frozenset[Source]) -> Logs:
    """Return the same logs with no others than these sources."""
    kept = {source: log for source, log in logs.sources.items() if source in sources}
    return Logs(**{**vars(logs), "sources": kept})


def source_settings(logs: Logs, directory: Directory) -> dict[Source, SourceSetting]:
    """Return what the monitor is told of each source that there is: lateness, silence, whose rows it has.

    A source that has nobody's rows counts as off: an empty set of units would mean everybody's.
    """
    table = claims(logs, directory)
    nameless = frozenset(int(unit) for unit in np.flatnonzero(without_ids(logs, directory)))
    told = {}
    for source, log in sorted(logs.sources.items()):
        units = np.flatnonzero(table[source, :-1])
        if len(units):
            everybody = len(units) == len(directory.units)
            claimed = frozenset() if everybody else frozenset(int(unit) for unit in units)
            told[source] = SourceSetting(log.lateness, log.silent_after, claimed, nameless)
    return told


def _source(file: SourceFile) -> SourceLog:
    return SourceLog(
        low=file.earliest.value.hours,
        high=file.latest.value.hours,
        late_share=file.late.value,
        late_by=file.late_by.value.hours,
        lateness=file.lateness.value.hours,
        heartbeat=0.0 if file.heartbeat is None else file.heartbeat.value.hours,
        silent_after=float("inf") if file.silent_after is None else file.silent_after.value.hours,
        parties=frozenset(Party[name] for name in file.kept_by if name != _ON_PLATFORM),
        practices_on_platform=_ON_PLATFORM in file.kept_by,
        missing=file.missing.value,
    )
