"""A journal as a table with words for codes: comma-separated text, or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowsim.exports.readable import COLUMNS, TRUTH, Journal, text_file

_NUMBERS: Final = {"attempt": pa.int32(), "list_length": pa.int32(), "hours": pa.float64()}


def write_csv(journal: Journal, path: Path) -> None:
    """Write one line an event, with a line of column names; what does not apply is empty."""
    with text_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_names(journal))
        for columns in _words(journal):
            writer.writerows(zip(*columns.values(), strict=True))


def write_parquet(journal: Journal, path: Path) -> None:
    """Write one row an event; times have their zone, words are text."""
    kinds: dict[str, Any] = {"time": pa.timestamp("ms", "UTC"), **_NUMBERS}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in _names(journal)])
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        for columns in _words(journal):
            arrays = [
                pc.cast(pa.array(columns[field.name], pa.string()), field.type)
                if field.name == "time"
                else pa.array(columns[field.name], field.type)
                for field in schema
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _names(journal: Journal) -> list[str]:
    return [*COLUMNS, *TRUTH] if journal.truth else list(COLUMNS)


def _words(journal: Journal) -> Iterator[dict[str, list[Any]]]:
    for block in journal.blocks():
        columns = journal.words(block)
        yield {name: columns[name] for name in _names(journal)}
