"""Parquet, some rows at a time, every column as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flowsim.monitor.sources.json_rows import text_of
from flowsim.monitor.sources.notes import Notes
from flowsim.monitor.sources.pieces import PIECE_ROWS, Piece

#: A group of rows is unpacked as a whole, so it must fit into memory.
GROUP_BYTES_MAX: Final = 1 << 31

NOT_PARQUET: Final = "is no Parquet file, or is cut off"
BROKEN: Final = "cannot be read from this row on"
LARGE_GROUP: Final = f"holds a group of rows that unpacks to more than {GROUP_BYTES_MAX >> 30} GB, left out"


class ParquetRows:
    """Reads a Parquet file group by group."""

    def __init__(self, path: Path, notes: Notes, name: str) -> None:
        """Take a path; the file is opened when it is read."""
        self._path, self._notes, self._name = path, notes, name

    def pieces(self, size: int = PIECE_ROWS) -> Iterator[Piece]:
        """Yield all rows, ``size`` at a time; rows count from 1."""
        try:
            file = pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError):
            self._notes.end_early(NOT_PARQUET, self._name)
            return
        first = 1
        with file:
            for group in range(file.num_row_groups):
                about = file.metadata.row_group(group)
                if about.total_byte_size > GROUP_BYTES_MAX:
                    self._notes.end_early(LARGE_GROUP, self._name, first)
                    first += about.num_rows
                    continue
                try:
                    for batch in file.iter_batches(size, row_groups=[group], use_threads=False):
                        rows = np.arange(first, first + batch.num_rows, dtype=np.int64)
                        yield Piece(self._name, rows, texts(batch))
                        first += batch.num_rows
                except (pa.ArrowException, OSError):
                    self._notes.end_early(BROKEN, self._name, first)
                    return

    def finish(self) -> None:
        """Nothing is wrong beyond what was noted."""


def texts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with every column as text; binary columns come empty, as what they hold is payload."""
    arrays = [_text(batch.column(name)) for name in range(batch.num_columns)]
    return pa.RecordBatch.from_arrays(arrays, names=_once(batch.schema.names))


def _once(names: list[str]) -> list[str]:
    return [
        name if name not in names[:place] else f"{name} ({place + 1})" for place, name in enumerate(names)
    ]


def _text(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_string(kind):
        return column
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_nested(kind):
        return pa.array([text_of(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column.cast(pa.string())
