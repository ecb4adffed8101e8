"""Counts of visits and lists are what a plain reckoning gives, however the journal is cut into blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.episodes.recurring import Recurring, RecurringFold
from flowsim.journal import Block, replay
from tests.journals import pieces
from tests.recurring import by_hand, header, random_recurring

HEADER = header()


def read(blocks: list[Block]) -> Recurring:
    (found,) = replay(blocks, HEADER, [RecurringFold()])
    assert isinstance(found, Recurring)
    return found


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_fold_gives_what_a_plain_reckoning_gives(seed: int) -> None:
    block = random_recurring(seed, cases=40)
    cases, weeks = by_hand(block, HEADER)
    found = read([block])
    got = found.counts.set_index("case").to_dict("index")
    assert got.keys() == cases.keys()
    for case, counts in cases.items():
        assert got[case] == pytest.approx(counts), case
    table = found.weeks[found.weeks["count"] != 0]
    assert dict(zip(zip(table["week"], table["pathway"], table["measure"], strict=True), table["count"],
                    strict=True)) == weeks  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 900), max_size=20))
def test_any_block_size_gives_the_same_counts(seed: int, cuts: list[int]) -> None:
    block = random_recurring(seed, cases=40)
    whole, parts = read([block]), read(pieces(block, cuts))
    # The very same bits, also of the hours added up.
    pd.testing.assert_frame_equal(whole.counts, parts.counts, check_exact=True)
    pd.testing.assert_frame_equal(whole.weeks, parts.weeks)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_patients_lists_differ_for_longer_than_the_patient_is_followed(seed: int) -> None:
    found = read([random_recurring(seed, cases=40)])
    assert (found.counts["differing_days"] <= HEADER.follow_up_hours / 24.0 + 1e-9).all()
    wide = found.weeks.pivot_table(index=["week", "pathway"], columns="measure", values="count").fillna(0)
    assert (wide["cases_differing"] <= wide["cases_followed"]).all()
    assert np.all(found.weeks["count"] >= 0)
