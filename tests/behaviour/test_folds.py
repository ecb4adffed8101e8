"""What holds for every fold: the size of the blocks does not matter, and nothing is dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import Block, JournalHash, ParquetJournal, RunHeader, read_blocks, replay
from flowsim.measures import measure_all
from flowsim.vocabulary import Event
from tests.journals import pieces, random_story, small_header

HEADER = small_header()


class Cramped(EpisodesFold):
    """A fold whose look-up table has room for a few rows only, so that it is rebuilt all the time."""

    def start(self, header: RunHeader) -> None:
        super().start(header)
        self._slots = np.full(4, -1, np.int64)


def read(blocks: list[Block]) -> Episodes:
    (episodes,) = replay(blocks, HEADER, [EpisodesFold()])
    assert isinstance(episodes, Episodes)
    return episodes


def assert_same(a: Episodes, b: Episodes) -> None:
    pd.testing.assert_frame_equal(a.cases, b.cases)
    pd.testing.assert_frame_equal(a.deliveries, b.deliveries)
    assert a.profiles.keys() == b.profiles.keys()
    for name in a.profiles:
        pd.testing.assert_frame_equal(a.profiles[name], b.profiles[name])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 700), max_size=12))
def test_any_block_size_gives_the_same_tables_and_hash(seed: int, cuts: list[int]) -> None:
    block = random_story(seed, cases=60)
    parts = pieces(block, cuts)
    assert_same(read([block]), read(parts))
    (cramped,) = replay(parts, HEADER, [Cramped()])
    assert_same(read([block]), cramped)
    assert replay([block], HEADER, [JournalHash()]) == replay(parts, HEADER, [JournalHash()])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_fates_add_up_to_what_was_authored_in_the_cohort(seed: int) -> None:
    block = random_story(seed, cases=60)
    episodes = read([block])
    closes = HEADER.warm_up_hours + HEADER.observe_hours
    born = block[block["event"] == Event.created]
    cohort = born[(born["time"] >= HEADER.warm_up_hours) & (born["time"] < closes)]
    pathway = [HEADER.steps[step].pathway for step in cohort["step"]]
    counted = sum(not HEADER.pathways[p].waiting_filler for p in pathway)
    assert len(episodes.cases) == counted
    # Each case of the random story authors one delivery at its creation.
    assert episodes.deliveries["fate"].value_counts().sum() == counted
    assert set(episodes.deliveries["fate"]) <= {
        "cancelled",
        "recovered",
        "late",
        "on_time",
        "lost",
        "waiting",
    }


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_started_withdrawn_and_not_started_add_up_to_the_cases(seed: int) -> None:
    cases = read([random_story(seed, cases=60)]).cases
    assert (
        cases[["started", "withdrawn", "turned_away", "not_started"]].sum(axis=1) == cases["has_care"]
    ).all()
    follow_up_days = HEADER.follow_up_hours / 24.0
    assert cases["time_to_care_days"].between(0.0, follow_up_days).all()
    # No case is both a breach of the official clock and hidden from it.
    assert not (cases["statutory_breach"] & cases["hidden_delay"]).any()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), size=st.integers(1, 400))
def test_a_stored_journal_gives_the_results_of_the_live_run(tmp_path: Path, seed: int, size: int) -> None:
    block = random_story(seed, cases=40)
    live, path = replay([block], HEADER, [EpisodesFold(), ParquetJournal(tmp_path / "events.parquet")])
    assert_same(live, read(list(read_blocks(path, rows=size))))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), hours=st.floats(0.0, 4000.0))
def test_the_rows_after_every_horizon_change_nothing(seed: int, hours: float) -> None:
    block = random_story(seed, cases=40)
    last = HEADER.warm_up_hours + HEADER.observe_hours + HEADER.follow_up_hours + hours
    assert_same(read([block]), read([block[block["time"] < last]]))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_groups_of_a_measure_of_counts_add_up_to_the_whole(seed: int) -> None:
    frame = measure_all(read([random_story(seed, cases=60)]), HEADER)
    created = frame[frame["measure"] == "deliveries_created"].set_index("group")["value"]
    for column in ("pathway", "urgency", "kind", "channel", "direction"):
        parts = [value for group, value in created.items() if str(group).startswith(f"{column}=")]
        assert sum(parts) == created[""], column
