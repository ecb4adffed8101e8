"""Blocks and folds, and the forms in which a journal is stored: Arrow, Parquet, CSV, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from flowsim.journal.header import RunHeader
from flowsim.vocabulary import JOURNAL_SCHEMA

Block: TypeAlias = np.ndarray[Any, Any]
Result_co = TypeVar("Result_co", covariant=True)

#: Rows of a Parquet row group. Fixed, so that a file's bytes do not depend on the block size.
ROW_GROUP: Final = 131_072
_HEADER_KEY: Final = b"flowsim.header"
_ARROW_SCHEMA: Final = pa.schema(
    [pa.field(n, pa.from_numpy_dtype(JOURNAL_SCHEMA[n]), nullable=False) for n in JOURNAL_SCHEMA.names or ()]
)
# The schema without alignment holes: bytes in a hole are whatever memory held, and must not be hashed.
_PACKED: Final = np.dtype([(n, JOURNAL_SCHEMA[n]) for n in JOURNAL_SCHEMA.names or ()])


class Fold(Protocol[Result_co]):
    """What reads a journal: it is started once, takes each block in order, and is finished once."""

    def start(self, header: RunHeader) -> None:
        """Get ready for the run that the header describes."""

    def take(self, block: Block) -> None:
        """Read one block; the array may be used again by its owner afterwards, so nothing keeps it."""

    def finish(self) -> Result_co:
        """Return the result; called once, after the last block."""


def replay(blocks: Iterable[Block], header: RunHeader, folds: Sequence[Fold[Any]]) -> list[Any]:
    """Send a stream of blocks through several folds at once and return their results in order."""
    for fold in folds:
        fold.start(header)
    for block in blocks:
        for fold in folds:
            fold.take(block)
    return [fold.finish() for fold in folds]


def to_table(block: Block) -> pa.Table:
    """Return a block as an Arrow table of plain columns named as in ``JOURNAL_SCHEMA``."""
    columns = [pa.array(np.ascontiguousarray(block[name])) for name in _ARROW_SCHEMA.names]
    return pa.Table.from_arrays(columns, schema=_ARROW_SCHEMA)


def from_table(table: pa.Table | pa.RecordBatch) -> Block:
    """Return an Arrow table or batch of journal rows as a block; KeyError where a column is missing."""
    block = np.zeros(table.num_rows, dtype=JOURNAL_SCHEMA)
    for name in _ARROW_SCHEMA.names:
        block[name] = table.column(name).to_numpy()
    return block


def to_frame(blocks: Iterable[Block]) -> pd.DataFrame:
    """Return all rows of a stream of blocks as one frame; for small journals and for tests."""
    frame: pd.DataFrame = pa.concat_tables(
        [_ARROW_SCHEMA.empty_table(), *(to_table(block) for block in blocks)]
    ).to_pandas()
    return frame


class ParquetJournal:
    """The fold that stores the journal itself in one Parquet file, the header in its metadata.

    Rows are gathered into row groups of a fixed size, so the bytes are the same for any block size.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[Block] = []
        self._rows = 0

    def start(self, header: RunHeader) -> None:
        """Open the file."""
        schema = _ARROW_SCHEMA.with_metadata({_HEADER_KEY: header.to_json().encode()})
        self._writer = pq.ParquetWriter(
            self._path,
            schema,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in schema.names if name not in ("time", "case")],
            write_statistics=False,
            version="2.6",
        )
        self._schema = schema

    def take(self, block: Block) -> None:
        """Hold a copy of the rows, and write every row group that is full."""
        self._held.append(block.copy())
        self._rows += len(block)
        if self._rows >= ROW_GROUP:
            rows = np.concatenate(self._held)
            whole = len(rows) - len(rows) % ROW_GROUP
            for first in range(0, whole, ROW_GROUP):
                self._write(rows[first : first + ROW_GROUP])
            self._held = [rows[whole:].copy()]
            self._rows = len(rows) - whole

    def finish(self) -> Path:
        """Write what is left, close the file and return its path."""
        if self._rows:
            self._write(np.concatenate(self._held))
        self._writer.close()
        self._held = []
        return self._path

    def _write(self, rows: Block) -> None:
        self._writer.write_table(to_table(rows).cast(self._schema), row_group_size=ROW_GROUP)


class CsvJournal:
    """The fold that stores the journal as comma-separated text with a line of column names."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, header: RunHeader) -> None:  # noqa: ARG002 (text has no place for a header)
        """Open the file and write the column names."""
        self._writer = pa.csv.CSVWriter(self._path, _ARROW_SCHEMA)

    def take(self, block: Block) -> None:
        """Write the rows of a block."""
        self._writer.write_table(to_table(block))

    def finish(self) -> Path:
        """Close the file and return its path."""
        self._writer.close()
        return self._path


class JournalHash:
    """The fold that gives a journal's hash: BLAKE2b over its rows, the same for any block size."""

    def start(self, header: RunHeader) -> None:  # noqa: ARG002 (the hash is of what happened)
        """Begin an empty hash; the header is not part of it."""
        self._hash = hashlib.blake2b(digest_size=16)

    def take(self, block: Block) -> None:
        """Add the rows of a block."""
        self._hash.update(block.astype(_PACKED).tobytes())

    def finish(self) -> str:
        """Return the hash as 32 hexadecimal digits."""
        return self._hash.hexdigest()


def read_header(path: Path) -> RunHeader:
    """Return the header stored in a Parquet file of this project; ValueError if it has none."""
    metadata = pq.read_schema(path).metadata or {}
    if _HEADER_KEY not in metadata:
        raise ValueError(f"{path.name} is not a file of results: it has no header")
    return RunHeader.from_json(metadata[_HEADER_KEY].decode())


def read_blocks(path: Path, rows: int = ROW_GROUP) -> Iterator[Block]:
    """Yield the blocks of a stored journal, ``rows`` rows at a time, in the order they were written."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=rows, columns=_ARROW_SCHEMA.names):
            yield from_table(batch)


def write_frame(frame: pd.DataFrame, path: Path, header: RunHeader) -> Path:
    """Store a frame of cases or deliveries as Parquet with the run's header; equal frames, equal bytes.

    Columns of categories are stored as plain text, so any reader understands the file.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    plain = {f.name: f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in table.schema}
    fields = [pa.field(name, kind) for name, kind in plain.items()]
    # The metadata of pandas holds version numbers of libraries; only the header is kept.
    schema = pa.schema(fields, metadata={_HEADER_KEY: header.to_json().encode()})
    pq.write_table(
        table.cast(pa.schema(fields)).replace_schema_metadata(schema.metadata),
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=ROW_GROUP,
        version="2.6",
    )
    return path


def read_frame(path: Path) -> pd.DataFrame:
    """Return the frame that ``write_frame`` stored, with text where it had categories."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame
