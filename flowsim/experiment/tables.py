"""From finished runs to the result tables, always in the same order and with the same bytes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flowsim.config.experiment_file import Until
from flowsim.config.grid import parse_half_width
from flowsim.statistics import baselines, compare, enough, pairs
from flowsim.vocabulary import COMPARISON_COLUMNS, SUMMARY_COLUMNS

_ROW_GROUP: Final = 131_072
_NUMBERS: Final = ("value", "difference", "low", "high", "better", "same")
_COUNTS: Final = ("replication", "replications", "draws", "rate_sets")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Store a frame as Parquet with equal bytes for equal frames (no versions of libraries in it)."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP, version="2.6")


def read_table(path: Path) -> pd.DataFrame:
    """Return a frame that ``write_table`` stored."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    r"""Store a frame as CSV with ``\n``, the shortest digits that read back, and nothing for missing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    columns = [_cells(frame[name].tolist()) for name in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def read_csv(path: Path) -> pd.DataFrame:
    """Return a CSV of results with numbers exactly as they were written, and all else as text."""
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pd.DataFrame({name: _parsed(name, column) for name, column in zip(names, columns, strict=True)})


def _parsed(name: str, column: Iterable[str]) -> pd.Series[Any]:
    if name in _NUMBERS:
        return pd.Series([float(text) if text else math.nan for text in column], dtype="float64")
    if name in _COUNTS:
        return pd.Series([int(text) for text in column], dtype="int64")
    return pd.Series(list(column), dtype="str")


def _cells(values: Iterable[Any]) -> list[str]:
    return ["" if missing(v) else repr(v) if isinstance(v, float) else str(v) for v in values]


def missing(value: Any) -> bool:
    """Return whether there is nothing, or no number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def merged(parts: Sequence[tuple[str, int, pd.DataFrame]]) -> pd.DataFrame:
    """Return frames of (scenario, replication) under each other, in the order given, those two first."""
    frames = []
    for scenario, replication, part in parts:
        frame = part.copy()
        frame.insert(0, "scenario", scenario)
        frame.insert(1, "replication", replication)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def summary_table(parts: Sequence[tuple[str, int, pd.DataFrame]]) -> pd.DataFrame:
    """Return the tidy table of all measures: ``scenario, replication, measure, group, value, unit``."""
    if not parts:
        return pd.DataFrame({name: [] for name in SUMMARY_COLUMNS})
    return merged(parts)[list(SUMMARY_COLUMNS)]


def comparison_table(summary: pd.DataFrame, scenarios: pd.DataFrame, rule: Mapping[str, str]) -> pd.DataFrame:
    """Return every scenario against its baseline; without a rule, no rows.

    ``scenarios`` lists all scenarios of the experiment, also those that were not run.
    """
    if not rule or summary.empty:
        return pd.DataFrame({name: [] for name in COMPARISON_COLUMNS})
    table = compare(summary, scenarios, rule)
    order = {name: place for place, name in enumerate(scenarios["scenario"])}
    return table.sort_values("scenario", key=lambda s: s.map(order), kind="stable", ignore_index=True)


def replications_enough(
    summary: pd.DataFrame,
    scenarios: pd.DataFrame,
    rule: Mapping[str, str],
    until: Until,
    at_least: int,
    step: int,
) -> bool:
    """Return whether the stopping rule is met: every compared difference precise, there and a step on.

    True also where nothing is compared, so that more replications could not change the answer.
    """
    part = summary[(summary["measure"] == until.difference_in) & (summary["group"] == "")]
    table = pairs(part, baselines(scenarios, rule))
    wide = table.pivot(index="replication", columns="scenario", values="difference").sort_index()
    wide = wide.dropna(axis="columns", how="all")
    if wide.empty:
        return True
    width = parse_half_width(until.half_width)
    return enough(wide.to_numpy(), width, max(2, at_least), step) is not None
