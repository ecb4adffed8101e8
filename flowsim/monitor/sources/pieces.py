"""What every reader gives: some rows of a file as columns of text, with the number of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowsim.monitor.sources.notes import Notes

#: Rows of a piece unless a caller says otherwise.
PIECE_ROWS: Final = 10_000
#: Longer text in a field is no id, time or code: it is payload, and not kept.
FIELD_MAX: Final = 1 << 16
#: More columns than this no log has; a file that goes on making new ones would fill the memory.
COLUMNS_MAX: Final = 2_000
MANY_FIELDS: Final = f"more than {COLUMNS_MAX} different fields; those that came later are left out"


@dataclass(frozen=True)
class Piece:
    """Rows of one file: ``table`` has a column of text for each field (null: not there).

    ``rows`` are their numbers as a person would find them: lines of a text file (the first is 1), else the
    place of the row, event or message in its file.
    """

    file: str
    rows: NDArray[np.int64]
    table: pa.RecordBatch


def piece_of(file: str, rows: Sequence[int], columns: Mapping[str, Sequence[str | None]]) -> Piece:
    """Return a piece of columns of text that are all as long as ``rows``."""
    arrays: list[Any] = [pa.array(values, pa.string()) for values in columns.values()]
    return Piece(file, np.array(rows, np.int64), pa.RecordBatch.from_arrays(arrays, names=list(columns)))


class Gatherer:
    """Gathers rows that have different fields into pieces; a field that a row lacks is null.

    The columns of all pieces of a file are those seen so far, in the order in which they came up.
    """

    def __init__(self, file: str, size: int) -> None:
        """Begin; a piece is full at ``size`` rows."""
        self._file, self._size = file, size
        self._rows: list[int] = []
        self._records: list[Mapping[str, str | None]] = []
        self._columns: dict[str, None] = {}
        self.too_many_columns = False

    def add(self, row: int, record: Mapping[str, str | None]) -> Iterator[Piece]:
        """Take a row; yields a piece if it is full now."""
        if not record.keys() <= self._columns.keys():
            for name in record:
                if name not in self._columns:
                    if len(self._columns) >= COLUMNS_MAX:
                        self.too_many_columns = True
                        break
                    self._columns[name] = None
        self._rows.append(row)
        self._records.append(record)
        if len(self._rows) >= self._size:
            yield from self.rest()

    def rest(self) -> Iterator[Piece]:
        """Yield what is left, if anything."""
        if self._rows:
            columns = {name: [each.get(name) for each in self._records] for name in self._columns}
            yield piece_of(self._file, self._rows, columns)
            self._rows, self._records = [], []

    def last(self, notes: Notes) -> Iterator[Piece]:
        """Yield what is left at the end of a file, and note if it had more fields than are read."""
        yield from self.rest()
        if self.too_many_columns:
            notes.add(MANY_FIELDS, self._file)
