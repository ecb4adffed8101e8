"""Journals for other programs: XES and OCEL 2.0 for process mining, CSV and Parquet with words for codes.

What is written is what a log could show. The columns of the truth, and the rows that only the truth knows
(vanished, found, a deadline's passing, what defects do), are left out unless asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from flowsim.errors import UsageError
from flowsim.exports.ocel import write_ocel_json, write_ocel_xml
from flowsim.exports.plain import write_csv, write_parquet
from flowsim.exports.readable import Journal
from flowsim.exports.xes import write_xes


class Format(StrEnum):
    """The forms in which a journal can be handed to other programs."""

    xes = "xes"
    ocel2 = "ocel2"
    ocel2_xml = "ocel2-xml"
    csv = "csv"
    parquet = "parquet"


#: How the name of a file of each form ends.
ENDING: Final = {
    Format.xes: ".xes",
    Format.ocel2: ".jsonocel",
    Format.ocel2_xml: ".xmlocel",
    Format.csv: ".csv",
    Format.parquet: ".parquet",
}

_WRITE: Final[dict[Format, Callable[[Journal, Path], None]]] = {
    Format.xes: write_xes,
    Format.ocel2: write_ocel_json,
    Format.ocel2_xml: write_ocel_xml,
    Format.csv: write_csv,
    Format.parquet: write_parquet,
}


def export(journal: Path, form: Format, target: Path, truth: bool = False) -> Path:
    """Write a stored journal (``events.parquet``) in another form and return where it is.

    A name that ends in .gz is compressed, but for Parquet, which is so anyway. The file is there only when
    whole. UsageError where the target exists, or the journal is none.
    """
    if target.exists():
        raise UsageError(f"{target} is there already.", "Give another name with -o, or remove it.")
    if form == Format.parquet and target.suffix == ".gz":
        raise UsageError("Parquet is compressed as it is.", "Leave out .gz.")
    source = Journal.open(journal, truth)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    try:
        _WRITE[form](source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
