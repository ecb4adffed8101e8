"""The journal: the stream of blocks that joins the simulated world to its analysis.

A *block* is a numpy array with the dtype ``vocabulary.JOURNAL_SCHEMA``, rows in time order. A *fold*
reads a stream of blocks: ``start(header)``, ``take(block)`` for each block, ``finish()`` gives the
result. A fold gives the same result for any block size, and for a live run as for a stored file.
"""

from flowsim.journal.header import Defect, Limit, Pathway, RunHeader, Service, Step, StepDeadline
from flowsim.journal.stream import (
    ROW_GROUP,
    Block,
    CsvJournal,
    Fold,
    JournalHash,
    ParquetJournal,
    from_table,
    read_blocks,
    read_frame,
    read_header,
    replay,
    to_frame,
    to_table,
    write_frame,
)

__all__ = [
    "ROW_GROUP",
    "Block",
    "CsvJournal",
    "Defect",
    "Fold",
    "JournalHash",
    "Limit",
    "ParquetJournal",
    "Pathway",
    "RunHeader",
    "Service",
    "Step",
    "StepDeadline",
    "from_table",
    "read_blocks",
    "read_frame",
    "read_header",
    "replay",
    "to_frame",
    "to_table",
    "write_frame",
]
