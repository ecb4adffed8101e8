"""XES (IEEE 1849-2016): a trace for each case, its events in order of time.

A journal is in order of time, XES wants each case's events together. Cases are dealt to piles on disk, each
small enough to be sorted in memory, so that a journal of any size is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow.parquet as pq

from flowsim.exports.readable import TRUTH, Columns, Journal, text_file
from flowsim.journal import Block
from flowsim.vocabulary import JOURNAL_SCHEMA

#: Rows of a pile.
PILE_ROWS: Final = 1_000_000

#: Columns of an event, and the key under which each stands.
_KEYS: Final = {
    "service": "org:resource",
    "organisation": "org:group",
    "message": "message",
    "kind": "kind",
    "step": "step",
    "peer": "peer",
    "channel": "channel",
} | {name: f"truth:{name}" for name in TRUTH}

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<global scope="trace">
<string key="concept:name" value=""/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<string key="concept:name" value="flowsim journal"/>
"""


def write_xes(journal: Journal, path: Path) -> None:
    """Write a trace for each case: activities are the names of events, resources the services.

    A trace has the case's number, pathway and urgency; an event its time, service (org:resource),
    organisation (org:group), message, kind, step, peer, channel and attempt; ``truth:…`` if asked for.
    """
    with text_file(path) as file:
        file.write(_HEAD)
        for rows in _piles(journal):
            _write_traces(journal, rows, file)
        file.write("</log>\n")


def _piles(journal: Journal) -> Iterator[Block]:
    """Yield rows by case, the rows of a case together and in their order."""
    piles = max(1, -(-pq.read_metadata(journal.path).num_rows // PILE_ROWS))
    with TemporaryDirectory(prefix="flowsim-export-") as folder:
        paths = [Path(folder) / str(pile) for pile in range(piles)]
        for block in journal.blocks(cases_only=True):
            pile_of = block["case"] % piles
            for pile in np.unique(pile_of).tolist():
                with paths[pile].open("ab") as file:
                    file.write(block[pile_of == pile].tobytes())
        for path in paths:
            if path.exists():
                rows = np.fromfile(path, JOURNAL_SCHEMA)
                yield rows[np.argsort(rows["case"], kind="stable")]


def _write_traces(journal: Journal, rows: Block, file: TextIO) -> None:
    begins = np.flatnonzero(np.diff(rows["case"], prepend=rows["case"][0] - 1))
    # Some thousand rows at a time become words: they take far more room than numbers.
    for first in range(0, len(begins), 4096):
        some = begins[first : first + 4096]
        end = begins[first + 4096] if first + 4096 < len(begins) else len(rows)
        columns = journal.words(rows[some[0] : end])
        edges = [*(some - some[0]).tolist(), int(end - some[0])]
        for begin, stop in pairwise(edges):
            file.write("<trace>\n")
            file.write(_attribute("concept:name", columns["case"][begin]))
            file.write(_attribute("pathway", columns["pathway"][begin]))
            file.write(_attribute("urgency", columns["urgency"][begin]))
            file.writelines(_event(columns, row) for row in range(begin, stop))
            file.write("</trace>\n")


def _event(columns: Columns, row: int) -> str:
    lines = [
        "<event>\n",
        _attribute("concept:name", columns["event"][row]),
        f'<date key="time:timestamp" value="{columns["time"][row]}"/>\n',
    ]
    for name, key in _KEYS.items():
        if name in columns and columns[name][row] is not None:
            lines.append(_attribute(key, columns[name][row]))
    lines.append(f'<int key="attempt" value="{columns["attempt"][row]}"/>\n</event>\n')
    return "".join(lines)


def _attribute(key: str, value: Any) -> str:
    return f'<string key="{key}" value={quoteattr(str(value))}/>\n'
