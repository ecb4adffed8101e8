"""A stored journal as rows of words: ids of services, names of events, times of the calendar."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import pyarrow as pa

from flowsim.errors import UsageError
from flowsim.journal import Block, RunHeader, read_blocks, read_header
from flowsim.vocabulary import Channel, Event, Fault, MessageKind, State, Urgency

#: Rows that no log could have.
TRUTH_EVENTS: Final = frozenset(
    {
        Event.vanished,
        Event.found,
        Event.deadline,
        Event.defect_began,
        Event.defect_reported,
        Event.defect_believed,
        Event.defect_escalated,
        Event.defect_mended,
        Event.owner_lost,
        Event.owner_given,
    }
)
#: Rows that are about an organisation or a list, and about no case.
NO_CASE: Final = frozenset(event for event in Event if event >= Event.snapshot)
#: The model's clock: Norwegian standard time, without summer time.
ZONE: Final = "+01:00"

#: Columns in words, in order; the last four are the truth.
COLUMNS: Final = (
    "time",
    "event",
    "case",
    "message",
    "kind",
    "pathway",
    "step",
    "service",
    "organisation",
    "peer",
    "channel",
    "urgency",
    "attempt",
    "list_length",
    "hours",
)
TRUTH: Final = ("intended", "defect", "fault", "state")

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Journal:
    """A stored journal: its file, its header, and whether the truth is to be shown."""

    path: Path
    header: RunHeader
    truth: bool = False

    @classmethod
    def open(cls, path: Path, truth: bool = False) -> Journal:
        """Look at a file; UsageError where it is not there or holds no journal."""
        if not path.is_file():
            raise UsageError(f"There is no file {path}.")
        try:
            journal = cls(path, read_header(path), truth)
            next(read_blocks(path, 1), None)
        except (ValueError, KeyError, pa.ArrowException) as error:
            raise UsageError(f"{path} holds no journal ({type(error).__name__}).") from None
        return journal

    def blocks(self, cases_only: bool = False) -> Iterator[Block]:
        """Yield the rows that are to be shown, in order of time; ``cases_only``: only those about a case."""
        left_out = set() if self.truth else set(TRUTH_EVENTS)
        if cases_only:
            left_out |= NO_CASE
        unwanted = np.array(sorted(left_out), np.uint8)
        for block in read_blocks(self.path):
            shown = block[~np.isin(block["event"], unwanted)]
            if len(shown):
                yield shown

    def words(self, block: Block) -> Columns:
        """Return rows as columns of words, by the names in ``COLUMNS`` and, if shown, ``TRUTH``.

        ``time`` is ISO 8601; what does not apply is None.
        """
        header = self.header
        services = [service.id for service in header.services]
        organisations = [service.organisation for service in header.services]
        steps, paths, kinds = [], [], []
        for step in header.steps:
            steps.append(step.id)
            paths.append(header.pathways[step.pathway].id)
            kinds.append(MessageKind(step.message).name if step.message else None)
        about = block["delivery"] != 0
        no_case = np.isin(block["event"], np.array(sorted(NO_CASE), np.uint8))
        columns: Columns = {
            "time": times(header, block["time"]),
            "event": _names(Event, block["event"]),
            "case": _where(~no_case, [str(case) for case in block["case"].tolist()]),
            "message": _where(
                about, [message_id(*pair) for pair in zip(block["case"], block["delivery"], strict=True)]
            ),
            "kind": _where(about, _at(kinds, block["step"])),
            "pathway": _where(~no_case, _at(paths, block["step"])),
            "step": _where(~no_case, _at(steps, block["step"])),
            "service": _at(services, block["service"]),
            "organisation": _at(organisations, block["service"]),
            "peer": _where(~no_case, _at(services, block["peer"])),
            "channel": _where(about, _names(Channel, block["channel"])),
            "urgency": _where(~no_case, _names(Urgency, block["urgency"])),
            "attempt": block["attempt"].tolist(),
            "list_length": block["list_length"].tolist(),
            "hours": block["hours"].astype(np.float64).round(4).tolist(),
        }
        if self.truth:
            columns |= {
                "intended": _where(about, _at(services, block["intended"])),
                "defect": _at([defect.id for defect in header.defects], block["defect"]),
                "fault": _names(Fault, block["fault"]),
                "state": _names(State, block["state"]),
            }
        return columns


def message_id(case: int, delivery: int) -> str:
    """Return what a delivery is called outside: its case and its number within it."""
    return f"{case}-{delivery}"


def times(header: RunHeader, hours: np.ndarray[Any, Any]) -> list[str]:
    """Return hours from the start as times of the calendar, to the millisecond, in ISO 8601."""
    start = np.datetime64(header.start, "ms")
    moments = start + np.round(hours * 3.6e6).astype("timedelta64[ms]")
    return [f"{moment}{ZONE}" for moment in np.datetime_as_string(moments, unit="ms").tolist()]


def _names(words: type[IntEnum], codes: np.ndarray[Any, Any]) -> list[str | None]:
    known = {member.value: member.name for member in words}
    return [known.get(code) for code in codes.tolist()]


def _at(words: list[Any], codes: np.ndarray[Any, Any]) -> list[Any]:
    return [words[code] if 0 <= code < len(words) else None for code in codes.tolist()]


def _where(shown: np.ndarray[Any, Any], values: list[Any]) -> list[Any]:
    return [value if wanted else None for value, wanted in zip(values, shown.tolist(), strict=True)]


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """Open a file for text, compressed where its name ends in .gz; equal texts give equal bytes."""
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    # Neither name nor time go into the head of the file.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file,
    ):
        yield file
