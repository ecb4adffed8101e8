"""The journal: its header, its files, and its hash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsim.episodes import EpisodesFold
from flowsim.journal import (
    ROW_GROUP,
    CsvJournal,
    JournalHash,
    Limit,
    ParquetJournal,
    RunHeader,
    StepDeadline,
    from_table,
    read_blocks,
    read_frame,
    read_header,
    replay,
    to_frame,
    to_table,
    write_frame,
)
from flowsim.vocabulary import JOURNAL_SCHEMA
from tests.journals import pieces, random_story, small_header

BLOCK = random_story(seed=5, cases=120)


def test_a_header_survives_json() -> None:
    header = small_header()
    assert RunHeader.from_json(header.to_json()) == header
    assert RunHeader.from_json(header.to_json()).to_json() == header.to_json()
    assert header.steps[0].deadline == StepDeadline(Limit(hours=48.0), "authored", "seen")
    assert header.pathways[0].targets["routine"] == Limit(working_days=30)


def test_a_limit_is_hours_or_working_days_and_not_both() -> None:
    with pytest.raises(ValueError, match="either hours or working_days"):
        Limit(hours=1.0, working_days=1)
    with pytest.raises(ValueError, match="either hours or working_days"):
        Limit()


def test_a_deadline_only_names_instants_that_a_delivery_has() -> None:
    with pytest.raises(ValueError, match="cannot count from"):
        StepDeadline(Limit(hours=1.0), "opened", "seen")
    with pytest.raises(ValueError, match="cannot wait for"):
        StepDeadline(Limit(hours=1.0), "authored", "listed")


def test_a_block_survives_arrow_with_the_columns_of_the_schema() -> None:
    table = to_table(BLOCK)
    assert tuple(table.column_names) == JOURNAL_SCHEMA.names
    back = from_table(table)
    for name in JOURNAL_SCHEMA.names or ():
        np.testing.assert_array_equal(back[name], BLOCK[name])


def test_a_stored_journal_is_read_back_row_for_row_with_its_header(tmp_path: Path) -> None:
    header = small_header()
    (path,) = replay([BLOCK], header, [ParquetJournal(tmp_path / "events.parquet")])
    assert read_header(path) == header
    blocks = list(read_blocks(path, rows=37))
    assert [len(b) for b in blocks[:-1]] == [37] * (len(blocks) - 1)
    pd.testing.assert_frame_equal(to_frame(blocks), to_frame([BLOCK]))


def test_a_stored_journal_has_the_same_bytes_for_any_block_size(tmp_path: Path) -> None:
    header = small_header()
    # More rows than a row group, so that rows left over from one group begin the next.
    many = np.tile(BLOCK, ROW_GROUP // len(BLOCK) + 2)
    (whole,) = replay([many], header, [ParquetJournal(tmp_path / "a.parquet")])
    (cut,) = replay(pieces(many, [1, 1, 5000, ROW_GROUP]), header, [ParquetJournal(tmp_path / "b.parquet")])
    assert whole.read_bytes() == cut.read_bytes()
    (less,) = replay([many[:-1]], header, [ParquetJournal(tmp_path / "c.parquet")])
    assert whole.read_bytes() != less.read_bytes()


def test_an_empty_journal_can_be_stored_and_read(tmp_path: Path) -> None:
    (path,) = replay([], small_header(), [ParquetJournal(tmp_path / "events.parquet")])
    assert list(read_blocks(path)) == []
    assert len(to_frame(read_blocks(path))) == 0


def test_a_file_without_a_header_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ValueError, match=r"other\.parquet is not a file of results"):
        read_header(path)


def test_the_csv_form_has_a_line_of_names_and_a_line_for_each_row(tmp_path: Path) -> None:
    (path,) = replay(pieces(BLOCK, [10]), small_header(), [CsvJournal(tmp_path / "events.csv")])
    frame = pd.read_csv(path)
    assert tuple(frame.columns) == JOURNAL_SCHEMA.names
    pd.testing.assert_frame_equal(frame, to_frame([BLOCK]), check_dtype=False)


def test_the_hash_does_not_depend_on_the_block_size_but_on_every_column() -> None:
    header = small_header()
    (whole,) = replay([BLOCK], header, [JournalHash()])
    (cut,) = replay(pieces(BLOCK, [3, 50, 51]), header, [JournalHash()])
    assert whole == cut
    for name in JOURNAL_SCHEMA.names or ():
        changed = BLOCK.copy()
        changed[name][7] += 1
        assert replay([changed], header, [JournalHash()]) != [whole], name


def test_the_hash_ignores_what_memory_holds_between_the_columns() -> None:
    noisy = np.frombuffer(bytearray(b"\xa5" * BLOCK.nbytes), JOURNAL_SCHEMA)
    for name in JOURNAL_SCHEMA.names or ():
        noisy[name] = BLOCK[name]
    header = small_header()
    assert replay([noisy], header, [JournalHash()]) == replay([BLOCK], header, [JournalHash()])


def test_stored_frames_keep_their_values_as_plain_text_and_numbers(tmp_path: Path) -> None:
    header = small_header()
    (episodes,) = replay([BLOCK], header, [EpisodesFold()])
    first = write_frame(episodes.deliveries, tmp_path / "messages.parquet", header)
    again = write_frame(episodes.deliveries.copy(), tmp_path / "again.parquet", header)
    assert first.read_bytes() == again.read_bytes()
    assert read_header(first) == header
    stored = read_frame(first)
    assert list(stored["fate"]) == list(episodes.deliveries["fate"])
    np.testing.assert_array_equal(stored["seen_hours"], episodes.deliveries["seen_hours"])


def test_replay_gives_the_results_in_the_order_of_the_folds() -> None:
    episodes, digest = replay([BLOCK], small_header(), [EpisodesFold(), JournalHash()])
    assert len(digest) == 32
    assert len(episodes.cases) > 0
